-- SPDX-License-Identifier: Apache-2.0
-- Wrong second factors are counted by account, however often the login is begun anew: whoever knows the password must not guess on for ever.
alter table login_steps add column network text not null default '', -- from which it was begun
  add column told boolean not null default false;                    -- this one has told the owner about the guesses of a day
create index login_steps_actor on login_steps (tenant_id, actor_kind, actor_id, began_at);

insert into notification_templates (tenant_id, code, lang, subject, body) values
(1, 'auth_factor_guessed', 'zh', '[{{tenant}}] 有人知道您的密码', E'有人以您的正确密码登录，但在一天内多次输错验证码。一天内输错 30 次后，须修改密码才能再使用验证码登录。\n来源地址：{{address}}\n\n如果不是您本人操作，请立即修改密码。\n'),
(1, 'auth_factor_guessed', 'en', '[{{tenant}}] Someone knows your password', E'Someone entered your password, but many wrong codes of the two-step verification within a day. After 30 wrong codes in a day, codes are refused until the password is changed.\nSource address: {{address}}\n\nIf this was not you, change your password now.\n');
