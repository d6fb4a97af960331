// SPDX-License-Identifier: Apache-2.0
// SLA compliance of one customer by contract, cost centre, office and so on, between two days, with its trend.
'use strict';
Object.assign(words.zh, {
	by_group: '分组',
	overall: '全部',
	no_group: '未填写',
	rate_adjusted: '排除后',
	overdue_now: '当前超时',
	trend: '逐日达成率',
	no_rows: '所选日期内没有工单',
	contract: '合同',
	cost_centre: '成本中心',
	office: '办公地点',
	department: '部门',
	project: '项目',
	region: '区域',
	service_type: '服务类型',
	engineer: '工程师',
});
Object.assign(words.en, {
	by_group: 'Group by',
	overall: 'All',
	no_group: 'not given',
	rate_adjusted: 'With exclusions',
	overdue_now: 'Overdue now',
	trend: 'Compliance by day',
	no_rows: 'There are no tickets in these days',
	contract: 'Contract',
	cost_centre: 'Cost centre',
	office: 'Office',
	department: 'Department',
	project: 'Project',
	region: 'Region',
	service_type: 'Service type',
	engineer: 'Engineer',
});
const complianceGroups = [
	'contract',
	'cost_centre',
	'office',
	'department',
	'project',
	'region',
	'service_type',
	'priority',
	'engineer',
];

/* A rate, and beside it how many of how many. */
function rateCell(x, name) {
	const c = el('td', '', x[name] === null ? '–' : x[name] + '%');
	if (x[name + '_decided'])
		c.append(el('span', 'meta', ` ${x[name + '_met']} / ${x[name + '_decided']}`));
	return c;
}
function complianceRow(name, x, rate) {
	const r = el('tr');
	r.append(
		el('th', '', name),
		rateCell(x, rate),
		rateCell(x, rate + '_adjusted'),
		el('td', '', String(x.total_tickets)),
		el('td', x.overdue_tickets > 0 ? 'bad' : '', String(x.overdue_tickets)),
	);
	r.firstChild.scope = 'row';
	return r;
}
/* The days with a rate, as a line from 0 to 100 %. A day alone is a dot. */
function trendPicture(days) {
	const svg = (tag, values, text) => {
			const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
			for (const [k, v] of Object.entries(values)) e.setAttribute(k, v);
			if (text) e.textContent = text;
			return e;
		},
		box = svg('svg', { viewBox: '0 0 600 120', role: 'img', class: 'trend' }),
		known = days
			.map((d, i) => ({ ...d, x: 44 + (i * 546) / Math.max(1, days.length - 1) }))
			.filter((d) => d.compliance !== null)
			.map((d) => ({ ...d, y: 94 - d.compliance * 0.84 }));
	box.append(svg('title', {}, t('trend')));
	for (const percent of [0, 50, 100])
		box.append(
			svg('line', { x1: 44, x2: 590, y1: 94 - percent * 0.84, y2: 94 - percent * 0.84 }),
			svg('text', { x: 38, y: 99 - percent * 0.84, 'text-anchor': 'end' }, String(percent)),
		);
	if (days.length)
		box.append(
			svg('text', { x: 44, y: 113 }, days[0].date),
			svg('text', { x: 590, y: 113, 'text-anchor': 'end' }, days.at(-1).date),
		);
	box.append(svg('polyline', { points: known.map((d) => `${d.x},${d.y}`).join(' ') }));
	for (const d of known) {
		const dot = svg('circle', { cx: d.x, cy: d.y, r: 3.5 });
		dot.append(
			svg(
				'title',
				{},
				`${d.date}${t('colon')}${d.compliance}% ${d.compliance_met} / ${d.compliance_decided}`,
			),
		);
		box.append(dot);
	}
	return box;
}
function drawCompliance(c) {
	const head = el('tr'),
		table = el('table'),
		group = c.group_by;
	head.append(
		...[group, 'sla_compliance', 'rate_adjusted', 'total_tickets', 'overdue_now'].map((k) =>
			el('th', '', t(k)),
		),
	);
	table.append(
		head,
		complianceRow(t('overall'), c, 'overall_compliance'),
		...c['by_' + group].map((x) => complianceRow(x[group] || t('no_group'), x, 'compliance_rate')),
	);
	$('compliance_list').replaceChildren(
		...(c.total_tickets || c['by_' + group].length ? [table] : [el('p', 'meta', t('no_rows'))]),
		el('h3', '', t('trend')),
		trendPicture(c.trend),
	);
}
let complianceAsked = 0; /* answers may come in another order than they were asked for */
async function loadCompliance() {
	const asked = ++complianceAsked;
	const f = document.querySelector('#compliance form').elements,
		q = new URLSearchParams({ group_by: f.group_by.value });
	if (f.from.value && f.to.value) {
		q.set('from', f.from.value);
		q.set('to', f.to.value);
	} else if (f.from.value || f.to.value) return;
	if (state.me.kind === 'staff') q.set('tenant_id', f.tenant_id.value);
	$('compliance_error').textContent = '';
	try {
		const c = await api('GET', '/api/v1/client/sla/compliance?' + q);
		if (asked === complianceAsked) drawCompliance(c);
	} catch (e) {
		if (asked !== complianceAsked) return;
		$('compliance_list').replaceChildren();
		$('compliance_error').textContent = e.message;
	}
}
function openCompliance() {
	const f = document.querySelector('#compliance form').elements,
		of = f.tenant_id.value,
		by = f.group_by.value,
		option = (value, text) => {
			const o = el('option', '', text);
			o.value = value;
			return o;
		};
	f.tenant_id.parentNode.hidden = state.me.kind !== 'staff';
	f.tenant_id.replaceChildren(
		...[...state.tenants].filter(([id]) => id !== 1).map(([id, name]) => option(id, name)),
	);
	if (state.tenants.has(Number(of))) f.tenant_id.value = of;
	f.group_by.replaceChildren(...complianceGroups.map((g) => option(g, t(g))));
	f.group_by.value = by || 'contract';
	$('compliance').showModal();
	loadCompliance();
}
$('compliance_open').onclick = openCompliance;
$('compliance_close').onclick = () => $('compliance').close();
document.querySelector('#compliance form').onchange = loadCompliance;
document.addEventListener('entered', () => {
	$('compliance_open').hidden = !state.me.permissions.includes('sla:read');
});
document.addEventListener('left', () => $('compliance').close());
translate();
