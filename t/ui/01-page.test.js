// SPDX-License-Identifier: Apache-2.0
// The live page in a real browser: two users, one ticket, no reload; no console error, no CSP violation, no script from a title.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { launch, shot } = require('../lib/browser.js');
const { Server, PASSWORD, waitUntil, mailSink } = require('../lib/server.js');

let s, mail, browser;
const errors = [];
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('page', {
		mail: { url: mail.url },
		token: { lifetime_s: '86400' },
		test: { allow_clock: 'yes', clock_scale: '60' },
	});
	browser = await launch();
});
test.after(async () => {
	await browser.close();
	await s.drop();
	await mail.close();
});

async function enter(username, tenant, viewport) {
	const page = await (await browser.newContext({ viewport, locale: 'zh-CN' })).newPage();
	page.on('console', (m) => {
		if (m.type() === 'error' && !/401|409/.test(m.text())) errors.push(m.text());
	});
	page.on('pageerror', (e) => errors.push(e.message));
	page.on('dialog', (d) => {
		errors.push('dialog ' + d.message());
		d.dismiss();
	});
	await page.goto(`http://127.0.0.1:${s.port}/`);
	if (tenant) await page.fill('[name=tenant]', tenant);
	await page.fill('[name=username]', username);
	await page.fill('[name=password]', PASSWORD);
	await page.click('#login [type=submit]');
	await page.waitForSelector('.dot.on');
	return page;
}

