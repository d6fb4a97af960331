// SPDX-License-Identifier: Apache-2.0
// WebSocket conformance (RFC 6455, RFC 7692) with the echo route, case by case as numbered in the public Autobahn suite: framing, pings,
// reserved bits, opcodes, fragments, UTF-8, closing, limits, compression. The tests send bytes and state what must come back.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js');
const { Raw, frame, fragments, deflate, TEXT, BINARY, CONT, CLOSE, PING, PONG } = require('../lib/wsraw.js');

const LONG = !!process.env.SLADESK_LONG;
let s,
	passed = 0;
test.before(async () => {
	s = await Server.make('websocket');
});
test.after(async () => {
	console.log(`# ${passed} cases`);
	await s.drop();
});
const bytesOf = (n, code) => Buffer.alloc(n, code);
const closing = (code, reason = '') =>
	frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

/** Send FRAMES (in packets of CHOP bytes). Expect, in order, the messages ECHO, the pongs, and a
 * connection that fails with the code FAIL. Without FAIL the connection must still work: it is
 * closed with 1000 and answers so. */
async function run(name, frames, { echo = [], pongs = [], fail, chop, extension } = {}) {
	const w = await Raw.open(s.port, '/test/echo', { extension });
	try {
		for (const f of frames) await w.write(f, chop);
		if (fail === undefined) {
			assert.ok(
				await w.until(
					() =>
						(w.messages.length >= echo.length &&
							w.pongs.length >= pongs.length) ||
						w.ended,
				),
				`${name}: ${w.messages.length} of ${echo.length} messages, ${w.pongs.length} of ${pongs.length} pongs`,
			);
			await w.write(closing(1000));
		}
		assert.ok(await w.until(() => w.ended), name + ': not closed');
		assert.strictEqual(w.close, fail === undefined ? 1000 : fail, name + ': close code');
		assert.strictEqual(w.messages.length, echo.length, name + ': messages');
		echo.forEach((e, i) => {
			assert.strictEqual(w.messages[i].opcode, e[0], name + ': opcode');
			assert.ok(w.messages[i].data.equals(Buffer.from(e[1])), name + ': payload');
		});
		assert.deepStrictEqual(
			w.pongs.map((p) => p.toString('latin1')),
			pongs.map((p) => Buffer.from(p).toString('latin1')),
			name + ': pongs',
		);
		passed++;
	} finally {
		w.destroy();
	}
}

