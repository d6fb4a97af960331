-- cli/demo_loud: from now on people hear of these tickets.
-- mode: job   shape: rows   class: job
update tickets t
set muted = false
where t.tenant_id > 1 and t.muted and t.source <> 'import'
