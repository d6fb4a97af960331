// SPDX-License-Identifier: Apache-2.0
// A breach starts the emergency flow (sla.md 4): who is told, what the mails say has begun, and the root-cause analysis with its owner and due instant.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');

let s, sink, user, admin, eng, boss;
const enter = async () => {
	[user, admin, eng, boss] = await Promise.all([s.login('user', 'alpha'), s.login('admin', 'alpha'), s.login('eng1'), s.login('boss')]);
};
/* Sessions end meanwhile. */
const later = async (seconds) => {
	await s.jump(seconds);
	await enter();
};
before(async () => {
	sink = await mailSink();
	s = new Server('breach', { mail: { url: sink.url }, test: { allow_clock: 'yes' } });
	await s.prepare();
	await s.start();
	const service = s.token('provider', 'user:write,admin', 'crm');
	const r = await s.post('/api/v1/integration/customers/sync', service, {
		customers: [
			{
				external_id: 'C-1',
				code: 'alpha',
				name: 'Tenant alpha',
				customer_success_manager: '王成功',
				hotline: '400-800-1234',
				contacts: [
					{ external_id: 'P-1', name: '张三', email: 'zhang.san@alpha.example' },
					{ external_id: 'P-2', name: '李四', phone: '13812341234' },
					{ external_id: 'P-3', name: 'is the requester', email: 'User@alpha.example' },
					{ external_id: 'P-4', name: 'is the administrator', email: 'admin@alpha.example' },
				],
			},
		],
	});
	assert.deepStrictEqual([r.status, r.data && r.data.rejected], [200, []], r.text);
	await enter();
});
after(async () => {
	await s.drop();
	await sink.close();
});

