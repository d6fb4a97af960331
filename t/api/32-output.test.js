// SPDX-License-Identifier: Apache-2.0
// A client that sends requests and does not read, or reads drop by drop, costs neither memory nor descriptors and is closed. A client that
// pipelines, or reads slowly but steadily, gets every byte.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	net = require('node:net'),
	path = require('node:path'),
	tls = require('node:tls');
const { Server, waitUntil, settled, paced, VAR, selfSigned } = require('../lib/server.js');
const { Raw, frame, TEXT, PING } = require('../lib/wsraw.js');

const MB = 1 << 20,
	measured =
		!process.env.BUILD_DIR.endsWith('build-asan') /* a sanitizer's own memory does not count */,
	dir = path.join(VAR, 'output' + process.pid),
	RATE = 200000,
	WRITE_S = 4;
let s, secure, token;

test.before(async () => {
	const { key, cert } = selfSigned(dir);
	const http = { write_s: WRITE_S, min_rate: RATE, body_s: 3, header_s: 5, idle_s: 2 };
	s = await Server.make('output', { http });
	s.agent = new (require('node:http').Agent)({ keepAlive: false });
	token = await s.login('eng1');
	secure = new Server('output_tls', { http: { ...http, cert_file: cert, key_file: key } });
	await secure.prepare();
	secure.get = (p) =>
		new Promise((ok, no) =>
			require('node:https')
				.get(
					{
						port: secure.port,
						path: p,
						agent: false,
						rejectUnauthorized: false,
					},
					(res) => {
						res.resume();
						res.on('end', () => ok({ status: res.statusCode }));
					},
				)
				.on('error', no),
		);
	await secure.start();
});
test.after(() => Promise.all([s.drop(), secure.drop()]));

const get = (p, more = '') => `GET ${p} HTTP/1.1\r\nHost: x\r\n${more}\r\n`,
	status = (server, name) =>
		Number(
			fs
				.readFileSync(`/proc/${server.proc.pid}/status`, 'utf8')
				.match(new RegExp('^' + name + ':\\s*(\\d+)', 'm'))[1],
		),
	rss = (server) => status(server, 'VmRSS') * 1024,
	descriptors = (server) => fs.readdirSync(`/proc/${server.proc.pid}/fd`).length;
const open = [];
test.afterEach(() => open.splice(0).forEach((c) => c.destroy()));
function connect(server, ready) {
	const options = { port: server.port, host: '127.0.0.1', rejectUnauthorized: false },
		c =
			server === secure
				? tls.connect(options, () => ready && ready(c))
				: net.connect(options, () => ready && ready(c));
	c.on('error', () => {});
	open.push(c);
	return c;
}
/* Write BYTES and never read; stop after MS with what was not taken. */
function deaf(server, bytes, ms = 4000) {
	return new Promise((ok) => {
		const c = connect(server, () => {
			c.write(bytes, () => ok(c));
			setTimeout(() => ok(c), ms).unref();
		});
		c.pause();
		c.on('close', () => ok(c));
	});
}
/* The responses to REQUESTS (a list), read by READ(c, chunk), until as many responses are
 * complete. */
