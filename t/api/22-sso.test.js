// SPDX-License-Identifier: Apache-2.0
// Single sign-on with a real OpenID provider (npm oidc-provider), with a hostile one that signs what it should not, and with plain OAuth 2.0.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http'),
	crypto = require('node:crypto');
const { Server, waitUntil } = require('../lib/server.js'),
	{ Browser, realProvider, register, sign, base64url } = require('../lib/idp.js');

let s, idp, issuer, admin, logouts;
const ACCOUNTS = {
	u1: { email: 'user@alpha.example', email_verified: true, name: 'User Eins', groups: ['desk-users'] },
	neu: {
		email: 'Neu.Person@alpha.example',
		email_verified: true,
		name: '新人',
		groups: ['desk-admins', 'x'],
	},
	unverified: { email: 'admin@alpha.example', email_verified: false, name: 'Mallory' },
	stranger: { email: 'a@elsewhere.example', email_verified: true, name: 'Stranger' },
};
test.before(async () => {
	s = await Server.make('sso', {
		log: { level: 'debug' },
		sso: { allow_private: 'yes' },
		limits: { login_per_s: 0 },
	});
	admin = await s.login('admin', 'alpha');
	idp = await realProvider(
		[
			{
				client_id: 'sladesk',
				client_secret: 'geheim:&% secret',
				redirect_uris: ['http://127.0.0.1:1/PLACE'],
				backchannel_logout_uri: 'http://127.0.0.1:1/PLACE',
				backchannel_logout_session_required: true,
			},
		],
		ACCOUNTS,
	);
	issuer = idp.issuer;
});
test.after(async () => {
	idp.close();
	await s.drop();
});

const start = (more = '') => `http://127.0.0.1:${s.port}/api/v1/auth/sso/start?tenant=alpha` + more;
const enter = async (who, more = '', b = new Browser()) => {
	idp.provider.present = who;
	const r = await b.follow(start(more));
	return { ...r, browser: b, jar: b.jar['127.0.0.1:' + s.port] };
};
const me = async (jar) =>
	(
		await s.get('/api/v1/me', null, {
			Cookie: Object.entries(jar)
				.map(([k, v]) => k + '=' + v)
				.join('; '),
		})
	).data;
const providers = '/api/v1/client/admin/identity-providers';
let id;

