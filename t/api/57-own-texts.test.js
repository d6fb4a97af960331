// SPDX-License-Identifier: Apache-2.0
// The provider's own wording of mails: read, saved, shown with example values, taken back; what the composer could not render is refused.
'use strict';
const { test, before, after } = require('node:test'),
	assert = require('node:assert'),
	fs = require('node:fs'),
	path = require('node:path'),
	{ spawnSync } = require('node:child_process');
const { Server, waitUntil, mailSink, SOCK, INST } = require('../lib/server.js');

let s, sink, user, boss, texts;
before(async () => {
	sink = await mailSink();
	s = await Server.make('own_texts', { mail: { url: sink.url }, limits: { user_per_s: 1000, user_burst: 5000 } });
	[user, boss] = await Promise.all([s.login('user', 'alpha'), s.login('boss')]);
	texts = await s.all('/api/v1/texts', boss);
});
after(async () => {
	if (s) await s.drop();
	await sink.close();
});

const url = (t) => `/api/v1/texts/${t.template}/${t.lang}`;
const ask = (method, at, body, lang = 'en', token = boss) => s.request(method, at, { token, body, headers: { 'Accept-Language': lang } });
const get = async (t) => (await ask('GET', url(t))).data;
const one = (template, lang) => texts.find((t) => t.template === template && t.lang === lang);
const cli = (args, input) => {
	const r = spawnSync(path.join(INST, 'bin/sladesk'), ['-c', s.file, 'text', ...args], { encoding: 'utf8', input });
	return { status: r.status, out: r.stdout, err: r.stderr };
};

test('every shipped text keeps the rules, is read with its variables, and is shown with a value for each', async () => {
	assert.strictEqual(texts.length, Number(s.sql('select count(*) from notification_templates')));
	assert.ok(texts.length > 80, String(texts.length));
	for (const t of texts) {
		const whole = await get(t);
		assert.deepStrictEqual([whole.own, whole.outdated, whole.subject, whole.body], [false, false, whole.shipped_subject, whole.shipped_body], url(t));
		const names = new Set(whole.variables.map((v) => v.name));
		for (const [, name] of (whole.subject + whole.body).matchAll(/\{\{[?!]?([a-z_]+)\}\}/g)) assert.ok(names.has(name), `${url(t)}: ${name}`);
		for (const v of whole.variables) assert.ok(v.example, `${url(t)}: ${v.name}`);
		const shown = await ask('POST', url(t) + '/preview', {});
		assert.strictEqual(shown.status, 200, shown.text);
		assert.doesNotMatch(shown.data.subject + shown.data.body, /\{\{|\}\}/, url(t));
		/* conditions: a value there is, so the line for its absence does not stand */
		for (const [, line] of whole.body.matchAll(/^\{\{![a-z_]+\}\}(.*)$/gm)) assert.ok(!shown.data.body.split('\n').includes(line), `${url(t)}: ${line}`);
		/* all that it may use, at once */
		const all = whole.variables.map((v) => `{{?${v.name}}}${v.name}:\n{{${v.name}}}\n`).join('');
		const used = await ask('POST', url(t) + '/preview', { body: all });
		assert.strictEqual(used.status, 200, used.text);
		for (const v of whole.variables) assert.ok(used.data.body.includes(v.example), `${url(t)}: ${v.name}`);
		const same = await ask('PUT', url(t), { subject: whole.subject, body: whole.body });
		assert.deepStrictEqual([same.status, same.data.own], [200, false], same.text);
	}
});

/* What no text may say; a fault of the subject, too, unless it is marked. */
const FAULTS = [
	'{{no_such_value}}',
	'{{ name }}',
	'{{Name}}',
	'{{name|upper}}',
	'{{#if name}}',
	'{{/if}}',
	'{{}}',
	'{{name',
	'{{name}',
	'{{name {{tenant}}',
	'name}}',
	'{{name}} }}',
	'Hello {{?name}}',
	'Hello {{!name}}',
	'bell \x07',
	'tab \t',
	'\x85',
	'\u2028',
	'',
	' \u3000 ',
	null,
	7,
	['x'],
];
const OF_BODY = ['{{?no_such_value}}x', '{{?}}x', '{{?name}}{{!tenant}}x', '{{?name}}{{?name}}x', 'a\r\nb', 'x'.repeat(8001), 'a\n{{name\n}}'],
	OF_SUBJECT = ['a\nb', 'a\rb', 'a\r\nBcc: x@example.com', '{{?name}}x', '{{!name}}x', '长'.repeat(201)];
