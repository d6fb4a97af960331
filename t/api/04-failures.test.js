// SPDX-License-Identifier: Apache-2.0
// PostgreSQL, Redis, helpers and the daemon itself are stopped, killed and restarted under load: nothing acknowledged is lost, nothing is done
// twice, and the loop never stalls.
// alone: stops, freezes and kills PostgreSQL and Redis.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	http = require('node:http'),
	net = require('node:net'),
	path = require('node:path'),
	{ execFile, execFileSync, spawn } = require('node:child_process'),
	{ promisify } = require('node:util');
const machine = require('../lib/machine.js'),
	{ timed } = machine;
const {
	Server,
	waitUntil,
	elapse,
	pgctl,
	mailSink,
	asUser,
	VAR,
	SOCK,
	secret,
	freePort,
} = require('../lib/server.js');

const SANITIZED = process.env.BUILD_DIR.endsWith('build-asan'),
	PG = process.env.PG_BIN;
const STALL = SANITIZED
	? 0.25
	: 0.05; /* the limit applies to the real build; sanitizers slow everything down */
/* Nothing has blocked the loop since the last look, except perhaps the machine. */
const neverStood = async () => {
	const stood = await s.metric('loop_stall_recent_seconds'),
		late = machine.longestMs(true) / 1000;
	assert.ok(stood < STALL + late, `the loop stalled for ${stood} s, a bare sleeper for ${late}`);
};
let s, mail, user, eng;
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('failures', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '60', echo: 'yes' },
	});
	[user, eng] = await Promise.all([s.login('user', 'alpha'), s.login('eng1')]);
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

const postmaster = () => Number(fs.readFileSync(VAR + '/pg/postmaster.pid', 'utf8').split('\n')[0]);
const statOf = (pid) =>
	fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); /* state, parent, ... */
/* Stop the postmaster first, then its children until none is running: one that it forks meanwhile
 * would continue to serve. Returns a function that wakes all of them. */
function freezePostgres() {
	const pm = postmaster(),
		stopped = new Set([pm]);
	const stop = (pid) => {
		process.kill(pid, 'SIGSTOP');
		while (statOf(pid)[0] !== 'T')
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
	};
	stop(pm);
	for (const pid of fs
		.readdirSync('/proc')
		.filter((p) => /^\d+$/.test(p))
		.map(Number)) {
		try {
			if (Number(statOf(pid)[1]) === pm) {
				stop(pid);
				stopped.add(pid);
			}
		} catch {
			/* it has just ended */
		}
	}
	return () =>
		stopped.forEach((pid) => {
			try {
				process.kill(pid, 'SIGCONT');
			} catch {
				/* it has exited */
			}
		});
}
const psqlLater = (db, sql) =>
	promisify(execFile)(
		'psql',
		['-h', SOCK, '-U', 'postgres', '-d', db, '-Xq', '-v', 'ON_ERROR_STOP=1', '-c', sql],
		{ env: { ...process.env, PGPASSWORD: secret } },
	);
const ticket = (more = {}) =>
	s.post('/api/v1/tickets', user, { title: 'under fire', description: 'x', priority: 'P4', ...more });

