// SPDX-License-Identifier: Apache-2.0
// The live page: login, open tickets by time left, live alerts, create, reply, resolve. No framework on purpose; the full portal will replace it.
'use strict';
const $ = (id) => document.getElementById(id);
const state = {
	me: null,
	tickets: new Map(),
	selected: null,
	socket: null,
	since: null,
	skew: 0,
	lang: localStorage.getItem('lang') || (navigator.language.startsWith('en') ? 'en' : 'zh'),
	tenants: new Map(),
	incidentTypes: [],
	wait: 500,
};
const t = (key) => words[state.lang][key] || key;
const done = ['resolved', 'closed', 'cancelled', 'merged'];

function el(tag, cls, text) {
	const e = document.createElement(tag);
	if (cls) e.className = cls;
	if (text !== undefined) e.textContent = text;
	return e;
}

// The session is in cookies that scripts cannot read. Requests that change something repeat the one readable cookie.
function csrf() {
	const m = document.cookie.match(/(?:^|; )(?:__Host-)?sd_csrf=([0-9a-f]+)/);
	return m && m[1];
}
async function request(method, path, body) {
	const headers = { 'Accept-Language': state.lang };
	if (method !== 'GET' && csrf()) headers['X-CSRF-Token'] = csrf();
	if (method === 'POST') headers['Idempotency-Key'] = crypto.randomUUID();
	if (body) headers['Content-Type'] = 'application/json';
	const r = await fetch(path, {
		method,
		headers,
		body: body ? JSON.stringify(body) : undefined,
	}).catch(() => {
		throw new Error(t('unreachable'));
	});
	const date = Date.parse(r.headers.get('Date'));
	if (date) state.skew = date - Date.now();
	return r;
}
// The access cookie is short-lived. If two pages refresh it at once, one gets 409 and uses the cookies that the other received.
let renewing = null;
function renew() {
	renewing =
		renewing ||
		request('POST', '/api/v1/auth/refresh')
			.then((r) => r.ok || r.status === 409)
			.finally(() => {
				renewing = null;
			});
	return renewing;
}
async function api(method, path, body) {
	let r = await request(method, path, body);
	if (r.status === 401 && csrf() && !path.endsWith('/login') && (await renew()))
		r = await request(method, path, body);
	let j = await r.json();
	/* what changes how one logs in must be confirmed first; then it is tried once more */
	if (j.code === 40006 && (await stepUp(j.details))) {
		r = await request(method, path, body);
		j = await r.json();
	}
	if (r.ok) return j.data;
	if (r.status === 401 && state.me) leave();
	const d = j.details || {};
	throw new Error(
		(d.fields || []).map((f) => (t(f.field) || f.field) + t('colon') + f.rule).join('\n') ||
			d.user_message ||
			j.message,
	);
}

function translate() {
	document.documentElement.lang = state.lang;
	for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
	$('lang').textContent = state.lang === 'zh' ? 'EN' : '中文';
	$('logout').textContent = t('logout');
	$('factors').replaceChildren(
		...['continuity', 'users', 'data_integrity', 'finance', 'compliance', 'time'].map((f) => {
			const l = el('label'),
				c = el('input');
			c.type = 'checkbox';
			c.name = 'factor';
			c.value = f;
			l.append(c, t(f));
			return l;
		}),
	);
	drawIncidentTypes();
	draw();
}

/* The types that the chosen customer's tickets can have: its own, and the built-in ones (tenant 1) that
 * it has not replaced. */
function incidentTypes() {
	const mine =
			state.me?.kind === 'staff'
				? Number(document.querySelector('#pick select').value)
				: state.me?.tenant_id,
		own = state.incidentTypes.filter((e) => e.tenant_id === mine && mine !== 1),
		replaced = new Set(own.map((e) => e.code));
	return [
		...own,
		...state.incidentTypes.filter((e) => e.tenant_id === 1 && !replaced.has(e.code)),
	].filter((e) => e.active);
}
/* The types of incident by priority, in the reader's language. */
function drawIncidentTypes() {
	const types = incidentTypes(),
		chosen = $('incident_type').value,
		none = el('option', '', t('incident_other'));
	none.value = '';
	$('incident_type').replaceChildren(
		none,
		...[...new Set(types.map((e) => e.priority))].sort().map((p) => {
			const g = el('optgroup');
			g.label = p;
			for (const e of types.filter((x) => x.priority === p)) {
				const o = el('option', '', state.lang === 'zh' ? e.name_zh : e.name_en);
				o.value = e.code;
				g.append(o);
			}
			return g;
		}),
	);
	$('incident_type').value = types.some((e) => e.code === chosen) ? chosen : '';
}

