// SPDX-License-Identifier: Apache-2.0
// Shows openapi.json by group, with examples, errors and a form to try each operation, in Chinese or English.
'use strict';
const words = {
	zh: {
		other: 'EN',
		portal: '门户',
		or_null: '或 null',
		null_data: 'data 可能为 null',
		find: '搜索路径或说明…',
		groups: '分组',
		errors: '错误码',
		intro: '成功时返回 code、message、data；出错时返回 code、message、details、timestamp 与 request_id，并列出所有无效字段。',
		status: '状态',
		code: '错误码',
		meaning: '含义',
		message: '消息',
		todo: '建议操作',
		token: '访问令牌（留空则使用本浏览器的会话）',
		name: '名称',
		where: '位置',
		rule: '类型与规则',
		path: '路径',
		query: '查询',
		header: '请求头',
		body: '正文',
		required: '必填',
		chars: '个字符',
		items: '项',
		dflt: '默认',
		parameters: '参数',
		request: '请求示例',
		reply: '应答',
		example: '应答示例',
		failures: '可能的错误',
		may: '所需权限',
		ends: '将停用',
		only: '仅限',
		anyone: '任何人',
		try_it: '试用',
		send: '发送',
		sending: '发送中…',
		link: '链接',
		none: '没有匹配的接口',
		person: '已登录的用户（不含服务令牌）',
		customer: '客户的用户与程序',
		customer_user: '客户的用户',
		service: '服务令牌',
		provider_service: '服务商的服务令牌',
		self: '任何已登录的调用者',
		staff: '员工',
		not_sent: '发送失败：',
	},
	en: {
		other: '中文',
		portal: 'Portal',
		or_null: 'or null',
		null_data: 'data may be null',
		find: 'Search paths and descriptions…',
		groups: 'Groups',
		errors: 'Errors',
		intro: 'Success is code, message and data. An error is code, message, details, timestamp and request_id, and lists all invalid fields.',
		status: 'status',
		code: 'code',
		meaning: 'meaning',
		message: 'message',
		todo: 'what to do',
		token: "Access token (leave empty to use this browser's session)",
		name: 'name',
		where: 'in',
		rule: 'type and rule',
		path: 'path',
		query: 'query',
		header: 'header',
		body: 'body',
		required: 'required',
		chars: 'characters',
		items: 'items',
		dflt: 'default',
		parameters: 'Parameters',
		request: 'Example request',
		reply: 'Reply',
		example: 'Example reply',
		failures: 'Possible errors',
		may: 'Permission',
		ends: 'Deprecated',
		only: 'only',
		anyone: 'anyone',
		try_it: 'Try it',
		send: 'Send',
		sending: 'Sending…',
		link: 'Link',
		none: 'No matching endpoints',
		person: 'logged-in users (not service tokens)',
		customer: "a customer's users and programs",
		customer_user: "a customer's users",
		service: 'service tokens',
		provider_service: "the provider's service tokens",
		self: 'any authenticated caller',
		staff: 'staff',
		not_sent: 'Sending failed: ',
	},
};
let lang = localStorage.getItem('lang') || (navigator.language.startsWith('en') ? 'en' : 'zh'),
	doc,
	token = '';
const w = (k) => words[lang][k] || k;
const said = (o, key) => {
	const text = (lang === 'zh' && o['x-' + key + '-zh']) || o[key] || '';
	return text.charAt(0).toUpperCase() + text.slice(1);
};
/* The description of a group is "Title: more." */
const titleOf = (tag) => said(tag, 'description').split(/[:：]/)[0];
const textOf = (tag) => {
	const text = said(tag, 'description').replace(/^[^:：]*[:：]\s*/, '');
	return text.charAt(0).toUpperCase() + text.slice(1);
};
const $ = (id) => document.getElementById(id);
const el = (tag, cls, ...inside) => {
	const e = document.createElement(tag);
	if (cls) e.className = cls;
	e.append(...inside.filter((x) => x !== undefined));
	return e;
};
/* Chinese has its own punctuation. */
const joined = (words) => words.filter(Boolean).join(lang === 'zh' ? '，' : ', '),
	colon = () => (lang === 'zh' ? '：' : ': '),
	bracketed = (text) => (lang === 'zh' ? `（${text}）` : ` (${text})`);
