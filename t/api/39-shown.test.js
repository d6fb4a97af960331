// SPDX-License-Identifier: Apache-2.0
// Who sees what: exports by their creator's data scope, no internal fields on any customer's route, no portal by a tenant id, metrics, and headers
// and cookies that other sites cannot use.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const WebSocket = require('ws');
const { Server, waitUntil, hookSink, PASSWORD } = require('../lib/server.js');

let s, admin, boss, eng, hook;
const users = '/api/v1/client/admin/users';
const put = (p, token, body) => s.request('PUT', p, { token, body });
const MARK = 'zebra-mark-7';
test.before(async () => {
	hook = await hookSink();
	s = await Server.make('shown');
	[admin, boss, eng] = await Promise.all([s.login('admin', 'alpha'), s.login('boss'), s.login('eng1')]);
});
test.after(async () => {
	await s.drop();
	await hook.close();
});
let serial = 0;
async function person(scope, more = []) {
	const username = 'limited' + ++serial,
		r = await s.post(users, admin, {
			username,
			password: 'Erst-Passwort-1',
			full_name: username,
			email: username + '@alpha.example',
			role_type: 'manager',
		});
	assert.strictEqual(r.status, 201, r.text);
	s.sql(`update client_users set must_change = false where id = ${r.data.user_id}`);
	const me = { id: r.data.user_id, username };
	await limit(me, scope, more);
	return me;
}
async function limit(me, scope, more = []) {
	const grants = [
		{
			resource_type: 'export',
			permissions: { all: true },
			...(scope ? { data_scope: scope } : {}),
		},
		...more,
	];
	assert.strictEqual((await put(`${users}/${me.id}/permissions`, admin, { grants })).status, 200);
	const r = await s.post('/api/v1/auth/login', null, {
		username: me.username,
		password: 'Erst-Passwort-1',
		tenant: 'alpha',
	});
	assert.strictEqual(r.status, 200, r.text);
	me.token = r.data.access_token;
}
async function makeExport(token) {
	const r = await s.post('/api/v1/client/export/data', token, {
		export_type: 'ticket_data',
		format: 'csv',
	});
	assert.strictEqual(r.status, 202, r.text);
	const id = r.data.export_id;
	return waitUntil(async () => {
		const e = (await s.get('/api/v1/client/export/data/' + id, token)).data;
		return e.status === 'completed' && e;
	});
}
const sees = async (token, e) => {
	const list = (await s.get('/api/v1/client/export/data?limit=200', token)).data.items,
		got = {
			list: list.some((x) => x.export_id === e.export_id),
			get: (await s.get('/api/v1/client/export/data/' + e.export_id, token)).status === 200,
			file:
				(await s.get('/api/v1/client/files/download/' + e.file_id, token)).status ===
				200,
		};
	assert.ok(got.list === got.get && got.get === got.file, JSON.stringify(got));
	return got.get;
};
test('an export can be read only by users who see all that its creator saw: in the list, alone, as a file', async () => {
	const hr = { departments: ['HR'] },
		it = { departments: ['IT'] };
	await s.post('/api/v1/tickets', admin, { title: 'a', description: 'b', priority: 'P3' });
	const [one, same, other, free] = [
			await person(hr),
			await person(hr),
			await person(it),
			await person(null),
		],
		whole = await makeExport(admin),
		part = await makeExport(one.token),
		own = await makeExport(free.token);
	assert.strictEqual(whole.records > 0, true);
	for (const [who, e, may] of [
		[admin, whole, true],
		[admin, part, true],
		[one.token, part, true],
		[free.token, whole, true],
		[free.token, part, true],
		[one.token, whole, false],
		[other.token, whole, false],
		[other.token, part, false],
		/* the same limits, but with the maker's own tickets */
		[same.token, part, false],
	])
		assert.strictEqual(await sees(who, e), may);
	/* one's own file, made before being limited */
	assert.strictEqual(await sees(free.token, own), true);
	await limit(free, hr);
	assert.strictEqual(await sees(free.token, own), false);
	await limit(free, null);
	assert.strictEqual(await sees(free.token, own), true);
});
/* What the live feed says to TOKEN until it is up to date. */
async function live(token, since) {
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`),
		all = [];
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token })));
	ws.on('message', (m) => {
		all.push(JSON.parse(m));
		if (all.at(-1).op === 'welcome')
			ws.send(JSON.stringify({ op: 'subscribe', topics: ['tickets', 'alerts'], since }));
	});
	await waitUntil(() => all.some((e) => e.op === 'snapshot' || e.op === 'resumed'));
	ws.close();
	return all;
}
test('no route, event or webhook shows a customer the internal fields of a ticket', async () => {
	const INTERNAL = [
			'tags',
			'parent_id',
			'excluded_windows',
			'exclusion_kind',
			'exclusion_state',
			'exclusion_proposer',
			'exclusion_approver',
		],
		/* what the clocks and the storing work with, by whatever name */
		NEVER = ['windows', 'muted', 'row_version', 'exclusion', 'approver', 'proposer'];
	assert.strictEqual(
		(
			await s.post('/api/v1/webhooks', admin, {
				url: hook.url,
				secret: 's'.repeat(20),
			})
		).status,
		201,
	);
	const make = async () =>
			(
				await s.post('/api/v1/tickets', admin, {
					title: 'a',
					description: 'b',
					priority: 'P3',
				})
			).data.id,
		parent = await make(),
		id = await make(),
		act = async (cmd, body, token = eng) => {
			const r = await s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
			assert.strictEqual(r.status, 200, cmd + r.text);
		};
	await act('tags', { tags: [MARK] });
	await act('link', { parent_id: parent });
	await act('propose-exclusion', { kind: 'spam', reason: MARK });
	await act('note', { text: MARK });
	/* the window itself is announced to the customer; how the clocks store it is not */
	await act(
		'exclude-window',
		{
			from: new Date(Date.now() + 3600e3).toISOString(),
			to: new Date(Date.now() + 7200e3).toISOString(),
			reason: 'maintenance of Sunday',
		},
		boss,
	);
	await act('approve-exclusion', { reason: MARK }, boss);
	await act('reply', { text: 'hello' });
	const staff = (await s.get('/api/v1/tickets/' + id, eng)).data;
	for (const f of INTERNAL) assert.ok(staff[f] && staff[f] !== null, f + ' is there for staff');
	const token = s
			.cli([
				...['token', 'add', '--tenant', 'alpha', '--name', 'svc', '--scopes'],
				'ticket:read,sla:read,dashboard:read,report:read,user:read,audit:read,report:export',
			])
			.trim(),
		spec = (await s.get('/openapi.json')).json;
	const walk = (v, at) => {
		if (Array.isArray(v)) v.forEach((x) => walk(x, at));
		else if (v && typeof v === 'object')
			for (const [k, x] of Object.entries(v)) {
				assert.ok(!INTERNAL.includes(k) && !NEVER.includes(k), `${at} shows ${k}`);
				if (k === 'field' || k === 'name')
					assert.ok(!INTERNAL.includes(x), `${at} shows a change of ${x}`);
				walk(x, at);
			}
	};
	let n = 0;
	for (const [p, methods] of Object.entries(spec.paths)) {
		if (!methods.get || methods.get['x-permission'] === 'anyone' || /\/docs/.test(p)) continue;
		const needed = (methods.get.parameters || [])
				.filter((x) => x.in === 'query' && x.required)
				.map((x) => `${x.name}=${x.schema.enum ? x.schema.enum[0] : x.example}`),
			url =
				p.replace('{tenant_id}', s.alpha).replace(/\{.*?\}/g, id) +
				(needed.length ? '?' + needed.join('&') : '');
		for (const who of [admin, token]) {
			const r = await s.get(url, who);
			assert.ok(r.status < 500, url + r.text);
			assert.ok(!r.text.includes(MARK), `${url} shows the mark`);
			walk(r.json, url);
			n++;
		}
	}
	/* the answers to a customer's own commands */
	for (const [cmd, body] of [
		['reply', { text: 'thanks' }],
		['escalate', { reason: 'soon please' }],
	]) {
		const r = await s.post(`/api/v1/tickets/${id}/${cmd}`, admin, body);
		assert.strictEqual(r.status, 200, cmd + r.text);
		walk(r.json, cmd);
	}
	/* the live feed: the snapshot, and from the beginning what has happened */
	for (const since of [undefined, 0]) {
		const f = await live(admin, since);
		for (const e of f) {
			assert.ok(!JSON.stringify(e).includes(MARK), 'the live feed shows the mark');
			walk(e, 'live ' + e.op);
		}
	}
	/* an export with all that can be asked for */
	const e = (
			await s.post('/api/v1/client/export/data', admin, {
				export_type: 'ticket_data',
				format: 'json',
			})
		).data,
		file = await waitUntil(async () => {
			const x = (await s.get('/api/v1/client/export/data/' + e.export_id, admin)).data;
			return (
				x.status === 'completed' &&
				s.get('/api/v1/client/files/download/' + x.file_id, admin)
			);
		});
	assert.ok(file.text.includes('"ticket_id"') && !file.text.includes(MARK), file.text);
	walk(JSON.parse(file.text), 'export');
	for (const p of ['/api/v1/tickets', '/api/v1/client/tickets'])
		for (const sort of ['', '&sort=urgent']) {
			const asked = await s.get(`${p}?tag=${MARK}${sort}`, admin);
			assert.deepStrictEqual(asked.data, { items: [], next_cursor: null }, asked.text);
			assert.strictEqual(
				(await s.get(`${p}?tag=${MARK}${sort}`, eng)).data.items.length,
				1,
			);
		}
	await waitUntil(() => hook.calls.some((c) => JSON.parse(c.body).type === 'ticket.replied'));
	for (const c of hook.calls) {
		assert.ok(!c.body.includes(MARK));
		walk(JSON.parse(c.body), 'webhook');
	}
	console.log(`shown: ${n} answers to a customer, 0 internal fields`);
});
test('a login that sets cookies accepts only JSON from our own pages', async () => {
	const ours = 'http://127.0.0.1:' + s.port,
		spec = (await s.get('/openapi.json')).json,
		routes = Object.entries(spec.paths)
			.filter(
				([, m]) =>
					m.post &&
					m.post.requestBody &&
					m.post.requestBody.content['application/json'] &&
					m.post.requestBody.content['application/json'].schema.properties
						.cookies,
			)
			.map(([p]) => p),
		send = (p, headers, cookies = true) =>
			s.request('POST', p, {
				raw: JSON.stringify({
					username: 'user',
					password: PASSWORD,
					tenant: 'alpha',
					...(p.includes('client')
						? { tenant_id: s.alpha, tenant: undefined }
						: {}),
					cookies,
				}),
				headers,
			});
	assert.ok(routes.length >= 4, routes.join());
	for (const p of routes) {
		for (const type of [
			'text/plain',
			'application/x-www-form-urlencoded',
			'multipart/form-data',
			'text/plain;application/json',
		])
			assert.strictEqual(
				(await send(p, { 'Content-Type': type, Origin: ours })).status,
				415,
				p + type,
			);
		for (const origin of [
			'https://evil.example',
			'null',
			'https://127.0.0.1:' + s.port,
			'http://127.0.0.1',
			'http://127.0.0.1:' + (s.port + 1),
			'http://127.0.0.1:' + s.port + '.evil.example',
			'x' + ours,
		]) {
			const r = await send(p, { 'Content-Type': 'application/json', Origin: origin });
			assert.strictEqual(r.status, 403, p + origin);
			assert.strictEqual(r.headers['set-cookie'], undefined);
		}
	}
	for (const headers of [
		{ 'Content-Type': 'application/json', Origin: ours },
		{ 'Content-Type': 'Application/JSON; charset=utf-8', Origin: ours },
		{ 'Content-Type': 'application/json' },
	]) {
		const r = await send('/api/v1/auth/login', headers);
		assert.strictEqual(r.status, 200, r.text);
		assert.strictEqual(r.headers['set-cookie'].length, 3);
	}
});
test('a tenant id alone does not select a portal; a code, a host or a session does', async () => {
	const theme = (of, token) => s.get('/api/v1/client/theme/' + of, token);
	const answers = [s.alpha, s.beta, 1, 999999].map((n) => theme(n));
	const texts = (await Promise.all(answers)).map((r) => [r.status, r.data]);
	for (const t of texts) assert.deepStrictEqual(t, [200, null]);
	for (const n of [s.alpha, 999999]) assert.strictEqual((await theme(n + '/logo')).status, 404);
	assert.strictEqual((await theme('alpha')).data.name, 'Tenant alpha');
	assert.strictEqual((await theme(s.alpha, admin)).data.name, 'Tenant alpha');
	assert.match((await theme(s.alpha, admin)).headers['cache-control'], /^private/);
	assert.strictEqual((await theme(s.alpha, boss)).data.name, 'Tenant alpha');
	for (const n of [s.beta, 1, 999999]) {
		const r = await theme(n, admin);
		assert.deepStrictEqual([r.status, r.data], [200, null], 'the same with a session of another customer');
	}
});
test("a customer's code is never digits only, and an old one never stands for another's number", async () => {
	assert.throws(() => s.cli(['tenant', 'add', '--code', '4711', '--name', 'x']), /digits/);
	const token = s
			.cli([
				'token',
				'add',
				'--tenant',
				'provider',
				'--name',
				'crm',
				'--scopes',
				'user:write',
			])
			.trim(),
		sync = (code) =>
			s.post('/api/v1/integration/customers/sync', token, {
				customers: [{ external_id: 'c-' + code, code, name: 'x' }],
			});
	const bad = await sync('4711');
	assert.match(bad.text, /"code"/, bad.text);
	assert.strictEqual(s.sql("select count(*) from customers where code ~ '^[0-9]+$'"), '0');
	assert.strictEqual((await sync('a4711')).status, 200);
	/* as an older version could leave it: the number of alpha as the code of beta */
	s.sql(
		`alter table customers drop constraint customers_code_not_a_number; update customers set code = '${s.alpha}' where tenant_id = ${s.beta}`,
	);
	const r = await s.post('/api/v1/auth/login', null, {
		username: 'admin',
		password: PASSWORD,
		tenant: String(s.alpha),
	});
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual((await s.get('/api/v1/me', r.data.access_token)).data.tenant_id, s.alpha);
});
test('metrics: from the listed addresses or with the token', async () => {
	const file = path.join(s.dir, 'metrics.token'),
		secret = 'm'.repeat(40);
	const get = (headers = {}) => s.get('/metrics', null, headers);
	assert.strictEqual((await get()).status, 200, 'loopback');
	assert.strictEqual((await get({ 'X-Forwarded-For': '127.0.0.1, ::1' })).status, 200);
	for (const from of ['203.0.113.9', '127.0.0.1, 203.0.113.9', '203.0.113.9, 127.0.0.1', 'x'])
		assert.strictEqual((await get({ 'X-Forwarded-For': from })).status, 403, from);
	assert.strictEqual(
		(await get({ 'X-Forwarded-For': ['127.0.0.1', '203.0.113.9'] })).status,
		403,
		'two headers',
	);
	assert.strictEqual((await get({ Forwarded: 'for=203.0.113.9' })).status, 403);
	fs.writeFileSync(file, secret + '\n', { mode: 0o600 });
	if (process.env.RUNAS) execFileSync('chown', [process.env.RUNAS + ':', file]);
	const other = await s.another({
		metrics: { allow: '10.0.0.0/8,2001:db8::/32', token_file: file },
	});
	try {
		const there = (headers) => other.get('/metrics', null, headers);
		assert.strictEqual((await there()).status, 403);
		assert.strictEqual((await there({ Authorization: 'Bearer ' + secret })).status, 200);
		assert.strictEqual((await there({ Authorization: 'Bearer ' + secret + 'x' })).status, 403);
		assert.strictEqual((await there({ Authorization: 'Bearer ' })).status, 403);
	} finally {
		await other.stop();
	}
});
test('over https every reply has HSTS, and pages connect to our own host only', async () => {
	const t = await s.another({ http: { url: 'https://desk.example' } });
	try {
		for (const p of [
			'/',
			'/app.js',
			'/app.css',
			'/docs',
			'/healthz',
			'/readyz',
			'/openapi.json',
			'/nothing',
			'/api/v1/me',
			'/api/v1/nothing',
			'/.well-known/jwks.json',
		]) {
			const r = await t.get(p);
			assert.match(r.headers['strict-transport-security'] || '', /^max-age=\d{7,}/, p);
			assert.match(r.headers['content-security-policy'], /connect-src 'self';/, p);
		}
		const tag = (await t.get('/app.js')).headers.etag,
			same = await t.get('/app.js', null, { 'If-None-Match': tag });
		assert.strictEqual(same.status, 304);
		assert.match(same.headers['strict-transport-security'], /max-age/);
		/* the session's cookies by exact name: a planted one with a longer name is none */
		const r = await t.post(
			'/api/v1/auth/login',
			null,
			{ username: 'user', password: PASSWORD, tenant: 'alpha', cookies: true },
			{ 'Content-Type': 'application/json', Origin: 'https://' + '127.0.0.1:' + t.port },
		);
		assert.strictEqual(r.status, 200, r.text);
		for (const c of r.headers['set-cookie']) assert.match(c, /^__(Host|Secure)-.*; Secure/);
	} finally {
		await t.stop();
	}
	assert.strictEqual((await s.get('/')).headers['strict-transport-security'], undefined);
});
