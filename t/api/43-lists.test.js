// SPDX-License-Identifier: Apache-2.0
// Every list can be read to its end. The test takes the lists from openapi.json, fills each with 450 rows, many of them with equal sort keys, and
// reads it in pages of several sizes: every row comes exactly once, no page is longer than requested, and the last one says that it is the last.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, redis, waitUntil } = require('../lib/server.js');

const doc = JSON.parse(fs.readFileSync(path.join(__dirname, '../../doc/api/openapi.json'), 'utf8'));
const N = 450;
const NONE = { user_per_s: 0, tenant_per_s: 0, address_per_s: 0, login_per_s: 0 };

/* The lists in the document: GET endpoints whose data has items or next_cursor. */
const lists = Object.entries(doc.paths)
	.filter(([p, ops]) => ops.get && !p.startsWith('/test/'))
	.map(([p, { get }]) => {
		const json = ((get.responses['200'] || {}).content || {})['application/json'],
			data = json && ((json.schema.properties || {}).data || {}).properties;
		return { path: p, op: get, data: data || {} };
	})
	.filter(({ data }) => data.items || data.next_cursor);
/* These cannot grow: at most ten verification methods of a user, and the metrics that the program has. */
const BOUNDED = { '/api/v1/auth/factors': 50, '/api/v1/client/dashboard/metrics': 100 };

const METRICS = '/api/v1/sla/metrics'; /* its rows are called tenants, so it has a test of its own */

let s, people, ticket, user;
const fill = (sql) => s.sql(sql.replace(/@N/g, N).replace(/@ALPHA/g, s.alpha));
const AT = `'2026-03-01Z'::timestamptz + (g / 50) * interval '1 minute'`; /* fifty rows have one instant */

