// SPDX-License-Identifier: Apache-2.0
// Passkeys with an authenticator in software: the owner of the signing key logs in, whatever credential ids others have registered.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto');
const { Server } = require('../lib/server.js'),
	{ authenticatorOf, coseOf } = require('../lib/authenticator.js');

let s;
const authenticator = (id) => authenticatorOf(s, id);
test.before(async () => {
	s = new Server('passkeys');
	await s.prepare();
	s.settings.http = { url: 'http://localhost:' + s.port };
	await s.start();
});
test.after(() => s.drop());

const who = async (r) => {
	assert.strictEqual(r.status, 200, r.text);
	const me = (await s.get('/api/v1/me', r.data.access_token)).data;
	return me.tenant_id + ' ' + me.username;
};

test('a credential id that another customer has registered causes no conflict and does not log in', async () => {
	const id = crypto.randomBytes(32),
		mine = authenticator(id),
		tokens = await Promise.all([
			s.login('user', 'alpha'),
			s.login('user', 'beta'),
			s.login('admin', 'alpha'),
		]);
	assert.strictEqual((await mine.register(tokens[0])).status, 201);
	assert.strictEqual(
		(await mine.register(tokens[0])).code,
		41003,
		'the same user has registered it already',
	);
	const theirs = authenticator(id),
		third = authenticator(id);
	for (const [a, token] of [
		[theirs, tokens[1]],
		[third, tokens[2]],
	])
		assert.strictEqual((await a.register(token)).status, 201, 'it reveals nothing about others');
	assert.strictEqual(await who(await mine.signIn()), s.alpha + ' user');
	assert.strictEqual(await who(await theirs.signIn()), s.beta + ' user');
	assert.strictEqual(await who(await third.signIn()), s.alpha + ' admin');
	assert.strictEqual((await authenticator(id).signIn()).status, 401, 'a key that nobody registered');
	/* whoever registers it later, however often, comes after its first owner */
	s.sql(
		`insert into factors (tenant_id, actor_kind, actor_id, kind, name, credential_id, public_key, counter, created_at, confirmed_at)
		select 1, 'staff', x.id, 'passkey', 'x', f.credential_id, f.public_key, 0, now(), now() from staff x, factors f where f.tenant_id = ${s.beta}`,
	);
	assert.strictEqual(await who(await mine.signIn()), s.alpha + ' user');
});

/* --- the attacks --- */

const sha = (x) => crypto.createHash('sha256').update(x).digest(),
	url = (x) => Buffer.from(x).toString('base64url'),
	parts = (a) => ({
		...a,
		auth: Buffer.from(a.authenticator_data, 'base64url'),
		client: JSON.parse(Buffer.from(a.client_data, 'base64url')),
	});
/* An answer of authenticator A, changed by EDIT({auth, client, ...}) and then signed again by its key, so that only what is said is wrong. */
async function signedAgain(a, edit) {
	const p = parts(await a.answer()),
		{ auth, client, text, ...rest } = { ...p, ...edit(p) },
		raw = text === undefined ? Buffer.from(JSON.stringify(client)) : Buffer.from(text);
	return {
		challenge_token: rest.challenge_token,
		credential_id: rest.credential_id,
		client_data: url(raw),
		authenticator_data: url(auth),
		signature: rest.signature !== p.signature ? rest.signature : url(a.sign(Buffer.concat([auth, sha(raw)]))),
	};
}
const flags = (f) => (p) => {
		const auth = Buffer.from(p.auth);
		auth[32] = f;
		return { auth };
	},
	said = (more) => (p) => ({ client: { ...p.client, ...more } }),
	tail = (bytes, f = 0x05) => (p) => {
		const auth = Buffer.concat([p.auth, Buffer.from(bytes)]);
		auth[32] = f;
		return { auth };
	},
	host = (name) => (p) => {
		const auth = Buffer.from(p.auth);
		sha(name).copy(auth);
		return { auth };
	};
