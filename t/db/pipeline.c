/* SPDX-License-Identifier: Apache-2.0
 * The database driver against a real PostgreSQL: what a pipelined connection keeps after errors,
 * and how long a statement may take. pipeline.test.js gives the connections:
 * PIPELINE_APP_URL, _JOB_URL, _ADMIN_URL and PGPASSWORD. */
#include "../unit/unit.h"
#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "loop/loop.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX 16

static PGconn *admin;
static int pending;

static struct sql_stmt stmt(int index, const char *name, const char *text, int params)
{
	return (struct sql_stmt){ .name = name,
		.mode = SQL_READ,
		.shape = SQL_ROWS,
		.class = SQL_POINT,
		.index = index,
		.param_count = params,
		.text = text };
}

static void admin_do(const char *sql)
{
	PGresult *r = PQexec(admin, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		fprintf(stderr, "%s: %s", sql, PQerrorMessage(admin));
	PQclear(r);
}

/* --- running calls and waiting for them --- */

struct answer {
	struct db_call call;
	enum db_error error;
	int64_t value, took_ms, began_us;
};

static void on_answer(struct db_call *call, enum db_error error, const PGresult *rows)
{
	struct answer *a = call->arg;

	a->error = error;
	a->took_ms = (clock_mono_us() - a->began_us) / 1000;
	a->value = rows && PQntuples(rows) ? db_int(rows, 0, 0) : -1;
	if (--pending == 0)
		loop_stop();
}

static void begin(struct answer *a, const struct sql_stmt *s, const char *param)
{
	*a = (struct answer){ .began_us = clock_mono_us() };
	a->call = (struct db_call){ .stmt = s,
		.param = { param },
		.on_done = on_answer,
		.arg = a,
		.ctx = { .role = DB_ROLE_TENANT, .tenants = "{}" } };
	pending++;
	db_exec(&a->call);
}

static struct answer ask(const struct sql_stmt *s, const char *param)
{
	static struct answer a;

	begin(&a, s, param);
	loop_run();
	return a;
}

static struct answer ask_as(const struct sql_stmt *s, enum db_role role)
{
	static struct answer a;

	a = (struct answer){
		.call = { .stmt = s, .ctx.role = role, .on_done = on_answer, .arg = &a }
	};
	pending++;
	db_exec(&a.call);
	loop_run();
	return a;
}

/* The connections are made in the background. */
static void wait_ready(void)
{
	struct sql_stmt one = stmt(0, "t/one", "select 1", 0);
	int64_t end = clock_mono_us() + 10 * US_PER_S;

	while (ask(&one, NULL).error != DB_OK && clock_mono_us() < end)
		;
	CU_ASSERT_EQUAL(ask(&one, NULL).error, DB_OK);
}

static int64_t names_kept(void)
{
	struct sql_stmt s = stmt(1, "t/names", "select count(*) from pg_prepared_statements", 0);

	return ask(&s, NULL).value;
}

/* --- the tests --- */

static void test_numbers(void)
{
	static const int64_t v[] = { 0, -1, INT64_MAX, INT64_MIN };
	struct sql_stmt s = stmt(7, "t/number", "select $1::bigint", 1);

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		static struct answer a;

		a = (struct answer){ 0 };
		a.call = (struct db_call){
			.stmt = &s, .ctx.role = DB_ROLE_TENANT, .on_done = on_answer, .arg = &a
		};
		db_call_int(&a.call, 0, v[i]);
		pending++;
		db_exec(&a.call);
		loop_run();
		CU_ASSERT_EQUAL(a.error, DB_OK);
		CU_ASSERT_EQUAL(a.value, v[i]);
	}
}

static void test_first_run_fails(void)
{
	struct sql_stmt s = stmt(2, "t/divide", "select 12 / $1::int", 1);
	int64_t had = names_kept();

	for (int i = 0; i < 300; i++)
		CU_ASSERT_EQUAL_FATAL(ask(&s, "0").error, DB_FAILED);
	CU_ASSERT_EQUAL(ask(&s, "3").error, DB_OK);
	CU_ASSERT_EQUAL(ask(&s, "3").value, 4);
	CU_ASSERT_EQUAL(names_kept(), had + 1); /* one name, however often it failed */
}

