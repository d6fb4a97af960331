// SPDX-License-Identifier: Apache-2.0
// Tickets from a source system: messages over HTTP are applied once each, in the order of their own time, with a result each.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, redis } = require('../lib/server.js');

const PATH = '/api/v1/integration/tickets/sync';
let s, service, narrow, admin;
const fields = (r) => (r.json.details.fields || []).map((f) => f.field);
const token = (tenant, scopes) => s.token(tenant, scopes, 'svc');
let serial = 0;
const at = (s) => new Date(Date.now() - 60000 + s * 1000).toISOString();
const message = (ticket_id, more = {}) => ({
	event_type: 'ticket_updated',
	event_id: 'e' + ++serial,
	tenant_id: s.alpha,
	ticket_id,
	timestamp: at(serial / 100),
	...more,
});
const send = (m, t = service) => s.post(PATH, t, m);
const row = (ext) =>
	s.sql(
		`select t.status, t.priority, coalesce(f.username, '') from tickets t left join staff f on f.id = t.assignee_id where external_id = '${ext}'`,
	);
test.before(async () => {
	s = await Server.make('sync', {
		log: { level: 'debug' },
		integration: { stream: 'test:' + process.pid, backoff_ms: '400' },
	});
	service = token('provider', 'ticket:read,ticket:write');
	narrow = token('alpha', 'ticket:write');
	admin = await s.login('admin', 'alpha');
});
test.after(() => s.drop());

