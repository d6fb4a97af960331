// SPDX-License-Identifier: Apache-2.0
// TLS in both directions: 1.3 only unless a setting allows more, proper close_notify, a WebSocket over it; mail by STARTTLS with AUTH, never without.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	tls = require('node:tls'),
	https = require('node:https'),
	path = require('node:path'),
	{ spawn } = require('node:child_process');
const WebSocket = require('ws'),
	{ SMTPServer } = require('smtp-server');
const {
	Server,
	waitUntil,
	freePort,
	asUser,
	secret,
	VAR,
	selfSigned,
	writeSecret,
} = require('../lib/server.js');

const dir = path.join(VAR, 'tls' + process.pid),
	key = path.join(dir, 'key.pem'),
	cert = path.join(dir, 'cert.pem');
let s, smtp;
const mails = [],
	logins = [];
test.before(async () => {
	selfSigned(dir);
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
		http: { cert_file: cert, key_file: key, body_s: 2 },
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
/* Every answer in TEXT, by its status: the heads of a raw HTTP stream. */
const heads = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/g)].map((m) => [Number(m[1]), m[0]]);
/* Send BYTES over a connection of its own, and return what comes until it is closed, or until WANT answers have come. */
const raw = (bytes, want = 1) =>
	new Promise((ok, no) => {
		const c = tls.connect({ port: s.port, host: '127.0.0.1', ca: fs.readFileSync(cert) });
		let text = '';
		c.on('data', (d) => {
			text += d.toString('latin1');
			if (heads(text).length >= want) c.end();
		});
		c.on('error', (e) => (text ? ok(text) : no(e)));
		c.on('close', () => ok(text));
		for (const b of [bytes].flat()) c.write(b);
	});
