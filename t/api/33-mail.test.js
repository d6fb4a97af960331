// SPDX-License-Identifier: Apache-2.0
// Mail is sent by helper processes: whatever a relay does at any step, the loop turns, other mails are sent, claims hold, nothing is lost, and
// nothing is sent twice except what the protocol leaves in doubt.
// alone: stops PostgreSQL; measures the loop.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, waitUntil, pgctl, VAR, selfSigned, writeSecret } = require('../lib/server.js'),
	{ relay, STEPS } = require('../lib/relay.js'),
	machine = require('../lib/machine.js');

const TIMEOUT_S = 5,
	SENDERS = 12,
	PEOPLE = 400,
	EVENTS = 15;
let s, r;
test.before(async () => {
	const dir = path.join(VAR, 'relay' + process.pid),
		{ key, cert } = selfSigned(dir);
	writeSecret(path.join(dir, 'password'), 'secret\n');
	r = await relay({ key: fs.readFileSync(key), cert: fs.readFileSync(cert), auth: true });
	s = await Server.make('mail', {
		mail: {
			url: r.url,
			require_tls: 'yes',
			ca_file: cert,
			username: 'desk',
			password_file: path.join(dir, 'password'),
			...(process.env.OLD
				? {}
				: { timeout_s: String(TIMEOUT_S), senders: String(SENDERS) }),
		},
	});
	const user = await s.login('user', 'alpha');
	for (let i = 0; i < EVENTS; i++) {
		const t = await s.post('/api/v1/tickets', user, {
			title: 'told',
			description: 'x',
			priority: 'P3',
		});
		assert.strictEqual(t.status, 201, t.text);
	}
	/* users who are notified of each of them, so that there are many mails */
	s.sql(`insert into staff (id, username, full_name, email, lang, role, created_at)
		select 1000 + n, 'p' || n, 'P', 'p' || n || '@provider.example', 'en', 'engineer', now() from generate_series(1, ${PEOPLE}) n`);
	s.cli(['keys', 'seal']); /* plain addresses are refused */
	await quiet();
});
test.after(async () => {
	await s.drop();
	await r.close();
});
/* psql in the background, because the measured code shares our event loop */
const sql = async (text) => (await s.sqlBeside(text)).stdout.trim();
const count = async (where) => Number(await sql('select count(*) from notifications where ' + where));
const quiet = () =>
	waitUntil(
		async () =>
			r.open.size === 0 && r.plans.length === 0 && (await count("state = 'queued'")) === 0,
		40000,
	);
/* queue N mails at once; returns the condition that selects their rows */
let told = 0;
async function queueMails(n) {
	const from = told;
	told += n;
	assert.ok(told <= EVENTS * PEOPLE);
	const ids = (
		await sql(
			`with e as (select row_number() over (order by seq) - 1 as k, * from events where type = 'ticket.created' and tenant_id = ${s.alpha})
			insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
			select e.tenant_id, e.seq, e.ticket_id, 'staff', 1001 + n % ${PEOPLE}, 'mail', 'ticket_new_staff', now(), e.at
			from generate_series(${from}, ${told - 1}) n join e on e.k = n / ${PEOPLE} returning id`,
		)
	)
		.split('\n')
		.map(Number);
	return `id between ${Math.min(...ids)} and ${Math.max(...ids)}`;
}
/* measure the loop while f runs: the slowest /healthz and the longest turn, without what the
 * machine withheld */
async function watched(f) {
	let on = true,
		slowest = 0;
	await s.metric('loop_stall_recent_seconds');
	machine.longestMs(true);
	const probe = waitUntil(async () => {
		slowest = Math.max(slowest, (await machine.timed(() => s.get('/healthz'))).ms);
		return !on;
	}, 120000);
	const result = await f();
	on = false;
	await probe;
	const turn = (await s.metric('loop_stall_recent_seconds')) * 1000;
	return { result, slowest, turn, stall: turn - machine.longestMs() };
}

for (const how of ['slow', 'hang', 'drip'])
	test(`a relay that is ${{ slow: 'slow', hang: 'hung', drip: 'dripping' }[how]} at every step at once`, async () => {
		await quiet();
		r.mails.length = r.met.length = 0;
		const w = await watched(async () => {
			r.plans = STEPS.map((at) => ({ at, how }));
			const stuck = await queueMails(STEPS.length);
			await waitUntil(() => r.met.length >= STEPS.length - 1); /* QUIT comes later */
			const at = Date.now(),
				lost = machine.lostMs(),
				beside = await queueMails(3);
			await waitUntil(async () => (await count(beside + " and state = 'sent'")) === 3);
			const took = Date.now() - at - (machine.lostMs() - lost);
			assert.ok(took < 2500, `the other mails took ${took} ms`);
			let lapsed = 0;
			await waitUntil(async () => {
				lapsed += await count("state = 'queued' and claim_until < now()");
				return (await count(stuck + " and state = 'sent'")) === STEPS.length;
			}, 40000);
			assert.strictEqual(lapsed, 0, 'no claim lapsed');
			return stuck;
		});
		await waitUntil(() => r.met.length === STEPS.length, 10000);
		console.log(
			`# ${how}: slowest /healthz ${w.slowest.toFixed(1)} ms, longest turn ${w.turn.toFixed(1)} ms, ` +
				`${r.mails.length} accepted, ${r.doubled().length} doubled`,
		);
		assert.ok(w.slowest < 400, `/healthz took ${w.slowest} ms`);
		assert.ok(w.stall <= 50, `the loop stalled for ${w.stall} ms`);
		assert.strictEqual(await count("state <> 'sent'"), 0, 'all are sent');
		assert.deepStrictEqual(r.empty(), []);
		/* a second copy, with the same id, exists only if the relay accepted the mail but
		 * never said so */
		assert.ok(r.doubled().length <= (how === 'slow' ? 0 : 1), r.doubled().join());
		const tries = await sql(
			`select string_agg(attempts::text, ' ' order by attempts) from notifications where ${w.result}`,
		);
		assert.strictEqual(tries, how === 'slow' ? '1 1 1 1 1 1 1 1 1' : '1 2 2 2 2 2 2 2 2');
	});

