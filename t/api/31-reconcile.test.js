// SPDX-License-Identifier: Apache-2.0
// Tickets compared with their source system: what it did not report, or we lost, is found by count and checksum, repaired, reported, and compared
// again; meanwhile the numbers are marked.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path');
const { Server, waitUntil, mailSink, writeSecret } = require('../lib/server.js');

/* the source system: its tickets by customer, and its responses */
const led = new Map();
let leader,
	s,
	mail,
	boss,
	admin,
	service,
	asked = [],
	hold = null /* pages wait for this */,
	gate = null /* and every response for this */,
	broken = null;
const sorted = (tenant) =>
	[...led.get(tenant).values()].sort((a, b) =>
		Buffer.compare(Buffer.from(a.ticket_id), Buffer.from(b.ticket_id)),
	);
const counts = () => ({
	customers: [...led.keys()].map((tenant_id) => ({
		tenant_id,
		tickets: led.get(tenant_id).size,
		checksum: crypto
			.createHash('sha256')
			.update(
				sorted(tenant_id)
					.map((t) => `${t.ticket_id}|${t.status}|${t.priority}\n`)
					.join(''),
			)
			.digest('hex'),
	})),
});
function answer(q) {
	if (q.get('view') === 'counts') return counts();
	const all = sorted(Number(q.get('tenant_id'))).filter((t) => t.ticket_id > q.get('after')),
		page = all.slice(0, 25);
	return { tickets: page, next: all.length > page.length ? page.at(-1).ticket_id : null };
}
let time = Date.now() - 3600e3;
const lead = (tenant, ticket_id, more) => {
	const was = led.get(tenant).get(ticket_id) || {
		event_type: 'ticket_updated',
		tenant_id: tenant,
		ticket_id,
		title: 'led ' + ticket_id,
		description: 'y',
		status: 'new',
		priority: 'P3',
	};
	const now = { ...was, ...more, timestamp: new Date((time += 1000)).toISOString() };
	led.get(tenant).set(ticket_id, now);
	return now;
};
const tell = async (...messages) => {
	const r = await s.post('/api/v1/integration/tickets/sync', service, { events: messages });
	assert.strictEqual(r.data.applied, messages.length, r.text);
};
const checks = async () => (await s.get('/api/v1/data-quality/sources', boss)).data.items;
/* the next comparison of alpha to end */
const compared = async () => {
	const last = (await checks()).find((c) => c.tenant_id === s.alpha)?.started_at || '';
	return waitUntil(async () =>
		(await checks()).find((c) => c.tenant_id === s.alpha && c.started_at > last && c.ended_at),
	);
};
const again = async (every) => {
	await s.stop();
	s.settings.integration.tickets_every_s = every;
	await s.start();
};
const overview = async () => (await s.get('/api/v1/client/dashboard/overview?period=7d', admin)).data;
const told = () =>
	mail.mails.filter((m) => m.to[0] === 'boss@provider.example' && /differ from/.test(m.subject));

test.before(async () => {
	leader = http.createServer(async (req, res) => {
		asked.push(req.headers.authorization);
		const q = new URL(req.url, 'http://x').searchParams;
		if (gate) await gate;
		if (hold && q.has('after')) await hold;
		res.end(broken ? broken(q) : JSON.stringify(answer(q)));
	});
	await new Promise((ok) => leader.listen(0, '127.0.0.1', ok));
	mail = await mailSink();
	s = new Server('reconcile', {
		mail: { url: mail.url },
		log: { level: 'debug' },
		integration: {
			tickets_url: `http://127.0.0.1:${leader.address().port}/desk?v=1`,
			tickets_every_s: 3600,
			allow_private: 'yes',
		},
	});
	await s.prepare();
	service = s.token('alpha', 'ticket:write,ticket:read', 'desk');
	writeSecret(path.join(s.dir, 'theirs'), 'their-secret\n');
	writeSecret(path.join(s.dir, 'ours'), service + '\n');
	s.settings.integration.tickets_token_file = path.join(s.dir, 'theirs');
	s.settings.integration.tickets_service_token_file = path.join(s.dir, 'ours');
	led.set(s.alpha, new Map());
	await s.start();
	[boss, admin] = await Promise.all([s.login('boss'), s.login('admin', 'alpha')]);
	for (let i = 0; i < 60; i++) lead(s.alpha, 'L-' + String(i).padStart(3, '0'), {});
	await tell(...led.get(s.alpha).values());
	await again(1);
});
test.after(async () => {
	await s.drop();
	leader.closeAllConnections();
	leader.close();
	await mail.close();
});

