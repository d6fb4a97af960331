-- SPDX-License-Identifier: Apache-2.0
-- A version of a policy fixes the version of the calendar that P2's ladder runs in: the newest of the one that it names (ladder.calendar), or of
-- cn-business. A calendar of the customer comes before one of the provider.
create or replace function policy_ladder_calendar() returns trigger language plpgsql as $$
begin
  if new.ladder_calendar_id is null then
    new.ladder_calendar_id := (select k.id from calendars k
      where k.tenant_id in (new.tenant_id, 1) and k.code = coalesce(new.doc -> 'ladder' ->> 'calendar', 'cn-business')
      order by k.tenant_id desc, k.version desc limit 1);
  end if;
  return new;
end
$$;
create or replace trigger policy_ladder_calendar before insert on sla_configurations for each row execute function policy_ladder_calendar();
