// SPDX-License-Identifier: Apache-2.0
// What a client of the API of doc/api/baseline.json can no longer rely on. Additions break nothing. A break must be named, with dates, in
// doc/api/deprecations.md, in the words of this file.
'use strict';
const fs = require('node:fs'),
	path = require('node:path');

const typesOf = (s) => (s.type === undefined ? [] : [s.type].flat());
const LOWER = ['maximum', 'maxLength', 'maxItems'],
	HIGHER = ['minimum', 'minLength', 'minItems'];

/* A request that was accepted is refused. */
function narrower(was, is, at, add) {
	const types = typesOf(is);
	if (types.length) {
		const gone = typesOf(was).filter(
			(t) => !types.includes(t) && !(t === 'integer' && types.includes('number')),
		);
		if (gone.length || !typesOf(was).length)
			add(`${at}: ${types.join('|')}, was ${typesOf(was).join('|') || 'anything'}`);
	}
	if (is.enum) {
		const gone = was.enum ? was.enum.filter((v) => !is.enum.includes(v)) : ['any other'];
		for (const v of gone) add(`${at}: value ${v} removed`);
	}
	for (const k of LOWER)
		if (is[k] !== undefined && !(was[k] <= is[k]))
			add(`${at}: ${k} ${is[k]}, was ${was[k] ?? 'none'}`);
	for (const k of HIGHER)
		if (is[k] !== undefined && !(was[k] >= is[k]) && !(was[k] === undefined && is[k] === 0))
			add(`${at}: ${k} ${is[k]}, was ${was[k] ?? 'none'}`);
	for (const k of ['format', 'pattern'])
		if (is[k] !== undefined && is[k] !== was[k])
			add(`${at}: ${k} ${is[k]}, was ${was[k] ?? 'none'}`);
	for (const k of is.required || [])
		if (!(was.required || []).includes(k)) add(`${at}.${k}: required now`);
	for (const [k, v] of Object.entries(was.properties || {})) {
		if ((is.properties || {})[k]) narrower(v, is.properties[k], `${at}.${k}`, add);
		else if (is.additionalProperties === false || !is.additionalProperties)
			add(`${at}.${k}: removed`);
	}
	if (was.items && is.items) narrower(was.items, is.items, at + '[]', add);
}

/* An answer no longer has what it had, or has what nobody expects. */
function poorer(was, is, at, add) {
	const types = typesOf(was),
		fresh = typesOf(is).filter(
			(t) =>
				types.length &&
				!types.includes(t) &&
				!(t === 'integer' && types.includes('number')),
		);
	if (fresh.length || (types.length && !typesOf(is).length))
		add(`${at}: ${typesOf(is).join('|') || 'anything'}, was ${types.join('|')}`);
	for (const v of was.enum || []) if (is.enum && !is.enum.includes(v)) add(`${at}: value ${v} removed`);
	if (was.format && was.format !== is.format)
		add(`${at}: format ${is.format ?? 'none'}, was ${was.format}`);
	for (const [k, v] of Object.entries(was.properties || {})) {
		if ((is.properties || {})[k]) poorer(v, is.properties[k], `${at}.${k}`, add);
		else add(`${at}.${k}: removed`);
	}
	if (was.items && is.items) poorer(was.items, is.items, at + '[]', add);
}

function parametersBroken(was, is, add) {
	const find = (list, p) => list.find((x) => x.name === p.name && x.in === p.in);
	for (const p of was.parameters) {
		const now = find(is.parameters, p),
			at = `${p.in}.${p.name}`;
		if (!now) add(`${at}: removed`);
		else {
			if (now.required && !p.required) add(`${at}: required now`);
			narrower(p.schema, now.schema, at, add);
		}
	}
	for (const p of is.parameters)
		if (p.required && !find(was.parameters, p)) add(`${p.in}.${p.name}: required now`);
}

function bodyBroken(was, is, add) {
	for (const [type, { schema }] of Object.entries((was.requestBody || {}).content || {})) {
		const now = is.requestBody && is.requestBody.content[type];
		if (now) narrower(schema, now.schema, 'body', add);
		else add(`body ${type}: removed`);
	}
	if (!was.requestBody && is.requestBody)
		for (const { schema } of Object.values(is.requestBody.content))
			for (const k of schema.required || []) add(`body.${k}: required now`);
}

