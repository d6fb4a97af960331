// SPDX-License-Identifier: Apache-2.0
// A pipe before an outside part, whose answers the test can delay: 'slow' (each piece 3 s later), 'hang' (none arrive), 'drip' (one byte every 50
// ms); 'away' closes each connection at once; 'good' passes everything on. A change back to 'good' cuts the connections, and with them what was held back.
'use strict';
const fs = require('node:fs'),
	net = require('node:net');

const SLOW_MS = 3000,
	DRIP_MS = 50;

/** { how, port, cut, close }: from a port of 127.0.0.1, or the socket file LISTEN, to TARGET ({ port } or { path }). */
async function pipe(target, listen) {
	const open = new Set();
	const p = { how: 'good', met: 0 };
	const answer = (client, piece) => {
		if (p.how === 'good') return client.write(piece);
		p.met++;
		if (p.how === 'slow')
			setTimeout(() => client.destroyed || client.write(piece), SLOW_MS).unref();
		if (p.how !== 'drip') return;
		client.queue = Buffer.concat([client.queue || Buffer.alloc(0), piece]);
		client.drip ??= setInterval(() => {
			if (client.destroyed || !client.queue.length) return;
			client.write(client.queue.subarray(0, 1));
			client.queue = client.queue.subarray(1);
		}, DRIP_MS).unref();
	};
	const server = net.createServer((client) => {
		if (p.how === 'away') {
			p.met++;
			return client.on('error', () => {}).destroy();
		}
		const part = net.connect(target);
		const end = () => {
			client.destroy();
			part.destroy();
			clearInterval(client.drip);
			open.delete(client);
		};
		open.add(client);
		client.end_all = end;
		client.on('data', (d) => part.write(d));
		part.on('data', (d) => answer(client, d));
		for (const c of [client, part]) c.on('error', end).on('close', end);
	});
	await new Promise((ok) => (listen ? server.listen(listen, ok) : server.listen(0, '127.0.0.1', ok)));
	if (listen) fs.chmodSync(listen, 0o777);
	server.unref();
	p.port = server.address().port;
	p.cut = () => [...open].forEach((c) => c.end_all());
	p.close = () => (p.cut(), new Promise((ok) => server.close(ok)));
	return p;
}

module.exports = { pipe };