test('a ticket from the source system is created here, follows it, and is rated', async () => {
	const r = await send(
		message('EXT-1', {
			event_type: 'ticket_created',
			title: '数据库慢',
			description: 'slow',
			status: 'new',
			priority: 'high',
		}),
	);
	assert.strictEqual(r.status, 200, r.text);
	const [one] = r.data.results;
	assert.deepStrictEqual(
		[r.data.received, r.data.applied, one.status, one.ticket_id],
		[1, 1, 'applied', 'EXT-1'],
	);
	assert.match(one.number, /^TKT-\d{6}$/);
	assert.strictEqual(row('EXT-1'), 'new|P1|');
	for (const [more, want] of [
		[{ status: 'in_progress', assigned_to: 'eng1' }, 'in_progress|P1|eng1'],
		[{ status: '等待客户' }, 'pending_customer|P1|eng1'],
		[{ status: 'processing', priority: 'P2' }, 'in_progress|P2|eng1'],
		[{ status: 'pending_aws' }, 'pending_aws|P2|eng1'],
		[{ status: 'closed', resolved_at: at(0), customer_satisfaction: 4.5 }, 'closed|P2|eng1'],
		[{ status: 'closed' }, 'closed|P2|eng1'],
		[{ status: 'reopened' }, 'in_progress|P2|eng1'],
		[{ status: 'resolved' }, 'resolved|P2|eng1'],
	]) {
		const a = await send(message('EXT-1', more));
		assert.strictEqual(a.data.results[0].status, 'applied', a.text);
		assert.strictEqual(row('EXT-1'), want, JSON.stringify(more));
	}
	await waitUntil(
		async () =>
			(await s.get('/api/v1/client/dashboard/overview', admin)).data.summary
				.satisfaction_score === 4.5,
		3000,
	);
	const types = (await s.get(`/api/v1/tickets/${one.id}/history?limit=200`, service)).data.items.map(
		(e) => e.type,
	);
	for (const t of [
		'confirmed',
		'assigned',
		'waiting_customer',
		'resumed',
		'priority_changed',
		'closed',
		'rated',
		'reopened',
	])
		assert.ok(types.includes('ticket.' + t), t);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('a message is applied once; one that is older than what was applied is skipped', async () => {
	const m = message('EXT-2', { status: 'resolved' });
	assert.strictEqual((await send(m)).data.results[0].status, 'applied');
	const events = () => s.sql('select count(*) from events');
	const before = events();
	for (let i = 0; i < 3; i++) assert.strictEqual((await send(m)).data.duplicate, 1);
	const late = await send(
		message('EXT-2', { status: 'new', timestamp: at(-500), event_id: undefined }),
	);
	assert.deepStrictEqual([late.data.outdated, late.data.results[0].status], [1, 'outdated']);
	const { event_id, ...nameless } = message('EXT-2', { status: 'closed' });
	assert.ok(event_id);
	assert.strictEqual((await send(nameless)).data.applied, 1);
	assert.strictEqual((await send(nameless)).data.duplicate, 1, 'its content is its name');
	assert.strictEqual(row('EXT-2').split('|')[0], 'closed');
	assert.ok(Number(events()) === Number(before) + 1, 'only the closing is new');
	const many = await Promise.all(
		Array.from({ length: 8 }, () => send(message('EXT-2b', { status: 'new', event_id: 'same' }))),
	);
	assert.ok(
		many.every((r) => r.status === 200),
		many.map((r) => r.text).join(),
	);
	assert.strictEqual(s.sql(`select count(*) from tickets where external_id = 'EXT-2b'`), '1');
});
test('a thousand messages at once: a result for each, in order for each ticket, and quickly', async (t) => {
	const events = [];
	for (let i = 0; i < 250; i++)
		for (const status of ['new', 'in_progress', 'resolved', 'closed'])
			events.push({
				event_id: `b${i}-${status}`,
				tenant_id: i % 2 ? s.alpha : s.beta,
				ticket_id: 'B-' + i,
				status,
				timestamp: at(events.length / 100),
			});
	events[999] = { ...events[999], status: 'bomb' };
	events[0] = { ...events[0], tenant_id: 999999 };
	const began = Date.now(),
		r = await s.post(PATH, service, { events }),
		ms = Date.now() - began;
	assert.strictEqual(r.status, 200, r.text.slice(0, 500));
	t.diagnostic(`1000 messages, 250 tickets: ${ms} ms`);
	assert.deepStrictEqual(
		[r.data.received, r.data.applied, r.data.invalid, r.data.refused, r.data.failed],
		[1000, 998, 2, 0, 0],
	);
	assert.deepStrictEqual(
		[r.data.results[0].code, r.data.results[999].code, r.data.results[999].error.field],
		[40003, 40001, 'status'],
	);
	assert.strictEqual(
		s.sql(
			`select status, count(*) from tickets where external_id like 'B-%' group by 1 order by 1`,
		),
		'closed|249\nresolved|1',
	);
	assert.ok(ms < 30000);
	const again = await s.post(PATH, service, { events });
	assert.deepStrictEqual([again.data.duplicate, again.data.invalid], [998, 2]);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('errors are reported by field; a foreign tenant is refused; nothing is half-written', async () => {
	for (const [field, bad] of [
		['tenant_id', { tenant_id: undefined }],
		['tenant_id', { tenant_id: 'x' }],
		['tenant_id', { tenant_id: 1 }],
		['ticket_id', { ticket_id: undefined }],
		['ticket_id', { ticket_id: '' }],
		['ticket_id', { ticket_id: 'x'.repeat(101) }],
		['timestamp', { timestamp: undefined }],
		['timestamp', { timestamp: 'yesterday' }],
		['timestamp', { timestamp: new Date(Date.now() + 3600e3).toISOString() }],
		['status', { status: 'merged' }],
		['status', { status: 3 }],
		['priority', { priority: 'P9' }],
		['customer_satisfaction', { customer_satisfaction: 6 }],
		['customer_satisfaction', { customer_satisfaction: '5' }],
		['event_type', { event_type: 'ticket_deleted' }],
		['event_id', { event_id: 'x'.repeat(201) }],
		['message', { more: 1 }],
	])
		assert.deepStrictEqual(
			fields(await send(message('EXT-3', bad))),
			[field],
			JSON.stringify(bad),
		);
	assert.strictEqual(row('EXT-3'), '');
	assert.strictEqual((await send(message('X', { tenant_id: s.beta }), narrow)).code, 40003);
	assert.strictEqual((await send(message('X'), admin)).code, 40003, 'no service');
	assert.deepStrictEqual(fields(await s.post(PATH, service, { events: [] })), ['events']);
	assert.deepStrictEqual(fields(await s.post(PATH, service, { events: Array(1001).fill(1) })), [
		'events',
	]);
	assert.deepStrictEqual(fields(await s.post(PATH, service)), ['events']);
	await send(message('EXT-4', { status: 'cancelled' }));
	const r = await send(message('EXT-4', { status: 'in_progress' }));
	assert.deepStrictEqual([r.code, r.json.details.field], [41002, 'status'], r.text);
	const odd = await send(message('EXT-5', { service_type: 'nothing-of-ours' }));
	assert.deepStrictEqual([odd.code, odd.json.details.field], [41002, 'service_type'], odd.text);
	const who = await send(message('EXT-6', { assigned_to: 'nobody' }));
	assert.deepStrictEqual(
		[who.data.results[0].status, who.data.results[0].ignored],
		['applied', 'assigned_to'],
		'reported, and the rest is applied',
	);
});
test('the same messages from the Redis stream; one that cannot be applied becomes a dead letter and can be sent again', async () => {
	const stream = s.settings.integration.stream,
		add = (m, t = service) =>
			redis(
				'xadd',
				stream,
				'*',
				'event',
				typeof m === 'string' ? m : JSON.stringify(m),
				'token',
				t,
			),
		dead = () => Number(redis('xlen', stream + ':dead')),
		pending = () => Number(redis('xpending', stream, 'sladesk').split('\n')[0]);
	await waitUntil(() => redis('exists', stream) === '1');
	add(message('R-1', { status: 'new', title: 'from the stream' }));
	add(message('R-1', { status: 'in_progress' }));
	add(message('R-1', { status: 'resolved' }));
	await waitUntil(() => row('R-1').startsWith('resolved'));
	await waitUntil(() => pending() === 0);
	assert.strictEqual(dead(), 0);
	add('no json');
	add(message('R-2', { status: 'bomb' }));
	add(message('R-3', { status: 'new' }), 'sd1.1.1.' + '0'.repeat(64));
	add(message('R-4', { status: 'new', tenant_id: s.beta }), narrow);
	add(message('R-5', { status: 'new' }), admin);
	add(message('R-6', { status: 'new' }));
	await waitUntil(() => row('R-6').startsWith('new'));
	await waitUntil(() => dead() === 5 && pending() === 0);
	for (const n of [2, 3, 4, 5]) assert.strictEqual(row('R-' + n), '');
	const list = s.cli(['deadletter', 'list']);
	assert.deepStrictEqual(
		list
			.trim()
			.split('\n')
			.map((l) => l.split('\t').slice(3).join(' '))
			.sort(),
		[
			'- event: no JSON',
			...['R-3', 'R-4', 'R-5'].map(
				(n) => n + ' token: not a service token with tickets:write for this tenant',
			),
			'R-2 status: one of new, accepted, in_progress, pending_customer, pending_aws, resolved, closed, cancelled',
		].sort(),
	);
	assert.ok(!list.includes('sd1.'), 'no token is shown');
	await waitUntil(() => /dead letter id=\S+ event=\S+ ticket=R-2 field=status/.test(s.log));
	assert.ok(!s.log.includes('sd1.'));
	await waitUntil(async () => (await s.metric('sync_dead_letters')) === 5);
	assert.strictEqual(
		(await s.get('/api/v1/integration/health', service)).data.modules.find(
			(m) => m.module === 'ticket_sync',
		).status,
		'degraded',
	);
	/* the operator corrects the token and sends the messages again */
	const right = token('alpha', 'sla:read');
	add(message('R-7', { status: 'new' }), right);
	await waitUntil(() => dead() === 6);
	s.sql(`update api_tokens set scopes = '{ticket:write}' where scopes = '{sla:read}'`);
	/* a token's permissions are cached for 5 s */
	await waitUntil(async () => (await s.post(PATH, right, {})).status !== 403);
	assert.match(s.cli(['deadletter', 'retry', 'all']), /^6 messages sent again/);
	await waitUntil(() => row('R-7').startsWith('new'));
	await waitUntil(() => dead() === 5, 10000);
});
test('a temporary failure is retried four times; messages held by a dead reader are taken over', async () => {
	const stream = s.settings.integration.stream,
		add = (m) => redis('xadd', stream, '*', 'event', JSON.stringify(m), 'token', service),
		dead = () => Number(redis('xlen', stream + ':dead')),
		before = dead();
	s.sql('alter table sync_tickets rename to sync_tickets_gone');
	add(message('R-8', { status: 'new' }));
	await waitUntil(() => /database refused|sync_tickets/.test(s.log));
	s.sql('alter table sync_tickets_gone rename to sync_tickets');
	await waitUntil(() => row('R-8').startsWith('new'));
	assert.strictEqual(dead(), before);
	s.sql('alter table sync_tickets rename to sync_tickets_gone');
	add(message('R-9', { status: 'new' }));
	await waitUntil(() => dead() === before + 1);
	s.sql('alter table sync_tickets_gone rename to sync_tickets');
	const line = s
		.cli(['deadletter', 'list'])
		.split('\n')
		.find((l) => l.includes('R-9'));
	assert.match(line, /the database refused it four times/);
	s.cli(['deadletter', 'retry', line.split('\t')[0]]);
	await waitUntil(() => row('R-9').startsWith('new'));
	await s.stop();
	add(message('R-10', { status: 'new' }));
	redis('xreadgroup', 'group', 'sladesk', 'ghost', 'streams', stream, '>');
	const id = redis('xpending', stream, 'sladesk', '-', '+', '10').split('\n')[0];
	redis('xclaim', stream, 'sladesk', 'ghost', '0', id, 'idle', '61000');
	await s.start();
	await waitUntil(() => row('R-10').startsWith('new'));
});
test('the log names the steps of each message, and how long they took', () => {
	for (const change of ['look -> found', 'found -> create', 'next -> done', 'recorded -> end'])
		assert.match(s.log, new RegExp(`flow=sync id=\\d+ ${change} \\d+ms`));
});
// In hours before now.
const ago = (h) => new Date(Date.now() - h * 3600e3).toISOString();
const clocks = (ext) =>
	s
		.sql(
			`select k.clock || ' ' || k.state || ' ' || k.verdict from sla_clocks k join tickets t on t.tenant_id = k.tenant_id and t.id = k.ticket_id
			where t.external_id = '${ext}' and k.clock in ('response', 'resolution') order by 1`,
		)
		.split('\n');
const times = (ext) =>
	s.sql(`select us(opened_at) || ' ' || coalesce(us(resolved_at)::text, '-') from tickets where external_id = '${ext}'`);
const us = (t) => Date.parse(t) * 1000;
const fires = (ext) =>
	Number(
		s.sql(
			`select count(*) from sla_fires f join tickets t on t.tenant_id = f.tenant_id and t.id = f.ticket_id where t.external_id = '${ext}' and f.threshold = '100'`,
		),
	);
test('led tickets keep their own created and resolved times, and are judged by them', async () => {
	const opened = ago(30),
		late = ago(3),
		intime = ago(29.95);
	// P3: response 4 h, resolution 24 h after response due at the latest
	for (const [ext, resolved, want] of [
		['OWN-1', intime, ['resolution stopped met', 'response stopped met']],
		['OWN-2', ago(20), ['resolution stopped met', 'response stopped breached']],
		['OWN-3', late, ['resolution stopped met', 'response stopped breached']],
	]) {
		const r = await send(
			message(ext, {
				event_type: 'ticket_created',
				status: 'closed',
				priority: 'P3',
				assigned_to: 'eng1',
				created_at: opened,
				resolved_at: resolved,
			}),
		);
		assert.strictEqual(r.data.applied, 1, r.text);
		assert.strictEqual(times(ext), `${us(opened)} ${us(resolved)}`, ext);
		assert.deepStrictEqual(clocks(ext), want, ext);
		assert.strictEqual(fires(ext), want[1].includes('breached') ? 1 : 0, ext);
	}
	// P1: response 30 min, resolution 4 h: resolved after 10 h, both are breached when the leader says so
	await send(
		message('OWN-4', { status: 'resolved', priority: 'P1', created_at: ago(12), resolved_at: ago(2) }),
	);
	assert.deepStrictEqual(clocks('OWN-4'), ['resolution stopped breached', 'response stopped breached']);
	// one that is still open is overdue at once, and stays so until the leader tells that it was resolved in time
	await send(message('OWN-5', { status: 'in_progress', priority: 'P1', created_at: ago(12) }));
	assert.deepStrictEqual(clocks('OWN-5'), ['resolution running breached', 'response running breached']);
	await send(message('OWN-5', { status: 'resolved', resolved_at: ago(11) }));
	assert.deepStrictEqual(clocks('OWN-5'), ['resolution stopped met', 'response stopped breached']);
	assert.strictEqual(
		s.sql(
			`select string_agg(b.clock, ',') from sla_breaches b join tickets t on t.tenant_id = b.tenant_id and t.id = b.ticket_id where t.external_id = 'OWN-5'`,
		),
		'response',
	);
	const overview = async () => (await s.get('/api/v1/client/dashboard/overview', admin)).data.summary;
	await waitUntil(async () => (await overview()).sla_compliance < 100, 5000);
	assert.notStrictEqual((await overview()).avg_resolution_time, '0分钟');
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('instants of a system that does not lead are not reckoned with', async () => {
	const r = await send(
		message('OWN-6', { status: 'new', priority: 'P3', created_at: ago(30) }),
		token('alpha', 'ticket:read,ticket:write'),
	);
	assert.strictEqual(r.data.applied, 1, r.text);
	assert.ok(Number(times('OWN-6').split(' ')[0]) > us(ago(1)));
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('a message of a leading system changes the title, one of a customer does not', async () => {
	const title = (ext) => s.sql(`select title from tickets where external_id = '${ext}'`);
	const theirs = token('alpha', 'ticket:read,ticket:write');
	await send(message('T-1', { status: 'new', title: 'Disk full' }));
	const [one] = (await send(message('T-1', { title: 'Disk full on db-3' }))).data.results;
	assert.strictEqual(title('T-1'), 'Disk full on db-3');
	const types = async () =>
		(await s.get(`/api/v1/tickets/${one.id}/history?limit=200`, service)).data.items.map((e) => e.type);
	assert.strictEqual((await types()).filter((x) => x === 'ticket.retitled').length, 1);
	await send(message('T-1', { title: 'Disk full on db-3', priority: 'P2' }));
	assert.strictEqual((await types()).filter((x) => x === 'ticket.retitled').length, 1, 'said again');
	await send(message('T-1', { status: 'closed', title: '磁盘已满' }));
	assert.strictEqual(title('T-1'), '磁盘已满', 'together with the end');
	await send(message('T-2', { status: 'new', title: 'mine' }), theirs);
	await send(message('T-2', { title: 'other' }), theirs);
	assert.strictEqual(title('T-2'), 'mine');
});
