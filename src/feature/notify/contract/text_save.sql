-- notify/text_save: save the provider's own wording of a text.
-- mode: job   shape: rows   class: job
-- $1 template  text  call.template  required
-- $2 lang      text  call.lang      required
-- $3 subject   text  call.subject   required
-- $4 body      text  call.body      required
update notification_templates t set subject = $3, body = $4, shipped = text_digest(t.shipped_subject, t.shipped_body)
where t.tenant_id = 1 and t.code = $1 and t.lang = $2
returning t.code, t.lang, t.subject, t.body, t.shipped_subject, t.shipped_body,
  (select string_agg(s.shipped_subject || E'\n' || s.shipped_body, E'\n') from notification_templates s where s.tenant_id = 1 and s.code = t.code) as shipped_all,
  (t.subject, t.body) <> (t.shipped_subject, t.shipped_body) as own,
  (t.subject, t.body) <> (t.shipped_subject, t.shipped_body)
    and t.shipped is distinct from text_digest(t.shipped_subject, t.shipped_body) as outdated
