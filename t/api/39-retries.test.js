// SPDX-License-Identifier: Apache-2.0
// What follows a failed delivery: the recipient is refused, we are refused, the receiver is gone, asks for time, or is down. The webhooks of one
// customer do not delay those of another.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http');
const lib = require('../lib/server.js'),
	{ Server, hookSink } = lib,
	{ relay } = require('../lib/relay.js');

const REFUSALS = [
	/* where, code: is it about the recipient? */
	['rcpt', 550, true],
	['rcpt', 553, true],
	['rcpt', 501, true],
	['data', 554, true],
	['end', 552, true],
	['end', 500, true],
	['banner', 554, false],
	['auth', 535, false],
	['mail', 550, false],
	['mail', 530, false],
	['rcpt', 530, false],
	['rcpt', 450, null],
	['data', 451, null],
	['end', 452, null],
	['mail', 421, null],
	/* a relay without EHLO: the refusal of the greeting is over, what follows counts */
	['rcpt', 550, true, { at: 'ehlo', how: 502 }],
	['rcpt', 450, null, { at: 'ehlo', how: 502 }],
];
/* each attempt may wait for a trial of the circuit */
const waitUntil = (f, ms = 40000) => lib.waitUntil(f, ms);
let s, r, hook, user, admin, beta, serial;
test.before(async () => {
	r = await relay({ auth: true });
	hook = await hookSink();
	s = await Server.make('retries', {
		mail: { url: r.url, require_tls: 'no', username: 'desk' },
		notify: { allow_private: 'yes', backoff_s: '5' },
		test: { allow_clock: 'yes' },
	});
	await log_in();
	serial = 0;
});
test.after(async () => {
	await s.drop();
	await r.close();
	await hook.close();
});
/* the clock jumps by hours, and sessions end */
async function log_in() {
	[user, admin, beta] = await Promise.all([
		s.login('user', 'alpha'),
		s.login('admin', 'alpha'),
		s.login('admin', 'beta'),
	]);
}
const row = (where) =>
	JSON.parse(
		s.sql(
			`select coalesce(json_agg(n order by n.id)::text, '[]') from notifications n where ${where}`,
		),
	);
const open = async (token, title) =>
	(
		await s.post('/api/v1/client/tickets', token, {
			title: title || 'told ' + ++serial,
			description: 'x',
			priority: 'P3',
		})
	).data.id;
const settledMail = () =>
	waitUntil(
		() => r.open.size === 0 && row("channel = 'mail' and state = 'queued'").length === 0,
		20000,
	);
/* one mail to one person */
async function oneMail() {
	await settledMail();
	const id = s.sql(`with e as (select * from events where type = 'ticket.created' order by seq limit 1)
		insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
		select e.tenant_id, -${++serial}, e.ticket_id, 'staff', (select min(id) from staff), 'mail', 'ticket_new_staff', now(), e.at from e returning id`);
	return 'id = ' + id.split('\n')[0];
}

/* whom the mails of TEMPLATE went to */
const told = (template = 'mail_undeliverable') =>
	s
		.sql(
			`select coalesce(string_agg(n.recipient_kind || '/' || coalesce(p.username, u.username), ' ' order by n.id), '') from notifications n
			left join staff p on n.recipient_kind = 'staff' and p.id = n.recipient_id
			left join client_users u on n.recipient_kind = 'customer' and u.id = n.recipient_id where n.template = '${template}'`,
		)
		.trim();
const idOf = (table, username, tenant = s.alpha) =>
	s.sql(`select id from ${table} where username = '${username}'${table === 'staff' ? '' : ` and tenant_id = ${tenant}`}`);
