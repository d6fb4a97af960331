-- lease/hold: renew the shards of an instance, give back what is above its share, take what is free up to it.
-- mode: job   shape: rows   class: job
-- $1 me    text  call.me    required
-- $2 take  bool  call.take  required
select h.held, h.at, h.instances from shards_hold($1::text, $2::boolean) h