// --- time -------------------------------------------------------------------------------------------------------------------
const now = () => Date.now() + state.skew;
function duration(ms) {
	const s = Math.floor(Math.abs(ms) / 1000),
		d = Math.floor(s / 86400),
		two = (n) => String(n).padStart(2, '0');
	return (
		(d ? d + t('days') : '') +
		two(Math.floor(s / 3600) % 24) +
		':' +
		two(Math.floor(s / 60) % 60) +
		':' +
		two(s % 60)
	);
}
function colour(k) {
	if (!k.urgent_at) return '';
	if (Date.parse(k.urgent_at) <= now() || k.sla_high >= 100) return 'bad';
	return k.sla_high >= 90 ? 'hot' : k.sla_high >= 80 ? 'warn' : 'ok';
}

// --- list --------------------------------------------------------------------------------------------------------------------
function rowOf(k) {
	const r = el('button', 'row ' + colour(k)),
		mid = el('span'),
		clock = el('span', 'clock');
	r.dataset.id = k.id;
	r.setAttribute('role', 'listitem');
	mid.append(
		el('span', 'title', k.title),
		el(
			'span',
			'meta',
			[
				k.number,
				state.me.kind === 'staff' ? state.tenants.get(k.tenant_id) : null,
				t('status')[k.status],
				k.priority_confirmed === false && k.priority === 'P0'
					? t('unconfirmed')
					: null,
				k.sla_breached ? t('was_missed') : null,
			]
				.filter(Boolean)
				.join(' · '),
		),
	);
	clock.append(el('div', 'meta'), el('div', 'count'));
	r.append(el('span', 'badge ' + k.priority, k.priority), mid, clock);
	r.onclick = () => show(k.id).catch((e) => toast(e.message, 'bad'));
	return r;
}
const byUrgency = (a, b) =>
	(a.urgent_at ? Date.parse(a.urgent_at) : Infinity) -
		(b.urgent_at ? Date.parse(b.urgent_at) : Infinity) || a.id - b.id;
function draw(fresh) {
	const all = [...state.tickets.values()].sort(byUrgency);
	$('list').replaceChildren(
		...all.map((k) => {
			const r = rowOf(k);
			if (k.id === fresh) r.classList.add('fresh');
			if (k.id === state.selected) r.classList.add('selected');
			return r;
		}),
	);
	$('empty').hidden = all.length > 0;
	const counts = {};
	for (const k of all) counts[k.priority] = (counts[k.priority] || 0) + 1;
	$('counts').replaceChildren(
		...Object.keys(counts)
			.sort()
			.map((p) => el('span', 'badge ' + p, p + ' ' + counts[p])),
	);
	tick();
}
/* such as "Response due in"; Chinese puts no space between the words */
function clockLabel(clock, left) {
	return t(clock) + (state.lang === 'zh' ? '' : ' ') + t(left > 0 ? 'left' : 'over');
}
function tick() {
	for (const r of $('list').children) {
		const k = state.tickets.get(Number(r.dataset.id)),
			c = r.lastChild;
		if (!k) continue;
		const left = k.urgent_at ? Date.parse(k.urgent_at) - now() : null;
		c.firstChild.textContent = left === null ? t('paused') : clockLabel(k.urgent_clock, left);
		c.lastChild.textContent = left === null ? '—' : duration(left);
		r.className =
			'row ' +
			colour(k) +
			(r.classList.contains('selected') ? ' selected' : '') +
			(r.classList.contains('fresh') ? ' fresh' : '');
	}
	for (const line of document.querySelectorAll('.clockline[data-due]')) {
		const from = Number(line.dataset.from),
			due = Number(line.dataset.due),
			p = line.querySelector('progress');
		p.value = Math.min(1, Math.max(0, (now() - from) / (due - from)));
		line.lastChild.textContent = t(due > now() ? 'left' : 'over') + ' ' + duration(due - now());
		line.className =
			'clockline ' +
			(p.value >= 1 ? 'bad' : p.value >= 0.9 ? 'hot' : p.value >= 0.8 ? 'warn' : 'ok');
	}
}
async function all(path) {
	// all pages of a list
	const items = [];
	for (let cursor = ''; cursor !== null;) {
		const page = await api(
			'GET',
			path +
				(/\?/.test(path) ? '&' : '?') +
				'limit=200' +
				(cursor && '&cursor=' + encodeURIComponent(cursor)),
		);
		items.push(...page.items);
		cursor = page.next_cursor; // a page may be shorter than asked for
	}
	return items;
}
async function load() {
	const tickets = await all('/api/v1/tickets?sort=urgent');
	state.tickets = new Map(tickets.map((k) => [k.id, k]));
	draw();
	loadNumbers().catch(() => {});
}

