-- SPDX-License-Identifier: Apache-2.0
-- The user of the tenant (tenant 1: the member of staff) for whom a service token was made: it never may more than that person. Null: made by
-- the operator for the tenant itself.
alter table api_tokens add column maker_id bigint;
