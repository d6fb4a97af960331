// SPDX-License-Identifier: Apache-2.0
// The schema itself: every statement can be prepared by its role; row-level security is forced everywhere and cannot be circumvented; functions and
// grants are as designed; migrating twice changes nothing, and an applied migration cannot change.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFile, execFileSync, spawnSync } = require('node:child_process'),
	{ promisify } = require('node:util');
const { Server, psql, SOCK, INST, secret } = require('../lib/server.js');

let s;
test.before(async () => {
	s = new Server('db');
	await s.prepare();
});
test.after(() => s.drop());
const fails = (f, re) => {
	try {
		f();
	} catch (e) {
		assert.match(String(e.stderr), re);
		return;
	}
	assert.fail('should have been refused');
};
const as = (user, sql) => psql(s.db, sql, user);
const ctx = (tenants, one = 0, audience = 'customer') =>
	`select set_config('app.current_tenants', '${tenants}', true), set_config('app.current_tenant_id', '${one}', true), set_config('app.audience', '${audience}', true), set_config('app.scope', '', true);`;

const top = path.join(__dirname, '../..');
/* Statements are in the folder of their capability, or in schema/query if no capability owns
 * them. */
function statementFiles() {
	const dirs = fs.readdirSync(path.join(top, 'schema/query')).map((d) => 'schema/query/' + d);
	for (const c of fs.readdirSync(path.join(top, 'src/feature'))) dirs.push(`src/feature/${c}/contract`);
	return dirs
		.map((d) => path.join(top, d))
		.filter((d) => fs.existsSync(d))
		.flatMap((d) => fs.readdirSync(d).map((f) => path.join(d, f)))
		.filter((f) => f.endsWith('.sql'));
}

/* One session of USER for all of SQL, which is in psql's own language. */
const session = (user, sql, stop = true) =>
	spawnSync(
		'psql',
		[
			'-h',
			SOCK,
			'-U',
			user,
			'-d',
			s.db,
			'-XAtq',
			'-F',
			' ',
			'-v',
			'ON_ERROR_STOP=' + Number(stop),
		],
		{ input: sql, encoding: 'utf8', env: { ...process.env, PGPASSWORD: secret } },
	);

test('every statement file can be prepared by the role that runs it', () => {
	const files = statementFiles(),
		script = { sladesk_app: '', sladesk_job: 'select import_stage();\n' }; // the importer's temporary tables
	for (const f of files) {
		const text = fs.readFileSync(f, 'utf8'),
			user = text.match(/mode: (\w+)/)[1] === 'job' ? 'sladesk_job' : 'sladesk_app';
		script[user] += `\\echo ${f}\nprepare q as ${text}\n;\ndeallocate q;\n`;
	}
	for (const user of Object.keys(script)) {
		const r = session(user, script[user]);
		assert.strictEqual(r.status, 0, r.stdout.trim().split('\n').pop() + ': ' + r.stderr);
	}
	assert.ok(files.length > 150);
});
test('a cursor consists of whole numbers, as next_cursor writes it', () => {
	for (const f of statementFiles())
		for (const [line, type] of fs
			.readFileSync(f, 'utf8')
			.matchAll(/^-- \$\d+ \S+ +(\w+) +cursor\.\d.*$/gm))
			assert.strictEqual(type, 'bigint', f + ': ' + line);
});
/* PostgreSQL may run the parts of a union side by side. */
const ANY_ORDER = {
	'selftest/cli_isolation_ids.sql': 'each row says what it is',
	'selftest/cli_isolation_marks.sql': 'a set of marks',
	'sla/horizon.sql': 'a heap orders them',
	'sso/provider_put.sql': 'one row: stored, or the one that has moved',
};
test('the rows of a union come in an order only where the statement says so', () => {
	const loose = statementFiles().filter((f) => {
		const text = fs.readFileSync(f, 'utf8'),
			at = text.search(/^\)?\s*union all\b/m);
		return /^union all\b/m.test(text) && !/^order by\b/m.test(text.slice(at));
	});
	assert.deepStrictEqual(
		loose.map((f) => f.replace('/contract/', '/').split('/').slice(-2).join('/')).sort(),
		Object.keys(ANY_ORDER).sort(),
	);
	/* as the daemon prepares it at a start before the change-over, with workers allowed */
	const list = fs.readFileSync(path.join(top, 'schema/query/keys/list.sql'), 'utf8'),
		r = session(
			'postgres',
			`begin; delete from sealed_columns; delete from field_keys; set local enable_seqscan = off; set local plan_cache_mode = force_generic_plan;
			insert into field_keys (id, wrapped, created_at, active_from) select i, decode(repeat('00', 60), 'hex'), now(), now() from generate_series(0, 1) i;
			analyze field_keys; analyze sealed_columns; prepare q as ${list};
			insert into field_keys (id, wrapped, created_at, active_from) select 1000, decode(repeat('00', 60), 'hex'), now(), now();
			insert into sealed_columns (name, open) select 'c' || i, 'x' from generate_series(1, 11) i; execute q; rollback;`,
		);
	assert.strictEqual(r.status, 0, r.stderr);
	assert.deepStrictEqual(r.stdout.trim().split('\n').slice(0, 3).map((l) => l.split(' ')[0]), ['0', '1', '1000']);
});

