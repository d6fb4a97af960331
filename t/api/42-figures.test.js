// SPDX-License-Identifier: Apache-2.0
// Numbers in signed reports: a rate is 100 only if nothing was missed, and its counts stand beside it; a violation keeps what was promised; an alert
// has the instant of its breach; a recount delays nobody; an estimate counts what the file will contain.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js');

let s, admin, user, boss, eng, provider;
async function logIn() {
	[admin, user, boss, eng] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('boss'),
		s.login('eng1'),
	]);
}
test.before(async () => {
	s = await Server.make('figures', { test: { allow_clock: 'yes' } });
	await logIn();
	provider = s.token('provider', 'sla:read,dashboard:read,report:read');
});
test.after(() => s.drop());

const create = async (more) => {
	const r = await s.post('/api/v1/tickets', user, {
		title: 'x',
		description: 'y',
		priority: 'P3',
		...more,
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
const act = async (id, cmd, body, token = eng) => {
	const r = await s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
	assert.strictEqual(r.status, 200, cmd + r.text);
	return r.data;
};
const get = async (path, token = admin) => {
	const r = await s.get(path, token);
	assert.strictEqual(r.status, 200, path + r.text);
	return r.data;
};

/* --- rates --- */

/* Every rate in a reply: [path, value, met, decided]. A rate is known by its counts; a member that is named like one must have them. */
function ratesIn(v, at = '') {
	if (Array.isArray(v)) return v.flatMap((x, i) => ratesIn(x, `${at}[${i}]`));
	if (!v || typeof v !== 'object') return [];
	return Object.entries(v).flatMap(([k, x]) => {
		if (k.endsWith('_met') || k.endsWith('_decided') || at.endsWith('.links')) return [];
		if (k + '_decided' in v) return [[`${at}.${k}`, x, v[k + '_met'], v[k + '_decided']]];
		if (/(compliance|_rate)(_adjusted)?$/.test(k) && typeof x !== 'object')
			assert.fail(`${at}.${k} has no counts beside it`);
		return ratesIn(x, `${at}.${k}`);
	});
}
const metrics =
	'sla_compliance,response_compliance,resolution_compliance,sla_trend,by_priority,by_service_type';
/* A period of its own for each case, because replies are cached. */
const replies = (period) => [
	[`/api/v1/client/dashboard/overview?period=${period}d`, admin],
	[`/api/v1/client/sla/compliance?period=${period}d`, admin],
	[`/api/v1/client/sla/compliance?period=${period}d&group_by=priority`, admin],
	[`/api/v1/sla/metrics?period=${period}d`, boss],
	[`/api/v1/client/dashboard/data?period=${period}d&widgets=${metrics}`, admin],
	[`/api/v1/integration/sla/metrics?tenant_id=${s.alpha}&date_range=2020-01-01,2020-12-31`, provider],
	[`/api/v1/client/reports/summary/${s.alpha}?period=${period}d`, provider],
];

test('a rate is 100 only if nothing was missed, 0 only if nothing was kept, and its counts stand beside it', async () => {
	const doc = (await s.get('/openapi.json')).json,
		described = Object.keys(doc.paths).filter((p) =>
			/"(\w*compliance|compliance_rate)(_adjusted)?_decided"/.test(
				JSON.stringify(doc.paths[p]),
			),
		);
	assert.deepStrictEqual(
		described.sort(),
		[
			'/api/v1/client/dashboard/overview',
			'/api/v1/client/reports/summary/{tenant_id}',
			'/api/v1/client/sla/compliance',
			'/api/v1/integration/sla/metrics',
			'/api/v1/sla/metrics',
			'/api/v1/sla/policies/preview',
		],
		'each endpoint whose reply has a rate is tested here',
	);
	let n = 0,
		period = 8;
	const cases = [
		[2999, 3000],
		[1, 3000],
		[99999, 100000],
		[1, 100000],
		[3000, 3000],
		[0, 3000],
	];
	for (const [met, decided] of cases) {
		s.sql(
			`delete from rollups where tenant_id = ${s.alpha};
			 insert into rollups select ${s.alpha}, d.day, 'incident', 'P3', '', '', '', 0, ${decided}, 0, ${decided}, 0, 0, 0, 0, 0,
			 ${decided}, ${met}, ${decided}, ${met}, ${decided}, ${met}, ${decided}, ${met}
			 from (values ((now() at time zone 'Asia/Shanghai')::date), (date '2020-06-01')) as d(day)`,
		);
		for (const [path, token] of replies(++period)) {
			const found = ratesIn(await get(path, token)).filter((r) => r[3] > 0);
			assert.ok(found.length, path + ' shows no rate');
			for (const [where, value, m, d] of found) {
				const what = `${path} ${where}: ${value} of ${m}/${d}`;
				assert.ok(d % decided === 0 && m === (met * d) / decided, what);
				assert.strictEqual(value === 100, met === decided, what);
				assert.strictEqual(value === 0, met === 0, what);
				assert.ok(Math.abs(value - (100 * met) / decided) <= 0.1, what);
				n++;
			}
		}
	}
	console.log(`# ${n} rates in ${replies(8).length} replies, ${cases.length} pairs of counts`);
	s.sql(`delete from rollups where tenant_id = ${s.alpha}`);
	s.cli(['rollup', 'rebuild']);
});

/* --- violations and alerts --- */

let period = 60;
const violations = async (id) =>
	(await get(`/api/v1/client/sla/compliance?period=${++period}d`)).violations.filter(
		(v) => v.id === id,
	);

test('a violation keeps the target and the actual time of its cycle', async () => {
	const id = await create({ priority: 'P0' }),
		opened = Date.parse((await get('/api/v1/tickets/' + id, eng)).opened_at);
	await s.jump(20 * 60);
	await waitUntil(() => s.sql(`select count(*) from sla_breaches where ticket_id = ${id}`) === '1');
	await act(id, 'priority', { priority: 'P3', reason: 'not so bad' }, boss);
	await s.jump(3600);
	await logIn();
	await act(id, 'reply', { text: 'here' });
	const [v] = await violations(id);
	assert.deepStrictEqual(
		[v.violation_type, v.priority, v.target_seconds, v.breached_at],
		['response_time', 'P0', 900, new Date(opened + 900e3).toISOString()],
	);
	assert.ok(v.actual_seconds >= 80 * 60 && v.actual_seconds < 85 * 60, JSON.stringify(v));

	/* a new cycle does not replace it */
	await act(id, 'resolve', { text: 'done' });
	await s.jump(4 * 86400);
	await logIn();
	await act(id, 'reopen', { reason: 'again' });
	assert.strictEqual((await get('/api/v1/tickets/' + id, eng)).cycle, 2);
	const again = (await violations(id)).find((x) => x.priority === 'P0');
	assert.strictEqual(again.actual_seconds, v.actual_seconds);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('an alert carries the instant of its breach; a waived or excluded one leaves the list', async () => {
	const ids = [await create({ priority: 'P0' }), await create({ priority: 'P0' })],
		opened = await Promise.all(
			ids.map(async (id) =>
				Date.parse((await get('/api/v1/tickets/' + id, eng)).opened_at),
			),
		),
		both = async () => {
			const listed = (await get('/api/v1/client/alerts?limit=200')).items,
				shown = (await get('/api/v1/client/dashboard/overview')).alerts;
			return ids.map((id) => [
				listed.find((a) => a.ticket_id === id),
				shown.find((a) => a.ticket_id === id),
			]);
		};
	await s.jump(13 * 60);
	await logIn();
	await waitUntil(async () => (await both()).flat().every((a) => a && a.type === 'sla_warning'));
	for (const [i, pair] of (await both()).entries())
		for (const a of pair)
			assert.strictEqual(
				a.timestamp,
				new Date(opened[i] + 720e3).toISOString(),
				'80 % of 15 min',
			);
	await s.jump(3 * 60);
	await waitUntil(async () => (await both()).flat().every((a) => a && a.type === 'sla_violation'));
	await act(ids[0], 'note', { text: 'a later change' });
	for (const [i, pair] of (await both()).entries())
		for (const a of pair)
			assert.strictEqual(
				a.timestamp,
				new Date(opened[i] + 900e3).toISOString(),
				'the due instant',
			);
	await act(ids[0], 'waive', { clock: 'response', reason: 'agreed' }, boss);
	await act(ids[1], 'propose-exclusion', { kind: 'test', reason: 'a test' }, eng);
	assert.ok((await both())[1].every(Boolean), 'a proposal changes nothing');
	await act(ids[1], 'approve-exclusion', { reason: 'yes' }, boss);
	/* the overview follows within a second */
	await waitUntil(async () => (await both()).flat().every((a) => a === undefined));
	/* also if it was waived before this version, whose rows still count the waived clock */
	s.sql(`update tickets set sla_high = 100 where id = ${ids[0]}`);
	const listed = (await get('/api/v1/client/alerts?limit=200')).items;
	assert.ok(!listed.some((a) => a.ticket_id === ids[0]));
});

/* --- the recount --- */

test('a recount skips years without rows, and customers take turns', async () => {
	/* rows of the years 1899 and 9999, as an earlier version imported them, and a wrong one of another customer */
	const id = await create();
	s.sql(
		`update tickets set opened_at = '1899-01-01Z' where id = ${id}; select rollup_apply(array[${s.alpha}::bigint], array[${id}::bigint]);`,
	);
	const far = await create();
	s.sql(
		`update tickets set opened_at = '9999-06-01Z' where id = ${far}; select rollup_apply(array[${s.alpha}::bigint], array[${far}::bigint]);
		 insert into rollups select ${s.beta}, date '2026-01-01', 'incident', 'P3', '', '', '', 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0`,
	);
	const order = [],
		step = (now) => {
			const r = s.sql(
				`select tenant_id || ' ' || (done_at is not null) from rollup_check(${now}, 0, 500)`,
			);
			if (r) order.push(r.split(' '));
			return r;
		};
	const now = s.sql('select us(now())');
	s.sql('delete from rollup_checks');
	while (order.length < 200 && step(now));
	console.log(`# ${order.length} steps`);
	assert.ok(order.length < 30, `${order.length} steps`);
	const done = order.filter((o) => o[1] === 'true').map((o) => Number(o[0]));
	assert.deepStrictEqual(done.sort(), [s.alpha, s.beta].sort());
	/* nobody has two turns more than another who waits */
	const turns = {};
	for (const [tenant, ended] of order) {
		turns[tenant] = (turns[tenant] || 0) + 1;
		for (const [other, n] of Object.entries(turns))
			assert.ok(
				turns[tenant] - n <= 1 || done.includes(Number(other)),
				JSON.stringify(order),
			);
		if (ended === 'true') delete turns[tenant];
	}
	assert.strictEqual(
		s.sql(
			`select wrong_rows || ' ' || left_wrong from rollup_checks where tenant_id = ${s.beta}`,
		),
		'1 0',
	);
});

/* --- an export --- */

test("an export's estimate is the number of rows that the file holds, whatever the filter", async () => {
	s.sql(
		`insert into tickets (tenant_id, title, status, priority, priority_source, service_type, source, requester_kind, requester_id, policy_id, calendar_id, opened_at, last_at, updated_at, department, muted)
		 select t.tenant_id, 'bulk', 'closed', 'P4', 'customer', t.service_type, 'web', 'customer', t.requester_id, t.policy_id, t.calendar_id, '2025-03-01Z'::timestamptz + n * interval '1 minute', now(), now(), case when n % 3 = 0 then 'IT' else 'HR' end, true
		 from generate_series(1, 6000) n, (select * from tickets where tenant_id = ${s.alpha} and requester_kind = 'customer' limit 1) t`,
	);
	const filters = [
		[{ filters: { priority: ['P4'] } }, 6000],
		[
			{
				filters: { priority: ['P4'], status: ['closed'] },
				date_range: ['2025-03-01', '2025-03-02'],
			},
			null,
		],
		[{ filters: { priority: ['P0', 'P4'], service_type: ['incident'] } }, null],
		[{ filters: { status: ['new'] } }, null],
	];
	for (const [parameters, expected] of filters)
		for (const max of [50000, 4000]) {
			const r = await s.post('/api/v1/client/export/data', admin, {
				export_type: 'ticket_data',
				parameters,
				options: { max_records: max },
			});
			assert.strictEqual(r.status, 202, r.text);
			const done = await waitUntil(async () => {
				const d = await get(`/api/v1/client/export/data/${r.data.export_id}`);
				return d.status !== 'processing' && d;
			});
			assert.strictEqual(done.status, 'completed', JSON.stringify(done));
			assert.deepStrictEqual(
				[r.data.estimated_records, done.estimated_records],
				[done.records, done.records],
				JSON.stringify(parameters),
			);
			if (expected) assert.strictEqual(done.records, Math.min(expected, max));
		}
});
