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
