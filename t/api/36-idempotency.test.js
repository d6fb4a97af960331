// SPDX-License-Identifier: Apache-2.0
// Idempotency-Key, on every route that accepts one according to the documentation: the same request again does nothing and says so; another request
// with the key (another path or body) is refused and does nothing; a request still in progress is a conflict.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js'),
	{ readyFor } = require('../lib/commands.js');

let s, who, routes;
test.before(async () => {
	s = await Server.make('idempotency');
	const [customer, staff, boss] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('eng1'),
		s.login('boss'),
	]);
	who = { customer, staff, boss };
	routes = Object.entries((await s.get('/openapi.json')).json.paths).flatMap(([path, methods]) =>
		Object.entries(methods)
			.filter(([, op]) => (op.parameters || []).some((p) => p.name === 'Idempotency-Key'))
			.map(([method]) => ({ method: method.toUpperCase(), path })),
	);
});
test.after(() => s.drop());

let serial = 0;
/* what the answers to commands tell of a ticket is another now */
const changed = (id) =>
	s.sql(`update tickets set version = version + 7, level = 3 - level % 2, priority = case priority when 'P3' then 'P4' else 'P3' end,
		status = case status when 'mitigated' then 'in_progress' else 'mitigated' end where id = ${id}`);
/* a request that is accepted, on an object of its own, and its effect */
async function fresh(route) {
	const n = ++serial,
		cmd = (route.path.match(/tickets\/\{id\}\/(.*)$/) || [])[1];
	if (cmd) {
		const { id, by, body } = await readyFor(s, who, cmd);
		return {
			path: route.path.replace('{id}', id),
			by: route.path.includes('/client/') ? who.customer : by,
			body,
			other: { ...body, version: 9999 },
			done: () => s.sql(`select version from tickets where id = ${id}`),
			change: () => changed(id),
		};
	}
	if (route.path.endsWith('/tickets')) {
		const title = 'idem ' + n;
		return {
			path: route.path,
			by: who.customer,
			body: { title, description: 'y', priority: 'P3' },
			other: { title, description: 'z', priority: 'P3' },
			done: () => s.sql(`select count(*) from tickets where title = '${title}'`),
			change: (first) => changed(first.data.id),
		};
	}
	if (route.path === '/api/v1/webhooks') {
		const url = 'https://example.com/' + n;
		return {
			path: route.path,
			by: who.customer,
			body: { url, secret: 'x'.repeat(16) },
			other: { url, secret: 'y'.repeat(16) },
			done: () => s.sql(`select count(*) from webhooks where url = '${url}'`),
			change: async (first) => {
				const off = await s.request('PUT', `/api/v1/webhooks/${first.data.id}`, {
					token: who.customer,
					body: { active: false },
				});
				assert.strictEqual(off.status, 200, off.text);
			},
		};
	}
	throw new Error(`no request is known for ${route.method} ${route.path}`);
}
const send = (route, r, key, body = r.body) =>
	s.request(route.method, r.path, { token: r.by, body, headers: { 'Idempotency-Key': key } });
const replayed = (r) => r.headers['idempotency-replayed'] === 'true';
const refused = (r, status, code, why) => {
	assert.deepStrictEqual([r.status, r.code], [status, code], why + r.text);
	assert.deepStrictEqual(
		r.json.details.fields.map((f) => f.field),
		['Idempotency-Key'],
		why + r.text,
	);
};
/* one after another; all failures are reported together */
async function walk(check) {
	const faults = [];
	for (const route of routes)
		await check(route).catch((e) =>
			faults.push(`${route.method} ${route.path}: ${e.message.split('\n')[0]}`),
		);
	assert.deepStrictEqual(faults, []);
}

test('the documentation names the routes that accept a key', () => {
	assert.ok(routes.length > 35, routes.length);
	assert.deepStrictEqual([...new Set(routes.map((r) => r.method))], ['POST']);
});
test('the same request again gets the same reply and does nothing', () =>
	walk(async (route) => {
		const r = await fresh(route),
			key = 'again-' + ++serial,
			first = await send(route, r, key),
			done = r.done(),
			again = await send(route, r, key);
		assert.ok(first.status === 200 || first.status === 201, 'first ' + first.text);
		assert.ok(!replayed(first));
		assert.deepStrictEqual([again.status, replayed(again)], [first.status, true], again.text);
		assert.strictEqual(again.data.id, first.data.id);
		assert.strictEqual(r.done(), done, 'done again');
	}));
/* what is another in each answer: its time, its number and how much the caller may still send */
const OWN = /^(date|x-request-id|x-ratelimit-.*|ratelimit.*|idempotency-replayed)$/;
const shape = (r) => ({
	status: r.status,
	headers: Object.fromEntries(Object.entries(r.headers).filter(([name]) => !OWN.test(name))),
	body: { ...r.json, timestamp: 0, request_id: 0 },
});
test('a replay has the status, the headers and the body of the first answer, whatever has happened since', () =>
	walk(async (route) => {
		const r = await fresh(route),
			key = 'shape-' + ++serial,
			first = await send(route, r, key);
		await r.change(first);
		const again = await send(route, r, key);
		assert.ok(replayed(again), again.text);
		assert.strictEqual(JSON.stringify(shape(again)), JSON.stringify(shape(first)));
	}));
