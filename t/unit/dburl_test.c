/* SPDX-License-Identifier: Apache-2.0
 * Which database connection strings are accepted. */
#include "unit.h"
#include "db/db.h"

#define TLS " sslmode=verify-full"

static const struct {
	const char *url, *error; /* error: a part of the message; NULL: accepted */
} cases[] = {
	{ "", NULL },
	{ "dbname=x user=y", NULL },
	{ "host=/run/postgresql dbname=x", NULL },
	{ "host=@abstract", NULL },
	{ "postgresql:///x?host=/run/postgresql", NULL },
	{ "hostaddr=127.0.0.1", NULL },
	{ "hostaddr=127.1.2.3 host=db.example", NULL },
	{ "hostaddr=::1", NULL },
	{ "hostaddr=10.0.0.5 host=db.example" TLS, NULL },
	{ "host=/run/a,/run/b", NULL },
	{ "host=/run/a,", NULL },
	{ "hostaddr=127.0.0.1,::1", NULL },
	{ "hostaddr=10.0.0.5,10.0.0.6 host=a.example,b.example" TLS, NULL },
	{ "hostaddr=,10.0.0.6 host=/run/a,b.example" TLS, NULL },
	/* names would block, wherever they are */
	{ "host=db.example", "would block" },
	{ "host=127.0.0.1", "would block" },
	{ "postgresql://db.example/x", "would block" },
	{ "host=/run,db.example", "would block" },
	{ "host=db.example,/run", "would block" },
	{ "host=,db.example", "would block" },
	{ "host=/run,db.example hostaddr=127.0.0.1,", "would block" },
	{ "postgresql://%2Frun,db.example/x", "would block" },
	/* to other machines only over verified TLS */
	{ "hostaddr=10.0.0.5", "verify-full" },
	{ "hostaddr=10.0.0.5 host=db.example sslmode=require", "verify-full" },
	{ "hostaddr=127.0.0.1,10.0.0.5", "verify-full" },
	{ "hostaddr=10.0.0.5,127.0.0.1", "verify-full" },
	{ "hostaddr=::1,fe80::1", "verify-full" },
	{ "hostaddr=10.0.0.5" TLS, "verify-full" },
	{ "hostaddr=10.0.0.5,10.0.0.6 host=a.example," TLS, "verify-full" },
	{ "hostaddr=10.0.0.5 host=/run" TLS, "verify-full" },
	/* texts that only look like addresses */
	{ "hostaddr=127.evil.example", "numeric" },
	{ "hostaddr=db.example" TLS, "numeric" },
	{ "hostaddr=127.0.0.1,db.example", "numeric" },
	{ "hostaddr=127.0.0.1,127.0.0.2 host=a.example", "same number" },
	{ "hostaddr=127.0.0.1 host=a.example,b.example", "same number" },
	{ "service=elsewhere", "service" },
	{ "no connection string", "not a connection string" },
};

static void test_each(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *error = NULL;
		bool ok = db_url_is_safe(cases[i].url, &error),
		     right = cases[i].error ? !ok && error && strstr(error, cases[i].error) : ok;

		if (!right)
			printf("%s: %s\n", cases[i].url, ok ? "accepted" : error);
		CU_ASSERT(right);
	}
}

/* libpq takes from the environment what the string does not say. */
static void test_environment(void)
{
	const char *error = NULL;

	setenv("PGHOST", "db.example", 1);
	CU_ASSERT_FALSE(db_url_is_safe("dbname=x", &error));
	CU_ASSERT(db_url_is_safe("host=/run dbname=x", &error));
	unsetenv("PGHOST");
	setenv("PGHOSTADDR", "10.0.0.5", 1);
	CU_ASSERT_FALSE(db_url_is_safe("dbname=x", &error));
	unsetenv("PGHOSTADDR");
	setenv("PGSERVICE", "elsewhere", 1);
	CU_ASSERT_FALSE(db_url_is_safe("dbname=x", &error));
	unsetenv("PGSERVICE");
}

UNIT_MAIN("database urls", { "each kind of string", test_each },
	{ "the environment", test_environment })
