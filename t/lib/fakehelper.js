// SPDX-License-Identifier: Apache-2.0
// A helper program of ours (include/work/wire.h) that answers "ok" to every job, as the file 'how' beside it says: good, slow, hang, drip.
'use strict';
const fs = require('node:fs'),
	net = require('node:net'),
	path = require('node:path');

const VERSION = 3,
	READY = 1,
	HEAD = 16;
function frame(kind, job, text) {
	const b = Buffer.alloc(HEAD);
	b.writeUInt32LE(text.length, 0);
	b.writeUInt16LE(VERSION, 4);
	b.writeUInt16LE(kind, 6);
	b.writeBigUInt64LE(job, 8);
	return Buffer.concat([b, Buffer.from(text)]);
}
const daemon = new net.Socket({ fd: 0 });
daemon.write(frame(READY, 0n, ''));
daemon.on('data', (d) => {
	const out = frame(d.readUInt16LE(6), d.readBigUInt64LE(8), 'ok'),
		how = fs.readFileSync(path.join(__dirname, 'how'), 'utf8');
	let sent = 0;
	if (how === 'good') daemon.write(out);
	if (how === 'slow') setTimeout(() => daemon.write(out), 3000);
	if (how === 'drip')
		setInterval(() => sent < out.length && daemon.write(out.subarray(sent, ++sent)), 250);
});
daemon.on('close', () => process.exit());