test('a key of an earlier version, without its answer: the present state in the same shape', async () => {
	const { id } = await readyFor(s, who, 'escalate'),
		send = () =>
			s.post(
				`/api/v1/tickets/${id}/escalate`,
				who.customer,
				{ reason: 'x' },
				{ 'Idempotency-Key': 'older' },
			),
		first = await send();
	s.sql("update idempotency_keys set reply = null where key = 'older'");
	const again = await send();
	assert.deepStrictEqual([again.status, replayed(again)], [200, true]);
	assert.deepStrictEqual(Object.keys(again.data), Object.keys(first.data));
	assert.deepStrictEqual(again.data, { ...first.data, answer_by: null });
});
test('another path or body with the key is refused and does nothing', () =>
	walk(async (route) => {
		const one = await fresh(route),
			two = await fresh(route),
			key = 'another-' + ++serial,
			first = await send(route, one, key),
			before = two.done();
		assert.ok(first.status === 200 || first.status === 201, 'first ' + first.text);
		if (two.path !== one.path) {
			refused(await send(route, two, key, one.body), 422, 40001, 'path ');
			assert.strictEqual(two.done(), before, 'another path was done');
		}
		const done = one.done();
		refused(await send(route, one, key, one.other), 422, 40001, 'body ');
		assert.strictEqual(one.done(), done, 'another body was done');
	}));
test('another command, method or query is a different request', async () => {
	const { id } = await readyFor(s, who, 'note'),
		key = { 'Idempotency-Key': 'commands' },
		post = (p) => s.post(p, who.staff, { text: 'x' }, key);
	assert.strictEqual((await post(`/api/v1/tickets/${id}/note`)).status, 200);
	assert.ok(replayed(await post(`/api/v1/tickets/${id}/note`)));
	assert.ok(replayed(await post(`/api/tickets/${id}/note`)), 'the short path is the same request');
	refused(await post(`/api/v1/tickets/${id}/reply`), 422, 40001, 'command ');
	const empty = { 'Idempotency-Key': 'no-body' },
		two = [await readyFor(s, who, 'accept'), await readyFor(s, who, 'accept')];
	const accept = (t) => s.post(`/api/v1/tickets/${t.id}/accept`, who.staff, undefined, empty);
	assert.strictEqual((await accept(two[0])).status, 200);
	refused(await accept(two[1]), 422, 40001, 'without a body ');
	assert.strictEqual(s.sql(`select status from tickets where id = ${two[1].id}`), 'new');
	/* keys belong to their user */
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${two[1].id}/accept`, who.boss, undefined, empty)).status,
		200,
	);
});
test('a key whose first request is still in progress: a conflict, and nothing is done', async () => {
	/* like another instance that has not committed yet: it holds all the keys */
	const person = {
			[who.customer]:
				'customer:' +
				s.sql(
					`select id from client_users where username = 'admin' and tenant_id = ${s.alpha}`,
				),
			[who.staff]: 'staff:' + s.sql("select id from staff where username = 'eng1'"),
			[who.boss]: 'staff:' + s.sql("select id from staff where username = 'boss'"),
		},
		ready = [];
	for (const route of routes) ready.push({ route, r: await fresh(route), key: 'flight-' + ++serial });
	const rows = ready.map(
		({ r, key }) =>
			`(${s.alpha}, '${person[r.by]}', '${key}', sha256('x'), 'ticket', 1, 200, now())`,
	);
	const held = s
		.sqlBeside(
			`/* keys are held */ begin; insert into idempotency_keys (tenant_id, actor, key, request_sha256, subject_type, subject_id, status, created_at) values ${rows}; select pg_sleep(120)`,
		)
		.catch(() => 0);
	const holder = () =>
		s.sql(
			"select pid from pg_stat_activity where query like '/* keys are held%' and wait_event = 'PgSleep'",
		);
	await waitUntil(holder);
	const faults = [],
		next = async () => {
			for (let one; (one = ready.pop());) {
				const { route, r, key } = one,
					before = r.done();
				try {
					refused(await send(route, r, key), 409, 41002, '');
					assert.strictEqual(r.done(), before, 'done');
				} catch (e) {
					faults.push(
						`${route.method} ${route.path}: ${e.message.split('\n')[0]}`,
					);
				}
			}
		};
	await Promise.all([next(), next(), next()]); /* each waits half a second on one of four connections */
	s.sql(`select pg_terminate_backend(${holder()})`);
	await held;
	assert.deepStrictEqual(faults, []);
});
