-- cli/demo_details: who looks after a customer of the demo, and which number it calls.
-- mode: job   shape: rows   class: job
-- $1 tenant  bigint  call.tenant  required
-- $2 code    text    call.code    required
-- $3 vip     bool    call.vip     required
-- $4 now     time    call.now     required
insert into customer_details (tenant_id, external_id, vip, customer_success_manager, hotline, synced_at)
values ($1::bigint, 'CRM-' || $2, $3::bool, '吴欣', '400-820-0000', $4::timestamptz)
