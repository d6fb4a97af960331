// SPDX-License-Identifier: Apache-2.0
// A mail domain belongs to the customer that proves it: discovery sends nobody to a customer that only claims it.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs');
const { Server } = require('../lib/server.js'),
	{ nameServer } = require('../lib/dns.js');

const DOMAINS = '/api/v1/client/admin/mail-domains',
	PROVIDERS = '/api/v1/client/admin/identity-providers';
let s, dns, alpha, beta;
test.before(async () => {
	dns = await nameServer({});
	s = await Server.make('domains', {
		sso: { dns_servers: dns.address, allow_private: 'yes' },
		test: { allow_clock: 'yes' },
	});
	[alpha, beta] = await Promise.all([s.login('admin', 'alpha'), s.login('admin', 'beta')]);
	for (const token of [alpha, beta]) {
		const r = await s.post(PROVIDERS, token, {
			kind: 'oidc',
			name: 'Login',
			client_id: 'x',
			issuer: 'https://idp.example',
			email_domains: ['firm.example', 'other.example'],
		});
		assert.strictEqual(r.status, 201, r.text);
	}
});
test.after(async () => {
	await s.drop();
	await dns.close();
});
const discover = async (domain) =>
	(await s.post('/api/v1/auth/sso/discover', null, { email: 'a@' + domain })).data;
const find = async (token, domain) =>
	(await s.get(DOMAINS, token)).data.items.find((d) => d.domain === domain);
const verify = (token, id) => s.post(`${DOMAINS}/${id}/verify`, token, {});

