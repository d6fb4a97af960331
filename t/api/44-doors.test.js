// SPDX-License-Identifier: Apache-2.0
// Only usable values are saved. Others are refused on arrival, with their field and a rule, at the API, the command line and imports alike. The last
// test is generated: every text field of every writing endpoint with blanks, control characters and texts that are too long.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawnSync } = require('node:child_process');
const { Server, waitUntil, INST, PASSWORD, secret } = require('../lib/server.js');

const doc = JSON.parse(fs.readFileSync(path.join(__dirname, '../../doc/api/openapi.json'), 'utf8'));
const NONE = { user_per_s: 0, tenant_per_s: 0, address_per_s: 0, login_per_s: 0, fresh_per_s: 0 };
/* white space, controls, and characters without a glyph */
const BLANKS = [
	...[' ', '   ', '\t', '\n', '\r\n', '\u00a0', '\u0085', '\u1680', '\u2003', '\u2028', '\u3000'],
	...[
		'\u200b',
		'\u200d',
		'\u2060',
		'\ufeff',
		'\u00ad',
		'\u180e',
		'\u034f',
		'\u061c',
		'\u202e',
		'\u3164',
	],
	...['\u2800', '\ufe0f', '\u{e0020}', ' \u200b\u00a0\u2060 '],
];
const CONTROLS = [
	'\u0001',
	'\u0007',
	'\b',
	'\t',
	'\n',
	'\r\n',
	'\u001b',
	'\u007f',
	'\u0085',
	'\u200f',
	'\u2028',
	'\u202e',
];

let s, people;
const fields = (r) => (((r.json || {}).details || {}).fields || []).map((f) => f.field);
const cli = (args, input, env = {}) =>
	spawnSync(path.join(INST, 'bin/sladesk'), ['-c', s.file, ...args], {
		input,
		encoding: 'utf8',
		env: { ...process.env, PGPASSWORD: secret, ...env },
	});
/* The command is refused, and says WHY. */
const refusedByCli = (why, args, input) => {
	const r = cli(args, input);
	assert.ok(r.status > 0 && why.test(r.stderr), args.join(' ') + ': ' + r.status + r.stdout + r.stderr);
};
const put = (p, token, body) => s.request('PUT', p, { token, body });

async function logIn() {
	people.boss = await s.login('boss');
	people.admin = await s.login('admin', 'alpha');
	people.user = await s.login('user', 'alpha');
}
test.before(async () => {
	s = await Server.make('doors', { limits: NONE });
	people = {};
	await logIn();
	for (const [name, tenant] of [
		['service', 'alpha'],
		['provider', 'provider'],
	])
		people[name] = s
			.cli([
				'token',
				'add',
				'--tenant',
				tenant,
				'--name',
				name,
				'--scopes',
				'admin,ticket:read,ticket:write,user:write,report:export',
			])
			.match(/sd1\.\S+/)[0];
});
test.after(() => s.drop());

