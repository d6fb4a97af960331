/* SPDX-License-Identifier: Apache-2.0
 * Demo data: three tenants, nine staff of three levels, customer users and tickets. It is created
 * once; later runs only print the logins. Tickets are stored as the daemon stores them, but opened
 * in the past, so that their clocks fire within minutes. */
#include "cli/cli.h"
#include "base/json.h"
#include "ticket/ticket_doc.h"
#include "desk/versions.h"
#include "sql_gen.h"

#include <stdio.h>
#include <stdlib.h>

#define PASSWORD "Sladesk-demo-1"

static const struct {
	const char *code, *name, *lang, *policy;
} tenants[] = { { "guangming", "光明零售", "zh", "standard" },
	{ "northwind", "Northwind Traders", "en", "standard" },
	{ "haihang", "海航物流", "zh", "basic" } };

static const struct {
	const char *username, *name, *role, *level, *on_call;
} people[] = { { "li.wei", "李伟", "engineer", "1", "t" },
	{ "zhang.min", "张敏", "engineer", "1", "f" },
	{ "wang.fang", "王芳", "engineer", "1", "f" }, { "chen.jie", "陈杰", "engineer", "2", "t" },
	{ "liu.yang", "刘洋", "engineer", "2", "f" }, { "zhao.lei", "赵磊", "engineer", "3", "t" },
	{ "sun.li", "孙丽", "supervisor", "2", "f" }, { "zhou.tao", "周涛", "manager", "3", "f" },
	{ "wu.xin", "吴欣", "customer_success", "1", "f" } };

static const struct {
	int tenant;
	const char *title, *text;
	enum priority priority;
	int minutes_ago;
} tickets[] = {
	{ 0, "生产数据库宕机，订单无法提交", "RDS 主库无法连接，所有门店收银中断。", P0, 11 },
	{ 0, "报表生成延迟", "昨日销售报表今天上午仍未生成。", P2, 50 },
	{ 0, "如何开启 S3 版本控制", "请问开启版本控制后费用如何变化？", P4, 200 },
	{ 1, "Checkout API fails for most users",
		"HTTP 502 from the load balancer since the last deployment.", P1, 20 },
	{ 1, "Typo on the invoice page", "The total is labelled twice.", P3, 90 },
	{ 2, "仓库系统访问慢", "华东区仓库反馈页面打开超过 10 秒。", P2, 100 },
};

static void add_people(PGconn *pg)
{
	char *hash = cli_hash(PASSWORD), now[32], id[24], index[FIELD_MAIL_INDEX_MAX], *row;
	struct buf sealed = { 0 };

	(void)cli_field_keys(pg);
	time_format(clock_now_us(), 6, now);
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		char *mail = xasprintf("%s@provider.example", people[i].username);
		const char *p[] = { people[i].username, people[i].name, NULL, "zh", people[i].role,
			people[i].level, people[i].on_call, hash, now, "f", NULL, NULL, index };

		p[11] = row = cli_next_id(pg, "staff");
		sealed.n = 0;
		cli_seal_mail(&sealed, index, FIELD_STAFF_EMAIL, "1", row, mail);
		p[2] = buf_cstr(&sealed);
		cli_do(pg, &sql_cli_staff_add, p);
		free(row);
		free(mail);
	}
	for (size_t i = 0; i < ARRAY_LEN(tenants); i++) {
		static const char *const users[][3] = { { "admin", "admin", "管理员" },
			{ "user", "user", "用户" } };
		const char *t[] = { tenants[i].code, tenants[i].name, tenants[i].lang,
			tenants[i].policy, now };
		PGresult *r = cli_exec(pg, &sql_cli_tenant_add, t);

		snprintf(id, sizeof(id), "%s", PQgetvalue(r, 0, 0));
		PQclear(r);
		for (size_t k = 0; k < ARRAY_LEN(users); k++) {
			char *mail = xasprintf("%s@%s.example", users[k][0], tenants[i].code);
			const char *u[] = { id, users[k][0],
				strcmp(tenants[i].lang, "zh") == 0 ? users[k][2] : users[k][0],
				NULL, tenants[i].lang, users[k][1], hash, now, "", "", "", "", "",
				"", "f", NULL, index };

			u[15] = row = cli_next_id(pg, "client_users");
			sealed.n = 0;
			cli_seal_mail(&sealed, index, FIELD_CLIENT_USERS_EMAIL, id, row, mail);
			u[3] = buf_cstr(&sealed);
			cli_do(pg, &sql_cli_user_add, u);
			free(row);
			free(mail);
		}
	}
	buf_free(&sealed);
	free(hash);
}

