// SPDX-License-Identifier: Apache-2.0
// One contract for every endpoint: what it names is checked the same way everywhere, in path, query and body.
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

test('a choice is one of the list: not two of them, not a part of one, not in other letters', async () => {
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
