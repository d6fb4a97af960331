// SPDX-License-Identifier: Apache-2.0
// A mail address does as a user name: within the customer that is named or whose host it is, without one where nobody else has it; whatever does not
// lead to one account is refused as any wrong name is. What a refusal says is true: a wrong password is not told to log in, a password that must
// be changed is not a matter of the role.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, PASSWORD, mailSink, waitUntil } = require('../lib/server.js');

let s, mail;
const login = (username, more = {}, path = 'auth/login', headers = {}) =>
	s.request('POST', '/api/v1/' + path, { body: { username, password: PASSWORD, ...more }, headers });
const add = (...args) => s.cli(['user', 'add', '--lang', 'en', '--name', 'x', ...args], PASSWORD + '\n');
const said = (r) => r.status + r.text.replace(/"(timestamp|request_id)":"[^"]*"/g, '');

test.before(async () => {
	mail = await mailSink();
	s = await Server.make('maillogin', { mail: { url: mail.url } });
	for (const t of ['alpha', 'beta'])
		add('--tenant', t, '--username', 'both', '--email', 'both@shared.example');
	add('--tenant', 'beta', '--username', 'once', '--email', 'Once@Only.example');
	add('--tenant', 'beta', '--username', 'gone', '--email', 'gone@only.example');
	s.cli(['user', 'disable', '--tenant', 'beta', '--username', 'gone']);
	/* a user name that looks like another's address */
	add('--tenant', 'alpha', '--username', 'user@beta.example', '--email', 'other@alpha.example');
	s.sql(`update customers set host = 'desk.beta.example' where code = 'beta'`);
});
test.after(async () => {
	await s.drop();
	await mail.close();
});
test('one account a mail address: staff, customers, with and without the tenant, by host name, in any case', async () => {
	const beta = { host: 'desk.beta.example' };
	for (const [who, more, name, path, headers] of [
		['eng1@provider.example', {}, 'eng1'],
		['eng1@provider.example', { tenant: 'provider' }, 'eng1'],
		['eng1@provider.example', { tenant_id: 1 }, 'eng1'],
		['admin@alpha.example', {}, 'admin'],
		['admin@alpha.example', { tenant: 'alpha' }, 'admin'],
		['  ADMIN@Alpha.Example ', { tenant: 'ALPHA' }, 'admin'],
		['once@only.example', {}, 'once'],
		['ONCE@ONLY.EXAMPLE', { tenant_id: 'beta' }, 'once'],
		['both@shared.example', { tenant: 'alpha' }, 'both'],
		['both@shared.example', { tenant: 'beta' }, 'both'],
		['both@shared.example', {}, 'both', 'client/auth/login', beta],
		['once@only.example', {}, 'once', 'client/auth/login', beta],
		['once@only.example', {}, 'once', 'client/auth/login'],
		/* a user name of the named customer comes first; elsewhere it is an address */
		['user@beta.example', { tenant: 'alpha' }, 'user@beta.example'],
		['user@beta.example', { tenant: 'beta' }, 'user'],
	]) {
		const r = await login(who, more, path, headers);
		assert.strictEqual(r.status, 200, who + JSON.stringify(more) + r.text);
		assert.strictEqual(r.data.user_info.username, name, who);
		if (more.tenant === 'alpha') assert.strictEqual(r.data.user_info.tenant_id, s.alpha);
		if (headers) assert.strictEqual(r.data.user_info.tenant_id, s.beta);
	}
});
test('what does not lead to one account gets the refusal of a wrong name', async () => {
	const wrong = said(await login('nobody-at-all', { tenant: 'alpha' }));
	assert.match(wrong, /^401/);
	for (const [who, more, path, headers] of [
		['both@shared.example', {}],
		['both@shared.example', {}, 'client/auth/login'],
		['nobody@shared.example', {}],
		['gone@only.example', {}],
		['gone@only.example', { tenant: 'beta' }],
		['admin@alpha.example', { tenant: 'beta' }],
		['admin@alpha.example', { tenant: 'provider' }],
		['admin@alpha.example', { tenant: 'nowhere' }],
		['eng1@provider.example', { tenant: 'alpha' }],
		['admin@alpha.example', {}, 'client/auth/login', { host: 'desk.beta.example' }],
		['@', {}],
		["'@x.example", {}],
	])
		assert.strictEqual(said(await login(who, more, path, headers)), wrong, who + JSON.stringify(more));
	s.cli(['tenant', 'suspend', '--code', 'beta']);
	assert.strictEqual(said(await login('once@only.example')), wrong, 'suspended');
	s.cli(['tenant', 'resume', '--code', 'beta']);
	assert.strictEqual((await login('once@only.example')).status, 200);
});
test("who enters another's address for a user neither takes it from them nor learns that they have it", async () => {
	s.sql(`insert into mail_domains (tenant_id, id, domain, token, created_at, verified_at, verified_by)
		select tenant_id, 900, 'proved.example', 'x', now(), now(), 'provider' from customers where code = 'beta'`);
	add('--tenant', 'beta', '--username', 'owner', '--email', 'owner@proved.example');
	for (const [address, tenant_id] of [
		['eng1@provider.example', 1],
		['owner@proved.example', s.beta],
		['nobody@proved.example', null],
	]) {
		const name = address.replace('@', '.at.');
		add('--tenant', 'alpha', '--username', name, '--email', address);
		const r = await login(address);
		assert.strictEqual(tenant_id ? r.data?.user_info?.tenant_id : r.status, tenant_id || 401, address + r.text);
		assert.strictEqual((await login(address, { tenant: 'alpha' })).data.user_info.tenant_id, s.alpha, 'within its customer it is an address as any');
		s.cli(['user', 'disable', '--tenant', 'alpha', '--username', name]);
	}
	s.sql(`delete from mail_domains where id = 900`);
});
test('wrong passwords count for the account, whichever name they were tried with', async () => {
	add('--tenant', 'alpha', '--username', 'victim', '--email', 'victim@alpha.example');
	for (const [who, more] of [
		['victim@alpha.example', {}],
		['victim', { tenant: 'alpha' }],
		['victim@alpha.example', { tenant: 'alpha' }],
		['VICTIM@alpha.example', {}],
		['victim', { tenant: 'alpha' }],
	])
		assert.strictEqual((await login(who, { ...more, password: 'Wrong-pass-1' })).status, 401);
	assert.strictEqual(
		s.sql(`select string_agg(username || ' ' || attempts, ',') from login_attempts where username like 'victim%' and source <> '*'`),
		'victim 5',
	);
	assert.strictEqual((await login('victim', { tenant: 'alpha' })).status, 401, 'locked');
	assert.strictEqual((await login('victim@alpha.example')).status, 401, 'by both names');
});
test('links are mailed for an address as for a user name', async () => {
	const mails = (to, what) => mail.mails.filter((m) => m.to[0] === to && m.body.includes(what)).length;
	for (const [path, what] of [
		['auth/password/forgot', '#reset='],
		['auth/link', '#link='],
	]) {
		const ask = (username, more = {}) => s.post('/api/v1/' + path, null, { username, ...more });
		const r = await ask('once@only.example');
		assert.strictEqual(r.status, 202);
		assert.strictEqual(said(r), said(await ask('both@shared.example')), 'two have it: nothing is told');
		assert.strictEqual(said(r), said(await ask('nobody@only.example')));
		await waitUntil(() => mails('Once@Only.example', what) === 1);
		assert.strictEqual((await ask('both@shared.example', { tenant: 'alpha' })).status, 202);
		await waitUntil(() => mails('both@shared.example', what) === 1);
	}
});
test('an address that is changed logs in at once; the old one no longer does', async () => {
	const admin = await s.login('admin', 'beta'),
		id = s.sql(`select id from client_users where username = 'once'`),
		r = await s.request('PUT', '/api/v1/client/admin/users/' + id, {
			token: admin,
			body: { email: 'new@only.example' },
		});
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual((await login('new@only.example')).status, 200);
	assert.strictEqual((await login('once@only.example')).status, 401);
});
test('a refusal says what is so: a wrong password is not told to log in first, nor a forced change that the role lacks a permission', async () => {
	for (const [lang, wrong, change] of [
		['en', /wrong user name or password/, /change your password first/],
		['zh', /用户名或密码错误/, /请先修改密码/],
	]) {
		const name = 'first-' + lang,
			headers = { 'accept-language': lang };
		add('--tenant', 'alpha', '--username', name, '--email', name + '@alpha.example', '--must-change');
		let r = await login(name, { tenant: 'alpha', password: 'Wrong-pass-1' }, 'auth/login', headers);
		assert.match(r.json.details.user_message, wrong);
		assert.doesNotMatch(r.json.message, /first|请先/);
		r = await login(name, { tenant: 'alpha' }, 'auth/login', headers);
		assert.strictEqual(r.data.must_change_password, true);
		r = await s.request('GET', '/api/v1/tickets', { token: r.data.access_token, headers });
		assert.strictEqual(r.status, 403);
		assert.match(r.json.details.user_message, change);
		assert.match(r.json.details.rule, change);
		assert.deepStrictEqual(r.json.details.suggested_actions, ['POST /api/v1/auth/password']);
		assert.doesNotMatch(r.text, /role|角色/);
	}
});
