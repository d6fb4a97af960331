// SPDX-License-Identifier: Apache-2.0
// The program that the benchmarks compare with: the same list and create on the same database, written with Fastify and pg as a careful user would:
// schemas for input and output, JWT, a pool, prepared statements, one transaction with the tenant set for row-level security.
// node fastify.js PORT TENANT   environment: PGHOST PGUSER PGDATABASE PGPASSWORD PGOPTIONS, LIST and STORE (SQL), DOC (the document STORE gets)
'use strict';
/* the number of parameters of the list: all but the first are null */
const LIST_PARAMS = Math.max(1, ...[...process.env.LIST.matchAll(/\$(\d+)/g)].map((m) => Number(m[1])));
const app = require('fastify')({ logger: false }),
	{ Pool } = require('pg');
const [port, tenant] = process.argv.slice(2),
	pool = new Pool({ max: 8 });
const SET = {
	name: 'set',
	text: "select set_config('app.current_tenants', $1, true), set_config('app.current_tenant_id', $2, true), set_config('app.user_id', '2', true), set_config('app.audience', 'customer', true), set_config('app.scope', '', true), set_config('enable_sort', $3, true)",
};
const str = { type: 'string' },
	nstr = { type: ['string', 'null'] },
	int = { type: 'integer' },
	bool = { type: 'boolean' };
const ticket = {
	type: 'object',
	properties: {
		id: str,
		number: str,
		tenant_id: str,
		title: str,
		status: str,
		priority: str,
		service_type: str,
		assignee_id: nstr,
		requester_id: nstr,
		level: int,
		opened_at: str,
		updated_at: str,
		urgent_at: nstr,
		urgent_clock: nstr,
		sla_high: int,
		sla_breached: bool,
		priority_confirmed: bool,
		version: str,
	},
};
const listSchema = {
	querystring: {
		type: 'object',
		additionalProperties: false,
		properties: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 20 } },
	},
	response: {
		200: {
			type: 'object',
			properties: {
				code: int,
				message: str,
				data: {
					type: 'object',
					properties: { items: { type: 'array', items: ticket } },
				},
			},
		},
	},
};
const newSchema = {
	body: {
		type: 'object',
		required: ['title', 'description'],
		additionalProperties: false,
		properties: {
			title: { type: 'string', minLength: 1, maxLength: 200 },
			description: { type: 'string', minLength: 1, maxLength: 20000 },
			priority: { enum: ['P0', 'P1', 'P2', 'P3', 'P4'] },
		},
	},
	response: {
		201: {
			type: 'object',
			properties: {
				code: int,
				message: str,
				data: { type: 'object', properties: { id: str, number: str } },
			},
		},
	},
};
async function tx(t, sort, fn) {
	const c = await pool.connect();
	try {
		await c.query('begin');
		await c.query({ ...SET, values: [`{${t}}`, String(t), sort] });
		const r = await fn(c);
		await c.query('commit');
		return r;
	} catch (e) {
		await c.query('rollback').catch(() => {});
		throw e;
	} finally {
		c.release();
	}
}
const time = (d) => (d instanceof Date ? d.toISOString() : null);
(async () => {
	await app.register(require('@fastify/jwt'), { secret: 'bench-secret-bench-secret-bench-secret' });
	const auth = async (q) => {
		await q.jwtVerify();
	};
	app.get('/api/v1/tickets', { schema: listSchema, onRequest: auth }, async (q) => {
		const r = await tx(q.user.tid, 'off', (c) =>
			c.query({
				name: 'list',
				text: process.env.LIST,
				values: [q.query.limit, ...Array(LIST_PARAMS - 1).fill(null)],
			}),
		);
		for (const x of r.rows) {
			x.opened_at = time(x.opened_at);
			x.updated_at = time(x.updated_at);
			x.urgent_at = time(x.urgent_at);
		}
		return { code: 200, message: 'ok', data: { items: r.rows } };
	});
	app.post('/api/v1/tickets', { schema: newSchema, onRequest: auth }, async (q, reply) => {
		const doc = JSON.parse(process.env.DOC);
		doc[0].title = q.body.title;
		doc[0].comment.body = q.body.description;
		doc[0].priority = q.body.priority || 'P3';
		const r = await tx(q.user.tid, 'on', (c) =>
			c.query({ name: 'store', text: process.env.STORE, values: [JSON.stringify(doc)] }),
		);
		reply.code(201);
		return { code: 201, message: 'ok', data: { id: r.rows[0].id, number: r.rows[0].number } };
	});
	app.get(
		'/hello',
		{
			schema: {
				response: {
					200: {
						type: 'object',
						properties: {
							code: int,
							message: str,
							data: { type: 'object', properties: { status: str } },
						},
					},
				},
			},
		},
		async () => ({ code: 200, message: 'ok', data: { status: 'alive' } }),
	);
	await app.listen({ port: Number(port), host: '127.0.0.1' });
	console.log(app.jwt.sign({ sub: 2, tid: Number(tenant) }));
})();
