// SPDX-License-Identifier: Apache-2.0
// How many connections one address and one user can have: one too many is refused, counted and logged, and does not harm the others. A trusted proxy
// is not counted; the addresses that it forwards are.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	net = require('node:net');
const { Server, waitUntil } = require('../lib/server.js');
const { Raw, frame, TEXT } = require('../lib/wsraw.js');

const OF_ADDRESS = 40,
	OF_USER = 6,
	PROXY = '127.0.0.2';
let s, tokens;
test.before(async () => {
	s = new Server('connections', {
		http: {
			address_connections: OF_ADDRESS,
			user_connections: OF_USER,
			trusted_proxies: PROXY,
		},
	});
	/* an address of their own for the questions of the test itself */
	s.agent = new (require('node:http').Agent)({ keepAlive: false, localAddress: '127.0.0.9' });
	await s.prepare();
	await s.start();
	tokens = { eng1: await s.login('eng1'), eng2: await s.login('eng2') };
});
test.after(() => s.drop());

const opened = [];
test.afterEach(async () => {
	opened.splice(0).forEach((c) => c.destroy());
	await waitUntil(async () => (await s.metric('http_connections')) === 1);
});
/* A connection from FROM; what comes is in c.text. */
function connect(from = '127.0.0.1') {
	return new Promise((ok) => {
		const c = net.connect({ port: s.port, host: '127.0.0.1', localAddress: from }, () => ok(c));
		c.text = '';
		c.on('data', (d) => (c.text += d.toString('latin1')));
		c.on('error', () => (c.over = true));
		c.on('close', () => (c.over = true));
		opened.push(c);
	});
}
const get = (p, more = '') => `GET ${p} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
/* The status of one more request on C; 0 when it was closed instead. */
async function ask(c, p = '/healthz', more = '') {
	c.text = '';
	c.write(get(p, more));
	await waitUntil(() => c.over || /\r\n\r\n/.test(c.text));
	return Number((c.text.match(/^HTTP\/1\.1 (\d+)/) || [])[1] || 0);
}
const many = (n, from) => Promise.all([...Array(n)].map(() => connect(from)));
const refused = (limit) => s.metric(`http_refused_total{limit="${limit}"}`);
const bearer = (t) => `Authorization: Bearer ${t}\r\n`;

test('an address: one connection too many is refused; its other connections and other addresses continue', async () => {
	const held = await many(OF_ADDRESS),
		before = await refused('address');
	assert.deepStrictEqual(await Promise.all(held.map((c) => ask(c))), Array(OF_ADDRESS).fill(200));
	const over = await many(5);
	await waitUntil(() => over.every((c) => c.over));
	for (const c of over) assert.match(c.text, /^(HTTP\/1\.1 503 [^]*Retry-After: \d|$)/);
	assert.strictEqual(await refused('address'), before + 5);
	assert.match(s.log, /refused.*address.*127\.0\.0\.1/);
	assert.strictEqual(await ask(await connect('127.0.0.3')), 200);
	assert.deepStrictEqual(await Promise.all(held.map((c) => ask(c))), Array(OF_ADDRESS).fill(200));
	held[0].destroy();
	await waitUntil(async () => (await ask(await connect())) === 200);
});
test('a trusted proxy: its own connections do not count, the addresses it forwards do', async () => {
	const held = await many(OF_ADDRESS + 20, PROXY),
		from = (a) => `X-Forwarded-For: ${a}\r\n`;
	assert.deepStrictEqual(await Promise.all(held.map((c) => ask(c))), Array(held.length).fill(200));
	/* one after the other they are one at a time, however many connections the proxy uses */
	for (const c of held) assert.strictEqual(await ask(c, '/healthz', from('10.0.0.1')), 200);
	/* at the same time: WebSockets stay */
	const sockets = [];
	for (let i = 0; i < OF_ADDRESS; i++) {
		const c = held[i];
		assert.strictEqual(
			await ask(
				c,
				'/test/echo',
				from('10.0.0.1') +
					'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
			),
			101,
			String(i),
		);
		sockets.push(c);
	}
	const one = held[OF_ADDRESS];
	assert.strictEqual(await ask(one, '/healthz', from('10.0.0.1')), 503);
	assert.match(one.text, /"limit":"address_connections"/);
	const other = await connect(PROXY);
	assert.strictEqual(await ask(other, '/healthz', from('10.0.0.2')), 200);
	sockets[0].destroy();
	await waitUntil(async () => (await ask(await connect(PROXY), '/healthz', from('10.0.0.1'))) === 200);
});
test('a user: HTTP and WebSocket count together; other users and anonymous clients continue', async () => {
	const held = await many(OF_USER - 2),
		before = await refused('user');
	for (const c of held) {
		assert.strictEqual(await ask(c, '/api/v1/me', bearer(tokens.eng1)), 200);
		assert.strictEqual(await ask(c, '/api/v1/me', bearer(tokens.eng1)), 200);
	}
	const feed = async (token) => {
		const ws = await Raw.open(s.port, '/api/v1/live');
		opened.push(ws);
		await ws.write(frame(TEXT, JSON.stringify({ op: 'auth', token })));
		await ws.until(() => ws.messages.length > 0 || ws.close);
		return ws;
	};
	const feeds = [await feed(tokens.eng1), await feed(tokens.eng1)];
	assert.ok(feeds.every((f) => f.messages.length === 1 && !f.close));

	const over = await connect();
	assert.strictEqual(await ask(over, '/api/v1/me', bearer(tokens.eng1)), 503);
	assert.match(over.text, /Retry-After: \d/);
	assert.match(over.text, /"limit":"user_connections"/);
	await waitUntil(() => over.over);
	const third = await feed(tokens.eng1);
	assert.ok(await third.until(() => third.close));
	assert.strictEqual(third.close, 1013);
	assert.strictEqual(await refused('user'), before + 2);
	assert.match(s.log, /refused.*user.*staff:1:/);

	assert.strictEqual(await ask(await connect(), '/api/v1/me', bearer(tokens.eng2)), 200);
	assert.strictEqual(await ask(await connect()), 200);
	for (const c of held) assert.strictEqual(await ask(c, '/api/v1/me', bearer(tokens.eng1)), 200);
	/* a connection counts for who used it last */
	assert.strictEqual(await ask(held[0], '/api/v1/me', bearer(tokens.eng2)), 200);
	assert.strictEqual(await ask(await connect(), '/api/v1/me', bearer(tokens.eng1)), 200);
	feeds[0].destroy();
	await waitUntil(async () => (await ask(await connect(), '/api/v1/me', bearer(tokens.eng1))) === 200);
});
test('feeds that have not authenticated: at most 20 per address, also for a forwarded address', async () => {
	const upgrade = (more) =>
			'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
			more,
		from = 'X-Forwarded-For: 10.0.0.7\r\n';
	for (let i = 0; i < 20; i++)
		assert.strictEqual(
			await ask(await connect(PROXY), '/api/v1/live', upgrade(from)),
			101,
			String(i),
		);
	assert.strictEqual(await ask(await connect(PROXY), '/api/v1/live', upgrade(from)), 429);
	assert.strictEqual(await ask(await connect(PROXY), '/api/v1/live', upgrade('')), 101);
	assert.strictEqual(await ask(await connect(), '/api/v1/live', upgrade('')), 101);
});
