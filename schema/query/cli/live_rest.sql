-- cli/live_rest: the closed tickets of an import are ordinary tickets from now on.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
update tickets t
set muted = false
where t.tenant_id = $1::bigint and t.muted
