#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A lane is a place with its own PostgreSQL and Redis, in which one test file runs at a time. lane.sh up | down, with VAR, SOCK, RUNAS, INST and
# PG_BIN set. `up` can be called at any time: what runs is kept, what is missing is started, and what the last file left behind is removed.
# The cluster is kept from run to run; it is created again only when its inputs have changed.
set -u
PG_EXTRA='fsync = off
full_page_writes = off' # the system does not crash here, but PostgreSQL does, so commits stay synchronous
INITDB_EXTRA=--no-sync
. "${0%/*}/private.sh"

sql() { PGPASSWORD=$(cat "$VAR/secret/db") psql -h "$SOCK" -U postgres -d postgres -XAtqc "$1" 2>/dev/null; }
redis() { REDISCLI_AUTH=$(cat "$VAR/secret/db") timeout 5 redis-cli -s "$SOCK/redis" "$@" 2>/dev/null; }
made_with() { "$PG_BIN/postgres" --version; private_pg_settings; cksum "$VAR/secret/db" 2>/dev/null; }

pg_make() {
	private_pg_stop immediate
	rm -rf "$VAR/pg"
	private_pg_init && made_with >"$VAR/pg.made"
}
pg_up() {
	[ "$(cat "$VAR/pg.made" 2>/dev/null)" = "$(made_with)" ] && [ -s "$VAR/pg/PG_VERSION" ] || pg_make || return 1
	[ "$(PGCONNECT_TIMEOUT=5 sql 'select 1')" = 1 ] && return 0
	private_pg_stop immediate
	private_pg_start && return 0
	pg_make && private_pg_start # it is broken for some reason: create a new one
}
redis_up() {
	[ "$(redis ping)" = PONG ] && return 0
	private_redis_stop
	private_redis_start
	for _ in $(seq 100); do [ "$(redis ping)" = PONG ] && return 0; sleep 0.05; done
	return 1
}
clear_away() { # what a killed test file leaves behind: its processes, its own servers, databases, directories
	local f
	end_group
	for f in "$VAR"/*/postmaster.pid; do
		[ -e "$f" ] && [ "$f" != "$VAR/pg/postmaster.pid" ] && as_user "$PG_BIN/pg_ctl" -D "${f%/*}" -m immediate -w stop >/dev/null 2>&1
	done
	pg_up && redis_up || return 1
	redis flushall >/dev/null # tenants of another test file have the same numbers
	for f in $(sql "select datname from pg_database where datname like 'test\_%'"); do sql "drop database $f with (force)"; done
	rm -rf "$VAR"/test_* "$VAR"/replica_*
}
case ${1:-} in
up) clear_away || { echo "the private servers below $VAR do not start (its log folder)" >&2; exit 1; } ;;
down) end_group; private_redis_stop; private_pg_stop ;;
esac
