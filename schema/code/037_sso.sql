-- SPDX-License-Identifier: Apache-2.0
-- Our address that only provider P uses (RFC 9700, 4.4.2.2). DOOR: callback, acs, saml-metadata, backchannel.
create or replace function sso_address(url text, door text, p identity_providers) returns text language sql immutable
  return url || '/api/v1/auth/sso/' || door || '/' || p.tenant_id || '/' || p.id;
