-- rollup/position: up to which of its events a tenant's figures are counted, as this server, maybe a replica, has it.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
select door.rollup_position($1::bigint) as seq
limit 1
