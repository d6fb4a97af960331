// SPDX-License-Identifier: Apache-2.0
// How much memory one client can use: pages of lists end by bytes, and the next page continues exactly there; a body is read only from a client that
// may send it, and must arrive at min_rate.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	net = require('node:net');
const { Server, exchange, paced, waitUntil } = require('../lib/server.js');

const MB = 1 << 20,
	RATE = 4000,
	WINDOW_S = 3;
let s, user, admin, eng, ticket;
test.before(async () => {
	s = await Server.make('bytes', {
		http: {
			...{
				address_connections: 0,
				user_connections: 0,
				body_s: WINDOW_S,
				write_s: WINDOW_S,
			},
			...{ min_rate: RATE, header_s: 10 },
		},
	});
	[user, admin, eng] = await Promise.all([
		s.login('user', 'alpha'),
		s.login('admin', 'alpha'),
		s.login('eng1'),
	]);
	ticket = (await s.post('/api/v1/tickets', user, { title: 'a', description: 'b', priority: 'P4' }))
		.data;
});
test.after(() => s.drop());
const rss = () =>
	Number(fs.readFileSync(`/proc/${s.proc.pid}/status`, 'utf8').match(/VmRSS:\s*(\d+)/)[1]) * 1024;

/* All pages of a list with 200 rows each: the rows in order, and the bytes of each page. */
async function walk(path, token) {
	const rows = [],
		bytes = [],
		lengths = [];
	for (let cursor = ''; cursor !== null;) {
		const r = await s.get(`${path}${path.includes('?') ? '&' : '?'}limit=200${cursor}`, token);
		assert.strictEqual(r.status, 200, r.text);
		rows.push(...r.data.items);
		bytes.push(Buffer.byteLength(r.text));
		lengths.push(r.data.items.length);
		assert.ok(r.data.items.length || r.data.next_cursor === null);
		cursor = r.data.next_cursor && `&cursor=${r.data.next_cursor}`;
	}
	console.log(
		`# ${path}: ${rows.length} rows on ${bytes.length} pages, the largest has ${(Math.max(...bytes) / MB).toFixed(2)} MB`,
	);
	return { rows, bytes, lengths };
}
/* No row is lost or doubled across the ends of pages, in this order, and no page is larger than 1 MiB
 * and its last row (ROW bytes). */
async function whole(path, token, keys, key, row) {
	const all = await walk(path, token);
	assert.deepStrictEqual(all.rows.map(key), keys);
	assert.ok(Math.max(...all.bytes) <= MB + row + 1000, String(Math.max(...all.bytes)));
	assert.ok(
		all.lengths.slice(0, -2).some((n) => n < 200),
		'pages ended early',
	);
}
const numbers = (sql) => s.sql(sql).split('\n').map(Number);

