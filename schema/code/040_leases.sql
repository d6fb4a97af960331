-- SPDX-License-Identifier: Apache-2.0
-- Only leases use the database's clock, because the instances must agree on it. A lease lasts ten seconds; the share is a fair part of the 64 shards.
-- p_places: the instance reads encrypted values that name their place; an earlier version does not say so. p_format: the newest form of policies
-- that it reads.
drop function if exists shards_hold(text, boolean);
drop function if exists shards_hold(text, boolean, boolean);
create or replace function shards_hold(p_me text, p_take boolean, p_places boolean default false, p_format int default 1)
returns table (held bigint, at bigint, instances int) language plpgsql as $$
declare
  instant timestamptz := clock_timestamp();
  until timestamptz := instant + interval '10 seconds';
  share int;
  mine int;
begin
  insert into lease_owners (owner, expires_at, places, policy_format) values (p_me, until, p_places, p_format)
    on conflict (owner) do update set expires_at = excluded.expires_at, places = excluded.places, policy_format = excluded.policy_format;
  delete from lease_owners o where o.expires_at < instant - interval '1 minute';
  select count(*) into instances from lease_owners o where o.expires_at > instant;
  share := ceil(64.0 / instances);
  update shard_leases s set owner = null, expires_at = '-infinity'
  where s.owner = p_me and s.shard in (select x.shard from shard_leases x where x.owner = p_me order by x.shard offset share);
  update shard_leases s set expires_at = until where s.owner = p_me;
  get diagnostics mine = row_count;
  if mine < share and (p_take or instances = 1) then
    update shard_leases s set owner = p_me, epoch = s.epoch + 1, expires_at = until
    where s.shard in (select x.shard from shard_leases x where x.expires_at <= instant order by x.shard limit share - mine for update skip locked);
  end if;
  select coalesce(bit_or(1::bigint << s.shard), 0) into held from shard_leases s where s.owner = p_me;
  at := us(instant);
  return next;
end
$$;

-- The newest form of policies that every instance that runs can read; null: none runs.
create or replace function policy_format_read() returns int language sql as $$
  select min(o.policy_format) from lease_owners o where o.expires_at > clock_timestamp()
$$;

-- Is every instance that runs able to read encrypted values that name their place?
create or replace function places_are_read() returns boolean language sql as $$
  select not exists (select from lease_owners o where o.expires_at > clock_timestamp() and not o.places)
    and exists (select from lease_owners o where o.expires_at > clock_timestamp())
$$;
