// SPDX-License-Identifier: Apache-2.0
// A response is bound to the provider that was asked (RFC 9700, RFC 9207): an administrator of one customer relays a victim of another through a
// provider of their own. With two real OpenID providers, OAuth 2.0, SAML, and the logins of the vendors.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js'),
	{ Browser, serve, realProvider, register, toldProvider, makeKey, whoIs } = require('../lib/idp.js');

const PROVIDERS = '/api/v1/client/admin/identity-providers';
let s, alpha, beta, real, hers, told;
const at = (path) => `http://127.0.0.1:${s.port}${path}`,
	start = (tenant, provider) => at(`/api/v1/auth/sso/start?tenant=${tenant}&provider=${provider}`),
	add = async (token, body) => {
		const r = await s.post(PROVIDERS, token, { name: 'X', client_id: 'sladesk', ...body });
		assert.strictEqual(r.status, 201, r.text);
		return { id: r.data.provider_id, ...r.data };
	},
	client = () => [{ client_id: 'sladesk', client_secret: 's', redirect_uris: ['http://127.0.0.1:1/'] }];
test.before(async () => {
	s = await Server.make('mixup', {
		log: { level: 'debug' },
		sso: { allow_private: 'yes' },
		limits: { login_per_s: 0 },
	});
	alpha = await s.login('admin', 'alpha');
	beta = await s.login('admin', 'beta');
	real = await realProvider(client(), { u1: { email: 'user@alpha.example', email_verified: true } });
	real.provider.present = 'u1';
	hers = await realProvider(client(), { m: { email: 'mallory@beta.example', email_verified: true } });
	hers.provider.present = 'm';
	told = await toldProvider();
});
test.after(async () => {
	for (const p of [real, hers, told]) if (p) p.close();
	await s.drop();
});

/* The relay: the attacker's browser begins a log-in at the victim's provider and keeps its address; the attacker's own provider sends the victim
 * on to it with the attacker's nonce and challenge and the victim's state. Whatever code arrives at the attacker's token endpoint goes into the
 * attacker's log-in. */
async function relayed({ own, victim, redirect, change = () => {} }) {
	const attacker = new Browser(),
		browser = new Browser(),
		begun = new URL((await attacker.get(start('alpha', victim.id))).headers.location);
	own.stolen = [];
	own.relay = (u) => {
		const to = new URL(begun);
		to.searchParams.set('state', u.searchParams.get('state'));
		if (redirect === 'own') to.searchParams.set('redirect_uri', own.redirect_uri);
		change(to, u);
		return to.href;
	};
	const victims = await browser.follow(start('beta', own.id));
	let taken;
	for (const code of own.stolen) {
		const back = new URL(begun.searchParams.get('redirect_uri'));
		back.searchParams.set('code', code);
		back.searchParams.set('state', begun.searchParams.get('state'));
		back.searchParams.set('iss', real.issuer);
		taken = await attacker.get(back.href);
	}
	return {
		victims,
		stolen: own.stolen,
		who: await whoIs(s, attacker),
		of: await whoIs(s, browser),
		taken,
	};
}
/* The attacker's provider: a real one, with a front that relays the authorization request and keeps the codes that it is sent. */
async function hostileFront(behind) {
	const own = { stolen: [] };
	const front = await serve((req, res) => {
		const u = new URL(req.url, 'http://127.0.0.1');
		let text = '';
		req.on('data', (d) => (text += d));
		req.on('end', async () => {
			if (u.pathname === '/auth') {
				res.statusCode = 302;
				res.setHeader('Location', own.relay(u));
				return res.end();
			}
			if (u.pathname === '/token') {
				const code =
					new URLSearchParams(text).get('code') ||
					(text[0] === '{' && JSON.parse(text).code);
				if (code) own.stolen.push(code);
				return res.end('{"errcode":1}');
			}
			if (u.pathname === '/gettoken') return res.end('{"errcode":0,"access_token":"t"}');
			if (u.pathname === '/getuserinfo') {
				own.stolen.push(u.searchParams.get('code'));
				return res.end('{"errcode":1}');
			}
			/* everything else is the real provider's word, with its own name */
			const r = await fetch(behind.issuer + req.url),
				body = (await r.text()).replaceAll(behind.issuer, front.url);
			res.end(
				u.pathname.includes('openid-configuration')
					? JSON.stringify({
							...JSON.parse(body),
							authorization_endpoint: front.url + '/auth',
							token_endpoint: front.url + '/token',
						})
					: body,
			);
		});
	});
	return Object.assign(own, front);
}
const ofAlpha = async () => {
	const p = await add(alpha, { kind: 'oidc', issuer: real.issuer, client_secret: 's' });
	await register(real, 'sladesk', p.redirect_uri);
	return p;
};

