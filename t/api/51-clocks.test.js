// SPDX-License-Identifier: Apache-2.0
// The law of clocks (sla.md 3 and 4): AWS's own clock, the ladder's calendar, reports that are ticked off; tickets that were stored under
// older rules stay as they were judged.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js');

let s, user, eng, boss;
before(async () => {
	s = await Server.make('clocks', { test: { allow_clock: 'yes' } });
	[user, eng, boss] = await Promise.all([s.login('user', 'alpha'), s.login('eng1'), s.login('boss')]);
});
after(() => s && s.drop());

const create = async (body) => {
	const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', ...body });
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
const act = async (id, command, body = {}, token = eng) => {
	const r = await s.post(`/api/v1/tickets/${id}/${command}`, token, body);
	assert.strictEqual(r.status, 200, r.text);
	return r;
};
const clock = async (id, name) =>
	(await s.get(`/api/v1/tickets/${id}/clocks`, boss)).data.items.find((c) => c.clock === name);
/* The user names of staff who are told of the events of TYPE. */
const told = (id, type) =>
	s
		.sql(
			`select distinct st.username from notifications n join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq join staff st on n.recipient_kind = 'staff' and st.id = n.recipient_id where n.ticket_id = ${id} and e.type = '${type}' order by 1`,
		)
		.split('\n')
		.filter(Boolean);
const exact = () => assert.match(s.cli(['sla', 'verify']), /\b0 differences/);

test('pending_aws has its own clock: a case that nobody looks at is told, first to the assignee, then to the manager', async () => {
	const id = await create({ priority: 'P0' });
	await act(id, 'reply', { text: 'we are on it' });
	assert.strictEqual(await clock(id, 'aws'), undefined);
	await act(id, 'wait-aws');
	const first = await clock(id, 'aws');
	assert.deepStrictEqual([first.state, first.budget_s], ['running', 600]);
	await act(id, 'note', { text: 'looked at the case' });
	const second = await clock(id, 'aws');
	assert.ok(Date.parse(second.due_at) > Date.parse(first.due_at), 'the period goes on from the note');
	await s.jump(11 * 60);
	await waitUntil(() => told(id, 'sla.aws_check').length);
	assert.deepStrictEqual(told(id, 'sla.aws_check'), ['eng1']);
	assert.deepStrictEqual(told(id, 'sla.aws_unchecked'), []);
	await s.jump(10 * 60);
	await waitUntil(() => told(id, 'sla.aws_unchecked').length);
	assert.deepStrictEqual(told(id, 'sla.aws_unchecked'), ['boss', 'eng1']);
	await s.jump(3600);
	const fires = () => s.sql(`select count(*) from sla_fires where ticket_id = ${id} and clock = 'aws'`);
	await waitUntil(() => s.sql(`select count(*) from sla_fires where ticket_id = ${id} and clock = 'update'`) > 1);
	assert.strictEqual(fires(), '2', 'it waits for somebody');
	exact();
	await act(id, 'resume', { reason: 'AWS has answered' });
	assert.strictEqual((await clock(id, 'aws')).state, 'stopped');
	assert.strictEqual(s.sql(`select sla_breached from tickets where id = ${id}`), 't', 'by the update');
	assert.strictEqual(
		s.sql(`select count(*) from sla_breaches where ticket_id = ${id} and clock = 'aws'`),
		'0',
		'it has no part in any rate',
	);
	exact();
});

/* Carry out a command as a version before the law was named has stored it: the events name none, and one clock is as it was. */
const actBefore = async (id, name, ...command) => {
	s.sql(`create table old_clock as select * from sla_clocks where ticket_id = ${id} and clock = '${name}'`);
	await act(id, ...command);
	s.sql(`update events set data = data - 'law' where ticket_id = ${id};
		delete from sla_clocks where ticket_id = ${id} and clock = '${name}';
		insert into sla_clocks select * from old_clock;
		drop table old_clock`);
};

test('verify finds nothing after an upgrade: tickets that were stored under older rules', async () => {
	const raised = await create({ priority: 'P3' });
	await act(raised, 'reply', { text: 'seen' });
	// the first law began no ladder with a priority
	await actBefore(raised, 'ladder', 'priority', { priority: 'P0', reason: 'worse' }, boss);
	const waiting = await create({ priority: 'P3' });
	await act(waiting, 'reply', { text: 'seen' });
	await actBefore(waiting, 'aws', 'wait-aws');
	const later = await create({ priority: 'P3' }); // by the second law, which did not name itself
	await act(later, 'reply', { text: 'seen' });
	await actBefore(later, 'none', 'priority', { priority: 'P0', reason: 'worse' }, boss);
	exact();
	// from now on, what happens is under the present law
	await act(waiting, 'note', { text: 'looked at the case' });
	assert.strictEqual((await clock(waiting, 'aws')).state, 'running');
	await act(raised, 'reply', { text: 'again' });
	assert.strictEqual((await clock(raised, 'ladder')).state, 'running');
	exact();
	// a difference is still one
	s.sql(`update sla_clocks set budget_s = 1 where ticket_id = ${raised} and clock = 'response'`);
	assert.throws(() => s.cli(['sla', 'verify']), /1 differences/);
	s.sql(`update sla_clocks set budget_s = 14400 where ticket_id = ${raised} and clock = 'response'`);
	exact();
});

const put = (path, body) => s.request('PUT', '/api/v1/sla/' + path, { token: boss, body });
/* The daemon's clock. */
const now = () => Date.now() + (s.ahead + s.jumped) * 1000;
/* A calendar that is open around the clock, but for these dates. */
const open = (holidays) => ({
	tz: 'UTC',
	hours: Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((d) => [d, [['00:00', '24:00']]])),
	holidays,
});
const days = (from, n) =>
	Array.from({ length: n }, (_, i) => new Date(now() + (from + i) * 86400e3).toISOString().slice(0, 10));
