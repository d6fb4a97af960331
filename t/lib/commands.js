// SPDX-License-Identifier: Apache-2.0
// Every command on a ticket, for tests that go through all of them: what must happen before it, a body that is accepted, and who may execute it.
'use strict';
const assert = require('node:assert');

const soon = () => new Date(Date.now() + 3600e3).toISOString(),
	called = () => ({ text: 'x', at: new Date().toISOString() }),
	text = () => ({ text: 'x' }),
	reason = () => ({ reason: 'x' }),
	propose = ['propose-exclusion', () => ({ kind: 'test', reason: 'x' })];

/* BY: staff (an engineer), boss (a supervisor) or customer. BEFORE: commands with their bodies.
 * BODY gets the server and the ticket's id. */
const COMMANDS = {
	accept: {},
	'accept-contact': {
		by: 'boss',
		before: [
			['contact', called],
			['dispute-contact', reason],
		],
		body: reason,
	},
	'approve-exclusion': { by: 'boss', before: [propose], body: reason },
	assign: {
		body: (s) => ({ assignee_id: Number(s.sql("select id from staff where username = 'eng2'")) }),
	},
	cancel: { body: reason },
	category: { body: () => ({ category: 'x' }) },
	confirm: {},
	'confirm-priority': { sets: { priority: undefined } },
	'confirm-resolution': { by: 'customer', before: [['resolve', text]] },
	contact: { body: called },
	'dispute-contact': { by: 'customer', before: [['contact', called]], body: reason },
	escalate: { body: reason },
	'exclude-window': {
		by: 'boss',
		body: () => ({ from: new Date().toISOString(), to: soon(), reason: 'x' }),
	},
	link: { body: (s) => ({ parent_id: s.parent }) },
	merge: { before: [['link', (s) => ({ parent_id: s.parent })]] },
	mitigate: { body: text },
	monitor: { before: [['mitigate', text]] },
	note: { body: text },
	priority: { body: () => ({ priority: 'P2', reason: 'x' }) },
	'propose-exclusion': { body: propose[1] },
	rate: { by: 'customer', before: [['resolve', text]], body: () => ({ score: 5, text: 'x' }) },
	rebind: { by: 'boss', body: reason },
	'rca-assign': {
		body: (s, id) => {
			s.sql(`insert into rca_tasks (tenant_id, ticket_id, cycle, priority, event_seq, breached_at, opened_at, due_at)
				select tenant_id, id, 1, priority, 1, opened_at, opened_at, opened_at from tickets where id = ${id}`);
			return { owner_id: Number(s.sql("select id from staff where username = 'eng2'")) };
		},
	},
	'rca-done': {
		body: (s, id) => {
			s.sql(`insert into rca_tasks (tenant_id, ticket_id, cycle, priority, event_seq, breached_at, opened_at, due_at)
				select tenant_id, id, 1, priority, 1, opened_at, opened_at, opened_at from tickets where id = ${id}`);
			return text();
		},
	},
	redact: {
		by: 'boss',
		before: [['note', text]],
		body: (s, id) => ({
			comment_id: Number(
				s.sql(
					`select max(id) from ticket_comments where ticket_id = ${id} and kind = 'note'`,
				),
			),
			reason: 'x',
		}),
	},
	'reject-exclusion': { by: 'boss', before: [propose], body: reason },
	'report-done': {
		body: (s, id) => {
			s.sql(`insert into timers (tenant_id, kind, subject_id, due_at, origin_seq)
				select tenant_id, 'report-due', id, now() + interval '1 day', 1 from tickets where id = ${id}`);
			return text();
		},
	},
	reopen: { before: [['resolve', text]], body: reason },
	reply: { body: text },
	resolve: { body: text },
	resume: { before: [['wait-aws']], body: reason },
	rework: { before: [['mitigate', text]] },
	schedule: { body: () => ({ reason: 'x', until: soon() }) },
	tags: { body: () => ({ tags: ['x'] }) },
	'wait-aws': {},
	'wait-customer': { body: reason },
	waive: {
		by: 'boss',
		body: (s, id) => {
			s.sql(
				`update sla_clocks set breached_at = start_at where ticket_id = ${id} and clock = 'response'`,
			);
			return { clock: 'response', reason: 'x' };
		},
	},
};

/* Create a ticket on which CMD is allowed: {id, body}. WHO: tokens of staff, boss and customer. */
async function readyFor(s, who, cmd) {
	const c = COMMANDS[cmd],
		make = async (more) => {
			const t = { title: 'x', description: 'y', priority: 'P3', ...more },
				r = await s.post('/api/v1/tickets', who.customer, t);
			assert.strictEqual(r.status, 201, r.text);
			return r.data.id;
		};
	if (!s.parent) s.parent = await make();
	const id = await make(c.sets);
	for (const [before, body = () => ({})] of c.before || []) {
		const by = COMMANDS[before].by || 'staff',
			r = await s.post(`/api/v1/tickets/${id}/${before}`, who[by], await body(s, id));
		assert.strictEqual(r.status, 200, before + r.text);
	}
	return { id, by: who[c.by || 'staff'], body: c.body ? await c.body(s, id) : {} };
}

module.exports = { COMMANDS, readyFor };
