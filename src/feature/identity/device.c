/* SPDX-License-Identifier: Apache-2.0
 * Browsers name each other in their User-Agent, so the order of the tables matters: the special one
 * before those that it pretends to be. */
#include "device.h"
#include "base/base.h"

#include <stdio.h>
#include <string.h>

static const char *const browsers[][2] = { { "MicroMessenger/", "WeChat" },
	{ "DingTalk/", "DingTalk" }, { "Lark/", "Lark" }, { "Edg/", "Edge" }, { "EdgA/", "Edge" },
	{ "EdgiOS/", "Edge" }, { "OPR/", "Opera" }, { "Vivaldi/", "Vivaldi" },
	{ "MQQBrowser/", "QQ Browser" }, { "QQBrowser/", "QQ Browser" },
	{ "UCBrowser/", "UC Browser" }, { "HuaweiBrowser/", "Huawei Browser" },
	{ "MiuiBrowser/", "Mi Browser" }, { "SamsungBrowser/", "Samsung Internet" },
	{ "YaBrowser/", "Yandex Browser" }, { "Trident/", "Internet Explorer" },
	{ "MSIE ", "Internet Explorer" }, { "FxiOS/", "Firefox" }, { "Firefox/", "Firefox" },
	{ "CriOS/", "Chrome" }, { "HeadlessChrome/", "Chrome" }, { "Chromium/", "Chromium" },
	{ "Chrome/", "Chrome" }, { "Safari/", "Safari" } };
static const char *const systems[][2] = { { "iPhone", "iPhone" }, { "iPad", "iPad" },
	{ "HarmonyOS", "HarmonyOS" }, { "OpenHarmony", "HarmonyOS" }, { "Android", "Android" },
	{ "Windows Phone", "Windows Phone" }, { "Windows", "Windows" }, { "CrOS", "ChromeOS" },
	{ "Macintosh", "macOS" }, { "Mac OS X", "macOS" }, { "Linux", "Linux" } };

static const char *first_in(const char *agent, const char *const table[][2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(agent, table[i][0]))
			return table[i][1];
	return "";
}

void device_read(const char *agent, struct device *out)
{
	const char *browser = first_in(agent, browsers, ARRAY_LEN(browsers)), *own = agent;
	size_t n;

	snprintf(out->system, sizeof(out->system), "%s",
		first_in(agent, systems, ARRAY_LEN(systems)));
	if (*browser) {
		snprintf(out->browser, sizeof(out->browser), "%s", browser);
		return;
	}
	if (strncmp(own, "Mozilla/", 8) == 0) /* everybody begins with it */
		own += strcspn(own, " ");
	own += strspn(own, " ");
	if (*own == '(')
		own = "";
	n = strcspn(own, "/ ;()");
	snprintf(out->browser, sizeof(out->browser), "%.*s", (int)(n < 39 ? n : 39), own);
}
