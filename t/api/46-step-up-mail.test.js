// SPDX-License-Identifier: Apache-2.0
// Who logs in by plain OAuth 2.0, WeCom, DingTalk or Feishu cannot be asked to log in anew in a way that could be trusted. Without a password or
// factor, a mailed code confirms the session; with one, or with a provider that can be asked, it does not.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, mailSink } = require('../lib/server.js'),
	{ Browser, toldProvider } = require('../lib/idp.js');

const STEP_UP = 40006,
	MAIL = '/api/v1/auth/step-up/mail';
let s, mail, idp, admin;
test.before(async () => {
	mail = await mailSink();
	idp = await toldProvider();
	idp.back = { authCode: 'c' };
	s = new Server('mailproof', {
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
	idp.close();
	await s.drop();
	await mail.close();
});

let serial = 0;
const KINDS = {
	oauth2: {
		settings: {},
		answers: (id, email) => ({ '/t': { access_token: 'a' }, '/u': { id, email } }),
	},
	wecom: {
		settings: { vendor: 'wecom' },
		answers: (userid, biz_mail) => ({
			'/t': { errcode: 0, access_token: 'a' },
			'/u': { errcode: 0, userid },
			'/p': { errcode: 0, name: 'N', biz_mail },
		}),
	},
	dingtalk: {
		settings: { vendor: 'dingtalk', corp_id: 'ding1' },
		answers: (unionId, email) => ({
			'/t': { accessToken: 'a', corpId: 'ding1' },
			'/u': { nick: 'N', unionId, email },
		}),
	},
	feishu: {
		settings: { vendor: 'feishu', corp_id: 't1' },
		answers: (union_id, enterprise_email) => ({
			'/t': { code: 0, access_token: 'a' },
			'/u': { code: 0, data: { name: 'N', tenant_key: 't1', union_id, enterprise_email } },
		}),
	},
};
async function provider(kind) {
	const r = await s.post('/api/v1/client/admin/identity-providers', admin, {
		...{ name: kind, client_id: 'sladesk', client_secret: 'x', kind: 'oauth2' },
		...{ authorization_endpoint: idp.url + '/auth', token_endpoint: idp.url + '/t' },
		...{ userinfo_endpoint: idp.url + '/u', trust_email: true, create_users: true },
		...(kind === 'wecom' ? { profile_endpoint: idp.url + '/p' } : {}),
		...KINDS[kind].settings,
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data.provider_id;
}
/* Somebody new, who has logged in by the provider: .call() is a request of that browser. */
async function person(kind, id, more = '') {
	const name = kind + ++serial,
		address = name + '@alpha.example',
		b = new Browser(),
		url = s.settings.http.url;
	idp.answers = KINDS[kind].answers(name, address);
	const r = await b.follow(`${url}/api/v1/auth/sso/start?tenant=alpha&provider=${id}${more}`);
	assert.strictEqual(r.status, 200, r.text);
	const u = new URL(url),
		jar = b.jar[u.host];
	return {
		name,
		address,
		user: s.sql(`select max(id) from client_users where tenant_id = ${s.alpha}`),
		session: s.sql(`select max(id) from sessions where tenant_id = ${s.alpha}`),
		call: (path, body) =>
			s.request('POST', path, {
				body,
				headers: {
					Cookie: Object.entries(jar)
						.map(([k, v]) => k + '=' + v)
						.join('; '),
					'X-CSRF-Token': jar.sd_csrf,
					Origin: url,
					Host: u.host,
				},
			}),
		/* the code of the next mail after FN */
		async mailed(fn) {
			const before = mail.mails.length,
				r2 = await fn();
			assert.strictEqual(r2.status, 202, r2.text);
			const m = await waitUntil(() =>
				mail.mails
					.slice(before)
					.find((x) => x.to[0] === address && /confirmation code|确认验证码/.test(x.subject)),
			);
			return m.body.match(/\b(\d{6})\b/)[1];
		},
		add() {
			return this.call('/api/v1/auth/factors/totp', {});
		},
		prove(code) {
			return this.call('/api/v1/auth/step-up', { method: 'mail', code });
		},
		ask() {
			return this.call(MAIL);
		},
	};
}
const other = (code) => String((Number(code) + 1) % 1000000).padStart(6, '0');

test('a mailed code confirms the session of who logs in by OAuth 2.0 or a vendor and has nothing else: once, for five minutes', async () => {
	for (const kind of Object.keys(KINDS)) {
		const id = await provider(kind);
		/* a login that was to be new proves nothing either, because these cannot say so */
		for (const more of ['', '&fresh=true']) {
			const p = await person(kind, id, more),
				no = await p.add();
			assert.deepStrictEqual([no.code, no.json.details.step_up], [STEP_UP, ['mail']], kind + no.text);
			assert.strictEqual(no.json.details.location, undefined);
			assert.strictEqual((await p.prove('123456')).status, 400, 'none was sent');
			const code = await p.mailed(() => p.ask());
			assert.ok(!s.sql(`select proof_code_sha256 from sessions where id = ${p.session}`).includes(code));
			assert.strictEqual((await p.prove(other(code))).status, 400);
			assert.strictEqual((await p.add()).code, STEP_UP);
			const yes = await p.prove(code);
			assert.deepStrictEqual([yes.status, yes.data], [200, { valid_s: 300 }], yes.text);
			s.sql(`update sessions set proved_at = proved_at - interval '6 minutes' where id = ${p.session}`);
			assert.strictEqual((await p.prove(code)).status, 400, 'once');
			assert.strictEqual((await p.add()).code, STEP_UP);
			const second = await p.mailed(() => p.ask());
			assert.strictEqual((await p.prove(second)).status, 200);
			const added = await p.add();
			assert.strictEqual(added.status, 201, added.text);
		}
	}
	/* until it is sent, a code is sealed */
	assert.strictEqual(
		s.sql(
			"select count(*) filter (where data ->> 'code' like 'e2.%') = count(*) and count(*) >= 16 from events where type = 'auth.code_asked'",
		),
		't',
	);
});
test('a code is of one session, ends after five minutes and with the next one, and three are sent within an hour', async () => {
	const id = await provider('oauth2'),
		p = await person('oauth2', id),
		q = await person('oauth2', id);
	const first = await p.mailed(() => p.ask()),
		foreign = await q.mailed(() => q.ask());
	if (first !== foreign) assert.strictEqual((await p.prove(foreign)).status, 400, 'of another session');
	const next = await p.mailed(() => p.ask());
	if (first !== next) assert.strictEqual((await p.prove(first)).status, 400, 'only the last one');
	s.sql(`update sessions set proof_code_at = proof_code_at - interval '301 s' where id = ${p.session}`);
	assert.strictEqual((await p.prove(next)).status, 400, 'too late');
	const third = await p.mailed(() => p.ask());
	for (let i = 0; i < 2; i++) assert.strictEqual((await p.ask()).status, 409);
	assert.strictEqual((await p.prove(third)).status, 200, 'a refusal does not take the code away');
	s.sql(`update sessions set proof_code_at = proof_code_at - interval '61 minutes' where id = ${p.session}`);
	await p.mailed(() => p.ask());
	/* guessing ends the session */
	const code = await q.mailed(() => q.ask());
	for (let i = 0; i < 5; i++) assert.strictEqual((await q.prove(other(code))).status, 400);
	assert.strictEqual((await q.prove(code)).status, 401);
	assert.strictEqual((await q.ask()).status, 401);
});
test('whoever has a better proof, or another way in, gets no code; one that was sent before counts no more', async (t) => {
	const id = await provider('oauth2'),
		factor = (kind, more) => (p) =>
			s.sql(
				`insert into factors (tenant_id, actor_kind, actor_id, kind, name, secret, counter, created_at, confirmed_at, credential_id, public_key) values (${s.alpha}, 'customer', ${p.user}, '${kind}', 'x', ${more})`,
			),
		better = {
			'a password': (p) =>
				s.sql(
					`update client_users set password_hash = (select password_hash from client_users where tenant_id = ${s.alpha} and username = 'admin') where id = ${p.user}`,
				),
			'an app': factor('totp', "'x', 0, now(), now(), null, null"),
			'a passkey': factor('passkey', "null, 0, now(), now(), 'abcd', 'abcd'"),
			'recovery codes': (p) =>
				s.sql(
					`insert into recovery_codes (tenant_id, actor_kind, actor_id, digest, keyed, created_at) values (${s.alpha}, 'customer', ${p.user}, 'x', true, now())`,
				),
			'a provider that can be asked': () =>
				s.sql(
					`update identity_providers set kind = 'oidc', settings = settings || '{"issuer":"${idp.url}"}' where id = ${id}`,
				),
			'a login by a mailed link': (p) =>
				s.sql(`update sessions set method = 'link', provider_id = null where id = ${p.session}`),
			'a login by password': (p) =>
				s.sql(`update sessions set method = 'password' where id = ${p.session}`),
		};
	for (const [why, get] of Object.entries(better)) {
		s.sql(`update identity_providers set kind = 'oauth2' where id = ${id}`);
		const p = await person('oauth2', id),
			code = await p.mailed(() => p.ask());
		get(p);
		assert.strictEqual((await p.prove(code)).status, 400, why);
		const r = await p.ask();
		assert.strictEqual(r.status, 409, why + r.text);
		const no = await p.add();
		assert.strictEqual(no.code, STEP_UP, why);
		assert.ok(!no.json.details.step_up.includes('mail'), why + no.text);
	}
	/* staff and customers with passwords */
	for (const token of [await s.login('boss'), await s.login('user', 'alpha')])
		assert.strictEqual((await s.post(MAIL, token)).status, 409);
	assert.strictEqual((await s.post(MAIL, s.token('alpha', 'tickets:read', 'x'))).status, 403);
	t.diagnostic(`${Object.keys(better).length} better proofs`);
});
