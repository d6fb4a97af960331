// SPDX-License-Identifier: Apache-2.0
// A ticket says who: the names of its requester, its engineer and the authors of its texts, to both sides, and its description.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js');

let s;
before(async () => {
	s = await Server.make('names');
});
after(() => s && s.drop());

test('a ticket names its requester, its engineer and the authors, and has its description', async () => {
	const [user, eng, other] = await Promise.all([s.login('user', 'alpha'), s.login('eng1'), s.login('user', 'beta')]);
	s.sql(`update staff set full_name = '王工' where username = 'eng1'; update client_users set full_name = 'Zhou Tao' where username = 'user' and tenant_id = ${s.alpha}; update client_users set full_name = 'Someone Else' where tenant_id = ${s.beta}`);
	const { id } = (await s.post('/api/v1/tickets', user, { title: 'x', description: 'what happened' })).data;
	for (const token of [user, eng]) {
		const t = (await s.get('/api/v1/tickets/' + id, token)).data;
		assert.deepStrictEqual([t.description, t.requester_name, t.assignee_name], ['what happened', 'Zhou Tao', null]);
	}
	await s.post(`/api/v1/tickets/${id}/reply`, eng, { text: 'seen' });
	await s.post(`/api/v1/tickets/${id}/note`, eng, { text: 'internal' });
	for (const [token, names] of [
		[user, ['Zhou Tao', '王工']],
		[eng, ['Zhou Tao', '王工', '王工']],
	]) {
		assert.strictEqual((await s.get('/api/v1/tickets/' + id, token)).data.assignee_name, '王工');
		const list = (await s.get(`/api/v1/tickets/${id}/comments`, token)).data.items;
		assert.deepStrictEqual(list.map((c) => c.author_name), names);
	}
	assert.strictEqual((await s.get('/api/v1/tickets/' + id, other)).status, 404);
	/* a redacted description is redacted here too */
	const boss = await s.login('boss'),
		first = (await s.get(`/api/v1/tickets/${id}/comments`, eng)).data.items[0];
	assert.strictEqual((await s.post(`/api/v1/tickets/${id}/redact`, boss, { comment_id: first.id, reason: 'a secret' })).status, 200);
	assert.strictEqual((await s.get('/api/v1/tickets/' + id, user)).data.description, '[redacted]');
});

test('a ticket opened by a program has no requester name', async () => {
	const token = s.cli(['token', 'add', '--tenant', 'alpha', '--name', 'svc', '--scopes', 'ticket:read,ticket:write']).trim();
	const { id } = (await s.post('/api/v1/tickets', token, { title: 'x', description: 'y' })).data;
	assert.strictEqual((await s.get('/api/v1/tickets/' + id, token)).data.requester_name, null);
});

test('a name is one line that can be seen, in whatever way it is given', async () => {
	const admin = await s.login('admin', 'alpha'),
		users = '/api/v1/client/admin/users',
		person = (full_name) => ({ username: 'line', password: 'Erst-Passwort-1', full_name, email: 'line@alpha.example', role_type: 'user' });
	const made = await s.post(users, admin, person('Lin Er'));
	assert.strictEqual(made.status, 201, made.text);
	for (const bad of ['a\nb', 'a\r\nOpen: https://evil.example/', '\tx', 'x\u0085', 'x\u2028y', 'x\u2029', 'x\u007f', '\u200b', ' '])
		for (const r of [await s.post(users, admin, { ...person(bad), username: 'other', email: 'other@alpha.example' }), await s.request('PUT', `${users}/${made.data.user_id}`, { token: admin, body: { full_name: bad } })]) {
			assert.strictEqual(r.status, 400, JSON.stringify(bad) + r.text);
			assert.deepStrictEqual(r.json.details.fields.map((f) => f.field), ['full_name']);
		}
	assert.strictEqual(s.sql(`select full_name from client_users where username = 'line'`), 'Lin Er');
});
