// SPDX-License-Identifier: Apache-2.0
// The overview: every number equals a plain recount, on tickets made here and on a real log; it follows an event within a second, is computed once
// for many readers, is served stale while the database is down, and shows a reader no more than allowed.
// alone: stops PostgreSQL.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path');
const { Server, waitUntil, pgctl, PASSWORD } = require('../lib/server.js');

let s, admin, manager, user, eng, boss;
test.before(async () => {
	/* hundreds of requests at once */
	s = await Server.make('overview', { http: { address_connections: 0, user_connections: 0 } });
	s.cli(
		[
			'user',
			'add',
			'--tenant',
			'alpha',
			'--username',
			'mgr',
			'--name',
			'm',
			'--email',
			'm@alpha.example',
			'--role',
			'manager',
		],
		'Erst-Passwort-1\n',
	);
	[admin, user, eng, boss] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('eng1'),
		s.login('boss'),
	]);
	manager = (
		await s.post('/api/v1/client/auth/login', null, {
			username: 'mgr',
			password: 'Erst-Passwort-1',
			tenant_id: s.alpha,
		})
	).data.access_token;
});
test.after(() => s.drop());

const OPEN =
	"('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')";
const overview = async (token, query = '') => {
	const r = await s.get('/api/v1/client/dashboard/overview' + query, token);
	assert.strictEqual(r.status, 200, r.text);
	return r.data;
};
const compliance = async (token, query = '') => {
	const r = await s.get('/api/v1/client/sla/compliance' + query, token);
	assert.strictEqual(r.status, 200, r.text);
	return r.data;
};
/* the same numbers by plain SQL over the tickets, for the days FROM to TO before today */
function recount(tenant, from, to, where = 'true') {
	const zone = "'Asia/Shanghai'",
		today = `(now() at time zone ${zone})::date`,
		within = (at) =>
			`(${at} at time zone ${zone})::date between ${today} - ${from} and ${today} - ${to}`,
		fell = (k) =>
			`case when ${k}.verdict = 'met' then ${k}.stopped_at when ${k}.verdict in ('breached', 'waived') then ${k}.breached_at end`,
		one = (sql) => JSON.parse(s.sql(`select row_to_json(x) from (${sql}) x`));
	const opened = one(
		`select count(*) as total, count(*) filter (where status in ${OPEN}) as pending, count(*) filter (where status in ('resolved', 'closed')) as resolved,
		 count(*) filter (where status in ${OPEN} and sla_breached) as overdue,
		 round(avg(extract(epoch from first_response_at - opened_at))) as response_s, round(avg(extract(epoch from resolved_at - opened_at))) as resolution_s
		 from tickets t where tenant_id = ${tenant} and ${within('opened_at')} and ${where}`,
	);
	const kept = one(
		`select count(*) as decided, count(*) filter (where r.verdict = 'met' and k.verdict = 'met') as met
		 from tickets t join sla_clocks r on r.tenant_id = t.tenant_id and r.ticket_id = t.id and r.clock = 'response'
		 join sla_clocks k on k.tenant_id = t.tenant_id and k.ticket_id = t.id and k.clock = 'resolution'
		 where t.tenant_id = ${tenant} and ${fell('r')} is not null and ${fell('k')} is not null and ${within(`greatest(${fell('r')}, ${fell('k')})`)} and ${where}`,
	);
	return { ...opened, ...kept };
}
const percent = (part, all) => (all ? Number(((100 * part) / all).toFixed(1)) : null);
function same(summary, n, why) {
	const near = (a, b) =>
		a === b || Math.abs(a - b) <= 1; /* each ticket's seconds are stored as whole numbers */
	assert.deepStrictEqual(
		[
			summary.total_tickets,
			summary.pending_tickets,
			summary.resolved_tickets,
			summary.overdue_tickets,
			summary.sla_compliance,
		],
		[n.total, n.pending, n.resolved, n.overdue, percent(n.met, n.decided)],
		why,
	);
	assert.ok(
		near(summary.avg_response_time_seconds, n.response_s) &&
			near(summary.avg_resolution_time_seconds, n.resolution_s),
		`${why}: ${JSON.stringify(summary)} ${JSON.stringify(n)}`,
	);
}
/* the number of tickets in the list behind a number */
async function itemsBehind(link, token) {
	const items = [];
	let cursor = '';
	do {
		const r = await s.get(link + '&limit=200' + cursor, token);
		assert.strictEqual(r.status, 200, r.text);
		items.push(...r.data.items);
		cursor = r.data.next_cursor ? '&cursor=' + r.data.next_cursor : '';
	} while (cursor);
	return items;
}
const behind = async (link, token) => (await itemsBehind(link, token)).length;
async function linked(o, token, why) {
	for (const k of ['total_tickets', 'pending_tickets', 'resolved_tickets', 'overdue_tickets'])
		assert.strictEqual(
			await behind(o.links[k], token),
			o.summary[k],
			`${why} ${k} ${o.links[k]}`,
		);
	/* a mean time is that of the tickets in its list, and the score that of its list */
	for (const [k, end] of [
		['avg_response_time', 'first_response_at'],
		['avg_resolution_time', 'resolved_at'],
	]) {
		const all = await itemsBehind(o.links[k], token),
			mean =
				all.reduce((n, t) => n + Date.parse(t[end]) - Date.parse(t.opened_at), 0) /
				all.length;
		assert.ok(all.length > 0, k);
		assert.ok(
			Math.abs(mean / 1000 - o.summary[k + '_seconds']) <= 1,
			`${why} ${k} ${mean} ${JSON.stringify(o.summary)}`,
		);
	}
	const rated = (await itemsBehind(o.links.satisfaction_score, token)).map((t) => t.id),
		mean = rated.length
			? Number(
					s.sql(
						`select round(avg(score), 1) from client_satisfaction where ticket_id in (${rated})`,
					),
				)
			: null;
	assert.strictEqual(o.summary.satisfaction_score, mean, why);
}
const make = async (more = {}, token = user) => {
	const ticket = { title: 'x', description: 'y', priority: 'P3', ...more };
	const r = await s.post('/api/v1/tickets', token, ticket);
	assert.strictEqual(r.status, 201, r.text);
	return r.data;
};
/* Every event is counted, so that none makes a result outdated from now on. */
const counted = () =>
	waitUntil(
		async () =>
			s.sql(
				`select count(*) from tenant_counters c join consumer_positions p using (tenant_id) where p.consumer = 'rollup' and p.seq < c.seq`,
			) === '0' && (await s.metric('follower_waiting\\{consumer="rollup"\\}')) === 0,
	);
