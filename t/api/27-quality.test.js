// SPDX-License-Identifier: Apache-2.0
// Dashboard numbers that differ from the tickets are found, corrected at once, reported and listed; correct ones are left alone.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, mailSink } = require('../lib/server.js');

let s, mail, admin, boss;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('quality', { mail: { url: mail.url } });
	[admin, boss] = await Promise.all([s.login('admin', 'alpha'), s.login('boss')]);
	for (const priority of ['P0', 'P3', 'P3'])
		assert.strictEqual(
			(
				await s.post('/api/v1/client/tickets', admin, {
					title: 'one',
					description: 'x',
					priority,
				})
			).status,
			201,
		);
	await waitUntil(async () => (await total()) === 3);
});
test.after(async () => {
	await s.drop();
	await mail.close();
});
const total = async () =>
	(await s.get('/api/v1/client/dashboard/overview?refresh=true', admin)).data.summary.total_tickets;
const rows = () =>
	s.sql(
		`select json_agg(r order by r.day, r.priority) from rollups r where tenant_id = ${s.alpha} and opened > 0`,
	);
const check = () => {
	try {
		return [0, s.cli(['rollup', 'check'])];
	} catch (e) {
		return [Number(e.message.match(/check: (\d+)/)[1]), e.message];
	}
};
const CLEAN = /alpha: 3 tickets, 0 counted wrong, 0 rows wrong, 0 still wrong/;

test('correct numbers are left alone', () => {
	const before = rows();
	const [rc, text] = check();
	assert.strictEqual(rc, 0, text);
	assert.match(text, CLEAN);
	assert.strictEqual(rows(), before);
});
test('a ticket that was counted wrong, and wrong, missing or superfluous rows, are found and corrected', () => {
	const before = rows();
	for (const [harm, found] of [
		[
			`update ticket_outcomes set priority = 'P1' where (tenant_id, ticket_id) in (select tenant_id, min(ticket_id) from ticket_outcomes where tenant_id = ${s.alpha} group by 1)`,
			/alpha: 3 tickets, 1 counted wrong, [1-9]\d* rows wrong, 0 still wrong/,
		],
		[
			`delete from ticket_outcomes where tenant_id = ${s.alpha}`,
			/3 counted wrong, [1-9]\d* rows wrong, 0 still/,
		],
		[
			`update rollups set opened = opened + 7 where tenant_id = ${s.alpha} and priority = 'P3'`,
			/0 counted wrong, 1 rows wrong, 0 still/,
		],
		[
			`delete from rollups where tenant_id = ${s.alpha} and priority = 'P0'`,
			/0 counted wrong, 1 rows wrong, 0 still/,
		],
		[
			`insert into rollups (tenant_id, day, service_type, priority, department, project, region, engineer_id, pending) values (${s.alpha}, '2020-01-01', 'x', 'P2', '', '', '', 0, 1)`,
			/0 counted wrong, 1 rows wrong, 0 still/,
		],
	]) {
		s.sql(harm);
		const [rc, text] = check();
		assert.strictEqual(rc, 1, text);
		assert.match(text, found, harm);
		assert.strictEqual(rows(), before, harm);
		assert.match(check()[1], CLEAN);
	}
});
test('events that are not followed yet cause no false alarm', () => {
	s.sql(
		`update consumer_positions set seq = 0 where tenant_id = ${s.alpha} and consumer = 'rollup'; delete from ticket_outcomes where tenant_id = ${s.alpha}; delete from rollups where tenant_id = ${s.alpha}`,
	);
	const [rc, text] = check();
	assert.strictEqual(rc, 0, text);
	s.cli(['rollup', 'rebuild', '--tenant', 'alpha']);
	s.sql(
		`update consumer_positions p set seq = c.seq from tenant_counters c where c.tenant_id = p.tenant_id and p.tenant_id = ${s.alpha} and consumer = 'rollup'`,
	);
});
test('the daemon does this automatically: managers are notified, the portal shows correct numbers, staff see the result', async () => {
	s.sql(`update rollups set opened = opened + 40 where tenant_id = ${s.alpha} and priority = 'P3'`);
	await s.stop();
	s.settings.integration = { ...s.settings.integration, figures_every_s: 1 };
	await s.start();
	await waitUntil(() =>
		mail.mails.some(
			(m) =>
				m.to.includes('boss@provider.example') &&
				/data quality|数据质量/.test(m.subject),
		),
	);
	const m = mail.mails.find((x) => /data quality|数据质量/.test(x.subject));
	assert.match(m.subject, /Tenant alpha/);
	assert.match(m.body, /3[^0-9]+0[^0-9]+1[^0-9]+0/, m.body);
	assert.ok(!/\{\{|\?\?/.test(m.subject + m.body), m.subject + m.body);
	assert.strictEqual(await total(), 3);
	assert.strictEqual(await s.metric('figures_wrong_total'), 1);
	const q = (await s.get('/api/v1/data-quality', boss)).data.items.filter(
		(x) => x.code === 'alpha' && x.wrong_rows > 0,
	);
	assert.ok(q.length >= 1 && q.every((x) => x.left_wrong === 0 && x.done_at));
	assert.strictEqual((await s.get('/api/v1/data-quality', admin)).code, 40003);
	/* a staff member who serves only beta sees nothing of alpha and previews nothing there */
	s.sql(
		`update staff set serves_all = false where username = 'boss'; insert into staff_tenants (tenant_id, staff_id) select ${s.beta}, id from staff where username = 'boss'`,
	);
	const few = await s.login('boss'),
		seen = (await s.get('/api/v1/data-quality', few)).data.items;
	assert.ok(seen.length > 0 && seen.every((x) => x.code === 'beta'), JSON.stringify(seen));
	const document = JSON.parse(
			s.sql("select doc from sla_configurations where code = 'standard' order by version desc limit 1"),
		),
		preview = (tenant_id) => s.post('/api/v1/sla/policies/preview', few, { tenant_id, document });
	assert.deepStrictEqual([(await preview(s.alpha)).code, (await preview(s.beta)).code], [40003, 200]);
	/* the next recount finds nothing */
	const n = await s.metric('figures_checked_total'),
		wrong = await s.metric('figures_wrong_total');
	await waitUntil(async () => (await s.metric('figures_checked_total')) > n);
	assert.strictEqual(await s.metric('figures_wrong_total'), wrong);
});
