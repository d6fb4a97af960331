// SPDX-License-Identifier: Apache-2.0
// The account dialog in a real browser: two-step verification by QR code, recovery codes, a passkey on a virtual authenticator (registered, used,
// copied, removed); at desktop and phone size; no console error.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	crypto = require('node:crypto');
const { launch, picture, shot } = require('../lib/browser.js');
const { Server, PASSWORD, mailSink, freePort } = require('../lib/server.js');

let s, mail, browser;
const errors = [];
test.before(async () => {
	mail = await mailSink();
	s = new Server('account_page', { mail: { url: mail.url } });
	await s.prepare();
	s.settings.http = {
		url: 'http://localhost:' + s.port,
	}; /* WebAuthn does not accept an IP address as the relying party */
	await s.start();
	assert.ok(await freePort());
	browser = await launch();
});
test.after(async () => {
	await browser.close();
	await s.drop();
	await mail.close();
});
async function open(viewport = { width: 1280, height: 900 }, locale = 'zh-CN') {
	const context = await browser.newContext({ viewport, locale }),
		page = await context.newPage();
	page.on('console', (m) => {
		if (m.type() === 'error' && !/400|401|403|409/.test(m.text())) errors.push(m.text());
	});
	page.on('pageerror', (e) => errors.push(e.message));
	await page.goto(`http://localhost:${s.port}/`);
	await page.waitForSelector('#login:not([hidden])');
	return page;
}
async function fill(page, username = 'user', tenant = 'alpha') {
	await page.fill('#login [name=tenant]', tenant);
	await page.fill('#login [name=username]', username);
	await page.fill('#login [name=password]', PASSWORD);
	await page.click('#login [type=submit]');
}
const totp = (secret) => {
	let bits = '';
	for (const c of secret)
		bits += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0');
	const b = Buffer.alloc(8);
	b.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
	const h = crypto
			.createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((x) => parseInt(x, 2))))
			.update(b)
			.digest(),
		o = h[19] & 15;
	return String((h.readUInt32BE(o) & 0x7fffffff) % 1000000).padStart(6, '0');
};

