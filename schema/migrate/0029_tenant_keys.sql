-- SPDX-License-Identifier: Apache-2.0
-- Unique indexes name the tenant: a value of one customer never refuses another's, and an error never tells what others have.
-- Ticket numbers stay unique in the installation: one sequence makes them.
create unique index tickets_tenant_number on tickets (tenant_id, number);
drop index tickets_number;
alter index tickets_tenant_number rename to tickets_number;

-- Whose key verifies a signature decides who signs in; the credential id only finds the candidates, the oldest first.
create unique index factors_owner_credential on factors (tenant_id, actor_kind, actor_id, credential_id);
drop index factors_credential;
create index factors_credential on factors (credential_id, created_at);

-- One row a customer (its primary key). customers_take() holds a lock while it finds the customer of an external id.
drop index customer_details_external;
create index customer_details_external on customer_details (external_id);