test('mix-up: a provider of another customer gets no code of the victim, and nobody becomes the victim', async () => {
	const victim = await ofAlpha();
	assert.strictEqual(
		(await new Browser().follow(start('alpha', victim.id))).status,
		200,
		'an honest login works',
	);
	const kinds = {
		oidc: (f) => ({ kind: 'oidc', issuer: f.url }),
		oauth2: (f) => ({
			kind: 'oauth2',
			authorization_endpoint: f.url + '/auth',
			token_endpoint: f.url + '/token',
			userinfo_endpoint: f.url + '/me',
		}),
		wecom: (f) => ({
			kind: 'oauth2',
			vendor: 'wecom',
			client_secret: 'x',
			authorization_endpoint: f.url + '/auth',
			token_endpoint: f.url + '/gettoken',
			userinfo_endpoint: f.url + '/getuserinfo',
			profile_endpoint: f.url + '/me',
		}),
		feishu: (f) => ({
			kind: 'oauth2',
			vendor: 'feishu',
			client_secret: 'x',
			authorization_endpoint: f.url + '/auth',
			token_endpoint: f.url + '/token',
			userinfo_endpoint: f.url + '/me',
		}),
	};
	for (const [kind, settings] of Object.entries(kinds))
		for (const redirect of ['victim', 'own']) {
			const own = await hostileFront(hers);
			Object.assign(own, await add(beta, settings(own)));
			const r = await relayed({ own, victim, redirect });
			assert.deepStrictEqual(
				{ stolen: r.stolen, attacker: r.who, victim: r.of },
				{ stolen: [], attacker: undefined, victim: undefined },
				`${kind}, the redirect URI of the ${redirect}`,
			);
			assert.ok(r.victims.status >= 400, kind);
			await s.request('DELETE', `${PROVIDERS}/${own.id}`, { token: beta });
			own.close();
		}
});

