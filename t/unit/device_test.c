/* SPDX-License-Identifier: Apache-2.0
 * Which browser and which system a User-Agent names. */
#include "unit.h"
#include "../../src/feature/identity/device.h"
#include "base/base.h"

static void devices(void)
{
	static const struct {
		const char *agent, *browser, *system;
	} rows[] = {
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
		  "Gecko) "
		  "Chrome/120.0.0.0 Safari/537.36",
			"Chrome", "Windows" },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
		  "Gecko) "
		  "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
			"Edge", "Windows" },
		{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, "
		  "like "
		  "Gecko) Version/17.1 Safari/605.1.15",
			"Safari", "macOS" },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
		  "(KHTML, "
		  "like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
			"Safari", "iPhone" },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
		  "(KHTML, "
		  "like Gecko) CriOS/120.0 Mobile/15E148 Safari/604.1",
			"Chrome", "iPhone" },
		{ "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
			"Firefox", "Linux" },
		{ "Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like "
		  "Gecko) "
		  "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
			"Samsung Internet", "Android" },
		{ "Mozilla/5.0 (Linux; Android 12; M2012K11AC) AppleWebKit/537.36 (KHTML, like "
		  "Gecko) "
		  "Version/4.0 Chrome/107.0 Mobile Safari/537.36 MicroMessenger/8.0.42",
			"WeChat", "Android" },
		{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
		  "Chrome/119.0.0.0 Safari/537.36",
			"Chrome", "ChromeOS" },
		{ "curl/8.4.0", "curl", "" },
		{ "python-requests/2.31.0", "python-requests", "" },
		{ "Mozilla/9. NewPhone", "NewPhone", "" },
		{ "Mozilla/5.0 (compatible)", "", "" },
		{ "", "", "" },
		{ "Mozilla/5.0", "", "" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/1",
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device d;

		device_read(rows[i].agent, &d);
		CU_ASSERT_STRING_EQUAL(d.browser, rows[i].browser);
		CU_ASSERT_STRING_EQUAL(d.system, rows[i].system);
	}
}

UNIT_MAIN("devices", { "browsers and systems", devices })
