/* SPDX-License-Identifier: Apache-2.0
 * sladesk isolation check: proves on a running server that one customer cannot reach another's
 * data. It calls every route in the server's own openapi.json as a user and as a service of
 * customer A, with every kind of id of customer B in path and query, and checks that no text or row
 * of B comes back and no row of B changes. A request that the server's limits refuse is repeated
 * until it is answered, because a refusal proves nothing. The identities live for at most an hour
 * and are removed at the end. */
#include "cli/cli.h"
#include "base/magic.h"
#include "base/json.h"
#include "crypto/crypto.h"
#include "config/keyfile.h"
#include "config/options.h"
#include "sql_gen.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIFETIME_S 3600
#define WAIT_MAX_S 60 /* for the limits, before one request is repeated */
#define MARKS_MAX 200
#define TOO_MANY_REQUESTS 429
#define NOT_AUTHENTICATED 401

struct list {
	char *v[MARKS_MAX];
	size_t n;
};

struct walk {
	uint32_t magic;
	const char *base;
	char a[24], b[24]; /* tenant ids */
	struct list ids, marks;
	char *token[2]; /* as a user, as a service */
	CURL *curl;
	struct buf *answer;       /* to the request in progress */
	curl_off_t retry_after_s; /* what the last answer said, in seconds; 0: nothing */
	size_t requests, leaks, routes;
	long status[600];
};
MAGIC(walk, 0x9c75863d);

/* --- the data of B --- */

static void add_rows(PGconn *pg, struct list *l, const struct sql_stmt *stmt, const char *tenant)
{
	PGresult *r = cli_exec(pg, stmt, &tenant);

	for (int i = 0; i < PQntuples(r) && l->n < MARKS_MAX; i++)
		l->v[l->n++] = xstrdup(PQgetvalue(r, i, 0));
	PQclear(r);
}

/* A text that A has too proves nothing: A's own copy may come back. */
static void keep_foreign(PGconn *pg, struct walk *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->marks.n; i++) {
		const char *p[] = { w->a, w->marks.v[i] };
		PGresult *r = cli_exec(pg, &sql_cli_isolation_has, p);

		if (PQgetvalue(r, 0, 0)[0] == 'f')
			w->marks.v[n++] = w->marks.v[i];
		else
			free(w->marks.v[i]);
		PQclear(r);
	}
	w->marks.n = n;
}

/* Ids that A has too are left out: A's own rows with the same number would rightly come back. */
static void collect(PGconn *pg, struct walk *w)
{
	add_rows(pg, &w->ids, &sql_cli_isolation_ids, w->b);
	w->ids.v[w->ids.n++] = xstrdup(w->b);
	add_rows(pg, &w->marks, &sql_cli_isolation_marks, w->b);
	keep_foreign(pg, w);
}

/* A digest over all rows of B that a request might change, in how many tables. */
static char *digest(PGconn *pg, const char *tenant, long *tables)
{
	PGresult *r = cli_exec(pg, &sql_cli_isolation_digest, &tenant);
	char *out = xstrdup(PQgetvalue(r, 0, 0));

	*tables = strtol(PQgetvalue(r, 0, 1), NULL, 10);
	PQclear(r);
	return out;
}

/* --- the identities --- */

static char *id_of(PGconn *pg, const char *code)
{
	PGresult *r = cli_exec(pg, &sql_cli_isolation_tenant, &code);
	char *id;

	if (!PQntuples(r))
		die("no such customer: %s; a code of tenant list, such as acme", code);
	id = xstrdup(PQgetvalue(r, 0, 0));
	PQclear(r);
	return id;
}

static char *as_user(PGconn *pg, const char *tenant)
{
	int64_t now_s = clock_now_us() / US_PER_S;
	struct token_claims c = { .tenant_id = strtoll(tenant, NULL, 10),
		.session_id = 0,
		.expires_s = now_s + LIFETIME_S };
	char now[32], until[32];
	const char *p[] = { tenant, now, until };
	PGresult *r;

	time_format(now_s * US_PER_S, 6, now);
	time_format((now_s + LIFETIME_S) * US_PER_S, 6, until);
	r = cli_exec(pg, &sql_cli_isolation_session, p);
	if (!PQntuples(r))
		die("the customer has no active user to test with");
	c.session_id = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
	PQclear(r);
	return token_sign(TOKEN_ACCESS, &c, now_s);
}

static char *as_service(PGconn *pg, const char *tenant)
{
	char secret[65], sha[65], now[32], until[32], *token;
	const char *p[] = { tenant, sha, now, until };
	PGresult *r;

	crypto_random_hex(secret, 32);
	crypto_sha256_hex(secret, 64, sha);
	time_format(clock_now_us(), 6, now);
	time_format(clock_now_us() + LIFETIME_S * US_PER_S, 6, until);
	r = cli_exec(pg, &sql_cli_isolation_token, p);
	token = xasprintf("sd1.%s.%s.%s", tenant, PQgetvalue(r, 0, 0), secret);
	PQclear(r);
	return token;
}

