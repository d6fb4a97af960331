// SPDX-License-Identifier: Apache-2.0
// Lengths are counted in characters everywhere: each text that users can write is stored and returned unchanged at its maximum length, in
// characters of one, two, three and four bytes, and one character more is refused by name.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, waitUntil, PASSWORD } = require('../lib/server.js'),
	{ COMMANDS, readyFor } = require('../lib/commands.js');

const WIDTHS = ['a', 'é', '汉', '😀'];
/* N characters of one width; no two calls give the same sequence, so that cut or mixed-up texts are
 * noticed */
let serial = 0;
function text(char, n) {
	const mark = String(++serial) + '.';
	return n > mark.length ? mark + char.repeat(n - mark.length) : char.repeat(n);
}

/* catalogue codes of maximum length, one for each width, and one that is syntax everywhere */
const SYNTAX = `a"b\\c,{d}'e|f g`,
	CODES = WIDTHS.map((char) => text(char, 100)),
	KINDS = [
		'service_type',
		'category',
		'department',
		'project',
		'contract',
		'cost_centre',
		'region',
		'office',
		'incident_type',
	];

let s, admin, eng, boss, service, provider;
const get = async (p, token) => {
	const r = await s.get(p, token);
	assert.strictEqual(r.status, 200, p + r.text);
	return r.data;
};
const id = (r) => r.data.id;
/* every string in a reply */
function* strings(v) {
	if (typeof v === 'string') yield v;
	else if (v && typeof v === 'object') for (const x of Object.values(v)) yield* strings(x);
}
const holds = (data, v) => [...strings(data)].includes(v);

test.before(async () => {
	s = await Server.make('texts');
	const token = (tenant, scopes) =>
		s.cli(['token', 'add', '--tenant', tenant, '--name', 'svc', '--scopes', scopes]).trim();
	[admin, eng, boss] = await Promise.all([s.login('admin', 'alpha'), s.login('eng1'), s.login('boss')]);
	/* everything that is chosen from a catalogue exists before the first ticket reads it */
	for (const kind of KINDS)
		for (const code of [...CODES, SYNTAX])
			assert.strictEqual((await entry(kind, code)).status, 200);
	service = token('alpha', 'ticket:read,ticket:write,sla:read,user:read,report:read');
	provider = token('provider', 'ticket:read,ticket:write,admin,user:write,catalogue:write');
});
test.after(() => s.drop());

/* --- what users can write, where, and how it comes back --- */

const entry = (kind, code) =>
	s.request('PUT', `/api/v1/catalogue/${kind}/${encodeURIComponent(code)}`, {
		token: admin,
		body: { name_zh: 'x', name_en: 'x', ...(kind === 'incident_type' ? { priority: 'P3' } : {}) },
	});
const create = (more, token = admin) =>
	s.post('/api/v1/tickets', token, { title: 'x', description: 'y', priority: 'P3', ...more });
/* field: a field of route; max: characters; send: a value for it; back: the path that returns it,
 * or the table that stores it; codes: a catalogue value; refused: where the refusal is, if not in
 * the status */
const places = [];
const place = (route, field, max, send, back, more = {}) =>
	places.push({ route, field, max, send, back, ...more });

place(
	'POST /api/v1/tickets',
	'title',
	200,
	(v) => create({ title: v }),
	(r) => `/api/v1/tickets/${id(r)}`,
);
place('POST /api/v1/tickets', 'external_id', 100, (v) => create({ external_id: v }), 'tickets');
place(
	'POST /api/v1/tickets',
	'description',
	20000,
	(v) => create({ description: v }),
	(r) => `/api/v1/tickets/${id(r)}/comments`,
);
place(
	'POST /api/v1/tickets',
	'tags',
	50,
	(v) => create({ tags: ['x', v] }),
	(r) => `/api/v1/tickets/${id(r)}`,
);
for (const kind of KINDS)
	place(
		'POST /api/v1/tickets',
		kind,
		100,
		(v) => create({ [kind]: v }),
		(r) => `/api/v1/tickets/${id(r)}`,
		{ codes: true },
	);

