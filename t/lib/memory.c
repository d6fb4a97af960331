/* SPDX-License-Identifier: Apache-2.0
 * Runs one module with fixed input and writes the result to standard output: run under
 * failmalloc.so for every N. memory MODULE */
#include "base/json.h"
#include "cli/cli.h"
#include "crypto/crypto.h"
#include "http/parse.h"
#include "http/ws.h"
#include "ticket/priority.h"
#include "ticket/ticket.h"

#include <stdio.h>
#include <stdlib.h>

static void json(void)
{
	static const char text[] = "{\"title\":\"数据库\",\"tags\":[\"a\",\"b\"],\"n\":-12,"
				   "\"deep\":{\"x\":[1,2.5,null,true]},"
				   "\"long\":\"a line that outgrows what json-c takes at first, "
				   "\\u5b95\\u673a and more of it, and more, and more, and more\"}";
	struct json_error err;
	struct json_object *o = json_read(text, sizeof(text) - 1, &err);
	struct buf b = { 0 };

	if (!o)
		exit(3);
	json_write(&b, o);
	puts(buf_cstr(&b));
	buf_free(&b);
	json_object_put(o);
}

static void http(void)
{
	static const char text[] =
		"POST /api/v1/tickets?title=%E5%AE%95%E6%9C%BA&x=1 HTTP/1.1\r\nHost: desk\r\n"
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
	static struct http_head h;
	struct http_chunked c = { 0 };
	int used = http_parse_head(text, sizeof(text) - 1, &h);
	size_t at = (size_t)used, n;
	struct str rest = h.query, k, v;
	struct arena a = { 0 };
	const char *body;

	while (http_query_next(&rest, &k, &v)) {
		char *out = arena_alloc(&a, v.n + 1);

		http_decode(v, true, out, &n);
		printf("%.*s=%.*s\n", (int)k.n, k.p, (int)n, out);
	}
	while (at < sizeof(text) - 1 && !c.done) {
		int64_t u = http_chunked_next(&c, text + at, sizeof(text) - 1 - at, &body, &n);

		if (u <= 0)
			exit(3);
		printf("%.*s\n", (int)n, body);
		at += (size_t)u;
	}
	arena_free(&a);
}

static void ticket(void)
{
	static const enum ticket_command life[] = { CMD_ACCEPT, CMD_CONFIRM, CMD_WAIT_CUSTOMER,
		CMD_RESUME, CMD_MITIGATE, CMD_RESOLVE, CMD_REOPEN, CMD_RESOLVE };
	enum ticket_state s = TICKET_NEW;

	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		if (ticket_apply(life[i], s, ACTOR_STAFF, &s) != TICKET_ALLOWED)
			exit(3);
		puts(ticket_state_name(s));
	}
}

static void jwt(void)
{
	struct token_claims in = { 12, 34, 2000000000 }, out = { 0 };
	char *key = token_keys_rotate(NULL, 0, 1900000000, true), *token;

	if (!key || !token_keys_load(key, strlen(key)))
		exit(3);
	token = token_sign(TOKEN_ACCESS, &in, 1900000000);
	if (!token || !token_verify(TOKEN_ACCESS, token, strlen(token), 1900000001, &out))
		exit(3);
	printf("%d %d %d\n", (int)out.tenant_id, (int)out.session_id, (int)out.expires_s);
	free(token);
	free(key);
	token_keys_free();
}

static void ws(void)
{
	struct buf b = { 0 };
	struct ws_frame *f;

	for (int i = 0; i < 400; i++)
		buf_addf(&b, "{\"seq\":%d}", i);
	f = ws_frame_new(b.p, b.n, false);
	puts(f ? "frame" : "none");
	ws_frame_put(f);
	buf_free(&b);
}

static void csv(void)
{
	const char *file = getenv("CSV");
	struct str f[8];
	long line, column;
	struct csv *c = csv_open(file);
	int n;

	while ((n = csv_next(c, f, 8, &line, &column)) != -1)
		printf("%ld: %d %.*s\n", line, n, n > 0 ? (int)f[0].n : 0, n > 0 ? f[0].p : "");
	csv_close(c);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modules[] = { { "json", json }, { "http", http }, { "ticket", ticket }, { "jwt", jwt },
		{ "ws", ws }, { "csv", csv } };

	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(modules); i++)
		if (strcmp(argv[1], modules[i].name) == 0) {
			modules[i].run();
			return fflush(stdout) ? 3 : 0;
		}
	return 2;
}