const create = async (body) => {
	const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', ...body });
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
const act = async (id, cmd, token, body = {}) => {
	const r = await s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
	assert.strictEqual(r.status, 200, r.text);
	return r.data;
};
const fires = (id, clock) =>
	s.sql(`select count(*) from sla_fires where ticket_id = ${id} and clock = '${clock}' and threshold = '100'`);
/* The people (without the domain of their addresses) to whom mails of TEMPLATE about the ticket were sent, once each. */
const reached = async (id, template) => {
	await waitUntil(() => s.sql(`select count(*) from notifications where ticket_id = ${id} and state = 'queued'`) === '0');
	return s
		.sql(
			`select coalesce(s.username, u.username, c.external_id) from notifications n
				left join staff s on n.recipient_kind = 'staff' and s.id = n.recipient_id
				left join client_users u on n.recipient_kind = 'customer' and u.tenant_id = n.tenant_id and u.id = n.recipient_id
				left join contacts c on n.recipient_kind = 'contact' and c.tenant_id = n.tenant_id and c.id = n.recipient_id
			where n.ticket_id = ${id} and n.channel = 'mail' and n.template in (${template.map((t) => `'${t}'`)}) and n.state = 'sent' order by 1`,
		)
		.split('\n')
		.filter(Boolean);
};
const mails = (title, to) => sink.mails.filter((m) => m.subject.includes(title) && m.to[0].startsWith(to + '@'));
const rca = (id, state) => s.get(`/api/v1/rca?ticket_id=${id}${state ? '&state=' + state : ''}`, boss);

test('100 % of a response tells management, the customer\'s contacts and the requester, who learn exactly what has begun', async () => {
	const id = await create({ priority: 'P0', title: 'response of P0' });
	await s.jump(16 * 60); /* all thresholds at once: 90 % has raised the level, and the team hears of 80 % */
	await waitUntil(() => fires(id, 'response') === '1');
	assert.deepStrictEqual(await reached(id, ['sla_breach', 'sla_breach_customer']), ['P-1', 'admin', 'boss', 'eng2', 'user']);
	for (const who of ['user', 'admin', 'zhang.san']) {
		const [m, ...more] = mails('response of P0', who).filter((x) => /服务时限未达成/.test(x.subject));
		assert.deepStrictEqual(more, [], who);
		assert.match(m.body, /应急流程已启动：\n- 已通知管理层：boss\n- 已通知工程师：eng1、eng2\n- 已通知客户方联系人：3 人\n\n服务热线：400-800-1234\n客户成功经理：王成功\n/);
		assert.doesNotMatch(m.body, /根因分析/, 'a response has no analysis');
	}
	const [staff] = mails('response of P0', 'boss').filter((x) => /SLA breach/.test(x.subject));
	assert.match(staff.body, /The emergency process has started:\n- Management has been notified: boss\n- Engineers have been notified: eng1, eng2\n- People of the customer who have been notified: 3\n/);
	assert.deepStrictEqual((await rca(id)).data.items, []);
	assert.strictEqual(s.sql(`select count(*) from timers where subject_id = ${id} and kind like 'rca%'`), '0');
});

test('a contact who is a user gets one mail', async () => {
	assert.strictEqual(s.sql("select string_agg(external_id, ',' order by external_id) from contacts where email_index is not null"), 'P-1,P-3,P-4');
	assert.strictEqual(s.sql("select count(*) from notifications n join contacts c on n.recipient_kind = 'contact' and c.tenant_id = n.tenant_id and c.id = n.recipient_id where c.external_id in ('P-3', 'P-4')"), '0');
	assert.strictEqual(mails('response of P0', 'user').filter((x) => /服务时限未达成/.test(x.subject)).length, 1);
	/* another user's address is no reason to leave the contact out of what that user is not told */
	const other = await s.post('/api/v1/tickets', admin, { title: 'of the administrator', description: 'y', priority: 'P0' });
	assert.strictEqual(other.status, 201, other.text);
	await s.jump(16 * 60);
	await waitUntil(() => fires(other.data.id, 'response') === '1');
	assert.deepStrictEqual(await reached(other.data.id, ['sla_breach_customer']), ['P-1', 'P-3', 'admin']);
});

test('a breach whose managers are away says nothing of management', async () => {
	s.sql("update staff set disabled_at = now() where username = 'boss'");
	try {
		const id = await create({ priority: 'P0', title: 'nobody above' });
		await s.jump(16 * 60);
		await waitUntil(() => fires(id, 'response') === '1');
		await reached(id, ['sla_breach_customer']);
		const [m] = mails('nobody above', 'user').filter((x) => /服务时限未达成/.test(x.subject));
		assert.doesNotMatch(m.body, /管理层/);
		assert.match(m.body, /- 已通知工程师：eng1、eng2\n/);
	} finally {
		s.sql("update staff set disabled_at = null where username = 'boss'");
	}
	await enter();
});

test('a resolution breach begins a root-cause analysis: the manager on duty owns it, it is due, everybody is told who and until when', async () => {
	s.cli(
		['user', 'add', '--staff', '--username', 'duty', '--name', 'Duty Manager', '--email', 'duty@provider.example', '--role', 'manager', '--level', '3', '--lang', 'en', '--on-call'],
		PASSWORD + '\n',
	);
	const id = await create({ priority: 'P0', title: 'resolution of P0' });
	await act(id, 'confirm', eng);
	await act(id, 'reply', eng, { text: 'we look' });
	await later(2 * 3600 + 60);
	await waitUntil(() => fires(id, 'resolution') === '1');
	await waitUntil(async () => (await rca(id)).data.items.length === 1);
	const [task] = (await rca(id, 'open')).data.items;
	assert.deepStrictEqual([task.ticket_id, task.owner_name, task.priority, task.cycle, task.state], [id, 'Duty Manager', 'P0', 1, 'open']);
	assert.strictEqual(Math.round((Date.parse(task.due_at) - Date.parse(task.opened_at)) / 60000), 24 * 60, 'the report of a P0 is due within 24 hours');
	assert.deepStrictEqual(await reached(id, ['rca_opened']), ['duty']);
	const due = task.due_at.slice(0, 10);
	const [m] = mails('resolution of P0', 'user').filter((x) => /服务时限未达成/.test(x.subject));
	assert.match(m.body, new RegExp(`- 根因分析已开始，负责人：Duty Manager，完成期限：\\d{4}-`));
	const [mine] = mails('resolution of P0', 'duty').filter((x) => /Root-cause analysis/.test(x.subject));
	assert.match(mine.body, new RegExp(`You are responsible for the root-cause analysis\\.[^]*\nResponsible: Duty Manager\nDue: ${due.slice(0, 8)}`));
	/* its history names the owner, and customers do not see it before it is done */
	const opened = (await s.all(`/api/v1/tickets/${id}/history`, boss)).find((e) => e.type === 'ticket.rca_opened');
	assert.strictEqual(opened.data.owner_id, task.owner_id);
	assert.ok(!(await s.all(`/api/v1/tickets/${id}/history`, user)).some((e) => e.type === 'ticket.rca_opened'));
	assert.strictEqual((await s.get('/api/v1/rca', user)).status, 403);
	assert.match(s.cli(['rca', '--tenant', 'alpha']), /duty/);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);

	/* reminder, overdue, done */
	await later(18 * 3600);
	await waitUntil(() => s.sql(`select count(*) from events where ticket_id = ${id} and type = 'ticket.rca_reminder'`) === '1');
	assert.deepStrictEqual(await reached(id, ['rca_reminder']), ['duty']);
	await later(6 * 3600);
	await waitUntil(async () => (await rca(id, 'overdue')).data.items.length === 1);
	assert.deepStrictEqual(await reached(id, ['rca_overdue']), ['boss', 'duty']);
	/* somebody else can take it, who serves the customer; that one is told, and the log says so */
	const who = (name) => Number(s.sql(`select id from staff where username = '${name}'`)),
		give = (owner_id, by = boss) => s.post(`/api/v1/tickets/${id}/rca-assign`, by, { owner_id });
	assert.strictEqual((await give(who('eng1'), user)).status, 403);
	const nobody = await give(99999);
	assert.deepStrictEqual([nobody.status, nobody.json.details.fields[0].field], [400, 'owner_id']);
	assert.strictEqual((await give(who('eng1'))).status, 200);
	assert.deepStrictEqual((await rca(id, 'overdue')).data.items.map((x) => x.owner_name), ['eng1']);
	await waitUntil(() => s.sql(`select count(*) from notifications n join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq where n.ticket_id = ${id} and e.type = 'ticket.rca_assigned' and n.recipient_kind = 'staff' and n.recipient_id = ${who('eng1')}`) === '1');
	assert.match(s.cli(['rca', '--tenant', 'alpha']), /eng1/);
	assert.ok(!(await s.all(`/api/v1/tickets/${id}/history`, user)).some((e) => e.type === 'ticket.rca_assigned'));
	await waitUntil(async () => {
		s.proc.kill('SIGHUP');
		return (await s.metric('rca_overdue')) >= 1 && (await s.metric('rca_open')) >= 1;
	});
	assert.strictEqual((await s.post(`/api/v1/tickets/${id}/rca-done`, user, { text: 'no' })).status, 403);
	await act(id, 'rca-done', boss, { text: 'the disk was full' });
	assert.deepStrictEqual(await reached(id, ['rca_done']), ['P-1', 'admin', 'duty', 'user']);
	assert.match(mails('resolution of P0', 'user').find((x) => /根因分析：/.test(x.subject)).body, /the disk was full/);
	const [done] = (await rca(id, 'done')).data.items;
	assert.deepStrictEqual([done.state, done.done_by_name], ['done', 'boss']);
	assert.deepStrictEqual([(await give(who('eng2'))).status, (await give(who('eng2'))).code], [409, 41002], 'nothing is open');
	const again = await s.post(`/api/v1/tickets/${id}/rca-done`, boss, { text: 'twice' });
	assert.deepStrictEqual([again.status, again.code], [409, 41002], again.text);
	assert.strictEqual(s.sql(`select count(*) from timers where subject_id = ${id} and kind like 'rca%' and state = 'pending'`), '0');
	assert.doesNotMatch(s.cli(['rca']), /resolution of P0/);
});

