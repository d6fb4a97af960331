#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The systemd unit stays hardened: systemd's own measure of its exposure is at most 1.5 (of 10), and the unit has no unknown settings.
cd "${0%/*}/../.." || exit 1
command -v systemd-analyze >/dev/null || { echo "t/lint/unit.sh: skipped, no systemd-analyze" >&2; exit 0; }
dir=$(mktemp -d) && cp etc/systemd/sladeskd.* "$dir" || exit 1
rc=0
out=$(systemd-analyze security --offline=true --threshold=15 "$dir/sladeskd.service" 2>&1) || { printf '%s\n' "$out" | grep -E '✗|Overall|rror'; rc=1; }
systemd-analyze verify "$dir/sladeskd.service" 2>&1 | grep -E 'Unknown|Failed to parse|ignoring' && rc=1
rm -r "$dir"
exit $rc
