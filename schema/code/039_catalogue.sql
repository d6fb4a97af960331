-- SPDX-License-Identifier: Apache-2.0
-- A customer has at most 20,000 catalogue entries: the program holds those of active customers in memory, whole. Whoever writes the row is held to it.
create or replace function catalogue_most() returns trigger language plpgsql as $$
begin
  if (select count(*) from catalogue c where c.tenant_id = new.tenant_id and (c.kind, c.code) <> (new.kind, new.code)) >= 20000 then
    raise exception 'at most 20000 catalogue entries' using errcode = 'SD003', constraint = 'catalogue_most';
  end if;
  return new;
end
$$;
create or replace trigger catalogue_most before insert on catalogue for each row execute function catalogue_most();
