// SPDX-License-Identifier: Apache-2.0
// What a ticket says decides its priority when nobody chooses one: every sentence of the service desk's rules, negation, questions, the past,
// and what real fault records say. The incident types of the rules can be chosen.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	zlib = require('node:zlib');
const { Server, waitUntil } = require('../lib/server.js');

let s, user;
before(async () => {
	s = await Server.make('priority_words', {
		limits: { address_per_s: 0, user_per_s: 0, tenant_per_s: 0, fresh_per_s: 0 },
	});
	user = await s.login('user', 'alpha');
});
after(() => s && s.drop());

const create = async (body) => {
	const r = await s.post('/api/v1/tickets', user, { description: '-', ...body });
	assert.strictEqual(r.status, 201, r.text);
	return r.data;
};

async function check(sentences) {
	const wrong = [];
	for (const [want, title] of sentences) {
		const { priority } = await create({ title });
		if (!want.split('/').includes(priority)) wrong.push(`${title}: ${priority}, not ${want}`);
	}
	assert.deepStrictEqual(wrong, []);
	console.log(`${sentences.length} of ${sentences.length} sentences decided as the rules say`);
}

test('every sentence of the rules for P0 to P3 is decided as the rules say', () => check(RULES));
test('negation, questions, exercises and the past do not page anybody; what is happening does', () =>
	check(MEANING));

test('fault records: at most one of ten warnings and gaps in monitoring becomes P0 or P1', async (t) => {
	const dir = process.env.SLADESK_DATA;
	if (!dir) return t.skip('the data are not here');
	const rows = records(
		zlib.gunzipSync(fs.readFileSync(path.join(dir, 'texts/ict_faults_zh.dev.csv.gz'))).toString(),
	);
	const count = {};
	for (const r of rows) {
		const kind = r['异常类型细项'],
			of = /非计划停运/.test(kind)
				? 'outage'
				: /告警|IMS|监控指标/.test(kind)
					? 'warning'
					: null;
		if (!of || !r['问题现象'].trim()) continue;
		const { priority } = await create({
			title: 'record',
			description: r['问题现象'].slice(0, 20000),
		});
		count[of] = count[of] || { all: 0, urgent: 0 };
		count[of].all++;
		if (priority <= 'P1') count[of].urgent++;
	}
	console.log(
		Object.entries(count)
			.map(([k, c]) => `${k}: ${c.urgent} of ${c.all} at P0 or P1`)
			.join(', '),
	);
	assert.ok(count.warning.all > 100);
	assert.ok(count.warning.urgent <= count.warning.all / 10);
});

test('the words that decided are shown, and a long text is decided by its beginning', async () => {
	const a = await create({ title: '电商平台无法下单和支付' });
	const full = (await s.get('/api/v1/tickets/' + a.id, user)).data;
	assert.strictEqual(full.priority_source, 'keyword');
	assert.match(full.priority_reason.keyword, /平台 … 无法 … 下单/);
	const long = await create({ title: 'a long text', description: 'x'.repeat(19980) + '。数据库宕机' });
	assert.strictEqual(long.priority, 'P3');
	const began = performance.now();
	await create({ title: '，'.repeat(190), description: '无法。'.repeat(6000) });
	assert.ok(performance.now() - began < 2000);
});

test('each of the 24 incident types can be chosen and has its priority; another is refused', async () => {
	const list = (await s.get('/api/v1/catalogue?kind=incident_type', user)).data.items;
	assert.strictEqual(list.length, 24);
	for (const e of list) {
		const made = await create({ title: 'it happened', incident_type: e.code });
		assert.strictEqual(made.priority, e.code.slice(0, 2).toUpperCase());
		const full = (await s.get('/api/v1/tickets/' + made.id, user)).data;
		assert.deepStrictEqual(
			[full.incident_type, full.priority_source, full.priority_reason.incident_type],
			[e.code, 'incident_type', e.code],
		);
		assert.ok(e.name_zh && e.name_en);
	}
	const r = await s.post('/api/v1/tickets', user, {
		...{ title: 'x', description: 'y', incident_type: 'p0-nonsense' },
	});
	assert.strictEqual(r.code, 40001);
	assert.strictEqual(r.json.details.fields[0].field, 'incident_type');
	const admin = await s.login('admin', 'alpha'),
		put = (kind, body) =>
			s.request('PUT', `/api/v1/catalogue/${kind}/till-down`, {
				token: admin,
				body: { name_zh: '收银中断', name_en: 'Tills down', ...body },
			});
	for (const [kind, body] of [
		['incident_type', {}],
		['incident_type', { priority: 'P9' }],
		['region', { priority: 'P1' }],
	]) {
		const bad = await put(kind, body);
		assert.strictEqual(bad.json.details.fields[0].field, 'priority', bad.text);
	}
	assert.strictEqual((await put('incident_type', { priority: 'P2' })).data.priority, 'P2');
	await waitUntil(
		async () =>
			(
				await s.post('/api/v1/tickets', user, {
					...{ title: 'x', description: 'y', incident_type: 'till-down' },
				})
			).data?.priority === 'P2',
	);
	assert.strictEqual(
		(await create({ title: 'x', incident_type: 'p1-login', priority: 'P3' })).priority,
		'P3',
	);
	assert.strictEqual((await create({ title: '数据库宕机', incident_type: 'p1-login' })).priority, 'P0');
});

