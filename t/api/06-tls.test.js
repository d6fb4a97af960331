// SPDX-License-Identifier: Apache-2.0
// TLS in both directions: 1.3 only unless a setting allows more, proper close_notify, a WebSocket over it; mail by STARTTLS with AUTH, never without.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	tls = require('node:tls'),
	https = require('node:https'),
	path = require('node:path'),
	{ execFileSync, spawn } = require('node:child_process');
const WebSocket = require('ws'),
	{ SMTPServer } = require('smtp-server');
const { Server, waitUntil, freePort, asUser, secret, VAR, writeSecret } = require('../lib/server.js');

const dir = path.join(VAR, 'tls' + process.pid),
	key = path.join(dir, 'key.pem'),
	cert = path.join(dir, 'cert.pem');
let s, smtp;
const mails = [],
	logins = [];
test.before(async () => {
	fs.mkdirSync(dir, { mode: 0o755 });
	execFileSync(
		'openssl',
		[
			'req',
			'-x509',
			'-newkey',
			'ec',
			'-pkeyopt',
			'ec_paramgen_curve:P-256',
			'-nodes',
			'-keyout',
			key,
			'-out',
			cert,
			'-days',
			'2',
			'-subj',
			'/CN=127.0.0.1',
			'-addext',
			'subjectAltName=IP:127.0.0.1',
		],
		{ stdio: 'ignore' },
	);
	writeSecret(key);
	writeSecret(path.join(dir, 'smtp-password'), 'smtp secret\n');
	smtp = new SMTPServer({
		key: fs.readFileSync(key),
		cert: fs.readFileSync(cert),
		onAuth(a, x, cb) {
			logins.push(a.username + ':' + a.password);
			cb(a.password === 'smtp secret' ? null : new Error('no'), { user: 1 });
		},
		onData(st, se, cb) {
			let t = '';
			st.on('data', (d) => {
				t += d;
			});
			st.on('end', () => {
				mails.push({ secure: se.secure, t });
				cb();
			});
		},
	});
	smtp.on('error', () => {});
	await new Promise((ok) => smtp.listen(0, '127.0.0.1', ok));
	s = new Server('tls', {
		http: { cert_file: cert, key_file: key },
		mail: {
			url: 'smtp://127.0.0.1:' + smtp.server.address().port,
			require_tls: 'yes',
			ca_file: cert,
			username: 'desk',
			password_file: path.join(dir, 'smtp-password'),
		},
	});
	await s.prepare();
	s.request = (method, p, { token, body } = {}) =>
		new Promise((ok, no) => {
			const r = https.request(
				{
					host: '127.0.0.1',
					port: s.port,
					method,
					path: p,
					ca: fs.readFileSync(cert),
					agent: false,
					headers: token ? { Authorization: 'Bearer ' + token } : {},
				},
				(res) => {
					let t = '';
					res.on('data', (d) => {
						t += d;
					});
					res.on('end', () => {
						let j;
						try {
							j = JSON.parse(t);
						} catch {
							/* text */
						}
						ok({
							status: res.statusCode,
							headers: res.headers,
							text: t,
							data: j && j.data,
						});
					});
				},
			);
			r.on('error', no);
			r.end(body && JSON.stringify(body));
		});
	await s.start();
});
test.after(async () => {
	await s.drop();
	smtp.close();
	fs.rmSync(dir, { recursive: true });
});

