// SPDX-License-Identifier: Apache-2.0
// One ticket: its clocks, texts and commands. What somebody has typed stays until it is sent, whatever happens to the ticket meanwhile.
'use strict';
const drafts = new Map(); /* by ticket: the command typed last, and what was typed for each command */
const draftOf = (id) => drafts.get(id) || { last: null, typed: {} };
function textForm(label, fields, send, ticket) {
	const f = el('form'),
		err = el('p', 'error'),
		draft = draftOf(ticket),
		typed = draft.typed[label] || {};
	f.className = 'two-rows';
	for (const x of fields) {
		const l = el('label'),
			i = x.options ? el('select') : el(x.long ? 'textarea' : 'input');
		if (x.options)
			i.append(
				...x.options.map((o) => {
					const e = el('option', '', t(o));
					e.value = o;
					return e;
				}),
			);
		i.name = x.name;
		i.required = x.required !== false;
		if (typed[x.name]) i.value = typed[x.name];
		l.append(t(x.label || x.name), i);
		f.append(l);
	}
	const b = el('button', '', t(label));
	f.append(err, b);
	f.oninput = () => {
		draft.last = label;
		draft.typed[label] = Object.fromEntries(new FormData(f));
		drafts.set(ticket, draft);
	};
	f.onsubmit = async (e) => {
		e.preventDefault();
		b.disabled = true;
		err.textContent = '';
		try {
			await send(
				Object.fromEntries(
					[...new FormData(f)]
						.filter(([, v]) => v)
						.map(([k, v]) => [k, k === 'score' ? Number(v) : v]),
				),
			);
		} catch (x) {
			err.textContent = x.message;
		}
		b.disabled = false;
	};
	return f;
}
const clockOrder = ['response', 'resolution', 'update', 'aws'];
function clockLine(c) {
	const l = el('div', 'clockline'),
		p = el('progress');
	p.max = 1;
	l.append(el('span', '', t(c.clock)), p, el('span'));
	if (c.state === 'running' && c.due_at) {
		l.dataset.from = Date.parse(c.start_at);
		l.dataset.due = Date.parse(c.due_at);
	} else {
		p.value = c.verdict === 'breached' ? 1 : 0;
		l.lastChild.textContent =
			c.state === 'paused'
				? t('paused')
				: c.state === 'scheduled'
					? t('not_begun')
					: c.verdict === 'met'
						? '✓ ' + t('kept')
						: c.verdict === 'breached'
							? '✗ ' + t('was_missed')
							: '';
		l.classList.add(c.verdict === 'breached' ? 'bad' : 'still');
	}
	return l;
}
/* What the resolution of a grave ticket says besides its text. */
function detailsOf(c) {
	return ['root_cause', 'solution', 'solution_kind', 'prevention', 'configuration']
		.filter((k) => c.details && c.details[k])
		.map((k) => {
			const d = el('div', 'detail');
			d.append(
				el('b', '', t(k) + t('colon')),
				k === 'solution_kind' ? t(c.details[k]) : c.details[k],
			);
			return d;
		});
}
/* A root-cause analysis that a breach has begun: whose, until when. */
function analysisLine(a) {
	const at = (v) => new Date(v).toLocaleString(state.lang);
	return el(
		'p',
		'meta analysis' + (a.state === 'overdue' ? ' bad' : ''),
		t('analysis') +
			t('colon') +
			(a.owner_name || t('unassigned')) +
			' · ' +
			t('analysis_' + a.state) +
			' ' +
			at(a.done_at || a.due_at),
	);
}
/* The report that the priority asks for: until when, or when it was done. */
function reportLine(k) {
	const late = !k.report_done_at && Date.parse(k.report_due_at) <= now();
	return el(
		'p',
		'meta report' + (late ? ' bad' : ''),
		t('report') +
			t('colon') +
			t('analysis_' + (k.report_done_at ? 'done' : late ? 'overdue' : 'open')) +
			' ' +
			new Date(k.report_done_at || k.report_due_at).toLocaleString(state.lang),
	);
}
function closeTicket() {
	state.selected = null;
	history.replaceState(null, '', '/');
	$('ticket').hidden = true;
	document.querySelector('main').classList.remove('with-ticket');
	draw();
}
async function open(id) {
	state.selected = id;
	const staff = state.me.kind === 'staff',
		writes = state.me.permissions.includes('ticket:write'), /* an auditor only reads */
		escalate = staff ? 'escalate_up' : 'escalate';
	const [k, clocks, comments, analyses] = await Promise.all([
		api('GET', '/api/v1/tickets/' + id),
		api('GET', '/api/v1/tickets/' + id + '/clocks'),
		all('/api/v1/tickets/' + id + '/comments'),
		staff ? all('/api/v1/rca?ticket_id=' + id) : [],
	]);
	if (state.selected !== id) return;
	const box = $('ticket'),
		head = el('div', 'bar'),
		lines = el('div', 'clocks'),
		acts = el('div', 'actions'),
		form = el('div');
	const x = el('button', 'plain', t('back'));
	x.onclick = closeTicket;
	head.append(
		el('span', 'badge ' + k.priority, k.priority),
		el(
			'span',
			'meta',
			k.number + ' · ' + t('status')[k.status] + (staff ? ' · ' + k.tenant_name : ''),
		),
		el('span', 'grow'),
		x,
	);
	lines.append(
		...clocks.items
			.filter(
				(c) =>
					c.clock !== 'ladder' &&
					c.state !== 'none' &&
					(c.clock !== 'aws' || (staff && c.state === 'running')),
			)
			.sort((a, b) => clockOrder.indexOf(a.clock) - clockOrder.indexOf(b.clock))
			.map(clockLine),
	);
	const forget = (cmd) => {
		const draft = draftOf(id);
		draft.last = null;
		delete draft.typed[{ reply: 'send', escalate: escalate }[cmd] || cmd];
	};
	const act = (cmd) => async (body) => {
		const r = await api('POST', '/api/v1/tickets/' + id + '/' + cmd, body || {});
		if (r && r.answer_by)
			toast(
				t('escalated')
					.replace('{level}', r.level)
					.replace('{at}', new Date(r.answer_by).toLocaleString(state.lang)),
			);
		if (body) forget(cmd);
		await open(id);
	};
	const button = (cmd, fields, name = cmd) => {
		if (!writes) return;
		const b = el('button', 'plain', t(name)),
			show = () => form.replaceChildren(textForm(name, fields, act(cmd), id));
		if (fields && draftOf(id).last === name) show();
		b.onclick = async () => {
			if (fields) {
				show();
				form.querySelector('input,textarea,select').focus();
				return;
			}
			try {
				await act(cmd)();
			} catch (e) {
				toast(e.message, 'bad');
			}
		};
		acts.append(b);
	};
	const isDone = done.includes(k.status),
		reason = [{ name: 'reason' }],
		grave = ['P0', 'P1', 'P2'].includes(k.priority);
	if (staff && k.status === 'new') button('accept');
	if (staff && ['new', 'accepted'].includes(k.status)) button('confirm');
	if (staff && !isDone && k.status !== 'pending_customer') button('wait-customer', reason);
	if (staff && ['pending_customer', 'pending_aws', 'scheduled'].includes(k.status))
		button('resume', reason);
	if (staff && !isDone) button('note', [{ name: 'text', label: 'note', long: true }]);
	if (staff && !isDone)
		button('resolve', [
			{ name: 'text', label: 'reply', long: true },
			...(grave
				? [
						{ name: 'root_cause' },
						{ name: 'solution' },
						{
							name: 'solution_kind',
							options: ['permanent', 'temporary'],
						},
						{ name: 'prevention' },
						{ name: 'configuration' },
					]
				: []),
		]);
	if (analyses.some((a) => a.state !== 'done'))
		button('rca-done', [{ name: 'text', label: 'analysis', long: true }]);
	if (staff && k.report_due_at && !k.report_done_at)
		button('report-done', [{ name: 'text', label: 'report_text', long: true, required: false }]);
	if (!isDone) button('escalate', reason, escalate);
	if (!staff && k.status === 'resolved') button('confirm-resolution');
	if (['resolved', 'closed'].includes(k.status)) button('reopen', reason);
	if (!staff && ['resolved', 'closed'].includes(k.status))
		button('rate', [
			{ name: 'score', options: ['5', '4', '3', '2', '1'] },
			{ name: 'text', label: 'comment', long: true, required: false },
		]);
	if (writes && !isDone && !form.firstChild)
		form.append(textForm('send', [{ name: 'text', label: 'reply', long: true }], act('reply'), id));
	box.replaceChildren(
		head,
		el('h2', '', k.title),
		el(
			'p',
			'meta people',
			t('by_customer') +
				t('colon') +
				(k.requester_name || '–') +
				' · ' +
				t('by_staff') +
				t('colon') +
				(k.assignee_name || t('unassigned')),
		),
		lines,
		...(k.report_due_at ? [reportLine(k)] : []),
		...analyses.map(analysisLine),
		...comments.map((c) => {
			const d = el('div', 'comment ' + (c.audience === 'staff' ? 'staff' : ''));
			d.append(
				el(
					'div',
					'meta',
					t('by_' + c.author_kind) +
						(c.author_name ? ' ' + c.author_name : '') +
						' · ' +
						new Date(c.created_at).toLocaleString(state.lang),
				),
				c.body,
				...detailsOf(c),
			);
			return d;
		}),
		acts,
		form,
	);
	box.hidden = false;
	document.querySelector('main').classList.add('with-ticket');
	draw();
}
/* By the user: the address names the ticket, and on a phone it is brought into view. */
async function show(id) {
	await open(id);
	history.replaceState(null, '', '/#/tickets/' + id);
	if (matchMedia('(max-width: 800px)').matches) $('ticket').scrollIntoView();
}
/* The ticket that the address names, as in mails. */
function openLinked() {
	const id = Number((location.hash.match(/^#\/tickets\/(\d{1,15})$/) || [])[1]);
	if (id && state.me && id !== state.selected) show(id).catch((e) => toast(e.message, 'bad'));
}
addEventListener('hashchange', openLinked);
document.addEventListener('entered', openLinked);
document.addEventListener('left', () => drafts.clear());
