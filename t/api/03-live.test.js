// SPDX-License-Identifier: Apache-2.0
// Clocks fire and people are notified by mail, webhook, Redis and WebSocket, with a clock that runs sixty times as fast.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto'),
	{ execFileSync, spawn } = require('node:child_process');
const WebSocket = require('ws');
const { Server, waitUntil, mailSink, hookSink, SOCK, secret, exchange } = require('../lib/server.js');

let s, mail, hook, user, eng, boss;
test.before(async () => {
	mail = await mailSink();
	hook = await hookSink();
	s = new Server('live', {
		http: { user_connections: 200 } /* one user's burst */,
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '60' },
	});
	await s.prepare();
	s.cli(['webhook', 'add', '--tenant', 'alpha', '--url', hook.url], 'webhook-secret-0001\n');
	await s.start();
	[user, eng, boss] = await Promise.all([s.login('user', 'alpha'), s.login('eng1'), s.login('boss')]);
});
test.after(async () => {
	await s.drop();
	await mail.close();
	await hook.close();
});

/* Every priority in what is sent has its name beside it, in one language: the places where it does
 * not. */
const LABELS = {
	zh: ['紧急', '高', '中', '低', '一般'],
	en: ['critical', 'high', 'medium', 'low', 'general'],
};
let labels = 0;
function unlabelled(x, lang, at = '') {
	if (!x || typeof x !== 'object') return [];
	const bad = Object.entries(x).flatMap(([k, v]) => unlabelled(v, lang, `${at}.${k}`));
	if (!/^P[0-4]$/.test(x.priority)) return bad;
	labels++;
	return x.priority_label === LABELS[lang][x.priority[1]]
		? bad
		: [...bad, `${at}: ${x.priority} is ${x.priority_label}`];
}
function feed(token, since) {
	const ws = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`),
		f = { ws, all: [], events: [], closed: null };
	ws.on('open', () => ws.send(JSON.stringify({ op: 'auth', token })));
	ws.on('message', (m) => {
		const e = JSON.parse(m);
		f.all.push(e);
		if (e.op === 'welcome')
			ws.send(
				JSON.stringify({
					op: 'subscribe',
					topics: ['tickets', 'alerts'],
					...(since ? { since } : {}),
				}),
			);
		if (e.op === 'event') f.events.push(e);
		if (e.op === 'snapshot' || e.op === 'resumed') f.ready = true;
	});
	ws.on('close', (code) => {
		f.closed = code;
	});
	ws.on('error', () => {});
	return waitUntil(() => f.ready || f.closed).then(() => f);
}

test('a P0 passes 80, 90, 95 and 100 %: fired once each, seen live, mailed, posted, published', async () => {
	const f = await feed(user),
		staff = await feed(eng);
	const redis = spawn('redis-cli', [
		'-s',
		SOCK + '/redis',
		'--no-auth-warning',
		'-a',
		secret,
		'psubscribe',
		`sladesk.v1.events.${s.alpha}`,
	]);
	let published = '';
	redis.stdout.on('data', (d) => {
		published += d;
	});
	await waitUntil(() => published.includes('psubscribe'));
	const began = Date.now(),
		k = (
			await s.post('/api/v1/tickets', user, {
				title: '<b>数据库</b>宕机\r\nX: y',
				description: 'all down',
			})
		).data;
	assert.strictEqual(k.priority, 'P0');
	const of = (x) =>
		x.events
			.filter(
				(e) =>
					e.ticket_id === k.id &&
					e.type.startsWith('sla.') &&
					e.data.clock === 'response',
			)
			.map((e) => e.data.threshold);
	await waitUntil(() => of(staff).includes('100'), 30000);
	assert.deepStrictEqual(of(staff), ['80', '90', '95', '100']);
	assert.deepStrictEqual(of(f), ['100'], 'the customer is told only of the breach');
	assert.ok(Date.now() - began >= 14900, 'never early');
	const rows = s
		.sql(
			`select threshold || ' ' || alerted || ' ' || (lag_ms < 60000) from sla_fires where ticket_id = ${k.id} and clock = 'response' order by due_at`,
		)
		.split('\n');
	assert.deepStrictEqual(rows, ['80 true true', '90 true true', '95 true true', '100 true true']);
	await waitUntil(() =>
		mail.mails.some(
			(m) => m.subject.includes('SLA breach') && m.to[0] === 'boss@provider.example',
		),
	);
	const to = (who, what) =>
		mail.mails.filter(
			(m) => m.to[0] === who && m.subject.includes(what) && m.subject.includes(k.number),
		).length;
	assert.strictEqual(to('user@alpha.example', '已收到您的工单'), 1);
	assert.strictEqual(
		to('eng1@provider.example', 'CRITICAL'),
		1,
		'a guess pages on-call, once',
	);
	assert.strictEqual(to('boss@provider.example', 'CRITICAL'), 1, 'the others when nobody confirms within 5 minutes');
	assert.strictEqual(to('eng1@provider.example', 'SLA 80%'), 1);
	assert.strictEqual(to('eng2@provider.example', 'SLA 90%'), 1, 'the next level');
	assert.strictEqual(to('boss@provider.example', 'SLA 95%'), 1);
	assert.strictEqual(to('admin@alpha.example', '服务时限未达成'), 1, "the customer's contacts");
	assert.ok(
		mail.mails.every((m) => !/^X: y/m.test(m.raw)),
		'a title cannot add a header',
	);
	await waitUntil(() =>
		hook.calls.some(
			(c) =>
				JSON.parse(c.body).type === 'sla.threshold' &&
				JSON.parse(c.body).data.threshold === '100',
		),
	);
	for (const c of hook.calls) {
		const [, t, v1] = c.headers['sladesk-signature'].match(/^t=(\d+),v1=([0-9a-f]{64})$/);
		assert.strictEqual(
			v1,
			crypto
				.createHmac('sha256', 'webhook-secret-0001')
				.update(t + '.' + c.body)
				.digest('hex'),
		);
		assert.strictEqual(JSON.parse(c.body).tenant_id, s.alpha);
	}
	assert.strictEqual(
		new Set(hook.calls.map((c) => c.headers['sladesk-delivery'])).size,
		hook.calls.length,
		'none twice',
	);
	await waitUntil(
		() => published.includes('"threshold": "100"') || published.includes('"threshold":"100"'),
	);
	assert.ok(!published.includes('数据库'), 'ids and digests, no texts');
	redis.kill();
	for (const [what, sent, lang] of [
		["the customer's feed", f.events, 'zh'],
		["the engineer's feed", staff.events, 'en'],
		['webhooks', hook.calls.map((c) => JSON.parse(c.body)), 'zh'],
		['Redis', published.match(/^\{.*\}$/gm).map((t) => JSON.parse(t)), 'en'],
	]) {
		labels = 0;
		assert.deepStrictEqual(unlabelled(sent, lang, what), []);
		assert.ok(labels >= 2, `${what}: ${labels}`);
	}
	f.ws.close();
	staff.ws.close();
	await waitUntil(() => s.sql("select count(*) from notifications where state = 'queued'") === '0');
	assert.strictEqual(s.sql("select count(*) from notifications where state = 'dead'"), '0');
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('ladder, update periods, unconfirmed P0: the ticket climbs', async () => {
	const k = (await s.post('/api/v1/tickets', user, { title: 'outage', description: 'x' })).data;
	await s.post(`/api/v1/tickets/${k.id}/reply`, eng, { text: 'on it' });
	await waitUntil(
		() =>
			s.sql(
				`select count(*) from events where ticket_id = ${k.id} and type = 'ticket.p0_unconfirmed'`,
			) === '1',
		20000,
	);
	await waitUntil(() => Number(s.sql(`select level from tickets where id = ${k.id}`)) >= 2, 60000);
	assert.ok(
		Number(
			s.sql(
				`select count(*) from sla_fires where ticket_id = ${k.id} and clock = 'update' and threshold = '100'`,
			),
		) >= 1,
	);
	await waitUntil(() =>
		mail.mails.some(
			(m) => m.subject.includes('Escalated L2') && m.to[0] === 'eng2@provider.example',
		),
	);
});
test('resume: a client that reports its position misses nothing and receives nothing twice', async () => {
	const f = await feed(user),
		snap = f.all.find((e) => e.op === 'snapshot').seq;
	f.ws.close();
	await waitUntil(() => f.closed);
	for (let i = 0; i < 5; i++)
		await s.post('/api/v1/tickets', user, {
			title: 'while away ' + i,
			description: 'x',
			priority: 'P4',
		});
	const g = await feed(user, snap);
	for (let i = 0; i < 5; i++)
		await s.post('/api/v1/tickets', user, {
			title: 'after ' + i,
			description: 'x',
			priority: 'P4',
		});
	const titles = () =>
		g.events
			.filter((e) => e.type === 'ticket.created')
			.map((e) => e.ticket.title)
			.filter((x) => /while|after/.test(x));
	await waitUntil(() => titles().length >= 10);
	assert.deepStrictEqual(
		titles(),
		[...Array(5)]
			.map((_, i) => 'while away ' + i)
			.concat([...Array(5)].map((_, i) => 'after ' + i)),
	);
	const seqs = g.events.map((e) => e.seq);
	assert.deepStrictEqual(
		seqs,
		[...new Set(seqs)].sort((a, b) => a - b),
		'ordered and unique',
	);
	const old = await feed(user, { [s.alpha]: 0 });
	assert.ok(old.ready);
	g.ws.close();
	old.ws.close();
});
test('a burst to many clients: each receives every event once and in order, also if it joins or resumes in the middle', async () => {
	const first = await feed(user),
		from = first.all.find((e) => e.op === 'snapshot').seq,
		feeds = [first];
	const burst = [...Array(60)].map((_, i) =>
		s.post('/api/v1/tickets', user, { title: 'burst ' + i, description: 'x', priority: 'P4' }),
	);
	for (let i = 0; i < 30; i++) feeds.push(await feed(user, i % 2 ? from : undefined));
	const made = await Promise.all(burst);
	const heard = (f) => f.events.filter((e) => e.tenant_id === s.alpha && e.type === 'ticket.created');
	await waitUntil(() => heard(first).length >= made.length, 20000);
	for (const [i, f] of feeds.entries()) {
		const snaps = f.all.filter((e) => e.op === 'snapshot'),
			floor = snaps.length ? snaps.at(-1).seq[s.alpha] : from[s.alpha],
			upto = first.events.at(-1).seq;
		await waitUntil(() => floor >= upto || f.events.some((e) => e.seq === upto), 10000);
		const seqs = f.events.map((e) => e.seq).filter((x) => x > floor && x <= upto);
		assert.deepStrictEqual(
			seqs,
			first.events.map((e) => e.seq).filter((x) => x > floor && x <= upto),
			`client ${i}: nothing missed, doubled or out of order after ${floor}`,
		);
		f.ws.close();
	}
	assert.ok(
		feeds.some((f, i) => i && f.all.some((e) => e.op === 'resumed')),
		'some reconnected in the middle',
	);
});
test('every event of every ticket names its priority, in the language that was asked for', async () => {
	labels = 0;
	for (const id of s.sql('select id from tickets order by id desc limit 40').split('\n'))
		for (const lang of ['zh', 'en']) {
			const r = await s.get(`/api/v1/tickets/${id}/history?limit=200`, boss, {
				'Accept-Language': lang,
			});
			assert.strictEqual(r.status, 200, r.text);
			assert.deepStrictEqual(unlabelled(r.data, lang), []);
		}
	assert.ok(labels > 40, String(labels));
	/* and after a resume */
	const again = await feed(eng, { [s.alpha]: 0 });
	assert.deepStrictEqual(unlabelled(again.events, 'en'), []);
	again.ws.close();
});
test('another tenant receives nothing', async () => {
	const other = await feed(await s.login('user', 'beta'));
	await s.post('/api/v1/tickets', user, { title: 'private', description: 'x', priority: 'P4' });
	await s.post('/api/v1/tickets', await s.login('user', 'beta'), {
		title: 'own',
		description: 'x',
		priority: 'P4',
	});
	await waitUntil(() => other.events.some((e) => e.ticket && e.ticket.title === 'own'));
	assert.ok(other.events.every((e) => e.tenant_id === s.beta));
	const g = await feed(await s.login('user', 'beta'), { [s.alpha]: 1 });
	assert.ok(
		g.events.every((e) => e.tenant_id === s.beta),
		'a position in a foreign tenant is ignored',
	);
	other.ws.close();
	g.ws.close();
});
test('the feed refuses: no token, bad token, wrong origin, garbage', async () => {
	assert.strictEqual((await feed('rubbish')).closed, 4401);
	const silent = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`);
	assert.strictEqual(
		await new Promise((ok) => {
			silent.on('close', ok);
		}),
		4401,
	);
	const evil = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`, {
		headers: { Origin: 'https://evil.example' },
	});
	assert.match(
		await new Promise((ok) => {
			evil.on('error', (e) => ok(e.message));
		}),
		/403/,
	);
	const talk = new WebSocket(`ws://127.0.0.1:${s.port}/api/v1/live`);
	talk.on('open', () => talk.send('not json'));
	assert.strictEqual(
		await new Promise((ok) => {
			talk.on('close', ok);
		}),
		1003,
	);
	assert.strictEqual((await s.get('/api/v1/live', user)).status, 426);
});
test('WebSocket framing: echo, fragments, deflate, pings, and what must close', async () => {
	const url = `ws://127.0.0.1:${s.port}/test/echo`;
	for (const deflate of [true, false]) {
		const w = new WebSocket(url, { perMessageDeflate: deflate });
		await new Promise((ok, no) => {
			w.on('open', ok);
			w.on('error', no);
		});
		const got = [];
		w.on('message', (d, bin) => got.push(bin ? d : d.toString()));
		const sent = [
			'',
			'a',
			'é'.repeat(60),
			'x'.repeat(125),
			'x'.repeat(126),
			'y'.repeat(65535),
			'z'.repeat(65536),
			'宕机'.repeat(100000),
		];
		for (const x of sent) w.send(x);
		w.send('fr', { fin: false });
		w.ping('p');
		w.send('ag', { fin: false });
		w.send('ment', { fin: true });
		w.send(Buffer.from([1, 2, 3]));
		await waitUntil(() => got.length === sent.length + 2);
		assert.deepStrictEqual(got.slice(0, sent.length), sent);
		assert.strictEqual(got[sent.length], 'fragment');
		assert.deepStrictEqual([...got[sent.length + 1]], [1, 2, 3]);
		const code = new Promise((ok) => {
			w.on('close', ok);
		});
		w.close(1000);
		assert.strictEqual(await code, 1000);
	}
	const hello = `GET /test/echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
	const close = async (bytes) => {
		const r = await exchange(s.port, Buffer.concat([Buffer.from(hello), Buffer.from(bytes)]), {
			quiet: 700,
		});
		assert.match(r.text, /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
		const at = r.text.lastIndexOf('\x88');
		return at < 0 ? null : r.text.charCodeAt(at + 2) * 256 + r.text.charCodeAt(at + 3);
	};
	assert.strictEqual(await close([0x81, 0x01, 0x61]), 1002, 'unmasked');
	assert.strictEqual(await close([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007, 'bad UTF-8');
	assert.strictEqual(await close([0xf1, 0x81, 0, 0, 0, 0, 0x61]), 1002, 'reserved bits');
	assert.strictEqual(await close([0x83, 0x80, 0, 0, 0, 0]), 1002, 'unknown opcode');
	assert.strictEqual(await close([0x89, 0xfe, 0, 126, 0, 0, 0, 0]), 1002, 'long ping');
	assert.strictEqual(
		await close([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
		1009,
		'message too large',
	);
	assert.strictEqual(await close([0x80, 0x80, 0, 0, 0, 0]), 1002, 'a continuation without a message');
	assert.strictEqual((await s.get('/healthz')).status, 200);
});
test('SMTP away: retried with backoff, then dead with the reason', async () => {
	mail.server.refuse = true;
	const k = (
		await s.post('/api/v1/tickets', user, {
			title: 'mail trouble',
			description: 'x',
			priority: 'P4',
		})
	).data;
	await waitUntil(
		() =>
			Number(
				s.sql(
					`select coalesce(max(attempts), 0) from notifications where ticket_id = ${k.id} and channel = 'mail'`,
				),
			) >= 3,
		60000,
	);
	assert.match(
		s.sql(
			`select max(last_error) from notifications where ticket_id = ${k.id} and channel = 'mail'`,
		),
		/451|later/,
	);
	mail.server.refuse = false;
	await waitUntil(
		() =>
			s.sql(
				`select count(*) from notifications where ticket_id = ${k.id} and state <> 'sent'`,
			) === '0',
		60000,
	);
	assert.strictEqual(
		mail.mails.filter((m) => m.subject.includes(k.number) && m.to[0] === 'user@alpha.example')
			.length,
		1,
	);
	assert.ok(
		Number(
			s.sql(
				`select count(*) from deliveries d join notifications n on n.tenant_id = d.tenant_id and n.id = d.notification_id where n.ticket_id = ${k.id} and not d.ok`,
			),
		) >= 3,
	);
	hook.server.status = 500;
	s.sql(
		"update notifications set state = 'queued', attempts = 7, next_attempt_at = '2020-01-01Z' where channel = 'webhook' and id = (select max(id) from notifications where channel = 'webhook')",
	);
	await waitUntil(
		() => s.sql("select last_error from notifications where state = 'dead'") === 'status 500',
		30000,
	);
	hook.server.status = 200;
});
test('webhooks never reach private addresses unless allowed', async () => {
	const t = await Server.make('ssrf', { notify: { allow_private: 'no', attempts: 1 } });
	for (const u of [
		'https://127.0.0.1:1/',
		'https://[::1]/',
		'https://169.254.169.254/',
		'https://[::ffff:10.0.0.1]/',
	])
		t.cli(['webhook', 'add', '--tenant', 'alpha', '--url', u], 'webhook-secret-0001\n');
	assert.throws(
		() =>
			t.cli(
				['webhook', 'add', '--tenant', 'alpha', '--url', 'https://0x7f.1/'],
				'webhook-secret-0001\n',
			),
		/--url: /,
		'a short form of an address is not a host name',
	);
	const plain = { url: 'http://hook.example/', secret: 'webhook-secret-0001' };
	assert.throws(
		() =>
			t.cli(
				['webhook', 'add', '--tenant', 'alpha', '--url', plain.url],
				plain.secret + '\n',
			),
		/--url: an https address/,
	);
	const refused = await t.post('/api/v1/webhooks', await t.login('admin', 'alpha'), plain);
	assert.strictEqual(refused.status, 400, refused.text);
	assert.strictEqual(refused.json.details.fields[0].field, 'url');
	await t.post('/api/v1/tickets', await t.login('user', 'alpha'), { title: 'x', description: 'y' });
	await waitUntil(
		() =>
			Number(
				t.sql(
					"select count(*) from notifications where channel = 'webhook' and state = 'dead'",
				),
			) >= 4,
		30000,
	);
	assert.strictEqual(
		t.sql(
			"select count(*) from notifications where channel = 'webhook' and last_error not like '%private network%'",
		),
		'0',
	);
	await t.drop();
});
