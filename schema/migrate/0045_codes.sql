-- SPDX-License-Identifier: Apache-2.0
-- A customer's code is never digits only, because those are a customer's number. A customer of an older version keeps such a code; a number
-- goes before it (tenant_named()).
alter table customers add constraint customers_code_not_a_number check (code !~ '^[0-9]+$') not valid;
