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
/* --- an address that an administrator gives --- */

const USERS = '/api/v1/client/admin/users',
	put = (token, id, body) => s.request('PUT', `${USERS}/${id}`, { token, body }),
	mailsTo = (to) => mail.mails.filter((m) => m.to[0] === to),
	confirm = (token) => s.post('/api/v1/auth/address/confirm', null, { token });
/* The token of the link in the newest mail to an address, which must be newer than COUNT mails. */
async function addressToken(to, count = 0) {
	const m = await waitUntil(() => {
		const all = mailsTo(to).filter((x) => /#address=/.test(x.body));
		return all.length > count && all.at(-1);
	});
	assert.match(m.html, /<a href="[^"]*#address=/);
	return m.body.match(/#address=([\w.-]+)/)[1];
}
const invite = async (token, username, email) => {
	const r = await s.post(USERS, token, {
		...{ username, email, full_name: 'X', lang: 'en', password: PASSWORD },
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data.user_id;
};
const isConfirmed = async (token, id) => {
	const one = (await s.get(`${USERS}/${id}`, token)).data,
		all = (await s.get(`${USERS}?limit=200`, token)).data.items.find((u) => u.user_id === id);
	assert.strictEqual(one.email_confirmed, all.email_confirmed);
	return one.email_confirmed;
};
test("an address that one customer's administrator gives takes nothing from another's user, and is no name and no way to a password", async () => {
	const admin = await s.login('admin', 'alpha'),
		wrong = said(await login('nobody-at-all')),
		theirs = 'once@only.example';
	/* beta's once goes on logging in by the address that alpha's administrator has given to somebody */
	const thief = await invite(admin, 'thief', theirs);
	assert.strictEqual((await login(theirs)).data.user_info.username, 'once');
	assert.strictEqual(said(await login(theirs, { tenant: 'alpha' })), wrong, 'an address without its owner');
	assert.strictEqual((await login('thief', { tenant: 'alpha' })).status, 200, 'the user name does');
	assert.strictEqual(await isConfirmed(admin, thief), false);
	/* no reset and no login link by name or address; the invitation alone goes there */
	await addressToken(theirs);
	for (const what of ['password/forgot', 'link'])
		for (const username of ['thief', theirs])
			assert.strictEqual(
				(await s.post('/api/v1/auth/' + what, null, { username, tenant: 'alpha' })).status,
				202,
			);
	assert.strictEqual(
		s.sql(`select count(*) from password_resets where tenant_id = ${s.alpha} and actor_id = ${thief} and purpose <> 'address'`),
		'0',
	);
});
test('its owner confirms it: by the link of the invitation, once, within seven days; then it is a name', async () => {
	const admin = await s.login('admin', 'alpha'),
		id = await invite(admin, 'invited', 'invited@alpha.example'),
		token = await addressToken('invited@alpha.example');
	assert.strictEqual((await login('invited@alpha.example')).status, 401);
	for (const bad of ['x', token.slice(0, -3), admin, token + 'x'])
		assert.strictEqual((await confirm(bad)).status, 400, bad);
	/* the first password must be changed, which ends other links, but not this one */
	const own = await s.login('invited', 'alpha');
	assert.strictEqual(
		(await s.post('/api/v1/auth/password', own, { old_password: PASSWORD, new_password: 'Second-pass-8' })).status,
		200,
	);
	assert.strictEqual(await isConfirmed(admin, id), false);
	s.sql(`update password_resets set asked_at = asked_at - interval '7 days' where purpose = 'address'`);
	assert.strictEqual((await confirm(token)).status, 401, 'after seven days');
	s.sql(`update password_resets set asked_at = asked_at + interval '6 days' where purpose = 'address'`);
	assert.strictEqual((await confirm(token)).status, 200, 'after one day');
	assert.strictEqual((await confirm(token)).status, 401, 'once');
	assert.strictEqual(await isConfirmed(admin, id), true);
	const r = await login('invited@alpha.example', { password: 'Second-pass-8' });
	assert.strictEqual(r.data.user_info.username, 'invited', r.text);
	const asked = await s.post('/api/v1/auth/password/forgot', null, { username: 'invited@alpha.example' });
	assert.strictEqual(asked.status, 202);
	await waitUntil(() => mailsTo('invited@alpha.example').some((m) => /#reset=/.test(m.body)));
	/* the link of an address is no other link, and the other way round */
	const reset = mailsTo('invited@alpha.example')
		.map((m) => m.body.match(/#reset=([\w.-]+)/))
		.find(Boolean)[1];
	assert.strictEqual((await confirm(reset)).status, 400);
	const again = await invite(admin, 'invited2', 'invited2@alpha.example'),
		other = await addressToken('invited2@alpha.example');
	assert.notStrictEqual(
		(await s.post('/api/v1/auth/password/reset', null, { token: other, new_password: 'Third-pass-7' })).status,
		200,
	);
	assert.notStrictEqual((await s.post('/api/v1/auth/link/use', null, { token: other })).status, 200);
	/* a disabled user confirms nothing */
	assert.strictEqual((await put(admin, again, { is_active: false })).status, 200);
	assert.strictEqual((await confirm(other)).status, 401);
});
test('a changed address is confirmed anew; the old one is told, and logs in no more; earlier links end', async () => {
	const admin = await s.login('admin', 'beta'),
		id = Number(s.sql(`select id from client_users where tenant_id = ${s.beta} and username = 'once'`));
	assert.strictEqual((await put(admin, id, { email: 'new@only.example' })).status, 200);
	const first = await addressToken('new@only.example'),
		told = await waitUntil(() => mailsTo('Once@Only.example').find((m) => /address/.test(m.subject) && !/confirm/.test(m.subject)));
	assert.match(told.body, /once/);
	assert.doesNotMatch(told.body, /new@only|#address=/, 'it gives nothing to the old one');
	for (const name of ['once@only.example', 'new@only.example'])
		assert.strictEqual((await login(name, { tenant: 'beta' })).status, 401, name);
	/* named again, it is mailed again, and the earlier link ends; the unconfirmed one is not told */
	const before = mail.mails.length;
	assert.strictEqual((await put(admin, id, { email: 'new@only.example' })).status, 200);
	const second = await addressToken('new@only.example', 1);
	assert.strictEqual((await put(admin, id, { email: 'newer@only.example' })).status, 200);
	const third = await addressToken('newer@only.example');
	for (const token of [first, second]) assert.strictEqual((await confirm(token)).status, 401);
	assert.deepStrictEqual(
		mail.mails.slice(before).filter((m) => m.to[0] === 'new@only.example' && !/#address=/.test(m.body)),
		[],
	);
	assert.strictEqual((await confirm(third)).status, 200);
	assert.strictEqual((await login('newer@only.example')).data.user_info.username, 'once');
	assert.strictEqual((await login('new@only.example', { tenant: 'beta' })).status, 401);
	/* the same address once more, and other members alone: nothing to confirm, nobody to tell */
	const then = mail.mails.length;
	for (const body of [{ email: 'Newer@Only.example' }, { full_name: 'Y' }])
		assert.strictEqual((await put(admin, id, body)).status, 200);
	assert.strictEqual(await isConfirmed(admin, id), true);
	assert.strictEqual(
		s.sql(`select count(*) from notifications where tenant_id = ${s.beta} and recipient_id = ${id} and starts_with(template, 'auth_address')`),
		'4',
	);
	assert.strictEqual(mail.mails.slice(then).filter((m) => /only\.example/i.test(m.to[0])).length, 0);
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
