// SPDX-License-Identifier: Apache-2.0
// A passkey in software, at the server S, whose http.url is that of localhost.
'use strict';
const crypto = require('node:crypto');

const sha256 = (x) => crypto.createHash('sha256').update(x).digest(),
	url64 = (x) => Buffer.from(x).toString('base64url');

/* The public key of PAIR as authenticators write it: COSE in canonical CBOR. */
function coseOf(pair) {
	const { x, y } = pair.publicKey.export({ format: 'jwk' });
	return Buffer.concat([
		Buffer.from('a5010203262001215820', 'hex'),
		Buffer.from(x, 'base64url'),
		Buffer.from('225820', 'hex'),
		Buffer.from(y, 'base64url'),
	]);
}

/* A key, and what a browser sends for it. */
function authenticatorOf(s, id = crypto.randomBytes(32)) {
	const pair = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
	let counter = 0;
	const data = (flags, rest = Buffer.alloc(0)) => {
		const head = Buffer.alloc(37);
		sha256('localhost').copy(head);
		head[32] = flags;
		head.writeUInt32BE(++counter, 33);
		return Buffer.concat([head, rest]);
	};
	const client = (type, challenge) =>
		Buffer.from(JSON.stringify({ type, challenge, origin: s.settings.http.url }));
	return {
		sign: (bytes) => crypto.sign('sha256', bytes, pair.privateKey),
		/* CHANGE, for attacks: .options (those of somebody else), .flags, .client (members), .auth (a function of the bytes), .cose (a function of the key's), .tail, .length (of the id, as said), .public_key (a function, too) */
		async register(token, change = {}) {
			const o =
					change.options ||
					(await s.post('/api/v1/auth/factors/passkey/options', token)).data,
				length = Buffer.alloc(2);
			length.writeUInt16BE(change.length ?? id.length);
			return s.post('/api/v1/auth/factors/passkey', token, {
				challenge_token: o.challenge_token,
				credential_id: change.credential_id || url64(id),
				client_data: url64(
					JSON.stringify({
						...JSON.parse(client('webauthn.create', o.challenge)),
						...change.client,
					}),
				),
				authenticator_data: url64(
					(change.auth || ((d) => d))(
						data(
							change.flags || 0x45,
							Buffer.concat([
								Buffer.alloc(16),
								length,
								id,
								(change.cose || ((k) => k))(coseOf(pair)),
								change.tail || Buffer.alloc(0),
							]),
						),
					),
				),
				public_key: url64(
					(change.public_key || ((k) => k))(
						pair.publicKey.export({ type: 'spki', format: 'der' }),
					),
				),
			});
		},
		/* What the browser sends for a challenge, to any of the endpoints that take it. */
		async answer() {
			const o = (await s.post('/api/v1/auth/passkey/options', null)).data,
				auth = data(0x05),
				text = client('webauthn.get', o.challenge);
			return {
				challenge_token: o.challenge_token,
				credential_id: url64(id),
				client_data: url64(text),
				authenticator_data: url64(auth),
				signature: url64(
					crypto.sign(
						'sha256',
						Buffer.concat([auth, sha256(text)]),
						pair.privateKey,
					),
				),
			};
		},
		async signIn() {
			return s.post('/api/v1/auth/passkey', null, await this.answer());
		},
	};
}

module.exports = { authenticatorOf, coseOf };
