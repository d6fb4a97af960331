// SPDX-License-Identifier: Apache-2.0
// Instants from outside: every parameter that takes one has the same range, an instant that a command names is checked against its ticket, and the
// work that a late instant causes is bounded.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil } = require('../lib/server.js');

const doc = JSON.parse(fs.readFileSync(path.join(__dirname, '../../doc/api/openapi.json'), 'utf8')),
	DAY = 86400e3;
let s, people;

async function logIn() {
	const user = await s.login('user', 'alpha'),
		admin = await s.login('admin', 'alpha'),
		boss = await s.login('boss'),
		eng = await s.login('eng1');
	people = { user, admin, boss, eng, service: people && people.service };
}
test.before(async () => {
	s = await Server.make('instants', { test: { allow_clock: 'yes' } });
	await logIn();
	people.service = s.token('provider', 'ticket:read,ticket:write');
});
test.after(() => s.drop());

/* --- the parameters --- */

/* The paths of the times in a schema: ['events', '[]', 'timestamp']. */
function timesIn(schema, at = []) {
	if (schema.format === 'date-time') return [at];
	if (schema.items) return timesIn(schema.items, [...at, '[]']);
	return Object.entries(schema.properties || {}).flatMap(([k, v]) => timesIn(v, [...at, k]));
}
const nested = ([first, ...rest], v) =>
	first === undefined ? v : first === '[]' ? [nested(rest, v)] : { [first]: nested(rest, v) };

/* Every time that a request may carry: { method, path, name, send(value, token) }. */
function allTimes() {
	const found = [];
	for (const [url, ops] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(ops)) {
			const real = url.replace(/\{(\w+)\}/g, (_, k) =>
					/code|name/.test(k) ? 'standard' : '1',
				),
				add = (name, send) => found.push({ method, url, name, send });
			for (const p of op.parameters || [])
				if (p.in === 'query' && p.schema.format === 'date-time')
					add(p.name, (v, token) =>
						s.get(`${real}?${p.name}=${encodeURIComponent(v)}`, token),
					);
			const body = op.requestBody && op.requestBody.content['application/json'];
			for (const at of body ? timesIn(body.schema) : [])
				add(at[at.length - 1], (v, token) =>
					s.request(method.toUpperCase(), real, {
						token,
						body: bodyFor(url, at, v),
					}),
				);
		}
	return found;
}
/* What is read field by field: the other fields must be right. */
function bodyFor(url, at, v) {
	if (at[0] === 'grants')
		return { grants: [{ resource_type: 'report', permissions: { read: true }, [at[2]]: v }] };
	if (!url.endsWith('/tickets/sync')) return nested(at, v);
	const m = {
		tenant_id: s.alpha,
		ticket_id: 'X-1',
		timestamp: new Date().toISOString(),
		[at[at.length - 1]]: v,
	};
	return at.length > 1 ? { events: [m] } : m;
}
const faults = (r) =>
	[
		...((r.json.details || {}).fields || []),
		...(r.data && r.data.results ? r.data.results.map((x) => x.error).filter(Boolean) : []),
	].map((f) => f.field);

