#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Chinese takes full-width punctuation: a half-width , ; : ( ) ? or ! beside a Chinese character is
# refused in the documentation, in what users read (portal, messages, mails, API texts, settings)
# and in comments. An applied migration never changes and a test may hold any data: both are left out.
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C # match bytes, whatever the locale
han='[\xe4-\xe9][\x80-\xbf]{2}'
rc=0
while read -r f; do
	# in Markdown, code spans and the targets of links are not prose
	found=$(case $f in *.md) sed 's/`[^`]*`/`/g; s/](\([^)]*\))/]/g' "$f" ;; *) cat "$f" ;; esac |
		sed -E "s/^( *-- )?zh: /zh /" |
		grep -naP "$han[*\`]* ?[,;:()?!]|[,;:()?!] ?[*\`]*$han")
	[ -z "$found" ] || { printf '%s\n' "$found" | sed "s|^|half-width punctuation: $f:|" >&2; rc=1; }
done < <(git ls-files '*.md' 'src/*' 'include/*' 'schema/*' 'etc/*' | grep -vE '^schema/migrate/|\.(png|svg|ico)$')
exit $rc
