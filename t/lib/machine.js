// SPDX-License-Identifier: Apache-2.0
// What the machine itself withheld while a test ran: a thread that only sleeps notes how late it is woken. A limit on ours is judged with that
// added, so that a busy or paused machine fails nobody and a slow program still fails.
'use strict';
const { Worker } = require('node:worker_threads');

const shared = new Float64Array(new SharedArrayBuffer(16)); /* ms lost in all; the longest at once */
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
	/** Milliseconds lost since the start, to pieces of more than 5 ms. */
	lostMs: () => shared[0],
	/** The longest piece since the last call with reset. */
	longestMs: (reset) => {
		const ms = shared[1];
		if (reset) shared[1] = 0;
		return ms;
	},
	/** Run f; what it returned, and the milliseconds it took less what the machine withheld meanwhile. */
	timed: async (f) => {
		const at = performance.now(),
			lost = shared[0],
			r = await f();
		return { r, ms: Math.max(0, performance.now() - at - (shared[0] - lost)) };
	},
};
