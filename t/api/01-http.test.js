// SPDX-License-Identifier: Apache-2.0
// The HTTP server on the wire: order, bodies in both directions, limits, and 171 malformed requests from a public corpus.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	net = require('node:net'),
	zlib = require('node:zlib'),
	path = require('node:path');
const { Server, exchange, waitUntil, settled } = require('../lib/server.js');

let s;
const MEMORY =
	(process.env.BUILD_DIR.endsWith('build-asan') ? 600 : 64) <<
	20; /* the limit applies to the real build */
test.before(async () => {
	s = await Server.make('http', {
		http: { header_s: 2, body_s: 3, idle_s: 3, min_rate: 1000, write_s: 3 },
	});
});
test.after(() => s.drop());

const count = (text) => (text.match(/HTTP\/1\.1 \d\d\d /g) || []).length;
const get = (p, more = '') => `GET ${p} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

test('pipelined requests are answered in order', async () => {
	const r = await exchange(s.port, get('/healthz') + get('/nowhere') + get('/healthz'));
	assert.deepStrictEqual(r.text.match(/HTTP\/1\.1 (\d+)/g), [
		'HTTP/1.1 200',
		'HTTP/1.1 404',
		'HTTP/1.1 200',
	]);
	assert.strictEqual(r.closed, false, 'the connection stays');
});
test('a request that arrives byte by byte is still one request', async () => {
	const c = net.connect(s.port, '127.0.0.1');
	let text = '';
	c.on('data', (d) => {
		text += d;
	});
	for (const b of get('/healthz')) {
		c.write(b);
		await new Promise((r) => setImmediate(r));
	}
	await waitUntil(() => count(text) === 1);
	c.destroy();
});
test('Expect: 100-continue is answered before the body', async () => {
	const r = await exchange(
		s.port,
		'POST /test/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
	);
	assert.match(r.text, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
});
test('uploads stream: 40 MB with a length, and chunked', async () => {
	const body = Buffer.alloc(40 << 20, 'a');
	const r = await s.request('POST', '/test/sink', { raw: body });
	assert.strictEqual(r.data.bytes, body.length);
	const c = await exchange(
		s.port,
		'POST /test/sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: v\r\n\r\n',
	);
	assert.match(c.text, /"bytes":11/);
	assert.ok((await s.metric('resident_bytes')) < MEMORY, 'nothing was buffered whole');
});
test('downloads stream with back-pressure: a slow reader costs no memory', async () => {
	const c = net.connect(s.port, '127.0.0.1');
	c.pause();
	await new Promise((ok) => c.once('connect', ok));
	c.write(get('/test/flood?bytes=300000000'));
	/* the kernel's buffers no longer grow: it has sent what can be sent */
	const hex = (n) => n.toString(16).toUpperCase().padStart(4, '0'),
		from = new RegExp(`:${hex(s.port)} [0-9A-F]{8}:${hex(c.localPort)} \\S+ ([0-9A-F]{8}):`),
		queued = () => (fs.readFileSync('/proc/net/tcp', 'utf8').match(from) || [])[1];
	await settled(() => parseInt(queued(), 16));
	assert.ok((await s.metric('resident_bytes')) < MEMORY);
	c.destroy();
	assert.strictEqual((await s.request('GET', '/test/flood?bytes=5000000')).text.length, 5000000);
});
test('files: ranges, etags, head', async () => {
	const all = await s.get('/app.js');
	assert.strictEqual(all.headers['content-type'], 'text/javascript; charset=utf-8');
	const part = await s.get('/app.js', null, { Range: 'bytes=3-9' });
	assert.strictEqual(part.status, 206);
	assert.strictEqual(part.text, all.text.slice(3, 10));
	assert.strictEqual((await s.get('/app.js', null, { Range: 'bytes=99999999-' })).status, 416);
	assert.strictEqual((await s.get('/app.js', null, { 'If-None-Match': all.headers.etag })).status, 304);
	const head = await s.request('HEAD', '/app.js');
	assert.strictEqual(head.text, '');
	assert.strictEqual(Number(head.headers['content-length']), Buffer.byteLength(all.text));
});
test('limits: head, body, method, path', async () => {
	assert.match((await exchange(s.port, get('/' + 'a'.repeat(9000)))).text, /^HTTP\/1\.1 414/);
	assert.match(
		(await exchange(s.port, get('/healthz', 'X: ' + 'a'.repeat(17000) + '\r\n'))).text,
		/^HTTP\/1\.1 431/,
	);
	assert.match(
		(await exchange(s.port, get('/healthz', 'X: y\r\n'.repeat(70)))).text,
		/^HTTP\/1\.1 431/,
	);
	const big = await s
		.request('POST', '/api/v1/auth/login', { raw: '{"a":"' + 'x'.repeat(300000) + '"}' })
		.catch((e) => e); /* node gives up when a write fails, before it reads the reply */
	assert.ok(big.status === 413 || big.code === 'EPIPE' || big.code === 'ECONNRESET');
	const refused = await exchange(
		s.port,
		'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 300000\r\n\r\n{',
	);
	assert.match(refused.text, /^HTTP\/1\.1 413/);
	assert.strictEqual(JSON.parse(refused.text.split('\r\n\r\n')[1]).code, 41004);
	assert.strictEqual((await s.request('DELETE', '/healthz')).status, 405);
	assert.match((await exchange(s.port, 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n')).text, /^HTTP\/1\.1 501/);
	assert.strictEqual((await s.get('/api/v1/none')).code, 41001);
});
test('slow clients are closed: head, body, idle, reader', async () => {
	const began = Date.now(),
		cases = [
			'GET / HTTP/1.1\r\n',
			'POST /test/sink HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nab',
			'',
			get('/healthz'),
		];
	const ends = await Promise.all(
		cases.map(
			(first) =>
				new Promise((ok) => {
					const c = net.connect(s.port, '127.0.0.1');
					c.on('data', () => {});
					c.on('error', () => {});
					if (first) c.write(first);
					const drip = first.startsWith('GET / ')
						? setInterval(() => c.write('X'), 300)
						: first.startsWith('POST')
							? setInterval(() => c.write('y'), 300)
							: null;
					c.on('close', () => {
						clearInterval(drip);
						ok(Date.now() - began);
					});
				}),
		),
	);
	for (const ms of ends) assert.ok(ms > 1000 && ms < 9000, 'closed after ' + ends);
	assert.ok((await s.metric('http_timeouts_total')) >= 4);
});
test('the service stays available with 200 slow connections', async () => {
	const slow = [...Array(200)].map(() => {
		const c = net.connect(s.port, '127.0.0.1', () => c.write('GET / HTTP/1.1\r\nX-'));
		c.on('error', () => {});
		return c;
	});
	for (let i = 0; i < 20; i++) assert.strictEqual((await s.get('/healthz')).status, 200);
	slow.forEach((c) => c.destroy());
});
test('every reply carries the security headers', async () => {
	for (const p of ['/', '/healthz', '/api/v1/tickets', '/none']) {
		const h = (await s.get(p)).headers;
		assert.strictEqual(h['x-content-type-options'], 'nosniff', p);
		assert.match(h['content-security-policy'], /default-src 'self'.*object-src 'none'/, p);
		assert.ok(h['x-request-id'], p);
	}
});

const corpora = process.env.SLADESK_CORPORA,
	file = corpora && path.join(corpora, 'http1_cases.jsonl.gz');
test(
	'malformed, ambiguous and fragmented requests',
	{ skip: !file || !fs.existsSync(file) ? 'the corpus is not here' : false },
	async () => {
		const cases = zlib
			.gunzipSync(fs.readFileSync(file))
			.toString()
			.trim()
			.split('\n')
			.map((l) => JSON.parse(l));
		const wrong = [];
		await Promise.all(
			[...Array(12)].map(async (_, lane) => {
				for (let i = lane; i < cases.length; i += 12) {
					const k = cases[i],
						r = await exchange(s.port, Buffer.from(k.raw, 'base64'), {
							quiet: 400,
							end: k.tier !== 'Wait',
						});
					const status = Number(
							(r.text.match(/^HTTP\/1\.1 (\d+)/) || [])[1] || 0,
						),
						n = count(
							r.text.replace(
								/HTTP\/1\.1 100 Continue\r\n\r\n/g,
								'',
							),
						);
					let ok;
					if (k.tier === 'Severe')
						ok = (status >= 400 && r.closed) || (!status && r.closed);
					else if (k.tier === 'Reject') ok = status >= 400 || r.closed;
					else if (k.tier === 'Ambiguous') ok = n <= 1;
					else if (k.tier === 'Wait') ok = n <= 1;
					else ok = n >= 1;
					if (!ok)
						wrong.push(
							`${k.tier} ${k.src} ${k.name}: ${n} answers, first ${status}, closed ${r.closed}`,
						);
				}
			}),
		);
		assert.deepStrictEqual(wrong, []);
		assert.strictEqual((await s.get('/healthz')).status, 200);
	},
);
