// SPDX-License-Identifier: Apache-2.0
// What a command refers to is checked in one place: every command that takes a reference is tried with every kind of reference that it must refuse.
// The test takes the commands and fields from the API description, so a new field is noticed.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, settled, mailSink, hookSink, PASSWORD } = require('../lib/server.js'),
	{ COMMANDS, readyFor } = require('../lib/commands.js');

let s, mail, eng, boss, limited, user, admin, other, who;
const staff = {},
	person = {};
const sqlId = (sql) => Number(s.sql(sql));
/* From now on this member of staff serves only this tenant. */
function serves(name, tenant) {
	s.sql(
		`update staff set serves_all = false where username = '${name}'; delete from staff_tenants where staff_id = (select id from staff where username = '${name}'); insert into staff_tenants select ${tenant}, id from staff where username = '${name}'`,
	);
}
const create = async (token = user, more = {}) => {
	const r = await s.post('/api/v1/tickets', token, {
		title: 'A title',
		description: 'x',
		priority: 'P3',
		...more,
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
const act = (id, cmd, body = {}, token = eng) => s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
const ok = async (...a) => {
	const r = await act(...a);
	assert.strictEqual(r.status, 200, a[1] + r.text);
	return r.data;
};
const chain = async (n) => {
	const ids = [];
	for (let i = 0; i < n; i++) {
		ids.push(await create());
		if (i) await ok(ids[i], 'link', { parent_id: ids[i - 1] });
	}
	return ids;
};
const ended = async (cmd) => {
	const id = await create();
	if (cmd === 'merge') await ok(id, 'link', { parent_id: await create() });
	await ok(id, cmd, cmd === 'cancel' ? { reason: 'x' } : {});
	return id;
};
/* The field and the rule that a refusal names. */
function named(r) {
	const d = r.json.details;
	return d.fields ? d.fields[0] : d;
}
function refused(r, field, status, what) {
	assert.strictEqual(r.status, status, `${what}: ${r.text}`);
	assert.strictEqual(named(r).field, field, `${what}: ${r.text}`);
	assert.ok(named(r).rule.length > 5, `${what}: ${r.text}`);
}

test.before(async () => {
	mail = await mailSink();
	s = await Server.make('references', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes' },
	});
	const add = (...args) => s.cli(['user', 'add', '--lang', 'en', ...args], PASSWORD + '\n');
	for (const name of ['gone', 'far', 'near'])
		add(
			...['--staff', '--username', name, '--name', name, '--role', 'manager'],
			...['--email', name + '@provider.example'],
		);
	add(
		...['--tenant', 'alpha', '--username', 'left', '--name', 'left'],
		...['--email', 'left@alpha.example'],
	);
	serves('far', s.beta);
	serves('near', s.alpha);
	s.cli(['user', 'disable', '--username', 'gone']);
	s.cli(['user', 'disable', '--tenant', 'alpha', '--username', 'left']);
	for (const name of ['eng1', 'eng2', 'boss', 'gone', 'far', 'near'])
		staff[name] = sqlId(`select id from staff where username = '${name}'`);
	for (const [tenant, name] of [
		['alpha', 'user'],
		['alpha', 'left'],
		['beta', 'admin'],
	])
		person[tenant + '.' + name] = sqlId(
			`select id from client_users where tenant_id = ${s[tenant]} and username = '${name}'`,
		);
	[eng, boss, limited, user, admin, other] = await Promise.all([
		s.login('eng1'),
		s.login('boss'),
		s.login('near'),
		s.login('user', 'alpha'),
		s.login('admin', 'alpha'),
		s.login('admin', 'beta'),
	]);
	who = { staff: eng, boss, customer: user };
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

/* Each kind of wrong reference: how it is made for the ticket ID, and the status of its refusal. */
const WRONG = {
	assignee_id: {
		absent: [async () => 99999, 400],
		'a customer': [async () => 1e6 + person['alpha.user'], 400],
		disabled: [async () => staff.gone, 400],
		'who serves others': [async () => staff.far, 400],
	},
	owner_id: {
		absent: [async () => 99999, 400],
		'a customer': [async () => 1e6 + person['alpha.user'], 400],
		disabled: [async () => staff.gone, 400],
		'who serves others': [async () => staff.far, 400],
	},
	requester_id: {
		absent: [async () => 99999, 400],
		"another customer's": [async () => person['beta.admin'], 400],
		disabled: [async () => person['alpha.left'], 400],
	},
	parent_id: {
		absent: [async () => 999999, 404],
		"another customer's": [async () => create(other), 404],
		itself: [async (id) => id, 400],
		'one below it': [
			async (id) => {
				const child = await create();
				await ok(child, 'link', { parent_id: id });
				return child;
			},
			400,
		],
		'two below it': [
			async (id) => {
				const [a, b] = [await create(), await create()];
				await ok(a, 'link', { parent_id: id });
				await ok(b, 'link', { parent_id: a });
				return b;
			},
			400,
		],
		'too deep': [async () => (await chain(8))[7], 400],
		'too deep with what is below it': [
			async (id) => {
				await ok((await chain(2))[0], 'link', { parent_id: id });
				return (await chain(6))[5];
			},
			400,
		],
		cancelled: [async () => ended('cancel'), 409],
		merged: [async () => ended('merge'), 409],
	},
	comment_id: {
		absent: [async () => 999999, 404],
		"another ticket's": [
			async () => {
				const id = await create();
				await ok(id, 'note', { text: 'x' });
				return sqlId(`select max(id) from ticket_comments where ticket_id = ${id}`);
			},
			404,
		],
	},
};
test('every reference of every command: absent, foreign, disabled, itself, in a loop, too deep, ended', async () => {
	const spec = (await s.get('/openapi.json')).json;
	let n = 0;
	const found = new Set();
	for (const p of Object.keys(spec.paths).filter((x) => /^\/api\/v1\/tickets(\/\{id\}\/|$)/.test(x))) {
		const post = spec.paths[p].post;
		if (!post || !post.requestBody) continue;
		const fields = Object.keys(
			post.requestBody.content['application/json'].schema.properties,
		).filter((f) => f.endsWith('_id') && !['external_id', 'tenant_id'].includes(f));
		for (const field of fields) {
			found.add(field);
			assert.ok(WRONG[field], `${p}: which values of ${field} must it refuse?`);
			for (const [kind, [make, status]] of Object.entries(WRONG[field])) {
				const cmd = p.split('/')[5],
					ready = cmd
						? await readyFor(s, who, cmd)
						: {
								by: boss,
								body: {
									title: 'x',
									description: 'x',
									tenant_id: s.alpha,
								},
							},
					body = { ...ready.body, [field]: await make(ready.id) },
					state = () =>
						s.sql(
							`select (select json_agg(t.* order by id) from tickets t), (select count(*) from events where ticket_id is not null)`,
						),
					before = state(),
					r = await s.post(p.replace('{id}', ready.id), ready.by, body);
				refused(r, field, status, `${p} ${field} ${kind}`);
				assert.strictEqual(state(), before, 'nothing is changed');
				n++;
			}
		}
	}
	assert.deepStrictEqual([...found].sort(), Object.keys(WRONG).sort());
	assert.ok(n >= 18, n + ' cases');
	console.log(
		`references: ${Object.keys(COMMANDS).length + 1} commands, ${n} wrong references refused`,
	);
});
test('a code of the catalogue, in every command that takes one: only what is listed', async () => {
	const spec = (await s.get('/openapi.json')).json,
		KINDS = spec.paths['/api/v1/catalogue/{kind}/{code}'].put.parameters.find(
			(x) => x.name === 'kind',
		).schema.enum,
		opening = { title: 'x', description: 'x', tenant_id: s.alpha };
	let n = 0;
	for (const kind of [...KINDS.filter((k) => k !== 'incident_type'), 'incident_type']) {
		const r = await s.request('PUT', `/api/v1/catalogue/${kind}/listed`, {
			token: boss,
			body: {
				name_zh: '列出',
				name_en: 'listed',
				...(kind === 'incident_type' ? { priority: 'P3' } : {}),
			},
		});
		assert.strictEqual(r.status, 200, r.text);
	}
	/* an instance hears of the new entries by events, in their order */
	await waitUntil(
		async () =>
			(await s.post('/api/v1/tickets', boss, { ...opening, incident_type: 'listed' }))
				.status === 201,
	);
	for (const p of Object.keys(spec.paths).filter((x) => /^\/api\/v1\/tickets(\/\{id\}\/|$)/.test(x))) {
		const body = spec.paths[p].post && spec.paths[p].post.requestBody,
			fields = body ? Object.keys(body.content['application/json'].schema.properties) : [];
		for (const kind of fields.filter((f) => KINDS.includes(f))) {
			const ready = p.includes('{id}')
					? await readyFor(s, who, p.split('/')[5])
					: { by: boss, body: opening },
				send = (code) =>
					s.post(p.replace('{id}', ready.id), ready.by, { ...ready.body, [kind]: code });
			for (const code of ['no-such', 'LISTED', 'listed '])
				refused(await send(code), kind, 400, `${p} ${kind} ${code}`);
			const good = await send('listed');
			assert.ok(good.status < 300, `${p} ${kind}: ${good.text}`);
			n++;
		}
	}
	s.sql(`delete from catalogue where code = 'listed'`);
	assert.ok(n > KINDS.length, `${n}`);
});
test('valid references are accepted', async () => {
	const id = await create();
	await ok(id, 'assign', { assignee_id: staff.eng2 });
	await ok(id, 'assign', { assignee_id: staff.near }, limited);
	const [a] = await chain(8);
	assert.ok(a);
	const r = await s.post('/api/v1/tickets', boss, {
		title: 'x',
		description: 'x',
		tenant_id: s.alpha,
		requester_id: person['alpha.user'],
	});
	assert.strictEqual(r.status, 201, r.text);
});
test('merge: only with a parent, only into an open ticket; a circle always leaves a ticket open', async () => {
	refused(await act(await create(), 'merge'), 'parent_id', 409, 'without a parent');
	for (const end of ['resolve', 'cancel']) {
		const [parent, child] = [await create(), await create()];
		await ok(child, 'link', { parent_id: parent });
		await ok(parent, end, end === 'cancel' ? { reason: 'x' } : { text: 'x' });
		refused(await act(child, 'merge'), 'parent_id', 409, 'into one after ' + end);
	}
	const [a, b, c] = await chain(3);
	refused(await act(a, 'link', { parent_id: c }), 'parent_id', 400, 'a circle');
	/* as an older version could leave it */
	s.sql(`update tickets set parent_id = ${c} where id = ${a}`);
	const all = [await act(a, 'merge'), await act(b, 'merge'), await act(c, 'merge')];
	assert.deepStrictEqual(
		all.map((r) => r.status).sort(),
		[200, 200, 409],
		all.map((r) => r.text).join(),
	);
	assert.strictEqual(
		s.sql(`select count(*) from tickets where id in (${a}, ${b}, ${c}) and status <> 'merged'`),
		'1',
	);
});
test('links made at the same time do not close a circle', async () => {
	for (let i = 0; i < 8; i++) {
		const ids = [await create(), await create(), await create()];
		await Promise.all(ids.map((id, k) => act(id, 'link', { parent_id: ids[(k + 1) % 3] })));
		assert.notStrictEqual(
			s.sql(
				`select count(*) from tickets where id in (${ids.join()}) and parent_id is not null`,
			),
			'3',
		);
	}
});
test("a customer's reply to a merged ticket goes to the one it was merged into, or says where it belongs", async () => {
	const [c, b, a] = await chain(3);
	await ok(a, 'merge');
	await ok(b, 'merge');
	const r = await act(a, 'reply', { text: 'one more thing' }, user);
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(r.data.id, c);
	const texts = (await s.get(`/api/v1/tickets/${c}/comments`, user)).data.items;
	assert.ok(texts.some((x) => x.body === 'one more thing'));
	assert.strictEqual(
		(await act(a, 'reply', { text: 'x', version: 1 }, user)).status,
		409,
		'an earlier version of the merged ticket',
	);
	await ok(c, 'cancel', { reason: 'x' });
	const none = await act(a, 'reply', { text: 'x' }, user);
	assert.strictEqual(none.status, 409);
	assert.strictEqual(none.json.details.merged_into, c);
	/* one without a parent, as an older version could leave it */
	const lost = await create();
	s.sql(`update tickets set status = 'merged' where id = ${lost}`);
	assert.strictEqual((await act(lost, 'reply', { text: 'x' }, user)).status, 409);
});
test('sync: a name that does not serve the customer, or is disabled, is left out with a warning', async () => {
	const token = s
			.cli([
				'token',
				'add',
				'--tenant',
				'provider',
				'--name',
				'sync',
				'--scopes',
				'ticket:write',
			])
			.trim(),
		send = (id, name) =>
			s.post('/api/v1/integration/tickets/sync', token, {
				tenant_id: s.alpha,
				ticket_id: id,
				timestamp: new Date().toISOString(),
				priority: 'P3',
				assigned_to: name,
			});
	for (const name of ['gone', 'far', 'nobody', 'eng2']) {
		const r = await send('REF-' + name, name);
		assert.strictEqual(r.status, 200, r.text);
		const got = s.sql(`select assignee_id from tickets where external_id = 'REF-${name}'`);
		assert.strictEqual(got, name === 'eng2' ? String(staff.eng2) : '', name);
		assert.strictEqual(/assigned_to/.test(r.text), name !== 'eng2', r.text);
	}
});
const to = (address) => mail.mails.filter((m) => m.to.includes(address));
const idle = () => settled(() => s.sql("select count(*) from notifications where state = 'queued'") === '0');
test('staff who assign a ticket to themselves get no mail about it; any other assignee does', async () => {
	const id = await create();
	await ok(id, 'assign', { assignee_id: staff.eng1 });
	await ok(id, 'assign', { assignee_id: staff.eng2 });
	await idle();
	const about = (address) => to(address).filter((m) => /Assigned to you/.test(m.subject));
	const number = 'TKT-' + String(id).padStart(6, '0');
	assert.strictEqual(
		about('eng1@provider.example').filter((m) => m.subject.includes(number)).length,
		0,
	);
	assert.strictEqual(
		about('eng2@provider.example').filter((m) => m.subject.includes(number)).length,
		1,
	);
});
test('the recipient is read again at sending: disabled staff and users, and staff who no longer serve the customer, get nothing', async () => {
	const add = (...args) => s.cli(['user', 'add', '--lang', 'en', ...args], PASSWORD + '\n');
	for (const name of ['leaves', 'moves'])
		add(
			...[
				'--staff',
				'--username',
				name,
				'--name',
				name,
				'--role',
				'engineer',
				'--level',
				'3',
			],
			...['--email', name + '@provider.example'],
		);
	add(
		...['--tenant', 'alpha', '--username', 'quits', '--name', 'quits'],
		...['--email', 'quits@alpha.example'],
	);
	const quits = await s.login('quits', 'alpha'),
		ids = {};
	for (const name of ['leaves', 'moves']) {
		ids[name] = await create(quits, { priority: 'P1' });
		await ok(ids[name], 'assign', {
			assignee_id: sqlId(`select id from staff where username = '${name}'`),
		});
	}
	await idle();
	const addresses = ['leaves@provider.example', 'moves@provider.example', 'quits@alpha.example'],
		/* of these tickets: one who serves another customer now hears of that one's */
		about = (x) =>
			to(x).filter((m) =>
				Object.values(ids).some((id) =>
					m.subject.includes('TKT-' + String(id).padStart(6, '0')),
				),
			).length,
		before = addresses.map(about);
	s.cli(['user', 'disable', '--username', 'leaves']);
	serves('moves', s.beta);
	s.cli(['user', 'disable', '--tenant', 'alpha', '--username', 'quits']);
	for (const name of ['leaves', 'moves']) await ok(ids[name], 'reply', { text: 'secret words' });
	await s.jump(7 * 86400);
	await waitUntil(() =>
		Object.values(ids).every(
			(id) =>
				s.sql(
					`select count(*) from sla_clocks where ticket_id = ${id} and clock = 'resolution' and breached_at is not null`,
				) === '1',
		),
	);
	await idle();
	addresses.forEach((x, i) => assert.strictEqual(about(x), before[i], x));
	assert.ok(
		Number(
			s.sql(
				"select count(*) from notifications where state = 'dropped' and template = 'sla_breach'",
			),
		) >= 2,
	);
	assert.strictEqual(s.sql("select count(*) from notifications where state = 'dead'"), '0');
});
test('a customer that is suspended is told nothing: neither its users, nor its administrators, nor its webhooks', async () => {
	const code = 'late',
		add = (...args) => s.cli(['user', 'add', '--lang', 'en', '--tenant', code, ...args], PASSWORD + '\n');
	s.cli(['tenant', 'add', '--code', code, '--name', code, '--lang', 'en']);
	for (const u of ['admin', 'user'])
		add('--username', u, '--name', u, '--email', `${u}@${code}.example`, '--role', u);
	const hook = await hookSink();
	s.cli(['webhook', 'add', '--tenant', code, '--url', hook.url], 'a-secret-of-16-letters\n');
	const token = await s.login('user', code),
		id = await create(token, { priority: 'P1' }),
		told = () => [to(`admin@${code}.example`).length, to(`user@${code}.example`).length, hook.calls.length];
	await idle();
	assert.ok(told()[2] > 0, 'it hears of its ticket');
	const before = told();
	s.cli(['tenant', 'suspend', '--code', code]);
	await s.jump(7 * 86400);
	const breached = `select count(*) from sla_clocks where ticket_id = ${id} and clock = 'resolution' and breached_at is not null`;
	await waitUntil(() => s.sql(breached) === '1');
	await idle();
	assert.deepStrictEqual(told(), before);
	s.cli(['tenant', 'resume', '--code', code]);
	await create(await s.login('user', code), { priority: 'P1' });
	await waitUntil(() => told()[2] > before[2]);
	await hook.close();
});
