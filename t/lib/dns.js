// SPDX-License-Identifier: Apache-2.0
// A name server for the daemon (test.nameserver): maps names to lists of IPv4 addresses, in this order. Other names do not exist.
'use strict';
const dgram = require('node:dgram');

const HEADER = 12;
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
		addresses = known && q.type === 1 ? known : [],
		head = Buffer.from(
			packet.subarray(0, q.end),
		); /* the question as it was asked, with the same letter case */
	head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
	head.writeUInt16BE(1, 4);
	head.writeUInt16BE(addresses.length, 6);
	head.writeUInt32BE(0, 8);
	const records = addresses.map((a) =>
		Buffer.from([0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...a.split('.').map(Number)]),
	);
	return Buffer.concat([head, ...records]);
}
/** { address, names, asked, close }: names can be changed while it runs; asked lists the names
 * that were asked for. */
async function nameServer(names) {
	const socket = dgram.createSocket('udp4'),
		asked = [];
	socket.on('message', (packet, from) => {
		asked.push(question(packet).name);
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