/* we decide when the relay replies to the end of MAIL */
function held(which) {
	let answer, mail;
	const taken = new Promise((ok) => {
		r.hold = (m) => {
			if (mail || (which && !which(m))) return '250 taken';
			mail = m;
			ok(m);
			return new Promise((give) => {
				answer = give;
			});
		};
	});
	return {
		taken,
		answer: (text) => {
			r.hold = null;
			answer(text);
		},
	};
}
test('a process that lost its claim cannot return it; the result that a mail was accepted always counts', async () => {
	for (const [answer, state, claim] of [
		['451 later', 'queued', 'another'],
		['250 taken', 'sent', 'nobody'],
	]) {
		await quiet();
		const h = held(),
			mine = await queueMails(1);
		await h.taken;
		s.sql(
			`update notifications set claimed_by = 'another', claim_until = now() + interval '1 hour' where ${mine}`,
		);
		h.answer(answer);
		await waitUntil(async () =>
			state === 'sent'
				? (await count(mine + " and state = 'sent'")) === 1
				: s.log.includes('is claimed by another'),
		);
		assert.strictEqual(
			s.sql(
				`select state || ' ' || coalesce(claimed_by, 'nobody') from notifications where ${mine}`,
			),
			state + ' ' + claim,
		);
		s.sql(`update notifications set claimed_by = null, claim_until = null where ${mine}`);
	}
});
test('only the owner of the claim can put a notification back', async () => {
	const text = fs.readFileSync(
			path.join(__dirname, '../../src/feature/notify/contract/wait.sql'),
			'utf8',
		),
		mine = await queueMails(1),
		run = (claim) =>
			s
				.sql(
					`begin; update notifications set claimed_by = 'b', claim_until = now() + interval '1 minute', attempts = 1 where ${mine};` +
						`prepare w as ${text}; execute w(${s.alpha}, ${mine.split(' ')[2]}, '${claim}', 1);` +
						`select claimed_by is null, attempts from notifications where ${mine}; rollback`,
				)
				.split('\n');
	assert.strictEqual(run('a').pop(), 'f|1');
	assert.strictEqual(run('b').pop(), 't|1');
});
test('a mail that was accepted while the database was down is not sent again', async () => {
	await quiet();
	const h = held(),
		mine = await queueMails(1),
		{ id } = await h.taken;
	pgctl('stop', '-m', 'immediate');
	try {
		await waitUntil(async () => (await s.get('/readyz')).status === 503);
		h.answer('250 taken');
		await waitUntil(async () => (await s.metric('notifications_unstored')) === 1);
	} finally {
		pgctl('start');
	}
	await waitUntil(async () => (await count(mine + " and state = 'sent'")) === 1);
	await quiet();
	assert.strictEqual(r.mails.filter((m) => m.id === id).length, 1);
});
const sockets = (pid) =>
	fs
		.readdirSync(`/proc/${pid}/fd`)
		.filter((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket')).length;
test('a helper that stops in the middle is killed and replaced, and its mail is sent again', async () => {
	await quiet();
	const met = r.met.length,
		restarts = await s.metric('helper_pool_restarts_total{pool="mail"}');
	r.plans = [{ at: 'data', how: 'hang' }];
	const mine = await queueMails(1);
	await waitUntil(() => r.met.length > met);
	const [busy] = execFileSync('pgrep', ['-P', String(s.proc.pid), '-f', 'sladesk-helper-mail'], {
		encoding: 'utf8',
	})
		.trim()
		.split('\n')
		.filter((pid) => sockets(pid) > 1);
	process.kill(Number(busy), 'SIGSTOP');
	await waitUntil(async () => (await count(mine + " and state = 'sent'")) === 1, 60000);
	assert.ok((await s.metric('helper_pool_restarts_total{pool="mail"}')) > restarts);
});
test('the senders are kept busy while there is mail, however long the relay takes to check one', async () => {
	await quiet();
	r.checkMs = 60;
	const n = 240,
		before = r.mails.length;
	await queueMails(n);
	await waitUntil(() => r.mails.length > before);
	const t = await machine.timed(() => waitUntil(() => r.mails.length === before + n, 30000));
	r.checkMs = 0;
	console.log(`# ${n} mails by ${SENDERS} senders in ${t.ms.toFixed(0)} ms`);
	/* 36 ms per mail on average; 0.8 s if each waited for the next claim */
	assert.ok(t.ms < 3000, `${t.ms} ms`);
});
