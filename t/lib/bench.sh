# SPDX-License-Identifier: Apache-2.0
# ./dev bench [--quick | versus PREFIX (an older build, installed there)]: ratios taken in one run, interleaved; absolute figures of a shared machine mean little. Not tests.
cmd_bench() {
	free_disk
	! command -v node >/dev/null || need_node # do not install the package over another version
	install_packages etc/packages.debian-test etc/packages.debian-bench
	need_node
	build build --enable-werror CFLAGS="-O2 -g"
	place "$TOP/var/bench"
	. t/lib/private.sh
	end_group # left over from a run that was killed
	PG_BUFFERS=512MB PG_EXTRA='synchronous_commit = off
autovacuum_naptime = 10s
max_wal_size = 4GB'
	install_into build
	private_pg_stop immediate; private_redis_stop
	rm -rf "$VAR/pg"
	private_pg_init && private_pg_start && private_redis_start || fail "the private servers do not start"
	trap 'trap "" INT TERM HUP PIPE; end_group; private_redis_stop; private_pg_stop immediate' EXIT
	trap 'exit 130' INT TERM HUP
	[ -e t/api/node_modules/.package-lock.json ] && [ t/api/node_modules/.package-lock.json -nt t/api/package-lock.json ] || (cd t/api && npm ci --no-audit --no-fund --silent) || fail "npm ci failed"
	[ -e t/bench/peer/node_modules/.package-lock.json ] && [ t/bench/peer/node_modules/.package-lock.json -nt t/bench/peer/package-lock.json ] || (cd t/bench/peer && npm ci --no-audit --no-fund --silent) || fail "npm ci failed"
	mkdir -p build-bench
	for b in heap evhello wsclients; do
		cc -std=gnu17 -D_GNU_SOURCE -O2 -Iinclude "t/bench/$b.c" $(ls src/base/*.c | grep -v /build.c) src/ticket/names.c -levent -ljson-c $(pkg-config --libs icu-uc) -o "build-bench/$b" || fail "t/bench/$b.c"
	done
	export NODE_PATH=$TOP/t/api/node_modules PG_BIN BENCH_BIN=$TOP/build-bench
	if [ "${1:-}" = versus ]; then setsid node t/bench/versus.js "$2" & else setsid node t/bench/bench.js "$@" & fi
	echo $! >"$VAR/group.pid"
	wait $!
}
