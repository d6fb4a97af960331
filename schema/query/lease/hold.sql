-- lease/hold: renew the shards of an instance, give back those above its share, and take free ones up to its share.
-- mode: job   shape: rows   class: job
-- $1 me    text  call.me    required
-- $2 take  bool  call.take  required
-- $3 format  int  call.format  required
select h.held, h.at, h.instances from shards_hold($1::text, $2::boolean, true, $3::int) h
