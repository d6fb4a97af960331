// SPDX-License-Identifier: Apache-2.0
// The daemon: settings, metrics, logs, reload, drain, takeover; and the command line, with real logs if they are present.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	zlib = require('node:zlib'),
	{ execFileSync, spawnSync, spawn } = require('node:child_process');
const WebSocket = require('ws');
const { Server, waitUntil, PASSWORD, INST, VAR, asUser } = require('../lib/server.js');

let s, user;
test.before(async () => {
	s = await Server.make('daemon', { log: { format: 'json' } });
	user = await s.login('user', 'alpha');
});
test.after(() => s.drop());
const daemon = (...args) =>
	spawnSync(path.join(INST, 'sbin/sladeskd'), args, {
		encoding: 'utf8',
		env: { ...process.env, SLADESK_HTTP_LISTEN: '127.0.0.1:1' },
	});

test('settings: help, sample and manual come from one table; mistakes are named', () => {
	const help = daemon('--help').stdout,
		sample = daemon('--print-config').stdout,
		man = daemon('--print-conf-man').stdout;
	for (const o of ['http.listen', 'mail.url', 'engine.horizon_s']) {
		assert.ok(help.includes(o) && man.includes(o));
		assert.ok(sample.includes('\n;' + o.split('.')[1] + ' = '));
	}
	assert.ok(!/default (\)|;)|Default: \./.test(help + man) && /default empty/.test(help));
	const file = path.join(s.dir, 'bad.conf');
	for (const [text, re] of [
		['[http]\nlisten = x\nodd = 1\n', /line 3: .*unknown setting http\.odd/],
		['[notify]\nattempts = many\n', /notify\.attempts must be a whole number from 1 to 100/],
		['[test]\necho = maybe\n', /must be yes or no/],
	]) {
		fs.writeFileSync(file, text);
		const r = daemon('-c', file, '--check');
		assert.strictEqual(r.status, 1);
		assert.match(r.stderr, re);
	}
	assert.match(
		spawnSync(path.join(INST, 'sbin/sladeskd'), ['--check'], {
			encoding: 'utf8',
			env: { SLADESK_NOTIFY_ATTEMPTS: '0' },
		}).stderr,
		/SLADESK_NOTIFY_ATTEMPTS: notify\.attempts/,
	);
	fs.writeFileSync(
		file,
		'[database]\napp_url = host=db.example.org dbname=x\n[token]\nkey_file = ' +
			path.join(s.dir, 'k') +
			'\n',
	);
	assert.match(daemon('-c', file).stderr, /host names would block/);
	/* --check refuses what the start refuses */
	for (const [section, line, why] of [
		['http', 'listen = 127.0.0.1:99999', /http\.listen: address:port expected/],
		['http', 'listen = 127.0.0.1:80x', /http\.listen: address:port expected/],
		['http', 'listen = localhost:8080', /http\.listen: not an address/],
		['http', 'trusted_proxies = proxy.example', /http\.trusted_proxies/],
		['redis', 'url = redis://10.0.0.1:6379', /redis\.url: plain TCP only/],
		['redis', 'url = http://127.0.0.1', /redis\.url: unix/],
		['redis', 'url = rediss://redis.example\nca_file = /nonexistent', /redis\.ca_file/],
		['database', 'app_url = host=db.example.org dbname=x', /host names would block/],
		['database', 'replica_url = hostaddr=10.0.0.1 dbname=x', /sslmode=verify-full/],
	]) {
		const listen = line.startsWith('listen') ? {} : { SLADESK_HTTP_LISTEN: '127.0.0.1:0' };
		fs.writeFileSync(
			file,
			`[token]\nkey_file = ${path.join(s.dir, 'k')}\n[${section}]\n${line}\n`,
		);
		for (const args of [['--check'], []]) {
			const r = spawnSync(path.join(INST, 'sbin/sladeskd'), ['-c', file, ...args], {
				encoding: 'utf8',
				timeout: 20000,
				env: { ...process.env, ...listen },
			});
			assert.ok(r.status === 1 && why.test(r.stderr), line + args + r.status + r.stderr);
		}
	}
});
test("without the portal's files the log says why pages are not found; with them it says nothing", async () => {
	const bare = await Server.make('bare', { http: { static_dir: s.dir } });
	assert.strictEqual((await bare.get('/')).status, 404);
	assert.match(bare.log, /no portal: .*index\.html cannot be read; see http\.static_dir/);
	assert.ok(!s.log.includes('no portal'));
	await bare.drop();
});
test('metrics satisfy promtool, logs are JSON lines without secrets', async () => {
	await s.get('/api/v1/tickets', user);
	const r = spawnSync('promtool', ['check', 'metrics'], {
		input: (await s.get('/metrics')).text,
		encoding: 'utf8',
	});
	assert.strictEqual(r.status, 0, r.stdout + r.stderr);
	for (const l of s.log.trim().split('\n')) assert.ok(JSON.parse(l).at, l);
	assert.ok(!s.log.includes(user) && !s.log.includes('Test-pass'));
});
test('openapi.json names every route, and the documents page shows them', async () => {
	const d = (await s.get('/openapi.json')).json;
	assert.strictEqual(d.openapi, '3.1.0');
	assert.ok(Object.keys(d.paths).length > 35);
	assert.deepStrictEqual(
		d.paths['/api/v1/tickets'].post.requestBody.content['application/json'].schema.required,
		['title', 'description'],
	);
	const of = (p, m) => {
		const r = d.paths[p][m].responses;
		return (r['200'] || r['201']).content['application/json'].schema.properties.data;
	};
	assert.deepStrictEqual(of('/api/v1/tickets', 'get').properties.items.items.properties.opened_at, {
		type: ['string', 'null'],
		format: 'date-time',
	});
	assert.ok(
		of('/api/v1/tickets/{id}', 'get').properties.number &&
			of('/api/v1/tickets/{id}/waive', 'post').properties.version &&
			of('/api/v1/auth/login', 'post').properties.access_token,
	);
	for (const p of Object.keys(d.paths))
		for (const m of Object.keys(d.paths[p]))
			assert.ok(
				d.paths[p][m].summary &&
					/[\u4e00-\u9fff]/.test(d.paths[p][m]['x-summary-zh']),
				p + ' is described in both languages',
			);
	assert.strictEqual((await s.get('/docs')).status, 200);
});
test('takeover: a new process gets the socket; no request fails, WebSockets are told to reconnect', async () => {
	let failed = 0,
		done = 0,
		running = true;
	const end = Date.now() + 20000;
	const load = [...Array(4)].map(async () => {
		while (running && Date.now() < end) {
			try {
				const r = await s.get('/api/v1/tickets', user);
				if (r.status !== 200) failed++;
				done++;
			} catch {
				failed++;
			}
		}
	});
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`);
	const closed = new Promise((ok) => {
		ws.on('close', ok);
	});
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token: user })));
	await new Promise((ok) => {
		ws.on('message', ok);
	});
	const [cmd, args] = asUser(path.join(INST, 'sbin/sladeskd'), ['-c', s.file, '--takeover']),
		old = s.proc;
	const p = spawn(cmd, args, { stdio: ['ignore', 'ignore', s.openLog()] });
	p.exited = new Promise((ok) =>
		p.on('exit', (code, sig) => {
			p.done = { code, sig };
			ok(p.done);
		}),
	);
	assert.strictEqual(await closed, 1012);
	assert.deepStrictEqual(await old.exited, { code: 0, sig: null });
	s.proc = p;
	await waitUntil(async () => (await s.get('/readyz')).status === 200);
	running = false;
	await Promise.all(load);
	assert.ok(done > 20);
	assert.strictEqual(failed, 0, `${failed} of ${done} failed`);
});
test('SIGTERM drains and leaves cleanly, SIGUSR1 and SIGHUP are survived', async () => {
	s.proc.kill('SIGUSR1');
	s.proc.kill('SIGHUP');
	await waitUntil(() => s.log.includes('settings reloaded'));
	assert.deepStrictEqual(await s.stop('SIGTERM'), { code: 0, sig: null }, s.log.slice(-1500));
	await s.start();
});
test('signing keys: published, changed with an overlap, or all at once; a broken file changes nothing', async () => {
	const keys = async () => (await s.request('GET', '/.well-known/jwks.json')).json.keys,
		file = path.join(s.dir, 'token.jwk'),
		claims = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')),
		me = async (token) => (await s.get('/api/v1/me', token)).status,
		hup = () => s.proc.kill('SIGHUP');
	const [first, more] = await keys();
	assert.ok(!more && first.kid && first.x && !first.d, 'one key, without its private half');
	assert.deepStrictEqual([first.kty, first.crv, first.alg, first.use], ['EC', 'P-256', 'ES256', 'sig']);
	const input = user.split('.'),
		key = require('node:crypto').createPublicKey({ key: first, format: 'jwk' });
	assert.ok(
		require('node:crypto').verify(
			'sha256',
			Buffer.from(input[0] + '.' + input[1]),
			{ key, dsaEncoding: 'ieee-p1363' },
			Buffer.from(input[2], 'base64url'),
		),
		'a third party can verify our token with it',
	);
	assert.match(s.cli(['key', 'rotate']), /signs in ten minutes/);
	hup();
	await waitUntil(async () => (await keys()).length === 2);
	assert.strictEqual(claims(await s.login('user', 'alpha')).kid, first.kid, 'not before every instance has read it');
	assert.strictEqual(await me(user), 200);
	fs.writeFileSync(file, '{"keys":[]}');
	hup();
	await waitUntil(() => /token.key_file cannot be read; keeping the current keys/.test(s.log));
	assert.strictEqual(await me(user), 200);
	const session = (
		await s.post('/api/v1/auth/login', null, {
			username: 'user',
			password: PASSWORD,
			tenant: 'alpha',
		})
	).data;
	assert.match(s.cli(['key', 'rotate', '--at-once']), /every earlier access token is invalid/);
	hup();
	await waitUntil(async () => (await keys()).length === 1 && (await keys())[0].kid !== first.kid);
	await waitUntil(async () => (await me(session.access_token)) === 401, 8000); /* cached for 5 s */
	const renewed = await s.post('/api/v1/auth/refresh', null, { refresh_token: session.refresh_token });
	assert.strictEqual(renewed.status, 200, 'sessions continue');
	assert.strictEqual(await me(renewed.data.access_token), 200);
	user = await s.login('user', 'alpha');
});
test('the daemon refuses to start with an unencrypted connection to another machine, and says what to change', async () => {
	for (const [section, key, value, says] of [
		['database', 'app_url', 'hostaddr=192.0.2.1 dbname=x user=y', /sslmode=verify-full/],
		['database', 'job_url', 'hostaddr=192.0.2.1 sslmode=require dbname=x', /sslmode=verify-full/],
		['database', 'app_url', 'host=db.example dbname=x', /host names would block/],
		['redis', 'url', 'redis://192.0.2.1:6379', /loopback/],
		['redis', 'url', 'http://x', /redis\.url/],
	]) {
		const t = new Server('far', { [section]: { [key]: value } });
		t.port = 1;
		fs.mkdirSync(t.dir, { recursive: true });
		const file = path.join(t.dir, 'far.conf');
		fs.writeFileSync(
			file,
			t
				.conf()
				.replace(/listen = .*/, 'listen = 127.0.0.1:0')
				.replace(/key_file = .*/, 'key_file = ' + path.join(s.dir, 'token.jwk')),
		);
		const r = spawnSync(path.join(INST, 'sbin/sladeskd'), ['-c', file], {
			encoding: 'utf8',
			timeout: 10000,
		});
		assert.notStrictEqual(r.status, 0);
		assert.match(r.stderr, says, value + r.stderr);
		fs.rmSync(t.dir, { recursive: true });
	}
});
test('calc: one line in, one line out; an invalid line sets the exit status', () => {
	const cal = {
		tz: 'Asia/Shanghai',
		hours: {
			mon: [
				['09:00', '12:00'],
				['13:00', '18:00'],
			],
			fri: [['09:00', '18:00']],
		},
		overrides: { '2025-10-11': [['09:00', '18:00']] },
	};
	const lines = [
		{
			id: 1,
			op: 'add_working_time',
			calendar: cal,
			start: '2025-10-10T09:00:00Z',
			seconds: 7200,
		},
		{ id: 2, op: 'nonsense', calendar: cal },
		{
			id: 3,
			op: 'escalation',
			calendar: cal,
			created: '2025-10-13T09:00:00Z',
			policy: { first_response_s: 62222222222222220 },
			events: [],
		},
	];
	const r = spawnSync(path.join(INST, 'bin/sladesk'), ['sla', 'calc'], {
		input: lines.map((l) => JSON.stringify(l)).join('\n') + '\n',
		encoding: 'utf8',
	});
	assert.strictEqual(r.status, 1);
	assert.deepStrictEqual(
		r.stdout
			.trim()
			.split('\n')
			.map((l) => JSON.parse(l)),
		[
			{ id: 1, result: '2025-10-11T02:00:00Z' },
			{ id: 2, error: 'op: add_working_time, working_time_between or escalation' },
			{ id: 3, error: 'first_response: a budget is at most 100 years of seconds' },
		],
	);
});
test('import: a broken log is reported with line and column, loses nothing, and continues where it stopped', () => {
	const map = path.join(__dirname, '../../etc/import/volvo.json'),
		csv = path.join(s.dir, 'log.csv'),
		rejects = path.join(s.dir, 'rejects.csv');
	fs.writeFileSync(
		csv,
		'case_id,activity,timestamp,resource\n1,0,2010-03-31 14:59:42,0\n1,99,2010-03-31 15:00:00,0\n1,4,2010-03-31 16:00:00,0\n2,0,yesterday,0\n2,0,2010-04-01 00:00:00,0\n"3,0,2010\n',
	);
	const args = [
		'import',
		'--map',
		map,
		'--tenant',
		'alpha',
		'--policy',
		'standard',
		'--rejects',
		rejects,
		csv,
	];
	const out = s.cli(args);
	assert.match(out, /read {6}6 log events, rejected 3/);
	assert.match(out, /imported {2}2 tickets/);
	const bad = fs.readFileSync(rejects, 'utf8').trim().split('\n').slice(1);
	assert.deepStrictEqual(bad.slice(0, 2), ['3,2,unknown state or activity', '5,3,not a time']);
	assert.match(bad[2], /^7,\d+,broken CSV record$/);
	assert.match(s.cli(args), /skipped {3}2 tickets, imported before/);
	assert.strictEqual(
		s.sql("select count(*) || ' ' || bool_and(muted) from tickets where source = 'import'"),
		'2 true',
	);
	assert.strictEqual(
		s.sql(
			"select count(*) from notifications n join tickets t on t.tenant_id = n.tenant_id and t.id = n.ticket_id where t.source = 'import'",
		),
		'0',
		'no alerts',
	);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('import: a compressed log that is cut short or corrupt is refused, not taken for a shorter one', () => {
	const rows = ['case_id,activity,timestamp,resource'],
		file = path.join(s.dir, 'log.csv.gz');
	for (let i = 0; i < 20000; i++) rows.push(`${900000 + i},0,2010-03-31 14:59:42,${(i * 7919) % 1000}`);
	const whole = zlib.gzipSync(rows.join('\n') + '\n'),
		corrupt = Buffer.from(whole);
	corrupt.fill(0xff, whole.length >> 1, (whole.length >> 1) + 40);
	for (const [bytes, why] of [
		[
			whole.subarray(0, whole.length - 9000),
			/log\.csv\.gz: line \d+: the compressed file is cut short/,
		],
		[corrupt, /log\.csv\.gz: line \d+: the compressed file is corrupt/],
	]) {
		fs.writeFileSync(file, bytes);
		assert.throws(
			() =>
				s.cli([
					'import',
					...['--map', path.join(__dirname, '../../etc/import/volvo.json')],
					...['--tenant', 'alpha', '--policy', 'standard'],
					...['--rejects', path.join(s.dir, 'rejects.csv'), file],
				]),
			why,
		);
	}
});
test('import --go-live: frozen clocks run again, the years in between do not count, nobody is notified of the past', async () => {
	const left = (id) =>
		Number(
			s.sql(
				`select round(extract(epoch from due_at - start_at) - coalesce((select sum(w) from (select (t.excluded_windows[i + 1] - t.excluded_windows[i]) / 1000000 as w from tickets t, generate_series(1, cardinality(t.excluded_windows), 2) i where t.id = ${id}) x), 0)) from sla_clocks where ticket_id = ${id} and clock = 'response'`,
			),
		);
	const open =
		s.sql("select min(id) from tickets where muted and status = 'new'") ||
		s.sql(
			"select min(t.id) from tickets t where t.muted and t.status not in ('closed', 'resolved')",
		);
	assert.match(s.cli(['import', '--go-live', '--tenant', 'alpha']), /live {6}\d+ open tickets/);
	assert.strictEqual(s.sql('select count(*) from tickets where muted'), '0');
	assert.ok(left(open) > 0 && left(open) <= 28800, 'the promise is as long as it was: ' + left(open));
	assert.strictEqual(
		s.sql(
			"select count(*) from notifications n join tickets t on t.tenant_id = n.tenant_id and t.id = n.ticket_id where t.source = 'import'",
		),
		'0',
		'nobody is notified of the past',
	);
	assert.match(s.cli(['sla', 'verify', '--tenant', 'alpha']), /, 0 differences/);
	const eng = await s.login('eng1');
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${open}/reply`, eng, { text: 'we are on it' })).status,
		200,
	);
	assert.match(s.cli(['sla', 'verify', '--tenant', 'alpha']), /, 0 differences/);
	assert.match(s.cli(['import', '--go-live', '--tenant', 'alpha']), /live {6}0 open/);
});
const data = process.env.SLADESK_DATA,
	log = data && path.join(data, 'tickets/uci_incident_event_log.dev.csv.gz');
