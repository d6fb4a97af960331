// SPDX-License-Identifier: Apache-2.0
// Claims of providers are read by type: every claim of every response is tried with every wrong type; the logins of OAuth 2.0 and the vendors meet
// the attacks that OpenID Connect and SAML meet.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js'),
	{ Browser, toldProvider, sign, whoIs } = require('../lib/idp.js');

const PROVIDERS = '/api/v1/client/admin/identity-providers',
	BAD = '@@BAD@@'; /* becomes bytes that are not UTF-8 */
let s, alpha, told;
const start = (id) => `http://127.0.0.1:${s.port}/api/v1/auth/sso/start?tenant=alpha&provider=${id}`,
	add = async (body) => {
		const r = await s.post(PROVIDERS, alpha, { name: 'X', client_id: 'sladesk', ...body });
		assert.strictEqual(r.status, 201, r.text);
		return r.data;
	},
	remove = (p) => s.request('DELETE', `${PROVIDERS}/${p.provider_id}`, { token: alpha }),
	setting = (p, doc) =>
		s.sql(
			`update identity_providers set settings = settings || '${JSON.stringify(doc)}' where id = ${p.provider_id}`,
		),
	enter = async (p) => {
		const b = new Browser(),
			r = await b.follow(start(p.provider_id));
		return { status: r.status, who: (await whoIs(s, b))?.username, text: r.text };
	};
test.before(async () => {
	s = await Server.make('claims', { sso: { allow_private: 'yes' }, limits: { login_per_s: 0 } });
	alpha = await s.login('admin', 'alpha');
	told = await toldProvider();
	told.back = { authCode: 'c' };
});
test.after(async () => {
	if (told) told.close();
	await s.drop();
});

const bytes = (o) => {
	const [before, after] = JSON.stringify(o).split(BAD);
	return after === undefined
		? Buffer.from(before)
		: Buffer.concat([Buffer.from(before), Buffer.from([0xc3, 0x28]), Buffer.from(after)]);
};
const VALUES = {
	'a text': 'x',
	'a number': 5,
	'a fraction': 1.5,
	true: true,
	false: false,
	null: null,
	'a list': ['x'],
	'a mixed list': ['x', 1],
	'an object': { a: 1 },
	'an empty text': '',
	'too long': 'x'.repeat(200000),
	NUL: 'a\u0000b',
	'a line end': 'a\nb',
	'not UTF-8': BAD,
};
/* the values that have the type */
const FIT = {
	text: ['a text'],
	texts: ['a text', 'a list'],
	instant: ['a number', 'a fraction'],
	mail: [],
	yes: ['true'],
	id: ['a text', 'a number'],
	result: [],
	object: ['an object'],
};
/* What a document that holds such a value is refused for, whatever member it is. */
const never = (why, signed) => ['NUL', 'not UTF-8'].includes(why) || (signed && why === 'too long');

/* Every log-in: the settings of its provider, its answers by path, and their members with their types. Members marked ? may be of any type: what
 * does not fit is as if it were absent. */
