-- SPDX-License-Identifier: Apache-2.0
-- People log in with their mail address, too. email_index is now two blind indexes of 64 hex digits: of the address within its tenant (one account a
-- tenant has an address), then of the address alone, by which a log-in without a tenant finds it. An address that was stored earlier has the first
-- until it is saved or encrypted anew (sladesk keys rotate).
alter table client_users drop constraint client_users_email_index_check;
alter table client_users add constraint client_users_email_index_check check (email_index ~ '^([0-9a-f]{64}){1,2}$');
drop index client_users_email_index;
create unique index client_users_email_index on client_users (tenant_id, left(email_index, 64));
create index client_users_login_index on client_users (substr(email_index, 65));
alter table staff drop constraint staff_email_index_check;
alter table staff add constraint staff_email_index_check check (email_index ~ '^([0-9a-f]{64}){1,2}$');
drop index staff_email_index;
create unique index staff_email_index on staff (tenant_id, left(email_index, 64));
create index staff_login_index on staff (substr(email_index, 65));