/* while the list is built there is no server and no ticket */
const noServer = { sql: () => 0 };
function command(cmd, field, max, more = {}) {
	const { back = '/comments', list } = more;
	place(
		`POST /api/v1/tickets/{id}/${cmd}`,
		field,
		max,
		async (v) => {
			const t = await readyFor(s, { customer: admin, staff: eng, boss }, cmd),
				sent = { ...t.body, [field]: list ? [v] : v },
				r = await s.post(`/api/v1/tickets/${t.id}/${cmd}`, t.by, sent);
			r.ticket = t.id;
			return r;
		},
		(r) => `/api/v1/tickets/${r.ticket}${back}`,
		more,
	);
}
for (const [cmd, c] of Object.entries(COMMANDS)) {
	const { text, reason } = c.body ? c.body(noServer) : {};
	if (text) command(cmd, 'text', cmd === 'rate' ? 2000 : 20000);
	if (reason) command(cmd, 'reason', 2000);
}
for (const field of ['root_cause', 'solution', 'prevention', 'configuration'])
	command('resolve', field, 8000);
command('category', 'category', 100, { back: '', codes: true });
command('tags', 'tags', 50, { back: '', list: true });

/* users, portals, dashboards and everything else with a name */
const put = (p, body) => s.request('PUT', p, { token: admin, body });
const users = '/api/v1/client/admin/users';
let people = 0;
const person = (more) =>
	s.post(users, admin, {
		username: 'person' + ++people,
		password: PASSWORD,
		full_name: 'x',
		email: `person${people}@alpha.example`,
		...more,
	});
place(
	'POST ' + users,
	'full_name',
	100,
	(v) => person({ full_name: v }),
	(r) => `${users}/${r.data.user_id}`,
);
place(
	`PUT ${users}/{user_id}`,
	'full_name',
	100,
	async (v) => {
		const n = s.sql(
			"select id from client_users where username = 'user' and tenant_id = " + s.alpha,
		);
		return put(`${users}/${n}`, { full_name: v });
	},
	'client_users',
);
for (const field of ['department', 'project', 'contract', 'cost_centre', 'region', 'office'])
	place('POST ' + users, field, 100, (v) => person({ [field]: v }), 'client_users', { codes: true });
const grant = { resource_type: 'ticket', permissions: { read: true } };
for (const list of ['projects', 'departments']) {
	place(
		'POST ' + users,
		'data_scope.' + list,
		300,
		(v) => person({ grants: [{ ...grant, data_scope: { [list]: [v] } }] }),
		'client_permissions',
	);
	place(
		`PUT ${users}/{user_id}/permissions`,
		'data_scope.' + list,
		300,
		(v) => {
			const n = s.sql(
				"select id from client_users where username = 'user' and tenant_id = " + s.alpha,
			);
			return put(`${users}/${n}/permissions`, {
				grants: [{ ...grant, data_scope: { [list]: [v] } }],
			});
		},
		'client_permissions',
	);
}
for (const [field, max] of [
	['display_name', 100],
	['support_contact', 200],
])
	place(
		'PUT /api/v1/client/theme',
		field,
		max,
		(v) => put('/api/v1/client/theme', { [field]: v }),
		() => '/api/v1/client/theme/' + s.alpha,
	);
place(
	'POST /api/v1/client/dashboard/config',
	'dashboard_name',
	100,
	(v) =>
		s.post('/api/v1/client/dashboard/config', admin, {
			dashboard_name: v,
			layout_config: { grid: { cols: 12, rows: 8 }, widgets: [] },
		}),
	'dashboard_configs',
);
/* where a widget is named: in the layout, and where it says what the widget shows */
for (const field of ['layout_config.widgets.id', 'widget_configs.id'])
	place(
		'POST /api/v1/client/dashboard/config',
		field,
		64,
		(id) =>
			s.post('/api/v1/client/dashboard/config', admin, {
				dashboard_name: 'x' + ++serial,
				layout_config: {
					grid: { cols: 12, rows: 8 },
					widgets: [{ id, type: 'metric_card', position: { x: 0, y: 0, w: 3, h: 2 } }],
				},
				widget_configs: [{ id, config: { metric: 'total_tickets', title: 'x' } }],
			}),
		'dashboard_configs',
	);
