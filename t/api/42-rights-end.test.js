// SPDX-License-Identifier: Apache-2.0
// A right that ends: every way in which it ends, with every use that outlasts a request. Each use is refused within six seconds, whoever ended the
// right and on whatever instance. The ways and the uses are tables; the tests are their product.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http');
const WebSocket = require('ws');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');
const machine = require('../lib/machine.js');

const WITHIN_MS = 6000,
	FILE_PARTS = 160,
	OTHER = 'Other-pass-9';
let s, mail;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('rights_end', {
		mail: { url: mail.url },
		http: { user_connections: 1000 },
		limits: { login_per_s: 0 },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes' },
	});
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

/* --- the cast --- */

let serial = 0;
const post = async (path, token, body, want = 200) => {
	const r = await s.post(path, token, body);
	assert.strictEqual(r.status, want, path + ' ' + r.text);
	return r.data;
};
/* A tenant with a user who may read tickets and export, and an administrator who only helps. */
async function tenant() {
	const code = 'end' + ++serial;
	s.cli(['tenant', 'add', '--code', code, '--name', code, '--lang', 'en']);
	const id = Number(s.sql(`select tenant_id from customers where code = '${code}'`));
	s.sql(
		`insert into client_users (tenant_id, username, full_name, email, lang, role_type, password_hash, created_at)
		select ${id}, x.n, x.n, x.n || '@${code}.example', 'en', x.r, (select password_hash from client_users where tenant_id = ${s.alpha} and username = 'user'), now()
		from (values ('victim', 'manager'), ('helper', 'admin')) x (n, r)`,
	);
	s.cli(['keys', 'seal']); /* plain addresses are refused */
	const user_id = Number(
		s.sql(`select id from client_users where tenant_id = ${id} and username = 'victim'`),
	);
	return { tenant: id, code, username: 'victim', user_id, kind: 'customer' };
}
/* A member of staff who serves one customer. */
async function staff() {
	const t = await tenant(),
		username = 'staff' + serial;
	s.sql(
		`with f as (insert into staff (username, full_name, email, lang, role, level, serves_all, password_hash, created_at)
			select '${username}', '${username}', '${username}@provider.example', 'en', 'supervisor', 1, false,
			(select password_hash from client_users where tenant_id = ${s.alpha} and username = 'user'), now() returning id)
		insert into staff_tenants (tenant_id, staff_id) select ${t.tenant}, id from f`,
	);
	s.cli(['keys', 'seal']); /* plain addresses are refused */
	const user_id = Number(s.sql(`select id from staff where username = '${username}'`));
	return { ...t, username, user_id, kind: 'staff' };
}
const loginBody = (p) => ({
	username: p.username,
	password: PASSWORD,
	...(p.kind === 'staff' ? {} : { tenant: p.code }),
});
const login = (p) => post('/api/v1/auth/login', null, loginBody(p));
const helper = (p) =>
	post('/api/v1/auth/login', null, { ...loginBody(p), username: 'helper', tenant: p.code });

