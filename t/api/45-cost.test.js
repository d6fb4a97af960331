// SPDX-License-Identifier: Apache-2.0
// alone: it compares how long logins take
// A login costs the same whoever it names: unknown names, wrong passwords, disabled and locked accounts, accounts without a password, members of
// staff. Samples of all kinds take turns, each with a name of its own; compared are the medians (within 10 %) and the ranks (Mann-Whitney), after
// the delay that every wrong password has, with the real limits out of the way and without any.
'use strict';
const test = require('node:test'),
	assert = require('node:assert'),
	http = require('node:http');
const { Server, elapse, PASSWORD } = require('../lib/server.js');

const N = 24, /* samples of a kind */
	EVERY_MS = 80, /* one login at a time: a hash takes less */
	DELAY_MS = 250,
	LOCKED_MS = 4000; /* the delays after the first wrong password, and after the fifth */

/* How a name is prepared, and what is sent. The first one is what all others are compared with. */
const KINDS = {
	unknown: {},
	known: { row: {} },
	'disabled, right password': { row: { disabled_at: 'now()' }, password: PASSWORD },
	'without a password (SSO only)': { row: { password_hash: 'null' } },
	'must change, wrong password': { row: { must_change: 'true' } },
	'staff, unknown': { tenant: null },
	'staff, known': { tenant: null, staff: 'null' },
	'staff, disabled, right password': { tenant: null, staff: 'now()', password: PASSWORD },
	'unknown customer': { tenant: 'nowhere' },
	'locked, unknown': { locked: true },
	'locked, right password': { locked: true, row: {}, password: PASSWORD },
	'locked, without a password': { locked: true, row: { password_hash: 'null' } },
};
const name = (kind, g) => kind.replace(/[^a-z]/g, '') + g;

function prepare(s) {
	const sql = [];
	for (const [kind, k] of Object.entries(KINDS)) {
		const like = name(kind, "' || g || '");
		if (k.row) {
			const set = { password_hash: 'password_hash', disabled_at: 'null', must_change: 'false', ...k.row };
			sql.push(`insert into client_users (tenant_id, username, full_name, email, created_at, ${Object.keys(set)})
				select tenant_id, '${like}', 'x', '${like}@x.example', now(), ${Object.values(set)}
				from client_users, generate_series(1, ${N}) g where tenant_id = ${s.alpha} and username = 'user'`);
		}
		if (k.staff)
			sql.push(`insert into staff (username, full_name, email, role, level, created_at, password_hash, disabled_at)
				select '${like}', 'x', '${like}@x.example', role, level, now(), password_hash, ${k.staff}
				from staff, generate_series(1, ${N}) g where username = 'eng1'`);
		if (k.locked)
			sql.push(`insert into login_attempts (tenant_id, username, source, attempts, last_at)
				select ${s.alpha}, '${like}', login_network('127.0.0.1'), 5, now() from generate_series(1, ${N}) g`);
	}
	s.sql(sql.join(';\n'));
}
function login(s, agent, kind, g) {
	const k = KINDS[kind],
		data = JSON.stringify({
			username: name(kind, g),
			password: k.password || 'Wrong-pass-1',
			...(k.tenant === null ? {} : { tenant: k.tenant || 'alpha' }),
		});
	return new Promise((ok, no) => {
		const began = process.hrtime.bigint(),
			r = http.request(
				{
					...{ host: '127.0.0.1', port: s.port, method: 'POST', path: '/api/v1/auth/login', agent },
					headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(data) },
				},
				(res) => {
					const ms = Number(process.hrtime.bigint() - began) / 1e6;
					let text = '';
					res.on('data', (d) => (text += d));
					res.on('end', () =>
						ok({
							ms: ms - (k.locked ? LOCKED_MS : DELAY_MS),
							said: res.statusCode + text.replace(/"(timestamp|request_id)":"[^"]*"/g, ''),
						}),
					);
				},
			);
		r.on('error', no);
		r.end(data);
	});
}
const median = (a) => [...a].sort((x, y) => x - y)[a.length >> 1];
/* The chance that a sample of A is smaller than one of B: 0.5 if they are alike. */
const rank = (a, b) =>
	a.reduce((sum, x) => sum + b.reduce((n, y) => n + (x < y ? 1 : x === y ? 0.5 : 0), 0), 0) / a.length / b.length;
/* Three standard deviations of that for N samples each: a real difference of one hash, or of one statement, is far outside. */
const ALIKE = 3 * Math.sqrt((2 * N + 1) / (12 * N * N));

async function series(s) {
	const agent = new http.Agent({ keepAlive: true }),
		ms = {},
		said = new Set(),
		all = [];
	for (const table of ['client_users', 'staff']) s.sql(`delete from ${table} where email like '%@x.example'`);
	s.sql('delete from login_attempts');
	prepare(s);
	const kinds = Object.keys(KINDS);
	for (let g = 1; g <= N; g++)
		for (let i = 0; i < kinds.length; i++) {
			const kind = kinds[(i + g) % kinds.length]; /* no kind always follows the same one */
			all.push(
				login(s, agent, kind, g).then((r) => {
					(ms[kind] = ms[kind] || []).push(r.ms);
					said.add(r.said);
				}),
			);
			await elapse(EVERY_MS);
		}
	await Promise.all(all);
	agent.destroy();
	return { ms, said };
}
const faults = ({ ms }) => {
	const base = median(ms.unknown);
	return Object.keys(KINDS)
		.map((k) => ({ k, median: median(ms[k]), rank: rank(ms.unknown, ms[k]) }))
		.filter(({ median: m, rank: r }) => Math.abs(m - base) > base * 0.1 && Math.abs(r - 0.5) > ALIKE)
		.map(({ k, median: m, rank: r }) => `${k}: ${m.toFixed(1)} ms (unknown ${base.toFixed(1)} ms), rank ${r.toFixed(2)}`);
};

test('the comparison finds a hash, or a tenth of one, that is missing', () => {
	const around = (ms) => Array.from({ length: N }, (_, i) => ms * (0.9 + (0.2 * ((i * 7) % N)) / N)),
		all = Object.fromEntries(Object.keys(KINDS).map((k) => [k, around(30)]));
	assert.deepStrictEqual(faults({ ms: all }), []);
	for (const ms of [3, 26, 34]) assert.strictEqual(faults({ ms: { ...all, known: around(ms) } }).length, 1, String(ms));
});
for (const [what, limits] of [
	['behind the limits', {}],
	['without a limit', { login_per_s: 0, address_per_s: 0 }],
])
	test('a login costs the same whoever it names: ' + what, async (t) => {
		const s = await Server.make('cost', { limits });
		t.after(() => s.drop());
		/* a difference caused by us appears in every series; one caused by the machine does not */
		let found = [];
		for (let round = 0; round < 3; round++) {
			const r = await series(s);
			found = faults(r);
			t.diagnostic(
				Object.entries(r.ms)
					.map(([k, a]) => `${k} ${median(a).toFixed(1)} ms`)
					.join('; '),
			);
			assert.strictEqual(r.said.size, 1, [...r.said].join('\n'));
			assert.ok(Object.values(r.ms).every((a) => a.length === N && a.every((x) => x > 0)), 'nobody is answered before the delay');
			if (!found.length) return;
		}
		assert.deepStrictEqual(found, []);
	});
