// SPDX-License-Identifier: Apache-2.0
// Proofs of identity: a second factor uses another channel than the first; a session alone cannot change how its user logs in; codes are accepted as
// apps show them; what an old password began ends with it.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js'),
	{ authenticatorOf } = require('../lib/authenticator.js'),
	{ Browser, toldProvider, whoIs } = require('../lib/idp.js');

const sha256 = (x) => crypto.createHash('sha256').update(x).digest('hex'),
	OTHER = 'Other-pass-9',
	STEP_UP = 40006;
let s, mail, admin;
test.before(async () => {
	mail = await mailSink();
	s = new Server('proofs', {
		mail: { url: mail.url },
		limits: { login_per_s: 0 },
		sso: { allow_private: 'yes' },
		test: { echo: 'no', allow_clock: 'yes' },
	});
	await s.prepare();
	s.settings.http = { url: 'http://localhost:' + s.port };
	await s.start();
	admin = await s.login('admin', 'alpha');
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

/* --- users --- */

let serial = 0;
async function person(staff = false) {
	const n = (staff ? 'staff' : 'user') + ++serial,
		hash = `(select password_hash from client_users where tenant_id = ${s.alpha} and username = 'user')`;
	s.sql(
		staff
			? `insert into staff (username, full_name, email, lang, role, level, password_hash, created_at) values ('${n}', '${n}', '${n}@provider.example', 'en', 'manager', 3, ${hash}, now())`
			: `insert into client_users (tenant_id, username, full_name, email, lang, role_type, password_hash, created_at) values (${s.alpha}, '${n}', '${n}', '${n}@alpha.example', 'en', 'admin', ${hash}, now())`,
	);
	s.cli(['keys', 'seal']); /* plain addresses are refused */
	return {
		username: n,
		tenant: staff ? 1 : s.alpha,
		mail: `${n}@${staff ? 'provider' : 'alpha'}.example`,
		id: s.sql(`select id from ${staff ? 'staff' : 'client_users'} where username = '${n}'`),
		body: (more = {}) => ({
			username: n,
			password: PASSWORD,
			...(staff ? {} : { tenant: 'alpha' }),
			...more,
		}),
	};
}
const login = (p, more) => s.post('/api/v1/auth/login', null, p.body(more));
const session = async (p, more) => {
	const r = await login(p, more);
	assert.ok(r.data && r.data.access_token, r.text);
	return r.data;
};
const stepUp = (token, body) => s.post('/api/v1/auth/step-up', token, body);
/* The session of TOKEN has proved nothing for six minutes. */
const age = (token) => {
	const c = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
	s.sql(
		`update sessions set proved_at = proved_at - interval '6 minutes' where tenant_id = ${c.tid} and id = ${c.sid}`,
	);
};
const unbase32 = (t) => {
	let bits = '';
	for (const c of t) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
	return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
};
/* The code of the daemon's present time step (RFC 6238). A step is used once, so the clock moves on after each. */
async function code(secret) {
	await s.jump(60);
	const c = Buffer.alloc(8);
	c.writeBigUInt64BE(BigInt(Math.floor((await s.clock()) / 30000)));
	const h = crypto.createHmac('sha1', unbase32(secret)).update(c).digest(),
		o = h[19] & 15;
	return String((h.readUInt32BE(o) & 0x7fffffff) % 1000000).padStart(6, '0');
}
async function enrol(p, token) {
	const e = await s.post('/api/v1/auth/factors/totp', token, {});
	assert.strictEqual(e.status, 201, e.text);
	const c = await s.post(`/api/v1/auth/factors/${e.data.factor_id}/confirm`, token, {
		code: await code(e.data.secret),
	});
	assert.strictEqual(c.status, 200, c.text);
	return { secret: e.data.secret, id: e.data.factor_id, codes: c.data.recovery_codes };
}
async function mailed(p, what) {
	const path = what === 'link' ? '/api/v1/auth/link' : '/api/v1/auth/password/forgot';
	await s.jump(301); /* one mail of a kind in five minutes */
	const before = mail.mails.length,
		{ username, tenant } = p.body();
	assert.strictEqual((await s.post(path, null, { username, tenant })).status, 202);
	const m = await waitUntil(() =>
		mail.mails.slice(before).find((x) => x.to[0] === p.mail && x.body.includes(`#${what}=`)),
	);
	return m.body.match(new RegExp(`#${what}=([\\w.-]+)`))[1];
}
const byLink = async (p) => s.post('/api/v1/auth/link/use', null, { token: await mailed(p, 'link') });
const mailCode = (step_token) => s.post('/api/v1/auth/second-factor/mail', null, { step_token });
const second = (step_token, body) => s.post('/api/v1/auth/second-factor', null, { step_token, ...body });
const reset = async (p, new_password) =>
	s.post('/api/v1/auth/password/reset', null, { token: await mailed(p, 'reset'), new_password });

/* --- step-up --- */

/* Whatever changes how somebody logs in. Each is called as it would be if the session were confirmed. */
const sensitive = {
	'POST /api/v1/auth/factors/totp': { body: {} },
	'POST /api/v1/auth/factors/passkey': {
		body: {
			challenge_token: 'x',
			credential_id: 'x',
			client_data: 'eA',
			authenticator_data: 'eA',
			public_key: 'eA',
		},
	},
	'POST /api/v1/auth/factors/{factor_id}/confirm': { body: { code: '123456' } },
	'POST /api/v1/auth/factors/{factor_id}/remove': { body: {} },
	'POST /api/v1/auth/recovery-codes': { body: undefined },
	'POST /api/v1/client/admin/users/{user_id}/reset-factors': { body: undefined, only: 'customer' },
	'PUT /api/v1/client/admin/users/{user_id}': {
		body: { email: 'new@alpha.example' },
		only: 'customer',
	},
	'POST /api/v1/client/admin/identity-providers': { body: {}, only: 'customer' },
	'PUT /api/v1/client/admin/identity-providers/{provider_id}': { body: {}, only: 'customer' },
	'DELETE /api/v1/client/admin/identity-providers/{provider_id}': {
		body: undefined,
		only: 'customer',
	},
	'PUT /api/v1/client/admin/security': { body: { mfa_required: false }, only: 'customer' },
	'POST /api/v1/client/admin/users': { body: {}, only: 'customer' },
	'PUT /api/v1/client/admin/users/{user_id}/permissions': { body: { grants: [] }, only: 'customer' },
	'POST /api/v1/client/admin/mail-domains/{domain_id}/verify': { body: {}, only: 'customer' },
	'PUT /api/v1/staff/{staff_id}/customers': { body: { tenant_ids: [] }, only: 'staff' },
	'POST /api/v1/webhooks': { body: {} },
};
/* Routes about accounts and access that a session may use alone, and why. */
const harmless = {
	'POST /api/v1/auth/logout': 'takes away',
	'POST /api/v1/auth/logout-everywhere': 'takes away',
	'DELETE /api/v1/auth/sessions/{id}': 'takes away',
	'POST /api/v1/auth/password': 'the old password is the proof',
	'POST /api/v1/auth/factors/passkey/options': 'a challenge, which is of use to a marked route only',
	'POST /api/v1/auth/step-up': 'the proof itself',
	'POST /api/v1/auth/step-up/mail': 'the proof itself',
	'POST /api/v1/auth/step-up/passkey': 'the proof itself',
	'POST /api/v1/client/admin/mail-domains': 'a name without a proof leads nobody anywhere',
	'DELETE /api/v1/client/admin/mail-domains/{domain_id}': 'takes away',
	'PUT /api/v1/client/theme': 'appearance',
	'PUT /api/v1/client/theme/logo': 'appearance',
	'DELETE /api/v1/client/theme/logo': 'appearance',
	'PUT /api/v1/client/preferences': 'the own page',
	'POST /api/v1/integration/customers/sync': 'service tokens only, which have no session',
	'PUT /api/v1/webhooks/{id}': 'an address that a proof registered, on or off',
	'POST /api/v1/webhooks/{id}/replay': 'to an address that a proof registered',
};
test('every route that changes how somebody logs in, or gives access, asks for a proof within five minutes, and only those', async (t) => {
	const doc = (await s.get('/openapi.json')).json,
		marked = Object.entries(doc.paths).flatMap(([path, ops]) =>
			Object.entries(ops)
				.filter(([, op]) => op['x-step-up'])
				.map(([m]) => m.toUpperCase() + ' ' + path),
		);
	assert.deepStrictEqual(marked.sort(), Object.keys(sensitive).sort());
	/* a route that writes accounts, rights or places to which data goes is marked, or it is said here why not */
	const gives = Object.entries(doc.paths).flatMap(([path, ops]) =>
		Object.entries(ops)
			.filter(
				([m, op]) =>
					m !== 'get' &&
					/^(self|user:write|webhook:write)$/.test(op['x-permission']),
			)
			.map(([m]) => m.toUpperCase() + ' ' + path),
	);
	assert.deepStrictEqual(gives.sort(), [...marked, ...Object.keys(harmless)].sort());
	let n = 0;
	for (const staff of [false, true]) {
		const p = await person(staff),
			{ access_token } = await session(p);
		age(access_token);
		for (const [route, { body, only }] of Object.entries(sensitive)) {
			if (only && (only === 'staff') !== staff) continue;
			const [method, path] = route.split(' '),
				call = () =>
					s.request(
						method,
						path
							.replace('{factor_id}', '99999')
							.replace('{provider_id}', '99999')
							.replace('{domain_id}', '99999')
						.replace('{staff_id}', '99999')
						.replace('{user_id}', p.id),
						{ token: access_token, body },
					);
			const no = await call();
			assert.deepStrictEqual(
				[no.status, no.code, no.json.details.step_up, no.json.details.within_s],
				[403, STEP_UP, ['password'], 300],
				route + no.text,
			);
			assert.strictEqual((await stepUp(access_token, { password: PASSWORD })).status, 200);
			const yes = await call();
			assert.notStrictEqual(yes.code, STEP_UP, route + yes.text);
			/* for five minutes, not for good */
			s.sql(`update sessions set proved_at = proved_at - interval '299 s'`);
			age(access_token);
			assert.strictEqual((await call()).code, STEP_UP, route);
			n++;
		}
	}
	/* without the sensitive member, it is an ordinary change */
	const p = await person(),
		{ access_token } = await session(p);
	age(access_token);
	const r = await s.request('PUT', `/api/v1/client/admin/users/${p.id}`, {
		token: access_token,
		body: { full_name: 'X' },
	});
	assert.strictEqual(r.status, 200, r.text);
	/* a code can be sent to the phone */
	for (const body of [
		{ phone: '+86 10 1234 5678' },
		{ full_name: 'X', phone: '+86 10 1234 5678' },
		{ role_type: 'admin' },
		{ is_active: true },
	])
		assert.strictEqual(
			(
				await s.request('PUT', `/api/v1/client/admin/users/${p.id}`, {
					token: access_token,
					body,
				})
			).code,
			STEP_UP,
		);
	t.diagnostic(`step-up: ${n} calls of ${marked.length} routes refused, then let through`);
});
test('every proof counts: password, app, recovery code (once), passkey (one’s own only)', async () => {
	const p = await person(),
		{ access_token } = await session(p),
		key = authenticatorOf(s),
		foreign = authenticatorOf(s),
		ask = () => s.post('/api/v1/auth/recovery-codes', access_token);
	assert.strictEqual((await key.register(access_token)).status, 201);
	const f = await enrol(p, access_token),
		other = await person(),
		others = (await session(other)).access_token;
	assert.strictEqual((await foreign.register(others)).status, 201);
	const proofs = [
		[() => stepUp(access_token, { password: PASSWORD }), 200],
		[async () => stepUp(access_token, { method: 'totp', code: await code(f.secret) }), 200],
		[() => stepUp(access_token, { method: 'recovery', code: f.codes[0] }), 200],
		[() => stepUp(access_token, { method: 'recovery', code: f.codes[0] }), 400],
		[async () => s.post('/api/v1/auth/step-up/passkey', access_token, await key.answer()), 200],
		[
			async () =>
				s.post('/api/v1/auth/step-up/passkey', access_token, await foreign.answer()),
			401,
		],
		[() => stepUp(access_token, { password: OTHER }), 400],
		[() => stepUp(access_token, { method: 'totp', code: '000000' }), 400],
	];
	for (const [prove, status] of proofs) {
		age(access_token);
		s.sql(
			`update sessions set proved_at = proved_at - interval '6 minutes' where proved_at is not null`,
		);
		const no = await ask();
		assert.deepStrictEqual(no.code, STEP_UP, no.text);
		assert.deepStrictEqual(no.json.details.step_up, ['password', 'totp', 'passkey', 'recovery']);
		const r = await prove();
		assert.strictEqual(r.status, status, r.text);
		if (status === 200) {
			const ok = await ask();
			assert.strictEqual(ok.status, 200, ok.text);
			/* the codes are new */
			f.codes = [f.codes[0], ...ok.data.recovery_codes];
			if (prove === proofs[1][0]) f.codes.shift();
		} else assert.strictEqual((await ask()).code, STEP_UP);
	}
	for (const body of [{}, { method: 'totp' }, { method: 'recovery', password: PASSWORD }])
		assert.strictEqual((await stepUp(access_token, body)).code, 40001);
});
test('a session cannot be used to guess: the sixth wrong proof in a row ends it, of whatever kind', async () => {
	const wrong = {
		'step-up, password': (t) => stepUp(t, { password: OTHER }),
		'step-up, totp': (t) => stepUp(t, { method: 'totp', code: '000000' }),
		'step-up, recovery': (t) => stepUp(t, { method: 'recovery', code: 'aaaaa-aaaaa' }),
		'step-up, passkey': async (t) =>
			s.post('/api/v1/auth/step-up/passkey', t, await authenticatorOf(s).answer()),
		'change of password': (t) =>
			s.post('/api/v1/auth/password', t, {
				old_password: 'Wrong-pass-0',
				new_password: OTHER,
			}),
		'removal, password': (t) =>
			s.post('/api/v1/auth/factors/99999/remove', t, { password: 'Wrong-pass-0' }),
	};
	for (const [name, guess] of Object.entries(wrong)) {
		const p = await person(),
			{ access_token, refresh_token } = await session(p);
		for (let i = 0; i < 5; i++) assert.ok((await guess(access_token)).status < 402, name);
		assert.strictEqual((await s.get('/api/v1/me', access_token)).status, 200, name);
		assert.strictEqual((await guess(access_token)).status, 401, name);
		assert.strictEqual((await s.get('/api/v1/me', access_token)).status, 401, name);
		assert.strictEqual(
			(await s.post('/api/v1/auth/refresh', null, { refresh_token })).status,
			401,
			name,
		);
	}
	/* what is refused for another reason is no guess: a new password against the rules, or used before, beside the right old one */
	const q = await person(),
		own = (await session(q)).access_token;
	for (const new_password of ['password', PASSWORD])
		for (let i = 0; i < 7; i++)
			assert.strictEqual(
				(
					await s.post('/api/v1/auth/password', own, {
						old_password: PASSWORD,
						new_password,
					})
				).code,
				40001,
			);
	for (let i = 0; i < 7; i++)
		assert.strictEqual(
			(await s.post('/api/v1/auth/factors/99999/remove', own, { password: PASSWORD })).code,
			41001,
		);
	/* a right one begins the count anew */
	const p = await person(),
		{ access_token } = await session(p);
	for (let k = 0; k < 2; k++) {
		for (let i = 0; i < 4; i++) await stepUp(access_token, { password: OTHER });
		assert.strictEqual((await stepUp(access_token, { password: PASSWORD })).status, 200);
	}
});

/* --- the second factor is another channel --- */

test('the mailbox alone is never enough: by every first proof, with an app or a passkey', async (t) => {
	const firsts = {
		password: (p) => login(p),
		'mailed link': (p) => byLink(p),
		'password reset by mail': async (p) => {
			assert.strictEqual((await reset(p, OTHER)).status, 200);
			return login(p, { password: OTHER });
		},
	};
	let n = 0;
	const allow = async (mail_factor) => {
		await stepUp(admin, { password: PASSWORD });
		const r = await s.request('PUT', '/api/v1/client/admin/security', {
			token: admin,
			body: { mfa_required: false, mail_factor },
		});
		assert.strictEqual(r.data.mail_factor, mail_factor);
	};
	admin = await s.login('admin', 'alpha');
	for (const allowed of [false, true]) {
		await allow(allowed);
		for (const [name, first] of Object.entries(firsts))
			for (const factor of ['totp', 'passkey']) {
				const p = await person(),
					{ access_token } = await session(p);
				if (factor === 'totp') await enrol(p, access_token);
				else
					assert.strictEqual(
						(await authenticatorOf(s).register(access_token)).status,
						201,
					);
				const a = await first(p),
					may = allowed && name === 'password';
				assert.strictEqual(a.data.second_factor_required, true, name + a.text);
				assert.strictEqual(a.data.methods.includes('mail'), may, name);
				assert.ok(a.data.methods.includes(factor));
				const before = mail.mails.length;
				assert.strictEqual(
					(await mailCode(a.data.step_token)).status,
					may ? 202 : 401,
					name,
				);
				if (may) {
					const m = await waitUntil(() =>
						mail.mails
							.slice(before)
							.find(
								(x) =>
									x.to[0] === p.mail &&
									/code/.test(x.subject),
							),
					);
					assert.strictEqual(
						(
							await second(a.data.step_token, {
								method: 'mail',
								code: m.body.match(/(\d{6})/)[1],
							})
						).status,
						200,
					);
				}
				n++;
			}
	}
	await allow(false);
	t.diagnostic(`second factor: ${n} pairs of first proof and factor`);
	/* a password that its owner chose with the old one is no longer the mailbox's */
	const p = await person();
	await reset(p, OTHER);
	assert.strictEqual(s.sql(`select password_by_mail from client_users where id = ${p.id}`), 't');
	const { access_token } = await session(p, { password: OTHER });
	assert.strictEqual(
		(
			await s.post('/api/v1/auth/password', access_token, {
				old_password: OTHER,
				new_password: 'Third-pass-7',
			})
		).status,
		200,
	);
	assert.strictEqual(s.sql(`select password_by_mail from client_users where id = ${p.id}`), 'f');
});
test('a session begun by a mailed link has proved nothing: adding a factor requires the password', async () => {
	const p = await person(),
		r = await byLink(p);
	assert.strictEqual(r.status, 200, r.text);
	const add = () => s.post('/api/v1/auth/factors/totp', r.data.access_token, {});
	assert.strictEqual((await add()).code, STEP_UP);
	await stepUp(r.data.access_token, { password: PASSWORD });
	assert.strictEqual((await add()).status, 201);
});

/* --- codes as people type them --- */

test('a code from the app is accepted everywhere with the blank that apps show, and in no other form', async () => {
	const forms = {
		good: [
			(c) => c,
			(c) => c.slice(0, 3) + ' ' + c.slice(3),
			(c) => ` ${c} `,
			(c) => [...c].join(' '),
		],
		bad: [
			(c) => c.slice(0, 3) + '-' + c.slice(3),
			(c) => c.slice(0, 3) + '\u00a0' + c.slice(3),
			(c) => c + '0',
			(c) => c.slice(0, 5),
			(c) => c.slice(0, 5) + ' ',
			(c) => [...c].map((d) => String.fromCharCode(d.charCodeAt(0) + 0xfee0)).join(''),
		],
	};
	for (const [kind, list] of Object.entries(forms))
		for (const form of list) {
			const p = await person(),
				{ access_token } = await session(p),
				want = (r, good) =>
					assert.strictEqual(
						r.status === 200,
						good,
						JSON.stringify(form('123456')) + r.text,
					),
				good = kind === 'good';
			const e = (await s.post('/api/v1/auth/factors/totp', access_token, {})).data,
				path = `/api/v1/auth/factors/${e.factor_id}/confirm`;
			want(await s.post(path, access_token, { code: form(await code(e.secret)) }), good);
			if (!good)
				want(await s.post(path, access_token, { code: await code(e.secret) }), true);
			want(
				await stepUp(access_token, {
					method: 'totp',
					code: form(await code(e.secret)),
				}),
				good,
			);
			want(
				await second((await login(p)).data.step_token, {
					code: form(await code(e.secret)),
				}),
				good,
			);
		}
});

/* --- what ends with a password --- */

test('a trusted device is asked again after the password was changed, reset or set by sladesk', async () => {
	const ways = {
		changed: async (p, token) =>
			s.post('/api/v1/auth/password', token, {
				old_password: PASSWORD,
				new_password: OTHER,
			}),
		reset: async (p) => reset(p, OTHER),
		'set by sladesk': async (p) =>
			s.cli(
				['user', 'password', '--tenant', 'alpha', '--username', p.username],
				OTHER + '\n',
			),
	};
	for (const [name, change] of Object.entries(ways)) {
		const p = await person(),
			f = await enrol(p, (await session(p)).access_token),
			t = await second((await login(p)).data.step_token, {
				code: await code(f.secret),
				trust_device: true,
			}),
			device_token = t.data.device_token;
		assert.ok((await login(p, { device_token })).data.access_token, name);
		await change(p, t.data.access_token);
		const after = await login(p, { device_token, password: OTHER });
		assert.strictEqual(after.data.second_factor_required, true, name + after.text);
	}
});
test('an account that is disabled, and each account of a customer that is suspended, keeps no trusted device, mailed link or waiting log-in', async () => {
	const put = (p, is_active) =>
			s.request('PUT', '/api/v1/client/admin/users/' + p.id, { token: admin, body: { is_active } }),
		account = (what) => (p) =>
			s.cli(['user', what, ...(p.tenant === 1 ? [] : ['--tenant', 'alpha']), '--username', p.username]),
		tenant = (what) => async () => {
			s.cli(['tenant', what, '--code', 'alpha']);
			admin = what === 'resume' ? await s.login('admin', 'alpha') : admin;
		},
		ways = {
			'by the API': [false, (p) => put(p, false), (p) => put(p, true)],
			'by sladesk': [false, account('disable'), account('enable')],
			'by sladesk, staff': [true, account('disable'), account('enable')],
			suspended: [false, tenant('suspend'), tenant('resume')],
		},
		left = (p) =>
			s.sql(
				`select (select count(*) from trusted_devices where tenant_id = ${p.tenant} and actor_id = ${p.id}) || ' ' ||
				(select count(*) from login_steps where tenant_id = ${p.tenant} and actor_id = ${p.id} and done_at is null) || ' ' ||
				(select count(*) from password_resets where tenant_id = ${p.tenant} and actor_id = ${p.id} and used_at is null)`,
			);
	let n = 0;
	for (const [name, [staff, end, again]] of Object.entries(ways))
		for (const running of [true, false]) {
			const p = await person(staff),
				f = await enrol(p, (await session(p)).access_token),
				t = await second((await login(p)).data.step_token, {
					code: await code(f.secret),
					trust_device: true,
				}),
				device_token = t.data.device_token;
			assert.ok((await login(p, { device_token })).data.access_token, name);
			await mailed(p, 'reset');
			const waiting = (await login(p)).data.step_token;
			if (!running) s.sql(`update sessions set revoked_at = now() where tenant_id = ${p.tenant} and actor_id = ${p.id}`);
			assert.match(left(p), /^1 [1-9]\d* 1$/, name);
			admin = await s.login('admin', 'alpha');
			const r = await end(p);
			assert.ok(!r || !r.status || r.status === 200, name + (r && r.text));
			assert.strictEqual(left(p), '0 0 0', name + running);
			await again(p);
			const after = await login(p, { device_token });
			assert.strictEqual(after.data.second_factor_required, true, name + after.text);
			assert.strictEqual((await second(waiting, { code: await code(f.secret) })).status, 401, name);
			n++;
		}
	console.log(`proofs that end with the account: ${n} cases`);
});
test('recovery codes are stored as keyed digests; those of earlier versions are converted and work once', async () => {
	const p = await person(),
		f = await enrol(p, (await session(p)).access_token),
		plain = (c) => sha256(c.replace('-', '')),
		resting = () =>
			s
				.sql(
					`select digest || ' ' || keyed from recovery_codes where actor_id = ${p.id}`,
				)
				.split('\n');
	assert.strictEqual(resting().length, 10);
	for (const c of f.codes)
		for (const line of resting()) assert.ok(line !== plain(c) + ' true' && / true$/.test(line));
	/* as an earlier version left them */
	s.sql(`delete from recovery_codes where actor_id = ${p.id}`);
	for (const c of f.codes)
		s.sql(
			`insert into recovery_codes (tenant_id, actor_kind, actor_id, digest, created_at) values (${s.alpha}, 'customer', ${p.id}, '${plain(c)}', now())`,
		);
	await s.stop();
	await s.start();
	await waitUntil(() => s.sql('select count(*) from recovery_codes where not keyed') === '0');
	for (const c of f.codes) assert.ok(!resting().some((l) => l.includes(plain(c))));
	const use = async (c) =>
		(await second((await login(p)).data.step_token, { method: 'recovery', code: c })).status;
	assert.strictEqual(await use(f.codes[3]), 200);
	assert.strictEqual(await use(f.codes[3]), 401, 'once');
	assert.strictEqual(await use(f.codes[4].toUpperCase()), 200);
});

/* --- by single sign-on --- */

test('a user of a provider confirms by a new log-in there: prompt=login, max_age, and auth_time is checked', async () => {
	const idp = await toldProvider();
	try {
		admin = await s.login('admin', 'alpha');
		const r = await s.post('/api/v1/client/admin/identity-providers', admin, {
			name: 'X',
			client_id: 'sladesk',
			kind: 'oidc',
			issuer: idp.url,
			trust_email: true,
		});
		assert.strictEqual(r.status, 201, r.text);
		const start = `/api/v1/auth/sso/start?tenant=alpha&provider=${r.data.provider_id}`,
			now = async () => Math.floor((await s.clock()) / 1000),
			says = async (more) =>
				(idp.token = idp.says({
					email: 'user@alpha.example',
					email_verified: true,
					iat: await now(),
					exp: (await now()) + 300,
					...more,
				}));
		const add = async (browser) => {
			const u = new URL(s.settings.http.url),
				jar = browser.jar[u.host];
			return s.request('POST', '/api/v1/auth/factors/totp', {
				body: {},
				headers: {
					Cookie: Object.entries(jar)
						.map(([k, v]) => k + '=' + v)
						.join('; '),
					'X-CSRF-Token': jar.sd_csrf,
					Origin: s.settings.http.url,
					Host: u.host,
				},
			});
		};
		/* an ordinary log-in proves nothing, whatever the provider says of it: the user may have logged in there this morning */
		s.sql(
			`update client_users set password_hash = null where tenant_id = ${s.alpha} and username = 'user'`,
		);
		const b = new Browser();
		await says({ auth_time: await now() });
		assert.strictEqual((await b.follow(s.settings.http.url + start)).status, 200);
		assert.deepStrictEqual([idp.asked.get('prompt'), idp.asked.get('max_age')], [null, null]);
		const no = await add(b);
		assert.deepStrictEqual([no.code, no.json.details.step_up], [STEP_UP, ['sso']], no.text);
		assert.match(
			no.json.details.location,
			/^\/api\/v1\/auth\/sso\/start\?tenant=alpha&provider=\d+&fresh=true$/,
		);
		const again = s.settings.http.url + no.json.details.location;
		for (const [auth_time, ok] of [
			[undefined, false],
			[(await now()) - 3600, false],
			[(await now()) + 3600, false],
			[String(await now()), false],
			[await now(), true],
		]) {
			const fresh = new Browser();
			await says(auth_time === undefined ? {} : { auth_time });
			const page = await fresh.follow(again);
			assert.strictEqual(page.status, ok ? 200 : 401, String(auth_time) + page.text);
			assert.deepStrictEqual(
				[idp.asked.get('prompt'), idp.asked.get('max_age')],
				['login', '0'],
			);
			if (ok) assert.strictEqual((await add(fresh)).status, 201);
			else assert.strictEqual(await whoIs(s, fresh), undefined);
		}
	} finally {
		idp.close();
	}
});
