// SPDX-License-Identifier: Apache-2.0
// Rate limits by address, user and tenant, with two instances and without Redis; and the limit on users logged in at once.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, settled, redis, PASSWORD } = require('../lib/server.js');

const make = async (name, limits, more = {}) => {
	const s = new Server(name, { limits, ...more });
	if (more.redisUrl) s.redisUrl = more.redisUrl;
	await s.prepare();
	return s.start();
};
const burst = async (n, ask) => {
	const all = await Promise.all(Array.from({ length: n }, ask)),
		count = {};
	for (const r of all) count[r.status] = (count[r.status] || 0) + 1;
	return { all, count };
};

test('a user, a tenant and an address have limits; probes have none; a refusal says when to retry', async () => {
	const s = await make('limits', {
		user_per_s: 5,
		user_burst: 20,
		tenant_per_s: 5,
		tenant_burst: 45,
		address_per_s: 2,
		address_burst: 15,
		login_per_s: 1,
		login_burst: 9,
	});
	const [user, admin, eng] = await Promise.all([
			s.login('user', 'alpha'),
			s.login('admin', 'alpha'),
			s.login('eng1'),
		]),
		me = (t) => () => s.get('/api/v1/me', t);
	const a = await burst(40, me(user)),
		no = a.all.find((r) => r.status === 429);
	assert.ok(a.count[200] >= 20 && a.count[200] <= 24, JSON.stringify(a.count));
	assert.deepStrictEqual(
		[
			no.code,
			no.json.details.limit,
			no.json.details.per_second,
			no.json.details.retry_after_seconds,
		],
		[40005, 'user', 5, 1],
	);
	assert.strictEqual(no.headers['retry-after'], '1');
	const b = await burst(40, me(admin));
	assert.ok(b.count[200] >= 15 && b.count[200] <= 28, JSON.stringify(b.count));
	const t = await burst(30, me(admin));
	assert.ok(t.all.some((r) => r.status === 429));
	const own = await burst(22, me(eng));
	assert.ok(own.count[200] >= 20, 'the provider has no tenant limit: ' + JSON.stringify(own.count));
	const guesses = await burst(40, () => s.get('/api/v1/me', 'sd1.1.1.' + 'x'.repeat(64)));
	assert.ok(guesses.count[401] <= 18 && guesses.count[429] >= 20, JSON.stringify(guesses.count));
	assert.strictEqual(guesses.all.find((r) => r.status === 429).json.details.limit, 'address');
	assert.strictEqual(
		(await burst(60, () => s.get('/healthz'))).count[200],
		60,
		'a monitor is never refused',
	);
	assert.strictEqual((await burst(60, () => s.get('/'))).count[200], 60);
	const logins = await burst(12, () =>
		s.post('/api/v1/auth/login', null, { username: 'nobody', password: 'x', tenant: 'beta' }),
	);
	assert.ok(logins.count[429] >= 4, JSON.stringify(logins.count));
	await waitUntil(async () => (await me(user)()).status === 200);
	const m = (await s.get('/metrics')).text;
	for (const l of ['user', 'address', 'login'])
		assert.match(m, new RegExp(`limited_total{limit="${l}"} [1-9]`));
	await s.drop();
});
test('two instances share a bucket through Redis; without Redis each has its own', async () => {
	const s = await make('limits_two', { user_per_s: 2, user_burst: 40 });
	const other = new Server('limits_two', s.settings);
	other.db = s.db;
	other.dir = s.dir + '/2';
	require('node:fs').mkdirSync(other.dir, { recursive: true });
	require('node:fs').chmodSync(other.dir, 0o777);
	other.port = await require('../lib/server.js').freePort();
	other.file = other.dir + '/sladesk.conf';
	other.settings = { ...s.settings, token: { key_file: s.dir + '/token.jwk' } };
	await other.start();
	const token = await s.login(
		'admin',
		'beta',
	); /* a user that no other test's server has reported to this Redis */
	const kept = () =>
			redis('--scan', '--pattern', 'sladesk:v1:limit:user:*').split('\n').filter(Boolean),
		others = kept(),
		one = await burst(30, () => s.get('/api/v1/me', token));
	assert.strictEqual(one.count[200], 30);
	/* reported within 100 ms, in both directions */
	const key = await waitUntil(() => kept().find((k) => !others.includes(k))),
		told = await settled(() => redis('hget', key, 'at'));
	await other.get('/api/v1/me', token); /* the first request of a user learns what is left */
	await waitUntil(() => redis('hget', key, 'at') !== told);
	const two = await burst(30, () => other.get('/api/v1/me', token));
	assert.ok(two.count[200] <= 16 && two.count[429] >= 14, JSON.stringify(two.count));
	await other.stop();
	await s.drop();
	const alone = await make('limits_alone', { user_per_s: 1, user_burst: 10 }, { redis: { url: '' } });
	const t = await alone.login('user', 'alpha');
	const r = await burst(30, () => alone.get('/api/v1/me', t));
	assert.ok(r.count[200] >= 10 && r.count[200] <= 12, JSON.stringify(r.count));
	await alone.drop();
});
test("only a trusted proxy determines the client's address", async () => {
	const s = await make(
		'limits_proxy',
		{ address_per_s: 1, address_burst: 5 },
		{ http: { trusted_proxies: '10.9.9.9, 127.0.0.1' } },
	);
	const ask = (from) => () =>
		s.get('/api/v1/client/theme/' + s.alpha, null, { 'X-Forwarded-For': from });
	for (const from of ['198.51.100.1', '198.51.100.2', '2001:db8:1:2::1'])
		assert.strictEqual((await burst(5, ask('8.8.8.8, ' + from))).count[200], 5, from);
	assert.ok((await burst(5, ask('198.51.100.2'))).count[429] >= 4);
	assert.ok(
		(await burst(5, ask('2001:db8:1:2:ffff::7'))).count[429] >= 4,
		'a network of 64 bits is one address',
	);
	assert.ok(
		(await burst(5, ask('::ffff:198.51.100.2'))).count[429] >= 4,
		'another spelling is the same address',
	);
	assert.strictEqual(
		(await burst(5, ask('198.51.100.3, 10.9.9.9'))).count[200],
		5,
		'a second proxy is not the client',
	);
	assert.ok((await burst(5, ask('198.51.100.3'))).count[429] >= 4);
	/* a proxy may add a line of its own behind the one that the client has invented */
	let invented = 0;
	const two = () =>
		s.get('/api/v1/client/theme/' + s.alpha, null, {
			'X-Forwarded-For': ['203.0.113.' + ++invented, '198.51.100.4'],
		});
	assert.strictEqual((await burst(5, two)).count[200], 5);
	assert.ok((await burst(5, two)).count[429] >= 4, 'the last line counts, not the first');
	assert.ok((await burst(7, ask('no address'))).count[200] <= 6);
	await s.drop();
	const wary = await make('limits_wary', { address_per_s: 1, address_burst: 5 });
	let n = 0;
	const r = await burst(20, () =>
		wary.get('/api/v1/client/theme/' + wary.alpha, null, {
			'X-Forwarded-For': '198.51.100.' + ++n,
		}),
	);
	assert.ok(r.count[200] <= 7, JSON.stringify(r.count));
	await wary.drop();
});
test('the limit of users logged in at once: earlier users stay, staff are not counted, a logout makes room', async () => {
	const s = await make('limits_seats', { tenant_users: 3 });
	const add = (u, tenant = 'alpha') =>
		s.cli(
			[
				'user',
				'add',
				'--tenant',
				tenant,
				'--username',
				u,
				'--name',
				u,
				'--email',
				`${u}@${tenant}.example`,
			],
			PASSWORD + '\n',
		);
	for (const u of ['u1', 'u2', 'u3', 'u4']) add(u);
	const login = (username, tenant = 'alpha') =>
		s.post('/api/v1/auth/login', null, { username, password: PASSWORD, tenant });
	const all = await burst(1, () => login('admin'));
	assert.strictEqual(all.count[200], 1);
	const rush = await Promise.all(['u1', 'u2', 'u3', 'u4'].map((u) => login(u)));
	assert.deepStrictEqual(
		rush.map((r) => r.status).sort(),
		[200, 200, 429, 429],
		'not one more than the limit',
	);
	const no = rush.find((r) => r.status === 429),
		has = rush.findIndex((r) => r.status === 200);
	assert.deepStrictEqual([no.code, no.json.details.limit], [40005, 'tenant_users']);
	assert.strictEqual(
		(await login('u' + (has + 1))).status,
		200,
		'a user who is logged in may log in again',
	);
	assert.strictEqual((await login('user', 'beta')).status, 200, "another tenant's are others");
	assert.strictEqual(
		(await s.post('/api/v1/auth/login', null, { username: 'eng1', password: PASSWORD })).status,
		200,
	);
	await s.post('/api/v1/auth/logout-everywhere', rush[has].data.access_token);
	assert.strictEqual((await login('u' + (rush.indexOf(no) + 1))).status, 200);
	s.sql(`update customers set max_users = 1 where tenant_id = ${s.beta}`);
	assert.strictEqual((await login('admin', 'beta')).code, 40005);
	s.sql(`update customers set max_users = 0 where tenant_id = ${s.beta}`);
	assert.strictEqual((await login('admin', 'beta')).status, 200, '0: no limit');
	await s.drop();
});
