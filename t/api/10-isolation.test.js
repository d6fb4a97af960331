// SPDX-License-Identifier: Apache-2.0
// Tenant isolation: every route in openapi.json is called as each kind of user of one tenant with every kind of id of another, in path, query,
// cursor and body. No byte of the other's texts comes back, no row of the other changes, and a foreign id is answered like a missing one.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	WebSocket = require('ws');
const { Server, settled, waitUntil } = require('../lib/server.js');

const MARK = 'Bernstein-Geheimnis',
	CODE =
		'zaunkoenig'; /* the first is only ever in texts and never sent by the test; the second is part of names */
let s, doc, foreign, own, people;
test.before(async () => {
	s = await Server.make('isolation', {});
	doc = JSON.parse((await s.get('/openapi.json')).text);
	people = { user: await s.login('user', 'alpha'), admin: await s.login('admin', 'alpha') };
	for (const scopes of ['tickets:read,tickets:write', 'admin,tickets:read,tickets:write'])
		people['token ' + scopes] = s.token('alpha', scopes, 'walker');
	const boss = await s.login('boss'),
		fill = async (tenant, mark, code) => {
			const user = await s.login('user', tenant),
				admin = await s.login('admin', tenant),
				must = (r) => {
					assert.ok(r.status < 300, r.text);
					return r.data;
				};
			const k = must(
				await s.post('/api/v1/tickets', user, {
					title: mark + ' title',
					description: mark + ' text',
					tags: [mark],
					priority: 'P2',
					external_id: mark,
				}),
			);
			must(await s.post(`/api/v1/tickets/${k.id}/reply`, user, { text: mark + ' reply' }));
			must(await s.post(`/api/v1/tickets/${k.id}/note`, boss, { text: mark + ' note' }));
			const w = must(
				await s.post('/api/v1/webhooks', admin, {
					url: `https://${mark.toLowerCase()}.example/`,
					secret: mark + '-0123456789abcdef',
				}),
			);
			must(
				await s.request('PUT', '/api/v1/catalogue/department/' + code, {
					token: admin,
					body: { name_zh: mark, name_en: mark },
				}),
			);
			must(
				await s.request('PUT', '/api/v1/sla/calendars/' + code, {
					token: boss,
					body: {
						tenant_id: s[tenant],
						document: { tz: 'UTC', hours: { mon: [['09:00', '10:00']] } },
					},
				}),
			);
			s.sql(
				`update client_users set full_name = '${mark} ' || username where tenant_id = ${s[tenant]}`,
			);
			return {
				ticket: k.id,
				number: k.number,
				webhook: w.id,
				tenant: s[tenant],
				code: tenant,
				user: Number(
					s.sql(
						`select id from client_users where tenant_id = ${s[tenant]} and username = 'user'`,
					),
				),
				session: Number(
					s.sql(`select max(id) from sessions where tenant_id = ${s[tenant]}`),
				),
				named: code,
			};
		};
	foreign = await fill('beta', MARK, CODE);
	own = await fill('alpha', 'Alpenrose', 'rotkehlchen');
});
test.after(() => s.drop());

/* Every table whose rows belong to a tenant, as the catalogue knows them: a new one is watched from its first day. */
const tables = () =>
	s
		.sql(
			`select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
				where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace order by 1`,
		)
		.split('\n');
/* What the daemon writes by itself, without any request, while the test runs; each with its reason. */
const BY_ITSELF = { audit_signed: 'a job signs the anchors of the chain' };
const state = () =>
	s.sql(
		tables()
			.filter((t) => !BY_ITSELF[t])
			.map(
				(t) =>
					`select '${t}', coalesce(md5(string_agg(x::text, '|' order by x::text)), '') from (select * from ${t} where tenant_id = ${foreign.tenant}) x`,
			)
			.join(' union all '),
	);
/* values of another tenant that fit a place with this name */
const values = (place) =>
	/tenant/.test(place)
		? [foreign.tenant, foreign.code]
		: [foreign.ticket, foreign.webhook, foreign.user, foreign.session, foreign.number, CODE];

