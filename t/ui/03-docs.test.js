// SPDX-License-Identifier: Apache-2.0
// The documentation page: groups, anchors, examples, error codes, and trying an operation with the browser's session or a token.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { launch, shot } = require('../lib/browser.js');
const { Server, PASSWORD } = require('../lib/server.js');

let s, browser;
const errors = [];
test.before(async () => {
	s = await Server.make('docs', {});
	browser = await launch();
});
test.after(async () => {
	await browser.close();
	await s.drop();
});

async function open(hash = '', options = {}) {
	const page = await (await browser.newContext({ locale: 'zh-CN', ...options })).newPage();
	page.on('console', (m) => {
		if (m.type() === 'error' && !/40\d/.test(m.text())) errors.push(m.text());
	});
	page.on('pageerror', (e) => errors.push(e.message));
	await page.goto(`http://127.0.0.1:${s.port}/docs${hash}`);
	await page.waitForSelector('#list .op');
	return page;
}

test("every operation is in its group, in the portal's language; the search finds operations", async () => {
	const doc = (await s.get('/openapi.json')).json,
		page = await open('', { viewport: { width: 1280, height: 900 } });
	const count = Object.values(doc.paths).reduce((n, ops) => n + Object.keys(ops).length, 0);
	assert.strictEqual(await page.locator('#list .op').count(), count);
	assert.strictEqual(await page.locator('#groups a').count(), doc.tags.length);
	assert.strictEqual(await page.locator('html').getAttribute('lang'), 'zh');
	await page.waitForSelector('text=处理过程、时钟与历史');
	await shot(page, 'docs-desktop');
	await page.click('#intro summary');
	for (const e of doc.components['x-errors'])
		await page.waitForSelector(
			`#intro tr:has(td:text-is("${e.code}")):has(td:text-is("${e['x-message-zh']}")):has(td:text-is("${e['x-description-zh']}"))`,
		);
	await page.click('#lang');
	assert.strictEqual(await page.locator('html').getAttribute('lang'), 'en');
	await page.fill('#find', 'webhooks');
	const hooks = Object.entries(doc.paths).filter(([p]) => p.includes('webhooks'));
	assert.strictEqual(
		await page.locator('#list .op:visible').count(),
		hooks.reduce((n, [, ops]) => n + Object.keys(ops).length, 0),
	);
	assert.strictEqual(await page.locator('#list section:visible').count(), 1);
	await page.fill('#find', 'no such thing');
	await page.waitForSelector('#nothing:visible');
	await page.context().close();
});
test('the Chinese page has Chinese punctuation, whatever is opened', async () => {
	const page = await open();
	const said = await page.evaluate(async () => {
		document.querySelectorAll('details').forEach((d) => (d.open = true));
		while (
			document.querySelectorAll('.op .inside').length <
			document.querySelectorAll('.op').length
		)
			await new Promise((ok) => requestAnimationFrame(ok));
		return [...document.querySelectorAll('p, h2, h3, th, td, summary span, label')].map(
			(e) => e.textContent,
		);
	});
	assert.ok(said.length > 3000, String(said.length));
	assert.deepStrictEqual(
		said.filter((t) => /[一-龥] ?[,;:()?!]|[,;:()?!] ?[一-龥]/.test(t)),
		[],
	);
	await page.context().close();
});
test('an anchor opens its operation: fields, example, reply, possible errors', async () => {
	const page = await open('#ticket_create', {
			locale: 'en-US',
			viewport: { width: 1280, height: 900 },
		}),
		op = page.locator('#ticket_create');
	await op.locator('.inside').waitFor();
	await op.locator('code:text-is("title")').waitFor();
	assert.match(
		await op.locator('tr:has(code:text-is("impact_scope"))').innerText(),
		/all_users \| most_users/,
	);
	assert.match(
		await op.locator('tr:has(code:text-is("tags"))').innerText(),
		/array\[string\].*0…20 items/s,
	);
	assert.match(await op.locator('pre').first().innerText(), /"title"/);
	for (const code of ['40003', '41002', '41004', '40005'])
		assert.ok((await op.locator('td', { hasText: code }).count()) > 0, code);
	assert.match(await op.innerText(), /ticket:write/);
	assert.match(
		await op.locator('tr:has(code:text-is("priority"))').first().innerText(),
		/P0 \| P1 .* critical/,
	);
	await page.evaluate(() => (location.hash = '#ticket_get'));
	await page.locator('#ticket_get .inside').waitFor();
	assert.match(
		await page.locator('#ticket_get tr:has(code:text-is("assignee_id"))').innerText(),
		/integer or null/,
	);
	assert.strictEqual(await page.locator('header a#portal').getAttribute('href'), '/');
	await shot(page, 'docs-operation');
	await page.context().close();
});
test("an operation runs with the browser's session, or with a pasted token", async () => {
	const page = await open('#ticket_create', { locale: 'en-US' }),
		op = page.locator('#ticket_create'),
		result = op.locator('.try pre');
	await op.locator('.try button').click();
	await page.waitForFunction(() =>
		/^401/.test(document.querySelector('#ticket_create .try pre').innerText),
	);
	await page.fill('#token', await s.login('user', 'alpha'));
	await op.locator('.try button').click();
	await page.waitForFunction(() =>
		/^201/.test(document.querySelector('#ticket_create .try pre').innerText),
	);
	const id = JSON.parse((await result.innerText()).split('\n\n')[1]).data.id;
	await op.locator('.try textarea').fill('{"title": ""}');
	await op.locator('.try button').click();
	await page.waitForFunction(() =>
		/^400/.test(document.querySelector('#ticket_create .try pre').innerText),
	);
	assert.match(await result.innerText(), /"description"/);
	await page.fill('#token', '');
	await page.evaluate(
		(body) =>
			fetch('/api/v1/auth/login', {
				method: 'POST',
				headers: { 'Content-Type': 'application/json' },
				body,
			}),
		JSON.stringify({ username: 'user', password: PASSWORD, tenant: 'alpha', cookies: true }),
	);
	await page.evaluate(() => (location.hash = '#ticket_reply'));
	const reply = page.locator('#ticket_reply');
	await reply.locator('.try input[name=id]').fill(String(id));
	await reply.locator('.try button').click();
	await page.waitForFunction(() =>
		/^200/.test(document.querySelector('#ticket_reply .try pre').innerText),
	);
	await page.context().close();
});
test('on a phone, nothing overflows the screen, and every control has a name', async () => {
	const page = await open('#client_ticket_list', { viewport: { width: 390, height: 844 } });
	await page.locator('#client_ticket_list .inside').waitFor();
	await shot(page, 'docs-phone');
	assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
	assert.ok((await page.locator('header').boundingBox()).height < 70, 'the head is one line');
	const nameless = await page.evaluate(() =>
		[...document.querySelectorAll('input, textarea, button, a')]
			.filter((e) => e.checkVisibility())
			.filter(
				(e) =>
					!(e.labels && e.labels.length) &&
					!e.getAttribute('aria-label') &&
					!e.textContent.trim(),
			)
			.map((e) => e.outerHTML),
	);
	assert.deepStrictEqual(nameless, []);
	assert.deepStrictEqual(errors, []);
	await page.context().close();
});
