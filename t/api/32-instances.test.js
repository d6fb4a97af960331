// SPDX-License-Identifier: Apache-2.0
// Several instances on one database: work for the whole installation is done once, by any of them, and nothing is lost when one dies.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http'),
	{ execFileSync, spawn } = require('node:child_process');
const { Server, waitUntil, SOCK, secret } = require('../lib/server.js');

const redis = (...args) =>
	execFileSync('redis-cli', [
		'-s',
		SOCK + '/redis',
		'--no-auth-warning',
		'-a',
		secret,
		...args,
	]).toString();
const stream = (tenant) => 'sladesk:v1:events:' + tenant;
/* [id, event] of each entry */
function entries(tenant) {
	const lines = redis('xrange', stream(tenant), '-', '+').trim().split('\n'),
		out = [];
	for (let i = 0; i + 2 < lines.length; i += 3) {
		assert.strictEqual(lines[i + 1], 'event');
		out.push([lines[i], JSON.parse(lines[i + 2])]);
	}
	return out;
}
const from = (n, to) => Array.from({ length: to - n + 1 }, (_, i) => n + i);
const counter = (tenant) => Number(s.sql(`select seq from tenant_counters where tenant_id = ${tenant}`));
/* The stream holds every event of the tenant, each once and in order. */
async function streamIsWhole(tenant) {
	const last = counter(tenant);
	await waitUntil(() =>
		redis('xrevrange', stream(tenant), '+', '-', 'count', '1').startsWith(last + '-0'),
	);
	const got = entries(tenant);
	assert.deepStrictEqual(
		got.map(([id]) => id),
		from(1, last).map((n) => n + '-0'),
	);
	assert.deepStrictEqual(
		got.map(([, e]) => e.seq),
		from(1, last),
	);
}

let s, two, three, user, crm;
const pulls = [];
test.before(async () => {
	crm = http.createServer((req, res) => {
		pulls.push(Date.now());
		res.end(
			JSON.stringify({ customers: [{ external_id: 'C-1', code: 'alpha', name: 'Alpha' }] }),
		);
	});
	await new Promise((ok) => crm.listen(0, '127.0.0.1', ok));
	s = await Server.make('instances', {
		integration: {
			customers_url: `http://127.0.0.1:${crm.address().port}/customers`,
			customers_every_s: 1,
			allow_private: 'yes',
		},
	});
	[two, three] = await Promise.all([s.another(), s.another()]);
	user = await s.login('user', 'alpha');
});
test.after(async () => {
	await Promise.all([two.stop(), three.stop()]);
	await s.drop();
	crm.closeAllConnections();
	crm.close();
});
const ticket = (where, title = 'x') => where.post('/api/v1/tickets', user, { title, description: 'y' });

