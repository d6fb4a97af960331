// SPDX-License-Identifier: Apache-2.0
// Encrypted values are bound to table, column, tenant and row: who writes the database cannot move one, nor put a plain text or a value of an earlier
// version there. After an upgrade the daemon encrypts what it finds anew, and from then on accepts nothing old.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, PASSWORD } = require('../lib/server.js');

let s, admin, user, beta, boss;
const columns = () =>
	s
		.sql("select name || ' ' || tbl || ' ' || col from sealed_list() order by 1")
		.split('\n')
		.map((l) => l.split(' '));
const quoted = (v) => `'${v.replaceAll("'", "''")}'`;

/* --- what an earlier version did --- */

const gcm = (key, aad, text, nonce = crypto.randomBytes(12)) => {
	const c = crypto.createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad));
	return Buffer.concat([nonce, c.update(text), c.final(), c.getAuthTag()]);
};
const ungcm = (key, aad, raw) => {
	const d = crypto.createDecipheriv('aes-256-gcm', key, raw.subarray(0, 12)).setAAD(Buffer.from(aad));
	d.setAuthTag(raw.subarray(-16));
	return Buffer.concat([d.update(raw.subarray(12, -16)), d.final()]);
};
const master = () => Buffer.from(fs.readFileSync(path.join(s.dir, 'master.key'), 'utf8').trim(), 'hex');
const dataKey = (id) =>
	ungcm(
		master(),
		`sladesk key ${id}`,
		Buffer.from(s.sql(`select encode(wrapped, 'hex') from field_keys where id = ${id}`), 'hex'),
	);
const open = (v, place) => {
	const [, id, data] = v.match(/^e2\.(\d+)\.(.*)$/);
	return ungcm(dataKey(id), place, Buffer.from(data, 'base64url'));
};
const e1 = (id, name, text) => `e1.${id}.${gcm(dataKey(id), name, text).toString('base64url')}`;
/* include/crypto/sealed.def: what format e1 authenticated */
const oldNames = Object.fromEntries(
	[
		...fs
			.readFileSync(path.join(__dirname, '../../include/crypto/sealed.def'), 'utf8')
			.matchAll(/^FIELD_COLUMN\(\w+, "([a-z_.]+)", (?:"(\w+)"|NULL)\)/gm),
	].map((m) => [m[1], m[2]]),
);
const oldName = (column, tenant) => oldNames[column] || `${column}:${tenant}`;

/* --- what is there --- */

const rows = (column) => {
	const [, tbl, col] = columns().find((c) => c[0] === column);
	return JSON.parse(
		s.sql(
			`select coalesce(json_agg(json_build_object('at', t.ctid, 'tenant', t.tenant_id, 'row', sealed_row(t), 'v', t.${col},
				'place', '${column}:' || t.tenant_id || ':' || sealed_row(t)) order by t.tenant_id, sealed_row(t)), '[]') from ${tbl} t where t.${col} is not null`,
		),
	);
};
const put = (column, row, v) => {
	const [, tbl, col] = columns().find((c) => c[0] === column);
	assert.strictEqual(
		s.sql(
			`with u as (update ${tbl} t set ${col} = ${quoted(v)} where t.tenant_id = ${row.tenant} and sealed_row(t) = ${quoted(row.row)} returning 1) select count(*) from u`,
		),
		'1',
	);
};
const check = () => {
	try {
		return { out: s.cli(['keys', 'check']), ok: true };
	} catch (e) {
		return { out: e.stdout ? e.stdout.toString() : e.message, ok: false };
	}
};
const unbase32 = (t) => {
	let bits = '';
	for (const c of t) bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
	return Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
};
const totp = (secret, step) => {
	const c = Buffer.alloc(8);
	c.writeBigUInt64BE(BigInt(step));
	const h = crypto.createHmac('sha1', secret).update(c).digest(),
		o = h[19] & 15;
	return String((h.readUInt32BE(o) & 0x7fffffff) % 1000000).padStart(6, '0');
};
let last = 0;
/* a time step in which no code was made yet */
const freshStep = async () => {
	await waitUntil(async () => {
		const now = Math.floor(Date.parse((await s.get('/api/v1/nothing')).json.timestamp) / 30000),
			fresh = now > last;
		last = Math.max(last, now);
		return fresh;
	});
	return last;
};
const enrol = async (token) => {
	const e = await s.post('/api/v1/auth/factors/totp', token, { name: 'phone' });
	assert.strictEqual(e.status, 201, e.text);
	const secret = unbase32(e.data.secret),
		c = await s.post(`/api/v1/auth/factors/${e.data.factor_id}/confirm`, token, {
			code: totp(secret, await freshStep()),
		});
	assert.strictEqual(c.status, 200, c.text);
	return secret;
};
const signIn = async (username, tenant, secret) => {
	const l = await s.post('/api/v1/client/auth/login', null, {
		username,
		password: PASSWORD,
		tenant_id: tenant,
	});
	assert.ok(l.data.step_token, l.text);
	return s.post('/api/v1/auth/second-factor', null, {
		step_token: l.data.step_token,
		method: 'totp',
		code: totp(secret, await freshStep()),
	});
};
const provider = (token, name) =>
	s.post('/api/v1/client/admin/identity-providers', token, {
		kind: 'oidc',
		name,
		issuer: 'http://127.0.0.1:9/',
		client_id: 'sladesk',
		client_secret: 'geheim of ' + name,
	});