for (const field of ['name_zh', 'name_en'])
	place(
		'PUT /api/v1/catalogue/{kind}/{code}',
		field,
		200,
		(v) => put('/api/v1/catalogue/project/named', { name_zh: 'x', name_en: 'x', [field]: v }),
		() => '/api/v1/catalogue?kind=project',
	);
place(
	'PUT /api/v1/catalogue/{kind}/{code}',
	'code',
	100,
	(v) => entry('project', v),
	() => '/api/v1/catalogue?kind=project',
);
place(
	'POST /api/v1/webhooks',
	'secret',
	200,
	(v) => s.post('/api/v1/webhooks', admin, { url: 'https://example.com/' + ++serial, secret: v }),
	null, // it is stored encrypted: 20-fields checks that it signs
);
place(
	'POST /api/v1/auth/factors/totp',
	'name',
	100,
	async (v) => {
		s.sql('delete from factors');
		return s.post('/api/v1/auth/factors/totp', await s.login('user', 'alpha'), { name: v });
	},
	'factors',
);
const providers = '/api/v1/client/admin/identity-providers';
for (const [field, max] of [
	['name', 100],
	['client_id', 500],
	['role_attribute', 1000],
	['agent_id', 1000],
	['scopes', 1000],
	['agent_id', 1000],
])
	place(
		'POST ' + providers,
		field,
		max,
		(v) => {
			s.sql('delete from identity_providers');
			const oidc = {
				kind: 'oidc',
				name: 'x',
				client_id: 'x',
				issuer: 'https://id.example',
			};
			return s.post(providers, admin, { ...oidc, [field]: v });
		},
		'identity_providers',
	);

place(
	'POST /api/v1/client/export/data',
	'parameters.filters.service_type',
	100,
	(v) =>
		s.post('/api/v1/client/export/data', admin, {
			export_type: 'ticket_data',
			parameters: { filters: { service_type: [v] } },
		}),
	'exports',
);
const policy = (more) => ({
	tenant_id: s.beta,
	document: JSON.parse(s.sql("select doc from sla_configurations where code = 'standard' order by version desc limit 1")),
	...more,
});
place(
	'PUT /api/v1/sla/policies/{code}',
	'service_type',
	100,
	(v) =>
		s.request('PUT', '/api/v1/sla/policies/p' + ++serial, {
			token: boss,
			body: policy({ service_type: v }),
		}),
	'sla_configurations',
);
place(
	'PUT /api/v1/sla/policies/{code}',
	'service_name',
	100,
	(v) =>
		s.request('PUT', '/api/v1/sla/policies/p' + ++serial, {
			token: boss,
			body: policy({ service_name: v }),
		}),
	'sla_configurations',
);
place('POST /api/v1/sla/policies/preview', 'service_type', 100, (v) =>
	s.post('/api/v1/sla/policies/preview', boss, policy({ service_type: v })),
);

/* messages from source systems */
for (const [field, max, table] of [
	['ticket_id', 100, 'tickets'],
	['event_id', 200, 'sync_events'],
	['title', 200, 'tickets'],
	['description', 20000, 'ticket_comments'],
	['service_type', 100, 'tickets'],
])
	place(
		'POST /api/v1/integration/tickets/sync',
		field,
		max,
		(v) =>
			s.post('/api/v1/integration/tickets/sync', service, {
				event_type: 'ticket_created',
				event_id: 'e' + ++serial,
				tenant_id: s.alpha,
				ticket_id: 'EXT-' + serial,
				timestamp: new Date().toISOString(),
				title: 'x',
				description: 'y',
				[field]: v,
			}),
		table,
		{ codes: field === 'service_type' },
	);
