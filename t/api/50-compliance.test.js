// SPDX-License-Identifier: Apache-2.0
// Compliance by everything that the product document names (2.1.3), between two dates, day by day; and what stands where there is no rate.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js');

const GROUPS = [
		'service_type',
		'priority',
		'engineer',
		'department',
		'project',
		'region',
		'contract',
		'cost_centre',
		'office',
	],
	OF_TICKETS = ['contract', 'cost_centre', 'office'];
let s, admin, user, eng, beta;
const today = () => new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10),
	ago = (n) => new Date(Date.now() + 8 * 3600e3 - n * 86400e3).toISOString().slice(0, 10);
const compliance = async (query, token = admin, lang = 'en') => {
	const r = await s.get('/api/v1/client/sla/compliance?' + query, token, { 'Accept-Language': lang });
	assert.strictEqual(r.status, 200, r.text);
	return r.data;
};
before(async () => {
	s = await Server.make('compliance');
	[admin, user, eng, beta] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('eng1'),
		s.login('admin', 'beta'),
	]);
});
after(() => s && s.drop());

test('without decided tickets there is no rate, but a word for it', async () => {
	for (const [lang, word] of Object.entries({ zh: '暂无已判定的工单', en: 'no tickets decided yet' })) {
		const c = await compliance('period=30d', beta, lang),
			o = (
				await s.get('/api/v1/client/dashboard/overview', beta, {
					'Accept-Language': lang,
				})
			).data;
		assert.deepStrictEqual(
			[c.overall_compliance, c.overall_compliance_text, c.overdue_tickets],
			[null, word, 0],
		);
		assert.deepStrictEqual(
			[o.summary.sla_compliance, o.summary.sla_compliance_text, o.summary.overdue_tickets],
			[null, word, 0],
		);
	}
});
test('every group adds up to the whole, and equals a plain recount; another customer sees nothing of it', async () => {
	for (const [kind, codes] of Object.entries({
		contract: ['k1', 'k2'],
		cost_centre: ['cc1'],
		office: ['shanghai', 'beijing'],
	}))
		for (const code of codes) {
			const r = await s.request('PUT', `/api/v1/catalogue/${kind}/${code}`, {
				token: admin,
				body: { name_zh: code, name_en: code },
			});
			assert.strictEqual(r.status, 200, r.text);
		}
	const made = [];
	for (const more of [
		{ contract: 'k1', office: 'shanghai' },
		{ contract: 'k1', cost_centre: 'cc1', office: 'beijing' },
		{ contract: 'k2' },
		{},
	]) {
		const r = await s.post('/api/v1/tickets', user, {
			title: 'x',
			description: 'y',
			priority: 'P3',
			...more,
		});
		assert.strictEqual(r.status, 201, r.text);
		made.push(r.data.id);
	}
	for (const id of made.slice(0, 3)) {
		await s.post(`/api/v1/tickets/${id}/accept`, eng, {});
		await s.post(`/api/v1/tickets/${id}/reply`, eng, { text: 'hello' });
		const r = await s.post(`/api/v1/tickets/${id}/resolve`, eng, { text: 'done' });
		assert.strictEqual(r.status, 200, r.text);
	}
	await waitUntil(
		async () => (await compliance(`group_by=contract&service_type=all`)).decided_tickets === 3,
	);
	for (const group of GROUPS) {
		const c = await compliance('group_by=' + group),
			groups = c['by_' + group],
			sum = (k) => groups.reduce((n, g) => n + g[k], 0);
		assert.deepStrictEqual(
			[
				sum('total_tickets'),
				sum('decided_tickets'),
				sum('violated_tickets'),
				sum('overdue_tickets'),
			],
			[4, 3, 0, 0],
			group,
		);
		assert.deepStrictEqual(
			[c.total_tickets, c.decided_tickets, c.overall_compliance, c.overall_compliance_text],
			[4, 3, 100, null],
			group,
		);
		for (const g of groups)
			assert.strictEqual(
				g.compliance_rate_text,
				g.decided_tickets ? null : 'no tickets decided yet',
			);
		if (OF_TICKETS.includes(group))
			assert.deepStrictEqual(
				groups.map((g) => `=${g[group]} ${g.total_tickets}`),
				s
					.sql(
						`select '=' || coalesce(${group}, '') || ' ' || count(*) from tickets where tenant_id = ${s.alpha} group by coalesce(${group}, '') order by coalesce(${group}, '')`,
					)
					.split('\n'),
			);
		assert.strictEqual((await compliance('group_by=' + group, beta)).total_tickets, 0);
	}
});
test('from and to: the same as the period with those days; day by day; what cannot be is named', async () => {
	for (const group of GROUPS) {
		const strip = ({ last_updated, as_of, stale, ...c }) => c, // eslint-disable-line no-unused-vars
			dated = strip(await compliance(`group_by=${group}&from=${ago(6)}&to=${today()}`));
		assert.deepStrictEqual(dated, strip(await compliance(`group_by=${group}&period=7d`)), group);
		assert.deepStrictEqual(
			[dated.trend.length, dated.trend[0].date, dated.trend.at(-1).date],
			[7, ago(6), today()],
		);
		assert.strictEqual(
			dated.trend.reduce((n, d) => n + d.compliance_decided, 0),
			dated.decided_tickets,
		);
		assert.strictEqual(dated.trend.at(-1).compliance, 100);
		const before = await compliance(`group_by=${group}&from=${ago(9)}&to=${ago(3)}`);
		assert.deepStrictEqual(
			[before.total_tickets, before.overall_compliance, before.period],
			[0, null, { days: 7, start: ago(9), end: ago(3) }],
			group,
		);
	}
	const o = (await s.get(`/api/v1/client/dashboard/overview?from=${ago(6)}&to=${today()}`, admin)).data;
	assert.deepStrictEqual(
		[o.summary.total_tickets, o.period, o.trends.ticket_trend.length],
		[4, { days: 7, start: ago(6), end: today() }, 7],
	);
	assert.ok(o.links.sla_compliance.includes(`from=${ago(6)}&to=${today()}`), o.links.sla_compliance);
	const linked = await compliance(o.links.sla_compliance.split('?')[1]);
	assert.strictEqual(linked.overall_compliance, o.summary.sla_compliance);
	assert.strictEqual(
		(await s.get(`/api/v1/client/dashboard/overview?from=${ago(9)}&to=${ago(3)}`, admin)).data
			.summary.total_tickets,
		0,
	);
	for (const [query, field] of [
		['from=2026-01-01', 'to'],
		['to=2026-01-01', 'from'],
		['from=2026-02-01&to=2026-01-01', 'to'],
		['from=2024-01-01&to=2026-01-01', 'to'],
		['from=2026-02-30&to=2026-03-01', 'from'],
		['from=2026-02-01&to=2026-03-01&period=7d', 'period'],
	])
		for (const p of ['dashboard/overview', 'sla/compliance']) {
			const r = await s.get(`/api/v1/client/${p}?${query}`, admin);
			assert.deepStrictEqual(
				[r.status, r.json.details.fields?.map((f) => f.field)],
				[400, [field]],
				p + query + r.text,
			);
		}
});
test('a data scope holds for the groups that are read from the tickets', async () => {
	/* as the role of requests, with and without a scope */
	const counted = (scope) =>
		s
			.sql(
				`begin; select set_config('app.current_tenants', '{${s.alpha}}', true), set_config('app.current_tenant_id', '${s.alpha}', true), set_config('app.scope', '${scope}', true); set local role sladesk_app; select 'n=' || count(*) from ticket_outcomes; commit`,
			)
			.match(/n=(\d+)/)[1];
	assert.deepStrictEqual([counted(''), counted('{"departments":["none"]}')], ['4', '0']);
});
