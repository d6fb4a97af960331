-- audit/list: the audit log, newest first.
-- zh: 审计日志，最近的在前。
-- mode: read   shape: list   class: point   cursor: chain_no chain_no
-- $1 limit      int     query.limit      default=50 range=1..200
-- $2 cursor_at  bigint  cursor.0         optional
-- $3 cursor_id  bigint  cursor.1         optional
-- $4 tenant     bigint  session.tenant   required
-- $5 username   text    query.username   optional len=1..100
-- $6 operation  text    query.operation  optional len=1..100
-- $7 result     text    query.result     optional in=success|refused|error
-- $8 from       time    query.from       optional
-- $9 to         time    query.to         optional
-- $10 tenant_id  bigint  query.tenant_id  optional range=1..9007199254740991
-- returns audit_id text, tenant_id bigint, chain_no bigint, timestamp timestamptz, actor_kind text, user_id bigint, username text, operation text,
-- returns resource text, result text, status integer, ip_address text, user_agent text, request_id text, details jsonb, digest text
select 'AUD-' || to_char(a.at at time zone 'UTC', 'YYYYMMDD') || '-' || case when length(coalesce(a.day_no, a.chain_no)::text) < 3
  then lpad(coalesce(a.day_no, a.chain_no)::text, 3, '0') else coalesce(a.day_no, a.chain_no)::text end as audit_id, a.tenant_id, a.chain_no,
  a.at as timestamp, a.actor_kind, a.actor_id as user_id, a.username, a.operation, a.resource, a.result, a.status, a.address as ip_address, a.user_agent,
  a.request_id, a.details, encode(a.digest, 'hex') as digest
from audit_matching(coalesce($10::bigint, $4::bigint), case when $2::bigint is not null then coalesce($3::bigint, 0) end, $5::text, $6::text, $7::text,
  $8::timestamptz, $9::timestamptz) a
order by a.chain_no desc
limit $1::int
