// SPDX-License-Identifier: Apache-2.0
// Escalation by thresholds and who hears of an unassigned ticket (sla.md 4): 90 % raises the level and tells that level; what would go to the
// assignee goes to the engineers of the level; reports count from where the policy says.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js');

let s, user, eng, boss;
before(async () => {
	s = await Server.make('escalation', { test: { allow_clock: 'yes' } });
	[user, eng, boss] = await Promise.all([s.login('user', 'alpha'), s.login('eng1'), s.login('boss')]);
});
after(() => s && s.drop());

const create = async (body) => {
	const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', ...body });
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
const get = async (id) => (await s.get('/api/v1/tickets/' + id, boss)).data;
/* The user names of staff who are told of the events of TYPE, with KEY as their threshold if there is one. */
const told = (id, type, key) =>
	s
		.sql(
			`select distinct st.username from notifications n join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq join staff st on n.recipient_kind = 'staff' and st.id = n.recipient_id where n.ticket_id = ${id} and e.type = '${type}' ${key ? `and e.data->>'threshold' = '${key}'` : ''} order by 1`,
		)
		.split('\n')
		.filter(Boolean);

test('a customer\'s reply on an unassigned P0 is told to the engineers of its level', async () => {
	const id = await create({ priority: 'P0' });
	assert.strictEqual((await s.post(`/api/v1/tickets/${id}/reply`, user, { text: 'hurry' })).status, 200);
	assert.deepStrictEqual(told(id, 'ticket.customer_replied'), ['eng1']);
	const taken = await create({ priority: 'P0' });
	await s.post(`/api/v1/tickets/${taken}/assign`, boss, {
		assignee_id: Number(s.sql("select id from staff where username = 'eng2'")),
	});
	await s.post(`/api/v1/tickets/${taken}/reply`, user, { text: 'hurry' });
	assert.deepStrictEqual(told(taken, 'ticket.customer_replied'), ['eng2']);
});

test('90 % escalates to the next level and tells it; the reminder before due reaches the team', async () => {
	const id = await create({ priority: 'P2' }); /* response in 2 h */
	await s.jump(91 * 60);
	await waitUntil(() => told(id, 'sla.threshold', '-30m').length);
	assert.deepStrictEqual(told(id, 'sla.threshold', '-30m'), ['eng1']);
	assert.strictEqual((await get(id)).level, 1);
	await s.jump(6 * 60); /* 80 %, which would otherwise be told together with 90 % */
	await waitUntil(() => s.sql(`select count(*) from sla_fires where ticket_id = ${id} and threshold = '80'`) === '1');
	await s.jump(12 * 60); /* 109 of 120 minutes */
	await waitUntil(async () => (await get(id)).level === 2);
	assert.deepStrictEqual(told(id, 'sla.threshold', '90'), ['eng2']);
	assert.match(s.cli(['sla', 'verify']), /\b0 differences/);
});

test('raised from P3 to P0 after a reply: the ladder runs', async () => {
	const id = await create({ priority: 'P3' });
	await s.post(`/api/v1/tickets/${id}/reply`, eng, { text: 'seen' });
	await s.post(`/api/v1/tickets/${id}/priority`, boss, { priority: 'P0', reason: 'worse' });
	const ladder = () => s.sql(`select state from sla_clocks where ticket_id = ${id} and clock = 'ladder'`);
	assert.strictEqual(ladder(), 'running');
	await s.post(`/api/v1/tickets/${id}/priority`, boss, { priority: 'P3', reason: 'better' });
	assert.strictEqual(ladder(), 'ended');
	assert.match(s.cli(['sla', 'verify']), /\b0 differences/);
});

test('a report is due from the opening or from the resolution, as the policy says', async () => {
	const doc = (from) => ({
		priorities: { P1: { response_s: 1800, resolution_s: 14400, report_s: 3600 } },
		thresholds: ['100'],
		report_from: from,
	});
	const put = (d) =>
		s.request('PUT', '/api/v1/sla/policies/reports', { token: boss, body: { document: d, calendar: '24x7' } });
	const bad = await put(doc('banana'));
	assert.strictEqual(bad.status, 400);
	assert.match(bad.text, /report_from/);
	const zh = await s.request('PUT', '/api/v1/sla/policies/reports', {
		token: boss,
		body: { document: doc('banana'), calendar: '24x7' },
		headers: { 'Accept-Language': 'zh-CN' },
	});
	assert.match(zh.json.details.fields[0].rule, /report_from：应为 opened、resolved 之一$/);
	assert.strictEqual((await put(doc('resolved'))).status, 200);
	s.sql(`update customers set policy_code = 'reports' where tenant_id = ${s.alpha}`);
	await waitUntil(async () => {
		const id = await create({ priority: 'P1' });
		return s.sql(`select c.code from tickets t join sla_configurations c on c.id = t.policy_id where t.id = ${id}`) === 'reports';
	});
	const id = await create({ priority: 'P1' }),
		due = () => s.sql(`select due_at from timers where subject_id = ${id} and kind = 'report-due' and state = 'pending'`);
	assert.strictEqual(due(), '');
	await s.post(`/api/v1/tickets/${id}/confirm`, eng, {});
	const done = await s.post(`/api/v1/tickets/${id}/resolve`, eng, {
		...{ text: 'done', root_cause: 'a', solution: 'b', solution_kind: 'permanent', prevention: 'c', configuration: 'd' },
	});
	assert.strictEqual(done.status, 200, done.text);
	assert.strictEqual(
		s.sql(`select extract(epoch from t.due_at - k.resolved_at)::int from timers t join tickets k on k.id = t.subject_id where t.subject_id = ${id} and t.kind = 'report-due' and t.state = 'pending'`),
		'3600',
	);
	await s.post(`/api/v1/tickets/${id}/reopen`, user, { reason: 'again' });
	assert.strictEqual(due(), '');
});
