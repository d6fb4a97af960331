// SPDX-License-Identifier: Apache-2.0
// Exports: requested as in the product document, written as a job, downloaded by authorised users; a file contains only what its creator may see;
// a job of a process that died is started again.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	zlib = require('node:zlib');
const { Server, waitUntil, PASSWORD } = require('../lib/server.js');

const PATH = '/api/v1/client/export/data';
let s, admin, manager, user, beta;
const ids = {};
test.before(async () => {
	s = await Server.make('export', { log: { level: 'debug' } });
	s.cli(
		[
			...['user', 'add', '--tenant', 'alpha', '--username', 'mgr', '--name', 'mgr'],
			...['--email', 'mgr@alpha.example', '--lang', 'zh', '--role', 'manager'],
		],
		PASSWORD + '\n',
	);
	[admin, manager, user, beta] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('mgr', 'alpha'),
		s.login('user', 'alpha'),
		s.login('admin', 'beta'),
	]);
	for (const [name, priority, department, title] of [
		['one', 'P1', 'IT', '=HYPERLINK("http://evil.example","x")'],
		['two', 'P2', 'HR', '引号 " 逗号 , 换行\nx'],
		['three', 'P3', 'IT', 'plain'],
	]) {
		const r = await s.post('/api/v1/tickets', user, { title, description: 'y', priority });
		assert.strictEqual(r.status, 201, r.text);
		ids[name] = r.data.number;
		s.sql(`update tickets set department = '${department}' where id = ${r.data.id}`);
	}
	await s.post('/api/v1/tickets', beta, { title: 'of beta', description: 'y', priority: 'P1' });
});
test.after(() => s.drop());

const ask = async (token, body) => {
	const r = await s.post(PATH, token, { export_type: 'ticket_data', ...body });
	assert.strictEqual(r.status, 202, r.text);
	return r.data.export_id;
};
const done = (token, id) =>
	waitUntil(async () => {
		const r = await s.get(`${PATH}/${id}`, token);
		assert.strictEqual(r.status, 200, r.text);
		return r.data.status !== 'processing' && r.data;
	});
const fetched = async (token, url) => {
	const r = await fetch(`http://127.0.0.1:${s.port}${url}`, {
		headers: { Authorization: 'Bearer ' + token },
	});
	return { status: r.status, headers: r.headers, bytes: Buffer.from(await r.arrayBuffer()) };
};
const taken = async (token, body) => {
	const d = await done(token, await ask(token, body));
	assert.strictEqual(d.status, 'completed', d.error);
	return fetched(token, d.download_url);
};
const numbers = (json) => JSON.parse(json).map((t) => t.ticket_id);

