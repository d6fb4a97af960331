// SPDX-License-Identifier: Apache-2.0
// SAML 2.0 with a real identity provider (npm samlp): signed request, response, logout, metadata; and attacks on a response: wrapping in every
// place, tampering, no signature, a foreign key, DTDs, comments, wrong audience, recipient or time, replay.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http'),
	crypto = require('node:crypto'),
	zlib = require('node:zlib');
const { Server, waitUntil } = require('../lib/server.js'),
	{ makeKey } = require('../lib/idp.js');
const samlp = require('samlp'),
	xmlenc = require('xml-encryption'),
	{ SignedXml } = require('xml-crypto');

const PROVIDERS = '/api/v1/client/admin/identity-providers';
let s, admin, idp, id, ACS, cert, key, foreign;
test.before(async () => {
	s = await Server.make('saml', {
		log: { level: 'debug' },
		sso: { allow_private: 'yes' },
		limits: { login_per_s: 0 },
	});
	admin = await s.login('admin', 'alpha');
	[cert, key] = makeKey(s.dir, 'idp');
	foreign = makeKey(s.dir, 'foreign');
	const server = http.createServer();
	await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
	idp = { server, url: 'http://127.0.0.1:' + server.address().port, user: null, options: {} };
	const r = await s.post(PROVIDERS, admin, {
		kind: 'saml',
		name: 'Alpha SAML',
		client_id: 'urn:sladesk:alpha',
		issuer: 'urn:idp:alpha',
		authorization_endpoint: idp.url + '/sso',
		certificate: cert,
		email_field: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
		name_field: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
		role_attribute: 'groups',
		role_map: { boss: 'admin', staff: 'manager' },
		trust_email: true,
		create_users: true,
	});
	assert.strictEqual(r.status, 201, r.text);
	id = r.data.provider_id;
	ACS = `/api/v1/auth/sso/acs/${s.alpha}/${id}`;
	assert.strictEqual(r.data.acs_uri, here(ACS));
	idp.metadata = r.data.metadata_uri;
});
test.after(async () => {
	idp.server.closeAllConnections();
	idp.server.close();
	await s.drop();
});

const request = (method, url, { cookie, form } = {}) =>
	new Promise((ok, no) => {
		const body = form && new URLSearchParams(form).toString(),
			r = http.request(
				url,
				{
					method,
					headers: {
						'Accept-Language': 'en',
						...(cookie ? { Cookie: cookie } : {}),
						...(body
							? {
									'Content-Type':
										'application/x-www-form-urlencoded',
									'Content-Length':
										Buffer.byteLength(body),
								}
							: {}),
					},
				},
				(res) => {
					let text = '';
					res.on('data', (d) => (text += d));
					res.on('end', () =>
						ok({ status: res.statusCode, headers: res.headers, text }),
					);
				},
			);
		r.on('error', no);
		r.end(body);
	});
const here = (p) => `http://127.0.0.1:${s.port}${p}`;
/* at the provider: the request, and the cookie that the browser keeps */
const begin = async (more = '') => {
	const r = await request('GET', here(`/api/v1/auth/sso/start?tenant=alpha&provider=${id}${more}`));
	assert.strictEqual(r.status, 302, r.text);
	const u = new URL(r.headers.location),
		xml = zlib
			.inflateRawSync(Buffer.from(u.searchParams.get('SAMLRequest'), 'base64'))
			.toString();
	return {
		url: u,
		xml,
		requestId: xml.match(/ID="([^"]+)"/)[1],
		relay: u.searchParams.get('RelayState'),
		cookie: r.headers['set-cookie'][0].split(';')[0],
	};
};
/* the provider's response, made by samlp itself */
const answer = (b, user = {}, options = {}) =>
	new Promise((ok, no) => {
		samlp.auth({
			issuer: 'urn:idp:alpha',
			cert,
			key,
			audience: 'urn:sladesk:alpha',
			recipient: here(ACS),
			destination: here(ACS),
			lifetimeInSeconds: 300,
			getPostURL: (a, dom, req, cb) => cb(null, here(ACS)),
			getUserFromRequest: () => ({
				id: 'u1',
				displayName: 'Ada',
				name: { givenName: 'Ada', familyName: 'L' },
				emails: [{ value: 'user@alpha.example' }],
				...user,
			}),
			responseHandler: (xml) => ok(xml.toString()),
			...options,
		})(
			{
				query: Object.fromEntries(b.url.searchParams),
				body: {},
				method: 'GET',
				headers: {},
				originalUrl: b.url.pathname + b.url.search,
			},
			{},
			no,
		);
	});
const post = (b, xml, more = {}) =>
	request('POST', here(ACS), {
		cookie: b.cookie,
		form: { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: b.relay, ...more },
	});
