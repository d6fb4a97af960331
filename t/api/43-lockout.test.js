// SPDX-License-Identifier: Apache-2.0
// Lockout cannot be used as a weapon: wrong passwords are counted by account and network, with separate counts for known devices and networks;
// guesses from many networks delay strangers and nobody else. Names and passwords that look alike are the same. A flood from one address delays no
// login of others.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path');
const { Server, waitUntil, PASSWORD } = require('../lib/server.js'),
	machine = require('../lib/machine.js');

let s;
test.before(async () => {
	s = await Server.make('lockout', {
		http: { trusted_proxies: '127.0.0.1' },
		test: { allow_clock: 'yes' },
	});
});
test.after(() => s.drop());

const login = (username, tenant, password, from, more = {}) =>
	s.post(
		'/api/v1/auth/login',
		null,
		{ username, password, ...(tenant ? { tenant } : {}), ...more },
		{ 'X-Forwarded-For': from },
	);
const wrong = async (n, username, tenant, from, more) => {
	const all = [];
	for (let i = 0; i < n; i++)
		all.push((await login(username, tenant, 'Wrong-pass-' + i, from, more)).status);
	return all;
};
const calm = () => s.sql('delete from login_attempts');
/* Logged in from there before, long enough ago to be stored. */
const known = async (username, tenant, from) =>
	assert.strictEqual((await login(username, tenant, PASSWORD, from)).status, 200);