const secrets = {};
test.before(async () => {
	s = new Server('sealed', {
		limits: { login_per_s: 0 },
		sso: { allow_private: 'yes' },
		notify: { allow_private: 'yes' },
		crypto: { key_delay_s: 1 },
		test: { echo: 'no', allow_clock: 'yes', clock_scale: 10 },
	});
	await s.prepare();
	await s.start();
	/* who writes the database may change its indexes, too: here, to put one value into two rows */
	s.sql('drop index if exists client_users_email, staff_email');
	[admin, user, beta, boss] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('admin', 'beta'),
		s.login('boss'),
	]);
});
test.after(() => s.drop());

test('a new installation encrypts every value with its place from the first start, and accepts nothing else', async () => {
	for (const [token, name] of [
		[admin, 'one'],
		[admin, 'two'],
		[beta, 'three'],
	]) {
		const r = await provider(token, name);
		assert.strictEqual(r.status, 201, r.text);
		const sso = await s.get(
			`/api/v1/auth/sso/start?tenant=${token === beta ? 'beta' : 'alpha'}&provider=${r.data.provider_id}`,
		);
		assert.ok(sso.status < 600);
	}
	const service = s.token('provider', 'user:write,admin', 'crm'),
		contact = (n) => ({ external_id: 'P:' + n, name: n, email: `${n}@crm.example`, phone: '+86 13900000000' }),
		pushed = await s.post('/api/v1/integration/customers/sync', service, {
			customers: [
				{ external_id: 'C-1', code: 'alpha', name: 'Alpha', contacts: [contact('a'), contact('b')] },
				{ external_id: 'C-2', code: 'beta', name: 'Beta', contacts: [contact('a')] },
				{ external_id: 'C-3', code: 'gamma', name: 'Gamma', contacts: [contact('g')] },
			],
		});
	assert.strictEqual(pushed.status, 200, pushed.text);
	assert.deepStrictEqual([pushed.data.taken, pushed.data.created], [3, 1], pushed.text);
	for (const [token, name] of [
		[admin, 'wang'],
		[admin, 'zhao'],
		[beta, 'wang'],
	]) {
		const r = await s.post('/api/v1/client/admin/users', token, {
			username: name,
			password: 'First-pass-1',
			full_name: name,
			email: name + '@people.example',
			phone: '+86 13812341234',
		});
		assert.strictEqual(r.status, 201, r.text);
		const hook = await s.post('/api/v1/webhooks', token, {
			url: 'http://127.0.0.1:9/' + name,
			secret: 'secret of the webhook',
		});
		assert.strictEqual(hook.status, 201, hook.text);
		assert.strictEqual(rows('webhooks.secret').filter((x) => x.row === String(hook.data.id)).length, 1);
	}
	s.cli(['webhook', 'add', '--tenant', 'beta', '--url', 'http://127.0.0.1:9/cli'], 'secret by the command line\n');
	for (const [username, tenant] of [
		['admin', 'alpha'],
		['user', 'alpha'],
		['admin', 'beta'],
	])
		await waitUntil(async () => {
			const r = await s.post(
				'/api/v1/auth/login',
				null,
				{ username, password: PASSWORD, tenant },
				{ 'user-agent': 'Another browser' },
			);
			assert.strictEqual(r.status, 200, r.text);
			return (
				s.sql(
					`select count(*) from sign_in_alerts a join client_users u on u.tenant_id = a.tenant_id and u.id = a.actor_id where u.username = '${username}' and a.tenant_id = ${s[tenant]}`,
				) !== '0'
			);
		});
	/* a change keeps the row's identity */
	const w = s.sql(`select id from client_users where username = 'wang' and tenant_id = ${s.alpha}`),
		changed = await s.request('PUT', '/api/v1/client/admin/users/' + w, {
			token: admin,
			body: { phone: '+86 13812341235' },
		});
	assert.strictEqual(changed.status, 200, changed.text);
	secrets.admin = await enrol(admin);
	secrets.user = await enrol(user);
	secrets.beta = await enrol(beta);
	assert.strictEqual(s.sql('select count(*) from sealed_columns'), '0');
	assert.strictEqual(s.sql('select count(*) from field_keys where id between 1 and 999'), '0');
	for (const [column] of columns()) {
		const r = rows(column);
		assert.ok(r.filter((x) => x.tenant === r[0].tenant).length > 1, column + ': two rows of a tenant');
		for (const x of r) {
			assert.match(x.v, /^e2\.1000\./, x.place);
			assert.ok(open(x.v, x.place).length, x.place);
		}
	}
	const c = check();
	assert.ok(c.ok, c.out);
	assert.deepStrictEqual(
		[...c.out.matchAll(/^([a-z_.]+): \d+ values, 0 refused$/gm)].map((m) => m[1]).sort(),
		/* codes that are being mailed live for minutes, in documents: nothing encrypts them anew */
		[...columns().map((x) => x[0]), 'events.code'].sort(),
		'one list in C and in SQL',
	);
	assert.strictEqual(await s.metric('sealing_columns'), 0);
	assert.strictEqual(await s.metric('sealed_refused_total'), 0);
});

