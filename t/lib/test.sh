# SPDX-License-Identifier: Apache-2.0
# ./dev test [fast|long|coverage]: install, lint, build (gcc, clang, sanitized), unit, db and api tests, fuzz seeds. Prints the runners' own lines.
cmd_test() {
	local mode=${1:-all} rc=0 why= flags="-O2 -g" opts="--enable-werror" dir=build-test
	free_disk
	install_packages etc/packages.debian-test
	[ -d ../shared/corpora ] && export SLADESK_CORPORA=${SLADESK_CORPORA:-$(cd ../shared/corpora && pwd)}
	[ -d ../shared/data ] && export SLADESK_DATA=${SLADESK_DATA:-$(cd ../shared/data && pwd)}
	[ -n "${SLADESK_CORPORA:-}" ] || say "note: the corpora are not here; the tests that use them skip, saying so"
	case $mode in
	fast) flags="-O1 -g" ;;
	coverage) opts="$opts --enable-coverage"; dir=build-cov; flags="-O0 -g" ;;
	all | long) opts="$opts --enable-sanitizers"; dir=build-asan; flags="" ;;
	*) fail "unknown: test $mode" ;;
	esac
	export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:detect_leaks=1:exitcode=99} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} LSAN_OPTIONS=suppressions=$TOP/t/lib/lsan.supp:print_suppressions=0
	if [ "$mode" != fast ]; then
		. t/lib/lint.sh
		cmd_lint || { rc=1; why="$why lint"; }
		say "== build with clang"
		CC=clang build build-clang CC=clang --enable-werror CFLAGS="-O1 -g"
	fi
	say "== build ($mode)"
	build "$dir" $opts CFLAGS="$flags"
	say "== unit tests"
	make -C "$dir" check VERBOSE=1 >"$dir/check.out" 2>&1 || { rc=1; why="$why unit"; }
	grep -hE '^ +(suites|tests|asserts) ' "$dir"/t/unit/*.log | awk '{print "CUnit " $0}'
	grep -E '^(PASS|FAIL|ERROR|# (TOTAL|PASS|FAIL))' "$dir/check.out"
	if [ "$mode" != fast ]; then
		. t/lib/fuzz.sh
		fuzz_all "$([ "$mode" = long ] && echo 60 || echo 5)" || { rc=1; why="$why fuzz"; }
	fi
	say "== servers"
	pkill -f "(^|[ :=])$TOP/var/test-$dir/" 2>/dev/null
	place "$TOP/var/test-$dir"
	. t/lib/private.sh
	PG_EXTRA='fsync = off
full_page_writes = off' # the system does not crash here; PostgreSQL does, so commits stay synchronous
	install_into "$dir"
	[ "$mode" != coverage ] || [ -z "$RUNAS" ] || chown -R "$RUNAS:" "$dir" # the daemon writes its counts there
	private_pg_stop immediate; private_redis_stop
	rm -rf "$VAR/pg"
	private_pg_init && private_pg_start && private_redis_start || fail "the private servers do not start"
	trap 'private_redis_stop; private_pg_stop immediate' EXIT
	[ -e t/api/node_modules/.package-lock.json ] && [ t/api/node_modules/.package-lock.json -nt t/api/package-lock.json ] || (cd t/api && npm ci --no-audit --no-fund --silent) || fail "npm ci failed"
	export NODE_PATH=$TOP/t/api/node_modules PG_BIN BUILD_DIR=$TOP/$dir # what is measured depends on how it was built
	say "== db, api and page tests"
	local files
	if [ "$mode" = fast ]; then files="t/db/*.test.js t/api/0[12]*.test.js"; else files="t/db/*.test.js t/api/*.test.js t/ui/*.test.js"; fi
	[ "$mode" = long ] && export SLADESK_LONG=1
	: >"$VAR/log/node"
	for f in ${ONLY:-$files}; do # one at a time: they stop and freeze the servers they share
		REDISCLI_AUTH=$(cat "$VAR/secret/db") redis-cli -s "$SOCK/redis" flushall >/dev/null # tenants of another file have the same numbers
		timeout 900 node --test --test-reporter=spec --test-reporter-destination=stdout "$f" 2>&1 | tee -a "$VAR/log/node"
		[ "${PIPESTATUS[0]}" = 0 ] || { rc=1; why="$why $f"; say "FAILED: $f"; }
	done
	awk '/^ℹ (pass|fail|skipped) [0-9]+$/ {n[$2] += $3} END {printf "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skipped"]}' "$VAR/log/node"
	# the last lines of a long run are those that are read: say there again what failed and why
	awk '/^✖ failing tests:/ {on = 1; next} /^== / {on = 0} on && (/^✖/ || /^  [A-Z]/ || /^ +(actual|expected|at .*test\.js)/)' "$VAR/log/node" | cut -c1-400 | head -60
	if [ "$mode" = coverage ]; then
		(cd "$dir" && find . -name '*.gcda' -exec gcov -n {} + 2>/dev/null) | awk '/^File .*\/src\// {f=1; next} /^File/ {f=0} f && /^Lines executed/ {split($0, a, /[:% ]+/); n=$NF; p=a[3]; sub(/.*of /, "", $0); t+=$0; c+=$0*p/100; f=0} END {printf "coverage of src/: %.1f %% of %d lines\n", 100*c/t, t}'
	fi
	[ $rc = 0 ] && say "all passed" || say "FAILED:$why"
	return $rc
}
