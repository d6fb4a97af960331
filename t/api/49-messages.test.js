// SPDX-License-Identifier: Apache-2.0
// The messages of the product document (4.3.3), word for word, wherever its codes are answered.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js');

const WORDS = {
	40001: '请求参数验证失败',
	40002: '请求格式错误',
	40003: '权限不足，无法访问该资源',
	40004: '认证失败，请重新登录',
	40005: '请求频率过高，请稍后重试',
	41001: '请求的数据不存在',
	41002: '数据状态不允许该操作',
	41003: '数据已存在，无法重复创建',
	41004: '超出数据量限制',
};
let s;
before(async () => {
	s = await Server.make('messages', { limits: { user_per_s: 1, user_burst: 40 } });
});
after(() => s && s.drop());

test('each code of the document has its message', async () => {
	const zh = { 'Accept-Language': 'zh-CN' },
		[user, admin, eng] = await Promise.all([s.login('user', 'alpha'), s.login('admin', 'alpha'), s.login('eng1')]);
	const ask = (method, p, token, body, raw) => s.request(method, p, { token, body, raw, headers: { ...zh, ...(raw ? { 'Content-Type': 'application/json' } : {}) } });
	const { id } = (await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).data;
	const name = { username: 'twice', full_name: 'T', email: 't@alpha.example', password: 'Correct-Horse-7', role_type: 'user' };
	const answers = {
		40001: () => ask('POST', '/api/v1/tickets', user, { title: '' }),
		40002: () => ask('POST', '/api/v1/tickets', user, undefined, '{"title":'),
		40003: () => ask('GET', '/api/v1/audit', eng),
		40004: () => ask('GET', '/api/v1/me'),
		41001: () => ask('GET', '/api/v1/tickets/999999', user),
		41002: () => ask('POST', `/api/v1/tickets/${id}/reopen`, user, { reason: 'x' }),
		41003: async () => {
			await ask('POST', '/api/v1/client/admin/users', admin, name);
			return ask('POST', '/api/v1/client/admin/users', admin, name);
		},
		41004: () => ask('POST', '/api/v1/tickets', user, undefined, `{"title":"${'x'.repeat(2000000)}"}`),
		40005: async () => {
			const all = await Promise.all(Array.from({ length: 100 }, () => ask('GET', '/api/v1/me', user)));
			return all.find((r) => r.status === 429) || all[0];
		},
	};
	/* 40005 last: after it, every request is refused */
	for (const [code, send] of Object.entries(answers).sort((a, b) => (a[0] === '40005') - (b[0] === '40005'))) {
		const r = await send();
		assert.deepStrictEqual([r.code, r.json.message], [Number(code), WORDS[code]], r.text.slice(0, 300));
		assert.deepStrictEqual(Object.keys(r.json).sort(), ['code', 'details', 'message', 'request_id', 'timestamp'], code);
	}
});