/* When the ladder's next step comes, in hours from now. */
const step = async (id) => (Date.parse((await clock(id, 'ladder')).next_fire_at) - now()) / 3600e3;

test("P2's ladder runs in the calendar that the policy names, and stays in it when the calendar changes", async () => {
	const policy = (ladder) => ({
		document: {
			priorities: {
				P1: { response_s: 7200, resolution_s: 28800, ladder_s: [1800, 3600, 7200] },
				P2: { response_s: 7200, resolution_s: 28800, ladder_s: [1800, 3600, 7200] },
			},
			thresholds: ['100'],
			...ladder,
		},
		calendar: '24x7',
		service_type: 'change',
	});
	for (const wrong of [{ ladder: 'cn-business' }, { ladder: { calendar: 7 } }, { ladder: { calender: 'x' } }, { ladder: { calendar: 'no-such' } }]) {
		const r = await put('policies/laddered', policy(wrong));
		assert.strictEqual(r.status, 400, r.text);
		assert.match(r.text, /ladder|calendar|calender/);
	}
	assert.strictEqual((await put('calendars/hours', { document: open(days(-1, 10)) })).status, 200);
	assert.strictEqual((await put('policies/laddered', policy({ ladder: { calendar: 'hours' } }))).status, 200);
	const opened = async (priority) => {
		const id = await create({ priority, service_type: 'change' });
		await act(id, 'reply', { text: 'seen' });
		return id;
	};
	const closed = await opened('P2');
	assert.ok((await step(closed)) > 8 * 24, 'all of the next days are closed');
	assert.ok((await step(await opened('P1'))) < 0.6, 'P1 around the clock');
	assert.ok(Date.parse((await clock(closed, 'resolution')).due_at) - now() < 9 * 3600e3, 'the promise in its own');
	// the calendar is changed: the ladder that runs stays, a new one runs in the new version
	assert.strictEqual((await put('calendars/hours', { document: open([]) })).status, 200);
	assert.ok((await step(closed)) > 8 * 24);
	await act(closed, 'note', { text: 'progress begins its wait anew, in the same version' });
	assert.ok((await step(closed)) > 8 * 24);
	const later = await opened('P2');
	assert.ok((await step(later)) < 0.6);
	exact();
	// without a name it is cn-business
	assert.strictEqual((await put('policies/laddered', policy({}))).status, 200);
	assert.strictEqual(
		s.sql(
			`select k.code from sla_configurations p join calendars k on k.id = p.ladder_calendar_id where p.code = 'laddered' order by p.version desc limit 1`,
		),
		'cn-business',
	);
	// and so it is for the built-in policy; versions from before stay as they were
	assert.strictEqual(
		s.sql(
			`select string_agg(coalesce(k.code, '-'), ',' order by p.version) from sla_configurations p left join calendars k on k.id = p.ladder_calendar_id where p.code = 'standard'`,
		),
		'-,cn-business',
	);
});
