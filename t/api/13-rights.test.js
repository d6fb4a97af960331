// SPDX-License-Identifier: Apache-2.0
// Rights: roles as data, grants and restrictions of a single user, data scopes, users managed by their own administrator. A change takes effect
// at once on every instance, and the user is notified.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const fs = require('node:fs'),
	path = require('node:path');
const WebSocket = require('ws');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');

let s, mail, admin;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('rights', { mail: { url: mail.url } });
	admin = await s.login('admin', 'alpha');
});
test.after(async () => {
	await s.drop();
	await mail.close();
});
const users = '/api/v1/client/admin/users';
const put = (p, token, body) => s.request('PUT', p, { token, body });
const told = (who, what) => mail.mails.filter((m) => m.to[0] === who && m.subject.includes(what));
let serial = 0;
async function person(more = {}) {
	const username = 'person' + ++serial,
		r = await s.post(users, admin, {
			username,
			password: 'Erst-Passwort-1',
			full_name: 'Person ' + serial,
			email: username + '@alpha.example',
			lang: 'en',
			...more,
		});
	assert.strictEqual(r.status, 201, r.text);
	s.sql(`update client_users set must_change = false where id = ${r.data.user_id}`);
	return { id: r.data.user_id, username, login: () => login(username) };
}
async function login(username) {
	const r = await s.post('/api/v1/client/auth/login', null, {
		username,
		password: 'Erst-Passwort-1',
		tenant_id: s.alpha,
	});
	assert.strictEqual(r.status, 200, r.text);
	return r.data.access_token;
}

