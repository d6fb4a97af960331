// SPDX-License-Identifier: Apache-2.0
// A clean stop: with mails and webhooks in progress, SIGTERM and a takeover finish what has begun, store the results and begin nothing new. No
// mail is cut, empty or sent twice; a relay that hangs does not delay the stop for ever.
// alone: measures how long a stop takes.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	{ execFileSync } = require('node:child_process');
const { Server, waitUntil, hookSink } = require('../lib/server.js'),
	{ relay } = require('../lib/relay.js'),
	{ timed } = require('../lib/machine.js');

const STOPS = process.env.SLADESK_LONG ? 20 : 6,
	PEOPLE = 40,
	HOOKS = 20,
	EVENTS = 4 * STOPS + 7;
let s, r, hooks;
test.before(async () => {
	r = await relay();
	r.checkMs = 60;
	hooks = await hookSink();
	hooks.server.delayMs = 200;
	s = await Server.make('stop', { mail: { url: 'smtp://localhost:' + r.port } }); // the helper resolves names
	const user = await s.login('user', 'alpha');
	for (let i = 0; i < EVENTS; i++)
		assert.strictEqual(
			(
				await s.post('/api/v1/tickets', user, {
					title: 't' + i,
					description: 'x',
					priority: 'P4',
				})
			).status,
			201,
		);
	s.sql(`insert into staff (id, username, full_name, email, lang, role, created_at)
		select 1000 + n, 'p' || n, 'P', 'p' || n || '@provider.example', 'en', 'engineer', now() from generate_series(1, ${PEOPLE}) n;
		insert into webhooks (tenant_id, id, url, secret, active, created_at)
		select ${s.alpha}, 1000 + n, '${hooks.url}' || n, repeat('s', 20), true, now() from generate_series(1, ${HOOKS}) n`);
	s.cli(['keys', 'seal']); /* plain addresses are refused */
	await settled();
});
test.after(async () => {
	await s.drop();
	await r.close();
	await hooks.close();
});
const sql = async (text) => (await s.sqlBeside(text)).stdout.trim();
const count = async (where) => Number(await sql('select count(*) from notifications where ' + where));
const settled = () => waitUntil(async () => (await count("state = 'queued'")) === 0, 60000);
/* mails and webhooks of the next events, all at once */
let next = 0;
const backlog = (events) => {
	const from = next;
	next += events;
	assert.ok(next <= EVENTS);
	return sql(`with e as (select row_number() over (order by seq) - 1 as k, * from events where type = 'ticket.created' and tenant_id = ${s.alpha})
		insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
		select e.tenant_id, e.seq, e.ticket_id, w.kind, 1000 + n, w.channel, w.template, now(), e.at
		from e cross join (values ('staff', 'mail', 'ticket_new_staff', ${PEOPLE}), ('webhook', 'webhook', 'webhook', ${HOOKS})) as w(kind, channel, template, most)
		cross join generate_series(1, w.most) n where e.k >= ${from} and e.k < ${next}`);
};
const doubledHooks = () => {
	const ids = hooks.calls.map((c) => c.headers['sladesk-delivery']);
	return ids.filter((id, i) => ids.indexOf(id) !== i);
};
/* each sent mail is complete and was sent once; what is left is not claimed */
async function clean(what) {
	assert.deepStrictEqual(
		[r.empty().length, r.doubled().length, doubledHooks().length],
		[0, 0, 0],
		what,
	);
	assert.strictEqual(r.cut.length, 0, what + ': cut in the middle');
}
const underWay = async () => {
	const mails = r.mails.length,
		calls = hooks.calls.length;
	await waitUntil(
		async () =>
			r.mails.length > mails + 10 &&
			(hooks.calls.length > calls + 5 ||
				(await count("channel = 'webhook' and state = 'queued'")) === 0),
	);
};

test(`SIGTERM ${STOPS} times with a backlog: nothing empty, doubled or left claimed`, async () => {
	const took = [];
	for (let i = 0; i < STOPS; i++) {
		await backlog(2);
		await underWay();
		const t = await timed(() => s.stop('SIGTERM'));
		assert.deepStrictEqual(t.r, { code: 0, sig: null });
		took.push(Math.round(t.ms));
		await clean('stop ' + i);
		assert.strictEqual(await count('claimed_by is not null'), 0, 'claims were given back');
		assert.strictEqual(
			await count("state = 'queued' and attempts > 0"),
			0,
			'and no attempt was counted',
		);
		await s.start();
	}
	await settled();
	await clean('at the end');
	console.log(
		`# ${STOPS} stops took ${took.join(' ')} ms; ${r.mails.length} mails, ${hooks.calls.length} webhooks`,
	);
	assert.ok(Math.max(...took) < 3000);
});
test('a stop that also signals the helpers (a control group, a terminal) loses nothing either', async () => {
	for (const sig of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
		await backlog(2);
		await underWay();
		const failed = await s.metric('notifications_failed_total');
		for (const pid of execFileSync('pgrep', ['-P', String(s.proc.pid)], { encoding: 'utf8' })
			.trim()
			.split('\n'))
			process.kill(Number(pid), sig);
		if (sig === 'SIGHUP') {
			await settled();
			assert.strictEqual(
				await s.metric('notifications_failed_total'),
				failed,
				'none was cut',
			);
			assert.strictEqual(await s.metric('helper_restarts_total'), 0);
			continue;
		}
		assert.deepStrictEqual(await s.stop(sig), { code: 0, sig: null });
		await clean(sig);
		assert.strictEqual(await count('claimed_by is not null'), 0, 'claims were given back');
		assert.strictEqual(await count("state = 'queued' and attempts > 0"), 0, 'no attempt failed');
		await s.start();
	}
});
test(`--takeover ${STOPS} times with a backlog: the same`, async () => {
	for (let i = 0; i < STOPS; i++) {
		await backlog(2);
		await underWay();
		const old = s.proc;
		await s.start(['--takeover']);
		assert.deepStrictEqual(await old.exited, { code: 0, sig: null });
		await clean('hand-over ' + i);
	}
	await settled();
	await clean('at the end');
	console.log(`# ${r.mails.length} mails, ${hooks.calls.length} webhooks`);
});
test('a relay that hangs: SIGTERM twice ends the daemon at once, and mails in flight are released for the next', async () => {
	await s.stop();
	await s.start();
	r.checkMs = 0;
	r.cut.length = 0;
	r.plans = ['data', 'mail', 'data'].map((at) => ({ at, how: 'hang' }));
	const met = r.met.length;
	await backlog(1);
	await waitUntil(() => r.met.length === met + 3);
	const from = s.log.length;
	s.proc.kill('SIGTERM');
	await waitUntil(() => s.log.slice(from).includes('draining'));
	const t = await timed(() => s.stop('SIGTERM'));
	assert.deepStrictEqual(t.r, { code: 0, sig: null });
	assert.ok(t.ms < 3000, `the stop took ${t.ms} ms`);
	assert.strictEqual(await count('claimed_by is not null'), 0, 'claims were given back');
	await s.start();
	await settled();
	assert.deepStrictEqual([r.empty().length, r.doubled().length], [0, 0]);
});
