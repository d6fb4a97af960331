// SPDX-License-Identifier: Apache-2.0
// An outage of an outside part is one line of the log, and its end is one: however often the part is tried, whoever asks for it meanwhile, and
// whatever fails because of it. /readyz shows the outage and its end at once.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path');
const { Server, waitUntil, hookSink, SOCK, VAR } = require('../lib/server.js'),
	{ relay } = require('../lib/relay.js'),
	{ pipe } = require('../lib/pipe.js');

const ROUNDS = 60; /* of what people do while a part is away, 20 ms apart and more */
let s, mails, hooks, issuer, crm, user, admin;
const parts = {};
const listen = (answer) =>
	new Promise((ok) => {
		const server = http.createServer((req, res) => res.end(answer()));
		server.unref();
		server.listen(0, '127.0.0.1', () => ok(server));
	});
test.before(async () => {
	const dir = path.join(VAR, 'outages' + process.pid);
	fs.mkdirSync(dir);
	fs.chmodSync(dir, 0o755);
	mails = await relay();
	hooks = await hookSink();
	crm = await listen(() => JSON.stringify({ customers: [{ external_id: 'C-1', code: 'gamma', name: 'Gamma' }] }));
	issuer = await listen(() => {
		const at = 'http://127.0.0.1:' + parts.provider.port;
		return JSON.stringify({
			issuer: at,
			authorization_endpoint: at + '/a',
			token_endpoint: at + '/t',
			jwks_uri: at + '/k',
		});
	});
	parts.relay = await pipe({ port: mails.port });
	parts.webhook = await pipe({ port: Number(new URL(hooks.url).port) });
	parts.provider = await pipe({ port: issuer.address().port });
	parts.crm = await pipe({ port: crm.address().port });
	parts.redis = await pipe({ path: SOCK + '/redis' }, path.join(dir, 'redis'));
	parts.postgresql = await pipe({ path: SOCK + '/.s.PGSQL.5432' }, path.join(dir, '.s.PGSQL.5432'));
	s = new Server('outages', {
		mail: { url: 'smtp://127.0.0.1:' + parts.relay.port, timeout_s: '5' },
		notify: { backoff_s: '1' },
		sso: { allow_private: 'yes' },
		integration: {
			customers_url: `http://127.0.0.1:${parts.crm.port}/customers`,
			customers_every_s: 1,
			allow_private: 'yes',
		},
	});
	s.redisUrl = 'unix://' + path.join(dir, 'redis');
	s.pgHost = dir;
	await s.prepare();
	await s.start();
	[user, admin] = [await s.login('user', 'alpha'), await s.login('admin', 'alpha')];
	const hook = await s.post('/api/v1/webhooks', admin, {
		url: `http://127.0.0.1:${parts.webhook.port}/hook`,
		secret: 's'.repeat(20),
	});
	assert.strictEqual(hook.status, 201, hook.text);
	const made = await s.post('/api/v1/client/admin/identity-providers', admin, {
		kind: 'oidc',
		name: 'Alpha',
		client_id: 'sladesk',
		client_secret: 'x',
		issuer: 'http://127.0.0.1:' + parts.provider.port,
	});
	assert.strictEqual(made.status, 201, made.text);
});
test.after(async () => {
	await s.drop();
	for (const p of Object.values(parts)) await p.close();
	await mails.close();
	await hooks.close();
	issuer.close();
	crm.close();
});

const quietly = (promise) => promise.catch(() => null);
const start = () => s.get('/api/v1/auth/sso/start?tenant=alpha');
/* what a provider says is kept for an hour, so it is asked only when it is its turn */
const act = (n, part) =>
	Promise.all([
		quietly(s.post('/api/v1/tickets', user, { title: 't' + n, description: 'x', priority: 'P3' })),
		quietly(s.get('/api/v1/tickets', user)),
		quietly(s.get('/api/v1/overview', user)),
		part === 'provider' && quietly(start()),
	]);
const alarms = () => s.log.split('\n').filter((l) => /^\S+ (warn|error)/.test(l));
const readyz = async () => JSON.parse((await s.get('/readyz')).text);

/* The part, its name in the log, and where /readyz shows it. */
const table = [
	['postgresql', /^postgresql$/, (r) => [r.circuits.postgresql, r.dependencies.postgresql.state, r.ready]],
	['redis', /^redis$/, (r) => [r.circuits.redis, r.dependencies.redis.state, r.ready]],
	['relay', /^mail smtp:\/\/127\.0\.0\.1:\d+$/, (r) => [r.circuits.mail, r.dependencies.mail.state, r.ready]],
	['webhook', /^webhook http:\/\/127\.0\.0\.1:\d+$/, (r) => [r.circuits.webhook]],
	['provider', /^identity provider http:\/\/127\.0\.0\.1:\d+$/],
	['crm', /^the source of customers$/],
];
for (const [part, name, shown] of table)
	test(`${part} is away: a line when it begins and one when it has ended`, async () => {
		const good = shown && shown(await readyz()),
			bad = good && good.map((v) => (typeof v === 'boolean' ? part !== 'postgresql' : { closed: 'open', up: 'down' }[v]));
		const told = (what) =>
			alarms().filter((l) => {
				const m = l.match(/outage of (.*?) (begins|has ended)/);
				return m && m[2] === what && name.test(m[1]);
			});
		if (good) assert.ok(['closed', 'up', true].includes(good[0]) && good.every((v) => v === true || /^(closed|up)$/.test(v)), String(good));
		s.log = '';
		parts[part].met = 0;
		parts[part].how = 'away';
		parts[part].cut();
		let n = 0;
		await waitUntil(async () => (await act(n, part)) && ++n === ROUNDS, 60000);
		await waitUntil(() => told('begins').length);
		if (shown) await waitUntil(async () => String(shown(await readyz())) === String(bad));
		await waitUntil(() => parts[part].met > 1);
		/* of what follows from the outage, nothing */
		assert.deepStrictEqual([alarms().length, told('begins').length], [1, 1], alarms().join('\n'));
		const lines = s.log.split('\n').length;
		assert.ok(lines < 20, s.log);
		parts[part].how = 'good';
		if (part === 'provider') await waitUntil(async () => (await start()).status < 400);
		if (shown)
			await waitUntil(async () => {
				const now = String(shown(await readyz()));
				if (part === 'postgresql' || part === 'redis') await act(0);
				return now === String(good);
			}, 70000);
		await waitUntil(() => told('has ended').length, 90000);
		assert.deepStrictEqual([alarms().length, told('has ended').length], [2, 1], alarms().join('\n'));
		assert.match(told('has ended')[0], / after_s=\d+\.\d failures=[1-9]\d*$/);
		console.log(`# ${told('begins')[0]}\n# ${told('has ended')[0]}`);
	});
