/* SPDX-License-Identifier: Apache-2.0
 * sladesk demo: three customers, ten members of the staff, and sixty days of tickets. It is made
 * once, in an empty installation, which is marked as a demo then; later runs add what happened
 * since. sladesk demo --live goes on from there. */
#include "demo.h"
#include "config/options.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

const struct demo_tenant demo_tenants[DEMO_TENANTS] = { { "guangming", "光明零售", "zh", "standard",
								7 },
	{ "northwind", "Northwind Traders", "en", "standard", 5 },
	{ "haihang", "海航物流", "zh", "basic", 5 } };

const struct demo_staff demo_staff[] = { { "li.wei", "李伟", "engineer", "1", "t" },
	{ "zhang.min", "张敏", "engineer", "1", "f" },
	{ "wang.fang", "王芳", "engineer", "1", "f" }, { "chen.jie", "陈杰", "engineer", "2", "t" },
	{ "liu.yang", "刘洋", "engineer", "2", "f" }, { "zhao.lei", "赵磊", "engineer", "3", "t" },
	{ "sun.li", "孙丽", "supervisor", "2", "f" }, { "zhou.tao", "周涛", "manager", "3", "f" },
	{ "wu.xin", "吴欣", "customer_success", "1", "f" },
	{ "he.jing", "何静", "auditor", "1", "f" } };
const size_t demo_staff_count = ARRAY_LEN(demo_staff);

/* Each customer has admin and user, and the people of its departments. */
static const struct {
	const char *tenant, *username, *name, *role, *department, *region, *contract, *cost_centre,
		*office;
} users[] = {
	{ "guangming", "admin", "管理员", "admin", "", "", "", "", "" },
	{ "guangming", "user", "用户", "user", "信息中心", "华东", "GM-2026-01", "CC-1000",
		"上海" },
	{ "guangming", "lin.xiao", "林晓", "user", "门店运营", "华东", "GM-2026-01", "CC-2100",
		"杭州" },
	{ "guangming", "he.jun", "何军", "user", "电商事业部", "华南", "GM-2026-02", "CC-2200",
		"深圳" },
	{ "northwind", "admin", "admin", "admin", "", "", "", "", "" },
	{ "northwind", "user", "user", "user", "Operations", "Europe", "NW-7", "CC-10", "London" },
	{ "northwind", "amy.cole", "Amy Cole", "user", "Web shop", "Europe", "NW-7", "CC-20",
		"Berlin" },
	{ "northwind", "bob.lee", "Bob Lee", "user", "Finance", "Asia", "NW-9", "CC-30",
		"Singapore" },
	{ "haihang", "admin", "管理员", "admin", "", "", "", "", "" },
	{ "haihang", "user", "用户", "user", "信息部", "华北", "HH-26", "CC-01", "北京" },
	{ "haihang", "qian.feng", "钱峰", "user", "仓储中心", "华东", "HH-26", "CC-02", "宁波" },
	{ "haihang", "tang.yu", "唐雨", "user", "运输调度", "华南", "HH-27", "CC-03", "广州" },
};

static void add_staff(PGconn *pg, const char *hash, const char *since)
{
	char index[FIELD_MAIL_INDEX_MAX], *row;
	struct buf sealed = { 0 };

	for (size_t i = 0; i < demo_staff_count; i++) {
		const struct demo_staff *s = &demo_staff[i];
		char *mail = xasprintf("%s@provider.example", s->username);
		const char *p[] = { s->username, s->name, NULL, "zh", s->role, s->level, s->on_call,
			hash, since, "f", NULL, NULL, index };

		p[11] = row = cli_next_id(pg, "staff");
		sealed.n = 0;
		cli_seal_mail(&sealed, index, FIELD_STAFF_EMAIL, "1", row, mail);
		p[2] = buf_cstr(&sealed);
		cli_do(pg, &sql_cli_staff_add, p);
		free(row);
		free(mail);
	}
	buf_free(&sealed);
}

static void add_users(PGconn *pg, const struct demo_tenant *of, const char *id, const char *hash,
	const char *since)
{
	char index[FIELD_MAIL_INDEX_MAX], *row;
	struct buf sealed = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(users); k++) {
		char *mail;
		const char *u[] = { id, users[k].username, users[k].name, NULL, of->lang,
			users[k].role, hash, since, users[k].department, "", users[k].contract,
			users[k].cost_centre, users[k].region, users[k].office, "f", NULL, index };

		if (strcmp(users[k].tenant, of->code) != 0)
			continue;
		mail = xasprintf("%s@%s.example", users[k].username, of->code);
		u[15] = row = cli_next_id(pg, "client_users");
		sealed.n = 0;
		cli_seal_mail(&sealed, index, FIELD_CLIENT_USERS_EMAIL, id, row, mail);
		u[3] = buf_cstr(&sealed);
		cli_do(pg, &sql_cli_user_add, u);
		free(row);
		free(mail);
	}
	buf_free(&sealed);
}