test('compared when it is due, not at every start of a daemon', async () => {
	await compared();
	await again(3600);
	const n = asked.length;
	/* what a start triggers has gone before these, one after another through the same
	 * database */
	for (let i = 0; i < 20; i++) await overview();
	assert.strictEqual(asked.length, n, 'a start alone causes no comparison');
	await again(1);
	await compared();
});
test('tickets that agree are left alone', async () => {
	const c = await compared();
	assert.deepStrictEqual(
		[c.state, c.theirs, c.ours, c.differing, c.left_over],
		['agrees', 60, 60, 0, []],
	);
	assert.strictEqual((await overview()).data_quality, 'ok');
	assert.ok(asked.every((a) => a === 'Bearer their-secret'));
	assert.strictEqual(told().length, 0);
});
test('missing messages are found, repaired and reported; the numbers are marked meanwhile', async () => {
	let go;
	hold = new Promise((ok) => (go = ok));
	lead(s.alpha, 'L-005', { status: 'resolved' });
	lead(s.alpha, 'L-030', { priority: 'P1' });
	lead(s.alpha, 'L-new é|1', { title: 'never told' });
	await waitUntil(async () => (await overview()).data_quality === 'repairing');
	const waiting = (await checks())[0];
	assert.deepStrictEqual(
		[waiting.state, waiting.theirs, waiting.ours, waiting.ended_at],
		['repairing', 61, 60, null],
	);
	go();
	hold = null;
	const c = await waitUntil(async () => {
		const x = (await checks()).find((k) => k.started_at === waiting.started_at);
		return x.ended_at && x;
	});
	assert.deepStrictEqual(
		[c.state, c.theirs, c.differing, c.repaired, c.left_over],
		['repaired', 61, 3, 3, []],
	);
	assert.deepStrictEqual(
		s
			.sql(
				"select s.external_id || ' ' || t.status || ' ' || t.priority from sync_tickets s join tickets t on t.id = s.ticket_id where s.external_id in ('L-005', 'L-030', 'L-new é|1') order by 1",
			)
			.split('\n'),
		['L-005 resolved P3', 'L-030 new P1', 'L-new é|1 new P3'],
	);
	await waitUntil(async () => {
		const o = await overview();
		return o.data_quality === 'ok' && o.summary.total_tickets === 61;
	});
	await waitUntil(() => told().length === 1);
	assert.match(
		told()[0].body,
		/has 61 tickets, and this system had 60\. 3 tickets differed, 3 have been repaired, and 0 still differ/,
	);
	assert.strictEqual((await compared()).state, 'agrees');
	assert.strictEqual(told().length, 1);
	for (const change of ['take_page -> pick', 'apply -> applied', 'verify -> summarise'])
		assert.match(s.log, new RegExp(`flow=reconcile id=${s.alpha} ${change} \\d+ms`));
});
test('what arrives on its own during a comparison is not a difference: nobody is notified', async () => {
	let go;
	hold = new Promise((ok) => (go = ok));
	const late = lead(s.alpha, 'L-late', {});
	const waiting = await waitUntil(async () => (await checks()).find((k) => k.state === 'repairing'));
	await tell(late);
	hold = null;
	go();
	const c = await waitUntil(async () => {
		const x = (await checks()).find((k) => k.started_at === waiting.started_at);
		return x.ended_at && x;
	});
	assert.deepStrictEqual([c.state, c.theirs, c.ours, c.differing], ['agrees', 62, 62, 0]);
	assert.strictEqual((await compared()).state, 'agrees');
	assert.strictEqual(told().length, 1);
});
test('our own changes are reverted; what cannot be reverted is listed, and the numbers stay marked', async () => {
	const id = (n) => s.sql(`select ticket_id from sync_tickets where external_id = '${n}'`);
	const eng = await s.login('eng1');
	let go;
	gate = new Promise(
		(ok) => (go = ok),
	); /* a comparison is due every second; none sees only a part of this */
	for (const [n, cmd, body] of [
		['L-010', 'resolve', { text: 'by us' }],
		['L-011', 'cancel', { reason: 'by us' }],
	]) {
		const r = await s.post(`/api/v1/tickets/${id(n)}/${cmd}`, eng, body);
		assert.strictEqual(r.status, 200, r.text);
	}
	lead(s.alpha, 'L-010', { status: 'in_progress' });
	gate = null;
	go();
	const c = await waitUntil(async () => (await checks()).find((k) => k.state === 'differs'));
	assert.strictEqual(
		s.sql(
			"select t.status from sync_tickets s join tickets t on t.id = s.ticket_id where s.external_id = 'L-010'",
		),
		'in_progress',
	);
	assert.deepStrictEqual([c.differing, c.repaired], [2, 1]);
	assert.strictEqual(c.left_over.length, 1);
	assert.strictEqual(c.left_over[0].ticket_id, 'L-011');
	assert.ok(c.left_over[0].reason.length > 10, c.left_over[0].reason);
	assert.match(c.left_over[0].reason_zh, /[\u4e00-\u9fff]/);
	await waitUntil(async () => (await overview()).data_quality === 'differs');
	lead(s.alpha, 'L-011', { status: 'cancelled' });
	await waitUntil(async () => (await overview()).data_quality === 'ok');
});
test('a database that fails during a repair is not a difference: nobody is notified, and the repair follows', async () => {
	const ticket = s.sql("select ticket_id from sync_tickets where external_id = 'L-020'"),
		before = told().length,
		from = s.log.length,
		began = (await compared()).started_at;
	s.sql(
		`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'too slow' using errcode = '57014'; end $$; create trigger refuse before update on tickets for each row when (old.id = ${ticket}) execute function refuse()`,
	);
	lead(s.alpha, 'L-020', { status: 'resolved' });
	await waitUntil(() => /tickets not compared err=/.test(s.log.slice(from)));
	assert.ok((await checks()).every((c) => c.started_at <= began || c.state !== 'differs'));
	assert.strictEqual(told().length, before);
	s.sql('drop function refuse cascade');
	await waitUntil(async () =>
		(await checks()).some((c) => c.started_at > began && c.state === 'repaired'),
	);
	assert.strictEqual(s.sql(`select status from tickets where id = ${ticket}`), 'resolved');
	await waitUntil(() => told().length === before + 1);
});
test('a source system that fails, sends nonsense or names other customers changes nothing', async () => {
	const rows = () => s.sql('select count(*), max(version) from tickets');
	led.set(s.beta, new Map());
	lead(s.beta, 'B-1', {});
	const before = rows();
	assert.strictEqual((await compared()).state, 'agrees');
	await waitUntil(() => /entry \d is not a known customer/.test(s.log));
	assert.strictEqual(s.sql(`select count(*) from source_checks where tenant_id = ${s.beta}`), '0');
	led.delete(s.beta);
	for (const [what, said] of [
		[() => 'nonsense', /not a list as described in doc\/api/],
		[() => '{"customers":{}}', /not a list/],
		[
			() =>
				JSON.stringify({
					customers: [
						{ tenant_id: s.alpha, tickets: -1, checksum: 'x' },
						5,
						null,
					],
				}),
			/not a known customer/,
		],
		[() => 'x'.repeat(300000), /not compared/],
	]) {
		const from = s.log.length;
		broken = what;
		await waitUntil(() => said.test(s.log.slice(from)));
		/* the reason of an outage is told once, so the next one begins after it has ended */
		broken = null;
		const rest = () => s.log.slice(from);
		await waitUntil(() => !/outage of the source of tickets begins/.test(rest()) || /outage of the source of tickets (?!begins|goes)/.test(rest()), 30000);
	}
	/* it reports a difference, and then nothing more */
	broken = (q) =>
		q.has('view')
			? JSON.stringify({
					customers: [
						{ tenant_id: s.alpha, tickets: 7, checksum: '0'.repeat(64) },
					],
				})
			: '{"tickets":[{"ticket_id":"L-001"},5,{"event_type":"ticket_updated","tenant_id":' +
				s.beta +
				',"ticket_id":"L-001","status":"closed","timestamp":"2026-01-01T00:00:00Z"}],"next":"L-001"}';
	const c = await waitUntil(async () => (await checks()).find((k) => k.theirs === 7 && k.ended_at));
	assert.strictEqual(c.state, 'differs');
	assert.ok(c.left_over.length >= 3);
	broken = null;
	await waitUntil(async () => (await overview()).data_quality === 'ok');
	assert.strictEqual(rows(), before);
	assert.strictEqual((await s.get('/api/v1/data-quality/sources', admin)).code, 40003);
});
