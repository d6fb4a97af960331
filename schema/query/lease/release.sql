-- lease/release: free the shards of instances that have stopped.
-- mode: job   shape: rows   class: job
-- $1 owners  text  call.owners  required
with o as (
  delete from lease_owners where owner = any ($1::text[]) returning owner
)
update shard_leases set owner = null, expires_at = '-infinity' where owner = any ($1::text[])
returning shard