test('every command refuses unknown, doubled and incomplete options with status 2 and its usage', (t) => {
	const help = spawnSync(path.join(INST, 'bin/sladesk'), ['--help'], { encoding: 'utf8' }).stdout,
		lines = help.split('\n').filter((l) => /^ {2}[a-z]/.test(l));
	let n = 0;
	const refuses = (why, args) => {
		const r = cli(args);
		assert.strictEqual(r.status, 2, args.join(' ') + r.stderr);
		assert.ok(r.stderr.includes(why) && r.stderr.includes('usage: sladesk ' + args[0]), r.stderr);
		n++;
	};
	for (const l of lines) {
		const words = l.trim().split(' '),
			begin = /^[a-z]/.test(words[1] || '-') ? words.slice(0, 2) : words.slice(0, 1);
		for (const wrong of ['--no-such', '--no-such=1', '-x', '--', '--tenan', '---tenant'])
			refuses('unknown option', [...begin, wrong, 'x']);
		for (const [, option, value] of l.matchAll(/(--[a-z-]+)( [^-\][ ]\S*)?/g)) {
			refuses('given twice', [
				...begin,
				option,
				...(value ? ['x'] : []),
				option,
				...(value ? ['x'] : []),
			]);
			if (!value) continue;
			refuses('no value', [...begin, option]);
			refuses('no value', [...begin, option, '--no-such']);
		}
		const h = cli([...begin, '--help']);
		assert.ok(h.status === 0 && h.stdout.includes('usage: sladesk ' + begin[0]), l);
	}
	t.diagnostic(`${lines.length} commands, ${n} wrong options`);
	assert.ok(lines.length > 25 && n > 250, `${lines.length} ${n}`);
});
test('values that cannot be used are refused in words, not by the database; help and version need no database', () => {
	const user = (extra, name = 'worded') => [
			...['user', 'add', '--username', name, '--name', 'x', '--email', 'x@example.com'],
			...extra,
		],
		password = 'Kofferwort-7\n',
		lists = [
			[/^sladesk: --lang: one of zh\|en$/m, ['tenant', 'add', '--code', 'worded', '--name', 'x', '--lang', 'fr']],
			[/^sladesk: --policy: no such policy: nope$/m, ['tenant', 'add', '--code', 'worded', '--name', 'x', '--policy', 'nope']],
			[/^sladesk: exists already/m, ['tenant', 'add', '--code', 'alpha', '--name', 'x']],
			[/^sladesk: --mfa: one of yes\|no$/m, ['tenant', 'set', '--code', 'alpha', '--mfa', 'maybe']],
			[/^sladesk: --mail-factor: /m, ['tenant', 'set', '--code', 'alpha', '--mail-factor', 'ye']],
			[/^sladesk: --code: no such customer: nope; .* such as acme$/m, ['tenant', 'set', '--code', 'nope', '--mfa', 'yes']],
			...['x', '-1', '1.5'].map((n) => [/--max-users: /, ['tenant', 'set', '--code', 'alpha', '--max-users', n]]),
			...['8', '24-8', '8-25', '8-8', 'x-y', '8-'].map((h) => [
				/--work-hours: /,
				['tenant', 'set', '--code', 'alpha', '--work-hours', h],
			]),
			...['bogus', 'engineer', 'user|admin', 'use'].map((r) => [
				/--role: one of user\|manager\|admin$/m,
				user(['--tenant', 'alpha', '--role', r]),
			]),
			...['bogus', 'user'].map((r) => [/--role: one of engineer\|/, user(['--staff', '--role', r])]),
			[/--level: one of 1\|2\|3$/m, user(['--staff', '--level', '4'])],
			[/^sladesk: exists already/m, user(['--tenant', 'alpha'], 'user')],
			[/^sladesk: sla explain TICKET/m, ['sla', 'explain']],
		];
	for (const [why, args] of lists) {
		refusedByCli(why, args, password);
		assert.doesNotMatch(cli(args, password).stderr, /ERROR/);
	}
	assert.strictEqual(s.sql("select count(*) from customers where code = 'worded'"), '0');
	const away = { SLADESK_DATABASE_JOB_URL: 'host=/nonexistent dbname=x' };
	for (const [args, found] of [
		[['help'], /^usage: sladesk /],
		[['help', 'user'], /^usage: sladesk user add/],
		[['--version'], /^sladesk \d/],
	]) {
		const r = cli(args, '', away);
		assert.ok(r.status === 0 && found.test(r.stdout), r.stdout + r.stderr);
	}
});
test('options that do not belong together, and arguments that a command does not take, are refused', () => {
	for (const args of [
		['user', 'add', '--tenant', 'alpha', '--username', 'u1', '--level', '2'],
		['user', 'add', '--staff', '--username', 'u1', '--department', 'it'],
		['import', '--go-live', '--tenant', 'alpha', '--map', 'x'],
		['tenant', 'list', 'alpha'],
		['tenant', 'suspend', 'beta', '--code', 'alpha'],
		['token', 'add', '--tenant', 'alpha', '--name', 'n', 'tickets:read'],
		['rollup', 'check', 'alpha'],
		['sla', 'explain', '1', '2'],
	]) {
		const r = cli(args);
		assert.strictEqual(r.status, 2, args.join(' ') + r.stdout + r.stderr);
		assert.match(r.stderr, /does not go with|unexpected argument/, r.stderr);
	}
});
test('codes, hosts, login names and ids that cannot be used are refused, and the option is named', () => {
	const refuses = (option, args, input) => {
		const r = cli(args, input);
		assert.ok(r.status > 0 && r.stderr.includes(option + ':'), `${args.join(' ')}: ${r.stderr}`);
	};
	const set = (...more) => ['tenant', 'set', '--code', 'alpha', ...more],
		user = (name, ...more) => [
			...['user', 'add', '--tenant', 'alpha', '--username', name, '--name', 'n'],
			...['--email', 'n@a.example', ...more],
		];
	for (const code of ['', 'UPPER', 'a b', '网', '../x', 'x'.repeat(64), '-x', '_x', '4711'])
		refuses('--code', ['tenant', 'add', '--code', code, '--name', 'n']);
	for (const host of ['bad host', 'a..b', 'x.example:99', '127.0.0.1', '-x.example', 'x.example.', 'a_b.example'])
		refuses('--host', set('--host', host));
	for (const name of ['A B', 'Upper', '.x', '网', '', 'x'.repeat(101)])
		refuses('--username', user(name), PASSWORD + '\n');
	for (const office of [' ', 'x'.repeat(101)])
		refuses('--office', user('officer', '--office', office), PASSWORD + '\n');
	for (const id of ['x', '-1', '1.5', '99999999999999999999'])
		refuses('--id', ['token', 'revoke', '--tenant', 'alpha', '--id', id]);
	s.cli(set('--host', 'Desk.Alpha.Example'));
	s.cli(set('--host', '-'));
	/* hours may go past midnight */
	for (const hours of ['20-8', '23-0', '0-24']) s.cli(set('--work-hours', hours));
});
test('a setting that a section does not have stops daemon and tool when the environment names it', () => {
	for (const name of [
		'SLADESK_HTTP_LISTN',
		'SLADESK_DATABASE_URL',
		'SLADESK_LOG_',
		'SLADESK_TEST_ECHOS',
	]) {
		const env = { ...process.env, [name]: 'x' },
			d = spawnSync(path.join(INST, 'sbin/sladeskd'), ['-c', s.file, '--check'], {
				encoding: 'utf8',
				env,
			});
		assert.ok(d.status === 1 && d.stderr.includes(name + ': unknown setting'), name + d.stderr);
		assert.match(
			cli(['tenant', 'list'], '', { [name]: 'x' }).stderr,
			new RegExp(name + ': unknown setting'),
		);
	}
	for (const name of ['SLADESK_NOTHING_ELSE', 'SLADESK', 'SLADESK_HTTPX_LISTEN'])
		assert.strictEqual(cli(['tenant', 'list'], '', { [name]: 'x' }).status, 0, name);
});
test('zones: unknown ones are refused; one that was saved before does not stop the numbers', async () => {
	for (const zone of [
		'Not/AZone',
		'../../etc/passwd',
		'/etc/localtime',
		'Asia/Shanghai\n',
		'asia/shanghai',
		'UTC+25',
		' ',
		'Etc/Unknown',
	])
		refusedByCli(/zone/, ['tenant', 'set', '--code', 'alpha', '--timezone', zone]);
	s.cli(['tenant', 'set', '--code', 'alpha', '--timezone', 'Europe/Berlin']);
	assert.strictEqual(
		s.sql(`select timezone || zone from customers where code = 'alpha'`),
		'Europe/BerlinEurope/Berlin',
	);
	for (const tz of ['Not/AZone', '../../etc/passwd']) {
		const r = await put('/api/v1/sla/calendars/zoned', people.boss, {
			document: { tz, hours: { mon: [['09:00', '10:00']] } },
		});
		assert.deepStrictEqual([r.status, fields(r)], [400, ['document.tz']]);
	}
	s.sql(`update customers set timezone = 'Not/AZone' where code = 'alpha'`);
	const made = await s.post('/api/v1/tickets', people.user, { title: 'zoned', description: 'x' });
	assert.strictEqual(made.status, 201);
	await waitUntil(async () => {
		const r = await s.get('/api/v1/client/dashboard/overview?refresh=true', people.admin);
		return r.status === 200 && r.data.summary.total_tickets === 1;
	});
	assert.strictEqual((await s.get('/api/v1/client/workspace', people.user)).data.timezone, 'UTC');
	assert.ok(!/not counted/.test(s.log), 'no ticket is left out');
	s.cli(['tenant', 'set', '--code', 'alpha', '--timezone', 'Asia/Shanghai']);
});
test('calendars: one without a window, and a day of more than 16 pieces', async () => {
	const breaks = (n) =>
			Array.from({ length: n }, (_, i) => [
				String(i + 1).padStart(2, '0') + ':00',
				String(i + 1).padStart(2, '0') + ':30',
			]),
		whole = { mon: [['00:00', '24:00']] };
	for (const [rule, field, document] of [
		[/no window/, 'document.hours', { tz: 'UTC', hours: {} }],
		[/no window/, 'document.hours', { tz: 'UTC', hours: { mon: [], tue: [] } }],
		[/no window/, 'document.hours', { tz: 'UTC', hours: {}, overrides: { '2020-01-01': [['09:00', '10:00']] } }],
		[/breaks\.2026-01-05: .*16 pieces/, 'document.breaks.2026-01-05', { tz: 'UTC', hours: whole, breaks: { '2026-01-05': breaks(16) } }],
		[/128 KiB/, 'document', { tz: 'UTC', hours: whole, holidays: Array(12000).fill('2026-01-05') }],
	]) {
		const r = await put('/api/v1/sla/calendars/odd', people.boss, { document });
		assert.deepStrictEqual([r.status, fields(r)], [400, [field]], r.text);
		assert.match(r.json.details.fields[0].rule, rule);
	}
	const fits = { tz: 'UTC', hours: whole, breaks: { '2026-01-05': breaks(15) } };
	assert.strictEqual(
		(await put('/api/v1/sla/calendars/odd', people.boss, { document: fits })).status,
		200,
	);
	const calc = (n) =>
		cli(
			['sla', 'calc'],
			JSON.stringify({
				op: 'working_time_between',
				calendar: { tz: 'UTC', hours: whole, breaks: { '2026-01-05': breaks(n) } },
				start: '2026-01-05T00:00:00Z',
				end: '2026-01-06T00:00:00Z',
			}) + '\n',
		);
	assert.strictEqual(JSON.parse(calc(15).stdout).result, 86400 - 15 * 1800);
	assert.match(JSON.parse(calc(16).stdout).error, /16 pieces/);
	assert.strictEqual(calc(16).status, 1);
});
test('policies: what would be ignored is refused', async () => {
	const good = JSON.parse(
			s.sql(`select doc from sla_configurations where code = 'standard' and tenant_id = 1 order by version desc limit 1`),
		),
		send = (document) => put('/api/v1/sla/policies/exact', people.boss, { document });
	assert.strictEqual((await send(good)).status, 200);
	const p1 = good.priorities.P1;
	for (const [rule, field, more] of [
		[/responce_s: unknown key/, 'priorities.P1.responce_s', { priorities: { P1: { ...p1, responce_s: 5 } } }],
		[/P1: must be an object/, 'priorities.P1', { priorities: { P1: 5 } }],
		[/comes twice/, 'priorities.critical', { priorities: { P0: p1, critical: p1 } }],
		[/ladder_s/, 'priorities.P1.ladder_s', { priorities: { P1: { ...p1, ladder_s: [1, 2, 3, 4] } } }],
		[/ladder_s/, 'priorities.P1.ladder_s[2]', { priorities: { P1: { ...p1, ladder_s: [1, 2, 99999999999] } } }],
		[/reopen_hours/, 'reopen_hours', { reopen_hours: '72' }],
		[/autoclose_days/, 'autoclose_days', { autoclose_days: 1.5 }],
		[/pauses/, 'pauses', { pauses: [] }],
		[/responce: unknown key/, 'pauses.responce', { pauses: { responce: [] } }],
		[/threshold comes twice/, 'thresholds', { thresholds: ['80', '80', '100'] }],
	]) {
		const r = await send({ ...good, ...more });
		assert.deepStrictEqual([r.status, fields(r)], [400, ['document.' + field]], r.text);
		assert.match(r.json.details.fields[0].rule, rule);
	}
});
test('the faults of policies, calendars and dashboards in Chinese have Chinese punctuation', async () => {
	const hours = { mon: [['09:00', '10:00']] },
		P0 = { response_s: 60, resolution_s: 60 },
		policy = (more) => ['/api/v1/sla/policies/zh', { calendar: '24x7', document: { priorities: { P0 }, ...more } }],
		calendar = (more) => ['/api/v1/sla/calendars/zh', { document: { tz: 'UTC', hours, ...more } }];
	for (const [p, body] of [
		policy({}),
		policy({ thresholds: ['200', '100'] }),
		policy({ thresholds: ['100'], nonsense: 1 }),
		policy({ thresholds: ['100'], priorities: { P0: { response_s: -1 } } }),
		calendar({ tz: 'Not/AZone' }),
		calendar({ hours: {} }),
		calendar({ hours: { moon: hours.mon } }),
		calendar({ hours: { mon: [['10:00', '09:00']] } }),
		calendar({ holidays: ['2026-02-30'] }),
	]) {
		const r = await s.request('PUT', p, {
				token: people.boss,
				body,
				headers: { 'Accept-Language': 'zh' },
			}),
			rule = r.json.details.fields[0].rule;
		assert.strictEqual(r.status, 400, r.text);
		assert.match(rule, /[\u4e00-\u9fff]/);
		assert.doesNotMatch(rule, /[\u4e00-\u9fff] ?[,;:()?!]|[,;:()?!] ?[\u4e00-\u9fff]/, rule);
	}
	const r = await s.request('POST', '/api/v1/client/dashboard/config', {
		token: people.admin,
		body: { dashboard_name: 'zh', layout_config: { grid: { cols: 0, rows: 0 }, widgets: [] } },
		headers: { 'Accept-Language': 'zh' },
	});
	assert.doesNotMatch(r.json.details.fields[0].rule, /[,;?!]/, r.text);
});
test('webhook addresses, by API and command line', async () => {
	const add = (url) =>
			s.post('/api/v1/webhooks', people.admin, { url, secret: 'a-secret-of-16-letters' }),
		tool = ['webhook', 'add', '--tenant', 'alpha', '--url'];
	for (const url of [
		...[
			'ftp://x.example/',
			'javascript:alert(1)',
			'https://',
			'https:///path',
			'x.example',
			'//x.example/',
		],
		...[
			'https://user:pw@x.example/',
			'https://user@x.example/',
			'https://x.example:65536/',
			'https://x.example:0/',
		],
		...[
			'https://x.example/\r\nX-Evil: 1',
			'https://x.example/a b',
			' https://x.example/',
			'https://x.example\\@y.example/',
		],
		...[
			'https://bücher.example/',
			'https://x.example/\u200b',
			'https://x..example/',
			'https://[::1',
		],
	]) {
		const r = await add(url);
		assert.deepStrictEqual([r.status, fields(r)], [400, ['url']], url + r.text);
		refusedByCli(/--url/, [...tool, url]);
	}
	for (const [url, stored] of [
		['HTTPS://X.EXAMPLE/Path?Q=1', 'https://x.example/Path?Q=1'],
		['https://x.example', 'https://x.example'],
		['http://127.0.0.1:8080/hook', 'http://127.0.0.1:8080/hook'],
	]) {
		const r = await add(url);
		assert.deepStrictEqual([r.status, r.data && r.data.url], [201, stored], r.text);
		const id = s.cli([...tool, url], 'a-secret-of-16-letters\n').trim();
		assert.strictEqual(s.sql(`select url from webhooks where id = ${id}`), stored);
	}
	for (const secret of ['', 'short\n', ' '.repeat(20) + '\n', 'x'.repeat(201) + '\n'])
		refusedByCli(/secret/, [...tool, 'https://x.example/'], secret);
});
test('mail addresses, by API, command line and from another system', async () => {
	const bad = [
		'josé@example.com',
		'user@bücher.example',
		'a b@c.d',
		'.a@b.c',
		'a..b@b.c',
		'"a"@b.c',
		'a@[127.0.0.1]',
		'a@-b.c',
		'x'.repeat(65) + '@b.c',
		'a@127.0.0.1',
		'a@b.c\n',
	];
	for (const email of bad) {
		const r = await s.post('/api/v1/client/admin/users', people.admin, {
			...{ username: 'mailed', password: 'Correct-horse-7', full_name: 'x', email },
		});
		assert.deepStrictEqual([r.status, fields(r)], [400, ['email']], email + r.text);
		for (const who of [['--tenant', 'alpha'], ['--staff']])
			refusedByCli(
				/--email/,
				[
					'user',
					'add',
					...who,
					'--username',
					'mailed',
					'--name',
					'x',
					'--email',
					email,
				],
				PASSWORD + '\n',
			);
		const sync = await s.post('/api/v1/integration/customers/sync', people.provider, {
			customers: [
				{
					external_id: 'C1',
					name: 'C1',
					contacts: [{ external_id: 'P1', name: 'x', email }],
				},
			],
		});
		assert.ok(
			sync.status === 400 || sync.data.rejected.some((x) => x.field === 'contacts.email'),
			email + sync.text,
		);
	}
	assert.strictEqual(s.sql(`select count(*) from client_users where username = 'mailed'`), '0');
	for (const [i, email] of [
		"o'brien+x@example.com",
		'a@xn--bcher-kva.example',
		'root@localhost',
	].entries())
		assert.strictEqual(
			(
				await s.post('/api/v1/client/admin/users', people.admin, {
					...{
						username: 'm' + i,
						password: 'Correct-horse-7',
						full_name: 'x',
						email,
					},
				})
			).status,
			201,
			email,
		);
});
test('tags: blank, doubled, with control characters', async () => {
	const made = await s.post('/api/v1/tickets', people.user, { title: 'tags', description: 'x' }),
		at = '/api/v1/tickets/' + made.data.id;
	for (const tags of [
		[' '],
		['\u200b'],
		['a', 'a'],
		['a\nb'],
		['a\tb'],
		['a\u0085b'],
		['a\u2028b'],
		[''],
	]) {
		const one = await s.post('/api/v1/tickets', people.user, {
				title: 'x',
				description: 'x',
				tags,
			}),
			two = await s.post(at + '/tags', people.boss, { tags });
		for (const r of [one, two])
			assert.deepStrictEqual([r.status, fields(r)], [400, ['tags']], r.text);
	}
	assert.strictEqual(
		(await s.post(at + '/tags', people.boss, { tags: ['a', 'A', '网络', 'a b'] })).status,
		200,
	);
	assert.deepStrictEqual((await s.get(at, people.boss)).data.tags, ['a', 'A', '网络', 'a b']);
});
test('a blank title opens no ticket, and a blank reply stops no clock', async () => {
	const made = await s.post('/api/v1/tickets', people.user, {
			title: 'blank',
			description: 'x',
			priority: 'P3',
		}),
		at = '/api/v1/tickets/' + made.data.id,
		count = () => s.sql('select count(*) from tickets');
	const before = count();
	for (const blank of BLANKS) {
		const title = await s.post('/api/v1/tickets', people.user, {
				title: blank,
				description: 'x',
			}),
			reply = await s.post(at + '/reply', people.boss, { text: blank });
		assert.deepStrictEqual(
			[title.status, fields(title)],
			[400, ['title']],
			JSON.stringify(blank) + title.text,
		);
		assert.deepStrictEqual(
			[reply.status, fields(reply)],
			[400, ['text']],
			JSON.stringify(blank) + reply.text,
		);
	}
	assert.strictEqual(count(), before);
	const clock = async () =>
		(await s.get(at + '/clocks', people.user)).data.items.find((c) => c.clock === 'response');
	assert.strictEqual((await clock()).state, 'running');
	assert.strictEqual((await s.post(at + '/reply', people.boss, { text: '.' })).status, 200);
	assert.strictEqual((await clock()).verdict, 'met');
});
test('dashboards show metrics that exist; service tokens have scopes that exist', async () => {
	const save = (config) =>
		s.post('/api/v1/client/dashboard/config', people.user, {
			dashboard_name: 'd',
			layout_config: {
				grid: { cols: 12, rows: 8 },
				widgets: [
					{
						id: 'w',
						type: 'metric_card',
						position: { x: 0, y: 0, w: 3, h: 2 },
						config,
					},
				],
			},
		});
	for (const [member, config] of [
		['metric', { metric: 'no_such' }],
		['metric', { metric: null }],
		['metric', { metric: 5 }],
		['metrics', { metrics: 'total_tickets' }],
		['metrics', { metrics: ['total_tickets', 'no_such'] }],
	])
		assert.deepStrictEqual(fields(await save(config)), [
			'layout_config.widgets[0].config.' + member,
		]);
	for (const config of [
		{},
		{ metric: 'total_tickets' },
		{ metrics: ['sla_trend', 'alerts'], title: 'x' },
	])
		assert.strictEqual((await save(config)).status, 201);
	const token = (scopes) => ['token', 'add', '--tenant', 'alpha', '--name', 'x', '--scopes', scopes];
	for (const scopes of [
		'tickets:reed',
		'tickets:read,',
		',',
		'',
		'admin,root',
		'tickets:read tickets:write',
		'TICKET:READ',
		'self',
		'staff',
	])
		refusedByCli(/unknown scope/, token(scopes));
	assert.match(s.cli(token('tickets:read,admin,report:read')), /^sd1\./);
});

