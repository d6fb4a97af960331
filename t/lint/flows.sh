#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A contract that no route uses and none begins with; a parameter that no code reads. What else can be wrong with one, the generator refuses
# (src/gen/mksql.awk) or the daemon does at its start (src/core/route.c).
rc=0
refuse() { echo "contract: $1" >&2; rc=1; }
sources=$(git ls-files -co --exclude-standard 'src/*.c')
flows=$(git ls-files -co --exclude-standard '*.flow' | grep -v '/capability\.flow$')
for f in $flows; do
	[ -e "$f" ] || continue
	name=$(sed -n '1s/: .*//p' "$f")
	id=${name//\//_}
	grep -qE "contract_$id\b" $sources || grep -qE ", ${id#*_}\)," "src/feature/${name%/*}/routes.c" 2>/dev/null || grep -qE "base: $name\b" $flows ||
		refuse "$f: no route uses it, and no contract begins with it"
	readers=$(grep -lE "\b(in_)?$id\b" $sources)
	! grep -qE "base: $name\b" $flows || readers=$sources # what begins with it is read in many places
	while read -r param; do
		[ -n "$readers" ] && grep -qE -- "->(base\.)*$param\b" $readers || refuse "$f: no code reads $param"
	done < <(awk '!/^#/ && $3 ~ /^(path|query|body|form|header)\./ && $1 != "-" && !/ in=[a-z_]+( |$)/ {print $1}' "$f")
done
exit $rc
