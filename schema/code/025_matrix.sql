-- SPDX-License-Identifier: Apache-2.0
-- Who is told of an event of a ticket: the provider's rules and, for the events that it names, the matrix of the ticket's policy (doc/sla.md).

-- The rules for an event. P_MATRIX: the policy's (null: it has none). Webhooks are the customer's own subscriptions, which no policy changes.
create or replace function rules_for(p_matrix jsonb, p_type text, p_keys text[], p_priority text, p_clock text)
returns table (event_key text, recipient_group text, channel text, template text, delay_s int) language sql stable as $$
  select n.event_key, n.recipient_group, n.channel, n.template, 0
  from notification_rules n
  where n.tenant_id = 1 and n.event_type = p_type and (n.event_key = '' or n.event_key = any (p_keys))
    and (p_matrix is null or n.recipient_group = 'webhook' or not exists (
      select from jsonb_array_elements(p_matrix) r where r ->> 'event' = p_type and coalesce(r ->> 'key', '') in ('', n.event_key)))
  union all
  select coalesce(r.key, ''), r."to", coalesce(r.channel, 'mail'), coalesce(r.template, (
      select n.template from notification_rules n
      where n.tenant_id = 1 and n.event_type = p_type and n.channel <> 'webhook'
      order by n.recipient_group = r."to" desc, n.event_key = coalesce(r.key, '') desc, n.event_key, n.recipient_group limit 1)), coalesce(r.delay_s, 0)
  from jsonb_to_recordset(p_matrix) as r(event text, key text, "to" text, channel text, template text, delay_s int, "when" jsonb)
  where r.event = p_type and r."to" <> 'nobody' and (r.key is null or r.key = any (p_keys))
    and (r."when" -> 'priorities' is null or r."when" -> 'priorities' ? p_priority)
    and (r."when" -> 'clocks' is null or r."when" -> 'clocks' ? coalesce(p_clock, ''))
$$;

-- The first place of a matrix that names an event of which nobody is told, or a text that there is not; null: none.
create or replace function matrix_fault(p_matrix jsonb) returns text language sql stable as $$
  select 'document.notifications[' || (r.n - 1) || '].' || x.part
  from jsonb_array_elements(p_matrix) with ordinality r(v, n)
  cross join lateral (values
    ('event', not exists (select from notification_rules n where n.tenant_id = 1 and n.event_type = r.v ->> 'event')),
    ('template', r.v ? 'template' and not exists (select from notification_templates t -- one about a ticket: others go to one account, whatever it may see
      where t.tenant_id = 1 and t.code = r.v ->> 'template' and not starts_with(t.code, 'auth_') and t.subject || t.body ~ '[{][{][?!]?(number|title|url)[}][}]'))) x(part, bad)
  where x.bad
  order by r.n, x.part
  limit 1
$$;
