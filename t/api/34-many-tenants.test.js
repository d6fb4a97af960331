// SPDX-License-Identifier: Apache-2.0
// Staff who serve ten thousand customers: the live feed starts, continues and resumes for them as for anyone.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const WebSocket = require('ws');
const { Server, waitUntil, selfSigned } = require('../lib/server.js');

const MANY = 10000;
let s, boss, user;
test.before(async () => {
	s = new Server('many_tenants');
	await s.prepare();
	s.sql(
		`insert into customers (code, name, created_at) select 'many-' || i, 'Many ' || i, '2026-01-01' from generate_series(1, ${MANY}) i`,
	);
	s.sql(
		'insert into tenant_counters (tenant_id, seq) select tenant_id, 0 from customers on conflict do nothing',
	);
	await s.start();
	[boss, user] = await Promise.all([s.login('boss'), s.login('user', 'alpha')]);
});
test.after(() => s.drop());

const ticket = (title) => s.post('/api/v1/tickets', user, { title, description: 'x' });
function feed(token, since, { port = s.port, scheme = 'ws', ca } = {}) {
	const ws = new WebSocket(`${scheme}://127.0.0.1:${port}/api/v1/live`, {
			ca,
			maxPayload: 1 << 24,
			perMessageDeflate: false,
		}),
		f = { ws, all: [], closed: null };
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token })));
	ws.on('message', (m) => {
		const e = JSON.parse(m);
		f.all.push(e);
		if (e.op === 'welcome')
			ws.send(JSON.stringify({ op: 'subscribe', topics: ['tickets'], since }));
	});
	ws.on('close', (code) => (f.closed = code));
	ws.on('error', () => {});
	return waitUntil(() => f.all.some((e) => e.op === 'snapshot' || e.op === 'resumed') || f.closed).then(
		() => f,
	);
}
const ops = (f) => f.all.slice(1).map((e) => e.op + (e.reason ? ': ' + e.reason : ''));

test('the snapshot names all of them, and events follow', async () => {
	const f = await feed(boss);
	assert.deepStrictEqual(ops(f), ['snapshot: fresh']);
	assert.strictEqual(Object.keys(f.all[1].seq).length, MANY + 3);
	const k = (await ticket('seen')).data;
	await waitUntil(() => f.all.some((e) => e.op === 'event' && e.ticket_id === k.id));
	f.ws.close();
});
test('the snapshot also arrives over TLS, where every write goes through the buffer', async () => {
	const { key, cert } = selfSigned(path.join(s.dir, 'tls'));
	await s.stop();
	s.settings.http = { cert_file: cert, key_file: key };
	const plain = s.request;
	s.request = () => ({ status: s.log.includes('ready listen=') ? 200 : 503 });
	s.log = '';
	await s.start();
	const f = await feed(boss, undefined, { scheme: 'wss', ca: fs.readFileSync(cert) });
	assert.strictEqual(Object.keys(f.all[1].seq).length, MANY + 3);
	f.ws.close();
	await s.stop();
	delete s.settings.http;
	s.request = plain;
	await s.start();
});
test('a client that resumes with more tenants than allowed gets a snapshot and misses nothing', async () => {
	const first = await feed(boss),
		since = Object.fromEntries(Object.entries(first.all[1].seq).slice(-200));
	first.ws.close();
	since[s.alpha] = first.all[1].seq[s.alpha];
	const f = await feed(boss, since);
	assert.deepStrictEqual(ops(f), ['snapshot: too many tenants']);
	f.ws.close();
});
test('a feed that fell behind gets one message, not one for each tenant', async () => {
	const other = await s.login('user', 'beta');
	await ticket('a');
	await s.post('/api/v1/tickets', other, { title: 'b', description: 'x' });
	const first = await waitUntil(async () => {
		const f = await feed(boss);
		f.ws.close();
		return f.all[1].seq[s.alpha] > 0 && f.all[1].seq[s.beta] > 0 && f;
	});
	const now = first.all[1].seq;
	/* the missed events are no longer kept */
	s.sql(`delete from events where tenant_id in (${s.alpha}, ${s.beta})`);
	const f = await feed(boss, { [s.alpha]: now[s.alpha] - 1, [s.beta]: now[s.beta] - 1 });
	await waitUntil(() => f.all.some((e) => e.op === 'snapshot'));
	f.ws.send(JSON.stringify({ op: 'ping' }));
	await waitUntil(() => f.all.some((e) => e.op === 'pong'));
	assert.deepStrictEqual(ops(f), ['resumed', 'snapshot: moved on', 'pong']);
	f.ws.close();
});