/* What an authenticator or a browser may say that must not let anybody in. */
const ATTACKS = {
	'another relying party': host('evil.example'),
	'a subdomain as relying party': host('a.localhost'),
	'capitals as relying party': host('LOCALHOST'),
	'the origin as relying party': () => host(s.settings.http.url)({ auth: Buffer.alloc(37, 5) }),
	'another origin': (p) => said({ origin: 'https://evil.example' })(p),
	'another port': (p) => said({ origin: p.client.origin.replace(/\d+$/, '1') })(p),
	'another scheme': (p) => said({ origin: p.client.origin.replace('http:', 'https:') })(p),
	'a longer origin': (p) => said({ origin: p.client.origin + '.evil.example' })(p),
	'a path behind the origin': (p) => said({ origin: p.client.origin + '/' })(p),
	'the origin null': said({ origin: 'null' }),
	'no origin': said({ origin: undefined }),
	'an origin of another type': (p) => said({ origin: [p.client.origin] })(p),
	'create for get': said({ type: 'webauthn.create' }),
	'a payment': said({ type: 'payment.get' }),
	'no type': said({ type: undefined }),
	'inside a page of another origin': said({ crossOrigin: true }),
	'crossOrigin of another type': said({ crossOrigin: 'false' }),
	'a page above it': said({ topOrigin: 'https://evil.example' }),
	'another challenge': said({ challenge: url(crypto.randomBytes(32)) }),
	'a padded challenge': (p) => said({ challenge: p.client.challenge + '=' })(p),
	'no challenge': said({ challenge: undefined }),
	'an empty challenge': said({ challenge: '' }),
	'nobody present': flags(0x04),
	'nobody verified': flags(0x01),
	'no flag': flags(0x00),
	'a backup without being able to': flags(0x15),
	'extensions that are not there': flags(0x85),
	'a credential that is not there': flags(0x45),
	'bytes behind': tail([0]),
	'a map behind, without its flag': tail([0xa0]),
	'extensions and a byte behind': tail([0xa0, 0x00], 0x85),
	'extensions that are no map': tail([0x01], 0x85),
	'extensions cut short': tail([0xa1, 0x61], 0x85),
	'extensions of another length': tail([0xa1, 0x61, 0x61], 0x85),
	'extensions without an end': tail([0xbf, 0xff], 0x85),
	'extensions without an end, and long': tail([0xbf, ...Array(300).fill(0xf5), 0xff], 0x85),
	'extensions that are very many': tail([0xbb, 255, 255, 255, 255, 255, 255, 255, 255], 0x85),
	'extensions that are very deep': tail([...Array(9).fill([0xa1, 0x01]).flat(), 0xa0], 0x85),
	'36 bytes': (p) => ({ auth: p.auth.subarray(0, 36) }),
	'no bytes but two': (p) => ({ auth: p.auth.subarray(0, 2) }),
	'client data that is no JSON': () => ({ text: 'x' }),
	'client data that is a list': (p) => ({ text: JSON.stringify([p.client]) }),
	'client data with bytes behind': (p) => ({ text: JSON.stringify(p.client) + 'x' }),
	'a member of client data twice': (p) => ({
		text: JSON.stringify(p.client).replace('{', '{"origin":"https://evil.example",'),
	}),
	'a signature of nothing': () => ({ signature: url(Buffer.alloc(70)) }),
	'a signature as JOSE has it': () => ({ signature: url(crypto.randomBytes(64)) }),
	'a signature of zeros': () => ({ signature: url(Buffer.from('3006020100020100', 'hex')) }),
};
async function person() {
	s.sql("delete from factors where kind = 'passkey'");
	const token = await s.login('user', 'alpha'),
		a = authenticator();
	assert.strictEqual((await a.register(token)).status, 201);
	return { token, a };
}
test('a login and a step-up by passkey: every attack is refused, although the right key signed', async (t) => {
	const { token, a } = await person();
	const taken = [];
	let n = 0;
	for (const [why, edit] of Object.entries(ATTACKS)) {
		const r = await s.post('/api/v1/auth/passkey', null, await signedAgain(a, edit));
		if (![400, 401].includes(r.status)) taken.push(`${why}: ${r.status}`);
		n++;
	}
	for (const [why, edit] of Object.entries(ATTACKS)) {
		s.sql('update sessions set proof_tries = 0, proved_at = null');
		const r = await s.post('/api/v1/auth/step-up/passkey', token, await signedAgain(a, edit));
		if (![400, 401].includes(r.status) || s.sql('select count(*) from sessions where proved_at is not null') !== '0')
			taken.push(`step-up, ${why}: ${r.status}`);
		n++;
	}
	assert.deepStrictEqual(taken, []);
	/* and what is right is taken, also with what else browsers say */
	for (const edit of [
		() => ({}),
		said({ crossOrigin: false }),
		said({ other_keys_can_be_added_here: 'x' }),
		flags(0x0d),
		flags(0x1d),
		tail([0xa0], 0x85),
		tail([0xa1, 0x61, 0x61, 0xf5], 0x85),
		tail([0xa2, 0x61, 0x61, 0x18, 0xff, 0x61, 0x62, 0x83, 1, 0x42, 1, 2, 0x20], 0x85),
	])
		assert.strictEqual(await who(await s.post('/api/v1/auth/passkey', null, await signedAgain(a, edit))), s.alpha + ' user');
	s.sql('update sessions set proof_tries = 0');
	assert.strictEqual((await s.post('/api/v1/auth/step-up/passkey', token, await a.answer())).status, 200);
	t.diagnostic(`${n} attacks`);
});
test('a challenge is used once, by whom it was given to, and for what; a counter never goes back', async () => {
	const { token, a } = await person(),
		once = await a.answer(),
		login = (x) => s.post('/api/v1/auth/passkey', null, x);
	assert.strictEqual((await login(once)).status, 200);
	assert.strictEqual((await login(once)).status, 401, 'replay');
	s.sql('update sessions set proof_tries = 0');
	assert.strictEqual((await s.post('/api/v1/auth/step-up/passkey', token, once)).status, 401, 'replay elsewhere');
	/* the challenge of one answer with the token of another */
	const x = await a.answer(),
		y = await a.answer();
	assert.strictEqual((await login({ ...x, challenge_token: y.challenge_token })).status, 401);
	assert.strictEqual((await login({ ...x, signature: y.signature })).status, 401);
	/* the challenge of a registration does not log in, and the other way round */
	const o = (await s.post('/api/v1/auth/factors/passkey/options', token)).data,
		mixed = await signedAgain(a, (p) => ({
			challenge_token: o.challenge_token,
			client: { ...p.client, challenge: o.challenge },
		}));
	assert.strictEqual((await login(mixed)).status, 401);
	const other = authenticator(),
		theirs = await s.login('admin', 'alpha'),
		of = (await s.post('/api/v1/auth/factors/passkey/options', theirs)).data;
	assert.strictEqual((await other.register(token, { options: of })).status, 401, "another user's challenge");
	const any = (await s.post('/api/v1/auth/passkey/options', null)).data;
	assert.strictEqual((await other.register(token, { options: any })).status, 401, 'the challenge of a login');
	for (const challenge_token of ['x', once.challenge_token.slice(0, -2), token])
		assert.strictEqual((await login({ ...(await a.answer()), challenge_token })).status, 400);
	/* the counter */
	const count = (n) => (p) => {
		const auth = Buffer.from(p.auth);
		auth.writeUInt32BE(n, 33);
		return { auth };
	};
	const at = async (n) => (await login(await signedAgain(a, count(n)))).status;
	assert.deepStrictEqual([await at(1000), await at(1000), await at(999), await at(0), await at(1001)], [200, 401, 401, 401, 200]);
	/* somebody else's credential: by its id, with one's own key; and for another session */
	const stranger = authenticator(Buffer.from((await a.answer()).credential_id, 'base64url'));
	assert.strictEqual((await login(await stranger.answer())).status, 401);
	s.sql('update sessions set proof_tries = 0');
	for (const who of [theirs, await s.login('user', 'beta'), await s.login('boss')])
		assert.strictEqual(
			(await s.post('/api/v1/auth/step-up/passkey', who, await signedAgain(a, count(2000 + Math.random() * 1e6)))).status,
			401,
		);
});
test('a registration says truly what it registers', async (t) => {
	s.sql("delete from factors where kind = 'passkey'");
	const token = await s.login('user', 'alpha'),
		rsa = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
		der = (k) => k.publicKey.export({ type: 'spki', format: 'der' }),
		curve = (namedCurve) => crypto.generateKeyPairSync('ec', { namedCurve }),
		taken = [];
	const attacks = {
		'another relying party': { auth: (d) => (sha('evil.example').copy(d), d) },
		'nobody present': { flags: 0x44 },
		'nobody verified': { flags: 0x41 },
		'no credential': { flags: 0x05 },
		'get for create': { client: { type: 'webauthn.get' } },
		'another origin': { client: { origin: 'https://evil.example' } },
		'inside a page of another origin': { client: { crossOrigin: true } },
		'another challenge': { client: { challenge: url(crypto.randomBytes(32)) } },
		'another id inside': { auth: (d) => ((d[60] ^= 1), d) },
		'an id that is longer than said': { length: 31 },
		'an id that is shorter than said': { length: 33 },
		'an id without a length': { length: 0 },
		'an id longer than all': { length: 65535 },
		'cut in the id': { auth: (d) => d.subarray(0, 60) },
		'cut before the id': { auth: (d) => d.subarray(0, 54) },
		'only the head': { auth: (d) => d.subarray(0, 37) },
		'an RSA key': { public_key: () => der(rsa) },
		'P-384': { public_key: () => der(curve('P-384')) },
		secp256k1: { public_key: () => der(curve('secp256k1')) },
		Ed25519: { public_key: () => der(crypto.generateKeyPairSync('ed25519')) },
		'no key': { public_key: () => Buffer.from('x'.repeat(20)) },
		'a key with bytes behind': { public_key: (k) => Buffer.concat([k, Buffer.from([0])]) },
		'another key than the authenticator’s': { public_key: () => der(curve('P-256')) },
		'the authenticator’s key, the browser’s another': { cose: () => coseOf(curve('P-256')) },
		'no key inside': { cose: () => Buffer.alloc(0) },
		...Object.fromEntries(
			/* each byte of the key's frame, changed: kty, alg (-257, -8 and all others), curve, labels, lengths */
			[...Array(10).keys(), 42, 43, 44].map((i) => [
				`byte ${i} of the key`,
				{ cose: (k) => ((k[i] ^= i === 4 ? 1 : 3), k) },
			]),
		),
		'a coordinate changed on both sides, off the curve': {
			cose: (k) => ((k[76] ^= 1), k),
			public_key: (k) => ((k[90] ^= 1), k),
		},
		'a coordinate beyond the field': { cose: (k) => k.fill(0xff, 10, 42), public_key: (k) => k.fill(0xff, 27, 59) },
		'the point of zeros': {
			cose: (k) => k.fill(0, 10, 42).fill(0, 45),
			public_key: (k) => k.fill(0, 27),
		},
		'a key cut short': { cose: (k) => k.subarray(0, 76) },
		'a member more': { cose: (k) => Buffer.concat([Buffer.from([0xa6]), k.subarray(1), Buffer.from([0x04, 0x81, 0x02])]) },
		'a member twice': { cose: (k) => Buffer.concat([Buffer.from([0xa6]), k.subarray(1), Buffer.from([0x20, 0x01])]) },
		'other order': { cose: (k) => Buffer.concat([k.subarray(0, 1), k.subarray(3, 5), k.subarray(1, 3), k.subarray(5)]) },
		'a number in a longer spelling': { cose: (k) => Buffer.concat([k.subarray(0, 2), Buffer.from([0x18, 0x02]), k.subarray(3)]) },
		'a map without an end': { cose: (k) => Buffer.concat([Buffer.from([0xbf]), k.subarray(1), Buffer.from([0xff])]) },
		'y as a sign': { cose: (k) => Buffer.concat([k.subarray(0, 42), Buffer.from([0x22, 0xf5])]) },
		'a byte behind': { tail: Buffer.from([0]) },
		'a map behind, without its flag': { tail: Buffer.from([0xa0]) },
		'extensions that are not there': { flags: 0xc5 },
		'extensions and a byte behind': { flags: 0xc5, tail: Buffer.from([0xa0, 0]) },
		'extensions that are no map': { flags: 0xc5, tail: Buffer.from([0x01]) },
		'a second credential behind': { tail: Buffer.alloc(77, 1) },
		'the id in another spelling': { credential_id: 'x' },
	};
	for (const [why, change] of Object.entries(attacks)) {
		const r = await authenticator().register(token, change);
		if (r.status !== 401) taken.push(why + r.text);
	}
	assert.deepStrictEqual(taken, []);
	assert.strictEqual(s.sql("select count(*) from factors where kind = 'passkey'"), '0');
	for (const n of [0, 1, 15, 1024])
		assert.strictEqual((await authenticator(crypto.randomBytes(n)).register(token)).code, n ? 40004 : 40001, `${n} bytes`);
	/* the same id in another spelling: the unused bits of its last letter */
	const id = crypto.randomBytes(32),
		text = url(id),
		letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
		spelt = text.slice(0, -1) + letters[letters.indexOf(text.at(-1)) + 1];
	assert.deepStrictEqual(Buffer.from(spelt, 'base64url'), id);
	assert.strictEqual((await authenticator(id).register(token, { credential_id: spelt })).status, 401);
	/* what authenticators do send */
	for (const [n, change] of [
		[32, {}],
		[16, {}],
		[1023, {}],
		[64, { flags: 0xc5, tail: Buffer.from('a16b6372656450726f7465637402', 'hex') }],
		[20, { flags: 0x5d }],
	])
		assert.strictEqual((await authenticator(crypto.randomBytes(n)).register(token, change)).status, 201, `${n} bytes`);
	t.diagnostic(`${Object.keys(attacks).length} registrations refused`);
});
