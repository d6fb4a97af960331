// SPDX-License-Identifier: Apache-2.0
// While a dependency is down, known data is still shown and marked as stale; circuits open, try and close; users are told; it ends by itself.
// alone: stops PostgreSQL.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	net = require('node:net');
const { Server, waitUntil, elapse, mailSink, freePort, pgctl } = require('../lib/server.js');

test('PostgreSQL down for longer than sessions are cached: only overview, compliance and theme are served, with the last values', async () => {
	const s = await Server.make('degraded'),
		admin = await s.login('admin', 'alpha'),
		stranger = await s.login('user', 'alpha'),
		paths = [
			'/api/v1/client/dashboard/overview?period=30d',
			'/api/v1/client/sla/compliance?period=30d',
			'/api/v1/client/theme/' + s.alpha,
		];
	for (const p of paths) assert.strictEqual((await s.get(p, admin)).status, 200);
	assert.deepStrictEqual((await s.get('/api/v1/status')).data, { degraded: false, limited: [] });
	assert.strictEqual(JSON.parse((await s.get('/readyz')).text).circuits.postgresql, 'closed');
	pgctl('stop', '-m', 'fast');
	try {
		await elapse(5500); /* sessions are looked up again every 5 s */
		await s.post('/api/v1/tickets', admin, {
			title: 'x',
			description: 'y',
		}); /* it was not stored, so it makes nothing outdated */
		for (const p of paths) {
			const r = await s.get(p + (p.includes('overview') ? '&refresh=true' : ''), admin);
			assert.strictEqual(r.status, 200, p + r.text);
			if (!p.includes('compliance')) assert.strictEqual(r.data.stale, true, p);
		}
		assert.strictEqual((await s.get('/api/v1/tickets', admin)).code, 50001);
		assert.strictEqual(
			(await s.get('/api/v1/me', 'sd1.2.1.' + 'x'.repeat(64))).code,
			50001,
			'an unknown user is not served',
		);
		assert.strictEqual((await s.get('/api/v1/client/theme/999999')).code, 50001);
		const status = (await s.get('/api/v1/status')).data;
		assert.deepStrictEqual(
			[status.degraded, status.limited.map((l) => l.part)],
			[true, ['database']],
		);
		assert.strictEqual(JSON.parse((await s.get('/readyz')).text).circuits.postgresql, 'open');
		assert.match(
			(await s.get('/metrics')).text,
			/sladesk_circuits\{dependency="postgresql",state="open"\} 1/,
		);
	} finally {
		pgctl('start');
	}
	await waitUntil(async () => (await s.get('/api/v1/tickets', stranger)).status === 200);
	await waitUntil(async () => !(await s.get('/api/v1/status')).data.degraded);
	assert.strictEqual((await s.get(paths[0] + '&refresh=true', admin)).data.stale, undefined);
	await s.drop();
});
test('while it is down, the maximum number of users is served, first come, first served; staff are not counted; then all again', async () => {
	const s = await Server.make('degraded_cap', { limits: { degraded_users: 2 } }),
		path = '/api/v1/client/dashboard/overview?period=30d',
		[a, a2, b, c, boss] = await Promise.all([
			s.login('admin', 'alpha'),
			s.login('admin', 'alpha'),
			s.login('user', 'alpha'),
			s.login('admin', 'beta'),
			s.login('boss'),
		]),
		staffs = `/api/v1/sla/metrics?period=30d&tenant_id=${s.alpha}`;
	for (const token of [a, a2, b, c]) assert.strictEqual((await s.get(path, token)).status, 200);
	await s.get(staffs, boss);
	pgctl('stop', '-m', 'fast');
	try {
		/* sessions are looked up again every 5 s; the session of c, which came last, is the
		 * last */
		const no = await waitUntil(async () => {
			for (const token of [a, b, a2, a])
				assert.strictEqual((await s.get(path, token)).status, 200);
			const r = await s.get(path, c);
			return r.status !== 200 && r;
		});
		assert.deepStrictEqual(
			[no.status, no.code, no.json.details.limit],
			[429, 40005, 'degraded_users'],
		);
		assert.ok(no.json.details.user_message && Number(no.headers['retry-after']) > 0);
		assert.notStrictEqual((await s.get(staffs, boss)).code, 40005);
	} finally {
		pgctl('start');
	}
	await waitUntil(async () => (await s.get(path, c)).status === 200);
	await s.drop();
});
test('a mail server that is down is contacted less and less often; this costs no attempts, and all mails arrive when it is back', async () => {
	const port = await freePort();
	let asked = 0;
	const dead = net.createServer((c) => {
		asked++;
		c.destroy();
	});
	await new Promise((ok) => dead.listen(port, '127.0.0.1', ok));
	const s = await Server.make('degraded_mail', {
		mail: { url: 'smtp://127.0.0.1:' + port },
		notify: { attempts: '8', backoff_s: '1' },
	});
	const user = await s.login('user', 'alpha');
	for (let i = 0; i < 12; i++)
		assert.strictEqual(
			(
				await s.post('/api/v1/tickets', user, {
					title: 't' + i,
					description: 'x',
					priority: 'P3',
				})
			).status,
			201,
		);
	const circuit = async () => JSON.parse((await s.get('/readyz')).text).circuits.mail;
	await waitUntil(async () => (await circuit()) === 'open');
	assert.deepStrictEqual(
		(await s.get('/api/v1/status')).data.limited.map((l) => l.part),
		['mail'],
	);
	const before = asked;
	await elapse(6000);
	assert.ok(
		asked - before <= 4,
		`${asked - before} tries in 6 s, of ${s.sql("select count(*) from notifications where state = 'queued'")} mails`,
	);
	assert.strictEqual(s.sql("select count(*) from notifications where state = 'dead'"), '0');
	await new Promise((ok) => dead.close(ok));
	const { SMTPServer } = require('smtp-server'),
		mails = [],
		smtp = new SMTPServer({
			authOptional: true,
			disabledCommands: ['AUTH', 'STARTTLS'],
			onData(stream, session, cb) {
				stream.resume();
				stream.on('end', () => {
					mails.push(session.envelope.rcptTo[0].address);
					cb();
				});
			},
		});
	await new Promise((ok) => smtp.listen(port, '127.0.0.1', ok));
	await waitUntil(
		() =>
			s.sql(
				"select count(*) from notifications where channel = 'mail' and state = 'queued'",
			) === '0',
		60000,
	);
	assert.strictEqual(await circuit(), 'closed');
	assert.strictEqual(
		s.sql("select count(*) from notifications where state in ('dead', 'merged')"),
		'0',
		'none is given up, none is merged',
	);
	assert.strictEqual(
		mails.length,
		Number(s.sql("select count(*) from notifications where channel = 'mail' and state = 'sent'")),
	);
	await s.drop();
	await new Promise((ok) => smtp.close(ok));
	assert.ok(mailSink);
});