function feed(token) {
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`),
		f = { ws, heard: new Set(), closed: 0 };
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token })));
	ws.on('message', (m) => {
		const e = JSON.parse(m);
		if (e.op === 'welcome') ws.send(JSON.stringify({ op: 'subscribe', topics: ['tickets'] }));
		if (e.op === 'snapshot') f.ready = true;
		if (e.op === 'pong') f.pong = true;
		if (e.op === 'event') f.heard.add(e.ticket_id);
	});
	ws.on('close', (code) => {
		f.closed = code;
	});
	ws.on('error', () => {});
	return waitUntil(() => f.ready || f.closed).then(() => f);
}
/* Report a ticket of the customer, and wait until somebody who may hear of it has. */
async function probe(p) {
	const r = await s.post('/api/v1/tickets', p.helper.access_token, {
		title: 'probe',
		description: 'x',
	});
	if (r.status !== 201) return 0;
	await waitUntil(() => p.control.heard.has(r.data.id) || p.control.closed);
	return p.control.closed ? 0 : r.data.id;
}
/* A new ticket of the customer is not heard, although somebody who may has heard it. The second ticket comes in a later round of the feed, so the
 * first has been sent to everybody who gets it; the reply to the ping comes after it. */
async function feedIsDeaf(p, f) {
	const first = await probe(p);
	if (!first) return f.closed > 0; /* nobody can report a ticket of a suspended customer */
	await probe(p);
	f.pong = false;
	if (f.ws.readyState === WebSocket.OPEN) f.ws.send('{"op":"ping"}');
	await waitUntil(() => f.pong || f.closed);
	return !f.heard.has(first);
}
const reads = (p, token) => s.get('/api/v1/tickets/' + p.ticket, token);
const refused = (r) => [401, 403, 404].includes(r.status);

/* --- the uses: begin() before the right ends; refused(state) is asked until it is true --- */

const uses = {
	'REST, bearer': {
		begin: async (p) => (await login(p)).access_token,
		refused: async (p, token) => refused(await reads(p, token)),
	},
	'REST, cookie': {
		begin: async (p) => {
			const r = await s.post('/api/v1/auth/login', null, {
				...loginBody(p),
				cookies: true,
			});
			return r.headers['set-cookie'].map((c) => c.split(';')[0]).join('; ');
		},
		refused: async (p, cookie) =>
			refused(await s.get('/api/v1/tickets/' + p.ticket, null, { Cookie: cookie })),
	},
	refresh: {
		begin: async (p) => (await login(p)).refresh_token,
		/* Whether it is refused at once, or gives a session without the right. A refresh token works once, so the next is kept. */
		refused: async (p, token, keep) => {
			const r = await s.post('/api/v1/auth/refresh', null, { refresh_token: token });
			if (r.status !== 200) return r.status === 401;
			keep(r.data.refresh_token);
			return refused(await reads(p, r.data.access_token));
		},
	},
	'live feed': {
		begin: async (p) => feed((await login(p)).access_token),
		refused: (p, f) => feedIsDeaf(p, f),
	},
	'export, download link': {
		only: 'customer',
		begin: async (p) => ({ token: (await login(p)).access_token, url: p.file }),
		refused: async (p, d) =>
			refused(await s.request('HEAD', d.url, { token: d.token })) &&
			refused(await s.request('HEAD', d.url.split('?')[0], { token: d.token })),
	},
	'export, download under way': {
		only: 'customer',
		begin: async (p) => {
			const token = (await login(p)).access_token,
				cut = cuts(),
				d = { cut };
			await new Promise((ok) => {
				d.req = http.get(
					{
						host: '127.0.0.1',
						port: s.port,
						path: p.file,
						headers: { Authorization: 'Bearer ' + token },
					},
					(res) => {
						d.res = res;
						res.on('error', () => {});
						let n = 0;
						res.on('data', (c) => {
							n += c.length;
							if (n > 2097152) {
								n = 0;
								res.pause();
								ok();
							}
						});
					},
				);
				d.req.on('error', () => {});
			});
			return d;
		},
		/* the client reads on, slowly */
		refused: async (p, d) => {
			assert.ok(!d.res.complete, 'the whole file was sent');
			d.res.resume();
			return cuts() > d.cut;
		},
		end: (d) => d.req.destroy(),
	},
	'mailed link': {
		begin: async (p) => mailed(p, 'link'),
		refused: async (p, token, keep) => {
			const r = await s.post('/api/v1/auth/link/use', null, { token: String(token) });
			if (typeof token === 'object' || r.status !== 200)
				return typeof token === 'object'
					? refused(await reads(p, token.session))
					: r.status === 401;
			keep({ session: r.data.access_token, toString: () => token });
			return refused(await reads(p, r.data.access_token));
		},
	},
	'mailed reset': {
		begin: async (p) => mailed(p, 'reset'),
		refused: async (p, token) =>
			(await s.post('/api/v1/auth/password/reset', null, { token, new_password: OTHER }))
				.status === 401,
	},
	'second step of a login': {
		begin: async (p) => {
			s.sql(
				`insert into login_steps (tenant_id, actor_kind, actor_id, username, method, began_at)
				select ${p.kind === 'staff' ? 1 : p.tenant}, '${p.kind}', ${p.user_id}, '${p.username}', 'password', now() + interval '${s.jumped} s'`,
			);
			return s.sql('select max(id) from login_steps');
		},
		/* As the daemon asks it: may an attempt be made? */
		refused: async (p, id) =>
			s.sql(
				`select count(*) from login_steps x where x.id = ${id} and x.done_at is null
				and exists (select from account_live(x.tenant_id, x.actor_kind, x.actor_id))`,
			) === '0',
	},
	'service token, REST': {
		begin: async (p) => p.token,
		refused: async (p, token) => refused(await reads(p, token)),
	},
	'service token, live feed': {
		begin: async (p) => feed(p.token),
		refused: (p, f) => feedIsDeaf(p, f),
	},
};
const cuts = () => s.log.split('reply cut: the session has no rights').length - 1;
async function mailed(p, what) {
	const to = p.kind === 'staff' ? p.username + '@provider.example' : `${p.username}@${p.code}.example`;
	await post(
		what === 'link' ? '/api/v1/auth/link' : '/api/v1/auth/password/forgot',
		null,
		{ username: p.username, ...(p.kind === 'staff' ? {} : { tenant: p.code }) },
		202,
	);
	const m = await waitUntil(() =>
		mail.mails.find((x) => x.to[0] === to && x.body.includes(`#${what}=`)),
	);
	return m.body.match(new RegExp(`#${what}=([\\w.-]+)`))[1];
}

