/* SPDX-License-Identifier: Apache-2.0 */
#include "desk/upkeep.h"
#include "desk/versions.h"
#include "base/magic.h"
#include "base/json.h"
#include "base/log.h"
#include "db/db.h"
#include "loop/loop.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define FRESH_US (5 * US_PER_S)
/* a version that cannot be read is not read again during this time */
#define UNREADABLE_US (5 * US_PER_S)

static struct {
	struct sla_version *versions;
	struct tenant_config *configs;
	struct keyword *keywords;
	size_t keyword_count;
	bool keywords_read;
} known;
static struct unreadable {
	struct unreadable *next;
	int64_t policy_id, calendar_id, until_us;
} * unreadables;

/* --- versions --- */

static struct json_object *parse(struct str s)
{
	struct json_error err;

	return json_read(s.p, s.n, &err);
}

const struct sla_version *versions_find(int64_t policy_id, int64_t calendar_id)
{
	for (struct sla_version *v = known.versions; v; v = v->next)
		if (v->policy_id == policy_id && v->calendar_id == calendar_id)
			return v;
	return NULL;
}

static struct unreadable *find_unreadable(int64_t policy_id, int64_t calendar_id)
{
	struct unreadable *u = unreadables;

	while (u && (u->policy_id != policy_id || u->calendar_id != calendar_id))
		u = u->next;
	return u;
}

/* Most likely a version written by a newer program: many requests ask for it, but it is logged
 * once. */
static void note_unreadable(int64_t policy_id, int64_t calendar_id, const char *error)
{
	struct unreadable *u = find_unreadable(policy_id, calendar_id);

	if (!u) {
		log_error(NULL, "policy=%lld calendar=%lld cannot be read: %s",
			(long long)policy_id, (long long)calendar_id, error);
		u = xcalloc(1, sizeof(*u));
		*u = (struct unreadable){ unreadables, policy_id, calendar_id, 0 };
		unreadables = u;
	}
	u->until_us = clock_mono_us() + UNREADABLE_US;
}

/* LADDER is empty for a policy version that has no calendar for its ladder. */
static const struct sla_version *add_version(int64_t policy_id, int64_t calendar_id,
	struct str policy, struct str calendar, struct str ladder)
{
	struct json_object *p = parse(policy), *c = parse(calendar),
			   *l = ladder.n ? parse(ladder) : NULL;
	struct sla_version *v = xcalloc(1, sizeof(*v));
	const char *error = "not JSON";

	*v = (struct sla_version){ .policy_id = policy_id, .calendar_id = calendar_id };
	v->calendar = c ? calendar_read(c, zone_find, &error) : NULL;
	v->ladder = l ? calendar_read(l, zone_find, &error) : NULL;
	if (!v->calendar || (ladder.n && !v->ladder) || !p ||
		!sla_policy_read(p, &v->policy, &error)) {
		note_unreadable(policy_id, calendar_id, error);
		calendar_free(v->calendar);
		calendar_free(v->ladder);
		free(v);
		v = NULL;
	} else {
		v->policy.ladder_calendar = v->ladder;
		v->next = known.versions;
		known.versions = v;
	}
	json_object_put(p);
	json_object_put(c);
	json_object_put(l);
	return v;
}

struct version_wait {
	uint32_t magic;
	struct db_call call;
	int64_t policy_id, calendar_id;
	void (*on_done)(void *arg, const struct sla_version *v, enum db_error error);
	void *arg;
};
MAGIC(version_wait, 0x5d6836f7);

static void on_version(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct version_wait *w = magic_cast(version_wait, call->arg);
	const struct sla_version *v = versions_find(w->policy_id, w->calendar_id);

	if (!v && error == DB_OK && PQntuples(rows) == 1)
		v = add_version(w->policy_id, w->calendar_id, db_text(rows, 0, 0),
			db_text(rows, 0, 1), db_text(rows, 0, 2));
	else if (!v && error == DB_OK)
		note_unreadable(w->policy_id, w->calendar_id, "not found");
	w->on_done(w->arg, v, v ? DB_OK : error == DB_OK ? DB_FAILED : error);
	free(w);
}

void versions_get(int64_t policy_id, int64_t calendar_id,
	void (*on_done)(void *arg, const struct sla_version *v, enum db_error error), void *arg)
{
	const struct sla_version *v = versions_find(policy_id, calendar_id);
	const struct unreadable *u = v ? NULL : find_unreadable(policy_id, calendar_id);
	struct version_wait *w;

	if (v || (u && clock_mono_us() < u->until_us)) {
		on_done(arg, v, v ? DB_OK : DB_FAILED);
		return;
	}
	w = magic_new(version_wait);
	*w = (struct version_wait){ .magic = version_wait_magic,
		.policy_id = policy_id,
		.calendar_id = calendar_id,
		.on_done = on_done,
		.arg = arg };
	w->call = (struct db_call){
		.stmt = &sql_sla_version, .ctx.role = DB_ROLE_JOB, .on_done = on_version, .arg = w
	};
	db_call_int(&w->call, 0, policy_id);
	db_call_int(&w->call, 1, calendar_id);
	db_exec(&w->call);
}

