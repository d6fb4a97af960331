// SPDX-License-Identifier: Apache-2.0
// Secrets stay with those who need them: a file that others can read is refused at start, whatever it holds.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawnSync } = require('node:child_process');
const { Server, waitUntil, asUser, INST, writeSecret } = require('../lib/server.js');

let s;
test.before(async () => {
	s = await Server.make('secrets');
});
test.after(() => s.drop());

const check = (...args) => {
	const [cmd, all] = asUser(path.join(INST, 'sbin/sladeskd'), args);
	return spawnSync(cmd, all, { encoding: 'utf8', timeout: 20000 });
};
/* Every setting that names a file with a secret, from the sample file. */
const settings = () => {
	const sample = check('--print-config').stdout;
	let section;
	return sample.split('\n').flatMap((l) => {
		const s = l.match(/^\[(\w+)\]/),
			k = l.match(/^;(\w*(?:key|password|token)_file) = /);
		if (s) section = s[1];
		return k ? [[section, k[1]]] : [];
	});
};

test('a secret that the group or others can read is refused, and the setting is named', async () => {
	const all = settings(),
		file = path.join(s.dir, 'exposed'),
		conf = path.join(s.dir, 'exposed.conf');
	assert.ok(all.length >= 9, JSON.stringify(all));
	for (const [section, key] of all)
		for (const mode of [0o640, 0o604, 0o620, 0o602, 0o660]) {
			writeSecret(file, 'x\n');
			fs.chmodSync(file, mode);
			fs.writeFileSync(conf, `[${section}]\n${key} = ${file}\n`);
			const r = check('-c', conf, '--check');
			assert.notStrictEqual(r.status, 0, `${section}.${key} ${mode.toString(8)}`);
			assert.match(
				r.stderr,
				new RegExp(`${section}\\.${key}: ${file}: .*rights on it \\(use chmod 600\\)`),
			);
		}
	/* the keys beside token.key_file, which no setting names */
	await s.stop();
	for (const name of fs.readdirSync(s.dir).filter((f) => /^(token\.jwk|.*\.key|.*\.pem)$/.test(f))) {
		fs.chmodSync(path.join(s.dir, name), 0o640);
		await assert.rejects(s.start(), new RegExp(`${name}.*rights on it`), name);
		fs.chmodSync(path.join(s.dir, name), 0o600);
	}
	await s.start();
});
test('a reload does not take a secret that others can read', async () => {
	const file = path.join(s.dir, 'gateway');
	writeSecret(file, 'x\n');
	fs.chmodSync(file, 0o644);
	s.settings.sms = { token_file: file };
	fs.writeFileSync(s.file, s.conf());
	s.proc.kill('SIGHUP');
	await waitUntil(() => /settings not reloaded: sms\.token_file: .*rights on it/.test(s.log));
});