test.before(async () => {
	s = await Server.make('lists', { limits: NONE, http: { user_connections: 0 } });
	user = Number(
		s.sql(`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`),
	);
	people = {
		boss: await s.login('boss'),
		admin: await s.login('admin', 'alpha'),
		user: await s.login('user', 'alpha'),
	};
	people.service = s
		.cli(['token', 'add', '--tenant', 'alpha', '--name', 'lists', '--scopes', 'user:read'])
		.match(/sd1\.\S+/)[0];
	ticket = (
		await s.post('/api/v1/tickets', people.user, {
			title: 'the long one',
			description: 'x',
			priority: 'P3',
		})
	).data.id;
	fill(`insert into customers (tenant_id, code, name, lang, created_at)
		select 100000 + g, 'many-' || g, 'Many ' || g, 'en', '2026-01-01Z' from generate_series(1, @N) g;
		insert into tenant_counters (tenant_id) select tenant_id from customers where tenant_id > 100000;
		insert into customer_details (tenant_id, external_id, synced_at)
			select tenant_id, 'x' || tenant_id, '2026-01-01Z' from customers where tenant_id > 100000;
		insert into rollup_checks (tenant_id, started_at, done_at, after) select tenant_id, '2026-03-01Z', '2026-03-01Z', null
			from customers where tenant_id > 100000;
		insert into source_checks (tenant_id, started_at, state, theirs, ours) select tenant_id, '2026-03-01Z', 'agrees', 0, 0
			from customers where tenant_id > 100000;
		insert into sla_checks (tenant_id, started_at, done_at) select tenant_id, '2026-03-01Z', '2026-03-01Z' from customers where tenant_id > 100000;
		insert into sync_rejects (source, external_id, field, rule, first_at, last_at)
			select 'x', 'r' || g, 'f', 'r', ${AT}, ${AT} from generate_series(1, @N) g;
		insert into staff (username, full_name, email, role, level, created_at)
			select 'many' || g, 'x', g || '@provider.example', 'engineer', 1 + g % 3, '2026-01-01Z' from generate_series(1, @N) g`);
	fill(`insert into client_users (tenant_id, username, full_name, email, created_at)
			select @ALPHA, 'many' || g, 'x', g || '@alpha.example', '2026-01-01Z' from generate_series(1, @N) g;
		insert into client_permissions (tenant_id, user_id, resource_type, permissions, valid_from, created_by_kind, created_by, created_at)
			select @ALPHA, ${user}, 'ticket', '{"read": true}', '2026-01-01Z', 'staff', 1, '2026-01-01Z' from generate_series(1, @N) g;
		insert into sign_in_alerts (tenant_id, actor_kind, actor_id, username, reasons, address, device, at)
			select @ALPHA, 'customer', ${user}, 'user', '{device}', '127.0.0.1', 'x', ${AT} from generate_series(1, @N) g;
		insert into sessions (tenant_id, actor_kind, actor_id, created_at, expires_at, refreshed_at, address, device)
			select @ALPHA, 'customer', ${user}, '2026-01-01Z', '2099-01-01Z', '2026-01-01Z', '127.0.0.1', 'x' from generate_series(1, @N) g;
		insert into identity_providers (tenant_id, kind, name, client_id, settings, active, created_at)
			select @ALPHA, 'oidc', 'p' || g, 'x', '{}', false, '2026-01-01Z' from generate_series(1, @N) g;
		insert into mail_domains (tenant_id, domain, created_at)
			select @ALPHA, 'd' || g || '.example', '2026-01-01Z' from generate_series(1, @N) g;
		insert into webhooks (tenant_id, url, secret, active, created_at)
			select @ALPHA, 'https://x.example/' || g, repeat('s', 20), false, '2026-01-01Z' from generate_series(1, @N) g;
		insert into catalogue (tenant_id, kind, code, name_zh, name_en)
			select @ALPHA, case g % 2 when 0 then 'department' else 'project' end, 'many' || g / 2, 'x', 'x' from generate_series(1, @N) g;
		insert into calendars (tenant_id, code, version, doc, created_at)
			select @ALPHA, 'many' || g / 50, g, '{"tz":"UTC","hours":{"mon":[["09:00","10:00"]]}}', '2026-01-01Z' from generate_series(1, @N) g;
		insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from)
			select @ALPHA, 'many' || g, 1, 'type' || g, '24x7', c.doc, '2026-01-01Z'
			from generate_series(1, @N) g, (select doc from sla_configurations where tenant_id = 1 and code = 'standard' order by version desc limit 1) c;
		insert into contacts (tenant_id, external_id, name, vip, synced_at)
			select @ALPHA, 'c' || g, 'x', g % 2 = 0, '2026-01-01Z' from generate_series(1, @N) g;
		insert into dashboard_configs (tenant_id, user_id, dashboard_name, layout_config, created_at, updated_at)
			select @ALPHA, ${user}, 'd' || g, '{}', '2026-01-01Z', '2026-01-01Z' from generate_series(1, @N) g;
		insert into exports (tenant_id, day, day_no, user_id, export_type, format, columns, scope, headers, compressed, max_records, estimated,
				status, created_at, expires_at)
			select @ALPHA, '2026-03-01', g, ${user}, 'ticket_data', 'csv', '{number}', '', true, false, 10, 1, 'expired', ${AT}, '2099-01-01Z'
			from generate_series(1, @N) g`);
	s.cli(['keys', 'seal']); /* plain addresses are refused */
	/* tickets like the first one; its texts, events and notifications */
	fill(`insert into tickets (tenant_id, title, status, priority, priority_source, service_type, source, requester_kind, requester_id,
				policy_id, calendar_id, opened_at, last_at, updated_at, urgent_at, urgent_clock, sla_high, muted)
			select tenant_id, 'many ' || g, status, priority, priority_source, service_type, source, requester_kind, requester_id,
				policy_id, calendar_id, ${AT}, ${AT}, ${AT},
				case when g % 3 = 0 then 'infinity' else '2099-01-01Z'::timestamptz + (g / 50) * interval '1 minute' end, 'response', 85, true
			from generate_series(1, @N) g, tickets where id = ${ticket};
		insert into ticket_comments (tenant_id, ticket_id, kind, audience, author_kind, author_id, body, created_at)
			select @ALPHA, ${ticket}, 'reply', 'customer', 'customer', ${user}, 'x', opened_at from tickets, generate_series(1, @N) g where id = ${ticket};
		insert into events (tenant_id, seq, type, ticket_id, actor_kind, actor_id, audience, at, data)
			select @ALPHA, c.seq + g, 'ticket.tags', ${ticket}, 'staff', 1, 'customer', t.opened_at, '{}'
			from tickets t, tenant_counters c, generate_series(1, @N) g where t.id = ${ticket} and c.tenant_id = @ALPHA;
		update tenant_counters set seq = seq + @N where tenant_id = @ALPHA;
		insert into sla_differences (tenant_id, ticket_id, clocks, found_at)
			select tenant_id, id, '[]', opened_at from tickets where title like 'many %';
		insert into rca_tasks (tenant_id, ticket_id, cycle, priority, event_seq, breached_at, opened_at, due_at)
			select @ALPHA, ${ticket}, g, 'P3', g, ${AT}, ${AT}, ${AT} from generate_series(1, @N) g;
		insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, state, next_attempt_at, created_at)
			select @ALPHA, g, ${ticket}, 'staff', 900000, 'mail', 'x', 'dead', '2026-01-01Z', ${AT} from generate_series(1, @N) g`);
	/* the chain begins behind what the daemon has appended so far */
	fill(`insert into audit_logs (tenant_id, chain_no, at, actor_kind, actor_id, username, operation, resource, result, status, address,
				user_agent, request_id, details, digest)
			select @ALPHA, 1000000 + g, ${AT}, 'customer', 1, 'many', 'tickets.read', '/', 'success', 200, '', '', '', '{}', sha256(g::text::bytea)
			from generate_series(1, @N) g`);
});
test.after(() => s.drop());

