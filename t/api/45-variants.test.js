// SPDX-License-Identifier: Apache-2.0
// Variants of attacks: what an attacker tries after the attack itself is refused. Each test generalises one kind.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	WebSocket = require('ws');
const { Server, waitUntil, mailSink, exchange, pgctl, PASSWORD } = require('../lib/server.js');

let s, sink, people;
test.before(async () => {
	sink = await mailSink();
	s = await Server.make('variants', { mail: { url: sink.url } });
	people = {
		admin: await s.login('admin', 'alpha'),
		user: await s.login('user', 'alpha'),
		other: await s.login('user', 'beta'),
		boss: await s.login('boss'),
	};
});
test.after(async () => {
	await s.drop();
	await sink.close();
});
const put = (p, token, body) => s.request('PUT', p, { token, body });

/* What a feed with TOKEN hears. */
function feed(token) {
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`),
		heard = [];
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token })));
	ws.on('message', (d) => {
		const m = JSON.parse(d);
		heard.push(m);
		if (m.op === 'welcome')
			ws.send(JSON.stringify({ op: 'subscribe', topics: ['tickets'] }));
	});
	return new Promise((ok, no) => {
		ws.on('error', no);
		waitUntil(() => heard.some((m) => m.op === 'snapshot')).then(
			() => ok({ heard, close: () => ws.close() }),
			no,
		);
	});
}

test('a token of a limited user hears the tickets of its maker, not those of the user whose number it has', async () => {
	const id = Number(
		s.sql(`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`),
	);
	s.cli(
		[
			...['user', 'add', '--tenant', 'alpha', '--username', 'limited', '--name', 'l'],
			...['--email', 'l@alpha.example', '--role', 'user', '--lang', 'en'],
		],
		PASSWORD + '\n',
	);
	const limited = Number(s.sql(`select id from client_users where username = 'limited'`));
	s.sql(`insert into client_permissions (tenant_id, user_id, resource_type, permissions, data_scope, valid_from, created_by_kind, created_by, created_at)
		values (${s.alpha}, ${limited}, 'ticket', '{"read": true}', '{"departments": ["none"]}', now() - interval '1 hour', 'staff', 1, now())`);
	s.sql(
		`select setval(pg_get_serial_sequence('api_tokens', 'id'), ${id}, false)`,
	); /* the next number */
	const token = s
			.cli([
				...['token', 'add', '--tenant', 'alpha', '--name', 'limited', '--by', 'limited'],
				...['--scopes', 'ticket:read,ticket:write'],
			])
			.match(/sd1\.\S+/)[0],
		own = await s.login('limited', 'alpha'),
		f = await feed(token),
		make = async (by, title) =>
			(await s.post('/api/v1/tickets', by, { title, description: 'x', priority: 'P3' }))
				.data.id;
	assert.strictEqual(Number(token.split('.')[2]), id, 'the number of another user');
	const foreign = await make(people.user, 'of another user'),
		mine = await make(own, 'of the maker');
	assert.strictEqual((await s.get('/api/v1/tickets/' + foreign, token)).status, 404);
	assert.strictEqual((await s.get('/api/v1/tickets/' + mine, token)).status, 200);
	await waitUntil(() => f.heard.some((m) => m.ticket_id === mine));
	assert.deepStrictEqual(
		f.heard.filter((m) => m.ticket_id === foreign),
		[],
	);
	f.close();
});

test('the door to names opens for nobody who may not see the tenant', async () => {
	const name = (tenants, kind, id) =>
		s.sql(`set role sladesk_app; select set_config('app.current_tenants', '${tenants}', false) is null;
			select coalesce(door.person_name(${s.beta}, '${kind}', ${id}), '-')`).split('\n').pop();
	const id = s.sql(
		`select id from client_users where tenant_id = ${s.beta} and username = 'user'`,
	);
	assert.strictEqual(name(`{${s.beta}}`, 'customer', id), 'user');
	assert.strictEqual(name(`{${s.beta}}`, 'staff', 1), 'eng1');
	for (const tenants of [`{${s.alpha}}`, '{}', `{1,${s.alpha}}`])
		for (const [kind, of] of [
			['customer', id],
			['staff', 1],
		])
			assert.strictEqual(name(tenants, kind, of), '-', tenants + kind);
});

test('nobody is mailed about a ticket that they may not see', async () => {
	const add = (name, permissions, scope) => {
		s.cli(
			[
				...['user', 'add', '--tenant', 'alpha', '--username', name, '--name', name],
				...['--email', name + '@alpha.example', '--role', 'admin', '--lang', 'en'],
			],
			PASSWORD + '\n',
		);
		s.sql(`insert into client_permissions (tenant_id, user_id, resource_type, permissions, data_scope, valid_from, created_by_kind, created_by, created_at)
			select tenant_id, id, 'ticket', '${permissions}', ${scope}, now() - interval '1 hour', 'staff', 1, now() from client_users
			where username = '${name}'`);
	};
	add('elsewhere', '{"read": true}', `'{"departments": ["none"]}'`);
	add('blind', '{"read": false}', 'null');
	add('there', '{"read": true}', `'{"departments": ["it"]}'`);
	const k = await s.post('/api/v1/tickets', people.user, {
		title: 'Secret of IT',
		description: 'x',
		priority: 'P3',
		department: 'it',
	});
	assert.strictEqual(k.status, 201, k.text);
	/* all administrators of the customer, as a breach addresses them */
	s.sql(`insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
		select e.tenant_id, e.seq, e.ticket_id, r.recipient_kind, r.recipient_id, 'mail', 'sla_breach_customer', now(), e.at
		from events e cross join door.recipients('customer_contacts', e.tenant_id, 'sla.threshold', 1) r
		where e.tenant_id = ${s.alpha} and e.ticket_id = ${k.data.id} and e.type = 'ticket.created'`);
	const to = () =>
		sink.mails
			.filter((m) => /Secret of IT/.test(m.subject + m.body))
			.flatMap((m) => m.to)
			.map((x) => x.split('@')[0]);
	await waitUntil(() => to().includes('there') && to().includes('admin'));
	await waitUntil(
		() => s.sql(`select count(*) from notifications where state = 'queued' and channel = 'mail'`) === '0',
	);
	assert.deepStrictEqual(
		to().filter((x) => x === 'elsewhere' || x === 'blind'),
		[],
	);
});

test('a cursor that no page has given is refused, on every list', async () => {
	const doc = (await s.get('/openapi.json')).json,
		k = (
			await s.post('/api/v1/tickets', people.user, {
				title: 'cursors',
				description: 'x',
				priority: 'P3',
			})
		).data.id,
		numbers = ['9223372036854775807', '-9223372036854775807', '9223372036854775806'];
	numbers.push('9007199254740993', '-9007199254740993');
	let n = 0;
	for (const [p, ops] of Object.entries(doc.paths)) {
		const params = ((ops.get || {}).parameters || []).map((x) => x.name);
		if (!params.includes('cursor')) continue;
		for (const who of ['boss', 'admin']) {
			const at = p
				.replace('{id}', k)
				.replace('{tenant_id}', s.alpha)
				.replace(/\{\w+\}/g, '1');
			for (const v of numbers)
				for (const sort of p.endsWith('/tickets') ? ['', '&sort=urgent'] : ['']) {
					const r = await s.get(`${at}?cursor=${v}_1${sort}`, people[who]);
					n++;
					assert.ok(
						[400, 403, 404].includes(r.status),
						`${who} ${at} ${v}: ${r.status} ${r.text.slice(0, 200)}`,
					);
				}
			/* the last one that a page can give: "never" */
			const last = await s.get(`${at}?cursor=9007199254740992_1`, people[who]);
			assert.ok(last.status < 500, `${who} ${at}: ${last.text}`);
		}
	}
	console.log(n + ' cursors');
	assert.ok(n > 200, String(n));
});

test('nobody fills the tables of all with what never expires', async () => {
	const user = Number(
			s.sql(
				`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`,
			),
		),
		layout_config = { grid: { cols: 12, rows: 8 }, widgets: [] },
		dashboard = (more = {}) =>
			s.post('/api/v1/client/dashboard/config', people.user, {
				dashboard_name: 'd',
				layout_config,
				...more,
			}),
		domain = (name) =>
			s.post('/api/v1/client/admin/mail-domains', people.admin, { domain: name });
	s.sql(`insert into dashboard_configs (tenant_id, user_id, dashboard_name, layout_config, is_default, is_shared, created_at, updated_at)
			select ${s.alpha}, ${user}, 'd' || g, '{}', false, false, now(), now() from generate_series(1, 99) g;
		insert into mail_domains (tenant_id, domain, created_at)
			select ${s.alpha}, 'd' || g || '.example', now() from generate_series(1, 99) g`);
	const fields = (r) => (r.json.details.fields || []).map((x) => x.field);
	assert.strictEqual((await dashboard()).status, 201);
	assert.deepStrictEqual(fields(await dashboard()), ['dashboard_name']);
	assert.strictEqual((await domain('one.example')).status, 201);
	assert.deepStrictEqual(fields(await domain('two.example')), ['domain']);
	assert.strictEqual((await domain('one.example')).status, 201, 'it is there');
	const widget = {
		id: 'w1',
		type: 'text',
		position: { x: 0, y: 0, w: 3, h: 2 },
		config: { text: 'x'.repeat(70000) },
	};
	s.sql(`delete from dashboard_configs where tenant_id = ${s.alpha}`);
	assert.deepStrictEqual(
		fields(await dashboard({ layout_config: { ...layout_config, widgets: [widget] } })),
		['layout_config'],
	);
	s.sql(`delete from mail_domains where tenant_id = ${s.alpha}`);
});

/* RFC 6238: what an authenticator app shows */
function totp(secret) {
	const bits = [...secret]
			.map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
			.join(''),
		count = Buffer.alloc(8);
	count.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
	const h = crypto
			.createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2))))
			.update(count)
			.digest(),
		at = h[19] & 15;
	return String((h.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, '0');
}

test('whoever knows the password does not guess codes for ever, however often the login begins anew', async () => {
	const begin = () =>
			s.post('/api/v1/auth/login', null, {
				username: 'admin',
				password: PASSWORD,
				tenant: 'beta',
			}),
		second = (step_token, code, method = 'totp') =>
			s.post('/api/v1/auth/second-factor', null, { step_token, code, method }),
		owner = await s.login('admin', 'beta'),
		e = (await s.post('/api/v1/auth/factors/totp', owner, { name: 'app' })).data,
		c = await s.post(`/api/v1/auth/factors/${e.factor_id}/confirm`, owner, {
			code: totp(e.secret),
		});
	assert.strictEqual(c.status, 200, c.text);
	const works = async (code) => {
		const r = await second((await begin()).data.step_token, code, 'recovery');
		return r.status === 200;
	};
	const told = () =>
		sink.mails.filter((m) => /Someone knows your password/.test(m.subject)).length;
	assert.ok(await works(c.data.recovery_codes[0]));
	for (let i = 0; i < 6; i++) {
		const { step_token } = (await begin()).data,
			guesses = await Promise.all(['1', '2', '3', '4', '5'].map((x) => second(step_token, x.repeat(6))));
		assert.ok(guesses.every((r) => r.status === 401));
	}
	await waitUntil(() => told());
	assert.ok(!(await works(c.data.recovery_codes[1])), 'a right code, after 30 wrong ones');
	s.sql(`insert into known_networks (tenant_id, actor_kind, actor_id, network, last_at)
		select tenant_id, 'customer', id, '192.0.2.0/24', now() from client_users where tenant_id = ${s.beta} and username = 'admin';
		update login_steps set network = '192.0.2.0/24' where tries > 0`);
	assert.ok(await works(c.data.recovery_codes[1]), 'they came from another network that is known');
	s.sql(`update login_steps set network = '127.0.0.0/24'`);
	assert.ok(!(await works(c.data.recovery_codes[2])));
	s.cli(['user', 'password', '--tenant', 'beta', '--username', 'admin'], PASSWORD + '2\n');
	const again = await s.post('/api/v1/auth/login', null, {
		username: 'admin',
		password: PASSWORD + '2',
		tenant: 'beta',
	});
	assert.strictEqual(
		(await second(again.data.step_token, c.data.recovery_codes[2], 'recovery')).status,
		200,
	);
	assert.strictEqual(told(), 1);
});

test('a body with every member that the document names is never a fault of ours', async () => {
	const doc = (await s.get('/openapi.json')).json,
		again = (x) => (x && x.$ref ? x.$ref.slice(2).split('/').reduce((o, k) => o[k], doc) : x),
		value = (schema, n = 0) => {
			const x = again(schema) || {};
			if (x.example !== undefined) return x.example;
			if (x.enum) return x.enum[0];
			if (x.format === 'date-time') return '2026-01-31T08:00:00Z';
			if (x.type === 'object')
				return Object.fromEntries(
					Object.entries(n < 5 ? x.properties || {} : {}).map(([k, v]) => [
						k,
						value(v, n + 1),
					]),
				);
			if (x.type === 'array') return [value(x.items, n + 1)];
			if (x.type === 'boolean') return true;
			if (x.type === 'integer' || x.type === 'number') return Math.max(1, x.minimum || 1);
			return 'x'.repeat(Math.max(1, x.minLength || 1));
		};
	const hook = (
		await s.post('/api/v1/webhooks', people.admin, {
			url: 'https://hook.example/',
			secret: '0123456789abcdef',
		})
	).data.id;
	let n = 0;
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(ops)) {
			const content = (again(op.requestBody) || {}).content || {};
			if (!content['application/json'] || /logout|step-up|auth.password$|security|test/.test(p)) continue;
			const body = value(content['application/json'].schema),
				at = p.replace('{tenant_id}', s.alpha).replace(/\{\w+\}/g, hook);
			const parts = Object.keys(body).map((k) => ({ [k]: body[k] }));
			for (const given of [body, ...parts]) {
				const r = await s.request(method.toUpperCase(), at, { token: people.admin, body: given });
				n++;
				assert.ok(
					r.status !== 500,
					`${method} ${at} ${JSON.stringify(given)}: ${r.status} ${r.text.slice(0, 200)}`,
				);
			}
		}
	console.log(n + ' bodies');
	assert.ok(n > 200, String(n));
	for (const since of [undefined, '2026-01-31T08:00:00Z', '2199-12-31T00:00:00Z']) {
		const r = await s.post(`/api/v1/webhooks/${hook}/replay`, people.admin, { since });
		assert.strictEqual(r.status, 201, r.text);
	}
	people.admin = await s.login('admin', 'alpha'); /* some of them have ended its session */
});

test('whoever holds less than an administrator does not weaken how administrators log in', async () => {
	const id = Number(
		s.sql(`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`),
	);
	assert.strictEqual(
		(
			await put(`/api/v1/client/admin/users/${id}/permissions`, people.admin, {
				grants: [{ resource_type: 'user', permissions: { read: true, write: true } }],
			})
		).status,
		200,
	);
	const user = (people.user = await s.login('user', 'alpha'));
	assert.strictEqual((await s.get('/api/v1/client/admin/security', user)).status, 200);
	for (const body of [{ mfa_required: false }, { mail_factor: true }])
		assert.strictEqual(
			(await put('/api/v1/client/admin/security', user, body)).code,
			40003,
			JSON.stringify(body),
		);
	assert.strictEqual(
		(await put('/api/v1/client/admin/security', people.admin, { mfa_required: false })).status,
		200,
	);
});

test('a subject line has no control characters and nothing that changes the order of its letters', async () => {
	const marks = [0x7f, 0x85, 0x9f, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069];
	for (let c = 1; c < 32; c++) marks.push(c);
	const title =
		'begin' + marks.map((c) => String.fromCodePoint(c) + c.toString(16)).join('') + 'end';
	const k = await s.post('/api/v1/tickets', people.user, {
		title,
		description: 'x',
		priority: 'P3',
	});
	assert.strictEqual(k.status, 201, k.text);
	const subject = (
		await waitUntil(() => sink.mails.find((m) => m.subject.includes(k.data.number)))
	).subject;
	assert.match(subject, /begin.*end/);
	assert.doesNotMatch(subject, /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
});

test('a host in the request target is checked like the header', async () => {
	const ask = async (host) =>
		(
			await exchange(
				s.port,
				`GET http://${host}/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
			)
		).text.slice(9, 12);
	for (const host of ['desk.example', 'desk.example:80', '[::1]:80', '127.0.0.1'])
		assert.strictEqual(await ask(host), '200', host);
	for (const host of ['a"b', 'a<b>', 'a(b)', 'a,b', 'a{b}', 'a@b', 'x'.repeat(256), 'a\\b', ''])
		assert.strictEqual(await ask(host), '400', host);
});

