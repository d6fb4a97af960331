// SPDX-License-Identifier: Apache-2.0
// The numbers of the last 30 days for a customer's users, and the tickets behind each number.
'use strict';
let numbersSoon = null;
/* The days that the user has picked; none: the last 30. */
const dated = () => $('from_day').value && $('to_day').value,
	spanned = () => (dated() ? `${$('from_day').value} – ${$('to_day').value}` : t('days30'));
async function showBehind(name, link, cursor = '') {
	// list the tickets behind a number
	const page = await api(
			'GET',
			link + '&limit=50' + (cursor && '&cursor=' + encodeURIComponent(cursor)),
		),
		rows = page.items.map((k) => {
			const r = rowOf(k);
			r.lastChild.replaceChildren(
				el('div', 'meta', new Date(k.opened_at).toLocaleDateString(state.lang)),
			);
			r.onclick = () => {
				$('behind').close();
				open(k.id);
			};
			return r;
		});
	if (page.next_cursor) {
		const more = el('button', 'plain', t('more'));
		more.onclick = () => {
			more.remove();
			showBehind(name, link, page.next_cursor).catch((e) => toast(e.message, 'bad'));
		};
		rows.push(more);
	}
	$('behind').querySelector('h2').textContent = t(name) + ' · ' + spanned();
	if (cursor) $('behind_list').append(...rows);
	else $('behind_list').replaceChildren(...rows);
	if (!$('behind').open) $('behind').showModal();
}
/* such as 45 s, 12 min or 3.5 h */
function span(seconds) {
	const [unit, n] =
		seconds < 60
			? ['seconds', Math.round(seconds)]
			: seconds < 5400
				? ['minutes', Math.round(seconds / 60)]
				: ['hours', Math.round(seconds / 360) / 10];
	return t(unit).replace('{n}', n);
}
function showNumbers({ summary: s, links, data_quality: quality }) {
	const cards = [
		'total_tickets',
		'resolved_tickets',
		'overdue_tickets',
		'sla_compliance',
		'avg_response_time',
		'satisfaction_score',
	]
		.filter((name) => s[name] !== null || s[name + '_text'])
		.map((name) => {
			const list = links[name] && name !== 'sla_compliance' && s[name] !== 0,
				d = el(
					list ? 'button' : 'div',
					'number' + (name === 'overdue_tickets' && s[name] > 0 ? ' bad' : ''),
				),
				value = el(
					'b',
					'',
					name === 'sla_compliance'
						? s[name] === null
							? '–'
							: s[name] + '%'
						: name === 'avg_response_time'
							? span(s.avg_response_time_seconds)
							: String(s[name]),
				);
			d.title = spanned();
			if (list)
				d.onclick = () =>
					showBehind(name, links[name]).catch((e) => toast(e.message, 'bad'));
			if (s[name + '_decided'])
				value.append(
					' ',
					el('span', 'meta', `${s[name + '_met']} / ${s[name + '_decided']}`),
				);
			d.append(
				value,
				el(
					'span',
					'meta',
					t(name) + (s[name] === null ? t('colon') + s[name + '_text'] : ''),
				),
			);
			return d;
		});
	if (quality !== 'ok') cards.push(el('p', 'meta quality', t('figures_' + quality)));
	$('numbers').replaceChildren(...cards);
	$('numbers').hidden = false;
	$('period').textContent = spanned();
	$('from_day').onchange = $('to_day').onchange = pickedDays;
}
function pickedDays() {
	if (dated() || (!$('from_day').value && !$('to_day').value))
		loadNumbers().catch((e) => toast(e.message, 'bad'));
}
async function loadNumbers() {
	if (!state.me || state.me.kind !== 'customer' || !state.me.permissions.includes('dashboard:read'))
		return;
	const days = dated() ? `from=${$('from_day').value}&to=${$('to_day').value}` : 'period=30d';
	showNumbers(await api('GET', '/api/v1/client/dashboard/overview?' + days));
}
/* Reload once for many events, a little later, when they have been counted. */
function numbersChanged() {
	numbersSoon =
		numbersSoon ||
		setTimeout(() => {
			numbersSoon = null;
			loadNumbers().catch(() => {});
		}, 1200);
}
