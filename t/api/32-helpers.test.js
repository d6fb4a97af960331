// SPDX-License-Identifier: Apache-2.0
// Helper processes: a pool for each kind of work, so that a login waits only behind logins; a program that is missing or crashes is named by
// --check, and requests get 503 at once; a large job is sent as fast as the helper reads it.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync, spawnSync } = require('node:child_process');
const { Server, waitUntil, PASSWORD, INST, asUser } = require('../lib/server.js'),
	{ timed } = require('../lib/machine.js');

const HELPERS = path.join(INST, 'libexec/sladesk');
let s;
test.before(async () => {
	s = await Server.make('helpers');
	/* its own copies of the programs, to be removed and broken */
	s.helpers = path.join(s.dir, 'helpers');
	fs.mkdirSync(s.helpers);
	for (const f of fs.readdirSync(HELPERS))
		fs.copyFileSync(path.join(HELPERS, f), path.join(s.helpers, f));
	execFileSync('chmod', ['-R', 'a+rx', s.helpers]);
	s.settings = { worker: { path: s.helpers } };
	await s.stop();
	await s.start();
});
test.after(() => s.drop());
const login = () =>
	s.request('POST', '/api/v1/auth/login', {
		body: { username: 'user', password: PASSWORD, tenant: 'alpha' },
		timeout: 30000,
	});
const kids = (program) => {
	const [cmd, args] = ['pgrep', ['-P', String(s.proc.pid), '-f', program]];
	const r = spawnSync(cmd, args, { encoding: 'utf8' });
	return r.stdout.trim() ? r.stdout.trim().split('\n').map(Number) : [];
};
const daemon = (...args) => {
	const [cmd, all] = asUser(path.join(INST, 'sbin/sladeskd'), args);
	return spawnSync(cmd, all, { encoding: 'utf8', timeout: 20000 });
};

