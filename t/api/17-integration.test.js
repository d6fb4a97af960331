// SPDX-License-Identifier: Apache-2.0
// What other modules and the provider's staff read: SLA attainment, users, summaries, health; and what a portal needs when it opens.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js');

let s, admin, user, boss, service, narrow;
const fields = (r) => (r.json.details.fields || []).map((f) => f.field);
const token = (tenant, scopes) => s.token(tenant || 'provider', scopes, 'svc');
const today = () => new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10);
test.before(async () => {
	s = await Server.make('integration');
	[admin, user, boss] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('boss'),
	]);
	service = token(null, 'ticket:read,ticket:write,sla:read,user:read,report:read,satisfaction:read');
	narrow = token('alpha', 'sla:read,user:read,pii:read,report:read');
	for (const [title, priority] of [
		['one', 'P0'],
		['two', 'P3'],
	]) {
		const k = await s.post('/api/v1/client/tickets', user, { title, description: 'x', priority });
		assert.strictEqual(k.status, 201, k.text);
		if (title === 'two')
			for (const [cmd, body] of [
				['reply', { text: 'we look' }],
				['resolve', { text: 'done' }],
			])
				assert.strictEqual(
					(await s.post(`/api/v1/tickets/${k.data.id}/${cmd}`, boss, body))
						.status,
					200,
				);
	}
	await waitUntil(
		async () =>
			(await s.get('/api/v1/client/dashboard/overview', admin)).data.summary
				.resolved_tickets === 1,
	);
});
test.after(() => s.drop());

