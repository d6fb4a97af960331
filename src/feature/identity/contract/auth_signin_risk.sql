-- auth/signin_risk: compare a login with the user's earlier ones, record it, and mail what is unusual. A user's first login is never unusual.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint  call.tenant    required
-- $2 kind      text    call.kind      required
-- $3 actor     bigint  call.actor     required
-- $4 username  text    call.username  required
-- $5 now       bigint  call.now       required
-- $6 network   text    call.network   required
-- $7 device    text    call.device    required
-- $8 country   text    call.country   optional
-- $9 lat       text    call.lat       optional
-- $10 lon      text    call.lon       optional
-- $11 address  text    call.address   required
-- $12 sealed   text    call.sealed    required
-- $13 browser  text    call.browser   required
-- $14 system   text    call.system    required
with old as materialized (
  select p.kind, p.value, p.lat, p.lon, p.last_at from sign_in_places p
  where p.tenant_id = $1::bigint and p.actor_kind = $2::text and p.actor_id = $3::bigint
), c as materialized (
  select c.work_from, c.work_to, extract(hour from ts($5::bigint) at time zone c.zone)::int as hour from customers c where c.tenant_id = $1::bigint
), last_seen as materialized (
  select o.lat, o.lon, extract(epoch from ts($5::bigint) - o.last_at) / 3600 as hours from old o where o.kind = 'network' and o.lat is not null
  order by o.last_at desc limit 1
), far as materialized ( -- haversine, kilometres
  select 12742 * asin(least(1, sqrt(power(sin(radians($9::double precision - l.lat) / 2), 2)
    + cos(radians(l.lat)) * cos(radians($9::double precision)) * power(sin(radians($10::double precision - l.lon) / 2), 2)))) as km, l.hours
  from last_seen l where $9::text is not null
), r as materialized (
  select array_remove(array[
    case when exists (select from old where kind = 'network') and not exists (select from old where kind = 'network' and value = $6::text)
      and $8::text is null then 'new_network' end,
    case when exists (select from old where kind = 'device') and not exists (select from old where kind = 'device' and value = $7::text) then 'new_device' end,
    case when $8::text is not null and exists (select from old where kind = 'country')
      and not exists (select from old where kind = 'country' and value = $8::text) then 'new_country' end,
    case when exists (select from far where far.km > 500 and far.km / greatest(far.hours, 0.01) > 900) then 'impossible_travel' end,
    case when exists (select from c where (c.work_from, c.work_to) <> (0, 24) and not case when c.work_from < c.work_to
      then c.hour >= c.work_from and c.hour < c.work_to else c.hour >= c.work_from or c.hour < c.work_to end) then 'outside_hours' end
  ], null) as reasons
), p as (
  insert into sign_in_places (tenant_id, actor_kind, actor_id, kind, value, lat, lon, first_at, last_at)
  select $1::bigint, $2::text, $3::bigint, x.kind, x.value, x.lat, x.lon, ts($5::bigint), ts($5::bigint)
  from (values ('network', $6::text, $9::double precision, $10::double precision), ('device', $7::text, null, null), ('country', $8::text, null, null))
    as x(kind, value, lat, lon)
  where x.value is not null
  on conflict (tenant_id, actor_kind, actor_id, kind, value) do update set last_at = excluded.last_at, lat = excluded.lat, lon = excluded.lon
), a as (
  insert into sign_in_alerts (tenant_id, actor_kind, actor_id, username, reasons, address, device, place, at)
  select $1::bigint, $2::text, $3::bigint, $4::text, r.reasons, $12::text, coalesce(nullif(concat_ws(', ', nullif($13::text, ''), nullif($14::text, '')), ''), '?'), $8::text, ts($5::bigint) from r where cardinality(r.reasons) > 0
)
select r.reasons::text as reasons, account_event($1::bigint, $2::text, $3::bigint, 'auth.unusual', 'auth_unusual', $5::bigint,
  jsonb_build_object('reasons', array_to_string(r.reasons, ', '), 'address', $11::text, 'browser', $13::text, 'system', $14::text)) as told
from r where cardinality(r.reasons) > 0