test('a login does not wait for other kinds of work', async () => {
	const hung = [...Array(6)].map(() =>
		s.request('GET', '/test/probe?pool=parse&kind=hang', { timeout: 60000 }),
	);
	await waitUntil(async () => (await s.metric('helper_pool_busy{pool="parse"}')) === 2);
	for (let i = 0; i < 4; i++) {
		const r = await timed(login);
		assert.strictEqual(r.r.status, 200, r.r.text);
		assert.ok(r.ms < 1000, `login took ${r.ms} ms while SAML documents hang`);
	}
	for (const r of await Promise.all(hung))
		assert.strictEqual(r.data.ok, false, 'a job that hangs ends: ' + r.text);
	assert.ok((await s.metric('helper_pool_restarts_total{pool="parse"}')) >= 2);
	assert.strictEqual(await s.metric('helper_pool_restarts_total{pool="hash"}'), 0);
});
test('a job larger than the socket buffer is sent without delay', async () => {
	const r = await timed(() => s.get('/test/probe?pool=parse&bytes=1000000'));
	assert.strictEqual(r.r.data.ok, true, r.r.text);
	assert.ok(r.ms < 150, `1 MB took ${r.ms} ms`);
});
test('each pool is bounded and reports its state', async () => {
	let refused = 0;
	/* those that an earlier test killed are back */
	await waitUntil(async () => (await s.metric('helper_pool_ready{pool="parse"}')) === 2);
	const many = [...Array(80)].map(async () => {
		const r = await timed(() =>
			s.request('GET', '/test/probe?pool=parse&kind=hang', { timeout: 60000 }),
		);
		assert.strictEqual(r.r.data.ok, false);
		if (r.ms < 1000) refused++;
		return r.ms;
	});
	const longest = Math.max(...(await Promise.all(many)));
	assert.strictEqual(refused, 80 - 2 - 64, 'two run, 64 wait, the others are refused at once');
	assert.ok(longest < 9000, `and nobody waits for more than the limits: ${longest} ms`);
	for (const pool of ['hash', 'parse']) {
		assert.strictEqual(await s.metric(`helper_pool_queued{pool="${pool}"}`), 0);
		await waitUntil(async () => (await s.metric(`helper_pool_ready{pool="${pool}"}`)) === 2);
	}
	assert.ok((await s.metric('helper_pool_failed_total{pool="parse"}')) >= 66);
	assert.strictEqual(await s.metric('helper_pool_refused_total{pool="parse"}'), 14);
});
/* Every system call is tried against the same filters in t/unit/confine_test.c. */
test('helpers are confined', async () => {
	const ends = 'the helper ends',
		calls = {
			socket: [ends, 'OPEN', ends],
			packet: [ends, ends, ends],
			file: ['refused', 'OPEN', ends],
			write: ['refused', ends, ends],
			exec: [ends, ends, ends],
			fork: [ends, ends, ends],
			io_uring: [ends, ends, ends],
			memory: [ends, ends, ends],
			code: [ends, 'refused', ends],
		};
	for (const pool of ['hash', 'parse', 'mail', 'file'])
		for (const [call, wanted] of Object.entries(calls)) {
			const r = (await s.get(`/test/probe?pool=${pool}&call=${call}`)).data;
			assert.strictEqual(
				r.ok ? r.answer : ends,
				wanted[{ mail: 1, file: 2 }[pool] ?? 0],
				pool + ' ' + call,
			);
			await waitUntil(
				async () => (await s.metric(`helper_pool_ready{pool="${pool}"}`)) >= 1,
			);
		}
	for (const pid of kids('sladesk-helper')) {
		assert.strictEqual(fs.readFileSync(`/proc/${pid}/environ`, 'utf8'), '');
		assert.ok(fs.readdirSync(`/proc/${pid}/fd`).length <= 4, 'no descriptor but its own');
	}
});
test("neither a core dump nor another process of the daemon's user shows its memory", (t) => {
	const maps = fs.readFileSync(`/proc/${s.proc.pid}/maps`, 'utf8');
	for (const pid of [s.proc.pid, ...kids('sladesk-helper')]) {
		assert.match(fs.readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
		if (/libasan/.test(maps)) continue; /* its search for leaks traces the process */
		for (const file of ['mem', 'maps', 'environ']) {
			const [cmd, args] = asUser('head', ['-c', '1', `/proc/${pid}/${file}`]),
				r = spawnSync(cmd, args, { encoding: 'utf8' });
			assert.match(r.stderr, /Permission denied/, `${pid} ${file}`);
		}
	}
});
test('--check starts each helper and names one that does not run', () => {
	s.check = path.join(s.dir, 'check.conf');
	fs.writeFileSync(s.check, s.conf());
	assert.match(daemon('-c', s.check, '--check').stdout, /settings are valid/);
	const hash = path.join(s.helpers, 'sladesk-helper-hash'),
		parse = path.join(s.helpers, 'sladesk-helper-parse');
	for (const [program, broken] of [
		[hash, null],
		[parse, '#!/bin/sh\nexit 3\n'],
		[parse, 'not a program'],
	]) {
		fs.renameSync(program, program + '.away');
		if (broken) fs.writeFileSync(program, broken, { mode: 0o755 });
		const r = daemon('-c', s.check, '--check');
		fs.rmSync(program, { force: true });
		fs.renameSync(program + '.away', program);
		assert.strictEqual(r.status, 1, r.stdout + r.stderr);
		assert.ok(r.stderr.includes(program) && /worker\.path/.test(r.stderr), r.stderr);
	}
	/* the setting used to name the only program: its directory is used */
	fs.writeFileSync(s.check, s.conf().replace(s.helpers, path.join(s.helpers, 'sladesk-worker')));
	assert.match(daemon('-c', s.check, '--check').stdout, /settings are valid/);
});
for (const [what, broken] of [
	['is gone', null],
	['crashes', '#!/bin/sh\nexit 3\n'],
])
	test(`a helper program that ${what}: 503 at once, and normal service when it is back`, async () => {
		const program = path.join(s.helpers, 'sladesk-helper-hash');
		fs.renameSync(program, program + '.away');
		if (broken) fs.writeFileSync(program, broken, { mode: 0o755 });
		const lines = s.log.length;
		kids('sladesk-helper-hash').forEach((p) => process.kill(p, 'SIGKILL'));
		await waitUntil(() => kids('sladesk-helper-hash').length === 0);
		for (let i = 0; i < 3; i++) {
			const r = await timed(login);
			assert.strictEqual(r.r.status, 503, r.r.text);
			assert.ok(r.ms < 1000, `refused after ${r.ms} ms`);
		}
		await waitUntil(async () => (await s.get('/readyz')).status === 503);
		assert.strictEqual(
			JSON.parse((await s.get('/readyz')).text).dependencies.helpers.state,
			'down',
		);
		const said = s.log
			.slice(lines)
			.split('\n')
			.filter((l) => /level=error|ERROR|error/.test(l));
		assert.ok(
			said.length >= 1 && said.length <= 3,
			'said once, not twice a second:\n' + said.join('\n'),
		);
		assert.ok(s.log.slice(lines).includes(program), 'the log names the program');
		fs.rmSync(program, { force: true });
		fs.renameSync(program + '.away', program);
		await waitUntil(async () => (await login()).status === 200);
		assert.strictEqual((await s.get('/readyz')).status, 200);
	});