function answers(server, requests, onChunk) {
	return new Promise((ok, no) => {
		const c = connect(server, () => c.write(requests.join(''))),
			parts = [],
			out = [];
		let rest = Buffer.alloc(0);
		c.on('data', (d) => {
			parts.push(d);
			rest = rest.length ? Buffer.concat([rest, d]) : d;
			for (;;) {
				const at = rest.indexOf('\r\n\r\n');
				if (at < 0) break;
				const head = rest.subarray(0, at).toString(),
					n = Number((head.match(/content-length: (\d+)/i) || [])[1] || 0);
				if (rest.length < at + 4 + n) break;
				out.push({
					status: Number(head.slice(9, 12)),
					head,
					body: rest.subarray(at + 4, at + 4 + n),
				});
				rest = rest.subarray(at + 4 + n);
			}
			if (out.length === requests.length) {
				c.destroy();
				ok(out);
			} else if (onChunk) onChunk(c, d);
		});
		c.on('close', () =>
			no(new Error(`closed after ${out.length} of ${requests.length} answers`)),
		);
	});
}
/* Wait until the daemon has finished, including what the database does for it. */
async function resting(server) {
	const used = () => {
		const f = fs.readFileSync(`/proc/${server.proc.pid}/stat`, 'utf8').split(') ')[1].split(' ');
		return Number(f[11]) + Number(f[12]);
	};
	for (let rounds = 0, was = ''; rounds < 5;) {
		const now = await settled(() => String(used()));
		rounds = now === was ? rounds + 1 : 0;
		was = now;
	}
}
/* Memory must grow by less than LIMIT while F runs and is answered. */
async function grows(server, limit, f) {
	const before = rss(server),
		r = await f();
	await resting(server);
	const more = rss(server) - before;
	console.log(`# grew by ${(more / MB).toFixed(1)} MB`);
	if (measured) assert.ok(more < limit, `grew by ${(more / MB).toFixed(1)} MB`);
	return r;
}
/* Is C's connection still open in the daemon? A client that does not read cannot see that it was
 * closed. */
function serves(server, c) {
	const hex = (port) => ':' + port.toString(16).toUpperCase().padStart(4, '0');
	return fs
		.readFileSync('/proc/net/tcp', 'utf8')
		.split('\n')
		.map((l) => l.trim().split(/\s+/))
		.some(
			([, local, remote, state]) =>
				state === '01' &&
				local.endsWith(hex(server.port)) &&
				remote.endsWith(hex(c.localPort)),
		);
}
/* The daemon must hold no more than BEFORE. */
const gone = (server, before) => waitUntil(() => descriptors(server) <= before, 20000);

for (const name of ['plain', 'TLS']) {
	const server = () => (name === 'TLS' ? secure : s);

	test(`${name}: 3,000 pipelined replies of 100 kB that nobody reads`, async () => {
		await server().get('/openapi.json');
		const before = descriptors(server());
		await grows(server(), 8 * MB, () => deaf(server(), get('/openapi.json').repeat(3000)));
		assert.strictEqual((await server().get('/healthz')).status, 200);
		await gone(server(), before);
	});
	for (const file of ['/app.js', '/favicon.svg'])
		test(`${name}: pipelined ${file} that nobody reads`, async () => {
			await server().get(file);
			const before = descriptors(server());
			await grows(server(), 8 * MB, () => deaf(server(), get(file).repeat(6000)));
			assert.ok(
				descriptors(server()) <= before + 4,
				`${descriptors(server())} descriptors, ${before} before`,
			);
			await gone(server(), before);
		});
	test(`${name}: a client that pipelines and reads gets everything, in order, byte for byte`, async () => {
		const kinds = ['/openapi.json', '/app.js', '/favicon.svg', '/healthz', '/none'],
			one = await Promise.all(kinds.map((k) => answers(server(), [get(k)]))),
			requests = [...Array(400)].map((_, i) => get(kinds[i % kinds.length])),
			all = await answers(server(), requests);
		for (const [i, a] of all.entries()) {
			const want = one[i % kinds.length][0];
			assert.strictEqual(a.status, want.status, String(i));
			if (want.status === 200) assert.ok(a.body.equals(want.body), `answer ${i}`);
		}
	});
	test(`${name}: a slow reader that keeps reading gets everything, byte for byte`, async () => {
		const want = (await answers(server(), [get('/openapi.json')]))[0].body,
			/* a pause of 10 ms for each 64 kB (16 kB with TLS) at most */
			all = await answers(
				server(),
				[...Array(40)].map(() => get('/openapi.json')),
				(c) => {
					c.pause();
					setTimeout(() => c.resume(), 10);
				},
			);
		for (const a of all) assert.ok(a.body.equals(want));
	});
}