test('a value that is moved to another row, tenant or column, a plain text, and a value of format e1 are refused, in every column', () => {
	const all = columns().map((c) => c[0]);
	for (const column of all) {
		const list = rows(column),
			here = list.find((x) => list.some((y) => y.tenant === x.tenant && y.row !== x.row)),
			text = open(here.v, here.place),
			other = all.find((c) => c !== column && rows(c).length),
			tried = {
				'another row': list.find((x) => x.tenant === here.tenant && x.row !== here.row).v,
				'another column': rows(other)[0].v,
				'a plain text': text.toString('latin1').replace(/[^\x20-\x7e]/g, 'x') + 'plain@x.example',
				'format e1': e1(1000, oldName(column, here.tenant), text),
				'changed': here.v.slice(0, -6) + (here.v.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'),
				'another key': here.v.replace('e2.1000.', 'e2.1001.'),
			},
			abroad = list.find((x) => x.tenant !== here.tenant);
		if (abroad) tried['another tenant'] = abroad.v;
		else assert.match(column, /^staff\./, column + ' has rows of one tenant only');
		for (const [what, v] of Object.entries(tried)) {
			put(column, here, v);
			const c = check();
			put(column, here, here.v);
			assert.ok(!c.ok, `${column}: ${what}`);
			assert.ok(c.out.split('\n').includes('refused ' + here.place), `${column}: ${what}: ${c.out}`);
			assert.ok(!c.out.includes(v), 'the value is not told');
		}
	}
	assert.ok(check().ok);
});

test('the daemon refuses too: a time code of a moved secret, with a log line that names the place and a metric', async () => {
	/* the last test kept us busy for so long that the daemon has closed our idle connections */
	await waitUntil(() => s.get('/api/v1/nothing'));
	const f = rows('factors.secret'),
		uid = s.sql(`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`),
		mine = f.find((x) => x.row.startsWith(`customer.${uid}.`)),
		theirs = f.find((x) => x.tenant === s.alpha && x.row !== mine.row);
	assert.strictEqual((await signIn('user', s.alpha, secrets.user)).status, 200);
	/* the administrator's secret, known to whoever put it there */
	put('factors.secret', mine, theirs.v);
	assert.notStrictEqual((await signIn('user', s.alpha, secrets.admin)).status, 200);
	/* a plain one */
	put('factors.secret', mine, 'x'.repeat(20));
	assert.notStrictEqual((await signIn('user', s.alpha, Buffer.from('x'.repeat(20)))).status, 200);
	put('factors.secret', mine, mine.v);
	/* a whole row that is given to somebody else */
	const aid = theirs.row.split('.')[1],
		id = theirs.row.split('.')[2];
	s.sql(`update factors set actor_id = ${uid} where id = ${id}`);
	assert.notStrictEqual((await signIn('user', s.alpha, secrets.admin)).status, 200);
	s.sql(`update factors set actor_id = ${aid} where id = ${id}`);
	assert.strictEqual((await signIn('user', s.alpha, secrets.user)).status, 200);
	assert.ok(s.log.includes(`place="${mine.place}"`) || s.log.includes(mine.place), s.log.slice(-2000));
	assert.ok(!s.log.includes(mine.v) && !s.log.includes('xxxxxxxxxx'));
	assert.ok((await s.metric('sealed_refused_total')) >= 3);
});

test('readers who may see it get the text, others a mask, and nobody a value that was moved', async () => {
	const people = async (token) =>
			Object.fromEntries(
				(await s.get('/api/v1/client/admin/users?limit=200', token)).data.items.map((u) => [
					u.username,
					[u.email, u.phone],
				]),
			),
		all = await people(admin);
	assert.deepStrictEqual(all.zhao, ['zhao@people.example', '+86 13812341234']);
	assert.deepStrictEqual(all.wang, ['wang@people.example', '+86 13812341235']);
	const mails = rows('client_users.email'),
		id = (name) => s.sql(`select id from client_users where username = '${name}' and tenant_id = ${s.alpha}`),
		zhao = mails.find((x) => x.tenant === s.alpha && x.row === id('zhao')),
		wang = mails.find((x) => x.tenant === s.alpha && x.row === id('wang'));
	put('client_users.email', zhao, wang.v);
	assert.deepStrictEqual((await people(admin)).zhao, [null, '+86 13812341234']);
	put('client_users.email', zhao, 'zhao@evil.example');
	assert.deepStrictEqual((await people(admin)).zhao, [null, '+86 13812341234']);
	put('client_users.email', zhao, zhao.v);
	assert.deepStrictEqual((await people(admin)).zhao, all.zhao);
	const k = (await s.get(`/api/v1/customers/${s.beta}/contacts`, boss)).data.items;
	assert.deepStrictEqual([k[0].email, k[0].phone], ['a@crm.example', '+86 13900000000']);
	const alert = (await s.get('/api/v1/client/admin/sign-in-alerts', admin)).data;
	assert.ok(alert.items.length);
	for (const a of alert.items) assert.match(a.ip_address, /^127\.|^::1/);
	/* a user's text that looks like what SQL hands to the program is a text */
	for (const title of [zhao.v, 't' + zhao.place + '\\x00' + zhao.v, zhao.place]) {
		const t = await s.post('/api/v1/client/tickets', user, { title: title.slice(0, 200), description: 'x' });
		assert.strictEqual(t.status, 201, t.text);
		assert.strictEqual(
			(await s.get('/api/v1/client/tickets/' + t.data.id, user)).data.title,
			title.slice(0, 200),
		);
	}
});

test('keys rotate encrypts every value with the new key, at its place', async () => {
	const out = s.cli(['keys', 'rotate']);
	for (const [column] of columns()) {
		const r = rows(column);
		assert.match(out, new RegExp(`^${column}: ${r.length} values under key 1001$`, 'm'));
		for (const x of r) assert.match(x.v, /^e2\.1001\./, x.place);
	}
	assert.ok(check().ok);
	await waitUntil(async () => (await signIn('user', s.alpha, secrets.user)).status === 200, 20000);
});

/* As an earlier version left the database: keys from 1 on, values of format e1 or plain. */
const goBack = () => {
	const key = crypto.randomBytes(32),
		texts = new Map();
	for (const [column] of columns())
		for (const x of rows(column)) texts.set(x.place, { column, row: x, text: open(x.v, x.place) });
	s.sql('delete from field_keys where id >= 1; delete from sealed_columns; delete from lease_owners');
	s.sql(
		`insert into field_keys (id, wrapped, created_at, active_from) values (1, '\\x${gcm(master(), 'sladesk key 1', key).toString('hex')}', now(), now())`,
	);
	let n = 0;
	for (const { column, row, text } of texts.values())
		put(
			column,
			row,
			++n % 3 === 0 && /^[\x20-\x7e]+$/.test(text.toString('latin1'))
				? text.toString()
				: e1(1, oldName(column, row.tenant), text),
		);
	return texts;
};

test('after an upgrade the daemon waits for the earlier version to go, encrypts everything anew, and then accepts nothing old', async () => {
	await s.stop();
	const texts = goBack();
	/* an instance of the earlier version: it does not say that it reads places */
	s.sql(
		"insert into lease_owners (owner, expires_at) values ('elsewhere:1:old', clock_timestamp() + interval '1 hour')",
	);
	await s.start();
	assert.strictEqual((await signIn('user', s.alpha, secrets.user)).status, 200);
	await waitUntil(() => s.sql("select count(*) from job_claims where name = 'sealing' and done_at is not null") === '1');
	assert.strictEqual(s.sql('select count(*) from field_keys where id >= 1000'), '0', 'it waits');
	assert.strictEqual(await s.metric('sealing_columns'), columns().length + 1);
	/* a provider needs a fresh proof of who asks */
	const fresh = (await signIn('admin', s.alpha, secrets.admin)).data.access_token,
		made = await provider(fresh, 'four');
	assert.strictEqual(made.status, 201, made.text);
	assert.match(
		s.sql(`select client_secret from identity_providers where id = ${made.data.provider_id}`),
		/^e1\.1\./,
		'what the other one can read',
	);
	s.sql("delete from lease_owners where owner = 'elsewhere:1:old'");
	let mark;
	await waitUntil(() => (mark = mark || s.sql("select open from sealed_columns where name = 'factors.secret'")), 30000);
	await waitUntil(() => s.sql('select count(*) from sealed_columns') === '0', 60000);
	await waitUntil(async () => (await s.metric('sealing_columns')) === 0, 30000);
	for (const [column] of columns())
		for (const x of rows(column)) {
			assert.match(x.v, /^e2\.1000\./, x.place);
			const was = texts.get(x.place);
			if (was) assert.deepStrictEqual(open(x.v, x.place), was.text, x.place);
		}
	assert.ok(check().ok);
	assert.strictEqual((await signIn('user', s.alpha, secrets.user)).status, 200);
	/* nothing old, whatever is written to the table of marks: not a copy of the mark in this process, … */
	const f = rows('factors.secret'),
		uid = s.sql(`select id from client_users where tenant_id = ${s.alpha} and username = 'user'`),
		mine = f.find((x) => x.row.startsWith(`customer.${uid}.`));
	put('factors.secret', mine, 'x'.repeat(20));
	s.sql(`insert into sealed_columns (name, open) values ('factors.secret', '${mark}')`);
	await waitUntil(() => s.sql("select count(*) from sealed_columns where name = 'factors.secret'") === '1');
	assert.notStrictEqual((await signIn('user', s.alpha, Buffer.from('x'.repeat(20)))).status, 200);
	/* … nor a forged one, one of another column, or none at all after a restart */
	for (const v of ['true', mark.slice(0, -4) + 'AAAA', null]) {
		await s.stop();
		s.sql('delete from sealed_columns');
		if (v) s.sql(`insert into sealed_columns (name, open) values ('factors.secret', '${v}')`);
		else s.sql(`insert into sealed_columns (name, open) values ('identity_providers.client_secret', '${mark}')`);
		await s.start();
		assert.notStrictEqual((await signIn('user', s.alpha, Buffer.from('x'.repeat(20)))).status, 200, v);
		assert.strictEqual(await s.metric('sealing_columns'), 0);
	}
	s.sql('delete from sealed_columns');
	put('factors.secret', mine, mine.v);
	assert.strictEqual((await signIn('user', s.alpha, secrets.user)).status, 200);
});

test('keys seal does the same by hand', async () => {
	await s.stop();
	const texts = goBack();
	const out = s.cli(['keys', 'seal']);
	assert.match(out, /^factors\.secret: \d+ values under key 1000$/m);
	for (const [column] of columns())
		for (const x of rows(column)) assert.deepStrictEqual(open(x.v, x.place), texts.get(x.place).text, x.place);
	assert.strictEqual(s.sql('select count(*) from sealed_columns'), '0');
	assert.ok(check().ok);
	await s.start();
	assert.strictEqual((await signIn('user', s.alpha, secrets.user)).status, 200);
	/* and takes what was put there since, because somebody says so */
	const x = rows('identity_providers.client_secret')[0];
	put('identity_providers.client_secret', x, 'typed by the operator');
	assert.ok(!check().ok);
	s.cli(['keys', 'seal']);
	assert.ok(check().ok);
});
