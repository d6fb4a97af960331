// SPDX-License-Identifier: Apache-2.0
// The time that the machine withheld while a test ran: a thread that only sleeps records how late it is woken. Our time limits are extended by it,
// so that a busy or paused machine does not fail a test, and a slow program still does.
'use strict';
const { Worker } = require('node:worker_threads');

const shared = new Float64Array(
	new SharedArrayBuffer(16),
); /* total milliseconds lost; the longest single loss */
const sleeper = `
	const { workerData: shared } = require('node:worker_threads');
	const never = new Int32Array(new SharedArrayBuffer(4));
	for (;;) {
		const from = performance.now();
		Atomics.wait(never, 0, 0, 5);
		const late = performance.now() - from - 5;
		if (late > 5) shared[0] += late;
		if (late > shared[1]) shared[1] = late;
	}`;
new Worker(sleeper, { eval: true, workerData: shared }).unref();

module.exports = {
	/** Milliseconds lost since the start, in pieces of more than 5 ms. */
	lostMs: () => shared[0],
	/** The longest piece since the last call with reset. */
	longestMs: (reset) => {
		const ms = shared[1];
		if (reset) shared[1] = 0;
		return ms;
	},
	/** Run f. Returns its result and the milliseconds that it took, without those that the
	 * machine withheld meanwhile. */
	timed: async (f) => {
		const at = performance.now(),
			lost = shared[0],
			r = await f();
		return { r, ms: Math.max(0, performance.now() - at - (shared[0] - lost)) };
	},
};
