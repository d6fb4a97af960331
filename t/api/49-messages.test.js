// SPDX-License-Identifier: Apache-2.0
// The messages of the product document (4.3.3), word for word, wherever its codes are answered.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert');
const fs = require('node:fs'),
	path = require('node:path');
const { Server, exchange, freePort, waitUntil } = require('../lib/server.js');

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
	50001: '数据库连接异常',
	50002: '报表生成服务异常',
	50003: '文件存储服务异常',
	50004: '数据同步服务异常',
};
/* What the HTTP server refuses by itself has a status that no route describes. */
const REFUSED = [408, 414, 417, 426, 431, 505];
const TOP = path.join(__dirname, '../..');
let s, doc;
before(async () => {
	s = await Server.make('messages', { limits: { user_per_s: 1, user_burst: 40 } });
	doc = (await s.get('/openapi.json')).json;
});
after(() => s && s.drop());

test('each code of the document has its message', async () => {
	const zh = { 'Accept-Language': 'zh-CN' },
		[user, admin, eng] = await Promise.all([
			s.login('user', 'alpha'),
			s.login('admin', 'alpha'),
			s.login('eng1'),
		]);
	const ask = (method, p, token, body, raw) =>
		s.request(method, p, {
			token,
			body,
			raw,
			headers: { ...zh, ...(raw ? { 'Content-Type': 'application/json' } : {}) },
		});
	const { id } = (await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).data;
	const name = {
		username: 'twice',
		full_name: 'T',
		email: 't@alpha.example',
		password: 'Correct-Horse-7',
		role_type: 'user',
	};
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
		41004: () =>
			ask('POST', '/api/v1/tickets', user, undefined, `{"title":"${'x'.repeat(2000000)}"}`),
		40005: async () => {
			const all = await Promise.all(
				Array.from({ length: 100 }, () => ask('GET', '/api/v1/me', user)),
			);
			return all.find((r) => r.status === 429) || all[0];
		},
	};
	/* 40005 last: after it, every request is refused */
	for (const [code, send] of Object.entries(answers).sort(
		(a, b) => (a[0] === '40005') - (b[0] === '40005'),
	)) {
		const r = await send();
		assert.deepStrictEqual(
			[r.code, r.json.message],
			[Number(code), WORDS[code]],
			r.text.slice(0, 300),
		);
		assert.deepStrictEqual(
			Object.keys(r.json).sort(),
			['code', 'details', 'message', 'request_id', 'timestamp'],
			code,
		);
	}
});

/* The whole body of an error, in the language that was asked for. */
function whole(json, status, lang, what) {
	const errors = doc.components['x-errors'].filter((e) => e.code === json.code);
	assert.deepStrictEqual(
		Object.keys(json),
		['code', 'message', 'details', 'timestamp', 'request_id'],
		what,
	);
	assert.ok(errors.length, `${what}: ${json.code} is not in the table`);
	assert.strictEqual(json.message, lang === 'zh' ? errors[0]['x-message-zh'] : errors[0].message, what);
	assert.ok(
		REFUSED.includes(status) || errors.some((e) => e.status === status),
		`${what}: ${json.code} with ${status}`,
	);
	assert.match(json.request_id, /^[0-9a-f]{16}$/, what);
	assert.match(json.timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/, what);
	assert.ok(json.details.user_message && json.details.suggested_actions.length, what);
	assert.strictEqual(
		/[一-鿿]/.test(json.details.user_message),
		lang === 'zh',
		what + json.details.user_message,
	);
}

