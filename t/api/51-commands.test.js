// SPDX-License-Identifier: Apache-2.0
// What the command line prints: data alone on standard output, words on standard error; and what a command refuses is named with its option, the
// rule and an example. Both over the table of commands, as `sladesk help` prints it.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert'),
	path = require('node:path'),
	{ spawnSync } = require('node:child_process');
const { Server, redis, INST } = require('../lib/server.js');

let s;
const run = (...args) => {
	const r = spawnSync(path.join(INST, 'bin/sladesk'), ['-c', s.file, ...args], { encoding: 'utf8', input: 'Kranich-Regen-41\n' });
	return { status: r.status, out: r.stdout, err: r.stderr };
};
/* The lines of the usage: the words of a command, its options and what they take. */
const usages = () =>
	run('help')
		.out.split('\n')
		.filter((l) => /^ {2}[a-z]/.test(l))
		.map((l) => ({ line: l.trim(), words: l.trim().split(' [')[0].split(' --')[0].split(' ').filter((w) => /^[a-z]/.test(w)) }));
before(async () => {
	s = await Server.make('commands', { integration: { stream: 'commands:' + process.pid } });
	s.token('alpha', 'tickets:read', 'listed');
	redis('xadd', s.settings.integration.stream + ':dead', '*', 'event', '{"tenant_id":2}', 'field', 'status', 'reason', 'unknown', 'at', 'now', 'token', 'x');
});
after(() => s && s.drop());

test('every list prints rows of columns and nothing else on standard output', () => {
	const lists = usages().filter((u) => u.words.at(-1) === 'list');
	assert.ok(lists.length >= 8, String(lists.length));
	let rows = 0;
	for (const { words } of lists) {
		const r = run(...words);
		assert.strictEqual(r.status, 0, words.join(' ') + ': ' + r.err);
		const lines = r.out.split('\n').slice(0, -1),
			columns = new Set(lines.map((l) => l.split('\t').length));
		rows += lines.length;
		assert.ok(columns.size <= 1, r.out);
		assert.ok(!lines.length || !columns.has(1), r.out);
		/* what a driver or the log says is no part of it, and nothing is an alarm */
		assert.doesNotMatch(r.out + r.err, /\b(info|warn|error)\b {1,2}|redis up/, words.join(' '));
	}
	assert.ok(rows >= 5);
	const dead = run('deadletter', 'list');
	assert.strictEqual(dead.out.split('\n').length, 2);
	assert.strictEqual(dead.err, '1 dead letters\n');
});

test('every command has --help, and refuses in words what it does not take, before it asks the database', () => {
	/* no server, no settings: nothing of this needs one */
	const bare = (...args) => spawnSync(path.join(INST, 'bin/sladesk'), args, { encoding: 'utf8', input: '', env: { PATH: process.env.PATH, TERM: 'xterm-256color', SLADESK_DATABASE_APP_URL: 'host=/nowhere' } });
	const all = usages(),
		names = new Set(all.map((u) => u.words[0]));
	assert.ok(all.length > 40 && names.size > 15);
	for (const { line, words } of all) {
		const help = bare(...words, '--help');
		assert.strictEqual(help.status, 0, words.join(' '));
		assert.strictEqual(help.stderr, '');
		assert.ok(help.stdout.startsWith('usage: sladesk ') && help.stdout.includes(line), words.join(' '));
		for (const args of [['--no-such'], ['--no-such', 'x'], ['-x']]) {
			const r = bare(...words, ...args);
			assert.strictEqual(r.status, 2, words.join(' '));
			assert.strictEqual(r.stdout, '');
			assert.match(r.stderr, new RegExp(`^sladesk ${words[0]}: .*${args[0]}\nusage: sladesk ${words[0]}`), words.join(' '));
			assert.doesNotMatch(r.stderr, /\x1b/);
		}
		for (const out of [help.stdout, help.stderr]) assert.doesNotMatch(out, /\x1b/);
	}
	let verbs = 0;
	for (const name of names) {
		const forms = all.filter((u) => u.words[0] === name);
		assert.match(bare('help', name).stdout, new RegExp(`^usage: sladesk ${name}\\b`));
		const r = bare(name, 'nosuch');
		/* an argument is a file or a number where a form takes one: then something else refuses it */
		if (forms.some((u) => u.words.length < 2)) continue;
		verbs++;
		assert.strictEqual(r.status, 2, name);
		assert.match(r.stderr, new RegExp(`^sladesk ${name}: unknown command nosuch\nusage: sladesk ${name} `));
		assert.match(bare(name).stderr, new RegExp(`^sladesk ${name}: what to do is missing\nusage: sladesk ${name} `));
	}
	assert.ok(verbs > 10);
	const unknown = bare('nosuch');
	assert.strictEqual(unknown.status, 2);
	assert.match(unknown.stderr, /unknown command nosuch/);
});

