// SPDX-License-Identifier: Apache-2.0
// A customer's portal: tickets under its own paths, ratings, preferences, dashboards, and the theme before and after the login.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil } = require('../lib/server.js');

let s, admin, user, other, eng;
test.before(async () => {
	s = await Server.make('portal');
	[admin, user, other, eng] = await Promise.all([
		s.login('admin', 'alpha'),
		s.login('user', 'alpha'),
		s.login('admin', 'beta'),
		s.login('eng1'),
	]);
});
test.after(() => s.drop());
const put = (p, token, body) => s.request('PUT', p, { token, body });
const del = (p, token) => s.request('DELETE', p, { token });
const fields = (r) => (r.json.details.fields || []).map((f) => f.field);

test('customer paths under /client: create, read, reply, escalate, confirm, rate', async () => {
	const tickets = '/api/v1/client/tickets',
		made = await s.post(tickets, user, { title: 'x', description: 'y', priority: 'P3' });
	assert.strictEqual(made.status, 201, made.text);
	const one = `${tickets}/${made.data.id}`;
	assert.strictEqual((await s.get(one, user)).data.number, made.data.number);
	assert.ok(
		(await s.get(tickets + '?sort=urgent', user)).data.items.some((t) => t.id === made.data.id),
	);
	assert.strictEqual((await s.post(one + '/reply', user, { text: 'more' })).status, 200);
	assert.strictEqual((await s.post(one + '/escalate', user, { reason: 'urgent' })).status, 200);
	assert.strictEqual(
		(await s.post(one + '/rate', user, { score: 5 })).code,
		41002,
		'not while it is open',
	);
	for (const [cmd, body] of [
		['reply', { text: 'we look' }],
		['resolve', { text: 'done' }],
	])
		assert.strictEqual(
			(await s.post(`/api/v1/tickets/${made.data.id}/${cmd}`, eng, body)).status,
			200,
		);
	for (const score of [0, 6, 2.5, '5', null])
		assert.deepStrictEqual(fields(await s.post(one + '/rate', user, { score })), ['score']);
	assert.strictEqual((await s.post(one + '/rate', eng, { score: 5 })).code, 40003, 'staff cannot rate');
	assert.strictEqual((await s.post(one + '/rate', other, { score: 1 })).code, 41001);
	assert.strictEqual((await s.post(one + '/rate', user, { score: 2, text: 'slow' })).status, 200);
	assert.strictEqual((await s.post(one + '/rate', user, { score: 4, text: 'but good' })).status, 200);
	assert.strictEqual((await s.post(one + '/rate', admin, { score: 5 })).status, 200);
	assert.strictEqual((await s.post(one + '/confirm-resolution', user)).status, 200);
	const overview = async (token) =>
		(await s.get('/api/v1/client/dashboard/overview', token)).data.summary;
	await waitUntil(async () => (await overview(admin)).ratings === 2, 3000);
	assert.strictEqual(
		(await overview(admin)).satisfaction_score,
		4.5,
		'a second rating by the same person replaces the first',
	);
	assert.strictEqual(
		(await overview(user)).satisfaction_score,
		null,
		'a user may rate, but not see ratings',
	);
	assert.strictEqual((await overview(other)).ratings, null);
	assert.strictEqual((await s.post(one + '/reopen', user, { reason: 'again' })).status, 200);
	assert.match(s.cli(['sla', 'verify']), /, 0 differences/);
});
test('preferences belong to the user; the language applies to mails', async () => {
	const path = '/api/v1/client/preferences';
	assert.deepStrictEqual((await s.get(path, user)).data, {
		preferences: {},
		lang: 'zh',
		timezone: 'Asia/Shanghai',
	});
	const likes = {
		theme: 'dark',
		lang: 'en',
		page_size: 50,
		mail: { weekly: true },
		text: '中文 "quotes"',
	};
	assert.strictEqual((await put(path, user, { preferences: likes })).status, 200);
	const kept = (await s.get(path, user)).data;
	assert.deepStrictEqual([kept.preferences, kept.lang], [likes, 'en']);
	assert.deepStrictEqual((await s.get(path, admin)).data.preferences, {}, "nobody else's");
	assert.deepStrictEqual(fields(await put(path, user, { preferences: [] })), ['preferences']);
	assert.deepStrictEqual(fields(await put(path, user, { preferences: { lang: 'fr' } })), [
		'preferences.lang',
	]);
	assert.deepStrictEqual(fields(await put(path, user, { preferences: { x: 'x'.repeat(17000) } })), [
		'preferences',
	]);
	assert.strictEqual((await put(path, eng, { preferences: {} })).code, 40003);
	const token = s
		.cli([
			'token',
			'add',
			'--tenant',
			'alpha',
			'--name',
			'svc',
			'--scopes',
			'dashboard:read,tickets:read',
		])
		.trim()
		.split(/\s+/)
		.pop();
	s.sql(
		"update api_tokens set id = (select id from client_users where username = 'user' and tenant_id = api_tokens.tenant_id)",
	);
	const same = token.replace(
		/^sd1\.(\d+)\.\d+\./,
		(m, t) =>
			`sd1.${t}.${s.sql(`select id from client_users where username = 'user' and tenant_id = ${t}`)}.`,
	);
	assert.strictEqual((await s.get('/api/v1/me', same)).data.kind, 'service');
	assert.strictEqual(
		(await put(path, same, { preferences: { hacked: true } })).code,
		40003,
		'a service is not the user with the same id',
	);
	assert.strictEqual((await s.get(path, same)).code, 41001);
});
test('dashboards: created, changed under their version, one default, shared or not; the layout is checked', async () => {
	const path = '/api/v1/client/dashboard/config',
		widget = (id, position = { x: 0, y: 0, w: 3, h: 2 }, more = {}) => ({
			id,
			type: 'metric_card',
			position,
			config: { metric: 'total_tickets', title: '总工单数' },
			...more,
		}),
		layout = (...widgets) => ({ grid: { cols: 12, rows: 8 }, widgets });
	const a = await s.post(path, admin, {
		dashboard_name: '运维概览',
		layout_config: layout(widget('w1'), widget('w2', { x: 3, y: 0, w: 9, h: 2 })),
		is_default: true,
	});
	assert.strictEqual(a.status, 201, a.text);
	const got = (await s.get(`${path}/${a.data.config_id}`, admin)).data;
	assert.strictEqual(got.dashboard_name, '运维概览');
	assert.deepStrictEqual(got.layout_config.widgets[1].position, { x: 3, y: 0, w: 9, h: 2 });
	assert.deepStrictEqual(
		[got.is_default, got.is_shared, got.mine, got.version],
		[true, false, true, 1],
	);
	assert.strictEqual((await s.get(`${path}/${a.data.config_id}`, user)).code, 41001, 'private');
	const b = await s.post(path, admin, {
		dashboard_name: 'shared',
		layout_config: layout(),
		is_default: true,
		is_shared: true,
	});
	assert.deepStrictEqual(
		(await s.get(path, admin)).data.items.map((d) => [d.dashboard_name, d.is_default]),
		[
			['运维概览', false],
			['shared', true],
		],
	);
	const seen = (await s.get(path, user)).data.items;
	assert.deepStrictEqual(
		seen.map((d) => [d.dashboard_name, d.mine]),
		[['shared', false]],
	);
	const one = `${path}/${a.data.config_id}`,
		body = { dashboard_name: 'renamed', layout_config: layout(widget('w1')) };
	assert.strictEqual((await put(one, admin, { ...body, version: 1 })).data.version, 2);
	assert.strictEqual(
		(await put(one, admin, { ...body, version: 1 })).code,
		41002,
		'another writer was faster',
	);
	assert.strictEqual(
		(await put(`${path}/${b.data.config_id}`, user, body)).code,
		41001,
		'a shared dashboard is read-only',
	);
	assert.strictEqual((await put(one, other, body)).code, 41001);
	assert.strictEqual(
		(await s.post(path, user, { ...body, is_shared: true })).code,
		40003,
		'sharing needs dashboard:write',
	);
	assert.strictEqual((await s.post(path, eng, body)).code, 40003);
	for (const [field, bad] of [
		['layout_config', 'x'],
		['layout_config.grid', { grid: { cols: 0, rows: 8 }, widgets: [] }],
		['layout_config.widgets', { grid: { cols: 12, rows: 8 }, widgets: {} }],
		['layout_config.widgets[0].position', layout(widget('a', { x: 10, y: 0, w: 3, h: 1 }))],
		['layout_config.widgets[1].id', layout(widget('a'), widget('a'))],
		['layout_config.widgets[0].type', layout(widget('a', undefined, { type: 'bomb' }))],
		['layout_config.widgets[0].config', layout(widget('a', undefined, { config: 'x' }))],
	])
		assert.deepStrictEqual(
			fields(await s.post(path, admin, { dashboard_name: 'x', layout_config: bad })),
			[field],
		);
	/* what widgets show, apart from where: as the product document's table has it */
	const plain = (id) => widget(id, undefined, { config: undefined }),
		config = { metric: 'total_tickets', title: 'All' },
		apart = (widget_configs, ...widgets) =>
			s.post(path, admin, {
				dashboard_name: 'apart',
				layout_config: layout(...widgets),
				widget_configs,
			}),
		made = await apart([{ id: 'b', type: 'metric_card', config }], widget('a'), plain('b'));
	assert.strictEqual(made.status, 201, made.text);
	const apartPath = `${path}/${made.data.config_id}`,
		whole = (await s.get(apartPath, admin)).data;
	assert.deepStrictEqual(whole.layout_config.widgets[1].config, config);
	assert.deepStrictEqual(
		whole.widget_configs.map((w) => [w.id, w.type, w.config.title]),
		[
			['a', 'metric_card', '总工单数'],
			['b', 'metric_card', 'All'],
		],
	);
	const { dashboard_name, layout_config, widget_configs, version } = whole,
		back = await put(apartPath, admin, { dashboard_name, layout_config, widget_configs, version });
	assert.strictEqual(back.status, 200, 'what was read can be written: ' + back.text);
	for (const [member, bad, ...widgets] of [
		['id', { id: 'x', config }, plain('a')],
		['config', { id: 'a', config: 'x' }, plain('a')],
		['type', { id: 'a', type: 'table', config }, plain('a')],
		['config', { id: 'a', config: {} }, widget('a')],
		['id', { config }, plain('a')],
		['id', 'a', plain('a')],
	])
		assert.deepStrictEqual(fields(await apart([bad], ...widgets)), [
			`widget_configs[0].${member}`,
		]);
	assert.deepStrictEqual(
		fields(await apart([{ id: 'a', config: { metric: 'nothing' } }], plain('a'))),
		['layout_config.widgets[0].config.metric'],
	);
	assert.strictEqual((await del(apartPath, admin)).status, 200);
	assert.strictEqual((await del(one, other)).code, 41001);
	assert.strictEqual((await del(one, admin)).status, 200);
	assert.strictEqual((await s.get(one, admin)).code, 41001);
});
test('a theme is public, changed by an administrator, cached by its tag; a missing tenant looks like a suspended one', async () => {
	const path = '/api/v1/client/theme/alpha',
		first = await s.get(path);
	assert.strictEqual(first.status, 200, first.text);
	assert.deepStrictEqual(
		[first.data.name, first.data.logo_url, first.data.login_methods],
		['Tenant alpha', null, ['password', 'passkey']],
	);
	assert.strictEqual((await s.get(path, null, { 'If-None-Match': first.headers.etag })).status, 304);
	const look = {
		display_name: '甲方公司',
		logo_url: 'https://alpha.example/logo.svg',
		primary_color: '#0055AA',
		accent_color: '#ff8800',
		support_contact: 'help@provider.example',
	};
	assert.strictEqual((await put('/api/v1/client/theme', user, look)).code, 40003);
	assert.strictEqual((await put('/api/v1/client/theme', admin, look)).status, 200);
	const now = await s.get(path, null, { 'If-None-Match': first.headers.etag });
	assert.deepStrictEqual(
		[now.status, now.data.name, now.data.primary_color],
		[200, '甲方公司', '#0055aa'],
	);
	const bad = await put('/api/v1/client/theme', admin, {
		logo_url: 'javascript:alert(1)',
		primary_color: 'javascript',
		accent_color: '#zzzzzz',
		more: 1,
	});
	assert.deepStrictEqual(fields(bad).sort(), ['accent_color', 'logo_url', 'more', 'primary_color']);
	const missing = await s.get('/api/v1/client/theme/nobody');
	s.sql(`update customers set status = 'suspended' where tenant_id = ${s.beta}`);
	const suspended = await s.get('/api/v1/client/theme/beta');
	assert.deepStrictEqual([missing.status, missing.code], [suspended.status, suspended.code]);
	assert.strictEqual(
		(await s.get('/api/v1/client/theme/provider')).code,
		41001,
		'the provider is not a customer',
	);
});
test('a logo is uploaded, served as an image and nothing else, and removed; other files are refused', async () => {
	const png = Buffer.from(
			'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
			'base64',
		),
		up = (b, token = admin) =>
			put('/api/v1/client/theme/logo', token, {
				logo: Buffer.isBuffer(b) ? b.toString('base64') : b,
			}),
		theme = async (of) => (await s.get('/api/v1/client/theme/' + of)).data,
		raw = (path, headers = {}) => fetch('http://127.0.0.1:' + s.port + path, { headers });
	assert.strictEqual((await up(png, user)).code, 40003);
	assert.strictEqual((await up(png, await s.login('boss'))).code, 40003);
	for (const bad of [
		Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'),
		Buffer.from('<!doctype html><script>alert(1)</script>'),
		Buffer.concat([Buffer.from('x'), png]),
		Buffer.concat([png, Buffer.alloc(65536)]),
		'%%%%' + png.toString('base64'),
		png.toString('base64') + '=',
		png.toString('base64url').replace(/^(.{20})./, '$1-') + '====',
	])
		assert.deepStrictEqual(fields(await up(bad)), ['logo']);
	assert.deepStrictEqual(fields(await put('/api/v1/client/theme/logo', admin, {})), ['logo']);
	assert.strictEqual((await s.get(`/api/v1/client/theme/${s.alpha}/logo`)).code, 41001);
	const was = await theme('alpha');
	assert.strictEqual((await up(png)).status, 200);
	const now = await theme('alpha');
	assert.match(now.logo_url, /^\/api\/v1\/client\/theme\/alpha\/logo\?v=[0-9a-f]{12}$/);
	assert.deepStrictEqual({ ...now, logo_url: 0 }, { ...was, logo_url: 0 }, 'the rest stays');
	const r = await raw(now.logo_url);
	assert.deepStrictEqual(
		[r.status, r.headers.get('content-type'), r.headers.get('x-content-type-options')],
		[200, 'image/png', 'nosniff'],
	);
	assert.ok(Buffer.from(await r.arrayBuffer()).equals(png));
	assert.strictEqual((await raw(now.logo_url, { 'If-None-Match': r.headers.get('etag') })).status, 304);
	assert.strictEqual(await theme(s.alpha), null, 'a tenant id alone reveals nothing');
	/* public before the login; after it, users see only their own */
	s.sql(`update customers set status = 'active' where tenant_id = ${s.beta}`);
	const beta = await s.login('user', 'beta');
	for (const [of, token, status] of [
		[s.alpha, user, 200],
		['alpha', user, 200],
		[s.alpha, beta, 200],
		['alpha', beta, 403],
		[999999, beta, 200],
		['nobody', beta, 403],
		[s.alpha + '/logo', beta, 404],
		['alpha/logo', beta, 403],
		['999999/logo', beta, 404],
		[s.alpha + '/logo', admin, 200],
		[s.alpha, await s.login('boss'), 200],
		[s.alpha, 'no-token', 200],
	])
		assert.strictEqual(
			(await s.get('/api/v1/client/theme/' + of, token)).status,
			status,
			of + ' ' + status,
		);
	/* a number that is not one's own tells the same, with a session and without, whether it is a customer's or nobody's */
	const neutral = await Promise.all(
		[s.alpha, 1, 0, 999999].flatMap((of) =>
			[beta, null].flatMap((token) =>
				['', '/logo'].map(async (logo) => {
					const r = await s.get(`/api/v1/client/theme/${of}${logo}`, token);
					return [logo, r.status, r.data ?? null, r.headers.etag, r.headers['cache-control']].join();
				}),
			),
		),
	);
	assert.strictEqual(new Set(neutral).size, 2, neutral.join('\n'));
	assert.strictEqual(await theme('host'), null, 'this host belongs to no tenant');
	s.sql(`update customers set host = '127.0.0.1' where tenant_id = ${s.alpha}`);
	assert.deepStrictEqual(await theme('host'), now);
	s.sql(`update customers set host = null where tenant_id = ${s.alpha}`);
	assert.strictEqual(
		(await s.request('DELETE', '/api/v1/client/theme/logo', { token: user })).code,
		40003,
	);
	assert.strictEqual(
		(await s.request('DELETE', '/api/v1/client/theme/logo', { token: admin })).status,
		200,
	);
	assert.strictEqual((await theme('alpha')).logo_url, was.logo_url);
	assert.strictEqual((await s.get(`/api/v1/client/theme/${s.alpha}/logo`)).code, 41001);
});
test("a refusal says what to do and names the support contact: the customer's own, else the provider's", async () => {
	await put('/api/v1/client/theme', admin, { support_contact: 'hotline +86 400 "7x24"' });
	const fresh = await s.login('user', 'alpha'),
		no = (await s.get('/api/v1/client/admin/users', fresh)).json;
	assert.strictEqual(no.code, 40003);
	assert.deepStrictEqual(no.details, {
		user_message: 'your role does not allow this',
		suggested_actions: ['ask your administrator for the permission', 'contact support'],
		support_contact: 'hotline +86 400 "7x24"',
	});
	const zh = (
		await s.request('GET', '/api/v1/client/admin/users', {
			token: fresh,
			headers: { 'Accept-Language': 'zh' },
		})
	).json.details;
	assert.deepStrictEqual([zh.user_message, zh.suggested_actions.length], ['您的角色没有此权限', 2]);
	assert.strictEqual(
		(await s.get('/api/v1/audit', eng)).json.details.support_contact,
		undefined,
		'none is set',
	);
});
