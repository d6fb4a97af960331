// SPDX-License-Identifier: Apache-2.0
// What `make install` gives an operator beside the programs: start scripts, log rotation, manual pages, completion, alert rules and a dashboard.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync, spawnSync } = require('node:child_process');
const { Server, asUser, freePort } = require('../lib/server.js'),
	INST = process.env.INST,
	installed = (f) => path.join(INST, f),
	read = (f) => fs.readFileSync(installed(f), 'utf8');

let s;
before(async () => {
	s = await Server.make('kit');
});
after(() => s && s.drop());

test('the start scripts and the log rotation are installed, with the paths of this installation', () => {
	/* configure's paths, of which `make install prefix=…` changes only where the files go */
	const prefix = read('lib/systemd/system/sladeskd.service').match(/^ExecStart=(.*)\/sbin\/sladeskd -c (.*)$/m);
	assert.ok(prefix);
	assert.notStrictEqual(prefix[1], '/usr');
	assert.strictEqual(prefix[2], prefix[1] + '/etc/sladesk/sladesk.conf');
	assert.ok(read('etc/init.d/sladeskd').includes(`DAEMON=${prefix[1]}/sbin/sladeskd\n`));
	assert.ok(read('etc/init.d/sladeskd').includes(`-c ${prefix[2]}`));
	/* what belongs to the system stays where it is */
	assert.match(read('etc/init.d/sladeskd'), /^#!\/usr\/bin\/env /);
	assert.match(read('etc/init.d/sladeskd'), /^RELOAD_SIGNAL=HUP$/m);
	assert.match(read('lib/systemd/system/sladeskd.socket'), /^ListenStream=127\.0\.0\.1:8080$/m);
	assert.match(read('etc/logrotate.d/sladesk'), /postrotate/);
	assert.ok(fs.statSync(installed('etc/init.d/sladeskd')).mode & 0o111);
	assert.strictEqual(spawnSync('sh', ['-n', installed('etc/init.d/sladeskd')]).status, 0);
	assert.match(read('share/doc/sladesk/sladesk.conf.sample'), /^\[http\]$/m);
});

test('the manual pages name every command and every setting', () => {
	const help = execFileSync(installed('bin/sladesk'), ['help'], { encoding: 'utf8' }),
		plain = (f) => read(f).replaceAll('\\-', '-').replaceAll('\\e', '\\');
	const page = plain('share/man/man1/sladesk.1'),
		lines = help.split('\n').filter((l) => /^ {2}[a-z]/.test(l));
	assert.ok(lines.length > 30);
	for (const l of lines) assert.ok(page.includes(l.trim()), l);
	const sample = read('share/doc/sladesk/sladesk.conf.sample'),
		conf = plain('share/man/man5/sladesk.conf.5');
	let section = '',
		settings = 0;
	for (const l of sample.split('\n')) {
		section = l.match(/^\[(.*)\]$/)?.[1] || section;
		const key = l.match(/^;([a-z_0-9]+) = /)?.[1];
		if (key) settings++;
		if (key) assert.ok(conf.includes(`.B ${section}.${key}\n`), key);
	}
	assert.ok(settings > 60);
	assert.match(plain('share/man/man8/sladeskd.8'), /--takeover/);
});

/* What bash offers after WORDS, the last of which is being typed. */
function offered(...words) {
	const script = `. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sladesk; printf '%s\\n' "\${COMPREPLY[@]}"`;
	return execFileSync('bash', ['-c', script, '_', installed('share/bash-completion/completions/sladesk'), 'sladesk', ...words], {
		encoding: 'utf8',
	})
		.split('\n')
		.filter(Boolean);
}

test('bash completes commands, their subcommands and their options', () => {
	assert.deepStrictEqual(offered('ten'), ['tenant']);
	assert.deepStrictEqual(offered('-c', '/dev/null', 'ten'), ['tenant']);
	assert.deepStrictEqual([...new Set(offered('keys', 'r'))].sort(), ['restore', 'rewrap', 'rotate']);
	assert.ok(offered('tenant', 'add', '--c').includes('--code'));
	assert.ok(!offered('tenant', 'add', '--').includes('--role'));
	assert.ok(offered('help').includes('help'));
});

test('the alert rules and the dashboard ask only for metrics that the daemon has', async (t) => {
	const text = (await s.get('/metrics')).text,
		has = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1])),
		rules = read('share/sladesk/monitoring/sladesk.rules.yml'),
		board = JSON.parse(read('share/sladesk/monitoring/sladesk.grafana.json'));
	const asked = [
		...rules.matchAll(/\bsladesk_[a-z_]+/g),
		...board.panels.flatMap((p) => p.targets.flatMap((x) => [...x.expr.matchAll(/\bsladesk_[a-z_]+/g)])),
	].map((m) => m[0]);
	assert.ok(asked.length > 40);
	assert.deepStrictEqual([...new Set(asked)].filter((m) => !has.has(m)), []);
	/* no two panels overlap */
	const cells = new Set();
	for (const { gridPos: g } of board.panels)
		for (let x = g.x; x < g.x + g.w; x++)
			for (let y = g.y; y < g.y + g.h; y++) {
				assert.ok(!cells.has(`${x},${y}`));
				cells.add(`${x},${y}`);
			}
	if (spawnSync('promtool', ['--version']).error) return t.skip('promtool is not here');
	execFileSync('promtool', ['check', 'rules', installed('share/sladesk/monitoring/sladesk.rules.yml')]);
	for (const p of board.panels) for (const x of p.targets) assert.ok(x.legendFormat, p.title);
});