const pretty = (v) => JSON.stringify(v, null, 2);

/* --- schemas in words --- */

function rule(s) {
	const types = [].concat(s.type || 'any'),
		one = s.items || s,
		range = (a, b, unit) => (a === b ? a : a + '…' + b) + (unit ? ' ' + unit : '');
	return joined([
		types.filter((t) => t !== 'null').join(' / ') +
			(s.items ? `[${[].concat(one.type || 'any')[0]}]` : '') +
			(types.includes('null') ? ' ' + w('or_null') : ''),
		one.format && !/^int/.test(one.format) && one.format,
		(one.enum || []).join(' | '),
		one.minimum !== undefined && one.maximum < 9e15 && range(one.minimum, one.maximum),
		one.minLength !== undefined && range(one.minLength, one.maxLength, w('chars')),
		s.minItems !== undefined && range(s.minItems, s.maxItems, w('items')),
		one.pattern,
		s.default !== undefined && w('dflt') + ' ' + s.default,
	]);
}

/* [path, schema, required] of every member, objects and lists opened. */
function members(schema, prefix = '') {
	return Object.entries(schema.properties || {}).flatMap(([k, s]) => {
		const inner = s.items || s;
		return [
			[prefix + k, s, (schema.required || []).includes(k)],
			...members(inner, prefix + k + (s.items ? '[].' : '.')),
		];
	});
}

function table(heads, rows) {
	const head = el('tr', '', ...heads.map((h) => el('th', '', h))),
		body = rows.map((r) => el('tr', '', ...r.map((c) => el('td', '', c))));
	return el('div', 'table', el('table', '', el('thead', '', head), el('tbody', '', ...body)));
}

/* --- one operation --- */

const bodyOf = (op) => op.requestBody && Object.entries(op.requestBody.content)[0];
const successOf = (op) => Object.entries(op.responses).find(([s]) => Number(s) < 400);
const failureOf = (r) => (r.$ref ? doc.components.responses[r.$ref.split('/').pop()] : r);

function inputs(op) {
	const rows = op.parameters.map((p) => [
			el('code', '', p.name),
			joined([w(p.in), p.required && w('required')]),
			[rule(p.schema), said(p, 'description')].filter(Boolean).join(' — '),
		]),
		body = bodyOf(op);
	for (const [name, s, required] of body ? members(body[1].schema) : [])
		rows.push([el('code', '', name), joined([w('body'), required && w('required')]), rule(s)]);
	return rows.length
		? [el('h3', '', w('parameters')), table([w('name'), w('where'), w('rule')], rows)]
		: [];
}

function reply(op) {
	const [status, r] = successOf(op),
		content = Object.entries(r.content || {})[0],
		out = [el('h3', '', `${w('reply')} ${status}`)];
	if (!content) return [...out, el('p', 'meta', r.description)];
	const [type, { schema, example }] = content,
		data = schema.properties && schema.properties.data ? schema.properties.data : schema,
		rows = members(data).map(([name, s]) => [el('code', '', name), rule(s)]);
	out.push(rows.length ? table([w('name'), w('rule')], rows) : el('p', 'meta', type));
	if ([].concat(data.type).includes('null')) out.push(el('p', 'meta', w('null_data')));
	if (example) out.push(el('h3', '', w('example')), el('pre', '', pretty(example)));
	return out;
}

function failures(op) {
	const rows = Object.entries(op.responses)
		.filter(([, r]) => r.$ref)
		.map(([s, r]) => {
			const f = failureOf(r);
			return [
				s === 'default' ? '500' : s,
				f['x-codes'].join(lang === 'zh' ? '、' : ', '),
				said(f, 'description'),
			];
		});
	return [el('h3', '', w('failures')), table([w('status'), w('code'), w('meaning')], rows)];
}

