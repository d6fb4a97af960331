// SPDX-License-Identifier: Apache-2.0
// The appearance of a customer's portal (name, logo, colours), also on the login page. Its administrator sets it.
'use strict';
Object.assign(words.zh, {
	display_name: '显示名称',
	primary_color: '主色',
	accent_color: '强调色',
	support_contact: '支持联系方式',
	logo: '标志',
	logo_url: '标志',
	look: '门户外观',
	look_logo: '标志（PNG、JPEG 或 WebP，不超过 64 KiB）',
	look_no_logo: '移除标志',
	look_saved: '外观已保存',
	look_too_big: '标志不得超过 64 KiB',
});
Object.assign(words.en, {
	display_name: 'Display name',
	primary_color: 'Main colour',
	accent_color: 'Accent colour',
	support_contact: 'Support contact',
	logo: 'Logo',
	logo_url: 'Logo',
	look: 'Portal appearance',
	look_logo: 'Logo (PNG, JPEG or WebP, at most 64 KiB)',
	look_no_logo: 'Remove the logo',
	look_saved: 'The appearance has been saved',
	look_too_big: 'The logo must not exceed 64 KiB',
});
const LOGO_MAX = 65536;

/* black or white, whichever has more contrast on COLOUR (WCAG 2 relative luminance) */
function inkOn(colour) {
	const [r, g, b] = [1, 3, 5]
		.map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
		.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#10151c' : '#ffffff';
}
function showTheme(theme) {
	const root = document.documentElement.style,
		set = (name, v) => (v ? root.setProperty(name, v) : root.removeProperty(name)),
		name = (theme && theme.name) || 'sladesk',
		h1 = document.querySelector('h1');
	set('--main', theme && theme.primary_color);
	set('--on-main', theme && theme.primary_color && inkOn(theme.primary_color));
	set('--accent', theme && theme.accent_color);
	h1.replaceChildren(el('span', '', name));
	if (theme && theme.logo_url) {
		const img = el('img', 'logo');
		img.alt = '';
		img.referrerPolicy = 'no-referrer';
		img.onerror = () => img.remove(); /* no broken image for an address that no longer works */
		img.src = theme.logo_url;
		h1.prepend(img);
	}
	document.title = name;
}
/* The theme of a customer by number or code, or by "host" for the current host name; null: the default. */
async function loadTheme(of) {
	try {
		const r = await fetch('/api/v1/client/theme/' + encodeURIComponent(of), {
			cache: 'no-cache' /* revalidates by ETag */,
		});
		return r.ok ? (await r.json()).data : null;
	} catch {
		return null;
	}
}
async function themeOfLogin() {
	const code = $('login').tenant.value.trim();
	const theme = await loadTheme(code || 'host');
	if (!state.me && code === $('login').tenant.value.trim()) showTheme(theme);
}
async function themeOfMe() {
	const of = state.me && state.me.kind === 'customer' ? await loadTheme(state.me.tenant_id) : null;
	if (state.me) showTheme(of);
	return of;
}
$('login').tenant.addEventListener('change', themeOfLogin);
document.addEventListener('entered', themeOfMe);
document.addEventListener('left', themeOfLogin);
translate();
if (state.me) themeOfMe();
else themeOfLogin();

// --- set by the administrator -------------------------------------------------------------------------------------------------------
const base64Of = (bytes) => {
	let s = '';
	for (const b of bytes) s += String.fromCharCode(b);
	return btoa(s);
};
async function drawLook() {
	const may =
		state.me &&
		state.me.kind === 'customer' &&
		(state.me.permissions || []).includes('user:write');
	const theme = may ? await loadTheme(state.me.tenant_id) : null,
		f = $('look');
	f.hidden = !theme;
	if (!theme) return;
	f.display_name.value = theme.name;
	f.primary_color.value = theme.primary_color || '#2458c6';
	f.accent_color.value = theme.accent_color || '#2458c6';
	f.support_contact.value = theme.support_contact || '';
	f.logo.value = '';
	f.dataset.logo_url = theme.logo_url || '';
	$('no_logo').hidden = !theme.logo_url;
}
async function saveLook() {
	const f = $('look'),
		file = f.logo.files[0],
		body = {
			display_name: f.display_name.value.trim(),
			primary_color: f.primary_color.value,
			accent_color: f.accent_color.value,
		};
	if (file && file.size > LOGO_MAX) throw new Error(t('look_too_big'));
	if (f.support_contact.value.trim()) body.support_contact = f.support_contact.value.trim();
	if (f.dataset.logo_url.startsWith('https://')) body.logo_url = f.dataset.logo_url;
	if (file)
		await api('PUT', '/api/v1/client/theme/logo', {
			logo: base64Of(new Uint8Array(await file.arrayBuffer())),
		});
	await api('PUT', '/api/v1/client/theme', body);
}
async function removeLogo() {
	const f = $('look');
	if (f.dataset.logo_url.startsWith('https://')) {
		f.dataset.logo_url = '';
		await saveLook();
	} else {
		await api('DELETE', '/api/v1/client/theme/logo');
	}
}
async function changeLook(how) {
	const err = $('look').querySelector('.error');
	err.textContent = '';
	try {
		await how();
		toast(t('look_saved'));
		await themeOfMe();
		await drawLook();
	} catch (x) {
		err.textContent = x.message;
	}
}
$('look').onsubmit = (e) => {
	e.preventDefault();
	changeLook(saveLook);
};
$('no_logo').onclick = () => changeLook(removeLogo);
