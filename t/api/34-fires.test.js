// SPDX-License-Identifier: Apache-2.0
// A deadline waits for nobody else: a ticket that is locked, unreadable, not understood, refused or always failing is set aside alone, retried at
// growing intervals, counted and logged; everything else fires on time. (The clocks run fast: a second here is minutes there.)
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	{ spawn } = require('node:child_process');
const machine = require('../lib/machine.js');
const { Server, waitUntil, mailSink, SOCK, secret } = require('../lib/server.js');

const SCALE = 120;
let mail, s, user, betas;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('fires', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: String(SCALE) },
	});
	user = await s.login('user', 'alpha');
	betas = await s.login('user', 'beta');
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

const create = async (token = user, priority = 'P0') =>
	(
		await s.post('/api/v1/tickets', token, {
			title: 'x',
			description: 'y',
			priority,
		})
	).data.id;
const several = (n, token) => Promise.all([...Array(n)].map(() => create(token)));
const fired = (id) =>
	s.sql(
		`select coalesce(string_agg(threshold, ',' order by due_at), '') from sla_fires where ticket_id = ${id} and clock = 'response'`,
	);
const allFired = (ids, ms) => waitUntil(() => ids.every((id) => fired(id) === '80,90,95,100'), ms);
/* The worst lag of these tickets, in real milliseconds. */
const lagMs = (ids) =>
	Number(
		s.sql(
			`select coalesce(max(lag_ms), 0) from sla_fires where ticket_id in (${ids.join()}) and clock = 'response'`,
		),
	) / SCALE;
const once = () =>
	assert.strictEqual(
		s.sql(
			"select count(*) from (select from events where type = 'sla.threshold' group by tenant_id, ticket_id, data->>'clock', data->>'threshold', data->>'due_at' having count(*) > 1) x",
		),
		'0',
		'nothing fired twice',
	);
