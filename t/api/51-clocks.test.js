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