/* --- tenants --- */

struct config_wait {
	uint32_t magic;
	struct db_call call;
	struct tenant_config *config;
	void (*on_done)(void *arg, const struct tenant_config *c);
	void *arg;
};
MAGIC(config_wait, 0xd67bb891);

static void config_free(struct tenant_config *c)
{
	for (int i = 0; i < c->entries; i++)
		free(c->entry[i].service_type);
	for (int i = 0; i < c->usuals; i++)
		free(c->usual[i].service_type);
	free(c->entry);
	free(c->usual);
	for (size_t i = 0; i < c->choices; i++) {
		free(c->choice[i].kind);
		free(c->choice[i].code);
	}
	free(c->choice);
	free(c);
}

static void config_store(struct tenant_config *c)
{
	for (struct tenant_config **at = &known.configs; *at; at = &(*at)->next)
		if ((*at)->tenant_id == c->tenant_id) {
			struct tenant_config *old = *at;

			*at = old->next;
			config_free(old);
			break;
		}
	c->fetched_us = clock_mono_us();
	c->next = known.configs;
	known.configs = c;
}

static void on_choices(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct config_wait *w = magic_cast(config_wait, call->arg);
	struct tenant_config *c = w->config;

	if (error != DB_OK) {
		config_free(c);
		w->on_done(w->arg, NULL);
		free(w);
		return;
	}
	c->choice = xcalloc((size_t)PQntuples(rows) + 1, sizeof(*c->choice));
	for (int i = 0; i < PQntuples(rows); i++) {
		struct str kind = db_text(rows, i, 0), code = db_text(rows, i, 1);
		struct tenant_choice *last = c->choices ? &c->choice[c->choices - 1] : NULL;

		if (last && str_is(kind, last->kind) && str_is(code, last->code))
			continue; /* the tenant's own entry came first and overrides the built-in
				     one */
		c->choice[c->choices++] = (struct tenant_choice){ .kind = xstrndup(kind.p, kind.n),
			.code = xstrndup(code.p, code.n),
			.active = db_int(rows, i, 2) != 0,
			.priority = priority_parse(db_text(rows, i, 3)) };
	}
	config_store(c);
	w->on_done(w->arg, c);
	free(w);
}

static void on_usual(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct config_wait *w = magic_cast(config_wait, call->arg);
	struct tenant_config *c = w->config;

	c->usual = xcalloc(error == DB_OK ? (size_t)PQntuples(rows) + 1 : 1, sizeof(*c->usual));
	for (int i = 0; error == DB_OK && i < PQntuples(rows); i++) {
		struct str s = db_text(rows, i, 0);

		c->usual[c->usuals].service_type = xstrndup(s.p, s.n);
		c->usual[c->usuals++].priority = priority_parse(db_text(rows, i, 1));
	}
	w->call = (struct db_call){
		.stmt = &sql_sla_choices, .ctx.role = DB_ROLE_JOB, .on_done = on_choices, .arg = w
	};
	db_call_int(&w->call, 0, c->tenant_id);
	db_exec(&w->call);
}

static void take_entry(struct tenant_config *c, const PGresult *rows, int i)
{
	int64_t policy = db_int(rows, i, 0), calendar = db_int(rows, i, 3);
	struct str service = db_text(rows, i, 1);
	const struct sla_version *v = versions_find(policy, calendar);

	if (!v)
		v = add_version(policy, calendar, db_text(rows, i, 2), db_text(rows, i, 4),
			db_text(rows, i, 7));
	c->entry[c->entries++] = (struct tenant_entry){
		db_is_null(rows, i, 1) ? NULL : xstrndup(service.p, service.n), v
	};
	c->config_version = db_int(rows, i, 5);
	c->zh = str_is(db_text(rows, i, 6), "zh");
}

static void on_config(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct config_wait *w = magic_cast(config_wait, call->arg);

	if (error == DB_OK) {
		w->config->entry = xcalloc((size_t)PQntuples(rows) + 1, sizeof(*w->config->entry));
		for (int i = 0; i < PQntuples(rows); i++)
			take_entry(w->config, rows, i);
	}
	if (error != DB_OK || !w->config->entries) {
		config_free(w->config);
		w->on_done(w->arg, NULL);
		free(w);
		return;
	}
	w->call = (struct db_call){
		.stmt = &sql_sla_usual, .ctx.role = DB_ROLE_JOB, .on_done = on_usual, .arg = w
	};
	db_call_int(&w->call, 0, w->config->tenant_id);
	db_exec(&w->call);
}