test('the texts of a ticket: 500 of 20,000 characters, plain, wide and such that JSON escapes', async () => {
	s.sql(`insert into ticket_comments (tenant_id, ticket_id, kind, audience, author_kind, author_id, body, created_at)
		select ${s.alpha}, ${ticket.id}, kind, audience, author_kind, author_id,
			repeat(case n % 3 when 0 then 'x' when 1 then '𝄞' else chr(1) end, 20000), now() + n * interval '1 ms'
		from (select * from ticket_comments where ticket_id = ${ticket.id} limit 1) c, generate_series(1, 500) n`);
	const ids = numbers(`select id from ticket_comments where ticket_id = ${ticket.id} order by id`);
	for (const token of [user, eng])
		await whole(`/api/v1/tickets/${ticket.id}/comments`, token, ids, (c) => c.id, 120000);
});
test('the history of a ticket with large events', async () => {
	s.sql(`insert into events (tenant_id, ticket_id, seq, type, actor_kind, audience, at, data)
		select tenant_id, ticket_id, 1000000 + n, type, actor_kind, audience, now() + n * interval '1 ms',
			jsonb_build_object('reason', repeat('z', 20000), 'policy_id', 1, 'calendar_id', 1)
		from (select * from events where ticket_id = ${ticket.id} order by seq limit 1) e, generate_series(1, 450) n`);
	const seqs = numbers(`select seq from events where ticket_id = ${ticket.id} order by seq`);
	await whole(`/api/v1/tickets/${ticket.id}/history`, eng, seqs, (e) => e.seq, 21000);
});
test('the audit log with long details', async () => {
	s.sql(`insert into audit_logs (tenant_id, at, actor_kind, actor_id, username, operation, resource, result, status, address, user_agent,
			request_id, details, chain_no, digest)
		select ${s.alpha}, now(), 'customer', 1, 'x', 'big', 'y', 'success', 200, '', 'u', n::text,
			jsonb_build_object('d', repeat('d', 15000)), 1000000 + n, sha256('') from generate_series(1, 450) n`);
	await whole(
		'/api/v1/client/audit?operation=big',
		admin,
		[...Array(450)].map((_, i) => 1000450 - i),
		(a) => a.chain_no,
		16000,
	);
});
test('the policies of customers: a page ends within a customer and goes on there', async () => {
	/* 40 policies of 20 kB for each of two customers: more than a page */
	s.sql(`insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from)
		select t, 'big' || n, 1, 'type' || n, '24x7', jsonb_build_object('pad', repeat('p', 20000)), now() - interval '1 h'
		from unnest(array[${s.alpha}, ${s.beta}]) t, generate_series(1, 40) n`);
	const wanted = s
		.sql(
			`select tenant_id || ' ' || code from sla_configurations where code like 'big%' order by 1`,
		)
		.split('\n');
	/* of 20 kB each, then of 120 kB: then one customer's alone are more than four pages */
	for (const size of [20000, 120000]) {
		s.sql(
			`update sla_configurations set doc = jsonb_build_object('pad', repeat('p', ${size})) where code like 'big%'`,
		);
		const all = await walk('/api/v1/sla/config', eng),
			seen = all.rows.map((p) => p.tenant_id + ' ' + p.code);
		assert.strictEqual(new Set(seen).size, seen.length, 'none twice');
		assert.deepStrictEqual(seen.filter((c) => / big/.test(c)).sort(), wanted.sort());
		assert.ok(all.bytes.length >= (80 * size) / (MB + size), 'pages end by bytes');
		assert.ok(Math.max(...all.bytes) < MB + size + 4096, String(Math.max(...all.bytes)));
	}
	s.sql(`delete from sla_configurations where code like 'big%'`);
});

const post = (path, more, length) =>
	`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n`;
const bearer = (t) => `Authorization: Bearer ${t}\r\n`,
	EXPECT = 'Expect: 100-continue\r\n';
test('a route that wants a session refuses from the head alone, whoever announces a body', async () => {
	for (const expect of ['', EXPECT])
		for (const [name, head] of [
			['nobody', ''],
			['a broken token', bearer('rubbish')],
			['an unknown service token', bearer('sd1.11.999.' + 'x'.repeat(43))],
			['a token of another key', bearer('eyJhbGciOiJFUzI1NiJ9.e30.' + 'A'.repeat(86))],
		])
			for (const length of [10, 200000]) {
				const r = await exchange(
					s.port,
					post('/api/v1/tickets', head + expect, length),
				);
				assert.match(
					r.text,
					/^HTTP\/1\.1 401 /,
					`${name}, ${length}, ${expect}: ${r.text}`,
				);
				assert.match(r.text, /\r\nConnection: close\r\n/);
			}
	const chunked = await exchange(
		s.port,
		'POST /api/v1/tickets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
	);
	assert.match(chunked.text, /^HTTP\/1\.1 401 /);
});
test('the same through every route that takes a body', async () => {
	const doc = (await s.get('/openapi.json')).json || JSON.parse((await s.get('/openapi.json')).text);
	let open = 0,
		closed = 0;
	for (const [path, methods] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(methods)) {
			if (!['post', 'put', 'patch'].includes(method) || path.startsWith('/test/')) continue;
			const at = path.replace(/\{[^}]*\}/g, '7'),
				send = (more, length) =>
					exchange(
						s.port,
						post(at, more, length).replace('POST', method.toUpperCase()),
						{ quiet: 100 },
					);
			if (op['x-permission'] === 'anyone') {
				const form =
					op.requestBody &&
					op.requestBody.content['application/x-www-form-urlencoded'];
				const r = await send(EXPECT, form ? 262145 : 65537);
				assert.match(r.text, /^HTTP\/1\.1 413 /, `${method} ${path}: ${r.text}`);
				open++;
			} else {
				const r = await send(EXPECT, 1000);
				assert.match(r.text, /^HTTP\/1\.1 401 /, `${method} ${path}: ${r.text}`);
				closed++;
			}
		}
	console.log(`# ${closed} routes with a session, ${open} without`);
	assert.ok(closed > 40 && open > 5);
});
test('a client that may send its body gets 100 Continue, with a fresh and with a known token', async () => {
	for (const token of [await s.login('user', 'alpha'), user])
		for (let i = 0; i < 2; i++) {
			const body = JSON.stringify({ title: 't', description: 'd', priority: 'P4' }),
				c = net.connect(s.port, '127.0.0.1');
			let text = '';
			c.on('data', (d) => (text += d));
			c.write(post('/api/v1/tickets', bearer(token) + EXPECT, body.length));
			await waitUntil(() => text === 'HTTP/1.1 100 Continue\r\n\r\n');
			c.write(body);
			await waitUntil(() => /HTTP\/1\.1 201 /.test(text));
			/* and the connection goes on */
			c.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
			await waitUntil(() => /HTTP\/1\.1 200 /.test(text));
			c.destroy();
		}
	/* all at once, pipelined behind a first use of the token */
	const fresh = await s.login('user', 'alpha'),
		body = JSON.stringify({ title: 't', description: 'd', priority: 'P4' }),
		one = post('/api/v1/tickets', bearer(fresh), body.length) + body,
		r = await exchange(s.port, one.repeat(3));
	assert.strictEqual((r.text.match(/HTTP\/1\.1 201 /g) || []).length, 3, r.text);
});
test('300 connections without a session and with large bodies need little memory', async () => {
	const before = rss(),
		open = [];
	await Promise.all(
		[...Array(300)].map(
			(_, i) =>
				new Promise((ok) => {
					const c = net.connect(s.port, '127.0.0.1'),
						[path, n] =
							i % 2
								? ['/api/v1/tickets', 262144]
								: ['/api/v1/auth/login', 65536];
					c.on('error', () => {});
					c.on('close', ok);
					open.push(c);
					c.write(post(path, '', n));
					c.write(Buffer.alloc(n - 1, 'x'), () => ok());
				}),
		),
	);
	await waitUntil(async () => (await s.get('/healthz')).status === 200);
	const more = (rss() - before) / MB;
	console.log(`# ${more.toFixed(1)} MB`);
	if (!process.env.BUILD_DIR.endsWith('build-asan')) assert.ok(more < 24, String(more));
	open.forEach((c) => c.destroy());
});

