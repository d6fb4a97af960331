// SPDX-License-Identifier: Apache-2.0
// The audit log says what was changed: for every endpoint that writes, and for every command of sladesk, the row names each changed field with its
// value before and after; of secrets and personal values, that they changed. Both lists are read from the program, so that a new endpoint or
// command needs an entry here.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, waitUntil, mailSink, hookSink, psql, PASSWORD, SOCK } = require('../lib/server.js'),
	{ COMMANDS, readyFor } = require('../lib/commands.js'),
	{ authenticatorOf } = require('../lib/authenticator.js');

let s, who, mail, hook;
test.before(async () => {
	mail = await mailSink();
	hook = await hookSink();
	s = new Server('changes', { integration: { stream: 'changes' }, mail: { url: mail.url }, crypto: { key_delay_s: 1 } });
	await s.prepare();
	s.settings.http = { url: 'http://localhost:' + s.port };
	await s.start();
	const [admin, user, eng, boss] = [
		await s.login('admin', 'alpha'),
		await s.login('user', 'alpha'),
		await s.login('eng1'),
		await s.login('boss'),
	];
	who = { admin, user, eng, boss, staff: eng, customer: admin };
	who.service = s.token('provider', 'user:write,admin,tickets:read,tickets:write');
});
test.after(async () => {
	await s.drop();
	await mail.close();
	await hook.close();
});

const SECRETS = ['a-secret-of-16-letters', 'secret words', 'Correct-horse-7', 's3cret', 'fresh@alpha.example', '+86 10 1234 5678'];
const id = (table, where) => s.sql(`select max(id) from ${table} where tenant_id = ${s.alpha} and ${where}`),
	userId = (name) => id('client_users', `username = '${name}'`),
	call = (method, p, token, body) => s.request(method, p, { token, body }),
	A = '/api/v1/client/admin',
	day = (until) => ({ mon: [['09:00', until]], tue: [['09:00', '18:00']] }),
	policy = (seconds) => ({
		document: {
			priorities: { P0: { response_s: seconds, resolution_s: 14400 }, P1: { response_s: 3600, resolution_s: 28800 }, P2: { response_s: 3600, resolution_s: 28800 }, P3: { response_s: 3600, resolution_s: 28800 }, P4: { response_s: 3600, resolution_s: 28800 } },
			thresholds: ['80', '100'],
		},
		calendar: '24x7',
	}),
	widget = (x) => ({ grid: { cols: 12, rows: 8 }, widgets: [{ id: 'w1', type: 'metric_card', position: { x, y: 7, w: 3, h: 2 } }] });

/* What is done at each endpoint that writes: the requests, of which the last one is looked at, and a field that its row must name with its value
 * before and after. They run in this order. */
