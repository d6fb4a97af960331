// SPDX-License-Identifier: Apache-2.0
// Policies as data: which policy a customer has, what a policy says, and what is refused at the door, by API and by command line.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	os = require('node:os'),
	path = require('node:path');
const { Server, waitUntil } = require('../lib/server.js');

let s, user, boss, admin, format;
before(async () => {
	s = await Server.make('policies');
	[user, boss, admin] = await Promise.all([s.login('user', 'alpha'), s.login('boss'), s.login('admin', 'alpha')]);
	format = (await s.get('/api/v1/sla/format', boss)).data;
});
after(() => s && s.drop());

const put = (url, body, lang = 'en', token = boss) => s.request('PUT', url, { token, body, headers: { 'Accept-Language': lang } });
const base = () => ({ priorities: { P1: { response_s: 1800, resolution_s: 14400 } }, thresholds: ['80', '100'] });
const create = async (body, token = user) => {
	const r = await s.post('/api/v1/tickets', token, { title: 'x', description: 'y', ...body });
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
/* Rows of the audit log of alpha and of the provider. */
const audit = async (operation) => (await Promise.all([1, s.alpha].map((t) => s.all(`/api/v1/audit?tenant_id=${t}&operation=${operation}`, boss)))).flat();
const changed = (rows, before, after) => rows.some((r) => (r.details.changes || []).some((c) => c.fields.some((f) => f.field === 'policy_code' && f.before === before && f.after === after)));
const policyOf = (id) => s.sql(`select c.code || ' ' || c.version from tickets t join sla_configurations c on c.id = t.policy_id where t.id = ${id}`);

/* The steps of a path: ["priorities", "P1", 0]. */
const steps = (p) => [...p.matchAll(/[^.[\]]+|\[\d*\]/g)].map(([x]) => (x[0] === '[' ? Number(x.slice(1, -1) || 0) : x));
/* Set VALUE at PATH; undefined removes it. */
function set(doc, at, value) {
	const [key, ...rest] = at;
	if (key === undefined) return value;
	const o = doc && typeof doc === 'object' ? doc : typeof key === 'number' ? [] : {};
	const next = set(o[key], rest, value);
	if (next === undefined) delete o[key];
	else o[key] = next;
	return o;
}
const FORMS = {
	policy: { url: '/api/v1/sla/policies/generated', base, star: (p) => (p.startsWith('sla_targets') ? 'P3' : 'P1') },
	calendar: {
		url: '/api/v1/sla/calendars/generated',
		base: () => ({ tz: 'Asia/Shanghai', hours: { mon: [['09:00', '18:00']] } }),
		star: (p) => (p.startsWith('hours') ? 'mon' : '2030-10-10'),
	},
};
const BAD = [null, true, 1.5, -1, 1e15, '', 'banana', { banana: 1 }, [null], [[[[[1]]]]]];

for (const [name, form] of Object.entries(FORMS))
	test(`each field of a ${name}: what cannot be used is refused with its place, the rule in both languages and an example that is accepted`, async () => {
		let refused = 0,
			fixed = 0;
		for (const row of format[name])
			for (const bad of structuredClone(row.type === 'object' ? [...BAD, { ...row.example, no_such_key: 1 }] : BAD)) {
				const at = steps(row.path).map((x) => (x === '*' ? form.star(row.path) : x)),
					document = set({ ...form.base(), ...(row.path.startsWith('notifications[]') ? { notifications: [{ event: 'ticket.created', to: 'manager' }] } : {}) }, at, bad),
					r = await put(form.url, { document });
				if (r.status === 200) {
					assert.ok(bad === 'banana' && row.type === 'text', `${row.path} accepts ${JSON.stringify(bad)}`);
					continue;
				}
				assert.strictEqual(r.status, 400, r.text);
				const [f] = r.json.details.fields,
					[zh] = (await put(form.url, { document }, 'zh-CN')).json.details.fields;
				if (row.path === '' && (bad === null || typeof bad !== 'object' || Array.isArray(bad))) continue; // the contract says: an object
				if (bad === 'banana' && /^no such|nobody is told/.test(f.rule)) {
					assert.ok(['24x7', 'sla_warning', 'sla.threshold'].includes(f.example), r.text);
					continue;
				}
				assert.ok(f.field.startsWith('document') && f.rule && 'example' in f, r.text);
				assert.strictEqual(zh.field, f.field);
				assert.match(zh.rule, /[\u4e00-\u9fff]/);
				assert.doesNotMatch(f.rule, /[\u4e00-\u9fff]/);
				refused++;
				/* what is wrong is put right as the example says */
				let again = document,
					fault = f;
				for (let n = 0; n < 6 && fault; n++) {
					again = set(again, steps(fault.field).slice(1), /unknown key|not a|P0 to P4/.test(fault.rule) && !(fault.field.endsWith(']')) ? undefined : fault.example);
					const answer = await put(form.url, { document: again });
					fault = answer.status === 200 ? null : answer.json.details.fields[0];
				}
				assert.strictEqual(fault, null, `${row.path} ${JSON.stringify(bad)}: ${JSON.stringify([again, fault])}`);
				fixed++;
			}
		console.log(`${name}: ${format[name].length} fields, ${refused} refusals, ${fixed} put right by their examples`);
		assert.ok(refused > format[name].length * 5);
	});

test('references: calendars that a policy names must exist', async () => {
	for (const [field, body] of [
		['calendar', { document: base(), calendar: 'nowhere' }],
		['calendar', { document: { ...base(), calendar: 'nowhere' } }],
		['document.delivery_hours', { document: { ...base(), delivery_hours: 'nowhere' } }],
		['calendar', { document: { ...base(), calendar: '24x7' }, calendar: 'cn-business' }],
	]) {
		const r = await put('/api/v1/sla/policies/refs', body);
		assert.strictEqual(r.status, 400, r.text);
		assert.strictEqual(r.json.details.fields[0].field, field);
		assert.strictEqual(r.json.details.fields[0].example, '24x7');
	}
	assert.strictEqual((await put('/api/v1/sla/policies/refs', { document: { ...base(), calendar: 'cn-business' }, service_name: 'Ops' })).status, 200);
	assert.strictEqual(
		s.sql("select calendar_code || ' ' || service_name || ' ' || created_by_kind || ' ' || (select username from staff where id = created_by) from sla_configurations where code = 'refs'"),
		'cn-business Ops staff boss',
	);
});

test('a customer gets another policy: new tickets have it at once, open ones keep theirs; the audit log says so', async () => {
	const kept = await create({ priority: 'P1' }),
		r = await put('/api/v1/sla/config/' + s.alpha, { policy: 'basic' });
	assert.deepStrictEqual([r.status, r.data], [200, { tenant_id: Number(s.alpha), policy: 'basic' }], r.text);
	assert.match(policyOf(await create({ priority: 'P1' })), /^basic /);
	assert.match(policyOf(kept), /^standard /);
	assert.deepStrictEqual((await s.get('/api/v1/sla/config?tenant_id=' + s.alpha, boss)).data.items.filter((x) => !x.service_type).map((x) => x.code), ['basic']);
	await waitUntil(async () => changed(await audit('sla.config.update'), 'standard', 'basic'));
	for (const policy of ['nowhere', 'billing']) {
		const no = await put('/api/v1/sla/config/' + s.alpha, { policy });
		assert.deepStrictEqual([no.status, no.json.details.fields[0].field, no.json.details.fields[0].example], [400, 'policy', 'standard'], no.text);
	}
	for (const token of [user, admin, await s.login('eng1')]) assert.strictEqual((await put('/api/v1/sla/config/' + s.alpha, { policy: 'basic' }, 'en', token)).code, 40003);
	assert.strictEqual((await put('/api/v1/sla/config/999999', { policy: 'basic' })).code, 40003);
	assert.strictEqual((await put('/api/v1/sla/config/1', { policy: 'basic' })).code, 40003);
	/* by the command line */
	assert.match(s.cli(['tenant', 'set', '--code', 'alpha', '--policy', 'standard']), /\tstandard$/m);
	assert.match(policyOf(await create({ priority: 'P1' })), /^standard /);
	assert.ok(changed(await audit('tenants.set'), 'basic', 'standard'));
	assert.match(s.cli(['sla', 'verify']), /\b0 differences/);
});

test('targets in minutes: one pair for all priorities, or each its own; kept in seconds', async () => {
	const doc = async (document) => {
			const r = await put('/api/v1/sla/policies/minutes', { document });
			assert.strictEqual(r.status, 200, r.text);
			return JSON.parse(s.sql(`select doc from sla_configurations where id = ${r.data.id}`));
		},
		thresholds = ['100'];
	const flat = await doc({ thresholds, sla_targets: { response_time: 30, resolution_time: 240 } });
	assert.ok(!('sla_targets' in flat));
	assert.deepStrictEqual(flat.priorities, Object.fromEntries(['P0', 'P1', 'P2', 'P3', 'P4'].map((p) => [p, { response_s: 1800, resolution_s: 14400 }])));
	const some = await doc({
		thresholds,
		priorities: { P0: { response_s: 60, report_s: 86400 } },
		sla_targets: { critical: { update_every: 15, resolution_time: 120 }, P3: { response_time: 0 } },
	});
	assert.deepStrictEqual(some.priorities, { P0: { response_s: 60, report_s: 86400, resolution_s: 7200, update_s: 900 }, P3: { response_s: 0 } });
	assert.deepStrictEqual((await doc({ thresholds, priorities: { P0: { response_s: 60 } }, sla_targets: { response_time: 5, P1: { response_time: 6 } } })).priorities, {
		P0: { response_s: 60 },
		...{ P1: { response_s: 360 }, P2: { response_s: 300 }, P3: { response_s: 300 }, P4: { response_s: 300 } },
	});
	const twice = await put('/api/v1/sla/policies/minutes', { document: { thresholds, priorities: { P0: { response_s: 60 } }, sla_targets: { P0: { response_time: 5 } } } });
	assert.deepStrictEqual([twice.status, twice.json.details.fields[0].field], [400, 'document.sla_targets.P0'], twice.text);
	const preview = await s.post('/api/v1/sla/policies/preview', boss, { tenant_id: Number(s.alpha), document: { thresholds, sla_targets: { response_time: 30 } } });
	assert.strictEqual(preview.status, 200, preview.text);
	await put('/api/v1/sla/policies/minutes', { document: { thresholds, sla_targets: { response_time: 30, resolution_time: 240 } } });
	await put('/api/v1/sla/config/' + s.alpha, { policy: 'minutes' });
	const t = (await s.get('/api/v1/tickets/' + (await create({ priority: 'P4' })), user)).data;
	assert.match(policyOf(t.id), /^minutes /);
	await put('/api/v1/sla/config/' + s.alpha, { policy: 'standard' });
	assert.match(s.cli(['sla', 'verify']), /\b0 differences/);
});

test('an own policy of a customer is chosen before the provider\'s of the same name', async () => {
	const saved = await put('/api/v1/sla/policies/own', { document: base(), tenant_id: Number(s.alpha) });
	assert.strictEqual(saved.status, 200, saved.text);
	assert.strictEqual((await put('/api/v1/sla/config/' + s.beta, { policy: 'own' })).status, 400, "another customer's");
	assert.strictEqual((await put('/api/v1/sla/config/' + s.alpha, { policy: 'own' })).status, 200);
	assert.match(policyOf(await create({ priority: 'P1' })), /^own 1/);
	await put('/api/v1/sla/config/' + s.alpha, { policy: 'standard' });
});

test('the command line shows and saves policies and calendars, and refuses what the API refuses', async () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'policies-')),
		file = (doc) => {
			const f = path.join(dir, 'doc.json');
			fs.writeFileSync(f, typeof doc === 'string' ? doc : JSON.stringify(doc));
			return f;
		},
		fails = (args) => {
			let why = '';
			assert.throws(() => s.cli(args), (e) => ((why = e.message), true), args.join(' '));
			return why;
		};
	const standard = JSON.parse(s.cli(['policy', 'show', '--code', 'standard']));
	assert.strictEqual(standard.calendar, '24x7');
	assert.match(s.cli(['policy', 'put', '--code', 'cli', '--service-name', 'Ops', file({ ...standard, autoclose_days: 9 })]), /\tcli\tversion 1/);
	assert.strictEqual(JSON.parse(s.cli(['policy', 'show', '--code', 'cli', '--version', '1'])).autoclose_days, 9);
	assert.match(s.cli(['policy', 'list']), /^provider\tcli\t1\t/m);
	assert.match(fails(['policy', 'put', '--code', 'cli', file({ ...standard, autoclose_days: 999 })]), /document\.autoclose_days: a whole number, 0 to 365; for example: 5/);
	assert.match(fails(['policy', 'put', '--code', 'cli', file({ ...standard, calendar: 'nowhere' })]), /calendar: no such calendar; for example: "24x7"/);
	assert.match(fails(['policy', 'put', '--code', 'cli', file('{"a"')]), /byte \d+/);
	const rows = s.cli(['policy', 'format']).trim().split('\n');
	assert.deepStrictEqual(rows.map((r) => r.split('\t')[0].replace(/^-$/, '')), format.policy.map((r) => r.path));
	const hours = { mon: [['09:00', '18:00']] };
	assert.match(s.cli(['calendar', 'put', '--code', 'cli', '--tenant', 'alpha', file({ tz: 'Asia/Shanghai', hours })]), /version 1$/m);
	assert.match(s.cli(['calendar', 'put', '--code', 'cli', '--tenant', 'alpha', file({ tz: 'Asia/Shanghai', hours })]), /unchanged/);
	assert.match(s.cli(['calendar', 'put', '--code', 'cli', '--tenant', 'alpha', file({ tz: 'Asia/Shanghai', hours, holidays: ['2031-01-01'] })]), /version 2, taken over/);
	assert.deepStrictEqual(JSON.parse(s.cli(['calendar', 'show', '--code', 'cli', '--tenant', 'alpha'])).holidays, ['2031-01-01']);
	assert.match(fails(['calendar', 'put', '--code', 'cli', file({ tz: 'Nowhere/City', hours })]), /document\.tz: .*for example: "Asia\/Shanghai"/);
	assert.strictEqual(s.sql("select string_agg(distinct operation, ' ' order by operation) from audit_logs where operation like '%.put'"), 'calendar.put policy.put');
	fs.rmSync(dir, { recursive: true });
});