test('a domain that nobody has proved leads nowhere', async () => {
	for (const token of [alpha, beta]) {
		const d = await find(token, 'firm.example');
		assert.strictEqual(d.verified, false);
		assert.strictEqual(d.record_name, '_sladesk.firm.example');
		assert.match(d.record_value, /^sladesk-domain-proof=[0-9a-f]{32}$/);
	}
	assert.deepStrictEqual(await discover('firm.example'), { sso: false });
});
test('the name servers’ reply decides', async () => {
	const d = await find(beta, 'firm.example');
	for (const [texts, why] of [
		[undefined, /^no_record$/],
		[{ txt: [] }, /^no_record$/],
		[{ txt: ['v=spf1 -all', 'sladesk-domain-proof=' + '0'.repeat(32)] }, /^other_value$/],
		[{ txt: [d.record_value + ' '] }, /^other_value$/],
		[{ txt: [d.record_value.toUpperCase()] }, /^other_value$/],
		[{ txt: [(await find(alpha, 'firm.example')).record_value] }, /^other_value$/],
		[{ txt: [d.record_value], silent: true }, /^no_answer$/],
	]) {
		if (texts) dns.names[d.record_name] = texts;
		const r = await verify(beta, d.id);
		assert.strictEqual(r.status, 200, r.text);
		assert.strictEqual(r.data.verified, false, JSON.stringify(texts));
		assert.match(r.data.last_error, why);
		assert.deepStrictEqual(await discover('firm.example'), { sso: false });
	}
	assert.ok(dns.asked.includes('_sladesk.firm.example'));
	dns.names[d.record_name] = { txt: ['x'.repeat(300), d.record_value] };
	const r = await verify(beta, d.id);
	assert.deepStrictEqual([r.data.verified, r.data.verified_by, r.data.last_error], [true, 'dns', null]);
	assert.match((await discover('firm.example')).location, /tenant=beta&/);
	assert.match((await discover('FIRM.example')).location, /tenant=beta&/);
});
test('a proven domain has one owner', async () => {
	const d = await find(alpha, 'firm.example');
	dns.names[d.record_name] = { txt: [d.record_value] };
	const r = await verify(alpha, d.id);
	assert.strictEqual(r.status, 400, r.text);
	assert.strictEqual(r.json.details.fields[0].field, 'domain_id');
	assert.match((await discover('firm.example')).location, /tenant=beta&/);
	assert.throws(() => s.cli(['domain', 'confirm', '--tenant', 'alpha', '--domain', 'firm.example']));
	/* proved again by its owner, it stays the owner's, and a failed look changes nothing */
	dns.names[d.record_name] = { txt: [] };
	const again = await verify(beta, (await find(beta, 'firm.example')).id);
	assert.strictEqual(again.data.verified, true);
	assert.match((await discover('firm.example')).location, /tenant=beta&/);
});
test("one customer can neither see, prove nor remove another's domain", async () => {
	const theirs = await find(beta, 'firm.example');
	assert.ok(!(await s.get(DOMAINS, alpha)).text.includes(theirs.record_value));
	assert.strictEqual((await verify(alpha, theirs.id)).status, 404);
	assert.strictEqual(
		(await s.request('DELETE', `${DOMAINS}/${theirs.id}`, { token: alpha })).status,
		404,
	);
	assert.strictEqual((await verify(await s.login('user', 'beta'), theirs.id)).code, 40003);
	assert.strictEqual(
		(await s.get(`${DOMAINS}?tenant_id=${s.beta}`, alpha)).data?.items?.length ?? 0,
		0,
	);
});
test("the provider's word is a proof; giving a domain up frees it", async () => {
	const out = s.cli(['domain', 'list']);
	assert.match(out, /alpha.*other\.example/);
	s.cli(['domain', 'confirm', '--tenant', 'alpha', '--domain', 'Other.example']);
	assert.match((await discover('other.example')).location, /tenant=alpha&/);
	s.cli(['domain', 'withdraw', '--tenant', 'alpha', '--domain', 'other.example']);
	assert.deepStrictEqual(await discover('other.example'), { sso: false });
	const own = await find(beta, 'firm.example');
	assert.strictEqual((await s.request('DELETE', `${DOMAINS}/${own.id}`, { token: beta })).status, 200);
	assert.deepStrictEqual(await discover('firm.example'), { sso: false });
	const d = await find(alpha, 'firm.example');
	dns.names[d.record_name] = { txt: [d.record_value] };
	assert.strictEqual((await verify(alpha, d.id)).data.verified, true);
	assert.match((await discover('firm.example')).location, /tenant=alpha&/);
});
test('a domain is named before it is proved', async () => {
	for (const domain of [
		...['x', 'a b.example', '-.example', 'a..example', '', 'http://x.example', '10.0.0.1'],
		...['X.example', 'x.example.', 'a-.example', 'x'.repeat(64) + '.example'],
	])
		assert.strictEqual((await s.post(DOMAINS, alpha, { domain })).status, 400, domain);
	const one = await s.post(DOMAINS, alpha, { domain: 'new.example' }),
		two = await s.post(DOMAINS, alpha, { domain: 'new.example' });
	assert.strictEqual(one.status, 201, one.text);
	assert.strictEqual(one.data.domain, 'new.example');
	assert.strictEqual(two.data.record_value, one.data.record_value);
});
test('a login begins by a code or a host name; a number tells nothing, whether it is a customer’s or not', async () => {
	const begin = (of) =>
			fetch(`http://127.0.0.1:${s.port}/api/v1/auth/sso/start?${of}`, { redirect: 'manual' }),
		told = async (of) => {
			const r = await begin(of);
			return [r.status, r.headers.get('location'), await r.text()];
		},
		id = s.sql(`select min(id) from identity_providers where tenant_id = ${s.alpha}`),
		nobody = await told('tenant=nobody');
	assert.strictEqual(nobody[0], 404);
	/* alpha has a provider, beta's is switched off, the others are nobody's */
	s.sql(`update identity_providers set active = false where tenant_id = ${s.beta}`);
	for (const of of [s.alpha, s.beta, 1, 999999, 0, '0' + s.alpha, `${s.alpha}&provider=${id}`, `%20${s.alpha}`, `${s.alpha}%20`])
		assert.deepStrictEqual(await told('tenant=' + of), nobody, String(of));
	s.sql(`update identity_providers set active = true where tenant_id = ${s.beta}`);
	s.sql(`update customers set host = 'help.alpha.example' where tenant_id = ${s.alpha}`);
	/* the provider of this test cannot be reached, which is another answer */
	for (const of of ['alpha', 'alpha&provider=' + id, 'host:help.alpha.example'])
		assert.notDeepStrictEqual((await told('tenant=' + of))[0], 404, of);
	const theme = await s.get('/api/v1/client/theme/alpha');
	assert.strictEqual(theme.status, 200, theme.text);
	assert.strictEqual(theme.data.sso.location, '/api/v1/auth/sso/start?tenant=alpha');
});
test('what is everybody’s is nobody’s: endings of registries and public mail services, at every way to name one', async () => {
	const providers = s.sql('select count(*) from identity_providers'),
		domains = s.sql('select count(*) from mail_domains');
	for (const domain of [
		...['co.uk', 'com.cn', 'org.cn', 'gov.cn', 'ac.jp', 'or.kr', 'com.au', 'co.nz', 'com.br', 'gob.mx', 'edu.sg'],
		...['gmail.com', 'qq.com', '163.com', 'outlook.com', 'yahoo.co.jp', 'yahoo.fr', 'hotmail.com.br', 'vip.163.com'],
		...['icloud.com', 'proton.me', 'mail.ru', 'github.io', 'firm.onmicrosoft.com'],
	]) {
		const r = await s.post(DOMAINS, alpha, { domain });
		assert.deepStrictEqual([r.code, r.json.details.fields?.map((f) => f.field)], [40001, ['domain']], domain + r.text);
		const p = await s.post(PROVIDERS, alpha, {
			...{ kind: 'oidc', name: 'Login', client_id: 'x', issuer: 'https://idp.example' },
			email_domains: ['mine.example', domain],
		});
		assert.strictEqual(p.code, 40001, domain + p.text);
		assert.throws(
			() => s.cli(['domain', 'confirm', '--tenant', 'alpha', '--domain', domain]),
			/nobody owns this domain/,
			domain,
		);
	}
	assert.deepStrictEqual(
		[s.sql('select count(*) from identity_providers'), s.sql('select count(*) from mail_domains')],
		[providers, domains],
		'a refused provider leaves nothing behind',
	);
	/* one that was proved before leads nowhere either */
	s.sql(
		`alter table mail_domains disable trigger not_public;
		insert into mail_domains (tenant_id, domain, created_at, verified_at, verified_by) values (${s.alpha}, 'gmail.com', now(), now(), 'before');
		alter table mail_domains enable trigger not_public;
		update identity_providers set settings = settings || '{"email_domains":["gmail.com"]}' where tenant_id = ${s.alpha}`,
	);
	assert.deepStrictEqual(await discover('gmail.com'), { sso: false });
	s.sql("delete from mail_domains where domain = 'gmail.com'");
	/* nor by renaming one */
	s.sql(`insert into mail_domains (tenant_id, domain, created_at) values (${s.alpha}, 'renamed.example', now())`);
	assert.throws(() => s.sql("update mail_domains set domain = 'gmail.com' where domain = 'renamed.example'"), /nobody owns this domain/);
	s.sql("delete from mail_domains where domain = 'renamed.example'");
	/* what only looks like them is somebody's */
	for (const domain of ['gmail.example', 'firm.co.uk', 'firm.com.cn', 'co.example', 'mygmail.com', 'hotmail.firm.cn'])
		assert.strictEqual((await s.post(DOMAINS, alpha, { domain })).status, 201, domain);
});
test('domains in use before proofs were asked for: those of one customer alone are kept', async () => {
	const sql = fs.readFileSync(
		`${__dirname}/../../schema/migrate/${fs.readdirSync(`${__dirname}/../../schema/migrate`).find((f) => f.endsWith('_mail_domains.sql'))}`,
		'utf8',
	);
	s.sql(
		`update identity_providers set settings = settings || '{"email_domains":["both.example","only-beta.example"]}' where tenant_id = ${s.beta};
		update identity_providers set settings = settings || '{"email_domains":["both.example"]}' where tenant_id = ${s.alpha}`,
	);
	s.sql('delete from mail_domains; ' + sql.slice(sql.indexOf('insert into mail_domains')));
	assert.match((await discover('only-beta.example')).location, /tenant=beta&/);
	assert.deepStrictEqual(await discover('both.example'), { sso: false });
});