/* For each alert: what it must wake for (the series from minute 0), after how long, and in what nothing is wrong. */
const alerts = {
	SladeskDown: ['up{job="sladesk"}', '1 0x10', '1x200', 3],
	SladeskDeadlinesLate: ['sladesk_sla_lag_seconds', '0 6x10', '5x200', 2],
	SladeskDeadlinesParked: ['sladesk_fires_parked', '1x10', '0x200', 6],
	SladeskTimersGivenUp: ['sladesk_timers_failed_total', '0 1x10', '3x200', 2],
	SladeskDependencyDown: ['sladesk_circuits{dependency="mail",state="open"}', '1x10', '0x200', 2],
	SladeskMailRefused: ['sladesk_mail_refused', '1x10', '0x200', 3],
	SladeskNotificationsWaiting: ['sladesk_notifications_queued', '101x20', '100x200', 11],
	SladeskNotificationsDead: ['sladesk_notifications_dead', '0 1x10', '7x200', 2],
	SladeskLoopStalls: ['sladesk_loop_stall_recent_seconds', '0.3x10', '0.1x200', 6],
	SladeskJobFailing: ['sladesk_job_failures_total{exported_job="x"}', '0+1x10', '4x200', 8],
	SladeskItemsSetAside: ['sladesk_follower_set_aside_total{consumer="x"}', '0 1x10', '4x200', 2],
	SladeskAuditRefused: ['sladesk_audit_refused_total', '0 1x10', '4x200', 2],
	SladeskNumbersWrong: ['sladesk_figures_wrong_total', '0 1x10', '4x200', 2],
	SladeskClocksDiffer: ['sladesk_sla_differences', '2x10', '0x200', 1],
	SladeskClocksUnchecked: ['sladesk_sla_verified_age_seconds', '172801x10', '90000x200', 1],
	SladeskAnalysesOverdue: ['sladesk_rca_overdue', '1x80', '0x200', 61],
	SladeskSyncDeadLetters: ['sladesk_sync_dead_letters', '1x20', '0x200', 11],
	SladeskClockSkew: ['sladesk_clock_skew_seconds', '-2x10', '-0.5x200', 6],
	SladeskFieldKeyOld: ['sladesk_field_key_age_seconds', '34560001x10', '8000000x200', 1],
	SladeskCalendarEnds: ['sladesk_calendars_without_next_year', '1x10', '0x200', 1],
	SladeskHelpersMissing: ['sladesk_helper_pool_ready{pool="hash"}', '0x10', '2x200', 3],
	SladeskSealedRefused: ['sladesk_sealed_refused_total', '0 1x10', '4x200', 2],
};
test('every alert fires for what it is about, and none while all is well', (t) => {
	const rules = installed('share/sladesk/monitoring/sladesk.rules.yml'),
		names = [...read('share/sladesk/monitoring/sladesk.rules.yml').matchAll(/^ {6}- alert: (\w+)/gm)].map((m) => m[1]);
	assert.deepStrictEqual(names, Object.keys(alerts));
	const firing = 'count by (alertname) (ALERTS{alertstate="firing"})',
		tests = names.map((name) => {
			const [series, values, , after] = alerts[name];
			return {
				interval: '1m',
				input_series: [{ series, values }],
				promql_expr_test: [{ expr: firing, eval_time: after + 'm', exp_samples: [{ labels: `{alertname="${name}"}`, value: 1 }] }],
			};
		});
	tests.push({
		interval: '1m',
		input_series: names.map((name) => ({ series: alerts[name][0], values: alerts[name][2] })),
		promql_expr_test: ['1m', '30m', '3h'].map((eval_time) => ({ expr: firing, eval_time, exp_samples: [] })),
	});
	if (spawnSync('promtool', ['--version']).error) return t.skip('promtool is not here');
	const file = path.join(s.dir, 'rules.test.json'); /* JSON is YAML */
	fs.writeFileSync(file, JSON.stringify({ rule_files: [rules], evaluation_interval: '1m', tests }));
	const r = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
	assert.strictEqual(r.status, 0, r.stdout + r.stderr);
});