/* Each list: who reads it, the member that names a row, and SQL for how many rows there are at least. */
const READ = {
	'/api/v1/client/admin/mail-domains': ['admin', 'id'],
	'/api/v1/tickets': ['boss', 'id'],
	'/api/v1/tickets?sort=urgent': ['boss', 'id'],
	'/api/v1/client/tickets': ['user', 'id'],
	'/api/v1/client/tickets?sort=urgent': ['user', 'id'],
	'/api/v1/tickets/{id}/comments': ['user', 'id'],
	'/api/v1/client/tickets/{id}/comments': ['user', 'id'],
	'/api/v1/tickets/{id}/history': ['boss', 'seq'],
	'/api/v1/tickets/{id}/notifications': ['boss', 'id'],
	'/api/v1/notifications/dead': ['boss', 'id'],
	'/api/v1/tickets/{id}/clocks': ['user', 'clock', 2],
	'/api/v1/client/tickets/{id}/clocks': ['user', 'clock', 2],
	'/api/v1/client/sla/clocks': ['admin', 'ticket_id'],
	'/api/v1/rca': ['boss', 'id'],
	'/api/v1/sla/checks': ['boss', 'tenant_id,started_at'],
	'/api/v1/sla/differences': ['boss', 'ticket_id'],
	'/api/v1/client/alerts': ['admin', 'ticket_id'],
	'/api/v1/audit': ['admin', 'chain_no'],
	'/api/v1/client/audit': ['admin', 'chain_no'],
	'/api/v1/tenants': ['boss', 'id'],
	'/api/v1/customers': ['boss', 'tenant_id'],
	'/api/v1/customers/{tenant_id}/contacts': ['boss', 'external_id'],
	'/api/v1/integration/customers/rejects': ['boss', 'reject_id'],
	'/api/v1/data-quality': ['boss', 'tenant_id,started_at'],
	'/api/v1/data-quality/sources': ['boss', 'tenant_id,started_at'],
	'/api/v1/staff': ['boss', 'id'],
	'/api/v1/staff/{staff_id}/customers': ['boss', 'tenant_id'],
	'/api/v1/texts': ['boss', 'place', 90],
	'/api/v1/webhooks': ['admin', 'id'],
	'/api/v1/catalogue': ['user', 'entry_id'],
	'/api/v1/sla/calendars': ['user', 'id'],
	'/api/v1/sla/policies': ['user', 'id'],
	'/api/v1/sla/config': ['boss', 'tenant_id,policy_id'],
	'/api/v1/auth/sessions': ['user', 'id'],
	'/api/v1/client/admin/users': ['admin', 'user_id'],
	'/api/v1/client/admin/users/{user_id}/permissions': ['admin', 'permission_id'],
	'/api/v1/client/admin/identity-providers': ['admin', 'provider_id'],
	'/api/v1/client/admin/sign-in-alerts': ['admin', 'alert_id'],
	'/api/v1/client/dashboard/config': ['user', 'config_id'],
	'/api/v1/client/export/data': ['admin', 'id'],
	'/api/v1/client/users/{tenant_id}': ['service', 'user_id'],
};
const place = (p) => p.replace('{id}', ticket).replace('{tenant_id}', s.alpha).replace('{user_id}', user).replace('{staff_id}', 1);

