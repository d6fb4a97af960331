-- cli/demo_partitions: the partitions of these months.
-- mode: job   shape: rows   class: job
-- $1 from  time  call.from  required
-- $2 to    time  call.to    required
select door.partitions($1::timestamptz, $2::timestamptz)