const OF_SESSION = [
		'REST, bearer',
		'REST, cookie',
		'refresh',
		'live feed',
		'export, download link',
		'export, download under way',
	],
	OF_ACCOUNT = [...OF_SESSION, 'mailed link', 'mailed reset', 'second step of a login'],
	OF_RIGHT = [...OF_SESSION, 'mailed link'],
	OF_TOKEN = ['service token, REST', 'service token, live feed'];

/* --- the ways: what ends, and which uses end with it --- */

const cli = (...args) => s.cli(args);
const admin = (p, method, path, body) =>
	s
		.request(method, `/api/v1/client/admin/users/${p.user_id}${path}`, {
			token: p.helper.access_token,
			body,
		})
		.then((r) => assert.strictEqual(r.status, 200, r.text));
const limits = (more) => ({
	grants: [
		{ resource_type: 'ticket', permissions: { read: false }, ...more },
		{ resource_type: 'report', permissions: { export: false }, ...more },
	],
});
const inTime = async (seconds) => new Date((await s.clock()) + seconds * 1000).toISOString();
const TABLE_OF = { staff: 'staff', customer: 'client_users' };
const ways = {
	'user disabled by the API': {
		uses: OF_ACCOUNT,
		end: (p) => admin(p, 'PUT', '', { is_active: false }),
	},
	'user disabled by sladesk': {
		uses: OF_ACCOUNT,
		end: (p) => cli('user', 'disable', '--tenant', p.code, '--username', p.username),
	},
	'user disabled in the database': {
		uses: OF_ACCOUNT,
		end: (p) => s.sql(`update client_users set disabled_at = now() where id = ${p.user_id}`),
	},
	'password set by sladesk': {
		uses: OF_ACCOUNT,
		end: (p) =>
			s.cli(
				['user', 'password', '--tenant', p.code, '--username', p.username],
				OTHER + '\n',
			),
	},
	'password changed by the user': {
		uses: OF_ACCOUNT,
		end: async (p) =>
			post('/api/v1/auth/password', (await login(p)).access_token, {
				old_password: PASSWORD,
				new_password: OTHER,
			}),
	},
	'password reset by a mailed link': {
		uses: OF_ACCOUNT.filter((u) => u !== 'mailed reset'),
		end: async (p) =>
			post('/api/v1/auth/password/reset', null, {
				token: await mailed(p, 'reset'),
				new_password: OTHER,
			}),
	},
	'customer suspended by sladesk': {
		uses: [...OF_ACCOUNT, ...OF_TOKEN],
		end: (p) => cli('tenant', 'suspend', '--code', p.code),
	},
	'customer suspended in the database': {
		uses: [...OF_ACCOUNT, ...OF_TOKEN],
		end: (p) => s.sql(`update customers set status = 'suspended' where tenant_id = ${p.tenant}`),
	},
	'rights limited by the API': {
		uses: OF_RIGHT,
		end: (p) => admin(p, 'PUT', '/permissions', limits({})),
	},
	'a limit begins (valid_from)': {
		uses: OF_RIGHT,
		prepare: async (p) =>
			admin(p, 'PUT', '/permissions', limits({ valid_from: await inTime(300) })),
		end: () => s.jump(301),
	},
	'a grant ends (valid_to)': {
		uses: OF_RIGHT,
		prepare: async (p) => {
			const to = await inTime(300);
			await admin(p, 'PUT', '/permissions', {
				grants: [
					{
						resource_type: 'ticket',
						permissions: { read: true },
						valid_to: to,
					},
					{
						resource_type: 'report',
						permissions: { export: true },
						valid_to: to,
					},
				],
			});
			s.sql(
				`insert into roles (tenant_id, kind, role, name_zh, name_en, permissions) values (${p.tenant}, 'customer', 'manager', 'm', 'm', '{dashboard:read}')`,
			);
		},
		end: () => s.jump(301),
	},
	'a data scope begins (valid_from)': {
		uses: ['REST, bearer', 'REST, cookie', 'refresh', 'live feed', 'mailed link'],
		prepare: async (p) =>
			admin(p, 'PUT', '/permissions', {
				grants: [
					{
						resource_type: 'ticket',
						permissions: { read: true },
						data_scope: { departments: ['nowhere'] },
						valid_from: await inTime(300),
					},
				],
			}),
		end: () => s.jump(301),
	},
	'role changed by the API': {
		uses: OF_RIGHT,
		prepare: (p) =>
			s.sql(
				`insert into roles (tenant_id, kind, role, name_zh, name_en, permissions) values (${p.tenant}, 'customer', 'user', 'u', 'u', '{dashboard:read}')`,
			),
		end: (p) => admin(p, 'PUT', '', { role_type: 'user' }),
	},
	'permissions of the role changed': {
		uses: OF_RIGHT,
		end: (p) =>
			s.sql(
				`insert into roles (tenant_id, kind, role, name_zh, name_en, permissions) values (${p.tenant}, 'customer', 'manager', 'm', 'm', '{dashboard:read}')`,
			),
	},
	'the user ends all sessions': {
		uses: OF_SESSION,
		end: async (p) => post('/api/v1/auth/logout-everywhere', (await login(p)).access_token, {}),
	},
	'session revoked in the database': {
		uses: OF_SESSION,
		end: (p) =>
			s.sql(
				`update sessions set revoked_at = now() where tenant_id = ${p.tenant} and actor_id = ${p.user_id}`,
			),
	},
	'session expired in the database': {
		uses: OF_SESSION,
		end: (p) =>
			s.sql(
				`update sessions set expires_at = created_at where tenant_id = ${p.tenant} and actor_id = ${p.user_id}`,
			),
	},
	'signing keys replaced at once': {
		uses: OF_SESSION.filter((u) => u !== 'refresh'),
		end: (p) => {
			cli('key', 'rotate', '--at-once');
			s.proc.kill('SIGHUP');
			p.newKey = true;
		},
	},
	'staff disabled by sladesk': {
		of: staff,
		uses: OF_ACCOUNT,
		end: (p) => cli('user', 'disable', '--username', p.username),
	},
	'staff disabled in the database': {
		of: staff,
		uses: OF_ACCOUNT,
		end: (p) => s.sql(`update staff set disabled_at = now() where id = ${p.user_id}`),
	},
	'staff password set by sladesk': {
		of: staff,
		uses: OF_ACCOUNT,
		end: (p) => s.cli(['user', 'password', '--username', p.username], OTHER + '\n'),
	},
	'staff no longer serve the customer': {
		of: staff,
		uses: OF_RIGHT,
		end: (p) => s.sql(`delete from staff_tenants where staff_id = ${p.user_id}`),
	},
	'the list of the staff is changed by the API': {
		of: staff,
		uses: OF_RIGHT,
		end: async (p) => {
			const r = await s.request('PUT', `/api/v1/staff/${p.user_id}/customers`, {
				token: await s.login('boss'),
				body: { tenant_ids: [s.beta] },
			});
			assert.strictEqual(r.status, 200, r.text);
		},
	},
	'the list of the staff is changed by sladesk': {
		of: staff,
		uses: OF_RIGHT,
		end: (p) => cli('user', 'customers', '--username', p.username, '--set', 'beta'),
	},
	'the customer of the staff is suspended': {
		of: staff,
		uses: OF_RIGHT.filter((u) => u !== 'live feed') /* nobody can report a ticket to hear of */,
		end: (p) => cli('tenant', 'suspend', '--code', p.code),
	},
	'the role of the staff changed': {
		of: staff,
		uses: OF_RIGHT,
		prepare: () =>
			s.sql(
				`insert into roles (tenant_id, kind, role, name_zh, name_en, permissions) values (1, 'staff', 'none', 'n', 'n', '{dashboard:read}') on conflict do nothing;
				alter table staff drop constraint if exists staff_role_check`,
			),
		end: (p) => s.sql(`update staff set role = 'none' where id = ${p.user_id}`),
	},
	'service token revoked by sladesk': {
		uses: OF_TOKEN,
		end: (p) => cli('token', 'revoke', '--tenant', p.code, '--id', p.token.split('.')[2]),
	},
	'service token expires': {
		uses: OF_TOKEN,
		prepare: (p) =>
			s.sql(
				`update api_tokens set expires_at = now() + interval '${s.jumped + 300} s' where id = ${p.token.split('.')[2]}`,
			),
		end: () => s.jump(301),
	},
	'scopes of the service token changed': {
		uses: OF_TOKEN,
		end: (p) =>
			s.sql(
				`update api_tokens set scopes = '{dashboard:read}' where id = ${p.token.split('.')[2]}`,
			),
	},
	'secret of the service token changed': {
		uses: OF_TOKEN,
		end: (p) =>
			s.sql(
				`update api_tokens set secret_sha256 = sha256('other') where id = ${p.token.split('.')[2]}`,
			),
	},
};

