// SPDX-License-Identifier: Apache-2.0
// A supervisor's decisions: waivers, contested contacts, excluded windows and tickets, rebinding. The history still equals the state afterwards.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, mailSink } = require('../lib/server.js');

let s, mail, eng, boss, boss2, user, admin;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('judgement', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '300' },
	});
	s.cli(
		[
			'user',
			'add',
			'--staff',
			'--username',
			'boss2',
			'--name',
			'boss2',
			'--email',
			'boss2@provider.example',
			'--role',
			'manager',
			'--level',
			'3',
			'--lang',
			'en',
		],
		'Test-pass-1\n',
	);
	s.cli(
		[
			'user',
			'add',
			'--tenant',
			'alpha',
			'--username',
			'north',
			'--name',
			'north',
			'--email',
			'north@alpha.example',
			'--department',
			'finance',
			'--region',
			'north',
			'--office',
			'o1',
		],
		'Test-pass-1\n',
	);
	[eng, boss, boss2, user, admin] = await Promise.all([
		s.login('eng1'),
		s.login('boss'),
		s.login('boss2'),
		s.login('user', 'alpha'),
		s.login('admin', 'alpha'),
	]);
});
test.after(async () => {
	await s.drop();
	await mail.close();
});
const create = async (more = {}, token = user) => {
	const r = await s.post('/api/v1/tickets', token, { title: 'A title', description: 'x', ...more });
	assert.strictEqual(r.status, 201, r.text);
	return r.data;
};
const act = (id, cmd, body, token = boss) => s.post(`/api/v1/tickets/${id}/${cmd}`, token, body);
const ok = async (...a) => {
	const r = await act(...a);
	assert.strictEqual(r.status, 200, a[1] + ': ' + r.text);
	return r.data;
};
const clock = async (id, name = 'response') =>
	(await s.get(`/api/v1/tickets/${id}/clocks`, eng)).data.items.find((c) => c.clock === name);
const breached = async (id) => waitUntil(async () => (await clock(id)).verdict === 'breached');