static void add_ticket(PGconn *pg, int i)
{
	static struct sla_policy policy;
	const char *p[] = { tenants[tickets[i].tenant].code }, *error = "", *q[1];
	PGresult *r = cli_exec(pg, &sql_cli_demo_ticket, p);
	struct json_error err;
	struct json_object *pj = json_read(PQgetvalue(r, 0, 3), strlen(PQgetvalue(r, 0, 3)), &err),
			   *cj = json_read(PQgetvalue(r, 0, 4), strlen(PQgetvalue(r, 0, 4)), &err);
	struct calendar *calendar = calendar_read(cj, zone_find, &error);
	int64_t at = clock_now_us() - tickets[i].minutes_ago * 60 * US_PER_S;
	struct ticket t = { .tenant_id = atoll(PQgetvalue(r, 0, 0)),
		.policy_id = atoll(PQgetvalue(r, 0, 1)),
		.calendar_id = atoll(PQgetvalue(r, 0, 2)),
		.requester_id = atoll(PQgetvalue(r, 0, 5)),
		.requester_kind = "customer",
		.priority_source = "customer",
		.level = 1,
		.opened_at = at,
		.last_at = at,
		.first_response_at = INSTANT_NONE,
		.mitigated_at = INSTANT_NONE,
		.resolved_at = INSTANT_NONE,
		.closed_at = INSTANT_NONE };
	struct ticket_doc d = { .at = at };
	struct sla_rules rules = { &policy, calendar };
	struct buf b = { 0 };

	if (!sla_policy_read(pj, &policy, &error) || !calendar)
		die("%s", error);
	sla_ticket_init(&t.sla);
	sla_apply(&t.sla, rules,
		&(struct sla_event){ SLA_CREATED, at, SEQ_NEW + 1, INSTANT_NONE, TICKET_NEW,
			sla_policy_nearest(&policy, tickets[i].priority) });
	ticket_doc_event(
		&d, &t, "ticket.created", ACTOR_CUSTOMER, t.requester_id, "customer", true, true);
	ticket_doc_event_end(&d);
	if (t.sla.priority == P0) {
		ticket_doc_event(&d, &t, "ticket.p0_opened", ACTOR_SYSTEM, 0, "staff", true, false);
		ticket_doc_event_end(&d);
	}
	buf_addc(&b, '[');
	ticket_doc_write(&d, &t, rules, 0, true, &b);
	buf_addf(&b,
		",\"config_version\":%s,\"policy_id\":%lld,\"calendar_id\":%lld,\"opened_at\":%lld,"
		"\"source\":\"web\",\"service_type\":\"incident\",\"title\":",
		PQgetvalue(r, 0, 6), (long long)t.policy_id, (long long)t.calendar_id,
		(long long)at);
	buf_add_json(&b, tickets[i].title, strlen(tickets[i].title));
	buf_addf(&b,
		",\"comment\":{\"kind\":\"description\",\"audience\":\"customer\",\"author_kind\":"
		"\"customer\",\"author_id\":%lld,\"at\":%lld,\"body\":",
		(long long)t.requester_id, (long long)at);
	buf_add_json(&b, tickets[i].text, strlen(tickets[i].text));
	buf_adds(&b, "}}]");
	q[0] = buf_cstr(&b);
	cli_do(pg, &sql_sla_fire, q);
	buf_free(&b);
	ticket_doc_free(&d);
	sla_ticket_free(&t.sla);
	calendar_free(calendar);
	json_object_put(pj);
	json_object_put(cj);
	PQclear(r);
}

/* All users of the tables above; neighbours with the same role and level share a line. */
static void print_logins(void)
{
	puts("staff      leave \"customer code\" empty; password " PASSWORD);
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		bool first = !i || strcmp(people[i].role, people[i - 1].role) != 0 ||
			     strcmp(people[i].level, people[i - 1].level) != 0;

		if (!first)
			printf(", %s", people[i].username);
		else if (strcmp(people[i].role, "engineer") == 0)
			printf("%s           engineers L%s: %s", i ? "\n" : "", people[i].level,
				people[i].username);
		else
			printf("\n           %s: %s", people[i].role, people[i].username);
	}
	puts("\ncustomers  users admin and user of each; password " PASSWORD);
	for (size_t i = 0; i < ARRAY_LEN(tenants); i++)
		printf("           customer code %s\n", tenants[i].code);
}

int cmd_demo(int argc, char **argv)
{
	PGconn *pg = cli_connect();
	PGresult *r = cli_exec(pg, &sql_cli_demo_fresh, NULL);
	bool fresh = PQgetvalue(r, 0, 0)[0] == 't';

	(void)argc;
	(void)argv;
	PQclear(r);
	if (fresh) {
		cli_begin(pg, CLI_WRITE);
		add_people(pg);
		for (size_t i = 0; i < ARRAY_LEN(tickets); i++)
			add_ticket(pg, (int)i);
		cli_commit(pg);
	}
	print_logins();
	PQfinish(pg);
	return 0;
}
