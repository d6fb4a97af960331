/* SPDX-License-Identifier: Apache-2.0
 * COPY … TO STDOUT over a separate connection, a few milliseconds per turn. */
#include "base/clock.h"
#include "base/magic.h"
#include "base/log.h"
#include "db/db.h"
#include "inner.h"
#include "loop/loop.h"

#include <event2/event.h>
#include <stdlib.h>

#define PART "copying from postgresql"

struct copy {
	uint32_t magic;
	PGconn *pg;
	struct event *ev;
	char *sql;
	enum { COPY_CONNECTING, COPY_ASKED, COPY_DATA } state;
	void (*on_data)(void *arg, const char *bytes, size_t n);
	void (*on_done)(void *arg, bool ok);
	void *arg;
};
MAGIC(copy, 0x74644f99);

static void on_copy_io(evutil_socket_t fd, short what, void *arg);

/* That the server is away is told by its connections. */
static void note_failure(const struct copy *c)
{
	if (!outage_is_on("postgresql"))
		outage_note(LOG_WARN, PART, "%.200s", c->pg ? PQerrorMessage(c->pg) : "");
}

static void copy_end(struct copy *c, bool ok)
{
	if (!ok)
		note_failure(c);
	else
		outage_back(PART);
	if (c->ev)
		event_free(c->ev);
	PQfinish(c->pg);
	free(c->sql);
	c->on_done(c->arg, ok);
	magic_end(c);
	later_free(c);
}

static void copy_watch(struct copy *c, short what)
{
	static const struct timeval limit = { 30, 0 };

	if (c->ev)
		event_free(c->ev);
	c->ev = event_new(loop_base(), PQsocket(c->pg), what, on_copy_io, c);
	event_add(c->ev, &limit);
}

/* Read what is there, but not for longer than 4 ms per turn. */
static void copy_read(struct copy *c)
{
	int64_t began = clock_mono_us();
	char *bytes;
	int n = 0;

	if (!PQconsumeInput(c->pg)) {
		copy_end(c, false);
		return;
	}
	if (c->state == COPY_ASKED) {
		PGresult *r;

		if (PQisBusy(c->pg)) {
			copy_watch(c, EV_READ);
			return;
		}
		r = PQgetResult(c->pg);
		n = PQresultStatus(r);
		PQclear(r);
		if (n != PGRES_COPY_OUT) {
			copy_end(c, false);
			return;
		}
		c->state = COPY_DATA;
	}
	while (clock_mono_us() - began < 4000) {
		for (int i = 0; i < 64; i++) {
			n = PQgetCopyData(c->pg, &bytes, 1);
			if (n <= 0)
				break;
			c->on_data(c->arg, bytes, (size_t)n);
			PQfreemem(bytes);
		}
		if (n <= 0)
			break;
	}
	if (n == 0) {
		copy_watch(c, EV_READ);
	} else if (n > 0) {
		copy_watch(c, EV_READ | EV_WRITE); /* more is buffered: continue next turn */
	} else {
		PGresult *r = n == -1 ? PQgetResult(c->pg) : NULL;
		bool ok = r && PQresultStatus(r) == PGRES_COMMAND_OK;

		PQclear(r);
		copy_end(c, ok);
	}
}

static void copy_connect(struct copy *c)
{
	switch (PQconnectPoll(c->pg)) {
	case PGRES_POLLING_READING:
		copy_watch(c, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		copy_watch(c, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		if (!PQsendQuery(c->pg, c->sql) || PQflush(c->pg) != 0) {
			copy_end(c, false);
			return;
		}
		c->state = COPY_ASKED;
		copy_watch(c, EV_READ);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		copy_end(c, false);
		break;
	}
}

static void on_copy_io(evutil_socket_t fd, short what, void *arg)
{
	struct copy *c = magic_cast(copy, arg);

	(void)fd;
	if (what & EV_TIMEOUT)
		copy_end(c, false);
	else if (c->state == COPY_CONNECTING)
		copy_connect(c);
	else
		copy_read(c);
	loop_note_turn("copy");
}

static void copy_start(void *arg)
{
	struct copy *c = magic_cast(copy, arg);

	c->pg = db_start_job_connection("sladeskd copy", "-c timezone=UTC -c jit=off");
	if (!c->pg || PQstatus(c->pg) == CONNECTION_BAD)
		copy_end(c, false);
	else
		copy_watch(c, EV_WRITE);
}

/* COPY has no parameters, so the number is written into the text. */
static char *copy_text(const struct sql_stmt *stmt, int64_t param)
{
	struct buf b = { 0 };
	const char *p = stmt->text, *next;

	bug_on(stmt->param_count != 1);
	buf_adds(&b, "copy (");
	while ((next = strstr(p, "$1"))) {
		buf_add(&b, p, (size_t)(next - p));
		buf_add_int(&b, param);
		p = next + 2;
	}
	buf_adds(&b, p);
	buf_adds(&b, ") to stdout (format binary)");
	return buf_take(&b);
}

void db_copy_out(const struct sql_stmt *stmt, int64_t param,
	void (*on_data)(void *arg, const char *bytes, size_t n),
	void (*on_done)(void *arg, bool ok), void *arg)
{
	struct copy *c = magic_new(copy);

	*c = (struct copy){ .magic = copy_magic,
		.sql = copy_text(stmt, param),
		.on_data = on_data,
		.on_done = on_done,
		.arg = arg };
	later_call(copy_start, c);
}