test('the build says what it is, in /metrics and by --version', async () => {
	const text = (await s.get('/metrics')).text,
		[, version, commit, compiler] = text.match(/^sladesk_build_info\{version="(.*?)",commit="(.*?)",compiler="(.*?)"\} 1$/m);
	for (const [program, name] of [
		['bin/sladesk', 'sladesk'],
		['sbin/sladeskd', 'sladeskd'],
	])
		assert.strictEqual(
			execFileSync(installed(program), ['--version'], { encoding: 'utf8' }),
			`${name} ${version} (commit ${commit}, ${compiler})\n`,
		);
	assert.match(commit, /^([0-9a-f]{12}|unknown)$/);
});

/* The daemon with other settings, as its user: what it prints and how it ends. */
async function daemon(settings, ...args) {
	const t = new Server('kit', settings),
		[cmd, all] = asUser(installed('sbin/sladeskd'), ['-c', path.join(s.dir, 'other.conf'), ...args]);
	Object.assign(t, { db: s.db, dir: s.dir, port: await freePort() });
	t.settings = { ...settings, token: { key_file: path.join(s.dir, 'token.jwk'), ...settings.token } };
	fs.writeFileSync(path.join(s.dir, 'other.conf'), t.conf());
	return spawnSync(cmd, all, { encoding: 'utf8', timeout: 20000 });
}
test('--check leaves no log file behind, which would belong to whoever checks', async () => {
	const target = path.join(s.dir, 'new.log'),
		r = await daemon({ log: { target } }, '--check');
	assert.strictEqual(r.status, 0, r.stderr);
	assert.ok(!fs.existsSync(target));
	const away = await daemon({ log: { target: path.join(s.dir, 'nowhere/new.log') } }, '--check');
	assert.strictEqual(away.status, 1);
	assert.match(away.stderr, /log\.target: .*nowhere\/new\.log: No such file/);
});
test('a file that cannot be read is called that, at the start and by --check', async () => {
	const conf = read('share/doc/sladesk/sladesk.conf.sample'),
		missing = path.join(s.dir, 'missing');
	let section = '',
		files = 0;
	for (const l of conf.split('\n')) {
		section = l.match(/^\[(.*)\]$/)?.[1] || section;
		const key = l.match(/^;([a-z_0-9]+_file) = /)?.[1],
			name = `${section}.${key}`;
		if (!key || /^(daemon.pid_file|audit.anchor_file|token.key_file|sso.saml_key_file|crypto.master_key_file|audit.key_file)$/.test(name)) continue;
		files++;
		for (const args of [[], ['--check']]) {
			const r = await daemon({ [section]: { [key]: missing } }, ...args);
			assert.strictEqual(r.status, 1, name);
			assert.ok(r.stderr.includes(missing), name + ': ' + r.stderr);
		}
	}
	assert.ok(files > 10);
	const keys = path.join(s.dir, 'locked.jwk');
	fs.writeFileSync(keys, '', { mode: 0o600 });
	const empty = await daemon({ token: { key_file: keys } });
	assert.match(empty.stderr, /token\.key_file: .*locked\.jwk: (not a set of EC P-256 keys|Permission denied)/);
});
test('a helper program that is not there stops the start', async () => {
	const r = await daemon({ worker: { path: s.dir } });
	assert.strictEqual(r.status, 1);
	assert.match(r.stderr, /worker\.path: .*sladesk-helper-hash: No such file or directory/);
});

