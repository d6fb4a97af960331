-- SPDX-License-Identifier: Apache-2.0
-- A log-in ends at the provider as it was when the log-in began: one that was changed in between is not asked with the answer of the other.
-- Log-ins that are on their way during the update have no version; they begin again.
alter table sso_logins add column provider_version bigint;
