// SPDX-License-Identifier: Apache-2.0
// Staff and customers: a customer's service token acts as the customer in every command; mails show deadlines in the customer's zone and keep to the
// columns of RFC 2047.
'use strict';
const test = require('node:test'),
	assert = require('node:assert');
const { Server, waitUntil, mailSink } = require('../lib/server.js'),
	{ COMMANDS, readyFor } = require('../lib/commands.js');

let s, mail, user, admin, boss, eng, token, provider;
const service = (tenant, scopes) =>
	s.cli(['token', 'add', '--tenant', tenant, '--name', 'svc', '--scopes', scopes]).match(/sd1\.\S+/)[0];
test.before(async () => {
	mail = await mailSink();
	s = await Server.make('sides', {
		mail: { url: mail.url },
		notify: { backoff_s: '1' },
		test: { allow_clock: 'yes' },
	});
	[user, admin, boss, eng] = await Promise.all([
		s.login('user', 'alpha'),
		s.login('admin', 'alpha'),
		s.login('boss'),
		s.login('eng1'),
	]);
	token = service('alpha', 'ticket:read,ticket:write,ticket:judge');
	provider = service('provider', 'ticket:read,ticket:write');
});
test.after(async () => {
	await s.drop();
	await mail.close();
});

const create = async (more, by = user) => {
	const r = await s.post('/api/v1/tickets', by, {
		title: 'x',
		description: 'y',
		priority: 'P3',
		...more,
	});
	assert.strictEqual(r.status, 201, r.text);
	return r.data;
};
/* Does the replay say what is stored for this ticket? (Other tests here break theirs.) */
const verified = (id) => {
	const number = s.sql(`select number from tickets where id = ${id}`);
	let out;
	try {
		out = s.cli(['sla', 'verify']);
	} catch (e) {
		out = e.message;
	}
	assert.match(out, /\d+ differences/);
	assert.ok(!out.includes(number), out);
};
const clock = async (id, name) =>
	(await s.get(`/api/v1/tickets/${id}/clocks`, eng)).data.items.find((c) => c.clock === name);

test("a reply by a customer's service is the customer's: the staff's clock goes on, and a wait ends", async () => {
	for (const path of ['/api/v1/tickets/', '/api/v1/client/tickets/']) {
		const { id } = await create();
		let r = await s.post(`${path}${id}/reply`, token, { text: 'any news?' });
		assert.strictEqual(r.status, 200, r.text);
		assert.deepStrictEqual(
			[(await clock(id, 'response')).state, (await clock(id, 'update')) || null],
			['running', null],
		);
		assert.strictEqual(r.data.status, 'new');
		assert.strictEqual(
			s.sql(
				`select type || ' ' || actor_kind || ' ' || audience from events where ticket_id = ${id} order by seq desc limit 1`,
			),
			'ticket.customer_replied service customer',
		);
		assert.strictEqual(
			s.sql(
				`select first_response_at is null and assignee_id is null from tickets where id = ${id}`,
			),
			't',
		);
		r = await s.post(`/api/v1/tickets/${id}/wait-customer`, eng, { reason: 'x' });
		assert.strictEqual(r.status, 200, r.text);
		r = await s.post(`${path}${id}/reply`, token, { text: 'here it is' });
		assert.strictEqual(r.data.status, 'in_progress', r.text);
	}
	/* the provider's own service speaks for the staff */
	const { id } = await create();
	const r = await s.post(`/api/v1/tickets/${id}/reply`, provider, { text: 'we are on it' });
	assert.strictEqual(r.status, 200, r.text);
	assert.strictEqual((await clock(id, 'response')).verdict, 'met');
});
test("a customer's service may do what the customer may in every command, and nothing that only staff may", async () => {
	const who = { staff: eng, boss, customer: user };
	let n = 0;
	for (const cmd of Object.keys(COMMANDS)) {
		const outcomes = [];
		for (const by of [admin, token]) {
			const { id, body } = await readyFor(s, who, cmd),
				response = (await clock(id, 'response')).state,
				r = await s.post(`/api/v1/tickets/${id}/${cmd}`, by, body);
			outcomes.push(
				r.status === 200
					? [
							200,
							(await clock(id, 'response')).state === response,
							(await s.get('/api/v1/tickets/' + id, eng)).data
								.status,
						]
					: [r.status],
			);
			n++;
		}
		/* a rating is a person's */
		if (cmd === 'rate') assert.strictEqual(outcomes[1][0], 403);
		else assert.deepStrictEqual(outcomes[1], outcomes[0], cmd);
	}
	console.log(`# ${n} commands`);
});

