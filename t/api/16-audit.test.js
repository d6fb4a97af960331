// SPDX-License-Identifier: Apache-2.0
// The audit log contains every change, access to sensitive data, login and refusal; only the tenant sees it; any edited, removed or moved row is
// found and named; nothing is lost when the daemon stops or the database goes down.
// alone: stops PostgreSQL.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path'),
	zlib = require('node:zlib');
const { Server, waitUntil, pgctl, PASSWORD, SOCK } = require('../lib/server.js');

let s, admin, user, boss, other;
test.before(async () => {
	s = await Server.make('audit');
	[admin, user, boss, other] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('boss'),
		s.login('admin', 'beta'),
	]);
});
test.after(() => s.drop());
const log = async (token = admin, query = '') => {
	const r = await s.get('/api/v1/client/audit' + query, token);
	assert.strictEqual(r.status, 200, r.text);
	return r.data.items;
};
const verify = () => {
	try {
		return s.cli(['audit', 'verify', '--tenant', 'alpha']);
	} catch (e) {
		return e.message;
	}
};

test('who did what, when, from where, with what result', async () => {
	const made = await s.request('POST', '/api/v1/client/tickets', {
		token: user,
		body: { title: 'x', description: 'secret words' },
		headers: { 'User-Agent': 'Mozilla/5.0 "quoted"' },
	});
	assert.strictEqual(made.status, 201);
	await s.post(`/api/v1/client/tickets/${made.data.id}/reply`, user, { text: 'more secret words' });
	await s.post(`/api/v1/client/tickets/${made.data.id}/reply`, user, {});
	await s.get('/api/v1/client/admin/users', admin);
	await s.get('/api/v1/client/admin/users', user);
	await s.get('/api/v1/client/tickets', user);
	for (const password of ['wrong', PASSWORD])
		await s.post('/api/v1/client/auth/login', null, {
			username: 'user',
			password,
			tenant_id: s.alpha,
		});
	const rows = await waitUntil(async () => {
		const all = await log(admin, '?limit=200');
		return (
			all.filter((r) => r.operation === 'auth.login' && r.username === 'user').length >=
				3 && all
		);
	}, 5000);
	const has = (operation, username, result, status) =>
		rows.filter(
			(r) =>
				r.operation === operation &&
				r.username === username &&
				r.result === result &&
				r.status === status,
		);
	const [create] = has('tickets.create', 'user', 'success', 201);
	assert.match(create.audit_id, /^AUD-\d{8}-\d{3,}$/);
	assert.deepStrictEqual(
		[create.resource, create.ip_address, create.user_agent, create.request_id],
		['/api/v1/client/tickets', '127.0.0.1', 'Mozilla/5.0 "quoted"', made.headers['x-request-id']],
	);
	assert.strictEqual(
		has('tickets.reply', 'user', 'success', 200)[0].resource,
		`/api/v1/client/tickets/${made.data.id}/reply`,
	);
	assert.strictEqual(
		has('tickets.reply', 'user', 'refused', 422).length +
			has('tickets.reply', 'user', 'refused', 400).length,
		1,
	);
	assert.strictEqual(has('users.read', 'admin', 'success', 200).length, 1);
	assert.strictEqual(
		has('users.read', 'user', 'refused', 403).length,
		1,
		'a refusal is recorded, whatever the request was',
	);
	assert.strictEqual(has('auth.login', 'user', 'refused', 401).length, 1);
	assert.ok(has('auth.login', 'user', 'success', 200).length >= 2);
	assert.ok(!rows.some((r) => r.operation === 'tickets.read'), 'plain reads are not');
	assert.ok(!/secret words|eyJ|Bearer/.test(JSON.stringify(rows)), 'no texts, no tokens');
	assert.match(verify(), /alpha +\d+ rows +holds/);
});
test("what staff change of a customer's is in the customer's log, too: all that the customer sees, nothing else", async () => {
	const eng = await s.login('eng1'),
		ticket = async (token) =>
			(await s.post('/api/v1/client/tickets', token, { title: 'audited', description: 'd' })).data.id,
		[mine, theirs] = [await ticket(user), await ticket(await s.login('user', 'beta'))],
		act = async (id, what, body = {}) => {
			const r = await s.post(`/api/v1/tickets/${id}/${what}`, eng, body);
			assert.strictEqual(r.status, 200, what + r.text);
		};
	await act(mine, 'accept');
	await act(mine, 'note', { text: 'unseen note' });
	await act(mine, 'tags', { tags: ['unseen-tag'] });
	await act(mine, 'priority', { priority: 'P1', reason: 'more people' });
	await act(mine, 'reply', { text: 'seen words' });
	await act(theirs, 'reply', { text: 'of beta' });
	const its = async (token) =>
		(await log(token, '?limit=200&username=eng1')).filter((r) => r.actor_kind === 'staff').reverse();
	const rows = await waitUntil(async () => {
		const all = await its(admin);
		return all.length >= 3 && all;
	}, 5000);
	assert.deepStrictEqual(
		rows.map((r) => [r.operation, r.status, r.ip_address, r.user_agent]),
		['tickets.accept', 'tickets.priority', 'tickets.reply'].map((o) => [o, 200, '', '']),
	);
	const fields = rows[1].details.changes.flatMap((c) => c.fields);
	assert.deepStrictEqual(
		fields.filter((f) => f.field === 'priority').map((f) => f.after),
		['P1'],
	);
	assert.strictEqual(rows[1].resource, 'tickets/' + mine);
	assert.doesNotMatch(JSON.stringify(rows), /unseen|seen words|tags|"internal"|tickets\/0/);
	assert.deepStrictEqual(
		(await its(other)).map((r) => [r.operation, r.tenant_id]),
		[['tickets.reply', s.beta]],
	);
	/* the provider's own log has all of it, each once */
	const own = await waitUntil(async () => {
		const r = await s.get('/api/v1/audit?limit=200&username=eng1', boss);
		assert.strictEqual(r.status, 200, r.text);
		const found = r.data.items.filter((i) => /^tickets\.(accept|note|tags|priority|reply)$/.test(i.operation));
		return found.length >= 6 && found;
	}, 5000);
	assert.strictEqual(own.length, 6);
	assert.match(verify(), /alpha +\d+ rows +holds/);
});
test('filters and pages; other tenants cannot read it', async () => {
	const all = await log(admin, '?limit=200');
	assert.ok(
		(await log(admin, '?username=user&result=refused')).every(
			(r) => r.username === 'user' && r.result === 'refused',
		),
	);
	assert.deepStrictEqual(await log(admin, '?from=2099-01-01T00:00:00Z'), []);
	assert.strictEqual((await s.get('/api/v1/client/audit?from=soon', admin)).code, 40001);
	const first = await s.get('/api/v1/client/audit?limit=3', admin),
		second = await s.get('/api/v1/client/audit?limit=3&cursor=' + first.data.next_cursor, admin);
	assert.strictEqual(second.status, 200, second.text);
	assert.deepStrictEqual(
		[...first.data.items, ...second.data.items].map((r) => r.chain_no).slice(-5),
		[...Array(6)].map((_, i) => first.data.items[0].chain_no - i).slice(-5),
	);
	assert.ok(all.every((r) => r.tenant_id === s.alpha));
	assert.strictEqual((await s.get('/api/v1/client/audit', user)).code, 40003);
	assert.strictEqual((await s.get(`/api/v1/client/audit?tenant_id=${s.alpha}`, other)).code, 40003);
	assert.ok((await log(other)).every((r) => r.tenant_id === s.beta));
	assert.ok((await s.get(`/api/v1/audit?tenant_id=${s.alpha}`, boss)).data.items.length > 0);
	for (const sql of [
		'update audit_logs set username = username',
		'delete from audit_logs',
		'insert into audit_logs select * from audit_logs',
	])
		assert.throws(() => s.sql(`set role sladesk_app; ${sql}`), /permission denied/);
	assert.throws(() => s.sql('set role sladesk_job; delete from audit_logs'), /permission denied/);
});
test('past months move into files; the chain continues through them, and a changed file is named', async () => {
	const dir = path.join(s.dir, 'archive'),
		gz = () =>
			fs
				.readdirSync(dir)
				.filter((f) => f.endsWith('.gz'))
				.sort(),
		count = () => Number(s.sql(`select count(*) from audit_logs where tenant_id = ${s.beta}`)),
		run = (...args) =>
			s.cli([
				...['audit', 'archive', '--dir', dir, '--tenant', 'beta', '--owner-url'],
				`host=${SOCK} dbname=${s.db} user=sladesk_owner`,
				...args,
			]),
		look = (...args) => {
			try {
				return s.cli(['audit', 'verify', '--tenant', 'beta', ...args]);
			} catch (e) {
				return e.message;
			}
		};
	for (let i = 0; i < 12; i++)
		await s.post('/api/v1/client/tickets', other, { title: '工单 ' + i, description: 'y' });
	await waitUntil(
		() =>
			s.sql(
				`select count(*) from audit_logs where tenant_id = ${s.beta} and operation = 'tickets.create'`,
			) >= 12,
	); // rows are appended in the order of the requests: all are here
	/* move the rows to earlier months, with a chain for those times */
	s.sql(`do $$ declare r audit_logs; b bytea := ''; begin
		for r in select * from audit_logs where tenant_id = ${s.beta} order by chain_no loop
			r.at := r.at - case when r.chain_no <= 4 then interval '8 years' when r.chain_no <= 7 then interval '99 days'
				when r.chain_no <= 9 then interval '68 days' else interval '0' end;
			r.day := (r.at at time zone 'UTC')::date; r.digest := audit_digest(b, r); b := r.digest;
			update audit_logs set at = r.at, day = r.day, digest = r.digest, day_no = 1000 + r.chain_no where tenant_id = r.tenant_id and chain_no = r.chain_no;
		end loop; end $$;
		delete from audit_anchors where tenant_id = ${s.beta};
		insert into audit_anchors select tenant_id, '2001-01-01', chain_no, digest, at from audit_logs where tenant_id = ${s.beta} and chain_no = 6`);
	assert.match(look(), /holds/);
	const all = count(),
		out = run('--keep-years', '20');
	assert.strictEqual(gz().length, 3, out);
	assert.match(out, /audit-beta-\d{4}-\d\d-1-4\.ndjson\.gz: 4 rows/);
	assert.strictEqual(count(), all - 9);
	assert.match(look(), /holds .* files up to 9 not checked/);
	assert.match(look('--dir', dir), /holds .* files up to 9 hold/);
	assert.strictEqual(run('--keep-years', '20'), '', 'once');
	await s.post('/api/v1/client/tickets', other, { title: 'after', description: 'y' });
	await waitUntil(() => count() === all - 8);
	assert.match(look('--dir', dir), /holds .* hold/, 'the chain continues');
	/* the files can be verified with nothing but gzip and SHA-256 */
	const rows = gz()
		.map((f) => zlib.gunzipSync(fs.readFileSync(path.join(dir, f))).toString())
		.join('')
		.trim()
		.split('\n');
	let before = Buffer.alloc(0);
	const chained = [];
	for (const r of rows) {
		const values = JSON.parse(r.slice(65));
		before = crypto
			.createHash('sha256')
			.update(before)
			.update(values.map((v) => [...v].length + ':' + v).join(','))
			.digest();
		chained.push([Number(values[1]), before.toString('hex') === r.slice(0, 64)]);
	}
	assert.deepStrictEqual(
		chained,
		[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [n, true]),
	);
	/* changed, truncated or missing: each is named */
	const one = path.join(
			dir,
			gz().find((f) => /-5-7\./.test(f)),
		),
		was = fs.readFileSync(one),
		text = zlib.gunzipSync(was).toString();
	for (const [bytes, expected] of [
		[zlib.gzipSync(text.replace('"success"', '"refused"')), /row was changed/],
		[zlib.gzipSync(text.split('\n').slice(1).join('\n')), /row was changed/],
		[zlib.gzipSync(text.split('\n').slice(0, 2).join('\n') + '\n'), /truncated/],
		[was.subarray(0, was.length - 12), /truncated|not a valid row/],
		[zlib.gzipSync(text, { level: 1 }), /the file differs from what was written/],
		[Buffer.from('nothing'), /not a valid row/],
	]) {
		fs.writeFileSync(one, bytes);
		const said = look('--dir', dir);
		assert.match(said, expected);
		assert.match(said, /-5-7\.ndjson\.gz: BROKEN.*\n.*files BROKEN: 1/);
	}
	fs.unlinkSync(one);
	assert.match(look('--dir', dir), /the file is missing/);
	fs.writeFileSync(one, was);
	s.sql(`update audit_anchors set digest = sha256('x') where tenant_id = ${s.beta} and chain_no = 6`);
	assert.match(look('--dir', dir), /not the row that was anchored/);
	s.sql(`delete from audit_anchors where tenant_id = ${s.beta} and chain_no = 6`);
	/* seven years have passed */
	assert.match(run(), /-1-4\.ndjson\.gz: removed, older than 7 years/);
	assert.strictEqual(gz().length, 2);
	assert.match(look('--dir', dir), /holds .* hold/);
	/* a chain that fails verification is not moved; the daemon's own roles may not do any of
	 * this */
	s.sql(`update audit_logs set username = 'mallory' where tenant_id = ${s.beta} and chain_no = 11`);
	assert.throws(() => run('--before', s.sql("select to_char(now(), 'YYYY-MM')")), /BROKEN at 11/);
	assert.throws(() => run('--before', '2026-13'), /a month, such as/);
	assert.throws(() => s.sql('set role sladesk_job; delete from audit_archives'), /permission denied/);
});
test('an edited, a removed and a moved row are found and named', async () => {
	const one = (sql) => s.sql(sql).trim(),
		n = Number(one(`select max(chain_no) - 2 from audit_logs where tenant_id = ${s.alpha}`));
	const tamper = (sql, undo, expected) => {
		s.sql(sql);
		assert.match(verify(), expected);
		s.sql(undo);
		assert.match(verify(), /holds/);
	};
	const row = `tenant_id = ${s.alpha} and chain_no = ${n}`;
	tamper(
		`update audit_logs set username = 'mallory' where ${row}`,
		`update audit_logs set username = '${one(`select username from audit_logs where ${row}`)}' where ${row}`,
		new RegExp(`BROKEN at ${n}: the row was changed`),
	);
	tamper(
		`update audit_logs set at = at + interval '1 microsecond' where ${row}`,
		`update audit_logs set at = at - interval '1 microsecond' where ${row}`,
		new RegExp(`BROKEN at ${n}: the row was changed`),
	);
	tamper(
		`create table kept as select * from audit_logs where ${row}; delete from audit_logs where ${row}`,
		'insert into audit_logs select * from kept; drop table kept',
		new RegExp(`BROKEN at ${n}: a row is missing`),
	);
	tamper(
		`update audit_logs set chain_no = -chain_no where tenant_id = ${s.alpha} and chain_no in (${n}, ${n + 1}); update audit_logs set chain_no = ${2 * n + 1} + chain_no where tenant_id = ${s.alpha} and chain_no < 0`,
		`update audit_logs set chain_no = -chain_no where tenant_id = ${s.alpha} and chain_no in (${n}, ${n + 1}); update audit_logs set chain_no = ${2 * n + 1} + chain_no where tenant_id = ${s.alpha} and chain_no < 0`,
		new RegExp(`BROKEN at ${n}`),
	);
});
test('nothing is lost when the daemon stops at once or the database is down for a while', async () => {
	const count = () =>
			Number(s.sql("select count(*) from audit_logs where operation = 'tickets.create'")),
		before = count();
	await Promise.all(
		[...Array(40)].map((_, i) =>
			s.post('/api/v1/client/tickets', user, { title: 'n' + i, description: 'y' }),
		),
	);
	await s.stop();
	assert.strictEqual(count(), before + 40, 'stored before the daemon exited');
	await s.start();
	pgctl('stop', '-m', 'fast');
	const refused = await s.post('/api/v1/client/tickets', user, { title: 'x', description: 'y' });
	pgctl('start');
	assert.ok(refused.status === 503 || refused.status === 401, refused.text);
	/* the session may be known from memory while writes are still refused */
	await waitUntil(
		async () =>
			(await s.post('/api/v1/client/tickets', user, { title: 'x', description: 'y' }))
				.status === 201,
		10000,
	);
	await waitUntil(
		() =>
			count() ===
			before +
				41 +
				/* the refused requests too, if they came far enough to have a
				 * session */
				s.sql(
					"select count(*) from audit_logs where operation = 'tickets.create' and result = 'error'",
				) *
					1,
		10000,
	);
	assert.match(verify(), /holds/);
});
test('a row that the database refuses does not hold up others, and is kept in the log', async () => {
	const count = () =>
			Number(
				s.sql(
					"select count(*) from audit_logs where operation = 'auth.login' and result = 'refused'",
				),
			),
		before = count();
	s.sql(
		"create function refuse() returns trigger language plpgsql as $$ begin if new.username = 'mallory' then raise exception 'poisoned'; end if; return new; end $$; create trigger refuse before insert on audit_logs for each row execute function refuse()",
	);
	await Promise.all(
		['a', 'b', 'mallory', 'c', 'd', 'e'].map((username) =>
			s.post('/api/v1/client/auth/login', null, {
				username,
				password: 'wrong',
				tenant_id: s.alpha,
			}),
		),
	);
	await waitUntil(() => count() === before + 5, 5000);
	await waitUntil(() =>
		/audit row refused by the database, kept in this log only row=.*mallory/.test(s.log),
	);
	assert.strictEqual(await s.metric('audit_refused_total'), 1);
	s.sql('drop trigger refuse on audit_logs');
	assert.match(verify(), /holds/);
});
test('rows are numbered by day; plain reads are counted without loss; address and browser are encrypted at rest', async () => {
	for (let i = 0; i < 7; i++) await s.get('/api/v1/client/tickets', user);
	const [one, two] = s
		.sql(
			`select id from (select id from tickets where tenant_id = ${s.alpha} order by id desc limit 2) t order by id`,
		)
		.split('\n');
	for (const id of [one, two, one])
		assert.strictEqual((await s.get('/api/v1/client/tickets/' + id, user)).status, 200);
	await s.get('/api/v1/client/workspace', user);
	await s.stop();
	await s.start();
	const rows = await log(admin, '?limit=200'),
		reads = rows.find((r) => r.operation === 'tickets.read' && r.resource === '/api/v1/client/tickets');
	assert.deepStrictEqual(
		[reads.username, reads.details.reads, reads.resource],
		['user', 7, '/api/v1/client/tickets'],
	);
	const newest = s
		.sql(
			`select id from tickets where tenant_id = ${s.alpha} order by opened_at desc, id desc limit 20`,
		)
		.split('\n')
		.map(Number);
	assert.strictEqual(newest.length, 20);
	assert.deepStrictEqual(
		reads.details.lists,
		[{ count: 20, ids: newest }],
		'the same list seven times is one list',
	);
	assert.deepStrictEqual(rows.find((r) => r.operation === 'workspace.read').details, { reads: 1 });
	assert.deepStrictEqual(
		rows.find((r) => r.resource === '/api/v1/client/tickets/{id}' && r.details.reads).details,
		{ reads: 3, objects: [one, two] },
		'the row names what was read',
	);
	const day = new Date().toISOString().slice(0, 10).replaceAll('-', ''),
		today = rows.filter((r) => r.audit_id.startsWith(`AUD-${day}-`));
	assert.strictEqual(new Set(rows.map((r) => r.audit_id)).size, rows.length);
	assert.ok(today.length > 5);
	assert.match(today.at(-1).audit_id, /-\d{3,}$/);
	const [address, agent, details] = s
		.sql(
			`select address, user_agent, details from audit_logs where operation = 'tickets.create' limit 1`,
		)
		.split('|');
	for (const v of [address, agent]) assert.match(v, /^e1\.1000\./);
	assert.match(details, /^"e1\.1000\./);
	assert.match(verify(), /holds/);
});
test('ids stay unique beyond 999 rows a day', async () => {
	const row = `jsonb_build_object('tenant_id', ${s.alpha}, 'at', 1e15::bigint, 'actor_kind', 'x', 'actor_id', 0, 'username', 'many', 'operation', 'many', 'resource', '', 'result', 'success', 'status', 200, 'address', '', 'user_agent', '', 'request_id', '', 'details', '{}'::jsonb)`;
	s.sql(`select audit_append(jsonb_agg(${row})) from generate_series(1, 1012)`);
	const ids = [];
	for (let cursor = ''; cursor !== null && ids.length < 1100; ) {
		const r = await s.get(
			'/api/v1/client/audit?limit=200&username=many' + (cursor && '&cursor=' + cursor),
			admin,
		);
		ids.push(...r.data.items.map((x) => x.audit_id));
		cursor = r.data.next_cursor;
	}
	assert.strictEqual(ids.length, 1012);
	assert.strictEqual(new Set(ids).size, 1012);
	assert.deepStrictEqual([ids[0], ids.at(-1)], ['AUD-20010909-1012', 'AUD-20010909-001']);
});
test('the log as a table, for a spreadsheet', async () => {
	const r = await s.get('/api/v1/client/audit/export?operation=tickets.create', admin);
	assert.strictEqual(r.status, 200);
	assert.match(r.headers['content-type'], /text\/csv/);
	assert.match(r.headers['content-disposition'], /audit-\d{4}-\d\d-\d\d\.csv/);
	const lines = r.text.replace('\ufeff', '').trim().split('\r\n');
	assert.match(lines[0], /^audit_id,tenant_id,chain_no,timestamp,/);
	const n = Number(
		s.sql(
			`select count(*) from audit_logs where tenant_id = ${s.alpha} and operation = 'tickets.create'`,
		),
	);
	assert.strictEqual(lines.length, n + 1);
	assert.match(lines[1], /"127\.0\.0\.1"/);
	assert.match(lines.at(-1), /"Mozilla\/5\.0 ""quoted"""/);
	s.sql(
		`select audit_append(jsonb_build_array(jsonb_build_object('tenant_id', ${s.alpha}, 'at', 1, 'actor_kind', 'x', 'actor_id', 0, 'username', '=cmd|calc', 'operation', 'formula', 'resource', '', 'result', 'success', 'status', 200, 'address', '', 'user_agent', '', 'request_id', '', 'details', '{}'::jsonb)))`,
	);
	assert.match(
		(await s.get('/api/v1/client/audit/export?operation=formula', admin)).text,
		/"'=cmd\|calc"/,
	);
	assert.strictEqual((await s.get('/api/v1/client/audit/export', user)).code, 40003);
	assert.strictEqual(
		(await s.get(`/api/v1/client/audit/export?tenant_id=${s.beta}`, admin)).code,
		40003,
	);
	assert.strictEqual((await s.get('/api/v1/client/audit/export?from=x', admin)).code, 40001);
});
test('a chain that was truncated or rewritten is detected by its anchor', async () => {
	await s.stop(); // a row that the daemon appends late would take a number of those removed here
	const at = Date.now() * 1000;
	assert.strictEqual(s.sql(`select count(*) from audit_anchor(${at})`), '3');
	assert.strictEqual(s.sql(`select count(*) from audit_anchor(${at})`), '0', 'once a day');
	assert.match(verify(), /holds/);
	s.sql(
		`create table kept as select a.* from audit_logs a join audit_anchors x on x.tenant_id = a.tenant_id and a.chain_no >= x.chain_no where a.tenant_id = ${s.alpha}; delete from audit_logs a using kept k where a.tenant_id = k.tenant_id and a.chain_no = k.chain_no`,
	);
	assert.match(verify(), /BROKEN at \d+: not the row that was anchored on/);
	s.sql('insert into audit_logs select * from kept; drop table kept');
	assert.match(verify(), /holds/);
});