test('an analysis that is done in time is neither reminded of nor overdue; one cycle has one, whatever the priority becomes', async () => {
	const id = await create({ priority: 'P3', title: 'slow P3' });
	await act(id, 'confirm', eng);
	await later(25 * 3600);
	await waitUntil(async () => (await rca(id)).data.items.length === 1);
	const [task] = (await rca(id)).data.items;
	assert.strictEqual(Math.round((Date.parse(task.due_at) - Date.parse(task.opened_at)) / 60000), 48 * 60);
	await act(id, 'priority', boss, { priority: 'P0', reason: 'worse' });
	await act(id, 'priority', boss, { priority: 'P1', reason: 'better' });
	assert.strictEqual((await rca(id)).data.items.length, 1);
	assert.strictEqual(s.sql(`select count(*) from events where ticket_id = ${id} and type = 'ticket.rca_opened'`), '1');
	await act(id, 'rca-done', eng, { text: 'found' });
	await later(49 * 3600);
	await waitUntil(() => s.sql(`select count(*) from timers where subject_id = ${id} and kind = 'report-due' and state = 'pending'`) === '0');
	assert.strictEqual(s.sql(`select count(*) from events where ticket_id = ${id} and type in ('ticket.rca_reminder', 'ticket.rca_overdue')`), '0');
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});

