/* SPDX-License-Identifier: Apache-2.0
 * The clocks of imported tickets stand still at the last instant of their log: nothing fires, and
 * nobody is notified. When they go live, thresholds due before that instant are recorded silently,
 * the time since then is excluded (one excluded window), and from now on they are ordinary tickets.
 */
#include "cli/cli.h"
#include "base/json.h"
#include "ticket/ticket_doc.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

struct frozen {
	struct ticket t;
	const struct cli_version *v;
};

static bool load_frozen(PGconn *pg, const char *tenant, const char *id, struct frozen *f)
{
	const char *p[] = { tenant, id };
	PGresult *r = cli_exec(pg, &sql_cli_live_ticket, p);
	bool there = PQntuples(r) == 1;

	if (there) {
		f->v = cli_version(pg, PQgetvalue(r, 0, 1), PQgetvalue(r, 0, 2));
		if (!ticket_read(PQgetvalue(r, 0, 0), strlen(PQgetvalue(r, 0, 0)), &f->t))
			die("ticket %s cannot be read", id);
	}
	PQclear(r);
	return there;
}

static struct sla_rules rules(const struct frozen *f)
{
	return (struct sla_rules){ &f->v->policy, f->v->calendar };
}

static void store_ticket(PGconn *pg, struct buf *doc)
{
	const char *p[] = { buf_cstr(doc) };
	PGresult *r = cli_exec(pg, &sql_sla_fire, p);

	if (PQntuples(r) != 1)
		die("a ticket has changed meanwhile; run the command again");
	PQclear(r);
	buf_free(doc);
}

/* Still muted: recorded, but nobody is notified. */
static void settle(PGconn *pg, struct frozen *f, int64_t frozen_at)
{
	struct ticket_doc d = { .at = f->t.last_at };
	struct buf b = { 0 };

	if (ticket_settle(&f->t, rules(f), &d, frozen_at)) {
		buf_addc(&b, '[');
		ticket_doc_write(&d, &f->t, rules(f), 0, false, &b);
		buf_adds(&b, "}]");
		store_ticket(pg, &b);
	}
	ticket_doc_free(&d);
}

static void thaw_ticket(PGconn *pg, struct frozen *f, int64_t frozen_at)
{
	struct ticket *t = &f->t;
	int64_t now = clock_now_us();
	struct ticket_doc d = { .at = now > t->last_at ? now : t->last_at + 1 };
	struct buf b = { 0 }, *e;

	sla_apply(&t->sla, rules(f),
		&(struct sla_event){ .type = SLA_LIVE,
			.at = d.at,
			.seq = SEQ_NEW + 1,
			.reckon_at = INSTANT_NONE,
			.state = t->sla.state,
			.priority = t->sla.priority,
			.from = frozen_at,
			.to = d.at });
	t->last_at = d.at;
	t->muted = false;
	e = ticket_doc_event(&d, t, "ticket.went_live", ACTOR_SYSTEM, 0, "staff", false, false);
	buf_addf(e, ",\"from\":%lld,\"to\":%lld", (long long)frozen_at, (long long)d.at);
	ticket_doc_event_end(&d);
	buf_addc(&b, '[');
	ticket_doc_write(&d, t, rules(f), 0, true, &b);
	if (t->sla.state == TICKET_RESOLVED && f->v->policy.autoclose_days > 0)
		buf_addf(&b, ",\"timers\":[{\"i\":1,\"kind\":\"auto-close\",\"due_at\":%lld}]",
			(long long)(d.at + f->v->policy.autoclose_days * 86400 * US_PER_S));
	buf_adds(&b, "}]");
	store_ticket(pg, &b);
	ticket_doc_free(&d);
}

int import_go_live(PGconn *pg, const char *tenant)
{
	const char *p[] = { tenant };
	PGresult *r = cli_exec(pg, &sql_cli_live_since, p);
	char id[24];
	int64_t frozen_at;
	PGresult *list;
	long live = 0;

	if (!PQntuples(r))
		die("nothing was imported for tenant %s", tenant);
	snprintf(id, sizeof(id), "%s", PQgetvalue(r, 0, 0));
	/* an earlier version accepted logs that end in the future */
	frozen_at = strtoll(PQgetvalue(r, 0, 1), NULL, 10);
	if (frozen_at > clock_now_us())
		frozen_at = clock_now_us();
	PQclear(r);
	p[0] = id;
	list = cli_exec(pg, &sql_cli_live_tickets, p);
	for (int i = 0; i < PQntuples(list); i++) {
		static struct frozen f;

		for (int step = 0; step < 2 && load_frozen(pg, id, PQgetvalue(list, i, 0), &f);
			step++) {
			if (step == 0) {
				settle(pg, &f, frozen_at);
			} else {
				thaw_ticket(pg, &f, frozen_at);
				live++;
			}
			ticket_clear(&f.t);
		}
		cli_progress((size_t)i + 1, (size_t)PQntuples(list));
	}
	PQclear(list);
	/* closed tickets have no running clock; if reopened, they are ordinary tickets */
	cli_do(pg, &sql_cli_live_rest, p);
	snprintf(cli_operation, sizeof(cli_operation), "import.go_live");
	cli_audit(pg, id, tenant);
	printf("live      %ld open tickets; the time since the end of the log does not count\n",
		live);
	return 0;
}