test('while the database is down, the kept theme of a number goes only to those who may see it', async () => {
	const paths = [s.alpha, s.beta].map((t) => '/api/v1/client/theme/' + t);
	assert.strictEqual((await s.get(paths[0], people.user)).data.tenant_id, s.alpha);
	assert.strictEqual((await s.get(paths[1], people.boss)).data.tenant_id, s.beta);
	for (const [p, who] of [
		[paths[0], 'other'],
		[paths[1], 'user'],
	])
		assert.strictEqual((await s.get(p, people[who])).data, null);
	await s.get('/api/v1/client/theme/beta');
	pgctl('stop', '-m', 'fast');
	try {
		const mine = await waitUntil(async () => {
			const r = await s.get(paths[0], people.user);
			return r.data && r.data.stale && r;
		});
		assert.strictEqual(mine.data.tenant_id, s.alpha);
		assert.strictEqual((await s.get('/api/v1/client/theme/beta')).data.tenant_id, s.beta);
		for (const [p, who] of [
			[paths[0], 'other'],
			[paths[1], 'user'],
			['/api/v1/client/theme/beta', 'user'],
		]) {
			const r = await s.get(p, people[who]);
			assert.ok(r.status >= 400, `${who} ${p}: ${r.text}`);
			assert.doesNotMatch(r.text, /Tenant/);
		}
	} finally {
		pgctl('start');
	}
	await waitUntil(async () => (await s.get('/readyz')).status === 200);
});
