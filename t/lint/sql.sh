#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SQL stands in contract files (schema/query, src/feature/*/contract), where the tests prepare every statement. C code holds none, except for the
# files of sql.txt, each with its reason.
cd "${0%/*}/../.." || exit 1
verb='(select|insert into|update [a-z_%]+ set|delete from|with [a-z_]+ as|create|alter|drop|grant|revoke|truncate|copy|lock table|declare [a-z]+|fetch [a-z]+|set [a-z_.]+ =|set local) |(begin|commit|rollback)("[^,]|;)'
found=$(git ls-files -co --exclude-standard 'src/*.c' 'src/*.h' 'include/*.h' | grep -vxFf <(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' t/lint/sql.txt) |
	xargs grep -nE "\"($verb)" | grep -vE 'log_(error|warn|info|debug|line)\(|\bdie\(|strcmp\(' | cut -c1-140)
[ -z "$found" ] || { printf '%s\n' "$found" "SQL in C: put the statement into a contract file" >&2; exit 1; }
# A statement may ask for a permission of the session: session.may.<permission>. A misspelt one would always be refused.
for p in $(git ls-files -co --exclude-standard '*.sql' | xargs grep -ohE 'session\.may\.[a-z_:]+' | sort -u); do
	grep -qE "^PERMISSION\([A-Z_]+, $(echo "${p#session.may.}" | sed 's/:/, /')," include/core/permissions.def || { echo "no such permission: $p" >&2; exit 1; }
done
# A constant limit ends a list without a word. cuts.txt has the statements that may have one, and how the rest is read or said.
cuts=$(git ls-files -co --exclude-standard 'schema/query/*.sql' 'src/feature/*/contract/*.sql' | xargs grep -lE '\blimit ([2-9]|[0-9]{2,})' | sort)
named=$(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' t/lint/cuts.txt | sort)
[ "$cuts" = "$named" ] || { diff <(echo "$named") <(echo "$cuts") | grep '^[<>]'; echo "a constant limit: give the list a cursor, or tell in t/lint/cuts.txt how the rest is read (> is new, < is gone)"; exit 1; } >&2
