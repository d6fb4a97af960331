-- cli/report_list: which database login reads which tenant.
-- mode: job   shape: rows   class: job
select r.login, c.code
from report_logins r
join customers c on c.tenant_id = r.tenant_id
order by 1, 2