test('a role is a set of permissions in data: the login lists it, auth/permissions shows it by resource', async () => {
	const r = (
		await s.post('/api/v1/client/auth/login', null, {
			username: 'admin',
			password: PASSWORD,
			tenant_id: s.alpha,
		})
	).data;
	assert.ok(
		r.user_info.permissions.includes('user:write') &&
			r.user_info.permissions.includes('sla:read'),
	);
	const mine = (await s.get('/api/v1/client/auth/permissions', r.access_token)).data;
	assert.strictEqual(mine.tenant_id, s.alpha);
	assert.deepStrictEqual(mine.permissions.report, { read: true, write: true, export: true });
	assert.deepStrictEqual(mine.permissions.sla, { read: true, write: false });
	assert.strictEqual(mine.data_scope, null);
	const flat = Object.entries(mine.permissions).flatMap(([k, v]) =>
		Object.entries(v)
			.filter(([, on]) => on)
			.map(([verb]) => `${k}:${verb}`),
	);
	assert.deepStrictEqual(flat.sort(), [...r.user_info.permissions].sort(), 'from one source');
	/* a tenant's own set of a role takes precedence over the common one */
	const user = await s.login('user', 'beta');
	assert.strictEqual((await s.get(users, user)).status, 403);
	s.sql(
		`insert into roles (tenant_id, kind, role, name_zh, name_en, permissions) values (${s.beta}, 'customer', 'user', '用户', 'User', '{ticket:read,user:read}')`,
	);
	await waitUntil(async () => (await s.get(users, user)).status === 200, 8000);
	assert.strictEqual(
		(await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).code,
		40003,
	);
});
test('users are created, listed, changed and disabled by their administrator only; mail and phone are masked for others', async () => {
	const p = await person({ phone: '13812345678', role_type: 'manager', department: 'IT' });
	await waitUntil(() => told(p.username + '@alpha.example', 'account is ready').length === 1);
	const seen = (await s.get(`${users}/${p.id}`, admin)).data;
	assert.deepStrictEqual(
		[seen.username, seen.phone, seen.email, seen.role_type, seen.department, seen.is_active],
		[p.username, '13812345678', p.username + '@alpha.example', 'manager', 'IT', true],
	);
	const manager = await p.login(),
		masked = (await s.get(`${users}/${p.id}`, manager)).data;
	assert.deepStrictEqual([masked.phone, masked.email], ['138****5678', 'p***@alpha.example']);
	assert.ok(!(await s.get(users, manager)).text.includes('13812345678'));
	assert.strictEqual((await put(`${users}/${p.id}`, manager, { full_name: 'Me' })).code, 40003);
	assert.strictEqual((await s.get(users, await s.login('user', 'alpha'))).code, 40003);

	assert.strictEqual((await put(`${users}/${p.id}`, admin, { full_name: 'Anna' })).status, 200);
	assert.strictEqual(
		(await s.get('/api/v1/me', manager)).status,
		200,
		'the name of a role is not a right',
	);
	assert.strictEqual((await put(`${users}/${p.id}`, admin, { role_type: 'user' })).status, 200);
	await waitUntil(async () => (await s.get('/api/v1/me', manager)).status === 401, 1500);
	await waitUntil(() => told(p.username + '@alpha.example', 'account was changed').length === 1);
	assert.match(
		told(p.username + '@alpha.example', 'account was changed')[0].body,
		/admin changed the rights of your account\.\n\nRole: Manager → User\n/,
	);
	assert.strictEqual((await s.get(users, await p.login())).code, 40003);
	assert.strictEqual((await put(`${users}/${p.id}`, admin, { is_active: false })).status, 200);
	assert.strictEqual(
		(
			await s.post('/api/v1/client/auth/login', null, {
				username: p.username,
				password: 'Erst-Passwort-1',
				tenant_id: s.alpha,
			})
		).status,
		401,
	);
	const me = (await s.get('/api/v1/me', admin)).data.user_id;
	for (const body of [{ is_active: false }, { role_type: 'user' }]) {
		const r = await put(`${users}/${me}`, admin, body);
		assert.deepStrictEqual([r.status, r.code], [409, 41002], 'the last administrator stays');
	}
	const list = (await s.get(users + '?is_active=false', admin)).data.items;
	assert.deepStrictEqual(
		list.map((u) => u.username),
		[p.username],
	);
});
test('invalid input: every field is named; another tenant appears not to exist', async () => {
	const bad = await s.post(users, admin, {
		username: 'Bad Name',
		password: 'short',
		full_name: '',
		email: 'nobody',
		phone: 'call me',
		lang: 'fr',
		role_type: 'root',
		surprise: 1,
	});
	assert.deepStrictEqual(bad.json.details.fields.map((f) => f.field).sort(), [
		'email',
		'full_name',
		'lang',
		'password',
		'phone',
		'role_type',
		'surprise',
		'username',
	]);
	const p = await person();
	for (const again of [
		{ username: p.username },
		{ username: 'fresh', email: p.username.toUpperCase() + '@alpha.example' },
	])
		assert.strictEqual(
			(
				await s.post(users, admin, {
					password: 'Erst-Passwort-1',
					full_name: 'x',
					email: 'x@alpha.example',
					...again,
				})
			).code,
			41003,
		);
	const boss = await s.login('boss');
	for (const r of [
		await s.post(users, boss, {}),
		await put(`${users}/${p.id}`, boss, { full_name: 'x' }),
		await put(`${users}/${p.id}/permissions`, boss, { grants: [] }),
	])
		assert.strictEqual(r.code, 40003, 'staff are not of the tenant');
	const foreign = await s.login('admin', 'beta');
	for (const r of [
		await s.get(`${users}/${p.id}`, foreign),
		await put(`${users}/${p.id}`, foreign, { full_name: 'x' }),
		await put(`${users}/${p.id}/permissions`, foreign, { grants: [] }),
	])
		assert.strictEqual(r.code, 41001, r.text);
	for (const [field, grant] of [
		['resource_type', { resource_type: 'root', permissions: { read: true } }],
		['permissions', { resource_type: 'report', permissions: { fly: true } }],
		['permissions', { resource_type: 'report', permissions: { read: 'yes' } }],
		['permissions', { resource_type: 'ticket', permissions: { judge: true } }],
		[
			'data_scope',
			{ resource_type: 'ticket', permissions: { read: true }, data_scope: { x: [] } },
		],
		[
			'data_scope',
			{
				resource_type: 'ticket',
				permissions: { read: true },
				data_scope: { departments: [1] },
			},
		],
		[
			'valid_to',
			{
				resource_type: 'report',
				permissions: { read: true },
				valid_to: '2020-01-01T00:00:00Z',
			},
		],
		['valid_from', { resource_type: 'report', permissions: { read: true }, valid_from: 'soon' }],
		['more', { resource_type: 'report', permissions: { read: true }, more: 1 }],
	]) {
		const r = await put(`${users}/${p.id}/permissions`, admin, { grants: [grant] });
		assert.strictEqual(r.json.details.fields[0].field, `grants[0].${field}`, r.text);
	}
});
test('grants and restrictions extend the role while they are valid; a change takes effect within a second on every instance', async () => {
	const p = await person(),
		path = `${users}/${p.id}/permissions`,
		token = await p.login(),
		may = async (t) => (await s.get('/api/v1/auth/permissions', t)).data.permissions;
	assert.deepStrictEqual((await may(token)).user, { read: false, write: false });
	const feed = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`);
	let closed;
	feed.on('open', () => feed.send(JSON.stringify({ op: 'auth', token })));
	feed.on('close', (code) => (closed = code));
	const welcome = new Promise((r) => feed.once('message', r));
	await welcome;
	const r = await put(path, admin, {
		grants: [
			{ resource_type: 'user', permissions: { read: true } },
			{ resource_type: 'ticket', permissions: { write: false } },
			{
				resource_type: 'report',
				permissions: { export: true },
				valid_from: '2020-01-01T00:00:00Z',
				valid_to: '2020-02-01T00:00:00Z',
			},
		],
	});
	assert.strictEqual(r.status, 200, r.text);
	await waitUntil(async () => (await s.get('/api/v1/me', token)).status === 401, 1000);
	await waitUntil(() => closed === 4401, 1500);
	await waitUntil(() => told(p.username + '@alpha.example', 'account was changed').length === 1);
	const now = await p.login(),
		rights = await may(now);
	assert.deepStrictEqual(rights.user, { read: true, write: false });
	assert.deepStrictEqual(rights.ticket, { read: true, write: false, judge: false });
	assert.strictEqual(rights.report.export, false, 'it has expired');
	assert.strictEqual((await s.get(users, now)).status, 200);
	assert.strictEqual(
		(await s.post('/api/v1/tickets', now, { title: 'x', description: 'y' })).code,
		40003,
	);
	const shown = (await s.get(path, admin)).data.items;
	assert.deepStrictEqual(
		shown.map((g) => g.resource_type),
		['user', 'ticket', 'report'],
	);
	assert.strictEqual((await put(path, admin, { grants: [] })).status, 200);
	assert.deepStrictEqual((await may(await p.login())).ticket.write, true);
});
test("a data scope limits tickets, their texts, events, clocks and the feed to that part and the user's own tickets", async () => {
	const p = await person(),
		make = async (token, more) =>
			(
				await s.post('/api/v1/tickets', token, {
					title: 'scoped',
					description: 'secret words',
					...more,
				})
			).data.id;
	for (const [kind, code] of [
		['department', 'IT'],
		['department', 'HR'],
		['project', 'A'],
		['project', 'B'],
	])
		assert.strictEqual(
			(
				await put(`/api/v1/catalogue/${kind}/${code}`, admin, {
					name_zh: code,
					name_en: code,
				})
			).status,
			200,
		);
	const grant = (data_scope) =>
		put(`${users}/${p.id}/permissions`, admin, {
			grants: [{ resource_type: 'ticket', permissions: { read: true }, data_scope }],
		});
	assert.strictEqual((await grant({ departments: ['IT'], projects: ['A'] })).status, 200);
	const token = await p.login(),
		heard = new Set(),
		feed = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`);
	feed.on('open', () => feed.send(JSON.stringify({ op: 'auth', token })));
	const ready = new Promise((r) =>
		feed.on('message', (m) => {
			const e = JSON.parse(m);
			if (e.op === 'welcome')
				feed.send(JSON.stringify({ op: 'subscribe', topics: ['tickets'] }));
			if (e.op === 'snapshot') r();
			if (e.op === 'event') heard.add(e.ticket_id);
		}),
	);
	await ready;
	const inside = await make(admin, { department: 'IT', project: 'A' }),
		outside = [
			await make(admin, { department: 'HR', project: 'A' }),
			await make(admin, { department: 'IT', project: 'B' }),
			await make(admin, { department: 'IT' }),
			await make(admin, {}),
		],
		own = await make(token, { department: 'HR' });
	const listed = (await s.get('/api/v1/tickets?limit=200', token)).data.items.map((t) => t.id),
		urgent = (await s.get('/api/v1/tickets?sort=urgent&limit=200', token)).data.items.map(
			(t) => t.id,
		);
	assert.deepStrictEqual(listed.sort(), [inside, own].sort());
	assert.deepStrictEqual(urgent.sort(), [inside, own].sort());
	for (const id of outside)
		for (const sub of ['', '/comments', '/clocks', '/history', '/sla']) {
			const r = await s.get(`/api/v1/tickets/${id}${sub}`, token);
			assert.ok(
				r.code === 41001 || (r.data.items && r.data.items.length === 0),
				sub + r.text,
			);
		}
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${outside[0]}/reply`, token, { text: 'x' })).code,
		41001,
	);
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${inside}/reply`, token, { text: 'x' })).status,
		200,
	);
	assert.ok((await s.get(`/api/v1/tickets/${inside}/comments`, token)).data.items.length === 2);
	await waitUntil(() => heard.has(own) && heard.has(inside));
	assert.ok(
		outside.every((id) => !heard.has(id)),
		'the feed reveals nothing of the others',
	);
	feed.close();
	assert.strictEqual((await grant({ departments: ['HR'] })).status, 200);
	const wider = (await s.get('/api/v1/tickets?limit=200', await p.login())).data.items.map((t) => t.id);
	assert.deepStrictEqual(wider.sort(), [outside[0], own].sort(), 'an absent list does not limit');
});

