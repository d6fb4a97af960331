/* SPDX-License-Identifier: Apache-2.0
 * sladesk demo --live: the people of the demo at work. Each logs in through the API and opens,
 * answers and resolves tickets, as the plans of the tickets say (plan.c), but faster. What comes
 * next is read from the tickets themselves, so the simulator can end and begin again at any time.
 * It leaves a ticket alone that a visitor has opened or touched. */
#include "demo.h"
#include "base/json.h"
#include "sql_gen.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define OFFICE_GAP_S 1200 /* between two new tickets, on average */
#define TICK_US 500000
#define AWAY_MAX_US (60 * US_PER_S) /* how long the server may be unreachable */
#define PERSONS_MAX 64
#define LEFT_MAX 100000

struct person {
	char tenant[32], username[64];
	char *token;
};

static struct {
	const char *url;
	int64_t pace, begin_us;
	int64_t silent_us; /* since when the server does not answer; 0: it does */
	CURL *curl;
	struct buf answer;
	struct person person[PERSONS_MAX];
	size_t persons, opened;
	int64_t *left; /* tickets that are left alone */
	size_t lefts;
	struct demo_dice dice;
} live;
static volatile sig_atomic_t ended;

static void on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static void nap(int64_t us)
{
	struct timespec t = { us / US_PER_S, us % US_PER_S * 1000 };

	if (!ended)
		nanosleep(&t, NULL); /* a signal ends it */
}

/* --- requests --- */

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
	(void)arg;
	if (live.answer.n < (1u << 20))
		buf_add(&live.answer, p, size * n);
	return size * n;
}

