// SPDX-License-Identifier: Apache-2.0
// The database driver (src/db) alone, with the private PostgreSQL: t/db/pipeline.c.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	path = require('node:path'),
	{ spawnSync, execFileSync } = require('node:child_process');
const { Server, SOCK, secret } = require('../lib/server.js');

test('a pipelined connection: names, time limits, what ends it', async () => {
	const s = new Server('pipeline'),
		url = (user) => `host=${SOCK} dbname=${s.db} user=${user}`;
	await s.prepare();
	execFileSync('make', ['-C', process.env.BUILD_DIR, 't/db/pipeline'], { stdio: 'ignore' });
	const r = spawnSync(path.join(process.env.BUILD_DIR, 't/db/pipeline'), [], {
		encoding: 'utf8',
		env: {
			...process.env,
			PGPASSWORD: secret,
			PIPELINE_APP_URL: url('sladesk_app'),
			PIPELINE_JOB_URL: url('sladesk_job'),
			PIPELINE_ADMIN_URL: url('postgres'),
		},
	});
	assert.strictEqual(r.status, 0, (r.stdout + r.stderr).slice(-6000));
	await s.drop();
});
