#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The generator (src/gen/mksql.awk) refuses a statement whose parameter comes from nowhere: a key that the daemon does not know would otherwise
# become another value at run time. Each row is the source of a parameter; the second column says whether it exists.
rc=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/schema/query/probe"
file=$dir/schema/query/probe/key.sql
while read -r source wanted; do
	printf -- '-- probe/key: x.\n-- mode: job   shape: rows   class: point\n-- $1 x  bigint  %s  optional\nselect $1::bigint as x\n' "$source" >"$file"
	said=$(awk -v kind=sql -v what=c -v permissions=include/core/permissions.def -f src/gen/mksql.awk "$file" 2>&1 >/dev/null) && got=taken || got=refused
	[ "$got" = "$wanted" ] || { echo "generator: $source is $got ($said)" >&2; rc=1; }
done <<'END'
session.now taken
session.url taken
session.tenant taken
session.customer taken
session.may.pii:read taken
session.may.export:all taken
session.id refused
session.actor refused
session.tenants refused
session.costumer refused
session.Now refused
session. refused
session.may refused
session.may. refused
session.may.pii refused
session.may.pii:raed refused
session.may.pii:read:x refused
session.pii:read refused
idem.key taken
idem.sha256 taken
idem.actor taken
idem.keys refused
idem.sha1 refused
cursor.0 taken
cursor.1 taken
cursor.2 refused
cursor.a refused
header.If-Match refused
form.x refused
nowhere.x refused
END
exit $rc
