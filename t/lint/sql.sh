#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SQL stands in contract files (schema/query, src/feature/*/contract), where the tests prepare every statement. C code holds none, except for the
# files of sql.txt, each with its reason.
cd "${0%/*}/../.." || exit 1
verb='(select|insert into|update [a-z_%]+ set|delete from|with [a-z_]+ as|create|alter|drop|grant|revoke|truncate|copy|lock table|declare [a-z]+|fetch [a-z]+|set [a-z_.]+ =|set local) |(begin|commit|rollback)("[^,]|;)'
found=$(git ls-files -co --exclude-standard 'src/*.c' 'src/*.h' 'include/*.h' | grep -vxFf <(sed -n 's/^\([a-z][^ ]*\) .*/\1/p' t/lint/sql.txt) |
	xargs grep -nE "\"($verb)" | grep -vE 'log_(error|warn|info|debug|line)\(|\bdie\(|strcmp\(' | cut -c1-140)
[ -z "$found" ] || { printf '%s\n' "$found" "SQL in C: put the statement into a contract file" >&2; exit 1; }