/* Returns the status; 0 if there was no answer. */
static long post(const char *path, const char *token, const char *body)
{
	char *url = xasprintf("%s%s", live.url, path),
	     *auth = xasprintf("Authorization: Bearer %s", token ? token : "");
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	long status = 0;

	if (token)
		headers = curl_slist_append(headers, auth);
	live.answer.n = 0;
	curl_easy_reset(live.curl);
	curl_easy_setopt(live.curl, CURLOPT_URL, url);
	curl_easy_setopt(live.curl, CURLOPT_TIMEOUT, ended ? 1L : 10L);
	curl_easy_setopt(live.curl, CURLOPT_PROXY, "");
	curl_easy_setopt(live.curl, CURLOPT_USERAGENT, "sladesk demo");
	curl_easy_setopt(live.curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(live.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(live.curl, CURLOPT_HTTPHEADER, headers);
	if (curl_easy_perform(live.curl) == CURLE_OK) {
		curl_easy_getinfo(live.curl, CURLINFO_RESPONSE_CODE, &status);
		live.silent_us = 0;
	} else if (!live.silent_us) {
		live.silent_us = clock_mono_us();
	}
	curl_slist_free_all(headers);
	OPENSSL_cleanse(auth, strlen(auth));
	free(auth);
	free(url);
	return status;
}

/* A text of the answer's data. The caller frees it; NULL if it has none. */
static char *answered(const char *name)
{
	struct json_error err;
	struct json_object *o = json_read(live.answer.p, live.answer.n, &err);
	const char *s = json_get_string(json_get(o, "data"), name);
	char *out = s ? xstrdup(s) : NULL;

	json_object_put(o);
	return out;
}

static struct person *person(const char *tenant, const char *username)
{
	for (size_t i = 0; i < live.persons; i++)
		if (strcmp(live.person[i].tenant, tenant) == 0 &&
			strcmp(live.person[i].username, username) == 0)
			return &live.person[i];
	if (live.persons == PERSONS_MAX)
		return NULL;
	snprintf(live.person[live.persons].tenant, 32, "%s", tenant);
	snprintf(live.person[live.persons].username, 64, "%s", username);
	return &live.person[live.persons++];
}

static long log_in(struct person *who)
{
	struct buf b = { 0 };
	long status;

	buf_adds(&b, "{\"username\":");
	buf_add_json(&b, who->username, strlen(who->username));
	if (who->tenant[0]) {
		buf_adds(&b, ",\"tenant\":");
		buf_add_json(&b, who->tenant, strlen(who->tenant));
	}
	buf_adds(&b, ",\"password\":\"" DEMO_PASSWORD "\"}");
	status = post("/api/v1/auth/login", NULL, buf_cstr(&b));
	buf_free(&b);
	free(who->token);
	who->token = status == 200 ? answered("access_token") : NULL;
	return status;
}

/* As WHO, who logs in if necessary. */
static long post_as(struct person *who, const char *path, const char *body)
{
	long status = who->token ? post(path, who->token, body) : 401;

	if (status == 401) {
		status = log_in(who);
		if (who->token)
			status = post(path, who->token, body);
	}
	return status;
}

static void say(const struct person *who, const char *what, const char *ticket, long status)
{
	char at[32];

	time_format(clock_now_us(), 3, at);
	printf("%s %s%s%s %s %s%s\n", at, who->username, who->tenant[0] ? "@" : "", who->tenant,
		what, ticket, status >= 200 && status < 300 ? "" : " refused");
	fflush(stdout);
}

static void log_out(void)
{
	for (size_t i = 0; i < live.persons; i++) {
		if (live.person[i].token && !live.silent_us)
			post("/api/v1/auth/logout", live.person[i].token, "{}");
		free(live.person[i].token);
	}
}

/* --- steps --- */

static bool is_left(int64_t id)
{
	for (size_t i = 0; i < live.lefts; i++)
		if (live.left[i] == id)
			return true;
	return false;
}

static void leave(int64_t id)
{
	live.left = xrealloc(live.left, (live.lefts + 1) * sizeof(*live.left));
	live.left[live.lefts++] = id;
}

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", name);
	buf_add_json(b, text, strlen(text));
}

static char *body_of(const struct demo_plan *p, const struct demo_step *s, enum priority priority)
{
	struct buf b = { 0 };
	char *text = s->text ? demo_text(s->text, s->text_n, p->subject) : NULL,
	     *details = s->cmd == CMD_RESOLVE ? demo_details(p, priority) : NULL, until[32];
	bool is_reason = s->cmd == CMD_WAIT_CUSTOMER || s->cmd == CMD_SCHEDULE ||
			 s->cmd == CMD_RESUME || s->cmd == CMD_CANCEL || s->cmd == CMD_REOPEN;

	buf_addc(&b, '{');
	if (text)
		add_text(&b, is_reason ? "reason" : "text", text);
	if (s->cmd == CMD_SCHEDULE) {
		time_format(clock_now_us() + (s->until_s / live.pace + 1) * US_PER_S, 3, until);
		add_text(&b, "until", until);
	}
	if (s->cmd == CMD_RATE)
		buf_addf(&b, "%s\"score\":%d", b.n > 1 ? "," : "", s->score);
	if (details) { /* {…}: its members */
		buf_addc(&b, ',');
		buf_add(&b, details + 1, strlen(details) - 2);
	}
	buf_addc(&b, '}');
	free(text);
	free(details);
	return buf_take(&b);
}

struct open_ticket {
	int64_t id, opened_at, last_at;
	const char *number, *title, *tenant, *requester, *types;
	enum priority priority;
};

static const char *code_of(PGconn *pg, const char *id)
{
	static char ids[DEMO_TENANTS][24];

	for (int i = 0; i < DEMO_TENANTS; i++) {
		if (!ids[i][0]) {
			char *found = cli_tenant_id(pg, demo_tenants[i].code);

			snprintf(ids[i], sizeof(ids[i]), "%s", found);
			free(found);
		}
		if (strcmp(ids[i], id) == 0)
			return demo_tenants[i].code;
	}
	return NULL;
}

/* When the next step is taken. What was under way before the simulator began goes on from where it
 * stands. A ticket whose plan misses a deadline is not hurried: its deadlines are real. */
static int64_t due_at(const struct open_ticket *t, const struct demo_plan *p, int i)
{
	int64_t pace = !p->late                ? live.pace
		       : live.pace > DEMO_PACE ? live.pace / DEMO_PACE
					       : 1,
		usual;

	if (t->last_at >= live.begin_us)
		return t->last_at + p->step[i].delay_s * US_PER_S / pace;
	usual = demo_step_at(p, i, t->last_at);
	return usual < live.begin_us ? live.begin_us + t->id % 60 * US_PER_S / pace
				     : live.begin_us + (usual - live.begin_us) / pace;
}

static void take_step(const struct open_ticket *t)
{
	struct demo_plan p;
	int done = demo_plan_make(&p, t->title, t->opened_at, t->priority)
			   ? demo_plan_done(&p, t->types)
			   : -1;
	const struct demo_step *s;
	struct person *who;
	char *path, *body;
	long status;

	if (done < 0) {
		leave(t->id);
		return;
	}
	if (done == p.n || due_at(t, &p, done) > clock_now_us())
		return;
	s = &p.step[done];
	who = s->actor == ACTOR_STAFF ? person("", demo_staff[p.engineer].username)
				      : person(t->tenant, t->requester);
	if (!who)
		return;
	path = xasprintf("/api/v1/tickets/%lld/%s", (long long)t->id,
		s->cmd == CMD_CUSTOMER_REPLY ? "reply" : ticket_rule(s->cmd)->name);
	body = body_of(&p, s, t->priority);
	status = post_as(who, path, body);
	if (status) /* of an unreachable server, nothing is said on every tick */
		say(who, ticket_rule(s->cmd)->name, t->number, status);
	if (status >= 400 && status < 500 && status != 429)
		leave(t->id);
	free(body);
	free(path);
}

static void take_steps(PGconn *pg)
{
	char since[32];
	const char *p[] = { since };
	PGresult *r;

	time_format(clock_now_us() - 3600 * US_PER_S, 6, since);
	r = cli_exec(pg, &sql_cli_demo_open, p);
	for (int i = 0; i < PQntuples(r) && !ended; i++) {
		struct open_ticket t = { .id = strtoll(PQgetvalue(r, i, 1), NULL, 10),
			.opened_at = strtoll(PQgetvalue(r, i, 5), NULL, 10),
			.last_at = strtoll(PQgetvalue(r, i, 8), NULL, 10),
			.number = PQgetvalue(r, i, 2),
			.title = PQgetvalue(r, i, 3),
			.tenant = code_of(pg, PQgetvalue(r, i, 0)),
			.requester = PQgetvalue(r, i, 6),
			.types = PQgetvalue(r, i, 7),
			.priority = priority_parse(str_of(PQgetvalue(r, i, 4))) };

		if (t.tenant && !is_left(t.id))
			take_step(&t);
	}
	PQclear(r);
}

/* --- new tickets --- */

/* The first is a common one and the third a critical one, so that a visitor sees both soon. */
static enum priority next_priority(void)
{
	int64_t n = demo_roll(&live.dice, 1, 100);

	if (live.opened == 2)
		return P0;
	return live.opened == 0 || n > 70 ? P2 : n <= 3 ? P0 : n <= 15 ? P1 : n <= 55 ? P3 : P4;
}

static const char *const requesters[DEMO_TENANTS][3] = { { "user", "lin.xiao", "he.jun" },
	{ "user", "amy.cole", "bob.lee" }, { "user", "qian.feng", "tang.yu" } };

static void open_ticket(void)
{
	enum priority want = next_priority();
	int who_i = (int)demo_roll(&live.dice, 0, DEMO_TENANTS - 1);
	const struct demo_tenant *of = &demo_tenants[who_i];
	const struct demo_story *s;
	struct person *who = person(of->code, requesters[who_i][demo_roll(&live.dice, 0, 2)]);
	char *subject, *title, *text, *number;
	struct buf b = { 0 };
	long status;

	if (want == P4 && strcmp(of->policy, "basic") == 0)
		want = P3;
	do
		s = &demo_stories[demo_roll(&live.dice, 0, (int64_t)demo_story_count - 1)];
	while (s->priority != want || s->zh != (strcmp(of->lang, "zh") == 0));
	subject = demo_subject(s, demo_roll(&live.dice, 0, 11));
	title = demo_text(s->title, strlen(s->title), subject);
	text = demo_text(s->text, strlen(s->text), subject);
	buf_addc(&b, '{');
	add_text(&b, "title", title);
	add_text(&b, "description", text);
	add_text(&b, "category", s->category);
	add_text(&b, "service_type", s->kind ? s->kind : "incident");
	/* the grave ones are left to the words: the desk decides */
	if (want > P0)
		add_text(&b, "priority", priority_name(want));
	buf_addc(&b, '}');
	status = who ? post_as(who, "/api/v1/tickets", buf_cstr(&b)) : 0;
	number = status == 201 ? answered("number") : NULL;
	if (status)
		say(who, "opens", number ? number : title, status);
	live.opened += status == 201;
	free(number);
	free(text);
	free(title);
	free(subject);
	buf_free(&b);
}

/* The longer it runs, the fewer tickets are opened: a demo that runs for a day stays readable. */
static int64_t next_gap(void)
{
	int64_t gap = OFFICE_GAP_S * US_PER_S / live.pace;

	gap += gap * (int64_t)live.opened / 40;
	return gap / 2 + demo_roll(&live.dice, 0, gap);
}

int demo_live(PGconn *pg, const char *url, int64_t pace)
{
	struct sigaction end = { .sa_handler = on_end };
	int64_t next_us;

	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	live.url = url;
	live.pace = pace;
	live.begin_us = clock_now_us();
	live.curl = curl_easy_init();
	live.dice.state = (uint64_t)clock_now_us();
	next_us = clock_mono_us() + next_gap() / 4;
	while (!ended) {
		take_steps(pg);
		if (clock_mono_us() >= next_us) {
			open_ticket();
			next_us = clock_mono_us() + next_gap();
		}
		if (live.silent_us && clock_mono_us() - live.silent_us > AWAY_MAX_US)
			die("no answer from %s", url);
		nap(TICK_US);
	}
	log_out();
	curl_easy_cleanup(live.curl);
	curl_global_cleanup();
	buf_free(&live.answer);
	free(live.left);
	printf("ended: %zu tickets opened\n", live.opened);
	return 0;
}
