#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which folder may include which (doc/ARCHITECTURE.md); anything else is refused.
declare -A may=(
	[base]="base" [crypto]="base crypto" [loop]="base loop" [sla]="base sla" [ticket]="base ticket"
	[db]="base loop crypto db" [kv]="base loop kv" [http]="base loop http" [fetch]="base loop fetch" [work]="base loop work"
	[config]="base loop crypto db config"
	[core]="base loop crypto db kv http fetch work config core"
	[desk]="base loop crypto db kv http fetch work config core sla ticket desk"
	[feature]="base loop crypto db kv http fetch work config core sla ticket desk feature"
	[app]="base loop crypto db kv http fetch work config core sla ticket desk feature app"
	[cli]="base loop crypto db kv http fetch work config core sla ticket desk cli" [worker]="base crypto work"
)
rc=0
for f in $(git ls-files 'src/*.c' 'src/*.h' 'include/*.h' 'include/*.def'); do
	folder=$(echo "$f" | cut -d/ -f2)
	for inc in $(sed -n 's/^#include "\([a-z]*\)\/.*/\1/p' "$f"); do
		case " ${may[$folder]} " in *" $inc "*) ;; *) echo "layer: $f includes $inc/" >&2; rc=1 ;; esac
	done
done
exit $rc
