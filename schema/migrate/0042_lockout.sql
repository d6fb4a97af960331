-- SPDX-License-Identifier: Apache-2.0
-- Wrong passwords are counted by account and network; a trusted device counts apart, so that strangers cannot lock the owner out.
delete from login_attempts; -- locks of 30 minutes, by another rule
alter table login_attempts drop constraint login_attempts_pkey,
  add column source text not null,                     -- a network, 'device:' and its id, or '*': all strangers together
  add column pending bigint[] not null default '{}',   -- attempts under way, by when they began
  add primary key (tenant_id, username, source);

-- The networks (IPv4 /24, IPv6 /64) from which somebody logged in.
create table known_networks (
  tenant_id bigint not null references customers,
  actor_kind text not null check (actor_kind in ('staff', 'customer')),
  actor_id bigint not null,
  network text not null,
  last_at timestamptz not null,
  primary key (tenant_id, actor_kind, actor_id, network)
);
create index known_networks_network on known_networks (tenant_id, network);
create index known_networks_age on known_networks (last_at);
insert into known_networks (tenant_id, actor_kind, actor_id, network, last_at)
select s.tenant_id, s.actor_kind, s.actor_id, n.network, max(s.created_at)
from sessions s cross join lateral (
  select network(set_masklen(a.address, case family(a.address) when 4 then 24 else 64 end))::text as network
  from (select case when s.address ~ '^([0-9]{1,3}[.]){3}[0-9]{1,3}$|^[0-9a-f:]*:[0-9a-f:]*$' then s.address::inet end as address) a) n
where n.network is not null
group by 1, 2, 3, 4;

update notification_templates t set subject = n.subject, body = n.body from (values
('zh', '[{{tenant}}] 该网络的密码登录已锁定 30 分钟', E'有人从下列地址以您的账号连续 5 次输错密码，该网络对您账号的密码登录已锁定 30 分钟。其他网络与您信任的设备不受影响。\n来源地址：{{address}}\n\n如果不是您本人操作，请尽快联系管理员。\n',
  '00a55bd69038628cbd15b64a7bcabdc289a364465bc4618ae561e05f00d15396'),
('en', '[{{tenant}}] Password logins are locked for one network', E'Five wrong passwords in a row were entered for your account from the address below. Password logins to your account from that network are locked for 30 minutes. Other networks and your trusted devices are not affected.\nSource address: {{address}}\n\nIf this was not you, contact your administrator.\n',
  '590ff19a4795167a72101c0bf75b97ebb98a18f6d37b7fca0e550e19c829160c')
) as n (lang, subject, body, was)
where t.tenant_id = 1 and t.code = 'auth_locked' and t.lang = n.lang
  and encode(sha256(convert_to(t.subject || E'\n' || t.body, 'UTF8')), 'hex') = n.was;
