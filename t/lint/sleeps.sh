#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests wait for conditions or move the daemon's clock; they do not sleep: no timer that only ends a promise. The exceptions are in elapse.txt,
# counted. A timer that paces what is sent or read, or that is a time limit, is no sleep.
cd "${0%/*}/../.." || exit 1
rc=0
for f in t/{dev,db,api,ui}/*.test.js; do
	if perl -0777 -ne 'while (/(setTimeout\(\s*\w+\s*,|timers\/promises)/g) { my $n = 1 + (substr($_, 0, $-[0]) =~ tr/\n//); print "$ARGV:$n: $1\n" }' "$f" | grep .; then
		echo "  a sleep: waitUntil, settled or Server.jump of t/lib/server.js instead"; rc=1
	fi
	has=$(grep -cE '\belapse\(|Atomics\.wait\(' "$f")
	may=$(awk -v f="$f" '$1 == f {print $2}' t/lint/elapse.txt)
	[ "$has" = "${may:-0}" ] || { echo "$f: $has times real time goes by, t/lint/elapse.txt says ${may:-0}"; rc=1; }
done
exit $rc