/* --- every text of every writing endpoint --- */

/* The places of a schema that take free text: ['grants', 0, 'resource_type']. */
function* texts(schema, at = []) {
	if (schema.properties)
		for (const [k, v] of Object.entries(schema.properties)) yield* texts(v, [...at, k]);
	else if (schema.items) yield* texts(schema.items, [...at, 0]);
	else if (
		schema.type === 'string' &&
		!schema.enum &&
		schema.format !== 'date-time' &&
		schema.format !== 'date'
	)
		yield { at, schema };
}
/* BODY with VALUE at that place. What is on the way is made, with the texts that it must have. */
function placed(schema, body, at, value) {
	const all = structuredClone(body);
	let o = all,
		of = schema;
	at.slice(0, -1).forEach((k, i) => {
		of = k === 0 ? of.items : of.properties[k];
		if (o[k] === undefined) {
			o[k] = at[i + 1] === 0 ? [] : {};
			for (const r of of.required || [])
				if (of.properties[r].type === 'string') o[k][r] = 'x' + r;
		}
		o = o[k];
	});
	o[at[at.length - 1]] = value;
	return all;
}
const nameOf = (at) => at.filter((k) => k !== 0).join('.');
/* Does the reply name the field, or one that contains it? Messages of other systems report each item. */
function names(r, at) {
	const want = nameOf(at),
		short = want.split('.').slice(1).join('.');
	return (
		fields(r)
			.map((f) => f.replace(/\[\d+\]/g, ''))
			.some(
				(f) =>
					f === want ||
					want.startsWith(f + '.') ||
					f === short ||
					f.endsWith('.' + at[at.length - 1]),
			) ||
		JSON.stringify((r.data && (r.data.rejected || r.data.results)) || '').includes(
			at[at.length - 1],
		)
	);
}
/* never read back: secrets, what is asked for and not kept, and what is looked up */
const UNSTORED =
	/password|secret|token|^code$|\bcode\b|username|tenant$|signature|challenge|credential|client_data|authenticator|public_key|logo$|discover|step|filters|assigned_to/;

