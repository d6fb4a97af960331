// SPDX-License-Identifier: Apache-2.0
// Which customers a member of the staff serves, by API and command line: nobody gives or takes what they do not serve themselves, nobody changes
// their own list, and a change ends what the former list allowed. A user who sees a part of a customer's data creates users for it, and no wider.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');

const path = (id) => `/api/v1/staff/${id}/customers`,
	users = '/api/v1/client/admin/users';
let s, mail, boss, ids, serial = 0;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('serving', { mail: { url: mail.url }, limits: { login_per_s: 0 } });
	boss = await s.login('boss');
	s.cli(['tenant', 'add', '--code', 'gamma', '--name', 'Gamma', '--lang', 'en']);
	ids = { alpha: s.alpha, beta: s.beta };
	ids.gamma = Number(s.sql("select tenant_id from customers where code = 'gamma'"));
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

/* A new member of the staff with ROLE who serves the customers with these codes; null: all of them. */
async function member(role, codes) {
	const name = role + ++serial;
	s.cli(
		[
			...['user', 'add', '--staff', '--username', name, '--name', name, '--role', role],
			...['--email', name + '@provider.example', '--lang', 'en'],
			...(codes ? ['--customers', codes.join(',') || '-'] : []),
		],
		PASSWORD + '\n',
	);
	return { name, id: Number(s.sql(`select id from staff where username = '${name}'`)), token: await s.login(name) };
}
const serves = (m) =>
		s.sql(
			`select case when serves_all then 'all' else coalesce((select string_agg(c.code, ',' order by c.code) from staff_tenants x join customers c using (tenant_id) where x.staff_id = s.id), '') end from staff s where id = ${m.id}`,
		),
	put = (token, m, body) => s.request('PUT', path(m.id), { token, body }),
	list = (codes) => ({ tenant_ids: codes.map((c) => ids[c]) }),
	tenants = async (token) => (await s.get('/api/v1/tenants', token)).data.items.map((t) => t.code).sort();

test('who is limited to some customers sees the colleagues who serve one of them, and no more of what they serve', async () => {
	const limited = await member('supervisor', ['alpha']),
		shared = await member('engineer', ['alpha', 'beta']),
		other = await member('engineer', ['beta', 'gamma']),
		all = await member('engineer', null),
		nobody = await member('supervisor', []),
		seen = async (token) => (await s.all('/api/v1/staff', token)).map((x) => x.id),
		has = async (token, m) => (await seen(token)).includes(m.id);
	assert.deepStrictEqual(await Promise.all([limited, shared, all, other].map((m) => has(limited.token, m))), [true, true, true, false]);
	assert.deepStrictEqual(await Promise.all([limited, shared, all, other].map((m) => has(all.token, m))), [true, true, true, true]);
	assert.deepStrictEqual(await seen(nobody.token), []);
	assert.deepStrictEqual((await s.get(path(shared.id), limited.token)).data.items.map((c) => c.code), ['alpha']);
	assert.deepStrictEqual((await s.get(path(other.id), limited.token)).data.items, []);
	assert.strictEqual((await s.get('/api/v1/staff', await s.login('admin', 'alpha'))).status, 403);
});