const customer = (more, contact = {}, contract = {}) =>
	s.post('/api/v1/integration/customers/sync', provider, {
		customers: [
			{
				external_id: 'C' + ++serial,
				code: 'c' + serial,
				name: 'x',
				contacts: [{ external_id: 'P1', name: 'x', ...contact }],
				contracts: [{ external_id: 'K1', name: 'x', status: 'active', ...contract }],
				...more,
			},
		],
	});
for (const [field, max, table] of [
	['external_id', 100, 'customer_details'],
	['name', 200, 'customers'],
	['customer_success_manager', 100, 'customer_details'],
	['hotline', 100, 'customer_details'],
	['contacts.external_id', 100, 'contacts'],
	['contacts.name', 100, ''],
	['contacts.title', 100, 'contacts'],
	['contracts.external_id', 100, 'contracts'],
	['contracts.name', 200, 'contracts'],
]) {
	const [part, key] = field.split('.'),
		send = {
			contacts: (v) => customer({}, { [key]: v }),
			contracts: (v) => customer({}, {}, { [key]: v }),
		};
	place(
		'POST /api/v1/integration/customers/sync',
		field,
		max,
		send[part] || ((v) => customer({ [field]: v })),
		table,
		{ refused: (r) => r.data.rejected.map((x) => x.field) },
	);
}

for (const p of places)
	test(`${p.route} ${p.field}: ${p.max} characters of any width, and no more`, async () => {
		for (const [i, char] of WIDTHS.entries()) {
			const v = p.codes ? CODES[i] : text(char, p.max),
				r = await p.send(v);
			assert.ok(
				r.status >= 200 && r.status < 300,
				`${char} ${r.status} ${r.text.slice(0, 500)}`,
			);
			if (p.refused) assert.deepStrictEqual(p.refused(r), [], char);
			if (typeof p.back === 'function') {
				const data = await get(p.back(r), p.route.includes('/tickets') ? eng : admin);
				assert.ok(holds(data, v), `${char} is not returned as it was sent`);
			} else if (p.back)
				assert.notStrictEqual(
					s.sql(
						`select count(*) from ${p.back} t where position('${v}' in t::text) > 0`,
					),
					'0',
					`${char} is not stored as it was sent`,
				);
		}
		const r = await p.send(text('汉', p.max + 1));
		if (p.refused) assert.deepStrictEqual(p.refused(r), [p.field]);
		else {
			assert.deepStrictEqual([r.status, r.code], [400, 40001], r.text.slice(0, 500));
			assert.ok(
				r.json.details.fields.some(
					(f) =>
						`.${f.field}`.includes('.' + p.field.split('.')[0]) ||
						f.field.endsWith(p.field.split('.')[0]),
				),
				r.text.slice(0, 500),
			);
		}
	});

/* Strings in bodies that are not texts of users: our own keywords, numbers, tokens, addresses,
 * instants. */
const OTHER =
	/^(cookies|.*token|tenant|tenant_id|username|password|old_password|new_password|code|method|trust_device|credential_id|client_data|authenticator_data|signature|public_key|email|phone|lang|role_type|is_active|mfa_required|kind|resource_type|client_secret|corp_id|issuer|.*_endpoint|role_map|email_domains|create_users|trust_email|.*_field|certificate|token_auth|vendor|active|.*signed.*|encrypt.*|logo|logo_url|.*_color|export_type|format|parameters|options|preferences|layout_config|is_default|is_shared|priority|source|impact_scope|solution_kind|clock|at|from|to|until|events|event_type|status|resolved_at|customer_satisfaction|timestamp|created_at|updated_at|assigned_to|customers|document|calendar|days|effective_from|url|.*url.*)$/;