test("the table of errors: the document's classes and messages, one message a code, both languages, both guides", () => {
	const messages = {};
	for (const e of doc.components['x-errors']) {
		const what = `${e.code} ${e.status}`;
		assert.ok(
			[e.message, e['x-message-zh'], e.description, e['x-description-zh']].every(Boolean),
			what,
		);
		assert.ok(
			e.suggested_actions.length &&
				e.suggested_actions.length === e['x-suggested-actions-zh'].length,
			what,
		);
		assert.strictEqual(e.code < 50000, e.status < 500, what);
		assert.ok(/^(40|41|50|51)\d{3}$/.test(e.code), what);
		(messages[e.code] ||= new Set()).add(e.message + e['x-message-zh']);
		assert.strictEqual(messages[e.code].size, 1, `${what}: a code has one message`);
		if (WORDS[e.code]) assert.strictEqual(e['x-message-zh'], WORDS[e.code]);
		for (const f of ['README.md', 'README.zh-CN.md'])
			assert.match(
				fs.readFileSync(path.join(TOP, 'doc/api', f), 'utf8'),
				new RegExp(`^\\| ${e.code} \\|`, 'm'),
				f,
			);
	}
	for (const code of [...Object.keys(WORDS), 50000, 50005, 51001])
		assert.ok(messages[code], String(code));
});

/* Each way in which a request can be wrong, wherever a route knows it. */
const wrongs = {
	nobody: (m, p) => [m, p, {}],
	'no session': (m, p) => [m, p, { token: 'nonsense' }],
	'another method': (m, p) => ['PATCH', p, { token: 'admin' }],
	'a parameter twice': (m, p) => [m, p + '?limit=1&limit=2', { token: 'admin' }],
	'no JSON': (m, p) => [
		m,
		p,
		{ token: 'admin', raw: '{"a":', headers: { 'Content-Type': 'application/json' } },
		m !== 'GET',
	],
	'an unknown member': (m, p) => [m, p, { token: 'user', body: { no_such_member: 1 } }, m !== 'GET'],
	'a body too large': (m, p) => [m, p, { token: 'user', raw: 'x'.repeat(2000000) }, m !== 'GET'],
};
const routesOf = () =>
	Object.entries(doc.paths).flatMap(([p, ops]) =>
		Object.keys(ops)
			.filter(
				(m) =>
					p.startsWith('/api/') &&
					!/auth\/(logout|sso|saml)|\/(acs|slo|callback)/.test(p),
			)
			.map((m) => [m.toUpperCase(), p.replace(/\{[^}]+\}/g, '999999')]),
	);

test('every route: whatever is wrong with a request, the error has the whole body', async () => {
	const t = await Server.make('wrongs', {
		limits: {
			user_per_s: 100000,
			user_burst: 1000000,
			login_per_s: 100000,
			address_per_s: 1000000,
			address_burst: 1000000,
		},
	});
	try {
		const tokens = {
				user: await t.login('user', 'alpha'),
				admin: await t.login('admin', 'alpha'),
				nonsense: 'nonsense',
			},
			seen = new Set();
		for (const [how, wrong] of Object.entries(wrongs))
			for (const [method, p] of routesOf())
				for (const lang of how === 'nobody' ? ['zh', 'en'] : ['zh']) {
					const [m, at, o, use = true] = wrong(method, p);
					if (!use) continue;
					const r = await t.request(m, at, {
						...o,
						token: o.token && tokens[o.token],
						headers: { ...o.headers, 'Accept-Language': lang },
					});
					if (r.status < 400 || !/json/.test(r.headers['content-type']))
						continue;
					whole(r.json, r.status, lang, `${how}: ${m} ${at}`);
					assert.ok(r.code < 50000, `${how}: ${m} ${at} ${r.text}`);
					seen.add(r.code);
					if (r.status === 405)
						assert.ok(
							r.headers.allow.split(', ').includes(method),
							`${p}: Allow ${r.headers.allow}`,
						);
				}
		for (const code of [40001, 40002, 40003, 40004, 41001, 41004])
			assert.ok(seen.has(code), `${code}: ${[...seen]}`);
	} finally {
		await t.drop();
	}
});

