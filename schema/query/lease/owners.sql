-- lease/owners: the instances whose names have this prefix.
-- mode: job   shape: rows   class: job
-- $1 prefix  text  call.prefix  required
select o.owner from lease_owners o where starts_with(o.owner, $1::text) order by o.owner limit 20