test('PostgreSQL stopped: 503 with 50001 at once; started: back to normal within two seconds', async () => {
	const acked = (await ticket()).data.id;
	pgctl('stop', '-m', 'immediate'); /* a crash: what was acknowledged must exist afterwards */
	const { r, ms } = await timed(() => ticket());
	assert.deepStrictEqual([r.status, r.code], [503, 50001], r.text);
	assert.ok(ms < 2500, 'answered after ' + ms);
	assert.strictEqual((await s.get('/readyz')).status, 503);
	assert.strictEqual((await s.get('/healthz')).status, 200);
	pgctl('start');
	/* a plain write next to ours shows what the server itself needs after a crash, while it is
	 * cold and replaying */
	const [bare, back] = await Promise.all([
		timed(() =>
			psqlLater(
				s.db,
				'begin; create table cold as select * from tickets; drop table cold; commit',
			),
		),
		timed(() => waitUntil(async () => (await ticket()).status === 201, 20000)),
	]);
	assert.ok(back.ms < bare.ms + 2000, `back after ${back.ms} ms, a bare write after ${bare.ms}`);
	assert.strictEqual((await s.get('/api/v1/tickets/' + acked, user)).status, 200);
});
test('PostgreSQL frozen (SIGSTOP): requests are answered within the limit, the loop turns, deadlines fire once it continues', async (t) => {
	const k = (await ticket({ priority: 'P0' })).data;
	await s.get('/metrics');
	machine.longestMs(true);
	const wake = freezePostgres();
	t.after(wake); /* a failure of the test must not leave it stopped */
	const [a, b] = await Promise.all([
		timed(() => ticket()),
		timed(() => s.get('/api/v1/tickets', user)),
		...[...Array(20)].map(() => s.get('/healthz')),
	]);
	assert.ok(a.r.status === 503 && b.r.status === 503, a.r.text + b.r.text);
	assert.ok(a.ms < 4000 && b.ms < 4000, `${a.ms} ${b.ms}`);
	const again = await timed(() => ticket());
	assert.ok(
		again.r.status === 503 && again.ms < 2500,
		`and then at once: ${again.ms} ms, ${again.r.status} ${again.r.text}`,
	);
	await s.jump(240); /* past 80 % of the response time */
	await waitUntil(async () => (await s.metric('sla_lag_seconds')) > 0);
	await neverStood();
	wake();
	await waitUntil(
		() =>
			s
				.sql(
					`select string_agg(threshold, ',' order by due_at) from sla_fires where ticket_id = ${k.id} and clock = 'response'`,
				)
				.includes('80'),
		20000,
	);
	await waitUntil(async () => (await s.metric('sla_lag_seconds')) === 0, 20000);
	assert.strictEqual(
		s.sql(
			'select count(*) from (select 1 from sla_fires group by tenant_id, ticket_id, clock, origin_seq, threshold having count(*) > 1) x',
		),
		'0',
	);
});
test('backends terminated repeatedly: every write is answered, no acknowledged write is lost', async () => {
	const made = [];
	let terminated = 0;
	const killer = (async () => {
		for (; terminated < 25; terminated++) {
			const n = made.length;
			try {
				s.sql(
					`select pg_terminate_backend(pid) from pg_stat_activity where usename like 'sladesk%' and datname = '${s.db}'`,
				);
			} catch {
				/* the signal hit the process itself */
			}
			await waitUntil(() => made.length > n);
		}
	})();
	await Promise.all(
		[...Array(6)].map(async () => {
			while (terminated < 25) {
				const r = await ticket({ title: 'terminate' });
				assert.ok([201, 503].includes(r.status), r.text);
				if (r.status === 201) made.push(r.data.id);
				else await waitUntil(async () => (await s.get('/readyz')).status === 200);
			}
		}),
	);
	await killer;
	await waitUntil(async () => (await s.get('/readyz')).status === 200);
	const stored = new Set(
		s
			.sql("select string_agg(id::text, ',') from tickets where title = 'terminate'")
			.split(',')
			.map(Number),
	);
	assert.ok(made.length > 10 && made.every((id) => stored.has(id)), `${made.length} made`);
});
test('Redis frozen, killed, missing: no request fails, the feed continues', async () => {
	const pid = Number(fs.readFileSync(VAR + '/redis.pid', 'utf8'));
	process.kill(pid, 'SIGSTOP');
	for (let i = 0; i < 10; i++) assert.strictEqual((await ticket()).status, 201);
	await waitUntil(async () => (await s.metric('redis_up')) === 0, 8000);
	process.kill(pid, 'SIGCONT');
	await waitUntil(async () => (await s.metric('redis_up')) === 1, 8000);
	process.kill(pid, 'SIGKILL');
	await waitUntil(async () => (await s.metric('redis_up')) === 0, 8000);
	assert.strictEqual((await ticket()).status, 201);
	const [c, a] = asUser('redis-server', [
		'--port',
		'0',
		'--unixsocket',
		SOCK + '/redis',
		'--unixsocketperm',
		'700',
		'--save',
		'',
		'--dir',
		VAR,
		'--daemonize',
		'yes',
		'--pidfile',
		VAR + '/redis.pid',
		'--requirepass',
		secret,
	]);
	execFileSync(c, a, { stdio: 'ignore' });
	await waitUntil(async () => (await s.metric('redis_up')) === 1, 8000);
	await neverStood();
});
test('helpers: confined; replaced when killed or frozen, and logins still work', async () => {
	/* each call in each pool: 32-helpers */
	assert.strictEqual((await s.get('/test/probe?pool=hash&call=file')).data.answer, 'refused');
	const kids = () =>
		execFileSync('pgrep', ['-P', String(s.proc.pid), '-f', 'sladesk-helper-hash'], {
			encoding: 'utf8',
		})
			.trim()
			.split('\n')
			.map(Number);
	kids().forEach((p) => process.kill(p, 'SIGKILL'));
	await s.login('user', 'alpha');
	await waitUntil(() => kids().length === 2);
	kids().forEach((p) => process.kill(p, 'SIGSTOP'));
	const r = await timed(() =>
		s.post('/api/v1/auth/login', null, {
			username: 'user',
			password: 'x'.repeat(9),
			tenant: 'alpha',
		}),
	);
	assert.ok(r.r.status === 401 && r.ms < 9000, 'tried again on a fresh helper: ' + r.r.text + r.ms);
	await s.login('user', 'alpha');
	assert.ok((await s.metric('helper_restarts_total')) >= 3);
	await neverStood();
});
test('descriptors run out: accepting pauses without busy looping, and resumes', async () => {
	const few = new Server('descriptors');
	await few.prepare();
	few.prefix = ['prlimit', '--nofile=70:70'];
	await few.start();
	few.agent = new http.Agent({
		keepAlive: true,
		maxSockets: 1,
	}); /* an earlier connection, to send requests on */
	assert.strictEqual((await few.get('/healthz')).status, 200);
	const cpu = () =>
		fs
			.readFileSync(`/proc/${few.proc.pid}/stat`, 'utf8')
			.split(') ')[1]
			.split(' ')
			.slice(11, 13)
			.reduce((a, b) => a + Number(b), 0);
	const many = [...Array(80)].map(() => {
		const c = net.connect(few.port, '127.0.0.1');
		c.on('error', () => {});
		return c;
	});
	await waitUntil(async () => (await few.metric('http_accept_pauses_total')) >= 1);
	const from = cpu();
	await elapse(1500);
	assert.ok(cpu() - from < 60, 'no spinning: ' + (cpu() - from) + ' ticks');
	many.forEach((c) => c.destroy());
	await waitUntil(async () => (await few.get('/healthz')).status === 200);
	few.agent.destroy();
	few.agent = undefined;
	await waitUntil(async () => (await few.get('/healthz')).status === 200);
	await few.drop();
});
const KILLS = process.env.SLADESK_LONG ? 100 : 10;
test(`kill -9 at random, ${KILLS} times, while clocks fire and clients write`, async () => {
	const acked = new Map(),
		keys = new Map();
	let serial = 0,
		running = true,
		ready = [];
	const client = async (n) => {
		while (running) {
			const key = `k${n}-${++serial}`;
			for (let tries = 0; running || tries < 200; tries++) {
				/* the same key until it is answered */
				let r;
				try {
					r = await s.post(
						'/api/v1/tickets',
						user,
						{
							title: 'kill ' + key,
							description: 'x',
							priority: serial % 3 ? 'P4' : 'P0',
						},
						{ 'Idempotency-Key': key },
					);
				} catch {
					r = null;
				}
				if (r && r.status === 201) {
					acked.set(key, r.data.id);
					keys.set(r.data.id, key);
					if (serial % 4 === 0)
						await s
							.post(`/api/v1/tickets/${r.data.id}/reply`, eng, {
								text: 'seen',
							})
							.catch(() => {});
					break;
				}
				await waitUntil(async () => (await s.get('/healthz')).status === 200, 30000);
				if (!running && tries > 100) break;
			}
		}
	};
	const clients = [...Array(4)].map((_, n) => client(n));
	for (let i = 0; i < KILLS; i++) {
		/* wherever it is at that moment */
		const enough = acked.size + 1 + Math.floor(Math.random() * 30);
		await waitUntil(() => acked.size >= enough, 30000);
		await s.stop('SIGKILL');
		const at = Date.now();
		await s.start();
		ready.push(Date.now() - at);
	}
	running = false;
	await Promise.all(clients);
	assert.ok(acked.size > KILLS, acked.size + ' acknowledged');
	const rows = new Map(
		s
			.sql("select id || ' ' || title from tickets where title like 'kill %'")
			.split('\n')
			.map((l) => [Number(l.split(' ')[0]), l.split(' ')[2]]),
	);
	for (const [key, id] of acked)
		assert.strictEqual(rows.get(id), key, 'an acknowledged ticket is there');
	assert.strictEqual(new Set(rows.values()).size, rows.size, 'no key made two tickets');
	await waitUntil(async () => (await s.metric('sla_lag_seconds')) === 0, 30000);
	assert.strictEqual(
		s.sql(
			'select count(*) from (select seq, row_number() over (partition by tenant_id order by seq) n from events) x where seq <> n',
		),
		'0',
		'seq per tenant without gap',
	);
	assert.strictEqual(
		s.sql(
			"select count(*) from sla_clocks where next_fire_at < (select max(at) from events) - interval '2 minutes'",
		),
		'0',
		'nothing due was forgotten',
	);
	assert.strictEqual(
		s.sql(
			'select count(*) from sla_fires f where not exists (select from events e where e.tenant_id = f.tenant_id and e.seq = f.event_seq)',
		),
		'0',
	);
	await s.stop('SIGTERM');
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
	await s.start();
	console.log(
		`# ${KILLS} kills, ${acked.size} acknowledged, ready again after ${Math.max(...ready)} ms at most`,
	);
	assert.ok(Math.max(...ready) < (SANITIZED ? 10000 : 3000));
});
test('failover: a new address by SIGHUP', async () => {
	const alias = path.join(VAR, 'alias' + process.pid);
	fs.symlinkSync(SOCK, alias);
	const reloads = () => s.log.split('settings reloaded').length;
	let moving = true,
		made = 0;
	const clients = [...Array(4)].map(async () => {
		for (; moving; made++) {
			const r = await ticket();
			assert.strictEqual(r.status, 201, r.text);
		}
	});
	const move = async (host) => {
		const n = reloads();
		s.pgHost = host;
		fs.writeFileSync(s.file, s.conf());
		s.proc.kill('SIGHUP');
		await waitUntil(() => reloads() > n);
		const enough = made + 20;
		await waitUntil(() => made >= enough);
	};
	try {
		for (const host of [alias, null, null, alias, null]) await move(host);
	} finally {
		moving = false;
	}
	await Promise.all(clients);
	fs.unlinkSync(alias);
});
test('concurrent random commands on few tickets: histories equal states', async () => {
	const ids = (await Promise.all([...Array(6)].map(() => ticket({ priority: 'P1' })))).map((r) => {
		assert.strictEqual(r.status, 201, r.text);
		return r.data.id;
	});
	const cmds = [
		['note', { text: 'n' }],
		['reply', { text: 'r' }],
		['wait-customer', { reason: 'w' }],
		['resume', { reason: 'r' }],
		['assign', { assignee_id: 1 }],
		['priority', { priority: 'P2', reason: 'x' }],
		['confirm', {}],
		['priority', { priority: 'P0', reason: 'y' }],
	];
	let seed = 42;
	const rnd = (n) => {
		seed = (seed * 1103515245 + 12345) & 0x7fffffff;
		return seed % n;
	};
	const ops = [...Array(process.env.SLADESK_LONG ? 10000 : 1000)].map(() => [
		ids[rnd(ids.length)],
		cmds[rnd(cmds.length)],
	]);
	let done = 0;
	await Promise.all(
		[...Array(8)].map(async (_, lane) => {
			for (let i = lane; i < ops.length; i += 8) {
				const [id, [cmd, body]] = ops[i],
					r = await s.post(`/api/v1/tickets/${id}/${cmd}`, eng, body);
				assert.ok([200, 409, 503].includes(r.status), r.text);
				done += r.status === 200;
			}
		}),
	);
	assert.ok(done > ops.length / 4, done + ' done');
	for (const id of ids) {
		const h = s.sql(
			`select data->>'status' || ' ' || (data->>'priority') from events where ticket_id = ${id} and type like 'ticket.%' order by seq desc limit 1`,
		);
		assert.strictEqual(
			h,
			s.sql(`select status || ' ' || priority from tickets where id = ${id}`),
		);
	}
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