test('no text of the documents is left out', async () => {
	const doc = (await s.get('/openapi.json')).json,
		norm = (p) => p.replace('/client/tickets', '/tickets').replace(/\/\{[^}]*\}$/, ''),
		missing = [];
	/* each string of a schema that only its length limits, with its path */
	function* texts(schema, at) {
		const d = schema.$ref ? doc.components.schemas[schema.$ref.split('/').pop()] : schema;
		if (d.items) yield* texts(d.items, at);
		for (const [k, v] of Object.entries(d.properties || {}))
			yield* texts(v, at ? at + '.' + k : k);
		const plain = [].concat(d.type).includes('string') && !d.enum && !d.pattern && !d.format;
		if (plain && !OTHER.test(at.split('.').at(-1))) yield { at, max: d.maxLength };
	}
	const placed = (route, at) =>
		places
			.filter(
				(p) =>
					norm(p.route.split(' ')[1]) === route &&
					('.' + at).endsWith('.' + p.field),
			)
			.sort((a, b) => b.field.length - a.field.length)[0];
	for (const [p, methods] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(methods)) {
			const content = op.requestBody && op.requestBody.content['application/json'];
			for (const { at, max } of content ? texts(content.schema, '') : []) {
				/* read as a TOTP's; storing it needs an authenticator (23-ways-in) */
				if (p.endsWith('/factors/passkey') && at === 'name') continue;
				/* each shipped text is saved, and its limits are tried, in 57-own-texts */
				if (p.startsWith('/api/v1/texts/')) continue;
				const known = placed(norm(p), at);
				if (!known) missing.push(`${method} ${p} ${at}`);
				else if (max) assert.strictEqual(max, known.max, `${method} ${p} ${at}`);
			}
		}
	assert.deepStrictEqual(missing, []);
});

/* --- filters: what can be stored can be asked for --- */

test('a filter accepts as much as the field, and no more', async () => {
	const compliance = '/api/v1/client/sla/compliance?',
		metrics = `/api/v1/integration/sla/metrics?tenant_id=${s.alpha}&date_range=2026-01-01,2026-01-31&`,
		exports = '/api/v1/client/export/data',
		ask = (code) =>
			s.post(exports, admin, {
				export_type: 'ticket_data',
				parameters: { filters: { service_type: [code] } },
			}),
		filter = (code) => 'service_type=' + encodeURIComponent(code),
		fields = (r) => [r.status, r.code, (r.json.details.fields || []).map((f) => f.field)];
	for (const code of [...CODES, SYNTAX]) {
		const made = await create({ service_type: code });
		assert.strictEqual(made.status, 201, made.text);
		await waitUntil(async () => (await get(compliance + filter(code), admin)).total_tickets > 0);
		await get(metrics + filter(code), service);
		const r = await ask(code);
		assert.strictEqual(r.status, 202, code + r.text);
		const file = await waitUntil(async () => {
			const d = await get(exports + '/' + r.data.export_id, admin);
			return d.status !== 'processing' && d;
		});
		assert.deepStrictEqual(
			[file.status, file.records > 0],
			['completed', true],
			JSON.stringify(file),
		);
	}
	const long = '汉'.repeat(101);
	assert.deepStrictEqual(fields(await s.get(compliance + filter(long), admin)), [
		400,
		40001,
		['service_type'],
	]);
	assert.deepStrictEqual(fields(await s.get(metrics + filter(long), service)), [
		400,
		40001,
		['service_type'],
	]);
	assert.deepStrictEqual(fields(await ask(long)), [400, 40001, ['parameters.filters.service_type']]);
});

/* --- names of users --- */

