#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Magics (include/base/magic.h) must differ: two types with one value could be taken for each other.
twice=$(git ls-files 'src/*.c' 'src/*.h' 'include/*.h' | xargs sed -n 's/^MAGIC([a-z_0-9]*, \(0x[0-9a-f]*\));.*/\1/p' | sort | uniq -d)
[ -z "$twice" ] || { echo "magic: two types have $twice" >&2; exit 1; }
