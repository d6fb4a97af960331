#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which folder may include which (doc/ARCHITECTURE.md). Anything else is refused, and so are circular includes.
pure="base sla ticket"
drivers="base loop crypto db kv http fetch work"
low="$drivers config sla ticket"
declare -A may=(
	[base]="base" [crypto]="base crypto" [loop]="base loop" [sla]="base sla" [ticket]="$pure"
	[db]="base loop crypto db" [kv]="base loop kv" [http]="base loop http" [fetch]="base loop fetch" [work]="base loop work"
	[config]="base loop crypto db sla config"
	[core]="$drivers config core"
	[timers]="$low core timers" [desk]="$low core desk" [feature]="$low core desk timers cli"
	[app]="$low core desk timers feature app" [cli]="$low core desk timers cli feature" [helper]="base crypto work mime"
)
# Single headers that a folder may include in addition: the product's vocabulary; what the timers need from the desk; the heap as the desk sees it.
declare -A also=([sla]="ticket/names.h" [core]="ticket/names.h" [timers]="desk/command.h desk/versions.h" [desk]="timers/deadlines.h")
rc=0
refuse() { echo "layer: $1" >&2; rc=1; }
for f in $(git ls-files -co --exclude-standard 'src/*.c' 'src/*.h' 'include/*.h' 'include/*.def'); do
	[ -e "$f" ] || continue
	folder=$(echo "$f" | cut -d/ -f2)
	for inc in $(sed -n 's/^#include "\([a-z0-9_/]*\.[a-z]*\)".*/\1/p' "$f"); do
		case $inc in */*) ;; *) continue ;; esac # from its own folder, or generated
		case " ${may[$folder]} ${also[$folder]} " in *" ${inc%%/*} "* | *" $inc "*) ;; *) refuse "$f includes $inc" ;; esac
		case $f:$inc in
		src/feature/*/cmd*.c:*) ;;
		src/feature/*:cli/*) refuse "$f includes $inc: only a capability's cmd.c may" ;;
		esac
	done
done
# A capability must not include headers of another, neither by path nor by a plain name, which is found in its own folder only.
for f in $(git ls-files -co --exclude-standard 'src/feature/*.c' 'src/feature/*.h'); do
	[ -e "$f" ] || continue
	for inc in $(sed -n 's/^#include "\([a-z0-9_./]*\)".*/\1/p' "$f"); do
		case $inc in ../*) refuse "$f includes $inc" ;; esac
	done
done
# Circular includes: sort the files by their includes (tsort names those that have no order).
loops=$(git ls-files -co --exclude-standard 'src/*.c' 'src/*.h' 'include/*.h' | while read -r f; do
	[ -e "$f" ] && sed -n "s#^\#include \"\([a-z0-9_/]*\.h\)\".*#$f \1#p" "$f"
done | awk '{dir = $1; sub(/\/[^\/]*$/, "", dir); to = $2
	if (to ~ /_gen\.h$/) next
	if (to !~ /\//) to = dir "/" to; else if (to ~ /^feature\//) to = "src/" to; else to = "include/" to
	print $1, to}' | tsort 2>&1 >/dev/null)
[ -z "$loops" ] || { refuse "files include each other in a circle:"; echo "$loops" | sed 's/tsort: -: //; s/tsort: //' >&2; }
exit $rc
