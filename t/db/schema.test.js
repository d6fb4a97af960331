// SPDX-License-Identifier: Apache-2.0
// Every key names its tenant: a unique index of a tenant's table includes tenant_id, and a foreign key between two such tables carries it on both
// sides. Otherwise a value of one customer could conflict with another's, or point at another's row.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server } = require('../lib/server.js');

let s;
test.before(async () => {
	s = new Server('schema');
	await s.prepare();
});
test.after(() => s.drop());

const tenantTables = `with tables as (
  select c.oid, c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p'))`;

/* What is unique in the whole installation, and why. */
const UNIQUE_EVERYWHERE = {
	customers_code_key: 'it names the customer at log-in',
	customers_host_key: "it names the customer by the portal's host",
	mail_domains_owner: 'a mail domain has one proven owner',
};

test('a unique index of a tenant table names tenant_id', () => {
	const found = s
		.sql(
			`${tenantTables} select i.indexrelid::regclass from tables t join pg_index i on i.indrelid = t.oid
			where i.indisunique and not exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = 'tenant_id' and a.attnum = any (i.indkey[0:i.indnkeyatts - 1]))
			order by 1`,
		)
		.split('\n')
		.filter(Boolean);
	assert.deepStrictEqual(found, Object.keys(UNIQUE_EVERYWHERE).sort());
});
test('a foreign key between tenant tables carries tenant_id on both sides', () => {
	assert.strictEqual(
		s.sql(
			`${tenantTables} select string_agg(f.relname || '.' || c.conname, ', ') from pg_constraint c join tables f on f.oid = c.conrelid join tables t on t.oid = c.confrelid
			where c.contype = 'f' and not exists (
			  select from unnest(c.conkey, c.confkey) as k(f, t)
			  join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.f and a.attname = 'tenant_id'
			  join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.t and b.attname = 'tenant_id')`,
		),
		'',
	);
});