test('a policy that a running instance cannot read is refused when it is saved', async () => {
	s.sql("insert into lease_owners (owner, expires_at, policy_format) values ('old-instance', 'infinity', 0)");
	const r = await put('/api/v1/sla/policies/later', { document: base() });
	assert.strictEqual(r.status, 400, r.text);
	assert.match(r.json.details.fields[0].rule, /up to format 0 only/);
	assert.match((await put('/api/v1/sla/policies/later', { document: base() }, 'zh')).json.details.fields[0].rule, /格式 0/);
	s.sql("delete from lease_owners where owner = 'old-instance'");
	assert.strictEqual((await put('/api/v1/sla/policies/later', { document: base() })).status, 200);
	await waitUntil(() => s.sql('select min(policy_format) from lease_owners where expires_at > clock_timestamp()') === String(format.policy_format));
});

test("the notification matrix: a policy's rules replace the provider's for the events that they name; delays and conditions hold", async () => {
	const standard = JSON.parse(s.sql("select doc from sla_configurations where code = 'standard' and tenant_id = 1 order by version desc limit 1")),
		save = async (notifications, code = 'matrix') => put('/api/v1/sla/policies/' + code, { document: { ...standard, notifications } }),
		told = (id, type) =>
			s
				.sql(
					`select distinct coalesce(st.username, n.recipient_kind) || ' ' || n.template || ' ' || extract(epoch from n.next_attempt_at - n.created_at)::int from notifications n join events e on e.tenant_id = n.tenant_id and e.seq = n.event_seq left join staff st on n.recipient_kind = 'staff' and st.id = n.recipient_id where n.ticket_id = ${id} and e.type = '${type}' order by 1`,
				)
				.split('\n')
				.filter(Boolean);
	/* what cannot be used */
	for (const [field, example, row] of [
		['document.notifications[0].event', 'sla.threshold', { event: 'ticket.nothing', to: 'manager' }],
		['document.notifications[0].template', 'sla_warning', { event: 'ticket.created', to: 'manager', template: 'no_such_text' }],
		['document.notifications[0].to', 'manager', { event: 'ticket.created', to: 'everybody' }],
		['document.notifications[0].to', 'manager', { event: 'ticket.created' }],
		['document.notifications[0].when.clocks[0]', 'resolution', { event: 'sla.threshold', to: 'manager', when: { clocks: ['banana'] } }],
	]) {
		const r = await save([row]);
		assert.strictEqual(r.status, 400, r.text);
		assert.deepStrictEqual([r.json.details.fields[0].field, r.json.details.fields[0].example], [field, example]);
	}
	/* texts about an account or about the provider's own data are not for the people of a ticket: each text of the table is one or the other */
	const of = { ok: [], no: [] };
	for (const template of s.sql('select distinct code from notification_templates where tenant_id = 1 order by 1').split('\n')) {
		const r = await save([{ event: 'ticket.created', to: 'customer_admins', template }], 'texts');
		of[r.status === 200 ? 'ok' : 'no'].push(template);
		if (r.status !== 200) assert.strictEqual(r.json.details.fields[0].field, 'document.notifications[0].template', r.text);
	}
	const apart = of.no.filter((x) => !x.startsWith('auth_'));
	assert.deepStrictEqual(apart, ['audit_anchor', 'mail_footer', 'mail_undeliverable', 'rollup_wrong', 'sla_differs', 'source_differs', 'webhook_off']);
	assert.ok(of.no.includes('auth_reset') && of.ok.includes('ticket_reply') && !of.ok.some((x) => x.startsWith('auth_')), JSON.stringify(of));
	/* today's behaviour without a matrix */
	const plain = told(await create({ priority: 'P3' }), 'ticket.created');
	assert.ok(plain.some((x) => x.startsWith('customer ticket_created')) && plain.some((x) => x.startsWith('eng1 ')), plain.join());
	const saved = await save([
		{ event: 'ticket.created', to: 'manager', delay_s: 600 },
		{ event: 'ticket.created', to: 'success', when: { priorities: ['P0'] } },
		{ event: 'ticket.accepted', to: 'nobody' },
	]);
	assert.strictEqual(saved.status, 200, saved.text);
	await put('/api/v1/sla/config/' + s.alpha, { policy: 'matrix' });
	const managers = s.sql("select username from staff where role = 'manager' and disabled_at is null order by 1").split('\n').filter(Boolean),
		id = await create({ priority: 'P3' });
	assert.match(policyOf(id), /^matrix /);
	assert.deepStrictEqual(
		told(id, 'ticket.created').map((x) => x.replace(/ \w+ /, ' ')),
		managers.map((m) => m + ' 600'),
	);
	const eng = await s.login('eng1');
	assert.strictEqual((await s.post(`/api/v1/tickets/${id}/accept`, eng, {})).status, 200);
	assert.deepStrictEqual(told(id, 'ticket.accepted'), []);
	assert.strictEqual((await s.post(`/api/v1/tickets/${id}/reply`, eng, { text: 'seen' })).status, 200);
	assert.deepStrictEqual(told(id, 'ticket.replied'), ['customer ticket_reply 0'], 'other events keep the rules of the provider');
	/* an instance that reads only the first form */
	s.sql("insert into lease_owners (owner, expires_at) values ('old-instance', 'infinity')");
	const later = await save([{ event: 'ticket.created', to: 'manager' }]);
	assert.deepStrictEqual([later.status, later.json.details.fields[0].field], [400, 'document'], later.text);
	assert.match(later.json.details.fields[0].rule, /format 1 only/);
	const ladder = await put('/api/v1/sla/policies/matrix2', { document: { ...base(), ladder: { calendar: 'cn-business' } } });
	assert.deepStrictEqual([ladder.status, ladder.json.details?.fields[0].field], [400, 'document'], 'a key that version did not know: ' + ladder.text);
	assert.strictEqual((await put('/api/v1/sla/policies/matrix2', { document: base() })).status, 200, 'without them it can be read');
	s.sql("delete from lease_owners where owner = 'old-instance'");
	await put('/api/v1/sla/config/' + s.alpha, { policy: 'standard' });
	assert.match(s.cli(['sla', 'verify']), /\b0 differences/);
});

test('a condition by clock: only the resolution deadline is told to the manager', async () => {
	const rows = JSON.parse(
		s.sql(
			`select json_agg(json_build_array(k.clock, (select count(*) from rules_for('[{"event":"sla.threshold","key":"80","to":"manager","when":{"clocks":["resolution"]}}]', 'sla.threshold', array['80'], 'P1', k.clock) where recipient_group = 'manager'), (select count(*) from rules_for('[{"event":"sla.threshold","key":"80","to":"manager"}]', 'sla.threshold', array['95'], 'P1', k.clock) where recipient_group = 'manager')) order by k.clock) from unnest(array['response', 'resolution']) k(clock)`,
		),
	);
	assert.deepStrictEqual(rows, [['resolution', 1, 1], ['response', 0, 1]]);
});