/* Read a list to its end; returns the names of its rows in order. */
async function walk(url, token, key, limit) {
	const seen = [];
	let pages = 0;
	for (let cursor = null; ; pages++) {
		const at = url + (url.includes('?') ? '&' : '?') + 'limit=' + limit,
			r = await s.get(
				cursor === null ? at : at + '&cursor=' + encodeURIComponent(cursor),
				token,
			);
		assert.strictEqual(r.status, 200, at + r.text);
		const rows = r.data.items || r.data.users;
		assert.ok(rows.length <= limit, `${at}: ${rows.length} rows`);
		for (const x of rows)
			seen.push(
				key
					.split(',')
					.map((k) => x[k])
					.join(),
			);
		cursor = r.data.next_cursor;
		if (cursor === null) return { seen, pages };
		assert.ok(rows.length > 0 && pages < 2000, at + ' goes on');
	}
}

test('every list of the document is walked here, takes limit and cursor, and says where it goes on', () => {
	const known = new Set([...Object.keys(READ).map((p) => p.split('?')[0]), ...Object.keys(BOUNDED), METRICS]);
	assert.deepStrictEqual(
		lists.map((l) => l.path).filter((p) => !known.has(p)),
		[],
	);
	for (const { path: p, op, data } of lists) {
		if (p in BOUNDED) continue;
		const names = op.parameters.map((x) => x.name);
		assert.ok(names.includes('limit') && names.includes('cursor') && data.next_cursor, p);
	}
	assert.ok(lists.length >= 34, String(lists.length));
});
test('450 rows of every list come exactly once, in pages of 200, 50 and 7, ties included', async (t) => {
	let requests = 0,
		rows = 0;
	const broken = [];
	for (const [p, [who, key, least = N]] of Object.entries(READ)) {
		const whole = new Set();
		for (const limit of least === N ? [200, 50, 7] : [200, 1]) {
			const { seen, pages } = await walk(place(p), people[who], key, limit).catch((e) => {
				broken.push(e.message);
				return { seen: [], pages: 0 };
			});
			if (new Set(seen).size !== seen.length)
				broken.push(`${p} in pages of ${limit}: a row comes twice`);
			if (seen.length < least)
				broken.push(`${p} in pages of ${limit}: ${seen.length} rows`);
			/* the audit log grows while it is read */
			whole.add(/audit/.test(p) ? '' : seen.sort().join(' '));
			requests += pages + 1;
			rows += seen.length;
		}
		if (whole.size !== 1) broken.push(`${p}: the pages differ`);
	}
	assert.deepStrictEqual(broken, []);
	t.diagnostic(`${Object.keys(READ).length} lists, ${requests} pages, ${rows} rows`);
});
test('a list counts what the tables hold', async () => {
	const holds = {
		'/api/v1/tenants': 'select count(*) from customers',
		'/api/v1/staff': 'select count(*) from staff where disabled_at is null',
		'/api/v1/webhooks': `select count(*) from webhooks where tenant_id = ${s.alpha}`,
		'/api/v1/catalogue': `select count(*) from catalogue where tenant_id in (1, ${s.alpha})`,
		'/api/v1/sla/calendars': `select count(*) from calendars where tenant_id in (1, ${s.alpha})`,
		'/api/v1/client/admin/users': `select count(*) from client_users where tenant_id = ${s.alpha}`,
		'/api/v1/client/users/{tenant_id}': `select count(*) from client_users where tenant_id = ${s.alpha}`,
		'/api/v1/client/admin/identity-providers': `select count(*) from identity_providers where tenant_id = ${s.alpha}`,
		'/api/v1/client/export/data': `select count(*) from exports where tenant_id = ${s.alpha}`,
		'/api/v1/tickets': 'select count(*) from tickets',
		'/api/v1/tickets/{id}/comments': `select count(*) from ticket_comments where ticket_id = ${ticket}`,
		'/api/v1/auth/sessions': `select count(*) from sessions where tenant_id = ${s.alpha} and actor_id = ${user} and actor_kind = 'customer' and revoked_at is null`,
	};
	for (const [p, sql] of Object.entries(holds)) {
		const [who, key] = READ[p],
			{ seen } = await walk(place(p), people[who], key, 200);
		assert.strictEqual(seen.length, Number(s.sql(sql)), p);
	}
});
test('what cannot grow stays below its bound', async () => {
	for (const [p, most] of Object.entries(BOUNDED)) {
		const r = await s.get(p, people.user);
		assert.ok(r.status === 200 && r.data.items.length <= most, p + r.text);
	}
});
/* --- lists that have another form, and what only a constant limit ends (t/lint/cuts.txt) --- */

