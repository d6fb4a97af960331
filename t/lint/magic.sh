#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Magics (include/base/magic.h) must differ: two types with one value could be taken for each other.
# And whatever lives behind a void * is cast by the checking macros; the state of a request is read
# by req_state alone.
rc=0
twice=$(git ls-files 'src/*.c' 'src/*.h' 'include/*.h' | xargs sed -n 's/^MAGIC([a-z_0-9]*, \(0x[0-9a-f]*\));.*/\1/p' | sort | uniq -d)
[ -z "$twice" ] || { echo "magic: two types have $twice" >&2; rc=1; }

# struct x *p = arg;  struct x *p = call->arg;  p = (struct x *)arg;  *(struct x *)arg; ws_user(ws)
arg='(\w+(->|\.))*(arg|user|state)'
bad=$(git ls-files 'src/*.c' 'src/*.h' | grep -v '^src/core/req\.c$' | xargs grep -nE \
	-e "\bstruct \w+ \*+\w+( = [^;]*,.*)? = $arg;" \
	-e "\(struct \w+ \*\)\(?(\w+(->|\.))*(arg|user|state)\b" \
	-e "\*\w+ = (\(struct \w+ \*\))?ws_user\(" \
	-e "\breq->state = " -e "= req->state;" || true)
[ -z "$bad" ] || { echo "magic: unchecked casts from void * (magic_cast, req_state):" >&2; echo "$bad" >&2; rc=1; }

# what is cast by its magic must have got one somewhere
for type in $(git ls-files 'src/*.c' 'src/*.h' 'include/*.h' | xargs sed -n 's/^MAGIC(\([a-z_0-9]*\),.*/\1/p'); do
	git grep -qE "\b(magic_new\($type\)|${type}_magic\b)" -- src include || { echo "magic: no $type gets its magic" >&2; rc=1; }
done
exit $rc
