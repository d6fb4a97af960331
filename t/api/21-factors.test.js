// SPDX-License-Identifier: Apache-2.0
// Two-step verification: time codes enrolled by QR code, recovery codes, codes by mail, trusted devices; required by a customer; every code works once.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, mailSink, hookSink, PASSWORD, writeSecret } = require('../lib/server.js');

let s, mail, sms, admin, user;
const fields = (r) => (r.json.details.fields || []).map((f) => f.field);
test.before(async () => {
	mail = await mailSink();
	sms = await hookSink();
	s = new Server('factors', {
		mail: { url: mail.url },
		sms: { url: sms.url },
		limits: { login_per_s: 0 },
		test: { echo: 'no', allow_clock: 'yes', clock_scale: 10 } /* a time step is three seconds */,
	});
	await s.prepare();
	s.settings.sms.token_file = path.join(s.dir, 'gateway');
	writeSecret(s.settings.sms.token_file, 'gateway-secret\n');
	await s.start();
	[admin, user] = await Promise.all([s.login('admin', 'alpha'), s.login('user', 'alpha')]);
});
test.after(async () => {
	await s.drop();
	await mail.close();
	await sms.close();
});
const unbase32 = (t) => {
	let bits = '';
	for (const c of t) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
	return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
};
/* RFC 6238 implemented here: what an authenticator app does */
const totp = (secret, step = 0) => {
	const c = Buffer.alloc(8);
	c.writeBigUInt64BE(BigInt(freshStep.last + step));
	const h = crypto.createHmac('sha1', unbase32(secret)).update(c).digest(),
		o = h[19] & 15;
	return String((h.readUInt32BE(o) & 0x7fffffff) % 1000000).padStart(6, '0');
};
const login = (username = 'user', more = {}) =>
	s.post('/api/v1/client/auth/login', null, {
		username,
		password: PASSWORD,
		tenant_id: s.alpha,
		...more,
	});
const second = (step_token, code, more = {}) =>
	s.post('/api/v1/auth/second-factor', null, { step_token, code, ...more });
/* the server's time step, once it is one in which no earlier code was made */
const freshStep = async () => {
	await waitUntil(async () => {
		const now = Math.floor(Date.parse((await s.get('/api/v1/nothing')).json.timestamp) / 30000);
		const fresh = now > freshStep.last;
		freshStep.last = now;
		return fresh;
	});
};
freshStep.last = 0;