test('1: framing, every length form', async () => {
	for (const [part, opcode, fill] of [
		[1, TEXT, 0x2a],
		[2, BINARY, 0xfe],
	]) {
		for (const [i, n] of [0, 125, 126, 127, 128, 65535, 65536].entries())
			await run(`1.${part}.${i + 1}`, [frame(opcode, bytesOf(n, fill))], {
				echo: [[opcode, bytesOf(n, fill)]],
			});
		await run(`1.${part}.8`, [frame(opcode, bytesOf(65536, fill))], {
			echo: [[opcode, bytesOf(65536, fill)]],
			chop: 997,
		});
	}
});
test('2: pings and pongs', async () => {
	const odd = Buffer.from([0, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0, 0xff]),
		full = bytesOf(125, 0xfe);
	await run('2.1', [frame(PING)], { pongs: [''] });
	await run('2.2', [frame(PING, 'Hello, world!')], { pongs: ['Hello, world!'] });
	await run('2.3', [frame(PING, odd)], { pongs: [odd] });
	await run('2.4', [frame(PING, full)], { pongs: [full] });
	await run('2.5', [frame(PING, bytesOf(126, 0xfe))], { fail: 1002 });
	await run('2.6', [frame(PING, full)], { pongs: [full], chop: 1 });
	await run('2.7', [frame(PONG)]);
	await run('2.8', [frame(PONG, 'unsolicited pong payload')]);
	await run('2.9', [frame(PONG, 'unsolicited'), frame(PING, 'ping')], { pongs: ['ping'] });
	const ten = [...Array(10)].map((_, i) => 'payload-' + i);
	await run(
		'2.10',
		ten.map((p) => frame(PING, p)),
		{ pongs: ten },
	);
	await run(
		'2.11',
		ten.map((p) => frame(PING, p)),
		{ pongs: ten, chop: 1 },
	);
});
test('3: reserved bits without an extension', async () => {
	const hello = 'Hello, world!',
		first = frame(TEXT, hello);
	await run('3.1', [frame(TEXT, hello, { rsv: 1 })], { fail: 1002 });
	for (const [i, rsv, chop] of [
		[2, 2, undefined],
		[3, 3, undefined],
		[4, 4, 1],
	])
		await run(`3.${i}`, [first, frame(TEXT, hello, { rsv }), frame(PING)], {
			echo: [[TEXT, hello]],
			fail: 1002,
			chop,
		});
	await run('3.5', [frame(BINARY, bytesOf(8, 0xff), { rsv: 5 })], { fail: 1002 });
	await run('3.6', [frame(PING, hello, { rsv: 6 })], { fail: 1002 });
	await run('3.7', [frame(CLOSE, '', { rsv: 7 })], { fail: 1002 });
});
test('4: opcodes nobody has defined', async () => {
	for (const [part, codes] of [
		[1, [3, 4, 5, 6, 7]],
		[2, [11, 12, 13, 14, 15]],
	])
		for (const [i, opcode] of codes.entries()) {
			const bad = frame(opcode, i ? 'reserved' : '');
			await run(
				`4.${part}.${i + 1}`,
				i < 2 ? [bad] : [frame(TEXT, 'hi'), bad, frame(PING)],
				{
					echo: i < 2 ? [] : [[TEXT, 'hi']],
					fail: 1002,
					chop: i === 4 ? 1 : undefined,
				},
			);
		}
});
test('5: fragments', async () => {
	const more = { fin: false },
		two = [frame(TEXT, 'fragment1', more), frame(CONT, 'fragment2')],
		whole = [[TEXT, 'fragment1fragment2']];
	await run('5.1', [frame(PING, 'fragment1', more), frame(CONT, 'fragment2')], { fail: 1002 });
	await run('5.2', [frame(PONG, 'fragment1', more), frame(CONT, 'fragment2')], { fail: 1002 });
	for (const [name, chop] of [['5.3'], ['5.4', 15], ['5.5', 1]])
		await run(name, two, { echo: whole, chop });
	for (const [name, chop] of [['5.6'], ['5.7', 15], ['5.8', 1]])
		await run(name, [two[0], frame(PING, 'ping'), two[1]], {
			echo: whole,
			pongs: ['ping'],
			chop,
		});
	for (const [base, fin] of [
		[9, true],
		[12, false],
	])
		for (const [i, chop] of [undefined, 15, 1].entries())
			await run(`5.${base + i}`, [frame(CONT, 'nothing', { fin }), frame(TEXT, 'Hello')], {
				fail: 1002,
				chop,
			});
	await run('5.15', [...two, frame(CONT, 'fragment3', more), frame(TEXT, 'fragment4')], {
		echo: whole,
		fail: 1002,
	});
	for (const [name, fin] of [
		['5.16', false],
		['5.17', true],
	])
		await run(
			name,
			[
				frame(CONT, 'fragment1', { fin }),
				frame(TEXT, 'fragment2', more),
				frame(CONT, 'fragment3'),
			],
			{
				fail: 1002,
			},
		);
	await run('5.18', [two[0], frame(TEXT, 'fragment2')], { fail: 1002 });
	const five = [
		frame(TEXT, 'fragment1', more),
		frame(CONT, 'fragment2', more),
		frame(PING, 'pongme 1'),
		frame(CONT, 'fragment3', more),
		frame(CONT, 'fragment4', more),
		frame(PING, 'pongme 2'),
		frame(CONT, 'fragment5'),
	];
	for (const [name, chop] of [['5.19'], ['5.20', 1]])
		await run(name, five, {
			echo: [[TEXT, 'fragment1fragment2fragment3fragment4fragment5']],
			pongs: ['pongme 1', 'pongme 2'],
			chop,
		});
});

const hex = (h) => Buffer.from(h.replace(/ /g, ''), 'hex');
const KOSME = 'κόσμε';
/* Valid and invalid byte sequences from Markus Kuhn's "UTF-8 decoder capability and stress test",
 * grouped as in the suite. */
