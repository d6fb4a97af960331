// SPDX-License-Identifier: Apache-2.0
// Other ways to log in: a mailed link, and a customer's own host name; and the detection of unusual logins.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');

let s, mail, admin;
const fields = (r) => (r.json.details.fields || []).map((f) => f.field);
test.before(async () => {
	mail = await mailSink();
	s = new Server('ways_in', { mail: { url: mail.url }, http: { trusted_proxies: '127.0.0.1' } });
	await s.prepare();
	const table = path.join(s.dir, 'networks');
	fs.writeFileSync(
		table,
		'# where addresses are\n203.0.113.0/24,CN,31.2,121.5\n203.0.113.128/25,US,37.8,-122.4\n198.51.100.0/24,CN,39.9,116.4\n2001:db8::/32,DE,52.5,13.4\nnonsense\n',
	);
	s.settings.http.url = 'http://127.0.0.1:' + s.port;
	s.settings.signin = { network_file: table };
	await s.start();
	admin = await s.login('admin', 'alpha');
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

test('a mailed link logs in once, within 15 minutes; the reply does not reveal whether the user exists', async () => {
	const ask = (username, tenant = 'alpha') => s.post('/api/v1/auth/link', null, { username, tenant }),
		use = (token, more = {}) => s.post('/api/v1/auth/link/use', null, { token, ...more });
	const [a, b] = [await ask('user'), await ask('nobody')];
	assert.deepStrictEqual([a.status, a.data, b.status, b.data], [202, null, 202, null]);
	const m = await waitUntil(() => mail.mails.find((x) => /登录链接/.test(x.subject)));
	assert.deepStrictEqual(m.to, ['user@alpha.example']);
	const token = m.body.match(/#link=([\w.-]+)/)[1];
	assert.strictEqual(mail.mails.filter((x) => /登录链接/.test(x.subject)).length, 1);
	assert.strictEqual(
		(await s.post('/api/v1/auth/password/reset', null, { token, new_password: 'Other-pass-9' }))
			.code,
		40004,
		'it is not a token for a new password',
	);
	const r = await use(token);
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual((await s.get('/api/v1/me', r.data.access_token)).data.username, 'user');
	assert.strictEqual(s.sql('select method from sessions order by id desc limit 1'), 'link');
	assert.strictEqual((await use(token)).code, 40004, 'once');
	assert.deepStrictEqual(fields(await use('a.b.c')), ['token']);
	await ask('admin');
	const late = (
		await waitUntil(() =>
			mail.mails.find(
				(x) => /登录链接/.test(x.subject) && x.to[0] === 'admin@alpha.example',
			),
		)
	).body.match(/#link=([\w.-]+)/)[1];
	s.sql("update password_resets set asked_at = asked_at - interval '16 minutes'");
	assert.strictEqual((await use(late)).code, 40004);
});
test('the host name selects the customer unless the body does', async () => {
	assert.match(
		s.cli(['tenant', 'set', '--code', 'alpha', '--host', 'Desk.Alpha.Example']),
		/desk\.alpha\.example/,
	);
	const login = (host, more = {}) =>
		s.request('POST', '/api/v1/client/auth/login', {
			body: { username: 'user', password: PASSWORD, ...more },
			headers: { Host: host },
		});
	const r = await login('desk.alpha.example');
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(r.data.user_info.tenant_id, s.alpha);
	assert.strictEqual((await login('desk.alpha.example:8443')).status, 200);
	assert.strictEqual((await login('desk.beta.example')).code, 40004);
	assert.strictEqual(
		(await login('desk.alpha.example', { tenant_id: s.beta })).data.user_info.tenant_id,
		s.beta,
	);
	assert.strictEqual(
		(await login('desk.alpha.example', { username: 'eng1' })).code,
		40004,
		'staff cannot use it',
	);
});
test('an unusual login is recorded, mailed and listed: network, country, device, travel, hour', async () => {
	const enter = async (ip, agent = 'Chrome/100.0 (X11; Linux)') => {
		const r = await s.request('POST', '/api/v1/client/auth/login', {
			body: { username: 'user', password: PASSWORD, tenant_id: s.beta },
			headers: { 'X-Forwarded-For': ip, 'User-Agent': agent },
		});
		assert.strictEqual(r.status, 200, r.text);
	};
	const admin2 = await s.login('admin', 'beta'),
		list = async () =>
			(
				await s.get('/api/v1/client/admin/sign-in-alerts?username=user', admin2)
			).data.items.map((a) => [a.ip_address, a.reasons.join()]),
		n = () =>
			Number(
				s.sql(
					`select count(*) from sign_in_places where tenant_id = ${s.beta} and last_at > now() - interval '1 hour'`,
				),
			);
	/* one statement records a login and what is unusual about it */
	const watched = async (come) => {
		const last = () =>
				s.sql(`select max(last_at) from sign_in_places where tenant_id = ${s.beta}`),
			before = last();
		await come();
		await waitUntil(() => last() !== before);
	};
	s.sql('delete from sign_in_places');
	s.sql('delete from sign_in_alerts');
	await enter('203.0.113.7');
	await waitUntil(() => n() === 3);
	await watched(() => enter('203.0.113.9', 'Chrome/101.5 (X11; Linux)'));
	await watched(() => enter('203.0.113.7'));
	assert.deepStrictEqual(
		await list(),
		[],
		'the first time, the same place, another version of the browser',
	);
	await enter('203.0.113.200');
	await waitUntil(async () => (await list()).length === 1);
	assert.deepStrictEqual((await list())[0], ['203.0.113.200', 'new_country,impossible_travel']);
	await enter('203.0.113.200', 'Firefox/90');
	await waitUntil(async () => (await list()).length === 2);
	assert.strictEqual((await list())[0][1], 'new_device');
	s.sql(`update sign_in_places set last_at = last_at - interval '20 hours'`);
	await watched(() => enter('198.51.100.3'));
	assert.strictEqual((await list()).length, 2, 'a day is enough for the journey');
	s.cli([
		'tenant',
		'set',
		'--code',
		'beta',
		'--timezone',
		'UTC',
		'--work-hours',
		`${(new Date().getUTCHours() + 2) % 24}-${(new Date().getUTCHours() + 3) % 24}`,
	]);
	await enter('198.51.100.3');
	await waitUntil(async () => (await list()).length === 3);
	assert.strictEqual((await list())[0][1], 'outside_hours');
	s.cli(['tenant', 'set', '--code', 'beta', '--work-hours', '0-24']);
	/* mails leave by several helpers, in any order */
	const m = await waitUntil(() =>
		mail.mails.find(
			(x) =>
				/unusual login/i.test(x.subject) &&
				/a new country, impossible travel since/.test(x.body),
		),
	);
	assert.match(m.body, /203\.0\.113\.200/);
	assert.match(s.sql('select address from sign_in_alerts limit 1'), /^e2\./);
	assert.strictEqual(
		(await s.get('/api/v1/client/admin/sign-in-alerts', admin)).data.items.filter(
			(a) => a.tenant_id !== s.alpha,
		).length,
		0,
	);
	assert.strictEqual(
		(await s.get('/api/v1/client/admin/sign-in-alerts', await s.login('user', 'alpha'))).code,
		40003,
	);
	await enter('192.0.2.1');
	await waitUntil(async () => (await list()).length === 4);
	assert.strictEqual((await list())[0][1], 'new_network', 'the table does not have the network');
});
