-- SPDX-License-Identifier: Apache-2.0
-- A customer has at most 20 active webhooks, so that none can fill the queue of deliveries. Whoever writes the row is held to it.
create or replace function webhooks_most() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7334, (new.tenant_id % 2147483647)::int);
  if (select count(*) from webhooks w where w.tenant_id = new.tenant_id and w.active and w.id <> new.id) >= 20 then
    raise exception 'at most 20 active webhooks' using errcode = 'SD003', constraint = 'webhooks_most';
  end if;
  return new;
end
$$;
create or replace trigger webhooks_most before insert or update of active on webhooks
  for each row when (new.active) execute function webhooks_most();
