// SPDX-License-Identifier: Apache-2.0
// Signed anchors: what the owner of the schema does to the audit log (cutting off its end, recomputing all of it, removing the head as if it had
// expired) is found by comparing it with the file of anchors, and so is every change of that file by anyone without the key.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, settled, psql } = require('../lib/server.js');

let s, admin, file, pub;
const owner = (sql) => psql(s.db, sql, 'sladesk_owner'),
	lines = () => fs.readFileSync(file, 'utf8').trimEnd().split('\n'),
	field = (line, i) => line.split(' ')[i],
	last = () => Number(s.sql(`select max(chain_no) from audit_logs where tenant_id = ${s.alpha}`)),
	of = (tenant) =>
		lines()
			.filter((l) => field(l, 2) === String(tenant))
			.map((l) => Number(field(l, 3))),
	append = (n, at = 'now()') =>
		s.sql(
			`select audit_append(jsonb_agg(jsonb_build_object('tenant_id', ${s.alpha}, 'at', us(${at}), 'actor_kind', 'staff', 'actor_id', 1, 'username', 'x', 'operation', 'x', 'resource', '', 'result', 'success', 'status', 200, 'address', '', 'user_agent', '', 'request_id', '', 'details', '{}'::jsonb))) from generate_series(1, ${n})`,
		);
const verify = (anchors = file, ...more) => {
	try {
		return s.cli(['audit', 'verify', '--anchors', anchors, ...more]);
	} catch (e) {
		return e.message;
	}
};
/* All is well; after CHANGE the report says EXPECTED; after UNDO all is well again. */
const attack = (change, undo, expected, ...more) => {
	change();
	try {
		assert.match(verify(file, ...more), expected);
	} finally {
		undo();
	}
	assert.doesNotMatch(verify(), /BROKEN/);
};
test.before(async () => {
	s = await Server.make('anchors', { test: { allow_clock: 'yes' } });
	file = path.join(s.dir, 'audit-anchors');
	admin = await s.login('admin', 'alpha');
	await s.login('admin', 'beta');
	await s.login('boss');
	pub = path.join(s.dir, 'audit.pub');
	fs.writeFileSync(pub, s.cli(['key', 'audit']));
	await waitUntil(() => fs.existsSync(file) && of(s.alpha).length && of(s.beta).length && of(1).length);
});
test.after(() => s.drop());

