// SPDX-License-Identifier: Apache-2.0
// The browser for the page tests.
'use strict';
const { chromium } = require('playwright-core');

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
