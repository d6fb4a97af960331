// SPDX-License-Identifier: Apache-2.0
// One contract for every endpoint: a constraint is checked in the same way everywhere, in path, query and body.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js');

let s, user;
test.before(async () => {
	s = await Server.make('contracts', {});
	user = await s.login('user', 'alpha');
});
test.after(() => s.drop());

const fields = (r) => ((r.json.details || {}).fields || []).map((f) => f.field);

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
test('a list goes on where its cursor says, whatever it lists', async () => {
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
