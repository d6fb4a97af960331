// SPDX-License-Identifier: Apache-2.0
// API versions: what clients rely on ends only with an announcement (doc/api/deprecations.md), and every kind of break is found.
'use strict';
const { test, after } = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server } = require('../lib/server.js'),
	{ breaks, faults, rowsOf } = require('../lib/compat.js');

const kept = (f) => fs.readFileSync(path.join(__dirname, '../../doc/api', f), 'utf8'),
	base = () => JSON.parse(kept('baseline.json')),
	LIST = '/api/v1/tickets';
let s;
after(() => s && s.drop());

test('every kind of break is found and refused until it is announced with dates; additions are none', () => {
	const reply = (d) =>
			d.paths[LIST].get.responses[200].content['application/json'].schema.properties.data
				.properties,
		body = (d) => d.paths[LIST].post.requestBody.content['application/json'].schema,
		query = (d, name) => d.paths[LIST].get.parameters.find((p) => p.name === name);
	const kinds = {
		'GET /api/v1/tickets: removed': (d) => delete d.paths[LIST].get,
		'POST /api/v1/tickets: removed': (d) => delete d.paths[LIST].post,
		'GET /api/v1/tickets: query.status: removed': (d) =>
			d.paths[LIST].get.parameters.splice(
				d.paths[LIST].get.parameters.indexOf(query(d, 'status')),
				1,
			),
		'GET /api/v1/tickets: query.status: value closed removed': (d) =>
			query(d, 'status').schema.enum.splice(
				query(d, 'status').schema.enum.indexOf('closed'),
				1,
			),
		'GET /api/v1/tickets: query.limit: maximum 50, was 200': (d) =>
			(query(d, 'limit').schema.maximum = 50),
		'GET /api/v1/tickets: query.limit: string, was integer': (d) =>
			(query(d, 'limit').schema.type = 'string'),
		'GET /api/v1/tickets: query.fresh: required now': (d) =>
			d.paths[LIST].get.parameters.push({
				name: 'fresh',
				in: 'query',
				required: true,
				schema: {},
			}),
		'POST /api/v1/tickets: body.category: required now': (d) => body(d).required.push('category'),
		'POST /api/v1/tickets: body.tags: removed': (d) => delete body(d).properties.tags,
		'POST /api/v1/tickets: body.title: maxLength 100, was 200': (d) =>
			(body(d).properties.title.maxLength = 100),
		'GET /api/v1/tickets: reply.data.items: removed': (d) => delete reply(d).items,
		'GET /api/v1/tickets: reply.data.items[].number: removed': (d) =>
			delete reply(d).items.items.properties.number,
		'GET /api/v1/tickets: reply.data.items[].id: string, was integer|null': (d) =>
			(reply(d).items.items.properties.id.type = 'string'),
		'GET /api/v1/tickets: reply 200: removed': (d) => {
			d.paths[LIST].get.responses[203] = d.paths[LIST].get.responses[200];
			delete d.paths[LIST].get.responses[200];
		},
		'GET /api/v1/tickets: permission user:write, was ticket:read': (d) =>
			(d.paths[LIST].get['x-permission'] = 'user:write'),
		'error NotFound: code 41001 removed': (d) =>
			(d.components.responses.NotFound['x-codes'] = [41009]),
	};
	for (const [what, change] of Object.entries(kinds)) {
		const is = base();
		change(is);
		const found = breaks(base(), is);
		assert.ok(found.includes(what), `${what}: ${found}`);
		assert.ok(found.length <= 2, String(found));
		const row = (since, sunset, instead = 'x') =>
			found.map((f) => `| \`${f}\` | ${since} | ${sunset} | ${instead} |`).join('\n');
		assert.notDeepStrictEqual(faults(base(), is, ''), [], what);
		assert.deepStrictEqual(faults(base(), is, row('2026-11-28', '2027-06-01')), [], what);
		for (const bad of [
			row('soon', '2027-06-01'),
			row('2026-11-28', '2026-11-27'),
			row('2026-11-28', '2026-13-01'),
			row('2026-11-28', '2027-06-01', ''),
		])
			assert.notDeepStrictEqual(faults(base(), is, bad), [], bad);
		assert.notDeepStrictEqual(
			faults(base(), base(), row('2026-11-28', '2027-06-01')),
			[],
			'a row that says nothing true',
		);
	}
	const more = base();
	reply(more).items.items.properties.fresh = { type: 'string' };
	body(more).properties.fresh = { type: 'string' };
	query(more, 'status').schema.enum.push('fresh');
	more.paths['/api/v1/fresh'] = more.paths[LIST];
	assert.deepStrictEqual(breaks(base(), more), []);
});
test('what will end says so in every answer, with the dates of the table', async () => {
	s = await Server.make('compat');
	const doc = (await s.get('/openapi.json')).json,
		rows = rowsOf(kept('deprecations.md'));
	assert.deepStrictEqual(faults(base(), doc, kept('deprecations.md')), []);
	let n = 0;
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops)) {
			if (/[{]/.test(p) || p === '/api/v1/live') continue;
			const r = await s.request(m.toUpperCase(), p, m === 'get' ? {} : { body: {} }),
				row = rows.find((x) => x.what === `${m.toUpperCase()} ${p}: deprecated`);
			assert.strictEqual(Boolean(op.deprecated), Boolean(row), p);
			assert.deepStrictEqual(
				[r.headers.deprecation, r.headers.sunset],
				row
					? [
							`@${Date.parse(row.since) / 1000}`,
							new Date(row.sunset).toUTCString(),
						]
					: [undefined, undefined],
				`${m} ${p}`,
			);
			if (row) assert.match(r.headers.link, /rel="deprecation"/);
			n += row ? 1 : 0;
		}
	assert.ok(n >= 2, String(n));
});

