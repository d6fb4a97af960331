// SPDX-License-Identifier: Apache-2.0
// The story of a P0 in Chinese, then in English: opened, warned of, late, escalated, answered, waiting, resumed, mitigated, resolved, rated. Every
// mail is read as its reader would: language, zone, names, words, threads; who gets it, and who does not. Pictures of all are kept with the logs.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	path = require('node:path'),
	fs = require('node:fs');
const { Server, mailSink, waitUntil, VAR } = require('../lib/server.js'),
	{ launch, picture } = require('../lib/browser.js');

const MINUTE = 60,
	STATES = /\b(in_progress|pending_customer|pending_aws|first_response|p0_opened)\b/;
const STORIES = [
	{
		lang: 'zh',
		tenant: 'alpha',
		zone: 'Asia/Shanghai',
		people: { user: '张敏', eng1: '李伟', eng2: '周涛', boss: '王芳' },
		title: '生产环境数据库完全宕机，无法下单和支付',
		description:
			'你好！\n\n今天上午 10:05 起，生产库 rds-prod-01 连接全部失败，应用日志：\n\n  FATAL: remaining connection slots are reserved\n\n所有用户都无法下单和支付，请尽快处理。',
		reply: '您好，我是李伟。我已登录控制台：主实例的存储空间已满，正在扩容，预计 20 分钟内恢复写入。\n\n期间请不要重启应用。',
		escalate: '已经超过半小时，订单还是无法提交，请安排更有经验的工程师。',
		waitReason: '请提供扩容审批单号，没有它我们不能修改您的账单。',
		answer: '审批单号：CR-2291，已由财务确认。',
		resumeReason: 'AWS 已完成替换。',
		mitigate: '存储已扩容到 2 TiB，写入已恢复，订单可以提交。',
		resolve: '数据库已恢复正常，观察一小时没有新的错误。',
		details: [
			'归档任务停止，日志堆积，占满了存储空间。',
			'恢复归档任务，并把存储扩容到 2 TiB。',
			'为存储用量设置 70% 与 85% 两级告警。',
		],
		rating: '处理很专业。',
		words: { urgent: /紧急/, received: /已收到您的工单/, late: /已超时/, left: /剩余时间/ },
		zoneWords: /（Asia\/Shanghai，UTC\+08:00）/,
		foreign: /\b(Hello|The|Your ticket|Engineer|Due)\b/,
	},
	{
		lang: 'en',
		tenant: 'beta',
		zone: 'America/New_York',
		people: { user: 'Jane Roe', eng1: 'Li Wei', eng2: 'Zhou Tao', boss: 'Wang Fang' },
		title: 'Production database is down, nobody can order or pay',
		description:
			'Hello,\n\nsince 10:05 all connections to rds-prod-01 fail. The application logs:\n\n  FATAL: remaining connection slots are reserved\n\nNo customer can order or pay. Please help at once.',
		reply: 'Hello Jane, this is Li Wei. The storage of the primary instance is full. I am extending it; writes should work again within 20 minutes.\n\nPlease do not restart the application until then.',
		escalate: 'It has been more than half an hour and orders still fail. Please involve a senior engineer.',
		waitReason: 'Please send the number of the approved change: without it we may not touch your bill.',
		answer: 'The change is CR-2291, approved by finance.',
		resumeReason: 'AWS has replaced the volume.',
		mitigate: 'The storage now has 2 TiB. Writes work again and orders go through.',
		resolve: 'The database works again; no new errors within an hour.',
		details: [
			'The archive job had stopped, and logs filled the storage.',
			'The archive job runs again, and the storage has 2 TiB.',
			'Alarms at 70 % and 85 % of the storage.',
		],
		rating: 'Very professional.',
		words: {
			urgent: /CRITICAL/,
			received: /We have received your ticket/,
			late: /Late by/,
			left: /Time left/,
		},
		zoneWords: /\(America\/New_York, UTC-0[45]:00\)/,
		foreign: /[一-龥]/,
	},
];

let s, sink;
test.before(async () => {
	sink = await mailSink();
	s = await Server.make('mails', {
		mail: {
			url: sink.url,
			from: '光环云服务台 <desk@provider.example>',
			reply_to: 'support@provider.example',
		},
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes' },
	});
});
test.after(async () => {
	await s.drop();
	await sink.close();
});

const rested = () =>
	waitUntil(() => s.sql("select count(*) from notifications where channel = 'mail' and state = 'queued'") === '0');
const header = (m, name) => (m.raw.match(new RegExp(`^${name}: (.*)\\r$`, 'm')) || [])[1];
/* What the text part says, without marks and line ends, so that both parts can be compared. */
const plain = (text) => text.replace(/^-- $|[\s>「」]/gm, '');

