// SPDX-License-Identifier: Apache-2.0
// Memory runs out at the Nth allocation, for every N: each module exits cleanly or gives its result, never a wrong one (reliability.md F9).
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawnSync, execFileSync } = require('node:child_process');
const { VAR } = require('../lib/server.js');

const top = path.join(__dirname, '../..'),
	/* a sanitizer has its own malloc, so this test uses the build without one */
	build = /build-(asan|cov)/.test(process.env.BUILD_DIR)
		? path.join(top, 'build-clang')
		: process.env.BUILD_DIR,
	skip = fs.existsSync(path.join(build, 'sladesk')) ? false : build + ' is not built',
	packages =
		'libevent libevent_openssl libpq json-c libcurl openssl cjose zlib libargon2 hiredis icu-uc libcares';
const failmalloc = path.join(VAR, 'failmalloc.so'),
	driver = path.join(VAR, 'memory'),
	csv = path.join(VAR, 'memory.csv');

test.before(() => {
	if (skip) return;
	execFileSync('cc', [
		'-shared',
		'-fPIC',
		'-O1',
		'-o',
		failmalloc,
		path.join(top, 't/lib/failmalloc.c'),
	]);
	const pkgConfig = (what) =>
		execFileSync('pkg-config', [what, ...packages.split(' ')], { encoding: 'utf8' })
			.trim()
			.split(/\s+/);
	execFileSync('cc', [
		'-O1',
		...pkgConfig('--cflags'),
		...['include', 'src'].map((d) => '-I' + path.join(top, d)),
		'-I' + build,
		'-o',
		driver,
		path.join(top, 't/lib/memory.c'),
		path.join(top, 'src/cli/csv.c'),
		path.join(top, 'src/cli/text_file.c'),
		...['sladesk', 'pure', 'base'].map((l) => path.join(build, `lib${l}.a`)),
		...pkgConfig('--libs'),
		'-lwslay',
		'-lm',
	]);
	fs.writeFileSync(csv, 'number,state\n1,"a ""quoted"" one"\n' + '2,' + 'x'.repeat(9000) + '\n3,新\n');
});

const MOST = 700; /* number of trials for a module; if there are more allocations than these, they are spread evenly */
/* A library that does not check its allocations may crash (SIGSEGV): json-c's copies of keys do,
 * and parts of jansson. At most 1/5 of the trials may end that way. Any other end is our fault. */
function every(name, program, args, input) {
	const run = (n) =>
			spawnSync(program, args, {
				input,
				encoding: 'utf8',
				env: { ...process.env, LD_PRELOAD: failmalloc, FAIL_AT: String(n), CSV: csv },
			}),
		whole = run(0),
		good = whole.stdout,
		total = Number(whole.stderr);
	assert.ok(whole.status === 0 && good.length > 0, `${name}: ${whole.status} ${whole.stderr}`);
	let same = 0,
		loud = 0,
		theirs = 0;
	const wrong = [];
	for (let n = 1; n <= total; n += Math.ceil(total / MOST)) {
		const r = run(n);
		if (r.status === 0 && r.stdout === good) same++;
		else if (r.signal === 'SIGABRT' || r.status > 0) loud++;
		else if (r.signal === 'SIGSEGV' && /crash in .*\.so/.test(r.stderr)) theirs++;
		else
			wrong.push(
				`${n}: status ${r.status} ${r.signal} ${(r.stdout + r.stderr).slice(0, 200)}`,
			);
	}
	console.log(
		`# ${name}: ${total} allocations; ${same} did not matter, ${loud} ended in a clear error, ${theirs} inside a library`,
	);
	assert.deepStrictEqual(wrong.slice(0, 5), []);
	assert.ok(theirs <= total / 5, `${name}: ${theirs} of ${total} ended in a library's crash`);
	return total;
}

for (const name of ['json', 'http', 'ticket', 'jwt', 'ws', 'csv'])
	test(`memory runs out at the Nth allocation: ${name}`, { skip }, () => {
		const total = every(name, driver, [name]);
		/* the state machine allocates nothing except standard output's own buffer */
		if (name !== 'ticket') assert.ok(total > 1);
	});
test('memory runs out at the Nth allocation: sla calc', { skip }, () => {
	const total = every(
		'sla calc',
		path.join(build, 'sladesk'),
		['sla', 'calc'],
		'{"op":"add_working_time","calendar":{"tz":"Asia/Shanghai","hours":{"mon":[["09:00","18:00"]],"fri":[["09:00","18:00"]]},"holidays":["2026-01-05"]},"start":"2026-01-02T16:00:00+08:00","seconds":36000}\n',
	);
	assert.ok(total > 50);
});