function rights(op) {
	const may = op['x-permission'],
		only = op['x-only'];
	return el(
		'p',
		'meta',
		op.deprecated ? `${w('ends')} ${op['x-deprecated-since']} → ${op['x-sunset']} · ` : '',
		w('may') + colon() + w(may) + (only ? bracketed(w('only') + colon() + w(only)) : '') + ' · ',
		el('code', '', op.operationId),
	);
}

/* --- trying it --- */

function csrf() {
	const m = document.cookie.match(/(?:^|; )(?:__Host-)?sd_csrf=([0-9a-f]+)/);
	return m ? m[1] : '';
}

function field(p) {
	const input = el('input');
	input.name = p.name;
	input.placeholder = String(p.example);
	input.required = p.required;
	input.dataset.in = p.in;
	return el('label', '', p.name + (p.required ? ' *' : ''), input);
}

function requestOf(path, method, form, type) {
	const headers = { 'Accept-Language': lang },
		query = new URLSearchParams(),
		text = form.querySelector('textarea');
	let url = path;
	for (const i of form.querySelectorAll('input')) {
		if (i.dataset.in === 'path') url = url.replace(`{${i.name}}`, encodeURIComponent(i.value));
		else if (i.value && i.dataset.in === 'query') query.set(i.name, i.value);
		else if (i.value) headers[i.name] = i.value;
	}
	if (token) headers.Authorization = 'Bearer ' + token;
	else if (method !== 'GET' && csrf()) headers['X-CSRF-Token'] = csrf();
	if (text && text.value) headers['Content-Type'] = type;
	return [
		url + (query.size ? '?' + query : ''),
		{
			method,
			headers,
			body: (text && text.value) || undefined,
			credentials: token ? 'omit' : 'same-origin',
		},
	];
}

async function send(path, method, form, type, out) {
	out.textContent = w('sending');
	try {
		const begun = performance.now(),
			r = await fetch(...requestOf(path, method, form, type)),
			text = await r.text(),
			ms = Math.round(performance.now() - begun);
		let body = text;
		try {
			body = pretty(JSON.parse(text));
		} catch {
			/* not JSON */
		}
		out.textContent = `${r.status} ${r.statusText} · ${ms} ms\n\n${body}`;
	} catch (e) {
		out.textContent = w('not_sent') + e.message;
	}
}

function tryIt(path, method, op) {
	const form = el('form', 'try'),
		out = el('pre'),
		button = el('button', '', w('send')),
		body = bodyOf(op);
	out.setAttribute('aria-live', 'polite');
	out.tabIndex = 0;
	if (op.parameters.length) form.append(el('div', 'two', ...op.parameters.map(field)));
	if (body) {
		const text = el('textarea');
		text.spellcheck = false;
		text.value = /json/.test(body[0])
			? pretty(body[1].example)
			: String(new URLSearchParams(body[1].example));
		form.append(el('label', '', w('body'), text));
	}
	form.append(el('div', 'bar', button, el('code', '', `${method} ${path}`)), out);
	out.hidden = true;
	form.onsubmit = (e) => {
		e.preventDefault();
		out.hidden = false;
		send(path, method, form, body && body[0], out);
	};
	return [el('h3', '', w('try_it')), form];
}

/* --- the list --- */

/* What an operation holds is made when it is opened: there are many. */
function fill(card, path, method, op) {
	const body = bodyOf(op),
		link = el('a', '', '#' + op.operationId),
		inside = el('div', 'inside', rights(op), ...inputs(op));
	link.href = '#' + op.operationId;
	if (body)
		inside.append(
			el('h3', '', w('request')),
			el('pre', '', /json/.test(body[0]) ? pretty(body[1].example) : body[0]),
		);
	inside.append(...reply(op), ...failures(op));
	if (successOf(op)[0] !== '101') inside.append(...tryIt(path, method, op));
	inside.append(el('p', 'meta', w('link') + ' ', link));
	for (const pre of inside.querySelectorAll('pre')) pre.tabIndex = 0;
	card.append(inside);
}

