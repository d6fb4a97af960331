// SPDX-License-Identifier: Apache-2.0
// Nobody grants more than they have: permissions, data scope, validity, their own account, documents of the provider, service tokens. The tests take
// the routes that grant and those that write from the API description.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, PASSWORD } = require('../lib/server.js');

let s, admin;
const users = '/api/v1/client/admin/users';
const put = (p, token, body) => s.request('PUT', p, { token, body });
const digest = (sql) =>
	s.sql(`select md5(coalesce(string_agg(x::text, '|' order by x::text), '')) from (${sql}) x`);
const rightsNow = () =>
	digest(
		`select tenant_id, id, role_type, email, disabled_at, 0 from client_users union all select tenant_id, user_id, resource_type, permissions::text || coalesce(data_scope::text, ''), valid_to, 1 from client_permissions`,
	);
let serial = 0;
async function person(more = {}, grants) {
	const username = 'giver' + ++serial;
	const r = await s.post(users, admin, {
		username,
		password: 'Erst-Passwort-1',
		full_name: username,
		email: username + '@alpha.example',
		...more,
	});
	assert.strictEqual(r.status, 201, r.text);
	const id = r.data.user_id;
	s.sql(`update client_users set must_change = false where id = ${id}`);
	if (grants) await grant(id, grants);
	return { id, login: () => login(username) };
}
async function grant(id, grants) {
	const r = await put(`${users}/${id}/permissions`, admin, { grants });
	assert.strictEqual(r.status, 200, r.text);
}
async function login(username) {
	const r = await s.post('/api/v1/auth/login', null, {
		username,
		password: 'Erst-Passwort-1',
		tenant: 'alpha',
	});
	assert.strictEqual(r.status, 200, r.text);
	return r.data.access_token;
}
const one = (permission, on = true, more = {}) => {
	const [resource_type, verb] = permission.split(':');
	return { resource_type, permissions: { [verb]: on }, ...more };
};
async function refused(r, what) {
	assert.strictEqual(r.status, 403, `${what}: ${r.text}`);
	assert.ok(r.json.details.rule, `${what}: ${r.text}`);
}
test.before(async () => {
	s = await Server.make('grants', { token: { lifetime_s: '86400' } });
	admin = await s.login('admin', 'alpha');
});
test.after(() => s.drop());

