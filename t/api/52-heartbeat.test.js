// SPDX-License-Identifier: Apache-2.0
// The heartbeat: a watchdog is called at intervals, only while deadlines fire in time; what it answers changes nothing else.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	{ spawn } = require('node:child_process');
const { Server, waitUntil, hookSink, SOCK, secret } = require('../lib/server.js');

let s, hook;
test.before(async () => {
	hook = await hookSink();
	s = await Server.make('heartbeat', { engine: { heartbeat_url: hook.url, heartbeat_s: 1 }, test: { allow_clock: 'yes' } });
});
test.after(async () => {
	await s.drop();
	await hook.close();
});
const came = () => hook.calls.length;

test('it is called every second', async () => {
	await waitUntil(() => came() >= 3, 15000);
	assert.ok((await s.metric('heartbeats_total')) >= 2);
	assert.strictEqual(hook.calls[0].body, '');
});
test('none while a deadline is late; afterwards they come again', async () => {
	const user = await s.login('user', 'alpha');
	const id = (await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', priority: 'P1' })).data.id;
	const lock = spawn('psql', ['-h', SOCK, '-U', 'postgres', '-d', s.db, '-XAtqc', `begin; select 1 from tickets where id = ${id} for update; select pg_sleep(90)`], {
		env: { ...process.env, PGPASSWORD: secret },
		stdio: 'ignore',
	});
	await waitUntil(() => s.sql(`select count(*) from pg_stat_activity where query like '%pg_sleep(90)%' and wait_event = 'PgSleep'`) === '1');
	await s.jump(7200);
	await waitUntil(async () => (await s.metric('sla_lag_seconds')) > 5, 20000);
	const before = came(),
		withheld = await s.metric('heartbeats_withheld_total');
	await waitUntil(async () => (await s.metric('heartbeats_withheld_total')) >= withheld + 2, 10000);
	assert.ok(came() <= before + 1, 'one was under way');
	lock.kill('SIGTERM');
	s.sql(`select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(90)%' and pid <> pg_backend_pid()`);
	const late = came();
	await waitUntil(() => came() > late + 1, 20000);
});
test('an address that fails is an outage, told once; the desk goes on', async () => {
	hook.server.status = 500;
	await waitUntil(() => /outage of the heartbeat's address begins/.test(s.log), 10000);
	hook.server.status = 200;
	await waitUntil(() => /outage of the heartbeat's address has ended/.test(s.log), 20000);
	assert.strictEqual(s.log.match(/outage of the heartbeat's address begins/g).length, 1);
});
