# SPDX-License-Identifier: Apache-2.0
# Each parser of ours under libFuzzer: seeds, then SECONDS of mutation. fuzz_all SECONDS
fuzz_all() {
	local seconds=$1 rc=0 t pids=() out=$TOP/build-fuzz
	command -v clang >/dev/null || { say "clang is missing"; return 1; }
	mkdir -p "$out/seeds/http" "$out/seeds/json" "$out/seeds/sla" "$out/seeds/zone"
	say "== fuzz ($seconds s each)"
	printf 'GET /a?b=c HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' >"$out/seeds/http/0"
	printf '{"a":[1,-2.5e3,-0.0,"\\u00e9\\ud83d\\ude00",null,true]}' >"$out/seeds/json/0"
	printf '{"id":1,"op":"escalation","calendar":{"tz":"Europe/Berlin","hours":{"mon":[["09:00","18:00"]]},"breaks":{"2025-10-13":[["10:00","11:00"]]}},"created":"2025-10-13T09:00:00Z","policy":{"first_response_s":60},"events":[{"at":"2025-10-13T10:00:00Z","type":"pause"}]}' >"$out/seeds/sla/0"
	printf '{"tz":"Asia/Shanghai","hours":{"mon":[["09:00","18:00"]]},"overrides":{"2025-10-11":[["00:00","24:00"]]}}' >"$out/seeds/sla/1"
	cp /usr/share/zoneinfo/Europe/Berlin "$out/seeds/zone/0"
	if [ -n "${SLADESK_CORPORA:-}" ]; then
		node -e 'const z=require("zlib"),fs=require("fs");for(const [f,d] of [["http1_cases","http"],["json_parsing","json"]]) z.gunzipSync(fs.readFileSync(process.env.SLADESK_CORPORA+"/"+f+".jsonl.gz")).toString().trim().split("\n").forEach((l,i)=>fs.writeFileSync(process.argv[1]+"/"+d+"/c"+i,Buffer.from(JSON.parse(l).raw,"base64")))' "$out/seeds"
	fi
	for t in http json sla zone; do
		[ "$out/$t" -nt "t/fuzz/$t.c" ] && [ -z "$(find src/base src/sla src/http include -newer "$out/$t" -name '*.[ch]' | head -1)" ] ||
			clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude "t/fuzz/$t.c" src/base/*.c src/sla/*.c src/http/parse.c -ljson-c -o "$out/$t" || return 1
	done
	# a short run repeats itself: what it finds tomorrow must be today's change; the long one looks for what is new
	local seed=$([ "$seconds" -gt 5 ] || echo -seed=1)
	for t in http json sla zone; do
		mkdir -p "$out/corpus/$t"
		"$out/$t" -max_total_time="$seconds" -timeout=10 $seed -rss_limit_mb=2048 -artifact_prefix="$out/crash-$t-" "$out/corpus/$t" "$out/seeds/$t" >"$out/$t.log" 2>&1 || { rc=1; say "fuzz $t FAILED ($out/$t.log)"; grep -E 'ERROR|SUMMARY|bug at' "$out/$t.log" | head -3 >&2; }
		echo "fuzz $t: $(grep -oE 'stat::number_of_executed_units: [0-9]+|Done [0-9]+ runs' "$out/$t.log" | tail -1)"
	done
	return $rc
}