test('every granting route: a user with user:write for one department cannot become, make or enter an administrator', async () => {
	const hr = { departments: ['HR'] },
		me = await person({}, [one('user:write', true, { data_scope: hr }), one('user:read')]),
		other = await person({}, [one('ticket:read', true, { data_scope: hr })]),
		wide = await person(),
		adminId = (await s.get('/api/v1/me', admin)).data.user_id,
		token = await me.login();
	const spec = (await s.get('/openapi.json')).json,
		giving = [];
	for (const [p, methods] of Object.entries(spec.paths))
		for (const [m, o] of Object.entries(methods))
			if (o['x-permission'] === 'user:write' && o['x-only'] === 'customer')
				giving.push(m.toUpperCase() + ' ' + p);
	const provider = {
		name: 'x',
		kind: 'oidc',
		issuer: 'https://idp.example',
		client_id: 'x',
		client_secret: 'x'.repeat(20),
	};
	const sinner = {
		username: 'made',
		password: 'Erst-Passwort-1',
		full_name: 'm',
		email: 'made@alpha.example',
	};
	/* every one of them, with what it must refuse this user */
	const cases = {
		[`POST ${users}`]: [{ ...sinner, role_type: 'admin' }, sinner],
		[`PUT ${users}/{user_id}`]: [
			[me.id, { role_type: 'admin' }],
			[me.id, { is_active: false }],
			[other.id, { role_type: 'admin' }],
			[other.id, { role_type: 'manager' }],
			[wide.id, { full_name: 'x' }],
			[adminId, { email: 'mine@alpha.example' }],
		],
		[`PUT ${users}/{user_id}/permissions`]: [
			[me.id, { grants: [] }],
			[me.id, { grants: [one('user:write')] }],
			[other.id, { grants: [] }],
			[other.id, { grants: [one('export:all', true, { data_scope: hr })] }],
			[
				other.id,
				{
					grants: [
						one('ticket:read', true, {
							data_scope: { departments: ['HR', 'IT'] },
						}),
					],
				},
			],
			[
				other.id,
				{ grants: [one('ticket:read', true, { data_scope: { projects: ['HR'] } })] },
			],
			[
				other.id,
				{
					grants: [
						one('ticket:read', true, {
							data_scope: hr,
							valid_to: new Date(Date.now() + 3600e3).toISOString(),
						}),
					],
				},
			],
			[adminId, { grants: [] }],
		],
		[`POST ${users}/{user_id}/reset-factors`]: [[me.id], [wide.id], [adminId]],
		'POST /api/v1/client/admin/identity-providers': [provider],
		'PUT /api/v1/client/admin/identity-providers/{provider_id}': [[1, provider]],
		'DELETE /api/v1/client/admin/identity-providers/{provider_id}': [[1]],
		'POST /api/v1/client/admin/mail-domains': [{ domain: 'x.example' }],
		'POST /api/v1/client/admin/mail-domains/{domain_id}/verify': [[1]],
		'PUT /api/v1/client/admin/security': [{ mfa_required: false }],
		'PUT /api/v1/client/theme': [{ display_name: 'x' }],
		'PUT /api/v1/client/theme/logo': [{}],
		'DELETE /api/v1/client/theme/logo': [undefined],
	};
	let n = 0;
	for (const route of giving) {
		assert.ok(cases[route], `${route} grants rights: which requests must it refuse?`);
		for (const c of cases[route]) {
			const [method, p] = route.split(' '),
				[id, body] = Array.isArray(c) ? c : [0, c],
				before = rightsNow();
			await refused(
				await s.request(method, p.replace(/\{.*?\}/, id), { token, body }),
				`${route} ${JSON.stringify(c)}`,
			);
			assert.strictEqual(rightsNow(), before, route + ' changed nothing');
			n++;
		}
	}
	/* and what it may: */
	assert.strictEqual((await put(`${users}/${me.id}`, token, { full_name: 'My Name' })).status, 200);
	assert.strictEqual((await put(`${users}/${other.id}`, token, { full_name: 'Other' })).status, 200);
	assert.strictEqual(
		(
			await put(`${users}/${other.id}/permissions`, token, {
				grants: [one('user:read', true, { data_scope: hr })],
			})
		).status,
		200,
	);
	assert.strictEqual(
		(await s.post(`${users}/${other.id}/reset-factors`, token)).status,
		404,
		'allowed, but there are none',
	);
	console.log(`grants: ${giving.length} routes, ${n} wider grants refused`);
});
test('every permission: a user without it cannot grant it, but can grant the others', async () => {
	const mine = (await s.get('/api/v1/auth/permissions', admin)).data.permissions,
		all = Object.entries(mine).flatMap(([r, verbs]) =>
			Object.entries(verbs)
				.filter(([, on]) => on)
				.map(([v]) => `${r}:${v}`),
		),
		base = (await person()).login;
	const userHas = Object.entries(
		(await s.get('/api/v1/auth/permissions', await base())).data.permissions,
	).flatMap(([r, verbs]) =>
		Object.entries(verbs)
			.filter(([, on]) => on)
			.map(([v]) => `${r}:${v}`),
	);
	const nothing = userHas.map((p) => one(p, false));
	let n = 0;
	assert.ok(all.length > 14);
	for (const p of all.filter((x) => !x.startsWith('user:'))) {
		const giver = await (await person({ role_type: 'admin' }, [one(p, false)])).login(),
			to = await person({}, nothing),
			set = (q) =>
				put(`${users}/${to.id}/permissions`, giver, {
					grants: [
						...nothing.filter(
							(g) =>
								JSON.stringify(g) !==
								JSON.stringify(one(q, false)),
						),
						one(q),
					],
				});
		await refused(await set(p), p);
		const q = all.find((x) => x !== p && !x.startsWith('user:'));
		assert.strictEqual((await set(q)).status, 200, q);
		n++;
	}
	console.log(`grants: ${n} permissions`);
});
test('a right that expires is granted until then at most', async () => {
	const at = (h) => new Date(Date.now() + h * 3600e3).toISOString(),
		me = await person({ role_type: 'user' }, [
			one('user:write'),
			one('user:read'),
			one('export:all', true, { valid_to: at(2) }),
			one('cost:read', true, { valid_from: at(1), valid_to: at(2) }),
		]),
		token = await me.login(),
		other = await person(),
		give = (...grants) => put(`${users}/${other.id}/permissions`, token, { grants });
	await refused(await give(one('export:all')), 'without an end');
	await refused(await give(one('export:all', true, { valid_to: at(3) })), 'an hour longer');
	await refused(await give(one('cost:read', true, { valid_to: at(1.5) })), 'before it begins');
	await refused(
		await give(one('cost:read', true, { valid_from: at(1.5), valid_to: at(2.5) })),
		'over its end',
	);
	await refused(await give(one('export:all', true, { valid_from: at(5) })), 'later');
	for (const g of [
		one('export:all', true, { valid_to: at(1) }),
		one('cost:read', true, { valid_from: at(1.2), valid_to: at(1.8) }),
	])
		assert.strictEqual((await give(g)).status, 200, JSON.stringify(g));
});
test("the provider's documents: staff limited to some customers change none of them, by any route", async () => {
	for (const [name, role] of [
		['lsup', 'supervisor'],
		['lman', 'manager'],
		['ladm', 'admin'],
	]) {
		s.cli(
			[
				...[
					'user',
					'add',
					'--staff',
					'--username',
					name,
					'--name',
					name,
					'--role',
					role,
				],
				...['--email', name + '@provider.example', '--lang', 'en'],
			],
			PASSWORD + '\n',
		);
		s.sql(
			`update staff set serves_all = false where username = '${name}'; insert into staff_tenants select ${s.alpha}, id from staff where username = '${name}'`,
		);
	}
	const boss = await s.login('boss'),
		spec = (await s.get('/openapi.json')).json,
		skip = /\/auth\/|\/test\//,
		tables = s
			.sql(
				"select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname not in ('sessions', 'refresh_tokens', 'login_attempts', 'audit_logs', 'audit_anchors', 'audit_signed', 'consumer_positions', 'tenant_counters', 'staff', 'notifications', 'sign_in_places', 'sign_in_alerts', 'rollups', 'rollup_checks', 'ticket_outcomes', 'source_runs', 'source_checks', 'timers', 'sla_clocks', 'sla_fires') order by 1",
			)
			.split('\n'),
		state = () =>
			s.sql(
				tables
					.map(
						(t) =>
							`select '${t}', md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from ${t} t where tenant_id in (1, ${s.beta})`,
					)
					.join(' union all '),
			);
	const policy = (await s.get('/api/v1/sla/policies', boss)).data.items.find(
			(p) => p.code === 'standard',
		),
		calendar = (await s.get('/api/v1/sla/calendars', boss)).data.items.find(
			(k) => k.code === '24x7',
		);
	const bodies = {
		'/api/v1/sla/policies/{code}': { document: { ...policy.doc, autoclose_days: 9 } },
		'/api/v1/sla/calendars/{code}': {
			document: { ...calendar.doc, holidays: ['2031-01-01'] },
		},
		'/api/v1/catalogue/{kind}/{code}': { name_zh: 'x', name_en: 'x' },
		'/api/v1/webhooks': { url: 'https://x.example/', secret: 's'.repeat(20) },
	};
	const example = (schema) =>
		Object.fromEntries(
			(schema.required || []).map((f) => [
				f,
				schema.properties[f].example ?? schema.properties[f].enum?.[0] ?? 'x',
			]),
		);
	/* a path with the name of something that exists */
	const named = (p) =>
		p
			.replace(
				'{code}',
				/policies/.test(p) ? 'standard' : /calendars/.test(p) ? '24x7' : 'x-dep',
			)
			.replace('{kind}', 'department');
	let n = 0,
		written = 0;
	for (const name of ['lsup', 'lman', 'ladm']) {
		const token = await s.login(name);
		for (const [p, methods] of Object.entries(spec.paths))
			for (const [m, o] of Object.entries(methods)) {
				if (o['x-mode'] !== 'write' || skip.test(p) || o['x-permission'] === 'anyone')
					continue;
				const content = o.requestBody && o.requestBody.content['application/json'],
					body = bodies[p] || (content ? example(content.schema) : undefined),
					url = named(p).replace(/\{.*?\}/, '1'),
					before = state(),
					r = await s.request(m.toUpperCase(), url, { token, body });
				assert.strictEqual(
					state(),
					before,
					`${name} ${m} ${p} ${r.status} ${r.text}`,
				);
				if (bodies[p])
					assert.strictEqual(r.status, 403, `${name} ${m} ${p} ${r.text}`);
				n++;
			}
		/* their own customer's documents they may change */
		const r = await put('/api/v1/sla/calendars/own', token, {
			tenant_id: s.alpha,
			document: calendar.doc,
		});
		assert.strictEqual(r.status, 200, r.text);
	}
	/* the same bodies from who serves all: they are good */
	for (const [p, body] of Object.entries(bodies)) {
		const r = await s.request(
			p === '/api/v1/webhooks' ? 'POST' : 'PUT',
			named(p),
			{ token: boss, body },
		);
		assert.ok(r.status === 200 || r.status === 201, p + r.text);
		written++;
	}
	assert.ok(n > 100 && written === 4);
	console.log(
		`grants: ${n} writes by staff limited to one customer, 0 rows of the provider or of others changed`,
	);
});
test('what applies to the whole customer cannot be changed by a user who sees a part of it', async () => {
	const me = await person({ role_type: 'admin' }, [
			one('ticket:read', true, { data_scope: { departments: ['HR'] } }),
		]),
		token = await me.login();
	await refused(
		await s.post('/api/v1/webhooks', token, {
			url: 'https://x.example/',
			secret: 's'.repeat(20),
		}),
		'webhook',
	);
	await refused(
		await put('/api/v1/catalogue/department/x', token, { name_zh: 'x', name_en: 'x' }),
		'catalogue',
	);
	await refused(await put('/api/v1/client/theme', token, { display_name: 'x' }), 'theme');
});
test('a service token made for a user never has more rights than the user', async () => {
	const me = await person({ role_type: 'manager' }),
		name = s.sql(`select username from client_users where id = ${me.id}`),
		add = (scopes) =>
			s
				.cli([
					'token',
					'add',
					'--tenant',
					'alpha',
					'--name',
					't',
					'--scopes',
					scopes,
					'--by',
					name,
				])
				.trim();
	assert.throws(() => add('ticket:read,user:write'), /does not hold/);
	assert.throws(() => add('webhook:write'), /does not hold/);
	const token = add('ticket:read,user:read,sla:read'),
		may = async (p) => (await s.get(p, token)).status;
	assert.strictEqual(await may(users), 200);
	assert.strictEqual(await may('/api/v1/tickets'), 200);
	const it = await s.post('/api/v1/tickets', admin, { title: 'x', description: 'x', priority: 'P3' });
	assert.strictEqual(await may('/api/v1/tickets/' + it.data.id), 200);
	await grant(me.id, [one('ticket:read', true, { data_scope: { departments: ['HR'] } })]);
	await waitUntil(async () => (await may('/api/v1/tickets/' + it.data.id)) === 404, 8000);
	assert.strictEqual((await put(`${users}/${me.id}`, admin, { role_type: 'user' })).status, 200);
	await waitUntil(async () => (await may(users)) === 403, 8000);
	assert.strictEqual(await may('/api/v1/tickets'), 200);
	assert.strictEqual((await put(`${users}/${me.id}`, admin, { is_active: false })).status, 200);
	await waitUntil(async () => (await may('/api/v1/tickets')) === 401, 8000);
});
