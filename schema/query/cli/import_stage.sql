-- cli/import_stage: empty staging tables of this session.
-- mode: job   shape: rows   class: job
select import_stage()
