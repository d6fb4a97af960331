// SPDX-License-Identifier: Apache-2.0
// Shows openapi.json: one card per operation, filtered while you type, in Chinese or English.
'use strict';
const words = {
	zh: {
		required: '必填',
		chars: '个字符',
		dflt: '默认',
		token: '需令牌',
		open: '公开',
		find: '查找…',
		reply: '返回',
		list: '列表，元素为',
		header: '请求头',
		query: '查询',
		path: '路径',
		body: '正文',
		other: 'English',
	},
	en: {
		required: 'required',
		chars: 'characters',
		dflt: 'default',
		token: 'token',
		open: 'public',
		find: 'find…',
		reply: 'response',
		list: 'a list of',
		header: 'header',
		query: 'query',
		path: 'path',
		body: 'body',
		other: '中文',
	},
};
let lang = localStorage.getItem('lang') || (navigator.language.startsWith('zh') ? 'zh' : 'en'),
	doc;
const w = (k) => words[lang][k];
const el = (tag, cls, text) => {
	const e = document.createElement(tag);
	if (cls) e.className = cls;
	if (text !== undefined) e.textContent = text;
	return e;
};
const type = (s) => (Array.isArray(s.type) ? s.type[0] : s.type || 'any') + (s.format ? ' ' + s.format : '');
const rule = (s) =>
	[
		type(s),
		s.enum && s.enum.join(' | '),
		s.minimum !== undefined && s.minimum + '…' + s.maximum,
		s.minLength !== undefined && s.minLength + '…' + s.maxLength + ' ' + w('chars'),
		s.default !== undefined && w('dflt') + ' ' + s.default,
	]
		.filter(Boolean)
		.join(', ');
const line = (mid, name, where, required, s) => {
	const m = el('div', 'meta');
	m.append(
		el('code', '', name),
		' (' + w(where) + (required ? ', ' + w('required') : '') + '): ' + rule(s),
	);
	mid.append(m);
};
function reply(mid, op) {
	const ok = op.responses['200'] || op.responses['201'],
		content = ok && ok.content && ok.content['application/json'];
	if (!content) return;
	const data = content.schema.properties.data,
		list =
			data.properties &&
			data.properties.items &&
			data.properties.items.type === 'array' &&
			data.properties.items.items,
		shape = list || data;
	const d = el('details', 'meta');
	d.append(
		el('summary', '', w('reply') + (list ? ' ' + w('list') : '')),
		el(
			'code',
			'',
			Object.entries(shape.properties || {})
				.map(([k, s]) => k + ': ' + type(s))
				.join(', '),
		),
	);
	mid.append(d);
}
function card(path, method, op) {
	const c = el('div', 'card row doc'),
		mid = el('span');
	mid.append(
		el('span', 'title', path),
		el('div', 'meta', lang === 'zh' ? op['x-summary-zh'] : op.summary),
	);
	for (const p of op.parameters) line(mid, p.name, p.in, p.required, p.schema);
	const schema = op.requestBody && op.requestBody.content['application/json'].schema;
	for (const k of Object.keys(schema ? schema.properties : {}))
		line(mid, k, 'body', schema.required.includes(k), schema.properties[k]);
	reply(mid, op);
	c.append(
		el('span', 'badge', method.toUpperCase()),
		mid,
		el('span', 'meta', op.security.length ? w('token') : w('open')),
	);
	c.dataset.text = (path + ' ' + op.summary + ' ' + op['x-summary-zh']).toLowerCase();
	return c;
}
function filter() {
	const t = document.getElementById('find').value.toLowerCase();
	for (const c of document.getElementById('list').children) c.hidden = !c.dataset.text.includes(t);
}
function draw() {
	document.documentElement.lang = lang;
	document.getElementById('find').placeholder = w('find');
	document.getElementById('lang').textContent = w('other');
	document.getElementById('list').replaceChildren(
		...Object.keys(doc.paths).flatMap((path) =>
			Object.keys(doc.paths[path]).map((m) => card(path, m, doc.paths[path][m])),
		),
	);
	filter();
}
document.getElementById('find').oninput = filter;
document.getElementById('lang').onclick = () => {
	lang = lang === 'zh' ? 'en' : 'zh';
	localStorage.setItem('lang', lang);
	draw();
};
fetch('/openapi.json')
	.then((r) => r.json())
	.then((d) => {
		doc = d;
		draw();
	});
