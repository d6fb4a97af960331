// SPDX-License-Identifier: Apache-2.0
// An operator's hour by the steps of doc/ops.md (t/ops/hour.sh): installation, first users, upgrade, restarts, outages, backup, restore.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	path = require('node:path'),
	{ spawn } = require('node:child_process');

test('the steps of doc/ops.md, from the installation to the restored backup', { timeout: 1800000 }, async (t) => {
	if (!process.env.SLADESK_LONG) return t.skip('only in ./dev test long');
	const p = spawn(path.join(__dirname, '../ops/hour.sh'), { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH } });
	let text = '';
	for (const out of [p.stdout, p.stderr]) out.on('data', (d) => (text += d));
	const code = await new Promise((ok) => p.on('exit', ok));
	if (code === 77) return t.skip(text.trim());
	assert.strictEqual(code, 0, text);
	console.log(text.replace(/^/gm, '# '));
	assert.ok(text.match(/^ok: /gm).length >= 17);
});
