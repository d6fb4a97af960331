-- admin/webhook_new: register a webhook; every event of the tenant (or of the listed types) is signed with the secret and sent to it.
-- zh: 登记 webhook：租户的事件经签名后发往该地址。
-- mode: write   shape: object   class: point
-- $1 url     text    body.url      required len=8..2000 like=web
-- $2 secret  text    body.secret   required len=16..200 sealed=webhooks.secret
-- $3 now     bigint  session.now   required
-- $4 actor   text    idem.actor    optional
-- $5 key     text    idem.key      optional
-- $6 sha256  text    idem.sha256   optional
-- $7 id      bigint  session.row   required
-- returns id bigint, tenant_id bigint, url text, active boolean, created_at timestamptz, off_at timestamptz, off_reason text
with w as (
  insert into webhooks (tenant_id, id, url, secret, created_at)
  values ((select current_setting('app.current_tenant_id')::bigint), $7::bigint, web_address($1::text), $2::text, ts($3::bigint))
  returning id, tenant_id, url, active, created_at, off_at, off_reason
), i as (
  insert into idempotency_keys (tenant_id, actor, key, request_sha256, subject_type, subject_id, status, created_at)
  select w.tenant_id, $4::text, $5::text, decode($6::text, 'hex'), 'webhook', w.id, 201, ts($3::bigint)
  from w
  where $5::text is not null
)
select w.id, w.tenant_id, w.url, w.active, w.created_at, w.off_at, w.off_reason from w