test('SLA metrics: every customer once, in pages of three sizes; the sums are those of all, on every page', async () => {
	fill(`insert into rollups (tenant_id, day, service_type, priority, department, project, region, engineer_id, opened, decided, met)
			select tenant_id, current_date, 'x', 'P1', '', '', '', 0, 2, 1, case when tenant_id % 2 = 0 then 1 else 0 end
			from customers where tenant_id > 100000`);
	const customers = Number(s.sql('select count(*) from customers where tenant_id > 1')),
		sums = new Set();
	for (const limit of [1000, 200, 50, 7]) {
		const seen = [];
		for (let cursor = '', pages = 0; cursor !== null; pages++) {
			const r = await s.get(`${METRICS}?limit=${limit}${cursor}`, people.boss);
			assert.strictEqual(r.status, 200, r.text);
			assert.ok(r.data.tenants.length <= limit && pages < 200);
			seen.push(...r.data.tenants.map((x) => x.tenant_id));
			sums.add([r.data.decided_tickets, r.data.violated_tickets, r.data.overall_compliance].join());
			cursor = r.data.next_cursor && '&cursor=' + r.data.next_cursor;
		}
		assert.strictEqual(seen.length, customers);
		assert.strictEqual(new Set(seen).size, customers);
	}
	assert.strictEqual(sums.size, 1, [...sums].join(' | '));
	assert.match([...sums][0], new RegExp(`^${N},${N / 2},50`));
	const beyond = await s.get(METRICS + '?cursor=9007199254740991', people.boss);
	assert.deepStrictEqual([beyond.data.tenants, beyond.data.decided_tickets], [[], N]);
});
test('violations and alerts: the answer says how many there are, not only what it shows', async () => {
	fill(`insert into sla_breaches (tenant_id, ticket_id, clock, cycle, priority, budget_s, breached_at)
			select tenant_id, id, 'response', 1, 'P3', 60, now() - interval '1 day' from tickets where title like 'many %'`);
	const c = await s.get('/api/v1/client/sla/compliance?period=30d', people.admin);
	assert.strictEqual(c.data.violations_total, N, c.text);
	assert.strictEqual(c.data.violations.length, 100);
	const open = (await walk('/api/v1/client/alerts', people.admin, 'ticket_id', 200)).seen.length;
	assert.ok(open >= N);
	for (const path of ['overview?period=30d&refresh=true', 'data?widgets=alerts&refresh=true']) {
		const r = await s.get('/api/v1/client/dashboard/' + path, people.admin),
			d = r.data && (r.data.widgets ? r.data.widgets.alerts : r.data);
		assert.ok(d, r.text);
		assert.strictEqual(d.alerts_total, open, r.text.slice(0, 300));
		assert.strictEqual(d.alerts.length, 20);
	}
	const none = await s.login('admin', 'beta');
	assert.strictEqual((await s.get('/api/v1/client/sla/compliance', none)).data.violations_total, 0);
	assert.strictEqual((await s.get('/api/v1/client/dashboard/overview', none)).data.alerts_total, 0);
});
test('650 policies for service types: all are listed, each is used for its tickets, whatever versions there were before', async () => {
	fill(`insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from)
			select @ALPHA, 'many' || g, v, 'type' || g, '24x7', c.doc, '2026-01-01Z' from generate_series(1, 650) g, generate_series(2, 3) v,
			(select doc from sla_configurations where tenant_id = 1 and code = 'standard' order by version desc limit 1) c;
		insert into catalogue (tenant_id, kind, code, name_zh, name_en) select @ALPHA, 'service_type', 'type' || g, 'x', 'x' from generate_series(1, 650) g;
		update customers set config_version = config_version + 1 where tenant_id = @ALPHA`);
	const { seen } = await walk('/api/v1/sla/config?tenant_id=' + s.alpha, people.boss, 'code,version', 200);
	for (let g = 1; g <= 650; g++) assert.ok(seen.includes(`many${g},3`), String(g));
	for (const g of [1, 16, 17, 101, 449, 501, 650]) {
		const r = await s.post('/api/v1/tickets', people.user, {
			...{ title: 'x', description: 'y', priority: 'P3', service_type: 'type' + g },
		});
		assert.strictEqual(r.status, 201, r.text);
		assert.strictEqual(
			s.sql(`select p.code || ' ' || p.version from tickets t join sla_configurations p on p.id = t.policy_id where t.id = ${r.data.id}`),
			`many${g} 3`,
		);
	}
	const other = await s.post('/api/v1/tickets', people.user, { title: 'x', description: 'y', priority: 'P3' });
	assert.strictEqual(
		s.sql(`select p.code from tickets t join sla_configurations p on p.id = t.policy_id where t.id = ${other.data.id}`),
		'standard',
	);
});
test('a policy that this program cannot read is never replaced by an older version, nor by the general one', async () => {
	fill(`insert into sla_configurations (tenant_id, code, version, service_type, calendar_code, doc, effective_from)
			values (@ALPHA, 'many5', 4, 'type5', '24x7', '{"of": "a later program"}', '2026-01-01Z');
		update customers set config_version = config_version + 1 where tenant_id = @ALPHA`);
	const ask = (service_type) =>
			s.post('/api/v1/tickets', people.user, { title: 'x', description: 'y', priority: 'P3', service_type }),
		count = () => s.sql(`select count(*) from tickets where tenant_id = ${s.alpha} and service_type = 'type5'`);
	await waitUntil(async () => (await ask('type5')).status >= 500, 10000); /* the policies are read again after 5 s */
	const before = count();
	for (let i = 0; i < 3; i++) assert.ok((await ask('type5')).status >= 500);
	assert.strictEqual(count(), before);
	assert.strictEqual((await ask('type6')).status, 201, 'the others go on');
	assert.match(s.log, /policy=\d+ calendar=\d+ cannot be read/);
});
test('a catalogue of 20,000 entries is known to its last one, and full', async () => {
	fill(`alter table catalogue disable trigger catalogue_most;
		insert into catalogue (tenant_id, kind, code, name_zh, name_en)
			select @ALPHA, 'region', 'r' || lpad(g::text, 5, '0'), 'x', 'x'
			from generate_series(1, 20000 - (select count(*) from catalogue where tenant_id = @ALPHA)) g;
		alter table catalogue enable trigger catalogue_most`);
	const last = s.sql(`select max(code) from catalogue where tenant_id = ${s.alpha} and kind = 'region'`),
		ask = (region) =>
			s.post('/api/v1/tickets', people.user, { title: 'x', description: 'y', priority: 'P3', region });
	await waitUntil(async () => (await ask('unknown')).status === 400, 10000); /* the old list is forgotten */
	assert.strictEqual((await ask(last)).status, 201);
	const put = (code) =>
		s.request('PUT', '/api/v1/catalogue/region/' + code, { token: people.admin, body: { name_zh: 'y', name_en: 'y' } });
	const full = await put('one-more');
	assert.strictEqual(full.status, 400, full.text);
	assert.match(full.text, /at most 20,000 catalogue entries/);
	assert.strictEqual((await put(last)).status, 200, 'what exists can be changed');
});
test('an export that was cut says so', async () => {
	const ask = async (options) => {
		const r = await s.post('/api/v1/client/export/data', people.admin, {
			...{ export_type: 'ticket_data', format: 'csv', options, parameters: {} },
		});
		assert.ok(r.status < 300, r.text);
		return waitUntil(async () => {
			const e = (await s.get('/api/v1/client/export/data/' + r.data.export_id, people.admin)).data;
			return e.status !== 'processing' && e;
		});
	};
	const holds = Number(s.sql(`select count(*) from tickets where tenant_id = ${s.alpha}`));
	for (const n of [1, 199, 200, 201, holds - 1]) {
		const e = await ask({ max_records: n });
		assert.deepStrictEqual([e.status, e.records, e.complete], ['completed', n, false], String(n));
	}
	for (const n of [holds, holds + 1, 50000]) {
		const e = await ask({ max_records: n });
		assert.deepStrictEqual([e.status, e.records, e.complete], ['completed', holds, true], String(n));
	}
	const shown = (await s.get('/api/v1/client/export/data?limit=9', people.admin)).data.items.filter((e) => e.status === 'completed');
	assert.deepStrictEqual(
		shown.map((e) => e.complete),
		[true, true, true, false, false, false, false, false],
	);
});
test('replayed deliveries: the answer says how many are left', async () => {
	const hook = Number(s.sql(`select max(id) from webhooks where tenant_id = ${s.alpha}`));
	fill(`update webhooks set active = true, url = 'http://127.0.0.1:1/' where id = ${hook};
		insert into notifications (tenant_id, event_seq, ticket_id, recipient_kind, recipient_id, channel, template, state, next_attempt_at, created_at)
			select @ALPHA, g, ${ticket}, 'webhook', ${hook}, 'webhook', 'x', 'dead', '2026-01-01Z', '2026-01-01Z' from generate_series(1, 10003) g`);
	const r = await s.post(`/api/v1/webhooks/${hook}/replay`, people.admin, {});
	assert.deepStrictEqual([r.data.replayed, r.data.left], [10000, 3], r.text);
	s.sql(`update webhooks set active = false where id = ${hook}`);
});
test('dead letters: all are listed and sent again, not only a thousand', () => {
	const other = new Server('letters', { integration: { stream: 'lists:in' } });
	other.db = s.db;
	other.dir = s.dir + '/letters';
	other.port = 1;
	other.writeConf();
	redis(
		'eval',
		`for i = 1, 2300 do redis.call('xadd', KEYS[1], '1-' .. i, 'event', '{"ticket_id":"D-' .. i .. '"}', 'token', 't', 'field', 'f', 'reason', 'r') end`,
		...['1', 'lists:in:dead'],
	);
	const lines = other.cli(['deadletter', 'list']).trim().split('\n');
	assert.deepStrictEqual([lines.length, lines[0].split('\t')[3], lines.at(-1).split('\t')[3]], [2300, 'D-1', 'D-2300']);
	assert.match(other.cli(['deadletter', 'retry', 'all']), /^2300 messages sent again/);
	assert.deepStrictEqual([redis('xlen', 'lists:in'), redis('xlen', 'lists:in:dead')], ['2300', '0']);
});
