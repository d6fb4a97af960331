// SPDX-License-Identifier: Apache-2.0
// The browser for the page tests.
'use strict';
const { chromium } = require('playwright-core'),
	path = require('node:path');

exports.launch = () =>
	chromium.launch({
		executablePath: '/usr/bin/chromium',
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});

/* A picture of a page or element. A page behind another one may get no frame to take it of, so it is brought to the front. */
exports.picture = async (what, options) => {
	await (what.page ? what.page() : what).bringToFront();
	return what.screenshot(options);
};
/* The same, kept with the logs of the test. */
exports.shot = (page, name, fullPage) =>
	exports.picture(page, { path: path.join(process.env.VAR, 'log', name + '.png'), fullPage });
