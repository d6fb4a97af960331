-- cli/text_list: the texts, and whose wording they have.
-- mode: job   shape: rows   class: job
-- $1 lang  text  call.lang  required
-- $2 own   text  call.own   required
select t.code, t.lang, case when not o.own then 'shipped'
  when t.shipped is distinct from text_digest(t.shipped_subject, t.shipped_body) then 'own, outdated' else 'own' end as wording, t.subject
from notification_templates t
cross join lateral (select (t.subject, t.body) <> (t.shipped_subject, t.shipped_body) as own) o
where t.tenant_id = 1 and ($1 = '' or t.lang = $1) and ($2 = '' or o.own)
order by t.code, t.lang
