// SPDX-License-Identifier: Apache-2.0
// Real servers for the tests: a private PostgreSQL and Redis (started by ./dev test), a sladeskd on a scratch database, an SMTP sink and a
// webhook receiver. No sleeps: waitUntil.
'use strict';
const { spawn, spawnSync, execFile, execFileSync } = require('node:child_process'),
	{ promisify } = require('node:util');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { StringDecoder } = require('node:string_decoder');
const machine = require('./machine.js'),
	template = require('./template.js');
const { replyFault } = require('./contract.js');

const INST = process.env.INST,
	VAR = process.env.VAR,
	SOCK = process.env.SOCK,
	RUNAS = process.env.RUNAS || '';
const secret = fs.readFileSync(path.join(VAR, 'secret/db'), 'utf8').trim();
const PASSWORD = 'Test-pass-1';

/* A failed test leaves its servers running; they must not keep the run alive. */
const left = new Set();
if (process.env.NODE_TEST_CONTEXT)
	require('node:test').after(() => {
		for (const end of left) end();
	});

async function waitUntil(what, ms = 15000) {
	const end = Date.now() + ms - machine.lostMs();
	let last;
	for (;;) {
		try {
			last = await what();
			if (last) return last;
		} catch (e) {
			if (e.fatal) throw e;
			last = e;
		}
		if (Date.now() > end + machine.lostMs())
			throw new Error(
				'waited in vain: ' + (last && last.stack ? last.stack : String(what)),
			);
		await new Promise((r) => setTimeout(r, 20));
	}
}
/* Below the range of ports that the kernel assigns: hardly anything else takes it before the server
 * listens on it. */
const freePort = () =>
	new Promise((ok) => {
		const port = 12000 + Math.floor(Math.random() * 20000),
			s = net.createServer();
		s.on('error', () => ok(freePort()));
		s.listen(port, '127.0.0.1', () => s.close(() => ok(port)));
	});

/* Wait until READ returns the same true value ten times in a row: whatever changed it has come to
 * rest. */
async function settled(read, ms) {
	let last,
		same = 0;
	await waitUntil(async () => {
		const now = await read();
		same = now && now === last ? same + 1 : 0;
		last = now;
		return same === 10;
	}, ms);
	return last;
}
/* Let MS of real time pass. Only where this is what is tested, and t/lint/elapse.txt lists it.
 * Otherwise wait for a condition (waitUntil) or move the daemon's clock (Server.jump). */
const elapse = (ms) => new Promise((ok) => setTimeout(ok, ms));

const psqlCall = (db, sql, user) => [
	'psql',
	['-h', SOCK, '-U', user, '-d', db, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql],
	{
		env: { ...process.env, PGPASSWORD: secret, PGOPTIONS: '-c client_min_messages=warning' },
		stdio: ['ignore', 'pipe', 'pipe'],
		maxBuffer: 1 << 28,
	},
];
function psql(db, sql, user = 'postgres', raw = false) {
	const out = execFileSync(...psqlCall(db, sql, user));
	return raw ? out.toString() : out.toString().trim();
}
/* A command to this lane's Redis. */
const redis = (...args) =>
	execFileSync('redis-cli', ['-s', SOCK + '/redis', '--no-auth-warning', ...args], {
		env: { ...process.env, REDISCLI_AUTH: secret },
		encoding: 'utf8',
	}).trim();
const asUser = (cmd, args) =>
	RUNAS
		? ['setpriv', ['--reuid', RUNAS, '--regid', RUNAS, '--clear-groups', '--', cmd, ...args]]
		: [cmd, args];

/* Write TEXT (undefined: the file exists) as a secret that only the daemon's user can read. */
function writeSecret(file, text) {
	if (text !== undefined) fs.writeFileSync(file, text);
	fs.chmodSync(file, 0o600);
	if (RUNAS) execFileSync('chown', [RUNAS + ':', file]);
}

/* A key and a self-signed certificate for 127.0.0.1 in directory DIR, which is created if it does not
 * exist; returns their files. */
function selfSigned(dir) {
	const key = path.join(dir, 'key.pem'),
		cert = path.join(dir, 'cert.pem');
	fs.mkdirSync(dir, { mode: 0o755, recursive: true });
	execFileSync(
		'openssl',
		[
			...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
			...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=127.0.0.1'],
			...['-addext', 'subjectAltName=IP:127.0.0.1'],
		],
		{ stdio: 'ignore' },
	);
	writeSecret(key);
	return { key, cert };
}

