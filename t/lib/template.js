// SPDX-License-Identifier: Apache-2.0
// Databases for the tests are copies. A lane's kept cluster has two kinds of template: the empty schema, created again when schema/ or the program
// that applies it changes, and the schema with the tenants and users that every test file knows, created again with each build and each day (its
// partitions and keys have dates).
'use strict';
const crypto = require('node:crypto'),
	fs = require('node:fs'),
	path = require('node:path');

const TOP = path.join(__dirname, '../..');

const filesBelow = (dir) =>
	fs
		.readdirSync(dir, { withFileTypes: true })
		.sort((a, b) => (a.name < b.name ? -1 : 1))
		.flatMap((f) => {
			const p = path.join(dir, f.name);
			return f.isDirectory() ? filesBelow(p) : [p];
		});
/** A short name for the contents of FILES and for MORE. */
function digest(files, ...more) {
	const h = crypto.createHash('sha256');
	for (const f of files) h.update(f).update(fs.readFileSync(f));
	return h.update(more.join()).digest('hex').slice(0, 12);
}

/** PSQL(db, sql) runs SQL as the administrator. MAKE(db) fills the new database db. Returns the
 * name of the template KIND with KEY, created now if it does not exist; older ones of its kind are
 * dropped. An unfinished template never gets its name. */
function kept(psql, kind, key, make) {
	const name = `template_${kind}_${key}`,
		making = `making_${kind}`;
	if (psql('postgres', `select 1 from pg_database where datname = '${name}'`)) return name;
	for (const old of psql(
		'postgres',
		`select datname from pg_database where datname like 'template\\_${kind}\\_%' or datname = '${making}'`,
	)
		.split('\n')
		.filter(Boolean))
		psql('postgres', `drop database ${old} with (force)`);
	make(making);
	psql('postgres', `alter database ${making} rename to ${name}`);
	return name;
}
const copy = (psql, from, to) =>
	psql('postgres', `create database ${to} template ${from} owner sladesk_owner`);

/** The inputs of the empty schema. */
const schemaKey = () =>
	digest([
		...filesBelow(path.join(TOP, 'schema')).filter((f) => !f.includes('/query/')),
		...filesBelow(path.join(TOP, 'src')).filter((f) => /\/(init|migrate)\.c$/.test(f)),
		__filename,
	]);
/** The inputs of the users: the program, and the list in MAKER. */
const peopleKey = (program, maker) =>
	digest([program, maker], schemaKey(), new Date().toISOString().slice(0, 10));

module.exports = { kept, copy, schemaKey, peopleKey };