const SEQUENCES = {
	6.5: [
		['cebae1bdb9cf83cebcceb5', 1],
		['cebae1bdb9cf83cebcceb5eda080656469746564', 0],
		['cebae1bdb9cf83cebcceb5f4908080656469746564', 0],
		['cebae1bdb9cf83cebcceb5c0af656469746564', 0],
		['cebae1bdb9cf83cebcceb5ff656469746564', 0],
	],
	6.6: [
		'ce',
		'ceba',
		'cebae1',
		'cebae1bd',
		'cebae1bdb9',
		'cebae1bdb9cf',
		'cebae1bdb9cf83',
		'cebae1bdb9cf83ce',
		'cebae1bdb9cf83cebc',
		'cebae1bdb9cf83cebcce',
		'cebae1bdb9cf83cebcceb5',
	].map((h, i) => [h, [1, 4, 6, 8, 10].includes(i) ? 1 : 0]),
	6.7: [
		['00', 1],
		['c280', 1],
		['e0a080', 1],
		['f0908080', 1],
	],
	6.8: [
		['f888808080', 0],
		['fc8480808080', 0],
	],
	6.9: [
		['7f', 1],
		['dfbf', 1],
		['efbfbf', 1],
		['f48fbfbf', 1],
	],
	'6.10': [
		['f7bfbfbf', 0],
		['fbbfbfbfbf', 0],
		['fdbfbfbfbfbf', 0],
	],
	6.11: [
		['ed9fbf', 1],
		['ee8080', 1],
		['efbfbd', 1],
		['f48fbfbf', 1],
		['f4908080', 0],
	],
	6.12: [
		'80',
		'bf',
		'80bf',
		'80bf80',
		'80bf80bf',
		'80bf80bf80',
		'80bf80bf80bf',
		'808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf',
	].map((h) => [h, 0]),
	6.13: [
		[[...Array(32)].map((_, i) => (0xc0 + i).toString(16) + '20').join(''), 0],
		[[...Array(16)].map((_, i) => (0xe0 + i).toString(16) + '20').join(''), 0],
		[[...Array(8)].map((_, i) => (0xf0 + i).toString(16) + '20').join(''), 0],
		['f820f920fa20fb20', 0],
		['fc20fd20', 0],
	],
	6.14: [
		'c0',
		'e080',
		'f08080',
		'f8808080',
		'fc80808080',
		'df',
		'efbf',
		'f7bfbf',
		'fbbfbfbf',
		'fdbfbfbfbf',
	].map((h) => [h, 0]),
	6.15: [['c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf', 0]],
	6.16: ['fe', 'ff', 'fefeffff'].map((h) => [h, 0]),
	6.17: ['c0af', 'e080af', 'f08080af', 'f8808080af', 'fc80808080af'].map((h) => [h, 0]),
	6.18: ['c1bf', 'e09fbf', 'f08fbfbf', 'f887bfbfbf', 'fc83bfbfbfbf'].map((h) => [h, 0]),
	6.19: ['c080', 'e08080', 'f0808080', 'f880808080', 'fc8080808080'].map((h) => [h, 0]),
	'6.20': ['eda080', 'edadbf', 'edae80', 'edafbf', 'edb080', 'edbe80', 'edbfbf'].map((h) => [h, 0]),
	6.21: [
		'eda080edb080',
		'eda080edbfbf',
		'edadbfedb080',
		'edadbfedbfbf',
		'edae80edb080',
		'edae80edbfbf',
		'edafbfedb080',
		'edafbfedbfbf',
	].map((h) => [h, 0]),
	6.22: [
		'efbfbe',
		'efbfbf',
		...[...Array(16)].flatMap((_, i) =>
			['fffe', 'ffff'].map((low) =>
				Buffer.from(
					String.fromCodePoint(((i + 1) << 16) | parseInt(low, 16)),
				).toString('hex'),
			),
		),
	].map((h) => [h, 1]),
	6.23: ['efbfb9', 'efbfba', 'efbfbb', 'efbfbc', 'efbfbd', 'efbfbe', 'efbfbf'].map((h) => [h, 1]),
};
test('6: UTF-8', async () => {
	const more = { fin: false },
		valid = 'Hello-µ@ßöäüàá-UTF-8!!',
		invalid = hex('cebae1bdb9cf83cebcceb5eda080656469746564');
	await run('6.1.1', [frame(TEXT)], { echo: [[TEXT, '']] });
	await run('6.1.2', [frame(TEXT, '', more), frame(CONT, '', more), frame(CONT)], {
		echo: [[TEXT, '']],
	});
	await run('6.1.3', [frame(TEXT, '', more), frame(CONT, 'middle frame payload', more), frame(CONT)], {
		echo: [[TEXT, 'middle frame payload']],
	});
	await run('6.2.1', [frame(TEXT, valid)], { echo: [[TEXT, valid]] });
	await run('6.2.2', [frame(TEXT, valid.slice(0, 12), more), frame(CONT, valid.slice(12))], {
		echo: [[TEXT, valid]],
	});
	await run('6.2.3', fragments(TEXT, valid, 1), { echo: [[TEXT, valid]] });
	await run('6.2.4', fragments(TEXT, KOSME, 1), { echo: [[TEXT, KOSME]] });
	await run('6.3.1', [frame(TEXT, invalid)], { fail: 1007 });
	await run('6.3.2', fragments(TEXT, invalid, 1), { fail: 1007 });
	/* fails as soon as the fragment that breaks the rules has arrived: the third is never
	 * sent */
	await run('6.4.1', [frame(TEXT, KOSME, more), frame(CONT, hex('f4908080'), more)], { fail: 1007 });
	await run(
		'6.4.2',
		[
			frame(TEXT, Buffer.concat([Buffer.from(KOSME), hex('f4')]), more),
			frame(CONT, hex('90'), more),
		],
		{
			fail: 1007,
		},
	);
	for (const [part, list] of Object.entries(SEQUENCES))
		for (const [i, [h, good]] of list.entries())
			await run(
				`${part}.${i + 1}`,
				[frame(TEXT, hex(h))],
				good ? { echo: [[TEXT, hex(h)]] } : { fail: 1007 },
			);
});
test('7: closing', async () => {
	const hello = frame(TEXT, 'Hello World!'),
		ok = closing(1000);
	await run('7.1.1', [hello, ok], { echo: [[TEXT, 'Hello World!']], fail: 1000 });
	await run('7.1.2', [ok, ok], { fail: 1000 });
	await run('7.1.3', [ok, frame(PING)], { fail: 1000 });
	await run('7.1.4', [ok, hello], { fail: 1000 });
	await run('7.1.5', [frame(TEXT, 'fragment1', { fin: false }), ok, frame(CONT, 'fragment2')], {
		fail: 1000,
	});
	await run('7.1.6', [frame(TEXT, bytesOf(262144, 0x42)), hello, ok, frame(PING)], {
		echo: [
			[TEXT, bytesOf(262144, 0x42)],
			[TEXT, 'Hello World!'],
		],
		fail: 1000,
	});
	await run('7.3.1', [frame(CLOSE)], { fail: 1005 });
	await run('7.3.2', [frame(CLOSE, 'a')], { fail: 1002 });
	await run('7.3.3', [closing(1000)], { fail: 1000 });
	await run('7.3.4', [closing(1000, 'Hello World!')], { fail: 1000 });
	await run('7.3.5', [closing(1000, '*'.repeat(123))], { fail: 1000 });
	await run('7.3.6', [closing(1000, '*'.repeat(124))], { fail: 1002 });
	await run(
		'7.5.1',
		[
			frame(
				CLOSE,
				Buffer.concat([
					Buffer.from([3, 232]),
					hex('cebae1bdb9cf83cebcceb5eda080656469746564'),
				]),
			),
		],
		{
			fail: 1007,
		},
	);
	for (const [i, code] of [
		1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
	].entries())
		await run(`7.7.${i + 1}`, [closing(code)], { fail: code });
	for (const [i, code] of [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].entries())
		await run(`7.9.${i + 1}`, [closing(code)], { fail: 1002 });
	for (const [i, code] of [5000, 65535].entries())
		await run(`7.13.${i + 1}`, [closing(code)], { fail: 1002 });
});
test('9: limits: large messages, many fragments, small packets, many messages', async () => {
	const M = 1 << 20,
		sizes = LONG ? [65536, 262144, M, 4 * M, 8 * M, 16 * M] : [65536, 262144, M, 4 * M];
	for (const [part, opcode] of [
		[1, TEXT],
		[2, BINARY],
	])
		for (const [i, n] of sizes.entries()) {
			const p = bytesOf(n, 0x2a);
			await run(`9.${part}.${i + 1}`, [frame(opcode, p)], { echo: [[opcode, p]] });
		}
	const four = bytesOf(LONG ? 4 * M : M, 0x2a);
	for (const [part, opcode] of [
		[3, TEXT],
		[4, BINARY],
	])
		for (const [i, size] of [64, 256, 1024, 4096, 16384, 65536, 262144, M, 4 * M].entries())
			await run(`9.${part}.${i + 1}`, [Buffer.concat(fragments(opcode, four, size))], {
				echo: [[opcode, four]],
			});
	const one = bytesOf(LONG ? M : 131072, 0x2a);
	for (const [part, opcode] of [
		[5, TEXT],
		[6, BINARY],
	])
		for (const [i, chop] of [64, 128, 256, 512, 1024, 2048].entries())
			await run(`9.${part}.${i + 1}`, [frame(opcode, one)], {
				echo: [[opcode, one]],
				chop,
			});
	for (const [part, opcode] of [
		[7, TEXT],
		[8, BINARY],
	])
		for (const [i, n] of [0, 16, 64, 256, 1024, 4096].entries()) {
			const many = [...Array(1000)].map(() => bytesOf(n, 0x2a));
			await run(`9.${part}.${i + 1}`, [Buffer.concat(many.map((p) => frame(opcode, p)))], {
				echo: many.map((p) => [opcode, p]),
			});
		}
	await run('10.1.1', fragments(TEXT, bytesOf(65536, 0x2a), 1300), {
		echo: [[TEXT, bytesOf(65536, 0x2a)]],
	});
});
test('12, 13: compression, every offer and size, whole and in fragments; what breaks its rules closes', async () => {
	const offers = [
		'permessage-deflate',
		'permessage-deflate; client_no_context_takeover',
		'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
		'permessage-deflate; client_max_window_bits',
		'permessage-deflate; client_max_window_bits=9, permessage-deflate',
		'permessage-deflate; server_max_window_bits=9, permessage-deflate; client_max_window_bits',
		'permessage-deflate; unknown_parameter, permessage-deflate',
	];
	const json = JSON.stringify(
		[...Array(2000)].map((_, i) => ({
			id: i,
			title: '数据库连接超时 ' + i,
			priority: 'P' + (i % 5),
		})),
	);
	for (const [o, extension] of offers.entries()) {
		const w = await Raw.open(s.port, '/test/echo', { extension });
		w.destroy();
		assert.match(w.head, /permessage-deflate/i, extension);
		assert.match(w.head, /server_no_context_takeover/, 'no context is kept for a client');
		for (const [i, n] of [16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072].entries()) {
			const text = Buffer.from(json).subarray(0, n),
				p = Buffer.from(text.toString('utf8').replace(/\ufffd+$/, '')),
				many = [...Array(LONG ? 1000 : 20)].map(() => p);
			await run(
				`${o < 1 ? 12 : 13}.${o + 1}.${i + 1}`,
				[Buffer.concat(many.map((x) => frame(TEXT, deflate(x), { rsv: 4 })))],
				{
					echo: many.map((x) => [TEXT, x]),
					extension,
				},
			);
			await run(`13.${o + 1}.${i + 11}`, fragments(BINARY, deflate(p), 256, 4), {
				echo: [[BINARY, p]],
				extension,
			});
		}
	}
	const extension = offers[0];
	await run(
		'deflate: plain beside deflated',
		[frame(TEXT, 'plain'), frame(TEXT, deflate('deflated'), { rsv: 4 })],
		{
			echo: [
				[TEXT, 'plain'],
				[TEXT, 'deflated'],
			],
			extension,
		},
	);
	await run('deflate: bad UTF-8 inside', [frame(TEXT, deflate(hex('ff')), { rsv: 4 })], {
		fail: 1007,
		extension,
	});
	await run('deflate: rubbish', [frame(TEXT, bytesOf(20, 0xff), { rsv: 4 })], {
		fail: 1007,
		extension,
	});
	await run('deflate: a bomb', [frame(TEXT, deflate(bytesOf(64 << 20, 0x2a)), { rsv: 4 })], {
		fail: 1009,
		extension,
	});
	await run(
		'deflate: RSV1 on a continuation',
		[
			frame(TEXT, deflate('ab').subarray(0, 2), { fin: false, rsv: 4 }),
			frame(CONT, deflate('ab').subarray(2), { rsv: 4 }),
		],
		{ fail: 1002, extension },
	);
	await run('deflate: RSV1 on a ping', [frame(PING, 'x', { rsv: 4 })], { fail: 1002, extension });
});