// --- live -------------------------------------------------------------------------------------------------------------------------
function toast(text, cls) {
	const e = el('div', 'toast ' + (cls || ''), text);
	$('toasts').append(e);
	while ($('toasts').children.length > 5) $('toasts').firstChild.remove();
	setTimeout(() => e.remove(), 9000);
}
function announce(e) {
	const k = e.ticket || {},
		d = e.data || {},
		name = k.number + ' ' + k.title;
	if (e.type === 'ticket.created')
		toast(
			t('newticket') + ' ' + k.priority + t('colon') + name,
			k.priority === 'P0' ? 'bad' : '',
		);
	else if (e.type === 'sla.ladder')
		toast(name + t('colon') + t('raised').replace('{level}', d.threshold), 'warn');
	else if (e.type.startsWith('sla.') && !d.late) {
		const over = d.threshold === '100';
		toast(
			name +
				t('colon') +
				t(over ? 'breached' : d.threshold > 0 ? 'reached' : 'lead')
					.replace('{clock}', t(d.clock))
					.replace('{n}', parseInt(String(d.threshold).replace('-', ''))),
			over ? 'bad' : d.threshold >= 90 ? 'hot' : 'warn',
		);
	}
}
function onEvent(e) {
	if (state.since) state.since[e.tenant_id] = e.seq;
	const k = e.ticket;
	if (!k) return;
	announce(e);
	numbersChanged();
	if (done.includes(k.status)) state.tickets.delete(k.id);
	else
		state.tickets.set(
			k.id,
			Object.assign(state.tickets.get(k.id) || {}, k, {
				tenant_id: e.tenant_id,
				urgent_at: k.urgent_at,
			}),
		);
	draw(k.id);
	if (state.selected === k.id && !document.querySelector('#ticket form :focus'))
		open(k.id).catch(() => {});
}
function connect() {
	const s = (state.socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/api/v1/live'));
	s.onmessage = (m) => {
		const e = JSON.parse(m.data);
		if (e.op === 'welcome') {
			const sub = { op: 'subscribe', topics: ['tickets', 'alerts'] };
			/* with more tenants, the feed begins with a snapshot anyway */
			if (state.since && Object.keys(state.since).length <= 64) sub.since = state.since;
			s.send(JSON.stringify(sub));
		} else if (e.op === 'snapshot') {
			state.since = e.seq;
			state.wait = 500;
			load().catch(() => {});
			live(true);
		} else if (e.op === 'resumed') {
			state.wait = 500;
			live(true);
		} else if (e.op === 'event') onEvent(e);
	};
	s.onclose = (e) => {
		if (!state.me || state.socket !== s) return;
		live(false);
		if (e.code === 4401) {
			renew().then(
				(ok) => (ok ? connect() : leave()),
				() => setTimeout(connect, 5000),
			);
			return;
		}
		setTimeout(connect, (state.wait = Math.min(state.wait * 2, 15000)));
	};
}
function live(on) {
	$('live').className = 'dot ' + (on ? 'on' : 'off');
	$('live').title = t(on ? 'online' : 'offline');
}

// --- in and out --------------------------------------------------------------------------------------------------------------------
/* Whom a customer can call. */
function drawHelp() {
	const h = state.help || {};
	$('help').textContent = [
		h.hotline && t('hotline') + h.hotline,
		h.customer_success_manager && t('success_manager') + h.customer_success_manager,
	]
		.filter(Boolean)
		.join(' · ');
	$('help').hidden = !$('help').textContent;
}
async function enter() {
	state.me = await api('GET', '/api/v1/me');
	document.dispatchEvent(new Event('entered'));
	const tenants = await all('/api/v1/tenants');
	state.tenants = new Map(tenants.map((c) => [c.id, c.name]));
	const pick = document.querySelector('#pick');
	pick.hidden = state.me.kind !== 'staff';
	pick.querySelector('select').replaceChildren(
		...tenants
			.filter((c) => c.id !== 1)
			.map((c) => {
				const o = el('option', '', c.name);
				o.value = c.id;
				return o;
			}),
	);
	$('who').textContent = state.me.full_name;
	if (state.me.kind !== 'staff') state.help = await api('GET', '/api/v1/client/workspace').catch(() => ({}));
	drawHelp();
	$('login').hidden = true;
	$('desk').hidden = false;
	$('logout').hidden = false;
	connect();
}
function logout() {
	api('POST', '/api/v1/auth/logout').then(
		(d) =>
			d.location &&
			(location.href = d.location) /* the session at the identity provider ends too */,
		() => {},
	);
	history.replaceState(null, '', '/');
	leave();
}
function leave() {
	state.me = state.since = state.selected = state.help = null;
	drawHelp();
	if (state.socket) state.socket.close();
	document.dispatchEvent(new Event('left'));
	$('desk').hidden = true;
	$('numbers').hidden = true;
	$('ticket').hidden = true;
	$('logout').hidden = true;
	$('login').hidden = false;
	$('who').textContent = '';
	$('ticket').replaceChildren();
	$('step').hidden = true;
	$('live').className = 'dot';
	document.querySelector('main').classList.remove('with-ticket');
}
$('login').onsubmit = async (e) => {
	e.preventDefault();
	const f = e.target,
		err = f.querySelector('.error'),
		body = { username: f.username.value, password: f.password.value, cookies: true };
	if (f.tenant.value) body.tenant = f.tenant.value;
	err.textContent = '';
	try {
		const d = await api('POST', '/api/v1/auth/login', body);
		if (d.second_factor_required) {
			f.password.value = '';
			askSecond(d);
			return;
		}
		if (d.must_change_password) {
			if (!f.fresh.value) {
				f.fresh.parentNode.hidden = false;
				err.textContent = t('must_change');
				f.fresh.focus();
				return;
			}
			await api('POST', '/api/v1/auth/password', {
				old_password: f.password.value,
				new_password: f.fresh.value,
			});
		}
		f.fresh.parentNode.hidden = true;
		f.fresh.value = '';
		f.password.value = '';
		await signedIn(d);
	} catch (x) {
		err.textContent = x.message;
	}
};
$('forgot').onclick = async () => {
	const f = $('login'),
		err = f.querySelector('.error'),
		body = { username: f.username.value };
	if (!body.username) {
		err.textContent = t('forgot_name');
		f.username.focus();
		return;
	}
	if (f.tenant.value) body.tenant = f.tenant.value;
	try {
		await api('POST', '/api/v1/auth/password/forgot', body);
		err.textContent = '';
		toast(t('forgot_sent'));
	} catch (x) {
		err.textContent = x.message;
	}
};
/* The mailed link carries its token behind the #, so it appears in no log. */
const resetToken = (location.hash.match(/^#reset=([\w.-]+)$/) || [])[1];
$('reset').onsubmit = async (e) => {
	e.preventDefault();
	const f = e.target,
		err = f.querySelector('.error');
	try {
		await api('POST', '/api/v1/auth/password/reset', {
			token: resetToken,
			new_password: f.fresh.value,
		});
		$('reset').hidden = true;
		$('login').hidden = false;
		toast(t('reset_done'));
	} catch (x) {
		err.textContent = x.message;
	}
};
$('reset_back').onclick = () => {
	$('reset').hidden = true;
	$('login').hidden = false;
};
$('logout').onclick = logout;
$('lang').onclick = () => {
	state.lang = state.lang === 'zh' ? 'en' : 'zh';
	localStorage.setItem('lang', state.lang);
	translate();
	loadNumbers().catch(() => {});
	drawHelp();
	if (state.selected) open(state.selected);
};
$('new').onclick = async () => {
	$('create').showModal();
	try {
		if (!state.incidentTypes.length)
			state.incidentTypes = await all('/api/v1/catalogue?kind=incident_type');
		drawIncidentTypes();
	} catch {
		// without the list, the words of the ticket decide
	}
};
document.querySelector('#pick select').onchange = drawIncidentTypes;
$('cancel').onclick = () => $('create').close();
$('behind_close').onclick = () => $('behind').close();
document.querySelector('#create form').onsubmit = async (e) => {
	e.preventDefault();
	const f = e.target,
		err = f.querySelector('.error'),
		d = new FormData(f),
		body = { title: d.get('title'), description: d.get('description') };
	for (const k of ['impact_scope', 'priority', 'incident_type']) if (d.get(k)) body[k] = d.get(k);
	if (d.getAll('factor').length) body.factors = d.getAll('factor');
	if (state.me.kind === 'staff') body.tenant_id = Number(d.get('tenant_id'));
	err.textContent = '';
	try {
		await api('POST', '/api/v1/tickets', body);
		f.reset();
		$('create').close();
	} catch (x) {
		err.textContent = x.message;
	}
};
setInterval(tick, 1000);
translate();
if (resetToken) {
	history.replaceState(null, '', '/');
	$('reset').hidden = false;
} else if (csrf()) enter().catch(leave);
else $('login').hidden = false;
