/* SPDX-License-Identifier: Apache-2.0
 * Policy and calendar versions for the command line, each read once. */
#include "cli/cli.h"
#include "base/json.h"
#include "desk/versions.h"
#include "sql_gen.h"

#include <stdio.h>

static struct cli_version *versions;

struct json_object *cli_json(const char *s)
{
	struct json_error err;
	struct json_object *o = json_read(s, strlen(s), &err);

	if (!o)
		die("stored JSON cannot be read: %s", err.rule);
	return o;
}

const struct cli_version *cli_version(PGconn *pg, const char *policy, const char *calendar)
{
	const char *p[] = { policy, calendar }, *error = "";
	struct json_object *pj, *cj, *lj;
	struct cli_version *v;
	PGresult *r;

	for (v = versions; v; v = v->next)
		if (strcmp(v->policy_id, policy) == 0 && strcmp(v->calendar_id, calendar) == 0)
			return v;
	r = cli_exec(pg, &sql_cli_sla_versions, p);
	if (!PQntuples(r))
		die("policy %s or calendar %s is missing", policy, calendar);
	v = xcalloc(1, sizeof(*v));
	snprintf(v->policy_id, sizeof(v->policy_id), "%s", policy);
	snprintf(v->calendar_id, sizeof(v->calendar_id), "%s", calendar);
	pj = cli_json(PQgetvalue(r, 0, 0));
	cj = cli_json(PQgetvalue(r, 0, 1));
	v->calendar = calendar_read(cj, zone_find, &error);
	if (!v->calendar || !sla_policy_read(pj, &v->policy, &error))
		die("%s", error);
	if (!PQgetisnull(r, 0, 2)) {
		lj = cli_json(PQgetvalue(r, 0, 2));
		v->ladder = calendar_read(lj, zone_find, &error);
		json_object_put(lj);
		if (!v->ladder)
			die("%s", error);
		v->policy.ladder_calendar = v->ladder;
	}
	json_object_put(pj);
	json_object_put(cj);
	PQclear(r);
	v->next = versions;
	versions = v;
	return v;
}