let number = 0;
const claims = () => ({
	...told.claims(),
	sub: 's' + ++number,
	email: 'user@alpha.example',
	email_verified: true,
});
const person = (id, mail) => ({ [id]: 's' + ++number, [mail]: 'user@alpha.example' });
const endpoints = () => ({
	authorization_endpoint: told.url + '/auth',
	token_endpoint: told.url + '/t',
	userinfo_endpoint: told.url + '/u',
});
const LOGINS = {
	'identity token': {
		settings: () => ({ kind: 'oidc', issuer: told.url }),
		answers: { '/token': (x) => ({ access_token: 'a', id_token: x }) },
		signed: claims,
		members: {
			...{
				iss: 'text',
				sub: 'text',
				aud: 'texts',
				azp: 'text',
				nonce: 'text',
				sid: 'text',
				jti: 'text',
			},
			...{
				exp: 'instant',
				iat: 'instant',
				nbf: 'instant',
				auth_time: 'instant',
				events: 'object',
			},
			...{ email: 'mail', email_verified: 'yes', 'name?': 'text', 'groups?': 'texts' },
		},
	},
	'userinfo of OpenID Connect': {
		settings: () => ({ kind: 'oidc', issuer: told.url }),
		answers: {
			'/token': (x, last) => ({
				access_token: 'a',
				id_token: sign(
					{ alg: 'RS256', kid: 'k1' },
					told.claims({ sub: last.sub }),
					told.pair.privateKey,
				),
			}),
		},
		path: '/me',
		make: () => ({ ...person('sub', 'email'), email_verified: true }),
		members: {
			sub: 'text',
			email: 'mail',
			email_verified: 'yes',
			'name?': 'text',
			'groups?': 'texts',
		},
	},
	'token response of OpenID Connect': {
		settings: () => ({ kind: 'oidc', issuer: told.url }),
		answers: {},
		path: '/token',
		make: () => ({
			access_token: 'a',
			id_token: sign({ alg: 'RS256', kid: 'k1' }, claims(), told.pair.privateKey),
		}),
		members: { id_token: 'mail' },
	},
	'userinfo of OAuth 2.0': {
		settings: () => ({ kind: 'oauth2', ...endpoints() }),
		answers: { '/t': () => ({ access_token: 'a' }) },
		path: '/u',
		make: () => ({ ...person('id', 'email'), email_verified: true }),
		members: {
			id: 'id',
			email: 'mail',
			email_verified: 'yes',
			'name?': 'text',
			'groups?': 'texts',
		},
	},
	'token response of OAuth 2.0': {
		settings: () => ({ kind: 'oauth2', ...endpoints() }),
		answers: { '/u': () => person('id', 'email') },
		path: '/t',
		make: () => ({ access_token: 'a' }),
		members: { access_token: 'text' },
	},
};
const VENDORS = {
	wecom: {
		settings: { agent_id: '1', profile: '/p' },
		answers: {
			'/t': () => ({ errcode: 0, access_token: 'a' }),
			'/u': () => ({ errcode: 0, userid: 's' + ++number }),
			'/p': () => ({ errcode: 0, name: 'N', biz_mail: 'user@alpha.example' }),
		},
		members: {
			'/t': { errcode: 'result', access_token: 'text' },
			'/u': { errcode: 'result', userid: 'id' },
			'/p': { errcode: 'result', biz_mail: 'mail', 'name?': 'text' },
		},
	},
	dingtalk: {
		settings: { corp_id: 'ding1' },
		answers: {
			'/t': () => ({ accessToken: 'a', corpId: 'ding1' }),
			'/u': () => ({ nick: 'N', ...person('unionId', 'email') }),
		},
		members: {
			'/t': { accessToken: 'text', corpId: 'mail' },
			'/u': { unionId: 'id', email: 'mail', 'nick?': 'text' },
		},
	},
	feishu: {
		settings: { corp_id: 't1' },
		answers: {
			'/t': () => ({ code: 0, access_token: 'a' }),
			'/u': () => ({
				code: 0,
				data: {
					name: 'N',
					tenant_key: 't1',
					...person('union_id', 'enterprise_email'),
				},
			}),
		},
		members: {
			'/t': { code: 'result', access_token: 'text' },
			'/u': {
				...{
					code: 'result',
					data: 'object',
					'data.union_id': 'id',
					'data.tenant_key': 'mail',
				},
				...{ 'data.enterprise_email': 'mail', 'data.name?': 'text' },
			},
		},
	},
};
const vendorSettings = (vendor) => ({
	kind: 'oauth2',
	vendor,
	client_secret: 'x',
	trust_email: true,
	...endpoints(),
	...(VENDORS[vendor].settings.profile ? { profile_endpoint: told.url + '/p' } : {}),
	...(VENDORS[vendor].settings.corp_id ? { corp_id: VENDORS[vendor].settings.corp_id } : {}),
});
for (const [vendor, v] of Object.entries(VENDORS))
	for (const [path, members] of Object.entries(v.members))
		LOGINS[`${vendor} ${path}`] = {
			settings: () => vendorSettings(vendor),
			answers: v.answers,
			path,
			make: v.answers[path],
			members,
		};