test('what the HTTP server refuses by itself has the whole body, too', async () => {
	const head = (line, more = '') => `${line}\r\nHost: x\r\n${more}\r\n`,
		raw = {
			400: 'nonsense\r\n\r\n',
			413: head('POST /api/v1/tickets HTTP/1.1', 'Content-Length: 999999999\r\n'),
			414: head(`GET /${'a'.repeat(9000)} HTTP/1.1`),
			417: head(
				'POST /api/v1/tickets HTTP/1.1',
				'Expect: a-miracle\r\nContent-Length: 2\r\n',
			),
			426: head(
				'GET /api/v1/live HTTP/1.1',
				`Authorization: Bearer ${await s.login('admin', 'alpha')}\r\n`,
			),
			431: head('GET / HTTP/1.1', `X: ${'a'.repeat(70000)}\r\n`),
			505: head('GET / HTTP/3.0'),
		};
	for (const [status, bytes] of Object.entries(raw)) {
		const r = Buffer.from((await exchange(s.port, bytes)).text, 'latin1').toString(),
			body = r.slice(r.indexOf('\r\n\r\n') + 4);
		assert.ok(r.startsWith(`HTTP/1.1 ${status} `), r.slice(0, 200));
		assert.match(r, /\r\nContent-Type: application\/json; charset=utf-8\r\n/);
		whole(JSON.parse(body), Number(status), 'zh', status);
	}
});

test('50001 is the database, and nothing else: every route while it is gone', async () => {
	const t = await Server.make('gone', {
		limits: {
			user_per_s: 100000,
			user_burst: 1000000,
			address_per_s: 1000000,
			address_burst: 1000000,
		},
	});
	try {
		const admin = await t.login('admin', 'alpha');
		t.sql(
			`alter database ${t.db} with connection limit 0; select pg_terminate_backend(pid) from pg_stat_activity where datname = '${t.db}' and usename like 'sladesk%'`,
		);
		let n = 0;
		for (const [m, p] of routesOf()) {
			const r = await t.request(m, p, {
				token: admin,
				body: m === 'GET' ? undefined : {},
				headers: { 'Accept-Language': 'en' },
			});
			if (r.status < 500 || !/json/.test(r.headers['content-type'])) continue;
			whole(r.json, r.status, 'en', `${m} ${p}`);
			assert.ok([50001, 50005].includes(r.code), `${m} ${p} ${r.text}`);
			assert.strictEqual(r.status, 503);
			n += r.code === 50001;
		}
		assert.ok(n > 50, String(n));
	} finally {
		await t.drop();
	}
});

test('wherever an answer carries a priority, its label stands beside it, in the language that was asked for', async () => {
	const paths = [];
	const walk = (schema, at) => {
		const props = (schema && schema.properties) || {};
		if (props.priority) {
			paths.push(at);
			assert.ok(props.priority_label, `${at} has a priority without its label`);
		}
		for (const [k, v] of Object.entries(props)) walk(v, `${at}.${k}`);
		if (schema && schema.items) walk(schema.items, at + '[]');
	};
	for (const [p, ops] of Object.entries(doc.paths))
		for (const [m, op] of Object.entries(ops))
			for (const [status, r] of Object.entries(op.responses))
				if (r.content && r.content['application/json'])
					walk(r.content['application/json'].schema, `${m} ${p} ${status} `);
	assert.ok(paths.length >= 30, String(paths.length));

	const LABELS = {
			zh: ['紧急', '高', '中', '低', '一般'],
			en: ['critical', 'high', 'medium', 'low', 'general'],
		},
		t = await Server.make('labels');
	try {
		const [user, admin] = await Promise.all([
			t.login('user', 'alpha'),
			t.login('admin', 'alpha'),
		]);
		for (let p = 0; p < 5; p++)
			await t.post('/api/v1/tickets', user, {
				title: 'x',
				description: 'y',
				priority: 'P' + p,
			});
		const [{ id }] = (await t.get('/api/v1/tickets', user)).data.items;
		for (const lang of ['zh', 'en'])
			for (const p of [
				'tickets',
				`tickets/${id}`,
				`tickets/${id}/sla`,
				'tickets?sort=urgent',
				'client/sla/clocks',
				'catalogue?kind=incident_type',
			]) {
				const r = await t.get('/api/v1/' + p, admin, { 'Accept-Language': lang });
				assert.strictEqual(r.status, 200, p + r.text);
				const rows = r.data.items || [r.data];
				assert.ok(rows.length, p);
				for (const x of rows)
					assert.strictEqual(
						x.priority_label,
						LABELS[lang][x.priority[1]],
						p + JSON.stringify(x),
					);
			}
	} finally {
		await t.drop();
	}
});

