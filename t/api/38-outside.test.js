// SPDX-License-Identifier: Apache-2.0
// Each outside part (mail relay, webhook, identity provider, Redis, PostgreSQL, helper) is slow, hangs or drips: the loop keeps turning, /healthz
// answers at once, and everything works again once the part has recovered.
// alone: measures the loop.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path');
const { Server, waitUntil, hookSink, freePort, INST, SOCK, VAR } = require('../lib/server.js'),
	{ relay } = require('../lib/relay.js'),
	{ pipe } = require('../lib/pipe.js'),
	machine = require('../lib/machine.js');

const PROBES = 60; /* of /healthz while a part is bad, 20 ms apart and more */
let s, mails, hooks, provider, user, admin;
const parts = {};
test.before(async () => {
	const dir = path.join(VAR, 'outside' + process.pid);
	fs.mkdirSync(dir);
	fs.chmodSync(dir, 0o755);
	mails = await relay();
	hooks = await hookSink();
	const issuer = http.createServer((req, res) => res.end('{}')); /* its answer is invalid */
	await new Promise((ok) => issuer.listen(0, '127.0.0.1', ok));
	issuer.unref();
	provider = issuer;
	parts.relay = await pipe({ port: mails.port });
	parts.webhook = await pipe({ port: Number(new URL(hooks.url).port) });
	parts.provider = await pipe({ port: issuer.address().port });
	parts.redis = await pipe({ path: SOCK + '/redis' }, path.join(dir, 'redis'));
	parts.postgresql = await pipe({ path: SOCK + '/.s.PGSQL.5432' }, path.join(dir, '.s.PGSQL.5432'));
	parts.helper = fakeHelper(path.join(dir, 'helpers'));
	s = new Server('outside', {
		mail: { url: 'smtp://127.0.0.1:' + parts.relay.port, timeout_s: '5' },
		sso: { allow_private: 'yes' },
		worker: { path: path.join(dir, 'helpers') },
	});
	s.redisUrl = 'unix://' + path.join(dir, 'redis');
	s.pgHost = dir;
	await s.prepare();
	await s.start();
	[user, admin] = [await s.login('user', 'alpha'), await s.login('admin', 'alpha')];
	assert.strictEqual(
		(
			await s.post('/api/v1/webhooks', admin, {
				url: `http://127.0.0.1:${parts.webhook.port}/hook`,
				secret: 's'.repeat(20),
			})
		).status,
		201,
	);
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
	provider.close();
});
/* The installed helpers, but that which reads documents is one of ours: it answers as the file beside it says. */
function fakeHelper(dir) {
	fs.mkdirSync(dir);
	for (const name of ['hash', 'mail', 'file'])
		fs.copyFileSync(
			path.join(INST, 'libexec/sladesk/sladesk-helper-' + name),
			path.join(dir, 'sladesk-helper-' + name),
		);
	fs.writeFileSync(
		path.join(dir, 'sladesk-helper-parse'),
		`#!${process.execPath}\n` +
			fs.readFileSync(path.join(__dirname, '../lib/fakehelper.js'), 'utf8'),
		{ mode: 0o755 },
	);
	const part = {
		set how(v) {
			fs.writeFileSync(path.join(dir, 'how'), v);
		},
		cut: () => {},
		close: () => {},
	};
	part.how = 'good';
	fs.chmodSync(dir, 0o755);
	return part;
}
/* what people do meanwhile: each of it may fail, none may wait for ever */
const quietly = (promise) => promise.catch(() => null);
const act = (n, part) =>
	Promise.all([
		quietly(
			s.post('/api/v1/tickets', user, { title: 't' + n, description: 'x', priority: 'P3' }),
		),
		quietly(s.get('/api/v1/tickets', user)),
		quietly(s.get('/api/v1/overview', user)),
		quietly(s.get('/api/v1/auth/sso/start?tenant=alpha')),
		quietly(s.get('/test/probe?pool=parse')),
		/* an attempt whose outcome is unknown counts as one */
		part === 'postgresql' || quietly(s.login('user', 'alpha')),
	]);
async function whileBad(part) {
	let slowest = 0,
		n = 0;
	const acts = [];
	await s.metric('loop_stall_recent_seconds');
	machine.longestMs(true);
	await waitUntil(async () => {
		if (n % 20 === 0) acts.push(act(n, part));
		slowest = Math.max(slowest, (await machine.timed(() => s.get('/healthz'))).ms);
		return ++n === PROBES;
	}, 60000);
	await Promise.all(acts);
	const turn = (await s.metric('loop_stall_recent_seconds')) * 1000,
		late = machine.longestMs(true);
	return { slowest, turn, stall: turn - late };
}
for (const part of ['postgresql', 'redis', 'relay', 'webhook', 'provider', 'helper'])
	for (const how of ['slow', 'hang', 'drip'])
		test(`${part}: ${how}`, async () => {
			parts[part].met = 0;
			parts[part].how = how;
			const w = await whileBad(part);
			parts[part].how = 'good';
			parts[part].cut();
			console.log(
				`# ${part} ${how}: slowest /healthz ${w.slowest.toFixed(1)} ms, longest turn ${w.turn.toFixed(1)} ms`,
			);
			assert.ok(part === 'helper' || parts[part].met > 0, 'the part was used meanwhile');
			assert.ok(w.slowest < 400, `/healthz took ${w.slowest} ms`);
			assert.ok(w.stall <= 50, `the loop stalled for ${w.stall} ms`);
			await waitUntil(
				async () =>
					(await s.get('/readyz')).status === 200 &&
					(
						await s.post('/api/v1/tickets', user, {
							title: 'after',
							description: 'x',
						})
					).status === 201 &&
					(await s.get('/test/probe?pool=parse')).data.ok &&
					(await s.metric('redis_up')) === 1,
				20000,
			);
		});
test('once everything has recovered, every notification arrives', async () => {
	await waitUntil(
		() => s.sql("select count(*) from notifications where state = 'queued'") === '0',
		60000,
	);
	assert.strictEqual(s.sql("select count(*) from notifications where state = 'dead'"), '0');
	s.pgHost = null; /* the command blocks us, and with us the pipe */
	fs.writeFileSync(s.file, s.conf());
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
