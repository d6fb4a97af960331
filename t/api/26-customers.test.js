// SPDX-License-Identifier: Apache-2.0
// Customers, contracts and contacts from a source system: pushed or pulled; the same data twice changes nothing; rejected items are listed with the reason.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil, writeSecret } = require('../lib/server.js');

const PATH = '/api/v1/integration/customers/sync';
let s, service, boss, crm, answer;
const crmSeen = [];
test.before(async () => {
	crm = http.createServer((req, res) => {
		crmSeen.push(req.headers.authorization);
		res.end(answer);
	});
	answer = JSON.stringify({ customers: [] });
	await new Promise((ok) => crm.listen(0, '127.0.0.1', ok));
	s = new Server('customers', {
		integration: {
			customers_url: `http://127.0.0.1:${crm.address().port}/customers`,
			customers_every_s: 1,
			allow_private: 'yes',
		},
	});
	await s.prepare();
	const file = path.join(s.dir, 'crm-token');
	writeSecret(file, 'crm-secret\n');
	s.settings.integration.customers_token_file = file;
	await s.start();
	service = s.token('provider', 'user:write,admin', 'crm');
	boss = await s.login('boss');
});
test.after(async () => {
	await s.drop();
	crm.closeAllConnections();
	crm.close();
});
const push = (customers, t = service) => s.post(PATH, t, { customers });
const one = (more) => ({
	external_id: 'C-1',
	code: 'gamma',
	name: 'Gamma 公司',
	vip: true,
	customer_success_manager: '王经理',
	hotline: '+86 400',
	contracts: [
		{
			external_id: 'K-1',
			name: 'Gold',
			status: 'active',
			starts_on: '2026-01-01',
			ends_on: '2026-12-31',
		},
	],
	contacts: [
		{
			external_id: 'P-1',
			name: '李总',
			title: 'CTO',
			email: 'li@gamma.example',
			phone: '13812341234',
			vip: true,
		},
	],
	...more,
});

test('a new customer is created, a known one changed, the same data twice changes nothing; tickets can name its contracts', async () => {
	const r = await push([one(), { external_id: 'C-2', code: 'alpha', name: 'Alpha renamed' }]);
	assert.strictEqual(r.status, 200, r.text);
	assert.deepStrictEqual(r.data, { received: 2, taken: 2, created: 1, changed: 2, rejected: [] });
	assert.deepStrictEqual(
		(await push([{ external_id: 'C-2', code: 'alpha', name: 'Alpha renamed' }])).data,
		{
			received: 1,
			taken: 1,
			created: 0,
			changed: 0,
			rejected: [],
		},
	);
	const list = (await s.get('/api/v1/customers', boss)).data.items,
		gamma = list.find((c) => c.code === 'gamma');
	assert.deepStrictEqual(
		[
			gamma.name,
			gamma.vip,
			gamma.customer_success_manager,
			gamma.contracts[0].name,
			gamma.contracts[0].ends_on,
		],
		['Gamma 公司', true, '王经理', 'Gold', '2026-12-31'],
	);
	assert.strictEqual(list.find((c) => c.code === 'alpha').name, 'Alpha renamed');
	const contacts = (await s.get(`/api/v1/customers/${gamma.tenant_id}/contacts`, boss)).data.items;
	assert.deepStrictEqual(
		[contacts[0].email, contacts[0].phone, contacts[0].title],
		['li@gamma.example', '13812341234', 'CTO'],
	);
	assert.match(s.sql('select email from contacts'), /^e2\./);
	const k = await s.post('/api/v1/tickets', boss, {
		title: 'x',
		description: 'y',
		tenant_id: gamma.tenant_id,
		contract: 'K-1',
	});
	assert.strictEqual(k.status, 201, k.text);
	assert.strictEqual((await s.get('/api/v1/customers', await s.login('admin', 'beta'))).code, 40003);
});
test('rejected items are reported and listed; the others are stored', async () => {
	const bad = [
		{ external_id: 'B-1', code: 'NO CODE', name: 'x' },
		{ external_id: 'B-2', code: 'delta' },
		{ external_id: 'B-3', name: 'no code and not known' },
		{ external_id: 'B-4', code: 'gamma', name: "another's code" },
		{
			external_id: 'B-5',
			code: 'eps',
			name: 'x',
			contracts: [{ external_id: 'K', name: 'x', starts_on: '2026-02-30' }],
		},
		{
			external_id: 'B-6',
			code: 'zeta',
			name: 'x',
			contacts: [{ external_id: 'P', name: 'x', email: 'none' }],
		},
		'x',
		{ external_id: 'G-1', code: 'good', name: 'Good' },
	];
	const r = (await push(bad)).data;
	assert.deepStrictEqual(
		[r.received, r.taken, r.created, r.rejected.map((x) => [x.external_id, x.field])],
		[
			8,
			1,
			1,
			[
				['B-1', 'code'],
				['B-2', 'name'],
				['B-5', 'contracts.starts_on'],
				['B-6', 'contacts.email'],
				['', 'external_id'],
				['B-3', 'code'],
				['B-4', 'code'],
			],
		],
	);
	await push([bad[0]]);
	const list = (await s.get('/api/v1/integration/customers/rejects', boss)).data.items;
	assert.strictEqual(list.length, 7);
	assert.deepStrictEqual([list[0].external_id, list[0].times], ['B-1', 2]);
	assert.strictEqual((await push(bad, await s.login('admin', 'alpha'))).code, 40003);
	for (const customers of [[], 'x', undefined, Array(201).fill({})])
		assert.strictEqual((await s.post(PATH, service, { customers })).code, 40001);
});
test('two deliveries at the same time make one customer of one external id', async () => {
	for (let i = 0; i < 5; i++) {
		const r = await Promise.all(
			['a', 'b', 'c'].map((c) =>
				push([{ external_id: 'T-' + i, code: `twin-${i}${c}`, name: 'Twin' }]),
			),
		);
		assert.deepStrictEqual(
			r.map((x) => x.status),
			[200, 200, 200],
		);
		assert.strictEqual(
			s.sql(`select count(*) from customer_details where external_id = 'T-${i}'`),
			'1',
		);
		assert.strictEqual(s.sql(`select count(*) from customers where code like 'twin-${i}_'`), '1');
	}
});
test('customers are pulled regularly from the source system, with our token; an invalid response changes nothing', async () => {
	answer = JSON.stringify({
		customers: [
			{ external_id: 'C-9', code: 'pulled', name: 'Pulled' },
			{ external_id: 'C-1', name: 'Gamma neu' },
		],
	});
	await waitUntil(() => s.sql("select name from customers where code = 'pulled'") === 'Pulled');
	await waitUntil(() => s.sql("select name from customers where code = 'gamma'") === 'Gamma neu');
	assert.strictEqual(crmSeen[0], 'Bearer crm-secret');
	const before = s.sql('select count(*) from customers');
	answer = '<html>';
	await waitUntil(() => /outage of the source of customers begins: not a list/.test(s.log));
	assert.strictEqual(s.sql('select count(*) from customers'), before);
	assert.ok(!s.log.includes('crm-secret'));
});
