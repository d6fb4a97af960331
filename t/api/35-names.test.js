// SPDX-License-Identifier: Apache-2.0
// A host with several addresses: if one of them does not answer, the next one is tried.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, hookSink } = require('../lib/server.js'),
	{ nameServer } = require('../lib/dns.js');

/* nobody listens on 127.0.0.9 */
const NAMES = {
	'first-dead.test': ['127.0.0.9', '127.0.0.1'],
	'last-dead.test': ['127.0.0.1', '127.0.0.9'],
	'two-dead.test': ['127.0.0.9', '127.0.0.8', '127.0.0.1'],
};
test('a webhook reaches a host with one dead address at the first attempt', async () => {
	const dns = await nameServer(NAMES),
		hooks = await hookSink(),
		s = await Server.make('names', { test: { echo: 'yes', nameserver: dns.address } }),
		port = new URL(hooks.url).port,
		user = await s.login('user', 'alpha'),
		boss = await s.login('admin', 'alpha');
	for (const name of Object.keys(NAMES)) {
		const r = await s.post('/api/v1/webhooks', boss, {
			url: `http://${name}:${port}/${name}`,
			secret: 's'.repeat(20),
		});
		assert.strictEqual(r.status, 201, r.text);
	}
	await s.post('/api/v1/tickets', user, { title: 't', description: 'x', priority: 'P3' });
	await waitUntil(
		() =>
			s.sql(
				"select count(*) from notifications where channel = 'webhook' and state = 'sent'",
			) === '3',
	);
	assert.deepStrictEqual(s.sql('select detail from deliveries where not ok'), '', 'none failed');
	assert.deepStrictEqual([...new Set(dns.asked)].sort(), Object.keys(NAMES).sort());
	await s.drop();
	await hooks.close();
	await dns.close();
});