/* --- scopes of service tokens --- */

/* What the product document names: in its roles (7.1.2) and in its log-in (4.2.1). */
const DOCUMENT = ['dashboard', 'report', 'user', 'sla'].flatMap((r) => [`${r}:read`, `${r}:write`]).concat('report:export', 'export:all');
const OLDER = { 'tickets:read': ['ticket:read'], 'tickets:write': ['ticket:write'] };
/* every route whose permission is a scope, and which a program may call: [method, path, permission] */
function scoped() {
	return fs
		.readFileSync(path.join(__dirname, '../../doc/api/routes.txt'), 'utf8')
		.split('\n')
		.map((l) => l.trim().split(/\s+/))
		.filter(([, p, permission, kind]) => p && /^[a-z]+:[a-z]+$/.test(permission) && /^(user|service|provider_service)$/.test(kind));
}
test('a scope opens the routes of its permission and no others; the older names open theirs', async () => {
	const routes = scoped(),
		scopes = [...new Set([...routes.map((r) => r[2]), ...DOCUMENT])].sort(),
		tokens = {},
		without = {},
		faults = [];
	assert.ok(routes.length > 90, String(routes.length));
	for (const one of scopes) {
		tokens[one] = s.token('provider', one);
		without[one] = s.token('provider', scopes.filter((x) => x !== one).join(','));
	}
	for (const [older, now] of Object.entries(OLDER)) for (const one of now) tokens[older] = [s.token('provider', older), one];
	const ask = async (method, p, token) => {
		const r = await s.request(method, p.replace('{tenant_id}', s.alpha).replace(/\{[^}]+\}/g, '999999'), { token, body: method === 'GET' ? undefined : {} });
		return r.code === 40003 && /your role does not allow/.test(r.json.details.user_message) && !r.json.details.field;
	};
	for (const [method, p, permission] of routes) {
		if (await ask(method, p, tokens[permission])) faults.push(`${method} ${p}: ${permission} is refused`);
		if (!(await ask(method, p, without[permission]))) faults.push(`${method} ${p}: opens without ${permission}`);
		for (const [older, one] of Object.values(tokens).filter(Array.isArray))
			if (one === permission && (await ask(method, p, older))) faults.push(`${method} ${p}: the older name of ${one} is refused`);
	}
	assert.deepStrictEqual(faults, []);
});
test('a scope that there is not is refused by name, with all that there are', () => {
	for (const bad of ['everything', 'ticket:fly', 'TICKET:READ', 'ticket', '', 'ticket:read,', 'ticket:read, sla:read', 'tickets:read;sla:read', '*']) {
		let text = '';
		assert.throws(() => s.token('alpha', bad), (e) => !!(text = String(e.stderr || e.message)), bad);
		assert.match(text, /--scopes: unknown scope/, bad);
		for (const one of [...DOCUMENT, 'tickets:read', 'admin']) assert.ok(text.includes(one), `${bad}: ${one} is not named`);
	}
});
