# SPDX-License-Identifier: Apache-2.0
# ./dev test [fast|long|coverage] or one FILE [NAME PATTERN]: install, lint, build (gcc, clang, sanitized), unit, db and api tests, fuzz seeds. Prints the output of the runners.
cmd_test() {
	local mode=${1:-all} rc=0 why= RUNNER= flags="-O2 -g" opts="--enable-werror" dir=build-test
	[ "$mode" != one ] || { [ -f "${2:-}" ] || fail "test one FILE [NAME PATTERN]"; ONLY=$2 PATTERN=${3:-} mode=fast; }
	local f
	for f in ${ONLY:-}; do [ -f "$f" ] || fail "no such test file: $f"; done
	free_disk
	! command -v node >/dev/null || need_node # do not install the package over another version
	install_packages etc/packages.debian-test $([ "$mode" = fast ] || echo etc/packages.debian-up) # t/dev runs ./dev up
	need_node
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
	[ -f "$dir/config.status" ] || say "the tests have their own build in $dir, with warnings as errors"
	build "$dir" $opts CFLAGS="$flags"
	if [ -z "${ONLY:-}" ]; then
		say "== unit tests"
		make -C "$dir" check VERBOSE=1 >"$dir/check.out" 2>&1 || { rc=1; why="$why unit"; }
		grep -hE '^ +(suites|tests|asserts) ' "$dir"/t/unit/*.log | awk '{print "CUnit " $0}'
		grep -E '^(PASS|FAIL|ERROR|# (TOTAL|PASS|FAIL))' "$dir/check.out"
	fi
	if [ "$mode" != fast ]; then
		. t/lib/fuzz.sh
		fuzz_all "$([ "$mode" = long ] && echo 60 || echo 5)" || { rc=1; why="$why fuzz"; }
	fi
	say "== db, api and page tests"
	test_place "$dir"
	[ "$mode" != coverage ] || [ -z "$RUNAS" ] || chown -R "$RUNAS:" "$dir" # the daemon writes its coverage counts there
	local files
	if [ "$mode" = fast ]; then files="t/db/*.test.js t/api/0[12]*.test.js"; else files="t/dev/*.test.js t/db/*.test.js t/api/*.test.js t/ui/*.test.js"; fi
	[ "$mode" = long ] && export SLADESK_LONG=1
	export RESULT=$TIMES_DIR/result
	: >"$RESULT"
	echo ' the test runner' >"$RESULT.failed"
	node t/lib/run.js ${PATTERN:+--pattern "$PATTERN"} ${ONLY:-$files} &
	RUNNER=$!
	echo "$RUNNER" >"$TIMES_DIR/runner.pid"
	wait "$RUNNER" || { rc=1; why="$why$(cat "$RESULT.failed")"; }
	RUNNER=
	if [ "$mode" = coverage ]; then
		(cd "$dir" && find . -name '*.gcda' -exec gcov -n {} + 2>/dev/null) | awk '/^File .*\/src\// {f=1; next} /^File/ {f=0} f && /^Lines executed/ {split($0, a, /[:% ]+/); n=$NF; p=a[3]; sub(/.*of /, "", $0); t+=$0; c+=$0*p/100; f=0} END {printf "coverage of src/: %.1f %% of %d lines\n", 100*c/t, t}'
	fi
	[ $rc = 0 ] && say "all passed" || say "FAILED:$why"
	say "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
	[ "$mode" != all ] || [ "$SECONDS" -lt 2100 ] || say "note: more than 35 minutes: what is slow belongs into ./dev test long"
	cat "$RESULT"
	return $rc
}

# Where the tests run: the installed program, and next to it a directory for each lane with its kept cluster (lane.sh).
test_place() { # $1 = build directory
	local base inst n
	place "$TOP/var/test-$1"
	base=$VAR inst=$INST
	. t/lib/private.sh
	runs_by_file "$base/run.pid" "dev test" && fail "another ./dev test of this kind runs here (process $(cat "$base/run.pid"))"
	echo $$ >"$base/run.pid"
	end_by_file "$base/runner.pid" t/lib/run.js # left over from a run that was killed
	install_into "$1"
	[ -e t/api/node_modules/.package-lock.json ] && [ t/api/node_modules/.package-lock.json -nt t/api/package-lock.json ] || (cd t/api && npm ci --no-audit --no-fund --silent) || fail "npm ci failed"
	LANES=
	for n in 1 2; do
		place "$base/$n"
		LANES="$LANES${LANES:+ }$VAR|$SOCK"
	done
	export LANES INST=$inst TIMES_DIR=$base NODE_PATH=$TOP/t/api/node_modules PG_BIN BUILD_DIR=$TOP/$1 # measurements depend on how it was built
	trap 'test_end' EXIT
	trap 'exit 130' INT TERM HUP
}
test_end() {
	local l
	trap '' INT TERM HUP PIPE
	[ -z "${RUNNER:-}" ] || { kill "$RUNNER" 2>/dev/null; wait "$RUNNER" 2>/dev/null; }
	for l in $LANES; do VAR=${l%|*} SOCK=${l#*|} t/lib/lane.sh down; done
	rm -f "$TIMES_DIR/run.pid"
}