class Server {
	/* What the daemons have logged. They write to a file, not to a pipe that a busy test reads late or
	 * lets overflow: a line that was written before a reply is here when the reply is. */
	get log() {
		const l = this.logged,
			piece = Buffer.alloc(65536);
		for (let n; l.fd !== null && (n = fs.readSync(l.fd, piece)) > 0;) {
			if (process.env.SHOW_LOG) process.stderr.write(piece.subarray(0, n));
			l.text += l.utf8.write(piece.subarray(0, n));
		}
		return l.text;
	}
	set log(text) {
		void this.log; // read what is there
		this.logged.text = text;
	}
	/* A descriptor for a daemon to log to. Close it once the daemon has it. */
	openLog() {
		const file = path.join(this.dir, 'daemon.log'),
			fd = fs.openSync(file, 'a');
		this.logged.fd ??= fs.openSync(file, 'r');
		return fd;
	}
	constructor(name, settings = {}) {
		this.db = 'test_' + name.replace(/\W/g, '_') + '_' + process.pid;
		this.dir = path.join(VAR, this.db);
		this.settings = settings;
		this.logged = { text: '', fd: null, utf8: new StringDecoder('utf8') };
		this.ahead = 0; /* seconds of the daemon's clock: the position of a fast clock */
		this.jumped = 0; /* plus what jump() has added */
	}
	conf() {
		const base = {
			http: {
				listen: '127.0.0.1:' + this.port,
				url: 'http://127.0.0.1:' + this.port,
				static_dir: path.join(INST, 'share/sladesk/portal'),
			},
			database: {
				app_url: `host=${this.pgHost || SOCK} dbname=${this.db} user=sladesk_app`,
				job_url: `host=${this.pgHost || SOCK} dbname=${this.db} user=sladesk_job`,
				password_file: path.join(VAR, 'secret/db'),
			},
			redis: {
				url: this.redisUrl || 'unix://' + SOCK + '/redis',
				password_file: path.join(VAR, 'secret/db'),
			},
			token: { key_file: path.join(this.dir, 'token.jwk') },
			worker: { path: path.join(INST, 'libexec/sladesk') },
			mail: { require_tls: 'no', from: 'desk@provider.example' },
			notify: { backoff_s: '1', allow_private: 'yes' },
			/* a test is one address and few users, and most tests are not about limits */
			limits: {
				...{ address_per_s: 1000, address_burst: 20000 },
				...{ login_per_s: 50, login_burst: 5000 },
				...{ user_per_s: 2000, user_burst: 50000 },
			},
			test: { echo: 'yes' },
			daemon: { control: path.join(this.dir, 'c') },
		};
		/* on a fast clock sessions age as fast, so those tests use a long lifetime */
		for (const s of Object.keys(this.settings)) base[s] = { ...base[s], ...this.settings[s] };
		if (base.test.allow_clock)
			base.test.clock_offset_s =
				Number(base.test.clock_offset_s || 0) + this.ahead + this.jumped;
		return Object.entries(base)
			.map(
				([s, kv]) =>
					`[${s}]\n` +
					Object.entries(kv)
						.map(([k, v]) => `${k} = ${v}\n`)
						.join(''),
			)
			.join('');
	}
	/* The daemon's clock in milliseconds, accurate to a second. */
	async clock() {
		return Date.parse((await this.get('/healthz')).headers.date);
	}
	/* Move the daemon's clock forward by SECONDS (sets test.allow_clock). The clock has jumped
	 * when this returns. */
	async jump(seconds) {
		const to = (await this.clock()) + seconds * 1000;
		this.jumped += seconds;
		fs.writeFileSync(this.file, this.conf());
		this.proc.kill('SIGHUP');
		await waitUntil(async () => (await this.clock()) >= to);
	}
	/* All rows of a list, page by page. */
	async all(list, token) {
		const rows = [];
		for (let cursor = ''; cursor !== null; ) {
			const more = /\?/.test(list) ? '&' : '?',
				r = await this.get(list + more + 'limit=200' + (cursor && '&cursor=' + cursor), token);
			if (r.status !== 200) throw new Error(list + ': ' + r.text);
			rows.push(...r.data.items);
			cursor = r.data.next_cursor;
		}
		return rows;
	}
	cli(args, input) {
		const r = spawnSync(path.join(INST, 'bin/sladesk'), ['-c', this.file, ...args], {
			input,
			encoding: 'utf8',
			env: { ...process.env, PGPASSWORD: secret },
			maxBuffer: 1 << 28,
		});
		if (r.status !== 0)
			throw new Error(
				`sladesk ${args.join(' ')}: ${r.status}\n${r.stdout.slice(-3000)}\n${r.stderr.slice(-3000)}`,
			);
		return r.stdout;
	}
	sql(sql) {
		return psql(this.db, sql);
	}
	/* the same, while the test goes on */
	sqlBeside(sql) {
		return promisify(execFile)(...psqlCall(this.db, sql, 'postgres'));
	}
	/* The schema alone, in the database DB. */
	schema(db) {
		const cli = (...args) =>
			execFileSync(path.join(INST, 'bin/sladesk'), args, {
				env: { ...process.env, PGPASSWORD: secret },
				stdio: ['ignore', 'ignore', 'inherit'],
			});
		const made = template.kept(psql, 'schema', template.schemaKey(), (making) => {
			cli(
				...['init', '--admin-url', `host=${SOCK} dbname=postgres user=postgres`],
				...['--database', making, '--password-file', path.join(VAR, 'secret/db')],
			);
			cli('migrate', '--owner-url', `host=${SOCK} dbname=${making} user=sladesk_owner`);
		});
		template.copy(psql, made, db);
	}
	/* The tenants and users that every test knows. */
	people() {
		const add = (...args) => this.cli(['user', 'add', '--lang', ...args], PASSWORD + '\n');
		for (const [code, lang] of [
			['alpha', 'zh'],
			['beta', 'en'],
		]) {
			this.cli([
				'tenant',
				'add',
				'--code',
				code,
				'--name',
				'Tenant ' + code,
				'--lang',
				lang,
			]);
			for (const u of ['admin', 'user'])
				add(
					...[lang, '--tenant', code, '--username', u, '--name', u],
					...['--email', `${u}@${code}.example`, '--role', u],
				);
		}
		for (const [u, role, level] of [
			['eng1', 'engineer', 1],
			['eng2', 'engineer', 2],
			['boss', 'manager', 3],
		])
			add(
				...['en', '--staff', '--username', u, '--name', u],
				...[
					'--email',
					u + '@provider.example',
					'--role',
					role,
					'--level',
					String(level),
				],
				...(u === 'eng1' ? ['--on-call'] : []),
			);
	}
	/* A database with both, copied from the template, together with the keys that encrypt the
	 * users' fields. */
	copyOfPeople() {
		const key = template.peopleKey(path.join(INST, 'bin/sladesk'), __filename),
			keys = path.join(VAR, 'people');
		const made = template.kept(psql, 'people', key, (making) => {
			const first = new Server('people');
			first.db = making;
			first.dir = keys;
			first.port = 1;
			fs.rmSync(keys, { recursive: true, force: true });
			first.writeConf();
			first.schema(making);
			first.people();
		});
		template.copy(psql, made, this.db);
		fs.copyFileSync(path.join(keys, 'master.key'), path.join(this.dir, 'master.key'));
	}
	writeConf() {
		fs.mkdirSync(this.dir, { recursive: true });
		this.file = path.join(this.dir, 'sladesk.conf');
		fs.writeFileSync(this.file, this.conf());
	}
	async prepare() {
		this.port = await freePort();
		this.writeConf();
		if (this.settings.crypto) {
			this.schema(this.db);
			this.people();
		} else this.copyOfPeople();
		if (RUNAS) execFileSync('chown', ['-R', RUNAS + ':', this.dir]);
		for (const code of ['alpha', 'beta'])
			this[code] = Number(
				this.sql(`select tenant_id from customers where code = '${code}'`),
			);
	}
	async start(extra = []) {
		const { clock_scale } = this.settings.test || {};
		if (clock_scale) {
			this.t0 = this.t0 || Date.now();
			this.ahead = Math.ceil(((Date.now() - this.t0) / 1000) * (clock_scale - 1));
		}
		fs.writeFileSync(this.file, this.conf());
		const run = [
			...(this.prefix || []),
			path.join(INST, 'sbin/sladeskd'),
			'-c',
			this.file,
			...extra,
		];
		const [cmd, args] = asUser(run[0], run.slice(1));
		const log = this.logPipe ? 'pipe' : this.openLog(),
			p = (this.proc = spawn(cmd, args, { stdio: ['ignore', 'ignore', log] }));
		if (!this.logPipe) fs.closeSync(log);
		const show = process.env.SHOW_LOG && setInterval(() => this.log, 100);
		left.add(() => {
			if (!p.done) p.kill('SIGKILL');
		});
		p.exited = new Promise((ok) =>
			p.on('exit', (code, sig) => {
				p.done = { code, sig };
				clearInterval(show);
				if (code && this.ran)
					console.error(
						'sladeskd left with ' + code + ':\n' + this.log.slice(-4000),
					);
				ok(p.done);
			}),
		);
		await waitUntil(async () => {
			if (p.done)
				throw Object.assign(new Error('sladeskd ended: ' + this.log.slice(-2000)), {
					fatal: true,
				});
			return (await this.get(this.readiness || '/readyz')).status === 200;
		}, 20000);
		this.ran = true;
		return this;
	}
	/* One more instance on the same database, with the same settings and MORE. */
	async another(more = {}) {
		const t = new Server('instance', {});
		t.db = this.db;
		t.dir = path.join(this.dir, String((this.others = (this.others || 1) + 1)));
		fs.mkdirSync(t.dir, { recursive: true });
		if (RUNAS) execFileSync('chown', [RUNAS + ':', t.dir]);
		t.port = await freePort();
		t.file = path.join(t.dir, 'sladesk.conf');
		t.settings = {
			...this.settings,
			token: { key_file: path.join(this.dir, 'token.jwk') },
			...more,
		};
		return t.start();
	}
	static async make(name, settings) {
		const s = new Server(name, settings);
		await s.prepare();
		await s.start();
		return s;
	}
	async stop(sig = 'SIGTERM') {
		if (this.proc && !this.proc.done) {
			this.proc.kill(sig);
			await this.proc.exited;
		}
		return this.proc && this.proc.done;
	}
	async drop() {
		const end = await this.stop();
		if (end && end.code)
			throw new Error('sladeskd left with ' + end.code + ':\n' + this.log.slice(-4000));
		psql('postgres', `drop database if exists ${this.db} with (force)`);
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
	request(method, p, { token, body, headers = {}, raw, timeout = 20000 } = {}) {
		return new Promise((ok, no) => {
			const data =
				raw !== undefined
					? raw
					: body !== undefined
						? JSON.stringify(body)
						: undefined;
			const r = http.request(
				{
					host: '127.0.0.1',
					port: this.port,
					method,
					path: p,
					agent: this.agent,
					timeout,
					headers: {
						'Accept-Language': 'en',
						...(token ? { Authorization: 'Bearer ' + token } : {}),
						...(data !== undefined
							? { 'Content-Length': Buffer.byteLength(data) }
							: {}),
						...headers,
					},
				},
				(res) => {
					const parts = [];
					res.on('data', (d) => parts.push(d));
					res.on('error', no);
					res.on('end', () => {
						const text = Buffer.concat(parts).toString();
						let json;
						try {
							json = JSON.parse(text);
						} catch {
							/* not JSON */
						}
						const reply = {
								status: res.statusCode,
								headers: res.headers,
								text,
								json,
								data: json && json.data,
								code: json && json.code,
							},
							fault = replyFault(method, p, reply);
						if (fault) no(new Error(`${method} ${p}: ${fault}`));
						else ok(reply);
					});
				},
			);
			r.on('timeout', () => r.destroy(new Error('client timeout')));
			r.on('error', no);
			r.end(data);
		});
	}
	get(p, token, headers) {
		return this.request('GET', p, { token, headers });
	}
	post(p, token, body, headers) {
		return this.request('POST', p, { token, body, headers });
	}
	/* A new service token of TENANT. */
	token(tenant, scopes, name = 'test') {
		return this.cli([
			...['token', 'add', '--tenant', tenant],
			...['--name', name, '--scopes', scopes],
		]).match(/sd1\.\S+/)[0];
	}
	async login(username, tenant) {
		const r = await this.post('/api/v1/auth/login', null, {
			username,
			password: PASSWORD,
			...(tenant ? { tenant } : {}),
		});
		if (r.status !== 200) throw new Error('login failed: ' + r.text);
		return r.data.access_token;
	}
	async metric(name) {
		const m = (await this.get('/metrics')).text.match(
			new RegExp('^sladesk_' + name + ' (.*)$', 'm'),
		);
		return m ? Number(m[1]) : NaN;
	}
}

/* Send BYTES on a new connection, and read what comes back at RATE bytes per second, a piece of CHUNK
 * bytes at a time. */
function paced(port, bytes, rate, chunk) {
	const buffer = Buffer.alloc(chunk),
		began = Date.now();
	let taken = 0;
	const callback = (n) => {
		taken += n;
		const due = began + (taken / rate) * 1000 - Date.now();
		if (due > 0) setTimeout(() => !c.destroyed && c.resume(), due);
		return due <= 0;
	};
	const c = net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } });
	c.on('error', () => {});
	c.on('connect', () => c.write(bytes));
	return c;
}