test("a customer's source system is the customer: it stops no clock of the staff, and the history names its token", async () => {
	let serial = 0;
	const sync = (ticket_id, more, by = token) =>
		s.post('/api/v1/integration/tickets/sync', by, {
			...{ event_type: 'ticket_updated', event_id: 'side' + ++serial, tenant_id: s.alpha, ticket_id },
			timestamp: new Date(Date.now() + serial).toISOString(),
			...more,
		});
	const made = async (ext) => {
		const r = await sync(ext, { title: 'x', status: 'new', priority: 'P3' });
		assert.strictEqual(r.data.results[0].status, 'applied', r.text);
		return r.data.results[0].id;
	};
	const story = (id) =>
		s
			.sql(`select type || ' ' || actor_kind || ' ' || actor_id from events where ticket_id = ${id} and type <> 'ticket.created' order by seq`)
			.split('\n')
			.filter(Boolean);
	const tokenId = s.sql(`select max(id) from api_tokens where tenant_id = ${s.alpha} and name = 'svc'`);
	/* what only the staff may */
	for (const [more, field] of [
		[{ status: 'in_progress' }, 'status'],
		[{ status: 'accepted' }, 'status'],
		[{ status: 'pending_customer' }, 'status'],
		[{ status: 'pending_aws' }, 'status'],
		[{ status: 'resolved' }, 'status'],
		[{ status: 'closed' }, 'status'],
		[{ priority: 'P0' }, 'priority'],
	]) {
		const ext = 'SIDE-' + JSON.stringify(more),
			id = await made(ext),
			r = await sync(ext, more);
		assert.match(r.text, new RegExp(`"field":"${field}"`), JSON.stringify(more) + r.text);
		assert.deepStrictEqual(story(id), [], JSON.stringify(more));
		assert.deepStrictEqual(
			[(await clock(id, 'response')).state, (await clock(id, 'update')) || null],
			['running', null],
		);
		assert.strictEqual((await s.get('/api/v1/tickets/' + id, eng)).data.status, 'new');
	}
	const unknown = await sync('SIDE-assigned', { title: 'x', status: 'new', assigned_to: 'eng1' });
	assert.strictEqual(unknown.data.results[0].ignored, 'assigned_to', 'it knows no staff');
	/* what the customer may: confirm a resolution, reopen, cancel */
	const id = await made('SIDE-may');
	assert.strictEqual((await s.post(`/api/v1/tickets/${id}/resolve`, eng, { text: 'done' })).status, 200);
	for (const status of ['closed', 'reopened', 'cancelled']) {
		const r = await sync('SIDE-may', { status });
		assert.strictEqual(r.data.results[0].status, 'applied', status + r.text);
	}
	assert.deepStrictEqual(
		story(id).slice(1),
		['closed', 'reopened', 'cancelled'].map((t) => `ticket.${t} service ${tokenId}`),
	);
	/* the provider's source system leads */
	const led = await made('SIDE-led');
	const r = await sync('SIDE-led', { status: 'resolved' }, provider);
	assert.strictEqual(r.data.results[0].status, 'applied', r.text);
	assert.strictEqual((await clock(led, 'response')).state, 'stopped');
	verified(id);
	verified(led);
});
test('a contact before a later reply moves no start back, and the replay says the same', async () => {
	const { id } = await create(),
		{ opened_at } = (await s.get('/api/v1/tickets/' + id, eng)).data,
		moment = (ms) => new Date(Date.parse(opened_at) + ms).toISOString(),
		ok = async (cmd, body) => {
			const r = await s.post(`/api/v1/tickets/${id}/${cmd}`, eng, body);
			assert.strictEqual(r.status, 200, r.text);
		};
	await s.jump(1800);
	await ok('reply', { text: 'we look' });
	const first = await clock(id, 'update');
	await s.jump(600);
	await ok('contact', { text: 'called before', at: moment(60e3) });
	assert.strictEqual((await clock(id, 'update')).due_at, first.due_at, 'the reply was later');
	/* a wait between the contact and its record is not consumed */
	await ok('wait-customer', { reason: 'x' });
	await s.jump(1200);
	await ok('resume', { reason: 'x' });
	await ok('contact', { text: 'called after', at: moment(2000e3) });
	const due = Date.parse((await clock(id, 'update')).due_at) - Date.parse(opened_at) - 2000e3,
		budget = Date.parse(first.due_at) - Date.parse(opened_at) - 1800e3;
	assert.ok(Math.abs(due - budget - 1200e3) < 15e3, `${due} ${budget}`);
	verified(id);
});

