-- notify/text_list: the texts of mails and text messages, in both languages: the provider's own wording, or what was shipped.
-- zh: 邮件与短信的全部文本（中文与英文）：服务商自己的措辞，或随产品提供的文本。
-- mode: read   shape: list   class: point   cursor: place place
-- $1 lang       text    query.lang   optional in=zh|en
-- $2 own        bool    query.own    optional
-- $3 limit      int     query.limit  default=200 range=1..200
-- $4 cursor_at  bigint  cursor.0     optional
-- $5 cursor_id  bigint  cursor.1     optional
-- returns place bigint, template text, lang text, subject text, own boolean, outdated boolean
select x.place, x.template, x.lang, x.subject, x.own, x.outdated
from (
  select row_number() over (order by t.code, t.lang) as place, t.code as template, t.lang, t.subject, o.own,
    o.own and t.shipped is distinct from text_digest(t.shipped_subject, t.shipped_body) as outdated
  from notification_templates t
  cross join lateral (select (t.subject, t.body) <> (t.shipped_subject, t.shipped_body) as own) o
  where t.tenant_id = 1
) x
where ($1::text is null or x.lang = $1) and ($2::bool is null or x.own = $2) and ($4::bigint is null or x.place > coalesce($5::bigint, 0))
order by x.place
limit $3::int
