// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of single sign-on: a browser, a real OpenID provider (npm oidc-provider), and a provider whose responses the test determines.
'use strict';
const http = require('node:http'),
	fs = require('node:fs'),
	path = require('node:path'),
	crypto = require('node:crypto'),
	{ execFileSync } = require('node:child_process');
const { freePort } = require('./server.js');

/* A browser: follows redirects, and keeps cookies by host and port, name and path. */
class Browser {
	constructor() {
		this.jar = {};
		this.paths = {};
	}
	/* The cookies that are sent with a request for U. */
	cookies(u) {
		const jar = this.jar[u.host] || {},
			paths = this.paths[u.host] || {};
		return Object.entries(jar)
			.filter(
				([k]) =>
					!paths[k] ||
					paths[k] === '/' ||
					u.pathname === paths[k] ||
					u.pathname.startsWith(paths[k] + '/'),
			)
			.map(([k, v]) => k + '=' + v)
			.join('; ');
	}
	get(url, { method = 'GET', form } = {}) {
		return new Promise((ok, no) => {
			const u = new URL(url),
				jar = (this.jar[u.host] = this.jar[u.host] || {}),
				paths = (this.paths[u.host] = this.paths[u.host] || {}),
				body = form && new URLSearchParams(form).toString();
			const r = http.request(
				u,
				{
					method: body ? 'POST' : method,
					headers: {
						Cookie: this.cookies(u),
						'Accept-Language': 'en',
						...(body
							? {
									'Content-Type':
										'application/x-www-form-urlencoded',
									'Content-Length':
										Buffer.byteLength(body),
								}
							: {}),
					},
				},
				(res) => {
					for (const c of res.headers['set-cookie'] || []) {
						const [, k, v] = c.match(/^([^=]+)=([^;]*)/),
							path = c.match(/; *Path=([^;]*)/i);
						jar[k] = v;
						paths[k] = path && path[1];
					}
					let text = '';
					res.on('data', (d) => (text += d));
					res.on('end', () =>
						ok({
							status: res.statusCode,
							headers: res.headers,
							text,
							url,
						}),
					);
				},
			);
			r.on('error', no);
			r.end(body);
		});
	}
	/* Follow redirects to a page, or to the first address for which STOP is true: it is not asked. */
	async follow(url, stop = () => false) {
		for (let i = 0; i < 12; i++) {
			const r = await this.get(url);
			if (r.status < 300 || r.status >= 400) return r;
			url = new URL(r.headers.location, url).href;
			if (stop(url)) return { url };
		}
		throw new Error('too many redirects');
	}
}

/* Serve FN on a port of its own. */
async function serve(fn, port = 0) {
	const server = http.createServer(fn);
	await new Promise((ok) => server.listen(port, '127.0.0.1', ok));
	return {
		server,
		url: `http://127.0.0.1:${server.address().port}`,
		close: () => (server.closeAllConnections(), server.close()),
	};
}

/* A real OpenID provider with these CLIENTS, whose ACCOUNTS ({subject: claims}) log in without being asked: .provider.present names the one. */
async function realProvider(clients, accounts, more = {}) {
	/* only NODE_PATH leads from here to the packages of t/api, and import does not read it */
	const { Provider } = await import(require.resolve('oidc-provider')),
		port = await freePort(),
		issuer = 'http://127.0.0.1:' + port;
	const provider = new Provider(issuer, {
		clients,
		claims: {
			openid: ['sub', 'sid'],
			email: ['email', 'email_verified'],
			profile: ['name', 'groups'],
		},
		conformIdTokenClaims: false,
		features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
		pkce: { required: () => true },
		cookies: { keys: ['x'] },
		findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
		interactions: { url: (ctx, i) => '/interaction/' + i.uid },
		ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600, AccessToken: 600 },
		...more,
	});
	const callback = provider.callback();
	const served = await serve(async (req, res) => {
		if (!req.url.startsWith('/interaction/')) return callback(req, res);
		/* the user that the test names logs in and consents */
		try {
			const d = await provider.interactionDetails(req, res);
			let grant = d.grantId && (await provider.Grant.find(d.grantId));
			if (!grant)
				grant = new provider.Grant({
					accountId: provider.present,
					clientId: d.params.client_id,
				});
			grant.addOIDCScope(d.params.scope);
			await provider.interactionFinished(
				req,
				res,
				{
					login: { accountId: provider.present },
					consent: { grantId: await grant.save() },
				},
				{ mergeWithLastSubmission: false },
			);
		} catch (e) {
			res.statusCode = 500;
			res.end(String(e));
		}
	}, port);
	return { ...served, provider, issuer };
}
/* Register URI with CLIENT of a real provider: it is known only when the provider is configured here. */
async function register(idp, client, uri) {
	(await idp.provider.Client.find(client)).redirectUris = [uri];
}

