// SPDX-License-Identifier: Apache-2.0
// sladesk demo: sixty days of history that the rules confirm, a simulator that goes on through the API, and never among real tickets.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	path = require('node:path'),
	{ spawn, spawnSync } = require('node:child_process');
const { Server, waitUntil, INST } = require('../lib/server.js');

let d, logins, password;
test.before(async () => {
	d = await Server.make('demo');
	/* an installation that has no customers yet */
	d.sql(
		'set session_replication_role = replica; delete from customers where tenant_id > 1; delete from tenant_counters where tenant_id > 1; delete from client_users; delete from staff',
	);
});
test.after(() => d.drop());
const number = (sql) => Number(d.sql(sql)),
	rows = (sql) => d.sql(sql).split('\n').filter(Boolean),
	sladesk = (server, ...args) => spawnSync(path.join(INST, 'bin/sladesk'), ['-c', server.file, ...args], { encoding: 'utf8' }),
	login = async (username, tenant) => {
		await d.get('/readyz').catch(() => null); /* the connection may have ended while a command ran */
		const r = await d.post('/api/v1/auth/login', null, { username, tenant, password });
		assert.strictEqual(r.status, 200, r.text);
		return r.data.access_token;
	};
const STATES = ['new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring', 'resolved', 'closed', 'cancelled', 'merged'];

test('where there is no demo, the simulator does not run', () => {
	const r = sladesk(d, 'demo', '--live');
	assert.notStrictEqual(r.status, 0);
	assert.match(r.stderr, /not a demo: make one/);
});

test('sixty days: every stored clock is what the rules say, every state and priority is there, and nobody gets mail about the past', () => {
	const began = Date.now();
	logins = d.cli(['demo']);
	console.log(`made in ${Date.now() - began} ms: ${d.sql('select count(*) from tickets')} tickets, ${d.sql('select count(*) from events')} events`);
	password = /password (\S+)/.exec(logins)[1];
	for (const code of ['guangming', 'northwind', 'haihang']) assert.match(logins, new RegExp('customer code ' + code));
	for (const name of ['li.wei', 'chen.jie', 'zhao.lei', 'sun.li', 'zhou.tao', 'wu.xin']) assert.ok(logins.includes(name), name);
	assert.match(d.cli(['sla', 'verify']), /verified (\d+) tickets, 0 differences/);
	assert.deepStrictEqual(rows('select distinct status from tickets').sort(), [...STATES].sort());
	assert.deepStrictEqual(rows('select distinct priority from tickets').sort(), ['P0', 'P1', 'P2', 'P3', 'P4']);
	assert.strictEqual(number('select count(*) from notifications where created_at < (select until from demo)'), 0);
	assert.strictEqual(number('select count(*) from tickets where muted'), 0);
	assert.strictEqual(number("select count(*) from timers where state = 'pending' and due_at < now() - interval '1 minute'"), 0, 'nothing is left to be done late');
	/* every working day of the sixty has tickets, no ticket is of the future, and ids rise by day */
	assert.ok(number("select count(distinct (opened_at at time zone 'Asia/Shanghai')::date) from tickets") > 50);
	assert.strictEqual(number("select count(*) from events where at > now() + interval '5 seconds'"), 0);
	assert.ok(number("select count(*) from tickets where extract(hour from opened_at at time zone 'Asia/Shanghai') between 9 and 18") > number('select count(*) from tickets') * 0.8, 'office hours');
	/* fires happen when they are due, breaches and ratings of every kind are there */
	assert.ok(number('select count(*) from sla_fires where lag_ms > 5000') < number('select count(*) from sla_fires') * 0.02);
	for (const clock of ['response', 'resolution'])
		for (const verdict of ['met', 'breached']) assert.ok(number(`select count(*) from sla_clocks where clock = '${clock}' and verdict = '${verdict}'`) > 5, clock + verdict);
	assert.ok(number('select count(distinct score) from client_satisfaction') >= 4);
	assert.ok(number('select count(distinct assignee_id) from tickets') >= 4);
	assert.ok(number('select count(distinct department) from tickets') >= 6);
	assert.strictEqual(number("select count(*) from tickets t where t.status <> 'new' and t.priority = 'P0' and not exists (select from ticket_comments c where c.ticket_id = t.id and c.author_kind = 'staff')"), 0);
	assert.ok(number("select count(*) from tickets where status not in ('resolved', 'closed', 'cancelled', 'merged')") >= 15, 'enough to look at');
});

test('the texts: no placeholder is left, and each language stays with its customers', () => {
	assert.strictEqual(number("select count(*) from tickets where title like '%{%'"), 0);
	assert.strictEqual(number("select count(*) from ticket_comments where body like '%{}%' or details::text like '%{}%'"), 0);
	assert.ok(number("select count(distinct regexp_replace(title, '[^[:alpha:]]', '', 'g')) from tickets") > 60);
	/* a blank between Chinese and Latin, but none before a percent sign */
	const joined = "~ '[\\u4e00-\\u9fff][A-Za-z0-9]|[A-Za-z0-9%][\\u4e00-\\u9fff]|[\\u4e00-\\u9fff][^a-z]*[0-9] %'";
	assert.deepStrictEqual(rows(`select title from tickets where title ${joined} union select body from ticket_comments where body ${joined} or details::text ${joined}`), []);
	assert.strictEqual(number("select count(*) from tickets t join customers c using (tenant_id) where (t.title ~ '[\\u4e00-\\u9fff]') <> (c.lang = 'zh')"), 0);
});