test('a customer creates a P0, staff see it live, its clock turns amber and red, a reply reaches the customer', async () => {
	const staff = await enter('eng1', null, { width: 1280, height: 800 }),
		user = await enter('user', 'alpha', { width: 390, height: 800 });
	await user.click('#new');
	await user.fill('#create [name=title]', '数据库宕机 <img src=x onerror=alert(1)>');
	await user.fill('#create [name=description]', '<script>alert(2)</script>');
	await user.click('#create [type=submit]');
	await staff.waitForSelector('.row .badge.P0');
	await staff.waitForSelector('.toast.bad');
	await staff.waitForSelector('.row.warn, .row.hot', { timeout: 20000 });
	await shot(staff, 'page-desktop');
	await staff.waitForSelector('.row.bad', { timeout: 20000 });
	await staff.click('.row');
	await staff.waitForSelector('#ticket textarea');
	await staff.fill('#ticket textarea', '我们正在处理');
	await staff.click('#ticket form button');
	await user.click('.row');
	await user.waitForSelector('text=我们正在处理', { timeout: 10000 });
	await shot(staff, 'page-ticket');
	await shot(user, 'page-phone');
	await staff.click('.actions >> text=解决');
	for (const f of ['text', 'root_cause', 'solution', 'prevention', 'configuration'])
		await staff.fill(`#ticket [name=${f}]`, '已恢复');
	await staff.click('#ticket form button');
	await waitUntil(async () => (await staff.locator('.row').count()) === 0);
	await user.click('.actions >> text=确认已解决');
	await waitUntil(() => s.sql('select status from tickets') === 'closed');
	/* the numbers follow: tickets 1, resolved 1 */
	await user.waitForFunction(
		() =>
			[...document.querySelectorAll('.number b')]
				.slice(0, 2)
				.map((b) => b.textContent)
				.join() === '1,1',
	);
	assert.strictEqual(await staff.locator('.number').count(), 0, "a customer's only");
	assert.ok(
		await user.evaluate(
			() => document.querySelector('#new').getBoundingClientRect().right <= innerWidth,
		),
	);
	await shot(user, 'page-phone-numbers');
	/* other days: no ticket; then the last 30 again */
	const shown = (at) =>
		user.waitForFunction((n) => document.querySelector('.number b').textContent === n, at);
	await user.fill('#from_day', '2020-01-01');
	await user.fill('#to_day', '2020-01-31');
	await shown('0');
	assert.match(await user.textContent('#period'), /2020-01-01/);
	await shot(user, 'page-phone-days');
	await user.fill('#from_day', '');
	await user.fill('#to_day', '');
	await shown('1');
	/* the tickets behind a number; the closed one opens */
	await user.click('button.number >> nth=0');
	await user.waitForSelector('#behind[open] .row');
	assert.match(await user.textContent('#behind h2'), /30/);
	assert.strictEqual(await user.locator('#behind_list .row').count(), 1);
	await user.waitForTimeout(100);
	await shot(user, 'page-phone-behind');
	await user.click('#behind_list .row');
	await user.waitForSelector('#behind', { state: 'hidden' });
	await user.waitForSelector('#ticket:not([hidden])');
	await user.evaluate(() => document.querySelector('#ticket').setAttribute('hidden', ''));
	await user.click('#lang');
	assert.match(await user.textContent('#desk h2'), /Open tickets/);
	assert.strictEqual(
		await user.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
		true,
		'nothing overflows on a phone',
	);
	assert.deepStrictEqual(errors, []);
});
test('a mail link opens its ticket, also through the login; a draft stays whatever others do; a resolution is shown whole and rated', async () => {
	const user = await s.login('user', 'alpha'),
		made = (title) =>
			s.post('/api/v1/tickets', user, { title, description: 'x', priority: 'P1' }),
		k = (await made('linked')).data,
		other = (await made('the other')).data,
		link = `http://127.0.0.1:${s.port}/#/tickets/`;
	const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
	await page.goto(link + k.id);
	await page.fill('[name=username]', 'eng1');
	await page.fill('[name=password]', PASSWORD);
	await page.click('#login [type=submit]');
	await page.waitForSelector('#ticket h2 >> text=linked');
	await page.goto(link + other.id);
	await page.waitForSelector('#ticket h2 >> text=the other');
	await page.click('.row:has-text("linked")');
	await page.waitForSelector('#ticket h2 >> text=linked');
	assert.strictEqual(new URL(page.url()).hash, '#/tickets/' + k.id);
	const typed = () => page.inputValue('#ticket textarea');
	await page.fill('#ticket textarea', 'half a reply');
	await page.click('h1');
	await s.post(`/api/v1/tickets/${k.id}/reply`, user, { text: 'any news?' });
	await page.waitForSelector('#ticket >> text=any news?');
	assert.strictEqual(await typed(), 'half a reply');
	await page.click('.actions >> text=Internal note');
	assert.strictEqual(
		await typed(),
		'',
		'what was meant for the customer is not in the note, nor the reverse',
	);
	await page.fill('#ticket textarea', 'half a note');
	await page.click('.row:has-text("the other")');
	await page.waitForSelector('#ticket h2 >> text=the other');
	assert.strictEqual(await typed(), '');
	await page.click('.row:has-text("linked")');
	await page.waitForSelector('#ticket h2 >> text=linked');
	assert.strictEqual(await typed(), 'half a note');
	await page.click('#lang');
	await page.waitForSelector('.actions >> text=内部备注');
	assert.strictEqual(await typed(), 'half a note');
	await page.click('#ticket form button');
	await page.waitForSelector('.comment.staff >> text=half a note');
	assert.strictEqual(await typed(), 'half a reply');
	/* the customer reads the whole resolution, and rates it */
	await s.post(`/api/v1/tickets/${k.id}/resolve`, await s.login('eng1'), {
		text: 'it works again',
		...{ root_cause: 'no room', solution: 'more room', prevention: 'an alarm' },
		...{ configuration: 'disk 7', solution_kind: 'permanent' },
	});
	const customer = await enter('user', 'alpha', { width: 390, height: 800 });
	await customer.goto(link + k.id);
	for (const text of ['it works again', 'no room', 'more room', 'an alarm', 'disk 7', '永久'])
		await customer.waitForSelector('.comment >> text=' + text);
	await customer.click('.actions >> text=评价');
	await customer.selectOption('#ticket [name=score]', '4');
	await customer.click('#ticket form button');
	await waitUntil(
		() => s.sql(`select score::int from client_satisfaction where ticket_id = ${k.id}`) === '4',
	);
	await customer.goto(link + 999999);
	await customer.waitForSelector('.toast.bad');
	/* no way out of a used link but the login */
	await page.click('#logout');
	await page.goto(`http://127.0.0.1:${s.port}/#reset=a.b.c`);
	await page.reload();
	await page.click('#reset_back');
	await page.waitForSelector('#login:not([hidden])');
});
test('who may only read is offered no command that would be refused', async () => {
	s.cli(['user', 'add', '--staff', '--username', 'auditor', '--name', 'Auditor', '--email', 'auditor@provider.example', '--role', 'auditor', '--lang', 'en'], PASSWORD + '\n');
	const made = await s.post('/api/v1/tickets', await s.login('user', 'alpha'), { title: 'To be read', description: 'x', priority: 'P3' });
	assert.strictEqual(made.status, 201);
	const refused = [];
	for (const [name, tenant, writes] of [
		['auditor', null, false],
		['eng1', null, true],
		['user', 'alpha', true],
	]) {
		const page = await enter(name, tenant, { width: 1280, height: 800 });
		page.on('response', (r) => r.status() >= 400 && refused.push(`${name} ${r.status()} ${r.url()}`));
		assert.strictEqual(await page.isVisible('#new'), writes, name);
		await page.click(`.row[data-id="${made.data.id}"]`);
		await page.waitForSelector('#ticket .comment');
		assert.strictEqual((await page.$$('#ticket .actions button')).length > 0, writes, name);
		assert.strictEqual((await page.$$('#ticket textarea')).length > 0, writes, name);
		await page.context().close();
	}
	assert.deepStrictEqual(refused, []);
});