/* One raw exchange: send bytes, and return everything that comes back until the connection is quiet
 * or closed. */
function exchange(port, bytes, { quiet = 300, max = 5000, end = false } = {}) {
	return new Promise((ok) => {
		const s = net.connect(port, '127.0.0.1');
		let text = Buffer.alloc(0),
			timer,
			closed = false;
		const finish = () => {
			clearTimeout(timer);
			clearTimeout(limit);
			s.destroy();
			ok({ text: text.toString('latin1'), closed });
		};
		const limit = setTimeout(finish, max);
		const again = () => {
			clearTimeout(timer);
			timer = setTimeout(finish, quiet);
		};
		s.on('connect', () => {
			s.write(bytes);
			if (end) s.end();
			again();
		});
		s.on('data', (d) => {
			text = Buffer.concat([text, d]);
			again();
		});
		s.on('error', () => {
			closed = true;
		});
		s.on('close', () => {
			closed = true;
			finish();
		});
	});
}
async function mailSink() {
	const { SMTPServer } = require('smtp-server');
	const mails = [];
	const s = new SMTPServer({
		authOptional: true,
		disabledCommands: ['AUTH', 'STARTTLS'],
		onData(stream, session, cb) {
			let t = '';
			stream.on('data', (d) => {
				t += d;
			});
			stream.on('end', () => {
				if (!/^Subject: [^]*\r\n\r\n/m.test(t)) return cb(new Error('cut off'));
				/* its sender was killed */ if (s.refuse)
					return cb(Object.assign(new Error('later'), { responseCode: 451 }));
				mails.push({
					to: session.envelope.rcptTo.map((x) => x.address),
					raw: t,
					subject: decodeSubject(t),
					body: decodePart(t, 'text/plain'),
					html: decodePart(t, 'text/html'),
				});
				cb();
			});
		},
	});
	s.on('error', () => {}); // a client that was killed
	const server = s;
	await new Promise((ok) => s.listen(0, '127.0.0.1', ok));
	left.add(() => {
		s.server.unref();
	});
	return {
		mails,
		server,
		port: s.server.address().port,
		url: 'smtp://127.0.0.1:' + s.server.address().port,
		close: () => new Promise((ok) => s.close(ok)),
	};
}
const decodeSubject = (t) =>
	(t.match(/^Subject: ((?:.|\r\n )*)\r\n/m)[1].match(/=\?UTF-8\?B\?(.*?)\?=/g) || [])
		.map((w) => Buffer.from(w.slice(10, -2), 'base64').toString())
		.join('');
