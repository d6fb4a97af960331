// SPDX-License-Identifier: Apache-2.0
// Checks replies against the API description (doc/api/openapi.json). Every reply in every test is checked: each member must be described and
// have its type. A described member may be absent, because some members depend on the caller's rights.
'use strict';
const fs = require('node:fs'),
	path = require('node:path');

const doc = JSON.parse(fs.readFileSync(path.join(__dirname, '../../doc/api/openapi.json'), 'utf8'));
const routes = Object.entries(doc.paths).map(([pattern, ops]) => ({
	pattern,
	segments: pattern.split('/'),
	literals: pattern.replace(/\{[^}]*\}/g, '').length,
	ops,
}));
routes.sort((a, b) => b.literals - a.literals); // a literal segment takes precedence over a parameter

/* /api/x is served as /api/v1/x. */
const canonical = (p) => p.split('?')[0].replace(/^\/api\/(?!v1\/)/, '/api/v1/');

function find(method, p) {
	const segments = canonical(p).split('/');
	const r = routes.find(
		(x) =>
			x.ops[method.toLowerCase()] &&
			x.segments.length === segments.length &&
			x.segments.every((s, i) => s[0] === '{' || s === segments[i]),
	);
	return r && r.ops[method.toLowerCase()];
}

const is = {
	string: (v) => typeof v === 'string',
	integer: (v) => Number.isSafeInteger(v),
	number: (v) => typeof v === 'number',
	boolean: (v) => typeof v === 'boolean',
	null: (v) => v === null,
	array: Array.isArray,
	object: (v) => v !== null && typeof v === 'object' && !Array.isArray(v),
};
const formats = {
	'date-time': (v) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(v),
	date: (v) => /^\d{4}-\d\d-\d\d$/.test(v),
};

/* The error in V at WHERE; undefined if there is none. */
function fault(schema, v, where) {
	const types = [].concat(schema.type || []);
	if (types.length && !types.some((t) => is[t](v)))
		return `${where} is ${JSON.stringify(v)}, not ${types.join(' or ')}`;
	if (schema.format in formats && typeof v === 'string' && !formats[schema.format](v))
		return `${where} is ${v}, not a ${schema.format}`;
	if (Array.isArray(v) && schema.items)
		for (let i = 0; i < v.length; i++) {
			const f = fault(schema.items, v[i], `${where}[${i}]`);
			if (f) return f;
		}
	if (is.object(v) && schema.properties)
		for (const k of Object.keys(v)) {
			const f = schema.properties[k]
				? fault(schema.properties[k], v[k], `${where}.${k}`)
				: schema.additionalProperties !== true && `${where}.${k} is not described`;
			if (f) return f;
		}
	return undefined;
}

/* The error in the reply to METHOD P, or nothing. */
function replyFault(method, p, { status, headers, json }) {
	const op = find(method, p),
		replayed =
			headers[
				'idempotency-replayed'
			]; /* answered with the present state of what was created */
	if (!op || replayed) return undefined;
	const r = op.responses[status] || (status >= 400 ? op.responses.default : undefined);
	if (!r) return status < 300 ? `status ${status} is not described` : undefined;
	const at = r.$ref ? doc.components.responses[r.$ref.split('/').pop()] : r,
		content = at.content && at.content['application/json'];
	if (!content || json === undefined) return undefined;
	/* a report that has an error's status (integration/health) may be refused like any route */
	const failed = status >= 400 && fault(doc.components.schemas.Error, json, 'reply');
	return failed && !content.schema.$ref
		? fault(content.schema, json, 'reply')
		: status >= 400
			? failed
			: fault(content.schema, json, 'reply');
}

module.exports = { doc, replyFault };