test('a guessed P0 that is set to P0 is certain: the manager is told once, the alarm ends, the report stays due', async () => {
	const boss = await s.login('boss'),
		events = (id) =>
			s
				.sql(
					`select type from events where ticket_id = ${id} and type like 'ticket.p0%' order by seq`,
				)
				.split('\n')
				.filter(Boolean);
	const timers = (id) =>
		s
			.sql(
				`select kind from timers where subject_id = ${id} and state = 'pending' and kind in ('p0-unconfirmed', 'report-due') order by kind`,
			)
			.split('\n')
			.filter(Boolean);
	const guessed = (await create({ title: '数据库宕机' })).id;
	assert.deepStrictEqual(events(guessed), ['ticket.p0_guessed']);
	await waitUntil(() => timers(guessed).length === 2);
	const r = await s.post(`/api/v1/tickets/${guessed}/priority`, boss, {
		priority: 'P0',
		reason: 'it is one',
	});
	assert.strictEqual(r.status, 200, r.text);
	assert.deepStrictEqual(events(guessed), ['ticket.p0_guessed', 'ticket.p0_opened']);
	assert.deepStrictEqual(timers(guessed), ['report-due']);
	await s.post(`/api/v1/tickets/${guessed}/priority`, boss, { priority: 'P0', reason: 'again' });
	await s.post(`/api/v1/tickets/${guessed}/confirm-priority`, boss, {});
	assert.deepStrictEqual(events(guessed), ['ticket.p0_guessed', 'ticket.p0_opened']);
	for (const body of [{ priority: 'P0' }, { incident_type: 'p0-ransomware' }]) {
		const chosen = (await create({ title: 'x', ...body })).id;
		await s.post(`/api/v1/tickets/${chosen}/confirm-priority`, boss, {});
		assert.deepStrictEqual(events(chosen), ['ticket.p0_opened'], 'nobody is paged twice');
		assert.deepStrictEqual(timers(chosen), ['report-due']);
	}
});

/* The rows of a CSV text with a header, as objects. */
function records(text) {
	const rows = [[]];
	for (const m of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
		if (m[0] === '') continue;
		rows.at(-1).push(m[1] === undefined ? m[2] : m[1].replaceAll('""', '"'));
		if (m[3] !== ',') rows.push([]);
	}
	const head = rows[0];
	return rows
		.slice(1)
		.filter((r) => r.length === head.length)
		.map((r) => Object.fromEntries(head.map((h, i) => [h, r[i]])));
}