test('a condition that a write does not know is refused, on every route', async () => {
	const doc = (await s.get('/openapi.json')).json,
		tokens = await Promise.all([s.login('admin', 'alpha'), s.login('boss')]);
	let without = 0,
		knows = 0;
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops)) {
			if (
				m === 'get' ||
				/logout|password|step-up|passkey|\/sso\/|recovery|refresh|login|\/link|second-factor/.test(
					p,
				)
			)
				continue;
			const known = op.parameters.some((x) => x.name === 'If-Match'),
				at = p.replace(/\{tenant_id\}/g, s.alpha).replace(/\{[^}]+\}/g, '1');
			for (const token of tokens) {
				const r = await s.request(m.toUpperCase(), at, {
						token,
						body: {},
						headers: { 'If-Match': known ? 'banana' : '"1"' },
					}),
					fields = (((r.json || {}).details || {}).fields || []).map(
						(f) => f.field,
					);
				assert.ok(r.status >= 400, `${m} ${p}: ${r.status}`);
				if (r.status !== 400) continue;
				assert.ok(fields.includes('If-Match'), `${m} ${p} ${r.text}`);
				if (known) knows++;
				else without++;
			}
		}
	assert.ok(without > 20 && knows > 10, `${without} ${knows}`);
});
test('a command that comes too late hears what to do instead, in its language', async () => {
	const user = await s.login('user', 'alpha'),
		eng = await s.login('eng1');
	const { id } = (await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).data,
		act = (who, what, body = {}, lang = 'en') =>
			s.request('POST', `/api/v1/tickets/${id}/${what}`, {
				token: who,
				body,
				headers: { 'Accept-Language': lang },
			});
	assert.strictEqual((await act(user, 'cancel', { reason: 'x' })).status, 200);
	for (const [lang, words] of Object.entries({
		en: /cancelled; open a new ticket/,
		zh: /已取消；请新建工单/,
	})) {
		const r = await act(user, 'reply', { text: 'still there?' }, lang);
		assert.deepStrictEqual(
			[r.status, r.code, r.json.details.state],
			[409, 41002, 'cancelled'],
			r.text,
		);
		assert.match(r.json.details.user_message, words);
		assert.ok(r.json.details.suggested_actions.length);
	}
	const two = (await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).data.id,
		on = (who, what, body = {}) =>
			s.request('POST', `/api/v1/tickets/${two}/${what}`, {
				token: who,
				body,
				headers: { 'Accept-Language': 'en' },
			});
	await on(eng, 'accept');
	await on(eng, 'resolve', { text: 'done' });
	await on(user, 'confirm-resolution');
	const late = await on(user, 'reply', { text: 'again' });
	if (late.status === 409) assert.match(late.json.details.user_message, /the ticket is closed/);
	else assert.fail(late.text);
});