/* Every setting with values that it cannot have; "free": every text is good, or only the database knows. */
const table = [...fs.readFileSync(path.join(__dirname, '../../include/config/options.def'), 'utf8').matchAll(/^OPTION_(\w+)\((\w+), (\w+), (?:"(?:[^"\\]|\\.)*"|[^,]*), (?:(-?\d+), (-?\d+), )?/gm)].map((m) => ({
		kind: m[1],
		name: m[2] + '.' + m[3],
		section: m[2],
		key: m[3],
		min: m[4],
		max: m[5],
	})),
	free = 'http.static_dir integration.stream support.contact mail.username notify.hours crypto.master_key_command audit.anchor_file daemon.user test.failpoint'.split(' '),
	wrong = {
		'http.listen': ['localhost:80', '127.0.0.1', '127.0.0.1:99999', '[::1:80', ':', '[:80', ''],
		'http.url': ['desk.example.com', 'ftp://desk.example.com', 'https://', 'https://u:p@desk.example.com', ''],
		'http.trusted_proxies': ['proxy.example', '10.0.0.0/99', '10.0.0.1, x'],
		'metrics.allow': ['everybody', '127.0.0.0/8;::1'],
		'database.app_url': ['host=db.example.org', 'nonsense', 'hostaddr=10.0.0.1'],
		'database.job_url': ['host=db.example.org'],
		'database.replica_url': ['host=db.example.org'],
		'redis.url': ['http://127.0.0.1', 'redis://10.0.0.1:6379'],
		'integration.customers_url': ['crm', 'ftp://crm.example'],
		'integration.tickets_url': ['crm', 'ftp://crm.example'],
		'mail.url': ['mail.example.com', 'http://mail.example.com', 'smtp://'],
		'mail.from': ['nobody', '', 'a@b.c, d@e.f'],
		'mail.reply_to': ['nobody'],
		'sms.url': ['gateway', 'https:///x'],
		'engine.heartbeat_url': ['ftp://x.example', 'https://u:p@x.example/'],
		'sso.dns_servers': ['10.0.0.1,?', 'ns.example'],
		'worker.path': ['/nowhere/at/all'],
		'log.target': ['/nowhere/at/all.log'],
		'log.level': ['loud', ''],
		'log.format': ['xml', ''],
		'daemon.pid_file': ['/nowhere/at/all.pid'],
		'daemon.control': ['/nowhere/at/all.sock', '/' + 'x'.repeat(200)],
		'test.nameserver': ['ns.example'],
	};