for (const story of STORIES)
	test(`the story in ${story.lang}`, async () => {
		const who = {},
			steps = [],
			address = (u) => (u === 'user' ? `user@${story.tenant}.example` : `${u}@provider.example`);
		s.cli(['tenant', 'set', '--code', story.tenant, '--timezone', story.zone]);
		for (const [u, name] of Object.entries(story.people)) {
			s.sql(
				u === 'user'
					? `update client_users set full_name = '${name}' where username = 'user' and tenant_id = ${s[story.tenant]}`
					: `update staff set full_name = '${name}', lang = '${story.lang}' where username = '${u}'`,
			);
			who[u] = await s.login(u, u === 'user' ? story.tenant : undefined);
		}
		await rested();
		/* one step of the story: what is done, by whom, and the mails that follow */
		let ticket;
		async function step(name, by, does) {
			const before = sink.mails.length;
			await does();
			await rested();
			/* the first story's clocks go on in the second */
			const mine = `<ticket.${s[story.tenant]}.`;
			steps.push({
				name,
				by,
				mails: sink.mails.slice(before).filter((m) => m.raw.includes('References: ' + mine)),
			});
			return steps.at(-1).mails;
		}
		const command = (cmd, by, body) =>
			step(cmd, by, async () => {
				const r = await s.post(`/api/v1/tickets/${ticket.id}/${cmd}`, who[by], body || {});
				assert.strictEqual(r.status, 200, cmd + r.text);
			});
		const fires = () =>
			Number(s.sql(`select count(*) from sla_fires where ticket_id = ${ticket.id} and tenant_id = ${s[story.tenant]}`));
		const later = (name, seconds, expected) =>
			step(name, null, async () => {
				await s.jump(seconds);
				await waitUntil(() => fires() >= expected);
			});
		const to = (mails, u) => mails.filter((m) => m.to[0] === address(u));
		const only = (mails, u) => {
			const mine = to(mails, u);
			assert.strictEqual(mine.length, 1, `${u} got ${mine.map((m) => m.subject).join(' | ')}`);
			return mine[0];
		};
		const quotes = (m, text) => {
			for (const line of text.split('\n').filter(Boolean))
				assert.ok(m.body.includes('> ' + line), `${m.subject} lacks: ${line}`);
		};

		const opened = await step('open', 'user', async () => {
			const r = await s.post('/api/v1/tickets', who.user, {
				title: story.title,
				description: story.description,
				priority: 'P0',
			});
			assert.strictEqual(r.status, 201, r.text);
			ticket = r.data;
		});
		assert.match(only(opened, 'user').subject, story.words.received);
		quotes(only(opened, 'user'), story.description);
		assert.match(only(opened, 'user').body, story.zoneWords);
		assert.ok(only(opened, 'user').body.includes(story.people.user));
		/* on call and in the team: the page alone */
		assert.match(only(opened, 'eng1').subject, story.words.urgent);
		quotes(only(opened, 'eng1'), story.description);
		assert.match(only(opened, 'boss').subject, story.words.urgent);

		for (const [at, seconds] of [
			['80', 12 * MINUTE + 1],
			['90', 1.5 * MINUTE],
			['95', 0.75 * MINUTE],
		]) {
			const had = fires(),
				warned = await later(at + ' %', seconds, had + 1);
			assert.ok(warned.length > 0, at);
			for (const m of warned) {
				assert.match(m.subject, new RegExp(at));
				assert.match(m.body, story.words.left);
			}
		}
		const breached = await later('breach', 3 * MINUTE, fires() + 1),
			late = only(breached, 'boss');
		assert.match(late.subject, story.lang === 'zh' ? /违约/ : /breach/);
		assert.match(late.body, story.words.late);
		assert.match(late.body, story.lang === 'zh' ? /2 分钟/ : /2 minutes/);

		const missed = only(breached, 'user');
		assert.match(missed.body, story.words.late);
		assert.ok(missed.body.includes(story.people.boss), 'what has begun: ' + missed.body);

		const replied = await command('reply', 'eng1', { text: story.reply });
		quotes(only(replied, 'user'), story.reply);
		assert.ok(only(replied, 'user').body.includes(story.people.eng1));
		await command('confirm', 'eng1');
		const urged = await command('escalate', 'user', { reason: story.escalate });
		quotes(only(urged, 'eng1'), story.escalate);
		assert.ok(only(urged, 'boss').body.includes(story.people.user));
		assert.match(only(urged, 'user').body, story.zoneWords); // until when it is answered
		quotes(only(await command('wait-customer', 'eng1', { reason: story.waitReason }), 'user'), story.waitReason);
		const answered = await command('reply', 'user', { text: story.answer });
		quotes(only(answered, 'eng1'), story.answer);
		assert.ok(only(answered, 'eng1').body.includes(story.people.user));
		await command('wait-aws', 'eng1');
		quotes(only(await command('resume', 'eng1', { reason: story.resumeReason }), 'user'), story.resumeReason);
		quotes(only(await command('mitigate', 'eng1', { text: story.mitigate }), 'user'), story.mitigate);
		const [root_cause, solution, prevention] = story.details,
			resolved = only(
				await command('resolve', 'eng1', {
					...{ text: story.resolve, root_cause, solution, prevention },
					solution_kind: 'permanent',
					configuration: 'rds-prod-01',
				}),
				'user',
			);
		quotes(resolved, story.resolve);
		for (const text of story.details) quotes(resolved, text);
		await command('confirm-resolution', 'user');
		await command('rate', 'user', { score: 5, text: story.rating });

		const all = steps.flatMap((x) => x.mails),
			roots = new Set(all.map((m) => header(m, 'References')));
		assert.strictEqual(roots.size, 1);
		assert.match([...roots][0], new RegExp(`^<ticket\\.${s[story.tenant]}\\.${ticket.id}@provider\\.example>$`));
		assert.strictEqual(new Set(all.map((m) => header(m, 'Message-ID'))).size, all.length);
		for (const x of steps)
			for (const m of x.mails) {
				const of = `${x.name}: ${m.to[0]}: ${m.subject}\n${m.body}`;
				/* a customer is told that the ticket has arrived, and who looks at an escalation */
				assert.ok(
					['open', 'escalate'].includes(x.name) || !x.by || m.to[0] !== address(x.by),
					'to oneself: ' + of,
				);
				assert.doesNotMatch(m.subject + m.body, STATES, of);
				assert.doesNotMatch(m.subject + m.body + m.html, /\{\{|\}\}|undefined|null/, of);
				assert.doesNotMatch(m.body.replace(/^>.*$/gm, ''), story.foreign, of);
				assert.ok(m.subject.includes(ticket.number) && m.subject.includes(story.title), of);
				assert.strictEqual(header(m, 'In-Reply-To'), [...roots][0], of);
				assert.match(m.raw, /^From: =\?UTF-8\?B\?[^]*?\r\n <desk@provider\.example>\r$/m, of);
				assert.strictEqual(header(m, 'Reply-To'), 'support@provider.example', of);
				assert.match(m.body, /support@provider\.example/, of);
				assert.ok(m.html.includes(`/#/tickets/${ticket.id}"`), of);
				for (const date of m.body.match(/\d{4}-\d\d-\d\d \d\d:\d\d.*/g) || [])
					assert.match(
						date,
						m.to[0].endsWith('@provider.example') ? /Asia\/Shanghai.*UTC\+08:00/ : story.zoneWords,
						of,
					);
			}
		await pictures(story.lang, steps);
	});

