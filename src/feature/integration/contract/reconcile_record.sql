-- reconcile/record: record the state of a tenant's comparison; when it ends and differences were found, mail the managers.
-- mode: job   shape: rows   class: job
-- $1 tenant     bigint  call.tenant     required
-- $2 started    bigint  call.started    required
-- $3 state      text    call.state      required
-- $4 theirs     bigint  call.theirs     required
-- $5 ours       bigint  call.ours       required
-- $6 differing  bigint  call.differing  required
-- $7 repaired   bigint  call.repaired   required
-- $8 left_over  json    call.left_over  required
-- $9 left_n     bigint  call.left_n     required
-- $10 now       bigint  call.now        required
with c as (
  insert into source_checks as k (tenant_id, started_at, ended_at, state, theirs, ours, differing, repaired, left_over)
  values ($1::bigint, ts($2::bigint), case when $3::text <> 'repairing' then ts($10::bigint) end, $3::text, $4::bigint, $5::bigint, $6::bigint, $7::bigint,
    $8::jsonb)
  on conflict (tenant_id, started_at) do update set ended_at = excluded.ended_at, state = excluded.state, theirs = excluded.theirs,
    ours = excluded.ours, differing = excluded.differing, repaired = excluded.repaired, left_over = excluded.left_over
  returning k.*
), told as materialized (
  select account_event(1, 'staff', s.id, 'source.differs', 'source_differs', $10::bigint,
    jsonb_build_object('of', (select x.name from customers x where x.tenant_id = c.tenant_id), 'theirs', c.theirs::text, 'ours', c.ours::text,
      'differing', c.differing::text, 'repaired', c.repaired::text, 'left_over', $9::text)) as seq
  from c join staff s on s.role in ('admin', 'manager') and s.disabled_at is null
    and (s.serves_all or exists (select from staff_tenants st where st.tenant_id = c.tenant_id and st.staff_id = s.id))
  where c.state in ('repaired', 'differs', 'failed')
)
select c.tenant_id, (select count(*) from told) as told from c
