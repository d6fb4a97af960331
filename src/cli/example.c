/* SPDX-License-Identifier: Apache-2.0
 * What a value of an option looks like, for the texts that refuse one. */
#include "cli/cli.h"

const char *cli_example(const char *option)
{
	static const struct {
		const char *option, *value;
	} examples[] = {
		{ "admin-url", "host=/run/postgresql dbname=postgres" },
		{ "against", "globex" },
		{ "as", "acme" },
		{ "by", "wang" },
		{ "code", "acme" },
		{ "contract", "K-1" },
		{ "cost-centre", "CC-1" },
		{ "customers", "acme,globex" },
		{ "days", "90" },
		{ "department", "IT" },
		{ "dir", "/var/lib/sladesk/audit" },
		{ "domain", "example.com" },
		{ "email", "user@example.com" },
		{ "id", "12" },
		{ "in", "keys.backup" },
		{ "keep-years", "7" },
		{ "key", "audit.pub" },
		{ "limit", "20" },
		{ "login", "report_acme" },
		{ "map", "etc/import/helpdesk-it.json" },
		{ "name", "Acme" },
		{ "office", "Berlin" },
		{ "out", "keys.backup" },
		{ "owner-url", "host=/run/postgresql dbname=sladesk user=sladesk_owner" },
		{ "policy", "standard" },
		{ "project", "P-1" },
		{ "region", "EU" },
		{ "scopes", "tickets:read,tickets:write" },
		{ "tenant", "acme" },
		{ "url", "https://desk.example.com/hook" },
		{ "username", "wang" },
	};

	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		if (strcmp(examples[i].option, option) == 0)
			return examples[i].value;
	return "VALUE";
}