/* Those of KEPT ([value, what]) that no row of any table has as a text, byte for byte. */
function unstored(kept) {
	const stored = new Set(),
		gather = (v) => {
			if (typeof v === 'string') stored.add(v);
			else if (v && typeof v === 'object') Object.values(v).forEach(gather);
		};
	tables =
		tables ||
		s
			.sql(
				`select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
			)
			.split('\n');
	const like = kept.length === 1 ? kept[0][0].match(/mk\d+z/)[0] : 'mk%z',
		rows = s.sql(
			tables
				.map(
					(t) =>
						`select to_jsonb(t)::text from ${t} t where t::text like '%${like}%'`,
				)
				.join(' union all '),
		);
	for (const line of rows.split('\n').filter(Boolean)) gather(JSON.parse(line));
	return kept.filter(([v]) => !stored.has(v)).map(([, what]) => what);
}
let tables;

test('every text of every writing endpoint: refused by name, or stored as it was sent', async (t) => {
	let serial = 0,
		sent = 0,
		refusals = 0,
		puts = 0; /* checked at once, as the next one replaces it */
	const kept = [],
		faults = [],
		lost = [];
	const ticket = async () => {
		const r = await s.post('/api/v1/tickets', people.user, {
			title: 'x' + ++serial,
			description: 'x',
		});
		assert.strictEqual(r.status, 201, r.text);
		return r.data.id;
	};
	/* names that must be unique are made so, so that a repetition is not refused as one */
	const fresh = (body) => {
		const n = ++serial;
		for (const k of ['username', 'external_id', 'event_id'])
			if (body[k] !== undefined) body[k] = 'u' + n;
		if (body.email !== undefined) body.email = `u${n}@alpha.example`;
		for (const v of Object.values(body))
			if (Array.isArray(v)) for (const x of v) if (x && typeof x === 'object') fresh(x);
		for (const c of body.customers || []) c.code = 'c' + n; /* a new one needs it */
		for (const e of body.events || [])
			Object.assign(e, {
				...{ event_type: 'ticket_created', event_id: 'e' + n, ticket_id: 'T' + n },
				...{ tenant_id: s.alpha, timestamp: new Date().toISOString() },
				...{ status: 'new', priority: 'P3', title: 't', description: 'd' },
			});
		return body;
	};
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops)) {
			const content = ((op.requestBody || {}).content || {})['application/json'];
			if (!content || /logout|refresh/.test(p) || p.startsWith('/test/')) continue;
			for (const { at, schema } of texts(content.schema)) {
				const max = schema.maxLength || 100,
					mark = () => 'mk' + ++serial + 'z',
					few =
						/client\/tickets|\/auth\/|tickets\/\{id\}\/(?!reply|resolve)/.test(
							p,
						),
					tries = [
						...(few ? BLANKS.slice(0, 4) : BLANKS).map((v) => [
							'blank',
							JSON.stringify(v),
							v,
						]),
						...(few ? CONTROLS.slice(0, 3) : CONTROLS).map((c) => {
							const v = mark() + c + 'y';
							return ['control', JSON.stringify(v), v];
						}),
						['long', JSON.stringify('x'.repeat(max + 1))],
						['long', JSON.stringify('\u{1f600}'.repeat(max + 1))],
						['null', '"a\\u0000b"'],
						['half', '"a\\ud800b"'],
						['half', '"\\udc00"'],
					];
				{
					const v = (mark() + '\u{1f600}'.repeat(max)).slice(0, 2 * max - 20);
					if (max > 40) tries.push(['full', JSON.stringify(v), v]);
				}
				for (const [kind, json, value] of tries) {
					if (/\/auth\//.test(p)) await logIn(); /* wrong proofs end a session */
					const url = p
						.replace('{id}', /tickets/.test(p) ? await ticket() : '1')
						.replace('{tenant_id}', s.alpha)
						.replace('{kind}', 'department')
						.replace('{code}', 'c' + ++serial)
						.replace('{template}/{lang}', 'ticket_new_staff/en')
						.replace(/\{\w+\}/g, '1');
					const body = JSON.stringify(
						placed(
							content.schema,
							fresh(structuredClone(content.example || {})),
							at,
							'@@',
						),
					).replace('"@@"', json);
					let r, by;
					for (const token of op.security.length
						? Object.values(people)
						: [undefined]) {
						by = token;
						r = await s.request(m.toUpperCase(), url, {
							token,
							raw: body,
						});
						if (r.status !== 401 && r.status !== 403) break;
					}
					const what = `${m} ${p} ${nameOf(at)} ${kind} ${json.slice(0, 60)}: ${r.status} ${r.text.slice(0, 400)}`;
					sent++;
					refusals += r.status === 400;
					const must = (ok) => ok || faults.push(what);
					must(r.status < 500);
					if (kind === 'null' || kind === 'half')
						must(r.status === 400 && (r.code === 40002 || names(r, at)));
					else if (kind === 'blank' && schema.minLength)
						must(r.status >= 400 || names(r, at));
					else if (kind === 'long' && schema.maxLength)
						must(r.status >= 400 || names(r, at));
					if (r.status === 400 && r.code === 40001 && !names(r, at)) {
						/* the example itself is refused for another field; blank and long ones are named all the same */
						const plain = await s.request(m.toUpperCase(), url, {
							token: by,
							raw: JSON.stringify(
								placed(
									content.schema,
									fresh(
										structuredClone(
											content.example || {},
										),
									),
									at,
									'plain' + ++serial,
								),
							),
						});
						must(
							kind !== 'blank' &&
								kind !== 'long' &&
								String(fields(plain)) === String(fields(r)),
						);
					}
					if (
						r.status < 300 &&
						!((r.data && r.data.results) || []).some(
							(x) => x.status !== 'applied',
						) &&
						!names(r, at) &&
						value &&
						kind !== 'blank' &&
						!UNSTORED.test(nameOf(at)) &&
						!/auth|\/preview$/.test(p) /* a preview stores nothing */
					)
						m === 'put' || /providers/.test(p)
							? (lost.push(...unstored([[value, what]])), puts++)
							: kept.push([value, what]);
				}
			}
		}
	lost.push(...unstored(kept));
	t.diagnostic(`${sent} requests, ${refusals} refused, ${kept.length + puts} stored`);
	assert.deepStrictEqual([...new Set(faults)].slice(0, 40), []);
	assert.deepStrictEqual(lost.slice(0, 40), []);
	assert.ok(sent > 4000 && kept.length > 100, `${sent} ${kept.length}`);
});
