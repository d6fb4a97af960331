// SPDX-License-Identifier: Apache-2.0
// Two builds side by side: `./dev bench versus PREFIX` measures the program installed below PREFIX (`make install prefix=…` of an older
// commit) and that of this tree, in interleaved rounds of one run. The result is the ratio of CPU time per request, computed per round.
'use strict';
const fs = require('node:fs'),
	path = require('node:path'),
	{ execFileSync, spawn } = require('node:child_process');
const cpu = require('./cpu.js');

const OLD = process.argv[2],
	ROUNDS = Number(process.env.ROUNDS || 7),
	SECONDS = Number(process.env.SECONDS || 3);

/* --- a build under test, in a process of its own: INST says which --- */

async function serve(name) {
	const { Server, SOCK, secret, VAR } = require('../lib/server.js'),
		inst = process.env.INST;
	/* The schema comes from the build itself, not from this tree's templates. */
	class Built extends Server {
		schema(db) {
			const cli = (...args) =>
				execFileSync(path.join(inst, 'bin/sladesk'), args, {
					env: { ...process.env, PGPASSWORD: secret },
					stdio: ['ignore', 'ignore', 'inherit'],
				});
			cli(
				...['init', '--admin-url', `host=${SOCK} dbname=postgres user=postgres`],
				...['--database', db, '--password-file', path.join(VAR, 'secret/db')],
			);
			cli('migrate', '--owner-url', `host=${SOCK} dbname=${db} user=sladesk_owner`);
		}
	}
	const single = path.join(inst, 'libexec/sladesk/sladesk-worker'), // before there were several helper programs
		s = new Built('versus_' + name, {
			crypto: {},
			test: { echo: 'no' },
			limits: {
				address_per_s: 0,
				login_per_s: 0,
				user_per_s: 0,
				tenant_per_s: 0,
				fresh_per_s: 0,
			},
			...(fs.existsSync(single) ? { worker: { path: single } } : {}),
		});
	await s.prepare();
	await s.start();
	const token = await s.login('user', 'alpha');
	s.sql(
		`insert into tickets (tenant_id, title, status, priority, priority_source, source, requester_kind, policy_id, calendar_id, opened_at, last_at, updated_at) select case when g % 2 = 0 then ${s.alpha} else ${s.beta} end, 'ticket ' || g, 'in_progress', 'P' || g % 4, 'customer', 'web', 'customer', 1, 1, '2026-01-01Z'::timestamptz + g * interval '31 s', '2026-01-01Z', '2026-01-01Z' from generate_series(1, 20000) g; analyze tickets`,
	);
	console.log(JSON.stringify({ port: s.port, pid: s.proc.pid, token }));
	process.stdin.on('end', () => s.drop().then(() => process.exit(0)));
	process.stdin.resume();
}
function start(name, inst) {
	return new Promise((ok, no) => {
		const p = spawn(process.execPath, [__filename, '--serve', name], {
			env: { ...process.env, INST: inst },
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		let text = '';
		p.stdout.on('data', (d) => {
			text += d;
			if (text.includes('\n')) ok({ ...JSON.parse(text), end: () => p.stdin.end() });
		});
		p.on('exit', (code) => no(new Error(`${name} ended: ${code}`)));
	});
}

/* --- the rounds --- */

const rss = (pid) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);
function load(b, url, args) {
	const before = cpu(b.pid),
		out = execFileSync('wrk', [
			...['-t1', '-c32', `-d${SECONDS}s`, '-H', 'Authorization: Bearer ' + b.token],
			...args,
			`http://127.0.0.1:${b.port}${url}`,
		]).toString();
	if (/Non-2xx/.test(out)) throw new Error(out);
	return (cpu(b.pid) - before) / 1000 / Number(out.match(/(\d+) requests in/)[1]);
}
const median = (a) => [...a].sort((x, y) => x - y)[Math.floor(a.length / 2)];

async function main() {
	const builds = [await start('old', OLD), await start('new', process.env.INST)],
		lua = path.join(process.env.VAR, 'versus.lua');
	fs.writeFileSync(
		lua,
		`wrk.method = "POST"\nwrk.body = '{"title":"数据库连接超时","description":"生产环境部分功能受影响","priority":"P3"}'\nwrk.headers["Content-Type"] = "application/json"\n`,
	);
	for (const [what, url, args] of [
		['trivial', '/healthz', []],
		['token and session', '/api/v1/me', []],
		['list of 20', '/api/v1/tickets?limit=20', []],
		['overview from memory', '/api/v1/client/dashboard/overview', []],
		['create', '/api/v1/tickets', ['-s', lua]],
	]) {
		const us = [[], []];
		for (let i = 0; i <= ROUNDS; i++) {
			const order = i % 2 ? [0, 1] : [1, 0];
			for (const k of order) {
				const x = load(builds[k], url, args);
				if (i) us[k].push(x); // the first round warms up
			}
		}
		console.log(
			`${what.padEnd(24)} old ${median(us[0]).toFixed(1)} us, new ${median(us[1]).toFixed(1)} us, new/old ${median(us[1].map((x, i) => x / us[0][i])).toFixed(3)} (${ROUNDS} rounds)`,
		);
	}
	console.log(`resident kB after it: old ${rss(builds[0].pid)}, new ${rss(builds[1].pid)}`);
	for (const b of builds) b.end();
}

if (process.argv[2] === '--serve')
	serve(process.argv[3]).catch((e) => {
		console.error(e);
		process.exit(1);
	});
else
	main().then(
		() => setTimeout(() => process.exit(0), 3000),
		(e) => {
			console.error(e);
			process.exit(1);
		},
	);