test('the reply to a client matches the contract', () => {
	const said = new Map();
	let script = '';
	for (const f of statementFiles()) {
		const text = fs.readFileSync(f, 'utf8');
		if (!/shape: (list|object)/.test(text) || /mode: job/.test(text)) continue;
		said.set(f, [...text.matchAll(/^-- returns (.*)$/gm)].map((m) => m[1]).join(' '));
		script += `\\echo FILE ${f}\n${text.replace(/^--.*\n/gm, '').trim()} \\gdesc\n`;
	}
	const r = session('postgres', script);
	assert.strictEqual(r.status, 0, r.stderr);
	for (const part of r.stdout.split(/^FILE /m).slice(1)) {
		const [f, ...is] = part.trim().split('\n');
		assert.strictEqual(
			said.get(f),
			/* an encrypted value is bytea until the program has decrypted it: a text, or JSON */
			is
				.map((c) =>
					c.endsWith(' bytea') && !said.get(f).split(', ').includes(c)
						? said.get(f).split(', ').find((d) => d === c.replace(/bytea$/, 'text') || d === c.replace(/bytea$/, 'jsonb'))
						: c,
				)
				.join(', ')
				.replace(/timestamp with time zone/g, 'timestamptz'),
			f,
		);
		said.delete(f);
	}
	assert.strictEqual(said.size, 0);
});
test('no clock in statements and functions, except for leases', () => {
	const code = fs
			.readdirSync(path.join(top, 'schema/code'))
			.filter((f) => f !== '040_leases.sql')
			.map((f) => path.join(top, 'schema/code', f)),
		bad = [...statementFiles(), ...code].filter((f) =>
			/now\(\)|current_timestamp|clock_timestamp/i.test(fs.readFileSync(f, 'utf8')),
		);
	assert.deepStrictEqual(bad, []);
});
test('row-level security is enabled and forced on every tenant table, and no role bypasses it', () => {
	assert.strictEqual(
		s.sql(
			"select string_agg(c.relname, ',') from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r','p') and not (c.relrowsecurity and c.relforcerowsecurity)",
		),
		'',
	);
	assert.strictEqual(
		s.sql(
			"select count(*) from pg_roles where rolname like 'sladesk%' and (rolbypassrls or rolsuper)",
		),
		'0',
	);
	assert.strictEqual(
		s.sql(
			"select string_agg(proname, ',') from pg_proc p where prosecdef and pronamespace not in ('door'::regnamespace, 'pg_catalog'::regnamespace, 'information_schema'::regnamespace)",
		),
		'',
	);
	/* each door is a way around the policies: a new one is named here, and says why in its comment */
	assert.strictEqual(
		s.sql(
			"select string_agg(proname, ' ' order by proname) from pg_proc where prosecdef and pronamespace = 'door'::regnamespace",
		),
		'address_link login login_mail logo partitions person_name proofs_end rca_owner recipients redact rollup_position staff_serves staff_tenants theme',
	);
	assert.strictEqual(
		s.sql(
			"select count(*) from pg_proc where pronamespace = 'door'::regnamespace and not coalesce(proconfig::text, '') like '%search_path%'",
		),
		'0',
	);
	assert.strictEqual(
		s.sql(
			"select string_agg(relname, ',') from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace and not coalesce(reloptions::text, '') like '%security_invoker=true%'",
		),
		'',
	);
	assert.strictEqual(
		s.sql(
			"select string_agg(relname, ',') from pg_class where relowner = 'sladesk_app'::regrole",
		),
		'',
		'the daemon owns nothing',
	);
	assert.strictEqual(
		s.sql(
			"select string_agg(c.conrelid::regclass::text, ',') from pg_constraint c join pg_class t on t.oid = c.conrelid and t.relnamespace = 'public'::regnamespace join pg_attribute a on a.attrelid = t.oid and a.attnum = c.conkey[1] where c.contype = 'p' and a.attname <> 'tenant_id' and t.relname not in ('schema_version', 'schema_range', 'shard_leases', 'lease_owners', 'job_claims')",
		),
		'',
		'tenant_id first in every key',
	);
});
test('without a context, reading any table is an error, never an empty result', () => {
	/* an empty table evaluates no policy, because there is nothing to protect: those with rows
	 * must refuse */
	const tables = s
		.sql(
			"select string_agg(c.relname, ' ') from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')",
		)
		.split(' ');
	const filled = s
		.sql(tables.map((t) => `select '${t}' where exists (select from ${t})`).join(' union all '))
		.split('\n');
	assert.ok(filled.length >= 8);
	const r = session('sladesk_app', filled.map((t) => `select count(*) from ${t};\n`).join(''), false),
		errors = r.stderr.split('\n').filter((l) => /ERROR:/.test(l));
	assert.strictEqual(r.stdout, '', 'no table has answered');
	assert.strictEqual(errors.length, filled.length, r.stderr);
	for (const e of errors)
		assert.match(e, /app\.current_tenants|invalid input syntax|permission denied/);
});
test('a tenant reads and writes only its own rows', () => {
	s.sql(
		`insert into webhooks (tenant_id, url, secret, created_at) values (${s.alpha}, 'https://a.example/', 'alpha-secret-secret', '2026-01-01Z')`,
	);
	const count = (tenants) =>
		as('sladesk_app', `begin; ${ctx(tenants)} select count(*) from webhooks; commit`)
			.split('\n')
			.pop();
	assert.strictEqual(count(`{${s.alpha}}`), '1');
	assert.strictEqual(count(`{${s.beta}}`), '0');
	assert.strictEqual(count('{}'), '0');
	fails(
		() =>
			as(
				'sladesk_app',
				`begin; ${ctx(`{${s.alpha}}`, s.alpha)} insert into webhooks (tenant_id, url, secret, created_at) values (${s.beta}, 'https://x.example/', 'secret-secret-secret', '2026-01-01Z')`,
			),
		/row-level security/,
	);
	assert.strictEqual(
		as(
			'sladesk_app',
			`begin; ${ctx(`{${s.beta}}`, s.beta)} update webhooks set active = false returning id; commit`,
		)
			.split('\n')
			.filter((l) => /^\d+$/.test(l)).length,
		0,
	);
	assert.strictEqual(
		as('sladesk_app', `begin; ${ctx(`{${s.alpha}}`)} select count(*) from staff; commit`)
			.split('\n')
			.pop(),
		'0',
		'customers do not see staff',
	);
	assert.ok(
		Number(
			as(
				'sladesk_app',
				`begin; ${ctx(`{${s.alpha}}`)} select count(*) from calendars; commit`,
			)
				.split('\n')
				.pop(),
		) > 0,
		'except the shared tables',
	);
	fails(
		() =>
			as(
				'sladesk_report',
				`begin; ${ctx(`{${s.alpha}}`)} select password_hash from client_users`,
			),
		/permission denied/,
	);
	fails(() => as('sladesk_app', 'set role sladesk_owner'), /permission denied/);
});
test('a text is redacted only through its door, of a tenant of the session, with its digest and nothing else of the history', () => {
	const ticket = s.sql(
			`insert into tickets (tenant_id, title, status, priority, priority_source, service_type, source, requester_kind, requester_id, policy_id, calendar_id, opened_at, last_at, updated_at)
			select ${s.alpha}, 'x', 'new', 'P3', 'customer', 'incident', 'api', 'customer', 1, (select min(id) from sla_configurations), (select min(id) from calendars), now(), now(), now() returning id`,
		).split('\n')[0],
		at = '2026-01-05T01:02:03.456789Z',
		sha = (text) => crypto.createHash('sha256').update(text).digest('hex'),
		say = (seq, body, digest) =>
			s.sql(`insert into events (tenant_id, seq, type, ticket_id, actor_kind, audience, at, data)
				values (${s.alpha}, ${seq}, 'ticket.replied', ${ticket}, 'staff', 'customer', '${at}'::timestamptz + interval '${seq} s', '{"text_sha256": "${digest}", "law": 1}');
				insert into ticket_comments (tenant_id, ticket_id, kind, audience, author_kind, author_id, body, created_at)
				values (${s.alpha}, ${ticket}, 'reply', 'customer', 'staff', 1, '${body}', '${at}'::timestamptz + interval '${seq} s') returning id`).split('\n')[0],
		left = () =>
			s.sql(
				`select string_agg(seq || ':' || coalesce(data ->> 'text_sha256', '') || ':' || (data ->> 'law'), ' ' order by seq) from events where ticket_id = ${ticket}`,
			),
		redact = (tenants, id) =>
			as(
				'sladesk_app',
				`begin; ${ctx(`{${tenants}}`, tenants)} select 'r=' || door.redact(${s.alpha}, ${ticket}, ${id}); commit`,
			).match(/r=(\w+)/)[1];
	const [one, two] = [say(900001, 'umlaut ü 密码', sha('umlaut ü 密码')), say(900002, 'other', sha('other'))];
	say(900003, '[redacted]', sha('a guess')); /* by an earlier version */
	for (const write of ["update events set data = '{}'", "update ticket_comments set body = 'x'"])
		fails(
			() => as('sladesk_app', `begin; ${ctx(`{${s.alpha}}`, s.alpha)} ${write}; commit`),
			/permission denied/,
		);
	fails(() => as('sladesk_job', `select door.redact(${s.alpha}, ${ticket}, ${one})`), /permission denied/);
	assert.strictEqual(redact(s.beta, one), 'false');
	assert.strictEqual(redact(s.alpha, 999999), 'false');
	const all = [`900001:${sha('umlaut ü 密码')}:1`, `900002:${sha('other')}:1`, `900003:${sha('a guess')}:1`];
	assert.strictEqual(left(), all.join(' '));
	assert.strictEqual(redact(s.alpha, one), 'true');
	assert.strictEqual(left(), ['900001::1', all[1], all[2]].join(' '));
	s.sql(fs.readFileSync(path.join(top, 'schema/migrate/0067_redacted_digests.sql'), 'utf8'));
	assert.strictEqual(left(), ['900001::1', all[1], '900003::1'].join(' '));
	assert.strictEqual(s.sql(`select body from ticket_comments where id = ${two}`), 'other');
	s.sql(
		`delete from events where ticket_id = ${ticket}; delete from ticket_comments where ticket_id = ${ticket}; delete from tickets where id = ${ticket}`,
	);
});
/* The tables of the product document (REQ-007, 3.2) with their columns. */
const DOCUMENT = {
	client_users:
		'user_id tenant_id username email full_name department role_type phone preferences last_login_at is_active created_at updated_at',
	client_permissions:
		'permission_id user_id tenant_id resource_type permissions data_scope valid_from valid_to created_by created_at',
	sla_configurations:
		'sla_id tenant_id service_type service_name sla_targets escalation_rules notification_config is_active effective_from effective_to created_by created_at updated_at',
	dashboard_configs:
		'config_id user_id tenant_id dashboard_name layout_config widget_configs is_default is_shared created_at updated_at',
};
test("the document's tables exist with all their columns, and each tenant sees its own rows of them", () => {
	const at = "'2026-01-01Z'",
		user = (tenant) =>
			s.sql(`select min(id) from client_users where tenant_id = ${tenant}`),
		layout = `'{"grid":{"cols":12,"rows":8},"widgets":[{"id":"w1","type":"table","position":{"x":0,"y":0,"w":3,"h":2},"config":{"metric":"total_tickets"}}]}'`;
	for (const tenant of [s.alpha, s.beta])
		s.sql(`insert into client_permissions (tenant_id, user_id, resource_type, permissions, valid_from, created_by_kind, created_by, created_at)
				values (${tenant}, ${user(tenant)}, 'report', '{"read":true}', ${at}, 'staff', 1, ${at});
			insert into dashboard_configs (tenant_id, user_id, dashboard_name, layout_config, created_at, updated_at)
				values (${tenant}, ${user(tenant)}, 'x', ${layout}, ${at}, ${at});
			insert into sla_configurations (tenant_id, code, version, service_type, service_name, calendar_code, doc, effective_from, created_by_kind, created_by, created_at)
				select ${tenant}, 'own', v, 'incident', 'Managed operations', '24x7', '{"priorities":{"P1":{"response_s":1800,"resolution_s":14400,"ladder_s":[1,2,3]},"P2":{"response_s":90}},"thresholds":["80","90","100"],"notifications":[{"event":"x"}]}',
					${at}::timestamptz + v * interval '1 day', 'staff', 7, ${at} from generate_series(1, 2) v`);
	const rows = (role, what, from, settings) =>
		JSON.parse(
			as(role, `begin; ${settings} select coalesce(jsonb_agg(x), '[]') from (select ${what} from client.${from}) x; commit`)
				.split('\n')
				.pop(),
		);
	for (const [table, columns] of Object.entries(DOCUMENT)) {
		const has = s
			.sql(
				`select string_agg(a.attname, ' ') from pg_attribute a where a.attrelid = 'client.${table}'::regclass and a.attnum > 0`,
			)
			.split(' ');
		assert.deepStrictEqual(
			columns.split(' ').filter((c) => !has.includes(c)),
			[],
			table,
		);
		for (const [mine, other] of [
			[s.alpha, s.beta],
			[s.beta, s.alpha],
		]) {
			const seen = (where) =>
				rows('sladesk_app', 'distinct tenant_id', `${table} ${where}`, ctx(`{${mine}}`)).map(
					(r) => r.tenant_id,
				);
			assert.deepStrictEqual(seen('where tenant_id > 1'), [mine], table);
			assert.deepStrictEqual(seen(`where tenant_id = ${other}`), [], table);
		}
		fails(() => as('sladesk_app', `select * from client.${table}`), /current_tenants|bigint/);
		fails(() => as('sladesk_app', `begin; ${ctx(`{${s.alpha}}`, s.alpha)} delete from client.${table}`), /permission denied|cannot delete from view/);
	}
	const [user1] = rows('sladesk_app', 'is_active, updated_at >= created_at as later, pg_typeof(email)::text as email', 'client_users where is_active limit 1', ctx(`{${s.alpha}}`));
	assert.deepStrictEqual(user1, { is_active: true, later: true, email: 'bytea' }, 'an address leaves the table only with its place, to be opened by the program');
	assert.deepStrictEqual(
		rows('sladesk_app', 'service_name, sla_targets, escalation_rules, notification_config, is_active, effective_to is null as latest, created_by', "sla_configurations where code = 'own' order by sla_id", ctx(`{${s.alpha}}`)),
		[false, true].map((latest) => ({
			service_name: 'Managed operations',
			sla_targets: { P1: { response_time: 30, resolution_time: 240 }, P2: { response_time: 1.5 } },
			escalation_rules: { thresholds: ['80', '90', '100'], escalate_at: ['90'], ladder_s: { P1: [1, 2, 3] } },
			notification_config: [{ event: 'x' }],
			is_active: true,
			latest,
			created_by: 7,
		})),
	);
	assert.deepStrictEqual(rows('sladesk_app', 'widget_configs', 'dashboard_configs', ctx(`{${s.alpha}}`)), [
		{ widget_configs: [{ id: 'w1', type: 'table', config: { metric: 'total_tickets' } }] },
	]);
	/* a login for reports: what it was granted, and no persons */
	s.sql(`insert into report_logins (tenant_id, login) values (${s.alpha}, 'sladesk_report')`);
	for (const table of ['sla_configurations', 'dashboard_configs'])
		assert.deepStrictEqual(
			rows('sladesk_report', 'distinct tenant_id', `${table} where tenant_id > 1`, ctx(`{${s.beta}}`)),
			[{ tenant_id: s.alpha }],
			table,
		);
	for (const table of ['client_users', 'client_permissions'])
		fails(() => as('sladesk_report', `select * from client.${table}`), /permission denied/);
	s.sql(`delete from report_logins where login = 'sladesk_report'; delete from client_permissions; delete from dashboard_configs; delete from sla_configurations where code = 'own'`);
});
test('every view applies the rights of who reads it', () => {
	assert.strictEqual(
		s.sql(
			"select string_agg(c.oid::regclass::text, ' ') from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'v' and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' and not coalesce('security_invoker=true' = any (c.reloptions), false)",
		),
		'',
	);
});
test("growing tables have monthly partitions, created in advance; no role reads a partition directly, and a ticket's reads skip earlier ones", () => {
	const month = (d) =>
		new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth() + d))
			.toISOString()
			.slice(0, 7)
			.replace('-', '');
	const has = (t) =>
		s
			.sql(
				`select string_agg(c.relname, ' ' order by c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = '${t}'::regclass`,
			)
			.split(' ');
	for (const t of ['events', 'ticket_comments', 'deliveries']) {
		for (const d of [0, 1, 2, 3])
			assert.ok(has(t).includes(`${t}_${month(d)}`), t + ' ' + d + ' ' + has(t));
		fails(
			() => as('sladesk_job', `select count(*) from part.${t}_${month(0)}`),
			/permission denied/,
		);
		fails(() => as('sladesk_app', `select count(*) from part.${t}_default`), /permission denied/);
	}
	assert.strictEqual(
		as('sladesk_job', "select door.partitions('2019-11-30T23:59:59Z', '2020-01-01T00:00:00Z')"),
		'9',
	);
	assert.strictEqual(
		as('sladesk_job', "select door.partitions('2019-11-30T23:59:59Z', '2020-01-01T00:00:00Z')"),
		'0',
	);
	fails(
		() => as('sladesk_app', "select door.partitions('2019-11-30Z', '2020-01-01Z')"),
		/permission denied/,
	);
	for (const [seq, at] of [
		[1, '2019-12-31T23:59:59.999999Z'],
		[2, '2020-01-01T00:00:00Z'],
		[3, '1999-01-01Z'],
	])
		s.sql(
			`insert into events (tenant_id, seq, type, actor_kind, audience, at, data) values (${s.beta}, ${seq}, 'x', 'system', 'staff', '${at}', '{}')`,
		);
	assert.strictEqual(
		s.sql(
			`select string_agg(tableoid::regclass::text, ' ' order by seq) from events where tenant_id = ${s.beta}`,
		),
		'part.events_201912 part.events_202001 part.events_default',
	);
	s.sql(
		`insert into tickets (tenant_id, title, status, priority, priority_source, source, requester_kind, policy_id, calendar_id, opened_at, last_at, updated_at) select ${s.beta}, 'x', 'new', 'P4', 'staff', 'web', 'system', 1, 1, t, t, t from (values ('2020-01-05Z'::timestamptz)) v(t)`,
	);
	const id = s.sql(`select max(id) from tickets where tenant_id = ${s.beta}`),
		text = fs.readFileSync(path.join(top, 'src/feature/ticket/contract/history.sql'), 'utf8');
	const plan = as(
		'sladesk_app',
		`begin; ${ctx(`{${s.beta}}`)} set local plan_cache_mode = force_generic_plan; prepare h as ${text}; explain (analyze, costs off, timing off, summary off) execute h(${id}, 10, null, null)`,
	);
	const skipped = (m) =>
		plan
			.split('\n')
			.filter((l) => l.includes(' on events_' + m))
			.map((l) => /never executed/.test(l));
	assert.deepStrictEqual([skipped('201912'), skipped('202001')], [[true], [false]], plan);
	s.sql(
		`delete from events where tenant_id = ${s.beta}; delete from tickets where tenant_id = ${s.beta}`,
	);
});
test('expired rows are deleted, and nothing else', () => {
	const text = fs.readFileSync(path.join(top, 'schema/query/upkeep/expire.sql'), 'utf8'),
		at = (h) => `to_timestamp(1800000000) - interval '${h} hours'`;
	for (const [k, h] of [
		['old', 25],
		['new', 23],
	])
		s.sql(
			`insert into idempotency_keys (tenant_id, actor, key, request_sha256, subject_type, subject_id, status, created_at) values (${s.beta}, 'x', '${k}', '', 'ticket', 1, 201, ${at(h)}); insert into login_attempts (tenant_id, username, source, attempts, last_at) values (${s.beta}, '${k}', '*', 1, ${at(h)}); insert into sessions (tenant_id, actor_kind, actor_id, created_at, expires_at) values (${s.beta}, 'customer', ${h}, ${at(h)}, ${at(h + 29 * 24)}); insert into refresh_tokens (tenant_id, session_id, secret_sha256, created_at) select ${s.beta}, max(id), sha256('x'), ${at(h)} from sessions`,
		);
	as('sladesk_job', `prepare e as ${text}; execute e(1800000000000000)`);
	assert.strictEqual(
		s.sql(
			`select (select string_agg(key, ',') from idempotency_keys where tenant_id = ${s.beta}) || ' ' || (select string_agg(username, ',') from login_attempts where tenant_id = ${s.beta}) || ' ' || (select string_agg(actor_id::text, ',') from sessions where tenant_id = ${s.beta}) || ' ' || (select count(*) from refresh_tokens where tenant_id = ${s.beta})`,
		),
		'new new 23 1',
	);
	s.sql(
		`delete from idempotency_keys where tenant_id = ${s.beta}; delete from login_attempts; delete from sessions where tenant_id = ${s.beta}`,
	);
});
test('mail texts: Chinese ones have full-width punctuation, and both languages use the same values', () => {
	const names = `(select array_agg(distinct x[1] order by x[1]) from
		regexp_matches(t.subject || t.body, '\\{\\{([a-z_]+?)(?:_zh|_en)?\\}\\}', 'g') x)`;
	assert.strictEqual(
		s.sql(`select code from notification_templates t where tenant_id = 1 and
			subject || body ~ '[一-龥][,;:()?!]|[,;:()?!][一-龥]'`),
		'',
	);
	assert.strictEqual(
		s.sql(`select count(*) = count(*) filter (where lang = 'zh') * 2 from notification_templates
			where tenant_id = 1`),
		't',
	);
	/* a word such as pending_customer is for programs */
	assert.strictEqual(
		s.sql(`select code, lang from notification_templates where subject || body ~ '\\{\\{status\\}\\}'`),
		'',
	);
	assert.strictEqual(
		s.sql(`select code from (select code, ${names} as n from notification_templates t where
			tenant_id = 1) v group by code having count(distinct n) > 1`),
		'',
	);
});
test('migrating again changes nothing; a changed migration is refused', () => {
	const env = { ...process.env, PGPASSWORD: secret },
		args = ['migrate', '--owner-url', `host=${SOCK} dbname=${s.db} user=sladesk_owner`];
	assert.match(
		execFileSync(path.join(INST, 'bin/sladesk'), args, { env }).toString(),
		/^schema \d+\n$/,
	);
	s.sql("update schema_version set checksum = 'x' where version = 2");
	fails(
		() =>
			execFileSync(path.join(INST, 'bin/sladesk'), args, {
				env,
				stdio: ['ignore', 'pipe', 'pipe'],
			}),
		/0002_tickets\.sql was changed after it was applied/,
	);
	s.sql('update schema_version set version = version + 0 where version = 2');
});
test('migrating is refused while an instance runs that cannot read the policies of this version', async () => {
	const migrate = () =>
			promisify(execFile)(path.join(INST, 'bin/sladesk'), ['migrate', '--owner-url', `host=${SOCK} dbname=${t.db} user=sladesk_owner`], {
				env: { ...process.env, PGPASSWORD: secret },
			}),
		t = new Server('older');
	await t.prepare();
	const lease = (s) => `insert into lease_owners (owner, expires_at, policy_format) values ('old', clock_timestamp() + interval '${s} seconds', 1) on conflict (owner) do update set expires_at = excluded.expires_at`;
	t.sql(lease(10));
	assert.match((await migrate()).stdout, /^schema \d+\n$/, 'nothing is to be migrated');
	t.sql('create table kept as select * from schema_version order by version desc limit 1; delete from schema_version where version = (select version from kept)');
	t.sql(lease(10));
	const renewed = t.sqlBeside(`select pg_sleep(2); ${lease(13)}`);
	await assert.rejects(migrate(), /an instance of an earlier version runs, which reads policies of format 1, and this version writes format \d+; stop all instances/);
	await renewed;
	/* one that has ended is waited for; then only what the migration itself says counts */
	t.sql(lease(2));
	const out = await migrate().catch((e) => e);
	assert.doesNotMatch(out.stdout + out.stderr, /earlier version/);
	assert.strictEqual(t.sql("select count(*) from lease_owners where expires_at > clock_timestamp()"), '0');
	await t.drop();
});
test('a database that is too new for this program is refused with a clear line', async () => {
	const t = new Server('range');
	await t.prepare();
	t.sql('update schema_range set compatible_from = 999');
	await assert.rejects(t.start(), /does not fit this program/);
	t.proc = null; /* it refused, as it should */
	await t.drop();
});
