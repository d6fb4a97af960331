// SPDX-License-Identifier: Apache-2.0
// Cached results never cross contexts: for every cached endpoint and every pair of readers who differ in tenants, audience, scope, user (under a
// scope), permissions or language, the second reader's result is computed separately; readers of the same context share one.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, PASSWORD } = require('../lib/server.js');

const METRICS =
	'total_tickets,pending_tickets,sla_compliance,avg_response_time,satisfaction_score,alerts,by_priority,by_service_type';
/* handler: the function in src that answers from the cache; a test below checks that this list is
 * complete */
const ENDPOINTS = [
	{
		handler: 'overview_get',
		url: (days) => `/api/v1/client/dashboard/overview?period=${days}d`,
	},
	{
		handler: 'dashboard_data',
		url: (days) => `/api/v1/client/dashboard/data?period=${days}d&widgets=${METRICS}`,
	},
	{
		handler: 'compliance_get',
		url: (days) => `/api/v1/client/sla/compliance?period=${days}d&group_by=engineer`,
	},
	{
		handler: 'report_summary',
		url: (days, tenant) => `/api/v1/client/reports/summary/${tenant}?period=${days}d`,
		named: true,
	},
];

let s, readers;
const add = (args) => s.cli(['user', 'add', ...args, '--email', `${args.at(-1)}@x.example`], PASSWORD + '\n');
const person = (username, role) =>
	add([
		'--tenant',
		'alpha',
		'--lang',
		'en',
		'--role',
		role,
		'--username',
		username,
		'--name',
		username,
	]);
async function grant(admin, username, data_scope) {
	const id = s.sql(`select id from client_users where username = '${username}'`),
		grants = [{ resource_type: 'ticket', permissions: { read: true }, data_scope }],
		r = await s.request('PUT', `/api/v1/client/admin/users/${id}/permissions`, {
			token: admin,
			body: { grants },
		});
	assert.strictEqual(r.status, 200, r.text);
}
const token = (tenant, scopes) =>
	s.cli(['token', 'add', '--tenant', tenant, '--name', 'svc', '--scopes', scopes]).trim();
async function tickets(admin, eng, scoped) {
	const make = async (body, by) => {
		const t = { title: 'x', description: 'y', priority: 'P1', ...body },
			r = await s.post('/api/v1/tickets', by, t);
		assert.strictEqual(r.status, 201, r.text);
		return r.data.id;
	};
	for (const code of ['IT', 'HR'])
		await s.request('PUT', `/api/v1/catalogue/department/${code}`, {
			token: admin,
			body: { name_zh: code, name_en: code },
		});
	const made = [
		await make({ department: 'IT', title: 'of IT' }, admin),
		await make({ department: 'HR', title: 'of HR' }, admin),
		await make({ department: 'HR', title: 'of a person' }, scoped),
		await make({ title: 'of nobody' }, admin),
	];
	/* all are past their response deadline, so that every list has something to leak */
	s.sql(
		`update tickets set opened_at = opened_at - interval '90 min' where tenant_id = ${s.alpha}; update sla_clocks set start_at = start_at - interval '90 min', runs = array[runs[1] - 5400000000, runs[2]], due_at = due_at - interval '90 min', next_fire_at = next_fire_at - interval '90 min', fire_at = array(select v - 5400000000 from unnest(fire_at) v) where tenant_id = ${s.alpha}`,
	);
	await waitUntil(
		() =>
			s.sql(`select bool_and(sla_breached) from tickets where tenant_id = ${s.alpha}`) ===
			't',
	);
	for (const id of made) {
		const r = await s.post(`/api/v1/tickets/${id}/accept`, eng, {});
		assert.strictEqual(r.status, 200, r.text);
	}
}
test.before(async () => {
	s = await Server.make('cache');
	for (const [name, role] of [
		...[
			['mgr', 'manager'],
			['mgr2', 'manager'],
			['it', 'manager'],
			['it2', 'manager'],
			['hr', 'manager'],
		],
	])
		person(name, role);
	s.sql(
		"update staff set serves_all = false, full_name = 'Eng Two', level = 1 where username = 'eng2'; insert into staff_tenants (staff_id, tenant_id) select id, " +
			s.alpha +
			" from staff where username = 'eng2'",
	);
	add([
		'--staff',
		'--role',
		'engineer',
		'--level',
		'1',
		'--lang',
		'en',
		'--username',
		'eng3',
		'--name',
		'eng3',
	]);
	const admin = await s.login('admin', 'alpha');
	await grant(admin, 'it', { departments: ['IT'] });
	await grant(admin, 'it2', { departments: ['IT'] });
	await grant(admin, 'hr', { departments: ['HR'] });
	const login = { eng: await s.login('eng1'), it2: await s.login('it2', 'alpha') };
	await tickets(admin, login.eng, login.it2);
	const dash = 'dashboard:read,sla:read,report:read',
		alpha = s.alpha,
		zh = { 'Accept-Language': 'zh-CN' };
	readers = [
		{ name: 'admin', token: admin },
		{ name: 'admin again', token: await s.login('admin', 'alpha'), as: 'admin' },
		{ name: 'admin in Chinese', token: admin, headers: zh },
		{ name: 'user', token: await s.login('user', 'alpha') },
		{ name: 'manager', token: await s.login('mgr', 'alpha') },
		{ name: 'another manager', token: await s.login('mgr2', 'alpha'), as: 'manager' },
		{ name: 'scope IT', token: await s.login('it', 'alpha') },
		{ name: 'scope IT again', token: await s.login('it', 'alpha'), as: 'scope IT' },
		{ name: 'scope IT, with a ticket of theirs', token: login.it2 },
		{ name: 'scope HR', token: await s.login('hr', 'alpha') },
		{ name: 'engineer', token: login.eng, of: alpha },
		{ name: 'another engineer', token: await s.login('eng3'), of: alpha, as: 'engineer' },
		{ name: 'engineer of alpha alone', token: await s.login('eng2'), of: alpha },
		{ name: 'staff manager', token: await s.login('boss'), of: alpha },
		{ name: 'service of alpha', token: token('alpha', dash) },
		{ name: 'service with satisfaction', token: token('alpha', dash + ',satisfaction:read') },
		{ name: "provider's service", token: token('provider', dash), of: alpha },
		{ name: 'admin of beta', token: await s.login('admin', 'beta'), tenant: s.beta },
	];
	await waitUntil(async () => (await s.metric('rollup_waiting')) === 0);
	await waitUntil(
		async () =>
			(await s.get('/api/v1/client/dashboard/overview', admin)).data.summary
				.total_tickets === 4,
	);
});
test.after(() => s.drop());