test('an export: a job, its progress, a file that a spreadsheet opens without running formulas', async () => {
	const day = (ago) => new Date(Date.now() + 8 * 3600e3 - ago * 86400e3).toISOString().slice(0, 10),
		r = await s.post(PATH, admin, {
			export_type: 'ticket_data',
			format: 'excel',
			parameters: {
				date_range: [day(30), day(0)],
				columns: [
					'ticket_id',
					'title',
					'status',
					'priority',
					'created_at',
					'resolved_at',
				],
				filters: {
					status: ['new', 'resolved', 'closed'],
					priority: ['high', 'medium'],
				},
			},
			options: { include_headers: true, max_records: 50000, compression: false },
		});
	assert.strictEqual(r.status, 202, r.text);
	assert.match(r.data.export_id, /^EXP-\d{8}-001$/);
	assert.deepStrictEqual(
		[r.data.status, r.data.download_url, r.data.estimated_records],
		['processing', null, 2],
	);
	assert.match(r.data.estimated_size, /^\d+KB$/);
	assert.ok(r.data.estimated_time >= 1 && Date.parse(r.data.expires_at) > Date.now() + 6 * 86400e3);
	const d = await done(admin, r.data.export_id);
	assert.deepStrictEqual([d.status, d.records, d.format], ['completed', 2, 'csv']);
	const f = await fetched(admin, d.download_url);
	assert.strictEqual(f.status, 200);
	assert.deepStrictEqual(
		['content-type', 'content-disposition', 'cache-control', 'content-length'].map((h) =>
			f.headers.get(h),
		),
		[
			'text/csv; charset=utf-8',
			`attachment; filename="${r.data.export_id.toLowerCase()}.csv"`,
			'no-store',
			String(d.size_bytes),
		],
	);
	const lines = f.bytes.toString().split('\r\n');
	assert.strictEqual(lines[0], '\ufeffticket_id,title,status,priority,created_at,resolved_at');
	assert.ok(lines[1].startsWith(`"${ids.two}","引号 "" 逗号 , 换行\nx","new","P2","20`), lines[1]);
	assert.ok(lines[2].startsWith(`"${ids.one}","'=HYPERLINK(""http://evil.example"",""x"")"`), lines[2]);
	assert.strictEqual(lines.length, 4);
	const list = (await s.get(PATH, admin)).data;
	assert.deepStrictEqual(
		list.items.map((e) => [e.export_id, e.status, e.file_id]),
		[[r.data.export_id, 'completed', d.file_id]],
	);
	for (const change of ['claim -> begin', 'read -> write', 'write -> stored', 'stored -> end'])
		assert.match(s.log, new RegExp(`flow=export id=\\d+ ${change} \\d+ms`));
});
test('JSON, compressed, without headers, and no more than requested', async () => {
	const json = await taken(admin, {
		format: 'json',
		parameters: { columns: ['ticket_id', 'sla_breached'] },
	});
	assert.deepStrictEqual(
		JSON.parse(json.bytes),
		['three', 'two', 'one'].map((n) => ({ ticket_id: ids[n], sla_breached: false })),
	);
	const gz = await taken(admin, { format: 'json', options: { compression: true } });
	assert.strictEqual(gz.headers.get('content-type'), 'application/gzip');
	assert.deepStrictEqual(numbers(zlib.gunzipSync(gz.bytes)), [ids.three, ids.two, ids.one]);
	const two = await taken(admin, {
		parameters: { columns: ['ticket_id'] },
		options: { include_headers: false, max_records: 2 },
	});
	assert.strictEqual(two.bytes.toString(), `\ufeff"${ids.three}"\r\n"${ids.two}"\r\n`);
	const none = await taken(admin, { format: 'json', parameters: { filters: { status: ['closed'] } } });
	assert.deepStrictEqual(JSON.parse(none.bytes), []);
	const long_ago = await taken(admin, {
		format: 'json',
		parameters: { date_range: ['2020-01-01', '2020-12-31'] },
	});
	assert.deepStrictEqual(JSON.parse(long_ago.bytes), []);
});
test('access: by permission, own or all exports of the company, only visible tickets, never another customer’s', async () => {
	assert.strictEqual((await s.post(PATH, user, { export_type: 'ticket_data' })).code, 40003);
	assert.strictEqual(
		(await s.post(PATH, await s.login('boss'), { export_type: 'ticket_data' })).code,
		40003,
	);
	assert.deepStrictEqual(
		numbers((await taken(beta, { format: 'json' })).bytes).length,
		1,
		'one of beta',
	);
	const mgr = s.sql(`select id from client_users where username = 'mgr'`);
	const granted = await s.request('PUT', `/api/v1/client/admin/users/${mgr}/permissions`, {
		token: admin,
		body: {
			grants: [
				{
					resource_type: 'ticket',
					permissions: { read: true },
					data_scope: { departments: ['IT'] },
				},
			],
		},
	});
	assert.strictEqual(granted.status, 200, granted.text);
	manager = await s.login('mgr', 'alpha');
	const mine = await ask(manager, { format: 'json' }),
		d = await done(manager, mine),
		f = await fetched(manager, d.download_url);
	assert.deepStrictEqual(numbers(f.bytes), [ids.three, ids.one]);
	const every = (await s.get(PATH, admin)).data.items,
		theirs = every.find((e) => e.export_id !== mine),
		paged = [];
	for (let next = ''; next !== null;) {
		const page = await s.get(`${PATH}?limit=1${next && '&cursor=' + next}`, admin);
		assert.strictEqual(page.status, 200, page.text);
		paged.push(...page.data.items.map((e) => e.export_id));
		next = page.data.next_cursor ?? null;
	}
	assert.deepStrictEqual(
		paged,
		every.map((e) => e.export_id),
		'page by page, all of them once',
	);
	assert.strictEqual((await s.get(`${PATH}/${theirs.export_id}`, manager)).code, 41001);
	assert.strictEqual((await s.get(`${PATH}/${mine}`, admin)).status, 200, 'export:all sees all');
	assert.deepStrictEqual(
		(await s.get(PATH, manager)).data.items.map((e) => e.export_id),
		[mine],
	);
	const url = `/api/v1/client/files/download/${d.file_id}`;
	assert.strictEqual(d.download_url, url, 'an address carries no token');
	assert.strictEqual((await fetched(manager, url)).status, 200, 'the session alone is enough');
	assert.strictEqual((await fetched(admin, url)).status, 200);
	assert.strictEqual((await fetched(admin, url + '?token=x')).status, 200, 'a token is ignored');
	for (const [token, address] of [
		[beta, d.download_url],
		[beta, url + '?token=' + manager],
		[admin, '/api/v1/client/files/download/999999'],
		[admin, '/api/v1/client/files/download/x'],
	])
		assert.strictEqual((await fetched(token, address)).status, 404, address);
	assert.strictEqual((await fetched('', d.download_url)).status, 401, 'a link alone opens nothing');
	s.sql(`update files set expires_at = now() - interval '1 second' where id = ${d.file_id}`);
	assert.strictEqual((await fetched(admin, url)).status, 404, 'it has expired');
});
test('each wrong field is named, with the rule', async () => {
	const r = await s.post(PATH, admin, {
		export_type: 'everything',
		format: 'pdf',
		parameters: {
			date_range: ['2026-02-01', '2026-01-01'],
			columns: ['ticket_id', 'ticket_id'],
			filters: {
				status: ['lost'],
				priority: 'P1',
				service_type: ['x'.repeat(101)],
				more: 1,
			},
			else: 1,
		},
		options: { include_headers: 'yes', max_records: 0, compression: 1, other: true },
		extra: 1,
	});
	assert.strictEqual(r.code, 40001);
	assert.deepStrictEqual(r.json.details.fields.map((f) => f.field).sort(), [
		'export_type',
		'extra',
		'format',
		'options.compression',
		'options.include_headers',
		'options.max_records',
		'options.other',
		'parameters.columns',
		'parameters.date_range',
		'parameters.else',
		'parameters.filters.more',
		'parameters.filters.priority',
		'parameters.filters.service_type',
		'parameters.filters.status',
	]);
	for (const body of [{}, { export_type: 5 }, { export_type: 'ticket_data', parameters: [] }])
		assert.strictEqual((await s.post(PATH, admin, body)).code, 40001);
	assert.strictEqual((await s.get(PATH + '/EXP-20200101-001', admin)).code, 41001);
});
test('many rows and pages; a file that would be too large is refused with advice; at most ten jobs wait', async () => {
	const columns = s.sql(
		"select string_agg(quote_ident(column_name), ',') from information_schema.columns where table_name = 'tickets' and column_name not in ('id', 'number')",
	);
	s.sql(
		`insert into tickets (${columns}) select ${columns} from (select * from tickets where number = '${ids.three}') t, generate_series(1, 3000)`,
	);
	const all = numbers(
		(await taken(admin, { format: 'json', parameters: { columns: ['ticket_id'] } })).bytes,
	);
	assert.strictEqual(all.length, 3003);
	assert.strictEqual(new Set(all).size, 3003);
	s.sql(`update tickets set title = repeat('长', 200) where tenant_id = ${s.alpha}`);
	s.sql(
		`insert into tickets (${columns}) select ${columns} from (select * from tickets where number = '${ids.three}') t, generate_series(1, 12000)`,
	);
	const big = await done(admin, await ask(admin, {}));
	assert.strictEqual(big.status, 'failed');
	assert.deepStrictEqual([big.error, big.error_code], ['too_large', 41004]);
	assert.match(
		big.error_text,
		/8 MiB; narrow the date range, choose fewer columns, or enable compression/,
	);
	assert.strictEqual(big.download_url, null);
	assert.strictEqual(
		s.sql(
			`select count(*) from file_parts p where not exists (select from files f where f.id = p.file_id)`,
		),
		'0',
	);
	const small = await taken(admin, { options: { compression: true } });
	assert.strictEqual(zlib.gunzipSync(small.bytes).toString().split('\r\n').length, 15003 + 2);
	/* the list of exports has pages, too */
	const first = await s.get(PATH + '?limit=2', admin),
		rest = await s.get(PATH + '?limit=2&cursor=' + first.data.next_cursor, admin);
	assert.strictEqual(rest.status, 200, rest.text);
	assert.ok(rest.data.items.length > 0);
	assert.ok(rest.data.items[0].id < first.data.items[1].id);
	s.sql(
		`insert into exports (tenant_id, day, day_no, user_id, export_type, format, columns, scope, headers, compressed, max_records, estimated, claim_until, created_at, expires_at) select ${s.alpha}, '2001-01-01', n, 1, 'ticket_data', 'csv', '{title}', '', true, false, 1, 1, now() + interval '1 hour', now(), now() + interval '1 hour' from generate_series(1, 10) n`,
	);
	const no = await s.post(PATH, admin, { export_type: 'ticket_data' });
	assert.deepStrictEqual(
		[no.code, no.json.details.limit, no.json.details.max],
		[41004, 'exports_queued', 10],
	);
	s.sql("delete from exports where day = '2001-01-01'");
});
test('if a daemon dies, the next one starts the export again; after three attempts it fails for good', async () => {
	s.sql(
		'create table slow (x int); create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.2); return new; end $$; create trigger slow before insert on file_parts for each row execute function slow()',
	);
	const id = await ask(admin, { format: 'json', parameters: { columns: ['ticket_id'] } });
	await waitUntil(
		() =>
			s.sql(
				`select count(*) from file_parts p join exports e on e.file_id = p.file_id where e.export_no = '${id}'`,
			) > 1,
	);
	await s.stop('SIGKILL');
	s.sql('drop trigger slow on file_parts');
	s.sql(`update exports set claim_until = now() where export_no = '${id}'`);
	await s.start();
	const d = await done(admin, id);
	assert.deepStrictEqual([d.status, d.records], ['completed', 15003]);
	const f = await fetched(admin, d.download_url);
	assert.strictEqual(new Set(numbers(f.bytes)).size, 15003);
	assert.strictEqual(s.sql(`select attempts from exports where export_no = '${id}'`), '2');
	s.sql(
		`update exports set status = 'processing', attempts = 3, claim_until = now() where export_no = '${id}'`,
	);
	const g = await waitUntil(async () => {
		const r = (await s.get(`${PATH}/${id}`, admin)).data;
		return r.status === 'failed' && r;
	});
	assert.deepStrictEqual(
		[g.download_url, g.error, g.error_text],
		[null, 'not_written', 'writing the file failed three times; request the export again'],
	);
	assert.strictEqual(await s.metric('exports_failed_total'), 1);
});
test('a download continues where it was cut: every range of a file in parts, HEAD, If-Range, and what cannot be', async () => {
	const d = await done(
			admin,
			await ask(admin, {
				format: 'json',
				parameters: { columns: ['ticket_id', 'title'] },
				options: { max_records: 3000 },
			}),
		),
		url = d.download_url,
		ends = s
			.sql(
				`select string_agg(n::text, ',' order by part_no) from (select part_no, sum(octet_length(content)) over (order by part_no) as n from file_parts where file_id = ${d.file_id}) x`,
			)
			.split(',')
			.map(Number),
		size = d.size_bytes;
	assert.ok(ends.length > 2 && ends.at(-1) === size, String(ends));
	const get = async (headers, method = 'GET') => {
		const r = await fetch(`http://127.0.0.1:${s.port}${url}`, {
			method,
			headers: { Authorization: 'Bearer ' + admin, ...headers },
		});
		return {
			status: r.status,
			h: (n) => r.headers.get(n),
			bytes: Buffer.from(await r.arrayBuffer()),
		};
	};
	const whole = await get({}),
		etag = whole.h('etag');
	assert.deepStrictEqual(
		[whole.status, whole.bytes.length, whole.h('accept-ranges')],
		[200, size, 'bytes'],
	);
	assert.match(etag, /^"[^"]+"$/);
	const edges = [0, 1, size - 1, ...ends.slice(0, 4).flatMap((n) => [n - 1, n, n + 1])].filter(
		(n) => n >= 0 && n < size,
	);
	for (const from of edges)
		for (const to of [...edges, size + 5, ''].filter((n) => n === '' || n >= from)) {
			const r = await get({ Range: `bytes=${from}-${to}` }),
				last = to === '' ? size - 1 : Math.min(to, size - 1);
			assert.deepStrictEqual(
				[r.status, r.h('content-range'), r.h('content-length')],
				[206, `bytes ${from}-${last}/${size}`, String(last - from + 1)],
			);
			assert.ok(r.bytes.equals(whole.bytes.subarray(from, last + 1)), `${from}-${to}`);
		}
	const tail = await get({ Range: 'bytes=-10', 'If-Range': etag });
	assert.deepStrictEqual([tail.status, tail.bytes.equals(whole.bytes.subarray(-10))], [206, true]);
	for (const [why, headers] of Object.entries({
		'another ETag': { Range: 'bytes=0-3', 'If-Range': '"other"' },
		'a weak one': { Range: 'bytes=0-3', 'If-Range': 'W/' + etag },
		'a date': { Range: 'bytes=0-3', 'If-Range': 'Sat, 28 Nov 2026 00:00:00 GMT' },
		'several ranges': { Range: 'bytes=0-3,5-7' },
		'another unit': { Range: 'lines=0-3' },
		'no range': { Range: 'bytes=3-1' },
	})) {
		const r = await get(headers);
		assert.deepStrictEqual(
			[r.status, r.h('content-range'), r.bytes.length],
			[200, null, size],
			why,
		);
	}
	const no = await get({ Range: `bytes=${size}-`, 'Accept-Language': 'en' }),
		error = JSON.parse(no.bytes);
	assert.deepStrictEqual(
		[no.status, no.h('content-range'), error.code, !!error.details.user_message],
		[416, `bytes */${size}`, 40002, true],
	);
	for (const headers of [{}, { Range: 'bytes=0-3' }]) {
		const head = await get(headers, 'HEAD');
		assert.deepStrictEqual(
			[head.status, head.h('content-length'), head.h('etag'), head.bytes.length],
			[200, String(size), etag, 0],
		);
	}
	/* the page's own files, too */
	const script = await fetch(`http://127.0.0.1:${s.port}/app.js`, {
		headers: { Range: 'bytes=0-3', 'If-Range': '"other"' },
	});
	assert.strictEqual(script.status, 200);
	await script.arrayBuffer();
	/* a part is lost: before the first byte, it is an error; nothing is sent as if it were the file */
	s.sql(`delete from file_parts where file_id = ${d.file_id} and part_no = 0`);
	const lost = await get({});
	assert.deepStrictEqual(
		[lost.status, JSON.parse(lost.bytes).code, lost.h('content-disposition')],
		[500, 50003, null],
	);
});
