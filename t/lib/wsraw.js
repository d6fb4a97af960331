// SPDX-License-Identifier: Apache-2.0
// A WebSocket client that can break every rule: it writes the given frames in the given pieces, and records what comes back.
'use strict';
const net = require('node:net'),
	zlib = require('node:zlib');

const TEXT = 1,
	BINARY = 2,
	CONT = 0,
	CLOSE = 8,
	PING = 9,
	PONG = 10;

/** One masked frame. */
function frame(opcode, payload = '', { fin = true, rsv = 0 } = {}) {
	const p = Buffer.from(payload),
		n = p.length,
		head = n < 126 ? Buffer.alloc(6) : n < 65536 ? Buffer.alloc(8) : Buffer.alloc(14),
		mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
	head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
	head[1] = 0x80 | (n < 126 ? n : n < 65536 ? 126 : 127);
	if (n >= 65536) head.writeBigUInt64BE(BigInt(n), 2);
	else if (n >= 126) head.writeUInt16BE(n, 2);
	mask.copy(head, head.length - 4);
	const body = Buffer.allocUnsafe(n);
	for (let i = 0; i < n; i++) body[i] = p[i] ^ mask[i & 3];
	return Buffer.concat([head, body]);
}

/** A message split into fragments of SIZE bytes. */
function fragments(opcode, payload, size, rsv = 0) {
	const p = Buffer.from(payload),
		out = [];
	for (let at = 0; at < p.length || !out.length; at += size)
		out.push(
			frame(at ? CONT : opcode, p.subarray(at, at + size), {
				fin: at + size >= p.length,
				rsv: at ? 0 : rsv,
			}),
		);
	return out;
}

/** As RFC 7692 sends a message, without context takeover. */
const deflate = (p) =>
	zlib.deflateRawSync(Buffer.from(p), { finishFlush: zlib.constants.Z_SYNC_FLUSH }).subarray(0, -4);
const inflate = (p) =>
	zlib.inflateRawSync(Buffer.concat([p, Buffer.from([0, 0, 0xff, 0xff])]), {
		finishFlush: zlib.constants.Z_SYNC_FLUSH,
	});

class Raw {
	/** Connect and shake hands; EXTENSION asks for permessage-deflate. */
	static open(port, path, { extension } = {}) {
		return new Promise((ok, no) => {
			const r = new Raw();
			r.messages = []; /* { opcode, data } whole messages */
			r.pongs = [];
			r.close = null; /* the code of the close frame; 1005 if it had none */
			r.ended = false; /* the TCP connection has ended */
			r.wake = [];
			r.pending = Buffer.alloc(0);
			r.socket = net.connect(port, '127.0.0.1', () =>
				r.socket.write(
					`GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
						'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
						(extension
							? `Sec-WebSocket-Extensions: ${extension}\r\n`
							: '') +
						'\r\n',
				),
			);
			r.socket.setNoDelay(true);
			r.socket.on('error', no);
			r.socket.on('close', () => {
				r.ended = true;
				r.notify();
			});
			r.socket.on('data', (d) => {
				r.pending = r.pending.length ? Buffer.concat([r.pending, d]) : d;
				if (!r.head) {
					const at = r.pending.indexOf('\r\n\r\n');
					if (at < 0) return;
					r.head = r.pending.subarray(0, at).toString();
					r.pending = r.pending.subarray(at + 4);
					r.socket.off('error', no);
					r.socket.on('error', () => {});
					if (!r.head.startsWith('HTTP/1.1 101')) return no(new Error(r.head));
					ok(r);
				}
				r.parse();
				r.notify();
			});
		});
	}
	notify() {
		for (const w of this.wake.splice(0)) w();
	}
	parse() {
		for (;;) {
			const b = this.pending;
			if (b.length < 2) return;
			let n = b[1] & 127,
				at = 2;
			if (n === 126) {
				if (b.length < 4) return;
				n = b.readUInt16BE(2);
				at = 4;
			} else if (n === 127) {
				if (b.length < 10) return;
				n = Number(b.readBigUInt64BE(2));
				at = 10;
			}
			if (b.length < at + n) return;
			this.take(b[0], b.subarray(at, at + n));
			this.pending = b.subarray(at + n);
		}
	}
	take(first, data) {
		const opcode = first & 15;
		if (opcode === CLOSE) this.close = data.length ? data.readUInt16BE(0) : 1005;
		else if (opcode === PONG) this.pongs.push(Buffer.from(data));
		else this.messages.push({ opcode, data: first & 0x40 ? inflate(data) : Buffer.from(data) });
	}
	/** Write BYTES in pieces of SIZE, each in its own packet, no faster than they are
	 * taken. */
	async write(bytes, size = Infinity) {
		for (let at = 0; at < bytes.length && !this.ended; at += size) {
			const taken = this.socket.write(bytes.subarray(at, at + size));
			if (!taken)
				await Promise.race(
					['drain', 'close'].map(
						(e) => new Promise((r) => this.socket.once(e, r)),
					),
				);
			else if (size !== Infinity) await new Promise(setImmediate);
		}
	}
	/** Wait until WHAT holds or MS have passed; true when it holds. */
	async until(what, ms = 20000) {
		const end = Date.now() + ms;
		while (!what()) {
			const left = end - Date.now();
			if (left <= 0) return false;
			await new Promise((r) => {
				const t = setTimeout(r, left);
				this.wake.push(() => {
					clearTimeout(t);
					r();
				});
			});
		}
		return true;
	}
	destroy() {
		this.socket.destroy();
	}
}
module.exports = { Raw, frame, fragments, deflate, TEXT, BINARY, CONT, CLOSE, PING, PONG };