void tenant_config_get(int64_t tenant_id, bool fresh,
	void (*on_done)(void *arg, const struct tenant_config *c), void *arg)
{
	struct config_wait *w;

	for (struct tenant_config *c = known.configs; c && !fresh; c = c->next)
		if (c->tenant_id == tenant_id && clock_mono_us() - c->fetched_us < FRESH_US) {
			on_done(arg, c);
			return;
		}
	w = magic_new(config_wait);
	w->config = xcalloc(1, sizeof(*w->config));
	w->config->tenant_id = tenant_id;
	w->on_done = on_done;
	w->arg = arg;
	w->call = (struct db_call){
		.stmt = &sql_sla_config, .ctx.role = DB_ROLE_JOB, .on_done = on_config, .arg = w
	};
	db_call_int(&w->call, 0, tenant_id);
	db_call_int(&w->call, 1, clock_now_us());
	db_exec(&w->call);
}

const struct sla_version *tenant_config_version(
	const struct tenant_config *c, const char *service_type)
{
	const struct sla_version *any = NULL;

	for (int i = 0; i < c->entries; i++) {
		if (!c->entry[i].service_type)
			any = any ? any : c->entry[i].version;
		else if (service_type && strcmp(c->entry[i].service_type, service_type) == 0)
			return c->entry[i].version;
	}
	return any;
}

enum priority tenant_config_usual(const struct tenant_config *c, const char *service_type)
{
	for (int i = 0; i < c->usuals; i++)
		if (strcmp(c->usual[i].service_type, service_type) == 0)
			return c->usual[i].priority;
	return PRIORITY_NONE;
}

static const struct tenant_choice *find_choice(
	const struct tenant_config *c, const char *kind, const char *code)
{
	for (size_t i = 0; i < c->choices; i++)
		if (strcmp(c->choice[i].kind, kind) == 0 && strcmp(c->choice[i].code, code) == 0)
			return &c->choice[i];
	return NULL;
}

enum priority tenant_config_incident(const struct tenant_config *c, const char *type)
{
	const struct tenant_choice *found = type ? find_choice(c, "incident_type", type) : NULL;

	return found ? found->priority : PRIORITY_NONE;
}

bool tenant_config_allows(const struct tenant_config *c, const char *kind, const char *code)
{
	bool kept = false;

	for (size_t i = 0; i < c->choices; i++)
		if (strcmp(c->choice[i].kind, kind) == 0) {
			kept = true;
			if (strcmp(c->choice[i].code, code) == 0)
				return c->choice[i].active;
		}
	return !kept;
}

/* --- keywords --- */

static void keywords_clear(void)
{
	for (size_t i = 0; i < known.keyword_count; i++)
		free((char *)(uintptr_t)known.keywords[i].text);
	free(known.keywords);
	known.keywords = NULL;
	known.keyword_count = 0;
}

static void on_keywords(struct job_run *run, enum db_error error, const PGresult *rows)
{
	if (error == DB_OK) {
		known.keywords_read = true;
		keywords_clear();
		known.keywords = xcalloc((size_t)PQntuples(rows), sizeof(*known.keywords));
		for (int i = 0; i < PQntuples(rows); i++) {
			struct str s = db_text(rows, i, 0);
			struct keyword k = { .priority = priority_parse(db_text(rows, i, 2)) };

			if (!keyword_kind_parse(db_text(rows, i, 1), &k.kind))
				continue; /* of a newer version */
			k.text = xstrndup(s.p, s.n);
			known.keywords[known.keyword_count++] = k;
		}
	}
	job_end_db(run, error);
}

/* Retry soon until the words have been read for the first time: without them, no priority is
 * guessed from words. */
int64_t versions_keywords_every(void)
{
	return known.keywords_read ? 60000 : 250;
}

void versions_keywords_run(struct job_run *run)
{
	job_query(run, &sql_sla_keywords, on_keywords);
}

const struct keyword *priority_keywords(size_t *out_n)
{
	*out_n = known.keyword_count;
	return known.keywords;
}

void versions_free(void)
{
	keywords_clear();
	while (known.configs) {
		struct tenant_config *next = known.configs->next;

		config_free(known.configs);
		known.configs = next;
	}
	while (unreadables) {
		struct unreadable *next = unreadables->next;

		free(unreadables);
		unreadables = next;
	}
	while (known.versions) {
		struct sla_version *next = known.versions->next;

		calendar_free(known.versions->calendar);
		calendar_free(known.versions->ladder);
		free(known.versions);
		known.versions = next;
	}
}