test('a critical ticket is a whole story: answered, reported on, mitigated, resolved with its cause', () => {
	for (const id of rows("select id from tickets where priority = 'P0' and status = 'closed'")) {
		const types = rows(`select type from events where ticket_id = ${id} order by seq`);
		for (const t of ['ticket.p0_opened', 'ticket.replied', 'ticket.confirmed', 'ticket.resolved', 'ticket.closed']) assert.ok(types.includes(t), `${id}: ${t} in ${types}`);
		assert.ok(types.filter((t) => t === 'ticket.replied').length >= 3, types.join());
		assert.ok(JSON.parse(d.sql(`select details from ticket_comments where ticket_id = ${id} and kind = 'resolution' limit 1`)).root_cause);
	}
	assert.ok(number("select count(*) from tickets where priority = 'P0'") >= 2);
});

test('a second run continues: the same logins, no ticket twice; after a pause, the missing days', () => {
	const before = number('select count(*) from tickets');
	assert.strictEqual(d.cli(['demo']), logins);
	assert.ok(number('select count(*) from tickets') <= before + 2, 'nothing but what happened meanwhile');
	d.sql("update demo set until = until - interval '5 days'");
	d.cli(['demo']);
	const added = number('select count(*) from tickets') - before;
	assert.ok(added > 10 && added < 150, `${added} added`);
	assert.match(d.cli(['sla', 'verify']), /, 0 differences/);
	assert.ok(number('select extract(epoch from now() - until) from demo') < 60);
	assert.strictEqual(number('select count(*) from notifications where created_at < (select until from demo)'), 0);
});

test('every role has something to see', async () => {
	for (const name of ['li.wei', 'zhao.lei', 'sun.li', 'zhou.tao', 'wu.xin', 'he.jing']) assert.ok((await d.get('/api/v1/tickets?limit=50', await login(name))).data.items.length === 50, name);
	for (const code of ['guangming', 'northwind', 'haihang']) {
		const admin = await login('admin', code),
			o = (await d.get('/api/v1/client/dashboard/overview?period=30d', admin)).data.summary;
		assert.ok(o.total_tickets > 40 && o.resolved_tickets > 30 && o.sla_compliance > 60 && o.satisfaction_score > 3, JSON.stringify(o));
	}
});

test('the simulator opens, answers and resolves as the people of the demo, and ends on SIGTERM', async () => {
	const seq = number('select sum(seq) from tenant_counters'),
		opened = number('select count(*) from tickets'),
		p = spawn(path.join(INST, 'bin/sladesk'), ['-c', d.file, 'demo', '--live', '--pace', '4000', '--url', d.url || `http://127.0.0.1:${d.port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '',
		err = '';
	p.stdout.on('data', (b) => (out += b));
	p.stderr.on('data', (b) => (err += b));
	const ended = new Promise((resolve) => p.on('exit', (code, signal) => resolve([code, signal])));
	await waitUntil(() => number('select count(*) from tickets') >= opened + 4 && / resolve TKT/.test(out) && / reply TKT/.test(out) && /opens TKT/.test(out), 60000);
	p.kill('SIGTERM');
	const at = Date.now();
	assert.deepStrictEqual(await ended, [0, null], err);
	assert.ok(Date.now() - at < 5000, `${Date.now() - at} ms`);
	assert.match(out, /ended: \d+ tickets opened\n$/);
	assert.strictEqual(err, '');
	/* through the API: the audit log names them, and their sessions have ended */
	assert.ok(number("select count(*) from audit_logs where operation like 'tickets.%' or operation like 'ticket.%'") > 3);
	assert.ok(number('select sum(seq) from tenant_counters') > seq);
	assert.match(d.cli(['sla', 'verify']), /, 0 differences/);
});

test('a ticket that a visitor has opened or touched is left alone', async () => {
	const user = await login('user', 'northwind'),
		mine = await d.post('/api/v1/tickets', user, { title: 'My own words', description: 'Not of the demo', priority: 'P3' }),
		touched = d.sql("select id from tickets where status = 'new' order by id desc limit 1 offset 1"),
		manager = await login('zhou.tao');
	if (touched) await d.post(`/api/v1/tickets/${touched}/note`, manager, { text: 'I have a look myself' });
	const p = spawn(path.join(INST, 'bin/sladesk'), ['-c', d.file, 'demo', '--live', '--pace', '100000', '--url', `http://127.0.0.1:${d.port}`], { stdio: ['ignore', 'pipe', 'ignore'] });
	let out = '';
	p.stdout.on('data', (b) => (out += b));
	await waitUntil(() => (out.match(/ resolve TKT/g) || []).length >= 2, 60000);
	p.kill('SIGTERM');
	await new Promise((resolve) => p.on('exit', resolve));
	for (const id of [mine.data.id, ...(touched ? [touched] : [])])
		assert.strictEqual(number(`select count(*) from events where ticket_id = ${id} and actor_kind = 'staff' and type <> 'ticket.noted'`), 0, `ticket ${id}`);
});

test('an installation that is not a demo is refused, and nothing changes in it', async () => {
	const s = await Server.make('demo_not');
	try {
		const before = s.sql('select (select count(*) from customers), (select count(*) from staff), (select count(*) from tickets)');
		for (const args of [['demo'], ['demo', '--live'], ['demo', '--live', '--pace', '5']]) {
			const r = sladesk(s, ...args);
			assert.notStrictEqual(r.status, 0, args.join(' '));
			assert.match(r.stderr, /not a demo: it has customers/);
			assert.strictEqual(r.stdout, '');
		}
		assert.strictEqual(s.sql('select (select count(*) from customers), (select count(*) from staff), (select count(*) from tickets)'), before);
		for (const pace of ['0', '-1', 'fast', '100001']) assert.match(sladesk(s, 'demo', '--live', '--pace', pace).stderr, /--pace/);
	} finally {
		await s.drop();
	}
});
