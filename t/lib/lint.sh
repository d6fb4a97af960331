# SPDX-License-Identifier: Apache-2.0
# Cheap checks first: layers, licences, forbidden calls, unused statements, format; then cppcheck.
cmd_lint() {
	local rc=0
	say "== lint"
	bash t/lint/layers.sh || rc=1
	bash t/lint/magic.sh || rc=1
	bash t/lint/flows.sh || rc=1
	bash t/lint/generator.sh || rc=1
	bash t/lint/zh.sh || rc=1
	bash t/lint/sleeps.sh || rc=1
	bash t/lint/sql.sh || rc=1
	bash t/lint/rates.sh || rc=1
	bash t/lint/unit.sh || rc=1
	# a process is ended by its number, from a file; never by what its command line looks like
	if grep -nE 'p[k]ill|kill[a]ll' dev t/lib/*.sh t/lint/*.sh .ci/run t/*/*.test.js >&2; then rc=1; fi
	# what clients of the API rely on ends only with an announcement
	node t/lib/compat.js || rc=1
	node t/lint/engines.js t/api/package-lock.json t/bench/peer/package-lock.json || rc=1
	# every file names its licence
	local bare
	bare=$(git ls-files '*.c' '*.h' '*.sh' '*.js' '*.awk' '*.css' 'schema/migrate/*.sql' 'schema/code/*.sql' | xargs grep -L 'SPDX-License-Identifier' 2>/dev/null || true)
	[ -z "$bare" ] || { say "no SPDX line: $bare"; rc=1; }
	# every public prototype says what it promises
	local silent
	silent=$(git ls-files 'include/*.h' 'src/feature/*.h' 'src/app/*.h' | xargs awk -f t/lint/contracts.awk)
	[ -z "$silent" ] || { say "prototypes without a comment of their own:"; say "$silent"; rc=1; }
	# time is read in one place, and nothing blocks or forks on the loop
	local bad
	bad=$(grep -nE '\b(gettimeofday|time\(NULL\)|clock_gettime|localtime|sleep|usleep|system|popen|PQexec|PQconnectdb|getaddrinfo|gethostbyname|strcat|sprintf)\(' -r src include --include='*.[ch]' | grep -vE '^src/(cli|helper)/|^src/feature/[a-z]*/cmd|^src/base/clock.c|^src/db/migrate.c|evutil_gettimeofday|evdns_getaddrinfo|event_base_gettimeofday' || true)
	[ -z "$bad" ] || { say "forbidden calls:"; say "$bad"; rc=1; }
	# json-c's own writer silently leaves out what it gets no memory for (include/base/json.h)
	bad=$(grep -nE 'json_object_to_(json_string|file|fd)' -r src include --include='*.[ch]' || true)
	[ -z "$bad" ] || { say "json_write writes JSON:"; say "$bad"; rc=1; }
	# an address stays in logs and histories: no secret in its query
	bad=$(grep -nE '[?&](token|secret|password|key|session)=' -r src schema/code --include='*.[ch]' --include='*.js' --include='*.sql' | grep -v 'otpauth:' || true)
	[ -z "$bad" ] || { say "a secret in an address:"; say "$bad"; rc=1; }
	# a statement that is used by no route, job or flow
	for f in schema/query/*/*.sql src/feature/*/contract/*.sql; do
		local id=sql_$(sed -n '1s/^-- \([a-z_]*\)\/\([a-z_]*\):.*/\1_\2/p' "$f")
		grep -qr "\b$id\b" src || { say "unused statement: $f"; rc=1; }
	done
	if ! git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror >/tmp/sladesk-format.$$ 2>&1; then
		grep -E 'error' /tmp/sladesk-format.$$ | cut -d: -f1 | sort | uniq -c | head -5 >&2
		say "clang-format differs (run: git ls-files '*.c' '*.h' | xargs clang-format -i)"; rc=1
	fi
	rm -f /tmp/sladesk-format.$$
	cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr --suppress=missingIncludeSystem --suppress=nullPointerOutOfMemory --suppress=invalidPrintfArgType_sint \
		--suppress=normalCheckLevelMaxBranches --suppress=unknownMacro --suppress=internalAstError -j2 -Iinclude src >/tmp/sladesk-cpp.$$ 2>&1 || { head -10 /tmp/sladesk-cpp.$$ >&2; rc=1; }
	rm -f /tmp/sladesk-cpp.$$
	git ls-files 'src/*.c' | xargs awk 'FNR==1{if(n>600)print n, f; n=0; f=FILENAME} {n++} END{if(n>600)print n,f}' | sort -rn | sed 's/^/long file: /' >&2
	[ $rc = 0 ] && say "lint passed"
	return $rc
}
