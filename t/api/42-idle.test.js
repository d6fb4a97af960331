// SPDX-License-Identifier: Apache-2.0
// The cost of an idle connection: 1,000 over TLS, each after one request.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	tls = require('node:tls');
const { Server, settled, VAR, selfSigned } = require('../lib/server.js');

const N = 1000,
	dir = path.join(VAR, 'idle' + process.pid);
let s;
test.before(async () => {
	const { key, cert } = selfSigned(dir);
	s = new Server('idle', {
		http: {
			...{ cert_file: cert, key_file: key, address_connections: 0 },
			...{ header_s: 300, idle_s: 3600 },
		},
	});
	await s.prepare();
	s.get = (p) => ask(p).then(({ c, text }) => (c.destroy(), { status: Number(text.slice(9, 12)) }));
	await s.start();
});
test.after(() => s.drop());

/* A connection that has asked for P and got the answer. */
const ask = (p) =>
	new Promise((ok, no) => {
		const c = tls.connect({ port: s.port, host: '127.0.0.1', rejectUnauthorized: false }, () =>
			c.write(`GET ${p} HTTP/1.1\r\nHost: x\r\n\r\n`),
		);
		let text = '';
		c.on('data', (d) => {
			text += d;
			if (text.includes('\r\n\r\n')) ok({ c, text });
		});
		c.on('error', no);
	});
const rss = () => Number(fs.readFileSync(`/proc/${s.proc.pid}/status`, 'utf8').match(/VmRSS:\s*(\d+)/)[1]);

const sanitized =
	process.env.BUILD_DIR.endsWith('build-asan') && "a sanitizer's own memory counts and never settles";
test('1,000 idle connections over TLS: at most 24 kB each', { skip: sanitized }, async () => {
	const open = [];
	open.push((await ask('/healthz')).c);
	const before = await settled(rss);
	while (open.length <= N)
		open.push(...(await Promise.all([...Array(50)].map(() => ask('/healthz')))).map((a) => a.c));
	const each = ((await settled(rss)) - before) / (open.length - 1);
	console.log(
		`# ${before} kB with 1 connection, ${each.toFixed(1)} kB for each of ${open.length - 1} more`,
	);
	open.forEach((c) => c.destroy());
	assert.ok(each <= 24, `${each.toFixed(1)} kB`);
});
