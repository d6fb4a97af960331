// SPDX-License-Identifier: Apache-2.0
// The two commands themselves: ./dev up leaves nothing behind, however it ends; its output contains what a user needs; a Node version that is
// too old is reported at once.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path'),
	{ spawn, spawnSync } = require('node:child_process');
const { waitUntil, freePort, VAR } = require('../lib/server.js');

const TOP = path.join(__dirname, '../..'),
	place = path.join(VAR, 'up');
let port;

/* The processes of that place, found by command line or environment. */
const read = (file) => {
	try {
		return fs.readFileSync(file, 'utf8').split('\0');
	} catch {
		return []; /* it has just ended */
	}
};
const running = () =>
	fs
		.readdirSync('/proc')
		.filter((p) => /^\d+$/.test(p))
		.map((pid) => [Number(pid), read(`/proc/${pid}/cmdline`).join(' ')])
		.filter(
			([pid, line]) =>
				line.includes(place + '/') ||
				read(`/proc/${pid}/environ`).includes('SLADESK_DEV_VAR=' + place),
		);
const ready = () =>
	new Promise((ok) =>
		http
			.get({ host: '127.0.0.1', port, path: '/readyz' }, (r) => {
				r.resume();
				ok(r.statusCode === 200);
			})
			.on('error', () => ok(false)),
	);
/* Run ./dev up until its output is complete; wrap(command): the command that runs it. */
async function up(wrap = (command) => command) {
	const [cmd, ...args] = wrap(['./dev', 'up', '--no-install']);
	const p = spawn(cmd, args, {
		cwd: TOP,
		detached: true,
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {
			...process.env,
			NO_INSTALL: '1',
			SLADESK_DEV_VAR: place,
			SLADESK_DEV_BUILD: process.env.BUILD_DIR,
			SLADESK_PORT: String(port),
			SLADESK_SMTP_PORT: String(await freePort()),
		},
	});
	p.text = '';
	for (const out of [p.stdout, p.stderr]) out.on('data', (d) => (p.text += d));
	p.ended = new Promise((ok) => p.on('exit', (code, sig) => ok((p.end = { code, sig }))));
	await waitUntil(() => {
		if (p.end) throw Object.assign(new Error('./dev up ended: ' + p.text), { fatal: true });
		return p.text.includes('Ctrl-C stops everything');
	}, 60000);
	assert.ok(await ready());
	return p;
}
const gone = (what) =>
	waitUntil(
		() => !running().length || Promise.reject(new Error(what + ' left ' + running().join('\n'))),
		20000,
	);

test.before(async () => {
	port = await freePort();
});
test.after(() => {
	for (const [pid] of running()) process.kill(pid, 'SIGKILL');
});

