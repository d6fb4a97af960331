-- sso/once: record something that is accepted only once.
-- mode: job   shape: rows   class: job
-- $1 what  text    call.what  required
-- $2 now   bigint  call.now   required
insert into used_challenges (challenge, used_at) values ($1::text, ts($2::bigint)) on conflict do nothing returning challenge
