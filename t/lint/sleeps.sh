#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests wait for conditions or move the daemon's clock; they do not sleep. The exceptions are elapse.txt, counted.
cd "${0%/*}/../.." || exit 1
rc=0
for f in t/{dev,db,api,ui}/*.test.js; do
	if grep -nE 'setTimeout|timers/promises|[^_]sleep\(' "$f" | sed "s|^|$f:|" | grep .; then
		echo "  a sleep: waitUntil, settled or Server.jump of t/lib/server.js instead"; rc=1
	fi
	has=$(grep -cE '\belapse\(|Atomics\.wait\(' "$f")
	may=$(awk -v f="$f" '$1 == f {print $2}' t/lint/elapse.txt)
	[ "$has" = "${may:-0}" ] || { echo "$f: $has times real time goes by, t/lint/elapse.txt says ${may:-0}"; rc=1; }
done
exit $rc
