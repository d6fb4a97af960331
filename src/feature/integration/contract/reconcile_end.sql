-- reconcile/end: all customers have been compared; set when the next comparison is due.
-- mode: job   shape: rows   class: job
update source_runs set ended = true where tenant_id = 1
returning tenant_id