/* Send HEAD, then BURST bytes at once, then RATE bytes per second; what came back, and after which
 * time the end. */
function drip(head, burst, rate) {
	return new Promise((ok) => {
		const c = net.connect(s.port, '127.0.0.1'),
			began = Date.now();
		let text = '',
			sent = 0;
		c.write(head + 'x'.repeat(burst));
		const timer = setInterval(() => {
			const due = Math.floor(((Date.now() - began) / 1000) * rate) - sent;
			if (due > 0 && c.writable) c.write('y'.repeat(due));
			sent += Math.max(due, 0);
		}, 100);
		const end = (why) => {
			clearInterval(timer);
			c.destroy();
			ok({ text, ms: Date.now() - began, why });
		};
		c.on('data', (d) => (text += d));
		c.on('error', () => {});
		c.on('end', () => end('closed'));
		setTimeout(() => end('open'), WINDOW_S * 4000);
	});
}
test('a body that comes too slowly gets 408, however it began; one that keeps the rate does not', async () => {
	const sink = (n) => `POST /test/sink HTTP/1.1\r\nHost: x\r\nContent-Length: ${n}\r\n\r\n`,
		json = post('/api/v1/tickets', bearer(user), 250000),
		cases = [
			[sink(1e7), 0, RATE * 0.9, false],
			[sink(1e7), 900000, RATE * 0.25, false],
			[sink(1e7), 900000, RATE * 0.9, false],
			[json, 150000, RATE * 0.8, false],
			[sink(1e7), 0, RATE * 1.3, true],
		],
		ends = await Promise.all(cases.map(([head, burst, rate]) => drip(head, burst, rate)));
	for (const [i, [, , , keeps]] of cases.entries()) {
		console.log(`# ${i}: ${ends[i].why} after ${ends[i].ms} ms`);
		assert.strictEqual(ends[i].why, keeps ? 'open' : 'closed', `case ${i}`);
		if (keeps) continue;
		assert.match(ends[i].text, /^HTTP\/1\.1 408 /, `case ${i}: ${ends[i].text}`);
		assert.ok(ends[i].ms < WINDOW_S * 2000 + 2000, `case ${i}: ${ends[i].ms}`);
	}
});
test('a reply that is read below the rate ends within two windows, however near the rate it is', async () => {
	const timeouts = await s.metric('http_timeouts_total'),
		flood = 'GET /test/flood?bytes=400000000 HTTP/1.1\r\nHost: x\r\n\r\n',
		slow = [0.25, 0.5, 0.75].map((f) => paced(s.port, flood, RATE * f, 1024));
	const began = Date.now();
	await waitUntil(async () => (await s.metric('http_timeouts_total')) >= timeouts + 3, 30000);
	const ms = Date.now() - began;
	console.log(`# closed after ${ms} ms`);
	assert.ok(ms < WINDOW_S * 2000 + 4000, `${ms} ms`);
	slow.forEach((c) => c.destroy());
});