const base64url = (x) =>
	Buffer.from(typeof x === 'string' || Buffer.isBuffer(x) ? x : JSON.stringify(x)).toString(
		'base64url',
	);
/* A compact JWS by node's own crypto. CLAIMS may be a text, to sign what is not JSON. */
function sign(header, claims, key) {
	const text = base64url(header) + '.' + base64url(claims);
	return (
		text +
		'.' +
		crypto
			.sign(
				'sha256',
				Buffer.from(text),
				header.alg === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key,
			)
			.toString('base64url')
	);
}

/* A provider that says what a test tells it to: .metadata, .keys, .back (what is added to the way back), .token and .userinfo (objects, texts or
 * functions), and .answers (by path) can be replaced at any time. .seen holds the requests to its back-channel endpoints. */
async function toldProvider() {
	const pair = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
		p = { seen: [], pair, metadata: {}, back: {}, userinfo: {}, answers: {} };
	const served = await serve((req, res) => {
		const u = new URL(req.url, p.url),
			send = (o) => {
				res.setHeader('Content-Type', 'application/json');
				res.end(typeof o === 'string' || Buffer.isBuffer(o) ? o : JSON.stringify(o));
			};
		let text = '';
		req.on('data', (d) => (text += d));
		req.on('end', () => {
			const say = (o) => {
				p.seen.push({ path: u.pathname, body: text, query: u.searchParams });
				send(typeof o === 'function' ? o(u, text) : o);
			};
			if (p.answers[u.pathname]) return say(p.answers[u.pathname]);
			if (u.pathname === '/.well-known/openid-configuration')
				return send({
					issuer: p.url,
					authorization_endpoint: p.url + '/auth',
					token_endpoint: p.url + '/token',
					userinfo_endpoint: p.url + '/me',
					jwks_uri: p.url + '/keys',
					...p.metadata,
				});
			if (u.pathname === '/keys') return send({ keys: p.keys });
			if (u.pathname === '/auth') {
				p.asked = u.searchParams;
				const to = new URL(u.searchParams.get('redirect_uri')),
					back = { code: 'c', state: u.searchParams.get('state'), ...p.back };
				for (const [k, v] of Object.entries(back))
					if (v !== undefined) to.searchParams.set(k, v);
				res.statusCode = 302;
				res.setHeader('Location', to.href);
				return res.end();
			}
			if (u.pathname === '/token') return say(p.token);
			if (u.pathname === '/me') return say(p.userinfo);
			res.statusCode = 404;
			res.end();
		});
	});
	Object.assign(p, served);
	p.jwk = (k, kid, more) => ({ ...k.publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...more });
	p.keys = [p.jwk(pair, 'k1')];
	p.claims = (more) => ({
		iss: p.url,
		aud: 'sladesk',
		sub: 'boss',
		nonce: p.asked.get('nonce'),
		iat: Math.floor(Date.now() / 1000),
		exp: Math.floor(Date.now() / 1000) + 300,
		...more,
	});
	/* The token response with these claims beside or instead of the usual ones. */
	p.says = (more, header) => () => ({
		access_token: 'a',
		token_type: 'Bearer',
		id_token: sign(
			{ alg: 'RS256', kid: 'k1', typ: 'JWT', ...header },
			p.claims(more),
			pair.privateKey,
		),
	});
	p.token = p.says({});
	return p;
}

/* A self-signed certificate and its key, as PEM, made in the folder DIR. */
function makeKey(dir, name) {
	const file = (ext) => path.join(dir, `${name}.${ext}`);
	execFileSync(
		'openssl',
		[
			...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'],
			...['-subj', '/CN=' + name, '-keyout', file('key'), '-out', file('pem')],
		],
		{ stdio: 'ignore' },
	);
	return [fs.readFileSync(file('pem'), 'utf8'), fs.readFileSync(file('key'), 'utf8')];
}

/* Whose session BROWSER has at server S; undefined: nobody's. */
const whoIs = async (s, browser) =>
	(await s.get('/api/v1/me', null, { Cookie: browser.cookies(new URL(`http://127.0.0.1:${s.port}/`)) }))
		.data;

module.exports = { Browser, serve, realProvider, register, toldProvider, sign, base64url, makeKey, whoIs };
