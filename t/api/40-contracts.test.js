// SPDX-License-Identifier: Apache-2.0
// One contract for every endpoint: a constraint is checked in the same way everywhere, in path, query and body.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, INST } = require('../lib/server.js');

const TOP = path.join(__dirname, '../..'),
	kept = (f) => fs.readFileSync(path.join(TOP, 'doc/api', f), 'utf8');

let s, user;
test.before(async () => {
	s = await Server.make('contracts', {});
	user = await s.login('user', 'alpha');
});
test.after(() => s.drop());

const fields = (r) => (((r.json || {}).details || {}).fields || []).map((f) => f.field);

test('a choice is exactly one of the list: not two, not a part, not in another case', async () => {
	for (const v of ['P0|P1', 'P', '', 'p0', 'P0|', '|P0']) {
		const r = await s.get('/api/v1/tickets?priority=' + encodeURIComponent(v), user);
		assert.deepStrictEqual([r.status, r.code, fields(r)], [400, 40001, ['priority']], v + r.text);
	}
	for (const [field, good, joined] of [
		['source', 'web', 'web|api'],
		['impact_scope', 'most_users', 'all_users|most_users'],
	])
		for (const v of [joined, good.slice(0, -1), good.toUpperCase(), '']) {
			const r = await s.post('/api/v1/tickets', user, {
				title: 'choice',
				description: 'x',
				[field]: v,
			});
			assert.deepStrictEqual(
				[r.status, r.code, fields(r)],
				[400, 40001, [field]],
				v + r.text,
			);
		}
});
test('every list continues where its cursor says', async () => {
	const doc = (await s.get('/openapi.json')).json,
		people = [user, await s.login('admin', 'alpha'), await s.login('boss')];
	let n = 0;
	for (const [path, ops] of Object.entries(doc.paths)) {
		if (!ops.get || !ops.get.parameters.some((p) => p.name === 'cursor') || /\{/.test(path))
			continue;
		const all = await Promise.all(
			people.map((p) => s.get(path + '?cursor=1700000000000000_5', p)),
		);
		for (const r of all) assert.ok([200, 403, 404].includes(r.status), path + r.text);
		n += all.some((r) => r.status === 200);
	}
	assert.ok(n > 8, String(n));
});

test('what is reviewed is what is served: openapi.json and routes.txt are up to date (make update-api)', async () => {
	const print = (what) =>
		execFileSync(path.join(INST, 'sbin/sladeskd'), ['--print-' + what], {
			maxBuffer: 1 << 24,
		}).toString();
	assert.strictEqual((await s.get('/openapi.json')).text, kept('openapi.json'));
	assert.strictEqual(print('openapi'), kept('openapi.json'));
	assert.strictEqual(print('routes'), kept('routes.txt'));
	const lines = kept('routes.txt')
		.split('\n')
		.filter((l) => l && l[0] !== '#');
	const row =
		/^(GET|POST|PUT|DELETE) +(\/\S*) +\S+( \S+)? +(-|user|login|address) +(read|write|door) +(sql|flow|ws|file) \S+( {2}audited)?( {2}step-up)?$/;
	for (const l of lines) assert.match(l, row);
	const of = (m, p) => lines.find((l) => l.split(/ +/)[0] === m && l.split(/ +/)[1] === p);
	assert.match(of('POST', '/api/v1/auth/login'), / anyone +login +door +flow identity\/login$/);
	assert.match(
		of('PUT', '/api/v1/client/theme'),
		/ user:write customer +user +write +flow portal\/theme_put$/,
	);
	assert.match(of('GET', '/api/v1/audit'), / audit:read +user +read +sql audit\/list {2}audited$/);
});
test('openapi.json passes a strict linter without a warning', async () => {
	const { lintFromString, createConfig } = require('@redocly/openapi-core'),
		config = await createConfig({
			extends: ['recommended'],
			rules: {
				'no-invalid-parameter-examples': 'error',
				'no-invalid-schema-examples': 'error',
				'operation-operationId-unique': 'error',
			},
		}),
		problems = await lintFromString({ source: kept('openapi.json'), config });
	assert.deepStrictEqual(
		problems.map((p) => `${p.severity} ${p.ruleId}: ${p.message} at ${p.location[0].pointer}`),
		[],
	);
	/* the linter checks what it is given */
	const broken = kept('openapi.json').replace(
		'"operationId":"ticket_create"',
		'"operationId":"ticket_list"',
	);
	assert.ok((await lintFromString({ source: broken, config })).length > 0);
});
test('every operation: a name, a group, both languages, real types, an example, the possible errors', () => {
	const doc = JSON.parse(kept('openapi.json')),
		tags = doc.tags.map((t) => t.name),
		ids = new Set(),
		types = new Set();
	const walk = (schema) => {
		for (const t of [].concat(schema.type || [])) types.add(t);
		if ([].concat(schema.type).includes('array')) assert.ok(schema.items, JSON.stringify(schema));
		for (const k of Object.keys(schema.properties || {})) walk(schema.properties[k]);
		if (schema.items) walk(schema.items);
	};
	for (const t of doc.tags) assert.match(t['x-description-zh'], /[\u4e00-\u9fff]/);
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops)) {
			const at = m + ' ' + p;
			assert.ok(!ids.has(op.operationId), at);
			ids.add(op.operationId);
			assert.ok(op.tags.length === 1 && tags.includes(op.tags[0]), at);
			assert.match(op['x-summary-zh'], /[\u4e00-\u9fff]/, at);
			assert.ok(op.responses['400'] && op.responses.default, at);
			assert.strictEqual(
				!!op.responses['403'],
				op.security.length > 0 || /theme/.test(p),
				at,
			);
			for (const x of op.parameters) {
				assert.ok(x.example !== undefined && x.schema, at + x.name);
				walk(x.schema);
			}
			for (const c of Object.values((op.requestBody || { content: {} }).content)) {
				assert.ok(c.example, at);
				walk(c.schema);
			}
			const ok = Object.keys(op.responses).find((x) => Number(x) < 400),
				json = (op.responses[ok].content || {})['application/json'];
			if (json) assert.ok(json.example, at);
			if (json) walk(json.schema);
		}
	for (const t of ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'])
		assert.ok(types.has(t), t);
});
test('what is required is required, what is unknown is refused, in every body and query', async () => {
	const doc = JSON.parse(kept('openapi.json')),
		people = { boss: await s.login('boss'), admin: await s.login('admin', 'alpha'), user };
	people.service = s.token('alpha', 'admin,tickets:read,tickets:write', 'contracts');
	let bodies = 0,
		queries = 0;
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops)) {
			const content = (op.requestBody || { content: {} }).content['application/json'],
				url = p.replace(/\{[^}]*\}/g, '999999999');
			if (/logout|login|refresh/.test(p) || p === '/api/v1/live') continue;
			for (const token of op.security.length ? Object.values(people) : [undefined]) {
				const send = (q, body) =>
					s.request(m.toUpperCase(), url + q, { token, body });
				if (content && content.schema.additionalProperties === false) {
					const r = await send('', { ...content.example, no_such_field: 1 });
					if ([401, 403, 429].includes(r.status)) continue;
					assert.strictEqual(r.status, 400, m + p + r.text);
					assert.ok(fields(r).includes('no_such_field'), m + p + r.text);
					for (const f of content.schema.required) {
						const less = { ...content.example };
						delete less[f];
						assert.ok(
							fields(await send('', less)).includes(f),
							m + p + ' without ' + f,
						);
					}
					bodies++;
				}
				if (
					m === 'get' &&
					p.startsWith('/api/v1/') &&
					!/theme|status|callback|slo|health|metadata|download/.test(p) // these ignore what they do not know
				) {
					const r = await send('?no_such_parameter=1');
					if ([401, 403, 429].includes(r.status)) continue;
					assert.strictEqual(r.status, 400, m + p + r.text);
					assert.ok(fields(r).includes('no_such_parameter'), m + p + r.text);
					queries++;
				}
			}
		}
	assert.ok(bodies > 60 && queries > 60, `${bodies} bodies, ${queries} queries`);
});

