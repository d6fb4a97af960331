-- SPDX-License-Identifier: Apache-2.0
-- Which database login may read which tenant for reports. A login is a role of its own, a member of sladesk_report; the administrator of the
-- installation writes these rows (sladesk report), and a login cannot choose.
create table report_logins (
  tenant_id bigint not null references customers,
  login text not null check (login <> '' and login !~ '^sladesk_(owner|app|job)$'),
  primary key (tenant_id, login)
);
create index report_logins_login on report_logins (login);