test('TLS 1.3 only; HSTS; the end is a close_notify', async () => {
	const r = await s.get('/healthz');
	assert.strictEqual(r.status, 200);
	assert.match(r.headers['strict-transport-security'], /max-age/);
	await assert.rejects(
		new Promise((ok, no) => {
			const c = tls.connect(
				{
					port: s.port,
					host: '127.0.0.1',
					ca: fs.readFileSync(cert),
					maxVersion: 'TLSv1.2',
				},
				ok,
			);
			c.on('error', no);
		}),
		/protocol|version/i,
	);
	const c = tls.connect({ port: s.port, host: '127.0.0.1', ca: fs.readFileSync(cert) });
	let text = '',
		failed = null,
		ended = false;
	c.on('data', (d) => {
		text += d;
	});
	c.on('error', (e) => {
		failed = e;
	});
	c.on('end', () => {
		ended = true;
	});
	c.write('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
	await waitUntil(() => ended);
	assert.match(text, /200 OK/);
	assert.strictEqual(failed, null);
});
test('a WebSocket over TLS', async () => {
	const w = new WebSocket(`wss://127.0.0.1:${s.port}/test/echo`, { ca: fs.readFileSync(cert) });
	await new Promise((ok, no) => {
		w.on('open', ok);
		w.on('error', no);
	});
	w.send('宕机'.repeat(9000));
	assert.strictEqual(
		(
			await new Promise((ok) => {
				w.on('message', ok);
			})
		).toString(),
		'宕机'.repeat(9000),
	);
	w.close();
});
test('SIGHUP takes a new certificate for new connections; a broken one is refused and the old one stays', async () => {
	const print = () =>
		new Promise((ok, no) => {
			const c = tls.connect(
				{ port: s.port, host: '127.0.0.1', rejectUnauthorized: false },
				() => {
					const p = c.getPeerCertificate().fingerprint256;
					c.end();
					ok(p);
				},
			);
			c.on('error', no);
		});
	const open = tls.connect({ port: s.port, host: '127.0.0.1', ca: fs.readFileSync(cert) }),
		old = await print(),
		saved = [fs.readFileSync(cert), fs.readFileSync(key)],
		reloads = () => s.log.split('settings reloaded').length;
	let text = '';
	open.on('data', (d) => {
		text += d;
	});
	const hup = async () => {
		const n = reloads();
		s.proc.kill('SIGHUP');
		await waitUntil(() => reloads() > n);
	};
	fs.writeFileSync(key, 'rubbish');
	await hup();
	assert.match(s.log, /certificate not reloaded/);
	assert.strictEqual(await print(), old);
	execFileSync(
		'openssl',
		[
			'req',
			'-x509',
			'-newkey',
			'ec',
			'-pkeyopt',
			'ec_paramgen_curve:P-256',
			'-nodes',
			'-keyout',
			key,
			'-out',
			cert,
			'-days',
			'2',
			'-subj',
			'/CN=127.0.0.1',
			'-addext',
			'subjectAltName=IP:127.0.0.1',
		],
		{ stdio: 'ignore' },
	);
	writeSecret(key);
	await hup();
	assert.notStrictEqual(await print(), old);
	open.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
	await waitUntil(() => text.includes('200 OK'));
	open.destroy();
	fs.writeFileSync(cert, saved[0]);
	fs.writeFileSync(key, saved[1]);
	await hup();
	assert.strictEqual(await print(), old);
});
test('TLS 1.2 when a setting allows it, with forward secrecy only', async () => {
	const t = new Server('tls12', { http: { cert_file: cert, key_file: key, tls12: 'yes' } });
	await t.prepare();
	t.request = (method, p) =>
		new Promise((ok, no) => {
			const r = https.request(
				{
					host: '127.0.0.1',
					port: t.port,
					method,
					path: p,
					ca: fs.readFileSync(cert),
					agent: false,
					maxVersion: 'TLSv1.2',
				},
				(res) => {
					let x = '';
					res.on('data', (d) => {
						x += d;
					});
					res.on('end', () =>
						ok({
							status: res.statusCode,
							text: x,
							protocol:
								res.socket.getProtocol &&
								res.socket.getProtocol(),
						}),
					);
				},
			);
			r.on('error', no);
			r.end();
		});
	await t.start();
	const c = tls.connect({
		port: t.port,
		host: '127.0.0.1',
		ca: fs.readFileSync(cert),
		maxVersion: 'TLSv1.2',
	});
	await new Promise((ok, no) => {
		c.on('secureConnect', ok);
		c.on('error', no);
	});
	assert.strictEqual(c.getProtocol(), 'TLSv1.2');
	assert.match(c.getCipher().name, /^ECDHE/);
	c.destroy();
	await assert.rejects(
		new Promise((ok, no) => {
			const x = tls.connect(
				{
					port: t.port,
					host: '127.0.0.1',
					ca: fs.readFileSync(cert),
					maxVersion: 'TLSv1.2',
					ciphers: 'AES128-GCM-SHA256',
				},
				ok,
			);
			x.on('error', no);
		}),
	);
	await t.drop();
});
test('mail goes out by STARTTLS with AUTH', async () => {
	await s.post('/api/v1/tickets', await s.login('user', 'alpha'), {
		title: 'x',
		description: 'y',
		priority: 'P4',
	});
	await waitUntil(() => mails.length > 0);
	assert.ok(mails.every((m) => m.secure));
	assert.strictEqual(logins[0], 'desk:smtp secret');
	assert.ok(!s.log.includes('smtp secret'));
});
test('Redis over TLS: the certificate must be valid for the requested host and from a trusted CA', async () => {
	const port = await freePort(),
		[cmd, args] = asUser('redis-server', [
			...['--port', '0', '--tls-port', String(port), '--bind', '127.0.0.1', '--save', ''],
			...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert],
			...['--tls-auth-clients', 'no', '--requirepass', secret, '--dir', VAR],
		]),
		redis = spawn(cmd, args, { stdio: 'ignore' }),
		t = new Server('redis_tls', { redis: { ca_file: cert } });
	t.redisUrl = 'rediss://127.0.0.1:' + port;
	try {
		await t.prepare();
		await t.start();
		await waitUntil(async () => (await t.metric('redis_up')) === 1);
		let heard = '';
		const cli = spawn('redis-cli', [
			...['-h', '127.0.0.1', '-p', String(port), '--tls', '--cacert', cert],
			...['--no-auth-warning', '-a', secret, 'psubscribe', 'sladesk.v1.events.*'],
		]);
		cli.stdout.on('data', (d) => (heard += d));
		await waitUntil(() => heard.includes('psubscribe'));
		await t.post('/api/v1/tickets', await t.login('user', 'alpha'), {
			title: 'over TLS',
			description: 'x',
		});
		await waitUntil(() => heard.includes('"type":"ticket.created"'));
		cli.kill();
		assert.strictEqual(t.log.match(/redis up/g).length, 2, 'commands and subscription');
		for (const [url, ca_file, why] of [
			['rediss://localhost:' + port, cert, /hostname mismatch/i],
			['rediss://127.0.0.1:' + port, '', /self.signed certificate/i],
		]) {
			await t.stop();
			t.redisUrl = url;
			t.settings.redis.ca_file = ca_file;
			t.log = '';
			await t.start();
			await waitUntil(() => /redis certificate refused/.test(t.log) && why.test(t.log));
			assert.strictEqual(await t.metric('redis_up'), 0);
		}
		await t.drop();
	} finally {
		redis.kill('SIGKILL');
	}
});