test('every parameter that takes a time refuses other texts, and years outside 1970 to 2199', async () => {
	const bad = [
		...['', 'x', '2026-01-31', '2026-01-31T08:00:00', '2026-02-30T08:00:00Z'],
		...['0001-01-01T00:00:00Z', '1899-12-31T23:59:59Z', '1969-12-31T23:59:59.999Z'],
		...['2200-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '10000-01-01T00:00:00Z'],
		...['-0001-01-01T00:00:00Z', '1970-01-01T00:00:00+23:59', '2199-12-31T23:00:00-01:00'],
	];
	const times = allTimes();
	let n = 0;
	for (const t of times) {
		let token;
		for (const who of Object.values(people)) {
			const r = await t.send('x', who);
			if (r.status !== 401 && r.status !== 403) {
				token = who;
				break;
			}
		}
		assert.ok(token, `nobody may ${t.method} ${t.url}`);
		for (const v of bad) {
			const r = await t.send(v, token),
				what = `${t.method} ${t.url} ${t.name}=${v}: ${r.text.slice(0, 300)}`;
			assert.ok(r.status === 400 || (r.data && r.data.invalid === 1), what);
			assert.ok(
				faults(r).some((f) => f.endsWith(t.name)),
				what,
			);
			n++;
		}
	}
	console.log(`# ${n} values in ${times.length} parameters`);
	assert.ok(times.length >= 22, String(times.length));
});

/* --- the commands that reckon with an instant --- */

const create = async (more) => {
	const r = await s.post('/api/v1/tickets', people.user, {
		title: 'x',
		description: 'y',
		priority: 'P3',
		...more,
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data.id;
};
const iso = (ms) => new Date(ms).toISOString();

/* By command: instants that are refused, with their field, and bodies that are taken; OPENED and NOW in ms. */
const RULES = {
	contact: {
		refused: (opened, now) => [
			['at', { at: iso(opened - 1) }],
			['at', { at: iso(opened - 30 * DAY) }],
			['at', { at: iso(now + 60e3) }],
			['at', { at: iso(now + 400 * DAY) }],
		],
		taken: (opened, now) => [{ at: iso(opened) }, { at: iso(now + 5e3) }],
	},
	'exclude-window': {
		refused: (opened, now) => [
			['from', { from: iso(opened - 1), to: iso(now) }],
			['from', { from: iso(opened - 3 * DAY), to: iso(opened - 2 * DAY) }],
			['from', { from: iso(now + 732 * DAY), to: iso(now + 733 * DAY) }],
			['to', { from: iso(opened), to: iso(opened) }],
			['to', { from: iso(now + DAY), to: iso(now) }],
			['to', { from: iso(opened), to: iso(opened + 30 * DAY + 60e3) }],
		],
		taken: (opened, now) => [
			{ from: iso(opened), to: iso(opened + 1) },
			{ from: iso(now + 700 * DAY), to: iso(now + 701 * DAY) },
		],
	},
	schedule: {
		refused: (opened, now) => [
			['until', { until: iso(opened) }],
			['until', { until: iso(now - 1) }],
			['until', { until: iso(now + 732 * DAY) }],
		],
		taken: (opened, now) => [{ until: iso(now + 700 * DAY) }],
	},
};

test('an instant that a command names is checked against the ticket', async () => {
	const prefix = '/api/v1/tickets/{id}/',
		used = allTimes().filter((t) => t.method === 'post' && t.url.startsWith(prefix));
	assert.deepStrictEqual(
		[...new Set(used.map((t) => t.url.slice(prefix.length)))].sort(),
		Object.keys(RULES).sort(),
		'each command with a time has rules here',
	);
	let n = 0;
	for (const [cmd, rules] of Object.entries(RULES)) {
		const id = await create(),
			opened = Date.parse(
				(await s.get('/api/v1/tickets/' + id, people.boss)).data.opened_at,
			),
			act = (body) =>
				s.post(`/api/v1/tickets/${id}/${cmd}`, people.boss, {
					...(cmd === 'contact' ? { text: 'x' } : { reason: 'x' }),
					...body,
				});
		for (const [field, body] of rules.refused(opened, Date.now())) {
			const before = s.sql(`select version from tickets where id = ${id}`),
				r = await act(body);
			assert.deepStrictEqual(
				[r.status, r.code, faults(r)],
				[400, 40001, [field]],
				cmd + JSON.stringify(body) + r.text,
			);
			assert.ok(r.json.details.fields[0].rule, r.text);
			assert.strictEqual(s.sql(`select version from tickets where id = ${id}`), before);
			n++;
		}
		for (const body of rules.taken(opened, Date.now())) {
			const r = await act(body);
			assert.strictEqual(r.status, 200, cmd + JSON.stringify(body) + r.text);
			n++;
		}
	}
	console.log(`# ${n} instants of ${Object.keys(RULES).length} commands`);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});

/* --- a log --- */

test('a row of the future, or of no possible year, is rejected with its reason and touches no other ticket', async () => {
	const file = (name) => path.join(s.dir, name),
		now = Date.now(),
		rows = [
			['A1', iso(now - 600e3), ''],
			['A2', iso(now + 7 * 3600e3), 'in the future'],
			['A3', iso(now + 60e3), 'in the future'],
			['A4', '9999-01-01T00:00:00Z', 'not in the years 1970 to 2199'],
			['A5', '2200-01-01T00:00:00Z', 'not in the years 1970 to 2199'],
			['A6', '1899-01-01T00:00:00Z', 'not in the years 1970 to 2199'],
			['A7', 'soon', 'not a time'],
		],
		csv = (opened) =>
			'number,at,opened,state\n' +
			rows
				.map(([n, at]) => [n, opened ? iso(now) : at, opened ? at : '', 'New'].join())
				.join('\n') +
			'\n';
	const map = (name) =>
		JSON.stringify({
			...{ name, title: 'Incident', kind: 'states', time: 'rfc3339', zone: 'UTC' },
			...{
				id: 'number',
				at: 'at',
				opened_at: 'opened',
				state: 'state',
				values: { New: 'new' },
			},
		});
	for (const opened of [true, false]) {
		fs.writeFileSync(file('map.json'), map(opened ? 'log1' : 'log2'));
		fs.writeFileSync(file('log.csv'), csv(opened));
		s.cli([
			...['import', '--map', file('map.json'), '--tenant', 'beta'],
			...['--rejects', file('rejects.csv'), file('log.csv')],
		]);
		assert.deepStrictEqual(
			fs.readFileSync(file('rejects.csv'), 'utf8').trim().split('\n').slice(1),
			rows
				.map(([, , why], i) => why && `${i + 2},${opened ? 3 : 2},${why}`)
				.filter(Boolean),
		);
	}
	assert.match(s.cli(['import', '--go-live', '--tenant', 'beta']), /live +2 open/);
	const [state, due, breached] = s
		.sql(
			`select k.state, us(k.due_at), k.breached_at from sla_clocks k join tickets t using (tenant_id) where t.id = k.ticket_id and t.external_id = 'log2:A1' and k.clock = 'response'`,
		)
		.split('|');
	assert.deepStrictEqual([state, breached], ['running', '']);
	assert.ok(Math.abs(Number(due) / 1000 - now - 230 * 60e3) < 60e3, due);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});

test('an imported ticket goes live: its ladder stood still, too, and nobody is paged for the time when nobody ran it', async () => {
	const file = (name) => path.join(s.dir, name),
		end = Date.now() - 5 * DAY,
		min = 60e3,
		rows = [
			['C1', end - 50 * min, 'New', '1'],
			['C1', end - 45 * min, 'Active', '1'],
			['C1', end - 20 * min, 'Active', '1'],
			['C2', end - 100 * min, 'New', '2'],
			['C2', end - 95 * min, 'Active', '2'],
			['C3', end, 'New', '3'],
		];
	fs.writeFileSync(file('log.csv'), 'number,at,state,priority\n' + rows.map(([n, at, ...x]) => [n, iso(at), ...x].join()).join('\n') + '\n');
	fs.writeFileSync(
		file('map.json'),
		JSON.stringify({
			...{ name: 'log3', title: 'Incident', kind: 'states', time: 'rfc3339', zone: 'UTC', id: 'number', at: 'at', state: 'state', priority: 'priority' },
			...{ priorities: { 1: 'P0', 2: 'P1', 3: 'P3' }, values: { New: 'new', Active: 'accepted' } },
		}),
	);
	s.cli(['import', '--map', file('map.json'), '--tenant', 'alpha', '--rejects', file('rejects.csv'), file('log.csv')]);
	const ladder = (n, what) =>
			s.sql(`select ${what} from sla_clocks k join tickets t on t.tenant_id = k.tenant_id and t.id = k.ticket_id where t.external_id = 'log3:${n}' and k.clock = 'ladder'`),
		told = (n) =>
			s.sql(`select count(*) from notifications x join tickets t on t.tenant_id = x.tenant_id and t.id = x.ticket_id where t.external_id = 'log3:${n}'`);
	assert.match(s.cli(['import', '--go-live', '--tenant', 'alpha']), /live +3 open/);
	const steps = {};
	for (const n of ['C1', 'C2']) {
		assert.strictEqual(ladder(n, 'state'), 'running');
		assert.ok(Number(ladder(n, 'us(next_fire_at)')) / 1000 > Date.now(), 'the next step is still to come');
		assert.strictEqual(told(n), '0');
		steps[n] = Number(ladder(n, 'fired'));
	}
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
	await s.jump(7200); /* C2 waits two hours for its third step */
	await waitUntil(() => ['C1', 'C2'].every((n) => Number(ladder(n, 'fired')) > steps[n]));
	await logIn();
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});

/* --- what they may ask for --- */

const misses = (id) =>
	s
		.sql(
			`select count(*) || ' ' || coalesce(sum(periods), 0) || ' ' || coalesce(max(periods), 0) from sla_fires where ticket_id = ${id} and clock = 'update' and threshold = '100'`,
		)
		.split(' ')
		.map(Number);
/* The longest turn since the last question, in seconds. */
const stall = async () =>
	Number((await s.get('/metrics')).text.match(/^sladesk_loop_stall_recent_seconds (\S+)/m)[1]);
const update = async (id) =>
	(await s.get(`/api/v1/tickets/${id}/clocks`, people.eng)).data.items.find(
		(c) => c.clock === 'update',
	);

test('a contact long after the opening counts each missed period, in a hundred rows, and delays nobody', async () => {
	const id = await create({ priority: 'P0' }),
		opened = Date.parse((await s.get('/api/v1/tickets/' + id, people.eng)).data.opened_at);
	await s.jump(3 * 365 * 86400);
	await logIn();
	await stall();
	const began = Date.now(),
		r = await s.post(`/api/v1/tickets/${id}/contact`, people.eng, {
			text: 'called',
			at: iso(opened),
		});
	assert.strictEqual(r.status, 200, r.text);
	console.log(`# ${Date.now() - began} ms, longest turn of the loop ${(await stall()) * 1000} ms`);
	assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
	const c = await update(id),
		periods = (3 * 365 * DAY) / (15 * 60e3);
	assert.ok(c.missed >= periods && c.missed < periods + 10, String(c.missed));
	assert.deepStrictEqual(misses(id), [100, c.missed, c.missed - 99]);
	assert.ok(Date.parse(c.due_at) > (await s.clock()), c.due_at);
	assert.strictEqual(
		s.sql(
			`select count(*) from events where ticket_id = ${id} and type = 'sla.update_missed' and data ->> 'periods' = '${c.missed - 99}'`,
		),
		'1',
	);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);

	/* the next misses belong to the same row */
	await s.jump(3600);
	await waitUntil(async () => (await update(id)).missed >= c.missed + 4);
	const now = await update(id);
	assert.deepStrictEqual(misses(id), [100, now.missed, now.missed - 99]);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);

	/* and a reply begins a new row */
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${id}/reply`, people.eng, { text: 'here we are' })).status,
		200,
	);
	assert.strictEqual((await update(id)).missed, 0);
	await s.jump(1000);
	await waitUntil(async () => (await update(id)).missed === 1);
	assert.strictEqual(misses(id)[0], 101);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('a contact cannot be dated before the cycle in which it counts', async () => {
	const id = await create(),
		act = (cmd, body) => s.post(`/api/v1/tickets/${id}/${cmd}`, people.eng, body),
		opened = (await s.get('/api/v1/tickets/' + id, people.eng)).data.opened_at;
	assert.strictEqual((await act('resolve', { text: 'x' })).status, 200);
	await s.jump(4 * 86400);
	await logIn();
	assert.strictEqual((await act('reopen', { reason: 'again' })).status, 200);
	assert.strictEqual((await s.get('/api/v1/tickets/' + id, people.eng)).data.cycle, 2);
	const r = await act('contact', { text: 'x', at: opened });
	assert.deepStrictEqual([r.status, faults(r)], [400, ['at']], r.text);
	assert.strictEqual(
		(await act('contact', { text: 'x', at: iso((await s.clock()) + 5e3) })).status,
		200,
	);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
