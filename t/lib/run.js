// SPDX-License-Identifier: Apache-2.0
// Runs test files, two at a time: run.js [--pattern NAME] FILE... Each lane (LANES: "VAR|SOCK VAR|SOCK") has its own PostgreSQL and Redis and
// runs one file at a time. A file with `// alone: why` in its first lines runs when no other file does. The output of a file appears when it has
// ended. At the end, the failures are repeated, with a total. The exit status is 1 if anything failed.
'use strict';
const { spawn, execFile } = require('node:child_process'),
	fs = require('node:fs'),
	path = require('node:path');

const LIMIT_MS = 900e3; /* one file */
const lanes = process.env.LANES.split(' ').map((l) => {
	const [VAR, SOCK] = l.split('|');
	const env = { ...process.env, VAR, SOCK };
	delete env.NODE_TEST_CONTEXT; /* a test runs this program, too */
	return { VAR, SOCK, env };
});
const args = process.argv.slice(2),
	options = [];
if (args[0] === '--pattern') options.push('--test-name-pattern=' + args.splice(0, 2)[1]);
const live = args.length === 1; /* a single file's output appears while it runs */
const timesFile = path.join(process.env.TIMES_DIR || lanes[0].VAR, 'times.json');

const times = (() => {
	try {
		return JSON.parse(fs.readFileSync(timesFile, 'utf8'));
	} catch {
		return {};
	}
})();
const alone = (file) =>
	fs
		.readFileSync(file, 'utf8')
		.split('\n')
		.slice(0, 12)
		.some((l) => /^\/\/ alone: ./.test(l));
/* The files that took longest last time come first; new files come before all others. */
const expected = (file) => times[file] ?? Infinity;

const sum = { pass: 0, fail: 0, skipped: 0 },
	failed = [],
	again = [];
let ending = false;

/* Everything that the file started and left (daemons, browsers) is killed with it: it has its own
 * process group. */
const groups = new Map();
const endGroup = (pid) => {
	try {
		process.kill(-pid, 'SIGKILL');
	} catch {
		/* it has ended by itself */
	}
};
function spawnFile(file, lane) {
	return new Promise((ok) => {
		const child = spawn(
			process.execPath,
			[
				'--test',
				'--test-reporter=spec',
				'--test-reporter-destination=stdout',
				...options,
				file,
			],
			{ env: lane.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
		);
		let text = '',
			late = false;
		groups.set(lane, child.pid);
		fs.writeFileSync(path.join(lane.VAR, 'group.pid'), child.pid + '\n');
		const take = (d) => {
			text += d;
			if (live) process.stdout.write(d);
		};
		child.stdout.setEncoding('utf8').on('data', take);
		child.stderr.setEncoding('utf8').on('data', take);
		const limit = setTimeout(() => {
			late = true;
			endGroup(child.pid);
		}, LIMIT_MS);
		child.on('exit', () => {
			endGroup(child.pid);
			/* the rest of the output, unless a process outside the group holds the
			 * pipe */
			setTimeout(() => child.stdout.destroy() && child.stderr.destroy(), 5000).unref();
		});
		child.on('close', (code) => {
			clearTimeout(limit);
			groups.delete(lane);
			fs.rmSync(path.join(lane.VAR, 'group.pid'), { force: true });
			ok({ code, text, late });
		});
	});
}
/* From the output of node's reporter: the counts and, for the end, the failures without their
 * stacks. */
function count(file, { code, text, late }) {
	const of = (what) =>
		[...text.matchAll(new RegExp(`^ℹ ${what} (\\d+)$`, 'gm'))].reduce(
			(n, m) => n + Number(m[1]),
			0,
		);
	for (const k of Object.keys(sum)) sum[k] += of(k);
	sum.fail += of('cancelled');
	/* a file without a test node reports that the file itself has passed */
	const none = code === 0 && (!of('tests') || /^✔ \S+\.test\.js \([\d.]+ms\)$/m.test(text));
	if (none) sum.pass -= of('pass');
	if (code === 0 && !none) return;
	failed.push(file);
	if (!of('fail') && !of('cancelled')) sum.fail++;
	again.push(file + (late ? `: not done after ${LIMIT_MS / 1000} s` : none ? ': ran no test' : ''));
	const from = text.indexOf('✖ failing tests:');
	const lines = (from < 0 ? text.slice(-2000) : text.slice(from)).split('\n').slice(1);
	again.push(
		...lines
			.filter((l) => from < 0 || /^✖|^ {2}[A-Z]|^ +(actual|expected|at .*test\.js)/.test(l))
			.map((l) => '  ' + l.slice(0, 400))
			.slice(0, 40),
	);
}
async function runFile(file, lane) {
	const from = Date.now();
	const trouble = await new Promise((ok) =>
		execFile(path.join(__dirname, 'lane.sh'), ['up'], { env: lane.env }, (e, out, err) =>
			ok(e && e.message + out + err),
		),
	);
	if (live) console.log('== ' + file);
	const done = trouble ? { code: 1, text: trouble, late: false } : await spawnFile(file, lane);
	if (ending) return;
	const s = (Date.now() - from) / 1000;
	if (!live) console.log(`== ${file}: ${s.toFixed(1)} s\n${done.text.trimEnd()}`);
	if (done.code !== 0) console.log('FAILED: ' + file);
	else if (!options.length) times[file] = s;
	count(file, done);
}
async function runAll(files, on) {
	const left = [...files].sort((a, b) => expected(b) - expected(a));
	await Promise.all(
		on.map(async (lane) => {
			while (left.length && !ending) await runFile(left.shift(), lane);
		}),
	);
}
for (const sig of ['SIGTERM', 'SIGINT', 'SIGHUP'])
	process.on(sig, () => {
		ending = true;
		for (const pid of groups.values()) endGroup(pid);
		process.exit(1);
	});
(async () => {
	const together = args.filter((f) => !alone(f)),
		single = args.filter(alone);
	await runAll(together, lanes.slice(0, Math.max(1, together.length)));
	await runAll(single, lanes.slice(0, 1));
	if (ending) return;
	fs.writeFileSync(timesFile, JSON.stringify(times, null, '\t') + '\n');
	if (again.length) console.log('\nwhat failed:\n' + again.join('\n'));
	fs.writeFileSync(
		process.env.RESULT,
		`${sum.pass} passed, ${sum.fail} failed, ${sum.skipped} skipped\n`,
	);
	fs.writeFileSync(process.env.RESULT + '.failed', failed.map((f) => ' ' + f).join(''));
	process.exitCode = failed.length ? 1 : 0;
})();