test('the numbers fit their cards on a phone', async () => {
	const page = await enter('admin', 'alpha', { width: 390, height: 800 });
	await page.waitForSelector('#numbers .number');
	await page.evaluate(() => {
		for (const [i, b] of [...document.querySelectorAll('#numbers .number b')].entries()) b.firstChild.textContent = i % 2 ? '88.6% 1400 / 1580' : '123456';
	});
	const over = await page.$$eval('#numbers .number', (all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent));
	assert.deepStrictEqual(over, []);
	await page.click('#lang');
	await page.waitForSelector('#numbers .number');
	assert.deepStrictEqual(await page.$$eval('#numbers .number', (all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)), []);
	await page.context().close();
});

test('who asks for escalation reads until when it is answered; the analysis that a breach begins is shown to staff and completed on the page', async () => {
	const user = await s.login('user', 'alpha'),
		eng = await s.login('eng1'),
		before = errors.length,
		k = (await s.post('/api/v1/tickets', user, { title: 'breached', description: 'x', priority: 'P0' })).data;
	const customer = await enter('user', 'alpha', { width: 1280, height: 800 });
	await customer.goto(`http://127.0.0.1:${s.port}/#/tickets/${k.id}`);
	await customer.waitForSelector('#ticket h2 >> text=breached');
	await customer.click('.actions >> text=请求升级');
	await customer.fill('#ticket [name=reason]', '很急');
	await customer.click('#ticket form button');
	await customer.waitForSelector('.toast >> text=/已升级至 L2，我们将在 .*前答复您/');
	await s.post(`/api/v1/tickets/${k.id}/confirm`, eng, {});
	await s.jump(2 * 3600 + 60);
	await waitUntil(() => s.sql(`select count(*) from rca_tasks where ticket_id = ${k.id}`) === '1');
	const staff = await enter('eng1', null, { width: 1280, height: 800 });
	await staff.goto(`http://127.0.0.1:${s.port}/#/tickets/${k.id}`);
	await staff.waitForSelector('#ticket .analysis >> text=/根因分析：boss · 完成期限/');
	await shot(staff, 'page-analysis');
	await staff.waitForSelector('#ticket .report >> text=/事件报告：完成期限/');
	await staff.click('.actions >> text=完成报告');
	await staff.click('#ticket form button');
	await staff.waitForSelector('#ticket .report >> text=/事件报告：完成于/');
	assert.strictEqual(await staff.locator('.actions >> text=完成报告').count(), 0);
	await staff.click('.actions >> text=完成根因分析');
	await staff.fill('#ticket textarea', '磁盘已满');
	await staff.click('#ticket form button');
	await staff.waitForSelector('#ticket .analysis >> text=/完成于/');
	assert.strictEqual(await staff.locator('.actions >> text=完成根因分析').count(), 0);
	await customer.waitForSelector('#ticket >> text=磁盘已满');
	assert.strictEqual(await customer.locator('#ticket .analysis').count(), 0);
	await Promise.all([customer, staff].map((x) => x.context().close()));
	assert.deepStrictEqual(errors.slice(before), []);
});
test('compliance by contract, with the counts beside each rate and its trend, for customers and staff; on a phone nothing overflows', async () => {
	const before = errors.length,
		user = await s.login('user', 'beta');
	for (const contract of ['K-1', 'K-2', '']) {
		const k = (await s.post('/api/v1/tickets', user, { title: 'of ' + contract, description: 'x', priority: 'P3', ...(contract && { contract }) })).data;
		await s.post(`/api/v1/tickets/${k.id}/resolve`, await s.login('eng1'), { text: 'done' });
	}
	for (const [name, tenant, viewport] of [
		['admin', 'beta', { width: 390, height: 800 }],
		['boss', null, { width: 1280, height: 800 }],
	]) {
		const page = await enter(name, tenant, viewport);
		await page.click('#compliance_open');
		if (!tenant) await page.selectOption('#compliance [name=tenant_id]', String(s.beta));
		assert.strictEqual(await page.isVisible('#compliance [name=tenant_id]'), !tenant);
		await page.waitForSelector('#compliance th >> text=K-1');
		await waitUntil(async () => {
			await page.selectOption('#compliance [name=group_by]', 'office');
			await page.selectOption('#compliance [name=group_by]', 'contract');
			await page.waitForSelector('#compliance th >> text=K-2');
			return /100% 3 \/ 3/.test(await page.textContent('#compliance tr:nth-child(2)'));
		});
		assert.deepStrictEqual((await page.$$eval('#compliance tr > th:first-child', (all) => all.map((x) => x.textContent))).slice(2).sort(), ['K-1', 'K-2', '未填写']);
		assert.ok((await page.$$('#compliance .trend circle')).length >= 1);
		await shot(page, 'page-compliance-' + name);
		assert.strictEqual(await page.evaluate(() => document.querySelector('#compliance').scrollWidth <= document.querySelector('#compliance').clientWidth), true);
		await page.fill('#compliance [name=from]', '2020-01-01');
		await page.fill('#compliance [name=to]', '2020-01-31');
		await page.waitForSelector('#compliance >> text=所选日期内没有工单');
		await page.context().close();
	}
	assert.deepStrictEqual(errors.slice(before), []);
});
test('who administers users sees which customers the staff serve, and changes it, but not their own', async () => {
	const before = errors.length,
		page = await enter('boss', null, { width: 390, height: 800 }),
		line = (name) => page.locator('#staff_list > div', { has: page.locator(`b:text-is("${name}")`) });
	await page.click('#staff_open');
	await line('eng2').waitFor();
	assert.strictEqual(await line('boss').locator('button').count(), 0);
	assert.match(await line('eng2').textContent(), /全部客户/);
	await line('eng2').locator('button >> text=修改').click();
	await line('eng2').locator('[name=serves_all]').uncheck();
	await line('eng2').locator(`[name=tenant][value="${s.beta}"]`).check();
	await shot(page, 'page-staff');
	await line('eng2').locator('button >> text=保存').click();
	await page.waitForSelector('.toast >> text=已保存');
	await waitUntil(async () => !/全部客户|部分客户/.test(await line('eng2').textContent()));
	assert.strictEqual(s.sql("select string_agg(x.tenant_id::text, ',') from staff_tenants x join staff s on s.id = x.staff_id where s.username = 'eng2'"), String(s.beta));
	/* who may not read users is offered nothing, nor are customers */
	for (const [name, tenant] of [
		['eng1', null],
		['admin', 'beta'],
	]) {
		const other = await enter(name, tenant, { width: 1280, height: 800 });
		assert.strictEqual(await other.isVisible('#staff_open'), false, name);
		await other.context().close();
	}
	await page.context().close();
	assert.deepStrictEqual(errors.slice(before), []);
});
test("the type of incident is chosen in the reader's language, for the customer that is picked", async () => {
	const before = errors.length;
	for (const [tenant, code] of [
		[s.alpha, 'tills-down'],
		[s.beta, 'p1-login'],
	])
		s.sql(
			`insert into catalogue (tenant_id, kind, code, name_zh, name_en, priority) values (${tenant}, 'incident_type', '${code}', '${code}-zh', '${code}-en', 'P2')`,
		);
	const options = (page) => page.locator('#incident_type option').allTextContents(),
		staff = await enter('eng1', null, { width: 1280, height: 800 }),
		user = await enter('user', 'alpha', { width: 390, height: 800 });
	await user.click('#new');
	await user.waitForFunction(() => document.querySelectorAll('#incident_type option').length > 24);
	assert.deepStrictEqual(
		[(await options(user))[0], (await options(user)).includes('用户登录失败')],
		['其他', true],
	);
	await shot(user, 'page-phone-incident-type');
	await user.fill('#create [name=title]', 'of a type');
	await user.fill('#create [name=description]', 'x');
	await user.selectOption('#incident_type', 'tills-down');
	await user.click('#create [type=submit]');
	await user.waitForSelector('#create', { state: 'hidden' });
	assert.strictEqual(
		s.sql("select priority || ' ' || incident_type from tickets where title = 'of a type'"),
		'P2 tills-down',
	);
	/* staff: each customer's own types, and a built-in one as the customer has replaced it */
	await staff.click('#new');
	await staff.waitForFunction(() => document.querySelectorAll('#incident_type option').length > 24);
	for (const [tenant, has, hasNot] of [
		[s.alpha, ['tills-down-zh', '用户登录失败'], ['p1-login-zh']],
		[s.beta, ['p1-login-zh'], ['tills-down-zh', '用户登录失败']],
	]) {
		await staff.selectOption('#pick select', String(tenant));
		const shown = await options(staff);
		for (const x of has) assert.ok(shown.includes(x), x);
		for (const x of hasNot) assert.ok(!shown.includes(x), x);
	}
	await staff.click('#cancel');
	await staff.click('#lang');
	await staff.click('#new');
	assert.ok((await options(staff)).includes('p1-login-en'));
	assert.deepStrictEqual(errors.slice(before), []);
	await user.context().close();
	await staff.context().close();
});
test('a customer reads whom to call, in the chosen language; others do not', async () => {
	s.sql(`insert into customer_details (tenant_id, external_id, hotline, customer_success_manager, synced_at)
		values (${s.alpha}, 'help', '400-820-8820', '王成功', now())
		on conflict (tenant_id) do update set hotline = excluded.hotline, customer_success_manager = excluded.customer_success_manager`);
	const user = await enter('user', 'alpha', { width: 390, height: 800 }),
		staff = await enter('eng1', null, { width: 1280, height: 800 });
	const help = (page) => page.locator('#help').textContent();
	await user.waitForSelector('#help:not([hidden])');
	assert.strictEqual(await help(user), '服务热线：400-820-8820 · 您的客户成功经理：王成功');
	await user.click('#lang');
	assert.strictEqual(await help(user), 'Hotline: 400-820-8820 · Your customer success manager: 王成功');
	await shot(user, 'page-phone-help');
	assert.strictEqual(await help(staff), '');
	await user.click('#logout');
	await user.waitForSelector('#login:not([hidden])');
	assert.strictEqual(await help(user), '');
	await user.context().close();
	await staff.context().close();
});
test('every word is there in both languages, and so is the name of every field that the page sends', async () => {
	const page = await (await browser.newContext({ locale: 'zh-CN' })).newPage();
	await page.goto(`http://127.0.0.1:${s.port}/`);
	await page.waitForSelector('#login:not([hidden])');
	const [zh, en] = await page.evaluate(() => [words.zh, words.en]);
	assert.deepStrictEqual(Object.keys(zh).sort(), Object.keys(en).sort());
	const sent = [
		...['username', 'password', 'tenant', 'new_password', 'old_password', 'code'],
		...['title', 'description', 'impact_scope', 'priority', 'factors', 'tenant_id'],
		...['text', 'reason', 'score', 'root_cause', 'solution', 'solution_kind', 'prevention'],
		...['configuration', 'display_name', 'support_contact', 'primary_color', 'accent_color'],
		...['logo', 'logo_url'],
	];
	assert.deepStrictEqual(
		sent.filter((f) => !zh[f] || !/[一-龥]/.test(zh[f]) || !en[f]),
		[],
	);
	assert.deepStrictEqual(
		Object.entries(zh).filter(([, v]) => /[一-龥] ?[,;:()?!]|[,;:()?!] ?[一-龥]/.test(v)),
		[],
	);
	await page.context().close();
});
test('scripts cannot read tokens; a page refreshes its session, two pages share it, logging out ends it', async () => {
	const page = await enter('eng1', null, { width: 1280, height: 800 }),
		context = page.context();
	assert.deepStrictEqual(
		await page.evaluate(() => [
			Object.values(sessionStorage)
				.concat(Object.values(localStorage))
				.join(' ')
				.includes('eyJ'),
			/eyJ|sr1/.test(document.cookie),
		]),
		[false, false],
	);
	const twin = await context.newPage();
	await context.clearCookies({ name: 'sd_access' });
	await Promise.all([page.reload(), twin.goto(`http://127.0.0.1:${s.port}/`)]);
	await Promise.all([page, twin].map((p) => p.waitForSelector('.dot.on')));
	assert.strictEqual(
		s.sql("select count(*) from sessions where revoked_why = 'refresh token used twice'"),
		'0',
	);
	await page.click('#logout');
	await page.waitForSelector('#login:not([hidden])');
	await waitUntil(async () => (await context.cookies()).length === 0);
	await twin.reload();
	await twin.waitForSelector('#login:not([hidden])');
});
test('a wrong password is reported, and the documentation page lists the API', async () => {
	const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
	await page.goto(`http://127.0.0.1:${s.port}/`);
	await page.fill('[name=username]', 'eng1');
	await page.fill('[name=password]', 'not this one');
	await page.click('#login [type=submit]');
	await page.waitForSelector('text=wrong user name or password');
	await page.goto(`http://127.0.0.1:${s.port}/docs`);
	await page.waitForSelector('text="/api/v1/tickets/{id}/sla"');
	await page.fill('#find', 'webhooks');
	assert.ok((await page.locator('#list .card:visible').count()) < 5);
});
test('a forgotten password: requested on the page, and the mailed link sets a new one', async () => {
	const page = await (
		await browser.newContext({ locale: 'en-US', viewport: { width: 390, height: 800 } })
	).newPage();
	await page.goto(`http://127.0.0.1:${s.port}/`);
	await page.click('#forgot');
	await page.waitForSelector('text=Enter the user name first');
	await page.fill('[name=tenant]', 'beta');
	await page.fill('[name=username]', 'admin');
	await page.click('#forgot');
	await page.waitForSelector('text=a mail has been sent');
	const link = await waitUntil(() => {
		const m = mail.mails.find((x) => x.to[0] === 'admin@beta.example' && /#reset=/.test(x.body));
		return m && m.body.match(/#reset=[\w.-]+/)[0];
	});
	await page.goto('about:blank');
	await page.goto(`http://127.0.0.1:${s.port}/${link}`);
	await page.fill('#reset [name=fresh]', 'weak');
	await page.click('#reset button');
	await page.waitForSelector('#reset .error:not(:empty)');
	await shot(page, 'page-reset');
	assert.ok(!(await page.url()).includes('reset='), 'the token leaves the address');
	await page.fill('#reset [name=fresh]', 'Frisch-gesetzt-1');
	await page.click('#reset button');
	await page.waitForSelector('#login:not([hidden])');
	await page.fill('[name=tenant]', 'beta');
	await page.fill('[name=username]', 'admin');
	await page.fill('[name=password]', 'Frisch-gesetzt-1');
	await page.click('#login [type=submit]');
	await page.waitForSelector('.dot.on');
});
test('a first login asks for a new password, then continues', async () => {
	s.cli(
		[
			'user',
			'add',
			'--tenant',
			'beta',
			'--username',
			'newcomer',
			'--name',
			'Newcomer',
			'--email',
			'n@beta.example',
			'--must-change',
		],
		PASSWORD + '\n',
	);
	const page = await (
		await browser.newContext({ locale: 'en-US', viewport: { width: 390, height: 800 } })
	).newPage();
	await page.goto(`http://127.0.0.1:${s.port}/`);
	await page.fill('[name=tenant]', 'beta');
	await page.fill('[name=username]', 'newcomer');
	await page.fill('[name=password]', PASSWORD);
	await page.click('#login [type=submit]');
	await page.waitForSelector('text=Choose a new password first');
	await shot(page, 'page-must-change');
	await page.fill('[name=fresh]', 'password');
	await page.click('#login [type=submit]');
	await page.waitForSelector('text=upper-case letter');
	await page.fill('[name=fresh]', 'Kofferwort-7');
	await page.click('#login [type=submit]');
	await page.waitForSelector('.dot.on');
	assert.strictEqual(
		(
			await s.post('/api/v1/auth/login', null, {
				username: 'newcomer',
				password: 'Kofferwort-7',
				tenant: 'beta',
			})
		).data.must_change_password,
		false,
	);
});
const corpus = path.join(process.env.SLADESK_CORPORA || '/nowhere', 'xss.txt.gz');
test(
	'scripts in titles, texts and names stay text: nothing runs, nothing is changed',
	{ skip: fs.existsSync(corpus) ? false : 'the corpus is not here' },
	async () => {
		const lines = require('node:zlib')
				.gunzipSync(fs.readFileSync(corpus))
				.toString()
				.split('\n')
				.map((l) => l.trim())
				.filter(Boolean),
			token = await s.login('user', 'beta'),
			bodies = [];
		const titles = lines
			.filter((l) => l.length <= 200 && /</.test(l))
			.filter((_, i) => i % 30 === 0)
			.slice(0, 190);
		const k = (
			await s.post('/api/v1/tickets', token, {
				title: titles[0],
				description: lines[1],
				priority: 'P3',
			})
		).data;
		for (let i = 0; i < lines.length; i += 60) bodies.push(lines.slice(i, i + 60).join('\n'));
		for (const text of bodies)
			assert.strictEqual(
				(await s.post(`/api/v1/tickets/${k.id}/reply`, token, { text })).status,
				200,
			);
		for (const title of titles.slice(1))
			assert.strictEqual(
				(
					await s.post('/api/v1/tickets', token, {
						title,
						description: 'x',
						priority: 'P4',
					})
				).status,
				201,
			);
		s.sql(
			`update client_users set full_name = '"><img src=x onerror=alert(3)>' where tenant_id = ${s.beta}`,
		);
		errors.length = 0;
		const page = await enter('user', 'beta', { width: 1280, height: 800 });
		await page.waitForFunction(
			(n) => document.querySelectorAll('.row').length >= n,
			titles.length,
		);
		await page.click(`.row[data-id="${k.id}"]`);
		await page.waitForFunction(
			(n) => document.querySelectorAll('#ticket .comment').length >= n,
			bodies.length + 1,
		);
		const shown = await page.evaluate(() =>
			[...document.querySelectorAll('#ticket .comment')].map((c) => c.lastChild.data),
		);
		assert.deepStrictEqual(shown.slice(1), bodies);
		const seen = new Set(
			await page.evaluate(() =>
				[...document.querySelectorAll('.row')].map((r) => r.textContent),
			),
		);
		assert.ok(titles.every((x) => [...seen].some((r) => r.includes(x))));
		assert.strictEqual(
			await page.evaluate(
				() =>
					document.querySelectorAll(
						'img, iframe, object, embed, svg:not([class]), script:not([src])',
					).length,
			),
			0,
		);
		assert.deepStrictEqual(errors, []);
	},
);