/* a mail to this person, as by a rule, about a ticket of alpha */
async function mailTo(kind, id) {
	await settledMail();
	return (
		'id = ' +
		s
			.sql(
				`with e as (select * from events where type = 'ticket.created' and tenant_id = ${s.alpha} order by seq desc limit 1)
		insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, next_attempt_at, created_at)
		select e.tenant_id, -${++serial}, e.ticket_id, '${kind}', ${id}, 'mail', 'ticket_new_staff', now(), e.at from e returning id`,
			)
			.split('\n')[0]
	);
}
test('who can be reached in no way: the mail is dead and listed, and others are told once a day', async () => {
	await open(user, 'nobody hears this');
	await settledMail();
	const dies = async (kind, id, how = 550) => {
		r.plans = [{ at: 'rcpt', how }];
		const one = await mailTo(kind, id);
		await waitUntil(() => row(one)[0].state === 'dead');
		await settledMail();
		return row(one)[0];
	};
	/* the managers of one of the staff; the other administrators of a customer's person; the managers where there is none */
	const dead = await dies('staff', idOf('staff', 'eng1'));
	const managers = told().split(' ');
	assert.ok(managers.includes('staff/boss') && !managers.includes('staff/eng1'), told());
	await dies('staff', idOf('staff', 'eng1'));
	assert.strictEqual(told().split(' ').length, managers.length, 'once a day');
	await dies('customer', idOf('client_users', 'user'));
	assert.strictEqual(told().split(' ').at(-1), 'customer/admin');
	await dies('customer', idOf('client_users', 'admin'));
	assert.deepStrictEqual(told().split(' ').slice(managers.length + 1), managers, 'nobody else of the customer');
	const mail = r.mails.at(-1);
	assert.match(lib.decodeSubject(mail.raw), /Mail does not reach|邮件无法送达/);
	assert.match(lib.decodePart(mail.raw, 'text/plain'), /TKT-\d+/);
	/* a notice that is refused has no notice of its own */
	const before = told();
	s.sql("update events set at = at - interval '25 hours' where type = 'mail.undeliverable'");
	r.plans = [
		{ at: 'rcpt', how: 550 },
		{ at: 'rcpt', how: 550 },
	];
	const again = await mailTo('customer', idOf('client_users', 'user'));
	await waitUntil(() => row("template = 'mail_undeliverable' and state = 'dead'").length === 1);
	await settledMail();
	assert.strictEqual(row(again)[0].state, 'dead');
	assert.strictEqual(told(), before + ' customer/admin');
	r.plans = [];
	/* the list: staff alone, and each only of the customers served */
	const boss = await s.login('boss'),
		list = await s.all('/api/v1/notifications/dead', boss);
	assert.strictEqual(list.length, Number(s.sql("select count(*) from notifications where state = 'dead'")));
	const shown = list.find((n) => n.id === dead.id);
	assert.match(shown.last_error, /550/);
	assert.match(shown.number, /^TKT-/);
	assert.ok(shown.recipient_name);
	assert.strictEqual((await s.get('/api/v1/notifications/dead', admin)).status, 403);
	assert.ok((await s.metric('notifications_dead')) >= 4);
});
test('a refusal of the recipient is final; a refusal of us waits for the operator; everything else is retried', async () => {
	await open(user);
	await settledMail();
	for (const [at, code, final, first] of REFUSALS) {
		const name = `${code} at ${at}` + (first ? ' after ' + first.how : '');
		await settledMail(); /* others are told of the one that died */
		r.plans = [first ? { ...first, then: { at, how: code } } : { at, how: code }];
		const one = await oneMail();
		if (final) {
			await waitUntil(() => row(one)[0].state === 'dead').catch((e) => {
				throw new Error(name + ': ' + JSON.stringify(row("channel = 'mail'").slice(-6)) + e);
			});
			const [n] = row(one);
			assert.strictEqual(n.attempts, 1, name);
			assert.match(n.last_error, new RegExp(String(code)), name);
			assert.strictEqual(await s.metric('mail_refused'), 0, name);
			continue;
		}
		await waitUntil(() => row(one)[0].last_error !== null).catch((e) => {
			throw new Error(name + ': ' + JSON.stringify(row(one)) + e);
		});
		const [n] = row(one);
		assert.strictEqual(n.state, 'queued', name);
		assert.strictEqual(n.attempts, final === false ? 0 : 1, name + ': attempts');
		assert.strictEqual(await s.metric('mail_refused'), final === false ? 1 : 0, name);
		await s.jump(400);
		await waitUntil(() => row(one)[0].state === 'sent');
		assert.strictEqual(await s.metric('mail_refused'), 0, name + ': accepted again');
	}
	console.log(`# ${REFUSALS.length} refusals`);
});
test('one alarm while the relay refuses us, and no mail is given up', async () => {
	const alarms = () => s.log.split('the mail relay refuses this service').length - 1,
		before = alarms();
	const one = await oneMail();
	await settledMail();
	await log_in();
	r.plans = Array.from({ length: 30 }, () => ({ at: 'auth', how: 535 }));
	const late = await oneMail();
	for (let i = 0; i < 12; i++) {
		await s.jump(400);
		await waitUntil(() => r.plans.length < 30 - i || row(late)[0].state !== 'queued');
	}
	assert.strictEqual(row(late)[0].state, 'queued', 'after more attempts than notify.attempts');
	assert.strictEqual(alarms() - before, 1);
	const health = await s.get('/api/v1/integration/health', await s.login('boss'));
	assert.match(health.text, /"mail_refused":true/);
	r.plans = [];
	await waitUntil(async () => {
		await s.jump(400);
		return row(late)[0].state === 'sent';
	});
	assert.strictEqual(row(one)[0].state, 'sent');
});
test('a mail that the relay refuses as one of ours for notify.keep_days is dead: the others went on meanwhile', async () => {
	await log_in();
	await open(user);
	await settledMail();
	/* the address of one person alone; the relay takes all else */
	r.refused = /^eng2@/;
	const one = await mailTo('staff', idOf('staff', 'eng2'));
	await waitUntil(() => row(one)[0].last_error !== null);
	/* as if it had happened earlier */
	const ago = async (days, state) => {
		s.sql(`with e as (update events e set at = e.at - interval '${days} days' from notifications n
				where n.tenant_id = e.tenant_id and e.ticket_id = n.ticket_id and e.type = 'ticket.created' and n.${one} returning e.tenant_id, e.seq, e.at)
			update notifications n set event_seq = e.seq, created_at = e.at, next_attempt_at = '2020-01-01Z', last_error = null from e where n.${one}`);
		await waitUntil(async () => {
			if (row(one)[0].last_error !== null) return true;
			await s.jump(70); /* the circuit may be open */
			return false;
		});
		assert.strictEqual(row(one)[0].state, state, days + ' days');
	};
	const before = told().length;
	await ago(4, 'queued');
	assert.strictEqual(told().length, before);
	await ago(2, 'dead');
	r.refused = null;
	await s.jump(400);
	await settledMail();
	assert.strictEqual(row(one)[0].attempts, 0);
	assert.ok(told().length > before, 'the managers are told');
	await log_in();
});
test('webhooks: the receiver’s reply decides', async () => {
	await log_in();
	const w = await s.post('/api/v1/webhooks', admin, {
			url: hook.url,
			secret: 'webhook-secret-0001',
		}),
		/* the jumps of the clock cause further events */
		mine = () =>
			row(`recipient_kind = 'webhook' and recipient_id = ${w.data.id} and state <> 'sent' and event_seq in (
				select e.seq from events e where e.tenant_id = n.tenant_id and e.type = 'ticket.created')`);
	assert.strictEqual(w.status, 201, w.text);
	for (const [status, attempts] of [
		[400, 3],
		[404, 3],
		[302, 3],
		[500, 8],
		[408, 8],
		[425, 8],
		[429, 8],
		[503, 8],
	]) {
		hook.server.status = status;
		await log_in(); /* the jumps of the clock end sessions */
		await open(user);
		await waitUntil(() => mine().some((n) => n.last_error === 'status ' + status));
		assert.strictEqual(mine()[0].state, 'queued');
		/* the last attempt that the rule allows */
		s.sql(
			`update notifications set attempts = ${attempts - 2}, next_attempt_at = '2020-01-01Z' where recipient_kind = 'webhook' and state = 'queued'`,
		);
		await waitUntil(() => mine().every((n) => n.attempts === attempts - 1));
		assert.ok(
			mine().every((n) => n.state === 'queued'),
			'status ' + status,
		);
		s.sql(
			`update notifications set next_attempt_at = '2020-01-01Z' where recipient_kind = 'webhook' and state = 'queued'`,
		);
		await waitUntil(() => mine().every((n) => n.state === 'dead'));
		for (const n of mine()) assert.strictEqual(n.attempts, attempts, 'status ' + status);
		hook.server.status = 200;
		const replay = await s.post(`/api/v1/webhooks/${w.data.id}/replay`, admin, {});
		assert.strictEqual(replay.status, 201, replay.text);
		assert.ok(replay.data.replayed >= 1);
		await waitUntil(async () => {
			await s.jump(70); /* the circuit may be open */
			return mine().length === 0;
		}, 20000);
	}
	/* the receiver asks for time */
	await log_in();
	hook.server.status = 429;
	hook.server.answerHeaders = { 'Retry-After': '1800' };
	await open(user);
	await waitUntil(() => mine().some((n) => n.last_error === 'status 429'));
	const wait = Number(
		s.sql(
			`select extract(epoch from max(n.next_attempt_at - d.at))::int from notifications n join deliveries d on d.notification_id = n.id and d.tenant_id = n.tenant_id where n.recipient_kind = 'webhook' and n.state = 'queued'`,
		),
	);
	assert.ok(wait >= 1800 && wait < 1900, 'waits ' + wait);
	hook.server.answerHeaders = {};
	hook.server.status = 200;
	await s.jump(1900);
	await waitUntil(async () => {
		await s.jump(70);
		return mine().length === 0;
	});
	/* it is gone */
	await log_in();
	hook.server.status = 410;
	await open(user);
	await waitUntil(() => mine().some((n) => n.last_error === 'status 410' && n.state === 'dead'));
	const now = (await s.get('/api/v1/webhooks', admin)).data.items.find((x) => x.id === w.data.id);
	assert.strictEqual(now.active, false);
	assert.strictEqual(now.off_reason, 'status 410');
	assert.ok(now.off_at);
	await waitUntil(
		() =>
			s.sql(
				"select count(*) from notifications where template = 'webhook_off' and state = 'sent'",
			) === '1',
	);
	const mail = r.mails.at(-1);
	assert.ok(lib.decodeSubject(mail.raw).includes(hook.url), mail.raw);
	assert.match(lib.decodePart(mail.raw, 'text/plain'), /410/);
	hook.server.status = 200;
	assert.strictEqual(
		(await s.post(`/api/v1/webhooks/${w.data.id}/replay`, admin, {})).data.replayed,
		0,
		'nothing is sent while it is off',
	);
	const on = await s.request('PUT', `/api/v1/webhooks/${w.data.id}`, {
		token: admin,
		body: { active: true },
	});
	assert.deepStrictEqual([on.data.off_at, on.data.off_reason], [null, null]);
	assert.ok((await s.post(`/api/v1/webhooks/${w.data.id}/replay`, admin, {})).data.replayed >= 1);
	await waitUntil(() => mine().length === 0);
	assert.strictEqual((await s.post(`/api/v1/webhooks/${w.data.id}/replay`, beta, {})).status, 404);
});
test('a customer has at most 20 active webhooks', async () => {
	await log_in();
	const made = [];
	for (;;) {
		const w = await s.post('/api/v1/webhooks', beta, {
			url: hook.url,
			secret: 'webhook-secret-0001',
		});
		if (w.status !== 201) {
			assert.strictEqual(w.status, 400, w.text);
			assert.strictEqual(w.json.details.fields[0].field, 'url');
			break;
		}
		made.push(w.data.id);
		assert.ok(made.length <= 20);
	}
	assert.strictEqual(made.length, 20);
	assert.throws(
		() => s.cli(['webhook', 'add', '--tenant', 'beta', '--url', hook.url], 'webhook-secret-0001\n'),
		/\nsladesk: at most 20 active webhooks\n$/,
	);
	const put = (id, active) =>
		s.request('PUT', `/api/v1/webhooks/${id}`, { token: beta, body: { active } });
	assert.strictEqual((await put(made[0], false)).status, 200);
	assert.strictEqual((await put(made[0], true)).status, 200);
	for (const id of made) assert.strictEqual((await put(id, false)).status, 200);
});
test("receivers of one customer that hang do not delay another's", async () => {
	const stuck = http.createServer(() => {});
	await new Promise((ok) => stuck.listen(0, '0.0.0.0', ok));
	/* different hosts, so that no circuit opens for all of them */
	for (let i = 0; i < 18; i++)
		assert.strictEqual(
			(
				await s.post('/api/v1/webhooks', admin, {
					url: `http://127.0.0.${i + 10}:${stuck.address().port}/`,
					secret: 'webhook-secret-0001',
				})
			).status,
			201,
		);
	for (let i = 0; i < 10; i++) await open(user);
	await s.post('/api/v1/webhooks', beta, { url: hook.url, secret: 'webhook-secret-0002' });
	await waitUntil(() => row("channel = 'webhook' and claimed_by is not null").length >= 16);
	hook.calls.length = 0;
	const from = Date.now();
	await open(await s.login('user', 'beta'), 'of beta');
	await waitUntil(() => hook.calls.some((c) => c.body.includes(`"tenant_id":${s.beta}`)), 9000);
	console.log(
		`# delivered after ${Date.now() - from} ms beside ${row("channel = 'webhook' and state = 'queued'").length} that hang or wait`,
	);
	assert.ok(
		row(`channel = 'webhook' and tenant_id = ${s.alpha} and claimed_by is not null`).length <= 31,
	);
	stuck.closeAllConnections();
	stuck.close();
});
