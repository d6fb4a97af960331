// SPDX-License-Identifier: Apache-2.0
// Messages on the live feed count as requests: they use up the user's limit, a client has one resume at a time, and a user who subscribes in a loop
// delays nobody. A position that the server has not reached leads to a snapshot.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	net = require('node:net');
const { Server, waitUntil } = require('../lib/server.js');
const { Raw, frame, TEXT } = require('../lib/wsraw.js');

let s, user, eng;
test.before(async () => {
	s = await Server.make('messages', {
		limits: { user_per_s: 50, user_burst: 500 },
		http: { user_connections: 100 },
	});
	[user, eng] = await Promise.all([s.login('user', 'alpha'), s.login('eng1')]);
	/* a history that every resume has to read */
	for (let i = 0; i < 5; i++)
		await Promise.all(
			[...Array(20)].map(() =>
				s.post('/api/v1/tickets', eng, {
					tenant_id: s.alpha,
					title: 'a',
					description: 'b',
					priority: 'P4',
				}),
			),
		);
});
test.after(() => s.drop());

const text = (o) => frame(TEXT, JSON.stringify(o)),
	said = (w) => w.messages.map((m) => JSON.parse(m.data)),
	subscribe = (since) => text({ op: 'subscribe', topics: ['tickets'], ...(since && { since }) });
async function feed(token) {
	const w = await Raw.open(s.port, '/api/v1/live');
	await w.write(text({ op: 'auth', token }));
	assert.ok(await w.until(() => w.messages.length > 0 || w.ended));
	assert.deepStrictEqual(said(w)[0], { op: 'welcome' });
	w.messages.length = 0;
	return w;
}
/* The server's number. */
async function position() {
	const w = await feed(user);
	await w.write(subscribe());
	assert.ok(await w.until(() => w.messages.length > 0));
	const seq = said(w)[0].seq[s.alpha];
	w.destroy();
	return seq;
}

test('a client has one resume at a time; the next one starts after it', async () => {
	const w = await feed(user);
	await w.write(Buffer.concat([1, 2, 3].map(() => subscribe({ [s.alpha]: 0 }))));
	assert.ok(await w.until(() => said(w).some((m) => m.op === 'resumed' || m.op === 'snapshot')));
	const errors = said(w).filter((m) => m.op === 'error');
	assert.strictEqual(errors.length, 2, JSON.stringify(said(w).map((m) => m.op)));
	for (const e of errors) assert.match(e.rule, /one subscribe at a time/);
	w.messages.length = 0;
	await w.write(subscribe({ [s.alpha]: 0 }));
	assert.ok(await w.until(() => said(w).some((m) => m.op === 'resumed' || m.op === 'snapshot')));
	assert.ok(!said(w).some((m) => m.op === 'error'));
	w.destroy();
});
test('a position above the server’s: a snapshot, and then every event', async () => {
	for (const above of [1, 1000000, 2 ** 52]) {
		const w = await feed(user);
		await w.write(subscribe({ [s.alpha]: (await position()) + above }));
		assert.ok(await w.until(() => w.messages.length > 0));
		assert.strictEqual(said(w)[0].op, 'snapshot');
		assert.strictEqual(said(w)[0].reason, 'ahead');
		const made = await s.post('/api/v1/tickets', user, {
			title: 'a',
			description: 'b',
			priority: 'P4',
		});
		assert.strictEqual(made.status, 201);
		const heard = () => said(w).some((m) => m.op === 'event' && m.ticket.id === made.data.id);
		assert.ok(await w.until(heard), 'the event after it');
		w.destroy();
	}
});
test('a client at the server’s position resumes without a snapshot', async () => {
	const seq = await position(),
		w = await feed(user);
	await w.write(subscribe({ [s.alpha]: seq }));
	assert.ok(await w.until(() => w.messages.length > 0));
	assert.deepStrictEqual(said(w), [{ op: 'resumed' }]);
	w.destroy();
});
test('one user subscribes in a loop on 8 sockets: its client is told of the limit and closed; others log in and work', async () => {
	const block = Buffer.concat([...Array(200)].map(() => subscribe({ [s.alpha]: 0 })));
	const sockets = await Promise.all([...Array(8)].map(() => feed(user)));
	let sent = 0,
		over = false;
	const loops = sockets.map(async (w) => {
		w.socket.on('data', () => w.messages.splice(0, w.messages.length - 300));
		while (!over && !w.ended) {
			await w.write(block);
			sent += 200;
			await new Promise(setImmediate);
		}
	});
	const statuses = [];
	for (let i = 0; i < 12; i++) {
		const r = await s.request('POST', '/api/v1/auth/login', {
			body: { username: 'admin', password: 'Test-pass-1', tenant: 'beta' },
		});
		statuses.push(r.status, (await s.get('/api/v1/tickets', eng)).status);
	}
	assert.deepStrictEqual([...new Set(statuses)], [200]);
	assert.ok(await sockets[0].until(() => sockets.every((w) => w.ended), 10000), 'closed');
	over = true;
	await Promise.all(loops);
	console.log(`# ${sent} messages written`);
	for (const w of sockets) assert.strictEqual(w.close, 1008);
	const heard = said(sockets[0]).filter((m) => m.op === 'error' && m.limit === 'user');
	assert.ok(heard.length > 0 && heard[0].retry_after_seconds >= 1);
});
test('a handshake that is refused with 400 ends the connection', async () => {
	for (const broken of [
		'Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
		'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n',
		'Sec-WebSocket-Version: 13\r\n',
	])
		for (const path of ['/api/v1/live', '/test/echo']) {
			const c = net.connect(s.port, '127.0.0.1');
			let got = '',
				ended = false;
			c.on('data', (d) => (got += d));
			c.on('end', () => (ended = true));
			c.on('error', () => {});
			c.write(
				`GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${broken}\r\n`,
			);
			await waitUntil(() => ended, 3000);
			assert.match(got, /^HTTP\/1\.1 400 /);
			assert.match(got, /\r\nConnection: close\r\n/);
			c.destroy();
		}
});
