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

# What is generated from a folder is made again when a file of it is renamed or removed, and only then: the rules of Makefile.am, in a copy.
sed -n '/^# Contracts /,/^# The sample settings/p' Makefile.am | sed 's/^\(BUILT_SOURCES\|CLEANFILES\) =/unused_\1 =/' >"$dir/Makefile"
mkdir -p "$dir/src/gen" "$dir/include/core" "$dir/schema/query/probe" "$dir/src/feature/probe/contract" "$dir/schema/migrate" "$dir/schema/code"
cp src/gen/* "$dir/src/gen/" && cp include/core/permissions.def "$dir/include/core/"
printf -- '-- probe/key: x.\n-- mode: job   shape: rows   class: point\n-- $1 x  bigint  call.x  optional\nselect $1::bigint as x\n' >"$file"
printf 'probe/act: x.\nzh: x。\nmode: write   reply: object\n' >"$dir/src/feature/probe/contract/act.flow"
printf 'probe/b: x.\nzh: x。\nmode: write   reply: object\n' >"$dir/src/feature/probe/contract/b.flow"
echo 'const struct cli_command probe_commands[] = {' >"$dir/src/feature/probe/cmd.c"
echo 'select 1;' | tee "$dir/schema/migrate/0001_a.sql" "$dir/schema/migrate/0002_b.sql" "$dir/schema/code/010_a.sql" >"$dir/schema/code/020_b.sql"
sed 's,probe/key,probe/third,' "$file" >"$dir/src/feature/probe/contract/third.sql"
cp "$file" "$dir/schema/query/probe/other.sql" && sed -i 's,probe/key,probe/other,' "$dir/schema/query/probe/other.sql"
mkdir "$dir/src/feature/other" && cp "$dir/src/feature/probe/cmd.c" "$dir/src/feature/other/cmd.c"
find "$dir" -type f -exec touch -d '1 hour ago' {} +
generated="sql_gen.h sql_gen.c flow_gen.h flow_gen.c commands_gen.c migrate_gen.c code_gen.c"
remake() {
	make -s -C "$dir" srcdir=. AWK=awk AM_V_GEN= AM_V_at= $generated >"$dir/said" 2>&1 || { echo "generator: the copy cannot be made" >&2; cat "$dir/said" >&2; rc=1; }
}
changed() { # which generated files are newer than the mark
	for f in $generated; do [ "$dir/$f" -nt "$dir/mark" ] && printf '%s ' "$f"; done
}
settle() { # the mark is newer than all that was made
	touch -d '1 minute ago' "$dir"/*_gen.? "$dir"/*.names
	touch -d '30 seconds ago' "$dir/mark"
}
remake
for step in "" "sql_gen.h sql_gen.c:schema/query/probe/other.sql" "flow_gen.h flow_gen.c:src/feature/probe/contract/b.flow" \
	"commands_gen.c:src/feature/other/cmd.c" "migrate_gen.c:schema/migrate/0002_b.sql" "code_gen.c:schema/code/020_b.sql"; do
	settle
	[ -z "$step" ] || rm "$dir/${step#*:}"
	remake
	[ "$(changed)" = "${step%%:*}${step:+ }" ] || { echo "generator: without ${step#*:}, remade: $(changed)" >&2; rc=1; }
done
exit $rc