test('five wrong passwords lock a name for their network: the owner elsewhere logs in', async () => {
	calm();
	for (const [stranger, same, owner] of [
		['198.51.100.7', '198.51.100.200', '203.0.113.9'],
		['2001:db8:1:2::7', '2001:db8:1:2:ffff::1', '2001:db8:1:3::7'],
	]) {
		calm();
		assert.deepStrictEqual(await wrong(5, 'user', 'alpha', stranger), [401, 401, 401, 401, 401]);
		assert.strictEqual((await login('user', 'alpha', PASSWORD, stranger)).status, 401);
		assert.strictEqual(
			(await login('user', 'alpha', PASSWORD, same)).status,
			401,
			'the same network',
		);
		assert.strictEqual((await login('user', 'alpha', PASSWORD, owner)).status, 200);
		assert.strictEqual(
			(await login('user', 'alpha', PASSWORD, stranger)).status,
			401,
			'still locked there',
		);
	}
	s.sql("update login_attempts set last_at = last_at - interval '30 minutes'");
	assert.strictEqual((await login('user', 'alpha', PASSWORD, '198.51.100.7')).status, 200);
});
test('a trusted device behind the same address has a count of its own', async () => {
	calm();
	const device = 'a'.repeat(64);
	s.sql(
		`insert into trusted_devices (tenant_id, actor_kind, actor_id, secret_sha256, device, created_at, expires_at)
		select tenant_id, 'customer', id, encode(sha256('${device}'), 'hex'), 'x', now(), now() + interval '1 day'
		from client_users where tenant_id = ${s.alpha} and username = 'user'`,
	);
	const mine = { device_token: 'dt1.' + device };
	await wrong(5, 'user', 'alpha', '198.51.100.7');
	assert.strictEqual((await login('user', 'alpha', PASSWORD, '198.51.100.7')).status, 401);
	assert.strictEqual((await login('user', 'alpha', PASSWORD, '198.51.100.7', mine)).status, 200);
	assert.strictEqual((await login('admin', 'alpha', PASSWORD, '198.51.100.8', mine)).status, 200);
	assert.deepStrictEqual(
		await wrong(5, 'user', 'alpha', '198.51.100.7', mine),
		[401, 401, 401, 401, 401],
	);
	assert.strictEqual(
		(await login('user', 'alpha', PASSWORD, '198.51.100.7', mine)).status,
		401,
		'a stolen device cannot guess for ever',
	);
	s.sql('delete from trusted_devices');
});
test('guesses from many networks slow strangers down, for known and unknown names alike; known networks go on', async () => {
	for (const name of ['user', 'nobody-here']) {
		calm();
		if (name === 'user') await known('user', 'beta', '203.0.113.9');
		for (let i = 0; i < 5; i++)
			await Promise.all(
				[0, 1, 2, 3].map((k) => wrong(1, name, 'beta', `198.51.${4 * i + k}.7`)),
			);
		const slot = await login(name, 'beta', 'Wrong-pass', '198.18.1.1');
		assert.deepStrictEqual(
			[slot.status, slot.code, slot.json.details.limit],
			[429, 40005, 'login_name'],
			name,
		);
		assert.ok(
			Number(slot.headers['retry-after']) >= 1 && Number(slot.headers['retry-after']) <= 10,
		);
		if (name === 'user') {
			const r = await machine.timed(() => login('user', 'beta', PASSWORD, '203.0.113.77'));
			assert.strictEqual(r.r.status, 200, 'the owner at home is not affected');
			assert.ok(r.ms < 1000, `after ${r.ms} ms`);
		}
		s.sql(
			"update login_attempts set last_at = last_at - interval '10 seconds' where source = '*'",
		);
		const two = await Promise.all(
			['198.18.2.1', '198.18.3.1'].map((from) => login(name, 'beta', 'Wrong-pass', from)),
		);
		assert.deepStrictEqual(two.map((r) => r.status).sort(), [401, 429], 'one in ten seconds');
	}
	calm();
});
test('five right passwords while the database hangs lock nobody out', async () => {
	calm();
	const lock = s.hold
		? null
		: require('node:child_process').spawn(
				'psql',
				[
					'-h',
					require('../lib/server.js').SOCK,
					'-U',
					'postgres',
					'-d',
					s.db,
					'-XAtq',
				],
				{
					env: {
						...process.env,
						PGPASSWORD: require('../lib/server.js').secret,
					},
					stdio: ['pipe', 'pipe', 'ignore'],
				},
			);
	lock.stdin.write('begin; lock table sessions in access exclusive mode; select 1;\n');
	await new Promise((ok) => lock.stdout.once('data', ok));
	const hung = await Promise.all(
		[...Array(5)].map(() => login('admin', 'beta', PASSWORD, '198.51.100.7')),
	);
	assert.deepStrictEqual(
		hung.map((r) => r.status),
		Array(5).fill(503),
	);
	lock.stdin.end('rollback;\n');
	await new Promise((ok) => lock.once('close', ok));
	await waitUntil(async () => (await login('admin', 'beta', PASSWORD, '198.51.100.7')).status === 200);
	/* what began and was never decided is free again after 15 seconds, and was never a wrong password */
	s.sql(
		`insert into login_attempts (tenant_id, username, source, attempts, last_at, pending) values (${s.beta}, 'admin', '198.51.100.0/24', 0, now(),
		array_fill((extract(epoch from now() - interval '16 seconds') * 1000000)::bigint, array[5]))
		on conflict (tenant_id, username, source) do update set pending = excluded.pending, attempts = 0`,
	);
	assert.strictEqual((await login('admin', 'beta', PASSWORD, '198.51.100.7')).status, 200);
});
test('names are folded before they are compared and counted', async () => {
	calm();
	for (const name of ['ADMIN', 'admin ', ' Admin', 'aDmIn\t', '\u3000admin\u00a0', '\u200badmin']) {
		const r = await login(name, 'alpha', PASSWORD, '203.0.113.9');
		assert.deepStrictEqual(
			[r.status, r.data && r.data.user_info.username],
			[200, 'admin'],
			JSON.stringify(name),
		);
	}
	assert.strictEqual((await login('admin', 'ALPHA ', PASSWORD, '203.0.113.9')).status, 200);
	assert.strictEqual((await login('ENG1', null, PASSWORD, '203.0.113.9')).status, 200);
	for (const name of ['ADMIN', ' admin', 'Admin', 'admin\u00a0', 'ADMIN '])
		await wrong(1, name, 'alpha', '198.51.100.7');
	assert.strictEqual(
		s.sql(
			`select string_agg(username || ' ' || attempts, ',') from login_attempts where source <> '*'`,
		),
		'admin 5',
	);
	const admin = (await login('admin', 'alpha', PASSWORD, '203.0.113.9')).data.access_token;
	for (const username of ['User', 'user ', 'USER', 'user']) {
		const r = await s.post('/api/v1/client/admin/users', admin, {
			...{ username, password: 'Kofferwort-7', full_name: 'x', email: 'x@alpha.example' },
		});
		assert.ok([400, 409].includes(r.status), `${JSON.stringify(username)}: ${r.status}`);
	}
	assert.strictEqual(s.sql(`select count(*) from client_users where tenant_id = ${s.alpha}`), '2');
});
test('a password is the same however its characters are composed; old hashes are renewed', async () => {
	calm();
	const admin = (await login('admin', 'alpha', PASSWORD, '203.0.113.9')).data.access_token,
		me = (password) => login('zoe', 'alpha', password, '203.0.113.9');
	const r = await s.post('/api/v1/client/admin/users', admin, {
		...{
			username: 'zoe',
			password: 'Z\u00fcgel-9\u00e9\u4e2d',
			full_name: 'Zoe',
			email: 'zoe@alpha.example',
		},
	});
	assert.strictEqual(r.status, 201, r.text);
	assert.strictEqual((await me('Zu\u0308gel-9e\u0301\u4e2d')).status, 200, 'decomposed');
	assert.strictEqual((await me('Z\u00fcgel-9\u00e9\u4e2d')).status, 200);
	assert.strictEqual((await me('Zugel-9e\u4e2d')).status, 401);
	/* a hash from before: of what was typed */
	const typed = 'Zu\u0308gel-8x',
		hash = () =>
			s.sql(
				`select password_hash from client_users where tenant_id = ${s.alpha} and username = 'zoe'`,
			),
		old =
			'$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$DdsccKdW6LhAy4DDpe4jfAtnIoH+TtRTedAcXHRmH6o';
	s.sql(
		`update client_users set password_hash = '${old}' where tenant_id = ${s.alpha} and username = 'zoe'`,
	);
	assert.strictEqual((await me(typed)).status, 200);
	assert.notStrictEqual(hash(), old, 'renewed');
	assert.strictEqual((await me('Z\u00fcgel-8x')).status, 200);
	const change = (old_password, new_password, token) =>
		s.post('/api/v1/auth/password', token, { old_password, new_password });
	const zoe = (await me(typed)).data.access_token;
	const again = await change(typed, 'Z\u00fcgel-8x', zoe);
	assert.strictEqual(again.status, 400, 'the same password in another composition');
	assert.match(again.text, /last five/);
	let last = typed;
	for (const good of [
		'Aa1!春眠不觉晓处处闻啼鸟',
		'Солнышко-7',
		'Aa1!😀🎉🚀🌍🍕🎸',
		'Aa1!' + '春'.repeat(196),
	]) {
		const token = (await me(last)).data.access_token,
			c = await change(last, good, token);
		assert.strictEqual(c.status, 200, good + ': ' + c.text);
		assert.strictEqual((await me(good)).status, 200, good);
		last = good;
	}
	const token = (await me(last)).data.access_token;
	for (const [bad, why] of [
		['Aa1!' + '😀'.repeat(197), /8 to 200 characters/],
		['Aa1!' + '春'.repeat(197), /8 to 200 characters/],
		['Aa1!春眠', /8 to 200 characters/],
		['Password1！', /too common/],
	]) {
		const c = await change(last, bad, token);
		assert.strictEqual(c.status, 400, bad);
		assert.match(c.text, why, bad);
	}
});
/* A login straight from a local address, over its own connection. */
const from = (port, localAddress, body, agent) =>
	new Promise((ok, no) => {
		const began = Date.now(),
			data = JSON.stringify(body),
			r = http.request(
				{
					...{
						host: '127.0.0.1',
						port,
						localAddress,
						method: 'POST',
						path: '/api/v1/auth/login',
						agent,
					},
					headers: {
						'Content-Type': 'application/json',
						'Content-Length': Buffer.byteLength(data),
					},
				},
				(res) => {
					res.resume();
					res.on('end', () =>
						ok({ status: res.statusCode, ms: Date.now() - began }),
					);
				},
			);
		r.on('error', no);
		r.end(data);
	});