const FORM = 'application/x-www-form-urlencoded';
function* requests() {
	for (const [path, methods] of Object.entries(doc.paths))
		for (const [method, op] of Object.entries(methods)) {
			if (
				path.startsWith('/test/') ||
				path === '/api/v1/live' ||
				/logout|auth\/password|login/.test(path)
			)
				continue;
			const params = op.parameters || [],
				inPath = params.filter((p) => p.in === 'path').map((p) => p.name),
				inQuery = params.filter((p) => p.in === 'query').map((p) => p.name);
			const [type, content] =
					Object.entries((op.requestBody || { content: {} }).content)[0] || [],
				schema = content && content.schema,
				fields = Object.keys((schema && schema.properties) || {});
			const fillPath = (v) =>
				path.replace(/\{(\w+)\}/g, (_, n) =>
					encodeURIComponent(n === 'kind' ? 'department' : v),
				);
			const paths = /sessions/.test(path)
					? [
							fillPath(foreign.session),
						] /* small numbers would be the caller's own */
					: inPath.length
						? values(inPath.join()).map(fillPath)
						: [path],
				plain = inPath.length
					? fillPath(/sessions/.test(path) ? 8007199254740991 : own.ticket)
					: path;
			const body = (more) => {
				if (method === 'get' || method === 'delete') return undefined;
				const all = Object.fromEntries(
					((schema && schema.required) || []).map((f) => [f, 'x']),
				);
				Object.assign(all, more);
				return type === FORM ? new URLSearchParams(all) : all;
			};
			for (const p of paths) yield { method, path: p, body: body({}) };
			for (const p of paths)
				yield { method, path: p, body: body({ text: 'x', reason: 'x' }) };
			for (const q of inQuery)
				for (const v of [
					...values(q),
					`${foreign.ticket}_${foreign.ticket}`,
					`9007199254740991_${foreign.ticket}`,
				])
					yield {
						method,
						path: `${plain}?${q}=${encodeURIComponent(v)}`,
						body: body({}),
					};
			for (const f of fields)
				for (const v of [
					...values(f),
					[foreign.ticket],
					{ id: foreign.ticket, tenant_id: foreign.tenant },
				])
					yield { method, path: plain, body: body({ [f]: v }) };
			if (method !== 'get' && method !== 'delete')
				yield { method, path: plain, body: body({ tenant_id: foreign.tenant }) };
			if (method === 'get') yield { method, path: `${plain}?tenant_id=${foreign.tenant}` };
		}
}

