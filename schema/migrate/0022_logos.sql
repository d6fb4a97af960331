-- SPDX-License-Identifier: Apache-2.0
-- A logo that was uploaded: it comes before an address of one.
alter table tenant_themes add column logo bytea check (length(logo) <= 65536),
  add column logo_type text check (logo_type in ('image/png', 'image/jpeg', 'image/webp')), add column logo_sha256 text,
  add constraint tenant_themes_logo_whole check ((logo is null) = (logo_type is null) and (logo is null) = (logo_sha256 is null));
drop function if exists door.theme(bigint); -- finds by code and host name, too