test('what cannot be rendered is refused with field, rule in both languages and an example that is accepted', async () => {
	let refused = 0;
	for (const t of texts) {
		const before = await get(t);
		/* of other texts, a code or a link */
		const strange = ['code', 'login_link', 'reset_link', 'rca_due'].filter((x) => !before.variables.some((v) => v.name === x)).map((x) => `{{${x}}}`);
		for (const field of ['subject', 'body'])
			for (const bad of [...FAULTS, ...strange, ...(field === 'body' ? OF_BODY : OF_SUBJECT)].filter((_, i) => i % 4 === texts.indexOf(t) % 4 || t.template === 'ticket_reply')) {
				const body = { subject: before.subject, body: before.body, [field]: bad },
					at = `${url(t)} ${field} ${JSON.stringify(bad)}`,
					en = await ask('PUT', url(t), body),
					zh = await ask('POST', url(t) + '/preview', body, 'zh');
				for (const r of [en, zh]) {
					assert.strictEqual(r.status, 400, at + r.text);
					assert.deepStrictEqual(
						r.json.details.fields.map((f) => f.field),
						[field],
						at + r.text,
					);
				}
				const [e] = en.json.details.fields,
					[z] = zh.json.details.fields;
				assert.match(e.rule, /[a-z]{2}/, at);
				assert.match(z.rule, /[一-龥]/, at);
				assert.ok(e.example && e.example === z.example, at + en.text);
				const mended = await ask('POST', url(t) + '/preview', { ...body, [field]: e.example });
				assert.strictEqual(mended.status, 200, at + mended.text);
				refused++;
			}
		assert.deepStrictEqual(await get(t), before);
	}
	console.log(`# ${refused} refusals`);
	assert.ok(refused > 1000, String(refused));
	const both = await ask('PUT', url(one('ticket_reply', 'en')), {});
	assert.deepStrictEqual(both.json.details.fields.map((f) => f.field).sort(), ['body', 'subject']);
	assert.strictEqual((await ask('GET', '/api/v1/texts/no_such_text/en')).status, 404);
	assert.strictEqual((await ask('DELETE', '/api/v1/texts/ticket_reply/fr')).status, 400);
});
test('a mail with a code or a link keeps it, on a line that always stands', async () => {
	for (const [template, name] of [['auth_code', 'code'], ['auth_code_sms', 'code'], ['auth_step_up', 'code'], ['auth_link', 'login_link'], ['auth_reset', 'reset_link']])
		for (const lang of ['zh', 'en'])
			for (const body of ['Hello', `{{!tenant}}{{${name}}}`, `{{?${name}}}yes`]) {
				const r = await ask('PUT', url({ template, lang }), { subject: 'x', body });
				assert.strictEqual(r.status, 400, `${template} ${body}`);
				assert.match(r.json.details.fields[0].example, new RegExp(`\\{\\{${name}\\}\\}`));
			}
	assert.strictEqual((await ask('PUT', url({ template: 'auth_code_sms', lang: 'zh' }), { subject: 'x', body: '{{code}}' + '长'.repeat(300) })).status, 400);
});