test('an error code stands once in a row of errors', () => {
	const doc = JSON.parse(kept('openapi.json'));
	for (const [name, r] of Object.entries(doc.components.responses))
		assert.deepStrictEqual([...new Set(r['x-codes'])], r['x-codes'], name);
});
test('the example of tickets/sync is applied, message by message', async () => {
	const doc = JSON.parse(kept('openapi.json')),
		service = s.token('provider', 'tickets:read,tickets:write'), // a source system that leads
		op = doc.paths['/api/v1/integration/tickets/sync'].post,
		{ example } = op.requestBody.content['application/json'];
	for (const e of example.events) e.tenant_id = s.alpha;
	const r = await s.post('/api/v1/integration/tickets/sync', service, example);
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(r.data.applied, example.events.length, r.text);
});
test('what the documentation shows as choices is what the endpoint accepts', async () => {
	const doc = JSON.parse(kept('openapi.json')),
		boss = await s.login('boss'),
		people = [boss, await s.login('admin', 'alpha')];
	let n = 0;
	for (const [p, ops] of Object.entries(doc.paths))
		for (const x of (ops.get || { parameters: [] }).parameters) {
			const choices = (x.schema.items || x.schema).enum;
			if (x.in !== 'query' || !choices || /\{/.test(p)) continue;
			const need = ops.get.parameters
				.filter((q) => q.in === 'query' && q.required && q.name !== x.name)
				.map((q) => '&' + q.name + '=' + encodeURIComponent(q.example));
			for (const token of people)
				for (const v of [...choices, 'no-such-choice']) {
					const r = await s.get(
						`${p}?${x.name}=${encodeURIComponent(v)}${need.join('')}`,
						token,
					);
					if ([401, 403, 404, 429].includes(r.status)) continue;
					assert.strictEqual(
						fields(r).includes(x.name),
						v === 'no-such-choice',
						`${p} ${x.name}=${v} ${r.text}`,
					);
					n++;
				}
		}
	assert.ok(n > 50, String(n));
	const create = doc.paths['/api/v1/tickets'].post.requestBody.content['application/json'];
	for (const priority of [...create.schema.properties.priority.enum, 'P5', 'urgent']) {
		const r = await s.post('/api/v1/tickets', user, { ...create.example, priority });
		assert.strictEqual(r.status, /P5|urgent/.test(priority) ? 400 : 201, priority + r.text);
	}
});
/* The last test: an example changes the tenant's security. */
test('every example body is a request that its endpoint accepts', async () => {
	const doc = JSON.parse(kept('openapi.json')),
		people = [await s.login('boss'), await s.login('admin', 'alpha'), user];
	for (const tenant of ['provider', 'alpha'])
		people.push(s.token(tenant, 'admin,tickets:read,tickets:write'));
	/* no example can hold a secret of this installation, and customers must not name their tenant */
	const excused = /token$|password$/,
		faulty = [];
	let n = 0;
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops)) {
			const content = (op.requestBody || { content: {} }).content['application/json'],
				url = p.replace(/\{(\w+)\}/g, (_, k) => {
					const x = op.parameters.find((q) => q.name === k);
					return x.schema.enum ? x.example : '999999999';
				});
			if (!content || /logout/.test(p)) continue;
			for (const token of op.security.length ? people : [undefined]) {
				const r = await s.request(m.toUpperCase(), url, {
					token,
					body: content.example,
				});
				n += ![401, 403, 429].includes(r.status);
				if (r.status !== 400 || fields(r).every((f) => excused.test(f))) continue;
				if (
					/ticket_create$/.test(op.operationId) &&
					String(fields(r)) === 'tenant_id'
				)
					continue;
				faulty.push(`${m} ${p} ${r.text}`);
			}
		}
	assert.ok(n > 100, String(n));
	assert.deepStrictEqual(faulty, []);
});