/* Each mail on a desktop and on a phone; nothing may be wider than the screen. The HTML says what the text says. */
async function pictures(lang, steps) {
	const browser = await launch(),
		dir = path.join(VAR, 'log', 'mails-' + lang);
	fs.rmSync(dir, { recursive: true, force: true });
	fs.mkdirSync(dir, { recursive: true });
	try {
		for (const [size, width, height] of [
			['desktop', 1000, 700],
			['phone', 390, 844],
		]) {
			const page = await browser.newPage({ viewport: { width, height } });
			let n = 0;
			for (const x of steps)
				for (const m of x.mails) {
					const name = `${String(++n).padStart(2, '0')}-${x.name.replace(/\W+/g, '')}-${m.to[0].split('@')[0]}`;
					await page.setContent(m.html);
					assert.ok(
						await page.evaluate((w) => document.documentElement.scrollWidth <= w, width),
						name + ' is too wide',
					);
					const shown = plain(await page.evaluate(() => document.body.textContent));
					for (const line of m.body.split('\n').map(plain).filter(Boolean))
						for (const piece of line.split(/[：:]?https?:[^]*/).filter(Boolean))
							for (const half of piece.split(/[：:]/).filter(Boolean))
								assert.ok(shown.includes(half), `${name}: the page lacks ${half}`);
					await picture(page, { path: path.join(dir, `${name}-${size}.png`), fullPage: true });
					if (size === 'desktop')
						fs.writeFileSync(path.join(dir, name + '.txt'), `To: ${m.to[0]}\nSubject: ${m.subject}\n\n${m.body}`);
				}
			await page.close();
		}
	} finally {
		await browser.close();
	}
}