test('long names in every script: login, me, second factor, audit', async () => {
	for (const char of WIDTHS) {
		const username = text('u', 99) + (serial % 10),
			name = text(char, 100),
			email = `p${++serial}@alpha.example`;
		s.cli(
			[
				...[
					'user',
					'add',
					'--tenant',
					'alpha',
					'--username',
					username,
					'--name',
					name,
				],
				...['--email', email, '--role', 'user'],
			],
			PASSWORD + '\n',
		);
		const token = await s.login(username, 'alpha'),
			me = await get('/api/v1/me', token);
		assert.ok(holds(me, username) && holds(me, name), char + JSON.stringify(me));
		const totp = await s.post('/api/v1/auth/factors/totp', token, {});
		assert.strictEqual(totp.status, 201, char + totp.text);
		assert.ok(
			totp.data.uri.includes(`sladesk:${encodeURIComponent(username)}?secret=`),
			totp.data.uri,
		);
		assert.match(totp.data.uri, /&issuer=sladesk$/);
		assert.match(totp.data.qr_svg, /^<svg/);
		const passkey = await s.post('/api/v1/auth/factors/passkey/options', token, {});
		assert.ok(holds(passkey.data, username) && holds(passkey.data, name), passkey.text);
		assert.strictEqual((await create({}, token)).status, 201);
		const audited = () =>
			s.sql(`select count(*) from audit_logs where username = '${username}'`) !== '0';
		await waitUntil(audited);
	}
});
test("a service's name is complete in the audit log", async () => {
	for (const char of WIDTHS) {
		const name = text(char, 100),
			token = s.token('alpha', 'ticket:write', name);
		assert.strictEqual((await create({}, token)).status, 201);
		const audited = () =>
			s.sql(`select count(*) from audit_logs where username = '${name}'`) !== '0';
		await waitUntil(audited);
	}
	for (const [char, why, ...args] of [
		['汉', /1 to 100 characters/, 'token', 'add', '--scopes', 'ticket:read', '--name'],
		['汉', /1 to 100 characters/, 'user', 'add', '--email', 'z@z.example', '--username', 'z', '--name'],
		['z', /--username: up to 100/, 'user', 'add', '--email', 'z@z.example', '--name', 'z', '--username'],
	])
		assert.throws(
			() => s.cli([...args, char.repeat(101), '--tenant', 'alpha'], PASSWORD + '\n'),
			why,
		);
});
test('a password may have 200 characters of any width', async () => {
	for (const char of WIDTHS) {
		const long = 'Ab1-' + char.repeat(196),
			one = {
				username: 'pw' + ++serial,
				password: long,
				full_name: 'x',
				email: `pw${serial}@x.example`,
			};
		const made = await s.post(users, admin, one);
		assert.strictEqual(made.status, 201, char + made.text);
		const log = (password) =>
			s.post('/api/v1/auth/login', null, {
				username: one.username,
				password,
				tenant: 'alpha',
			});
		assert.strictEqual((await log(long)).status, 200, char);
		assert.strictEqual((await log(long.slice(0, -char.length))).status, 401, char);
		const over = await s.post(users, admin, { ...one, username: 'over', password: long + char });
		assert.deepStrictEqual([over.status, over.code], [400, 40001], over.text);
		s.cli(['user', 'password', '--tenant', 'alpha', '--username', 'user'], long + '\n');
		const cli = await s.post('/api/v1/auth/login', null, {
			username: 'user',
			password: long,
			tenant: 'alpha',
		});
		assert.strictEqual(cli.status, 200, char);
	}
	const argv = ['user', 'password', '--tenant', 'alpha', '--username', 'user'];
	assert.throws(() => s.cli(argv, 'Ab1-' + '汉'.repeat(197) + '\n'), /8 to 200 characters/);
});

/* --- a shortened text consists of complete characters --- */

test('an unknown field with a long name is refused in well-formed UTF-8', async () => {
	for (const char of WIDTHS)
		for (const shift of ['', 'x', 'xy', 'xyz']) {
			const key = shift + char.repeat(150),
				r = await create({ [key]: 1 });
			assert.deepStrictEqual([r.status, r.code], [400, 40001]);
			const [{ field }] = r.json.details.fields;
			assert.strictEqual([...field].length, 120);
			assert.ok(key.startsWith(field), JSON.stringify(field));
			const p = await s.request('PUT', '/api/v1/sla/policies/x', {
				token: boss,
				body: { document: { [key]: 1 } },
			});
			assert.deepStrictEqual([p.status, p.code], [400, 40001]);
			for (const t of [r.text, p.text]) assert.ok(!t.includes('\ufffd'), t);
		}
});

