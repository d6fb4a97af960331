// SPDX-License-Identifier: Apache-2.0
// Data from outside never ends the daemon: a wall clock that is set back (by an operator, NTP, a resumed virtual machine), rows written by a newer
// program or by hand, keys that cannot be read yet.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	fs = require('node:fs'),
	http = require('node:http'),
	path = require('node:path');
const { Server, waitUntil, freePort, PASSWORD, SOCK, writeSecret } = require('../lib/server.js');

const AHEAD_S = 290; // a message may be at most 300 s ahead of our clock
let s,
	leader,
	messages = [];

/* Move the daemon's clock SECONDS away from the machine's. */
async function step(seconds) {
	const from = s.log.length;
	s.settings.test.clock_offset_s = seconds;
	fs.writeFileSync(s.file, s.conf());
	s.proc.kill('SIGHUP');
	await waitUntil(() => s.log.slice(from).includes('settings reloaded'));
}

test.before(async () => {
	leader = http.createServer((req, res) => {
		const q = new URL(req.url, 'http://x').searchParams;
		if (q.get('view') !== 'counts') {
			res.end(JSON.stringify({ tickets: messages, next: null }));
			return;
		}
		res.end(
			JSON.stringify({
				customers: [
					{
						tenant_id: s.alpha,
						tickets: messages.length,
						checksum: crypto
							.createHash('sha256')
							.update('other')
							.digest('hex'),
					},
				],
			}),
		);
	});
	await new Promise((ok) => leader.listen(0, '127.0.0.1', ok));
	s = new Server('foreign_data', {
		test: { allow_clock: 'yes' },
		integration: {
			tickets_url: `http://127.0.0.1:${leader.address().port}/`,
			tickets_every_s: 1,
			allow_private: 'yes',
		},
	});
	await s.prepare();
	writeSecret(path.join(s.dir, 'ours'), s.token('alpha', 'ticket:write,ticket:read', 'desk') + '\n');
	s.settings.integration.tickets_service_token_file = path.join(s.dir, 'ours');
});
test.after(async () => {
	await s.drop();
	leader.closeAllConnections();
	leader.close();
});

test('a message that was valid by the earlier clock is listed as left over, and the comparison continues', async () => {
	await s.start();
	messages = Array.from({ length: 200 }, (_, i) => ({
		event_type: 'ticket_updated',
		tenant_id: s.alpha,
		ticket_id: 'S-' + i,
		title: 'led',
		description: 'y',
		status: 'new',
		priority: 'P3',
		timestamp: new Date(Date.now() + AHEAD_S * 1000).toISOString(),
	}));
	/* the first ticket is created but cannot be recorded as done yet: the clock goes back
	 * before the others are read */
	const lock = s.sqlBeside('begin; lock table sync_events in share mode; select pg_sleep(0.7); commit');
	await waitUntil(() => s.sql("select count(*) from tickets where external_id = 'S-0'") === '1');
	await step(-3600);
	await lock;
	const check = await waitUntil(() =>
		s.sql(
			`select state || ' ' || jsonb_array_length(left_over) || ' ' || repaired from source_checks where tenant_id = ${s.alpha} and ended_at is not null and theirs = 200 order by started_at limit 1`,
		),
	);
	assert.match(check, /^differs 20 \d+$/); // the first twenty are named
	assert.ok(Number(check.split(' ')[2]) < 200, check);
	assert.match(
		s.sql(
			`select left_over from source_checks where tenant_id = ${s.alpha} and theirs = 200 order by started_at limit 1`,
		),
		/5 minutes in the future/,
	);
	assert.strictEqual((await s.get('/healthz')).status, 200);
});
test('values are encrypted even before the time of the first key, by the present clock', async () => {
	await step(-86400);
	const admin = await s.login('admin', 'alpha');
	const r = await s.post('/api/v1/client/admin/users', admin, {
		username: 'late',
		password: 'Erst-Passwort-1',
		full_name: 'Late',
		email: 'late@alpha.example',
		lang: 'en',
	});
	assert.strictEqual(r.status, 201, r.text);
	assert.match(s.sql("select email from client_users where username = 'late'"), /^e2\./);
});
test('a number that JSON cannot represent is left out, a session of an unknown kind is refused', async () => {
	await step(0);
	const boss = await s.login('boss');
	s.sql(`update source_checks set theirs = 9007199254740993 where tenant_id = ${s.alpha}`);
	const r = await s.get('/api/v1/data-quality/sources', boss);
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(r.data.items[0].theirs, null);
	assert.match(s.log, /a number is too large for JSON column=theirs/);
	const eng = await s.login('eng1');
	s.sql(
		"alter table sessions drop constraint sessions_actor_kind_check; update sessions set actor_kind = 'robot' where id = (select max(id) from sessions)",
	);
	assert.strictEqual((await s.get('/api/v1/auth/sessions', eng)).status, 401);
	assert.strictEqual((await s.get('/healthz')).status, 200);
});
test('while the keys of encrypted fields cannot be read, nothing is written that needs them', async () => {
	const t = new Server('no_keys');
	t.db = s.db;
	t.port = await freePort();
	t.file = path.join(s.dir, 'second.conf');
	t.dir = s.dir;
	t.settings = { database: { job_url: `host=${SOCK} dbname=${s.db} user=nobody` } };
	t.readiness = '/healthz';
	await t.start();
	const login = { username: 'boss', password: PASSWORD };
	const r = await waitUntil(async () => {
		const x = await t.post('/api/v1/auth/login', null, login);
		return x.status === 503 && x;
	});
	assert.strictEqual(r.code, 50001);
	assert.ok(r.headers['retry-after']);
	assert.strictEqual((await t.get('/api/v1/auth/sso/start?tenant=alpha')).status, 503);
	const end = await t.stop();
	assert.strictEqual(end.code, 0);
});