test('an administrator says which customers somebody serves; the former list ends at once', async () => {
	const m = await member('engineer', null);
	assert.strictEqual(serves(m), 'all');
	assert.deepStrictEqual(await tenants(m.token), ['alpha', 'beta', 'gamma', 'provider']);
	let token = m.token;
	for (const [body, want] of [
		[list(['alpha', 'gamma']), 'alpha,gamma'],
		[list(['beta']), 'beta'],
		[list([]), ''],
		[list(['beta', 'beta']), 'beta'],
		[{ serves_all: true }, 'all'],
	]) {
		const before = mail.mails.length,
			r = await put(boss, m, body);
		assert.strictEqual(r.status, 200, r.text);
		assert.strictEqual(serves(m), want);
		await waitUntil(async () => (await s.get('/api/v1/me', token)).status === 401, 3000);
		await waitUntil(() =>
			mail.mails
				.slice(before)
				.find((x) => x.to[0] === m.name + '@provider.example' && /customers that you serve/.test(x.body)),
		);
		token = await s.login(m.name);
		const codes = want === 'all' ? ['alpha', 'beta', 'gamma'] : want ? want.split(',') : [];
		assert.deepStrictEqual(
			(await tenants(token)).filter((c) => c !== 'provider'),
			codes,
		);
		assert.deepStrictEqual(
			(await s.get(path(m.id), boss)).data.items.map((c) => [c.tenant_id, c.code]),
			codes.map((c) => [ids[c], c]),
		);
		assert.strictEqual(
			(await s.get('/api/v1/staff', boss)).data.items.find((x) => x.id === m.id).serves_all,
			want === 'all',
		);
	}
	/* what changes nothing ends nothing */
	assert.strictEqual((await put(boss, m, { serves_all: true })).status, 200);
	assert.strictEqual((await s.get('/api/v1/me', token)).status, 200);
	await waitUntil(() => Number(s.sql(`select count(*) from audit_logs where operation like 'staff.customers%' and result = 'success'`)) >= 6);
});
test('what cannot be meant is refused by name, and changes nothing', async () => {
	const m = await member('engineer', ['alpha']);
	for (const [body, field] of [
		[{}, 'tenant_ids'],
		[{ serves_all: false }, 'tenant_ids'],
		[{ serves_all: true, tenant_ids: [] }, 'tenant_ids'],
		[{ tenant_ids: ['alpha'] }, 'tenant_ids'],
		[{ tenant_ids: [0] }, 'tenant_ids'],
		[{ tenant_ids: [-1] }, 'tenant_ids'],
		[{ tenant_ids: [1.5] }, 'tenant_ids'],
		[{ tenant_ids: 5 }, 'tenant_ids'],
		[{ tenant_ids: null }, 'tenant_ids'],
		[{ tenant_ids: ['2'] }, 'tenant_ids'],
		[{ tenant_ids: Array(1001).fill(2) }, 'tenant_ids'],
		[{ serves_all: 'yes' }, 'serves_all'],
		[{ tenants: [] }, 'tenants'],
	]) {
		const r = await put(boss, m, body);
		assert.strictEqual(r.status, 400, JSON.stringify(body) + r.text);
		assert.ok(
			r.json.details.fields.some((f) => f.field === field),
			r.text,
		);
	}
	for (const tenant_ids of [[1], [999999], [ids.alpha, 999999]])
		assert.strictEqual((await put(boss, m, { tenant_ids })).status, 403);
	assert.strictEqual((await put(boss, { id: 99999 }, list(['alpha']))).status, 404);
	assert.deepStrictEqual((await s.get(path(99999), boss)).data.items, []);
	assert.strictEqual(serves(m), 'alpha');
});
test('nobody gives or takes what they do not serve, more than they may, or to themselves', async (t) => {
	const lists = [null, [], ['alpha'], ['beta'], ['alpha', 'beta'], ['alpha', 'beta', 'gamma']],
		within = (inner, outer) => outer === null || (inner !== null && inner.every((c) => outer.includes(c)));
	let given = 0,
		refused = 0;
	for (const mine of lists) {
		const giver = await member('admin', mine);
		for (const theirs of lists) {
			const m = await member('engineer', theirs);
			for (const wanted of lists) {
				const before = serves(m),
					now = before === 'all' ? null : before.split(',').filter(Boolean),
					r = await put(giver.token, m, wanted ? list(wanted) : { serves_all: true }),
					may = within(now, mine) && within(wanted, mine);
				assert.strictEqual(r.status, may ? 200 : 403, JSON.stringify([mine, now, wanted]) + r.text);
				assert.strictEqual(serves(m), may ? (wanted ? wanted.join(',') : 'all') : before);
				if (!may) assert.ok(r.json.details.rule, r.text);
				may ? given++ : refused++;
			}
			/* and sees of the other's list what is in their own */
			const seen = (await s.get(path(m.id), giver.token)).data.items.map((c) => c.code);
			assert.ok(within(seen, mine), JSON.stringify([mine, seen]));
		}
		/* one's own list */
		for (const wanted of lists) {
			const r = await put(giver.token, giver, wanted ? list(wanted) : { serves_all: true });
			assert.deepStrictEqual([r.status, r.json.details.field], [403, 'user_id'], r.text);
		}
	}
	t.diagnostic(`${given} lists given, ${refused} refused`);
	/* by role */
	for (const role of ['engineer', 'supervisor', 'manager', 'customer_success', 'admin', 'auditor']) {
		const giver = await member(role, null),
			m = await member('engineer', null),
			may = ['manager', 'admin'].includes(role),
			r = await put(giver.token, m, list(['alpha']));
		assert.strictEqual(r.status, may ? 200 : 403, role + r.text);
	}
	/* a manager lacks a permission of an administrator */
	const manager = await member('manager', null),
		chief = await member('admin', null),
		r = await put(manager.token, chief, list(['alpha']));
	assert.deepStrictEqual([r.status, r.json.details.field, serves(chief)], [403, 'permissions', 'all'], r.text);
	/* customers and programs do not */
	const m = await member('engineer', null);
	for (const who of [
		await s.login('admin', 'alpha'),
		s.token('alpha', 'user:read,user:write', 'x'),
		s.token('provider', 'admin,user:read,user:write', 'y'),
	]) {
		assert.strictEqual((await s.get(path(m.id), who)).status, 403);
		assert.strictEqual((await put(who, m, list(['alpha']))).status, 403);
	}
	assert.strictEqual(serves(m), 'all');
});
test('the same by sladesk', async () => {
	const m = await member('engineer', ['beta', 'alpha']),
		at = ['user', 'customers', '--username', m.name],
		fails = (args, why) => {
			const before = serves(m);
			assert.throws(() => s.cli(args), why);
			assert.strictEqual(serves(m), before);
		};
	assert.strictEqual(serves(m), 'alpha,beta');
	assert.match(s.cli(at), /^alpha\t.*\nbeta\t[^\n]*\n$/);
	assert.match(s.cli([...at, '--set', 'gamma']), /^gamma\tGamma\tactive\n$/);
	await waitUntil(async () => (await s.get('/api/v1/me', m.token)).status === 401, 3000);
	assert.strictEqual(serves(m), 'gamma');
	assert.match(s.cli([...at, '--all']), /alpha[^]*beta[^]*gamma/);
	assert.strictEqual(serves(m), 'all');
	s.cli([...at, '--set', '-']);
	assert.strictEqual(serves(m), '');
	fails([...at, '--set', 'alpha,nobody'], /--set/);
	fails([...at, '--set', 'provider'], /--set/);
	fails([...at, '--set', ''], /--set/);
	fails([...at, '--set', 'alpha,,beta'], /--set/);
	fails([...at, '--set', 'alpha', '--all'], /--set or --all/);
	fails(['user', 'customers', '--username', 'nobody', '--all'], /no such user/);
	for (const codes of ['alpha,nobody', '', 'alpha,', 'provider'])
		assert.throws(
			() =>
				s.cli(
					[
						...['user', 'add', '--staff', '--username', 'zz', '--name', 'z'],
						...['--email', 'z@provider.example', '--customers', codes],
					],
					PASSWORD + '\n',
				),
			/--customers/,
		);
	assert.strictEqual(s.sql("select count(*) from staff where username = 'zz'"), '0');
	assert.strictEqual(s.sql(`select count(*) from audit_logs where tenant_id = 1 and operation = 'users.customers' and resource = 'staff ${m.name}'`), '3');
	assert.strictEqual(s.sql(`select count(*) from events where tenant_id = 1 and type = 'auth.user_changed' and actor_id = ${m.id}`), '3');
});