test('every event is in the Redis stream once and in order, and published once, by three instances', async () => {
	const heard = [];
	const sub = spawn('redis-cli', [
		'-s',
		SOCK + '/redis',
		'--no-auth-warning',
		'-a',
		secret,
		'subscribe',
		'sladesk.v1.events.' + s.alpha,
	]);
	let text = '';
	sub.stdout.on('data', (d) => (text += d));
	await waitUntil(() => text.includes('subscribe'));
	for (let round = 0; round < 20; round++)
		await Promise.all([s, two, three].flatMap((where) => [ticket(where), ticket(where)]));
	await streamIsWhole(s.alpha);
	const last = counter(s.alpha);
	assert.ok(last >= 120);
	await waitUntil(() => text.includes(`"seq":${last},`));
	for (const m of text.matchAll(/"seq":(\d+),/g)) heard.push(Number(m[1]));
	assert.deepStrictEqual(heard, from(heard[0], last));
	sub.kill();
});
test('customers are pulled once per period by any of three instances; the end of one does no harm', async () => {
	const begin = pulls.length,
		more = (n) => waitUntil(() => pulls.length >= begin + n, 30000);
	await more(4);
	await three.stop();
	await more(7);
	await three.start();
	await more(9);
	const gaps = pulls.slice(begin + 1).map((t, i) => t - pulls[begin + i]);
	assert.ok(
		gaps.every((ms) => ms > 900),
		gaps.join(' '),
	);
});
test('a calendar that gains dates takes over each open ticket once', async () => {
	const boss = await s.login('boss'),
		day = (n) => new Date(Date.now() + n * 86400e3).toISOString().slice(0, 10),
		hours = Object.fromEntries(
			['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((d) => [
				d,
				[['00:00', '24:00']],
			]),
		),
		put = async (what, body) => {
			const r = await s.request('PUT', '/api/v1/sla/' + what, { token: boss, body });
			assert.strictEqual(r.status, 200, r.text);
		};
	await put('calendars/shop', { document: { tz: 'UTC', hours, holidays: [] } });
	await put('policies/shop', {
		calendar: 'shop',
		service_type: 'change',
		document: {
			priorities: { P3: { response_s: 20 * 86400, resolution_s: 30 * 86400 } },
			thresholds: ['100'],
		},
	});
	for (let i = 0; i < 10; i++)
		await Promise.all(
			[s, two, three].flatMap((where) =>
				[1, 2].map(() =>
					where.post('/api/v1/tickets', user, {
						title: 'shop',
						description: 'y',
						priority: 'P3',
						service_type: 'change',
					}),
				),
			),
		);
	await put('calendars/shop', { document: { tz: 'UTC', hours, holidays: [day(10)] } });
	await waitUntil(
		() =>
			s.sql(
				'select count(*) from calendars where replaced_by is not null and rebound_at is null',
			) === '0',
		40000,
	);
	assert.strictEqual(
		s.sql(
			"select count(*) || ' ' || count(distinct ticket_id) from events where type = 'ticket.rebound'",
		),
		'60 60',
	);
});
test('events that no instance knew of are published, too: rows written by another program', async () => {
	s.sql(
		`with c as (update tenant_counters set seq = seq + 1 where tenant_id = ${s.beta} returning seq) insert into events (tenant_id, seq, type, actor_kind, audience, at, data) select ${s.beta}, seq, 'ticket.noted', 'system', 'staff', now(), '{}' from c`,
	);
	await streamIsWhole(s.beta);
});
test('an instance that dies between the commit and the publishing loses nothing', async () => {
	const four = await s.another({ test: { failpoint: 'events-fetched' } });
	await ticket(four).catch(() => {});
	await four.proc.exited;
	assert.strictEqual(four.proc.done.sig, 'SIGKILL');
	await ticket(two);
	await streamIsWhole(s.alpha);
});
test('a Redis that dropped its connections or was down gets what it missed', async () => {
	for (let i = 0; i < 5; i++) {
		redis('client', 'kill', 'type', 'normal');
		await Promise.all([s, two, three].map((where) => ticket(where)));
		redis('client', 'kill', 'type', 'normal');
		redis('client', 'kill', 'type', 'pubsub');
	}
	await streamIsWhole(s.alpha);
});
test('a Redis that lost its newest entries, or all, continues from the known position', async () => {
	const last = counter(s.alpha);
	redis('del', stream(s.alpha));
	await ticket(three);
	await waitUntil(() => redis('xlen', stream(s.alpha)).trim() !== '0');
	await waitUntil(() => entries(s.alpha).at(-1)[1].seq === counter(s.alpha));
	const seqs = entries(s.alpha).map(([, e]) => e.seq);
	assert.ok(seqs[0] <= last + 1, seqs[0] + ' ' + last);
	assert.deepStrictEqual(seqs, from(seqs[0], counter(s.alpha)));
	/* restored from an older copy */
	redis('del', stream(s.alpha));
	redis('xadd', stream(s.alpha), last - 5 + '-0', 'event', '{}');
	await ticket(two);
	await waitUntil(() => entries(s.alpha).at(-1)[1].seq === counter(s.alpha));
	assert.deepStrictEqual(
		entries(s.alpha)
			.slice(1)
			.map(([, e]) => e.seq),
		from(last - 4, counter(s.alpha)),
	);
});
test('a stream whose ids are times, as in earlier versions, begins again', async () => {
	redis('del', stream(s.alpha));
	redis('xadd', stream(s.alpha), '*', 'event', '{"seq":1}');
	await ticket(s);
	await waitUntil(() => entries(s.alpha).at(-1)[0] === counter(s.alpha) + '-0');
});
test('a stream of another database, or of one restored to an earlier state, begins again', async () => {
	redis('del', stream(s.alpha));
	redis('xadd', stream(s.alpha), '1000000-0', 'event', '{"seq":1000000}');
	await ticket(s);
	await waitUntil(() => entries(s.alpha).at(-1)[0] === counter(s.alpha) + '-0');
	await ticket(two);
	await waitUntil(() => entries(s.alpha).at(-1)[0] === counter(s.alpha) + '-0');
});
test('events committed while all instances were down are published by the first one to come back', async () => {
	await Promise.all([s.stop('SIGKILL'), two.stop('SIGKILL'), three.stop('SIGKILL')]);
	s.sql(
		`with c as (update tenant_counters set seq = seq + 3 where tenant_id = ${s.beta} returning seq) insert into events (tenant_id, seq, type, actor_kind, audience, at, data) select ${s.beta}, seq - i, 'ticket.noted', 'system', 'staff', now(), '{}' from c, generate_series(0, 2) i`,
	);
	await Promise.all([two.start(), three.start()]);
	await streamIsWhole(s.beta);
	await s.start();
});