function wrongValues(o) {
	if (o.kind === 'INT') return ['x', '', '1.5', String(BigInt(o.min) - 1n), String(BigInt(o.max) + 1n)];
	if (o.kind === 'BOOL') return ['maybe', '1', ''];
	return wrong[o.name] || (o.key.endsWith('_file') && !free.includes(o.name) ? ['/nowhere/at/all'] : []);
}
test('--check names every wrong setting with its line, all at once, and the start refuses each', async () => {
	assert.ok(table.length > 90);
	for (const o of table) assert.notStrictEqual(wrongValues(o).length > 0, free.includes(o.name), o.name);
	const file = path.join(s.dir, 'other.conf'),
		bare = (args) => {
			const [cmd, all] = asUser(installed('sbin/sladeskd'), ['-c', file, ...args]);
			return spawnSync(cmd, all, { encoding: 'utf8', timeout: 20000 });
		};
	/* all at once */
	for (const skipped of [[], ['INT', 'BOOL']]) {
		const lines = [],
			at = {};
		for (const o of table) {
			const v = skipped.includes(o.kind) ? undefined : wrongValues(o)[0];
			if (v === undefined) continue;
			at[o.name] = lines.push(`[${o.section}]`, `${o.key} = ${v}`);
		}
		lines.push('nonsense', '[odd', 'odd.key = 1', `[mail]`, `reply_to = "${'long '.repeat(200)}`);
		at['mail.reply_to'] = lines.length;
		fs.writeFileSync(file, lines.join('\n') + '\n');
		const found = bare(['--check']).stderr.replace(/^sladesk: /m, ''),
			missed = Object.entries(at).filter(([name, line]) => !new RegExp(`^${file}: line ${line}: ${name}\\b`, 'm').test(found));
		assert.deepStrictEqual(missed, [], found);
		assert.match(found, new RegExp(`^${file}: line ${lines.indexOf('nonsense') + 1}: neither`, 'm'));
		assert.match(found, new RegExp(`^${file}: line ${lines.indexOf('[odd') + 1}: neither`, 'm'));
		assert.match(found, new RegExp(`^${file}: line ${lines.indexOf('odd.key = 1') + 1}: unknown setting`, 'm'));
	}
	/* each alone: what --check refuses the start refuses, with the same words */
	const numbers = table.filter((o) => o.kind !== 'TEXT'),
		some = [numbers.find((o) => o.kind === 'INT' && o.min !== '0'), numbers.find((o) => o.kind === 'BOOL')]; /* each kind is read by one function */
	for (const o of [...table.filter((x) => x.kind === 'TEXT'), ...some]) {
		for (const v of wrongValues(o)) {
			const checked = await daemon({ [o.section]: { [o.key]: v } }, '--check'),
				started = await daemon({ [o.section]: { [o.key]: v } });
			assert.strictEqual(checked.status, 1, `${o.name} = ${v}`);
			assert.ok(checked.stderr.includes(o.name), `${o.name} = ${v}: ${checked.stderr}`);
			assert.strictEqual(started.status, 1, `${o.name} = ${v}: ${started.stderr}`);
			assert.ok(started.stderr.includes(o.name), `${o.name} = ${v}: ${started.stderr}`);
		}
	}
});
test('--check looks at every key and every helper program as the start does, and makes none', async () => {
	const dir = path.join(s.dir, 'looked-at'),
		[cmd, all] = asUser('mkdir', [dir]);
	execFileSync(cmd, all);
	const keys = { 'token.key_file': 'token.jwk', 'crypto.master_key_file': 'master.key', 'audit.key_file': 'audit.pem', 'sso.saml_key_file': 'saml.pem' },
		settings = Object.fromEntries(Object.entries(keys).map(([name, f]) => [name.split('.')[0], { [name.split('.')[1]]: path.join(dir, f) }]));
	const none = await daemon(settings, '--check');
	assert.strictEqual(none.status, 0, none.stderr);
	assert.deepStrictEqual(fs.readdirSync(dir), []);
	const own = fs.statSync(dir);
	for (const [name, make] of [
		['garbage', (f) => fs.writeFileSync(f, 'garbage\n', { mode: 0o600 })],
		['nothing in it', (f) => fs.writeFileSync(f, '', { mode: 0o600 })],
		['open to others', (f) => fs.writeFileSync(f, 'x\n', { mode: 0o644 })],
		['not readable', (f) => fs.writeFileSync(f, 'x\n', { mode: 0o200 })],
		['a directory', (f) => fs.mkdirSync(f, { mode: 0o700 })],
	]) {
		for (const f of Object.values(keys)) {
			make(path.join(dir, f));
			fs.chownSync(path.join(dir, f), own.uid, own.gid);
		}
		const every = (await daemon(settings, '--check')).stderr;
		for (const [key, f] of Object.entries(keys)) {
			assert.ok(every.includes(`${key}: ${path.join(dir, f)}: `), `${name}: ${key}: ${every}`);
			const [section, k] = key.split('.'),
				started = await daemon({ [section]: { [k]: path.join(dir, f) } });
			assert.strictEqual(started.status, 1, `${name}: ${key}: ${started.stderr}`);
			assert.ok(started.stderr.includes(key), `${name}: ${key}: ${started.stderr}`);
		}
		for (const f of fs.readdirSync(dir)) fs.rmSync(path.join(dir, f), { recursive: true });
	}
	/* the directory that should hold them */
	const away = await daemon({ ...settings, audit: { key_file: path.join(dir, 'nowhere/audit.pem') } }, '--check');
	assert.match(away.stderr, /line \d+: audit\.key_file: .*No such file/);
	/* helpers */
	const helpers = fs.readdirSync(installed('libexec/sladesk')).filter((f) => f.startsWith('sladesk-helper-'));
	assert.strictEqual(helpers.length, 4);
	for (const missing of helpers) {
		for (const h of helpers) if (h !== missing) fs.copyFileSync(installed('libexec/sladesk/' + h), path.join(dir, h));
		for (const args of [['--check'], []]) {
			const r = await daemon({ worker: { path: dir } }, ...args);
			assert.strictEqual(r.status, 1, missing);
			assert.deepStrictEqual([...r.stderr.matchAll(/worker\.path: \S*\/(sladesk-helper-\w+): No such file/g)].map((m) => m[1]), [missing], r.stderr);
		}
		for (const h of helpers) fs.rmSync(path.join(dir, h), { force: true });
	}
	const gone = await daemon({ worker: { path: dir } }, '--check');
	assert.strictEqual(gone.stderr.match(/sladesk-helper-/g).length, 4);
});
