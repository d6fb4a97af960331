// SPDX-License-Identifier: Apache-2.0
// The user's account: two-step verification at login, passkeys, single sign-on, verification methods and sessions.
'use strict';
Object.assign(words.zh, {
	step: '两步验证',
	code: '验证码',
	code_hint: '验证器应用中的 6 位数字，或恢复码',
	by_mail: '改用邮件验证码',
	by_sms: '改用短信验证码',
	sms_sent: '验证码已发送至手机',
	mail_sent: '验证码已发送，请查收邮件',
	trust: '信任此设备 30 天',
	go_on: '继续',
	passkey: '使用通行密钥登录',
	sso: '使用企业账号登录',
	sso_tenant: '请先填写客户代码',
	mail_link: '通过邮件链接登录',
	account: '我的账号',
	factors_title: '两步验证',
	sessions_title: '登录会话',
	add_totp: '添加验证器应用',
	totp_name: '验证器应用',
	add_passkey: '添加通行密钥',
	new_codes: '重新生成恢复码',
	codes_left: '剩余恢复码',
	scan: '用验证器应用扫描二维码，或手工输入密钥，然后输入应用显示的验证码',
	keep_codes: '请妥善保存恢复码：仅显示这一次，每个可用一次',
	remove: '移除',
	remove_ask: '输入密码后移除',
	none_yet: '尚未设置',
	this_one: '当前会话',
	end_session: '结束',
	end_all: '结束全部会话',
	close: '关闭',
	step_up: '请先确认是您本人',
	step_up_hint: '输入密码，或验证器应用中的 6 位数字，或恢复码，或邮件中的验证码',
	step_up_passkey: '使用通行密钥确认',
	step_up_mail: '发送邮件验证码',
	step_up_sso: '在企业登录服务重新登录',
	step_up_none: '您没有可用的确认方式，请联系管理员',
	password_or_code: '密码或验证码',
	use_passkey: '请使用通行密钥',
	passkey_stopped: '操作已取消或已超时，请重试',
	passkey_place: '当前访问地址不支持通行密钥，请使用正式域名访问',
	passkey_known: '此设备已添加过通行密钥',
	passkey_failed: '浏览器无法使用通行密钥',
	must_enrol: '贵公司要求启用两步验证，设置后方可继续',
});
Object.assign(words.en, {
	step: 'Two-step verification',
	code: 'Code',
	code_hint: 'The six digits from your authenticator app, a recovery code, or a code that was mailed to you',
	by_mail: 'Send me a code by mail instead',
	by_sms: 'Send me a text message instead',
	sms_sent: 'A code has been sent to your phone',
	mail_sent: 'A code has been sent to your mail address',
	trust: 'Trust this device for 30 days',
	go_on: 'Continue',
	passkey: 'Log in with a passkey',
	sso: 'Log in with your company account',
	sso_tenant: 'Enter the customer code first',
	mail_link: 'Log in with a mailed link',
	account: 'My account',
	factors_title: 'Two-step verification',
	sessions_title: 'Login sessions',
	add_totp: 'Add an authenticator app',
	totp_name: 'Authenticator app',
	add_passkey: 'Add a passkey',
	new_codes: 'New recovery codes',
	codes_left: 'Recovery codes left',
	scan: 'Scan the QR code with your authenticator app or type in the key, then enter the code that the app shows',
	keep_codes: 'Keep these recovery codes in a safe place: they are shown only once, and each works once',
	remove: 'Remove',
	remove_ask: 'Enter your password to remove it',
	none_yet: 'None yet',
	this_one: 'current session',
	end_session: 'End',
	end_all: 'End all sessions',
	close: 'Close',
	step_up: 'Please confirm that it is you',
	step_up_hint: 'Enter your password, the six digits from your authenticator app, or a recovery code',
	step_up_passkey: 'Confirm with a passkey',
	step_up_mail: 'Send me a code by mail',
	step_up_sso: 'Log in again with your company account',
	step_up_none: 'There is no way for you to confirm this; contact your administrator',
	password_or_code: 'Password or code',
	use_passkey: 'Use your passkey',
	passkey_stopped: 'This was cancelled or took too long; please try again',
	passkey_place: 'Passkeys do not work at this address; open the portal by its domain name',
	passkey_known: 'This device already has a passkey for your account',
	passkey_failed: 'The browser cannot use a passkey',
	must_enrol: 'Your company requires two-step verification; set it up to continue',
});

// --- bytes: base64url both ways -------------------------------------------------------------------------------------------------
const toText = (bytes) =>
	btoa(String.fromCharCode(...new Uint8Array(bytes)))
		.replaceAll('+', '-')
		.replaceAll('/', '_')
		.replaceAll('=', '');
const toBytes = (text) =>
	Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));