async function ask(e, reader, days) {
	let url = e.url(days, reader.tenant || s.alpha);
	if (reader.of && !e.named) url += '&tenant_id=' + reader.of;
	const r = await s.get(url, reader.token, reader.headers);
	if (r.status === 403) return null; /* not allowed to ask */
	assert.strictEqual(r.status, 200, `${reader.name} ${url} ${r.text}`);
	assert.strictEqual(r.data.stale, undefined);
	return bare(r.data);
}
/* without what depends on the period and on the instant */
function bare(data) {
	const { summary, widgets, alerts, masked, violations, by_engineer, overall_compliance, links } = data,
		link = links && links.total_tickets && links.total_tickets.replace(/opened_\w+=[^&]*/g, '');
	return JSON.stringify(
		{ summary, widgets, alerts, masked, violations, by_engineer, overall_compliance, link },
		(k, v) => (k === 'over_seconds' || k.startsWith('actual') ? undefined : v),
	);
}
async function counts() {
	const text = (await s.get('/metrics')).text,
		of = (name) => Number(text.match(new RegExp(`^sladesk_answers_${name}_total (.*)$`, 'm'))[1]);
	return { hits: of('hits'), misses: of('misses'), shared: of('shared') };
}
const context = (r) => r.as || r.name;

test('the list of cached endpoints is complete', () => {
	const found = [],
		src = path.join(__dirname, '../../src'),
		files = fs.readdirSync(src, { recursive: true }).filter((f) => f.endsWith('.c'));
	for (const f of files) {
		const text = fs.readFileSync(path.join(src, f), 'utf8');
		if (/^struct outcome \*cache_reply\(/m.test(text)) continue; /* its own file */
		for (const body of text.split(/^(?=\w.*\)$)/m))
			if (/\bcache_reply\(/.test(body)) found.push(body.match(/(\w+)\(/)[1]);
	}
	assert.deepStrictEqual(found.sort(), ENDPOINTS.map((e) => e.handler).sort());
});
for (const e of ENDPOINTS)
	test(`${e.handler}: shared by readers of one context and no others`, async () => {
		let days = 366;
		const mine = new Map();
		for (const r of readers) mine.set(r, await ask(e, r, days--));
		const may = readers.filter((r) => mine.get(r) !== null),
			crossed = [];
		let seen = await counts();
		assert.ok(may.length >= (e.named ? 3 : 12), 'readers');
		assert.ok(new Set(mine.values()).size >= (e.named ? 2 : 5), 'answers that differ');
		for (const first of may)
			for (const second of may) {
				if (first === second) continue;
				const same = context(first) === context(second),
					pair = `${first.name}, then ${second.name}`;
				days--; /* nobody has asked for this period */
				assert.strictEqual(await ask(e, first, days), mine.get(first), pair);
				const got = await ask(e, second, days),
					before = seen.hits;
				seen = await counts();
				if (got !== mine.get(second)) crossed.push(`${pair}: the first one's answer`);
				else if (seen.hits - before !== Number(same))
					crossed.push(`${pair}: ${same ? 'not ' : ''}shared`);
			}
		assert.deepStrictEqual(crossed, []);
	});
test('results from Redis: after a restart each reader gets their own', async () => {
	const days = 30,
		reload = async () => {
			/* positions are stored once a second; a result from Redis belongs to one */
			await waitUntil(
				() =>
					s.sql(
						`select seq from consumer_positions where tenant_id = ${s.alpha} and consumer = 'bus'`,
					) ===
					s.sql(`select seq from tenant_counters where tenant_id = ${s.alpha}`),
			);
			await s.stop();
			await s.start();
			await waitUntil(async () => (await s.metric('rollup_waiting')) === 0);
		},
		all = async (order) => {
			const got = [];
			for (const e of ENDPOINTS)
				for (const r of order)
					got.push([e.handler + ' ' + r.name, await ask(e, r, days)]);
			return got.sort();
		};
	await reload();
	const first = await all(readers);
	await reload();
	const second = await all([...readers].reverse());
	assert.deepStrictEqual(second, first);
	assert.ok((await counts()).shared > 20, JSON.stringify(await counts()));
});
