// SPDX-License-Identifier: Apache-2.0
// The provider's staff, and which customers each of them serves. Who administers users changes it, except for themselves.
'use strict';
Object.assign(words.zh, {
	staff: '员工',
	serves: '服务的客户',
	serves_all: '全部客户',
	serves_some: '部分客户',
	serves_none: '不服务任何客户',
	change: '修改',
	on_call: '值班',
	served: '已保存，该员工须重新登录',
	roles: {
		engineer: '工程师',
		supervisor: '主管',
		manager: '经理',
		customer_success: '客户成功经理',
		admin: '系统管理员',
		auditor: '审计员',
	},
});
Object.assign(words.en, {
	staff: 'Staff',
	serves: 'Customers',
	serves_all: 'All customers',
	serves_some: 'Some customers',
	serves_none: 'No customers',
	change: 'Change',
	on_call: 'on call',
	served: 'Saved. This person must log in again',
	roles: {
		engineer: 'engineer',
		supervisor: 'supervisor',
		manager: 'manager',
		customer_success: 'customer success',
		admin: 'administrator',
		auditor: 'auditor',
	},
});
const customersOf = (id) => `/api/v1/staff/${id}/customers`;

function choice(name, value, text, checked) {
	const l = el('label', 'check'),
		i = el('input');
	i.type = 'checkbox';
	i.name = name;
	i.value = value;
	i.checked = checked;
	l.append(i, text);
	return l;
}
/* All customers, or those that are ticked. */
function servesForm(m, served) {
	const f = el('form', 'serves'),
		list = el('div', 'checks'),
		err = el('p', 'error'),
		all = choice('serves_all', '1', t('serves_all'), m.serves_all),
		save = el('button', '', t('save'));
	list.append(
		...[...state.tenants]
			.filter(([id]) => id !== 1)
			.map(([id, name]) => choice('tenant', id, name, served.has(id))),
	);
	list.hidden = m.serves_all;
	all.firstChild.onchange = (e) => (list.hidden = e.target.checked);
	f.append(all, list, err, save);
	f.onsubmit = async (e) => {
		e.preventDefault();
		const d = new FormData(f);
		save.disabled = true;
		err.textContent = '';
		try {
			await api(
				'PUT',
				customersOf(m.id),
				d.get('serves_all')
					? { serves_all: true }
					: { tenant_ids: d.getAll('tenant').map(Number) },
			);
			toast(t('served'));
			await loadStaff();
		} catch (x) {
			err.textContent = x.message;
			save.disabled = false;
		}
	};
	return f;
}
function staffLine(m) {
	const line = el('div', 'line'),
		who = el('div'),
		serves = el('span', 'meta', t(m.serves_all ? 'serves_all' : 'serves_some')),
		box = el('div');
	who.append(
		el('b', '', m.full_name),
		el(
			'span',
			'meta',
			[
				m.username,
				t('roles')[m.role],
				m.role === 'engineer' ? 'L' + m.level : null,
				m.on_call ? t('on_call') : null,
			]
				.filter(Boolean)
				.join(' · '),
		),
		serves,
	);
	line.append(who, el('span', 'grow'));
	const look = async () => all(customersOf(m.id));
	if (!m.serves_all)
		look().then(
			(list) =>
				(serves.textContent =
					list.map((c) => c.name).join(t('comma')) || t('serves_none')),
			() => {},
		);
	if (state.me.permissions.includes('user:write') && m.id !== state.me.user_id) {
		const b = el('button', 'plain', t('change'));
		b.onclick = async () => {
			if (box.firstChild) {
				box.replaceChildren();
				return;
			}
			try {
				box.replaceChildren(
					servesForm(m, new Set(m.serves_all ? [] : (await look()).map((c) => c.tenant_id))),
				);
			} catch (e) {
				toast(e.message, 'bad');
			}
		};
		line.append(b);
	}
	const both = el('div');
	both.append(line, box);
	return both;
}
async function loadStaff() {
	$('staff_list').replaceChildren(...(await all('/api/v1/staff')).map(staffLine));
}
$('staff_open').onclick = () => {
	$('staff').showModal();
	loadStaff().catch((e) => toast(e.message, 'bad'));
};
$('staff_close').onclick = () => $('staff').close();
document.addEventListener('entered', () => {
	$('staff_open').hidden = state.me.kind !== 'staff' || !state.me.permissions.includes('user:read');
});
document.addEventListener('left', () => $('staff').close());
translate();
