-- reconcile/end: all customers are compared; the next time is due by the setting.
-- mode: job   shape: rows   class: job
update source_runs set ended = true where tenant_id = 1
returning tenant_id