/* six digits, as apps show them: 123 456 */
const isTimeCode = (text) => /^\d{6}$/.test(text.replaceAll(' ', ''));

// --- the second step ---------------------------------------------------------------------------------------------------------------
let stepToken = null,
	stepSent = null; /* how a code was sent */
function askSecond(d) {
	stepToken = d.step_token;
	stepSent = null;
	$('by_sms').hidden = !d.methods.includes('sms');
	$('by_mail').hidden = !d.methods.includes('mail');
	$('by_passkey').hidden = !d.methods.includes('passkey') || !window.PublicKeyCredential;
	$('login').hidden = true;
	$('step').hidden = false;
	$('step').querySelector('.error').textContent = '';
	$('step').code.value = '';
	$('step').code.focus();
}
async function signedIn(d) {
	if (d.must_enrol_factor) {
		state.me = await api('GET', '/api/v1/me');
		toast(t('must_enrol'));
		await openAccount(true);
		return;
	}
	await enter();
}
$('step').onsubmit = async (e) => {
	e.preventDefault();
	const f = e.target,
		code = f.code.value.trim(),
		method = stepSent ? stepSent : isTimeCode(code) ? 'totp' : 'recovery';
	try {
		const d = await api('POST', '/api/v1/auth/second-factor', {
			step_token: stepToken,
			code,
			method,
			trust_device: f.trust.checked,
			cookies: true,
		});
		f.hidden = true;
		await signedIn(d);
	} catch (x) {
		f.querySelector('.error').textContent = x.message;
	}
};
async function sendCode(how) {
	try {
		await api('POST', '/api/v1/auth/second-factor/' + how, { step_token: stepToken });
		stepSent = how;
		toast(t(how + '_sent'));
	} catch (x) {
		$('step').querySelector('.error').textContent = x.message;
	}
}
$('by_mail').onclick = () => sendCode('mail');
$('by_sms').onclick = () => sendCode('sms');
$('by_passkey').onclick = () => {
	/* a passkey is both factors: it logs in by itself */
	$('step').hidden = true;
	$('login').hidden = false;
	$('passkey').click();
};

// --- single sign-on: by the customer code, or by the domain of a mail address ----------------------------------------------------------
$('sso').onclick = async () => {
	const f = $('login'),
		err = f.querySelector('.error'),
		mail = f.username.value.trim();
	err.textContent = '';
	try {
		const found = mail.includes('@')
			? await api('POST', '/api/v1/auth/sso/discover', { email: mail })
			: { sso: false };
		const next = /^#\/[\w/-]+$/.test(location.hash)
			? '&next=' + encodeURIComponent('/' + location.hash)
			: '';
		if (found.sso) location.href = found.location + next;
		else if (f.tenant.value)
			location.href =
				'/api/v1/auth/sso/start?tenant=' + encodeURIComponent(f.tenant.value) + next;
		else err.textContent = t('sso_tenant');
	} catch (x) {
		err.textContent = x.message;
	}
};

// --- passkeys ----------------------------------------------------------------------------------------------------------------------
/* The browser's own messages are in its language, not in the page's. */
async function ofBrowser(credential) {
	try {
		return await credential;
	} catch (e) {
		const known = {
			NotAllowedError: 'passkey_stopped',
			AbortError: 'passkey_stopped',
			SecurityError: 'passkey_place',
			InvalidStateError: 'passkey_known',
		};
		throw new Error(t(known[e.name] || 'passkey_failed'));
	}
}
const credentials = navigator.credentials || {
	get: () => Promise.reject(new Error()),
	create: () => Promise.reject(new Error()),
}; /* only secure pages have them */
async function passkeyAnswer() {
	const o = await api('POST', '/api/v1/auth/passkey/options'),
		c = await ofBrowser(
			credentials.get({
				publicKey: {
					challenge: toBytes(o.challenge),
					rpId: o.rpId,
					timeout: o.timeout,
					userVerification: o.userVerification,
				},
			}),
		);
	return {
		challenge_token: o.challenge_token,
		credential_id: c.id,
		client_data: toText(c.response.clientDataJSON),
		authenticator_data: toText(c.response.authenticatorData),
		signature: toText(c.response.signature),
	};
}
$('passkey').onclick = async () => {
	const err = $('login').querySelector('.error');
	err.textContent = '';
	try {
		await api('POST', '/api/v1/auth/passkey', { ...(await passkeyAnswer()), cookies: true });
		await enter();
	} catch (x) {
		err.textContent = x.message;
	}
};
async function addPasskey() {
	const o = await api('POST', '/api/v1/auth/factors/passkey/options'),
		c = await ofBrowser(
			credentials.create({
				publicKey: {
					challenge: toBytes(o.challenge),
					rp: o.rp,
					user: { ...o.user, id: toBytes(o.user.id) },
					pubKeyCredParams: o.pubKeyCredParams,
					timeout: o.timeout,
					attestation: o.attestation,
					authenticatorSelection: o.authenticatorSelection,
					excludeCredentials: o.excludeCredentials.map((x) => ({
						...x,
						id: toBytes(x.id),
					})),
				},
			}),
		);
	await api('POST', '/api/v1/auth/factors/passkey', {
		challenge_token: o.challenge_token,
		credential_id: c.id,
		client_data: toText(c.response.clientDataJSON),
		authenticator_data: toText(c.response.getAuthenticatorData()),
		public_key: toText(c.response.getPublicKey()),
	});
}