test('anchors follow the chain: after 1,000 rows, and after ten minutes if there are new ones', async () => {
	assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600);
	assert.strictEqual(fs.statSync(path.join(s.dir, 'audit.pem')).mode & 0o777, 0o600);
	await settled(() => s.sql('select count(*) from audit_logs'));
	const first = of(s.alpha).at(-1);
	append(1000);
	await waitUntil(() => of(s.alpha).at(-1) === last());
	assert.ok(of(s.alpha).at(-1) >= first + 1000);
	append(3);
	const n = of(s.alpha).length;
	await s.jump(601);
	await waitUntil(() => of(s.alpha).at(-1) === last());
	assert.strictEqual(of(s.alpha).length, n + 1);
	/* the log has the same lines */
	for (const l of lines().slice(-n)) assert.ok(s.log.includes('audit anchor signed line=' + l), l);
	/* anybody can check a line with the public key and OpenSSL alone */
	const line = lines().at(-1),
		[, text, signature] = line.match(/^(.*) (\S+)$/);
	assert.ok(
		crypto.verify(
			null,
			Buffer.from(text),
			fs.readFileSync(pub, 'utf8'),
			Buffer.from(signature, 'base64url'),
		),
	);
	assert.strictEqual(
		field(line, 6),
		crypto.createHash('sha256').update(lines().at(-2)).digest('hex'),
		'it has the digest of the line before',
	);
	assert.match(verify(), /alpha +\d+ rows +holds .*anchors hold up to \d+/);
	assert.doesNotMatch(verify(file, '--key', pub), /BROKEN/);
	/* nobody asks for the table but the job role; no private key is in the database */
	for (const role of ['sladesk_app', 'sladesk_report'])
		assert.throws(
			() => s.sql(`set role ${role}; select * from audit_signed`),
			/permission denied/,
		);
});
test('a new key signs after sladesk key rotate --anchors; the lines of the one before stay verifiable, but it signs no more', async () => {
	const key = path.join(s.dir, 'audit.pem'),
		old = fs.readFileSync(key),
		before = lines(),
		name = field(before.at(-1), 7);
	assert.match(name, /^[0-9a-f]{16}$/);
	for (let round = 0; round < 2; round++) {
		const said = s.cli(['key', 'rotate', '--anchors']),
			[, fresh] = said.match(/^key ([0-9a-f]{16}) /);
		assert.notStrictEqual(fresh, name);
		assert.strictEqual(fs.statSync(key).mode & 0o777, 0o600);
		assert.strictEqual(fs.statSync(key).uid, fs.statSync(s.dir).uid);
		const n = lines().length;
		append(1000); /* the daemon takes the key without a restart */
		await waitUntil(() => lines().length > n && of(s.alpha).at(-1) === last());
		assert.ok(lines().slice(n).every((l) => field(l, 7) === fresh), lines().slice(n).join());
		assert.deepStrictEqual(lines().slice(0, before.length), before);
		assert.doesNotMatch(verify(), /BROKEN/);
	}
	/* elsewhere, with the public keys alone: all of them are printed, the present one first */
	const all = path.join(s.dir, 'all.pub'),
		printed = s.cli(['key', 'audit']);
	fs.writeFileSync(all, printed);
	assert.strictEqual(printed.match(/BEGIN PUBLIC KEY/g).length, 3);
	assert.strictEqual(fs.readFileSync(key, 'utf8').match(/BEGIN PRIVATE KEY/g).length, 1, 'old private keys are gone');
	assert.doesNotMatch(verify(file, '--key', all), /BROKEN/);
	const mixed = path.join(s.dir, 'mixed.pub'); /* the order in the file does not matter */
	fs.writeFileSync(mixed, fs.readFileSync(pub, 'utf8') + printed);
	assert.doesNotMatch(verify(file, '--key', mixed), /BROKEN/);
	assert.match(verify(file, '--key', pub), new RegExp(`audit-anchors:${before.length + 1}: BROKEN: signed with another key`));
	assert.match(s.sql("select string_agg(resource, ' ') from audit_logs where operation = 'key.rotate'"), new RegExp(`before ${name}`));
	assert.throws(() => s.cli(['key', 'rotate', '--anchors', '--at-once']), /for access tokens/);
	/* whoever stole a key before it was replaced cannot continue the file */
	const was = fs.readFileSync(file, 'utf8'),
		tip = lines().at(-1).split(' '),
		text = [tip[0], Number(tip[1]) + 1, tip[2], Number(tip[3]) + 1, tip[4], tip[5], crypto.createHash('sha256').update(lines().at(-1)).digest('hex'), name].join(' ');
	fs.appendFileSync(file, text + ' ' + crypto.sign(null, Buffer.from(text), old).toString('base64url') + '\n');
	assert.match(verify(), new RegExp(`audit-anchors:${was.trimEnd().split('\n').length + 1}: BROKEN: signed with a key that had been replaced`));
	fs.writeFileSync(file, was);
	fs.writeFileSync(pub, printed);
	assert.doesNotMatch(verify(), /BROKEN/);
});
test('as the owner of the schema: the end cut off, all computed anew, the head removed', async () => {
	await s.stop();
	const n = last(),
		tenant = `tenant_id = ${s.alpha}`,
		keep = `create table kept as select * from audit_logs; create table kept_anchors as select * from audit_anchors; create table kept_signed as select * from audit_signed;`,
		undo = () =>
			owner(
				'delete from audit_archives; delete from audit_logs; insert into audit_logs select * from kept; delete from audit_anchors; insert into audit_anchors select * from kept_anchors; delete from audit_signed; insert into audit_signed select * from kept_signed; drop table kept, kept_anchors, kept_signed',
			),
		remake = (from) =>
			`do $$ declare r audit_logs; b bytea := coalesce((select digest from audit_logs where ${tenant} and chain_no = ${from} - 1), ''); begin
				for r in select * from audit_logs where ${tenant} and chain_no >= ${from} order by chain_no loop
					r.digest := audit_digest(b, r); b := r.digest;
					update audit_logs set digest = r.digest where ${tenant} and chain_no = r.chain_no;
				end loop; end $$;
				update audit_anchors x set digest = a.digest from audit_logs a where a.tenant_id = x.tenant_id and a.chain_no = x.chain_no;`;
	for (const [what, sql, expected] of [
		['one row at the end', `delete from audit_logs where ${tenant} and chain_no = ${n}`, 'anchored row is missing: the chain was cut off'],
		[
			'the end, and the anchors in the database',
			`delete from audit_logs where ${tenant} and chain_no > ${n - 900}; delete from audit_anchors; delete from audit_signed where ${tenant} and chain_no > ${n - 900}`,
			'anchored row is missing: the chain was cut off',
		],
		['everything', `delete from audit_logs where ${tenant}; delete from audit_anchors where ${tenant}; delete from audit_signed`, 'anchored row is missing'],
		['row 2 changed, all computed anew', `update audit_logs set username = 'nobody' where ${tenant} and chain_no = 2; ${remake(2)}`, 'not the row that was anchored'],
		[
			'the head removed as if it had expired',
			`insert into audit_archives select ${s.alpha}, 1, ${n}, '2001-01-01', now() - interval '9 years', 'gone', repeat('0', 64), digest, now(), now() from audit_logs where ${tenant} and chain_no = ${n}; delete from audit_logs where ${tenant}`,
			'removed as expired, although it was anchored less than a year ago',
		],
	]) {
		owner(keep);
		attack(() => owner(sql), undo, new RegExp(`alpha.*anchors BROKEN at \\d+: .*${expected}`));
		assert.ok(what);
	}
	/* rows that were not anchored for more than an hour */
	owner(keep);
	attack(
		() => (append(1, "now() - interval '2 hours'"), append(1)),
		undo,
		/alpha.*anchors BROKEN at \d+: these rows should have been anchored: 2 rows since/,
	);
});
test('the file: a line removed, moved, repeated, changed, forged; its end cut off; a foreign key', async () => {
	const was = fs.readFileSync(file, 'utf8'),
		all = was.trimEnd().split('\n'),
		n = all.length,
		undo = () => fs.writeFileSync(file, was),
		write = (list) => () => fs.writeFileSync(file, list.map((l) => l + '\n').join('')),
		swap = (i) => all.map((l, k) => (k === i ? all[i + 1] : k === i + 1 ? all[i] : l)),
		{ privateKey } = crypto.generateKeyPairSync('ed25519'),
		forge = (text, key = privateKey) =>
			text + ' ' + crypto.sign(null, Buffer.from(text), key).toString('base64url');
	assert.ok(n >= 5, n);
	s.sql("update audit_signed set signed_at = signed_at - interval '1 hour'");
	/* every line, not one of them */
	for (let i = 0; i < n; i++) {
		const without = all.filter((_, k) => k !== i);
		attack(write(without), undo, i === n - 1 ? /its end was cut off/ : /lines before it were removed/);
		if (i + 1 < n) attack(write(swap(i)), undo, /lines before it were removed[^]*lines were moved/);
		attack(write([...all.slice(0, i + 1), all[i], ...all.slice(i + 1)]), undo, /moved or repeated/);
		for (let f = 1; f < 9; f++) {
			const parts = all[i].split(' ');
			parts[f] = parts[f].replace(/.$/, (c) => (c === '1' ? '2' : '1'));
			attack(
				write(all.map((l, k) => (k === i ? parts.join(' ') : l))),
				undo,
				new RegExp(`audit-anchors:${i + 1}: BROKEN: (the signature|signed with another|not an anchor)`),
			);
		}
	}
	/* characters all over a line */
	for (let c = 0; c < all[1].length; c += 11) {
		const changed = all[1].slice(0, c) + (all[1][c] === '7' ? '8' : '7') + all[1].slice(c + 1);
		fs.writeFileSync(file, [all[0], changed, ...all.slice(2)].join('\n') + '\n');
		assert.match(verify(), /audit-anchors:2: BROKEN/, `character ${c}: ${changed}`);
	}
	undo();
	attack(write([]), undo, /its end was cut off/);
	attack(write(all.slice(0, 2)), undo, /its end was cut off/);
	/* a line of somebody else, under their key's name and under ours */
	const [, text] = all.at(-1).match(/^(.*) \S+$/);
	for (const t of [text, text.replace(/\S+$/, '0123456789abcdef')])
		attack(
			write([...all.slice(0, -1), forge(t)]),
			undo,
			/BROKEN: (the signature does not fit|signed with another key)/,
		);
	const theirs = path.join(s.dir, 'theirs.pub');
	fs.writeFileSync(
		theirs,
		crypto.createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }),
	);
	attack(() => {}, () => {}, /audit-anchors:1: BROKEN: signed with another key/, '--key', theirs);
	for (const [name, bytes] of [
		['none', ''],
		['rsa', crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' })],
	]) {
		fs.writeFileSync(path.join(s.dir, name), bytes);
		assert.match(verify(file, '--key', path.join(s.dir, name)), /not an Ed25519 public key/);
	}
});
test('a tenant removed altogether is missed', () => {
	const was = fs.readFileSync(file, 'utf8');
	assert.doesNotMatch(verify(), /BROKEN/);
	s.sql(`begin; set session_replication_role = replica; create table kept_tenant as select * from customers where tenant_id = ${s.beta}; delete from customers where tenant_id = ${s.beta}; commit`);
	assert.match(verify(), new RegExp(`tenant ${s.beta}: BROKEN: it has anchors, but is not in the database`));
	s.sql('insert into customers select * from kept_tenant; drop table kept_tenant');
	assert.strictEqual(fs.readFileSync(file, 'utf8'), was);
	assert.doesNotMatch(verify(), /BROKEN/);
});
test('the file is completed after a crash, a full disk, or by another instance; a torn line is written again', async () => {
	const was = fs.readFileSync(file, 'utf8');
	fs.writeFileSync(file, was.slice(0, -40)); /* the machine stopped in the middle of a line */
	await s.start();
	await s.post('/api/v1/client/tickets', admin, { title: 'x', description: 'y' });
	await waitUntil(() => fs.readFileSync(file, 'utf8').startsWith(was));
	await s.stop();
	fs.writeFileSync(file, '');
	await s.start();
	await waitUntil(() => fs.readFileSync(file, 'utf8').startsWith(was));
	assert.doesNotMatch(verify(), /BROKEN/);
	const t = await s.another({ audit: { anchor_file: path.join(s.dir, 'elsewhere') } });
	await waitUntil(() => {
		const other = path.join(s.dir, 'elsewhere');
		return fs.existsSync(other) && fs.readFileSync(other, 'utf8').startsWith(was);
	}, 30000);
	await t.stop();
	assert.doesNotMatch(verify(path.join(s.dir, 'elsewhere')), /BROKEN/);
});
test('a table that contradicts the file is reported by the daemon, which signs nothing after it', async () => {
	await waitUntil(async () => (await s.metric('audit_anchor_faults')) === 0);
	const n = lines().length;
	owner(
		`insert into audit_signed select tenant_id, chain_no, line_no + 100, line, now() from audit_signed order by line_no desc limit 1`,
	);
	await waitUntil(async () => (await s.metric('audit_anchor_faults')) === 1);
	assert.match(s.log, /audit anchors contradict each other/);
	owner('delete from audit_signed where line_no = (select max(line_no) from audit_signed)');
	append(1);
	await s.jump(601);
	await waitUntil(() => lines().length > n, 60000);
	await waitUntil(async () => (await s.metric('audit_anchor_faults')) === 0);
	assert.doesNotMatch(verify(), /BROKEN/);
	/* and a file that cannot be written does not stop the signing */
	fs.chmodSync(file, 0o400);
	await waitUntil(async () => (await s.metric('audit_anchor_faults')) === 1);
	assert.match(s.log, /the file of audit anchors cannot be written/);
	fs.chmodSync(file, 0o600);
	await waitUntil(async () => (await s.metric('audit_anchor_faults')) === 0);
});
test('the file of signing keys is replaced by a helper: all of it or nothing, whatever lies beside it, and the old keys go on', async () => {
	const key = path.join(s.dir, 'token.jwk'),
		beside = key + '.new',
		jobs = () => s.metric('helper_pool_jobs_total{pool="file"}'),
		rotated = () => s.log.split('a new signing key was created').length - 1,
		kids = () => JSON.parse(fs.readFileSync(key, 'utf8')).keys.map((k) => k.kid);
	/* it cannot be written */
	fs.mkdirSync(beside);
	const first = kids(),
		before = rotated();
	await s.jump(91 * 86400);
	await waitUntil(() => /token.key_file cannot be rotated.*File exists/.test(s.log));
	assert.deepStrictEqual(kids(), first);
	assert.strictEqual((await s.get('/api/v1/me', await s.login('boss'))).status, 200);
	/* what a process left that died */
	fs.rmdirSync(beside);
	fs.writeFileSync(beside, '{"keys":[]}', { mode: 0o644 });
	const old = fs.openSync(key, 'r'),
		n = await jobs();
	s.proc.kill('SIGHUP');
	await waitUntil(() => rotated() === before + 1);
	assert.ok((await jobs()) > n, 'by a helper');
	assert.deepStrictEqual(kids().slice(1), first.slice(0, kids().length - 1));
	assert.strictEqual(kids().length, 1 + first.length);
	const st = fs.statSync(key);
	assert.strictEqual(st.mode & 0o777, 0o600);
	assert.notStrictEqual(st.ino, fs.fstatSync(old).ino, 'whoever reads it has the old file or the new one');
	assert.strictEqual(JSON.parse(fs.readFileSync(old, 'utf8')).keys.length, first.length);
	fs.closeSync(old);
	assert.ok(!fs.existsSync(beside));
	await waitUntil(async () => (await s.get('/.well-known/jwks.json')).json.keys.length === kids().length);
	/* the lock is free */
	assert.match(s.cli(['key', 'rotate']), /signs in ten minutes/);
});
