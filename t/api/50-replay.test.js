// SPDX-License-Identifier: Apache-2.0
// Replay stays exact: whatever happened to a ticket, imported or not, its history gives the clocks that are stored, also after a rebind.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path');
const { Server, waitUntil } = require('../lib/server.js'),
	machine = require('../lib/machine.js');

const root = path.join(__dirname, '../..'),
	NONE = /verified [1-9]\d* tickets, 0 differences/;
let s, boss, eng, user;
before(async () => {
	s = await Server.make('replay', { test: { allow_clock: 'yes' } });
	[boss, eng, user] = await Promise.all([s.login('boss'), s.login('eng1'), s.login('user', 'alpha')]);
});
after(() => s && s.drop());

/* A small generator of random numbers: a failure names its seed. */
const random = (seed) => () => {
	seed = (seed + 0x6d2b79f5) | 0;
	let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const SEED = Number(process.env.SEED || Date.now() % 1e6);
/* New versions of all policies that tickets can be bound to, each with other budgets, so that a rebind changes every clock. */
let versions = 100;
const newPolicies = () =>
	s.sql(`insert into sla_configurations (tenant_id, code, version, calendar_code, service_type, doc, effective_from)
		select distinct on (tenant_id, code) tenant_id, code, ${++versions}, calendar_code, service_type,
			jsonb_set(jsonb_set(doc, '{priorities}', (select jsonb_object_agg(p.key, (select jsonb_object_agg(b.key,
				case when jsonb_typeof(b.value) = 'number' then to_jsonb((b.value::bigint * ${versions % 2 ? 3 : 5}) / ${versions % 2 ? 2 : 7} / 60 * 60 + 60) else b.value end)
				from jsonb_each(p.value) b)) from jsonb_each(doc -> 'priorities') p)), '{thresholds}', '${versions % 2 ? '["50", "90", "100"]' : '["80", "-30m", "90", "95", "100"]'}'), '2001-01-01Z'
		from sla_configurations order by tenant_id, code, version desc`);
const open = "('new', 'accepted', 'in_progress', 'pending_customer', 'pending_aws', 'scheduled', 'mitigated', 'monitoring')";
/* Rebind open tickets, N of them at most, and say how many. */
async function rebindAll(where, n = 1e6) {
	const ids = s.sql(`select id from tickets where status in ${open} and ${where} order by id limit ${n}`).split('\n').filter(Boolean);
	for (let i = 0; i < ids.length; i += 20)
		await Promise.all(
			ids.slice(i, i + 20).map(async (id) => {
				const r = await s.post(`/api/v1/tickets/${id}/rebind`, boss, { reason: 'new contract' });
				assert.strictEqual(r.status, 200, r.text);
			}),
		);
	return ids.length;
}
const importLog = (map, tenant, file, policy = 'standard') =>
	s.cli([
		...['import', '--map', path.join(root, 'etc/import', map + '.json'), '--tenant', tenant, '--policy', policy],
		...['--rejects', path.join(s.dir, 'rejects.csv'), file],
	]);
/* A log of N incidents in the format of volvo.json, with pauses and reopenings, as it happens. */
function randomLog(n, rnd) {
	const rows = ['case_id,activity,timestamp,resource'];
	for (let i = 1; i <= n; i++) {
		let at = Date.UTC(2010, 2, 1) + rnd() * 1e9;
		for (let k = 0, steps = 1 + rnd() * 12; k < steps; k++) {
			rows.push(`${i},${Math.floor(rnd() * 13)},${new Date(at).toISOString().slice(0, 19).replace('T', ' ')},0`);
			at += rnd() < 0.3 ? rnd() * 6e8 : rnd() * 6e6;
		}
	}
	return rows.join('\n') + '\n';
}

test('imported tickets: the history gives the stored clocks after a rebind, before and after they went live', async () => {
	const csv = path.join(s.dir, 'log.csv');
	fs.writeFileSync(csv, randomLog(300, random(SEED)));
	assert.match(importLog('volvo', 'alpha', csv), /imported {2}300 tickets/);
	assert.match(s.cli(['sla', 'verify']), NONE, 'seed ' + SEED);
	newPolicies();
	assert.ok((await rebindAll('muted and id % 2 = 0')) > 5);
	assert.match(s.cli(['sla', 'verify']), NONE, 'seed ' + SEED);
	s.cli(['import', '--go-live', '--tenant', 'alpha']);
	assert.match(s.cli(['sla', 'verify']), NONE, 'seed ' + SEED);
	newPolicies();
	assert.ok((await rebindAll("source = 'import'")) > 10);
	assert.match(s.cli(['sla', 'verify']), NONE, 'seed ' + SEED);
});

test('imported tickets of versions whose events did not name their policy: the migration adds it', async () => {
	const events = "select string_agg(seq || ' ' || (data ->> 'policy_id') || ' ' || (data ->> 'calendar_id'), ',' order by tenant_id, seq) from events e where type = 'ticket.created'",
		never = " and not exists (select from events r where r.tenant_id = e.tenant_id and r.ticket_id = e.ticket_id and r.type = 'ticket.rebound')",
		was = s.sql(events + never);
	assert.ok(was.length > 100);
	s.sql('create table kept as select tenant_id, seq, data from events');
	s.sql("alter table events drop constraint events_name_versions; update events set data = data - 'policy_id' - 'calendar_id' where type = 'ticket.created'");
	assert.throws(() => s.cli(['sla', 'verify']), /differences/, 'the history of a rebound ticket cannot be replayed without them');
	const dir = path.join(root, 'schema/migrate');
	s.sql(fs.readFileSync(path.join(dir, fs.readdirSync(dir).find((f) => f.endsWith('_event_versions.sql'))), 'utf8'));
	assert.strictEqual(s.sql(events + never), was);
	assert.throws(
		() => s.sql("insert into events (tenant_id, seq, type, ticket_id, actor_kind, audience, at, data) select tenant_id, -1, type, ticket_id, actor_kind, audience, at, data - 'policy_id' from events where type = 'ticket.created' limit 1"),
		/events_name_versions/,
		'no writer can forget them',
	);
	s.sql('update events e set data = k.data from kept k where k.tenant_id = e.tenant_id and k.seq = e.seq; drop table kept');
});

test('random histories with pauses, priority changes and rebinds', async () => {
	const rnd = random(SEED + 1),
		pick = (list) => list[Math.floor(rnd() * list.length)],
		made = [];
	for (let i = 0; i < 40; i++) {
		const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', priority: pick(['P0', 'P1', 'P2', 'P3', 'P4']) });
		assert.strictEqual(r.status, 201, r.text);
		made.push(r.data.id);
	}
	const done = {},
		commands = {
			accept: () => ({}),
			confirm: () => ({}),
			reply: () => ({ text: 'we look' }),
			note: () => ({ text: 'a note' }),
			'wait-customer': () => ({ reason: 'a question' }),
			'wait-aws': () => ({}),
			resume: () => ({ reason: 'go on' }),
			priority: () => ({ priority: pick(['P0', 'P1', 'P2', 'P3', 'P4']), reason: 'it is so' }),
			mitigate: () => ({ text: 'a workaround' }),
			monitor: () => ({}),
			rework: () => ({}),
			resolve: () => ({ text: 'done', root_cause: 'a', solution: 'b', solution_kind: 'permanent', prevention: 'c', configuration: 'd' }),
			reopen: () => ({ reason: 'again' }),
			rebind: () => ({ reason: 'new contract' }),
		};
	for (let round = 0; round < 14; round++) {
		await s.jump(Math.ceil(60 + rnd() ** 4 * 5 * 86400));
		[boss, eng, user] = await Promise.all([s.login('boss'), s.login('eng1'), s.login('user', 'alpha')]);
		if (round % 3 === 1) newPolicies();
		await Promise.all(
			made.map(async (id) => {
				const name = pick(Object.keys(commands)),
					r = await s.post(`/api/v1/tickets/${id}/${name}`, name === 'rebind' ? boss : eng, commands[name]());
				assert.ok([200, 409].includes(r.status), name + ': ' + r.text);
				if (r.status === 200) done[name] = (done[name] || 0) + 1;
			}),
		);
		if (round % 5 === 4) {
			assert.ok((await rebindAll(`id = any ('{${made}}')`)) > 0);
			assert.match(s.cli(['sla', 'verify']), NONE, 'seed ' + SEED);
		}
	}
	for (const name of Object.keys(commands)) assert.ok(done[name] > 0, `${name} was never possible, seed ${SEED}`);
	assert.match(s.cli(['sla', 'verify']), NONE, 'seed ' + SEED);
});

test('a command that comes as a clock falls due, and reckons it anew, is not refused: one breach, of what was promised', async () => {
	for (const name of ['rebind', 'priority']) {
		const r = await s.post('/api/v1/tickets', user, { title: 'x', description: 'y', priority: 'P3' }),
			id = r.data.id;
		assert.strictEqual(r.status, 201, r.text);
		/* the ticket is locked, so that the timer leaves it and the command waits */
		const held = s.sqlBeside(`begin; select 1 from tickets where id = ${id} for update; select pg_sleep(2); commit`);
		await waitUntil(() => s.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(2)%' and wait_event = 'PgSleep' and datname = current_database()") === '1');
		await s.jump(30 * 86400);
		[boss, user] = await Promise.all([s.login('boss'), s.login('user', 'alpha')]);
		const done = await s.post(`/api/v1/tickets/${id}/${name}`, boss, { reason: 'x', ...(name === 'priority' ? { priority: 'P3' } : {}) });
		await held;
		assert.strictEqual(done.status, 200, done.text);
		assert.strictEqual(s.sql(`select count(*) from sla_fires where ticket_id = ${id} and clock = 'response' and threshold = '100'`), '2', 'it fell due in the command');
		assert.strictEqual(s.sql(`select count(*) from sla_breaches where ticket_id = ${id} and clock = 'response'`), '1');
	}
	assert.match(s.cli(['sla', 'verify']), NONE);
});

test('every night the daemon checks all clocks; what differs is logged with its ticket, listed, mailed and measured', async () => {
	const ask = async (list) => s.all(list, (boss = await s.login('boss'))),
		nights = (done) => Number(s.sql(`select count(*) from sla_checks where tenant_id = ${s.alpha} and done_at is ${done ? 'not' : ''} null`)),
		tickets = Number(s.sql(`select count(*) from tickets where tenant_id = ${s.alpha}`));
	assert.ok(tickets > 100);
	const night = async () => {
		const before = nights(true);
		await s.jump(86400);
		await waitUntil(() => nights(true) > before && nights(false) === 0, 240000);
	};
	await night();
	const last = (await ask('/api/v1/sla/checks')).find((c) => c.code === 'alpha');
	assert.deepStrictEqual([last.tickets, last.differences], [tickets, 0]);
	assert.deepStrictEqual(await ask('/api/v1/sla/differences'), []);
	assert.strictEqual(await s.metric('sla_differences'), 0);
	assert.ok((await s.metric('sla_verified_total')) >= tickets);
	const turn = await s.metric('sla_verify_turn_seconds');
	console.log('# the longest turn of the check: ' + turn + ' s');
	assert.ok(turn < (process.env.BUILD_DIR.endsWith('build-asan') ? 0.05 : 0.005) + machine.longestMs() / 1000, 'a turn of ' + turn + ' s');
	/* every way in which a row can be wrong */
	const wrong = s
		.sql(`select distinct on (k.clock) k.ticket_id || ' ' || t.number || ' ' || k.clock from sla_clocks k join tickets t on t.tenant_id = k.tenant_id and t.id = k.ticket_id
			where k.tenant_id = ${s.alpha} and k.start_at is not null and cardinality(k.runs) > 0 and k.clock in ('response', 'resolution', 'update') and k.state = 'stopped' order by k.clock, k.ticket_id`)
		.split('\n')
		.map((l) => l.split(' '));
	assert.strictEqual(wrong.length, 3);
	for (const [i, set] of ["start_at = start_at - interval '1 second'", 'runs[1] = runs[1] - 1', 'budget_s = budget_s + 1'].entries())
		s.sql(`update sla_clocks set ${set} where ticket_id = ${wrong[i][0]} and clock = '${wrong[i][2]}'`);
	s.log = '';
	await night();
	const found = await ask('/api/v1/sla/differences');
	for (const [id, number, clock] of wrong) {
		const d = found.find((x) => x.ticket_id === Number(id));
		assert.ok(d && d.number === number && d.code === 'alpha' && d.clocks.some((c) => c.clock === clock && c.stored !== c.reckoned), JSON.stringify(found));
		assert.match(s.log, new RegExp(`error .*ticket=${number} clock=${clock} stored="`));
		assert.throws(() => s.cli(['sla', 'differences', '--tenant', 'alpha']), new RegExp(`alpha ${number} ${clock}, found`));
	}
	assert.strictEqual(found.length, new Set(wrong.map((w) => w[0])).size);
	assert.strictEqual(s.sql(`select differences from sla_checks where tenant_id = ${s.alpha} order by started_at desc limit 1`), String(found.length));
	assert.strictEqual(s.sql("select count(*) from notifications n join staff p on p.id = n.recipient_id where n.template = 'sla_differs' and n.recipient_kind = 'staff' and p.username = 'boss'"), '1');
	await waitUntil(async () => {
		s.proc.kill('SIGHUP');
		return (await s.metric('sla_differences')) === found.length;
	});
	/* what no longer differs leaves the list */
	for (const [i, set] of ["start_at = start_at + interval '1 second'", 'runs[1] = runs[1] + 1', 'budget_s = budget_s - 1'].entries())
		s.sql(`update sla_clocks set ${set} where ticket_id = ${wrong[i][0]} and clock = '${wrong[i][2]}'`);
	await night();
	assert.deepStrictEqual(await ask('/api/v1/sla/differences'), []);
	assert.strictEqual(s.cli(['sla', 'differences']), '');
	for (const list of ['checks', 'differences']) assert.strictEqual((await s.get('/api/v1/sla/' + list, await s.login('admin', 'alpha'))).status, 403);
});

test('the nightly check is done once, by one instance; killed after a page it goes on there, in another instance too', async () => {
	const tickets = Number(s.sql(`select count(*) from tickets where tenant_id = ${s.alpha}`)),
		checks = () => Number(s.sql(`select count(*) from sla_checks where tenant_id = ${s.alpha}`)),
		/* the newest check of alpha: started, after, checked, is it done? */
		check = () => s.sql(`select us(started_at), after, tickets, done_at is not null from sla_checks where tenant_id = ${s.alpha} order by started_at desc limit 1`).split('|');
	const verified = (x) => x.metric('sla_verified_total'),
		done = () => waitUntil(() => check()[3] === 't' && s.sql('select count(*) from sla_checks where done_at is null') === '0', 60000);
	assert.ok(tickets > 300, 'several pages');
	/* two instances: each ticket is checked by one of them, once */
	await s.stop();
	s.jumped += 86400;
	await s.start();
	const two = await s.another({ test: { ...s.settings.test, clock_offset_s: s.jumped } });
	try {
		await done();
		const once = (await verified(s)) + (await verified(two)),
			all = Number(s.sql('select sum(tickets) from sla_checks c where started_at = (select max(started_at) from sla_checks x where x.tenant_id = c.tenant_id)'));
		assert.deepStrictEqual([Number(check()[2]), once], [tickets, all]);
		/* the next night, one dies with the first page; the other has the time at which the claim of the dead ends */
		await two.stop();
		await s.stop();
		const before = checks();
		s.settings.test.failpoint = 'clocks-checked';
		s.jumped += 86400;
		await s.start().catch((e) => assert.match(String(e), /ended/));
		assert.strictEqual((await s.proc.exited).sig, 'SIGKILL');
		delete s.settings.test.failpoint;
		const [started, after, some, whole] = check();
		assert.deepStrictEqual([checks(), whole], [before + 1, 'f']);
		assert.ok(Number(after) > 0 && Number(some) > 0 && Number(some) < tickets, `${some} of ${tickets} after ${after}`);
		s.jumped += 700;
		two.settings.test.clock_offset_s = s.jumped;
		await two.start();
		await done();
		assert.deepStrictEqual([check()[0], check()[2], checks()], [started, String(tickets), before + 1], 'the same check, each ticket once');
		assert.strictEqual(await verified(two), Number(s.sql(`select sum(tickets) from sla_checks where started_at >= ts(${started})`)) - Number(some));
		await s.start();
		[boss, eng, user] = await Promise.all([s.login('boss'), s.login('eng1'), s.login('user', 'alpha')]);
		assert.deepStrictEqual(await s.all('/api/v1/sla/differences', boss), []);
	} finally {
		await two.stop();
	}
});

const data = process.env.SLADESK_DATA || '';
for (const [map, file, policy] of [
	['volvo', 'bpi2013_volvo_incidents.csv.gz', 'standard'],
	['helpdesk-it', 'helpdesk_it.csv.gz', 'standard'],
	['rabobank', 'bpi2014_rabobank_incidents_at_open.csv.gz', 'standard'],
	['servicenow-uci', 'uci_incident_event_log.dev.csv.gz', 'servicenow-uci'],
]) {
	const log = path.join(data, 'tickets', file);
	test(`the log ${map}: no difference after open and reopened tickets were rebound`, { skip: data && fs.existsSync(log) ? false : 'the log is not here' }, async () => {
		const from = s.sql('select coalesce(max(id), 0) from tickets');
		importLog(map, 'beta', log, policy);
		assert.match(s.cli(['sla', 'verify', '--tenant', 'beta']), NONE);
		newPolicies();
		const reopened = s.sql(`select id from tickets where id > ${from} and status in ('resolved', 'closed') order by id % 97, id limit 300`).split('\n').filter(Boolean);
		boss = await s.login('boss');
		for (const id of reopened) {
			const r = await s.post(`/api/v1/tickets/${id}/reopen`, boss, { reason: 'again' });
			assert.strictEqual(r.status, 200, r.text);
		}
		assert.ok((await rebindAll(`id > ${from}`, 1000)) > 0);
		assert.match(s.cli(['sla', 'verify', '--tenant', 'beta']), NONE);
		console.log(`# ${map}: ${s.sql(`select count(*) || ' tickets, ' || count(*) filter (where exists (select from events e where e.tenant_id = t.tenant_id and e.ticket_id = t.id and e.type = 'ticket.rebound')) from tickets t where id > ${from}`)} rebound`);
	});
}

test('the demo: no difference after every open ticket was rebound', async () => {
	const d = await Server.make('replaydemo');
	try {
		d.sql('set session_replication_role = replica; delete from customers where tenant_id > 1; delete from tenant_counters where tenant_id > 1; delete from client_users; delete from staff');
		const logins = d.cli(['demo']),
			r = await d.post('/api/v1/auth/login', null, { username: 'zhou.tao', password: /password (\S+)/.exec(logins)[1] });
		assert.strictEqual(r.status, 200, r.text);
		d.sql("insert into sla_configurations (tenant_id, code, version, calendar_code, doc, effective_from) select distinct on (tenant_id, code) tenant_id, code, 100, calendar_code, jsonb_set(doc, '{priorities,P3,response_s}', '360'), '2001-01-01Z' from sla_configurations where doc -> 'priorities' ? 'P3' order by tenant_id, code, version desc");
		const ids = d.sql(`select id from tickets where status in ${open}`).split('\n');
		assert.ok(ids.length > 2);
		for (const id of ids) {
			const x = await d.post(`/api/v1/tickets/${id}/rebind`, r.data.access_token, { reason: 'new contract' });
			assert.strictEqual(x.status, 200, x.text);
		}
		assert.match(d.cli(['sla', 'verify']), NONE);
	} finally {
		await d.drop();
	}
});
