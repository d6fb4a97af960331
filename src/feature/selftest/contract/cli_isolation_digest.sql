-- cli/isolation_digest: a digest over all rows of a customer that a request might change. The catalogue names the tables; left out is what the
-- daemon and the customer's own people write at any moment: the trail of events, mails and jobs, and the places of sign-in.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
select md5(string_agg(c.relname || d.digest::text, ',' order by c.relname)), count(*) as tables
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
cross join lateral query_to_xml(format('select md5(string_agg(x::text, ''|'' order by x::text)) from %I x where x.tenant_id = %s', c.relname, $1::bigint),
  true, true, '') as d(digest)
where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
  and c.relname <> all (array['audit_anchors', 'audit_archives', 'audit_logs', 'audit_signed', 'consumer_positions', 'deliveries', 'events', 'file_parts',
    'idempotency_keys', 'known_networks', 'login_attempts', 'login_steps', 'notifications', 'password_resets', 'refresh_tokens', 'rollup_checks',
    'rollups', 'sessions', 'sign_in_alerts', 'sign_in_places', 'sla_fires', 'source_runs', 'sso_logins', 'tenant_counters', 'ticket_outcomes',
    'trusted_devices', 'used_challenges'])