test('SEC-001 SEC-002: every route, every kind of foreign id: no foreign byte, no foreign row changed', async (t) => {
	/* the tables of the requests that filled it: rollups, mails and positions follow after a moment */
	const before = await settled(state),
		statuses = {};
	let n = 0;
	for (const [who, token] of Object.entries(people)) {
		const all = [...requests()];
		for (let i = 0; i < all.length; i += 8)
			await Promise.all(
				all.slice(i, i + 8).map(async (q) => {
					const r = await s.request(q.method.toUpperCase(), q.path, {
						token,
						...(q.body instanceof URLSearchParams
							? {
									raw: String(q.body),
									headers: { 'Content-Type': FORM },
								}
							: { body: q.body }),
					});
					n++;
					statuses[r.status] = (statuses[r.status] || 0) + 1;
					const sent = q.path + JSON.stringify(q.body || ''),
						text = r.text;
					assert.ok(
						r.status < 500 &&
							(r.status !== 401 ||
								/refresh|second-factor|passkey/.test(q.path)),
						`${who} ${q.method} ${sent}: ${text}`,
					);
					assert.ok(
						!text.includes(MARK) && !text.includes(MARK.toLowerCase()),
						`${who} ${q.method} ${sent}: ${text}`,
					);
					assert.ok(
						[...text.matchAll(/"tenant_id":(\d+)/g)].every(
							(m) => Number(m[1]) !== foreign.tenant,
						),
						`${who} ${q.method} ${sent}: ${text}`,
					);
				}),
			);
	}
	t.diagnostic(`${n} requests: ${JSON.stringify(statuses)}`);
	t.diagnostic(`${before.split('\n').length} tables`);
	assert.ok(n >= 4000, String(n));
	const after = state().split('\n');
	assert.deepStrictEqual(
		before.split('\n').filter((l, i) => l !== after[i]),
		[],
	);
});
test('a request that NAMES another tenant is forbidden; a foreign id is answered like a missing one', async () => {
	for (const token of Object.values(people)) {
		for (const p of ['', '/clocks', '/comments', '/history', '/sla']) {
			const [theirs, nobodys] = await Promise.all(
				[foreign.ticket, 8007199254740991].map((id) =>
					s.get(`/api/v1/tickets/${id}${p}`, token),
				),
			);
			assert.deepStrictEqual(
				[theirs.status, theirs.code],
				[nobodys.status, nobodys.code],
				p + theirs.text,
			);
			const plain = (r) => JSON.stringify({ ...r.json, timestamp: 0, request_id: 0 });
			assert.strictEqual(plain(theirs), plain(nobodys), 'and in the same words');
		}
		assert.strictEqual(
			(await s.get('/api/v1/tickets?tenant_id=' + foreign.tenant, token)).code,
			40003,
		);
		assert.strictEqual(
			(
				await s.post('/api/v1/tickets', token, {
					title: 'x',
					description: 'y',
					tenant_id: foreign.tenant,
				})
			).code,
			40003,
		);
	}
});
test('the response time does not distinguish a foreign id from a missing one', async () => {
	const median = (a) => [...a].sort((x, y) => x - y)[a.length >> 1],
		series = [];
	/* A difference caused by us appears in every series; one caused by the machine does not. */
	for (let n = 0; n < 4 && !series.some((d) => d < 0.1); n++) {
		const times = [[], []];
		for (let i = 0; i < 420; i++)
			for (const k of i % 2 ? [0, 1] : [1, 0]) {
				const at = process.hrtime.bigint();
				await s.get(
					'/api/v1/tickets/' + [foreign.ticket, 8007199254740991 - i][k],
					people.user,
				);
				if (i >= 20) times[k].push(Number(process.hrtime.bigint() - at));
			}
		const [a, b] = times.map(median);
		series.push(Math.abs(a - b) / Math.max(a, b));
	}
	assert.ok(series.at(-1) < 0.1, 'medians of 400 differ by ' + series);
});
test('the feed: no event of another tenant, whatever the client asks for', async () => {
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`),
		heard = [];
	ws.on('message', (m) => heard.push(m.toString()));
	await new Promise((ok) => ws.on('open', ok));
	ws.send(JSON.stringify({ op: 'auth', token: people.user }));
	await waitUntil(() => heard.some((m) => m.includes('welcome')));
	ws.send(
		JSON.stringify({
			op: 'subscribe',
			topics: ['overview', 'tickets', 'alerts'],
			since: { [foreign.tenant]: 0, [s.alpha]: 0 },
			tenant_id: foreign.tenant,
		}),
	);
	await waitUntil(() => heard.some((m) => /snapshot|resumed|error/.test(m)));
	const user = await s.login('user', 'beta'),
		mine = await s.post('/api/v1/tickets', people.user, { title: 'mine', description: 'x' });
	await s.post('/api/v1/tickets', user, { title: MARK, description: 'x' });
	await s.post('/api/v1/tickets', people.user, { title: 'last', description: 'x' });
	await waitUntil(() => heard.some((m) => m.includes('"last"')) || ws.readyState !== 1);
	assert.ok(mine.data.id);
	assert.ok(
		heard.every((m) => !m.includes(MARK) && !m.includes(`"tenant_id":${foreign.tenant}`)),
		heard.find((m) => m.includes(MARK)),
	);
	ws.close();
});
test('sladesk isolation check proves it against the running server, and finds a leak where there is one', async () => {
	const run = () => {
		try {
			return s.cli(['isolation', 'check', '--as', 'alpha', '--against', 'beta']);
		} catch (e) {
			return e.message;
		}
	};
	const out = run();
	assert.match(out, /isolated: no data was returned and no row changed/);
	assert.ok(Number(out.match(/(\d+) requests/)[1]) > 400, out);
	/* the catalogue names the tables that are compared; src/feature/selftest leaves out what the daemon writes by itself */
	const compared = Number(out.match(/in (\d+) tables/)[1]);
	assert.ok(compared <= tables().length && compared >= tables().length - 30, `${compared} of ${tables().length}`);
	/* what the limits refuse has not been tried; such requests are sent again */
	const limit = (limits) => {
		s.settings.limits = limits;
		fs.writeFileSync(s.file, s.conf());
		s.proc.kill('SIGHUP');
	};
	limit({ user_per_s: 600, user_burst: 300 });
	const token = s.token('alpha', 'tickets:read', 'limited');
	await waitUntil(async () => {
		const all = await Promise.all(
			Array.from({ length: 320 }, () => s.get('/api/v1/tickets?limit=1', token)),
		);
		return all.some((r) => r.status === 429);
	});
	const limited = run();
	limit({});
	assert.match(limited, /isolated: no data was returned and no row changed/);
	assert.doesNotMatch(limited, / 429: /);
	assert.deepStrictEqual(
		...[out, limited].map((text) => Number(text.match(/(\d+) requests/)[1])),
		'as many requests as without limits',
	);
	s.sql('create table forgotten (tenant_id bigint, note text)');
	s.sql('grant select on forgotten to sladesk_job');
	assert.match(run(), new RegExp(`in ${compared + 1} tables`));
	s.sql('drop table forgotten');
	assert.strictEqual(s.sql("select count(*) from api_tokens where name = 'isolation check'"), '0');
	assert.strictEqual(s.sql("select count(*) from sessions where device = 'isolation check'"), '0');
	s.sql('create policy leak on calendars for select to sladesk_app using (true)');
	const bad = run();
	s.sql('drop policy leak on calendars');
	assert.match(bad, /LEAK {2}GET \/api\/v1/);
	assert.match(bad, /NOT ISOLATED/);
});