/* --- the product --- */

async function person(way) {
	const p = await (way.of || tenant)();
	p.helper = await helper(p);
	p.ticket = (
		await post(
			'/api/v1/tickets',
			p.helper.access_token,
			{ title: 'first', description: 'x' },
			201,
		)
	).id;
	p.token = s
		.cli(['token', 'add', '--tenant', p.code, '--name', 'system', '--scopes', 'ticket:read'])
		.trim();
	p.control = await feed(p.helper.access_token);
	if (p.kind === 'customer') p.file = await exportOf(p);
	if (way.prepare) await way.prepare(p);
	return p;
}
/* A finished export with a file that no socket buffer holds. */
async function exportOf(p) {
	const token = (await login(p)).access_token,
		{ export_id } = await post(
			'/api/v1/client/export/data',
			token,
			{ export_type: 'ticket_data' },
			202,
		);
	const d = await waitUntil(async () => {
		const r = await s.get('/api/v1/client/export/data/' + export_id, token);
		return r.data.status === 'completed' && r.data;
	});
	s.sql(
		`delete from file_parts where file_id = ${d.file_id};
		insert into file_parts (tenant_id, file_id, part_no, content)
			select ${p.tenant}, ${d.file_id}, n, repeat('A', 1048576)::bytea from generate_series(0, ${FILE_PARTS - 1}) n;
		update files set parts = ${FILE_PARTS}, bytes = ${FILE_PARTS * 1048576} where id = ${d.file_id}`,
	);
	return d.download_url;
}

