// SPDX-License-Identifier: Apache-2.0
// Escalation that somebody asks for (product document 003, 6), and the pages of a P0: each person once.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, mailSink, PASSWORD } = require('../lib/server.js');

let s, sink, user, eng, eng2, boss;
const enter = async () => {
	[user, eng, eng2, boss] = await Promise.all([s.login('user', 'alpha'), s.login('eng1'), s.login('eng2'), s.login('boss')]);
};
before(async () => {
	sink = await mailSink();
	s = await Server.make('escalate', { mail: { url: sink.url }, test: { allow_clock: 'yes' } });
	for (const [name, role, level] of [
		['eng3', 'engineer', 3],
		['care', 'customer_success', 1],
	])
		s.cli(
			['user', 'add', '--staff', '--username', name, '--name', name, '--email', `${name}@provider.example`, '--role', role, '--level', String(level), '--lang', 'en'],
			PASSWORD + '\n',
		);
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
/* Who is mailed about the events of TYPE, one name for each mail. */
const told = (id, type) =>
	s
		.sql(
			`select coalesce(s.username, u.username) from notifications n
				join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq
				left join staff s on n.recipient_kind = 'staff' and s.id = n.recipient_id
				left join client_users u on n.recipient_kind = 'customer' and u.tenant_id = n.tenant_id and u.id = n.recipient_id
			where n.ticket_id = ${id} and n.channel = 'mail' and e.type = '${type}' order by 1`,
		)
		.split('\n')
		.filter(Boolean);
const opened = async (id) => (await s.get('/api/v1/tickets/' + id, user)).data.opened_at;
const mailed = async (title, to) => {
	await waitUntil(() => s.sql(`select count(*) from notifications where state = 'queued' and channel = 'mail'`) === '0');
	return sink.mails.filter((m) => m.subject.includes(title) && m.to[0].startsWith(to + '@'));
};

test('a customer\'s request for escalation raises the level, tells that level and the manager, and is answered who looks and until when', async () => {
	const id = await create({ priority: 'P1', title: 'asked for' });
	const r = await act(id, 'escalate', user, { reason: 'half a day is lost' });
	assert.strictEqual(r.level, 2);
	const due = (await s.get(`/api/v1/tickets/${id}/clocks`, user)).data.items.find((c) => c.clock === 'response').due_at;
	assert.strictEqual(r.answer_by, due, 'the response is due before another one would be');
	assert.strictEqual((await s.get('/api/v1/tickets/' + id, user)).data.level, 2);
	assert.deepStrictEqual(told(id, 'ticket.escalation_requested'), ['boss', 'eng2', 'user']);
	const [m, ...more] = await mailed('asked for', 'user').then((l) => l.filter((x) => /已升级/.test(x.subject)));
	assert.deepStrictEqual(more, []);
	assert.match(m.body, /升级至 L2。\n\n现由以下人员查看：eng2\n答复时间：不晚于 \d{4}-\d\d-\d\d \d\d:\d\d（Asia\/Shanghai/);
	const [staff] = (await mailed('asked for', 'eng2')).filter((x) => /escalation/i.test(x.subject));
	assert.match(staff.body, /half a day is lost/);
});

test('an escalation by staff is another event with its own text; nobody says that the customer asked', async () => {
	const id = await create({ priority: 'P2', title: 'beyond me' });
	await act(id, 'accept', eng);
	const r = await act(id, 'escalate', eng, { reason: 'needs an architect' });
	assert.deepStrictEqual([r.level, r.answer_by], [2, null]);
	assert.deepStrictEqual(told(id, 'ticket.escalated'), ['boss', 'eng2', 'user']);
	assert.deepStrictEqual(told(id, 'ticket.escalation_requested'), []);
	for (const who of ['boss', 'eng2', 'user'])
		for (const m of await mailed('beyond me', who)) assert.doesNotMatch(m.subject + m.body, /客户请求|请求升级|requests? the escalation/);
	const [m] = (await mailed('beyond me', 'user')).filter((x) => /升级/.test(x.subject));
	assert.match(m.body, /eng1已将工单 TKT-\d+「beyond me」升级至 L2。\n\n现由以下人员查看：eng2\n\n原因：\n> needs an architect/);
});

test('at the top level, an escalation reaches the engineers on call, and the level stays', async () => {
	const id = await create({ priority: 'P1', title: 'at the top' });
	for (let i = 0; i < 2; i++) await act(id, 'escalate', boss, { reason: 'up' });
	const before = told(id, 'ticket.escalated');
	assert.ok(!before.includes('eng1'), before.join());
	assert.strictEqual((await act(id, 'escalate', user, { reason: 'still' })).level, 3);
	assert.deepStrictEqual(told(id, 'ticket.escalation_requested'), ['boss', 'eng1', 'eng3', 'user']);
});

test('a request for escalation that is not answered in time is told to the level and the manager; an answer ends it', async () => {
	const id = await create({ priority: 'P1', title: 'left waiting' }),
		answered = await create({ priority: 'P1', title: 'not left' }),
		late = (k) => s.sql(`select count(*) from events where ticket_id = ${k} and type = 'ticket.escalation_late'`);
	for (const k of [id, answered]) await act(k, 'escalate', user, { reason: 'up' });
	await act(answered, 'reply', eng2, { text: 'on it' });
	await s.jump(31 * 60);
	await waitUntil(() => late(id) === '1');
	assert.deepStrictEqual(told(id, 'ticket.escalation_late'), ['boss', 'eng3'], '90 % has raised the level once more');
	assert.strictEqual(late(answered), '0');
	assert.strictEqual(s.sql(`select state from timers where subject_id = ${answered} and kind = 'escalation-late'`), 'cancelled');
	await enter();
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});

test('who asks again and again reaches each person once at each level until the answer, and does not put it off; the answered or late ask anew', async () => {
	const id = await create({ priority: 'P2', title: 'again and again' }),
		asks = async (n) => {
			for (let i = 0; i < n; i++) await act(id, 'escalate', user, { reason: 'now ' + i });
			return told(id, 'ticket.escalation_requested').join();
		},
		due = () => s.sql(`select string_agg(due_at::text, ',') from timers where subject_id = ${id} and kind = 'escalation-late' and state = 'pending'`);
	assert.strictEqual(await asks(1), 'boss,eng2,user');
	const first = due();
	await s.jump(60);
	assert.strictEqual(await asks(2), 'boss,boss,eng1,eng2,eng3,user,user', 'the next level, then who is on call');
	assert.strictEqual(await asks(20), 'boss,boss,eng1,eng2,eng3,user,user');
	assert.strictEqual(due(), first);
	assert.strictEqual(s.sql(`select count(*) from events where ticket_id = ${id} and type = 'ticket.escalation_requested'`), '23', 'each is recorded');
	await act(id, 'reply', eng2, { text: 'on it' });
	assert.strictEqual(due(), '');
	assert.strictEqual(await asks(5), 'boss,boss,boss,eng1,eng1,eng2,eng2,eng3,eng3,user,user,user', 'answered: news again, once, to the engineer of the answer, too');
	const late = () => s.sql(`select count(*) from events where ticket_id = ${id} and type = 'ticket.escalation_late'`);
	await s.jump(5 * 3600);
	await waitUntil(() => late() === '1');
	await enter();
	assert.strictEqual((await asks(5)).split(',').filter((x) => x === 'boss').length, 4, 'late: news again, once');
	assert.strictEqual(late(), '1');
});

test('the page of a P0 comes once to a person and never to who has just confirmed it', async () => {
	const pages = (id) => ['ticket.p0_guessed', 'ticket.p0_unconfirmed', 'ticket.p0_opened'].map((type) => told(id, type).join());
	const quick = await create({ title: '数据库宕机 quick' });
	assert.deepStrictEqual(pages(quick), ['eng1', '', '']);
	await act(quick, 'confirm-priority', eng);
	assert.deepStrictEqual(pages(quick), ['eng1', '', 'boss,care']);

	const slow = await create({ title: '数据库宕机 slow' });
	await s.jump(6 * 60);
	await waitUntil(() => pages(slow)[1] !== '');
	assert.deepStrictEqual(pages(slow), ['eng1', 'boss,care', '']);
	await act(slow, 'confirm-priority', eng2);
	assert.deepStrictEqual(pages(slow), ['eng1', 'boss,care', '']);

	const boss_confirms = await create({ title: '数据库宕机 boss' });
	await act(boss_confirms, 'confirm-priority', boss);
	assert.deepStrictEqual(pages(boss_confirms), ['eng1', '', 'care']);

	/* it was none, and becomes one: that is news again */
	const again = await create({ title: '数据库宕机 again' });
	await act(again, 'priority', boss, { priority: 'P3', reason: 'none' });
	await act(again, 'priority', eng2, { priority: 'P0', reason: 'it is one' });
	assert.deepStrictEqual(pages(again), ['eng1', '', 'boss,care,eng1']);

	/* set by who is on call */
	const own = await create({ priority: 'P3', title: 'own' });
	await act(own, 'priority', eng, { priority: 'P0', reason: 'it is one' });
	assert.deepStrictEqual(pages(own), ['', '', 'boss,care']);
});

test('a recorded phone call is not mailed as a reply of an engineer', async () => {
	const id = await create({ priority: 'P3', title: 'by phone' });
	await act(id, 'contact', eng, { text: 'we spoke', at: await opened(id) });
	assert.deepStrictEqual(told(id, 'ticket.contacted'), ['user']);
	const [m] = (await mailed('by phone', 'user')).filter((x) => /we spoke/.test(x.body));
	assert.match(m.subject, /与您的联系记录：by phone/);
	assert.match(m.body, /联系时间：\d{4}-\d\d-\d\d \d\d:\d\d（Asia\/Shanghai[^]*we spoke[^]*提出异议/);
	assert.doesNotMatch(m.subject + m.body.split('\n-- \n')[0], /回复/);
});

test('an accepted contact lifts a breach only for those who were told of it', async () => {
	const id = await create({ priority: 'P1', title: 'late by phone' }),
		quiet = await create({ priority: 'P1', title: 'nothing missed' });
	await act(quiet, 'contact', eng, { text: 'spoke', at: await opened(quiet) });
	await act(quiet, 'dispute-contact', user, { reason: 'no' });
	await act(quiet, 'accept-contact', boss, { reason: 'checked' });
	await mailed('nothing missed', 'user'); /* none is under way when the clock jumps, or it would be sent again */
	await s.jump(31 * 60);
	await waitUntil(() => s.sql(`select count(*) from sla_fires where ticket_id = ${id} and clock = 'response' and threshold = '100'`) === '1');
	await mailed('late by phone', 'user');
	await act(id, 'contact', eng, { text: 'spoke', at: await opened(id) });
	await act(id, 'accept-contact', boss, { reason: 'checked' });
	const says = async (title) => (await mailed(title, 'user')).filter((x) => /首次响应已认可/.test(x.subject)).map((m) => /违约已撤销/.test(m.body));
	assert.deepStrictEqual([await says('late by phone'), await says('nothing missed')], [[true], [false]]);
});

test('a reopening says so, who and why, to the requester and the assignee', async () => {
	const id = await create({ priority: 'P3', title: 'not over' });
	await act(id, 'reply', eng, { text: 'a look' });
	await act(id, 'resolve', eng, { text: 'done' });
	await act(id, 'reopen', user, { reason: 'it is back' });
	assert.ok(told(id, 'ticket.reopened').includes('eng1'));
	const [m] = (await mailed('not over', 'eng1')).filter((x) => /Reopened/.test(x.subject));
	assert.match(m.body, /^user has reopened ticket TKT-\d+, [^]*The reason:\n> it is back/m);
	await act(id, 'resolve', eng, { text: 'done' });
	await act(id, 'reopen', boss, { reason: 'we saw it' });
	await mailed('not over', 'user');
	assert.ok(sink.mails.some((x) => /已重新打开：not over/.test(x.subject) && /boss重新打开了工单[^]*原因：\n> we saw it/.test(x.body)));
});

/* The notifications about thresholds of resolution of ticket ID. */
const warned = (id) =>
	Number(
		s.sql(
			`select count(*) from notifications n join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq where n.ticket_id = ${id} and e.type = 'sla.threshold' and e.data->>'clock' = 'resolution'`,
		),
	);
test('a ticket that is reopened with thresholds past tells and does nothing of them again; its mail says where the resolution stands', async () => {
	const ids = [];
	for (const title of ['much used', 'overdue before']) {
		const id = await create({ priority: 'P3', title });
		await act(id, 'assign', boss, { assignee_id: Number(s.sql(`select id from staff where username = 'eng1'`)) });
		await act(id, 'reply', eng, { text: 'a look' });
		ids.push(id);
	}
	await s.jump(22 * 3600); /* 91 % of 24 h */
	await enter();
	const fires = (id) => Number(s.sql(`select count(*) from sla_fires where ticket_id = ${id} and clock = 'resolution'`));
	await waitUntil(() => ids.every((id) => fires(id) === 2));
	await act(ids[0], 'resolve', eng, { text: 'done' });
	await s.jump(3 * 3600);
	await enter();
	await waitUntil(() => fires(ids[1]) === 5);
	await act(ids[1], 'resolve', eng, { text: 'done' });
	await s.jump(10 * 3600);
	await enter();
	const state = (id) => [fires(id), warned(id), s.sql(`select level from tickets where id = ${id}`), s.sql(`select count(*) from rca_tasks where ticket_id = ${id}`)];
	for (const id of ids) {
		const before = state(id);
		assert.ok(before[1] > 0);
		await act(id, 'reopen', user, { reason: 'again' });
		const seq = s.sql(`select seq from events where ticket_id = ${id} and type = 'ticket.reopened'`);
		assert.strictEqual(s.sql(`select count(*) from events where ticket_id = ${id} and seq > ${seq} and type like 'sla.%'`), '0');
		assert.deepStrictEqual(state(id), before);
	}
	for (const [title, says] of [
		['much used', /^Resolution due: .* \((2 hours|1 hour 5\d minutes) left\)$/m],
		['overdue before', /^Resolution due: .* \(past\)$/m],
	]) {
		const [m] = (await mailed(title, 'eng1')).filter((x) => /Reopened/.test(x.subject));
		assert.match(m.body, says);
	}
	await s.jump(3 * 3600); /* what had not come before comes, once */
	await waitUntil(() => fires(ids[0]) === 5);
	assert.match(s.cli(['sla', 'verify']), /\b0 differences/);
});

test('a rating is told to the engineer; a bad one to the managers and customer success, too', async () => {
	await enter();
	for (const [score, names] of [
		[5, ['eng1']],
		[2, ['boss', 'care', 'eng1']],
	]) {
		const id = await create({ priority: 'P3', title: 'rated ' + score });
		await act(id, 'assign', boss, { assignee_id: Number(s.sql(`select id from staff where username = 'eng1'`)) });
		await act(id, 'resolve', eng, { text: 'done' });
		await act(id, 'rate', user, { score, text: 'as it was' });
		assert.deepStrictEqual(told(id, 'ticket.rated'), names);
		const [m] = (await mailed('rated ' + score, 'eng1')).filter((x) => /Rated/.test(x.subject));
		assert.match(m.body, new RegExp(`user has rated ticket TKT-\\d+, "rated ${score}": ${score} of 5\\.[^]*> as it was`));
	}
});
