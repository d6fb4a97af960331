-- sync/done: a message has been applied, or came too late.
-- mode: write   shape: rows   class: point
-- $1 tenant    bigint  call.tenant    required
-- $2 external  text    call.external  required
-- $3 event     text    call.event     required
-- $4 result    text    call.result    required
-- $5 token     bigint  call.token     required
-- $6 said      bigint  call.said      required
-- $7 now       bigint  call.now       required
-- $8 ticket    bigint  call.ticket    required
with e as (
  insert into sync_events (tenant_id, event_id, external_id, result, token_id, said_at, received_at)
  values ($1::bigint, $3::text, $2::text, $4::text, $5::bigint, ts($6::bigint), ts($7::bigint))
  on conflict (tenant_id, event_id) do nothing
  returning event_id
), s as (
  insert into sync_tickets (tenant_id, external_id, ticket_id, last_at)
  values ($1::bigint, $2::text, $8::bigint, ts($6::bigint))
  on conflict (tenant_id, external_id) do update set last_at = greatest(sync_tickets.last_at, excluded.last_at)
)
select count(*) as fresh from e