test('a report is ticked off before or after it is due, and its timer ends; another priority begins it anew', async () => {
	const pending = (id) => s.sql(`select count(*) from timers where subject_id = ${id} and kind = 'report-due' and state = 'pending'`),
		due = (id) => s.sql(`select count(*) from events where ticket_id = ${id} and type = 'ticket.report_due'`),
		shown = async (id) => (await s.get(`/api/v1/tickets/${id}`, user)).data,
		refused = async (id, token, status) => assert.strictEqual((await s.post(`/api/v1/tickets/${id}/report-done`, token, {})).status, status);
	/* in time */
	const early = await create({ priority: 'P1', title: 'reported early' }),
		at = await shown(early);
	assert.strictEqual(Date.parse(at.report_due_at) - Date.parse(at.opened_at), 48 * 3600e3);
	assert.strictEqual(at.report_done_at, null);
	assert.match(s.cli(['reports', '--tenant', 'alpha']), /\tf\treported early/);
	await refused(early, user, 403);
	await act(early, 'report-done', eng, { text: 'a cable was loose' });
	assert.strictEqual(pending(early), '0');
	assert.deepStrictEqual(await reached(early, ['report_done']), ['user']);
	assert.strictEqual((await s.all(`/api/v1/tickets/${early}/comments`, user)).at(-1).body, 'a cable was loose');
	const done = (await s.all(`/api/v1/tickets/${early}/history`, user)).find((e) => e.type === 'ticket.report_done');
	assert.strictEqual(done.actor_kind, 'staff');
	assert.strictEqual((await shown(early)).report_done_at, done.at);
	assert.doesNotMatch(s.cli(['reports']), /reported early/);
	await refused(early, eng, 409);
	/* no report is due at P3; a raise asks for one, and a further one for another */
	const raised = await create({ priority: 'P3', title: 'raised' });
	assert.strictEqual((await shown(raised)).report_due_at, null);
	await refused(raised, eng, 409);
	await act(raised, 'priority', boss, { priority: 'P1', reason: 'worse' });
	await act(raised, 'report-done', eng);
	await act(raised, 'priority', boss, { priority: 'P0', reason: 'much worse' });
	assert.strictEqual((await shown(raised)).report_done_at, null);
	assert.strictEqual(pending(raised), '1');
	/* late */
	await later(24 * 3600 + 60);
	await waitUntil(() => due(raised) === '1');
	assert.match(s.cli(['reports']), /\tt\traised/);
	await act(raised, 'report-done', eng);
	assert.ok((await shown(raised)).report_done_at > (await shown(raised)).report_due_at);
	await refused(raised, eng, 409);
	await later(49 * 3600);
	assert.deepStrictEqual([due(early), due(raised)], ['0', '1']);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});

test('a waiver and the breach reach the same people', async () => {
	const id = await create({ priority: 'P1', title: 'waived' });
	await act(id, 'assign', boss, { assignee_id: Number(s.sql("select id from staff where username = 'eng2'")) });
	await s.jump(31 * 60);
	await waitUntil(() => fires(id, 'response') === '1');
	const heard = await reached(id, ['sla_breach', 'sla_breach_customer']);
	assert.deepStrictEqual(heard, ['P-1', 'admin', 'boss', 'duty', 'eng2', 'user']);
	await act(id, 'waive', boss, { clock: 'response', reason: 'agreed' });
	const told = await reached(id, ['breach_waived']);
	assert.deepStrictEqual(told, heard.filter((x) => x !== 'boss'), 'all but who waived it');
});
