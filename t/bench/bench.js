// SPDX-License-Identifier: Apache-2.0
// Ratios within one run: the program next to bare evhttp, pgbench, libevent's timers and npm ws. CPU times come from schedstat.
'use strict';
const fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync, spawn, spawnSync } = require('node:child_process');
const cpu = require('./cpu.js');
const { Server, psql, waitUntil, freePort, SOCK, secret, VAR } = require('../lib/server.js');
/* one client sends everything, and the limits are not what is measured */
const MANY = { address_connections: 0, user_connections: 0 },
	UNLIMITED = { address_per_s: 0, login_per_s: 0, user_per_s: 0, tenant_per_s: 0, fresh_per_s: 0 };

const BIN = process.env.BENCH_BIN,
	quick = process.argv.includes('--quick'),
	ROUNDS = quick ? 2 : 3,
	SECONDS = quick ? 2 : 4,
	rows = [];
const PGOPTIONS =
	'-c jit=off -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan -c enable_seqscan=off'; /* like the daemon's own connections */
const median = (a) => [...a].sort((x, y) => x - y)[Math.floor(a.length / 2)];
const rss = (pid) =>
	Number(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(/^Pss:\s+(\d+)/m)[1]) / 1024;
const report = (what, value, target) => {
	rows.push([what, value, target]);
	console.log(`${what.padEnd(64)} ${String(value).padStart(14)}   ${target}`);
};
const wrk = (url, args = [], c = 64) => {
	const out = execFileSync('wrk', [
		'-t1',
		`-c${c}`,
		`-d${SECONDS}s`,
		'--latency',
		...args,
		url,
	]).toString();
	const n = Number(out.match(/(\d+) requests in/)[1]),
		bad = out.match(/Non-2xx or 3xx responses: (\d+)/);
	if (bad && Number(bad[1]) > n / 100) throw new Error(out);
	return {
		rps: Number(out.match(/Requests\/sec:\s+([\d.]+)/)[1]),
		n,
		p99: out.match(/99%\s+(\S+)/)[1],
	};
};
const measured = (pid, f) => {
	const a = cpu(pid),
		r = f();
	r.us = (cpu(pid) - a) / 1000 / r.n;
	return r;
};
const pgbench = (db, sql, c = 4) => {
	const f = path.join(VAR, 'bench.sql');
	fs.writeFileSync(f, sql);
	return Number(
		execFileSync(
			'pgbench',
			[
				'-n',
				'-M',
				'prepared',
				'-h',
				SOCK,
				'-U',
				'sladesk_app',
				'-c',
				String(c),
				'-j',
				'1',
				'-T',
				String(SECONDS),
				'-f',
				f,
				db,
			],
			{
				env: { ...process.env, PGPASSWORD: secret, PGOPTIONS },
				stdio: ['ignore', 'pipe', 'pipe'],
			},
		)
			.toString()
			.match(/tps = ([\d.]+)/)[1],
	);
};