test('a portal opens with one request: user, theme, permissions, dashboards', async () => {
	await s.post('/api/v1/client/dashboard/config', admin, {
		dashboard_name: 'main',
		layout_config: { grid: { cols: 12, rows: 8 }, widgets: [] },
		is_default: true,
		is_shared: true,
	});
	const a = (await s.get('/api/v1/client/workspace', admin)).data,
		u = (await s.get('/api/v1/client/workspace', user)).data;
	assert.deepStrictEqual(
		[a.username, a.role_type, a.tenant_code, a.theme.name, a.open_tickets, a.alerts],
		['admin', 'admin', 'alpha', 'Tenant alpha', 1, 0],
	);
	assert.strictEqual(a.default_dashboard_id, a.dashboards[0].config_id);
	assert.deepStrictEqual([u.default_dashboard_id, u.dashboards[0].mine], [null, false]);
	assert.ok(a.permissions.includes('user:write') && !u.permissions.includes('user:write'));
	assert.strictEqual((await s.get('/api/v1/client/workspace', boss)).code, 41001, 'staff have none');
	assert.deepStrictEqual([u.hotline, u.customer_success_manager], [null, null]);
	s.sql(`insert into customer_details (tenant_id, external_id, hotline, customer_success_manager, synced_at)
		values (${s.alpha}, 'w', '400-820-8820', '王成功', now()), (${s.beta}, 'x', 'no', 'no', now())`);
	const h = (await s.get('/api/v1/client/workspace', user)).data;
	assert.deepStrictEqual([h.hotline, h.customer_success_manager], ['400-820-8820', '王成功']);
});
test('live clocks, the earliest deadline first; alerts past 80 %', async () => {
	const r = await s.get('/api/v1/client/sla/clocks', admin);
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(r.data.items.length, 1);
	const [k] = r.data.items;
	assert.ok(k.remaining_seconds > 800 && k.remaining_seconds <= 900, String(k.remaining_seconds));
	assert.strictEqual(k.urgent_clock, 'response');
	const response = k.clocks.find((c) => c.clock === 'response');
	assert.deepStrictEqual(
		[response.state, response.budget_seconds, response.remaining_seconds, response.breached],
		['running', 900, k.remaining_seconds, false],
	);
	assert.ok(k.clocks.some((c) => c.clock === 'resolution'));
	assert.match(response.due_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.strictEqual((await s.get('/api/v1/client/sla/clocks', user)).code, 40003, 'no sla:read');
	assert.deepStrictEqual((await s.get('/api/v1/client/alerts', user)).data.items, []);
	s.sql(`update tickets set sla_high = 92 where title = 'one'`);
	const [a] = (await s.get('/api/v1/client/alerts?severity=medium', user)).data.items;
	assert.deepStrictEqual([a.type, a.severity, a.title], ['sla_warning', 'medium', 'one']);
	assert.deepStrictEqual((await s.get('/api/v1/client/alerts?severity=high', user)).data.items, []);
	s.sql(`update tickets set sla_high = 0 where title = 'one'`);
});
test('widgets: a catalogue, and several in one response with the numbers of the overview', async () => {
	const all = (await s.get('/api/v1/client/dashboard/metrics', admin)).data.items;
	assert.ok(all.length >= 16 && all.every((m) => m.allowed));
	const mine = (await s.get('/api/v1/client/dashboard/metrics', user)).data.items;
	assert.deepStrictEqual(
		mine.filter((m) => !m.allowed).map((m) => m.metric),
		[
			'sla_compliance',
			'response_compliance',
			'resolution_compliance',
			'satisfaction_score',
			'sla_trend',
		],
	);
	const path = '/api/v1/client/dashboard/data?period=7d&widgets=' + all.map((m) => m.metric),
		d = (await s.get(path, admin)).data,
		o = (await s.get('/api/v1/client/dashboard/overview?period=7d', admin)).data;
	assert.deepStrictEqual(Object.keys(d.widgets).sort(), all.map((m) => m.metric).sort());
	for (const m of all.filter((m) => /number|percent|duration|score/.test(m.shape))) {
		assert.strictEqual(d.widgets[m.metric].value, o.summary[m.metric], m.metric);
		assert.strictEqual(d.widgets[m.metric].previous, o.previous[m.metric], m.metric);
	}
	assert.deepStrictEqual(
		d.widgets.ticket_trend.series.map((x) => x.value),
		o.trends.ticket_trend.map((x) => x.count),
	);
	assert.deepStrictEqual(
		d.widgets.by_priority.groups.map((g) => [g.name, g.total_tickets]),
		[
			['P0', 1],
			['P3', 1],
		],
	);
	const u = (await s.get(path, user)).data;
	assert.deepStrictEqual(u.masked, [
		'sla_compliance',
		'response_compliance',
		'resolution_compliance',
		'satisfaction_score',
		'sla_trend',
	]);
	assert.deepStrictEqual([u.widgets.sla_compliance.value, u.widgets.sla_trend.series], [null, []]);
	assert.strictEqual(u.widgets.by_priority.groups[1].compliance_rate, null);
	const one = (await s.get('/api/v1/client/dashboard/data?widgets=alerts', user)).data;
	assert.deepStrictEqual(one.widgets, { alerts: { shape: 'list', title: 'Alerts', alerts: [], alerts_total: 0 } });
	for (const bad of ['', '?widgets=', '?widgets=bomb', '?widgets=alerts,'.repeat(1) + 'x'.repeat(9)])
		assert.deepStrictEqual(fields(await s.get('/api/v1/client/dashboard/data' + bad, user)), [
			'widgets',
		]);
});
test('SLA attainment between two dates, in minutes and seconds, equals plain SQL', async () => {
	const ask = (q, t = service) =>
			s.get(`/api/v1/integration/sla/metrics?date_range=${today()},${today()}${q}`, t),
		r = await ask('&tenant_id=' + s.alpha);
	assert.strictEqual(r.status, 200, r.text);
	const m = r.data.metrics;
	assert.deepStrictEqual(
		[r.data.tenant_id, m.total_tickets, m.decided_tickets, m.violated_tickets, m.compliance_rate],
		[s.alpha, 2, 1, 0, 100],
	);
	const [n, sum] = s
		.sql(
			`select count(*), coalesce(sum(extract(epoch from first_response_at - opened_at)::bigint), 0) from tickets where first_response_at is not null`,
		)
		.split('|')
		.map(Number);
	assert.strictEqual(m.avg_response_time_seconds, Math.floor(sum / n));
	assert.strictEqual(m.avg_response_time, Math.floor((m.avg_response_time_seconds + 30) / 60));
	assert.deepStrictEqual(
		Object.keys((await ask(`&tenant_id=${s.alpha}&metrics=compliance_rate`)).data.metrics),
		[
			'decided_tickets',
			...['compliance_rate', 'compliance_rate_met', 'compliance_rate_decided'],
			...[
				'compliance_rate_adjusted',
				'compliance_rate_adjusted_met',
				'compliance_rate_adjusted_decided',
			],
		],
	);
	assert.strictEqual((await ask(`&tenant_id=${s.beta}`)).data.metrics.compliance_rate, null);
	assert.strictEqual(
		(await ask(`&tenant_id=${s.alpha}&service_type=nothing`)).data.metrics.total_tickets,
		0,
	);
	assert.strictEqual((await ask('&tenant_id=' + s.beta, narrow)).code, 40003);
	assert.strictEqual((await ask('&tenant_id=' + s.beta, admin)).code, 40003);
	for (const range of [
		'',
		'2025-01-01',
		'2025-02-30,2025-03-01',
		'2025-02-01,2025-01-01',
		'2020-01-01,2025-01-01',
	])
		assert.deepStrictEqual(
			fields(
				await s.get(
					`/api/v1/integration/sla/metrics?tenant_id=${s.alpha}&date_range=${range}`,
					service,
				),
			),
			['date_range'],
		);
	assert.deepStrictEqual(fields(await ask('&metrics=x')), ['tenant_id', 'metrics']);
});
test("a customer's users and summary, for service tokens of that tenant only", async () => {
	const users = '/api/v1/client/users/',
		sum = '/api/v1/client/reports/summary/';
	const [a, u] = (await s.get(users + s.alpha, service)).data.users;
	assert.deepStrictEqual(
		[a.username, a.role_type, a.is_active, a.email, u.username],
		['admin', 'admin', true, 'a***@alpha.example', 'user'],
	);
	assert.strictEqual((await s.get(users + s.alpha, narrow)).data.users[0].email, 'admin@alpha.example');
	const r = (await s.get(sum + s.alpha + '?period=30d&format=json', service)).data,
		o = (await s.get('/api/v1/client/dashboard/overview?period=30d', admin)).data;
	assert.deepStrictEqual(r.summary, o.summary);
	assert.deepStrictEqual(r.trends, o.trends);
	assert.match(r.generated_at, /Z$/);
	for (const p of [users, sum]) {
		assert.strictEqual((await s.get(p + s.beta, narrow)).code, 40003);
		assert.strictEqual((await s.get(p + s.alpha, admin)).code, 40003, 'no service');
		assert.strictEqual((await s.get(p + s.alpha, boss)).code, 40003, 'no service');
		assert.strictEqual((await s.get(p + 'x', narrow)).code, 40003);
	}
});
test('staff: SLA attainment and policies of every customer that they serve', async () => {
	const m = (await s.get('/api/sla/metrics?period=30d', boss)).data;
	assert.deepStrictEqual(
		m.tenants.map((t) => [t.code, t.total_tickets, t.compliance_rate]),
		[
			['alpha', 2, 100],
			['beta', 0, null],
		],
	);
	assert.deepStrictEqual([m.total_tickets, m.overall_compliance], [2, 100]);
	const c = (await s.get('/api/sla/config', boss)).data.items;
	assert.deepStrictEqual(
		c.filter((p) => p.service_type === null).map((p) => [p.tenant_code, p.code, p.own]),
		[
			['alpha', 'standard', false],
			['beta', 'standard', false],
		],
	);
	assert.ok(c.every((p) => Object.keys(p.document).length > 0));
	assert.ok(c.some((p) => p.service_type === 'billing'));
	const one = [];
	for (let cursor = ''; cursor !== null;) {
		const page = (await s.get('/api/sla/config?limit=1' + cursor, boss)).data;
		assert.ok(page.items.length <= 1, 'the limit counts policies');
		one.push(...page.items);
		cursor = page.next_cursor && '&cursor=' + page.next_cursor;
	}
	assert.deepStrictEqual(one, c);
	assert.deepStrictEqual([...new Set(one.map((p) => p.tenant_code))], ['alpha', 'beta']);
	for (const p of ['/api/sla/metrics', '/api/sla/config'])
		assert.strictEqual((await s.get(p, admin)).code, 40003);
	assert.deepStrictEqual(fields(await s.get('/api/sla/metrics?period=x', boss)), ['period']);
	s.sql(`update staff set serves_all = false where username = 'boss'`);
	s.sql(
		`insert into staff_tenants (tenant_id, staff_id) select ${s.beta}, id from staff where username = 'boss'`,
	);
	const few = await s.login('boss');
	assert.deepStrictEqual(
		(await s.get('/api/sla/metrics', few)).data.tenants.map((t) => t.code),
		['beta'],
	);
	s.sql(`update staff set serves_all = true where username = 'boss'`);
});
test('the health of each module', async () => {
	const h = await s.get('/api/v1/integration/health', service);
	assert.strictEqual(h.status, 200);
	assert.strictEqual(h.data.status, 'healthy', h.text);
	assert.deepStrictEqual(h.data.modules.map((m) => m.module).sort(), [
		'audit',
		'auth',
		'cache',
		'dashboard',
		'notifications',
		'sla',
		'ticket_sync',
		'tickets',
	]);
	assert.strictEqual((await s.get('/api/v1/integration/health')).code, 40004);
});