test('its output: every login, how staff log in, where the commands are; all of this works', async () => {
	const p = await up(),
		names = p.text.match(
			/li\.wei|zhang\.min|wang\.fang|chen\.jie|liu\.yang|zhao\.lei|sun\.li|zhou\.tao|wu\.xin/g,
		);
	assert.strictEqual(new Set(names).size, 9, p.text);
	assert.ok(!p.text.includes('…'), p.text);
	assert.match(p.text, /staff +leave "customer code" empty/);
	for (const code of ['guangming', 'northwind', 'haihang'])
		assert.match(p.text, new RegExp('customer code ' + code));
	const command = p.text.match(/^command line +(\S+) -c (\S+)$/m);
	assert.ok(command, p.text);
	const r = spawnSync(command[1], ['-c', command[2], 'tenant', 'list'], { encoding: 'utf8' });
	assert.match(r.stdout, /northwind/, r.stderr);
	const again = spawnSync('./dev', ['up', '--no-install'], {
		cwd: TOP,
		encoding: 'utf8',
		env: { ...process.env, SLADESK_DEV_VAR: place, SLADESK_DEV_BUILD: process.env.BUILD_DIR },
	});
	assert.notStrictEqual(again.status, 0);
	assert.match(again.stderr, /runs already/, 'a second one disturbs nothing');
	assert.ok(await ready());
	p.kill('SIGTERM');
	assert.deepStrictEqual(await p.ended, { code: 0, sig: null });
	assert.deepStrictEqual(running(), []);
});
test("each role has a password of its own; no process has one in its environment; the daemon cannot read the owner's", async () => {
	const p = await up(),
		roles = ['owner', 'app', 'job', 'report'].map((r) => [
			r,
			path.join(place, `roles/sladesk_${r}.password`),
		]),
		texts = roles.map(([, file]) => fs.readFileSync(file, 'utf8').trim()),
		sock = fs.readFileSync(path.join(place, 'sladesk.conf'), 'utf8').match(/host=(\S+)/)[1],
		psql = (user, password) =>
			spawnSync(
				'psql',
				['-h', sock, '-U', 'sladesk_' + user, '-d', 'sladesk', '-XAtqc', 'select 1'],
				{
					encoding: 'utf8',
					env: { ...process.env, PGPASSWORD: password },
				},
			);
	assert.strictEqual(new Set(texts).size, 4);
	for (const [i, [role, file]] of roles.entries()) {
		assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600, file);
		for (const [k, text] of texts.entries())
			assert.strictEqual(
				psql(role, text).status === 0,
				i === k,
				`${role} with password ${k}`,
			);
	}
	for (const [pid] of running())
		assert.ok(
			!read(`/proc/${pid}/environ`).some((v) => /^PGPASSWORD=/.test(v)),
			`${pid} ${read(`/proc/${pid}/cmdline`)}`,
		);
	if (process.env.RUNAS) {
		const reads = (file) =>
			spawnSync('setpriv', [
				...[
					'--reuid',
					process.env.RUNAS,
					'--regid',
					process.env.RUNAS,
					'--clear-groups',
				],
				...['--', 'cat', file],
			]).status === 0;
		assert.deepStrictEqual(
			roles.map(([, file]) => reads(file)),
			[false, true, true, false],
		);
		assert.ok(!reads(path.join(place, 'secret/db')), "the administrator's");
	}
	p.kill('SIGTERM');
	assert.deepStrictEqual(await p.ended, { code: 0, sig: null });
});
for (const sig of ['SIGINT', 'SIGHUP'])
	test(`${sig} to the script alone ends everything it started`, async () => {
		const p = await up();
		p.kill(sig);
		assert.deepStrictEqual(await p.ended, { code: 0, sig: null });
		assert.deepStrictEqual(running(), []);
	});
test('the terminal is closed: everything it started ends', async () => {
	const p = await up((command) => ['script', '-q', '-e', '-c', command.join(' '), '/dev/null']);
	p.kill('SIGKILL'); /* the terminal itself */
	await gone('a closed terminal');
});
test('after SIGKILL, servers are left: the next start ends them and comes up', async () => {
	const p = await up();
	p.kill('SIGKILL');
	await p.ended;
	const left = running().map(([pid]) => pid);
	assert.ok(left.length >= 4, 'daemon, mail, PostgreSQL, Redis');
	const next = await up();
	const still = running()
		.map(([pid]) => pid)
		.filter((pid) => left.includes(pid));
	assert.deepStrictEqual(still, []);
	next.kill('SIGTERM');
	await next.ended;
	assert.deepStrictEqual(running(), []);
});
test('a Node version that is too old is reported in one line, before anything else', () => {
	const bin = path.join(VAR, 'old-node');
	fs.mkdirSync(bin, { recursive: true });
	fs.writeFileSync(path.join(bin, 'node'), '#!/bin/sh\necho v16.20.2\n', { mode: 0o755 });
	for (const what of ['test', 'bench']) {
		const r = spawnSync('./dev', [what], {
			cwd: TOP,
			encoding: 'utf8',
			env: { ...process.env, NO_INSTALL: '1', PATH: bin + ':' + process.env.PATH },
		});
		assert.strictEqual(r.status, 1);
		assert.strictEqual(r.stdout, '');
		assert.match(r.stderr, /^dev: node [\d.]+ or newer is needed, this is v16\.20\.2 [^\n]*\n$/);
	}
});
