-- auth/attempt_end: an attempt ended without a wrong password: none could be checked, or (right) it was the right one, and earlier wrong ones
-- from there are forgotten.
-- mode: job   shape: rows   class: job
-- $1 tenant    bigint   call.tenant    required
-- $2 username  text     call.username  required
-- $3 source    text     call.source    required
-- $4 began     bigint   call.began     required
-- $5 right     bool     call.right     required
update login_attempts l set pending = array_remove(l.pending, $4::bigint), attempts = case when $5::boolean then 0 else l.attempts end
where l.tenant_id = $1::bigint and l.username = $2::text and l.source = $3::text
returning l.attempts
