-- upkeep/partitions: create the missing monthly partitions between two instants.
-- mode: job   shape: rows   class: job
-- $1 from  bigint  call.from  required
-- $2 to    bigint  call.to    required
select door.partitions(ts($1::bigint), ts($2::bigint)) as made
