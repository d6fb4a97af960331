// SPDX-License-Identifier: Apache-2.0
// The code in doc/HACKING: it is the same in both languages, it compiles, and its statements can be prepared.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	os = require('node:os'),
	path = require('node:path'),
	{ execFileSync } = require('node:child_process');
const { Server, psql } = require('../lib/server.js');

const TOP = path.join(__dirname, '../..'),
	owner = (sql) => psql(s.db, sql, 'sladesk_owner');
let s, tmp, files;
/* The blocks of PAGE by the name of the file that is written above each. */
const blocks = (page) =>
	Object.fromEntries(
		[
			...fs
				.readFileSync(path.join(TOP, 'doc', page), 'utf8')
				.matchAll(/`([\w./-]+\.[a-z]+)`[^`\n]*[:：]\n\n( *)```\w+\n([^]*?)\n *```\n/g),
		].map(([, name, indent, text]) => [
			name,
			text
				.split('\n')
				.map((l) => (l.startsWith(indent) ? l.slice(indent.length) : l))
				.join('\n') + '\n',
		]),
	);
const generate = (kind, what) =>
		execFileSync(
			'awk',
			[
				...['-f', 'src/gen/mksql.awk', '-v', 'kind=' + kind, '-v', 'what=' + what],
				...Object.keys(files)
					.filter((f) => f.endsWith('.' + kind) && f.includes('/contract/'))
					.map((f) => path.join(tmp, f)),
			],
			{ cwd: TOP, encoding: 'utf8' },
		),
	write = (name, text) => {
		fs.mkdirSync(path.dirname(path.join(tmp, name)), { recursive: true });
		fs.writeFileSync(path.join(tmp, name), text);
	};
test.before(async () => {
	s = new Server('docs');
	await s.prepare();
	tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'sladesk-docs-'));
	files = blocks('HACKING.md');
	for (const [name, text] of Object.entries(files)) write(name, text);
});
test.after(async () => {
	fs.rmSync(tmp, { recursive: true, force: true });
	await s.drop();
});

test('both languages show the same code', () => {
	assert.deepStrictEqual(blocks('HACKING.zh-CN.md'), files);
	assert.ok(Object.keys(files).length > 10, Object.keys(files).join(' '));
});
test('the code compiles', () => {
	const def = 'include/config/options.def',
		cflags = execFileSync('pkg-config', ['--cflags', 'libpq', 'json-c', 'libevent'], {
			encoding: 'utf8',
		}).trim();
	write(def, fs.readFileSync(path.join(TOP, def), 'utf8') + files[def]);
	write('sql_gen.h', generate('sql', 'h'));
	for (const f of Object.keys(files).filter((f) => f.startsWith('src/') && f.endsWith('.c')))
		if (!f.startsWith('src/app/'))
			execFileSync(
				process.env.CC || 'cc',
				[
					...['-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fsyntax-only'],
					...[`-I${tmp}`, `-I${tmp}/include`, `-I${TOP}/include`, ...cflags.split(' ')],
					path.join(tmp, f),
				],
				{ encoding: 'utf8' },
			);
});
test('the statements can be prepared', () => {
	owner(files['schema/migrate/NNNN_pulses.sql']);
	owner(files['schema/code/090_policies.sql']);
	let n = 0;
	for (const [name, text] of Object.entries(files))
		if (name.includes('/contract/') && name.endsWith('.sql'))
			owner(`prepare s${n++} as ${text.replace(/^--.*\n/gm, '')}`);
	assert.ok(n > 3, String(n));
	assert.match(generate('sql', 'c'), /pulse_store/);
});
