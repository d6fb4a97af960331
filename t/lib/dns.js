// SPDX-License-Identifier: Apache-2.0
// A name server for the daemon (test.nameserver): maps names to lists of IPv4 addresses, in this order, or
// to { txt: [texts], silent: true }. Other names do not exist.
'use strict';
const dgram = require('node:dgram');

const HEADER = 12;
const A = 1,
	TXT = 16;
const address = (a) => Buffer.from(a.split('.').map(Number));
/* in pieces of 255 bytes */
function text(t) {
	const bytes = Buffer.from(t),
		pieces = [];
	for (let i = 0; i < bytes.length || !i; i += 255) {
		const piece = bytes.subarray(i, i + 255);
		pieces.push(Buffer.from([piece.length]), piece);
	}
	return Buffer.concat(pieces);
}
/* the name in the first question, and where it ends */
function question(packet) {
	const labels = [];
	let at = HEADER;
	while (packet[at]) {
		labels.push(packet.toString('latin1', at + 1, at + 1 + packet[at]));
		at += packet[at] + 1;
	}
	return { name: labels.join('.').toLowerCase(), type: packet.readUInt16BE(at + 1), end: at + 5 };
}
function answer(packet, names) {
	const q = question(packet),
		known = names[q.name],
		type = known && known.txt ? TXT : A,
		data =
			known && q.type === type
				? (known.txt || known).map(type === TXT ? text : address)
				: [],
		head = Buffer.from(
			packet.subarray(0, q.end),
		); /* the question as it was asked, with the same letter case */
	head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
	head.writeUInt16BE(1, 4);
	head.writeUInt16BE(data.length, 6);
	head.writeUInt32BE(0, 8);
	const records = data.map((d) =>
		Buffer.concat([
			Buffer.from([0xc0, HEADER, 0, type, 0, 1, 0, 0, 0, 0, d.length >> 8, d.length & 255]),
			d,
		]),
	);
	return Buffer.concat([head, ...records]);
}
/** { address, names, asked, close }: names can be changed while it runs; asked lists the names
 * that were asked for. */
async function nameServer(names) {
	const socket = dgram.createSocket('udp4'),
		asked = [];
	socket.on('message', (packet, from) => {
		const { name } = question(packet);
		asked.push(name);
		if (!names[name] || !names[name].silent)
			socket.send(answer(packet, names), from.port, from.address);
	});
	await new Promise((ok) => socket.bind(0, '127.0.0.1', ok));
	socket.unref();
	return {
		address: '127.0.0.1:' + socket.address().port,
		names,
		asked,
		close: () => new Promise((ok) => socket.close(ok)),
	};
}

module.exports = { nameServer };