/* They have been there since before the first ticket. */
static void add_people(PGconn *pg, int64_t from)
{
	char *hash = cli_hash(DEMO_PASSWORD), since[32];

	(void)cli_field_keys(pg);
	time_format(from - 30LL * 86400 * US_PER_S, 6, since);
	add_staff(pg, hash, since);
	for (int i = 0; i < DEMO_TENANTS; i++) {
		const struct demo_tenant *t = &demo_tenants[i];
		const char *p[] = { t->code, t->name, t->lang, t->policy, since }, *d[4];
		PGresult *r = cli_exec(pg, &sql_cli_tenant_add, p);

		add_users(pg, t, PQgetvalue(r, 0, 0), hash, since);
		d[0] = PQgetvalue(r, 0, 0);
		d[1] = t->code;
		d[2] = i == 0 ? "t" : "f";
		d[3] = since;
		cli_do(pg, &sql_cli_demo_details, d);
		PQclear(r);
	}
	free(hash);
}

/* Staff with the same role and level share a line. */
static void print_logins(void)
{
	puts("staff      leave \"customer code\" empty; password " DEMO_PASSWORD);
	for (size_t i = 0; i < demo_staff_count; i++) {
		const struct demo_staff *s = &demo_staff[i];
		bool first = !i || strcmp(s->role, s[-1].role) != 0 ||
			     strcmp(s->level, s[-1].level) != 0;

		if (!first)
			printf(", %s", s->username);
		else if (strcmp(s->role, "engineer") == 0)
			printf("%s           engineers L%s: %s", i ? "\n" : "", s->level,
				s->username);
		else
			printf("\n           %s: %s", s->role, s->username);
	}
	puts("\ncustomers  users admin and user of each; password " DEMO_PASSWORD);
	for (int i = 0; i < DEMO_TENANTS; i++) {
		printf("           customer code %s, also", demo_tenants[i].code);
		for (size_t k = 0; k < ARRAY_LEN(users); k++)
			if (strcmp(users[k].tenant, demo_tenants[i].code) == 0 &&
				*users[k].region && strcmp(users[k].username, "user") != 0)
				printf(" %s", users[k].username);
		putchar('\n');
	}
}

struct mark {
	bool is_demo, is_used;
	int64_t until;
};

static struct mark read_mark(PGconn *pg)
{
	PGresult *r = cli_exec(pg, &sql_cli_demo_mark, NULL);
	struct mark m = { .is_demo = !PQgetisnull(r, 0, 0),
		.is_used = PQgetvalue(r, 0, 1)[0] == 't',
		.until = strtoll(PQgetvalue(r, 0, 0), NULL, 10) };

	PQclear(r);
	return m;
}

/* Invented tickets must never get among real ones. */
static void refuse_others(const struct mark *m, bool live)
{
	if (!m->is_demo && (m->is_used || live))
		die("this installation is not a demo: %s",
			m->is_used ? "it has customers or staff, and no demo was ever made in it"
				   : "make one with sladesk demo");
}

static void make_past(PGconn *pg, const struct mark *m)
{
	int64_t now = clock_now_us(), from = now - DEMO_DAYS * 86400LL * US_PER_S;

	if (!m->is_demo) {
		cli_begin(pg, CLI_WRITE);
		add_people(pg, from);
		cli_do(pg, &sql_cli_demo_until, (const char *[]){ cli_now(), cli_now() });
		cli_commit(pg);
	}
	cli_keep_changes(pg, false);
	demo_history(pg, m->is_demo && m->until > from ? m->until : from, now);
	cli_audit(pg, "1", "demo");
}

static int64_t pace_option(int argc, char **argv)
{
	int64_t pace = DEMO_PACE;
	const char *text = cli_option(argc, argv, "pace", "");

	if (*text && !str_to_int(str_of(text), 1, 100000, &pace))
		die("--pace: how many times as fast as in an office, 1 to 100000");
	return pace;
}

int cmd_demo(int argc, char **argv)
{
	bool live = cli_flag(argc, argv, "live");
	int64_t pace = pace_option(argc, argv);
	const char *url = cli_option(argc, argv, "url", options.http_url);
	PGconn *pg = cli_connect();
	struct mark m = read_mark(pg);
	int rc = 0;

	refuse_others(&m, live);
	if (live) {
		rc = demo_live(pg, url, pace);
	} else {
		make_past(pg, &m);
		print_logins();
	}
	PQfinish(pg);
	return rc;
}