const WRITES = {
	'POST /api/v1/auth/factors/totp': () => call('POST', '/api/v1/auth/factors/totp', who.user, {}),
	'POST /api/v1/auth/factors/{factor_id}/confirm': () => confirm(),
	'POST /api/v1/auth/factors/passkey': () => authenticatorOf(s).register(who.user),
	'POST /api/v1/auth/recovery-codes': () => call('POST', '/api/v1/auth/recovery-codes', who.user),
	'POST /api/v1/auth/factors/{factor_id}/remove': () => call('POST', `/api/v1/auth/factors/${id('factors', "kind = 'passkey'")}/remove`, who.user, {}),
	[`POST ${A}/users/{user_id}/reset-factors`]: () => call('POST', `${A}/users/${userId('user')}/reset-factors`, who.admin),
	'PUT /api/v1/catalogue/{kind}/{code}': async () => {
		await call('PUT', '/api/v1/catalogue/region/net', who.admin, { name_zh: '网络', name_en: 'Network' });
		return call('PUT', '/api/v1/catalogue/region/net', who.admin, { name_zh: '网络', name_en: 'Networks' });
	},
	[`POST ${A}/identity-providers`]: () => call('POST', `${A}/identity-providers`, who.admin, { kind: 'oidc', name: 'Okta', issuer: 'https://idp.example.com', client_id: 'sladesk', client_secret: 's3cret' }),
	[`PUT ${A}/identity-providers/{provider_id}`]: () => call('PUT', `${A}/identity-providers/${id('identity_providers', 'true')}`, who.admin, { kind: 'oidc', name: 'Keycloak', issuer: 'https://other.example.com', client_id: 'sladesk', client_secret: 's3cret' }),
	[`DELETE ${A}/identity-providers/{provider_id}`]: () => call('DELETE', `${A}/identity-providers/${id('identity_providers', 'true')}`, who.admin),
	[`POST ${A}/mail-domains`]: () => call('POST', `${A}/mail-domains`, who.admin, { domain: 'customer.example' }),
	[`POST ${A}/mail-domains/{domain_id}/verify`]: () => call('POST', `${A}/mail-domains/${id('mail_domains', 'true')}/verify`, who.admin),
	[`DELETE ${A}/mail-domains/{domain_id}`]: () => call('DELETE', `${A}/mail-domains/${id('mail_domains', 'true')}`, who.admin),
	[`POST ${A}/users`]: () => call('POST', `${A}/users`, who.admin, { username: 'fresh', password: 'Correct-horse-7', full_name: 'Fresh', email: 'first@alpha.example' }),
	[`PUT ${A}/users/{user_id}`]: () => call('PUT', `${A}/users/${userId('fresh')}`, who.admin, { full_name: 'Renamed', email: 'fresh@alpha.example', phone: '+86 10 1234 5678', is_active: false }),
	[`PUT ${A}/users/{user_id}/permissions`]: () => call('PUT', `${A}/users/${userId('fresh')}/permissions`, who.admin, { grants: [{ resource_type: 'report', permissions: { export: true } }] }),
	'POST /api/v1/client/dashboard/config': () => call('POST', '/api/v1/client/dashboard/config', who.admin, { dashboard_name: 'Operations', layout_config: widget(7) }),
	'PUT /api/v1/client/dashboard/config/{config_id}': () => call('PUT', `/api/v1/client/dashboard/config/${id('dashboard_configs', 'true')}`, who.admin, { dashboard_name: 'Operations', layout_config: widget(3) }),
	'DELETE /api/v1/client/dashboard/config/{config_id}': () => call('DELETE', `/api/v1/client/dashboard/config/${id('dashboard_configs', 'true')}`, who.admin),
	'POST /api/v1/client/export/data': () => call('POST', '/api/v1/client/export/data', who.admin, { export_type: 'ticket_data' }),
	'PUT /api/v1/client/preferences': () => call('PUT', '/api/v1/client/preferences', who.admin, { preferences: { lang: 'en' } }),
	'PUT /api/v1/client/theme': async () => {
		await call('PUT', '/api/v1/client/theme', who.admin, { display_name: 'Acme', primary_color: '#0055aa' });
		return call('PUT', '/api/v1/client/theme', who.admin, { display_name: 'Acme', primary_color: '#0055ab' });
	},
	'PUT /api/v1/client/theme/logo': () =>
		call('PUT', '/api/v1/client/theme/logo', who.admin, { logo: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==' }),
	'DELETE /api/v1/client/theme/logo': () => call('DELETE', '/api/v1/client/theme/logo', who.admin),
	'POST /api/v1/tickets': () => call('POST', '/api/v1/tickets', who.admin, { title: 'x', description: 'secret words' }),
	'POST /api/v1/client/tickets': () => call('POST', '/api/v1/client/tickets', who.admin, { title: 'x', description: 'secret words' }),
	'POST /api/v1/integration/customers/sync': async () => {
		await call('POST', '/api/v1/integration/customers/sync', who.service, { customers: [{ external_id: 'C-1001', code: 'acme', name: 'Acme' }] });
		return call('POST', '/api/v1/integration/customers/sync', who.service, { customers: [{ external_id: 'C-1001', name: 'Acme Corp' }] });
	},
	'POST /api/v1/integration/tickets/sync': () =>
		call('POST', '/api/v1/integration/tickets/sync', who.service, {
			events: [{ event_type: 'ticket_updated', event_id: 'e1', tenant_id: s.alpha, ticket_id: 'INC1', status: 'in_progress', priority: 'P2', title: 'Disk', timestamp: new Date().toISOString() }],
		}),
	'PUT /api/v1/sla/calendars/{code}': async () => {
		await call('PUT', '/api/v1/sla/calendars/c1', who.boss, { document: { tz: 'Asia/Shanghai', hours: day('17:00') } });
		return call('PUT', '/api/v1/sla/calendars/c1', who.boss, { document: { tz: 'Asia/Shanghai', hours: day('18:00') } });
	},
	'PUT /api/v1/sla/config/{tenant_id}': () => call('PUT', '/api/v1/sla/config/' + s.alpha, who.boss, { policy: 'basic' }),
	'PUT /api/v1/sla/policies/{code}': async () => {
		await call('PUT', '/api/v1/sla/policies/p1', who.boss, policy(900));
		return call('PUT', '/api/v1/sla/policies/p1', who.boss, policy(600));
	},
	'PUT /api/v1/texts/{template}/{lang}': () => call('PUT', '/api/v1/texts/ticket_reply/en', who.boss, { subject: 'Our own: {{title}}', body: '{{quote}}' }),
	'DELETE /api/v1/texts/{template}/{lang}': () => call('DELETE', '/api/v1/texts/ticket_reply/en', who.boss),
	'POST /api/v1/webhooks': () => call('POST', '/api/v1/webhooks', who.admin, { url: 'https://example.com/hook', secret: 'a-secret-of-16-letters' }),
	'PUT /api/v1/webhooks/{id}': () => call('PUT', `/api/v1/webhooks/${id('webhooks', 'true')}`, who.admin, { active: false }),
	'PUT /api/v1/staff/{staff_id}/customers': () =>
		call('PUT', `/api/v1/staff/${s.sql("select id from staff where username = 'eng2'")}/customers`, who.boss, { tenant_ids: [s.alpha, s.beta] }),
	'POST /api/v1/auth/password': async () => {
		const token = await s.login('user', 'beta');
		return call('POST', '/api/v1/auth/password', token, { old_password: PASSWORD, new_password: 'Correct-horse-7' });
	},
	'DELETE /api/v1/auth/sessions/{id}': async () => {
		const [token, other] = [await s.login('admin', 'beta'), await s.login('admin', 'beta')],
			{ sid } = JSON.parse(Buffer.from(other.split('.')[1], 'base64url'));
		return call('DELETE', '/api/v1/auth/sessions/' + sid, token);
	},
	'POST /api/v1/auth/logout-everywhere': async () => call('POST', '/api/v1/auth/logout-everywhere', await s.login('admin', 'beta')),
	'POST /api/v1/auth/logout': async () => call('POST', '/api/v1/auth/logout', await s.login('admin', 'beta')),
};
for (const cmd of Object.keys(COMMANDS))
	for (const base of ['/api/v1/tickets', '/api/v1/client/tickets'])
		WRITES[`POST ${base}/{id}/${cmd}`] = async () => {
			const r = await readyFor(s, { ...who }, cmd);
			return call('POST', `${base}/${r.id}/${cmd}`, base.includes('client') ? who.customer : r.by, r.body);
		};

WRITES[`PUT ${A}/security`] = () => call('PUT', `${A}/security`, who.admin, { mfa_required: true }); /* the last one: all must enrol */

/* Endpoints whose rows name no change, and why. */
const NONE = {
	'POST /api/v1/auth/factors/passkey/options': 'reads',
	'POST /api/v1/auth/passkey/options': 'reads',
	'POST /api/v1/sla/policies/preview': 'reads',
	'POST /api/v1/texts/{template}/{lang}/preview': 'reads',
	'POST /api/v1/auth/sso/discover': 'reads',
	'POST /test/sink': 'of the tests only; reads and forgets',
	'POST /api/v1/webhooks/{id}/replay': 'sends again; changes nothing that anybody set',
};
const LOGIN = 'a log-in: what it begins is the row itself';
for (const p of ['login', 'passkey', 'second-factor', 'refresh', 'step-up', 'step-up/passkey', 'link/use']) NONE['POST /api/v1/auth/' + p] = LOGIN;
for (const p of ['client/login', 'client/auth/login', 'auth/sso/acs', 'auth/sso/acs/{tenant_id}/{provider_id}']) NONE['POST /api/v1/' + p] = LOGIN;
for (const p of ['link', 'password/forgot', 'step-up/mail', 'second-factor/mail', 'second-factor/sms']) NONE['POST /api/v1/auth/' + p] = 'mails or sends a code; changes nothing that anybody set';
for (const p of ['backchannel', 'slo']) NONE[`POST /api/v1/auth/sso/${p}/{tenant_id}/{provider_id}`] = 'by a provider, not by a user: the ended session is a row of the daemon (below)';
NONE['POST /api/v1/auth/password/reset'] = 'by a mailed link: tested below';
NONE['POST /api/v1/auth/address/confirm'] = 'by a mailed link: tested below';

async function confirm() {
	const e = await call('POST', '/api/v1/auth/factors/totp', who.user, {});
	const c = Buffer.alloc(8);
	c.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
	let bits = '';
	for (const x of e.data.secret) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(x).toString(2).padStart(5, '0');
	const h = require('node:crypto').createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))).update(c).digest();
	const code = String((h.readUInt32BE(h[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
	return call('POST', `/api/v1/auth/factors/${e.data.factor_id}/confirm`, who.user, { code });
}
const rows = (tenant) => s.all(`/api/v1/audit?tenant_id=${tenant}`, who.boss);
const says = (f) => f.changed === true || (f.field && 'before' in f && 'after' in f && JSON.stringify(f.before) !== JSON.stringify(f.after));

test('every endpoint that writes: its row names each changed field with its value before and after', async () => {
	const routes = fs
			.readFileSync(path.join(__dirname, '../../doc/api/routes.txt'), 'utf8')
			.split('\n')
			.filter((l) => /^[A-Z]/.test(l) && !l.startsWith('GET'))
			.map((l) => l.split(/ +/).slice(0, 2).join(' ')),
		done = {},
		faulty = [];
	assert.deepStrictEqual(routes.filter((r) => !WRITES[r] && !NONE[r]), [], 'an endpoint without an entry here');
	assert.deepStrictEqual([...Object.keys(NONE), ...Object.keys(WRITES)].filter((r) => !routes.includes(r) && !/client.tickets.\{id\}/.test(r)), [], 'no such endpoint');
	for (const [route, write] of Object.entries(WRITES)) {
		if (!routes.includes(route)) continue;
		const r = await write();
		if (r.status >= 300) faulty.push(`${route}: ${r.status} ${r.text}`);
		done[r.headers['x-request-id']] = route;
	}
	let all, copies;
	await waitUntil(async () => {
		all = [...(await rows(s.alpha)), ...(await rows(s.beta)), ...(await rows(1))];
		/* what staff change of a customer's is in its log, too, without an address */
		copies = all.filter((x) => x.tenant_id !== 1 && x.actor_kind !== 'system' && !x.ip_address);
		all = all.filter((x) => !copies.includes(x));
		const have = new Set(all.map((x) => x.request_id));
		return Object.keys(done).every((x) => have.has(x));
	}, 20000);
	for (const x of all.filter((y) => done[y.request_id])) {
		const changes = x.details.changes || [];
		if (!changes.length || !changes.every((c) => c.object && c.action && c.tenant_id && c.fields.length && c.fields.every(says))) faulty.push(`${done[x.request_id]}: ${JSON.stringify(x.details)}`);
		else if (process.env.SHOW_LOG) console.log(done[x.request_id], JSON.stringify(changes));
	}
	for (const x of copies) {
		assert.ok(x.details.changes.every((c) => c.tenant_id === x.tenant_id && c.fields.length && c.fields.every(says)), JSON.stringify(x));
		assert.doesNotMatch(JSON.stringify(x.details), /"(tags|parent_id|exclusion_[a-z]+)|"after":"internal"/);
	}
	assert.ok(copies.length >= 20, `only ${copies.length} copies`);
	assert.deepStrictEqual(faulty, []);
	/* values, as they were and as they are; a version of a document is compared with the one before it */
	const named = (route, field) =>
		all
			.filter((x) => done[x.request_id] === route)
			.flatMap((x) => x.details.changes)
			.flatMap((c) => c.fields)
			.filter((f) => f.field === field)
			.map((f) => (f.changed ? 'changed' : `${JSON.stringify(f.before)} -> ${JSON.stringify(f.after)}`));
	for (const [route, field, expected] of [
		['PUT /api/v1/catalogue/{kind}/{code}', 'name_en', '"Network" -> "Networks"'],
		[`PUT ${A}/identity-providers/{provider_id}`, 'settings.issuer', '"https://idp.example.com" -> "https://other.example.com"'],
		[`PUT ${A}/identity-providers/{provider_id}`, 'client_secret', 'changed'],
		[`PUT ${A}/users/{user_id}`, 'full_name', '"Fresh" -> "Renamed"'],
		[`PUT ${A}/users/{user_id}`, 'email', 'changed'],
		[`PUT ${A}/users/{user_id}`, 'phone', 'changed'],
		[`PUT ${A}/users/{user_id}/permissions`, 'permissions.export', 'null -> true'],
		['PUT /api/v1/client/dashboard/config/{config_id}', 'layout_config.widgets[0].position.x', '7 -> 3'],
		['PUT /api/v1/client/preferences', 'preferences.lang', 'null -> "en"'],
		['PUT /api/v1/client/theme', 'primary_color', '"#0055aa" -> "#0055ab"'],
		['PUT /api/v1/sla/calendars/{code}', 'doc.hours.mon[0]', '["09:00","17:00"] -> ["09:00","18:00"]'],
		['PUT /api/v1/sla/policies/{code}', 'doc.priorities.P0.response_s', '900 -> 600'],
		['POST /api/v1/webhooks', 'secret', 'changed'],
		['PUT /api/v1/webhooks/{id}', 'active', 'true -> false'],
		[`PUT ${A}/security`, 'mfa_required', 'false -> true'],
		['POST /api/v1/auth/password', 'password_hash', 'changed'],
		['POST /api/v1/tickets/{id}/priority', 'priority', '"P3" -> "P2"'],
		['POST /api/v1/tickets/{id}/assign', 'assignee_id', `null -> ${s.sql("select id from staff where username = 'eng2'")}`],
		['POST /api/v1/integration/customers/sync', 'name', '"Acme" -> "Acme Corp"'],
	])
		assert.ok(named(route, field).includes(expected), `${route} ${field}: ${named(route, field)}`);
	const [body] = named('POST /api/v1/tickets', 'body');
	assert.match(body, /^null -> \{"length":12\}$/, 'a text that can be redacted by its length alone');
	for (const x of all) for (const secret of SECRETS) assert.ok(!JSON.stringify(x).includes(secret), `${secret}: ${JSON.stringify(x)}`);
	console.log(`changes: ${Object.keys(done).length} endpoints; ${Object.keys(NONE).length} without`);
});

test('a password set by a mailed link, and what the daemon itself changes: rows that name it', async () => {
	const details = (where) =>
		rows(s.beta).then((all) => all.filter(where).flatMap((x) => (x.details.changes || []).map((c) => [c.object.split('/')[0], ...c.fields.map((f) => f.field)].join(' '))));
	assert.strictEqual((await s.post('/api/v1/auth/password/forgot', null, { username: 'admin', tenant: 'beta' })).status, 202);
	const m = await waitUntil(() => mail.mails.find((x) => x.body.includes('#reset='))),
		token = m.body.match(/#reset=([\w.-]+)/)[1];
	assert.strictEqual((await s.post('/api/v1/auth/password/reset', null, { token, new_password: 'Other-pass-9' })).status, 200);
	await waitUntil(async () => (await details((x) => x.operation === 'auth.password_reset')).some((c) => /^client_users password_by_mail password_hash/.test(c)));
	/* a receiver says that it is gone: the daemon switches the webhook off */
	hook.server.status = 410;
	const admin = (await s.post('/api/v1/auth/login', null, { username: 'admin', tenant: 'beta', password: 'Other-pass-9' })).data.access_token,
		w = await s.post('/api/v1/webhooks', admin, { url: hook.url, secret: 'a-secret-of-16-letters' });
	assert.strictEqual(w.status, 201, w.text);
	const made = await s.post(A + '/users', admin, { username: 'guest', full_name: 'G', email: 'guest@beta.example', password: 'First-pass-7' });
	assert.strictEqual(made.status, 201, made.text);
	const invited = await waitUntil(() => mail.mails.find((x) => x.to[0] === 'guest@beta.example' && x.body.includes('#address=')));
	assert.strictEqual((await s.post('/api/v1/auth/address/confirm', null, { token: invited.body.match(/#address=([\w.-]+)/)[1] })).status, 200);
	await waitUntil(async () => (await details((x) => x.operation === 'auth.address_confirmed')).some((c) => /^client_users address_given_at/.test(c)));
	await s.post('/api/v1/tickets', admin, { title: 'x', description: 'y' });
	await waitUntil(async () =>
		(await details((x) => x.actor_kind === 'system' && x.username === 'sladeskd')).includes('webhooks active off_at off_reason'),
	);
});

/* --- sladesk --- */

/* Commands that only read, and those without a row, with the reason. */
const READS = ['keys status', 'keys check', 'tenant list', 'token list', 'report list', 'deadletter list', 'domain list', 'sso list', 'audit verify', 'rca', 'reports', 'sla calc', 'sla explain', 'sla verify', 'sla differences', 'sla replay', 'policy list', 'policy show', 'policy format', 'calendar list', 'calendar show', 'calendar format', 'text list', 'text show'],
	NO_ROW = { init: 'there is no database yet', demo: 'refuses where there are customers; tested below, in a new database' };
test('every command of sladesk that writes: a row of the operator, which names what was changed', () => {
	const owner = `host=${SOCK} dbname=${s.db} user=sladesk_owner`,
		file = (name, text) => {
			fs.writeFileSync(path.join(s.dir, name), text);
			return path.join(s.dir, name);
		},
		login = 'report_' + process.pid,
		pass = 'Other-pass-9\n',
		map = file('map.json', JSON.stringify({ name: 'log', title: 'Incident', kind: 'states', time: 'rfc3339', zone: 'UTC', id: 'number', at: 'at', opened_at: 'opened', state: 'state', values: { New: 'new' } })),
		csv = file('log.csv', 'number,at,opened,state\nA1,2020-01-01T10:00:00Z,2020-01-01T10:00:00Z,New\n');
	/* command: its operation; arguments; a field that its row must name; input */
	const runs = {
		migrate: ['migrate.run', ['--owner-url', owner]],
		'keys rotate': ['keys.rotate', [], 'wrapped'],
		'keys seal': ['keys.seal', []],
		'keys backup': ['keys.backup', ['--out', path.join(s.dir, 'backup')], null, 'a long passphrase\n'],
		'keys restore': ['keys.restore_check', ['--in', path.join(s.dir, 'backup'), '--check'], null, 'a long passphrase\n'],
		'keys rewrap': ['keys.rewrap', [], 'wrapped'],
		import: ['import.run', ['--map', map, '--tenant', 'beta', '--rejects', path.join(s.dir, 'rejects.csv'), csv], 'tickets'],
		'import --go-live': ['import.go_live', ['--tenant', 'beta']],
		'audit archive': ['audit.archive', ['--dir', path.join(s.dir, 'archive'), '--owner-url', owner]],
		'rollup rebuild': ['rollup.rebuild', ['--tenant', 'beta']],
		'rollup check': ['rollup.check', []],
		'tenant add': ['tenants.add', ['--code', 'gamma', '--name', 'Gamma'], 'name'],
		'tenant set': ['tenants.set', ['--code', 'gamma', '--max-users', '7'], 'max_users'],
		'policy put': ['policy.put', ['--code', 'clipolicy', file('policy.json', JSON.stringify(policy(900).document))], 'doc.priorities.P0.response_s'],
		'calendar put': ['calendar.put', ['--code', 'clicalendar', file('calendar.json', JSON.stringify({ tz: 'UTC', hours: { mon: [['09:00', '18:00']] } }))], 'doc.tz'],
		'text set': ['text.set', ['--template', 'ticket_reply', '--lang', 'en', file('text.txt', 'Our own: {{title}}\n\n{{quote}}\n')], 'subject'],
		'text reset': ['text.reset', ['--template', 'ticket_reply', '--lang', 'en'], 'body'],
		'tenant suspend': ['tenants.suspend', ['--code', 'gamma'], 'status'],
		'tenant resume': ['tenants.resume', ['--code', 'gamma'], 'status'],
		'user add': ['users.add', ['--tenant', 'gamma', '--username', 'u', '--name', 'U', '--email', 'u@gamma.example'], 'email', pass],
		'user password': ['users.password', ['--tenant', 'gamma', '--username', 'u'], 'password_hash', 'Third-pass-9\n'],
		'user disable': ['users.disable', ['--tenant', 'gamma', '--username', 'u'], 'disabled_at'],
		'user enable': ['users.enable', ['--tenant', 'gamma', '--username', 'u'], 'disabled_at'],
		'user customers': ['users.customers', ['--username', 'eng1', '--set', 'gamma'], 'serves_all'],
		'token add': ['tokens.add', ['--tenant', 'gamma', '--name', 't', '--scopes', 'tickets:read'], 'secret_sha256'],
		'token revoke': ['tokens.revoke', () => ['--tenant', 'gamma', '--id', s.sql('select max(id) from api_tokens')], 'revoked_at'],
		'key rotate': ['key.rotate', []],
		'key rotate --anchors': ['key.rotate', []],
		'key audit': ['key.audit', () => (fs.rmSync(path.join(s.dir, 'audit.pem')), [])],
		'report grant': ['report.grant', ['--login', login, '--tenant', 'beta'], null],
		'report revoke': ['report.revoke', ['--login', login, '--tenant', 'beta'], null],
		'deadletter retry': ['deadletter.retry', ['all']],
		'webhook add': ['webhooks.add', ['--tenant', 'gamma', '--url', 'https://example.com/'], 'secret', 'a-secret-of-16-letters\n'],
		'isolation check': ['isolation.check', ['--as', 'beta', '--against', 'gamma'], 'scopes'],
		'domain confirm': ['domains.confirm', ['--tenant', 'gamma', '--domain', 'gamma.example'], 'verified_by'],
		'domain withdraw': ['domains.withdraw', ['--tenant', 'gamma', '--domain', 'gamma.example'], 'verified_by'],
	};
	const help = s
			.cli(['--help'])
			.split('\n')
			.filter((l) => /^ {2}[a-z]/.test(l))
			.map((l) => l.match(/^ {2}([a-z]+(?: [a-z]+)?(?: --(?:go-live|anchors))?)/)[1].replace(/^(import)(?! --go).*$/, '$1')),
		all = [...new Set(help)];
	assert.deepStrictEqual(all.filter((c) => !runs[c] && !READS.includes(c) && !NO_ROW[c]), [], 'a command without an entry here');
	const last = () => Number(s.sql('select coalesce(max(c), 0) from (select sum(chain_no) c from (select max(chain_no) as chain_no from audit_logs group by tenant_id) x) y')),
		seen = new Set();
	psql('postgres', `create role ${login} login in role sladesk_report`);
	try {
		for (const [command, [operation, args, field, input]] of Object.entries(runs)) {
			const words = command.split(' '),
				more = typeof args === 'function' ? args() : args,
				before = new Set(s.sql('select tenant_id || \':\' || chain_no from audit_logs').split('\n'));
			s.cli([...words, ...more], input);
			const rows = s
				.sql(`select tenant_id || ':' || chain_no || ' ' || operation || ' ' || details from audit_logs where operation = '${operation}'`)
				.split('\n')
				.filter((l) => l && !before.has(l.split(' ')[0]));
			assert.ok(rows.length, `${command}: no row ${operation}`);
			for (const r of rows) {
				const d = JSON.parse(r.split(' ').slice(2).join(' '));
				assert.ok(d.operator, command);
				assert.ok(words.join(' ').startsWith(d.command), command + d.command);
				for (const c of d.changes || []) assert.ok(c.fields.every(says), r);
				for (const secret of [...SECRETS, pass.trim(), 'u@gamma.example']) assert.ok(!r.includes(secret), r);
			}
			if (field)
				assert.ok(
					rows.some((r) => JSON.parse(r.split(' ').slice(2).join(' ')).changes?.some((c) => c.fields.some((f) => f.field === field))),
					`${command}: ${field} in ${rows}`,
				);
			seen.add(command);
		}
	} finally {
		psql('postgres', `drop role ${login}`);
	}
	const d = new Server('changes_demo');
	d.port = 1;
	d.writeConf();
	d.schema(d.db);
	d.cli(['demo']);
	assert.ok(Number(d.sql("select count(distinct tenant_id) from audit_logs where operation = 'demo.run'")) >= 4);
	psql('postgres', `drop database ${d.db} with (force)`);
	/* what only reads leaves nothing */
	const n = last();
	for (const c of ['rca', 'reports', 'keys status', 'keys check', 'tenant list', 'token list', 'report list', 'deadletter list', 'domain list', 'sso list', 'audit verify', 'sla verify --tenant gamma', 'sla differences']) s.cli(c.split(' '));
	assert.strictEqual(last(), n);
	assert.doesNotMatch(s.cli(['audit', 'verify']), /BROKEN/);
	console.log(`commands: ${seen.size} write, ${READS.length} read, ${Object.keys(NO_ROW).length} without a row`);
});

/* --- tables --- */

/* Tables that can be written and whose changes are in no row, and why. */
const QUIET = {
	'audit_logs audit_anchors audit_signed audit_archives': 'the log itself',
	'events sla_clocks sla_fires sla_breaches timers tenant_counters': 'the history of tickets: what a command did is in the ticket\'s row, and deadlines are in the history',
	demo: 'the mark of a demonstration: its runs have rows of their own',
	'notifications deliveries': 'what was sent',
	'idempotency_keys refresh_tokens login_attempts known_networks login_steps sso_logins used_challenges password_resets sign_in_places sign_in_alerts password_history': 'traces of log-ins and requests',
	'rollups ticket_outcomes rollup_checks sla_checks sla_differences source_checks source_runs': 'computed from other tables',
	'files file_parts': 'the contents of exports',
	'sync_tickets sync_events sync_rejects': 'which message was applied',
	'consumer_positions shard_leases lease_owners job_claims sealed_columns': 'of the daemon',
	'schema_version schema_range': 'of migrate, whose row names the version',
};
test('every table that can be written is watched, or is in the list of those that are not', () => {
	const quiet = Object.keys(QUIET).flatMap((k) => k.split(' ')),
		tables = s.sql("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by 1").split('\n'),
		watched = s.sql("select distinct tgrelid::regclass from pg_trigger where tgname = 'audit_tell' and tgparentid = 0 order by 1").split('\n');
	assert.deepStrictEqual(tables.filter((t) => !watched.includes(t)), quiet.sort());
	/* a column that holds a secret is named as one */
	const secret = s
		.sql(
			`select c.relname || '.' || a.attname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
			where t.tgname = 'audit_tell' and t.tgparentid = 0 and (a.attname ~ '(secret|hash|digest|wrapped|token|email|phone|public_key|credential)' or a.atttypid = 'bytea'::regtype)
			and not (encode(t.tgargs, 'escape') ~ ('(,|000)' || a.attname || '(,|.000)'))`,
		)
		.split('\n')
		.filter(Boolean);
	assert.deepStrictEqual(secret, ['import_batches.file_sha256', 'tenant_themes.logo', 'tenant_themes.logo_sha256'].filter((x) => secret.includes(x)));
});
