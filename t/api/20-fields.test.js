// SPDX-License-Identifier: Apache-2.0
// Personal fields at rest: no table holds a mail address or phone number in plain text. Authorised users can read them, mail is sent to them, and
// they are re-encrypted while the daemon runs. The master key is backed up, restored and changed.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, waitUntil, mailSink, PASSWORD, SOCK, secret, writeSecret } = require('../lib/server.js');

let s, mail, admin, user;
test.before(async () => {
	mail = await mailSink();
	s = new Server('fields', { mail: { url: mail.url }, crypto: { key_delay_s: 2 } });
	await s.prepare();
	await s.start();
	[admin, user] = await Promise.all([s.login('admin', 'alpha'), s.login('user', 'alpha')]);
});
test.after(async () => {
	await s.drop();
	await mail.close();
});
const dump = () =>
	execFileSync('pg_dump', ['-h', SOCK, '-U', 'postgres', '-d', s.db, '--data-only', '--inserts'], {
		env: { ...process.env, PGPASSWORD: secret },
		maxBuffer: 1 << 28,
	}).toString();
const bad = (args, input) => {
	try {
		s.cli(args, input);
	} catch (e) {
		return e.message;
	}
	return 'it worked';
};
const users = async (token) =>
	Object.fromEntries(
		(await s.get('/api/v1/client/admin/users', token)).data.items.map((u) => [u.username, u]),
	);

