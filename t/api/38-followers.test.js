// SPDX-License-Identifier: Apache-2.0
// The batch consumers (rollups, audit log): a row that the database refuses, for any reason, delays no other row; a customer whose lock is held
// delays no other customer. Nothing is retried for ever, and each customer's rows keep their order.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	{ spawn } = require('node:child_process');
const { Server, waitUntil, SOCK, secret } = require('../lib/server.js');

let s, user, betas;
test.before(async () => {
	s = await Server.make('followers', {});
	user = await s.login('user', 'alpha');
	betas = await s.login('user', 'beta');
});
test.after(() => s.drop());

const create = async (token = user) =>
	(await s.post('/api/v1/tickets', token, { title: 'x', description: 'y', priority: 'P3' })).data.id;
const counted = (ids) =>
	Number(s.sql(`select count(*) from ticket_outcomes where ticket_id in (${ids.join()})`));
const set_aside = async (consumer) =>
	Number(
		(await s.get('/metrics')).text.match(
			new RegExp(`^sladesk_follower_set_aside_total{consumer="${consumer}"} (.*)$`, 'm'),
		)[1],
	);
/* A session of another program that holds the advisory lock of a customer. */
async function hold(t, kind, tenant) {
	const p = spawn('psql', ['-h', SOCK, '-U', 'postgres', '-d', s.db, '-XAtq'], {
		env: { ...process.env, PGPASSWORD: secret },
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	let out = '';
	t.after(() => p.kill());
	p.stdout.on('data', (d) => {
		out += d;
	});
	p.stdin.write(`select pg_advisory_lock(${kind}, ${tenant}); select 'held';\n`);
	await waitUntil(() => out.includes('held'));
	return () =>
		new Promise((ok) => {
			p.on('exit', ok);
			p.stdin.end();
		});
}
const poison = (table, when, state) =>
	s.sql(
		`create or replace function refuse_${table}() returns trigger language plpgsql as $$ begin if ${when} then raise exception 'poisoned' using errcode = '${state}'; end if; return new; end $$; drop trigger if exists refuse on ${table}; create trigger refuse before insert on ${table} for each row execute function refuse_${table}()`,
	);

test('rollups: one ticket that cannot be counted is set aside, whatever the error; after a restart too', async () => {
	let bad = 0,
		rest = [];
	for (const state of ['23505', '23503', '42501', '57014', 'P0001']) {
		bad = Number(s.sql('select coalesce(max(id), 0) + 3 from tickets'));
		poison('ticket_outcomes', `new.ticket_id = ${bad}`, state);
		const before = await set_aside('rollup'),
			ids = await Promise.all([...Array(8)].map(() => create()));
		assert.ok(ids.includes(bad));
		rest = ids.filter((id) => id !== bad);
		await waitUntil(() => counted(rest) === 7, 8000);
		await waitUntil(async () => (await set_aside('rollup')) > before);
		await waitUntil(() => s.log.includes(`ticket not counted tenant=${s.alpha} ticket=${bad}`));
		assert.strictEqual(counted([bad]), 0);
		await waitUntil(async () => (await s.metric('rollup_waiting')) === 0);
	}
	/* all tickets were missed, and one of them is bad: the others are counted */
	await s.stop();
	s.sql(
		"update consumer_positions set seq = 0 where consumer = 'rollup'; delete from ticket_outcomes; delete from rollups",
	);
	await s.start();
	await waitUntil(() => counted(rest) === 7);
	const late = await create();
	await waitUntil(() => counted([late]) === 1);
	assert.strictEqual(counted([bad]), 0);
	s.sql('drop trigger refuse on ticket_outcomes');
});

test('rollups: more tickets than one batch touched before the start', async () => {
	const before = Number(s.sql('select count(*) from tickets'));
	while (Number(s.sql('select count(*) from tickets')) < before + 620)
		await Promise.all([...Array(62)].map(() => create()));
	await waitUntil(async () => (await s.metric('rollup_waiting')) === 0);
	await s.stop();
	s.sql(
		"update consumer_positions set seq = 0 where consumer = 'rollup'; delete from ticket_outcomes; delete from rollups",
	);
	await s.start();
	await waitUntil(
		() => s.sql('select count(*) from ticket_outcomes') === s.sql('select count(*) from tickets'),
	);
	const late = await create();
	await waitUntil(() => counted([late]) === 1, 5000);
	assert.strictEqual(await s.metric('rollup_waiting'), 0);
});

test('rollups: a customer whose lock is held waits alone, and its tickets are counted once it is free', async (t) => {
	const release = await hold(t, 7331, s.alpha),
		[mine, others] = [await create(), await create(betas)];
	await waitUntil(() => counted([others]) === 1);
	const more = [await create(), await create(betas)];
	await waitUntil(() => counted([more[1]]) === 1);
	assert.strictEqual(counted([mine, more[0]]), 0);
	await release();
	await waitUntil(() => counted([mine, more[0]]) === 2);
	await waitUntil(async () => (await s.metric('rollup_waiting')) === 0);
});

test('audit: one row that the database refuses goes into the log, the others are stored; a locked chain waits alone', async (t) => {
	const stored = (resource) =>
		Number(s.sql(`select count(*) from audit_logs where resource = '${resource}'`));
	const act = (id, token = user) => s.post(`/api/v1/tickets/${id}/reply`, token, { text: 'x' }),
		at = (id) => `/api/v1/tickets/${id}/reply`;
	let id = 90000000;
	for (const state of ['23505', '23503', '42501', '57014', 'P0001']) {
		const bad = ++id,
			good = [++id, ++id, ++id],
			before = await s.metric('audit_refused_total');
		poison('audit_logs', `new.resource = '${at(bad)}'`, state);
		await Promise.all([good[0], bad, good[1], good[2]].map((x) => act(x)));
		await waitUntil(() => good.every((x) => stored(at(x)) === 1), 8000);
		await waitUntil(async () => (await s.metric('audit_refused_total')) === before + 1);
		assert.strictEqual(stored(at(bad)), 0);
		await waitUntil(
			() => s.log.includes('kept in this log only row=') && s.log.includes(at(bad)),
		);
	}
	s.sql('drop trigger refuse on audit_logs');
	const release = await hold(t, 7332, s.alpha),
		[mine, others, mine2, others2] = [++id, ++id, ++id, ++id];
	await act(mine);
	await act(others, betas);
	await waitUntil(() => stored(at(others)) === 1);
	await act(mine2);
	await act(others2, betas);
	await waitUntil(() => stored(at(others2)) === 1);
	assert.strictEqual(stored(at(mine)) + stored(at(mine2)), 0);
	await release();
	await waitUntil(() => stored(at(mine)) + stored(at(mine2)) === 2);
	assert.ok(
		Number(s.sql(`select chain_no from audit_logs where resource = '${at(mine)}'`)) <
			Number(s.sql(`select chain_no from audit_logs where resource = '${at(mine2)}'`)),
		'in order',
	);
	assert.match(s.cli(['audit', 'verify']), /holds/);
	await waitUntil(async () => (await s.metric('audit_waiting')) === 0);
});