/* Replace member a.b of O by V. */
const change = (o, member, v) => {
	const [a, b] = member.split('.');
	return b ? { ...o, [a]: { ...o[a], [b]: v } } : { ...o, [a]: v };
};
function answersOf(login, edit) {
	let last;
	told.answers = { ...login.answers };
	if (login.signed)
		told.answers['/token'] = () =>
			login.answers['/token'](
				sign(
					{ alg: 'RS256', kid: 'k1' },
					bytes(edit(login.signed())),
					told.pair.privateKey,
				),
			);
	else {
		if (login.answers['/token'])
			told.answers['/token'] = () =>
				login.answers['/token'](undefined, (last = login.make()));
		told.answers[login.path] = () => bytes(edit(last || login.make()));
	}
}
test('every claim of every response is tried with every wrong type', async () => {
	let met = 0;
	for (const [name, login] of Object.entries(LOGINS)) {
		const p = await add({
			trust_email: true,
			role_attribute: 'groups',
			role_map: { x: 'user' },
			...login.settings(),
		});
		answersOf(login, (o) => o);
		const good = await enter(p);
		assert.deepStrictEqual(
			[good.status, good.who],
			[200, 'user'],
			name + ' as it is: ' + good.text,
		);
		let known = 1;
		for (const [key, type] of Object.entries(login.members)) {
			const member = key.replace('?', '');
			for (const [why, v] of Object.entries(VALUES)) {
				if (FIT[type].includes(why)) continue;
				const taken = key.endsWith('?') && !never(why, login.signed);
				answersOf(login, (o) => change(o, member, v));
				const r = await enter(p);
				assert.deepStrictEqual(
					[r.status, r.who],
					taken ? [200, 'user'] : [401, undefined],
					`${name}: ${member} is ${why}`,
				);
				known += taken;
				met++;
			}
		}
		assert.strictEqual(
			Number(
				s.sql(
					`select count(*) from user_identities where provider_id = ${p.provider_id}`,
				),
			),
			known,
			name + ': nobody was linked by what was refused',
		);
		await remove(p);
	}
	console.log(`# ${Object.keys(LOGINS).length} answers, ${met} claims of another type`);
	assert.ok(met > 500, String(met));
});
test('a mail address is verified by JSON true alone; by the text "true" only where an administrator says so', async () => {
	const p = await add({ kind: 'oidc', issuer: told.url }),
		values = [
			false,
			'false',
			'0',
			'no',
			'FALSE',
			'False',
			'TRUE',
			'True',
			' true',
			'true ',
			'1',
			'yes',
			1,
			0,
			null,
			[],
			[true],
			{},
		],
		verified = (v, more = {}) => {
			told.answers = {};
			told.token = told.says({
				sub: 'v' + ++number,
				email: 'admin@alpha.example',
				email_verified: v,
				...more,
			});
			return enter(p);
		};
	for (const [doc, text] of [
		[{ trust_email: false, email_verified_text: false }, 401],
		[{ trust_email: true, email_verified_text: false }, 401],
		[{ trust_email: false, email_verified_text: true }, 200],
	]) {
		setting(p, doc);
		for (const v of values)
			assert.strictEqual((await verified(v)).status, 401, JSON.stringify([doc, v]));
		assert.strictEqual((await verified('true')).status, text, JSON.stringify(doc));
		assert.strictEqual((await verified(true)).status, 200);
		assert.strictEqual((await verified(undefined)).status, doc.trust_email ? 200 : 401, 'absent');
	}
	await remove(p);
});
test('instants may have a fraction', async () => {
	const p = await add({ kind: 'oidc', issuer: told.url }),
		now = Date.now() / 1000,
		says = (more) => {
			told.token = told.says({
				sub: 'f' + ++number,
				email: 'user@alpha.example',
				email_verified: true,
				...more,
			});
			return enter(p);
		};
	const good = { exp: now + 300.5, iat: now - 0.25, nbf: now - 1.125, auth_time: now - 100.75 };
	assert.strictEqual((await says(good)).status, 200);
	for (const bad of [
		{ exp: now - 61.5 },
		{ iat: now + 61.5 },
		{ nbf: now + 61.5 },
		{ auth_time: now + 61.5 },
	])
		assert.strictEqual((await says({ ...good, ...bad })).status, 401, JSON.stringify(bad));
	await remove(p);
});
test('the enterprise is compared: DingTalk always, Feishu if it is configured', async () => {
	const without = { ...vendorSettings('dingtalk'), corp_id: undefined },
		refused = await s.post(PROVIDERS, alpha, { name: 'X', client_id: 'c', ...without });
	assert.deepStrictEqual(
		refused.json.details.fields.map((f) => f.field),
		['corp_id'],
	);
	for (const vendor of ['dingtalk', 'feishu']) {
		const v = VENDORS[vendor],
			[path, member] = vendor === 'dingtalk' ? ['/t', 'corpId'] : ['/u', 'data.tenant_key'],
			p = await add(vendorSettings(vendor)),
			says = (its) => {
				told.answers = {
					...v.answers,
					[path]: () => change(v.answers[path](), member, its),
				};
				return enter(p);
			};
		const ours = v.settings.corp_id;
		for (const its of [ours + '1', ours.toUpperCase(), ' ' + ours, 'other', undefined])
			assert.strictEqual((await says(its)).status, 401, `${vendor} ${its}`);
		assert.strictEqual((await says(ours)).status, 200);
		/* a provider from before the setting */
		s.sql(
			`update identity_providers set settings = settings - 'corp_id' where id = ${p.provider_id}`,
		);
		assert.strictEqual((await says(ours)).status, vendor === 'dingtalk' ? 401 : 200);
		await remove(p);
	}
	assert.match(s.log, /token response refused .*corp_id is missing/);
	assert.match(s.log, /another enterprise's/);
});
test('OAuth 2.0 and the vendors: replay, foreign state, foreign browser, foreign provider, old, unsolicited', async () => {
	const kinds = { oauth2: () => ({ kind: 'oauth2', trust_email: true, ...endpoints() }) };
	for (const vendor of Object.keys(VENDORS)) kinds[vendor] = () => vendorSettings(vendor);
	const plain = { '/t': () => ({ access_token: 'a' }), '/u': () => person('id', 'email') };
	for (const [kind, settings] of Object.entries(kinds)) {
		const p = await add(settings()),
			other = await add(settings()),
			begin = async (b) =>
				(await b.follow(start(p.provider_id), (u) => u.includes('/sso/callback')))
					.url;
		told.answers = VENDORS[kind] ? VENDORS[kind].answers : plain;
		const open = (b) => ((b.paths[`127.0.0.1:${s.port}`] = {}), b);
		for (const [why, attack] of Object.entries({
			'foreign browser': async (b, url) => new Browser().get(url),
			'foreign state': async (b, url) => {
				const theirs = new URL(await begin(new Browser())),
					u = new URL(url);
				u.searchParams.set('state', theirs.searchParams.get('state'));
				return b.get(u.href);
			},
			'changed state': async (b, url) =>
				b.get(url.replace(/.(&|$)/, '0$1').replace(/state=s1/, 'state=s2')),
			'foreign provider': async (b, url) =>
				open(b).get(url.replace(p.redirect_uri, other.redirect_uri)),
			unsolicited: async (b) => open(b).get(p.redirect_uri + '?code=c&authCode=c'),
			old: async (b, url) => {
				s.sql("update sso_logins set began_at = began_at - interval '11 minutes'");
				return b.get(url);
			},
		})) {
			const b = new Browser(),
				url = await begin(b);
			told.seen.length = 0;
			assert.strictEqual((await attack(b, url)).status, 400, `${kind}: ${why}`);
			assert.deepStrictEqual(told.seen, [], `${kind}: ${why} sends no request`);
		}
		const b = new Browser(),
			url = await begin(b);
		assert.strictEqual((await b.get(url)).status, 200, kind);
		assert.strictEqual((await open(b).get(url)).status, 400, `${kind}: replay`);
		/* the code under the other's name is none */
		if (VENDORS[kind]) {
			const c = new Browser(),
				to = new URL(await begin(c));
			to.searchParams.delete(kind === 'dingtalk' ? 'authCode' : 'code');
			assert.strictEqual((await c.get(to.href)).status, 401, kind);
		}
		await remove(p);
		await remove(other);
	}
});
test("the addresses in a provider's metadata are addresses", async () => {
	const bad = [
		'javascript:alert(1)',
		'https://a.example/\r\nSet-Cookie: sd_access=x',
		'https://a.example/ x',
		'https://a.example/"x',
		'//a.example/x',
		'',
		5,
		null,
		['https://a.example/'],
		{},
	];
	for (const key of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'])
		for (const v of bad) {
			told.metadata = { [key]: v };
			const p = await add({
				kind: 'oidc',
				issuer: told.url + '/',
			}); /* not kept from before */
			told.metadata.issuer = told.url + '/';
			const r = await new Browser().get(start(p.provider_id));
			assert.strictEqual(r.status, 502, `${key} ${JSON.stringify(v)}`);
			assert.ok(!/sd_access/.test(JSON.stringify(r.headers)));
			await remove(p);
		}
	told.metadata = { issuer: told.url + '/' };
	const p = await add({ kind: 'oidc', issuer: told.url + '/' });
	assert.strictEqual(
		(await new Browser().get(start(p.provider_id))).status,
		302,
		'and the valid ones are accepted',
	);
	told.metadata = {};
	await remove(p);
});

test('the vendors: an unverified address, an error beside good data, another issuer, a code that was used, an error that comes back', async (t) => {
	let n = 0;
	for (const vendor of Object.keys(VENDORS)) {
		const v = VENDORS[vendor],
			p = await add({ ...vendorSettings(vendor), create_users: true }),
			users = () => s.sql('select count(*) from client_users'),
			refused = async (why, answers, back = {}) => {
				const before = users();
				told.answers = { ...v.answers, ...answers };
				told.back = { authCode: 'c', ...back };
				const r = await enter(p);
				assert.deepStrictEqual([r.status, r.who], [401, undefined], `${vendor}: ${why}`);
				assert.strictEqual(users(), before, `${vendor}: ${why}`);
				told.back = { authCode: 'c' };
				n++;
			};
		/* whoever the provider does not vouch for becomes nobody, however the address is written */
		setting(p, { trust_email: false });
		await refused('an address that nobody has verified', {});
		setting(p, { trust_email: true });
		const at = vendor === 'wecom' ? '/p' : '/u',
			inside = vendor === 'feishu' ? 'data.email_verified' : 'email_verified';
		for (const value of [false, 'false', 'true', 1, null, 0, ''])
			await refused('email_verified is ' + JSON.stringify(value), {
				[at]: () => change(v.answers[at](), inside, value),
			});
		/* an error is an error, whatever stands beside it */
		if (vendor !== 'dingtalk') {
			const field = vendor === 'wecom' ? 'errcode' : 'code';
			for (const path of ['/t', '/u'])
				for (const code of [40029, -1, 1])
					await refused(`${field} ${code} at ${path}`, {
						[path]: () => ({ ...v.answers[path](), [field]: code }),
					});
		}
		/* a person who is no member of the enterprise has no id there */
		if (vendor === 'wecom')
			await refused('somebody outside', {
				'/u': () => ({ errcode: 0, openid: 'o1', external_userid: 'e1' }),
			});
		/* the answer names another issuer, an error or no code: nobody is asked */
		for (const [why, back] of Object.entries({
			'an issuer': { iss: told.url },
			'an error': { code: undefined, authCode: undefined, error: 'access_denied' },
			'no code': { code: undefined, authCode: undefined },
			'an empty code': { code: '', authCode: '' },
		})) {
			told.seen.length = 0;
			await refused(why, {}, back);
			assert.deepStrictEqual(told.seen, [], `${vendor}: ${why}`);
		}
		/* a code that another login has used: the provider says so, and we begin nothing */
		told.answers = v.answers;
		assert.strictEqual((await enter(p)).who, 'user', vendor + ' as it is');
		const used = vendor === 'wecom' ? '/u' : '/t';
		await refused('a code that was used', {
			[used]: () =>
				vendor === 'dingtalk' ? { code: 'invalidCode', message: 'x' } : { errcode: 40029, code: 20003 },
		});
		await remove(p);
	}
	t.diagnostic(`${n} answers of vendors refused`);
});

/* --- the door of every account --- */

const UNMAILABLE = [
		'',
		' ',
		'user',
		'user@',
		'@alpha.example',
		'a@b@alpha.example',
		'a b@alpha.example',
		'"a b"@alpha.example',
		'a..b@alpha.example',
		'.a@alpha.example',
		'a.@alpha.example',
		'a@-alpha.example',
		'a@alpha..example',
		'a@alpha.example.',
		'a@[127.0.0.1]',
		'a@例子.example',
		'用户@alpha.example',
		'a\u00a0b@alpha.example',
		'a@alpha.example\nBcc: x@y.example',
		'a@alpha.example,b@alpha.example',
		'A <a@alpha.example>',
		'a'.repeat(65) + '@alpha.example',
		'a@' + 'b'.repeat(64) + '.example',
		'a@' + 'b.'.repeat(130) + 'example',
	],
	BLANK = ['', ' ', '   ', '\u3000', '\u00a0\u2003', '\u200b', '\ufeff', '\u2060', '\u3164', '\t'];
test('an account has an address to which mail can be sent and a name that can be seen, whichever way it is made', async (t) => {
	const admin = await s.login('admin', 'alpha'),
		rows = () => s.sql('select (select count(*) from client_users) + (select count(*) from staff)'),
		fresh = () => 'w' + ++number,
		ways = {
			API: async (email, full_name) => {
				const r = await s.post('/api/v1/client/admin/users', admin, {
					...{ username: fresh(), password: 'Erst-Passwort-1' },
					...{ full_name, email },
				});
				return r.status === 201;
			},
		};
	for (const who of [['--tenant', 'alpha'], ['--staff']])
		ways['sladesk ' + who[0]] = async (email, name) => {
			if (/[\t\n]/.test(email + name)) return false; /* the others tell enough about these */
			try {
				s.cli(
					[
						...['user', 'add', ...who, '--username', fresh()],
						...['--name', name, '--email', email],
					],
					'Erst-Passwort-1\n',
				);
				return true;
			} catch {
				return false;
			}
		};
	const providers = [];
	for (const [name, login] of Object.entries(LOGINS)) {
		const mail = Object.keys(login.members).find(
				(k) => login.members[k] === 'mail' && /mail/.test(k),
			),
			called = Object.keys(login.members).find((k) => /(name|nick)\?$/.test(k));
		if (!mail || !called) continue;
		const p = await add({ trust_email: true, create_users: true, ...login.settings() });
		providers.push(p);
		ways[name] = async (email, full_name) => {
			answersOf(login, (o) =>
				change(change(o, mail, email), called.replace('?', ''), full_name),
			);
			const r = await enter(p);
			assert.ok([200, 401].includes(r.status), r.text);
			s.sql("update sessions set revoked_at = now() where method = 'sso'"); /* leave the seat */
			return r.status === 200;
		};
	}
	assert.ok(Object.keys(ways).length >= 9, Object.keys(ways).join());
	let n = 0;
	for (const [name, make] of Object.entries(ways)) {
		for (const email of UNMAILABLE) {
			const before = rows();
			assert.strictEqual(await make(email, 'Ada'), false, `${name}: ${JSON.stringify(email)}`);
			assert.strictEqual(rows(), before, name);
			n++;
		}
		for (const blank of BLANK) {
			const before = rows(),
				mail = fresh() + '@alpha.example',
				made = await make(mail, blank);
			/* an identity provider may know no name: then the account has its user name */
			assert.ok(!made || LOGINS[name], `${name}: ${JSON.stringify(blank)}`);
			assert.strictEqual(Number(rows()) - Number(before), made ? 1 : 0);
			n++;
		}
		assert.ok(await make(fresh() + '@alpha.example', '王芳'), name + ' makes a good one');
	}
	assert.strictEqual(
		s.sql(
			"select count(*) from client_users where full_name !~ '[[:alnum:]]' or (email not like 'e2.%' and email !~ '^[^@ ]+@[^@ ]+$')",
		),
		'0',
	);
	for (const p of providers) await remove(p);
	t.diagnostic(`${Object.keys(ways).length} ways to make an account, ${n} without address or name`);
});