const act = async (id, cmd, body = {}, token = eng) => {
	const r = await s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
	assert.strictEqual(r.status, 200, cmd + r.text);
};

test('the numbers follow the tickets within a second, and equal a plain recount', async () => {
	const before = await overview(admin);
	assert.strictEqual(before.summary.total_tickets, 0);
	assert.strictEqual(
		before.summary.sla_compliance,
		null,
		'without a decided promise there is no percentage',
	);
	const tickets = [];
	for (let i = 0; i < 12; i++)
		tickets.push(await make({ service_type: i % 3 ? 'incident' : 'request' }));
	await waitUntil(async () => (await overview(admin)).summary.total_tickets === 12, 1000);
	for (const t of tickets.slice(0, 8)) {
		await act(t.id, 'reply', { text: 'we look' });
		await act(t.id, 'resolve', { text: 'done' });
	}
	await act(tickets[0].id, 'reopen', { reason: 'no' });
	await act(tickets[9].id, 'cancel', { reason: 'mistake' });
	/* the last of them is the cancelled one: four are open */
	await waitUntil(async () => {
		const n = (await overview(admin)).summary;
		return n.resolved_tickets === 7 && n.pending_tickets === 4;
	}, 1000);
	const now = await overview(admin, '?period=7d');
	same(now.summary, recount(s.alpha, 6, 0), 'this week');
	same(now.previous, recount(s.alpha, 13, 7), 'the week before');
	assert.strictEqual(now.trends.ticket_trend.length, 7);
	assert.strictEqual(now.trends.ticket_trend.at(-1).count, 12);
	assert.strictEqual(now.trends.ticket_trend.at(-1).date, now.period.end);
	const kept = await compliance(admin, '?period=7d');
	assert.strictEqual(kept.overall_compliance, now.summary.sla_compliance);
	for (const g of kept.by_service_type)
		assert.deepStrictEqual(
			[g.total_tickets, g.compliance_rate],
			(({ total, met, decided }) => [total, percent(met, decided)])(
				recount(s.alpha, 6, 0, `t.service_type = '${g.service_type}'`),
			),
			g.service_type,
		);
	assert.deepStrictEqual(
		kept.by_service_type.map((g) => g.service_type),
		['incident', 'request'],
	);
	assert.deepStrictEqual(
		[kept.total_tickets, kept.decided_tickets],
		[12, kept.by_service_type.reduce((n, g) => n + g.decided_tickets, 0)],
	);
	const one = await compliance(admin, '?period=7d&service_type=request&group_by=priority');
	assert.deepStrictEqual(
		one.by_priority.map((g) => [g.priority, g.total_tickets]),
		[['P3', 4]],
	);
});
test('breaches are reported: overdue, alerts, violations with target and actual; waivers and exclusions are shown separately', async () => {
	const t = await make({ priority: 'P1' });
	/* an hour and a half ago, so the first response was due after at most 30 minutes */
	s.sql(
		`update tickets set opened_at = opened_at - interval '90 min' where id = ${t.id}; update sla_clocks set start_at = start_at - interval '90 min', runs = array[runs[1] - 5400000000, runs[2]], due_at = due_at - interval '90 min', next_fire_at = next_fire_at - interval '90 min', fire_at = array(select v - 5400000000 from unnest(fire_at) v) where ticket_id = ${t.id}`,
	);
	await waitUntil(() => s.sql(`select sla_breached from tickets where id = ${t.id}`) === 't', 15000);
	await waitUntil(async () => (await overview(admin)).summary.overdue_tickets === 1, 2000);
	const now = await overview(admin, '?period=7d'),
		alert = now.alerts.find((a) => a.ticket_id === t.id);
	same(now.summary, recount(s.alpha, 6, 0), 'with a breach');
	assert.deepStrictEqual(
		[alert.type, alert.severity, alert.number],
		['sla_violation', 'high', t.number],
	);
	assert.match(alert.message, new RegExp(t.number));
	const kept = await compliance(admin, '?period=7d'),
		v = kept.violations.find((x) => x.id === t.id);
	assert.strictEqual(v.ticket_id, t.number);
	assert.strictEqual(v.violation_type, 'response_time');
	assert.ok(v.actual_seconds > v.target_seconds && v.actual_seconds < 2 * 3600, JSON.stringify(v));
	assert.strictEqual(v.target, v.target_seconds / 60);
	await act(t.id, 'reply', { text: 'at last' });
	await act(t.id, 'resolve', {
		text: 'done',
		root_cause: 'x',
		solution: 'x',
		solution_kind: 'permanent',
		prevention: 'x',
		configuration: 'x',
	});
	await waitUntil(async () => (await overview(admin)).summary.overdue_tickets === 0, 2000);
	const strict = (await overview(admin)).summary;
	assert.ok(strict.sla_compliance < 100 && strict.sla_compliance === strict.sla_compliance_adjusted);
	await act(t.id, 'waive', { clock: 'response', reason: 'the customer asked for it' }, boss);
	await waitUntil(async () => (await overview(admin)).summary.sla_compliance_adjusted === 100, 2000);
	assert.strictEqual(
		(await overview(admin)).summary.sla_compliance,
		strict.sla_compliance,
		'the breach stays',
	);
	same((await overview(admin, '?period=7d')).summary, recount(s.alpha, 6, 0), 'with a waiver');
});
test('access: roles, tenants, staff; invalid input is named', async () => {
	const r = await overview(user);
	assert.strictEqual(r.summary.sla_compliance, null);
	assert.ok(r.masked.includes('sla_compliance') && r.masked.includes('satisfaction_score'));
	assert.deepStrictEqual(r.trends.sla_trend, []);
	assert.ok(r.summary.total_tickets > 0);
	assert.strictEqual((await s.get('/api/v1/client/sla/compliance', user)).code, 40003);
	assert.strictEqual(
		(await compliance(manager)).overall_compliance,
		(await compliance(admin)).overall_compliance,
	);
	assert.strictEqual(
		(await s.get(`/api/v1/client/dashboard/overview?tenant_id=${s.beta}`, admin)).code,
		40003,
	);
	assert.strictEqual((await overview(await s.login('user', 'beta'))).summary.total_tickets, 0);
	assert.strictEqual(
		(await s.get('/api/v1/client/dashboard/overview', eng)).json.details.fields[0].field,
		'tenant_id',
	);
	assert.deepStrictEqual(
		(await overview(eng, `?tenant_id=${s.alpha}`)).summary,
		(await overview(admin)).summary,
	);
	for (const [query, field] of [
		['?period=month', 'period'],
		['?period=0d', 'period'],
		['?period=367d', 'period'],
		['?refresh=1', 'refresh'],
		['?x=1', 'x'],
		['?tenant_id=x', 'tenant_id'],
	])
		assert.strictEqual(
			(await s.get('/api/v1/client/dashboard/overview' + query, admin)).json.details
				.fields[0].field,
			field,
		);
	assert.strictEqual(
		(await s.get('/api/v1/client/sla/compliance?group_by=colour', admin)).json.details.fields[0]
			.field,
		'group_by',
	);
});
test('a data scope applies to the numbers too', async () => {
	for (const code of ['IT', 'HR'])
		await s.request('PUT', `/api/v1/catalogue/department/${code}`, {
			token: admin,
			body: { name_zh: code, name_en: code },
		});
	for (const department of ['IT', 'IT', 'HR']) await make({ department }, admin);
	const id = s.sql("select id from client_users where username = 'mgr'"),
		put = await s.request('PUT', `/api/v1/client/admin/users/${id}/permissions`, {
			token: admin,
			body: {
				grants: [
					{
						resource_type: 'ticket',
						permissions: { read: true },
						data_scope: { departments: ['IT'] },
					},
				],
			},
		});
	assert.strictEqual(put.status, 200, put.text);
	const token = (
		await s.post('/api/v1/client/auth/login', null, {
			username: 'mgr',
			password: 'Erst-Passwort-1',
			tenant_id: s.alpha,
		})
	).data.access_token;
	await waitUntil(async () => (await overview(token)).summary.total_tickets === 2, 2000);
	assert.deepStrictEqual(
		(await compliance(token, '?group_by=department')).by_department.map((g) => [
			g.department,
			g.total_tickets,
		]),
		[['IT', 2]],
	);
});
test('computed once for many readers, kept until an event, refreshed on demand, stale while PostgreSQL is down', async () => {
	const count = (name) => s.metric(name);
	await make();
	await counted();
	await overview(admin, '?period=11d');
	const [hits, misses] = [await count('answers_hits_total'), await count('answers_misses_total')];
	await Promise.all([...Array(30)].map(() => overview(admin, '?period=11d')));
	assert.strictEqual((await count('answers_hits_total')) - hits, 30);
	assert.strictEqual(await count('answers_misses_total'), misses);
	await Promise.all([...Array(30)].map(() => overview(admin, '?period=12d')));
	assert.ok(
		(await count('answers_misses_total')) - misses <= 2,
		'one computes, the others wait for it',
	);
	const at = (await overview(admin, '?period=11d')).last_updated;
	assert.ok((await overview(admin, '?period=11d&refresh=true')).last_updated > at);
	pgctl('stop', '-m', 'fast');
	await waitUntil(async () => (await s.get('/api/v1/tickets', admin)).status === 503, 5000);
	const stale = await s.get('/api/v1/client/dashboard/overview?period=11d&refresh=true', admin);
	pgctl('start');
	assert.strictEqual(stale.status, 200, stale.text);
	assert.strictEqual(stale.data.stale, true);
	assert.ok(stale.data.as_of && stale.data.summary.total_tickets > 0);
	/* all connections of the pool, not only the one that reads */
	await waitUntil(async () => (await s.get('/readyz')).status === 200, 10000);
	await waitUntil(async () => (await s.get('/api/v1/status')).data?.degraded === false, 10000);
	assert.strictEqual((await overview(admin, '?period=11d&refresh=true')).stale, undefined);
});
test('a ticket that cannot be counted does not hold up others', async () => {
	const before = (await overview(admin, '?refresh=true')).summary.total_tickets;
	s.sql(
		"create function refuse() returns trigger language plpgsql as $$ begin if new.priority = 'P4' then raise exception 'poisoned'; end if; return new; end $$; create trigger refuse before insert on ticket_outcomes for each row execute function refuse()",
	);
	const made = await Promise.all(['P3', 'P3', 'P4', 'P3'].map((priority) => make({ priority })));
	await waitUntil(async () => (await overview(admin)).summary.total_tickets === before + 3, 5000);
	await waitUntil(() => s.log.includes(`ticket not counted tenant=${s.alpha} ticket=${made[2].id}`));
	s.sql('drop trigger refuse on ticket_outcomes');
	await act(made[2].id, 'reply', { text: 'x' });
	await waitUntil(async () => (await overview(admin)).summary.total_tickets === before + 4, 5000);
});
const log =
	process.env.SLADESK_DATA &&
	path.join(process.env.SLADESK_DATA, 'tickets/uci_incident_event_log.dev.csv.gz');