const mailAbout = (title) => waitUntil(() => sink.mails.find((m) => m.to[0] === 'user@alpha.example' && m.body.includes(title)));
test('own wording is sent from then on, is in the audit log, survives an upgrade, and ends with a reset', async () => {
	const lang = s.sql(`select coalesce(u.lang, c.lang) from client_users u join customers c on c.tenant_id = u.tenant_id where u.tenant_id = ${s.alpha} and u.username = 'user'`),
		t = one('ticket_created', lang),
		shipped = await get(t),
		own = { subject: '[{{number}}] Our own words: {{title}}', body: 'Dear {{name}},\n\n{{?engineer}}Engineer: {{engineer}}\n{{!engineer}}It waits for an engineer, <b>soon</b>.\n\n我们收到了, 谢谢!\n\nLook: {{url}}\n' },
		open = (title) => s.post('/api/v1/tickets', user, { title, description: 'y' }),
		saved = await ask('PUT', url(t), own);
	assert.strictEqual(saved.status, 200, saved.text);
	assert.deepStrictEqual([saved.data.own, saved.data.outdated, saved.data.subject, saved.data.shipped_subject], [true, false, own.subject, shipped.subject]);
	assert.deepStrictEqual((await s.all('/api/v1/texts?own=true', boss)).map((x) => [x.template, x.lang, x.own]), [['ticket_created', lang, true]]);
	await open('first of them');
	const m = await waitUntil(() => sink.mails.find((x) => /Our own words: first of them/.test(x.subject)));
	assert.match(m.body, /^Dear .+,\r?\n\r?\nIt waits for an engineer, <b>soon<\/b>\.\r?\n\r?\n我们收到了, 谢谢!/);
	assert.match(m.html, /&lt;b&gt;soon/);
	/* the log names the fields: the subject, and the body by its digest */
	const log = await waitUntil(async () => {
		const found = (await s.all('/api/v1/audit?tenant_id=1', boss)).filter((x) => JSON.stringify(x.details).includes('notification_templates/ticket_created/' + lang));
		return found.length && found;
	});
	assert.deepStrictEqual(log.flatMap((x) => x.details.changes.flatMap((c) => c.fields.map((f) => f.field))).sort(), ['body', 'subject']);
	/* an upgrade ships another text: here, the database says that an earlier one had been shipped */
	s.sql(`update notification_templates set shipped_subject = 'earlier', shipped = text_digest('earlier', shipped_body) where code in ('ticket_created', 'ticket_reply') and lang = '${lang}';
		update notification_templates set subject = 'earlier' where code = 'ticket_reply' and lang = '${lang}'`);
	s.cli(['migrate', '--owner-url', `host=${SOCK} dbname=${s.db} user=sladesk_owner`]);
	const kept = await get(t),
		followed = await get(one('ticket_reply', lang));
	assert.deepStrictEqual([kept.subject, kept.body, kept.own, kept.outdated, kept.shipped_subject], [own.subject, own.body, true, true, shipped.subject]);
	assert.deepStrictEqual([followed.own, followed.subject], [false, followed.shipped_subject]);
	assert.notStrictEqual(followed.subject, 'earlier');
	const back = await ask('DELETE', url(t));
	assert.deepStrictEqual([back.status, back.data], [200, shipped]);
	assert.deepStrictEqual(await s.all('/api/v1/texts?own=true', boss), []);
	await open('second of them');
	assert.doesNotMatch((await mailAbout('second of them')).subject, /Our own words/);
});
test('only who edits policies for all customers reads or changes texts', async () => {
	const people = await Promise.all([s.login('admin', 'alpha'), s.login('eng1'), user]),
		t = one('ticket_reply', 'en');
	for (const token of people)
		for (const [method, at, body] of [
			['GET', '/api/v1/texts'],
			['GET', url(t)],
			['PUT', url(t), { subject: 'x', body: 'y' }],
			['DELETE', url(t)],
			['POST', url(t) + '/preview', {}],
		])
			assert.strictEqual((await ask(method, at, body, 'en', token)).status, 403, `${method} ${at}`);
	assert.strictEqual((await get(t)).own, false);
});
test('sladesk text: what show prints, set reads; the same rules; a preview saves nothing', async () => {
	const t = ['--template', 'ticket_reply', '--lang', 'zh'],
		shown = cli(['show', ...t]).out,
		own = shown.replace(/^.*\n/, '[{{number}}] 我们的措辞\n'),
		file = path.join(s.dir, 'own.txt'),
		whole = () => get({ template: 'ticket_reply', lang: 'zh' });
	fs.writeFileSync(file, own);
	const preview = cli(['set', ...t, '--preview', file]);
	assert.strictEqual(preview.status, 0, preview.err);
	assert.match(preview.out, /^\[TKT-000123\] 我们的措辞\n\n张三，您好：/);
	assert.strictEqual((await whole()).own, false);
	assert.strictEqual(cli(['set', ...t, file]).out, 'ticket_reply\tzh\tsaved\n');
	assert.deepStrictEqual([(await whole()).own, (await whole()).subject, (await whole()).body], [true, '[{{number}}] 我们的措辞', own.slice(own.indexOf('\n\n') + 2)]);
	assert.strictEqual(cli(['list', '--own']).out, 'ticket_reply\tzh\town\t[{{number}}] 我们的措辞\n');
	assert.strictEqual(cli(['show', ...t]).out, own);
	assert.strictEqual(cli(['show', ...t, '--shipped']).out, shown);
	for (const [input, says] of [
		['subject only', /empty line/],
		['{{nobody}}\n\nx', /subject: there is no \{\{nobody\}\}.*number.*for example: \[\{\{number\}\}\]/],
		['x\n\n{{quote', /body: \{\{ and \}\} come in pairs.*for example: /],
		['x\n\n', /body: not empty/],
		['x\n\na\0b', /UTF-8/],
	]) {
		const r = cli(['set', ...t, '-'], input);
		assert.deepStrictEqual([r.status, r.out], [1, ''], input);
		assert.match(r.err, says);
	}
	assert.match(cli(['show', '--template', 'nothing', '--lang', 'zh']).err, /--template: .*such as ticket_reply/);
	assert.match(cli(['show', '--template', 'ticket_reply', '--lang', 'fr']).err, /--lang/);
	assert.strictEqual(cli(['reset', ...t]).out, 'ticket_reply\tzh\tas shipped\n');
	assert.strictEqual((await whole()).own, false);
});