test('bodies without a session share 32 MiB: more get 503, small ones and users are served, and the memory comes back', async () => {
	const SHARE = 32 * MB,
		LENGTH = 256 * 1024,
		FIRST = 230000,
		head = `POST /api/v1/auth/sso/slo/1/1 HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${LENGTH}\r\n\r\n`,
		held = () => s.metric('http_guest_body_bytes'),
		/* A body of which the first N bytes come at once, and the others not within the test. */
		slow = (n) => {
			const c = net.connect(s.port, '127.0.0.1'),
				x = { c, text: '' };
			c.on('data', (d) => (x.text += d));
			c.on('error', () => {});
			c.write(head + 'x'.repeat(n));
			return x;
		},
		round = async () => {
			const before = await s.metric('http_guest_refused_total'),
				all = [...Array(200)].map(() => slow(FIRST));
			await waitUntil(async () => (await held()) > SHARE - FIRST);
			await waitUntil(
				() => all.filter((x) => x.text).length >= 200 - Math.ceil(SHARE / FIRST),
			);
			const refused = all.filter((x) => x.text);
			all.push(slow(SHARE - (await held())));
			await waitUntil(async () => (await held()) === SHARE); // to the last byte
			for (const x of refused) {
				assert.match(x.text, /^HTTP\/1\.1 503 /);
				assert.match(x.text, /\r\nRetry-After: \d+\r\n/);
				assert.match(x.text, /"code":50005/);
			}
			assert.ok(all.length - refused.length > 100, 'the others are not refused');
			assert.ok((await s.metric('http_guest_refused_total')) - before >= refused.length);
			/* A login, a user with a large body, and a probe are served meanwhile. */
			const began = Date.now(),
				token = await s.login('user', 'beta'),
				large = await s.post('/api/v1/tickets', token, {
					title: 't',
					description: 'd'.repeat(15000),
					priority: 'P4',
				});
			assert.strictEqual(large.status, 201, large.text);
			assert.strictEqual((await s.get('/healthz')).status, 200);
			assert.ok(Date.now() - began < 3000, `served after ${Date.now() - began} ms`);
			assert.strictEqual(await held(), SHARE, 'the room was full meanwhile');
			const most = rss();
			all.forEach((x) => x.c.destroy());
			await waitUntil(async () => (await held()) === 0);
			return most;
		};
	const first = await round(),
		second = await round();
	console.log(`# ${(first / MB).toFixed(1)} MB, then ${(second / MB).toFixed(1)} MB`);
	if (!process.env.BUILD_DIR.endsWith('build-asan'))
		assert.ok(second < first + 8 * MB, `${first} bytes, then ${second}`);
	const r = await exchange(s.port, head + 'x'.repeat(LENGTH));
	assert.match(r.text, /^HTTP\/1\.1 4/, 'there is room again: the body is read and answered');
});

test('a reply of more than 4 MiB is refused with advice; a narrower one is not', async () => {
	const tenant = s.alpha,
		url = '/api/v1/client/sla/compliance?group_by=department&period=';
	s.sql(
		`insert into rollups (tenant_id, day, service_type, priority, department, project, region, engineer_id, opened, decided, met, counted, met_counted)
		select ${tenant}, current_date - 20, 'incident', 'P4', 'department ' || i, '', '', 0, 1, 1, 1, 1, 1 from generate_series(1, 12000) i`,
	);
	const r = await s.get(url + '30d', admin);
	assert.deepStrictEqual([r.status, r.code], [413, 41004], r.text.slice(0, 300));
	assert.match(r.json.details.suggested_actions.join(), /narrow the period/);
	assert.strictEqual((await s.get(url + '7d', admin)).status, 200);
	s.sql(`delete from rollups where tenant_id = ${tenant} and department like 'department %'`);
});
