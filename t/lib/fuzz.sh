# SPDX-License-Identifier: Apache-2.0
# Run each of our parsers under libFuzzer: seeds, then SECONDS of mutation. fuzz_all SECONDS
fuzz_all() {
	local seconds=$1 rc=0 t pids=() out=$TOP/build-fuzz
	command -v clang >/dev/null || { say "clang is missing"; return 1; }
	mkdir -p "$out/seeds/http" "$out/seeds/json" "$out/seeds/sla" "$out/seeds/zone" "$out/seeds/saml"
	say "== fuzz ($seconds s each)"
	printf 'GET /a?b=c HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' >"$out/seeds/http/0"
	printf '{"a":[1,-2.5e3,-0.0,"\\u00e9\\ud83d\\ude00",null,true]}' >"$out/seeds/json/0"
	printf '{"id":1,"op":"escalation","calendar":{"tz":"Europe/Berlin","hours":{"mon":[["09:00","18:00"]]},"breaks":{"2025-10-13":[["10:00","11:00"]]}},"created":"2025-10-13T09:00:00Z","policy":{"first_response_s":60},"events":[{"at":"2025-10-13T10:00:00Z","type":"pause"}]}' >"$out/seeds/sla/0"
	printf '{"tz":"Asia/Shanghai","hours":{"mon":[["09:00","18:00"]]},"overrides":{"2025-10-11":[["00:00","24:00"]]}}' >"$out/seeds/sla/1"
	printf '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Destination="x"><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"><saml:Issuer>i</saml:Issuer><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#_a"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AA==</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>AA==</ds:SignatureValue></ds:Signature><saml:Subject><saml:NameID>u</saml:NameID></saml:Subject></saml:Assertion></samlp:Response>' >"$out/seeds/saml/0"
	cp /usr/share/zoneinfo/Europe/Berlin "$out/seeds/zone/0"
	if [ -n "${SLADESK_CORPORA:-}" ]; then
		node -e 'const z=require("zlib"),fs=require("fs");for(const [f,d] of [["http1_cases","http"],["json_parsing","json"]]) z.gunzipSync(fs.readFileSync(process.env.SLADESK_CORPORA+"/"+f+".jsonl.gz")).toString().trim().split("\n").forEach((l,i)=>fs.writeFileSync(process.argv[1]+"/"+d+"/c"+i,Buffer.from(JSON.parse(l).raw,"base64")))' "$out/seeds"
	fi
	local base=$(ls src/base/*.c | grep -v /build.c) # what is built, and its commit, are no matter for a parser
	for t in http json sla zone; do
		[ "$out/$t" -nt "t/fuzz/$t.c" ] && [ -z "$(find src/base src/sla src/http include -newer "$out/$t" -name '*.[ch]' | head -1)" ] ||
			clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude "t/fuzz/$t.c" $base src/sla/*.c src/ticket/names.c src/http/parse.c -ljson-c $(pkg-config --libs icu-uc) -o "$out/$t" || return 1
	done
	[ "$out/saml" -nt src/helper/saml.c ] && [ "$out/saml" -nt t/fuzz/saml.c ] ||
		clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -Iinclude $(pkg-config --cflags xmlsec1-openssl) \
			t/fuzz/saml.c src/helper/saml.c $base -ljson-c $(pkg-config --libs xmlsec1-openssl icu-uc) -o "$out/saml" || return 1
	# a short run is repeatable, so that a new finding comes from a new change; the long run looks for new inputs
	local seed=$([ "$seconds" -gt 5 ] || echo -seed=1)
	for t in http json sla zone saml; do
		mkdir -p "$out/corpus/$t"
		"$out/$t" -max_total_time="$seconds" -timeout=10 $seed -rss_limit_mb=2048 -artifact_prefix="$out/crash-$t-" "$out/corpus/$t" "$out/seeds/$t" >"$out/$t.log" 2>&1 || { rc=1; say "fuzz $t FAILED ($out/$t.log)"; grep -E 'ERROR|SUMMARY|bug at' "$out/$t.log" | head -3 >&2; }
		echo "fuzz $t: $(grep -oE 'stat::number_of_executed_units: [0-9]+|Done [0-9]+ runs' "$out/$t.log" | tail -1)"
	done
	return $rc
}