// prettier-ignore
const RULES = [
	['P0', '生产环境数据库完全宕机'],
	['P0', '核心应用服务器集群全部失效'],
	['P0', '网络完全中断导致所有服务不可访问'],
	['P0', '负载均衡器故障导致流量无法分发'],
	['P0', '数据丢失或严重损坏'],
	['P0', '数据泄露或未授权访问'],
	['P0', '勒索软件攻击'],
	['P0', '严重的安全漏洞被利用'],
	['P0', '电商平台无法下单和支付'],
	['P0', '金融系统无法处理交易'],
	['P0', '关键业务流程完全停止'],
	['P0', '影响所有用户的服务中断'],
	['P0', '生产系统完全无法访问'],
	['P0', '发生安全事件或数据泄露'],
	['P0', '所有用户无法使用服务'],
	['P0', '每分钟都在造成重大业务损失'],
	['P0', '业务完全中断'],
	['P0', '系统不可用'],
	['P0', '影响所有用户'],
	['P0', '生产环境停止'],
	['P0', '数据库完全宕机'],
	['P0', '应用无法访问'],
	['P0', '数据丢失或损坏'],
	['P0', '严重安全漏洞'],
	['P1', '主要服务性能严重下降(响应时间超过正常10倍)'],
	['P1', '关键API失败率超过50%'],
	['P1', '数据库主从同步失败'],
	['P1', '缓存系统失效导致性能严重下降'],
	['P1', '支付功能异常但系统其他功能正常'],
	['P1', '用户登录功能失败'],
	['P1', '订单处理系统故障'],
	['P1', '关键第三方集成失败'],
	['P1', '特定地区所有用户无法访问'],
	['P1', '特定客户群体服务中断'],
	['P1', '移动端应用完全无法使用'],
	['P1', '关键功能对所有用户不可用'],
	['P1', '核心功能严重受损但系统仍可部分访问'],
	['P1', '关键业务功能不可用(如支付、登录)'],
	['P1', '大部分用户受到影响'],
	['P1', '性能严重下降(响应时间超过正常10倍)'],
	['P1', '业务受到严重影响但未完全中断'],
	['P1', '核心功能严重受损'],
	['P1', '业务严重受影响'],
	['P1', '影响大部分用户'],
	['P1', '关键功能不可用'],
	['P1', '关键API失败'],
	['P1', '支付功能异常'],
	['P1', '数据同步失败'],
	['P1', '主要服务性能严重下降'],
	['P2', '部分功能异常'],
	['P2', '部分用户受到影响'],
	['P2', '有临时解决方案可用'],
	['P2', '非关键功能受损'],
	['P2', '次要功能故障'],
	['P2', '报表生成延迟'],
	['P2', '部分地区访问慢'],
	['P2', '非关键集成问题'],
	['P3', '非关键功能问题'],
	['P3', '影响少数用户'],
	['P3', 'UI显示问题'],
	['P3', '小范围性能问题'],
	['P3', '非关键日志错误'],
	['P3', '文档错误'],
	['P4', '系统没有宕机,只是想咨询一下'],
	['P3/P4', '系统没有宕机'],
];
// prettier-ignore
const MEANING = [
	['P3/P4', '请问如何避免数据库宕机？'],
	['P3/P4', '想咨询一下如果数据库宕机会有什么影响'],
	['P3/P4', '昨天系统宕机了,已恢复正常'],
	['P3/P4', '昨天网站无法访问，现在已经恢复，请提供报告'],
	['P0', '昨天开始网站一直无法访问'],
	['P0', '为什么网站无法访问了？'],
	['P0', '请问你们的系统是不是挂了？我们全部无法访问'],
	['P0', '数据库宕机，不知原因'],
	['P0', '系统宕机了没有人处理'],
	['P0', '未知原因宕机'],
	['P0', '上次恢复后今天又宕机了'],
	['P3/P4', '本周末宕机演练安排'],
	['P3/P4', '测试环境数据库宕机'],
	['P2', '部分用户无法登录'],
	['P1', '登录失败'],
	['P1', '页面打不开'],
	['P0', '网站打不开'],
	['P0', '系统宕机，请尽快恢复正常'],
	['P3/P4', '业务没有中断'],
	['P3/P4', '数据没有丢失'],
	['P3/P4', '未发生数据泄露'],
	['P2/P3', '没有造成业务中断，但有报错'],
	['P1/P0', '系统宕机，尚未恢复'],
	['P0', 'Production database is down'],
	['P0', 'The website is down and nobody can log in'],
	['P0', 'Site is DOWN!'],
	['P3/P4', 'The site is not down, I just have a question'],
	['P3/P4', 'No outage, just a question about billing'],
	['P3/P4', 'How do I prevent an outage?'],
	['P3/P4', 'What happens if the database goes down?'],
	['P3/P4', 'The service was down yesterday but has recovered'],
	['P0', 'Our site has been down since yesterday'],
	['P3', 'Where can I download the report?'],
	['P0', 'We cannot access production'],
	['P0', 'Customer data leaked'],
	['P1', 'Payments are failing'],
	['P1', 'Login fails with an error'],
	['P1', 'users cannot log in'],
	['P2', 'Some users see errors'],
	['P2', 'The dashboard is slow'],
	['P3', 'Typo on the invoice page'],
	['P4', 'How to enable MFA?'],
	['P0', 'Ransomware on our file server'],
	['P1', 'Replication broken on replica 2'],
	['P0', 'There was data loss in the orders table'],
	['P3/P4', 'There was no data loss'],
	['P2/P3', 'Build slowed down after the update'],
	['P0', 'Everyone gets errors in production'],
	['P3/P4', 'The outage has been resolved'],
	['P3/P4', 'Planned maintenance: database down on Sunday'],
	['P0', 'Question: our site is down'],
	['P0', '咨询：网站无法访问怎么办'],
	['P2/P3', '上周支付失败过一次，现在正常'],
	['P0', '数据库又宕机了'],
	['P1', 'We have timeouts on the API'],
	['P0', 'The outage continues, nothing recovered'],
	['P0', '网络中断，所有门店无法收银'],
	['P0', '生产数据库被误删，数据丢失'],
	['P3/P4', '如何申请新的账号'],
	['P3/P4', '请问发票什么时候开具'],
	['P1/P0', 'APP 一打开就崩溃'],
	['P0', 'All users get a 500 error'],
	['P3/P4', 'Can you confirm there is no data breach?'],
	['P3/P4', '是否有数据泄露的风险评估服务'],
	['P2/P3', '监控指标短时中断，系统访问正常'],
];
