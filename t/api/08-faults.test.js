// SPDX-License-Identifier: Apache-2.0
// Clocks that jump, two daemons on one database, a full disk for the log: nothing is lost, doubled or early.
// alone: freezes daemons, jumps clocks.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawnSync, execFileSync } = require('node:child_process');
const machine = require('../lib/machine.js');
const { Server, waitUntil, elapse, mailSink, freePort, INST, VAR } = require('../lib/server.js');

let mail;
test.before(async () => {
	mail = await mailSink();
});
test.after(() => mail.close());
const once = (s) =>
	assert.strictEqual(
		s.sql(
			"select count(*) from (select 1 from events where type in ('sla.threshold', 'sla.ladder') group by tenant_id, ticket_id, data->>'clock', data->>'threshold', data->>'due_at' having count(*) > 1) x",
		),
		'0',
		'nothing fired twice',
	);
const create = async (s, token, more) => {
	const r = await s.post('/api/v1/tickets', token, { title: 'x', description: 'y', ...more });
	assert.strictEqual(r.status, 201, r.text);
	return r.data;
};

test('the wall clock jumps an hour ahead, then an hour back: late deadlines fire once, in order; none is early or doubled', async () => {
	const s = new Server('jump', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_offset_s: '0' },
	});
	await s.prepare();
	await s.start();
	const user = await s.login('user', 'alpha'),
		k = await create(s, user, { priority: 'P0' });
	await s.stop();
	assert.strictEqual(s.sql('select count(*) from sla_fires'), '0', 'none is early');
	s.settings.test.clock_offset_s = '3600';
	await s.start();
	await waitUntil(
		() =>
			s.sql(
				`select string_agg(threshold, ',' order by event_seq) from sla_fires where ticket_id = ${k.id} and clock = 'response'`,
			) === '80,90,95,100',
	);
	assert.strictEqual(
		s.sql(
			`select count(*) from sla_fires where ticket_id = ${k.id} and clock = 'response' and alerted`,
		),
		'1',
		'four thresholds, one message',
	);
	await s.stop();
	s.settings.test.clock_offset_s = '0';
	await s.start();
	const back = await create(s, user, { priority: 'P0' });
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${k.id}/reply`, await s.login('eng1'), { text: 'here' }))
			.status,
		200,
	);
	assert.strictEqual(
		s.sql(
			`select count(*) from (select at, lag(at) over (order by seq) as before from events where ticket_id = ${k.id}) x where at <= before`,
		),
		'0',
		"a ticket's history never goes back",
	);
	assert.strictEqual(s.sql(`select count(*) from sla_fires where ticket_id = ${back.id}`), '0');
	once(s);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
	await s.drop();
});
test('the process sleeps through its deadlines (SIGSTOP): they fire once it wakes', async () => {
	const s = await Server.make('sleep', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '300' },
	});
	const k = await create(s, await s.login('user', 'alpha'), { priority: 'P0' });
	s.proc.kill('SIGSTOP');
	await elapse(1500); /* by its own clock: 7 minutes */
	s.proc.kill('SIGCONT');
	await waitUntil(
		() =>
			s.sql(
				`select string_agg(threshold, ',' order by event_seq) from sla_fires where ticket_id = ${k.id} and clock = 'response'`,
			) === '80,90,95,100',
		5000,
	);
	once(s);
	await s.drop();
});
test('two daemons on one database: each deadline and each mail once; when one is killed, the other takes over all deadlines at once', async () => {
	const sink = await mailSink(),
		settings = {
			mail: { url: sink.url },
			token: { lifetime_s: '86400' },
			test: { allow_clock: 'yes', clock_scale: '120' },
		};
	const a = await Server.make('two', structuredClone(settings)),
		b = new Server('two_b', structuredClone(settings));
	b.db = a.db;
	b.t0 = a.t0;
	b.port = await freePort();
	b.file = path.join(b.dir, 'sladesk.conf');
	b.settings.token.key_file = path.join(a.dir, 'token.jwk');
	fs.mkdirSync(b.dir, { recursive: true });
	if (process.env.RUNAS) execFileSync('chown', ['-R', process.env.RUNAS + ':', b.dir]);
	await b.start();
	/* a process that came up late has a clock that began late, 120 times as much: a token of the one is not valid yet at the other */
	const behind = Math.round(((await a.clock()) - (await b.clock())) / 1000);
	await (behind > 0 ? b : a).jump(Math.abs(behind));
	const shards = async (d) => [await d.metric('shards_held'), await d.metric('instances')].join();
	await waitUntil(async () => (await shards(a)) === '32,2' && (await shards(b)) === '32,2');
	assert.strictEqual(
		a.sql(
			"select count(distinct owner) || ' ' || count(*) from shard_leases where expires_at > clock_timestamp()",
		),
		'2 64',
	);
	const user = await a.login('user', 'alpha'),
		made = [];
	for (let i = 0; i < 10; i++) made.push(await create(i % 2 ? a : b, user, { priority: 'P0' }));
	assert.strictEqual(
		(await b.get('/api/v1/tickets/' + made[0].id, user)).status,
		200,
		'any instance serves any request',
	);
	await waitUntil(
		() =>
			a.sql("select count(distinct ticket_id) from sla_fires where threshold = '90'") ===
			'10',
		20000,
	);
	assert.ok(
		(await a.metric('fires_total')) > 0 && (await b.metric('fires_total')) > 0,
		'each fired its share',
	);
	assert.strictEqual((await a.metric('fires_total')) + (await b.metric('fires_total')) >= 20, true);
	await waitUntil(
		() => a.sql("select count(*) from notifications where state = 'queued'") === '0',
		20000,
	);
	const seen = new Map();
	for (const m of sink.mails) {
		const id = m.raw.match(/^Message-ID: (.*)$/im)[1];
		seen.set(id, (seen.get(id) || 0) + 1);
	}
	assert.deepStrictEqual(
		[...seen].filter(([, n]) => n > 1),
		[],
		'no mail went out twice while both lived',
	);
	await a.stop('SIGKILL');
	await waitUntil(
		() =>
			b.sql(
				"select count(distinct ticket_id) from sla_fires where clock = 'response' and threshold = '100'",
			) === '10',
		10000,
	);
	once(b);
	assert.match(b.cli(['sla', 'verify']), /, 0 differences/);
	/* a killed process holds its shards until its successor on this host frees them, or they
	 * expire */
	await a.start();
	await waitUntil(async () => (await shards(a)) === '32,2' && (await shards(b)) === '32,2', 5000);
	await b.stop();
	await waitUntil(async () => (await shards(a)) === '64,1', 5000);
	fs.rmSync(b.dir, { recursive: true, force: true });
	await a.drop();
	await sink.close();
});
test('a ticket that the database refuses does not hold up others: its batch is halved down to it', async () => {
	const s = await Server.make('poison', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '300' },
	});
	const user = await s.login('user', 'alpha'),
		made = await Promise.all([...Array(9)].map(() => create(s, user, { priority: 'P0' })));
	s.sql(
		`create function refuse() returns trigger language plpgsql as $$ begin if new.ticket_id = ${made[4].id} then raise exception 'poisoned'; end if; return new; end $$; create trigger refuse before insert on events for each row execute function refuse()`,
	);
	s.proc.kill('SIGSTOP'); /* so that all nine fall due in one batch */
	await elapse(1500);
	s.proc.kill('SIGCONT');
	await waitUntil(
		() =>
			s.sql(
				"select count(distinct ticket_id) from sla_fires where clock = 'response' and threshold = '100'",
			) === '8',
		15000,
	);
	await waitUntil(() => s.log.includes(`fire set aside tenant=${s.alpha} ticket=${made[4].id}`));
	s.sql('drop trigger refuse on events');
	await waitUntil(
		() =>
			s.sql(
				"select count(distinct ticket_id) from sla_fires where clock = 'response' and threshold = '100'",
			) === '9',
		15000,
	);
	once(s);
	await s.drop();
});
test(
	'a full disk under the log: the daemon continues, and reports it once there is room',
	{ skip: fs.existsSync('/dev/full') ? false : '/dev/full is not here' },
	async () => {
		const s = new Server('full', { log: { target: '/dev/full' } });
		await s.prepare();
		await s.start();
		const user = await s.login('user', 'alpha');
		for (let i = 0; i < 20; i++) assert.ok((await create(s, user)).id);
		assert.strictEqual((await s.get('/readyz')).status, 200);
		await s.drop();
	},
);
test('nobody reads the log: the daemon never waits for it; kept lines appear once it is read, lost lines are counted', async () => {
	const s = new Server('mute', {});
	s.logPipe = true;
	await s.prepare();
	await s.start();
	machine.longestMs(true);
	let log = '';
	const read = () => s.proc.stderr.on('data', (d) => (log += d));
	fs.appendFileSync(s.file, '[http]\nbogus_' + 'x'.repeat(60) + ' = 1\n');
	const began = Date.now();
	for (let dropped = 0; !dropped;) {
		assert.ok(Date.now() - began < 60000, 'the log is never full');
		for (let i = 0; i < 100; i++) {
			s.proc.kill('SIGHUP');
			await s.get('/healthz');
		}
		dropped = await s.metric('log_dropped_total');
	}
	assert.ok(
		(await s.metric('loop_stall_seconds')) < 0.25 + machine.longestMs() / 1000,
		'and never stalled',
	);
	read();
	await waitUntil(() => log.length > 200000);
	assert.ok(
		log
			.split('\n')
			.filter(Boolean)
			.slice(1)
			.every((l) => /unknown setting|^\d{4}-|lost/.test(l)),
		'whole lines',
	);
	s.settings = {};
	await s.drop();
});
test('kill -9 at each named point: nothing due is lost; only what was sent but not yet marked comes twice, with the same Message-ID', async () => {
	const sink = await mailSink(),
		at = [
			'command-decided',
			'command-stored',
			'fire-settled',
			'fire-stored',
			'events-fetched',
			'notification-claimed',
			'notification-sent',
		];
	const s = new Server('points', {
		mail: { url: sink.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '300' },
	});
	await s.prepare();
	const copies = {};
	for (const point of at) {
		delete s.settings.test.failpoint;
		await s.start();
		const token = await s.login('user', 'alpha');
		s.settings.test.failpoint = point;
		await s.stop();
		await s.start();
		const body = { title: 'dies at ' + point, description: 'x', priority: 'P0' },
			key = { 'Idempotency-Key': 'points-' + point };
		await s
			.post('/api/v1/tickets', token, body, key)
			.catch(() => null); /* some die before they answer */
		assert.strictEqual((await s.proc.exited).sig, 'SIGKILL', point + ' is never reached');
		s.sql(
			"update notifications set claim_until = '2000-01-01Z' where state = 'queued' and claim_until is not null",
		); /* as if a minute had passed: the claims of the dead process */
		delete s.settings.test.failpoint;
		await s.start();
		const again = await s.post('/api/v1/tickets', token, body, key);
		assert.strictEqual(again.status, 201, again.text);
		assert.strictEqual(
			s.sql(`select count(*) from tickets where title = 'dies at ${point}'`),
			'1',
			'made once',
		);
		const id = again.data.id;
		await waitUntil(
			() =>
				s.sql(
					`select string_agg(threshold, ',' order by due_at) from sla_fires where ticket_id = ${id} and clock = 'response'`,
				) === '80,90,95,100',
			20000,
		);
		await waitUntil(() => {
			s.sql(
				"update notifications set next_attempt_at = '2000-01-01Z' where state = 'queued' and next_attempt_at > '2000-01-01Z' and claim_until is null",
			);
			return s.sql("select count(*) from notifications where state = 'queued'") === '0';
		}, 30000);
		assert.strictEqual(s.sql("select count(*) from notifications where state = 'dead'"), '0');
		const mine = sink.mails.filter((m) => m.subject.includes(again.data.number)),
			ids = mine.map((m) => m.raw.match(/^Message-ID: (.*)$/im)[1]);
		assert.strictEqual(
			new Set(ids).size,
			Number(
				s.sql(
					`select count(*) from notifications where ticket_id = ${id} and channel = 'mail' and state = 'sent'`,
				),
			),
			'each was told',
		);
		copies[point] = ids.length - new Set(ids).size;
		assert.strictEqual(
			(
				await s.post(`/api/v1/tickets/${id}/cancel`, await s.login('eng1'), {
					reason: 'its clocks shall not fire for the next',
				})
			).status,
			200,
		);
		await waitUntil(() => {
			s.sql(
				"update notifications set next_attempt_at = '2000-01-01Z' where state = 'queued' and claim_until is null",
			);
			return s.sql("select count(*) from notifications where state = 'queued'") === '0';
		}, 30000);
		await s.stop();
	}
	for (const point of at.filter((p) => p !== 'notification-sent'))
		assert.strictEqual(copies[point], 0, point + ': none twice');
	assert.ok(
		copies['notification-sent'] >= 1,
		'sent but not marked: sent again, because nobody can know',
	);
	await s.start();
	once(s);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
	await s.drop();
	await sink.close();
});
test('killed after each migration: a repeated run gives the same result', async () => {
	const s = new Server('migrating', {}),
		env = {
			...process.env,
			PGPASSWORD: fs.readFileSync(path.join(VAR, 'secret/db'), 'utf8').trim(),
		};
	const migrate = (more) =>
		spawnSync(
			path.join(INST, 'bin/sladesk'),
			[
				'migrate',
				'--owner-url',
				`host=${process.env.SOCK} dbname=${s.db} user=sladesk_owner`,
			],
			{ env: { ...env, ...more }, encoding: 'utf8' },
		);
	execFileSync(
		path.join(INST, 'bin/sladesk'),
		[
			'init',
			'--admin-url',
			`host=${process.env.SOCK} dbname=postgres user=postgres`,
			'--database',
			s.db,
			'--password-file',
			path.join(VAR, 'secret/db'),
		],
		{ env, stdio: 'ignore' },
	);
	let killed = 0;
	while (migrate({ SLADESK_TEST_FAILPOINT: 'migration-applied' }).signal === 'SIGKILL') killed++;
	assert.ok(killed >= 7, 'after each of them: ' + killed);
	assert.strictEqual(migrate({}).status, 0);
	assert.strictEqual(s.sql('select count(*) from schema_version'), String(killed));
	await s.drop();
});
test('PostgreSQL read-only or out of connections: 503 and 50001 at once, reads as far as possible, normal again at once', async () => {
	const s = await Server.make('readonly', {}),
		user = await s.login('user', 'alpha'),
		k = await create(s, user);
	s.sql(`alter database ${s.db} set default_transaction_read_only = on`);
	s.sql(
		`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${s.db}' and usename like 'sladesk%'`,
	);
	await waitUntil(async () => (await s.get('/api/v1/tickets/' + k.id, user)).status === 200);
	const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' });
	assert.deepStrictEqual([r.status, r.code], [503, 50001], r.text);
	s.sql(`begin read write; alter database ${s.db} reset default_transaction_read_only; commit`);
	s.sql(
		`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${s.db}' and usename like 'sladesk%'`,
	);
	await waitUntil(
		async () =>
			(await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).status ===
			201,
		5000,
	);
	s.sql('alter role sladesk_app connection limit 0; alter role sladesk_job connection limit 0');
	s.sql(
		`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${s.db}' and usename like 'sladesk%'`,
	);
	await waitUntil(async () => (await s.get('/readyz')).status === 503);
	const full = await machine.timed(() =>
		s.post('/api/v1/tickets', user, { title: 'x', description: 'y' }),
	);
	assert.deepStrictEqual([full.r.status, full.r.code], [503, 50001], full.r.text);
	assert.ok(full.ms < 2500, 'within the limit: ' + full.ms);
	s.sql('alter role sladesk_app connection limit -1; alter role sladesk_job connection limit -1');
	await waitUntil(
		async () =>
			(await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' })).status ===
			201,
		5000,
	);
	await s.drop();
});