// --- step-up: confirm that the session is still in its user's hands ------------------------------------------------------------------
/* Resolves to true when it is confirmed, and to false when the user gives up. */
function stepUp(d) {
	const box = $('step_up'),
		f = box.querySelector('form'),
		err = f.querySelector('.error'),
		typed = d.step_up.some((m) => m !== 'passkey' && m !== 'sso');
	err.textContent = d.step_up.length ? '' : t('step_up_none');
	f.proof.value = '';
	for (const [id, shown] of [
		['step_up_typed', typed],
		['step_up_ok', typed],
		['step_up_passkey', d.step_up.includes('passkey') && window.PublicKeyCredential],
		['step_up_mail', d.step_up.includes('mail')],
		['step_up_sso', d.step_up.includes('sso')],
	])
		$(id).hidden = !shown;
	return new Promise((done) => {
		const prove = async (fn) => {
			try {
				await fn();
				box.close('proved');
			} catch (x) {
				err.textContent = x.message;
			}
		};
		box.returnValue = '';
		box.onclose = () => done(box.returnValue === 'proved');
		f.onsubmit = (e) => {
			e.preventDefault();
			prove(() => api('POST', '/api/v1/auth/step-up', proofOf(f.proof.value, d.step_up)));
		};
		$('step_up_passkey').onclick = () =>
			prove(async () => api('POST', '/api/v1/auth/step-up/passkey', await passkeyAnswer()));
		$('step_up_mail').onclick = async () => {
			try {
				await api('POST', '/api/v1/auth/step-up/mail');
				f.proof.focus();
			} catch (x) {
				err.textContent = x.message;
			}
		};
		$('step_up_sso').onclick = () => {
			location.href = d.location;
		};
		$('step_up_cancel').onclick = () => box.close();
		box.showModal();
		f.proof.focus();
	});
}
/* One field takes all of them: a code has six digits, or the form of a recovery code. */
function proofOf(text, methods) {
	if (methods.includes('mail') && isTimeCode(text)) return { method: 'mail', code: text };
	if (methods.includes('totp') && isTimeCode(text)) return { method: 'totp', code: text };
	if (methods.includes('recovery') && /^[a-z2-9]{5}-[a-z2-9]{5}$/i.test(text.trim()))
		return { method: 'recovery', code: text.trim() };
	return { password: text };
}