test('every answer over TLS tells the browser to come back by TLS, whoever makes it', async (t) => {
	const doc = (await s.get('/openapi.json')).text,
		paths = JSON.parse(doc).paths,
		seen = {},
		check = (what, text) => {
			const all = heads(text).filter(([status]) => status !== 100);
			assert.ok(all.length, what + ' is answered: ' + text);
			for (const [status, head] of all) {
				assert.strictEqual(
					(head.match(/\r\nStrict-Transport-Security: max-age=31536000\r\n/g) || []).length,
					1,
					`${what}: ${head}`,
				);
				seen[status] = (seen[status] || 0) + 1;
			}
			return all.map(([status]) => status);
		},
		head = (line, ...more) => [line, 'Host: x', ...more, '', ''].join('\r\n'),
		close = 'Connection: close';
	/* every route, by every method, without a session */
	for (const [p, ops] of Object.entries(paths))
		for (const m of [...Object.keys(ops), 'delete', 'head', 'options'])
			check(
				`${m} ${p}`,
				await raw(
					head(
						`${m.toUpperCase()} ${p.replace(/\{.*?\}/g, '1')} HTTP/1.1`,
						close,
						...(m === 'get' || m === 'head' ? [] : ['Content-Length: 0']),
					),
				),
			);
	/* files and pages */
	const etag = (await s.get('/app.js')).headers.etag;
	for (const [status, ...more] of [
		[200],
		[304, 'If-None-Match: ' + etag],
		[206, 'Range: bytes=0-9'],
		[416, 'Range: bytes=99999999-'],
	])
		assert.deepStrictEqual(check('app.js', await raw(head('GET /app.js HTTP/1.1', close, ...more))), [status]);
	for (const p of ['/', '/docs', '/nothing', '/healthz', '/readyz', '/metrics', '/%zz', '/a%00'])
		check(p, await raw(head(`GET ${p} HTTP/1.1`, close)));
	/* what the parser refuses by itself */
	const login = 'POST /api/v1/auth/login HTTP/1.1',
		json = 'Content-Type: application/json';
	for (const [what, want, bytes] of [
		['garbage', 400, 'x\r\n\r\n'],
		['binary', 400, Buffer.from([1, 2, 3, 13, 10, 13, 10])],
		['no host', 400, 'GET / HTTP/1.1\r\n\r\n'],
		['two hosts', 400, head('GET / HTTP/1.1', 'Host: y')],
		['a folded line', 400, head('GET / HTTP/1.1', 'A: b', ' c')],
		['a bare LF', 400, 'GET / HTTP/1.1\nHost: x\n\n'],
		['NUL', 400, head('GET / HTTP/1.1', 'A: \0')],
		['two lengths', 400, head(login, 'Content-Length: 1', 'Content-Length: 2')],
		['length and chunks', 400, head(login, 'Content-Length: 1', 'Transfer-Encoding: chunked')],
		['a long head', 431, head('GET / HTTP/1.1', 'A: ' + 'x'.repeat(70000))],
		['a long address', [400, 414, 431], head(`GET /${'x'.repeat(20000)} HTTP/1.1`)],
		['HTTP/2.0', [400, 505], head('GET / HTTP/2.0')],
		['an unknown method', [400, 405, 501], head('BREW / HTTP/1.1', close)],
		['an unknown coding', [400, 501], head(login, 'Transfer-Encoding: gzip')],
		['a large body', 413, head(login, json, 'Content-Length: 999999999')],
		['a large chunk', [400, 408, 413], head(login, json, 'Transfer-Encoding: chunked') + 'fffffff\r\n'],
		['a broken chunk', 400, head(login, json, 'Transfer-Encoding: chunked') + 'zz\r\n'],
		['a slow body', 408, head(login, json, 'Content-Length: 100') + '{'],
		['pipelined', [200, 400], [head('GET /healthz HTTP/1.1') + head('GET /healthz HTTP/1.1') + 'x\r\n\r\n'], 3],
	]) {
		const got = check(what, await raw(bytes, what === 'pipelined' ? 3 : 1));
		for (const status of got) assert.ok([want].flat().includes(status), `${what}: ${got}`);
	}
	/* WebSocket */
	const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: ' + Buffer.alloc(16).toString('base64')];
	for (const [what, want, ...more] of [
		['accepted', 101, ...upgrade, 'Sec-WebSocket-Version: 13'],
		['with deflate', 101, ...upgrade, 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Extensions: permessage-deflate'],
		['another version', 400, ...upgrade, 'Sec-WebSocket-Version: 8'],
		['no key', 400, ...upgrade.slice(0, 2), 'Sec-WebSocket-Version: 13'],
		['another origin', 403, ...upgrade, 'Sec-WebSocket-Version: 13', 'Origin: https://evil.example'],
		['no upgrade', 426],
	])
		assert.deepStrictEqual(
			check('WebSocket: ' + what, await raw(head('GET /api/v1/live HTTP/1.1', ...more))),
			[want],
			what,
		);
	for (const status of [101, 200, 206, 304, 400, 401, 403, 404, 405, 408, 413, 416, 426, 431])
		assert.ok(seen[status], `no answer had ${status}: ${JSON.stringify(seen)}`);
	t.diagnostic(`${Object.values(seen).reduce((a, b) => a + b)} answers: ${JSON.stringify(seen)}`);
});
test('the cookie of a login that is under way is __Host-sdlogin', async () => {
	const admin = await s.login('admin', 'alpha'),
		r = await s.request('POST', '/api/v1/client/admin/identity-providers', {
			token: admin,
			body: {
				...{ kind: 'oauth2', name: 'x', client_id: 'x', client_secret: 'x'.repeat(20) },
				...{ authorization_endpoint: 'https://idp.example/a', token_endpoint: 'https://idp.example/t' },
				userinfo_endpoint: 'https://idp.example/u',
			},
		});
	assert.strictEqual(r.status, 201, r.text);
	const begin = await s.get(`/api/v1/auth/sso/start?tenant=alpha&provider=${r.data.provider_id}`);
	assert.strictEqual(begin.status, 302, begin.text);
	const cookies = begin.headers['set-cookie'];
	assert.strictEqual(cookies.length, 1);
	/* the prefix holds only with Secure, Path=/ and no Domain (RFC 6265bis, 4.1.3.2) */
	assert.match(cookies[0], /^__Host-sdlogin=[0-9a-f]{64}; /);
	for (const part of [/; *Secure(;|$)/i, /; *HttpOnly(;|$)/i, /; *Path=\/(;|$)/i, /; *SameSite=(Lax|None)(;|$)/i])
		assert.match(cookies[0], part);
	assert.doesNotMatch(cookies[0], /domain/i);
	/* the login that comes back is taken with that cookie, and with no other name of it */
	const state = new URL(begin.headers.location).searchParams.get('state'),
		back = (cookie) =>
			raw(
				[
					`GET ${new URL(r.data.redirect_uri).pathname}?code=x&state=${state} HTTP/1.1`,
					...['Host: x', 'Connection: close', ...(cookie ? ['Cookie: ' + cookie] : []), '', ''],
				].join('\r\n'),
			),
		value = cookies[0].match(/=([0-9a-f]{64})/)[1];
	for (const cookie of [
		undefined,
		'sd_login=' + value,
		'sdlogin=' + value,
		'__Host-sd_login=' + value,
		'__host-sdlogin=' + value,
		'__Host-sdlogin=' + '0'.repeat(64),
		'x=__Host-sdlogin=' + value,
	])
		assert.deepStrictEqual(heads(await back(cookie))[0][0], 400, String(cookie));
	/* idp.example does not answer, but it was asked */
	assert.deepStrictEqual(heads(await back('__Host-sdlogin=' + value))[0][0], 401);
	assert.deepStrictEqual(heads(await back('__Host-sdlogin=' + value))[0][0], 400, 'once');
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
	selfSigned(dir);
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
			await waitUntil(() => /outage of redis begins: its certificate is refused/.test(t.log) && why.test(t.log));
			assert.strictEqual(await t.metric('redis_up'), 0);
		}
		await t.drop();
	} finally {
		redis.kill('SIGKILL');
	}
});