function repliesBroken(was, is, add) {
	for (const [status, r] of Object.entries(was.responses)) {
		if (!/^[123]/.test(status)) continue;
		const now = is.responses[status];
		if (!now) {
			add(`reply ${status}: removed`);
			continue;
		}
		for (const [type, { schema }] of Object.entries(r.content || {})) {
			if (now.content && now.content[type])
				poorer(schema, now.content[type].schema, 'reply', add);
			else add(`reply ${type}: removed`);
		}
	}
}

/* Each break, as "METHOD path: what". */
function breaks(was, is) {
	const out = [];
	for (const [p, ops] of Object.entries(was.paths))
		for (const [m, op] of Object.entries(ops)) {
			const name = `${m.toUpperCase()} ${p}`,
				now = (is.paths[p] || {})[m],
				add = (what) => out.push(`${name}: ${what}`);
			if (!now) {
				add('removed');
				continue;
			}
			for (const k of ['permission', 'only', 'reach', 'step-up'])
				if ((op['x-' + k] || '') !== (now['x-' + k] || ''))
					add(`${k} ${now['x-' + k] || 'none'}, was ${op['x-' + k] || 'none'}`);
			parametersBroken(op, now, add);
			bodyBroken(op, now, add);
			repliesBroken(op, now, add);
		}
	for (const [name, r] of Object.entries(was.components.responses))
		for (const c of r['x-codes']) {
			const now = is.components.responses[name];
			if (!now || !now['x-codes'].includes(c)) out.push(`error ${name}: code ${c} removed`);
		}
	return [...new Set(out)];
}

/* The rows of deprecations.md: { what, since, sunset, instead }. */
const rowsOf = (text) =>
	[...text.matchAll(/^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map(
		([, what, since, sunset, instead]) => ({
			what,
			since: since.trim(),
			sunset: sunset.trim(),
			instead: instead.trim(),
		}),
	);

const isDate = (d) => /^\d{4}-\d\d-\d\d$/.test(d) && !Number.isNaN(Date.parse(d));

/* What is wrong: breaks without a row, rows that say nothing true, dates that are none. */
function faults(was, is, text) {
	const rows = rowsOf(text),
		found = breaks(was, is),
		out = [];
	for (const b of found)
		if (!rows.some((r) => r.what === b))
			out.push(`a break without a row in doc/api/deprecations.md: ${b}`);
	const announced = new Map();
	for (const [p, ops] of Object.entries(is.paths))
		for (const [m, op] of Object.entries(ops))
			if (op.deprecated) announced.set(`${m.toUpperCase()} ${p}: deprecated`, op);
	for (const r of rows) {
		const op = announced.get(r.what);
		if (!op && !found.includes(r.what))
			out.push(`doc/api/deprecations.md names what is not so: ${r.what}`);
		if (!isDate(r.since) || !isDate(r.sunset) || r.sunset < r.since)
			out.push(`dates of ${r.what}: ${r.since}, ${r.sunset}`);
		if (!r.instead) out.push(`${r.what}: what instead?`);
		if (op && (op['x-deprecated-since'] !== r.since || op['x-sunset'] !== r.sunset))
			out.push(
				`${r.what}: the program says ${op['x-deprecated-since']}, ${op['x-sunset']}`,
			);
	}
	for (const what of announced.keys())
		if (!rows.some((r) => r.what === what)) out.push(`doc/api/deprecations.md lacks: ${what}`);
	return out;
}

module.exports = { breaks, faults, rowsOf };
if (require.main === module) {
	const kept = (f) => fs.readFileSync(path.join(__dirname, '../../doc/api', f), 'utf8'),
		[was, is] = ['baseline.json', 'openapi.json'].map((f) => JSON.parse(kept(f))),
		bad = [
			...faults(was, is, kept('deprecations.md')),
			...rowsOf(kept('deprecations.md'))
				.map((r) => r.what)
				.filter(
					(what) =>
						!rowsOf(kept('deprecations.zh-CN.md')).some(
							(r) => r.what === what,
						),
				)
				.map((what) => `doc/api/deprecations.zh-CN.md lacks: ${what}`),
		];
	for (const b of bad) console.error(b);
	process.exitCode = bad.length ? 1 : 0;
}
