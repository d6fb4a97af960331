-- SPDX-License-Identifier: Apache-2.0
-- Periodic work of the installation: which instance does it now, and when it was last done. It belongs to no tenant.
create table job_claims (
  name text primary key,
  owner text,
  claim_until timestamptz,
  done_at timestamptz
);
