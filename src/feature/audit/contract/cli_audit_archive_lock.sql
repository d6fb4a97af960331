-- cli/audit_archive_lock: one archive run at a time.
-- mode: job   shape: rows   class: job
select pg_try_advisory_lock(7335)
