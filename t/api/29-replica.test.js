// SPDX-License-Identifier: Apache-2.0
// A real read replica computes numbers while it has every event that is counted; if it lags behind, is down or cut off, the primary does.
// alone: stops PostgreSQL and its replica.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, waitUntil, asUser, secret, SOCK, VAR, pgctl } = require('../lib/server.js');

const BIN = process.env.PG_BIN,
	dir = path.join(VAR, 'replica_' + process.pid),
	sockets = path.join(SOCK, 'r');
const as = (cmd, ...args) => {
	const [c, a] = asUser(path.join(BIN, cmd), args);
	return execFileSync(c, a, {
		env: { ...process.env, PGPASSWORD: secret },
		stdio: ['ignore', 'ignore', 'pipe'],
	});
};
const onReplica = (sql) =>
	execFileSync('psql', ['-h', sockets, '-U', 'postgres', '-XAtqc', sql], {
		env: { ...process.env, PGPASSWORD: secret },
		encoding: 'utf8',
	}).trim();
const replica = (what) =>
	as('pg_ctl', '-D', dir, '-l', dir + '.log', '-w', ...(what === 'stop' ? ['-m', 'fast'] : []), what);

let s, admin, user;
test.before(async () => {
	const [c, a] = asUser('mkdir', ['-p', sockets]);
	execFileSync(c, a);
	as('pg_basebackup', '-h', SOCK, '-U', 'postgres', '-D', dir, '-R', '-c', 'fast', '-X', 'stream');
	fs.appendFileSync(path.join(dir, 'postgresql.conf'), `unix_socket_directories = '${sockets}'\n`);
	replica('start');
	s = new Server('replica');
	s.settings.database = {
		app_url: `host=${SOCK} dbname=${s.db} user=sladesk_app`,
		job_url: `host=${SOCK} dbname=${s.db} user=sladesk_job`,
		password_file: path.join(VAR, 'secret/db'),
		replica_url: `host=${sockets} dbname=${s.db} user=sladesk_app`,
	};
	await s.prepare();
	await s.start();
	[admin, user] = await Promise.all([s.login('admin', 'alpha'), s.login('user', 'alpha')]);
});
test.after(async () => {
	await s.drop();
	try {
		replica('stop');
	} catch {
		/* it is stopped */
	}
	fs.rmSync(dir, { recursive: true, force: true });
});
const make = async () => {
	const r = await s.post('/api/v1/tickets', user, {
		title: 'x',
		description: 'y',
		priority: 'P3',
	});
	assert.strictEqual(r.status, 201, r.text);
};
const total = async (query = '') => {
	const r = await s.get('/api/v1/client/dashboard/overview?period=7d' + query, admin);
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual(r.data.stale, undefined);
	return r.data.summary.total_tickets;
};
const computed = () => s.metric('answers_replica_total');
const up = async (how) =>
	waitUntil(
		async () =>
			JSON.parse((await s.get('/readyz')).text).dependencies.postgresql_replica.state ===
			how,
	);

test('a replica that has everything that is counted computes the numbers, with the same isolation', async () => {
	await up('up');
	await make();
	await waitUntil(async () => (await total()) === 1, 2000);
	const before = await computed();
	await waitUntil(async () => (await total('&refresh=true')) === 1 && (await computed()) > before);
	const r = await s.get('/api/v1/client/sla/compliance?period=7d', admin);
	assert.strictEqual(r.status, 200, r.text);
	const beta = await s.login('admin', 'beta');
	const theirs = await s.get('/api/v1/client/dashboard/overview?period=7d', beta);
	assert.strictEqual(theirs.data.summary.total_tickets, 0);
	assert.strictEqual(onReplica('select pg_is_in_recovery()'), 't');
});
test('a replica that lags behind: the primary answers, within the same second; once it has caught up, the replica again', async () => {
	onReplica('select pg_wal_replay_pause()');
	await waitUntil(() => onReplica('select pg_get_wal_replay_pause_state()') === 'paused');
	await make();
	await waitUntil(async () => (await total()) === 2, 1000);
	const before = await computed();
	assert.strictEqual(await total('&refresh=true'), 2);
	assert.strictEqual(await computed(), before);
	onReplica('select pg_wal_replay_resume()');
	await waitUntil(async () => (await total('&refresh=true')) === 2 && (await computed()) > before);
});
test('a replica that is down: the primary answers; once it is back, the replica again; no errors in between', async () => {
	replica('stop');
	for (let i = 0; i < 5; i++) assert.strictEqual(await total(i === 4 ? '&refresh=true' : ''), 2);
	await up('down');
	await make();
	await waitUntil(async () => (await total()) === 3, 1000);
	replica('start');
	await up('up');
	const before = await computed();
	await waitUntil(async () => (await total('&refresh=true')) === 3 && (await computed()) > before);
});
test('the primary is down: users with a session still get current numbers from the replica', async () => {
	await waitUntil(async () => (await total('&refresh=true')) === 3);
	const before = await computed();
	pgctl('stop', '-m', 'fast');
	try {
		await waitUntil(async () => (await s.get('/readyz')).status === 503);
		await waitUntil(async () => {
			const r = await s.get(
				'/api/v1/client/dashboard/overview?period=7d&refresh=true',
				admin,
			);
			return (
				r.status === 200 &&
				r.data.stale === undefined &&
				r.data.summary.total_tickets === 3
			);
		});
		assert.ok((await computed()) > before);
		const no = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y' });
		assert.strictEqual(no.code, 50001);
	} finally {
		pgctl('start');
	}
	await waitUntil(async () => (await s.get('/readyz')).status === 200);
});