static void test_first_runs_fail_in_one_flight(void)
{
	struct sql_stmt s = stmt(3, "t/divide2", "select 15 / $1::int", 1);
	int64_t had = names_kept();
	struct answer a[8];

	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 8; i++)
			begin(&a[i], &s, i % 2 ? "5" : "0");
		loop_run();
		for (int i = 0; i < 8; i++)
			CU_ASSERT_EQUAL_FATAL(a[i].error, i % 2 ? DB_OK : DB_FAILED);
	}
	CU_ASSERT_EQUAL(names_kept(), had + 1);
}

static void test_cannot_be_prepared(void)
{
	struct sql_stmt s = stmt(4, "t/missing", "select a from pipeline_missing", 0);
	int64_t had = names_kept();
	struct answer a[8];

	for (int i = 0; i < 300; i++)
		CU_ASSERT_EQUAL_FATAL(ask(&s, NULL).error, DB_FAILED);
	for (int i = 0; i < 8; i++)
		begin(&a[i], &s, NULL);
	loop_run();
	for (int i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(a[i].error, DB_FAILED);
	CU_ASSERT_EQUAL(names_kept(), had);
	admin_do("create table pipeline_missing (a int); grant select on pipeline_missing to "
		 "public; "
		 "insert into pipeline_missing values (7)");
	CU_ASSERT_EQUAL(ask(&s, NULL).value, 7);
	CU_ASSERT_EQUAL(names_kept(), had + 1);
	admin_do("drop table pipeline_missing");
}

/* "cached plan must not change result type": the statement is prepared again, and the old name is
 * deallocated. */
static void test_schema_changes(void)
{
	struct sql_stmt s = stmt(5, "t/changing", "select * from pipeline_changing", 0);
	int64_t had = names_kept();
	struct answer a[4];

	admin_do("create table pipeline_changing (a int); "
		 "grant select on pipeline_changing to public; "
		 "insert into pipeline_changing values (5)");
	CU_ASSERT_EQUAL(ask(&s, NULL).value, 5);
	for (int i = 0; i < 20; i++) {
		char sql[80];

		snprintf(sql, sizeof(sql), "alter table pipeline_changing add column c%d int", i);
		admin_do(sql);
		for (int k = 0; k < 4; k++)
			begin(&a[k], &s, NULL);
		loop_run();
		for (int k = 0; k < 4; k++)
			CU_ASSERT_EQUAL(a[k].value, 5);
	}
	CU_ASSERT_EQUAL(names_kept(), had + 1);
	admin_do("drop table pipeline_changing");
}

/* The limit is 1.5 s per statement. There is one connection, so they run one after the other. */
static void test_limit_counts_from_head_of_line(void)
{
	struct sql_stmt s = stmt(6, "t/sleep", "select 1 from pg_sleep($1::float8)", 1);
	struct answer a[4];

	for (int i = 0; i < 4; i++)
		begin(&a[i], &s, "1.0");
	loop_run();
	for (int i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(a[i].error, DB_OK);
		CU_ASSERT(a[i].took_ms > 900 * (i + 1) && a[i].took_ms < 1000 * (i + 1) + 1500);
	}
}

static void test_too_long_costs_nobody_else(void)
{
	struct sql_stmt s = stmt(6, "t/sleep", "select 1 from pg_sleep($1::float8)", 1);
	static const char *const take[] = { "0.5", "9", "0.5", "9", "0.5" };
	struct answer a[ARRAY_LEN(take)];

	for (size_t i = 0; i < ARRAY_LEN(take); i++)
		begin(&a[i], &s, take[i]);
	loop_run();
	for (size_t i = 0; i < ARRAY_LEN(take); i++)
		CU_ASSERT_EQUAL(a[i].error, take[i][0] == '9' ? DB_TIMEOUT : DB_OK);
}

/* A call runs as the role that it states: READ and WRITE as tenants, JOB as the job role. A call
 * without a role, or whose statement does not fit the role, is refused. */
static void refused_in_a_child(const struct sql_stmt *s, enum db_role role)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct answer *a = calloc(1, sizeof(*a));

		freopen("/dev/null", "w", stderr);
		a->call = (struct db_call){
			.stmt = s, .ctx.role = role, .on_done = on_answer, .arg = a
		};
		db_exec(&a->call);
		loop_run_later();
		_exit(a->error == DB_FORBIDDEN ? 42 : 1);
	}
	waitpid(child, &status, 0);
