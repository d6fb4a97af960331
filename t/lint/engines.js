// SPDX-License-Identifier: Apache-2.0
// Checks that every package in a lock file declares support for the oldest Node version that we promise ("engines" in the package.json next to it).
// npm does not enforce them: some packages also ask for a newer npm than that of Debian 12, without need. ./dev checks the installed Node.
'use strict';
const fs = require('node:fs'),
	path = require('node:path');

const numbers = (v) =>
	v
		.split('.')
		.concat('0', '0')
		.slice(0, 3)
		.map((n) => (/^\d+$/.test(n) ? Number(n) : 0));
const compare = (a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
/** Is VERSION ([major, minor, patch]) in RANGE, as npm reads it ("^18 || >=20", ">= 0.4.x", "18 -
 * 20", "*")? */
function inside(range, version) {
	return range.split('||').some((part) => {
		const between = part.match(/^\s*(\S+)\s+-\s+(\S+)\s*$/);
		if (between) part = `>=${between[1]} <=${between[2]}`;
		return [...part.matchAll(/([<>=^~]*)\s*v?([\d.x*]+)/g)].every(([, op, v]) => {
			if (/^[x*]/.test(v)) return true;
			const than = numbers(v),
				c = compare(version, than),
				given = v.split('.').filter((n) => /^\d+$/.test(n)).length;
			if (op === '>=') return c >= 0;
			if (op === '>') return c > 0;
			if (op === '<') return c < 0;
			if (op === '<=')
				return (
					c <= 0 ||
					(given < 3 &&
						than.slice(0, given).join() ===
							version.slice(0, given).join())
				);
			const same = op === '^' ? 1 : op === '~' ? Math.min(2, given) : given;
			return c >= 0 && than.slice(0, same).join() === version.slice(0, same).join();
		});
	});
}
module.exports = { inside };

if (require.main === module)
	for (const lock of process.argv.slice(2)) {
		const dir = path.dirname(lock),
			oldest = numbers(
				JSON.parse(
					fs.readFileSync(path.join(dir, 'package.json')),
				).engines.node.replace('>=', ''),
			);
		for (const [name, p] of Object.entries(JSON.parse(fs.readFileSync(lock)).packages))
			if (p.engines && p.engines.node && !inside(p.engines.node, oldest)) {
				console.error(
					`${lock}: ${name} ${p.version} wants Node ${p.engines.node}, promised is ${oldest.join('.')}`,
				);
				process.exitCode = 1;
			}
	}
