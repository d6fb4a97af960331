-- rollup/position: the seq up to which a tenant's events are counted on this server, which may be a replica.
-- mode: read   shape: rows   class: point
-- $1 tenant  bigint  call.tenant  required
select door.rollup_position($1::bigint) as seq
limit 1