function card(path, method, op) {
	const d = el('details', 'card op'),
		upper = method.toUpperCase();
	d.id = op.operationId;
	d.dataset.text = `${path} ${op.summary} ${op['x-summary-zh']} ${op.operationId}`.toLowerCase();
	d.append(
		el(
			'summary',
			'',
			el('span', 'badge ' + upper, upper),
			el('span', 'path', path),
			el('span', 'meta', said(op, 'summary')),
		),
	);
	d.ontoggle = () => {
		if (d.open && !d.querySelector('.inside')) fill(d, path, upper, op);
	};
	return d;
}

function groups() {
	return doc.tags
		.map((tag) => ({
			tag,
			cards: Object.entries(doc.paths).flatMap(([path, ops]) =>
				Object.entries(ops)
					.filter(([, op]) => op.tags[0] === tag.name)
					.map(([m, op]) => card(path, m, op)),
			),
		}))
		.filter((g) => g.cards.length);
}

function drawIntro() {
	const rows = doc.components['x-errors'].map((e) => [
			String(e.code),
			String(e.status),
			said(e, 'message'),
			said(e, 'description'),
			(lang === 'zh' ? e['x-suggested-actions-zh'] : e.suggested_actions).join(
				lang === 'zh' ? '；' : '; ',
			),
		]),
		input = el('input');
	input.type = 'password';
	input.autocomplete = 'off';
	input.id = 'token';
	input.value = token;
	input.oninput = () => (token = input.value.trim());
	$('intro').className = 'card';
	$('intro').replaceChildren(
		el('p', '', w('intro')),
		el(
			'details',
			'',
			el('summary', '', w('errors')),
			table([w('code'), w('status'), w('message'), w('meaning'), w('todo')], rows),
		),
		el('label', '', w('token'), input),
	);
}

function filter() {
	const t = $('find').value.toLowerCase();
	for (const c of $('list').querySelectorAll('.op')) c.hidden = !c.dataset.text.includes(t);
	for (const g of $('list').querySelectorAll('section'))
		g.hidden = !g.querySelector('.op:not([hidden])');
	$('nothing').hidden = !!$('list').querySelector('.op:not([hidden])');
}

function openLinked() {
	const at = location.hash && $(decodeURIComponent(location.hash.slice(1)));
	if (!at) return;
	if (at.tagName === 'DETAILS') at.open = true;
	at.scrollIntoView();
}

function draw() {
	document.documentElement.lang = lang;
	$('find').placeholder = w('find');
	$('find').setAttribute('aria-label', w('find'));
	$('groups').setAttribute('aria-label', w('groups'));
	$('lang').textContent = w('other');
	$('portal').textContent = w('portal');
	drawIntro();
	const all = groups(),
		nothing = el('p', 'meta', w('none'));
	nothing.id = 'nothing';
	$('groups').replaceChildren(
		...all.map(({ tag, cards }) => {
			const a = el('a', '', titleOf(tag), el('span', 'meta', String(cards.length)));
			a.href = '#tag-' + tag.name;
			return a;
		}),
	);
	$('list').replaceChildren(
		...all.map(({ tag, cards }) => {
			const h = el('h2', '', titleOf(tag), el('code', 'meta', tag.name)),
				s = el('section', '', h, el('p', 'meta', textOf(tag)), ...cards);
			h.id = 'tag-' + tag.name;
			return s;
		}),
		nothing,
	);
	filter();
	openLinked();
}

$('find').oninput = filter;
$('lang').onclick = () => {
	lang = lang === 'zh' ? 'en' : 'zh';
	localStorage.setItem('lang', lang);
	draw();
};
addEventListener('hashchange', openLinked);
fetch('/openapi.json')
	.then((r) => r.json())
	.then((d) => {
		doc = d;
		draw();
	});