/* --- a customer's user who sees a part of the data --- */

const HR = { departments: ['HR'] },
	scoped = (data_scope, more = {}) => ({ resource_type: 'ticket', permissions: { read: true }, data_scope, ...more });
test('who sees a part of the data creates users for it, and no wider', async () => {
	const admin = await s.login('admin', 'alpha'),
		body = (grants, more = {}) => {
			const username = 'part' + ++serial;
			return {
				username,
				password: 'Erst-Passwort-1',
				full_name: username,
				email: username + '@alpha.example',
				...(grants ? { grants } : {}),
				...more,
			};
		},
		enter = async (b) => {
			s.sql(`update client_users set must_change = false where username = '${b.username}'`);
			const r = await s.post('/api/v1/auth/login', null, { username: b.username, password: b.password, tenant: 'alpha' });
			assert.strictEqual(r.status, 200, r.text);
			return r.data.access_token;
		},
		count = () => s.sql(`select (select count(*) from client_users) || ' ' || (select count(*) from client_permissions)`);
	const chief = body([
			scoped({ departments: ['HR', 'IT'], projects: ['crm'] }),
			{ resource_type: 'user', permissions: { read: true, write: true } },
		]),
		made = await s.post(users, admin, chief);
	assert.strictEqual(made.status, 201, made.text);
	const token = await enter(chief);
	for (const [why, grants, more] of [
		['no scope', undefined],
		['no scope', []],
		['wider by a department', [scoped({ departments: ['HR', 'Legal'], projects: ['crm'] })]],
		['another department', [scoped({ departments: ['Legal'], projects: ['crm'] })]],
		['any department', [scoped({ projects: ['crm'] })]],
		['any project', [scoped(HR)]],
		['wider by a second grant', [scoped({ ...HR, projects: ['crm'] }), scoped({ departments: ['Legal'] })]],
		['only for an hour', [scoped({ ...HR, projects: ['crm'] }, { valid_to: new Date(Date.now() + 3600e3).toISOString() })]],
		['only from tomorrow on', [scoped({ ...HR, projects: ['crm'] }, { valid_from: new Date(Date.now() + 86400e3).toISOString() })]],
		['more permissions', [scoped({ ...HR, projects: ['crm'] }), { resource_type: 'export', permissions: { all: true } }]],
		['a higher role', [scoped({ ...HR, projects: ['crm'] })], { role_type: 'admin' }],
		['a higher role', [scoped({ ...HR, projects: ['crm'] })], { role_type: 'manager' }],
	]) {
		const before = count(),
			r = await s.post(users, token, body(grants, more));
		assert.deepStrictEqual([r.status, !!r.json.details.rule], [403, true], why + r.text);
		assert.strictEqual(count(), before, why);
	}
	const before = count(),
		bad = await s.post(users, token, body([scoped({ department: ['HR'] })]));
	assert.deepStrictEqual([bad.status, bad.json.details.fields[0].field], [400, 'grants[0].data_scope'], bad.text);
	assert.strictEqual(count(), before);
	/* within it, whole or in part */
	for (const [department, scope] of [
		['HR', { departments: ['HR'], projects: ['crm'] }],
		['IT', { departments: ['HR', 'IT'], projects: ['crm'] }],
	]) {
		const b = body([scoped(scope)], { department }),
			r = await s.post(users, token, b);
		assert.strictEqual(r.status, 201, r.text);
		assert.deepStrictEqual(
			(await s.get(`${users}/${r.data.user_id}/permissions`, admin)).data.items.map((g) => [g.resource_type, g.data_scope]),
			[['ticket', scope]],
		);
		const see = async (of) => {
			const k = await s.post('/api/v1/tickets', admin, { title: 'x', description: 'x', priority: 'P3', department: of, project: 'crm' });
			return (await s.get('/api/v1/tickets/' + k.data.id, own)).status;
		};
		const own = await enter(b);
		assert.deepStrictEqual([await see('HR'), await see('Legal'), await see('IT')], [200, 404, scope.departments.includes('IT') ? 200 : 404]);
	}
});
