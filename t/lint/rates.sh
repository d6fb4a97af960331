#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A rate is computed in one place (include/base/rate.h): anywhere else it could be rounded to 100
# while something was missed.
rc=0
bad=$(git ls-files 'src/*.c' 'src/*.h' 'include/*.h' | grep -v '^src/base/rate\.c$' | xargs grep -nE \
	-e '\b100(\.0*)? ?\* ?\(double\)' -e '\* ?100(\.0*)? ?/ ?\(double\)' -e '%\.[0-9]f ?%%' || true)
sql=$(git ls-files 'schema/code/*.sql' 'schema/query/*.sql' 'src/feature/*.sql' | xargs grep -nE \
	-e '\b100(\.0*)? ?\*' -e '\* ?100(\.0*)? ?/' | grep -vE 'round\(s\.score \* 100\)' || true)
js=$(git ls-files 'src/portal/*.js' | xargs grep -nE -e '\b100 ?\*[^;]*/' -e '/[^;]*\* ?100\b' || true)
for found in "$bad" "$sql" "$js"; do
	[ -z "$found" ] || { echo "rates: computed outside src/base/rate.c:" >&2; echo "$found" >&2; rc=1; }
done
exit $rc
