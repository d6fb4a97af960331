// SPDX-License-Identifier: Apache-2.0
// Results that several instances share through Redis: computed once for all, available after a restart, never older than an event, never forged,
// and recomputed before they expire.
// alone: freezes Redis.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, freePort, redis, VAR } = require('../lib/server.js'),
	machine = require('../lib/machine.js');

const kept = () => redis('--scan', '--pattern', 'sladesk:v1:answer:*').split('\n').filter(Boolean);
const PATH = '/api/v1/client/dashboard/overview?period=7d';

let s, other, admin, user;
async function beside(first) {
	const o = new Server('shared', first.settings);
	o.db = first.db;
	o.dir = first.dir + '/2';
	fs.mkdirSync(o.dir, { recursive: true });
	fs.chmodSync(o.dir, 0o777);
	o.port = await freePort();
	o.file = o.dir + '/sladesk.conf';
	o.settings = {
		...first.settings,
		token: { key_file: first.dir + '/token.jwk' },
	};
	await o.start();
	return o;
}
const look = async (where, token = admin) => {
	const r = await where.get(PATH, token);
	assert.strictEqual(r.status, 200, r.text);
	return r.data;
};
test.before(async () => {
	for (const k of kept()) redis('del', k);
	s = await Server.make('shared');
	other = await beside(s);
	[admin, user] = await Promise.all([s.login('admin', 'alpha'), s.login('user', 'alpha')]);
	const t = { title: 'x', description: 'y', priority: 'P3' };
	assert.strictEqual((await s.post('/api/v1/tickets', user, t)).status, 201);
	for (const where of [s, other])
		await waitUntil(async () => (await look(where)).summary.total_tickets === 1, 3000);
});
test.after(async () => {
	await other.stop();
	await s.drop();
});

