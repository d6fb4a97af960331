-- SPDX-License-Identifier: Apache-2.0
-- Staging tables of the importer: temporary, because row-level security forbids COPY elsewhere. Made once a session, empty after each call.
create or replace function import_stage() returns void language plpgsql as $$
begin
  if to_regclass('pg_temp.s_ticket') is not null then
    truncate pg_temp.s_ticket, pg_temp.s_event, pg_temp.s_clock, pg_temp.s_fire, pg_temp.s_new;
    return;
  end if;
  create temporary table s_ticket (n bigint, external_id text, title text, status text, priority text, cycle int, level int, opened bigint,
    last bigint, first_response bigint, resolved bigint, last_stop bigint, closed bigint, responded boolean, breached boolean, events int,
    category text, impact int, urgency int);
  create temporary table s_event (n bigint, i int, type text, actor text, audience text, at bigint, data jsonb);
  create temporary table s_clock (n bigint, clock text, state text, cycle int, budget int, origin bigint, start_at bigint, stopped bigint,
    breached bigint, due bigint, carry bigint, runs bigint[], fired int, high int, missed int, by_priority boolean, verdict text);
  create temporary table s_fire (n bigint, i int, clock text, origin bigint, threshold text, cycle int, due bigint, at bigint,
    periods int, budget int, priority text);
  create temporary table s_new (n bigint primary key, id bigint, base bigint);
end
$$;
