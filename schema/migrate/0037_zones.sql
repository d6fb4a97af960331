-- SPDX-License-Identifier: Apache-2.0
-- The zone in which a customer's days are counted: the one that was set if the database knows it, else UTC. One name that nobody knows
-- must not stop a customer's numbers.
create function known_zone(name text) returns text language plpgsql stable as $$
begin
  perform 'epoch'::timestamptz at time zone name;
  return name;
exception when invalid_parameter_value then
  return 'UTC';
end $$;
create function set_zone() returns trigger language plpgsql as $$
begin
  new.zone := known_zone(new.timezone);
  return new;
end $$;
alter table customers add column zone text;
update customers set zone = known_zone(timezone);
alter table customers alter column zone set not null;
create trigger set_zone before insert or update of timezone on customers for each row execute function set_zone();