let codes;
test('two-step verification is set up on the page and required at the next login', async () => {
	const page = await open();
	await fill(page);
	await page.waitForSelector('.dot.on');
	await page.click('#who');
	await page.click('#account_actions >> text=添加验证器应用');
	await page.waitForSelector('.qr');
	await shot(page, 'account-enrol');
	await page.fill('#enrol input', totp(await page.textContent('#enrol code')));
	await page.click('#enrol button');
	codes = (await page.textContent('.codes pre')).split('\n');
	assert.strictEqual(codes.length, 10);
	assert.match(await page.textContent('#factor_list'), /验证器应用.*剩余恢复码：10/s);
	await shot(page, 'account-codes');
	await page.context().close();
	const phone = await open({ width: 390, height: 800 }, 'en-US');
	await fill(phone);
	await phone.waitForSelector('#step:not([hidden])');
	await shot(phone, 'account-step-phone');
	await phone.fill('#step [name=code]', 'wrong-code');
	await phone.click('#step [type=submit]');
	await phone.waitForSelector('#step .error:not(:empty)');
	await phone.fill('#step [name=code]', codes[0]);
	await phone.check('#step [name=trust]');
	await phone.click('#step [type=submit]');
	await phone.waitForSelector('.dot.on');
	await phone.click('#who');
	await phone.waitForSelector('#account[open] .line');
	await shot(phone, 'account-phone');
	await phone.click('#account_close');
	await phone.click('#logout');
	await fill(phone);
	await phone.waitForSelector('.dot.on', { timeout: 5000 });
	await phone.context().close();
	const by = await open();
	await fill(by);
	await by.waitForSelector('#step:not([hidden])');
	assert.strictEqual(await by.isVisible('#by_mail'), false, 'a user with an app gets no code by mail');
	await by.fill('#step [name=code]', codes[1]);
	await by.click('#step [type=submit]');
	await by.waitForSelector('.dot.on');
	/* an old session is asked who is there, and then goes on */
	s.sql("update sessions set proved_at = proved_at - interval '6 minutes'");
	await by.click('#who');
	await by.click('#account_actions >> text=重新生成恢复码');
	await by.waitForSelector('#step_up[open]');
	await shot(by, 'account-step-up');
	await by.fill('#step_up [name=proof]', 'wrong');
	await by.click('#step_up_ok');
	await by.waitForSelector('#step_up .error:not(:empty)');
	await by.fill('#step_up [name=proof]', PASSWORD);
	await by.click('#step_up_ok');
	const fresh = (await by.textContent('.codes pre')).split('\n');
	assert.strictEqual(new Set([...codes, ...fresh]).size, 20, 'new ones');
	/* who gives up is told why nothing happened */
	s.sql("update sessions set proved_at = proved_at - interval '6 minutes'");
	await by.click('#account_actions >> text=重新生成恢复码');
	await by.click('#step_up_cancel');
	await by.waitForSelector('#account .error:not(:empty)');
	await by.context().close();
});
test('a passkey is registered, logs in without a password, and opens a locked account', async () => {
	const page = await open(),
		cdp = await page.context().newCDPSession(page);
	await cdp.send('WebAuthn.enable');
	const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
		options: {
			protocol: 'ctap2',
			transport: 'internal',
			hasResidentKey: true,
			hasUserVerification: true,
			isUserVerified: true,
			automaticPresenceSimulation: true,
		},
	});
	await fill(page, 'admin');
	await page.waitForSelector('.dot.on');
	await page.click('#who');
	await page.click('#account_actions >> text=添加通行密钥');
	await page.waitForSelector('#factor_list >> text=通行密钥');
	await page.click('#account_close');
	await page.click('#logout');
	await page.waitForSelector('#login:not([hidden])');
	for (let i = 0; i < 5; i++)
		await s.post('/api/v1/auth/login', null, {
			username: 'admin',
			password: 'wrong',
			tenant: 'alpha',
		});
	assert.strictEqual(
		(
			await s.post('/api/v1/auth/login', null, {
				username: 'admin',
				password: PASSWORD,
				tenant: 'alpha',
			})
		).code,
		40004,
		'locked',
	);
	const sent = [];
	page.on('request', (r) => {
		if (r.url().endsWith('/auth/passkey')) sent.push(r.postDataJSON());
	});
	await page.click('#passkey');
	await page.waitForSelector('.dot.on');
	assert.strictEqual(
		s.sql('select method, factor from sessions order by id desc limit 1'),
		'passkey|passkey',
	);
	const post = (body) => s.post('/api/v1/auth/passkey', null, { ...sent[0], cookies: false, ...body });
	assert.strictEqual((await post({})).code, 40004, 'a response is valid once');
	const fresh = async (change) => {
		/* signed again by the page, but changed on the way */
		const body = await page.evaluate(async () => {
			const o = await api('POST', '/api/v1/auth/passkey/options'),
				c = await navigator.credentials.get({
					publicKey: {
						challenge: toBytes(o.challenge),
						rpId: o.rpId,
						userVerification: 'required',
					},
				});
			return {
				challenge_token: o.challenge_token,
				credential_id: c.id,
				client_data: toText(c.response.clientDataJSON),
				authenticator_data: toText(c.response.authenticatorData),
				signature: toText(c.response.signature),
			};
		});
		return s.post('/api/v1/auth/passkey', null, change(body));
	};
	const text = (b) => Buffer.from(b, 'base64url'),
		swap = (b, f) => f(text(b)).toString('base64url');
	assert.strictEqual((await fresh((b) => b)).status, 200);
	for (const [why, change] of [
		[
			'another origin',
			(b) => ({
				...b,
				client_data: swap(b.client_data, (x) =>
					Buffer.from(x.toString().replace('localhost', 'evil.test')),
				),
			}),
		],
		[
			'another type',
			(b) => ({
				...b,
				client_data: swap(b.client_data, (x) =>
					Buffer.from(x.toString().replace('webauthn.get', 'webauthn.create')),
				),
			}),
		],
		[
			'a changed signature',
			(b) => ({ ...b, signature: swap(b.signature, (x) => ((x[x.length - 1] ^= 1), x)) }),
		],
		[
			'not verified',
			(b) => ({
				...b,
				authenticator_data: swap(b.authenticator_data, (x) => ((x[32] &= ~4), x)),
			}),
		],
		[
			'another host',
			(b) => ({
				...b,
				authenticator_data: swap(b.authenticator_data, (x) => ((x[0] ^= 1), x)),
			}),
		],
		[
			'a lower counter',
			(b) => ({
				...b,
				authenticator_data: swap(b.authenticator_data, (x) => (x.fill(0, 33, 37), x)),
			}),
		],
		['another challenge', (b) => ({ ...b, challenge_token: sent[0].challenge_token })],
		['no such key', (b) => ({ ...b, credential_id: 'AAAA' })],
	])
		assert.strictEqual((await fresh(change)).code, 40004, why);
	/* a copy of the key whose counter is behind that of the other */
	s.sql("update factors set counter = 1000000 where kind = 'passkey'");
	assert.strictEqual((await fresh((b) => b)).code, 40004, 'a copied key');
	s.sql("update factors set counter = 0 where kind = 'passkey'");
	assert.strictEqual(
		(
			await s.post('/api/v1/auth/login', null, {
				username: 'admin',
				password: PASSWORD,
				tenant: 'alpha',
			})
		).data.second_factor_required,
		true,
		'who has a passkey is asked for a second factor beside the password',
	);
	await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
	await page.context().close();
});
test('an administrator sets name, colours and logo; all users of the customer see them, also before the login', async () => {
	const page = await open();
	await fill(page, 'admin', 'beta');
	await page.waitForSelector('.dot.on');
	await page.click('#who');
	await page.fill('#look [name=display_name]', '甲方公司 Beta');
	await page.fill('#look [name=primary_color]', '#f5c400');
	await page.fill('#look [name=accent_color]', '#0a7d5a');
	const logo = await browser.newPage({ viewport: { width: 60, height: 60 } });
	await logo.setContent('<body style="background: #0a7d5a">logo');
	await page.setInputFiles('#look [name=logo]', {
		name: 'logo.png',
		mimeType: 'image/png',
		buffer: await picture(logo),
	});
	await page.locator('#look').scrollIntoViewIfNeeded();
	await page.click('#look [type=submit]');
	await page.waitForSelector('h1 img');
	await page.waitForSelector('#no_logo:not([hidden])');
	await shot(page, 'look-form');
	await page.click('#account_close');
	await page.waitForFunction(() => document.querySelector('h1 img').naturalWidth === 60);
	await shot(page, 'look-desk');
	await page.context().close();
	const phone = await open({ width: 390, height: 800 });
	assert.strictEqual(await phone.textContent('h1'), 'sladesk');
	await phone.fill('#login [name=tenant]', 'beta');
	await phone.click('#login [name=username]');
	await phone.waitForSelector('h1 img');
	assert.strictEqual(await phone.textContent('h1'), '甲方公司 Beta');
	const button = await phone
		.locator('#login [type=submit]')
		.evaluate((b) => [getComputedStyle(b).backgroundColor, getComputedStyle(b).color]);
	assert.deepStrictEqual(button, ['rgb(245, 196, 0)', 'rgb(16, 21, 28)'], 'dark letters on yellow');
	await shot(phone, 'look-phone');
	await fill(phone, 'user', 'beta');
	await phone.waitForSelector('.dot.on');
	assert.strictEqual(await phone.textContent('h1'), '甲方公司 Beta');
	await phone.click('#who');
	await phone.waitForSelector('#session_list .line');
	assert.ok(await phone.locator('#look').isHidden());
	await phone.context().close();
	const staff = await open();
	await fill(staff, 'boss', '');
	await staff.waitForSelector('.dot.on');
	assert.strictEqual(await staff.textContent('h1'), 'sladesk');
	await staff.context().close();
});
test('an authorised user exports the tickets to a file', async () => {
	const page = await open({ width: 390, height: 800 });
	await fill(page, 'admin', 'beta');
	await page.waitForSelector('.dot.on');
	const [file] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
	assert.match(file.suggestedFilename(), /^exp-\d{8}-001\.csv$/);
	assert.match(
		require('node:fs').readFileSync(await file.path(), 'utf8'),
		/^\ufeffticket_id,title,status,priority,service_type,created_at,resolved_at\r\n$/,
	);
	await page.waitForSelector('.toast');
	await shot(page, 'export-phone');
	await page.context().close();
	const user = await open();
	await fill(user, 'user', 'beta');
	await user.waitForSelector('.dot.on');
	assert.ok(await user.locator('#export').isHidden());
	await user.context().close();
});
test('no error on the console', () => assert.deepStrictEqual(errors, []));