/* a hash takes longer in a sanitized build */
const SLOWER = process.env.BUILD_DIR.endsWith('build-asan') ? 4 : 1;
/* What the others see while one address logs in with unknown names over 100 connections for 6 s. */
async function underFlood(t, what, limits, within) {
	const f = await Server.make('flood', limits ? { limits } : {}),
		all = { home: [], stranger: [], known: [], unknown: [], flood: {} },
		right = (username, tenant) => ({
			username,
			password: PASSWORD,
			...(tenant ? { tenant } : {}),
		});
	t.after(() => f.drop());
	await from(f.port, '127.0.7.1', right('user', 'alpha'));
	const end = Date.now() + 6000;
	let n = 0;
	const flood = [...Array(100)].map(async () => {
		const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
		while (Date.now() < end) {
			const r = await from(
				f.port,
				'127.0.0.66',
				{ username: 'x' + ++n, password: 'x', tenant: 'alpha' },
				agent,
			);
			all.flood[r.status] = (all.flood[r.status] || 0) + 1;
			if (r.status === 429) await new Promise((ok) => setImmediate(ok));
		}
		agent.destroy();
	});
	await waitUntil(() => n > 200);
	const others = async (k) => {
		for (let i = 0; Date.now() < end - 1000; i++) await k(i);
	};
	await Promise.all([
		others(async () => all.home.push(await from(f.port, '127.0.7.9', right('user', 'alpha')))),
		others(async (i) =>
			all.stranger.push(await from(f.port, `127.0.${20 + i}.1`, right('admin', 'beta'))),
		),
		others(async (i) =>
			all.known.push(
				await from(f.port, `127.1.${i}.1`, {
					...right('user', 'beta'),
					password: 'Wrong-1',
				}),
			),
		),
		others(async (i) =>
			all.unknown.push(
				await from(f.port, `127.2.${i}.1`, {
					...right('nobody', 'beta'),
					password: 'Wrong-1',
				}),
			),
		),
	]);
	await Promise.all(flood);
	const mean = (l) => Math.round(l.reduce((a, r) => a + r.ms, 0) / l.length),
		most = (l) => Math.max(...l.map((r) => r.ms)),
		allowed = within * SLOWER + machine.longestMs();
	t.diagnostic(
		`${what}: flood ${JSON.stringify(all.flood)}; ` +
			Object.entries(all)
				.filter(([, l]) => Array.isArray(l))
				.map(
					([k, l]) =>
						`${k} ${l.length} logins, mean ${mean(l)} ms, longest ${most(l)} ms`,
				)
				.join('; '),
	);
	for (const k of ['home', 'stranger']) {
		assert.ok(
			all[k].length >= 3 && all[k].every((r) => r.status === 200),
			JSON.stringify(all[k]),
		);
		assert.ok(most(all[k]) < allowed, `${k}: ${most(all[k])} ms`);
	}
	assert.ok([...all.known, ...all.unknown].every((r) => [401, 429].includes(r.status)));
	const waited = (l) => l.filter((r) => r.status === 401);
	if (!limits.login_burst) return; /* the queue's noise is larger than what is compared */
	assert.ok(
		Math.abs(mean(waited(all.known)) - mean(waited(all.unknown))) <
			250 * SLOWER + machine.longestMs(),
		`known ${mean(all.known)} ms, unknown ${mean(all.unknown)} ms`,
	);
}
test('a flood of unknown names from one address stops no login of others: by the real limits', async (t) => {
	const def = fs.readFileSync(path.join(__dirname, '../../include/config/options.def'), 'utf8'),
		limits = {};
	for (const [, key, value] of def.matchAll(/OPTION_INT\(limits, (\w+), (\d+),/g))
		limits[key] = Number(value);
	assert.deepStrictEqual(
		[
			limits.login_per_s,
			limits.login_burst,
			limits.user_per_s,
			limits.user_burst,
			limits.address_per_s,
			limits.address_burst,
		],
		[5, 100, 50, 500, 100, 1000],
	);
	await underFlood(t, 'real limits', limits, 1000);
});
test('and without a limit, by turns in the queue alone', async (t) => {
	/* the flood's 1,000 requests a second take the processor that the others need, too */
	await underFlood(t, 'no limits', { login_per_s: 0 }, 2000);
});