const count = { refused: 0, other: 0, slowest: 0, slowestIs: '' };
/* The time from the end of the right to the first refusal. Before it, every use must work. */
async function cell(p, way, name, state, since) {
	const use = uses[name];
	for (;;) {
		const is = await use.refused(p, state.now, (next) => (state.now = next));
		const ms = performance.now() - since.at - (machine.lostMs() - since.lost);
		if (is) {
			if (ms > count.slowest) [count.slowest, count.slowestIs] = [ms, `${way} x ${name}`];
			count.refused++;
			return;
		}
		assert.ok(ms < WITHIN_MS, `${way} x ${name}: still possible after ${Math.round(ms)} ms`);
		const next = performance.now() + 100;
		await waitUntil(() => performance.now() > next);
	}
}
for (const [name, way] of Object.entries(ways))
	test(`ends within ${WITHIN_MS / 1000} s: ${name}`, async () => {
		const p = await person(way),
			here = way.uses.filter((u) => !uses[u].only || uses[u].only === p.kind),
			state = {};
		count.other += Object.keys(uses).length - here.length;
		for (const u of here) {
			state[u] = { now: await uses[u].begin(p) };
			/* what is used once cannot be tried; the others must work now */
			if (!['refresh', 'mailed link', 'mailed reset'].includes(u))
				assert.strictEqual(
					await uses[u].refused(p, state[u].now),
					false,
					u + ' does not work even before',
				);
		}
		await way.end(p);
		if (p.newKey)
			p.helper = await helper(p).then((h) =>
				feed(h.access_token).then((f) => ((p.control = f), h)),
			);
		const since = { at: performance.now(), lost: machine.lostMs() };
		await Promise.all(here.map((u) => cell(p, name, u, state[u], since)));
		for (const u of here) if (uses[u].end) uses[u].end(state[u].now);
		p.control.ws.terminate();
	});