const onTime = (ids, lostBefore) => {
	const ms = lagMs(ids) - (machine.lostMs() - lostBefore);
	assert.ok(ms < 1500, `the others fired ${Math.round(ms)} ms late`);
};
/* An open transaction of another program. */
async function stranger(t, sql) {
	const p = spawn('psql', ['-h', SOCK, '-U', 'postgres', '-d', s.db, '-XAtq'], {
		env: { ...process.env, PGPASSWORD: secret },
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	t.after(() => p.kill());
	let out = '';
	p.stdout.on('data', (d) => {
		out += d;
	});
	p.stdin.write(`begin; ${sql};\nselect 'held';\n`);
	await waitUntil(() => out.includes('held'));
	return () =>
		new Promise((ok) => {
			p.on('exit', ok);
			p.stdin.end('rollback;\n');
		});
}

test('rows locked by other programs for any time: a ticket, a ticket that a new comment refers to, the counter of a customer', async (t) => {
	const [held, referred, ...others] = await several(8),
		theirs = await several(3, betas),
		lost = machine.lostMs();
	const locks = await Promise.all([
		stranger(t, `select from tickets where id = ${held} for update`),
		stranger(
			t,
			`insert into ticket_comments (tenant_id, ticket_id, kind, audience, author_kind, body, created_at) values (${s.alpha}, ${referred}, 'note', 'staff', 'staff', 'x', '2026-01-01Z')`,
		),
		stranger(t, `select from tenant_counters where tenant_id = ${s.beta} for update`),
	]);
	await allFired([referred, ...others], 20000);
	onTime([referred, ...others], lost);
	assert.strictEqual(fired(held), '', 'it is held');
	assert.deepStrictEqual(theirs.map(fired), ['', '', '']);
	await waitUntil(async () => (await s.metric('fires_parked')) === 4);
	assert.ok((await s.metric('sla_lag_seconds')) > 60, 'and the lag shows it');
	await waitUntil(() =>
		s.log.includes(
			`fire set aside tenant=${s.alpha} ticket=${held}: the row is locked, or the statement takes too long`,
		),
	);
	await Promise.all(locks.map((end) => end()));
	await allFired([held, ...theirs], 6000);
	await waitUntil(async () => (await s.metric('fires_parked')) === 0);
	assert.ok((await s.metric('sla_lag_seconds')) < 60);
	once();
});

test('tickets that cannot be read, loaded or understood, or contradict their row: each is set aside alone', async () => {
	s.sql(
		'alter table tickets drop constraint tickets_priority_check; alter table sla_clocks drop constraint sla_clocks_state_check',
	);
	const [unreadable, state, breaks, foreign, foreign2, silent, ...others] = await several(12),
		lost = machine.lostMs();
	const policy = s.sql(
		`insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from) select p.tenant_id, 'of-tomorrow', 1, 'of-tomorrow', p.calendar_code, p.doc || '{"from_a_newer_program": 1}', p.effective_from from sla_configurations p join tickets t on t.policy_id = p.id where t.id = ${foreign} returning id`,
	);
	const was = s.sql(`select policy_id from tickets where id = ${foreign}`);
	s.sql(`update tickets set priority = 'P9' where id = ${unreadable}`);
	s.sql(`update sla_clocks set state = 'dreaming' where ticket_id = ${state} and clock = 'response'`);
	s.sql(
		`update sla_clocks set start_at = 'infinity' where ticket_id = ${breaks} and clock = 'response'`,
	);
	s.sql(`update tickets set policy_id = ${policy} where id in (${foreign}, ${foreign2})`);
	/* the stored instant is due, but by the rules there is nothing to fire */
	const plan = s.sql(
		`select next_fire_at from sla_clocks where ticket_id = ${silent} and clock = 'response'`,
	);
	s.sql(
		`update sla_clocks set next_fire_at = '2020-01-01Z' where ticket_id = ${silent} and clock = 'response'`,
	);
	await allFired(others, 20000);
	onTime(others, lost);
	await waitUntil(async () => (await s.metric('fires_parked')) >= 5);
	for (const [id, why] of [
		[unreadable, 'its row cannot be read'],
		[state, 'its row cannot be read'],
		[breaks, 'the database refuses it'],
		[foreign, 'this program does not understand its policy, calendar or clocks'],
		[foreign2, 'this program does not understand its policy, calendar or clocks'],
		[silent, 'this program does not understand its policy, calendar or clocks'],
	])
		await waitUntil(() =>
			s.log.includes(`fire set aside tenant=${s.alpha} ticket=${id}: ${why}`),
		);
	assert.ok((await s.metric('sla_lag_seconds')) > 60, 'and the lag shows it');
	for (const id of [unreadable, state, breaks, foreign, foreign2]) assert.strictEqual(fired(id), '');
	/* once repaired, they fire: each late one fires once */
	s.sql(`update tickets set priority = 'P0' where id = ${unreadable}`);
	s.sql(`update sla_clocks set state = 'running' where ticket_id = ${state} and clock = 'response'`);
	s.sql(
		`update sla_clocks c set start_at = t.opened_at from tickets t where t.id = c.ticket_id and c.ticket_id = ${breaks} and c.clock = 'response'`,
	);
	s.sql(`update tickets set policy_id = ${was} where id in (${foreign}, ${foreign2})`);
	s.sql(
		`update sla_clocks set next_fire_at = '${plan}' where ticket_id = ${silent} and clock = 'response' and next_fire_at < '2021-01-01Z'`,
	);
	await allFired([unreadable, state, breaks, foreign, foreign2, silent], 20000);
	await waitUntil(async () => (await s.metric('fires_parked')) === 0);
	once();
});

test('a timer that always fails, and one of an unknown kind: retried at growing intervals, then given up; the others run', async () => {
	const [bad, good, good2] = await Promise.all([1, 2, 3].map(() => create(user, 'P3'))),
		engineer = await s.login('eng1');
	s.sql(
		`create function refuse() returns trigger language plpgsql as $$ begin if new.ticket_id = ${bad} and new.type like '%close%' then raise exception 'poisoned'; end if; return new; end $$; create trigger refuse before insert on events for each row execute function refuse()`,
	);
	for (const id of [bad, good, good2])
		for (const [act, text] of [
			['reply', 'we look'],
			['resolve', 'done'],
		])
			await s
				.post(`/api/v1/tickets/${id}/${act}`, engineer, { text })
				.then((r) => assert.strictEqual(r.status, 200, r.text));
	const timer = (id, kind) =>
		s.sql(
			`insert into timers (tenant_id, kind, subject_id, due_at, origin_seq) values (${s.alpha}, '${kind}', ${id}, '2026-01-01Z', 900000000) returning id`,
		);
	const poisoned = timer(bad, 'auto-close'),
		unknown = timer(good2, 'of-tomorrow'),
		fine = timer(good, 'auto-close');
	const state = (id) =>
		s.sql(
			`select state || ' ' || attempts from timers where tenant_id = ${s.alpha} and id = ${id}`,
		);
	await waitUntil(() => state(fine) === 'done 0', 10000);
	await waitUntil(() => /^pending [3-9]/.test(state(poisoned)), 20000);
	assert.ok((await s.metric('fires_parked')) >= 2);
	assert.ok((await s.metric('sla_lag_seconds')) > 60, 'and the lag shows it');
	await waitUntil(() => state(poisoned) === 'failed 12' && state(unknown) === 'failed 12', 60000);
	for (const id of [poisoned, unknown])
		await waitUntil(() => s.log.includes(`timer given up tenant=${s.alpha} timer=${id}`));
	assert.strictEqual(await s.metric('timers_failed_total'), 2);
	assert.strictEqual(await s.metric('fires_parked'), 0);
	/* an operator repairs it and lets it run again */
	s.sql('drop trigger refuse on events');
	s.sql(
		`update timers set state = 'pending', attempts = 0 where tenant_id = ${s.alpha} and id = ${poisoned}`,
	);
	await waitUntil(() => state(poisoned) === 'done 0');
	assert.strictEqual(s.sql(`select status from tickets where id = ${bad}`), 'closed');
});