test('a waiver: supervisors only, with a reason, only for a breach; shown with the breach', async () => {
	const k = await create({ priority: 'P0' });
	assert.strictEqual(
		(await act(k.id, 'waive', { clock: 'response', reason: 'too early' })).code,
		41002,
	);
	await breached(k.id);
	assert.strictEqual((await act(k.id, 'waive', { clock: 'response', reason: 'x' }, eng)).code, 40003);
	assert.strictEqual(
		(await act(k.id, 'waive', { clock: 'ladder', reason: 'x' })).json.details.fields[0].field,
		'clock',
	);
	assert.deepStrictEqual(
		(await act(k.id, 'waive', {})).json.details.fields.map((f) => f.field).sort(),
		['clock', 'reason'],
	);
	await ok(k.id, 'waive', { clock: 'response', reason: 'the customer asked us to wait by phone' });
	const c = await clock(k.id);
	assert.deepStrictEqual([c.verdict, c.waived, !!c.breached_at], ['waived', true, true]);
	assert.ok(
		(await s.get(`/api/v1/tickets/${k.id}/history`, user)).text.includes('ticket.breach_waived'),
	);
});
test('a contact recorded after due stays contested until a supervisor accepts it; the customer may dispute it', async () => {
	const k = await create({ priority: 'P0' }),
		opened = (await s.get('/api/v1/tickets/' + k.id, eng)).data.opened_at;
	await breached(k.id);
	assert.strictEqual((await act(k.id, 'accept-contact', { reason: 'x' })).code, 41002);
	await ok(
		k.id,
		'contact',
		{ text: 'called them', at: new Date(Date.parse(opened) + 60e3).toISOString() },
		eng,
	);
	assert.deepStrictEqual(
		[(await clock(k.id)).verdict, (await clock(k.id)).contested],
		['breached', true],
	);
	assert.strictEqual((await act(k.id, 'accept-contact', { reason: 'x' }, eng)).code, 40003);
	await ok(k.id, 'accept-contact', { reason: 'the phone log shows it' });
	assert.deepStrictEqual(
		[(await clock(k.id)).verdict, (await clock(k.id)).self_reported],
		['met', true],
	);
	await waitUntil(() =>
		mail.mails.some(
			(m) =>
				m.subject.includes(k.number) &&
				/response counts|首次响应/.test(m.subject + m.body) &&
				m.to.includes('user@alpha.example'),
		),
	);
	await ok(k.id, 'dispute-contact', { reason: 'nobody called' }, user);
	assert.strictEqual((await clock(k.id)).contested, true);
});
test('an excluded window does not count, announced before or after it', async () => {
	const k = await create({ priority: 'P3' }),
		before = Date.parse((await clock(k.id)).due_at),
		from = before - 3600e3;
	assert.strictEqual(
		(
			await act(k.id, 'exclude-window', {
				from: new Date(from).toISOString(),
				to: new Date(from - 1).toISOString(),
				reason: 'x',
			})
		).json.details.fields[0].field,
		'to',
	);
	await ok(k.id, 'exclude-window', {
		from: new Date(from).toISOString(),
		to: new Date(from + 1800e3).toISOString(),
		reason: 'maintenance announced',
	});
	assert.strictEqual(Date.parse((await clock(k.id)).due_at), before + 1800e3);
	assert.strictEqual((await s.get('/api/v1/tickets/' + k.id, eng)).data.excluded_windows.length, 2);
	/* each of them counts, however many there are */
	for (let i = 2; i < 24; i++)
		await ok(k.id, 'exclude-window', {
			from: new Date(before - 7200e3 + i * 120e3).toISOString(),
			to: new Date(before - 7200e3 + i * 120e3 + 60e3).toISOString(),
			reason: 'short maintenance',
		});
	assert.strictEqual(Date.parse((await clock(k.id)).due_at), before + 1800e3 + 22 * 60e3);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('a ticket that waited for its customer a hundred times: the due instant and the explanation are exact', async () => {
	const k = await create({ priority: 'P3' });
	await ok(k.id, 'confirm', {});
	for (let i = 0; i < 100; i++) {
		await ok(k.id, 'wait-customer', { reason: 'r' });
		await ok(k.id, 'resume', { reason: 'r' });
	}
	const c = s.sql(
		`select cardinality(runs) / 2 || ' ' || carry_us from sla_clocks where ticket_id = ${k.id} and clock = 'resolution'`,
	);
	assert.strictEqual(c, '101 0');
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
	/* a row that an earlier version folded is read, continues and shows no difference */
	s.sql(
		`update sla_clocks set carry_us = 1, runs = runs[75:202] where ticket_id = ${k.id} and clock = 'resolution'`,
	);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
	await ok(k.id, 'wait-customer', { reason: 'r' });
	assert.match(
		s.sql(
			`select cardinality(runs) / 2 || ' ' || carry_us from sla_clocks where ticket_id = ${k.id} and clock = 'resolution'`,
		),
		/^64 1$/,
	);
});
test('an exclusion needs two people; attainment is reported with and without it', async () => {
	const k = await create({ priority: 'P0' });
	await breached(k.id);
	assert.strictEqual((await act(k.id, 'approve-exclusion', { reason: 'x' })).code, 41002);
	await ok(k.id, 'propose-exclusion', { kind: 'test', reason: 'a drill' });
	assert.strictEqual((await act(k.id, 'approve-exclusion', { reason: 'x' })).code, 40003);
	assert.match(
		(
			await s.post(
				`/api/v1/tickets/${k.id}/approve-exclusion`,
				boss,
				{ reason: 'x' },
				{ 'Accept-Language': 'zh' },
			)
		).json.details.rule,
		/提议人/,
	);
	await ok(k.id, 'approve-exclusion', { reason: 'agreed' }, boss2);
	const t = (await s.get('/api/v1/tickets/' + k.id, eng)).data;
	assert.deepStrictEqual(
		[t.exclusion_kind, t.exclusion_state, t.exclusion_proposer === t.exclusion_approver],
		['test', 'approved', false],
	);
	assert.match(
		s.cli(['sla', 'replay', '--policy', 'standard', '--tenant', 'alpha']),
		/without 1 excluded tickets; 1 waived/,
	);
	assert.ok(
		!(await s.get(`/api/v1/tickets/${k.id}/history`, user)).text.includes('exclusion'),
		'customers do not see it',
	);
});
test('errors in a document are reported in the language of the reader; no rule is left out', async () => {
	const put = async (kind, document, lang) =>
		(
			await s.request('PUT', `/api/v1/sla/${kind}/wrong`, {
				token: boss,
				body: { document },
				headers: { 'Accept-Language': lang },
			})
		).json.details.fields.find((f) => /^document\./.test(f.field)).rule;
	for (const [kind, document] of [
		['policies', { priorities: {}, thresholds: ['100'] }],
		['policies', { priorities: { P0: { response_s: -1 } }, thresholds: ['100'] }],
		['policies', { priorities: { P0: {} }, thresholds: ['80'] }],
		['policies', { what: 1 }],
		['calendars', { tz: 'Nowhere/City' }],
		['calendars', { tz: 'UTC', hours: { mon: [['10:00', '09:00']] } }],
		['calendars', { tz: 'UTC', holidays: ['tomorrow'] }],
	]) {
		const en = await put(kind, document, 'en'),
			zh = await put(kind, document, 'zh');
		assert.doesNotMatch(en, /[\u4e00-\u9fff]/);
		assert.match(zh, /[\u4e00-\u9fff]/, zh);
	}
});
test('a preview under the policy in force equals the past; under another policy it differs; nothing changes', async () => {
	const preview = (body, token = boss) => s.post('/api/v1/sla/policies/preview', token, body),
		p = (await s.get('/api/v1/sla/policies', boss)).data.items.find(
			(x) => x.code === 'standard' && !x.service_type,
		),
		body = { tenant_id: s.alpha, document: p.doc, calendar: p.calendar_code };
	const met = await create({ priority: 'P3' });
	const begun = await s.clock();
	await waitUntil(async () => (await s.clock()) >= begun + 15e3);
	await ok(met.id, 'reply', { text: 'we look' });
	await ok(met.id, 'resolve', { text: 'done' });
	/* only the closed ticket's row and history stand still: the clocks of the others run on */
	const kept = () =>
		s.sql(
			`select json_agg(k order by k.clock)::text || (select json_agg(e order by e.seq)::text from events e where e.ticket_id = ${met.id}) from sla_clocks k where ticket_id = ${met.id}`,
		);
	await waitUntil(async () => (await s.metric('sla_lag_seconds')) === 0);
	const before = kept(),
		same = await preview(body);
	assert.strictEqual(same.status, 200, same.text);
	const { was, would_have_been: would, tickets, complete, days } = same.data;
	assert.ok(complete && tickets >= 4, same.text);
	assert.strictEqual(days, 30);
	assert.strictEqual(was.decided_tickets, would.decided_tickets, same.text);
	assert.ok(was.response_compliance > 0 && was.response_compliance <= 100, same.text);
	const strict = structuredClone(p.doc);
	for (const k of Object.values(strict.priorities))
		Object.assign(k, { response_s: 1, resolution_s: 1 });
	const harder = (await preview({ ...body, document: strict })).data;
	assert.ok(
		harder.would_have_been.response_compliance < was.response_compliance,
		JSON.stringify(harder),
	);
	assert.strictEqual(harder.would_have_been.compliance_rate, 0);
	assert.deepStrictEqual(harder.was.compliance_rate, was.compliance_rate);
	const kinds = await Promise.all(
		['incident', 'request', 'nothing'].map((service_type) => preview({ ...body, service_type })),
	);
	assert.deepStrictEqual(
		kinds.map((r) => r.data.tickets),
		['incident', 'request', 'nothing'].map((k) =>
			Number(
				s.sql(
					`select count(*) from tickets where tenant_id = ${s.alpha} and service_type = '${k}' and exclusion_state is distinct from 'approved'`,
				),
			),
		),
		'those of one service type',
	);
	const names = (r) => r.json.details.fields.map((f) => f.field).sort();
	assert.deepStrictEqual(names(await preview({ document: { priorities: 1 }, days: 93 })), [
		'days',
		'document.priorities',
		'tenant_id',
	]);
	assert.deepStrictEqual(names(await preview({ ...body, calendar: 'nowhere' })), ['calendar']);
	for (const t of [user, admin]) assert.strictEqual((await preview(body, t)).code, 40003);
	assert.strictEqual((await preview({ ...body, tenant_id: 999999 })).code, 40003);
	assert.ok(before.length > 100);
	assert.strictEqual(kept(), before);
});
test('rebind: an open ticket moves to the policy in force only on command, audited with the instants before and after', async () => {
	const k = await create({ priority: 'P3' }),
		before = (await clock(k.id)).due_at;
	s.sql(
		"insert into sla_configurations (tenant_id, code, version, calendar_code, doc, effective_from) select 1, code, 99, calendar_code, jsonb_set(doc, '{priorities,P3,response_s}', '28800'), '2001-01-01Z' from sla_configurations where code = 'standard' and version = 1",
	);
	assert.strictEqual((await clock(k.id)).due_at, before, 'a new version moves nothing');
	await ok(k.id, 'rebind', { reason: 'new contract' });
	assert.strictEqual(Date.parse((await clock(k.id)).due_at) - Date.parse(before), 14400e3);
	const e = (await s.get(`/api/v1/tickets/${k.id}/history`, eng)).data.items.find(
		(x) => x.type === 'ticket.rebound',
	);
	assert.strictEqual(e.data.due.response[0], before);
});
test('the catalogue: tickets can use only listed values; missing values come from the requester', async () => {
	for (const code of ['north', 'south'])
		assert.strictEqual(
			(
				await s.request('PUT', '/api/v1/catalogue/region/' + code, {
					token: admin,
					body: { name_zh: code, name_en: code },
				})
			).status,
			200,
		);
	await waitUntil(
		async () =>
			(
				await s.post('/api/v1/tickets', user, {
					title: 'x',
					description: 'y',
					region: 'west',
				})
			).status === 400,
		8000,
	);
	const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', region: 'west' });
	assert.deepStrictEqual([r.code, r.json.details.fields[0].field], [40001, 'region']);
	assert.strictEqual(
		(
			await s.post('/api/v1/tickets', user, {
				title: 'x',
				description: 'y',
				service_type: 'nonsense',
			})
		).json.details.fields[0].field,
		'service_type',
	);
	assert.strictEqual(
		(await s.get('/api/v1/tickets/' + (await create({ region: 'south' })).id, user)).data.region,
		'south',
	);
	/* what an administrator has added can be used at once */
	for (const code of ['east', 'centre']) {
		await s.request('PUT', '/api/v1/catalogue/region/' + code, {
			token: admin,
			body: { name_zh: code, name_en: code },
		});
		assert.strictEqual(
			(await s.get('/api/v1/tickets/' + (await create({ region: code })).id, user)).data.region,
			code,
		);
	}
	const north = await s.login('north', 'alpha'),
		t = (await s.get('/api/v1/tickets/' + (await create({ region: 'south' }, north)).id, user))
			.data;
	assert.deepStrictEqual([t.department, t.region, t.office], ['finance', 'south', 'o1']);
});
test('an escalation to a level without members reaches the managers', async () => {
	s.sql(
		"update staff set disabled_at = now() where role = 'engineer' and level = 2",
	); /* the level that is notified at 90 % and at the ladder's first step */
	const k = await create({ priority: 'P0' });
	await waitUntil(() =>
		mail.mails.some(
			(m) =>
				m.subject.includes(k.number) &&
				m.subject.includes('90') &&
				m.to.includes('boss@provider.example'),
		),
	);
});
test('the history still equals the state', async () => {
	await waitUntil(async () => (await s.metric('sla_lag_seconds')) === 0);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('outside delivery hours mails about P3 clocks wait for the opening and merge into one; P0 never waits', async () => {
	const day = (h) => [[h, '24:00']],
		now = Date.parse(
			(await s.get('/api/v1/tickets/' + (await create()).id, user)).data.opened_at,
		);
	/* it opens after 90 % of a two-hour response; at 300 times the speed, an hour takes 12 s */
	const open = new Date(now + 2.2 * 3600e3),
		date = open.toISOString().slice(0, 10),
		at = open.toISOString().slice(11, 16);
	const hours = Object.fromEntries(
		['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((d) => [d, []]),
	);
	assert.strictEqual(
		(
			await s.request('PUT', '/api/v1/sla/calendars/desk-hours', {
				token: boss,
				body: { document: { tz: 'UTC', hours, overrides: { [date]: day(at) } } },
			})
		).status,
		200,
	);
	/* the policy names its own hours; the setting's calendar, closed all week, is for policies
	 * that name none */
	assert.strictEqual(
		(
			await s.request('PUT', '/api/v1/sla/calendars/never', {
				token: boss,
				body: {
					document: {
						tz: 'UTC',
						hours: { ...hours, mon: [['03:00', '03:01']] },
						overrides: { [date]: [] },
					},
				},
			})
		).status,
		200,
	);
	assert.strictEqual(
		(
			await s.request('PUT', '/api/v1/sla/policies/quick', {
				token: boss,
				body: {
					service_type: 'request',
					document: {
						delivery_hours: 'desk-hours',
						priorities: {
							P3: { response_s: 7200, resolution_s: 864000 },
						},
						thresholds: ['80', '90', '95', '100'],
					},
				},
			})
		).status,
		200,
	);
	s.settings.notify = { ...s.settings.notify, hours: 'never' };
	await s.stop();
	await s.start();
	[eng, user] = await Promise.all([s.login('eng1'), s.login('user', 'alpha')]);
	const k = await create({ priority: 'P3', title: 'hours', service_type: 'request' }),
		p0 = await create({ priority: 'P0' }),
		me = Number(s.sql("select id from staff where username = 'eng1'"));
	assert.strictEqual((await act(k.id, 'assign', { assignee_id: me }, eng)).status, 200);
	const about = (t) =>
		mail.mails.filter(
			(m) =>
				m.subject.includes(t.number) &&
				/SLA/.test(m.subject) &&
				m.to.includes('eng1@provider.example'),
		);
	await waitUntil(() => about(p0).length >= 1, 20000);
	await waitUntil(
		() =>
			s.sql(
				`select count(*) from sla_fires where ticket_id = ${k.id} and clock = 'response' and threshold = '90'`,
			) === '1',
		60000,
	);
	assert.deepStrictEqual(
		about(k).map((m) => m.subject),
		[],
		'recorded on time, reported later',
	);
	await waitUntil(() => about(k).length > 0, 60000);
	await waitUntil(
		() =>
			s.sql(
				`select count(*) from notifications where ticket_id = ${k.id} and state = 'queued' and channel = 'mail'`,
			) === '0',
		20000,
	);
	assert.ok(
		Number(
			s.sql(
				`select count(*) from notifications where ticket_id = ${k.id} and state = 'merged'`,
			),
		) > 0,
	);
	assert.strictEqual(
		s.sql(
			`select count(*) from (select 1 from notifications n join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq where n.ticket_id = ${k.id} and n.state = 'sent' and e.type = 'sla.threshold' and e.data->>'clock' = 'response' and n.sent_at < '${open.toISOString()}'::timestamptz + interval '5 minutes' group by n.recipient_kind, n.recipient_id having count(*) > 1) x`,
		),
		'0',
		'one message for each person and clock',
	);
});
test('policies and calendars: validated by the code that uses them, versioned, changed only by the provider', async () => {
	const put = (p, body, token = boss) => s.request('PUT', '/api/v1/sla/' + p, { token, body });
	const doc = { priorities: { P1: { response_s: 60, resolution_s: 600 } }, thresholds: ['80', '100'] };
	assert.strictEqual((await put('policies/gold', { document: doc }, admin)).code, 40003);
	assert.strictEqual(
		(await put('policies/gold', { document: { priorities: {} } })).json.details.fields[0].field,
		'document.thresholds',
	);
	assert.strictEqual(
		(await put('policies/gold', { document: doc, calendar: 'nowhere' })).json.details.fields[0]
			.field,
		'calendar',
	);
	assert.strictEqual(
		(await put('policies/gold', { document: { ...doc, delivery_hours: 'nowhere' } })).json.details
			.fields[0].field,
		'document.delivery_hours',
	);
	assert.strictEqual(
		(await put('policies/gold', { document: { ...doc, delivery_hours: 'No Where' } })).json
			.details.fields[0].field,
		'document.delivery_hours',
	);
	assert.deepStrictEqual(
		(await put('policies/gold', { document: doc, bogus: 1 })).json.details.fields[0].field,
		'bogus',
	);
	assert.strictEqual((await put('policies/gold', { document: doc })).data.version, 1);
	assert.strictEqual((await put('policies/gold', { document: doc })).data.version, 2);
	assert.strictEqual(
		(await put('calendars/odd', { document: { tz: 'Nowhere/Land', hours: {} } })).json.details
			.fields[0].field,
		'document.tz',
	);
});
test('a calendar that only gains future dates takes over open tickets, audited; any other change moves none', async () => {
	const put = (document) =>
		s.request('PUT', '/api/v1/sla/calendars/shop', { token: boss, body: { document } });
	const day = (n) => new Date(Date.now() + n * 86400e3 * 1).toISOString().slice(0, 10),
		far = Date.parse(
			(await s.get('/api/v1/tickets/' + (await create()).id, user)).data.opened_at,
		);
	const at = (n) =>
		new Date(far + n * 86400e3)
			.toISOString()
			.slice(0, 10); /* the daemon's clock runs ahead of ours */
	const hours = Object.fromEntries(
		['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((d) => [d, [['00:00', '24:00']]]),
	);
	assert.ok(day(0));
	assert.strictEqual((await put({ tz: 'UTC', hours, holidays: ['2025-01-01'] })).data.version, 1);
	assert.strictEqual(
		(
			await s.request('PUT', '/api/v1/sla/policies/shop', {
				token: boss,
				body: {
					calendar: 'shop',
					service_type: 'change',
					document: {
						priorities: {
							P3: {
								response_s: 20 * 86400,
								resolution_s: 30 * 86400,
							},
						},
						thresholds: ['100'],
					},
				},
			})
		).status,
		200,
	);
	const k = await create({ priority: 'P3', service_type: 'change' }),
		before = (await clock(k.id)).due_at;
	assert.deepStrictEqual(
		(await put({ tz: 'UTC', hours, holidays: ['2025-01-01'] })).data.changed,
		false,
	);
	assert.strictEqual(
		(await put({ tz: 'UTC', hours, holidays: [] })).data.takes_over_running_tickets,
		false,
		'removing a date moves no ticket',
	);
	const grown = await put({ tz: 'UTC', hours, holidays: [at(10)] });
	assert.strictEqual(grown.data.takes_over_running_tickets, true);
	assert.strictEqual((await clock(k.id)).due_at, before, 'bound to a version further back');
	const k2 = await create({ priority: 'P3', service_type: 'change' }),
		before2 = (await clock(k2.id)).due_at;
	assert.strictEqual(
		(await put({ tz: 'UTC', hours, holidays: [at(10), at(12)] })).data.takes_over_running_tickets,
		true,
	);
	await waitUntil(
		async () => Date.parse((await clock(k2.id)).due_at) - Date.parse(before2) === 86400e3,
		20000,
	);
	const e = (await s.get(`/api/v1/tickets/${k2.id}/history`, eng)).data.items.find(
		(x) => x.type === 'ticket.rebound',
	);
	assert.strictEqual(e.actor_kind, 'system');
	assert.strictEqual(e.data.due.response[0], before2);
	await waitUntil(
		() =>
			s.sql(
				'select count(*) from calendars where replaced_by is not null and rebound_at is null',
			) === '0',
	);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('tickets that cannot be rebound hold up no others', async () => {
	const put = (document) =>
		s.request('PUT', '/api/v1/sla/calendars/shop2', { token: boss, body: { document } });
	const hours = Object.fromEntries(
			['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((d) => [d, [['00:00', '24:00']]]),
		),
		priorities = { P3: { response_s: 20 * 86400, resolution_s: 30 * 86400 } };
	assert.strictEqual((await put({ tz: 'UTC', hours, holidays: [] })).status, 200);
	const r = await s.request('PUT', '/api/v1/sla/policies/shop2', {
		token: boss,
		body: { calendar: 'shop2', service_type: 'request', document: { priorities, thresholds: ['100'] } },
	});
	assert.strictEqual(r.status, 200, r.text);
	const ids = [];
	for (let i = 0; i < 26; i++) ids.push((await create({ priority: 'P3', service_type: 'request' })).id);
	const bad = ids.slice(0, 25),
		opened = Date.parse((await s.get('/api/v1/tickets/' + ids[25], user)).data.opened_at),
		bound = (id) => s.sql(`select calendar_id from tickets where id = ${id}`),
		before = bound(ids[25]);
	s.sql(`alter table tickets drop constraint if exists tickets_priority_check`);
	s.sql(`update tickets set priority = 'P9' where id in (${bad})`);
	assert.strictEqual(
		(await put({ tz: 'UTC', hours, holidays: [new Date(opened + 12 * 86400e3).toISOString().slice(0, 10)] })).data
			.takes_over_running_tickets,
		true,
	);
	await waitUntil(() => bound(ids[25]) !== before, 20000);
	assert.strictEqual(bound(bad[0]), before);
	/* mended, they follow */
	s.sql(`update tickets set priority = 'P3' where id in (${bad})`);
	await waitUntil(() => bad.every((id) => bound(id) === bound(ids[25])), 60000);
});
test("a changed category is held to the tenant's catalogue, as a new ticket's is", async () => {
	const k = await create(),
		change = (category) => s.post(`/api/v1/tickets/${k.id}/category`, eng, { category });
	assert.strictEqual((await change('anything')).status, 200, 'without a list, any text is taken');
	s.sql(`insert into catalogue (tenant_id, kind, code, name_zh, name_en, active)
		values (${s.alpha}, 'category', 'network', 'x', 'x', true), (${s.alpha}, 'category', 'old', 'x', 'x', false)`);
	await waitUntil(async () => (await change('anything')).status === 400, 10000); /* the list is read again after 5 s */
	for (const c of ['anything', 'old', 'Network', 'network ']) {
		const r = await change(c);
		assert.strictEqual(r.status, 400, c + r.text);
		assert.match(r.text, /"field":"category"/);
	}
	assert.strictEqual((await change('network')).status, 200);
	assert.strictEqual((await s.get('/api/v1/tickets/' + k.id, eng)).data.category, 'network');
	s.sql(`insert into catalogue (tenant_id, kind, code, name_zh, name_en, active)
		values (${s.alpha}, 'category', 'storage', 'x', 'x', true)`);
	assert.strictEqual((await change('storage')).status, 200, 'what was added can be used at once');
});