/* A ticket with 200 texts of 20,000 characters, and the tokens of several users of SERVER. */
async function makeLarge(server) {
	const tokens = [];
	for (const [username, tenant] of [
		['eng1'],
		['eng2'],
		['boss'],
		['user', 'alpha'],
		['admin', 'alpha'],
	])
		tokens.push(
			(
				await send(server, '/api/v1/auth/login', null, {
					username,
					tenant,
					password: 'Test-pass-1',
				})
			).access_token,
		);
	for (const t of tokens) await send(server, '/api/v1/tickets', t, {}); /* known from now on */
	const ticket = await send(server, '/api/v1/tickets', tokens[3], {
		title: 'large',
		description: 'x',
		priority: 'P4',
	});
	server.sql(`insert into ticket_comments (tenant_id, ticket_id, kind, audience, author_kind, author_id, body, created_at)
		select tenant_id, ticket_id, kind, audience, author_kind, author_id, repeat('𝄞', 20000), now() + n * interval '1 ms'
		from (select * from ticket_comments where ticket_id = ${ticket.id} limit 1) c, generate_series(1, 200) n`);
	return { tokens, ticket };
}
/* The data of a POST, over TLS or not. */
const send = (server, path, token, body) =>
	new Promise((ok, no) => {
		const r = require(server === secure ? 'node:https' : 'node:http').request(
			{
				...{
					port: server.port,
					method: 'POST',
					path,
					agent: false,
					rejectUnauthorized: false,
				},
				headers: {
					'Content-Type': 'application/json',
					...(token && { Authorization: 'Bearer ' + token }),
				},
			},
			(res) => {
				let text = '';
				res.on('data', (d) => (text += d));
				res.on('end', () => ok(JSON.parse(text).data));
			},
		);
		r.on('error', no);
		r.end(JSON.stringify(body));
	});

for (const name of ['plain', 'TLS'])
	test(`${name}: 200 hostile connections that read nothing: at most 60 MB in all`, async () => {
		const server = name === 'TLS' ? secure : s,
			{ tokens, ticket } = await makeLarge(server),
			bearer = (i) => `Authorization: Bearer ${tokens[i % tokens.length]}\r\n`,
			json = (o) => frame(TEXT, JSON.stringify(o)),
			kinds = [
				() => get('/openapi.json').repeat(300),
				() => get('/app.js').repeat(300),
				() => get('/docs').repeat(300),
				() => get('/healthz').repeat(3000),
				() => get('/test/flood?bytes=400000000'),
				(i) =>
					get(
						`/api/v1/tickets/${ticket.id}/comments?limit=200`,
						bearer(i),
					).repeat(50),
				(i) => get(`/api/v1/tickets/${ticket.id}/comments?limit=200`, bearer(i)),
				(i) =>
					`POST /api/v1/${i % 3 ? 'auth/login' : 'tickets'} HTTP/1.1\r\nHost: x\r\n` +
					`Content-Length: 65536\r\n\r\n${'x'.repeat(65535)}`,
				(i) =>
					Buffer.concat([
						Buffer.from(
							get(
								'/api/v1/live',
								'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
									'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
							),
						),
						json({ op: 'auth', token: tokens[i % tokens.length] }),
						...Array(2000).fill(
							json({
								op: 'subscribe',
								topics: ['tickets'],
								since: { [server.alpha]: 0 },
							}),
						),
					]),
			],
			before = descriptors(server);
		await Promise.all(
			[...Array(200)].map((_, i) => deaf(server, kinds[i % kinds.length](i), 2000)),
		);
		await resting(server);
		const all = rss(server) / MB;
		console.log(`# ${all.toFixed(1)} MB with 200 connections that read nothing`);
		if (measured) assert.ok(all <= 60, `${all.toFixed(1)} MB`);
		assert.strictEqual((await server.get('/healthz')).status, 200);
		open.splice(0).forEach((c) => c.destroy());
		await gone(server, before);
	});
test('a stream that nobody reads holds a bounded part, and is closed', async () => {
	const before = descriptors(s);
	await grows(s, 8 * MB, () => deaf(s, get('/test/flood?bytes=400000000')));
	await gone(s, before);
});
test('a reader that drips is closed; the slow one beside it is not', async () => {
	/* both take 2 kB at a time: one below the rate, one at five times the rate; the kernel
	 * passes on 128 kB at once */
	const reader = (rate) => {
			const c = paced(s.port, get('/test/flood?bytes=100000000'), rate, 2048);
			open.push(c);
			return c;
		},
		drip = reader(RATE * 0.3),
		honest = reader(RATE * 5),
		began = Date.now();
	await waitUntil(() => serves(s, drip) && serves(s, honest));
	await waitUntil(() => !serves(s, drip), 40000);
	console.log(`# the drip was closed after ${Date.now() - began} ms`);
	const more = honest.bytesRead + RATE * 10; /* two seconds of its reading */
	await waitUntil(() => honest.bytesRead >= more);
	assert.ok(serves(s, honest));
});