test('an administrator configures the provider; errors are reported; its secret is never shown', async () => {
	const put = (body, t = admin) =>
		s.post(providers, t, { kind: 'oidc', name: 'Alpha', client_id: 'sladesk', ...body });
	const fields = (r) => r.json.details.fields.map((f) => f.field);
	assert.deepStrictEqual(fields(await put({})), ['issuer']);
	assert.deepStrictEqual(fields(await put({ issuer: 'ftp://x' })), ['issuer']);
	assert.deepStrictEqual(fields(await put({ issuer, email_domains: ['NO'] })), ['email_domains']);
	assert.deepStrictEqual(fields(await put({ issuer, role_map: { a: 'root' } })), ['role_map']);
	assert.deepStrictEqual(fields(await put({ kind: 'oauth2' })), [
		'authorization_endpoint',
		'token_endpoint',
		'userinfo_endpoint',
	]);
	assert.strictEqual((await put({ issuer }, await s.login('user', 'alpha'))).code, 40003);
	const r = await put({
		issuer,
		client_secret: 'geheim:&% secret',
		email_domains: ['alpha.example'],
		create_users: true,
		role_attribute: 'groups',
		role_map: { 'desk-admins': 'admin', 'desk-users': 'user' },
	});
	assert.strictEqual(r.status, 201, r.text);
	id = r.data.provider_id;
	const own = `${s.alpha}/${id}`;
	assert.strictEqual(r.data.redirect_uri, `http://127.0.0.1:${s.port}/api/v1/auth/sso/callback/${own}`);
	await register(idp, 'sladesk', r.data.redirect_uri);
	(await idp.provider.Client.find('sladesk')).backchannelLogoutUri = r.data.backchannel_logout_uri;
	logouts = r.data.backchannel_logout_uri;
	const list = await s.get(providers, admin);
	for (const key of ['redirect_uri', 'acs_uri', 'metadata_uri', 'backchannel_logout_uri'])
		assert.strictEqual(list.data.items[0][key], r.data[key], key);
	assert.ok(list.data.items[0].has_secret && !list.text.includes('geheim'));
	assert.match(s.sql('select client_secret from identity_providers'), /^e2\./);
	assert.strictEqual(
		(
			await s.request('PUT', `${providers}/${id}`, {
				token: await s.login('admin', 'beta'),
				body: { kind: 'oidc', name: 'x', client_id: 'y', issuer },
			})
		).code,
		41001,
	);
	const theme = (await s.get('/api/v1/client/theme/alpha')).data;
	assert.deepStrictEqual(theme.login_methods, ['password', 'passkey', 'sso']);
	assert.deepStrictEqual(theme.sso, {
		name: 'Alpha',
		location: `/api/v1/auth/sso/start?tenant=alpha`,
	});
	const d = (email) => s.post('/api/v1/auth/sso/discover', null, { email });
	assert.deepStrictEqual((await d('anybody@Alpha.Example')).data, { sso: false }, 'not proved');
	s.cli(['domain', 'confirm', '--tenant', 'alpha', '--domain', 'alpha.example']);
	assert.strictEqual(
		(await d('anybody@Alpha.Example')).data.location,
		`/api/v1/auth/sso/start?tenant=alpha&provider=${id}`,
	);
	assert.deepStrictEqual((await d('a@elsewhere.example')).data, { sso: false });
});
test('a user known by a verified address logs in, returns to the linked page, and is recognised next time', async () => {
	const r = await enter('u1', '&next=/%23/tickets/5');
	assert.strictEqual(r.status, 200, r.text);
	assert.match(r.text, /http-equiv="refresh" content="0;url=\/#\/tickets\/5"/);
	const m = await me(r.jar);
	assert.deepStrictEqual([m.username, m.kind, m.tenant_id], ['user', 'customer', s.alpha]);
	assert.strictEqual(s.sql('select method, subject from sessions order by id desc limit 1'), 'sso|u1');
	ACCOUNTS.u1.email = 'other@alpha.example';
	assert.strictEqual(
		(await me((await enter('u1')).jar)).username,
		'user',
		'linked by the subject, not by the address',
	);
	ACCOUNTS.u1.email = 'user@alpha.example';
	for (const bad of [
		'//evil.example',
		'https://evil.example',
		'/\\evil',
		'/#/x"onload=',
		'javascript:1',
	])
		assert.match(
			(await enter('u1', '&next=' + encodeURIComponent(bad))).text,
			/content="0;url=\/"/,
			bad,
		);
});
test('a new user is created with the role of the groups; roles follow; strangers and unverified addresses are refused', async () => {
	const r = await enter('neu'),
		m = await me(r.jar);
	assert.deepStrictEqual(
		[m.username, m.full_name, m.role],
		['neu.person@alpha.example', '新人', 'admin'],
	);
	assert.match(s.sql(`select email from client_users where id = ${m.user_id}`), /^e2\./);
	ACCOUNTS.neu.groups = ['nothing'];
	assert.strictEqual((await me((await enter('neu')).jar)).role, 'user');
	assert.strictEqual(Number(s.sql("select count(*) from client_users where username like 'neu%'")), 1);
	const stranger = await enter('stranger');
	assert.strictEqual(stranger.status, 401);
	assert.strictEqual((await me(stranger.jar)) && 1, undefined);
	const mallory = await enter('unverified');
	assert.strictEqual(
		mallory.status,
		401,
		"nobody takes the administrator's account by naming its address",
	);
	assert.strictEqual(s.sql("select count(*) from user_identities where subject = 'unverified'"), '0');
	s.sql("update client_users set disabled_at = created_at where username = 'user'");
	assert.strictEqual((await enter('u1')).status, 401, 'disabled');
	s.sql("update client_users set disabled_at = null where username = 'user'");
});
test('a login comes back once, to the browser that began it', async () => {
	const b = new Browser();
	idp.provider.present = 'u1';
	const { url } = await b.follow(start(), (u) => u.includes('/sso/callback'));
	assert.strictEqual(
		(await new Browser().get(url)).status,
		400,
		'another browser: its victim would be logged in as the attacker',
	);
	assert.strictEqual((await b.get(url.replace(/state=([^&]*).&/, 'state=$1x&'))).status, 400);
	assert.strictEqual((await b.get(url)).status, 200);
	assert.strictEqual((await b.get(url)).status, 400, 'used');
	const again = await b.follow(start(), (u) => u.includes('/sso/callback'));
	s.sql("update sso_logins set began_at = began_at - interval '11 minutes'");
	assert.strictEqual((await b.get(again.url)).status, 400, 'over');
	assert.strictEqual((await b.get(url.split('?')[0])).status, 400);
	assert.strictEqual(
		(await b.get(`http://127.0.0.1:${s.port}/api/v1/auth/sso/start?tenant=beta`)).status,
		404,
		'no provider there',
	);
});
test('the provider ends the session it began', async () => {
	const r = await enter('u1');
	assert.ok(await me(r.jar));
	const key = r.browser.jar['127.0.0.1:' + s.port];
	assert.ok(key.sd_access);
	/* as the provider does at its own logout */
	const client = await idp.provider.Client.find('sladesk'),
		sid = s.sql('select provider_session from sessions order by id desc limit 1');
	client.backchannelLogoutUri = logouts;
	await client.backchannelLogout('u1', sid || undefined);
	await waitUntil(async () => !(await me(r.jar)), 3000);
	assert.match(s.sql('select revoked_why from sessions order by id desc limit 1'), /identity provider/);
	for (const body of ['', 'logout_token=x', 'logout_token=a.b.c'])
		assert.strictEqual(
			(
				await s.request('POST', logouts.replace(/^http:\/\/[^/]*/, ''), {
					raw: body,
					headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
				})
			).status,
			400,
		);
});

