// SPDX-License-Identifier: Apache-2.0
// A value that cannot be read is refused, and the reply names it: it must never look like a value that was not given. The requests are
// generated: every route of openapi.json, every parameter, every kind of unreadable value.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server } = require('../lib/server.js');

const TOP = path.join(__dirname, '../..'),
	doc = JSON.parse(fs.readFileSync(path.join(TOP, 'doc/api/openapi.json'), 'utf8'));
const FORM = 'application/x-www-form-urlencoded';
const SCOPES =
	'admin,tickets:read,tickets:write,report:read,report:export,user:read,user:write,audit:read,sla:read,dashboard:read';
/* after percent-decoding: NUL, no escape at all, bytes that are not UTF-8 (a lone byte, an overlong
 * form, a surrogate, beyond the last character, a cut one) */
const UNREADABLE = [
	'%00',
	'12%00',
	'%00nobody',
	'%zz',
	'%ZZ1',
	'%',
	'a%',
	'%4',
	'%FF',
	'%C0%80',
	'%ED%A0%80',
	'%F4%90%80%80',
	'%E4%BD',
];

let s, people;
test.before(async () => {
	const none = { user_per_s: 0, tenant_per_s: 0, address_per_s: 0, login_per_s: 0, fresh_per_s: 0 };
	s = await Server.make('values', { limits: none });
	people = {
		nobody: undefined,
		boss: await s.login('boss'),
		admin: await s.login('admin', 'alpha'),
		user: await s.login('user', 'alpha'),
	};
	for (const tenant of ['alpha', 'provider'])
		people[tenant] = s
			.cli([
				...['token', 'add', '--tenant', tenant, '--name', 'values'],
				...['--scopes', SCOPES],
			])
			.match(/sd1\.\S+/)[0];
});
test.after(() => s.drop());

/* The endpoints whose contract says "unknown: ignored". */
function openOnes() {
	const found = new Set();
	const walk = (dir) => {
		for (const e of fs.readdirSync(path.join(TOP, dir), { withFileTypes: true })) {
			const at = dir + '/' + e.name;
			if (e.isDirectory()) walk(at);
			else if (e.name.endsWith('.flow')) {
				const text = fs.readFileSync(path.join(TOP, at), 'utf8');
				if (/unknown: ignored/.test(text))
					found.add(text.match(/^([a-z_]+\/[a-z_]+):/m)[1].replace('/', '_'));
			}
		}
	};
	walk('src/feature');
	walk('schema/query');
	return found;
}

const operations = Object.entries(doc.paths).flatMap(([p, ops]) =>
	Object.entries(ops)
		.filter(() => !p.startsWith('/test/'))
		.map(([method, op]) => ({
			at: method.toUpperCase() + ' ' + p,
			method: method.toUpperCase(),
			path: p,
			op,
			params: op.parameters || [],
			form: ((op.requestBody || {}).content || {})[FORM],
		})),
);
const fill = (o, bad = {}) =>
	o.path.replace(/\{(\w+)\}/g, (_, n) => (n in bad ? bad[n] : n === 'tenant_id' ? s.alpha : '1'));
const fields = (r) => (((r.json || {}).details || {}).fields || []).map((f) => f.field);

/* Send the request as everybody; whoever may call the route must be refused with 400 and NAME. */
async function refused(o, name, url, more = {}) {
	let n = 0;
	for (const [who, token] of Object.entries(people)) {
		if (o.op.security.length && !token) continue;
		const r = await s.request(o.method, url, { token, ...more });
		if (r.status === 403 || r.status === 401) continue;
		assert.strictEqual(r.status, 400, `${who} ${o.at} ${url}: ${r.status} ${r.text}`);
		assert.ok(fields(r).includes(name), `${who} ${o.at} ${url} names ${name}: ${r.text}`);
		n++;
		if (!o.op.security.length) break;
	}
	assert.ok(n > 0, `nobody may call ${o.at}`);
	return n;
}
/* WHAT(operation) of all of them, eight at a time; returns the sum. */
async function all(what) {
	let sum = 0,
		next = 0;
	await Promise.all(
		Array.from({ length: 8 }, async () => {
			while (next < operations.length) {
				const n = await what(operations[next++]);
				sum += n;
			}
		}),
	);
	return sum;
}