// --- the account ---------------------------------------------------------------------------------------------------------------------
function button(text, fn, cls) {
	const b = el('button', cls || 'plain', text);
	b.type = 'button';
	b.onclick = async () => {
		const err = $('account').querySelector('.error');
		err.textContent = '';
		try {
			await fn();
		} catch (x) {
			err.textContent = x.message;
		}
	};
	return b;
}
function showCodes(codes) {
	const box = el('div', 'codes');
	box.append(el('p', '', t('keep_codes')), el('pre', '', codes.join('\n')));
	$('enrol').replaceChildren(box);
}
let forced = false;
async function addTotp() {
	const e = await api('POST', '/api/v1/auth/factors/totp', { name: t('totp_name') }),
		box = el('div', 'enrol'),
		img = document.importNode(
			new DOMParser().parseFromString(e.qr_svg, 'image/svg+xml').documentElement,
			true,
		),
		input = el('input');
	img.setAttribute('class', 'qr');
	img.setAttribute('role', 'img');
	img.setAttribute('aria-label', 'QR');
	input.name = 'totp';
	input.inputMode = 'numeric';
	input.maxLength = 12;
	input.placeholder = t('code');
	box.append(
		el('p', '', t('scan')),
		img,
		el('code', '', e.secret),
		input,
		button(
			t('go_on'),
			async () => {
				const d = await api('POST', `/api/v1/auth/factors/${e.factor_id}/confirm`, {
					code: input.value.trim(),
				});
				await drawAccount();
				showCodes(d.recovery_codes);
				if (forced) {
					forced = false;
					await enter();
				}
			},
			'main',
		),
	);
	$('enrol').replaceChildren(box);
	input.focus();
}
function line(main, meta, ...rest) {
	const l = el('div', 'line'),
		mid = el('span', 'grow');
	mid.append(el('b', '', main), el('span', 'meta', meta));
	l.append(mid, ...rest);
	return l;
}
async function drawFactors() {
	const d = await api('GET', '/api/v1/auth/factors'),
		list = d.items.map((f) =>
			line(
				f.name,
				new Date(f.created_at).toLocaleString(state.lang),
				button(t('remove'), async () => {
					const ask = el('input'),
						box = el('div', 'enrol');
					ask.type = 'password';
					ask.autocomplete = 'current-password';
					ask.placeholder = t('remove_ask');
					box.append(
						ask,
						button(t('remove'), async () => {
							await api(
								'POST',
								`/api/v1/auth/factors/${f.factor_id}/remove`,
								ask.value
									? { password: ask.value }
									: undefined,
							);
							$('enrol').replaceChildren();
							await drawAccount();
						}),
					);
					$('enrol').replaceChildren(box);
					ask.focus();
				}),
			),
		);
	const any = list.length > 0;
	list.push(el('p', 'meta', any ? t('codes_left') + t('colon') + d.recovery_codes_left : t('none_yet')));
	$('factor_list').replaceChildren(...list);
	return any;
}
async function drawSessions() {
	const sessions = await all('/api/v1/auth/sessions');
	$('session_list').replaceChildren(
		...sessions.map((s) =>
			line(
				s.device_name || s.address,
				`${s.address} · ${new Date(s.used_at || s.created_at).toLocaleString(state.lang)}${s.current ? ' · ' + t('this_one') : ''}`,
				button(t('end_session'), async () => {
					await api('DELETE', '/api/v1/auth/sessions/' + s.id);
					if (s.current) {
						$('account').close();
						leave();
					} else await drawSessions();
				}),
			),
		),
	);
}
async function drawAccount() {
	$('account_actions').replaceChildren(
		button(t('add_totp'), addTotp),
		...(window.PublicKeyCredential
			? [
					button(t('add_passkey'), async () => {
						await addPasskey();
						await drawAccount();
					}),
				]
			: []),
	);
	/* recovery codes stand in for a factor, so there must be one */
	if (await drawFactors())
		$('account_actions').append(
			button(t('new_codes'), async () => {
				const d = await api('POST', '/api/v1/auth/recovery-codes');
				await drawAccount();
				showCodes(d.recovery_codes);
			}),
		);
	await drawSessions();
	await drawLook();
}
async function openAccount(must) {
	forced = must === true;
	$('enrol').replaceChildren();
	$('account').querySelector('.error').textContent = '';
	await drawAccount();
	$('account').showModal();
}
$('who').onclick = () => openAccount().catch((x) => toast(x.message));
$('account_close').onclick = () => $('account').close();
$('end_all').onclick = async () => {
	await api('POST', '/api/v1/auth/logout-everywhere').catch(() => {});
	$('account').close();
	leave();
};
// --- what is limited now: a banner, which goes by itself ------------------------------------------------------------------------------
async function checkStatus() {
	let limited = [];
	try {
		limited = (await api('GET', '/api/v1/status')).limited.map((l) => l.text);
	} catch {
		limited = [t('offline')];
	}
	$('banner').textContent = limited.join(' · ');
	$('banner').hidden = !limited.length;
}
setInterval(checkStatus, 15000);
checkStatus();

/* a mailed login link carries its token behind the #, so it appears in no log */
const linkToken = (location.hash.match(/^#link=([\w.-]+)$/) || [])[1];
if (linkToken) {
	history.replaceState(null, '', '/');
	api('POST', '/api/v1/auth/link/use', { token: linkToken, cookies: true })
		.then((d) => (d.second_factor_required ? askSecond(d) : signedIn(d)))
		.catch((x) => {
			$('login').hidden = false;
			$('login').querySelector('.error').textContent = x.message;
		});
}
/* a mailed link that confirms an address that an administrator has given; the token works once */
const addressToken = (location.hash.match(/^#address=([\w.-]+)$/) || [])[1];
if (addressToken) {
	history.replaceState(null, '', '/');
	api('POST', '/api/v1/auth/address/confirm', { token: addressToken })
		.then(() => toast(t('address_confirmed')))
		.catch((x) => toast(x.message));
}
$('mail_link').onclick = async () => {
	const f = $('login'),
		err = f.querySelector('.error'),
		body = { username: f.username.value };
	if (!body.username) {
		err.textContent = t('forgot_name');
		return;
	}
	if (f.tenant.value) body.tenant = f.tenant.value;
	try {
		await api('POST', '/api/v1/auth/link', body);
		toast(t('forgot_sent'));
	} catch (x) {
		err.textContent = x.message;
	}
};
translate();