test("a webhook's secret is stored encrypted, signs, is never returned, and cannot be moved to another customer", async () => {
	const got = [],
		server = http.createServer((req, res) => {
			let body = '';
			req.on('data', (d) => (body += d)).on('end', () => {
				got.push({ body, head: req.headers['sladesk-signature'], path: req.url });
				res.end();
			});
		});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	const url = `http://127.0.0.1:${server.address().port}`,
		secrets = {
			'/api': 'secret-by-the-api-01',
			'/cli': 'secret-by-the-cli-01',
			'/old': 'secret-from-before-1',
		},
		signs = (g, secret) => {
			const [, at, mac] = g.head.match(/^t=(\d+),v1=(\w+)$/);
			return mac === crypto.createHmac('sha256', secret).update(`${at}.${g.body}`).digest('hex');
		},
		stored = (path) => s.sql(`select secret from webhooks where url like '%${path}'`),
		ticket = async (title) => {
			got.length = 0;
			const r = await s.post('/api/v1/client/tickets', user, {
				title,
				description: 'x',
				priority: 'P3',
			});
			assert.strictEqual(r.status, 201, r.text);
		};
	try {
		const made = await s.post('/api/v1/webhooks', admin, {
			url: url + '/api',
			secret: secrets['/api'],
		});
		assert.strictEqual(made.status, 201, made.text);
		s.cli(['webhook', 'add', '--tenant', 'alpha', '--url', url + '/cli'], secrets['/cli'] + '\n');
		assert.match(bad(['webhook', 'add', '--tenant', 'alpha', '--url', url], 'short\n'), /16 to 200/);
		/* what was not written by the program is not used, until somebody says that it is to be believed */
		s.sql(
			`insert into webhooks (tenant_id, url, secret, created_at) values (${s.alpha}, '${url}/old', '${secrets['/old']}', now())`,
		);
		for (const path of ['/api', '/cli']) assert.match(stored(path), /^e2\./);
		await ticket('before');
		await waitUntil(() => ['/api', '/cli'].every((p) => got.some((g) => g.path === p)));
		await waitUntil(() => /its secret cannot be decrypted/.test(s.log));
		assert.ok(!got.some((g) => g.path === '/old'));
		for (const g of got) assert.ok(signs(g, secrets[g.path]), g.path);
		s.cli(['keys', 'seal']);
		const sealed = stored('/old');
		assert.match(sealed, /^e2\./);
		s.cli(['keys', 'seal']);
		assert.strictEqual(stored('/old'), sealed, 'encrypted values are left alone');
		await ticket('after');
		await waitUntil(() => ['/api', '/cli', '/old'].every((p) => got.some((g) => g.path === p)));
		for (const g of got) assert.ok(signs(g, secrets[g.path]), g.path);
		const data = dump(),
			seen = (await s.get('/api/v1/webhooks', admin)).text + made.text + s.log;
		for (const v of [...Object.values(secrets), 'e2.1'])
			assert.ok(!seen.includes(v) && (v === 'e2.1' || !data.includes(v)), v);
		/* another customer's value does not open here: nothing is sent with it */
		s.sql(`delete from webhooks where url like '%/cli' or url like '%/old'`);
		s.cli(['webhook', 'add', '--tenant', 'beta', '--url', url + '/beta'], secrets['/cli'] + '\n');
		s.sql(`update webhooks set secret = '${stored('/beta')}' where url like '%/api'`);
		await ticket('moved');
		await waitUntil(() => (s.log.match(/its secret cannot be decrypted/g) || []).length > 1);
		assert.deepStrictEqual(got, []);
	} finally {
		s.sql('delete from webhooks');
		server.close();
	}
});
test('personal data written by the API or the command line is never stored in plain text', async () => {
	const made = await s.post('/api/v1/client/admin/users', admin, {
		username: 'lin',
		password: 'First-pass-1',
		full_name: '林',
		email: 'lin.secret@alpha.example',
		phone: '+86 13812341234',
	});
	assert.strictEqual(made.status, 201, made.text);
	const all = await users(admin);
	assert.deepStrictEqual(
		[all.lin.email, all.lin.phone],
		['lin.secret@alpha.example', '+86 13812341234'],
	);
	assert.strictEqual(all.user.email, 'user@alpha.example');
	const boss = await s.login('boss');
	assert.strictEqual(
		(await s.get(`/api/v1/client/admin/users?tenant_id=${s.alpha}`, boss)).data.items.find(
			(u) => u.username === 'lin',
		).email,
		'lin.secret@alpha.example',
	);
	const manager = await s.post('/api/v1/client/admin/users', admin, {
		username: 'chef',
		password: 'First-pass-1',
		full_name: 'Chef',
		email: 'chef@alpha.example',
		role_type: 'manager',
	});
	s.sql(`update client_users set must_change = false where id = ${manager.data.user_id}`);
	const chef = (
		await s.post('/api/v1/client/auth/login', null, {
			username: 'chef',
			password: 'First-pass-1',
			tenant_id: s.alpha,
		})
	).data.access_token;
	const seen = (await users(chef)).lin;
	assert.deepStrictEqual([seen.email, seen.phone], ['l***@alpha.example', '+86********1234']);
	assert.ok(
		await waitUntil(() => mail.mails.some((m) => m.to[0] === 'lin.secret@alpha.example')),
		'mailed to',
	);
	const text = dump();
	for (const word of [
		'lin.secret',
		'13812341234',
		'user@alpha.example',
		'boss@provider.example',
		'127.0.0.1',
	])
		assert.ok(
			!text
				.split('\n')
				.some(
					(l) =>
						l.includes(word) &&
						!/INSERT INTO (public\.sessions|part\.)/.test(l) &&
						/* the address of a webhook, not of a person */
						!/'webhooks\.add'/.test(l),
				),
			word + ': ' + text.split('\n').find((l) => l.includes(word)),
		);
	const again = await s.post('/api/v1/client/admin/users', admin, {
		username: 'lin2',
		password: 'First-pass-1',
		full_name: 'x',
		email: 'LIN.secret@alpha.example',
	});
	assert.strictEqual(again.code, 41003, 'one address, one user: found by its blind index');
});
test('a text that only looks encrypted is returned as it is', async () => {
	const odd = ['e1.1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'm:e1.1.xx', 'e1.', 'e1.99.abc'];
	for (const title of odd) {
		const k = await s.post('/api/v1/client/tickets', user, { title, description: title });
		assert.strictEqual(
			(await s.get('/api/v1/client/tickets/' + k.data.id, user)).data.title,
			title,
		);
	}
	/* an encrypted mail address that was put into another column is not decrypted */
	s.sql(
		`update tickets set title = (select left(email, 200) from client_users where username = 'lin') where id = (select max(id) from tickets)`,
	);
	const [k] = (await s.get('/api/v1/client/tickets?limit=1', user)).data.items;
	assert.match(k.title, /^e2\.1000\./);
	/* nor can it be decrypted as a phone number */
	s.sql(`update client_users set phone = email where username = 'lin'`);
	assert.strictEqual((await users(admin)).lin.phone, null);
	s.sql(`update client_users set phone = null where username = 'lin'`);
});
test('keys rotate: every value is re-encrypted while the daemon reads and writes; an interrupted run continues', async () => {
	assert.match(s.cli(['keys', 'status']), /key 0 .*blind index\nkey 1000 .*new values/);
	const before = Number(s.sql('select count(*) from client_users'));
	const out = s.cli(['keys', 'rotate']);
	assert.match(out, new RegExp(`client_users.email: ${before} values under key 1001`));
	assert.strictEqual(s.sql("select count(*) from client_users where email not like 'e2.1001.%'"), '0');
	assert.strictEqual(s.sql("select count(*) from staff where email not like 'e2.1001.%'"), '0');
	await waitUntil(async () => (await users(admin)).lin.email === 'lin.secret@alpha.example', 15000);
	const made = await s.post('/api/v1/client/admin/users', admin, {
		username: 'new1',
		password: 'First-pass-1',
		full_name: 'x',
		email: 'new1@alpha.example',
	});
	assert.match(s.sql(`select email from client_users where id = ${made.data.user_id}`), /^e2\.1001\./);
	s.sql(
		`update client_users set email = 'plain@alpha.example', email_index = null where username = 'new1'`,
	);
	assert.strictEqual(
		(await users(admin)).new1.email,
		null,
		'a plain text is refused',
	);
	const again = s.cli(['keys', 'rotate', '--resume']);
	assert.match(again, /client_users.email: 0 values under key 1001/);
	assert.match(again, /client_users.email: 1 values refused/);
	assert.match(s.cli(['keys', 'seal']), /client_users.email: 1 values under key 1001/);
	assert.match(s.sql("select email from client_users where username = 'new1'"), /^e2\.1001\./);
	assert.strictEqual((await users(admin)).new1.email, 'plain@alpha.example');
	assert.match(s.cli(['keys', 'rotate', '--resume']), /client_users.email: 0 values under key 1001/);
});
test('the master key: backed up, tested, restored, changed; another key decrypts nothing', async () => {
	const key = path.join(s.dir, 'master.key'),
		copy = path.join(s.dir, 'backup'),
		phrase = 'a long passphrase\n';
	assert.strictEqual(fs.statSync(key).mode & 0o777, 0o600);
	s.cli(['keys', 'backup', '--out', copy], phrase);
	assert.ok(!fs.readFileSync(copy, 'utf8').includes(fs.readFileSync(key, 'utf8').trim()));
	assert.match(s.cli(['keys', 'restore', '--check', '--in', copy], phrase), /it decrypts all 3 keys/);
	assert.match(
		bad(['keys', 'restore', '--check', '--in', copy], 'another passphrase\n'),
		/wrong passphrase/,
	);
	assert.match(bad(['keys', 'backup', '--out', path.join(s.dir, 'b2')], 'short\n'), /at least 12/);
	await s.stop();
	fs.renameSync(key, key + '.lost');
	writeSecret(key, 'ab'.repeat(32) + '\n');
	await assert.rejects(s.start(), /field key 0: cannot be decrypted with the master key/);
	fs.unlinkSync(key);
	s.cli(['keys', 'restore', '--in', copy], phrase);
	await s.start();
	assert.strictEqual((await users(admin)).lin.email, 'lin.secret@alpha.example');
	const was = fs.readFileSync(key, 'utf8');
	s.cli(['keys', 'rewrap']);
	assert.notStrictEqual(fs.readFileSync(key, 'utf8'), was);
	assert.strictEqual(fs.readFileSync(key + '.old', 'utf8'), was);
	await s.stop();
	await s.start();
	assert.strictEqual((await users(admin)).lin.email, 'lin.secret@alpha.example');
	const used = s.sql(
		"select string_agg(operation, ' ' order by chain_no) from audit_logs where operation like 'keys.%'",
	);
	assert.strictEqual(used, 'keys.seal keys.seal keys.rotate keys.rotate keys.seal keys.rotate keys.backup keys.restore_check keys.restore keys.rewrap');
	await s.stop();
	const printed = path.join(s.dir, 'print-key');
	fs.writeFileSync(printed, `#!/bin/sh\ncat ${key}\n`, { mode: 0o755 });
	s.settings.crypto.master_key_command = printed;
	await s.start();
	assert.strictEqual(
		(await users(admin)).lin.email,
		'lin.secret@alpha.example',
		'or a command gives it',
	);
	await s.stop();
	s.settings.crypto.master_key_command = 'false';
	await assert.rejects(s.start(), /crypto.master_key_command/);
	delete s.settings.crypto.master_key_command;
	await s.start();
	assert.ok(PASSWORD);
});