static void remove_tokens(PGconn *pg, const char *tenant)
{
	cli_do(pg, &sql_cli_isolation_end, &tenant);
}

/* --- requests --- */

static size_t on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct walk *w = magic_cast(walk, arg);

	if (w->answer->n < (8u << 20))
		buf_add(w->answer, p, size * n);
	return size * n;
}

static long send_request(struct walk *w, const char *method, const char *path, const char *token,
	const char *body, struct buf *out)
{
	char *url = xasprintf("%s%s", w->base, path),
	     *auth = xasprintf("Authorization: Bearer %s", token ? token : "");
	struct curl_slist *headers = token ? curl_slist_append(NULL, auth) : NULL;
	long status = 0;

	out->n = 0;
	w->answer = out;
	curl_easy_reset(w->curl);
	curl_easy_setopt(w->curl, CURLOPT_URL, url);
	curl_easy_setopt(w->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(w->curl, CURLOPT_TIMEOUT, 20L);
	curl_easy_setopt(w->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, w);
	if (body)
		curl_easy_setopt(w->curl, CURLOPT_COPYPOSTFIELDS, body);
	curl_easy_setopt(w->curl, CURLOPT_HTTPHEADER, headers);
	if (curl_easy_perform(w->curl) != CURLE_OK)
		die("no answer from %s", url);
	curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(w->curl, CURLINFO_RETRY_AFTER, &w->retry_after_s);
	curl_slist_free_all(headers);
	OPENSSL_cleanse(auth, strlen(auth));
	free(auth);
	free(url);
	return status;
}

/* What was sent may come back; a text of B that was not sent must never come back. */
static const char *leaked(const struct walk *w, const char *sent, struct buf *answer)
{
	const char *text = buf_cstr(answer);
	static char tenant[48];

	for (size_t i = 0; i < w->marks.n; i++)
		if (strstr(text, w->marks.v[i]) && !strstr(sent, w->marks.v[i]))
			return w->marks.v[i];
	snprintf(tenant, sizeof(tenant), "\"tenant_id\":%s", w->b);
	for (const char *at = strstr(text, tenant); at; at = strstr(at + 1, tenant))
		if (at[strlen(tenant)] == ',' || at[strlen(tenant)] == '}')
			return tenant;
	return NULL;
}

/* The same, repeated as long as the limits refuse it. */
static long send_until_answered(struct walk *w, const char *method, const char *path,
	const char *token, const char *body, struct buf *out)
{
	long status;

	while ((status = send_request(w, method, path, token, body, out)) == TOO_MANY_REQUESTS)
		sleep(w->retry_after_s > WAIT_MAX_S ? WAIT_MAX_S
			: w->retry_after_s > 0      ? (unsigned)w->retry_after_s
						    : 1);
	return status;
}

static void try_path(struct walk *w, const char *method, const char *path)
{
	static struct buf answer;

	for (int who = 0; who < 2; who++) {
		bool reads = strcmp(method, "GET") == 0;
		long status = send_until_answered(w, method, path, w->token[who],
			reads || strcmp(method, "DELETE") == 0 ? NULL : "{}", &answer);
		const char *what = leaked(w, path, &answer);

		w->requests++;
		if (status >= 0 && status < 600)
			w->status[status]++;
		if (!what && status < 500)
			continue;
		w->leaks++;
		printf("LEAK  %s %s as %s: status %ld%s%s\n", method, path,
			who ? "service" : "user", status, what ? ", holds " : "", what ? what : "");
	}
}

/* PATH with every {parameter} replaced by V. */
static char *filled(const char *path, const char *v)
{
	struct buf b = { 0 };

	for (const char *p = path; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (!end) {
			buf_addc(&b, *p);
			continue;
		}
		buf_adds(&b, strncmp(p, "{kind}", 6) == 0 ? "department" : v);
		p = end;
	}
	return buf_take(&b);
}

/* The routes of the caller's own sessions and logins are left out: they belong to nobody else, and
 * would end the check. */
static bool is_walked(const char *path)
{
	static const char *const not [] = { "logout", "/auth/login", "/client/login",
		"/auth/refresh", "/auth/password", "/test/", "/live", "/sso/", "/passkey",
		"second-factor", "/client/theme/{tenant_id}", "recovery-codes" };

	if (strncmp(path, "/api/", 5) != 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(not ); i++)
		if (strstr(path, not [i]))
			return false;
	return true;
}

static void walk_route(struct walk *w, const char *method, const char *path, struct json_object *op)
{
	struct json_object *params = json_get(op, "parameters");
	size_t n =
		json_object_is_type(params, json_type_array) ? json_object_array_length(params) : 0;
	bool reads = strcmp(method, "GET") == 0, has_path = strchr(path, '{') != NULL;

	if (!reads && !has_path)
		return; /* it would change A's own data */
	w->routes++;
	for (size_t i = 0; i < w->ids.n; i++) {
		char *p = filled(path, w->ids.v[i]);

		if (has_path || i == 0)
			try_path(w, method, p);
		for (size_t k = 0; reads && !has_path && k < n; k++) {
			struct json_object *one = json_object_array_get_idx(params, k);
			const char *name = json_get_string(one, "name"),
				   *in = json_get_string(one, "in");
			char *q;

			if (!name || !in || strcmp(in, "query") != 0)
				continue;
			q = xasprintf("%s?%s=%s", p, name, w->ids.v[i]);
			try_path(w, method, q);
			free(q);
			q = xasprintf("%s?%s=%s_%s", p, name, w->ids.v[i], w->ids.v[i]);
			try_path(w, method, q);
			free(q);
		}
		free(p);
	}
}

static void walk_all(struct walk *w)
{
	struct buf text = { 0 };
	struct json_error err;
	struct json_object *doc, *paths;
	size_t all = 0, done = 0;

	if (send_request(w, "GET", "/openapi.json", NULL, NULL, &text) != 200)
		die("%s/openapi.json cannot be read", w->base);
	doc = json_read_own(text.p, text.n, &err);
	paths = json_get(doc, "paths");
	if (!json_object_is_type(paths, json_type_object))
		die("%s/openapi.json lists no paths", w->base);
	all = (size_t)json_object_object_length(paths);
	json_object_object_foreach(paths, path, methods)
	{
		cli_progress(++done, all);
		if (!is_walked(path))
			continue;
		json_object_object_foreach(methods, method, op)
		{
			char upper[8] = "";

			for (size_t i = 0; i < sizeof(upper) - 1 && method[i]; i++)
				upper[i] = (char)(method[i] - 32);
			walk_route(w, upper, path, op);
		}
	}
	json_object_put(doc);
	buf_free(&text);
}

static void free_list(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
}

/* Requests that the server did not take for the customer's prove nothing. */
static const char *verdict(const struct walk *w)
{
	if (w->leaks)
		return "NOT ISOLATED";
	if (w->status[NOT_AUTHENTICATED])
		return "NOT TESTED: the session or the token of the check ended before the check "
		       "did";
	return "isolated: no data was returned and no row changed";
}

static int cmd_isolation(int argc, char **argv)
{
	const char *a = cli_option(argc, argv, "as", NULL),
		   *b = cli_option(argc, argv, "against", NULL);
	struct walk w = { .magic = walk_magic,
		.base = cli_option(argc, argv, "url", options.http_url) };
	char *before, *after, *id;
	long tables;
	PGconn *pg;

	if (argc < 1 || strcmp(argv[0], "check") != 0)
		die("isolation check --as C --against C [--url U]");
	pg = cli_connect();
	keyfile_open();
	id = id_of(pg, a);
	snprintf(w.a, sizeof(w.a), "%s", id);
	free(id);
	id = id_of(pg, b);
	snprintf(w.b, sizeof(w.b), "%s", id);
	free(id);
	if (strcmp(w.a, w.b) == 0)
		die("--as and --against name the same customer");
	collect(pg, &w);
	w.token[0] = as_user(pg, w.a);
	w.token[1] = as_service(pg, w.a);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	w.curl = curl_easy_init();
	before = digest(pg, w.b, &tables);
	walk_all(&w);
	after = digest(pg, w.b, &tables);
	remove_tokens(pg, w.a);
	if (strcmp(before, after) != 0) {
		w.leaks++;
		printf("CHANGED  rows of %s have changed (its own users may have worked "
		       "meanwhile)\n",
			b);
	}
	printf("%zu requests over %zu routes as a user and a service of %s, with %zu ids of %s, "
	       "looking for %zu of its texts\n",
		w.requests, w.routes, a, w.ids.n, b, w.marks.n);
	for (int s = 0; s < 600; s++)
		if (w.status[s])
			printf("  %d: %ld\n", s, w.status[s]);
	printf("rows of %s in %ld tables before %s, after %s\n%s\n", b, tables, before, after,
		verdict(&w));
	free(before);
	free(after);
	for (int i = 0; i < 2; i++)
		free(w.token[i]);
	free_list(&w.ids);
	free_list(&w.marks);
	curl_easy_cleanup(w.curl);
	curl_global_cleanup();
	PQfinish(pg);
	token_keys_free();
	return w.leaks || w.status[NOT_AUTHENTICATED] ? 1 : 0;
}

const struct command selftest_commands[] = {
	{ "isolation", cmd_isolation,
		"isolation check --as C --against C [--url U]\n"
		"      test a running server: one customer must not reach another's data" },
	{ 0 },
};
