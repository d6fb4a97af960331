// SPDX-License-Identifier: Apache-2.0
// The test runner: two files at a time, each with its own servers; a file marked as alone runs alone; failures are repeated at the end with the total;
// nothing that a file started outlives it, nor a run that was killed.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawn, execFileSync } = require('node:child_process');
const { waitUntil, VAR, SOCK } = require('../lib/server.js');

const TOP = path.join(__dirname, '../..'),
	dir = path.join(VAR, 'runner'),
	lanes = [1, 2].map((n) => ({ VAR: path.join(dir, String(n)), SOCK: path.join(SOCK, 'r' + n) }));

/* A test file; its notes are read as JSON lines. */
const notes = path.join(dir, 'notes');
const file = (name, body, first = '') => {
	const f = path.join(dir, name + '.test.js');
	fs.writeFileSync(
		f,
		`${first}
const test = require('node:test'), assert = require('node:assert'), fs = require('node:fs'), { spawn, execFileSync } = require('node:child_process');
const note = (what) => fs.appendFileSync(${JSON.stringify(notes)}, JSON.stringify({ file: '${name}', at: Date.now(), var: process.env.VAR, ...what }) + '\\n');
test('${name}', async () => { note({ what: 'begin' }); try { ${body} } finally { note({ what: 'end' }); } });
`,
	);
	return f;
};
const noted = () =>
	fs
		.readFileSync(notes, 'utf8')
		.trim()
		.split('\n')
		.filter(Boolean)
		.map((l) => JSON.parse(l));
const run = (...files) => {
	fs.writeFileSync(notes, '');
	const p = spawn(process.execPath, [path.join(TOP, 't/lib/run.js'), ...files], {
		cwd: TOP,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {
			...process.env,
			LANES: lanes.map((l) => `${l.VAR}|${l.SOCK}`).join(' '),
			TIMES_DIR: dir,
			RESULT: path.join(dir, 'result'),
			PG_BUFFERS: '16MB',
		},
	});
	p.text = '';
	for (const out of [p.stdout, p.stderr]) out.on('data', (d) => (p.text += d));
	p.ended = new Promise((ok) => p.on('close', (code) => ok(code)));
	return p;
};
const alive = (pid) => {
	try {
		return !/^\d+ \(.*\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return false;
	}
};

test.before(() => {
	for (const l of lanes)
		for (const d of [path.join(l.VAR, 'log'), path.join(l.VAR, 'secret'), l.SOCK])
			fs.mkdirSync(d, { recursive: true });
	const user = process.env.RUNAS;
	if (user) execFileSync('chown', ['-R', user + ':', ...lanes.flatMap((l) => [l.VAR, l.SOCK])]);
});
test.after(() => {
	for (const l of lanes)
		execFileSync(path.join(TOP, 't/lib/lane.sh'), ['down'], { env: { ...process.env, ...l } });
	fs.rmSync(dir, { recursive: true, force: true });
});

test('two at a time, each with its own servers; alone is alone; the sum, and what failed, come last', async () => {
	const meet = (other) =>
		`const end = Date.now() + 20000; while (!fs.readFileSync(${JSON.stringify(notes)}, 'utf8').includes('"${other}"')) { assert.ok(Date.now() < end, 'the other never came'); await new Promise(setImmediate); }`;
	const psql = `note({ port: execFileSync('psql', ['-h', process.env.SOCK, '-U', 'postgres', '-XAtqc', 'show unix_socket_directories'], { env: { ...process.env, PGPASSWORD: fs.readFileSync(process.env.VAR + '/secret/db', 'utf8').trim() }, encoding: 'utf8' }).trim() });`;
	const p = run(
		file('one', meet('two') + psql),
		file('two', meet('one') + psql),
		file('bad', `assert.strictEqual(1, 2, 'one is not two');`),
		file('single', 'await new Promise(setImmediate);', '// alone: it says so'),
		file('crash', 'process.exit(7);'),
		file('empty', '', 'process.exit(0);'),
	);
	assert.strictEqual(await p.ended, 1, p.text);
	const all = noted(),
		span = (name) => all.filter((n) => n.file === name && n.what).map((n) => n.at);
	assert.deepStrictEqual(
		all
			.filter((n) => n.port)
			.map((n) => n.port)
			.sort(),
		lanes.map((l) => l.SOCK),
		p.text,
	);
	const [begin, end] = span('single');
	for (const n of all.filter((x) => x.file !== 'single' && x.what))
		assert.ok(n.at < begin || n.at > end, n.file + ' ran beside it');
	const again = p.text.slice(p.text.indexOf('what failed:'));
	assert.match(again, /bad\.test\.js\n +✖ bad .*\n +AssertionError.*: one is not two/);
	assert.match(again, /crash\.test\.js/);
	assert.match(again, /empty\.test\.js: ran no test/);
	assert.strictEqual(
		fs.readFileSync(path.join(dir, 'result'), 'utf8'),
		'3 passed, 3 failed, 0 skipped\n',
	);
});
test('what a file started ends with it, and with a run that is killed', async () => {
	const leave = `const c = spawn('sleep', ['300'], { stdio: 'ignore' }); c.unref(); note({ pid: c.pid });`,
		pid = () => noted().find((n) => n.pid)?.pid;
	const p = run(file('leaves', leave));
	assert.strictEqual(await p.ended, 0, p.text);
	assert.ok(!alive(pid()), 'it is still there');
	const killed = run(file('hangs', leave + `await new Promise((ok) => setInterval(() => {}, 1000));`)),
		left = await waitUntil(pid, 20000);
	killed.kill('SIGKILL');
	await killed.ended;
	assert.ok(alive(left));
	const next = run(file('after', ''));
	assert.strictEqual(await next.ended, 0, next.text);
	assert.ok(!alive(left), 'the next run ends it');
	const told = run(file('hangs', leave + `await new Promise((ok) => setInterval(() => {}, 1000));`)),
		its = await waitUntil(pid, 20000);
	told.kill('SIGTERM');
	assert.strictEqual(await told.ended, 1);
	await waitUntil(() => !alive(its));
});