#ifdef __SANITIZE_ADDRESS__
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
#else
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
#endif
}

static void test_roles(void)
{
	static const bool may[][4] = {
		[SQL_READ] = { [DB_ROLE_TENANT] = true },
		[SQL_WRITE] = { [DB_ROLE_TENANT] = true },
		[SQL_PREAUTH] = { [DB_ROLE_PREAUTH] = true, [DB_ROLE_TENANT] = true },
		[SQL_JOB] = { [DB_ROLE_JOB] = true },
	};
	struct sql_stmt s = stmt(0, "t/one", "select 1", 0);

	CU_ASSERT_EQUAL(DB_ROLE_NONE, 0);
	for (int mode = SQL_READ; mode <= SQL_PREAUTH; mode++)
		for (int role = DB_ROLE_NONE; role <= DB_ROLE_JOB; role++) {
			s.mode = (enum sql_mode)mode;
			s.class = mode == SQL_JOB ? SQL_CLASS_JOB : SQL_POINT;
			if (!may[mode][role]) {
				refused_in_a_child(&s, (enum db_role)role);
				continue;
			}
			CU_ASSERT_EQUAL(ask_as(&s, (enum db_role)role).error, DB_OK);
		}
}

/* The backend dies in the middle: completed reads have their rows, calls in flight fail, and the
 * connection comes back. */
static void test_connection_dies(void)
{
	struct sql_stmt s = stmt(6, "t/sleep", "select 1 from pg_sleep($1::float8)", 1),
			kill = stmt(8, "t/kill",
				"select pg_terminate_backend(pg_backend_pid())::int", 0);
	struct answer a[3];

	begin(&a[0], &s, "0.1");
	begin(&a[1], &kill, NULL);
	begin(&a[2], &s, "0.1");
	loop_run();
	CU_ASSERT_EQUAL(a[0].error, DB_OK);
	CU_ASSERT_EQUAL(a[1].error, DB_DOWN);
	CU_ASSERT_EQUAL(a[2].error, DB_DOWN);
	wait_ready();
	CU_ASSERT_EQUAL(ask(&s, "0").error, DB_OK);
}

static void test_connect(void)
{
	struct db_settings settings = { .app_url = getenv("PIPELINE_APP_URL"),
		.job_url = getenv("PIPELINE_JOB_URL"),
		.replica_url = "",
		.password = getenv("PGPASSWORD"),
		.point_connections = 1,
		.statements = 9 };
	const char *error = "";

	log_open("/dev/null", LOG_ERROR, false); /* the errors are intended */
	admin = PQconnectdb(getenv("PIPELINE_ADMIN_URL"));
	CU_ASSERT_EQUAL_FATAL(PQstatus(admin), CONNECTION_OK);
	loop_init();
	CU_ASSERT_FATAL(db_init(&settings, &error));
	wait_ready();
}

static void test_ends(void)
{
	struct sql_stmt s = stmt(6, "t/sleep", "select 1 from pg_sleep($1::float8)", 1);
	struct answer a[2];

	begin(&a[0], &s, "1");
	begin(&a[1], &s, "1");
	db_free();
	loop_run_later();
	CU_ASSERT_EQUAL(pending, 0); /* each was reported */
	CU_ASSERT_EQUAL(a[0].error, DB_DOWN);
	CU_ASSERT_EQUAL(a[1].error, DB_DOWN);
	loop_free();
	PQfinish(admin);
}

UNIT_MAIN("pipeline", { "connects", test_connect }, { "numbers", test_numbers },
	{ "a first run that fails keeps its name", test_first_run_fails },
	{ "first runs that fail in one flight", test_first_runs_fail_in_one_flight },
	{ "a statement that cannot be prepared", test_cannot_be_prepared },
	{ "the schema changes under prepared statements", test_schema_changes },
	{ "the time limit counts from the head of the line", test_limit_counts_from_head_of_line },
	{ "one that takes too long costs nobody else", test_too_long_costs_nobody_else },
	{ "a call runs as whom it says", test_roles },
	{ "the connection dies", test_connection_dies }, { "ends", test_ends })
