-- cli/webhook_add: register a webhook.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 url     text    call.url     required
-- $3 secret  text    call.secret  required
-- $4 now     time    call.now     required
-- $5 id      bigint  call.id      required
insert into webhooks (tenant_id, id, url, secret, created_at)
values ($1::bigint, $5::bigint, web_address($2), $3, $4::timestamptz)
returning id