test('every route, every parameter of path, query and form: an unreadable value is named', async (t) => {
	const kinds = { path: 0, query: 0, form: 0 },
		count = async (kind, ...request) => {
			const n = await refused(...request);
			kinds[kind] += n;
		};
	await all(async (o) => {
		for (const bad of UNREADABLE) {
			for (const { in: where, name } of o.params)
				if (where === 'path') await count('path', o, name, fill(o, { [name]: bad }));
				else if (where === 'query')
					await count('query', o, name, `${fill(o)}?${name}=${bad}`);
			for (const f of Object.keys(o.form ? o.form.schema.properties : {}))
				await count('form', o, f, fill(o), {
					raw: `${f}=${bad}`,
					headers: { 'Content-Type': FORM },
				});
		}
		return 0;
	});
	t.diagnostic(
		`${operations.length} routes: ${kinds.path} path, ${kinds.query} query and ${kinds.form} form values refused`,
	);
	assert.ok(kinds.path > 2000 && kinds.query > 2000 && kinds.form > 30, JSON.stringify(kinds));
});
test('every route, every parameter: given twice is refused, also by another spelling of its name', async (t) => {
	const spelt = (name) => '%' + name.charCodeAt(0).toString(16) + name.slice(1);
	const n = await all(async (o) => {
		let sum = 0;
		for (const { name, schema, example, in: where } of o.params) {
			if (where !== 'query') continue;
			const v = encodeURIComponent(schema.enum ? schema.enum[0] : example);
			for (const second of [name, spelt(name)])
				sum += await refused(o, name, `${fill(o)}?${name}=${v}&${second}=${v}`);
		}
		for (const f of Object.keys(o.form ? o.form.schema.properties : {}))
			for (const second of [f, spelt(f)])
				sum += await refused(o, f, fill(o), {
					raw: `${f}=a&${second}=b`,
					headers: { 'Content-Type': FORM },
				});
		return sum;
	});
	t.diagnostic(`${n} doubled parameters refused`);
	assert.ok(n > 300, String(n));
});
test('every route: an unknown query parameter is refused, unless the contract ignores it', async (t) => {
	const open = openOnes();
	let ignored = 0;
	const n = await all(async (o) => {
		if (open.has(o.op.operationId.replace(/^client_/, '')) || open.has(o.op.operationId)) {
			ignored++;
			/* but not twice */
			return (
				(await refused(o, 'no_such', `${fill(o)}?no_such=1&no_such=1`)) +
				(await refused(o, 'no_such', `${fill(o)}?no_such=1&%6eo_such=%00`)) +
				(o.form
					? await refused(o, 'no_such', fill(o), {
							raw: 'no_such=1&no_such=1',
							headers: { 'Content-Type': FORM },
						})
					: 0)
			);
		}
		let sum = 0;
		for (const q of ['no_such=1', 'no_such', 'no_such=%00', 'no_such=1&no_such=2'])
			sum += await refused(o, 'no_such', `${fill(o)}?${q}`);
		/* the customer is named where the route does not ask for one */
		if (!o.params.some((p) => p.name === 'tenant_id' && p.in === 'query'))
			sum += await refused(o, 'tenant_id', `${fill(o)}?tenant_id=${s.alpha}`);
		return sum;
	});
	t.diagnostic(`${n} unknown parameters refused; ${ignored} routes ignore them`);
	assert.ok(n > 500 && ignored >= 10, `${n} ${ignored}`);
});
test('headers that are values: doubled, or not what they can be', async (t) => {
	const bad = {
		'If-Match': ['x', '*', '-1', 'W/"7"', '"', '7\xff', '9007199254740992', ['"1"', '"1"']],
		/* what cannot be read is ignored (RFC 9110, 14.2); t/api/30-export.test.js */
		Range: [],
		'If-Range': [],
		'Idempotency-Key': ['', ' ', 'a b', 'k\xe4', 'k'.repeat(201), ['a', 'b']],
	};
	const n = await all(async (o) => {
		let sum = 0;
		for (const p of o.params)
			for (const v of p.in === 'header' ? bad[p.name] : [])
				sum += await refused(o, p.name, fill(o), {
					body: {},
					headers: { [p.name]: v },
				});
		return sum;
	});
	t.diagnostic(`${n} header values refused`);
	assert.ok(n > 500, String(n));
	for (const name of ['Authorization', 'Origin', 'X-CSRF-Token', 'If-Match', 'Idempotency-Key']) {
		const r = await s.request('GET', '/api/v1/me', {
			headers: { Authorization: 'Bearer ' + people.user, [name]: ['a', 'b'] },
		});
		assert.deepStrictEqual([r.status, fields(r)], [400, [name]], r.text);
	}
});
test('a session cookie that cannot be a token is named, on every route that reads it', async (t) => {
	const n = await all(async (o) => {
		let sum = 0;
		if (!o.op.security.length && o.path !== '/api/v1/live') return 0;
		for (const v of ['%00', 'a%zz', '\xff', 'a b', '"a"']) {
			const r = await s.request(o.method, fill(o), {
				headers: { Cookie: 'sd_access=' + v },
			});
			assert.deepStrictEqual([r.status, fields(r)], [400, ['sd_access']], o.at + r.text);
			sum++;
		}
		return sum;
	});
	t.diagnostic(`${n} cookies refused`);
	assert.ok(n > 400, String(n));
	const r = await s.request('POST', '/api/v1/auth/refresh', {
		headers: { Cookie: 'sd_refresh=%00' },
	});
	assert.deepStrictEqual([r.status, fields(r)], [400, ['sd_refresh']], r.text);
});
test('a readable value is found under every spelling of its name and of itself; a plus in a path is a plus', async () => {
	const plain = await s.get('/api/v1/tickets?tenant_id=' + s.alpha, people.boss),
		spelt = await s.get(
			'/api/v1/tickets?ten%61nt%5fid=%' +
				`3${String(s.alpha)[0]}` +
				String(s.alpha).slice(1),
			people.boss,
		);
	assert.strictEqual(plain.status, 200);
	assert.deepStrictEqual(spelt.data, plain.data);
	assert.strictEqual((await s.get('/api/v1/tickets?&&', people.boss)).status, 200);
	assert.strictEqual((await s.get('/api/v1/tickets?=1', people.boss)).status, 400);
	const many = Array.from({ length: 70 }, (_, i) => 'a' + i).join('&'),
		r = await s.get('/api/v1/tickets?' + many, people.boss);
	assert.ok(r.status === 400 && fields(r).length <= 130, r.text);
});