/* Values with which a command gets as far as the option that is tried. */
const good = { code: 'worded', name: 'Worded', username: 'worded', email: 'w@example.com', tenant: 'alpha', scopes: 'tickets:read', id: '1', login: 'nobody', domain: 'example.com', url: 'https://example.com/h', as: 'alpha', against: 'beta', policy: 'standard' };
/* what each option cannot be; of the others every text is good, or it names a file or an address of the database */
const bad = { code: 'A B', name: ' ', username: 'A B', email: 'nobody', tenant: 'nowhere', scopes: 'everything', id: 'x', lang: 'fr', role: 'bogus', level: '9', mfa: 'maybe', 'mail-factor': 'maybe', policy: 'nowhere', timezone: 'Mars', 'work-hours': '8-99', host: 'a b', 'max-users': 'x', days: '0', by: 'nobody', customers: 'nowhere', department: ' ', project: ' ', contract: ' ', 'cost-centre': ' ', region: ' ', office: ' ', url: 'ftp://x' };
test('what a command refuses is named: option, rule and an example', () => {
	let tried = 0;
	const faults = [];
	for (const { line, words } of usages()) {
		if (!/^(tenant|user|token|webhook)$/.test(words[0])) continue;
		const options = [...line.matchAll(/(\[?)--([a-z-]+)(?: ([^\s\[\]-][^\s\]]*))?/g)].map((m) => ({ free: m[1] === '[', name: m[2], takes: !!m[3] })),
			needed = options.filter((o) => !o.free);
		for (const o of options.filter((x) => x.takes)) {
			const args = [...words];
			for (const n of needed) if (n.name !== o.name) args.push('--' + n.name, ...(n.takes ? [n.name === 'code' && words[1] !== 'add' ? 'alpha' : good[n.name]] : []));
			/* missing */
			if (!o.free) {
				const r = run(...args);
				assert.strictEqual(r.status, 1, args.join(' '));
				assert.match(r.err, new RegExp(`--${o.name} is required, such as --${o.name} "[^"]+"`), args.join(' '));
				tried++;
			}
			/* a stranger: a name that is well formed may be good, where a command looks it up */
			if (bad[o.name] === undefined) continue;
			const all = [...args, '--' + o.name, bad[o.name]],
				r = spawnSync(path.join(INST, 'bin/sladesk'), ['-c', s.file, ...all], { encoding: 'utf8', input: 'Kranich-Regen-41\n' });
			/* all of them at once */
			if (r.status !== 1 || r.stdout || !new RegExp(`--${o.name}\\b`).test(r.stderr) || !/such as|one of/.test(r.stderr) || /constraint|ERROR|database:/.test(r.stderr))
				faults.push(`${all.join(' ')}: ${r.status} ${r.stdout}${r.stderr}`);
			tried++;
		}
	}
	assert.strictEqual(faults.join(''), '');
	console.log(`# ${tried} refusals`);
	assert.ok(tried > 50, String(tried));
});