test('a page can request everything at once: its session is looked up once, widgets share their source data', async () => {
	const fresh = await s.login('user', 'alpha'),
		data = (w) => s.get('/api/v1/client/dashboard/data?period=9d&widgets=' + w, fresh),
		names = ['total_tickets', 'resolved_tickets', 'ticket_trend', 'avg_response_time'];
	const missed = await s.metric('answers_misses_total');
	/* sessions are slow to look up, and more requests arrive than may wait for the database */
	const slow = s.sqlBeside('begin; lock table sessions; select pg_sleep(0.35); commit');
	await waitUntil(
		() => s.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock'") !== '0',
	);
	const asked = [...Array(400).keys()].map((i) => data(names[i % names.length]));
	await slow;
	const all = await Promise.all(asked);
	for (const [i, r] of all.entries()) {
		assert.strictEqual(r.status, 200, r.text);
		assert.deepStrictEqual(Object.keys(r.data.widgets), [names[i % names.length]]);
	}
	assert.strictEqual((await s.metric('answers_misses_total')) - missed, 1);
	const [two, one] = [await data('ticket_trend,total_tickets'), await data('total_tickets')];
	assert.deepStrictEqual(Object.keys(two.data.widgets).sort(), ['ticket_trend', 'total_tickets']);
	assert.deepStrictEqual(one.data.widgets.total_tickets, two.data.widgets.total_tickets);
});
test('every number links to its tickets, for customers and staff; an invalid filter is explained', async () => {
	const o = await overview(admin, '?period=7d');
	assert.ok(o.summary.total_tickets > 0 && o.summary.pending_tickets > 0);
	await linked(o, admin, 'customer');
	const staff = await overview(boss, `?period=7d&tenant_id=${s.alpha}`);
	s.cli(
		[
			...['user', 'add', '--tenant', 'alpha', '--username', 'few', '--name', 'few'],
			...['--email', 'few@alpha.example', '--lang', 'en', '--role', 'user'],
		],
		PASSWORD + '\n',
	);
	const id = s.sql("select id from client_users where username = 'few'"),
		limit = await s.request('PUT', `/api/v1/client/admin/users/${id}/permissions`, {
			token: admin,
			body: { grants: [{ resource_type: 'ticket', permissions: { read: false } }] },
		});
	assert.strictEqual(limit.status, 200, limit.text);
	const blind = await overview(await s.login('few', 'alpha'), '?period=7d');
	for (const k of ['total_tickets', 'avg_response_time', 'satisfaction_score'])
		assert.strictEqual(blind.links[k], null, k);
	assert.match(staff.links.total_tickets, /^\/api\/v1\/tickets\?.*tenant_id=/);
	await linked(staff, boss, 'staff');
	assert.strictEqual((await s.get(o.links.sla_compliance, admin)).status, 200);
	assert.strictEqual((await s.get(staff.links.sla_compliance, boss)).status, 200);
	for (const [q, field] of [
		['figure=lost', 'figure'],
		['opened_from=yesterday', 'opened_from'],
		['opened_to=2026-13-01T00:00:00Z', 'opened_to'],
	]) {
		const r = await s.get('/api/v1/client/tickets?' + q, admin);
		assert.deepStrictEqual([r.code, r.json.details.fields.map((f) => f.field)], [40001, [field]]);
	}
	assert.strictEqual(
		(
			await s.get(
				'/api/v1/client/tickets?opened_from=2020-01-01T00:00:00Z&opened_to=2020-01-02T00:00:00Z',
				admin,
			)
		).data.items.length,
		0,
	);
});
test(
	'a real log: every period equals the recount, after the import, after a rebuild, and after a crash in between',
	{ skip: log && fs.existsSync(log) ? false : 'the log is not here' },
	async () => {
		s.cli([
			'import',
			...['--map', path.join(__dirname, '../../etc/import/servicenow-uci.json')],
			...[
				'--tenant',
				'beta',
				'--policy',
				'servicenow-uci',
				'--rejects',
				path.join(s.dir, 'rejects.csv'),
			],
			log,
		]);
		/* each breach of the log is kept with what was promised */
		assert.strictEqual(
			s.sql(
				`select count(*) > 100 and count(*) = count(*) filter (where b.breached_at = k.breached_at and b.budget_s > 0) from sla_clocks k left join sla_breaches b using (tenant_id, ticket_id, clock, cycle) where k.tenant_id = ${s.beta} and k.clock in ('response', 'resolution') and k.breached_at is not null`,
			),
			't',
		);
		s.agent = new http.Agent({
			keepAlive: false,
		}); /* kept connections exceed the idle limit while the commands run */
		const beta = await s.login('admin', 'beta');
		s.sql(
			'analyze tickets, sla_clocks',
		); /* otherwise the statement below is planned for tables of ten rows */
		s.sql(
			`update tickets set opened_at = opened_at + shift.by, first_response_at = first_response_at + shift.by, resolved_at = resolved_at + shift.by from (select date_trunc('day', now() - max(opened_at)) as by from tickets where tenant_id = ${s.beta}) shift where tenant_id = ${s.beta}; update sla_clocks set start_at = start_at + shift.by, stopped_at = stopped_at + shift.by, breached_at = breached_at + shift.by from (select date_trunc('day', now() - max(start_at)) as by from sla_clocks where tenant_id = ${s.beta}) shift where tenant_id = ${s.beta}`,
		);
		assert.match(s.cli(['rollup', 'rebuild', '--tenant', 'beta']), /1 tenants recounted/);
		for (const days of [1, 30, 90, 366])
			same(
				(await overview(beta, `?period=${days}d&refresh=true`)).summary,
				recount(s.beta, days - 1, 0),
				`${days} days`,
			);
		for (const days of [7, 366])
			await linked(await overview(beta, `?period=${days}d`), beta, `${days} days`);
		const all = await compliance(beta, '?period=366d&group_by=priority');
		assert.ok(all.total_tickets > 1000);
		const counts = () =>
			s.sql(
				`select sum(opened), sum(pending), sum(resolved), sum(overdue), sum(response_n), sum(response_s), sum(decided), sum(met) from rollups where tenant_id = ${s.beta}`,
			);
		const before = counts();
		s.sql(
			`select rollup_apply(array_agg(tenant_id), array_agg(id)) from tickets where tenant_id = ${s.beta}`,
		);
		assert.strictEqual(counts(), before, 'counted again is counted once');
		const t = await make({}, beta);
		await s.stop('SIGKILL');
		await s.start();
		await waitUntil(
			async () => Number(counts().split('|')[0]) === Number(before.split('|')[0]) + 1,
			5000,
		);
		assert.ok(t.id);
	},
);