test(
	'import of the ServiceNow log: every row accounted for, verdicts agree',
	{ skip: log && fs.existsSync(log) ? false : 'the log is not here' },
	() => {
		const rejects = path.join(s.dir, 'r2.csv');
		const out = s.cli([
			'import',
			'--map',
			path.join(__dirname, '../../etc/import/servicenow-uci.json'),
			'--tenant',
			'beta',
			'--policy',
			'servicenow-uci',
			'--rejects',
			rejects,
			log,
		]);
		console.log(
			out
				.split('\n')
				.map((l) => '# ' + l)
				.join('\n'),
		);
		assert.match(out, /read {6}100066 log events, rejected 5/);
		assert.strictEqual(fs.readFileSync(rejects, 'utf8').trim().split('\n').length, 6);
		assert.match(out, /gives the log's priority in (\d+) of \1 rows/);
		assert.ok(Number(out.match(/own for ([\d.]+) %/)[1]) >= 99.2);
		assert.match(
			s.cli(['sla', 'verify', '--tenant', 'beta']),
			/verified 17530 tickets, 0 differences/,
		);
		assert.match(
			s.cli([
				'sla',
				'replay',
				'--policy',
				'basic',
				'--tenant',
				'beta',
				'--from',
				'2016-03-01T00:00:00Z',
			]),
			/nothing was changed/,
		);
		assert.match(s.cli(['sla', 'verify', '--tenant', 'beta']), /, 0 differences/);
	},
);
