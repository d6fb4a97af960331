// SPDX-License-Identifier: Apache-2.0
// A customer's portal under load: a hundred users open their dashboards at once, logins next to other requests, messages from a source system, compliance
// over a million tickets.
'use strict';
const http = require('node:http'),
	net = require('node:net');
const { Server, PASSWORD, waitUntil } = require('../lib/server.js');

const WIDGETS = [
	'total_tickets',
	'pending_tickets',
	'resolved_tickets',
	'overdue_tickets',
	'sla_compliance',
	'avg_response_time',
	'ticket_trend',
	'sla_trend',
	'alerts',
	'by_priority',
];
const at = (a, p) => [...a].sort((x, y) => x - y)[Math.min(a.length - 1, Math.floor(a.length * p))];

function client(s) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1024 });
	return (method, path, token, body) =>
		new Promise((ok, no) => {
			const began = process.hrtime.bigint(),
				data = body && JSON.stringify(body),
				r = http.request(
					{
						host: '127.0.0.1',
						port: s.port,
						method,
						path,
						agent,
						headers: {
							...(token
								? { Authorization: 'Bearer ' + token }
								: {}),
							...(data
								? {
										'Content-Length':
											Buffer.byteLength(
												data,
											),
									}
								: {}),
						},
					},
					(res) => {
						let text = '';
						res.on('data', (d) => (text += d));
						res.on('end', () =>
							ok({
								status: res.statusCode,
								text,
								ms:
									Number(
										process.hrtime.bigint() -
											began,
									) / 1e6,
							}),
						);
					},
				);
			r.on('error', no);
			r.end(data);
		});
}
const must = (r) => {
	if (r.status !== 200) throw new Error(r.status + ' ' + r.text.slice(0, 300));
	return r;
};

/* A connection that costs the client very little: it sends bytes and measures the time until the
 * complete response has arrived. */
class Wire {
	constructor(port) {
		this.socket = net.connect(port, '127.0.0.1').setNoDelay();
		this.socket.on('data', (d) => this.take(d));
		this.socket.on('error', (e) => this.fail(e));
		this.fail = () => {};
		this.got = 0;
		this.wanted = 0;
	}
	take(d) {
		if (!this.got) {
			const head = d.indexOf('\r\n\r\n'),
				n = /content-length: (\d+)/i.exec(d.latin1Slice(0, head));
			if (head < 0 || !n || d.latin1Slice(9, 12) !== '200')
				return this.fail(new Error(d.toString().slice(0, 300)));
			this.wanted = head + 4 + Number(n[1]);
		}
		this.got += d.length;
		if (this.got < this.wanted) return;
		this.got = 0;
		this.done();
	}
	ask(bytes) {
		return new Promise((ok, no) => {
			this.done = ok;
			this.fail = no;
			this.socket.write(bytes);
		});
	}
}
/* Each user opens the page: its ten requests at once, each on a connection of its own, ROUNDS
 * times. Returns the milliseconds of the pages. PATH_OF is the path of a widget. */
async function pages(s, tokens, rounds, pathOf) {
	const ms = [],
		people = tokens.map((t) =>
			WIDGETS.map((w) => ({
				wire: new Wire(s.port),
				bytes: Buffer.from(
					`GET ${pathOf(w)} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${t}\r\n\r\n`,
				),
			})),
		);
	for (let round = 0; round < rounds; round++)
		await Promise.all(
			people.map(async (page) => {
				const began = process.hrtime.bigint();
				await Promise.all(page.map((x) => x.wire.ask(x.bytes)));
				ms.push(Number(process.hrtime.bigint() - began) / 1e6);
			}),
		);
	for (const page of people) for (const x of page) x.wire.socket.destroy();
	return ms;
}
const pair = (ms) => `${at(ms, 0.5).toFixed(0)}/${at(ms, 0.99).toFixed(0)}`;
async function dashboards(s, ask, tokens, report) {
	/* what the client needs for a thousand requests at once, whatever the server is */
	const probe = () => '/healthz';
	await pages(s, tokens, 2, probe);
	report(
		`baseline: ${tokens.length} users at once, 10 probes each, ms p50/p99`,
		pair(await pages(s, tokens, 5, probe)),
		'',
	);
	report(
		`dashboard: ${tokens.length} users at once, 10 widgets each, a page, ms p50/p99`,
		pair(
			await pages(
				s,
				tokens,
				5,
				(w) => '/api/v1/client/dashboard/data?period=30d&widgets=' + w,
			),
		),
		'p99 <= 200',
	);
	const together = [];
	for (let round = 0; round < 5; round++)
		for (const r of await Promise.all(
			tokens.map((t) =>
				ask('GET', '/api/v1/client/dashboard/data?period=30d&widgets=' + WIDGETS, t),
			),
		))
			together.push(must(r).ms);
	report('the same ten widgets in one answer, ms p50/p99', pair(together), '');
}
/* The server's CPU time per request for the first request of each token (signature, session from
 * the database) and for later ones (from memory). */