test('every use has a way that ends it, and the counts', (t) => {
	const all = Object.keys(ways).length * Object.keys(uses).length;
	for (const u of Object.keys(uses))
		assert.ok(Object.values(ways).filter((w) => w.uses.includes(u)).length >= 6, u);
	assert.strictEqual(count.refused + count.other, all);
	const line = `rights that end: ${Object.keys(ways).length} ways x ${Object.keys(uses).length} uses: ${count.refused} refused, ${count.other} do not depend on each other; the slowest after ${Math.round(count.slowest)} ms (${count.slowestIs})`;
	t.diagnostic(line);
	console.log(line);
});

test('a session ends 90 days after its login, one of the staff after 30, however often it is refreshed; so does its last access token', async () => {
	const DAY = 86400;
	for (const [p, days] of [
		[await tenant(), 90],
		[await staff(), 30],
	]) {
		let { refresh_token } = await login(p),
			passed = 0,
			access;
		const began = (await s.clock()) / 1000,
			id = refresh_token.split('.')[2],
			step = p.kind === 'staff' ? 6 : 29;
		const ends = () =>
			Number(
				s.sql(
					`select extract(epoch from expires_at - created_at)::int from sessions where tenant_id = ${p.kind === 'staff' ? 1 : p.tenant} and id = ${id}`,
				),
			);
		while (passed + step < days) {
			await s.jump(step * DAY);
			passed += step;
			const r = await s.post('/api/v1/auth/refresh', null, { refresh_token });
			assert.strictEqual(r.status, 200, `day ${passed}: ${r.text}`);
			refresh_token = r.data.refresh_token;
			assert.ok(ends() <= days * DAY, 'never later than its absolute end');
		}
		assert.strictEqual(ends(), days * DAY);
		await s.jump((days - passed) * DAY - 3600); /* an hour before the end */
		const last = await s.post('/api/v1/auth/refresh', null, { refresh_token });
		assert.strictEqual(last.status, 200, last.text);
		access = JSON.parse(Buffer.from(last.data.access_token.split('.')[1], 'base64url'));
		assert.ok(Math.abs(access.exp - (began + days * DAY)) <= 60, 'the access token ends with it');
		assert.ok(last.data.expires_in <= 3600);
		await s.jump(3700);
		assert.strictEqual((await s.get('/api/v1/me', last.data.access_token)).status, 401);
		const after = await s.post('/api/v1/auth/refresh', null, {
			refresh_token: last.data.refresh_token,
		});
		assert.strictEqual(after.status, 401);
	}
});
test('what sladesk does to an account is an event, a mail and a row in the audit log, as by the API', async () => {
	const p = await tenant(),
		{ refresh_token } = await login(p),
		session = Number(refresh_token.split('.')[2]),
		who = ['--tenant', p.code, '--username', p.username];
	const events = () =>
			s.sql(
				`select coalesce(string_agg(type || ' ' || (data -> 'sessions')::text || ' ' || coalesce(data ->> 'changed', ''), '|' order by seq), '') from events where tenant_id = ${p.tenant} and type in ('auth.user_changed', 'auth.password_changed', 'auth.session_ended')`,
			),
		audited = () =>
			s.sql(
				`select coalesce(string_agg(operation || ' ' || username || ' ' || resource, '|' order by chain_no), '') from audit_logs where tenant_id = ${p.tenant} and actor_kind = 'system'`,
			),
		told = (what) =>
			mail.mails.filter(
				(m) => m.to[0] === `victim@${p.code}.example` && m.subject.includes(what),
			).length;
	cli('user', 'disable', ...who);
	cli('user', 'enable', ...who);
	s.cli(['user', 'password', ...who], OTHER + '\n');
	const again = await post('/api/v1/auth/login', null, { ...loginBody(p), password: OTHER }),
		second = Number(again.refresh_token.split('.')[2]);
	cli('tenant', 'suspend', '--code', p.code);
	cli('tenant', 'resume', '--code', p.code);
	assert.strictEqual(
		events(),
		`auth.user_changed [${session}] is_active|auth.user_changed [] is_active|auth.password_changed [] |auth.session_ended [${second}]`,
	);
	assert.strictEqual(
		audited(),
		[`tenants.add sladesk customers/${p.tenant}`]
			.concat(
				['users.disable', 'users.enable', 'users.password'].map(
					(o) => `${o} sladesk customer victim`,
				),
			)
			.concat(`tenants.suspend sladesk ${p.code}`, `tenants.resume sladesk ${p.code}`)
			.join('|'),
	);
	await waitUntil(() => told('account was changed') === 2 && told('password was changed') === 1);
	assert.strictEqual(
		s.sql(
			`select count(*) from password_history where tenant_id = ${p.tenant} and actor_id = ${p.user_id}`,
		),
		'1',
		'the old password counts among the last five',
	);
	assert.strictEqual(s.sql(`select count(*) from audit_broken(${p.tenant})`), '0');
	await post('/api/v1/auth/login', null, { ...loginBody(p), password: OTHER });
	for (const args of [
		['user', 'disable', '--tenant', p.code, '--username', 'nobody'],
		['user', 'enable', '--username', 'nobody'],
		['tenant', 'suspend', '--code', 'nobody'],
		['tenant', 'suspend', '--code', 'provider'],
	])
		assert.throws(() => s.cli(args), /no such/);
});