async function heap() {
	const out = execFileSync(path.join(BIN, 'heap')).toString();
	for (const l of out.trim().split('\n')) {
		const [name, a, b] = l.split(' ');
		if (name === 'heap_bytes_per_entry')
			report('heap: bytes an entry, all in, at 1,000,000', a, '<= 72');
		else
			report(
				'heap ' +
					name.slice(0, -3).replace('_', ': ').replace('_', ' + ') +
					', ns' +
					(Number(b) ? ' (libevent ' + b + ')' : ''),
				Number(b) ? `${a} = ${(a / b).toFixed(2)} x` : a,
				name.startsWith('array') ? '<= 0.25 x' : '',
			);
	}
}
/* The same list and create in Fastify and pg; PEER is the directory with its packages. */
async function fastify(s, list, store, doc) {
	const port = await freePort(),
		proc = spawn(
			'node',
			[path.join(__dirname, 'peer/fastify.js'), String(port), String(s.alpha)],
			{
				stdio: ['ignore', 'pipe', 'inherit'],
				env: {
					...process.env,
					PGHOST: SOCK,
					PGUSER: 'sladesk_app',
					PGDATABASE: s.db,
					PGPASSWORD: secret,
					PGOPTIONS,
					LIST: list,
					STORE: store,
					DOC: doc,
				},
			},
		);
	let token = '';
	proc.stdout.on('data', (x) => {
		token += x;
	});
	await waitUntil(() => token.includes('\n'));
	return { port, proc, auth: ['-H', 'Authorization: Bearer ' + token.trim()], token: token.trim() };
}
async function trivial(s) {
	const port = await freePort(),
		hello = spawn(path.join(BIN, 'evhello'), [String(port)]),
		a = [],
		b = [];
	await waitUntil(() => spawnSync('curl', ['-sf', `http://127.0.0.1:${port}/`]).status === 0);
	for (let i = 0; i <= ROUNDS; i++) {
		const x = measured(hello.pid, () => wrk(`http://127.0.0.1:${port}/`)),
			y = measured(s.proc.pid, () => wrk(`http://127.0.0.1:${s.port}/healthz`));
		if (i) {
			a.push(x.us);
			b.push(y.us);
		}
	}
	hello.kill();
	const f = await fastify(s, '', 'select 1', '[]'),
		c = [],
		d = [];
	for (let i = 0; i <= ROUNDS; i++) {
		const x = wrk(`http://127.0.0.1:${f.port}/hello`).rps,
			y = wrk(`http://127.0.0.1:${s.port}/healthz`).rps;
		if (i) {
			c.push(x);
			d.push(y);
		}
	}
	f.proc.kill();
	report(
		'trivial endpoint: requests/s over Fastify (' + median(c).toFixed(0) + ')',
		median(d.map((x, i) => x / c[i])).toFixed(2) + ' x',
		'>= 1.8 x',
	);
	report(
		'trivial endpoint: CPU a request, us (evhttp ' + median(a).toFixed(1) + ')',
		`${median(b).toFixed(1)} = ${(median(b) / median(a)).toFixed(2)} x`,
		'<= 0.75 x',
	);
	return { ours: median(b), evhttp: median(a) };
}
const DOC = (s) =>
	`[{"ti":0,"tenant":${s.alpha},"id":null,"row_version":0,"command":true,"status":"new","priority":"P3","priority_confirmed":false,"priority_reason":{},"tags":[],"priority_source":"customer","requester_kind":"customer","requester_id":2,"level":1,"cycle":1,"last_at":1895000000000000,"urgent_at":1895014400000000,"urgent_clock":"response","events":[{"i":1,"type":"ticket.created","actor_kind":"customer","actor_id":2,"audience":"customer","at":1895000000000000,"notify":true,"comment":true,"data":{"status":"new","policy_id":1,"calendar_id":1}}],"fires":[],"clocks":[${['response', 'resolution'].map((c) => `{"clock":"${c}","state":"running","cycle":1,"budget_s":14400,"origin_seq":-999999,"start_at":1895000000000000,"due_at":1895014400000000,"next_fire_at":1895011520000000,"fire_at":[1895011520000000,1895012600000000,1895012960000000,1895013680000000,1895014400000000],"fire_key":["80","-30m","90","95","100"],"carry_us":0,"runs":[1895000000000000,null],"fired":0,"high":0,"missed":0,"by_priority":false,"contested":false,"self_reported":false,"waived":false,"verdict":"open"}`).join(',')}],"config_version":1,"policy_id":1,"calendar_id":1,"opened_at":1895000000000000,"source":"web","service_type":"incident","title":"数据库连接超时","comment":{"kind":"description","audience":"customer","author_kind":"customer","author_id":2,"at":1895000000000000,"body":"生产环境部分功能受影响"},"timers":[],"cancel":[]}]`;