/* One of the two parts of a mail, which are the same text. */
const decodePart = (t, type) =>
	Buffer.from(
		t.match(new RegExp(`Content-Type: ${type}; [^]*?\\r\\n\\r\\n([^-]*)`))[1],
		'base64',
	).toString();
async function hookSink() {
	const calls = [];
	const s = http.createServer((req, res) => {
		let t = '';
		req.on('data', (d) => {
			t += d;
		});
		req.on('end', () => {
			calls.push({ headers: req.headers, body: t });
			res.statusCode = s.status || 200;
			for (const [k, v] of Object.entries(s.answerHeaders || {})) res.setHeader(k, v);
			if (s.delayMs) setTimeout(() => res.end('ok'), s.delayMs).unref();
			else res.end('ok');
		});
	});
	await new Promise((ok) => s.listen(0, '127.0.0.1', ok));
	left.add(() => {
		s.closeAllConnections();
		s.unref();
	});
	return {
		calls,
		server: s,
		url: `http://127.0.0.1:${s.address().port}/hook`,
		close: () =>
			new Promise((ok) => {
				s.closeAllConnections();
				s.close(ok);
			}),
	};
}
/* The shared PostgreSQL: pgctl('stop', '-m', 'fast'), pgctl('start'). */
const pgctl = (...args) => {
	const [c, a] = asUser(path.join(process.env.PG_BIN, 'pg_ctl'), [
		'-D',
		VAR + '/pg',
		'-l',
		VAR + '/log/pg',
		'-w',
		...args,
	]);
	execFileSync(c, a, { stdio: 'ignore' });
};

module.exports = {
	pgctl,
	Server,
	waitUntil,
	settled,
	paced,
	elapse,
	redis,
	psql,
	exchange,
	mailSink,
	decodeSubject,
	decodePart,
	hookSink,
	freePort,
	PASSWORD,
	SOCK,
	VAR,
	INST,
	secret,
	asUser,
	writeSecret,
	selfSigned,
};