test('an instance uses results that another has computed, also just after a start', async () => {
	for (const where of [s, other])
		await waitUntil(async () => (await where.metric('rollup_waiting')) === 0);
	const stored = kept().length,
		r = await s.get('/api/v1/client/dashboard/overview?period=11d', admin);
	await waitUntil(() => kept().length > stored); /* the reply comes before the result is shared */
	const before = await other.metric('answers_misses_total'),
		same = await other.get('/api/v1/client/dashboard/overview?period=11d', admin);
	assert.deepStrictEqual(same.data, r.data, 'with the time of its computation');
	assert.strictEqual(await other.metric('answers_misses_total'), before);
	assert.ok((await other.metric('answers_shared_total')) >= 1);
	/* positions are stored once a second */
	await waitUntil(
		() =>
			s.sql(
				`select p.seq = (select max(seq) from events where tenant_id = ${s.alpha}) from consumer_positions p where p.tenant_id = ${s.alpha} and p.consumer = 'rollup'`,
			) === 't',
	);
	await other.stop();
	await other.start();
	await waitUntil(async () => (await other.get('/readyz')).status === 200);
	await waitUntil(async () => {
		const again = await other.get('/api/v1/client/dashboard/overview?period=11d', admin);
		return again.data.last_updated === r.data.last_updated;
	}, 3000);
	assert.ok((await other.metric('answers_shared_total')) >= 1);
	const fresh = await other.get('/api/v1/client/dashboard/overview?period=11d&refresh=true', admin);
	assert.ok(fresh.data.last_updated > r.data.last_updated, 'a forced refresh computes it');
});
test('dashboards are computed in advance after a start, with or without Redis', async () => {
	for (const k of kept()) redis('del', k);
	await other.stop();
	await other.start();
	await waitUntil(async () => (await other.metric('answers_warmed_total')) >= 1);
	await waitUntil(async () => /dashboards computed in advance/.test(other.log));
	/* the last results may not have arrived yet */
	const warmed = await other.metric('answers_warmed_total');
	await waitUntil(async () => (await other.metric('answers_kept')) >= warmed);
	const misses = await other.metric('answers_misses_total'),
		hits = await other.metric('answers_hits_total');
	for (const token of [admin, user]) {
		const r = await other.get('/api/v1/client/dashboard/overview', token, {
			'Accept-Language': 'zh',
		});
		assert.strictEqual(r.status, 200, r.text);
		assert.strictEqual(r.data.summary.total_tickets, 1);
	}
	assert.strictEqual(await other.metric('answers_misses_total'), misses);
	assert.strictEqual(await other.metric('answers_hits_total'), hits + 2);
});
test('an event makes a result outdated everywhere; a customer gets nothing of another', async () => {
	const t = { title: 'x', description: 'y', priority: 'P3' };
	assert.strictEqual((await s.post('/api/v1/tickets', user, t)).status, 201);
	for (const where of [other, s])
		await waitUntil(async () => (await look(where)).summary.total_tickets === 2, 1000);
	const beta = await s.login('admin', 'beta');
	assert.strictEqual((await look(other, beta)).summary.total_tickets, 0);
});
test('Redis is not trusted: a result that was not encrypted by us for this query is computed again', async () => {
	const url = '/api/v1/client/dashboard/overview?period=13d',
		another = '/api/v1/client/dashboard/overview?period=14d';
	for (const k of kept()) redis('del', k);
	const mine = (await s.get(url, admin)).data;
	await waitUntil(() => kept().length === 1);
	const [name] = kept(),
		sealed = redis('get', name);
	assert.ok(!sealed.includes('total_tickets'), 'and it cannot be read there');
	redis('set', name, `${Date.now() * 1000}:"summary":{"total_tickets":99}`);
	let misses = await other.metric('answers_misses_total');
	const got = (await other.get(url, admin)).data;
	assert.deepStrictEqual(got.summary, mine.summary);
	assert.strictEqual(await other.metric('answers_misses_total'), misses + 1);
	await s.get(another, admin);
	await waitUntil(() => kept().length === 2);
	const second = kept().find((k) => k !== name);
	redis('set', second, sealed); /* the result of another query, encrypted by us */
	misses = await other.metric('answers_misses_total');
	assert.notStrictEqual((await other.get(another, admin)).data.period.start, mine.period.start);
	assert.strictEqual(await other.metric('answers_misses_total'), misses + 1);
});
test('a frozen Redis does not hold up requests', async () => {
	const pid = Number(fs.readFileSync(VAR + '/redis.pid', 'utf8')),
		ask = (period) => s.get('/api/v1/client/dashboard/overview?period=' + period, admin);
	process.kill(pid, 'SIGSTOP');
	try {
		for (const period of ['17d', '18d', '19d']) {
			const began = Date.now(),
				r = await ask(period);
			assert.strictEqual(r.status, 200, r.text);
			assert.ok(
				Date.now() - began < 1000 + machine.longestMs(),
				`${Date.now() - began} ms`,
			);
		}
	} finally {
		process.kill(pid, 'SIGCONT');
	}
	await waitUntil(async () => (await s.metric('redis_up')) === 1);
	assert.strictEqual((await ask('20d')).status, 200);
});
test('a result in use is recomputed before it expires: nobody waits for it', async () => {
	await other.stop();
	await s.stop();
	s.settings = { ...s.settings, test: { echo: 'yes', allow_clock: 'yes', clock_scale: '100' } };
	await s.start(); /* five minutes take three seconds */
	/* for a customer without tickets, so that no clock makes it outdated */
	const beta = await s.login('admin', 'beta');
	await waitUntil(async () => (await s.metric('rollup_waiting')) === 0);
	const at = async () => (await look(s, beta)).last_updated;
	await at();
	const [misses, hits] = [await s.metric('answers_misses_total'), await s.metric('answers_hits_total')],
		seen = new Set();
	let asked = 0,
		renewed;
	await waitUntil(async () => {
		seen.add(await at());
		asked++;
		renewed = await s.metric('answers_renewed_total');
		return renewed >= 2 && seen.size >= 3;
	});
	assert.strictEqual((await s.metric('answers_hits_total')) - hits, asked, 'each from memory');
	assert.strictEqual((await s.metric('answers_misses_total')) - misses, renewed);
});
