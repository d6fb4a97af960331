-- SPDX-License-Identifier: Apache-2.0
-- A webhook's secret is stored encrypted, which takes more room; its length is checked where it is given.
alter table webhooks drop constraint webhooks_secret_check;
alter table webhooks add constraint webhooks_secret_check check (length(secret) between 16 and 2000);