/* A finished export of 128 parts of 64 kB, and what it holds. */
function makeFile() {
	const id = Number(
		s.sql(`
		with f as (
			insert into files (tenant_id, name, content_type, bytes, parts, whole, created_at, expires_at)
			values (${s.alpha}, 'big.csv', 'text/csv', 8388608, 128, true, now(), now() + interval '1 day') returning id
		), p as (
			insert into file_parts (tenant_id, file_id, part_no, content)
			select ${s.alpha}, f.id, n, convert_to(rpad(n::text, 65536, md5(n::text)), 'UTF8') from f, generate_series(0, 127) n
		)
		insert into exports (tenant_id, day, day_no, user_id, export_type, format, columns, scope, headers, compressed,
			max_records, estimated, status, file_id, created_at, done_at, expires_at)
		select ${s.alpha}, current_date, 99, u.id, 'ticket_data', 'csv', '{ticket_id}', '', true, false,
			1, 1, 'completed', f.id, now(), now(), now() + interval '1 day'
		from f, client_users u where u.tenant_id = ${s.alpha} and u.username = 'admin' returning file_id`),
	);
	const md5 = (n) => crypto.createHash('md5').update(String(n)).digest('hex');
	return {
		path: `/api/v1/client/files/download/${id}`,
		want: Buffer.from(
			[...Array(128)]
				.map((_, n) => (String(n) + md5(n).repeat(2048)).slice(0, 65536))
				.join(''),
		),
	};
}
test("a download of 8 MB: an unread one buffers only a part, a slow one is complete, and it ends with the session's rights", async () => {
	const { path, want } = makeFile(),
		admin = await s.login('admin', 'alpha'),
		auth = (t) => `Authorization: Bearer ${t}\r\n`,
		request = get(path, auth(admin)),
		whole = (await answers(s, [request]))[0];
	assert.strictEqual(whole.status, 200, whole.body.toString());
	assert.ok(whole.body.equals(want));
	const head = await s.request('HEAD', path, { token: admin });
	assert.strictEqual(Number(head.headers['content-length']), want.length);
	await grows(s, 8 * MB, () => Promise.all([...Array(20)].map(() => deaf(s, request))));
	const slow = answers(s, [request], (c) => {
		c.pause();
		setTimeout(() => c.resume(), 10);
	});
	assert.ok((await slow)[0].body.equals(want), 'a slow reader gets the file');

	/* a reader at 500 kB/s needs 16 s; its session ends after one */
	let taken = 0;
	const other = await s.login('admin', 'alpha'),
		began = Date.now(),
		cut = answers(s, [get(path, auth(other))], (c, d) => {
			taken += d.length;
			c.pause();
			setTimeout(() => c.resume(), d.length / 500);
		});
	await waitUntil(() => taken > 500000);
	assert.strictEqual((await s.post('/api/v1/auth/logout', other, {})).status, 200);
	await assert.rejects(cut, /closed after 0 of 1/);
	assert.ok(Date.now() - began < 12000, 'it was cut before its end');
});
test('an export of the audit log is sent in parts, with the cursor of the rest', async () => {
	s.sql(`insert into audit_logs (tenant_id, at, actor_kind, actor_id, username, operation, resource, result, status, address, user_agent, request_id, details, chain_no, digest)
		select ${s.alpha}, now(), 'customer', 1, 'x', 'big', 'y', 'success', 200, '', rpad(n::text, 500, 'u'), n::text, '{}', 1000000 + n, sha256('')
		from generate_series(1, 12000) n`);
	const admin = await s.login('admin', 'alpha'),
		path = '/api/v1/client/audit/export?operation=big',
		first = await grows(s, 2 * MB, () => s.get(path, admin)),
		numbers = (r) =>
			r.text
				.trim()
				.split('\r\n')
				.slice(1)
				.map((l) => Number(l.split(',')[2].replace(/"/g, '')));
	assert.strictEqual(first.status, 200, first.text);
	assert.deepStrictEqual(
		numbers(first),
		[...Array(10000)].map((_, i) => 1012000 - i),
	);
	const rest = await s.get(path + '&cursor=' + first.headers['x-next-cursor'], admin);
	assert.deepStrictEqual(
		numbers(rest),
		[...Array(2000)].map((_, i) => 1002000 - i),
	);
	assert.strictEqual(rest.headers['x-next-cursor'], undefined);
	const request = get(path, `Authorization: Bearer ${admin}\r\n`);
	await grows(s, 8 * MB, () => Promise.all([...Array(20)].map(() => deaf(s, request))));
});

/* Send pings until the daemon takes no more, or MOST bytes. */
async function ping(ws, most) {
	const block = Buffer.concat([...Array(500)].map(() => frame(PING, 'x'.repeat(125))));
	let sent = 0;
	ws.socket.pause();
	while (sent < most && !ws.ended) {
		sent += block.length;
		if (!ws.socket.write(block)) {
			const went = await Promise.race([
				new Promise((r) => ws.socket.once('drain', () => r(true))),
				new Promise((r) => ws.socket.once('close', () => r(false))),
				new Promise((r) => setTimeout(() => r(false), 1000)),
			]);
			if (!went) break;
		}
	}
	return sent;
}
test('WebSocket pings whose pongs nobody reads: before and after authentication', async () => {
	for (const known of [false, true]) {
		const ws = await Raw.open(s.port, '/api/v1/live');
		if (known) {
			await ws.write(frame(TEXT, JSON.stringify({ op: 'auth', token })));
			assert.ok(await ws.until(() => ws.messages.length > 0));
		}
		const sent = await grows(s, 8 * MB, () => ping(ws, 200 * MB));
		console.log(`# ${(sent / MB).toFixed(1)} MB of pings were written`);
		ws.socket.resume();
		assert.ok(await ws.until(() => ws.ended || ws.pongs.length > 0, 20000));
		ws.destroy();
	}
});
test('a WebSocket message in endless fragments, empty ones too, is refused as too big', async () => {
	for (const piece of ['', 'x']) {
		const ws = await Raw.open(s.port, '/api/v1/live');
		await ws.write(frame(TEXT, '{', { fin: false }));
		await grows(s, 4 * MB, async () => {
			for (let k = 0; k < 200 && !ws.ended; k++)
				await ws
					.write(
						Buffer.concat(
							[...Array(500)].map(() =>
								frame(0, piece, { fin: false }),
							),
						),
					)
					.catch(() => {});
			assert.ok(await ws.until(() => ws.ended, 10000));
		});
		assert.strictEqual(ws.close, 1009);
		ws.destroy();
	}
	/* an honest client's fragments are taken */
	const ws = await Raw.open(s.port, '/api/v1/live');
	const auth = JSON.stringify({ op: 'auth', token });
	for (let k = 0; k < auth.length; k += 10)
		await ws.write(frame(k ? 0 : TEXT, auth.slice(k, k + 10), { fin: k + 10 >= auth.length }));
	assert.ok(await ws.until(() => ws.messages.length > 0));
	ws.destroy();
});
test('WebSocket pings whose pongs are read late are all answered', async () => {
	const ws = await Raw.open(s.port, '/test/echo'),
		n = 20000;
	ws.socket.pause();
	const writing = ws.write(
		Buffer.concat([...Array(n)].map((_, i) => frame(PING, String(i).padStart(100, '0')))),
	);
	await resting(s);
	ws.socket.resume();
	await writing;
	assert.ok(await ws.until(() => ws.pongs.length === n, 20000), `${ws.pongs.length} pongs`);
	for (let i = 0; i < n; i++) assert.strictEqual(Number(ws.pongs[i].toString()), i);
	ws.destroy();
});
