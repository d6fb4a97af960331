/* SPDX-License-Identifier: Apache-2.0 */
#include "config/options_value.h"
#include "config/options.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

/* The sender and the address for answers stand in the headers of every mail. */
static void check_mailbox(struct buf *faults, const char *key, const char *value)
{
	struct str name, address;
	struct buf b = { 0 };

	if (text_read_mailbox(value, &name, &address))
		return;
	buf_addf(&b,
		"mail.%s: not a mail address, nor a name and an address such as Service desk "
		"<desk@example.com>",
		key);
	options_fault(faults, buf_cstr(&b));
	buf_free(&b);
}

/* Is URL one of the schemes (two, each with "://") with a host, without user and password, which
 * would stand in logs? */
static bool is_address(const char *url, const char *const schemes[2])
{
	static const char in_url[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-._~:/?#[]@!$&'()*+,;=%";

	for (int i = 0; i < 2; i++) {
		const char *host = url + strlen(schemes[i]);
		size_t n;

		if (strncmp(url, schemes[i], strlen(schemes[i])) != 0)
			continue;
		n = strcspn(host, "/?#");
		return n && host[0] != ':' && !memchr(host, '@', n) &&
		       strspn(url, in_url) == strlen(url);
	}
	return false;
}

static void check_addresses(struct buf *faults)
{
	static const char *const web[] = { "https://", "http://" }, *const mail[] = { "smtp://",
		"smtps://" };
	const struct {
		const char *key, *value;
		const char *const *schemes;
		const char *rule;
	} all[] = {
		{ "http.url", options.http_url, web,
			"an http or https address without user and password, such as "
			"https://desk.example.com" },
		{ "integration.customers_url", options.integration_customers_url, web,
			"an http or https address without user and password, such as "
			"https://crm.example.com/customers" },
		{ "integration.tickets_url", options.integration_tickets_url, web,
			"an http or https address without user and password, such as "
			"https://source.example.com/tickets" },
		{ "sms.url", options.sms_url, web,
			"an http or https address without user and password, such as "
			"https://sms.example.com/send" },
		{ "engine.heartbeat_url", options.engine_heartbeat_url, web,
			"an http or https address without user and password, such as "
			"https://hc.example.com/ping/1" },
		{ "mail.url", options.mail_url, mail,
			"smtp://host:port or smtps://host:port, such as "
			"smtp://mail.example.com:587" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct buf b = { 0 };

		/* only the address that users open must be there */
		if ((i && !*all[i].value) || is_address(all[i].value, all[i].schemes))
			continue;
		buf_addf(&b, "%s: not %s", all[i].key, all[i].rule);
		options_fault(faults, buf_cstr(&b));
		buf_free(&b);
	}
}

void options_check_values(struct buf *faults)
{
	enum log_level level;

	check_mailbox(faults, "from", options.mail_from);
	if (*options.mail_reply_to)
		check_mailbox(faults, "reply_to", options.mail_reply_to);
	check_addresses(faults);
	if (!log_level_parse(options.log_level, &level))
		options_fault(faults, "log.level: must be error, warn, info or debug");
	if (strcmp(options.log_format, "text") != 0 && strcmp(options.log_format, "json") != 0)
		options_fault(faults, "log.format: must be text or json");
}
