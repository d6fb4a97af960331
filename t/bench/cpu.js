// SPDX-License-Identifier: Apache-2.0
'use strict';
const fs = require('node:fs');

/* The CPU time that the process has used, all threads together, in nanoseconds. */
module.exports = (pid) =>
	fs
		.readdirSync(`/proc/${pid}/task`)
		.reduce(
			(s, t) =>
				s +
				Number(
					fs
						.readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8')
						.split(' ')[0],
				),
			0,
		);
