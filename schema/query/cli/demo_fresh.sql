-- cli/demo_fresh: is there nobody yet?
-- mode: job   shape: rows   class: job
select not exists (select from staff)
