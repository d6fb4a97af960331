// SPDX-License-Identifier: Apache-2.0
// A user's own account: sessions are refreshed and ended, wrong passwords are counted and locked whether or not the user exists, passwords are changed.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const machine = require('../lib/machine.js');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');

let s, mail;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('account', { mail: { url: mail.url } });
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

const login = (username, tenant, password = PASSWORD, path = '/api/v1/auth/login') =>
	s.post(path, null, { username, password, ...(tenant ? { tenant } : {}) });
const refresh = (refresh_token) => s.post('/api/v1/auth/refresh', null, { refresh_token });
const me = (token) => s.get('/api/v1/me', token);
const told = (who, what) => mail.mails.filter((m) => m.to[0] === who && m.subject.includes(what)).length;

test('login returns both tokens and the user, under each of its paths', async () => {
	for (const path of [
		'/api/v1/auth/login',
		'/api/v1/client/auth/login',
		'/api/v1/client/login',
		'/api/client/login',
	]) {
		const r = await login('user', 'alpha', PASSWORD, path);
		assert.strictEqual(r.status, 200, r.text);
		assert.strictEqual(r.data.expires_in, 7200);
		assert.match(r.data.refresh_token, /^sr1\.\d+\.\d+\.[0-9a-f]{64}$/);
		assert.deepStrictEqual(
			[
				r.data.user_info.username,
				r.data.user_info.role_type,
				r.data.user_info.tenant_id,
				r.data.must_change_password,
			],
			['user', 'user', s.alpha, false],
		);
		assert.ok(
			!s
				.sql("select encode(secret_sha256, 'hex') from refresh_tokens")
				.includes(r.data.refresh_token.split('.')[3]),
			'only its digest is stored',
		);
	}
});
test('a refresh token works once; reuse ends the session, and its owner is notified', async () => {
	const a = (await login('user', 'alpha')).data,
		b = (await refresh(a.refresh_token)).data;
	assert.strictEqual((await me(b.access_token)).status, 200);
	assert.notStrictEqual(b.refresh_token, a.refresh_token);
	const c = (await refresh(b.refresh_token)).data;
	const again = await refresh(a.refresh_token);
	assert.deepStrictEqual([again.status, again.code], [401, 40004], again.text);
	assert.strictEqual((await refresh(c.refresh_token)).status, 401, 'the whole family is revoked');
	assert.strictEqual((await me(c.access_token)).status, 401);
	await waitUntil(() => told('user@alpha.example', '会话已被终止') === 1);
	const [x, y] = await Promise.all([1, 2].map(async () => (await login('user', 'alpha')).data)),
		both = await Promise.all([refresh(x.refresh_token), refresh(x.refresh_token)]);
	assert.deepStrictEqual(
		both.map((r) => r.status).sort(),
		[200, 401],
		'two at once: one wins, and the reuse is detected',
	);
	assert.strictEqual((await me(y.access_token)).status, 200, 'other sessions continue');
	for (const bad of [
		'x',
		'sr1.1.1.' + '0'.repeat(64),
		y.refresh_token.replace(/.$/, 'g'),
		y.refresh_token.replace(`sr1.${s.alpha}.`, `sr1.${s.beta}.`),
		y.access_token.slice(0, 200),
	])
		assert.deepStrictEqual(
			[(await refresh(bad)).status, (await refresh(bad)).code],
			[401, 40004],
			bad,
		);
	assert.strictEqual(
		(await s.post('/api/v1/auth/refresh', null, { refresh_token: 'x', more: 1 })).json.details
			.fields[0].field,
		'more',
	);
	assert.strictEqual(
		(await refresh(y.refresh_token)).status,
		200,
		'a refused request does not use up the token',
	);
});
test('cookies for browsers: out of reach of scripts, other sites and forged requests', async () => {
	const host = '127.0.0.1:' + s.port,
		jar = {},
		call = async (method, p, headers = {}, body) => {
			const r = await s.request(method, p, {
				body,
				headers: {
					Host: host,
					...(Object.keys(jar).length
						? {
								Cookie: Object.entries(jar)
									.map(([k, v]) => k + '=' + v)
									.join('; '),
							}
						: {}),
					...headers,
				},
			});
			for (const line of r.headers['set-cookie'] || []) {
				const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
				if (/Max-Age=0/.test(line)) delete jar[name];
				else jar[name] = value;
			}
			return r;
		},
		csrf = () => ({ 'X-CSRF-Token': jar.sd_csrf });
	const r = await call(
		'POST',
		'/api/v1/auth/login',
		{},
		{
			username: 'user',
			password: PASSWORD,
			tenant: 'alpha',
			cookies: true,
		},
	);
	assert.strictEqual(r.status, 200, r.text);
	assert.ok(!/eyJ|sr1\./.test(r.text), 'no token in the body');
	const [access, renewal, token] = r.headers['set-cookie'];
	assert.match(access, /^sd_access=eyJ[^;]+; Path=\/; Max-Age=7200; SameSite=Strict; HttpOnly$/);
	assert.match(renewal, /^sd_refresh=sr1\.[^;]+; Path=\/api\/v1\/auth; .*; HttpOnly$/);
	assert.match(token, /^sd_csrf=[0-9a-f]{32}; Path=\/; Max-Age=\d+; SameSite=Strict$/);
	assert.strictEqual((await call('GET', '/api/v1/me')).data.username, 'user');

	const ticket = { title: 'x', description: 'y' },
		create = (headers) => call('POST', '/api/v1/tickets', headers, ticket);
	for (const [why, headers] of [
		['no token', {}],
		['a wrong one', { 'X-CSRF-Token': '0'.repeat(32) }],
		['of another length', { 'X-CSRF-Token': jar.sd_csrf + '0' }],
		['another site', { ...csrf(), Origin: 'http://evil.example' }],
		['no site', { ...csrf(), Origin: 'null' }],
	])
		assert.deepStrictEqual(
			[(await create(headers)).status, (await create(headers)).code],
			[403, 40003],
			why,
		);
	assert.strictEqual((await create(csrf())).status, 201);
	assert.strictEqual((await create({ ...csrf(), Origin: 'http://' + host })).status, 201);
	const planted = await s.request('GET', '/api/v1/me', {
		headers: { Cookie: `sd_access=${jar.sd_access}; sd_access=x` },
	});
	assert.strictEqual(planted.status, 401, 'two cookies of one name: neither counts');
	const bearer = (await login('eng1')).data.access_token;
	assert.strictEqual(
		(await call('GET', '/api/v1/me', { Authorization: 'Bearer ' + bearer })).data.username,
		'eng1',
		'a bearer token takes precedence over a cookie',
	);

	const old = { ...jar };
	assert.strictEqual((await call('POST', '/api/v1/auth/refresh')).status, 403);
	assert.strictEqual((await call('POST', '/api/v1/auth/refresh', csrf())).status, 200);
	assert.notStrictEqual(jar.sd_refresh, old.sd_refresh);
	assert.strictEqual(jar.sd_csrf, old.sd_csrf, 'another page may have read it earlier');
	const late = await s.request('POST', '/api/v1/auth/refresh', {
		headers: {
			Cookie: `sd_refresh=${old.sd_refresh}; sd_csrf=${old.sd_csrf}`,
			'X-CSRF-Token': old.sd_csrf,
		},
	});
	assert.deepStrictEqual([late.status, late.code], [409, 41002], 'another page of the same browser');
	assert.strictEqual((await call('GET', '/api/v1/me')).status, 200, 'and the session continues');
	s.sql("update refresh_tokens set used_at = used_at - interval '11 s' where used_at is not null");
	const thief = await s.request('POST', '/api/v1/auth/refresh', {
		headers: {
			Cookie: `sd_refresh=${old.sd_refresh}; sd_csrf=${old.sd_csrf}`,
			'X-CSRF-Token': old.sd_csrf,
		},
	});
	assert.strictEqual(thief.status, 401, 'used later, it counts as stolen');
	assert.strictEqual((await call('GET', '/api/v1/me')).status, 401, 'and the session is over');

	await call(
		'POST',
		'/api/v1/auth/login',
		{},
		{
			username: 'user',
			password: PASSWORD,
			tenant: 'alpha',
			cookies: true,
		},
	);
	assert.strictEqual((await call('POST', '/api/v1/auth/logout', csrf())).data.ended, 1);
	assert.deepStrictEqual(jar, {}, 'all three are deleted');
});
test('a forgotten password: a mailed link works once within an hour; the reply does not reveal whether the user exists', async () => {
	const path = '/api/v1/auth/password/',
		forgot = (username, tenant = 'alpha') => s.post(path + 'forgot', null, { username, tenant }),
		use = (token, new_password) => s.post(path + 'reset', null, { token, new_password }),
		links = () =>
			mail.mails
				.filter(
					(m) =>
						m.to[0] === 'forgetful@alpha.example' &&
						/#reset=/.test(m.body),
				)
				.map((m) => m.body.match(/#reset=([\w.-]+)/)[1]);
	s.cli(
		[
			...['user', 'add', '--tenant', 'alpha', '--username', 'forgetful', '--name', 'F'],
			...['--email', 'forgetful@alpha.example', '--lang', 'en'],
		],
		PASSWORD + '\n',
	);
	const before = (await login('forgetful', 'alpha')).data;
	const [known, unknown] = [await forgot('forgetful'), await forgot('nobody-at-all')];
	assert.deepStrictEqual([known.status, known.text], [unknown.status, unknown.text]);
	assert.strictEqual(known.status, 202);
	await waitUntil(() => links().length === 1);
	await forgot('forgetful');
	const token = links()[0];
	assert.strictEqual((await me(token)).status, 401, 'no access token');
	assert.strictEqual((await use(before.access_token, 'Vergiss-mich-9')).status, 401, 'no reset token');
	assert.strictEqual(
		(await use(token.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')) + 'x', 'Vergiss-mich-9'))
			.status,
		401,
	);
	for (const bad of ['short', 'forgetful', PASSWORD])
		assert.deepStrictEqual(
			(await use(token, bad)).json.details.fields.map((f) => f.field),
			['new_password'],
			bad,
		);
	for (let i = 0; i < 5; i++) await login('forgetful', 'alpha', 'wrong');
	assert.strictEqual((await login('forgetful', 'alpha')).status, 401, 'locked');
	const both = await Promise.all([use(token, 'Vergiss-mich-9'), use(token, 'Vergiss-mich-8')]);
	assert.deepStrictEqual(both.map((r) => r.status).sort(), [200, 401], 'good once');
	const right = both[0].status === 200 ? 'Vergiss-mich-9' : 'Vergiss-mich-8';
	assert.strictEqual((await login('forgetful', 'alpha', right)).status, 200, 'the lock is lifted');
	assert.strictEqual((await login('forgetful', 'alpha')).status, 401);
	assert.strictEqual((await refresh(before.refresh_token)).status, 401, 'its sessions have ended');
	await waitUntil(() => told('forgetful@alpha.example', 'Your password was changed') === 1);
	assert.strictEqual(links().length, 1, 'one mail in five minutes');
	s.sql("update password_resets set asked_at = asked_at - interval '6 minutes'");
	await forgot('forgetful');
	await waitUntil(() => links().length === 2);
	s.sql("update password_resets set asked_at = asked_at - interval '1 hour' where used_at is null");
	assert.strictEqual((await use(links()[1], 'Vergiss-mich-7')).status, 401, 'an hour later');
	assert.ok(
		!s.sql('select string_agg(x::text, chr(10)) from events x').includes(links()[1].slice(-40)),
		'the token is stored nowhere',
	);
});
test('sessions are listed and ended by their owner only', async () => {
	const [a, b, other, same] = await Promise.all(
		[
			login('admin', 'alpha'),
			login('admin', 'alpha'),
			login('admin', 'beta'),
			login('user', 'alpha'),
		].map(async (x) => (await x).data.access_token),
	);
	const list = (await s.get('/api/v1/auth/sessions', a)).data.items;
	assert.strictEqual(list.length, 2);
	assert.strictEqual(list.filter((x) => x.current).length, 1);
	assert.strictEqual(list[0].address, '127.0.0.1');
	/* a device has the name that mails give it; the header itself stays beside it */
	for (const [agent, name] of [
		[
			'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0',
			'Edge, Windows',
		],
		['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0', 'WeChat, iPhone'],
		['curl/8.5.0', 'curl'],
		['', ''],
	]) {
		s.sql(`update sessions set device = '${agent}' where id = ${list[0].id}`);
		const [shown] = (await s.get('/api/v1/auth/sessions', a)).data.items;
		assert.deepStrictEqual([shown.device, shown.device_name], [agent, name]);
	}
	const mine = list.find((x) => !x.current).id;
	for (const t of [other, same])
		assert.strictEqual(
			(await s.request('DELETE', '/api/v1/auth/sessions/' + mine, { token: t })).status,
			404,
		);
	assert.strictEqual(
		(await s.request('DELETE', '/api/v1/auth/sessions/' + mine, { token: a })).data.ended,
		1,
	);
	assert.strictEqual((await me(b)).status, 401, 'at once');
	await login('admin', 'alpha');
	assert.ok((await s.post('/api/v1/auth/logout-everywhere', a)).data.ended >= 2);
	assert.strictEqual((await me(a)).status, 401);
	assert.strictEqual((await me(other)).status, 200);
	const service = s
		.cli(['token', 'add', '--tenant', 'alpha', '--name', 'x', '--scopes', 'tickets:read'])
		.trim()
		.split(/\s+/)
		.find((x) => x.startsWith('sd1.'));
	for (const [m, p] of [
		['GET', '/api/v1/auth/sessions'],
		['POST', '/api/v1/auth/logout-everywhere'],
	])
		assert.strictEqual((await s.request(m, p, { token: service })).code, 40003);
});
test('five wrong passwords lock for 30 minutes; an unknown user name behaves the same, in replies and in time', async () => {
	const names = ['user', 'nobody-here'],
		times = { user: [], 'nobody-here': [] },
		texts = new Set();
	await Promise.all(
		names.map(async (n) => {
			for (let i = 0; i < 5; i++) {
				const at = Date.now(),
					r = await login(n, 'beta', 'Wrong-password-' + i);
				times[n].push(Date.now() - at);
				assert.deepStrictEqual([r.status, r.code], [401, 40004]);
				texts.add(r.json.details.user_message);
			}
		}),
	);
	const right = await login('user', 'beta');
	assert.strictEqual(right.status, 401, 'locked: even the correct password is refused');
	texts.add(right.json.details.user_message);
	assert.strictEqual(texts.size, 1, 'and the reply does not reveal which it was');
	for (let i = 1; i < 5; i++)
		for (const n of names)
			assert.ok(times[n][i] >= 250 * 2 ** i, 'each costs twice the wait: ' + times[n]);
	for (let i = 0; i < 5; i++)
		assert.ok(
			Math.abs(times.user[i] - times['nobody-here'][i]) <
				250 + 0.3 * times.user[i] + machine.longestMs(),
			JSON.stringify(times),
		);
	await waitUntil(() => told('user@beta.example', 'locked') === 1);
	assert.strictEqual(
		mail.mails.find((m) => m.subject.includes('locked')).body.includes('127.0.0.1'),
		true,
	);
	assert.strictEqual(
		(await login('user', 'alpha')).status,
		200,
		'the same name at another tenant is another account',
	);
	assert.strictEqual((await login('user', 'no-such-tenant')).status, 401);
	s.sql("update login_attempts set last_at = last_at - interval '30 minutes'");
	assert.strictEqual((await login('user', 'beta')).status, 200);
	assert.strictEqual(
		s.sql(
			`select count(*) from login_attempts where tenant_id = ${s.beta} and username = 'user' and source <> '*' and attempts + cardinality(pending) > 0`,
		),
		'0',
		'forgotten after a correct password',
	);
});
test('thirty concurrent guesses count as five: a correct one among the later ones is refused', async () => {
	const r = await Promise.all(
			[...Array(29)].map((_, i) => login('admin', 'alpha', 'Guess-' + i + '-wrong')),
		),
		last = await login('admin', 'alpha');
	assert.ok(r.every((x) => [401, 503].includes(x.status)));
	assert.strictEqual(last.status, 401);
	assert.strictEqual(
		s.sql(
			`select attempts from login_attempts where tenant_id = ${s.alpha} and username = 'admin' and source <> '*'`,
		),
		'5',
	);
	await waitUntil(() => told('admin@alpha.example', '已锁定') === 1);
	s.sql("update login_attempts set last_at = last_at - interval '30 minutes'");
	const many = await Promise.all([...Array(16)].map(() => login('admin', 'alpha')));
	assert.deepStrictEqual(
		many.map((x) => x.status),
		Array(16).fill(200),
		'correct ones wait for their turn',
	);
});
test('a password is changed by the rules; the last five are refused; other sessions end; the owner is notified', async () => {
	const change = (t, old_password, new_password) =>
		s.post('/api/v1/auth/password', t, { old_password, new_password });
	const a = (await login('admin', 'beta')).data.access_token,
		b = (await login('admin', 'beta')).data.access_token;
	for (const bad of [
		'Short-1',
		'nocapitals-1',
		'NOSMALL-1',
		'No-digits',
		'Nosign111',
		'P@ssw0rd2026!',
		'Admin@12345',
		'My-admin-name-7',
	]) {
		const r = await change(a, PASSWORD, bad);
		assert.deepStrictEqual(
			[r.code, r.json.details.fields[0].field],
			[40001, 'new_password'],
			bad,
		);
	}
	assert.strictEqual(
		(await change(a, 'Not-mine-77', 'Kofferwort-1')).json.details.fields[0].field,
		'old_password',
	);
	assert.strictEqual(
		(await change(a, PASSWORD, PASSWORD)).json.details.fields[0].field,
		'new_password',
	);
	let now = PASSWORD;
	for (let i = 1; i <= 4; i++) {
		assert.strictEqual((await change(a, now, 'Kofferwort-' + i)).status, 200);
		now = 'Kofferwort-' + i;
	}
	assert.strictEqual((await me(b)).status, 401, 'the other session ended');
	assert.strictEqual((await me(a)).status, 200, 'this one continues');
	assert.strictEqual(
		(await change(a, now, PASSWORD)).json.details.fields[0].field,
		'new_password',
		'the fifth-last password',
	);
	assert.strictEqual((await change(a, now, 'Kofferwort-5')).status, 200);
	assert.strictEqual(
		(await change(a, 'Kofferwort-5', PASSWORD)).status,
		200,
		'the sixth-last password may be used again',
	);
	assert.strictEqual((await login('admin', 'beta', 'Kofferwort-5')).status, 401);
	assert.strictEqual((await login('admin', 'beta')).status, 200);
	await waitUntil(() => told('admin@beta.example', 'password was changed') === 6);
});
test('a user who must change the password can do nothing else first', async () => {
	s.cli(
		['user', 'password', '--tenant', 'beta', '--username', 'user', '--must-change'],
		PASSWORD + '\n',
	);
	assert.throws(
		() => s.cli(['user', 'password', '--tenant', 'beta', '--username', 'user'], 'password\n'),
		/8 to 200 characters/,
	);
	const r = (await login('user', 'beta')).data,
		t = r.access_token;
	assert.strictEqual(r.must_change_password, true);
	assert.strictEqual((await me(t)).data.must_change_password, true);
	for (const [m, p, body] of [
		['GET', '/api/v1/tickets'],
		['POST', '/api/v1/tickets', { title: 'x', description: 'y' }],
		['GET', '/api/v1/catalogue'],
	]) {
		const x = await s.request(m, p, { token: t, body });
		assert.strictEqual(x.code, 40003);
		assert.match(x.json.details.rule, /change your password/);
	}
	assert.strictEqual(
		(
			await s.post('/api/v1/auth/password', t, {
				old_password: PASSWORD,
				new_password: 'Kofferwort-9',
			})
		).status,
		200,
	);
	assert.strictEqual((await s.get('/api/v1/tickets', t)).status, 200);
});