/* --- an import --- */

test('one bad row of an import is rejected alone', () => {
	const map = path.join(s.dir, 'map.json'),
		log = path.join(s.dir, 'log.csv'),
		rejects = path.join(s.dir, 'rejects.csv'),
		at = '2026-01-05T08:00:00Z',
		good = WIDTHS.map((char) => [text(char, 100), text(char, 100)]);
	fs.writeFileSync(
		map,
		JSON.stringify({
			...{ name: '服务台', title: '事件', kind: 'states', time: 'rfc3339', zone: 'UTC' },
			...{ id: 'number', at: 'at', state: 'state', category: 'category' },
			values: { New: 'new' },
		}),
	);
	const bad = [
		['汉'.repeat(101), at, 'New', 'x'],
		['B1', at, 'New', '😀'.repeat(101)],
		['B2', '9999-01-01T00:00:00Z', 'New', 'x'],
		['B3', '0001-01-01T00:00:00Z', 'New', 'x'],
		['B4\u0000', at, 'New', 'x'],
		['B5', at, 'New', 'x\u0000y'],
		['B6', at, 'Old', 'x'],
	];
	const rows = [...good.map(([n, c]) => [n, at, 'New', c]), ...bad],
		csv = (row) => row.map((v) => `"${v}"`).join(',') + '\n';
	fs.writeFileSync(log, ['number', 'at', 'state', 'category'].join() + '\n' + rows.map(csv).join(''));
	const out = s.cli(['import', '--map', map, '--tenant', 'beta', '--rejects', rejects, log]);
	assert.match(out, /read +11 log events, rejected 7/);
	const told = fs.readFileSync(rejects, 'utf8').trim().split('\n').slice(1);
	assert.deepStrictEqual(
		told.map((l) => Number(l.split(',')[0])),
		bad.map((_, i) => 2 + good.length + i),
		told.join('\n'),
	);
	for (const [number, category] of good)
		assert.strictEqual(
			s.sql(
				`select title, category from tickets where tenant_id = ${s.beta} and external_id = '服务台:${number}'`,
			),
			`事件 ${number}|${category}`,
		);
});

test('a log with a byte order mark, blank lines, or in another encoding is imported all the same', () => {
	const map = path.join(s.dir, 'map.json'), // of the test before
		log = path.join(s.dir, 'encoded.csv'),
		rejects = path.join(s.dir, 'rejects.csv'),
		encode = (text, to) => execFileSync('iconv', ['-f', 'UTF-8', '-t', to], { input: text }),
		variants = [
			['utf8', (t) => Buffer.from(t)],
			['mark', (t) => Buffer.from('\ufeff' + t)],
			['gbk', (t) => encode(t, 'GBK')],
			['gb18030', (t) => encode(t, 'GB18030')],
			['utf16le', (t) => Buffer.from('\ufeff' + t, 'utf16le')],
			['utf16be', (t) => Buffer.from('\ufeff' + t, 'utf16le').swap16()],
			['crlf', (t) => Buffer.from(t.replace(/\n/g, '\r\n') + '\r\n')],
			['blank', (t) => Buffer.from(t.replace(/\n/, '\n\n') + '\n\n\n')],
		];
	for (const [name, bytes] of variants) {
		fs.writeFileSync(
			log,
			bytes(`number,at,state,category\n编码${name},2026-01-05T08:00:00Z,New,宕机\n`),
		);
		const out = s.cli(['import', '--map', map, '--tenant', 'beta', '--rejects', rejects, log]);
		assert.match(out, /read +1 log events, rejected 0/, name);
		assert.strictEqual(
			s.sql(
				`select title, category from tickets where tenant_id = ${s.beta} and external_id = '服务台:编码${name}'`,
			),
			`事件 编码${name}|宕机`,
		);
	}
});
