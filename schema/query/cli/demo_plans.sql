-- cli/demo_plans: plan each statement once; the same few run thousands of times.
-- mode: job   shape: rows   class: job
select set_config('plan_cache_mode', 'force_generic_plan', false)