const me = async (r) =>
	(
		await s.get('/api/v1/me', null, {
			Cookie: r.headers['set-cookie'].map((c) => c.split(';')[0]).join('; '),
		})
	).data;

test('the request is signed with the key in our metadata and contains its id, the response address and nothing secret', async () => {
	const b = await begin(),
		m = await request('GET', idp.metadata);
	assert.strictEqual(m.status, 200, m.text);
	const pem = `-----BEGIN CERTIFICATE-----\n${m.text.match(/<ds:X509Certificate>([^<]+)/)[1].replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`,
		query = b.url.search.slice(1).split('&Signature=')[0];
	assert.ok(
		crypto.verify(
			'sha256',
			Buffer.from(query),
			new crypto.X509Certificate(pem).publicKey,
			Buffer.from(b.url.searchParams.get('Signature'), 'base64'),
		),
		'its signature is valid',
	);
	assert.match(b.xml, new RegExp(`Destination="${idp.url}/sso"`));
	assert.match(b.xml, new RegExp(`AssertionConsumerServiceURL="${here(ACS)}"`));
	assert.match(b.xml, /<saml:Issuer[^>]*>urn:sladesk:alpha</);
	assert.match(m.text, /entityID="urn:sladesk:alpha"/);
	assert.match(m.text, /AuthnRequestsSigned="true"/);
	assert.match(m.text, new RegExp(`AssertionConsumerService [^>]*Location="${here(ACS)}"`));
	assert.strictEqual((await request('GET', idp.metadata.replace(/\d+$/, '999'))).status, 404);
});
test('login: signed assertion, signed response, both; roles by attribute; new users are created', async () => {
	for (const options of [{}, { signResponse: true }, { signResponse: true, signAssertion: false }]) {
		const b = await begin('&next=/%23/tickets/7'),
			r = await post(b, await answer(b, {}, options));
		assert.strictEqual(r.status, 200, JSON.stringify(options) + r.text);
		assert.match(r.text, /url=\/#\/tickets\/7/);
		const who = await me(r);
		assert.deepStrictEqual([who.username, who.kind], ['user', 'customer']);
	}
	assert.strictEqual(s.sql('select method from sessions order by id desc limit 1'), 'sso');
	const claim = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/',
		profileMapper = (u) => ({
			getClaims: () => ({
				[claim + 'emailaddress']: 'neu@alpha.example',
				[claim + 'name']: '新人',
				groups: u.groups,
			}),
			getNameIdentifier: () => ({ nameIdentifier: 'neu' }),
		});
	for (const [groups, role] of [
		[['x', 'staff'], 'manager'],
		['boss', 'admin'],
		[['nobody'], 'user'],
	]) {
		const b = await begin(),
			who = await me(await post(b, await answer(b, { groups }, { profileMapper })));
		assert.deepStrictEqual(
			[who.username, who.full_name, who.role],
			['neu@alpha.example', '新人', role],
		);
	}
	assert.strictEqual(
		s.sql("select count(*) from client_users where username = 'neu@alpha.example'"),
		'1',
	);
});
test('an encrypted assertion is decrypted with the key in our metadata; other algorithms are refused', async () => {
	const m = await request('GET', idp.metadata),
		ours = m.text
			.match(/use="encryption">[^]*?<ds:X509Certificate>([^<]+)/)[1]
			.replace(/(.{64})/g, '$1\n'),
		pem = `-----BEGIN CERTIFICATE-----\n${ours}\n-----END CERTIFICATE-----\n`,
		pub = new crypto.X509Certificate(pem).publicKey.export({ type: 'spki', format: 'pem' });
	const to = (algorithm, more = {}) => ({
		encryptionPublicKey: pub,
		encryptionCert: pem,
		encryptionAlgorithm: algorithm,
		disallowEncryptionWithInsecureAlgorithm: false,
		warnOnInsecureEncryptionAlgorithm: false,
		...more,
	});
	const GCM = 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
		CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc';
	for (const options of [
		to(GCM),
		to('http://www.w3.org/2009/xmlenc11#aes128-gcm'),
		to(GCM, { signResponse: true }),
		to(CBC, { signResponse: true }),
	]) {
		const b = await begin(),
			xml = await answer(b, {}, options);
		assert.match(xml, /EncryptedAssertion/);
		assert.ok(!xml.includes('user@alpha.example'));
		const r = await post(b, xml);
		assert.strictEqual(r.status, 200, options.encryptionAlgorithm + r.text);
		assert.strictEqual((await me(r)).username, 'user');
	}
	const seal = (text, more = {}) =>
		new Promise((ok, no) =>
			xmlenc.encrypt(
				text,
				{
					rsa_pub: pub,
					pem,
					encryptionAlgorithm: GCM,
					keyEncryptionAlgorithm:
						'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
					disallowEncryptionWithInsecureAlgorithm: false,
					warnInsecureAlgorithm: false,
					...more,
				},
				(e, x) =>
					e
						? no(e)
						: ok(
								`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${x}</saml:EncryptedAssertion>`,
							),
			),
		);
	const assertion = (xml) => xml.match(/<saml:Assertion[^]*<\/saml:Assertion>/)[0],
		unsigned = (a) => a.replace(/<(?:ds:)?Signature[^]*?<\/(?:ds:)?Signature>/, ''),
		evil = (a) =>
			unsigned(a)
				.replaceAll('user@alpha.example', 'boss@alpha.example')
				.replace(/ID="[^"]+"/, 'ID="_evil"'),
		foreignKey = {
			pem: foreign[0],
			rsa_pub: new crypto.X509Certificate(foreign[0]).publicKey.export({
				type: 'spki',
				format: 'pem',
			}),
		};
	const good = async (x, a) => x.replace(a, await seal(a)),
		attacks = {
			'CBC in a response that is not signed': async (x, a) =>
				x.replace(a, await seal(a, { encryptionAlgorithm: CBC })),
			'PKCS#1 v1.5': async (x, a) =>
				x.replace(
					a,
					await seal(a, {
						keyEncryptionAlgorithm:
							'http://www.w3.org/2001/04/xmlenc#rsa-1_5',
					}),
				),
			'for another key': async (x, a) => x.replace(a, await seal(a, foreignKey)),
			'not signed': async (x, a) => x.replace(a, await seal(unsigned(a))),
			'forged, not signed': async (x, a) => x.replace(a, await seal(evil(a))),
			'the true one beside a forged': async (x, a) =>
				x.replace(a, a + (await seal(evil(a)))),
			'two of them': async (x, a) => x.replace(a, (await seal(a)) + (await seal(evil(a)))),
			'two in one': async (x, a) => x.replace(a, await seal(`<x>${evil(a)}${a}</x>`)),
			'one in one': async (x, a) => x.replace(a, await seal(await seal(a))),
			'no assertion in it': async (x, a) => x.replace(a, await seal('<x/>')),
			'its cipher text changed': async (x, a) => {
				const c = await seal(a),
					v = [...c.matchAll(/CipherValue>([A-Za-z0-9+/=]+)</g)].at(-1)[1],
					at = v.length >> 1;
				return x.replace(
					a,
					c.replace(
						v,
						v.slice(0, at) +
							(v[at] === 'A' ? 'B' : 'A') +
							v.slice(at + 1),
					),
				);
			},
			'a comment in it': async (x, a) =>
				x.replace(a, await seal(a.replace('>u1<', '>u1<!-- x -->.evil<'))),
		};
	for (const [why, change] of Object.entries({ 'as agreed': good, ...attacks })) {
		const b = await begin(),
			xml = await answer(b),
			r = await post(b, await change(xml, assertion(xml)));
		assert.strictEqual(r.status, change === good ? 200 : 401, why);
	}
});
test('a user who logs out is sent on to the provider with a signed request that names the session', async () => {
	const settings = {
		kind: 'saml',
		name: 'Alpha SAML',
		client_id: 'urn:sladesk:alpha',
		issuer: 'urn:idp:alpha',
		authorization_endpoint: idp.url + '/sso',
		logout_endpoint: idp.url + '/slo?x=1',
		certificate: cert,
		trust_email: true,
	};
	const was = (await s.get(PROVIDERS, admin)).data.items.find((p) => p.provider_id === id),
		put = await s.request('PUT', `${PROVIDERS}/${id}`, {
			token: admin,
			body: settings,
		});
	assert.strictEqual(put.status, 200, put.text);
	const b = await begin(),
		r = await post(b, await answer(b, {}, { sessionIndex: '_s7' })),
		jar = r.headers['set-cookie'].map((c) => c.split(';')[0]),
		csrf = jar.find((c) => /csrf/.test(c)).split('=')[1],
		out = await s.post('/api/v1/auth/logout', null, undefined, {
			Cookie: jar.join('; '),
			'X-CSRF-Token': csrf,
			Origin: `http://127.0.0.1:${s.port}`,
		});
	assert.strictEqual(out.status, 200, out.text);
	assert.strictEqual(out.data.ended, 1);
	const u = new URL(out.data.location);
	assert.strictEqual(u.origin + u.pathname + '?x=' + u.searchParams.get('x'), idp.url + '/slo?x=1');
	const xml = zlib.inflateRawSync(Buffer.from(u.searchParams.get('SAMLRequest'), 'base64')).toString();
	assert.match(xml, /<samlp:LogoutRequest /);
	assert.ok(xml.includes('<samlp:SessionIndex>_s7</samlp:SessionIndex>'), xml);
	assert.match(xml, /<saml:NameID>u1<\/saml:NameID>/);
	assert.match(xml, /<saml:Issuer>urn:sladesk:alpha<\/saml:Issuer>/);
	const m = await request('GET', idp.metadata),
		pem = `-----BEGIN CERTIFICATE-----\n${m.text.match(/<ds:X509Certificate>([^<]+)/)[1].replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`,
		signed = out.data.location
			.slice(out.data.location.indexOf('SAMLRequest='))
			.split('&Signature=')[0];
	assert.ok(
		crypto.verify(
			'sha256',
			Buffer.from(signed),
			new crypto.X509Certificate(pem).publicKey,
			Buffer.from(u.searchParams.get('Signature'), 'base64'),
		),
	);
	const back = await request('GET', here(`/api/v1/auth/sso/slo/${s.alpha}/${id}?SAMLResponse=x`));
	assert.deepStrictEqual([back.status, back.headers.location], [302, '/']);
	assert.strictEqual((await me(r))?.username, undefined, 'and our session has ended');
	/* a user who logged in with a password is not sent to a provider */
	const plain = await s.login('admin', 'beta');
	assert.strictEqual((await s.post('/api/v1/auth/logout', plain)).data.location, undefined);
	delete settings.logout_endpoint;
	const again = await s.request('PUT', `${PROVIDERS}/${id}`, {
		token: admin,
		body: settings,
	});
	assert.strictEqual(again.status, 200, again.text);
});
test('a response is valid for one login, once, in the browser that began it', async () => {
	const b = await begin(),
		xml = await answer(b);
	assert.strictEqual((await post({ ...b, cookie: 'sd_login=' + '0'.repeat(64) }, xml)).status, 400);
	assert.strictEqual((await post(b, xml, { RelayState: 's1.1.1.' + 'a'.repeat(64) })).status, 400);
	assert.strictEqual((await post(b, xml)).status, 200);
	assert.strictEqual((await post(b, xml)).status, 400, 'the login is used up');
	const c = await begin();
	assert.strictEqual((await post(c, xml)).status, 401, "another log-in's response");
	assert.strictEqual((await request('POST', here(ACS), { form: { x: 1 } })).status, 400);
});
test('every attack on a response is refused', async () => {
	const evil = 'boss@alpha.example',
		forge = (xml) => xml.replace(/>u1</, '>admin<').replaceAll('user@alpha.example', evil);
	const assertionOf = (xml) => xml.match(/<saml:Assertion[^]*<\/saml:Assertion>/)[0],
		signatureOf = (xml) => xml.match(/<(?:ds:)?Signature[^]*?<\/(?:ds:)?Signature>/)[0];
	const attacks = {
		tampered: (x) => forge(x),
		'no signature': (x) => x.replace(signatureOf(x), ''),
		'no signature, forged': (x) => forge(x.replace(signatureOf(x), '')),
		'an empty signature': (x) => x.replace(/<(ds:)?SignatureValue>[^<]+/, '<$1SignatureValue>'),
		'wrapping: a forged assertion before': (x) => {
			const a = assertionOf(x);
			return x.replace(
				a,
				forge(a.replace(signatureOf(x), '')).replace(/ID="[^"]+"/, 'ID="_evil"') + a,
			);
		},
		'wrapping: a forged assertion after': (x) => {
			const a = assertionOf(x);
			return x.replace(
				a,
				a + forge(a.replace(signatureOf(x), '')).replace(/ID="[^"]+"/, 'ID="_evil"'),
			);
		},
		'wrapping: the same ID twice': (x) => {
			const a = assertionOf(x);
			return x.replace(a, forge(a.replace(signatureOf(x), '')) + a);
		},
		'wrapping: the true one inside the forged': (x) => {
			const a = assertionOf(x),
				f = forge(a.replace(signatureOf(x), '')).replace(/ID="[^"]+"/, 'ID="_evil"');
			return x.replace(a, f.replace('</saml:Assertion>', a + '</saml:Assertion>'));
		},
		'wrapping: the true one in an Object of the signature': (x) => {
			const a = assertionOf(x),
				sig = signatureOf(x),
				close = sig.match(/<\/(?:ds:)?Signature>$/)[0],
				f = forge(a.replace(sig, '')).replace(/ID="[^"]+"/, 'ID="_evil"');
			return x.replace(
				a,
				f.replace(
					/(<saml:Issuer[^]*?<\/saml:Issuer>)/,
					'$1' +
						sig.replace(
							close,
							`<Object>${a.replace(sig, '')}</Object>` + close,
						),
				),
			);
		},
		'wrapping: in Extensions': (x) => {
			const a = assertionOf(x);
			return x.replace(
				a,
				`<samlp:Extensions>${a}</samlp:Extensions>` +
					forge(a.replace(signatureOf(x), '')).replace(
						/ID="[^"]+"/,
						'ID="_evil"',
					),
			);
		},
		'the signature moved to the response': (x) => {
			const sig = signatureOf(x);
			return forge(x.replace(sig, '')).replace(/(<samlp:Status>)/, sig + '$1');
		},
		'a comment in the name': (x) => x.replace('>u1<', '>u1<!-- x -->.evil<'),
		'a DTD': (x) => '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + x,
		'a billion laughs': (x) =>
			'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' +
			x.replace('>u1<', '>&b;<'),
		'a processing instruction': (x) => x.replace('<samlp:Status>', '<?php evil ?><samlp:Status>'),
		'no XML': () => 'x',
		'half of it': (x) => x.slice(0, x.length / 2),
		'deep nesting': (x) =>
			x.replace(
				'<samlp:Status>',
				'<a>'.repeat(300) + '</a>'.repeat(300) + '<samlp:Status>',
			),
		'an XSLT transform': (x) =>
			x.replace(
				/Transform Algorithm="http:\/\/www.w3.org\/2001\/10\/xml-exc-c14n#"/,
				'Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"',
			),
	};
	for (const [why, change] of Object.entries(attacks)) {
		const b = await begin(),
			xml = await answer(b),
			bad = change(xml);
		assert.notStrictEqual(bad, xml, why + ' changes something');
		assert.strictEqual((await post(b, bad)).status, 401, why);
	}
	for (const [why, options] of Object.entries({
		'a foreign key': { cert: foreign[0], key: foreign[1] },
		'SHA-1': { signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' },
		'another issuer': { issuer: 'urn:idp:evil' },
		'another audience': { audience: 'urn:other' },
		'another recipient': { recipient: 'http://evil.example/acs' },
		'another destination': { destination: 'http://evil.example/acs', signResponse: true },
		over: { lifetimeInSeconds: -120 },
	})) {
		const b = await begin();
		assert.strictEqual((await post(b, await answer(b, {}, options))).status, 401, why);
	}
	assert.strictEqual(
		s.sql(`select count(*) from user_identities where subject not in ('u1', 'neu')`),
		'0',
	);
	const b = await begin();
	assert.strictEqual(
		(await post(b, await answer(b))).status,
		200,
		'and the genuine one is still accepted',
	);
	assert.match(s.log, /SAML response refused .*why="/);
});
/* XML signed again by the true key: what is said, not who says it, is wrong. */
const sign = (text) => {
	const sig = new SignedXml(null, {
		signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
		idAttribute: 'ID',
	});
	sig.addReference(
		"//*[local-name(.)='Assertion']",
		[
			'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
			'http://www.w3.org/2001/10/xml-exc-c14n#',
		],
		'http://www.w3.org/2001/04/xmlenc#sha256',
	);
	sig.signingKey = key;
	sig.computeSignature(text.replace(/<(?:ds:)?Signature[^]*?<\/(?:ds:)?Signature>/, ''), {
		location: {
			reference: "//*[local-name(.)='Assertion']/*[local-name(.)='Issuer']",
			action: 'after',
		},
	});
	return sig.getSignedXml();
};
test('a response is accepted only at the address of the provider that was asked, for its login, from its issuer, within its time', async () => {
	/* another provider of the same customer, and one of another customer: the same issuer, certificate and entity, so only the address tells */
	const twin = (token) =>
		s.post(PROVIDERS, token, {
			kind: 'saml',
			name: 'Twin',
			client_id: 'urn:sladesk:alpha',
			issuer: 'urn:idp:alpha',
			authorization_endpoint: idp.url + '/sso',
			certificate: cert,
			trust_email: true,
		});
	const mine = (await twin(admin)).data,
		theirs = (await twin(await s.login('admin', 'beta'))).data,
		at = (b, url, xml, relay = b.relay) =>
			request('POST', url, {
				cookie: b.cookie,
				form: {
					SAMLResponse: Buffer.from(xml).toString('base64'),
					RelayState: relay,
				},
			});
	for (const [why, url] of Object.entries({
		"another provider's": mine.acs_uri,
		"another customer's": theirs.acs_uri,
		'the customer of the one, the number of the other': theirs.acs_uri.replace(/\d+$/, id),
	})) {
		/* made for our address, and for the one it is sent to */
		for (const recipient of [here(ACS), url]) {
			const b = await begin();
			assert.strictEqual(
				(await at(b, url, await answer(b, {}, { recipient, destination: recipient })))
					.status,
				400,
				why,
			);
		}
	}
	const other = await request(
			'GET',
			here(`/api/v1/auth/sso/start?tenant=alpha&provider=${mine.provider_id}`),
		),
		state = new URL(other.headers.location).searchParams.get('RelayState');
	let b = await begin();
	assert.strictEqual((await at(b, here(ACS), await answer(b), state)).status, 400, 'foreign state');
	b = await begin();
	assert.strictEqual((await at(b, here(ACS), await answer(b), '')).status, 400, 'unsolicited');
	const xml = await answer(b),
		unsolicited = xml.replaceAll(/ InResponseTo="[^"]*"/g, '');
	assert.notStrictEqual(unsolicited, xml);
	const later = (ms) => new Date(Date.now() + ms).toISOString(),
		mail = (x) => x.match(/<saml:Attribute Name="[^"]*emailaddress"[^]*?<\/saml:Attribute>/)[0],
		cases = {
			'as it is': [(x) => x, 200],
			'no InResponseTo': [(x) => x.replaceAll(/ InResponseTo="[^"]*"/g, ''), 401],
			"the response's InResponseTo": [
				(x) => x.replace(/InResponseTo="[^"]*"/, 'InResponseTo="_x"'),
				401,
			],
			"the confirmation's InResponseTo": [
				(x) =>
					x.replace(
						/(SubjectConfirmationData[^>]*InResponseTo=")[^"]*"/,
						'$1_x"',
					),
				401,
			],
			"the response's issuer": [
				(x) => x.replace(/(<saml:Issuer[^>]*>)[^<]*/, '$1urn:evil'),
				401,
			],
			"the assertion's issuer": [
				(x) =>
					x.replace(
						/(<saml:Assertion[^]*?<saml:Issuer[^>]*>)[^<]*/,
						'$1urn:evil',
					),
				401,
			],
			'an empty issuer': [(x) => x.replace(/(<saml:Issuer[^>]*>)[^<]*/, '$1'), 401],
			destination: [
				(x) => x.replace(/Destination="[^"]*"/, 'Destination="http://evil.example/"'),
				401,
			],
			'an empty destination': [
				(x) => x.replace(/Destination="[^"]*"/, 'Destination=""'),
				401,
			],
			recipient: [
				(x) => x.replace(/Recipient="[^"]*"/, `Recipient="${mine.acs_uri}"`),
				401,
			],
			audience: [(x) => x.replace(/(<saml:Audience>)[^<]*/, '$1urn:other'), 401],
			'no audience': [
				(x) =>
					x.replace(
						/<saml:AudienceRestriction>[^]*?<\/saml:AudienceRestriction>/,
						'',
					),
				401,
			],
			'another restriction that is not for us': [
				(x) =>
					x.replace(
						'</saml:AudienceRestriction>',
						'$&<saml:AudienceRestriction><saml:Audience>urn:other</saml:Audience></saml:AudienceRestriction>',
					),
				401,
			],
			'another restriction without an audience': [
				(x) => x.replace('</saml:AudienceRestriction>', '$&<saml:AudienceRestriction/>'),
				401,
			],
			'another audience in the same restriction': [
				(x) => x.replace('</saml:AudienceRestriction>', '<saml:Audience>urn:other</saml:Audience>$&'),
				200,
			],
			future: [(x) => x.replace(/NotBefore="[^"]*"/, `NotBefore="${later(3600e3)}"`), 401],
			'a time that is none': [
				(x) => x.replace(/NotBefore="[^"]*"/, 'NotBefore="soon"'),
				401,
			],
			'the condition is over': [
				(x) =>
					x.replace(
						/(<saml:Conditions[^>]*NotOnOrAfter=")[^"]*"/,
						`$1${later(-120e3)}"`,
					),
				401,
			],
			'the confirmation is over': [
				(x) =>
					x.replace(
						/(SubjectConfirmationData[^>]*NotOnOrAfter=")[^"]*"/,
						`$1${later(-120e3)}"`,
					),
				401,
			],
			'a confirmation without an end': [
				(x) => x.replace(/(SubjectConfirmationData[^>]*) NotOnOrAfter="[^"]*"/, '$1'),
				401,
			],
			'a confirmation in the future': [
				(x) =>
					x.replace(
						/(<saml:SubjectConfirmationData)/,
						`$1 NotBefore="${later(3600e3)}"`,
					),
				401,
			],
			'not a bearer': [(x) => x.replace(/cm:bearer/, 'cm:sender-vouches'), 401],
			'another status': [(x) => x.replace(/status:Success/, 'status:Responder'), 401],
			'an element in the name': [(x) => x.replace('>u1<', '>u1<x/>.evil<'), 401],
			'an empty name': [(x) => x.replace('>u1<', '><'), 401],
			'blanks as a name': [(x) => x.replace('>u1<', '>  <'), 401],
			'a name that is too long': [(x) => x.replace('>u1<', `>${'u'.repeat(301)}<`), 401],
			'two names': [(x) => x.replace(/<saml:NameID[^]*?<\/saml:NameID>/, '$&$&'), 401],
			'two conditions': [
				(x) => x.replace(/<saml:Conditions[^]*?<\/saml:Conditions>/, '$&$&'),
				401,
			],
			'two confirmations': [
				(x) =>
					x.replace(
						/<saml:SubjectConfirmation [^]*?<\/saml:SubjectConfirmation>/,
						'$&$&',
					),
				401,
			],
		},
		/* by an unknown subject: the address alone leads to the account, so it must be one text */
		addresses = {
			'as it is': [(x) => x, 200],
			'two of them': [(x) => x.replace(mail(x), mail(x) + mail(x)), 401],
			'an element in it': [
				(x) => x.replace('user@alpha.example', 'user@<x/>alpha.example'),
				401,
			],
			'an empty one': [(x) => x.replace('user@alpha.example', ''), 401],
			'no address': [(x) => x.replace('user@alpha.example', 'user at alpha'), 401],
			'too long': [
				(x) => x.replace('user@alpha.example', 'u'.repeat(300) + '@alpha.example'),
				401,
			],
			'a line end in it': [
				(x) => x.replace('user@alpha.example', '&#10;user@alpha.example'),
				401,
			],
			'not verified': [
				(x) =>
					x.replace(
						mail(x),
						mail(x) +
							'<saml:Attribute Name="email_verified"><saml:AttributeValue>false</saml:AttributeValue></saml:Attribute>',
					),
				401,
			],
		};
	for (const [why, [change, status]] of Object.entries(cases)) {
		b = await begin();
		const was = await answer(b),
			now = change(was);
		assert.ok(now !== was || why === 'as it is', why + ' changes something');
		assert.strictEqual((await post(b, sign(now))).status, status, why);
	}
	let n = 0;
	for (const [why, [change, status]] of Object.entries(addresses)) {
		b = await begin();
		s.sql(
			`update identity_providers set settings = settings || '{"email_field":"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"}' where id = ${id}`,
		);
		const was = await answer(b, { id: 'fresh' + ++n }),
			now = change(was);
		assert.ok(now !== was || why === 'as it is', why + ' changes something');
		assert.strictEqual((await post(b, sign(now))).status, status, 'mail: ' + why);
	}
	console.log(
		`# SAML: ${Object.keys(cases).length + Object.keys(addresses).length} responses signed with the genuine key`,
	);
	await s.request('DELETE', `${PROVIDERS}/${mine.provider_id}`, { token: admin });
});
test('the provider ends a session by a signed LogoutRequest, once', async () => {
	const b = await begin(),
		r = await post(b, await answer(b, {}, { sessionIndex: '_s1' }));
	assert.ok(await me(r));
	const slo = here(`/api/v1/auth/sso/slo/${s.alpha}/${id}`);
	const make = (more = {}, signer = [cert, key]) => {
		const o = {
			id: '_' + crypto.randomBytes(16).toString('hex'),
			at: new Date().toISOString(),
			issuer: 'urn:idp:alpha',
			name: 'u1',
			to: slo,
			...more,
		};
		const xml = `<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${o.id}" Version="2.0" IssueInstant="${o.at}" Destination="${o.to}"><saml:Issuer>${o.issuer}</saml:Issuer><saml:NameID>${o.name}</saml:NameID></samlp:LogoutRequest>`;
		if (!signer) return xml;
		const sig = new SignedXml(null, {
			signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
			idAttribute: 'ID',
		});
		sig.addReference(
			"//*[local-name(.)='LogoutRequest']",
			[
				'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
				'http://www.w3.org/2001/10/xml-exc-c14n#',
			],
			'http://www.w3.org/2001/04/xmlenc#sha256',
		);
		sig.signingKey = signer[1];
		sig.computeSignature(xml, {
			location: { reference: "//*[local-name(.)='Issuer']", action: 'after' },
		});
		return sig.getSignedXml();
	};
	const send = (xml) =>
		request('POST', slo, { form: { SAMLRequest: Buffer.from(xml).toString('base64') } });
	for (const [why, xml] of Object.entries({
		unsigned: make({}, null),
		'a foreign key': make({}, foreign),
		'another issuer': make({ issuer: 'urn:evil' }),
		old: make({ at: new Date(Date.now() - 3600e3).toISOString() }),
		'for another': make({ to: 'http://evil.example/' }),
		tampered: make().replace('>u1<', '>neu<'),
	}))
		assert.strictEqual((await send(xml)).status, 400, why);
	assert.ok(await me(r));
	const good = make();
	assert.strictEqual((await send(good)).status, 200);
	await waitUntil(async () => !(await me(r)), 3000);
	assert.strictEqual((await send(good)).status, 400, 'once');
});
test('the log names the steps of each login, and how long they took', () => {
	for (const [flow, change] of [
		['sso_start', 'ask_documents -> end'],
		['saml_acs', 'verify -> check'],
		['saml_acs', 'check -> enter'],
		['saml_slo', 'verify -> end_sessions'],
	])
		assert.match(s.log, new RegExp(`flow=${flow} id=\\d+ ${change} \\d+ms`));
});
test('step-up: the provider is told to ask anew, and its word about when counts for five minutes', async (t) => {
	const iso = (ms) => new Date(Date.now() + ms).toISOString(),
		statement = (x) => x.match(/<saml:AuthnStatement[^]*?<\/saml:AuthnStatement>/)[0],
		at = (text) => (x) => x.replace(/AuthnInstant="[^"]*"/, `AuthnInstant="${text}"`),
		asks = (b) => /<samlp:AuthnRequest[^>]* ForceAuthn="true"/.test(b.xml),
		cookies = (r) => r.headers['set-cookie'].map((c) => c.split(';')[0]).join('; '),
		csrf = (r) => cookies(r).match(/sd_csrf=([0-9a-f]+)/)[1],
		/* what asks for a proof: 403 40006 until there is one */
		sensitive = async (r) =>
			s.request('POST', '/api/v1/auth/factors/totp', {
				body: {},
				headers: {
					Cookie: cookies(r),
					'X-CSRF-Token': csrf(r),
					Origin: `http://127.0.0.1:${s.port}`,
				},
			});
	assert.ok(!asks(await begin()), 'an ordinary login does not ask for that');
	/* an ordinary login has proved nothing, however fresh it is */
	const plain = await begin(),
		old = await post(plain, await answer(plain)),
		no = await sensitive(old);
	assert.deepStrictEqual([no.status, no.code], [403, 40006], no.text);
	assert.ok(no.json.details.step_up.includes('sso'), no.text);
	assert.strictEqual(
		no.json.details.location,
		`/api/v1/auth/sso/start?tenant=alpha&provider=${id}&fresh=true`,
	);
	const cases = {
		'as it is': [(x) => x, 200],
		now: [at(iso(0)), 200],
		'four minutes ago': [at(iso(-240e3)), 200],
		'a little ahead, as clocks are': [at(iso(20e3)), 200],
		'six minutes ago': [at(iso(-360e3)), 401],
		yesterday: [at(iso(-86400e3)), 401],
		'in 1970': [at('1970-01-01T00:00:00Z'), 401],
		'a minute ahead': [at(iso(60e3)), 401],
		tomorrow: [at(iso(86400e3)), 401],
		'in the year 9999': [at('9999-12-31T23:59:59Z'), 401],
		'no time': [at('soon'), 401],
		'an empty text': [at(''), 401],
		'only a date': [at(iso(0).slice(0, 10)), 401],
		missing: [(x) => x.replace(/ AuthnInstant="[^"]*"/, ''), 401],
		'no statement': [(x) => x.replace(statement(x), ''), 401],
		'an old one before the new': [
			(x) => x.replace(statement(x), at(iso(-360e3))(statement(x)) + statement(x)),
			401,
		],
		'an old one after the new': [
			(x) => x.replace(statement(x), statement(x) + at(iso(-360e3))(statement(x))),
			401,
		],
	};
	for (const [why, [change, want]] of Object.entries(cases)) {
		const b = await begin('&fresh=true');
		assert.ok(asks(b), why);
		const was = await answer(b),
			now = change(was);
		assert.ok(now !== was || why === 'as it is', why + ' changes something');
		const r = await post(b, sign(now));
		assert.strictEqual(r.status, want, why);
		if (r.status !== 200) {
			assert.ok(!/sd_access/.test(String(r.headers['set-cookie'])), why);
			continue;
		}
		const yes = await sensitive(r);
		assert.notStrictEqual(yes.code, 40006, why + yes.text);
	}
	/* unless it is asked for, the same old instants are an ordinary login that proves nothing */
	for (const change of [cases['six minutes ago'][0], cases.missing[0]]) {
		const b = await begin(),
			r = await post(b, sign(change(await answer(b))));
		assert.strictEqual(r.status, 200);
		assert.strictEqual((await sensitive(r)).code, 40006);
	}
	/* the proof is as old as the provider says, not as the login */
	const b = await begin('&fresh=true'),
		r = await post(b, sign(cases['four minutes ago'][0](await answer(b))));
	assert.notStrictEqual((await sensitive(r)).code, 40006);
	s.sql("update sessions set proved_at = proved_at - interval '61 s' where proved_at is not null");
	assert.strictEqual((await sensitive(r)).code, 40006);
	t.diagnostic(`${Object.keys(cases).length} instants`);
});
