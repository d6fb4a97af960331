-- SPDX-License-Identifier: Apache-2.0
-- When a session last proved its user by password or factor, and how often it failed to; which accounts' passwords come from a mailed link;
-- whether a customer's users may confirm a login by mail. Recovery codes by a digest under the index key (keyed); the daemon converts the old ones.
alter table sessions add column proved_at timestamptz, add column proof_tries integer not null default 0;
alter table staff add column password_by_mail boolean not null default false;
alter table client_users add column password_by_mail boolean not null default false;
alter table customers add column mail_factor boolean not null default false;
alter table sso_logins add column fresh boolean not null default false; -- the user was to log in anew
alter table recovery_codes add column keyed boolean not null default false;
alter table recovery_codes rename column code_sha256 to digest;
create index recovery_codes_plain on recovery_codes (tenant_id) where not keyed;