async function tokensKnown(s, ask, cpu, report) {
	const tokens = [];
	for (let i = 0; i < 60; i++) tokens.push(await s.login('admin', 'beta'));
	const us = async () => {
		const before = cpu(s.proc.pid);
		for (const t of tokens) must(await ask('GET', '/api/v1/auth/sessions', t));
		return (cpu(s.proc.pid) - before) / 1000 / tokens.length;
	};
	const first = await us(),
		later = await us();
	report(
		'a token seen first, and again: CPU a request, us (the rest is the request)',
		`${first.toFixed(0)}, ${later.toFixed(0)}`,
		'',
	);
}
/* Logins as fast as possible, and their effect on another request. */
async function logins(ask, token, seconds, report) {
	const probe = async (until) => {
			const ms = [];
			while (Date.now() < until) {
				ms.push(must(await ask('GET', '/api/v1/tickets?limit=20', token)).ms);
				await new Promise((ok) => setTimeout(ok, 5));
			}
			return ms;
		},
		alone = await probe(Date.now() + seconds * 1000),
		until = Date.now() + seconds * 1000,
		took = [],
		login = async (_, i) => {
			while (Date.now() < until) {
				const r = await ask('POST', '/api/v1/auth/login', null, {
					username:
						'p' +
						i /* at most five attempts for one name are checked at the same time */,
					password: PASSWORD,
					tenant: 'alpha',
				});
				took.push(must(r).ms);
			}
		};
	const [beside] = await Promise.all([
		probe(until),
		...Array.from({ length: 8 }, (_, i) => login(_, i)),
	]);
	report(
		'log-ins with argon2id, 8 at once: a second; ms p99',
		`${(took.length / seconds).toFixed(0)}; ${at(took, 0.99).toFixed(0)}`,
		'p99 <= 1000',
	);
	report(
		'a list of 20 meanwhile, ms p99 (alone)',
		`${at(beside, 0.99).toFixed(1)} (${at(alone, 0.99).toFixed(1)})`,
		'no more',
	);
}
async function sync(s, ask, report) {
	const token = s.token('provider', 'ticket:write', 'bench');
	const admin = await s.login('admin', 'beta'),
		began = Date.now();
	let n = 0;
	for (let batch = 0; batch < 4; batch++) {
		const events = [];
		for (let i = 0; i < 1000; i++)
			events.push({
				event_id: `b${batch}-${i}`,
				tenant_id: s.beta,
				ticket_id: 'T' + (i % 500),
				status: ['new', 'in_progress', 'resolved', 'closed'][batch],
				timestamp: new Date(began - 60000 + batch * 1000 + i).toISOString(),
			});
		const r = JSON.parse(
			must(await ask('POST', '/api/v1/integration/tickets/sync', token, { events })).text,
		).data;
		n += r.applied + r.outdated;
		if (r.failed) throw new Error('not applied: ' + r.failed);
	}
	const seconds = (Date.now() - began) / 1000,
		wait = Date.now();
	await waitUntil(async () => {
		const o = JSON.parse(
			must(await ask('GET', '/api/v1/client/dashboard/overview?period=1d', admin)).text,
		).data.summary;
		return o.resolved_tickets === 500;
	}, 20000);
	report(
		'messages of a leading system applied a second (2 a ticket and batch)',
		(n / seconds).toFixed(0),
		'>= 1000',
	);
	report('… and the dashboard shows them after, ms', Date.now() - wait, '<= 1000');
}
/* A million tickets as the rollups of three years. */
async function million(s, ask, admin, n, report) {
	s.sql(
		`insert into tickets (tenant_id, title, status, priority, priority_source, source, requester_kind, policy_id, calendar_id, opened_at, last_at, updated_at) select ${s.alpha}, 'ticket ' || g, 'closed', 'P' || g % 4, 'customer', 'import', 'customer', 1, 1, now() - g * interval '90 s', now(), now() from generate_series(1, ${n}) g; analyze tickets`,
	);
	s.cli(['rollup', 'rebuild', '--tenant', 'alpha']);
	const ms = [];
	for (const by of ['service_type', 'priority', 'department', 'project', 'region', 'engineer'])
		for (const period of ['30d', '366d'])
			ms.push(
				must(
					await ask(
						'GET',
						`/api/v1/client/sla/compliance?period=${period}&group_by=${by}`,
						admin,
					),
				).ms,
			);
	report(
		`compliance computed over ${n} tickets, ms p50/max`,
		`${at(ms, 0.5).toFixed(1)}/${Math.max(...ms).toFixed(1)}`,
		'<= 100',
	);
}

module.exports = async function portal({ report, quick, limits, cpu }) {
	const s = await Server.make('bench_portal', {
			test: { echo: 'no' },
			http: { address_connections: 0, user_connections: 0 },
			limits,
		}),
		ask = client(s),
		tokens = [];
	for (let i = 0; i < (quick ? 20 : 100); i++)
		tokens.push(await s.login(i % 2 ? 'user' : 'admin', 'alpha'));
	await million(s, ask, tokens[0], quick ? 100000 : 1000000, report);
	await dashboards(s, ask, tokens, report);
	for (let i = 0; i < 8; i++)
		s.cli(
			[
				'user',
				'add',
				'--tenant',
				'alpha',
				'--username',
				'p' + i,
				'--name',
				'p',
				'--email',
				`p${i}@alpha.example`,
			],
			PASSWORD + '\n',
		);
	await tokensKnown(s, ask, cpu, report);
	await logins(ask, tokens[1], quick ? 3 : 8, report);
	await sync(s, ask, report);
	await s.drop();
};