/* What the callback says to a log-in that comes back to ADDRESS. */
const back = async (browser, address, url) => {
	const to = new URL(address);
	to.search = new URL(url).search;
	return browser.get(to.href);
};
test('mix-up: a response is accepted only at the address of the provider that was asked', async () => {
	const [one, two, foreign] = [
		await add(alpha, { kind: 'oidc', issuer: told.url }),
		await add(alpha, { kind: 'oidc', issuer: told.url }),
		await add(beta, { kind: 'oidc', issuer: told.url }),
	];
	assert.notStrictEqual(one.redirect_uri, two.redirect_uri);
	for (const [why, address] of Object.entries({
		"another provider's of the same customer": two.redirect_uri,
		"another customer's": foreign.redirect_uri,
		'the number of one, the customer of the other': foreign.redirect_uri.replace(/\d+$/, one.id),
		nobody: one.redirect_uri.replace(/\d+$/, '99999'),
	})) {
		const b = new Browser(),
			{ url } = await b.follow(start('alpha', one.id), (u) => u.includes('/sso/callback'));
		assert.ok(url.startsWith(one.redirect_uri + '?'), url);
		assert.strictEqual(told.asked.get('redirect_uri'), one.redirect_uri);
		/* as a browser would that keeps the cookie for every path */
		b.paths[`127.0.0.1:${s.port}`] = {};
		told.seen.length = 0;
		const r = await back(b, address, url);
		assert.strictEqual(r.status, 400, why);
		assert.deepStrictEqual(told.seen, [], 'no code went out: ' + why);
	}
	assert.match(s.log, /login refused .*it was begun at provider/);
	const b = new Browser(),
		{ url } = await b.follow(start('alpha', one.id), (u) => u.includes('/sso/callback'));
	assert.deepStrictEqual(Object.values(b.paths[`127.0.0.1:${s.port}`]), [
		new URL(one.redirect_uri).pathname,
	]);
	/* the provider is changed while the log-in is on its way: it is not asked with the other's answer */
	const put = await s.request('PUT', `${PROVIDERS}/${one.id}`, {
		token: alpha,
		body: { kind: 'oidc', name: 'X', client_id: 'sladesk', issuer: real.issuer },
	});
	assert.strictEqual(put.status, 200, put.text);
	assert.strictEqual((await b.get(url)).status, 400);
	for (const p of [one, two]) await s.request('DELETE', `${PROVIDERS}/${p.id}`, { token: alpha });
	await s.request('DELETE', `${PROVIDERS}/${foreign.id}`, { token: beta });
});
test('mix-up: iss is compared when it is there, and required when the metadata announce it', async () => {
	const evil = 'https://evil.example',
		announced = 'authorization_response_iss_parameter_supported';
	told.token = told.says({ email: 'user@alpha.example', email_verified: true });
	told.userinfo = { id: 'o1', email: 'user@alpha.example' };
	const endpoints = {
		authorization_endpoint: told.url + '/auth',
		token_endpoint: told.url + '/token',
		userinfo_endpoint: told.url + '/me',
		trust_email: true,
	};
	for (const [kind, settings, metadata, cases] of [
		['oidc', { issuer: told.url }, {}, { absent: [undefined, 200], its: [told.url, 200] }],
		['oidc', { issuer: told.url }, { [announced]: false }, { absent: [undefined, 200] }],
		[
			'oidc',
			{ issuer: told.url },
			{ [announced]: true },
			{ absent: [undefined, 401], its: [told.url, 200] },
		],
		['oidc', { issuer: told.url }, { [announced]: 'true' }, { absent: [undefined, 401] }],
		[
			'oauth2',
			{ ...endpoints, issuer: told.url },
			{},
			{ absent: [undefined, 200], its: [told.url, 200] },
		],
		['oauth2', endpoints, {}, { absent: [undefined, 200], its: [told.url, 401] }],
	]) {
		const p = await add(alpha, { kind, ...settings });
		told.metadata = metadata;
		/* the documents are kept for an hour */
		await s.stop();
		await s.start();
		Object.assign(cases, {
			"another's": [evil, 401],
			'with a slash': [told.url + '/', 401],
			longer: [told.url + '.evil.example', 401],
			shorter: [told.url.slice(0, -1), 401],
			capitals: [told.url.toUpperCase(), 401],
			empty: ['', 401],
		});
		for (const [why, [iss, status]] of Object.entries(cases)) {
			told.back = { iss };
			told.seen.length = 0;
			const b = new Browser(),
				r = await b.follow(start('alpha', p.id));
			assert.strictEqual(r.status, status, `${kind} ${JSON.stringify(metadata)} ${why}`);
			assert.strictEqual(!!(await whoIs(s, b)), status === 200);
			assert.strictEqual(
				told.seen.length > 0,
				status === 200,
				'a refused answer sends no code',
			);
		}
		await s.request('DELETE', `${PROVIDERS}/${p.id}`, { token: alpha });
	}
	Object.assign(told, { metadata: {}, back: {} });
});
test('mix-up: an error response ends the login without a request to a provider', async () => {
	const p = await add(alpha, { kind: 'oidc', issuer: told.url });
	told.back = { code: undefined, error: 'access_denied' };
	told.seen.length = 0;
	assert.strictEqual((await new Browser().follow(start('alpha', p.id))).status, 401);
	assert.deepStrictEqual(told.seen, []);
	told.back = {};
	await s.request('DELETE', `${PROVIDERS}/${p.id}`, { token: alpha });
});
test('an answer that gives a parameter twice is refused before anybody is asked (RFC 6749, 3.1)', async () => {
	const p = await add(alpha, { kind: 'oidc', issuer: told.url });
	told.token = told.says({ email: 'user@alpha.example', email_verified: true });
	told.back = { iss: told.url };
	const b = new Browser(),
		{ url } = await b.follow(start('alpha', p.id), (u) => u.includes('/sso/callback')),
		given = [...new URL(url).searchParams];
	assert.deepStrictEqual(given.map(([k]) => k).sort(), ['code', 'iss', 'state']);
	told.seen.length = 0;
	for (const [name, value] of [
		...given,
		['error', 'x'],
		['error_description', 'x'],
		['session_state', 'x'],
		['authCode', 'c'],
	])
		for (const other of [value, 'evil', '']) {
			const one = `&${name}=${encodeURIComponent(other)}`,
				twice = given.some(([k]) => k === name) ? one : one + one;
			for (const at of [url + twice, url.replace('?', '?' + twice.slice(1) + '&')]) {
				const r = await b.get(at);
				assert.strictEqual(r.status, 400, at);
				assert.deepStrictEqual(
					JSON.parse(r.text).details.fields.map((f) => f.field),
					[name],
					r.text,
				);
			}
		}
	assert.deepStrictEqual(told.seen, []);
	assert.strictEqual((await b.get(url)).status, 200, 'the log-in was not used up');
	told.back = {};
	await s.request('DELETE', `${PROVIDERS}/${p.id}`, { token: alpha });
});
test('a changed address drops the client secret: it must be given again', async () => {
	const base = { name: 'X', client_id: 'c' },
		a = (x) => told.url + x,
		kinds = {
			oidc: [{ kind: 'oidc', issuer: told.url }, { issuer: real.issuer }],
			oauth2: [
				{
					kind: 'oauth2',
					issuer: told.url,
					authorization_endpoint: a('/auth'),
					token_endpoint: a('/token'),
					userinfo_endpoint: a('/me'),
				},
				{ issuer: real.issuer },
				{ issuer: undefined },
				{ authorization_endpoint: a('/x') },
				{ token_endpoint: a('/x') },
				{ token_endpoint: a('/token/') },
				{ userinfo_endpoint: a('/x') },
				{ profile_endpoint: a('/x') },
			],
			wecom: [
				{ kind: 'oauth2', vendor: 'wecom', token_endpoint: a('/gettoken') },
				{ vendor: 'feishu' },
				{ token_endpoint: undefined },
				{ token_endpoint: a('/x') },
				{ authorization_endpoint: a('/x') },
				{ profile_endpoint: a('/x') },
			],
		};
	for (const [name, [settings, ...changes]] of Object.entries(kinds)) {
		const p = await add(alpha, { ...base, ...settings, client_secret: 'first' }),
			put = (body) => s.request('PUT', `${PROVIDERS}/${p.id}`, { token: alpha, body }),
			stored = () =>
				s.sql(
					`select client_secret, settings::text, version from identity_providers where id = ${p.id}`,
				);
		if (!settings.vendor) {
			/* the same addresses: everything else may change */
			const r = await put({ ...base, ...settings, name: 'Y', create_users: true });
			assert.strictEqual(r.status, 200, r.text);
		}
		const was = stored();
		for (const change of changes) {
			const body = { ...base, ...settings, ...change },
				[key] = Object.keys(change);
			/* a vendor's form always asks for the secret */
			if (settings.vendor) {
				const r = await put(body);
				assert.deepStrictEqual(
					[r.status, r.json.details.fields[0].field],
					[400, 'client_secret'],
				);
				continue;
			}
			const r = await put(body),
				field = r.json.details.fields[0];
			assert.deepStrictEqual(
				[r.status, field.field],
				[400, 'client_secret'],
				name + ' ' + key,
			);
			assert.match(field.rule, new RegExp(`required again: ${key} has changed`));
			assert.strictEqual(stored(), was, 'nothing is stored');
		}
		const r = await put({ ...base, ...settings, ...changes[0], client_secret: 'second' });
		assert.strictEqual(r.status, 200, r.text);
		assert.notStrictEqual(stored(), was);
		await s.request('DELETE', `${PROVIDERS}/${p.id}`, { token: alpha });
	}
	/* without a secret there is nothing to drop */
	const open = await add(alpha, { kind: 'oidc', issuer: told.url }),
		r = await s.request('PUT', `${PROVIDERS}/${open.id}`, {
			token: alpha,
			body: { ...base, kind: 'oidc', issuer: real.issuer },
		});
	assert.strictEqual(r.status, 200, r.text);
	await s.request('DELETE', `${PROVIDERS}/${open.id}`, { token: alpha });
});
test('the former common addresses refuse and tell which address to register; the list names it exactly', async () => {
	const old = at('/api/v1/auth/sso/callback'),
		get = await new Browser().get(old + '?code=x&state=s1.1.1.' + 'a'.repeat(64)),
		post = await new Browser().get(at('/api/v1/auth/sso/acs'), { form: { SAMLResponse: 'x' } });
	assert.deepStrictEqual([get.status, post.status], [410, 410]);
	assert.ok(get.text.includes(old + '/&lt;tenant&gt;/&lt;provider&gt;'), get.text);
	assert.ok(post.text.includes('/sso/acs/&lt;tenant&gt;/&lt;provider&gt;'), post.text);
	const oidc = await add(alpha, { kind: 'oidc', issuer: told.url }),
		saml = await add(alpha, {
			kind: 'saml',
			issuer: 'urn:idp',
			authorization_endpoint: told.url + '/sso',
			certificate: makeKey(s.dir, 'idp')[0],
		});
	const own = (door, p) => at(`/api/v1/auth/sso/${door}/${s.alpha}/${p.id}`),
		list = (await s.get(PROVIDERS, alpha)).data.items,
		uris = (p) => [p.redirect_uri, p.acs_uri, p.metadata_uri, p.backchannel_logout_uri],
		of = (id) => uris(list.find((x) => x.provider_id === id));
	assert.deepStrictEqual(of(oidc.id), [own('callback', oidc), null, null, own('backchannel', oidc)]);
	assert.deepStrictEqual(of(saml.id), [null, own('acs', saml), own('saml-metadata', saml), null]);
	assert.deepStrictEqual(uris(oidc), of(oidc.id));
	assert.deepStrictEqual(uris(saml), of(saml.id));
	/* and the operator sees those of all customers */
	const lines = s.cli(['sso', 'list']).split('\n');
	for (const line of [
		['alpha', oidc.id, 'oidc', 'X', 'active', oidc.redirect_uri],
		['alpha', saml.id, 'saml', 'X', 'active', saml.acs_uri],
	])
		assert.ok(lines.includes(line.join('\t')), lines.join('\n'));
	assert.strictEqual(s.cli(['sso', 'list', '--tenant', 'beta']), '');
	for (const p of [oidc, saml]) await s.request('DELETE', `${PROVIDERS}/${p.id}`, { token: alpha });
});
