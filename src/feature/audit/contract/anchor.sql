-- audit/anchor: once a day, record the last digest of each chain and mail it to the provider's administrators and auditors.
-- mode: job   shape: rows   class: job
-- $1 now  bigint  call.now  required
with a as materialized (
  select * from audit_anchor($1::bigint)
), text as materialized (
  select string_agg(a.code || '  ' || a.chain_no || '  ' || a.digest, E'\n' order by a.code) as anchors from a
), told as materialized (
  select account_event(1, 'staff', s.id, 'audit.anchored', 'audit_anchor', $1::bigint,
    jsonb_build_object('day', to_char(ts($1::bigint) at time zone 'UTC', 'YYYY-MM-DD'), 'anchors', t.anchors)) as seq
  from staff s, text t where s.role in ('admin', 'auditor') and s.disabled_at is null and t.anchors is not null
)
select a.code, a.chain_no, a.digest, (select count(*) from told) as told from a