/* The same tickets as rollups: a result from memory, and one that is computed. */
async function dashboards(s, auth, { ours, evhttp }) {
	s.cli(['rollup', 'rebuild']);
	const admin = await s.login('admin', 'alpha'),
		get = async (query) => {
			const at = process.hrtime.bigint(),
				r = await s.get(query, admin);
			if (r.status !== 200) throw new Error(r.text);
			return Number(process.hrtime.bigint() - at) / 1e6;
		},
		hit = measured(s.proc.pid, () =>
			wrk(`http://127.0.0.1:${s.port}/api/v1/client/dashboard/overview`, auth),
		);
	report(
		`overview from memory: CPU a request, us (evhttp ${evhttp.toFixed(1)}, our trivial ${ours.toFixed(1)})`,
		`${hit.us.toFixed(1)} = ${(hit.us / evhttp).toFixed(2)} x`,
		'<= 1.3 x evhttp + token',
	);
	const groups = [],
		fresh = [];
	for (const by of ['service_type', 'priority', 'department', 'project', 'region', 'engineer'])
		groups.push(await get(`/api/v1/client/sla/compliance?period=366d&group_by=${by}`));
	for (let i = 0; i < 9; i++)
		fresh.push(await get('/api/v1/client/dashboard/overview?period=90d&refresh=true'));
	report(
		'compliance of 366 days computed, ms (tickets: ' +
			s.sql('select count(*) from tickets') +
			')',
		median(groups).toFixed(1),
		'<= 100',
	);
	report('overview of 90 days computed, ms', median(fresh).toFixed(1), '<= 200');
}
async function listAndCreate(s, base) {
	s.agent = new (require('node:http').Agent)({
		keepAlive: false,
	}); /* between rounds, a kept connection would exceed the daemon's idle limit */
	const n = quick ? 20000 : 200000,
		token = await s.login('user', 'alpha');
	s.sql(
		`insert into tickets (tenant_id, title, status, priority, priority_source, source, requester_kind, policy_id, calendar_id, opened_at, last_at, updated_at) select case when g % 2 = 0 then ${s.alpha} else ${s.beta} end, 'ticket ' || g, 'in_progress', 'P' || g % 4, 'customer', 'web', 'customer', 1, 1, '2026-01-01Z'::timestamptz + g * interval '31 s', '2026-01-01Z', '2026-01-01Z' from generate_series(1, ${n}) g; analyze tickets`,
	);
	const me = [],
		lists = [],
		tps = [],
		peers = [],
		auth = ['-H', 'Authorization: Bearer ' + token];
	const ctx = `select set_config('app.current_tenants','{${s.alpha}}',true), set_config('app.current_tenant_id','${s.alpha}',true), set_config('app.user_id','2',true), set_config('app.audience','customer',true), set_config('app.scope','',true), set_config('transaction_read_only','off',true), set_config('enable_sort','off',true);`;
	const sql = fs
			.readFileSync(
				path.join(__dirname, '../../src/feature/ticket/contract/list.sql'),
				'utf8',
			)
			.replace(/^--.*\n/gm, ''),
		literal = sql
			.replace(/\$1::int/g, '20')
			.replace(/\$\d+::(\w+)/g, 'null::$1')
			.replace(/\$\d+/g, 'null');
	const peer = await fastify(s, sql, 'select * from desk_store($1::jsonb)', DOC(s));
	for (let i = 0; i <= ROUNDS; i++) {
		const f = wrk(`http://127.0.0.1:${peer.port}/api/v1/tickets?limit=20`, peer.auth);
		const m = measured(s.proc.pid, () => wrk(`http://127.0.0.1:${s.port}/api/v1/me`, auth)),
			l = measured(s.proc.pid, () =>
				wrk(`http://127.0.0.1:${s.port}/api/v1/tickets?limit=20`, auth),
			),
			p = pgbench(
				s.db,
				`\\startpipeline\nbegin;\n${ctx}\n${literal.trim()};\ncommit;\n\\endpipeline\n`,
			);
		if (i) {
			me.push(m.us);
			lists.push(l);
			tps.push(p);
			peers.push(f.rps);
		}
	}
	report(
		'token check + session look-up: CPU over the trivial, us',
		(median(me) - base.ours).toFixed(1),
		'<= +6',
	);
	report(
		'list of 20: requests/s over pgbench of the same pipeline',
		median(lists.map((x, i) => x.rps / tps[i])).toFixed(2) + ' x',
		'>= 0.65 x',
	);
	report(
		'list of 20: requests/s over Fastify + pg (' + median(peers).toFixed(0) + ')',
		median(lists.map((x, i) => x.rps / peers[i])).toFixed(2) + ' x',
		'>= 5 x',
	);
	report('list of 20: daemon CPU a request, us', median(lists.map((x) => x.us)).toFixed(1), '<= 45');
	report(
		'list of 20: requests/s, p99',
		median(lists.map((x) => x.rps)).toFixed(0) + ', ' + lists[0].p99,
		'',
	);
	await dashboards(s, auth, base);
	const lua = path.join(VAR, 'post.lua');
	fs.writeFileSync(
		lua,
		`wrk.method = "POST"\nwrk.body = '{"title":"数据库连接超时","description":"生产环境部分功能受影响","priority":"P3"}'\nwrk.headers["Authorization"] = "Bearer ${token}"\nwrk.headers["Content-Type"] = "application/json"\n`,
	);
	const made = await s.post('/api/v1/tickets', token, {
		title: '数据库连接超时',
		description: '生产环境部分功能受影响',
		priority: 'P3',
	});
	const doc = DOC(s).replace(/'/g, "''");
	if (made.status !== 201) throw new Error(made.text);
	const creates = [],
		ctps = [],
		cpeers = [],
		peerLua = path.join(VAR, 'peer.lua');
	fs.writeFileSync(peerLua, fs.readFileSync(lua, 'utf8').replace(token, peer.token));
	for (let i = 0; i <= ROUNDS; i++) {
		const l = measured(s.proc.pid, () =>
				wrk(`http://127.0.0.1:${s.port}/api/v1/tickets`, ['-s', lua]),
			),
			p = pgbench(
				s.db,
				`\\startpipeline\nbegin;\n${ctx.replace("'enable_sort','off'", "'enable_sort','on'")}\nselect * from desk_store('${doc.replace(/":/g, '": ')}');\ncommit;\n\\endpipeline\n`,
			);
		const f = wrk(`http://127.0.0.1:${peer.port}/api/v1/tickets`, ['-s', peerLua]);
		if (i) {
			creates.push(l);
			ctps.push(p);
			cpeers.push(f.rps);
		}
	}
	peer.proc.kill();
	report(
		'create: requests/s over Fastify + pg of the same SQL (' + median(cpeers).toFixed(0) + ')',
		median(creates.map((x, i) => x.rps / cpeers[i])).toFixed(2) + ' x',
		'>= 2.5 x',
	);
	report(
		'create: requests/s over pgbench of the same SQL',
		median(creates.map((x, i) => x.rps / ctps[i])).toFixed(2) + ' x',
		'>= 0.55 x',
	);
	report(
		'create: requests/s, daemon CPU us',
		median(creates.map((x) => x.rps)).toFixed(0) +
			', ' +
			median(creates.map((x) => x.us)).toFixed(1),
		'',
	);
}
const CLOCKS = (tenant, n, due, spread) =>
	`with t as (insert into tickets (tenant_id, title, status, priority, priority_source, source, requester_kind, policy_id, calendar_id, opened_at, last_at, updated_at) select ${tenant}, 'clock ' || g, 'new', 'P3', 'customer', 'web', 'customer', 1, 1, ${due} - interval '4 hours', ${due} - interval '4 hours', ${due} - interval '4 hours' from generate_series(1, ${n}) g returning tenant_id, id) insert into sla_clocks (tenant_id, ticket_id, clock, state, cycle, budget_s, origin_seq, start_at, due_at, next_fire_at, fired, high, runs, verdict) select tenant_id, id, 'response', 'running', 1, 14400, 1, ${due} + r.n * ${spread} - interval '4 hours', ${due} + r.n * ${spread}, ${due} + r.n * ${spread}, 15, 4, array[us(${due} + r.n * ${spread} - interval '4 hours'), null], 'open' from (select *, row_number() over () - 1 as n from t) r`;
async function lateness() {
	const s = new Server('bench_late', { test: { echo: 'no' }, http: MANY, limits: UNLIMITED });
	await s.prepare();
	const n = 10000,
		live = quick ? 100000 : 1000000;
	console.error(`# ${live} live clocks …`);
	s.sql(
		CLOCKS(
			s.beta,
			live,
			"'2026-11-01Z'::timestamptz + interval '100 years'",
			"interval '1 ms'",
		).replace(/'running'/, "'running'"),
	);
	s.sql('analyze');
	const copyBegan = Date.now();
	execFileSync(
		'psql',
		[
			'-h',
			SOCK,
			'-U',
			'postgres',
			'-d',
			s.db,
			'-XAtqc',
			"copy (select c.tenant_id, c.ticket_id, 1, c.next_fire_at from sla_clocks c where c.next_fire_at < 'infinity') to stdout (format binary)",
		],
		{
			env: { ...process.env, PGPASSWORD: secret },
			maxBuffer: 1 << 30,
			stdio: ['ignore', 'pipe', 'inherit'],
		},
	);
	const copyMs = Date.now() - copyBegan;
	s.settings.engine = { horizon_s: 604800 };
	s.sql(
		"update sla_clocks set next_fire_at = next_fire_at - interval '100 years' + (date_trunc('second', statement_timestamp()) - '2026-11-01Z'::timestamptz) + interval '6 hours'",
	);
	s.sql('vacuum analyze');
	s.sql('checkpoint');
	/* deadlines that fall due during the measurement: 3,000 at 1,000 per second, then 10,000
	 * within one second */
	const from = Math.ceil(Date.now() / 1000) * 1000 + 12000,
		loads = [
			[1000, 3000, from, '1,000 breaches/s'],
			[1000, 3000, from + 8000, '1,000 breaches/s, API under load'],
			[n, n, from + 18000, '10,000 in one second'],
		];
	for (const [per, count, at] of loads)
		s.sql(
			CLOCKS(
				s.alpha,
				count,
				`'${new Date(at).toISOString()}'::timestamptz`,
				`interval '1 s' / ${per}`,
			),
		);
	const began = Date.now();
	await s.start();
	report(
		`restart with ${live} running clocks: heap loaded, ms (bare COPY ${copyMs})`,
		`${((await s.metric('timers_load_seconds')) * 1000).toFixed(0)} = ${(((await s.metric('timers_load_seconds')) * 1000) / copyMs).toFixed(2)} x`,
		'<= 1.5 x',
	);
	report('restart: ready after, ms', Date.now() - began, '');
	report(
		'memory of a clock in the heap, bytes',
		((await s.metric('timers_bytes')) / (await s.metric('timers'))).toFixed(1),
		'<= 72',
	);
	const WebSocket = require('ws'),
		token = await s.login('user', 'alpha'),
		seen = new Map();
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`);
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token })));
	await new Promise((ok) =>
		ws.on('message', (m) => {
			const e = JSON.parse(m);
			if (e.op === 'welcome')
				ws.send(JSON.stringify({ op: 'subscribe', topics: ['alerts'] }));
			else if (e.op === 'snapshot') ok();
			else if (e.op === 'event' && e.data.threshold === '100')
				seen.set(e.ticket_id, Date.now());
		}),
	);
	await s.get('/metrics');
	for (const [, count, at, what] of loads) {
		const busy = what.includes('load')
			? spawn('wrk', [
					'-t1',
					'-c2',
					'-d7s',
					`http://127.0.0.1:${s.port}/api/v1/tickets?limit=20`,
					'-H',
					'Authorization: Bearer ' + token,
				])
			: null;
		const want = loads.filter((l) => l[2] <= at).reduce((a, l) => a + l[1], 0);
		await waitUntil(() => seen.size >= want || Date.now() > at + 30000, 90000);
		if (busy) busy.kill('SIGINT');
		const dues = new Map(
			s
				.sql(
					`select ticket_id || ' ' || us(due_at) || ' ' || us(fired_at) from sla_fires where due_at >= '${new Date(at).toISOString()}' and due_at < '${new Date(at + 5000).toISOString()}'`,
				)
				.split('\n')
				.filter(Boolean)
				.map((l) => {
					const [id, d, f] = l.split(' ').map(Number);
					return [id, [d / 1000, f / 1000]];
				}),
		);
		const late = [...dues]
				.filter(([id]) => seen.has(id))
				.map(([id, [d]]) => seen.get(id) - d)
				.sort((a, b) => a - b),
			early = [...dues.values()].filter(([d, f]) => f < d).length;
		report(
			`due -> fire row committed -> WebSocket frame, ${what}: p50/p99/max ms`,
			late.length
				? `${late[Math.floor(late.length / 2)].toFixed(0)}/${late[Math.floor(late.length * 0.99)].toFixed(0)}/${late[late.length - 1].toFixed(0)}`
				: 'none',
			count === n ? 'all within 3 s' : 'p99 <= 100',
		);
		report(
			'  fired, seen, early',
			`${dues.size}, ${late.length}, ${early}`,
			`${count}, ${count}, 0`,
		);
	}
	report(
		'longest turn of the loop meanwhile, ms',
		((await s.metric('loop_stall_recent_seconds')) * 1000).toFixed(1),
		'<= 10',
	);
	ws.close();
	await s.drop();
}
async function fanout() {
	const n = quick ? 1000 : 5000,
		s = await Server.make('bench_ws', { http: MANY, limits: UNLIMITED }),
		token = await s.login('user', 'alpha'),
		rounds = 5;
	const idle = rss(s.proc.pid);
	report('daemon at idle, MB (PSS)', idle.toFixed(1), '<= 30');
	const run = async (port, p, hello, trigger) => {
		const c = spawn(
			path.join(BIN, 'wsclients'),
			[String(port), p, String(n), String(rounds), ...hello],
			{ stdio: ['pipe', 'pipe', 'inherit'] },
		);
		let text = '';
		c.stdout.on('data', (d) => {
			text += d;
		});
		await waitUntil(() => text.includes('connected'), 60000);
		const after = rss(trigger.pid);
		const times = [];
		for (let i = 0; i < rounds; i++) {
			c.stdin.write('go\n');
			await trigger.fire();
			await waitUntil(() => (text.match(/round/g) || []).length > i, 30000);
			times.push(
				Number(
					text
						.match(/round ([\d.]+)/g)
						.pop()
						.split(' ')[1],
				),
			);
			await new Promise((r) => setTimeout(r, 500));
		}
		c.kill();
		return { ms: median(times), after };
	};
	const ours = await run(
		s.port,
		'/api/v1/live',
		[
			JSON.stringify({ op: 'auth', token }),
			JSON.stringify({ op: 'subscribe', topics: ['tickets'] }),
		],
		{
			pid: s.proc.pid,
			fire: () =>
				s.post('/api/v1/tickets', token, {
					title: 'x'.repeat(60),
					description: 'y',
					priority: 'P4',
				}),
		},
	);
	const port = await freePort(),
		peer = spawn(
			'node',
			[
				'-e',
				`const W=require('ws');const s=new W.Server({port:${port},host:'127.0.0.1',perMessageDeflate:false});process.stdin.on('data',()=>{const m=JSON.stringify({op:'event',d:'x'.repeat(560)});for(const c of s.clients)c.send(m)})`,
			],
			{ stdio: ['pipe', 'ignore', 'inherit'] },
		);
	await new Promise((r) => setTimeout(r, 800));
	const theirs = await run(port, '/', [], { pid: peer.pid, fire: async () => peer.stdin.write('x') });
	peer.kill();
	report(
		`${n} WebSocket clients: first to last, ms (npm ws ${theirs.ms.toFixed(0)})`,
		`${ours.ms.toFixed(0)} = ${(ours.ms / theirs.ms).toFixed(2)} x`,
		'<= 0.9 x',
	);
	report(
		'memory of an idle WebSocket client, kB',
		(((ours.after - idle) * 1024) / n).toFixed(2),
		'<= 2',
	);
	await s.drop();
}
(async () => {
	console.log(`${'what'.padEnd(64)} ${'measured'.padStart(14)}   target`);
	const only = process.argv.slice(2).find((a) => !a.startsWith('-')),
		want = (x) => !only || only === x;
	if (want('heap')) await heap();
	if (want('http') || want('db')) {
		const s = await Server.make('bench', { test: { echo: 'no' }, http: MANY, limits: UNLIMITED });
		const base = await trivial(s);
		await listAndCreate(s, base);
		await s.drop();
	}
	if (want('portal')) await require('./portal.js')({ report, quick, limits: UNLIMITED, cpu });
	if (want('late')) await lateness();
	if (want('ws')) await fanout();
	process.exit(0);
})().catch((e) => {
	console.error(e);
	process.exit(1);
});