/* Each error of a service that is not the database, provoked: the database itself stays up. */
test('50004, 50002 and 51001: a message that cannot be applied, a file that cannot be written, a login service that does not answer', async () => {
	const t = await Server.make('outside', { sso: { allow_private: 'yes' }, limits: { login_per_s: 0 } });
	try {
		const admin = await t.login('admin', 'alpha'),
			langs = ['zh', 'en'];
		t.sql(`create function broken() returns trigger language plpgsql as $$ begin raise exception 'broken' using errcode = 'XX001'; end $$;
			create trigger broken before insert on sync_events for each row execute function broken();
			create trigger broken before insert on file_parts for each row execute function broken()`);
		/* 50004: the only message of a request; among several, in its own result */
		const service = t.token('provider', 'ticket:read,ticket:write'),
			message = (n) => ({
				event_type: 'ticket_updated',
				event_id: 'e' + n,
				tenant_id: t.alpha,
				ticket_id: 'EXT-' + n,
				status: 'new',
				title: 'x',
				timestamp: new Date().toISOString(),
			});
		for (const [n, lang] of langs.entries()) {
			const r = await t.post('/api/v1/integration/tickets/sync', service, message(n), {
				'Accept-Language': lang,
			});
			assert.deepStrictEqual([r.status, r.code], [503, 50004], r.text);
			whole(r.json, 503, lang, 'sync');
		}
		const several = await t.post('/api/v1/integration/tickets/sync', service, {
			events: [message(8), message(9)],
		});
		assert.deepStrictEqual(
			several.data.results.map((x) => x.code),
			[50004, 50004],
			several.text,
		);
		/* 50002 */
		const asked = await t.post('/api/v1/client/export/data', admin, {
			export_type: 'ticket_data',
			format: 'csv',
		});
		assert.strictEqual(asked.status, 202, asked.text);
		const look = async (lang) =>
			(
				await t.get(`/api/v1/client/export/data/${asked.data.export_id}`, admin, {
					'Accept-Language': lang,
				})
			).data;
		await waitUntil(async () => {
			t.sql("update exports set claim_until = now() where status = 'processing' and claim_until is not null");
			return (await look('zh')).status === 'failed';
		});
		for (const lang of langs) {
			const { error, error_code, error_text, download_url } = await look(lang);
			assert.deepStrictEqual([error, error_code, download_url], ['not_written', 50002, null]);
			assert.strictEqual(/[一-鿿]/.test(error_text), lang === 'zh', error_text);
		}
		/* 51001: a page for a browser, the usual body for a program */
		const made = await t.post('/api/v1/client/admin/identity-providers', admin, {
			kind: 'oidc',
			name: 'Gone',
			client_id: 'sladesk',
			client_secret: 'geheim-geheim-geheim',
			issuer: `http://127.0.0.1:${await freePort()}`,
		});
		assert.strictEqual(made.status, 201, made.text);
		for (const lang of langs) {
			const start = (Accept) =>
					t.get('/api/v1/auth/sso/start?tenant=alpha', null, { 'Accept-Language': lang, Accept }),
				r = await start('application/json');
			assert.deepStrictEqual([r.status, r.code], [502, 51001], r.text);
			whole(r.json, 502, lang, 'sso');
			const page = await start('text/html');
			assert.strictEqual(page.status, 502);
			assert.match(page.headers['content-type'], /^text\/html/);
			assert.match(page.text, /51001/);
		}
	} finally {
		await t.drop();
	}
});