/* --- mails --- */

test('a subject keeps 76 columns on every line, and decodes to what was written', async () => {
	const titles = [
		'数据库主库磁盘空间不足'.repeat(18),
		'😀'.repeat(60),
		'a'.repeat(200),
		'é'.repeat(199) + 'x',
		'短',
		'混合 mixed 文字 '.repeat(16),
	];
	let lines = 0;
	for (const title of titles) {
		const { id, number } = await create({ title });
		assert.strictEqual(
			(await s.post(`/api/v1/tickets/${id}/reply`, eng, { text: 'x' })).status,
			200,
		);
		const sent = await waitUntil(() => mail.mails.filter((m) => m.subject.includes(number))[0]);
		assert.ok(sent.subject.includes(title.trim()), sent.subject);
		for (const line of sent.raw.split('\r\n\r\n')[0].split('\r\n'))
			if (line.includes('=?')) {
				assert.ok(line.length <= 76, `${line.length}: ${line}`);
				assert.ok(
					!/�/.test(
						Buffer.from(
							line.match(/\?B\?(.*)\?=/)[1],
							'base64',
						).toString(),
					),
					line,
				);
				lines++;
			}
	}
	console.log(`# ${lines} lines of ${titles.length} subjects`);
});
test("a deadline in a mail is in the customer's zone, which it names", async () => {
	for (const [zone, offset] of [
		['Asia/Shanghai', 8 * 3600e3],
		['Asia/Kolkata', 5.5 * 3600e3],
		['UTC', 0],
	]) {
		s.cli(['tenant', 'set', '--code', 'alpha', '--timezone', zone]);
		const { id, number } = await create({ priority: 'P1' }),
			due = Date.parse((await clock(id, 'response')).due_at),
			local = new Date(due + offset).toISOString().slice(0, 16).replace('T', ' '),
			h = String(Math.floor(offset / 3600e3)).padStart(2, '0'),
			m = offset % 3600e3 ? '30' : '00',
			lang = s.sql(`select lang from client_users where tenant_id = ${s.alpha} and username = 'user'`),
			brackets =
				lang === 'zh' ? `（${zone}，UTC+${h}:${m}）` : ` (${zone}, UTC+${h}:${m})`,
			label = local + (offset ? brackets : ' UTC');
		const sent = await waitUntil(
			() =>
				mail.mails.filter(
					(x) =>
						x.subject.includes(number) &&
						x.to.includes('user@alpha.example'),
				)[0],
		);
		assert.ok(sent.body.includes(label), `${label} is not in ${sent.body}`);
	}
});
