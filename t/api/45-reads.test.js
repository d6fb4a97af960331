// SPDX-License-Identifier: Apache-2.0
// Reads are audited with what was read: every list names its rows by id, or, if they are many, by number and range of ids, with the filter. The
// routes are read from the program.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil } = require('../lib/server.js');

let s, who;
test.before(async () => {
	s = await Server.make('reads');
	who = { admin: await s.login('admin', 'alpha'), boss: await s.login('boss') };
	who.provider = s.token('provider', 'user:write,admin,tickets:read,tickets:write');
	who.service = s.token('alpha', 'admin,tickets:read,tickets:write');
	for (let i = 0; i < 30; i++)
		assert.strictEqual((await s.post('/api/v1/tickets', who.admin, { title: 't' + i, description: 'y' })).status, 201);
	await s.post('/api/v1/webhooks', who.admin, { url: 'https://example.com/hook', secret: 'a-secret-of-16-letters' });
});
test.after(() => s.drop());


/* Lists that stand for a whole and are no rows with ids, and why. */
const NO_IDS = {
	'/api/v1/tickets/{id}/clocks': 'the clocks of one ticket, which the path names',
	'/api/v1/client/tickets/{id}/clocks': 'the same',
};
test('every list is in the log with its rows', async () => {
	const routes = fs
			.readFileSync(path.join(__dirname, '../../doc/api/routes.txt'), 'utf8')
			.split('\n')
			.filter((l) => /^GET /.test(l) && / sql /.test(l)),
		asked = [],
		ticket = s.sql(`select max(id) from tickets where tenant_id = ${s.alpha}`);
	for (const line of routes) {
		const route = line.split(/ +/)[1],
			p = route.replace('{id}', ticket).replace('{tenant_id}', s.alpha).replace(/\{\w+\}/, '1');
		for (const [name, token] of Object.entries(who)) {
			const r = await s.get(p, token);
			if (r.status !== 200 || !r.data || !Array.isArray(r.data.items)) continue;
			asked.push({ name, route, p, items: r.data.items, id: r.headers['x-request-id'], single: / audited/.test(line) });
		}
	}
	assert.ok(asked.length > 30, String(asked.length));
	await s.stop();
	await s.start(); /* stores the counted reads */
	who.boss = await s.login('boss');
	const all = [...(await everything(s.alpha)), ...(await everything(1))],
		faulty = [];
	let ids = 0;
	for (const a of asked) {
		const of = all.filter((x) => (a.single ? x.request_id === a.id : x.resource === a.route && x.details.reads)),
			lists = of.flatMap((x) => (x.details.list ? [x.details.list] : x.details.lists || []));
		const fits = lists.some((l) => {
			if (l.count !== a.items.length) return false;
			if (!l.count || NO_IDS[a.route]) return true;
			const own = a.items.map((i) => Object.values(i).filter((v) => typeof v === 'number')).flat();
			if (l.ids) return l.ids.length === l.count && l.ids.every((i) => own.includes(i));
			return l.count > 20 && own.includes(l.lowest_id) && own.includes(l.highest_id);
		});
		if (!fits) faulty.push(`${a.route} as ${a.name}: ${a.items.length} rows, audited ${JSON.stringify(lists).slice(0, 300)} ${Object.keys(a.items[0] || {})}`);
		ids += a.items.length;
	}
	assert.deepStrictEqual(faulty, []);
	console.log(`lists: ${asked.length} over ${new Set(asked.map((a) => a.route)).size} routes, ${ids} rows named`);
});
const everything = (tenant) => s.all(`/api/v1/audit?tenant_id=${tenant}`, who.boss);
test('filters are named, the place of a page is not; an export says what it held; more lists than 20 are counted as more', async () => {
	who.admin = await s.login('admin', 'alpha');
	for (const q of ['status=new&limit=3', 'status=new&limit=3', 'priority=P0', 'limit=5'])
		assert.strictEqual((await s.get('/api/v1/client/tickets?' + q, who.admin)).status, 200, q);
	const page = await s.get('/api/v1/client/tickets?limit=3', who.admin);
	await s.get('/api/v1/client/tickets?limit=3&cursor=' + page.data.next_cursor, who.admin);
	const csv = await s.get('/api/v1/client/audit/export?username=admin', who.admin),
		n = csv.text.trim().split('\r\n').length - 1;
	for (let i = 0; i < 25; i++) await s.get('/api/v1/tickets?limit=' + (i + 1), who.admin);
	await s.stop();
	await s.start();
	who.boss = await s.login('boss');
	const all = await everything(s.alpha),
		{ details } = all.find((x) => x.resource === '/api/v1/client/tickets' && x.details.lists && x.details.reads === 6),
		newest = s.sql(`select id from tickets where tenant_id = ${s.alpha} order by opened_at desc, id desc limit 6`).split('\n').map(Number);
	assert.deepStrictEqual(details.lists, [
		{ count: 3, ids: newest.slice(0, 3), filter: 'status=new' },
		{ count: 0, filter: 'priority=P0' },
		{ count: 5, ids: newest.slice(0, 5) },
		{ count: 3, ids: newest.slice(0, 3) },
		{ count: 3, ids: newest.slice(3, 6) },
	]);
	const ex = all.find((x) => x.operation === 'audit.export.read' && x.details.list);
	assert.ok(ex.details.list.filter === 'username=admin' && ex.details.list.count >= n, JSON.stringify(ex.details) + n);
	const many = all.find((x) => x.resource === '/api/v1/tickets' && x.details.lists && x.details.reads === 25);
	assert.deepStrictEqual([many.details.lists.length, many.details.more_lists], [20, true]);
	/* an export in the background: the row of its end says how many records it holds */
	const e = await s.post('/api/v1/client/export/data', who.admin, { export_type: 'ticket_data' });
	assert.ok(e.status < 300, e.text);
	await waitUntil(() => s.sql('select status from exports') === 'completed');
	await waitUntil(async () =>
		(await everything(s.alpha)).some(
			(x) =>
				x.operation === 'export.part' &&
				x.username === 'sladeskd' &&
				(x.details.changes || []).some(
					(c) => /^exports/.test(c.object) && c.fields.some((f) => f.field === 'records' && f.before === 0 && f.after === 30),
				),
		),
	);
});
