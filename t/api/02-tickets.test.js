// SPDX-License-Identifier: Apache-2.0
// Tickets through the API: every command, every refusal, and another tenant at every endpoint.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path'),
	zlib = require('node:zlib');
const { Server, PASSWORD, waitUntil } = require('../lib/server.js');

let s, eng, boss, user, other;
test.before(async () => {
	s = await Server.make('tickets');
	[eng, boss, user, other] = await Promise.all([
		s.login('eng1'),
		s.login('boss'),
		s.login('user', 'alpha'),
		s.login('user', 'beta'),
	]);
});
test.after(() => s.drop());

const create = async (more = {}, token = user) => {
	const r = await s.post('/api/v1/tickets', token, {
		title: 'A title',
		description: 'What happened',
		...more,
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data;
};
const act = (id, cmd, body = {}, token = eng) => s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
const ok = async (...a) => {
	const r = await act(...a);
	assert.strictEqual(r.status, 200, a[1] + ': ' + r.text);
	return r.data;
};

test('login: wrong password, unknown user, missing fields', async () => {
	for (const body of [
		{ username: 'user', password: 'wrong-pass', tenant: 'alpha' },
		{ username: 'nobody', password: PASSWORD, tenant: 'alpha' },
		{ username: 'user', password: PASSWORD, tenant: 'nowhere' },
	]) {
		const r = await s.post('/api/v1/auth/login', null, body);
		assert.strictEqual(r.code, 40004);
		assert.match(r.json.details.user_message, /^wrong user name or password;/);
	}
	const r = await s.post('/api/v1/auth/login', null, { user: 'x' });
	assert.deepStrictEqual(r.json.details.fields.map((f) => f.field).sort(), [
		'password',
		'user',
		'username',
	]);
	assert.strictEqual((await s.get('/api/v1/tickets')).code, 40004);
	assert.strictEqual((await s.get('/api/v1/tickets', 'rubbish')).code, 40004);
});
test('logout ends the session', async () => {
	const t = await s.login('user', 'alpha');
	assert.strictEqual((await s.get('/api/v1/me', t)).data.username, 'user');
	assert.strictEqual((await s.post('/api/v1/auth/logout', t)).status, 200);
	assert.strictEqual((await s.get('/api/v1/me', t)).code, 40004);
});
test('service tokens: scopes, expiry, revocation', async () => {
	const [rw, ro] = ['tickets:read,tickets:write', 'tickets:read'].map((x) =>
		s.cli(['token', 'add', '--tenant', 'alpha', '--name', 'ci', '--scopes', x]).trim(),
	);
	const k = await create({}, rw);
	assert.strictEqual((await s.get('/api/v1/tickets/' + k.id, ro)).data.source, 'api');
	assert.strictEqual(
		(await s.post('/api/v1/tickets', ro, { title: 'x', description: 'y' })).code,
		40003,
	);
	assert.strictEqual(
		(await s.get('/api/v1/tickets', rw.slice(0, -1) + (rw.endsWith('0') ? '1' : '0'))).code,
		40004,
	);
	s.cli(['token', 'revoke', '--tenant', 'alpha', '--id', rw.split('.')[2]]);
	await waitUntil(async () => (await s.get('/api/v1/tickets', rw)).code === 40004);
	assert.ok(
		!s.sql("select encode(secret_sha256, 'hex') from api_tokens").includes(rw.split('.')[3]),
		'only a digest is stored',
	);
});
test('the whole life of a ticket', async () => {
	const k = await create({ priority: 'high', tags: ['db'], factors: ['finance'] });
	assert.strictEqual(k.priority, 'P1');
	assert.match(k.number, /^TKT-\d{6}$/);
	assert.strictEqual((await ok(k.id, 'accept')).status, 'accepted');
	assert.strictEqual((await act(k.id, 'accept')).code, 41002);
	assert.strictEqual((await ok(k.id, 'confirm')).status, 'in_progress');
	await ok(k.id, 'reply', { text: 'We are looking into it' });
	await ok(k.id, 'note', { text: 'secret thoughts' });
	assert.strictEqual(
		(await ok(k.id, 'wait-customer', { reason: 'need a log' })).status,
		'pending_customer',
	);
	assert.strictEqual((await ok(k.id, 'reply', { text: 'here it is' }, user)).status, 'in_progress');
	await ok(k.id, 'schedule', { reason: 'tonight', until: new Date(Date.now() + 3600e3).toISOString() });
	assert.strictEqual((await ok(k.id, 'resume', { reason: 'earlier' })).status, 'in_progress');
	await ok(k.id, 'escalate', { reason: 'please hurry' }, user);
	await ok(k.id, 'assign', { assignee_id: 2 });
	assert.strictEqual(
		(await ok(k.id, 'priority', { priority: 'P2', reason: 'a workaround exists' }, boss))
			.priority,
		'P2',
	);
	await ok(k.id, 'tags', { tags: ['db', 'rds'] });
	await ok(k.id, 'category', { category: 'database' });
	assert.strictEqual((await ok(k.id, 'mitigate', { text: 'failed over' })).status, 'mitigated');
	assert.strictEqual((await ok(k.id, 'monitor')).status, 'monitoring');
	assert.strictEqual((await ok(k.id, 'rework')).status, 'in_progress');
	const refused = await act(k.id, 'resolve', { text: 'done' });
	assert.deepStrictEqual(
		refused.json.details.fields.map((f) => f.field),
		['root_cause', 'solution', 'solution_kind', 'prevention', 'configuration'],
	);
	assert.strictEqual(
		(
			await ok(k.id, 'resolve', {
				text: 'done',
				root_cause: 'disk',
				solution: 'grew it',
				solution_kind: 'permanent',
				prevention: 'alarm',
				configuration: 'rds',
			})
		).status,
		'resolved',
	);
	assert.strictEqual((await ok(k.id, 'reopen', { reason: 'again' }, user)).status, 'in_progress');
	await ok(k.id, 'resolve', {
		text: 'now',
		root_cause: 'disk',
		solution: 'grew it',
		solution_kind: 'temporary',
		prevention: 'alarm',
		configuration: 'rds',
	});
	assert.strictEqual((await ok(k.id, 'confirm-resolution', {}, user)).status, 'closed');
	assert.strictEqual((await act(k.id, 'reply', { text: 'late' })).code, 41002);

	const seen = await s.get(`/api/v1/tickets/${k.id}/comments`, user),
		staff = await s.get(`/api/v1/tickets/${k.id}/comments`, eng);
	assert.ok(!seen.text.includes('secret thoughts') && staff.text.includes('secret thoughts'));
	const mine = (await s.get(`/api/v1/tickets/${k.id}/history`, user)).data.items,
		all = (await s.get(`/api/v1/tickets/${k.id}/history?limit=200`, eng)).data.items;
	assert.ok(mine.every((e) => e.audience === 'customer') && all.some((e) => e.type === 'ticket.noted'));
	assert.ok(!JSON.stringify(all).includes('secret thoughts'), 'events carry ids and digests, no texts');
	const sla = (await s.get(`/api/v1/tickets/${k.id}/sla`, user)).data;
	assert.strictEqual(sla.clocks.find((c) => c.clock === 'response').verdict, 'met');
	assert.ok(
		sla.clocks.find((c) => c.clock === 'resolution').intervals.some((i) => i.kind === 'paused'),
	);
	const paused = sla.clocks
		.find((c) => c.clock === 'resolution')
		.intervals.find((i) => i.kind === 'paused' && i.by.event === 'ticket.waiting_customer');
	assert.deepStrictEqual(
		[paused.by.actor_kind, paused.by.name, paused.by.reason],
		['staff', 'eng1', 'need a log'],
		'who paused, and why',
	);
	assert.deepStrictEqual([sla.policy_code, sla.calendar_code], ['standard', '24x7']);
	assert.ok(sla.policy_version >= 1 && sla.calendar_version >= 1);
	const told = s.cli(['sla', 'explain', k.number]);
	assert.match(told, /resolution: stopped/);
	assert.match(told, new RegExp(`policy standard version ${sla.policy_version}, calendar 24x7 version ${sla.calendar_version}`));
	assert.match(told, /paused +0 s  by eng1: need a log/);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('priority: words, impact, factors, history of names', async () => {
	for (const [more, want] of [
		[{ title: '生产数据库宕机' }, 'P0'],
		[{ title: 'How to enable versioning?' }, 'P4'],
		[{ impact_scope: 'most_users' }, 'P1'],
		[{ factors: ['continuity', 'data_integrity'] }, 'P0'],
		[{ priority: '低' }, 'P3'],
		[{ priority: 'General' }, 'P4'],
	])
		assert.strictEqual((await create(more)).priority, want, JSON.stringify(more));
	const k = await create({ title: 'All is down' });
	const full = (await s.get('/api/v1/tickets/' + k.id, user)).data;
	assert.deepStrictEqual(
		[full.priority_source, full.priority_reason.keyword, full.priority_confirmed],
		['keyword', 'down', false],
	);
	await ok(k.id, 'confirm-priority');
	assert.strictEqual((await s.get('/api/v1/tickets/' + k.id, user)).data.priority_confirmed, true);
	s.sql(
		"insert into customers (code, name, policy_code, created_at) values ('basic', 'B', 'basic', '2026-01-01Z'); insert into tenant_counters select tenant_id from customers where code = 'basic'",
	);
	const basic = Number(s.sql("select tenant_id from customers where code = 'basic'"));
	await waitUntil(async () =>
		(await s.get('/api/v1/tenants', await s.login('boss'))).data.items.some(
			(c) => c.id === basic,
		),
	);
	const t = await s.login('boss');
	const r = await s.post('/api/v1/tickets', t, {
		tenant_id: basic,
		title: 'x',
		description: 'y',
		priority: 'P4',
	});
	assert.strictEqual(r.code, 40001);
	assert.match(r.text, /P0, P1, P2, P3/);
	assert.strictEqual(
		(await create({ tenant_id: basic, title: 'how to ask' }, t)).priority,
		'P3',
		'P4 maps to low under basic',
	);
});
test('every invalid field is listed, in both languages, and nothing is stored', async () => {
	const before = s.sql('select count(*) from tickets');
	const bad = {
		title: '',
		description: 5,
		priority: 'urgent',
		source: 'pigeon',
		impact: 9,
		factors: ['luck'],
		tags: [''],
		who: 1,
	};
	for (const lang of ['en', 'zh-CN']) {
		const r = await s.post('/api/v1/tickets', user, bad, { 'Accept-Language': lang });
		assert.strictEqual(r.code, 40001);
		assert.deepStrictEqual(r.json.details.fields.map((f) => f.field).sort(), [
			'description',
			'factors',
			'impact',
			'priority',
			'source',
			'tags',
			'title',
			'who',
		]);
		assert.strictEqual(/[一-龥]/.test(r.json.message), lang !== 'en');
	}
	for (const q of [
		'limit=0',
		'limit=201',
		'limit=x',
		'status=odd',
		'cursor=1',
		'cursor=a_b',
		'nonsense=1',
		'sort=odd',
		'limit=1&limit2=1',
	])
		assert.strictEqual((await s.get('/api/v1/tickets?' + q, user)).code, 40001, q);
	assert.strictEqual(s.sql('select count(*) from tickets'), before);
});
test('malformed JSON is 40002 with the place', async () => {
	for (const raw of [
		'{',
		'{"title":"a",}',
		'{"a":1,"a":2}',
		'[1]',
		'"x"',
		'{"a":01}',
		'{"a":"\\u0000"}',
		Buffer.from('{"a":"\xff"}', 'latin1'),
		'['.repeat(40),
		'{"a":99999999999999999999}',
	]) {
		const r = await s.request('POST', '/api/v1/tickets', { token: user, raw });
		assert.strictEqual(r.code, 40002, String(raw));
		assert.ok(r.json.details.expected);
	}
});
test('Idempotency-Key: replayed, reused, concurrent', async () => {
	const body = { title: 'once', description: 'only' },
		h = { 'Idempotency-Key': 'key-1' };
	const first = await s.post('/api/v1/tickets', user, body, h),
		again = await s.post('/api/v1/tickets', user, body, h);
	assert.strictEqual(again.data.id, first.data.id);
	assert.strictEqual(again.headers['idempotency-replayed'], 'true');
	assert.strictEqual(
		(await s.post('/api/v1/tickets', user, { ...body, title: 'other' }, h)).json.details.fields[0]
			.field,
		'Idempotency-Key',
	);
	const many = await Promise.all(
		[...Array(20)].map(() =>
			s.post('/api/v1/tickets', user, body, { 'Idempotency-Key': 'key-2' }),
		),
	);
	assert.strictEqual(new Set(many.map((r) => r.data.id)).size, 1, many.map((r) => r.text).join('\n'));
	assert.strictEqual(s.sql("select count(*) from tickets where title = 'once'"), '2');
});
test('If-Match and version: no lost update', async () => {
	const k = await create();
	const r = await Promise.all(
		[...Array(8)].map((_, i) =>
			s.post(`/api/v1/tickets/${k.id}/note`, eng, { text: 'n' + i }, { 'If-Match': '"1"' }),
		),
	);
	assert.strictEqual(r.filter((x) => x.status === 200).length, 1);
	assert.ok(r.filter((x) => x.status !== 200).every((x) => x.code === 41002));
	const all = await Promise.all([...Array(16)].map((_, i) => act(k.id, 'note', { text: 'm' + i })));
	const good = all.filter((x) => x.status === 200).length;
	assert.ok(
		good + all.filter((x) => x.status === 503).length === 16 && good >= 8,
		'the rest is told to try again',
	);
	assert.strictEqual(Number(s.sql(`select version from tickets where id = ${k.id}`)), 2 + good);
	assert.strictEqual(
		s.sql(
			'select count(*) from (select seq, row_number() over (partition by tenant_id order by seq) n from events) x where seq <> n',
		),
		'0',
		'seq has no gap',
	);
});
test('paging returns every item once', async () => {
	for (let i = 0; i < 12; i++) await create({ title: 'page ' + i });
	for (const sort of ['', '&sort=urgent']) {
		const ids = [];
		for (let cursor = ''; ;) {
			const r = await s.get('/api/v1/tickets?limit=5' + sort + cursor, user);
			assert.strictEqual(r.status, 200, r.text);
			ids.push(...r.data.items.map((k) => k.id));
			if (!r.data.next_cursor || r.data.items.length === 0) break;
			cursor = '&cursor=' + r.data.next_cursor;
		}
		assert.strictEqual(new Set(ids).size, ids.length);
		assert.strictEqual(
			ids.length,
			Number(
				s.sql(
					`select count(*) from tickets where tenant_id = ${s.alpha}` +
						(sort
							? " and status not in ('resolved','closed','cancelled','merged')"
							: ''),
				),
			),
		);
	}
	assert.ok((await s.get('/api/v1/tickets?priority=P0&tag=nope', user)).data.items.length === 0);
});
test('another tenant: 404 for ids, 403 for names, nothing in lists', async () => {
	const k = await create({ title: 'TOP SECRET alpha' });
	await ok(k.id, 'reply', { text: 'alpha only' });
	for (const p of ['', '/clocks', '/comments', '/history', '/sla']) {
		const r = await s.get(`/api/v1/tickets/${k.id}${p}`, other);
		assert.ok(r.code === 41001 || (r.status === 200 && r.data.items.length === 0), p + r.text);
		assert.ok(!r.text.includes('alpha'));
	}
	const spec = (await s.get('/openapi.json')).json,
		otherAdmin = await s.login('admin', 'beta');
	let n404 = 0;
	for (const p of Object.keys(spec.paths).filter(
		(x) => x.startsWith('/api/v1/tickets/{id}/') && spec.paths[x].post,
	)) {
		const schema = (
				spec.paths[p].post.requestBody || {
					content: {
						'application/json': {
							schema: { properties: {}, required: [] },
						},
					},
				}
			).content['application/json'].schema,
			body = {};
		for (const f of schema.required)
			body[f] =
				{
					at: new Date(Date.now() - 1000).toISOString(),
					until: new Date(Date.now() + 9e6).toISOString(),
					assignee_id: 1,
					owner_id: 1,
					parent_id: 1,
					comment_id: 1,
					score: 1,
					priority: 'P1',
					tags: ['x'],
					clock: 'response',
					kind: 'test',
					from: new Date(Date.now() + 1e6).toISOString(),
					to: new Date(Date.now() + 2e6).toISOString(),
				}[f] || 'x';
		for (const token of [other, otherAdmin]) {
			const r = await s.post(p.replace('{id}', k.id), token, body);
			assert.ok([41001, 40003].includes(r.code), p + ' ' + r.text);
			n404 += r.code === 41001;
		}
	}
	assert.ok(n404 > 50, n404 + ' not found');
	assert.ok(!(await s.get('/api/v1/tickets?limit=200', other)).text.includes('TOP SECRET'));
	assert.strictEqual(
		(await s.get('/api/v1/tickets?tenant_id=' + s.alpha, other)).code,
		40003 - ((await s.get('/api/v1/tickets?tenant_id=' + s.alpha, other)).code === 40001 ? 2 : 0),
	);
	assert.strictEqual(
		(await s.post('/api/v1/tickets', other, { title: 'x', description: 'y', tenant_id: s.alpha }))
			.code,
		40003,
	);
	assert.strictEqual((await s.get('/api/v1/staff', other)).code, 40003);
	assert.ok(!(await s.get('/api/v1/tenants', other)).text.includes('alpha'));
	for (const id of ['0', '-1', '1.5', 'x', '99999999999999999999', "1'--"])
		assert.ok(
			[41001, 40001].includes(
				(await s.get('/api/v1/tickets/' + encodeURIComponent(id), user)).code,
			),
			id,
		);
});
test('redact: a text disappears from every table; and so does what confirms a guess of it; its record remains', async () => {
	const t = await create(),
		word = 'hunter2-' + t.id;
	await ok(t.id, 'reply', { text: 'the password is ' + word }, user);
	const texts = (await s.get(`/api/v1/tickets/${t.id}/comments`, user)).data.items,
		said = texts.find((c) => c.body.includes(word)),
		sha = crypto
			.createHash('sha256')
			.update('the password is ' + word)
			.digest('hex');
	assert.ok(
		(await s.get(`/api/v1/tickets/${t.id}/history`, boss)).data.items.some(
			(e) => e.data.text_sha256 === sha,
		),
	);
	const path = `/api/v1/tickets/${t.id}/redact`,
		body = { comment_id: said.id, reason: 'a password' };
	assert.strictEqual((await s.post(path, user, body)).code, 40003);
	assert.strictEqual((await s.post(path, eng, body)).code, 40003);
	assert.strictEqual((await s.post(path, boss, { ...body, comment_id: 999999 })).code, 41001);
	const other = await create(),
		wrong = await s.post(`/api/v1/tickets/${other.id}/redact`, boss, body);
	assert.strictEqual(wrong.code, 41001, 'a text of another ticket');
	await ok(t.id, 'redact', body, boss);
	const after = (await s.get(`/api/v1/tickets/${t.id}/comments`, user)).data.items;
	assert.strictEqual(after.find((c) => c.id === said.id).body, '[redacted]');
	const tables = s.sql(
		"select oid::regclass from pg_class where relkind in ('r', 'p') and relnamespace in ('public'::regnamespace, 'part'::regnamespace)",
	);
	assert.ok(tables.split('\n').length > 50);
	assert.strictEqual(
		s.sql(
			tables
				.split('\n')
				.map((t) => `select '${t}' from ${t} t where t::text ~ '${word}|${sha}'`)
				.join(' union all '),
		),
		'',
	);
	const events = (await s.get(`/api/v1/tickets/${t.id}/history`, boss)).data.items;
	assert.ok(events.filter((e) => e.data.text_sha256).length >= 2, 'those of the other texts stay');
	const audit = await s.all('/api/v1/audit', boss);
	assert.ok(audit.length > 5 && !JSON.stringify(audit).includes(sha), 'the audit log');
	assert.ok(
		events.some(
			(e) => e.type === 'ticket.text_redacted' && e.data.redacted_comment_id === said.id,
		),
	);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('links, merge, cancel', async () => {
	const [a, b] = [await create(), await create()];
	await ok(a.id, 'link', { parent_id: b.id });
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${a.id}/link`, eng, { parent_id: 999999 })).code,
		41001,
		'no such parent',
	);
	assert.strictEqual((await s.get('/api/v1/tickets/' + a.id, eng)).data.parent_id, b.id);
	assert.strictEqual((await ok(a.id, 'merge')).status, 'merged');
	assert.strictEqual((await ok(b.id, 'cancel', { reason: 'mistake' }, user)).status, 'cancelled');
	assert.ok(
		(await s.get(`/api/v1/tickets/${b.id}/clocks`, user)).data.items.every(
			(c) => c.verdict === 'none',
		),
	);
});
test('a contact in the past stops the response clock at that instant; one in the future is refused', async () => {
	const k = await create({ priority: 'P0' });
	const at = (await s.get('/api/v1/tickets/' + k.id, eng)).data.opened_at;
	assert.strictEqual(
		(
			await act(k.id, 'contact', {
				text: 'called',
				at: new Date(Date.now() + 60e3).toISOString(),
			})
		).code,
		40001,
	);
	/* nobody called before the ticket was opened: two thousand years of missed updates held the loop up */
	for (const early of ['0001-01-01T00:00:00Z', new Date(Date.parse(at) - 1).toISOString()]) {
		const r = await act(k.id, 'contact', { text: 'called', at: early });
		assert.strictEqual(r.code, 40001, early);
		assert.match(r.text, /"at"/);
	}
	await ok(k.id, 'contact', { text: 'called', at: new Date(Date.parse(at) + 1).toISOString() });
	assert.strictEqual(
		(await s.get(`/api/v1/tickets/${k.id}/clocks`, eng)).data.items.find(
			(c) => c.clock === 'response',
		).verdict,
		'met',
	);
});
test('catalogue and webhooks: administrators only', async () => {
	const admin = await s.login('admin', 'alpha');
	assert.strictEqual(
		(
			await s.request('PUT', '/api/v1/catalogue/project/p1', {
				token: user,
				body: { name_zh: '项目', name_en: 'Project' },
			})
		).code,
		40003,
	);
	assert.strictEqual(
		(
			await s.request('PUT', '/api/v1/catalogue/project/p1', {
				token: admin,
				body: { name_zh: '项目', name_en: 'Project' },
			})
		).data.code,
		'p1',
	);
	assert.ok((await s.get('/api/v1/catalogue?kind=project', user)).text.includes('项目'));
	assert.ok(!(await s.get('/api/v1/catalogue?kind=project', other)).text.includes('项目'));
	const w = await s.post('/api/v1/webhooks', admin, {
		url: 'https://example.org/h',
		secret: 'a-long-enough-secret',
	});
	assert.strictEqual(w.status, 201);
	assert.ok(!(await s.get('/api/v1/webhooks', admin)).text.includes('a-long-enough-secret'));
	const again = (body) => s.post('/api/v1/webhooks', admin, body, { 'Idempotency-Key': 'hook-1' }),
		body = { url: 'https://example.org/i', secret: 'a-long-enough-secret' };
	const both = await Promise.all([again(body), again(body)]);
	assert.deepStrictEqual(
		both.map((r) => r.status),
		[201, 201],
	);
	assert.strictEqual(both[0].data.id, both[1].data.id, 'one webhook');
	assert.strictEqual(both.filter((r) => r.headers['idempotency-replayed']).length, 1);
	assert.strictEqual(
		(await again({ ...body, url: 'https://example.org/other' })).json.details.fields[0].field,
		'Idempotency-Key',
	);
});
const corpora = process.env.SLADESK_CORPORA,
	has = (f) => corpora && fs.existsSync(path.join(corpora, f));
test(
	'naughty strings come back byte for byte',
	{ skip: has('naughty_strings.json') ? false : 'the corpus is not here' },
	async () => {
		const strings = JSON.parse(fs.readFileSync(path.join(corpora, 'naughty_strings.json')));
		let n = 0;
		for (const x of strings) {
			if (!x || x.length > 5000) continue;
			const r = await s.post('/api/v1/tickets', user, { title: 'naughty', description: x });
			if (x.includes('\0') || !Buffer.from(x).toString().includes(x)) {
				assert.notStrictEqual(r.status, 201);
				continue;
			}
			if (
				/^[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\u2800]*$/u.test(
					x,
				)
			) {
				assert.strictEqual(
					r.status,
					400,
					'what shows nothing is refused: ' + escape(x),
				);
				continue;
			}
			assert.strictEqual(r.status, 201, x + r.text);
			assert.strictEqual(
				(await s.get(`/api/v1/tickets/${r.data.id}/comments`, user)).data.items[0]
					.body,
				x,
			);
			n++;
		}
		assert.ok(n > 400);
	},
);
test(
	'SQL injection in every parameter has no effect',
	{ skip: has('sqli.txt.gz') ? false : 'the corpus is not here' },
	async () => {
		const lines = zlib
			.gunzipSync(fs.readFileSync(path.join(corpora, 'sqli.txt.gz')))
			.toString()
			.split('\n')
			.filter(Boolean);
		let slowest = 0;
		for (let i = 0; i < lines.length; i++) {
			const q = encodeURIComponent(lines[i]),
				began = Date.now();
			for (const r of await Promise.all([
				...[`?tag=${q}`, `?cursor=${q}`, `?status=${q}`, `?sort=${q}`, '/' + q].map(
					(p) => s.get('/api/v1/tickets' + p, other),
				),
				s.post('/api/v1/tickets', other, {
					title: 'x',
					description: 'y',
					priority: lines[i],
				}),
				s.post('/api/v1/auth/login', null, {
					username: lines[i],
					password: 'x',
					tenant: lines[i],
					bogus: lines[i],
				}),
			])) {
				assert.ok([200, 400, 404, 403].includes(r.status), lines[i] + r.text);
				assert.ok(!/alpha|syntax|relation|pg_/.test(r.text), r.text);
			}
			slowest = Math.max(slowest, Date.now() - began);
		}
		assert.ok(slowest < 4000);
	},
);
