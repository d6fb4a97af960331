-- SPDX-License-Identifier: Apache-2.0
-- Sessions that are renewed, wrong passwords counted, passwords that were.
alter table sessions
  add column device text not null default '' check (length(device) <= 200),
  add column address text not null default '',
  add column refreshed_at timestamptz,
  add column revoked_why text;
create index sessions_actor on sessions (tenant_id, actor_kind, actor_id) where revoked_at is null;

-- A session's refresh tokens, each good once: one that comes a second time was stolen from somebody. Only the SHA-256 of the secret rests here.
create table refresh_tokens (
  tenant_id bigint not null,
  session_id bigint not null,
  secret_sha256 bytea not null check (length(secret_sha256) = 32),
  created_at timestamptz not null,
  used_at timestamptz,
  primary key (tenant_id, session_id, secret_sha256),
  foreign key (tenant_id, session_id) references sessions on delete cascade
);

-- Counted by the name that was typed, whether anybody has it or not, so that a lock tells nothing; before the password is looked at, so that many
-- at once are no more than one after another. Tenant 0: no such tenant.
create table login_attempts (
  tenant_id bigint not null,
  username text not null,
  attempts integer not null,       -- in vain or under way; five lock for 30 minutes from the last that counted
  last_at timestamptz not null,
  primary key (tenant_id, username)
);
create index login_attempts_age on login_attempts (last_at);

alter table staff add column must_change boolean not null default false, add column password_changed_at timestamptz;
alter table client_users add column must_change boolean not null default false, add column password_changed_at timestamptz;
create table password_history (
  tenant_id bigint not null references customers,
  actor_kind text not null check (actor_kind in ('staff', 'customer')),
  actor_id bigint not null,
  set_at timestamptz not null,
  password_hash text not null,
  primary key (tenant_id, actor_kind, actor_id, set_at)
);

insert into notification_templates (tenant_id, code, lang, subject, body) values
(1,'auth_locked','zh','[{{tenant}}] 账号已锁定 30 分钟',E'您的账号连续 5 次输错密码,已锁定 30 分钟。\n来源地址:{{address}}\n\n如非本人操作,请尽快联系管理员。\n'),
(1,'auth_locked','en','[{{tenant}}] Your account is locked for 30 minutes',E'Five wrong passwords in a row: your account is locked for 30 minutes.\nFrom address: {{address}}\n\nIf this was not you, tell your administrator.\n'),
(1,'auth_reused','zh','[{{tenant}}] 一个登录会话已被终止',E'同一个续期凭证被使用了两次,它可能已被他人窃取。该会话已终止,请重新登录;如非本人操作,请修改密码。\n来源地址:{{address}}\n'),
(1,'auth_reused','en','[{{tenant}}] One of your sessions was ended',E'A refresh token was used twice: somebody may have stolen it. The session was ended. Log in again, and change your password if this was not you.\nFrom address: {{address}}\n'),
(1,'auth_password','zh','[{{tenant}}] 密码已修改',E'您的密码已修改,其他会话均已退出。\n来源地址:{{address}}\n\n如非本人操作,请立即联系管理员。\n'),
(1,'auth_password','en','[{{tenant}}] Your password was changed',E'Your password was changed and your other sessions were ended.\nFrom address: {{address}}\n\nIf this was not you, tell your administrator at once.\n');
