// SPDX-License-Identifier: Apache-2.0
// Secrets are readable only by those who need them: the daemon refuses to start with a file that others can read, whatever it contains.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawnSync } = require('node:child_process');
const { Server, waitUntil, psql, secret, asUser, INST, writeSecret } = require('../lib/server.js');

let s;
test.before(async () => {
	s = await Server.make('secrets');
});
test.after(() => s.drop());

const check = (...args) => {
	const [cmd, all] = asUser(path.join(INST, 'sbin/sladeskd'), args);
	return spawnSync(cmd, all, { encoding: 'utf8', timeout: 20000 });
};
/* Every setting that names a file with a secret, from the sample file. */
const settings = () => {
	const sample = check('--print-config').stdout;
	let section;
	return sample.split('\n').flatMap((l) => {
		const s = l.match(/^\[(\w+)\]/),
			k = l.match(/^;(\w*(?:key|password|token)_file) = /);
		if (s) section = s[1];
		return k ? [[section, k[1]]] : [];
	});
};

test('a secret that the group or others can read is refused, and the setting is named', async () => {
	const all = settings(),
		file = path.join(s.dir, 'exposed'),
		conf = path.join(s.dir, 'exposed.conf');
	assert.ok(all.length >= 9, JSON.stringify(all));
	for (const [section, key] of all)
		for (const mode of [0o640, 0o604, 0o620, 0o602, 0o660]) {
			writeSecret(file, 'x\n');
			fs.chmodSync(file, mode);
			fs.writeFileSync(conf, `[${section}]\n${key} = ${file}\n`);
			const r = check('-c', conf, '--check');
			assert.notStrictEqual(r.status, 0, `${section}.${key} ${mode.toString(8)}`);
			assert.match(
				r.stderr,
				new RegExp(
					`${section}\\.${key}: ${file}: .*rights on it \\(use chmod 600\\)`,
				),
			);
		}
	/* the keys beside token.key_file, which no setting names */
	await s.stop();
	for (const name of fs.readdirSync(s.dir).filter((f) => /^(token\.jwk|.*\.key|.*\.pem)$/.test(f))) {
		fs.chmodSync(path.join(s.dir, name), 0o640);
		await assert.rejects(s.start(), new RegExp(`${name}.*rights on it`), name);
		fs.chmodSync(path.join(s.dir, name), 0o600);
	}
	await s.start();
});
test('a reload refuses a secret that others can read', async () => {
	const file = path.join(s.dir, 'gateway');
	writeSecret(file, 'x\n');
	fs.chmodSync(file, 0o644);
	s.settings.sms = { token_file: file };
	fs.writeFileSync(s.file, s.conf());
	s.proc.kill('SIGHUP');
	await waitUntil(() => /settings not reloaded: \S+: line \d+: sms\.token_file: .*rights on it/.test(s.log));
	delete s.settings.sms;
	fs.writeFileSync(s.file, s.conf());
});
test('a login for reports reads the customers that it was given, whatever it sets', async () => {
	const login = 'report_test_' + process.pid,
		token = { alpha: await s.login('user', 'alpha'), beta: await s.login('user', 'beta') };
	for (const code of ['alpha', 'beta'])
		await s.post('/api/v1/client/tickets', token[code], { title: code, description: 'y' });
	const boss = await s.login('boss'),
		id = s.sql(`select max(id) from tickets where tenant_id = ${s.alpha}`);
	assert.strictEqual(
		(await s.post(`/api/v1/tickets/${id}/note`, boss, { text: 'internal' })).status,
		200,
	);
	psql('postgres', `create role ${login} login password '${secret}' in role sladesk_report`);
	try {
		const as = (sql) => psql(s.db, sql, login),
			tables = s
				.sql(
					`select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
					where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
					and has_table_privilege('${login}', c.oid, 'select') order by 1`,
				)
				.split('\n'),
			sets = [
				'',
				`set app.current_tenants = '{1,${s.alpha},${s.beta}}'; set app.current_tenant_id = ${s.beta}; set app.audience = 'staff'; set app.scope = ''; set app.user_id = 1;`,
				'set role sladesk_report;',
			],
			seen = (set, table) =>
				as(
					`${set} select coalesce(string_agg(distinct tenant_id::text, ' '), '') from ${table}`,
				);
		assert.ok(tables.includes('report_logins') && tables.length >= 20, tables.join(' '));
		for (const set of sets) assert.strictEqual(seen(set, 'tickets'), '', 'nothing was granted');
		s.cli(['report', 'grant', '--login', login, '--tenant', 'alpha']);
		let n = 0;
		for (const set of sets)
			for (const table of tables) {
				const tenants = seen(set, table).split(' ').filter(Boolean);
				assert.ok(
					tenants.every((t) => t === String(s.alpha) || t === '1'),
					`${table} shows ${tenants}`,
				);
				n++;
			}
		console.log(`# ${n} reads of ${tables.length} tables`);
		for (const set of sets) {
			assert.strictEqual(seen(set, 'tickets'), String(s.alpha));
			assert.strictEqual(
				as(`${set} select count(*) from ticket_comments where kind = 'note'`),
				'0',
			);
		}
		for (const sql of [
			`insert into report_logins values (${s.beta}, '${login}')`,
			'select password_hash from client_users',
			`update tickets set title = 'x'`,
			'set role sladesk_app',
			'set role sladesk_job',
			`set session authorization sladesk_app`,
		])
			assert.throws(() => as(sql), /permission denied/, sql);
		assert.match(s.cli(['report', 'list']), new RegExp(`${login}\talpha`));
		s.cli(['report', 'revoke', '--login', login, '--tenant', 'alpha']);
		assert.strictEqual(seen('', 'tickets'), '');
		assert.strictEqual(
			s.sql(
				`select string_agg(operation || ' ' || resource, ',' order by chain_no) from audit_logs where tenant_id = ${s.alpha} and operation like 'report.%'`,
			),
			`report.grant ${login},report.revoke ${login}`,
		);
	} finally {
		psql('postgres', `drop role ${login}`);
	}
});