test('a user who logs out is sent on to the provider, if it has an address for that', async () => {
	const r = await enter('u1'),
		out = () =>
			s.post('/api/v1/auth/logout', null, undefined, {
				Cookie: Object.entries(r.jar)
					.map(([k, v]) => k + '=' + v)
					.join('; '),
				'X-CSRF-Token': r.jar.sd_csrf,
				Origin: `http://127.0.0.1:${s.port}`,
			});
	s.sql(
		`update identity_providers set settings = settings || '{"logout_endpoint":"https://idp.example/end?a=1"}' where id = ${id}`,
	);
	const d = await out();
	assert.strictEqual(d.status, 200, d.text);
	assert.deepStrictEqual(
		[d.data.ended, d.data.location],
		[
			1,
			'https://idp.example/end?a=1&client_id=sladesk&post_logout_redirect_uri=' +
				encodeURIComponent(`http://127.0.0.1:${s.port}`),
		],
	);
	s.sql(`update identity_providers set settings = settings - 'logout_endpoint' where id = ${id}`);
	assert.strictEqual((await out()).status, 401);
});

/* --- a hostile provider --- */
test('a hostile provider: alg none, HS256 with the public key, foreign keys, kid and jku tricks, wrong issuer, audience, nonce, time', async () => {
	const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
		other = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
		weak = crypto.generateKeyPairSync('rsa', { modulusLength: 1024 }),
		ec = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
	let make, nonce, keys;
	const server = http.createServer((req, res) => {
		const base = `http://127.0.0.1:${server.address().port}`,
			u = new URL(req.url, base),
			send = (o) => {
				res.setHeader('Content-Type', 'application/json');
				res.end(typeof o === 'string' ? o : JSON.stringify(o));
			};
		if (u.pathname === '/.well-known/openid-configuration')
			send({
				issuer: base,
				authorization_endpoint: base + '/auth',
				token_endpoint: base + '/token',
				jwks_uri: base + '/keys',
			});
		else if (u.pathname === '/keys') send({ keys });
		else if (u.pathname === '/auth') {
			nonce = u.searchParams.get('nonce');
			res.statusCode = 302;
			res.setHeader(
				'Location',
				`${u.searchParams.get('redirect_uri')}?code=c&state=${encodeURIComponent(u.searchParams.get('state'))}`,
			);
			res.end();
		} else if (u.pathname === '/token')
			send({ access_token: 'a', token_type: 'Bearer', id_token: make() });
		else {
			res.statusCode = 404;
			res.end();
		}
	});
	await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
	const iss = `http://127.0.0.1:${server.address().port}`,
		jwk = (k, kid, more) => ({
			...k.publicKey.export({ format: 'jwk' }),
			kid,
			use: 'sig',
			...more,
		});
	keys = [jwk(pair, 'k1'), jwk(ec, 'e1'), jwk(weak, 'w1'), jwk(other, 'enc', { use: 'enc' })];
	const evil = await s.post(providers, admin, {
		kind: 'oidc',
		name: 'Evil',
		client_id: 'sladesk',
		issuer: iss,
		trust_email: true,
	});
	const claims = (more) => ({
		iss,
		aud: 'sladesk',
		sub: 'boss',
		email: 'admin@alpha.example',
		nonce,
		iat: Math.floor(Date.now() / 1000),
		exp: Math.floor(Date.now() / 1000) + 300,
		...more,
	});
	const now = Math.floor(Date.now() / 1000),
		h = { alg: 'RS256', kid: 'k1', typ: 'JWT' },
		good = () => sign(h, claims(), pair.privateKey);
	const go = async (fn) => {
		make = fn;
		return (await new Browser().follow(start('&provider=' + evil.data.provider_id))).status;
	};
	const pem = pair.publicKey.export({ type: 'spki', format: 'pem' });
	for (const [why, fn] of Object.entries({
		'alg none': () => base64url({ alg: 'none' }) + '.' + base64url(claims()) + '.',
		'alg none, signed': () => sign({ ...h, alg: 'none' }, claims(), pair.privateKey),
		'HS256 with the public key': () => {
			const t = base64url({ alg: 'HS256', kid: 'k1' }) + '.' + base64url(claims());
			return t + '.' + crypto.createHmac('sha256', pem).update(t).digest('base64url');
		},
		RS384: () => sign({ ...h, alg: 'RS384' }, claims(), pair.privateKey),
		'an extension that it calls critical': () =>
			sign({ ...h, crit: ['urn:x'], 'urn:x': 1 }, claims(), pair.privateKey),
		...Object.fromEntries(
			[[], null, 'exp', '', 5, false, {}, ['exp'], ['alg', 'kid']].map((crit) => [
				'crit: ' + JSON.stringify(crit),
				() => sign({ ...h, crit }, claims(), pair.privateKey),
			]),
		),
		'a member of the header twice': () =>
			sign('{"alg":"RS256","kid":"k1","kid":"k1"}', claims(), pair.privateKey),
		'an unencoded payload': () =>
			sign({ ...h, crit: ['b64'], b64: true }, claims(), pair.privateKey),
		'a foreign key': () => sign(h, claims(), other.privateKey),
		'a key for encryption': () => sign({ ...h, kid: 'enc' }, claims(), other.privateKey),
		'a weak key': () => sign({ ...h, kid: 'w1' }, claims(), weak.privateKey),
		'a kid that is a path': () =>
			sign({ ...h, kid: '../../dev/null' }, claims(), other.privateKey),
		'a kid that is SQL': () =>
			sign({ ...h, kid: "x' union select 1--" }, claims(), other.privateKey),
		'its own key in the header': () =>
			sign({ ...h, kid: undefined, jwk: jwk(other, 'k1') }, claims(), other.privateKey),
		'its own key by jku': () =>
			sign({ ...h, kid: 'z', jku: iss + '/other' }, claims(), other.privateKey),
		'EC key, RS256': () => sign({ ...h, kid: 'e1' }, claims(), pair.privateKey),
		'RSA key, ES256': () => sign({ alg: 'ES256', kid: 'k1' }, claims(), ec.privateKey),
		'a changed claim': () => {
			const [a, , c] = good().split('.');
			return a + '.' + base64url(claims({ sub: 'x' })) + '.' + c;
		},
		'another issuer': () => sign(h, claims({ iss: issuer }), pair.privateKey),
		'another audience': () => sign(h, claims({ aud: 'other' }), pair.privateKey),
		'two audiences without azp': () =>
			sign(h, claims({ aud: ['sladesk', 'other'] }), pair.privateKey),
		"another's azp": () =>
			sign(h, claims({ aud: ['sladesk', 'other'], azp: 'other' }), pair.privateKey),
		'no nonce': () => sign(h, claims({ nonce: undefined }), pair.privateKey),
		'another nonce': () => sign(h, claims({ nonce: 'x' }), pair.privateKey),
		over: () => sign(h, claims({ exp: now - 120 }), pair.privateKey),
		'no end': () => sign(h, claims({ exp: undefined }), pair.privateKey),
		'of tomorrow': () => sign(h, claims({ iat: now + 86400, exp: now + 90000 }), pair.privateKey),
		'of yesterday': () => sign(h, claims({ iat: now - 86400 }), pair.privateKey),
		nobody: () => sign(h, claims({ sub: undefined }), pair.privateKey),
		'no token': () => undefined,
		garbage: () => 'x'.repeat(5000),
		'JSON serialisation': () => JSON.stringify({ payload: base64url(claims()), signatures: [] }),
	}))
		assert.strictEqual(await go(fn), 401, why);
	assert.strictEqual(
		s.sql(`select count(*) from user_identities where provider_id = ${evil.data.provider_id}`),
		'0',
	);
	assert.strictEqual(await go(good), 200, 'and the genuine one is accepted');
	assert.strictEqual(await go(() => sign({ alg: 'ES256', kid: 'e1' }, claims(), ec.privateKey)), 200);
	const fresh = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
	keys = [jwk(fresh, 'k2')];
	s.sql('select 1');
	const rolled = () => go(() => sign({ ...h, kid: 'k2' }, claims(), fresh.privateKey));
	assert.strictEqual(await rolled(), 401, 'new keys are requested at most once in half a minute');
	for (const answer of ['not json', '[]', '{}', '{"issuer":"https://other.example"}']) {
		server.removeAllListeners('request');
		server.on('request', (req, res) => res.end(answer));
		await s.stop();
		await s.start();
		assert.strictEqual(
			(await new Browser().follow(start('&provider=' + evil.data.provider_id))).status,
			502,
			answer,
		);
	}
	server.closeAllConnections();
	server.close();
	assert.strictEqual(
		(await new Browser().follow(start('&provider=' + evil.data.provider_id))).status,
		502,
		'gone',
	);
	assert.ok(!s.log.includes('eyJ') && !s.log.includes('geheim'), 'no token, no secret in the log');
	await s.request('DELETE', `${providers}/${evil.data.provider_id}`, {
		token: await s.login('admin', 'alpha'),
	});
});
test('plain OAuth 2.0 by userinfo', async () => {
	const seen = [];
	const server = http.createServer((req, res) => {
		const base = `http://127.0.0.1:${server.address().port}`,
			u = new URL(req.url, base);
		let text = '';
		req.on('data', (d) => (text += d));
		req.on('end', () => {
			if (u.pathname === '/auth') {
				res.statusCode = 302;
				res.setHeader(
					'Location',
					`${u.searchParams.get('redirect_uri')}?code=abc&state=${encodeURIComponent(u.searchParams.get('state'))}`,
				);
				return res.end();
			}
			seen.push([u.pathname, text, req.headers.authorization]);
			res.end(
				JSON.stringify(
					u.pathname === '/token'
						? { access_token: 'tok', expires_in: 7200 }
						: {
								open_id: 'ou_1',
								en_name: 'Ou',
								enterprise_email: 'ou@alpha.example',
							},
				),
			);
		});
	});
	await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
	const base = `http://127.0.0.1:${server.address().port}`,
		a = await s.login('admin', 'alpha');
	const p = await s.post(providers, a, {
		kind: 'oauth2',
		name: 'Feishu',
		client_id: 'cli_1',
		client_secret: 's3cret',
		authorization_endpoint: base + '/auth',
		token_endpoint: base + '/token',
		userinfo_endpoint: base + '/me',
		token_auth: 'client_secret_post',
		subject_field: 'open_id',
		name_field: 'en_name',
		email_field: 'enterprise_email',
		trust_email: true,
		create_users: true,
	});
	assert.strictEqual(p.status, 201, p.text);
	const b = new Browser(),
		r = await b.follow(start('&provider=' + p.data.provider_id));
	assert.strictEqual(r.status, 200, r.text);
	const m = await me(b.jar['127.0.0.1:' + s.port]);
	assert.deepStrictEqual([m.username, m.full_name, m.role], ['ou@alpha.example', 'Ou', 'user']);
	const form = new URLSearchParams(seen[0][1]);
	assert.deepStrictEqual(
		[form.get('client_id'), form.get('client_secret'), form.get('code')],
		['cli_1', 's3cret', 'abc'],
	);
	assert.match(form.get('code_verifier'), /^[0-9a-f]{64}$/);
	assert.deepStrictEqual(seen[1].slice(0), ['/me', '', 'Bearer tok']);
	server.closeAllConnections();
	server.close();
});
test('WeCom, DingTalk and Feishu log in as their API descriptions say', async () => {
	const seen = [];
	let wrong = null;
	const server = http.createServer((req, res) => {
		const u = new URL(req.url, `http://127.0.0.1:${server.address().port}`),
			q = u.searchParams;
		let text = '';
		req.on('data', (d) => (text += d));
		req.on('end', () => {
			const json = (o) => {
				seen.push(u.pathname);
				res.setHeader('Content-Type', 'application/json');
				res.end(JSON.stringify(wrong || o));
			};
			const back = (name) => {
				res.statusCode = 302;
				const to = new URL(q.get('redirect_uri'));
				to.searchParams.set(name, 'abc');
				to.searchParams.set('state', q.get('state'));
				res.setHeader('Location', to.href);
				res.end();
			};
			const body = () => {
				assert.match(req.headers['content-type'], /application\/json/);
				return JSON.parse(text);
			};
			try {
				switch (u.pathname) {
					case '/wecom/login':
						assert.deepStrictEqual(
							[
								q.get('login_type'),
								q.get('appid'),
								q.get('agentid'),
							],
							['CorpApp', 'ww1', '1000002'],
						);
						assert.match(q.get('state'), /^[a-zA-Z0-9]{1,128}$/);
						assert.ok(!q.has('code_challenge'));
						return back('code');
					case '/wecom/gettoken':
						assert.strictEqual(req.method, 'GET');
						assert.deepStrictEqual(
							[q.get('corpid'), q.get('corpsecret')],
							['ww1', 's3cret&'],
						);
						return json({
							errcode: 0,
							errmsg: 'ok',
							access_token: 'tok',
							expires_in: 7200,
						});
					case '/wecom/getuserinfo':
						assert.deepStrictEqual(
							[q.get('access_token'), q.get('code')],
							['tok', 'abc'],
						);
						return json({ errcode: 0, errmsg: 'ok', userid: 'zhangsan' });
					case '/wecom/user':
						assert.deepStrictEqual(
							[q.get('access_token'), q.get('userid')],
							['tok', 'zhangsan'],
						);
						return json({
							errcode: 0,
							userid: 'zhangsan',
							name: '张三',
							biz_mail: 'zhangsan@alpha.example',
						});
					case '/dingtalk/auth':
						assert.deepStrictEqual(
							[
								q.get('client_id'),
								q.get('scope'),
								q.get('prompt'),
								q.get('response_type'),
							],
							['ding1', 'openid corpid', 'consent', 'code'],
						);
						return back('authCode');
					case '/dingtalk/token':
						assert.deepStrictEqual(body(), {
							grantType: 'authorization_code',
							clientId: 'ding1',
							clientSecret: 's3cret&',
							code: 'abc',
						});
						return json({
							accessToken: 'tok2',
							expireIn: 7200,
							corpId: 'c',
						});
					case '/dingtalk/me':
						assert.strictEqual(
							req.headers['x-acs-dingtalk-access-token'],
							'tok2',
						);
						return json({
							nick: '李四',
							unionId: 'un1',
							openId: 'o1',
							email: 'lisi@alpha.example',
						});
					case '/feishu/auth':
						assert.strictEqual(q.get('client_id'), 'cli_2');
						assert.ok(q.get('code_challenge'));
						return back('code');
					case '/feishu/token': {
						const { code_verifier, redirect_uri, ...rest } = body();
						assert.match(code_verifier, /^[0-9a-f]{64}$/);
						assert.match(
							redirect_uri,
							/\/api\/v1\/auth\/sso\/callback\/\d+\/\d+$/,
						);
						assert.deepStrictEqual(rest, {
							grant_type: 'authorization_code',
							client_id: 'cli_2',
							client_secret: 's3cret&',
							code: 'abc',
						});
						return json({
							code: 0,
							access_token: 'tok3',
							token_type: 'Bearer',
							expires_in: 7200,
						});
					}
					case '/feishu/me':
						assert.strictEqual(req.headers.authorization, 'Bearer tok3');
						return json({
							code: 0,
							msg: 'success',
							data: {
								name: '王五',
								union_id: 'on_1',
								open_id: 'ou_5',
								enterprise_email: 'wangwu@alpha.example',
							},
						});
				}
				throw new Error('no such path ' + u.pathname);
			} catch (e) {
				seen.push(e.message);
				res.statusCode = 500;
				res.end('{}');
			}
		});
	});
	await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
	const base = `http://127.0.0.1:${server.address().port}`,
		a = await s.login('admin', 'alpha'),
		make = (vendor, client_id, more) =>
			s.post(providers, a, {
				kind: 'oauth2',
				vendor,
				name: vendor,
				client_id,
				client_secret: 's3cret&',
				trust_email: true,
				create_users: true,
				...more,
			});
	const made = {};
	for (const [vendor, client, more, who, path] of [
		[
			'wecom',
			'ww1',
			{
				agent_id: '1000002',
				authorization_endpoint: base + '/wecom/login',
				token_endpoint: base + '/wecom/gettoken',
				userinfo_endpoint: base + '/wecom/getuserinfo',
				profile_endpoint: base + '/wecom/user',
			},
			['zhangsan@alpha.example', '张三'],
			['/wecom/gettoken', '/wecom/getuserinfo', '/wecom/user'],
		],
		[
			'dingtalk',
			'ding1',
			{
				corp_id: 'c',
				authorization_endpoint: base + '/dingtalk/auth',
				token_endpoint: base + '/dingtalk/token',
				userinfo_endpoint: base + '/dingtalk/me',
			},
			['lisi@alpha.example', '李四'],
			['/dingtalk/token', '/dingtalk/me'],
		],
		[
			'feishu',
			'cli_2',
			{
				authorization_endpoint: base + '/feishu/auth',
				token_endpoint: base + '/feishu/token',
				userinfo_endpoint: base + '/feishu/me',
			},
			['wangwu@alpha.example', '王五'],
			['/feishu/token', '/feishu/me'],
		],
	]) {
		const p = await make(vendor, client, more);
		assert.strictEqual(p.status, 201, p.text);
		made[vendor] = p.data.provider_id;
		seen.length = 0;
		const b = new Browser(),
			r = await b.follow(start('&provider=' + p.data.provider_id));
		assert.deepStrictEqual(seen, path);
		assert.strictEqual(r.status, 200, r.text);
		const m = await me(b.jar['127.0.0.1:' + s.port]);
		assert.deepStrictEqual([m.username, m.full_name, m.role], [...who, 'user']);
	}
	/* their refusals have status 200 and an error number in the body */
	for (const [vendor, answer] of [
		['wecom', { errcode: 40029, errmsg: 'invalid code' }],
		['feishu', { code: 20003, error: 'invalid_grant' }],
		['dingtalk', { code: 'invalidParameter.authCode' }],
	]) {
		wrong = answer;
		const r = await new Browser().follow(start('&provider=' + made[vendor]));
		assert.strictEqual(r.status, 401, vendor);
	}
	assert.match(s.log, /wecom refused errcode=40029/);
	assert.ok(!s.log.includes('s3cret'), 'no secret in the log');
	/* their addresses need not be configured; an unknown vendor is refused */
	const plain = await make('feishu', 'cli_3', {});
	assert.strictEqual(plain.status, 201, plain.text);
	const to = (await new Browser().get(start('&provider=' + plain.data.provider_id))).headers.location;
	assert.match(to, /^https:\/\/accounts\.feishu\.cn\/open-apis\/authen\/v1\/authorize\?/);
	const bad = await make('weibo', 'x', {});
	assert.deepStrictEqual(
		bad.json.details.fields.map((f) => f.field),
		['vendor'],
	);
	server.closeAllConnections();
	server.close();
});
test('the log names the steps of each login, and how long they took', () => {
	for (const [flow, change] of [
		['sso_start', 'ask_documents -> redirect'],
		['sso_callback', 'ask_tokens -> read_tokens'],
		['sso_callback', 'read_tokens -> verify'],
		['sso_callback', 'verify -> end'],
		['sso_backchannel', 'end_sessions -> reply'],
	])
		assert.match(s.log, new RegExp(`flow=${flow} id=\\d+ ${change} \\d+ms`));
});