let secret, codes;
test('enrolled by a QR code, confirmed by a first code, which creates recovery codes; reported by mail', async () => {
	const e = await s.post('/api/v1/auth/factors/totp', user, { name: '我的手机' });
	assert.strictEqual(e.status, 201, e.text);
	secret = e.data.secret;
	assert.match(secret, /^[A-Z2-7]{32}$/);
	assert.strictEqual(e.data.uri, `otpauth://totp/sladesk:user?secret=${secret}&issuer=sladesk`);
	assert.match(e.data.qr_svg, /^<svg .*<path d='M\d/);
	assert.strictEqual(
		(await login()).data.access_token !== undefined,
		true,
		'not required before it is confirmed',
	);
	const path = `/api/v1/auth/factors/${e.data.factor_id}/confirm`;
	assert.deepStrictEqual(fields(await s.post(path, user, { code: '000000' })), ['code']);
	await freshStep();
	assert.strictEqual((await s.post(path, admin, { code: totp(secret) })).code, 41001, "nobody else's");
	const c = await s.post(path, user, { code: totp(secret) });
	assert.strictEqual(c.status, 200, c.text);
	codes = c.data.recovery_codes;
	assert.strictEqual(new Set(codes).size, 10);
	for (const code of codes) assert.match(code, /^[a-z2-9]{5}-[a-z2-9]{5}$/);
	const l = (await s.get('/api/v1/auth/factors', user)).data;
	assert.deepStrictEqual(
		[l.recovery_codes_left, l.items[0].kind, l.items[0].name],
		[10, 'totp', '我的手机'],
	);
	await waitUntil(() =>
		mail.mails.some((m) => /验证方式已变更/.test(m.subject) && /我的手机/.test(m.body)),
	);
	assert.match(s.sql('select secret from factors'), /^e2\./, 'the secret is stored encrypted');
});
test('required at login; a code works once, five wrong codes are allowed, a step lasts five minutes', async () => {
	const a = await login();
	assert.deepStrictEqual(
		[
			a.status,
			a.data.second_factor_required,
			a.data.methods,
			a.data.access_token,
			a.data.user_info,
		],
		[200, true, ['totp', 'recovery'], undefined, undefined],
	);
	assert.strictEqual((await s.get('/api/v1/me', a.data.step_token)).code, 40004, 'no access token');
	await freshStep();
	const ok = await second(a.data.step_token, totp(secret));
	assert.strictEqual(ok.status, 200, ok.text);
	assert.strictEqual((await s.get('/api/v1/me', ok.data.access_token)).data.username, 'user');
	assert.strictEqual(
		s.sql('select method, factor from sessions order by id desc limit 1'),
		'password|totp',
	);
	assert.strictEqual(
		(await second(a.data.step_token, totp(secret))).code,
		40004,
		'the step is used up',
	);
	const b = await login();
	assert.strictEqual(
		(await second(b.data.step_token, totp(secret))).code,
		40004,
		'the code is used up',
	);
	for (let i = 0; i < 4; i++)
		assert.strictEqual((await second(b.data.step_token, '123456')).code, 40004);
	await freshStep();
	assert.strictEqual((await second(b.data.step_token, totp(secret))).code, 40004, 'after five tries');
	const c = await login();
	assert.strictEqual(
		(await second(c.data.step_token, totp(secret, 1))).status,
		200,
		'clocks may differ by one step',
	);
	const d = await login();
	s.sql("update login_steps set began_at = began_at - interval '6 minutes' where done_at is null");
	assert.strictEqual((await second(d.data.step_token, codes[9], { method: 'recovery' })).code, 40004);
	assert.strictEqual((await second(d.data.step_token.slice(0, -2) + 'AA', totp(secret))).code, 40001);
	assert.deepStrictEqual(fields(await s.post('/api/v1/auth/second-factor', null, {})), [
		'step_token',
		'code',
	]);
	assert.deepStrictEqual(fields(await second('x', 'y', { method: 'magic' })), ['method']);
	const many = await login();
	const rush = await Promise.all(
		Array.from({ length: 4 }, () =>
			second(many.data.step_token, codes[0], { method: 'recovery' }),
		),
	);
	assert.strictEqual(rush.filter((r) => r.status === 200).length, 1, 'one of four concurrent ones');
});
test('a recovery code works once; new codes replace the old ones', async () => {
	const a = await login(),
		r = await second(a.data.step_token, codes[1].toUpperCase().replace('-', ' '), {
			method: 'recovery',
		});
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(
		(await second((await login()).data.step_token, codes[1], { method: 'recovery' })).code,
		40004,
	);
	const fresh = (await s.post('/api/v1/auth/recovery-codes', r.data.access_token)).data.recovery_codes;
	assert.strictEqual(
		(await second((await login()).data.step_token, codes[2], { method: 'recovery' })).code,
		40004,
	);
	codes = fresh;
	assert.strictEqual(
		(await second((await login()).data.step_token, codes[2], { method: 'recovery' })).status,
		200,
	);
});
/* an old session confirms that it is its user's */
const sure = async (token) =>
	assert.strictEqual((await s.post('/api/v1/auth/step-up', token, { password: PASSWORD })).status, 200);
test('a code by mail, if the administrator allows it: at most three for each login, never stored in plain text', async () => {
	const no = await login();
	assert.strictEqual(
		(await s.post('/api/v1/auth/second-factor/mail', null, { step_token: no.data.step_token }))
			.code,
		40004,
		'a user with an app gets no mail',
	);
	await sure(admin);
	const allowed = await s.request('PUT', '/api/v1/client/admin/security', {
		token: admin,
		body: { mfa_required: false, mail_factor: true },
	});
	assert.deepStrictEqual(allowed.data, { mfa_required: false, mail_factor: true });
	const a = await login(),
		ask = () =>
			s.post('/api/v1/auth/second-factor/mail', null, { step_token: a.data.step_token }),
		sent = () => mail.mails.filter((m) => /验证码/.test(m.subject));
	assert.strictEqual((await ask()).status, 202);
	await waitUntil(() => sent().length === 1);
	const first = sent()[0].body.match(/(\d{6})/)[1];
	assert.ok(
		!s
			.sql("select string_agg(data::text, '') from events where type = 'auth.code_asked'")
			.includes(first),
	);
	await ask();
	await waitUntil(() => sent().length === 2);
	const code = sent()[1].body.match(/(\d{6})/)[1];
	if (code !== first)
		assert.strictEqual((await second(a.data.step_token, first, { method: 'mail' })).code, 40004);
	assert.strictEqual((await second(a.data.step_token, code, { method: 'mail' })).status, 200);
	assert.strictEqual((await second(a.data.step_token, code, { method: 'mail' })).code, 40004);
	assert.strictEqual((await ask()).code, 40004, 'the step is used up');
	const b = await login();
	for (let i = 0; i < 3; i++)
		assert.strictEqual(
			(
				await s.post('/api/v1/auth/second-factor/mail', null, {
					step_token: b.data.step_token,
				})
			).status,
			202,
		);
	assert.strictEqual(
		(await s.post('/api/v1/auth/second-factor/mail', null, { step_token: b.data.step_token }))
			.code,
		40004,
	);
});
test('a code to the phone through the operator’s gateway; not offered without a phone number; a failing gateway is retried', async () => {
	const path = '/api/v1/auth/second-factor/sms',
		ask = (a) => s.post(path, null, { step_token: a.data.step_token });
	const none = await login();
	assert.deepStrictEqual(none.data.methods, ['totp', 'recovery', 'mail'], 'no phone number is known');
	assert.strictEqual((await ask(none)).code, 40004);
	const id = s.sql(`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`);
	const set = await s.request('PUT', `/api/v1/client/admin/users/${id}`, {
		token: admin,
		body: { phone: '+86 138-0013 (8000)' },
	});
	assert.strictEqual(set.status, 200, set.text);
	const a = await login();
	assert.deepStrictEqual(a.data.methods, ['totp', 'recovery', 'mail', 'sms']);
	sms.server.status = 503;
	assert.strictEqual((await ask(a)).status, 202);
	await waitUntil(() => sms.calls.length >= 1);
	sms.server.status = 200;
	await waitUntil(() => sms.calls.length >= 2);
	const told = JSON.parse(sms.calls.at(-1).body),
		code = told.text.match(/(\d{6})/)[1];
	assert.deepStrictEqual(
		[told.to, sms.calls.at(-1).headers.authorization, JSON.parse(sms.calls[0].body).id],
		['+8613800138000', 'Bearer gateway-secret', told.id],
	);
	assert.match(told.text, /验证码/);
	assert.ok(
		!s
			.sql("select string_agg(data::text, '') from events where type = 'auth.code_asked'")
			.includes(code),
	);
	assert.ok(!s.log.includes('gateway-secret') && !s.log.includes(code));
	assert.strictEqual((await second(a.data.step_token, code, { method: 'totp' })).code, 40004);
	assert.strictEqual((await second(a.data.step_token, code, { method: 'sms' })).status, 200);
	assert.strictEqual((await second(a.data.step_token, code, { method: 'sms' })).code, 40004);
	const b = await login();
	for (let i = 0; i < 3; i++) assert.strictEqual((await ask(b)).status, 202);
	assert.strictEqual((await ask(b)).code, 40004, 'three codes for each login');
	assert.deepStrictEqual(fields(await s.post(path, null, { step_token: 'x' })), ['step_token']);
});
test('a trusted device is not asked for 30 days, by token or by cookie, unless a factor is removed', async () => {
	const a = await login(),
		r = await second(a.data.step_token, codes[3], { method: 'recovery', trust_device: true });
	assert.match(r.data.device_token, /^dt1\.[0-9a-f]{64}$/);
	const device_token = r.data.device_token;
	assert.ok((await login('user', { device_token })).data.access_token);
	assert.ok(
		(await login('user', { device_token: 'dt1.' + '0'.repeat(64) })).data.second_factor_required,
	);
	const b = await login(),
		c = await second(b.data.step_token, codes[4], {
			method: 'recovery',
			trust_device: true,
			cookies: true,
		}),
		cookie = c.headers['set-cookie'].find((x) => x.startsWith('sd_device='));
	assert.match(cookie, /Max-Age=2592000; SameSite=Strict; HttpOnly/);
	const by = (headers) =>
		s.request('POST', '/api/v1/client/auth/login', {
			body: { username: 'user', password: PASSWORD, tenant_id: s.alpha },
			headers,
		});
	assert.ok((await by({ Cookie: cookie.split(';')[0] })).data.access_token);
	s.sql('update trusted_devices set expires_at = created_at');
	assert.ok((await login('user', { device_token })).data.second_factor_required);
	s.sql("update trusted_devices set expires_at = created_at + interval '1 day'");
	assert.ok((await login('user', { device_token })).data.access_token);
	const t = (await login('user', { device_token })).data.access_token,
		[f] = (await s.get('/api/v1/auth/factors', t)).data.items;
	assert.deepStrictEqual(
		fields(await s.post(`/api/v1/auth/factors/${f.factor_id}/remove`, t, { password: 'wrong' })),
		['password'],
	);
	assert.strictEqual(
		(await s.post(`/api/v1/auth/factors/${f.factor_id}/remove`, t, { password: PASSWORD }))
			.status,
		200,
	);
	assert.ok((await login()).data.access_token, 'no factor left, none required');
	assert.strictEqual(s.sql('select count(*) from trusted_devices'), '0');
	assert.strictEqual(s.sql('select count(*) from recovery_codes'), '0');
});
test('a customer requires two-step verification: users must enrol first; an administrator resets a lost device', async () => {
	assert.strictEqual((await s.get('/api/v1/client/admin/security', admin)).data.mfa_required, false);
	const put = (mfa_required, t = admin) =>
		s.request('PUT', '/api/v1/client/admin/security', { token: t, body: { mfa_required } });
	assert.strictEqual((await put(true, user)).code, 40003);
	await sure(admin);
	assert.strictEqual((await put(true)).data.mfa_required, true);
	const a = (await login()).data;
	assert.strictEqual(a.must_enrol_factor, true);
	const no = await s.get('/api/v1/client/tickets', a.access_token);
	assert.deepStrictEqual(
		[no.code, no.json.details.suggested_actions],
		[40003, ['POST /api/v1/auth/factors/totp']],
	);
	const e = await s.post('/api/v1/auth/factors/totp', a.access_token, {});
	await freshStep();
	const c = await s.post(`/api/v1/auth/factors/${e.data.factor_id}/confirm`, a.access_token, {
		code: totp(e.data.secret),
	});
	assert.strictEqual(c.status, 200, c.text);
	assert.strictEqual((await s.get('/api/v1/client/tickets', a.access_token)).status, 200);
	assert.ok((await login('user')).data.second_factor_required);
	const beta = await s.post('/api/v1/client/auth/login', null, {
		username: 'user',
		password: PASSWORD,
		tenant_id: s.beta,
	});
	assert.strictEqual(beta.data.must_enrol_factor, false, "another customer's choice is its own");
	const boss = (await login('admin')).data.access_token,
		be = await s.post('/api/v1/auth/factors/totp', boss, {});
	await freshStep();
	await s.post(`/api/v1/auth/factors/${be.data.factor_id}/confirm`, boss, {
		code: totp(be.data.secret),
	});
	const id = (await s.get('/api/v1/client/admin/users', boss)).data.items.find(
		(u) => u.username === 'user',
	).user_id;
	const reset = (t, i = id) => s.post(`/api/v1/client/admin/users/${i}/reset-factors`, t);
	assert.strictEqual((await reset(a.access_token)).code, 40003);
	assert.strictEqual((await reset(await s.login('admin', 'beta'))).code, 41001);
	assert.strictEqual((await reset(boss)).status, 200);
	assert.strictEqual((await login('user')).data.must_enrol_factor, true);
	assert.strictEqual((await reset(boss)).code, 41001, 'nothing left to reset');
	await put(false, boss);
	assert.strictEqual((await login('user')).data.must_enrol_factor, false);
	const staff = await s.post('/api/v1/auth/login', null, { username: 'eng1', password: PASSWORD });
	assert.strictEqual(staff.data.must_enrol_factor, false);
	s.sql("update roles set mfa_required = true where kind = 'staff' and role = 'engineer'");
	assert.strictEqual(
		(await s.post('/api/v1/auth/login', null, { username: 'eng1', password: PASSWORD })).data
			.must_enrol_factor,
		true,
	);
});
