// SPDX-License-Identifier: Apache-2.0
// Passkeys with an authenticator in software: the owner of the signing key logs in, whatever credential ids others have registered.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto');
const { Server } = require('../lib/server.js'),
	{ authenticatorOf } = require('../lib/authenticator.js');

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
