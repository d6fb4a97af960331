// SPDX-License-Identifier: Apache-2.0
// A mail relay that misbehaves on demand. Each new connection takes the next plan from relay.plans: { at, how }, or null for a good one.
//   at:  banner ehlo starttls auth mail rcpt data end quit
//   how: slow (answers after relay.slowMs), hang (never answers), drip (one byte of an endless answer each 100 ms), drop (closes),
//        a number (refuses with this code)
//   then: what follows on the same connection, a plan too
// relay.refused: addresses (a regular expression) that it refuses as a fault of the sender's, on every connection.
// relay.mails lists what was accepted, relay.cut what ended early. As with a real relay, the end of the message is what accepts it, whether or
// not the sender receives the reply. relay.hold(mail) may return a promise that delays the reply to the end of the message.
// relay.checkMs: the longest time that a check of a mail takes before the reply.
'use strict';
const net = require('node:net'),
	tls = require('node:tls');

class Session {
	constructor(relay, socket) {
		this.relay = relay;
		this.plan = relay.plans.shift() || null;
		this.use(socket);
		this.say('banner', '220 relay ready');
	}
	use(socket) {
		this.socket = socket;
		this.text = '';
		this.mail = null;
		socket.on('data', (d) => {
			this.text += d.toString('latin1');
			this.read();
		});
		socket.on('error', () => {});
		socket.on('close', () => {
			if (this.mail) this.relay.cut.push(this.mail);
			this.mail = null;
			clearInterval(this.drip);
		});
	}
	read() {
		for (;;) {
			if (this.mail) {
				const end = /^\.\r\n/.test(this.text)
					? 0
					: this.text.indexOf('\r\n.\r\n') + 2;
				if (end === 1) return;
				this.mail.raw = this.text.slice(0, end);
				this.text = this.text.slice(end + 3);
				this.accept();
				continue;
			}
			const line = this.text.indexOf('\r\n');
			if (line < 0) return;
			const cmd = this.text.slice(0, line);
			this.text = this.text.slice(line + 2);
			this.command(cmd);
		}
	}
	async accept() {
		const m = this.mail;
		this.mail = null;
		m.id = (m.raw.match(/^Message-ID: (.*)\r$/m) || [])[1];
		this.relay.mails.push(m);
		if (this.relay.checkMs)
			await new Promise((ok) =>
				setTimeout(ok, this.relay.checkMs * (0.2 + 0.8 * Math.random())).unref(),
			);
		this.say('end', this.relay.hold ? await this.relay.hold(m) : '250 taken');
	}
	command(cmd) {
		const verb = cmd.slice(0, 4).toUpperCase(),
			{ relay } = this;
		if (this.auth) {
			this.auth = false;
			return this.say('auth', '235 welcome');
		}
		switch (verb) {
			case 'EHLO':
				return this.say(
					this.greeted ? 'again' : 'ehlo',
					'250-relay' +
						(relay.tls && !this.socket.encrypted
							? '\r\n250-STARTTLS'
							: '') +
						(relay.auth ? '\r\n250-AUTH PLAIN' : '') +
						'\r\n250 8BITMIME',
				);
			case 'STAR':
				return this.say('starttls', '220 go ahead', () => this.secure());
			case 'AUTH':
				if (cmd.split(' ').length > 2) return this.say('auth', '235 welcome');
				this.auth = true;
				return this.socket.write('334 \r\n');
			case 'MAIL':
				return this.say('mail', '250 ok');
			case 'RCPT':
				this.to = cmd.match(/<(.*)>/)[1];
				return this.say('rcpt', relay.refused && relay.refused.test(this.to) ? '530 not from you' : '250 ok');
			case 'DATA':
				return this.say('data', '354 go ahead', () => {
					this.mail = { to: this.to, at: Date.now() };
				});
			case 'QUIT':
				return this.say('quit', '221 bye', () => this.socket.end());
			default:
				return this.socket.write('250 ok\r\n');
		}
	}
	/* Answer at STEP as planned, then do what follows from it. */
	say(step, answer, then) {
		const p = this.plan && this.plan.at === step ? this.plan : null,
			go = () => {
				if (step === 'ehlo') this.greeted = true;
				if (this.socket.destroyed) return;
				this.socket.write(answer + '\r\n');
				if (then) then();
			};
		if (!p) return go();
		this.relay.met.push(p);
		this.plan = p.then || null;
		if (p.how === 'slow') setTimeout(go, this.relay.slowMs).unref();
		else if (p.how === 'drop') this.socket.destroy();
		else if (typeof p.how === 'number') this.socket.write(p.how + ' refused\r\n');
		else if (p.how === 'drip') {
			const endless = answer.slice(0, 3) + '-wait\r\n';
			let i = 0;
			this.drip = setInterval(() => {
				if (!this.socket.destroyed) this.socket.write(endless[i++ % endless.length]);
			}, 100);
			this.drip.unref();
		}
	}
	secure() {
		const plain = this.socket;
		plain.removeAllListeners('data');
		this.use(new tls.TLSSocket(plain, { isServer: true, secureContext: this.relay.tls }));
	}
}
/** A relay on 127.0.0.1. With a key and certificate it offers STARTTLS; with auth it requires a
 * login. */
async function relay({ key, cert, auth = false } = {}) {
	const r = {
		plans: [],
		mails: [],
		cut: [],
		met: [],
		slowMs: 3000,
		auth,
		tls: key && tls.createSecureContext({ key, cert }),
		open: new Set(),
		connections: 0,
	};
	const server = net.createServer((c) => {
		r.connections++;
		r.open.add(c);
		c.on('close', () => r.open.delete(c));
		new Session(r, c);
	});
	await new Promise((ok) => server.listen(0, '127.0.0.1', ok));
	server.unref();
	r.port = server.address().port;
	r.url = 'smtp://127.0.0.1:' + r.port;
	r.close = () => {
		for (const c of r.open) c.destroy();
		return new Promise((ok) => server.close(ok));
	};
	/** Message-IDs that were accepted more than once. */
	r.doubled = () => {
		const n = new Map();
		for (const m of r.mails) n.set(m.id, (n.get(m.id) || 0) + 1);
		return [...n].filter(([, k]) => k > 1).map(([id]) => id);
	};
	/** Accepted without a header: the result of a transfer that was torn down in DATA. */
	r.empty = () => r.mails.filter((m) => !m.id || !/^Subject: /m.test(m.raw));
	return r;
}
const STEPS = ['banner', 'ehlo', 'starttls', 'auth', 'mail', 'rcpt', 'data', 'end', 'quit'];

module.exports = { relay, STEPS };
