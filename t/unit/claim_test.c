/* SPDX-License-Identifier: Apache-2.0
 * Claims are read by type: every kind is tried with every value, and accepts only those of its
 * type. */
#include "base/claim.h"
#include "base/clock.h"
#include "unit.h"

#include <string.h>

enum {
	TEXT = 1,
	TOKEN = 2,
	MAIL = 4,
	LIST = 8,
	BOOL = 16,
	INT = 32,
	TIME = 64,
	URL = 128,
	OBJECT = 256
};

/* Values as JSON, and the types that take them. %s: a text of 20,000 characters. */
static const struct {
	const char *json;
	int types;
} values[] = {
	{ "\"x\"", TEXT | TOKEN | LIST },
	{ "\"true\"", TEXT | TOKEN | LIST },
	{ "\"false\"", TEXT | TOKEN | LIST },
	{ "\"0\"", TEXT | TOKEN | LIST },
	{ "\"no\"", TEXT | TOKEN | LIST },
	{ "\"1700000000\"", TEXT | TOKEN | LIST },
	{ "\"a b\"", TEXT | LIST },
	{ "\"\u5f20\u4e09\"", TEXT | LIST },
	{ "\"\"", 0 },
	{ "\"   \"", 0 },
	{ "\"a\\nb\"", 0 },
	{ "\"a\\u007fb\"", 0 },
	{ "\"a@b.example\"", TEXT | TOKEN | MAIL | LIST },
	{ "\"a@b@c.example\"", TEXT | TOKEN | LIST },
	{ "\"@b.example\"", TEXT | TOKEN | LIST },
	{ "\"a@\"", TEXT | TOKEN | LIST },
	{ "\"a b@c.example\"", TEXT | LIST },
	{ "\"<a@b.example>\"", TEXT | TOKEN | LIST },
	{ "\"https://a.example/x\"", TEXT | TOKEN | LIST | URL },
	{ "\"http://a.example/x\"", TEXT | TOKEN | LIST | URL },
	{ "\"javascript:x\"", TEXT | TOKEN | LIST },
	{ "\"https://a.example/\\r\\nSet-Cookie: a=b\"", 0 },
	{ "\"https://a.example/ x\"", TEXT | LIST },
	{ "\"%s\"", 0 },
	{ "true", BOOL },
	{ "false", BOOL },
	{ "null", 0 },
	{ "0", INT | TIME },
	{ "1", INT | TIME },
	{ "-1", INT },
	{ "1700000000", INT | TIME },
	{ "1700000000.75", TIME },
	{ "1.7e9", TIME },
	{ "0.0", TIME },
	{ "-0.5", 0 },
	{ "253402300800", INT },
	{ "9223372036854775807", INT },
	{ "1e300", 0 },
	{ "{}", OBJECT },
	{ "{\"x\":true}", OBJECT },
	{ "[]", LIST },
	{ "[\"x\"]", LIST },
	{ "[\"x\",\"y\"]", LIST },
	{ "[true]", 0 },
	{ "[\"x\",1]", 0 },
	{ "[\"x\",null]", 0 },
	{ "[\"x\",\"\"]", 0 },
	{ "[[\"x\"]]", 0 },
	{ "[{}]", 0 },
	{ "[\"%s\"]", 0 },
};

static int types_of(enum claim_kind k)
{
	switch (k) {
	case CLAIM_ISSUER:
	case CLAIM_SUBJECT:
	case CLAIM_PARTY:
	case CLAIM_SESSION:
	case CLAIM_TOKEN_ID:
	case CLAIM_NAME:
	case CLAIM_ENTERPRISE:
		return TEXT;
	case CLAIM_USER_ID:
		return TEXT | INT;
	case CLAIM_AUDIENCE:
	case CLAIM_ROLES:
		return LIST;
	case CLAIM_NONCE:
	case CLAIM_ACCESS_TOKEN:
	case CLAIM_ID_TOKEN:
		return TOKEN;
	case CLAIM_EXPIRES:
	case CLAIM_ISSUED:
	case CLAIM_NOT_BEFORE:
	case CLAIM_AUTH_TIME:
		return TIME;
	case CLAIM_EMAIL:
		return MAIL;
	case CLAIM_EMAIL_VERIFIED:
		return BOOL;
	case CLAIM_RESULT:
		return INT;
	case CLAIM_ADDRESS:
		return URL;
	case CLAIM_EVENTS:
		return OBJECT;
	case CLAIM_KINDS:
		break;
	}
	return 0;
}

static struct json_object *document(const char *value)
{
	char *big = xmalloc(20001), *text;
	struct json_object *o;
	struct json_error err;
	const char *at = strstr(value, "%s");

	memset(big, 'x', 20000);
	big[20000] = 0;
	text = at ? xasprintf("{\"c\":%.*s%s%s}", (int)(at - value), value, big, at + 2)
		  : xasprintf("{\"c\":%s}", value);
	o = json_read(text, strlen(text), &err);
	CU_ASSERT_PTR_NOT_NULL(o);
	free(big);
	free(text);
	return o;
}

static void every_kind_meets_every_value(void)
{
	int met = 0, taken = 0;

	for (int k = 0; k < CLAIM_KINDS; k++) {
		CU_ASSERT(types_of(k) != 0);
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			struct json_object *o = document(values[i].json);
			struct claim c = claim_read(o, k, "c");
			bool wanted = (types_of(k) & values[i].types) != 0;

			if (c.state != (wanted ? CLAIM_GOOD : CLAIM_WRONG)) {
				printf("# %s as %s\n", values[i].json, claim_rule(k));
				CU_FAIL("taken as another type, or refused");
			}
			CU_ASSERT(wanted || (!c.text && !c.number && !c.value));
			met++;
			taken += wanted;
			json_object_put(o);
		}
	}
	printf("# claims: %d kinds, %d values, %d taken\n", CLAIM_KINDS, met, taken);
	CU_ASSERT(met == CLAIM_KINDS * (int)ARRAY_LEN(values) && taken > 100);
}

static void values_as_read(void)
{
	struct json_object *o = json_tokener_parse(
		"{\"exp\":1700000000.75,\"iat\":1700000000,\"id\":42,\"email_verified\":true,"
		"\"aud\":[\"a\",\"b\"]}");
	struct claim aud = claim_read(o, CLAIM_AUDIENCE, NULL);

	CU_ASSERT(claim_read(o, CLAIM_EXPIRES, NULL).number == 1700000000750000);
	CU_ASSERT(claim_read(o, CLAIM_ISSUED, NULL).number == 1700000000 * US_PER_S);
	CU_ASSERT_STRING_EQUAL(claim_read(o, CLAIM_USER_ID, NULL).text, "42");
	CU_ASSERT(claim_read(o, CLAIM_EMAIL_VERIFIED, NULL).number == 1);
	CU_ASSERT(claim_lists(&aud, "b") && !claim_lists(&aud, "c"));
	CU_ASSERT(claim_read(o, CLAIM_NONCE, NULL).state == CLAIM_ABSENT);
	CU_ASSERT(claim_read(NULL, CLAIM_NONCE, NULL).state == CLAIM_ABSENT);
	CU_ASSERT_PTR_NULL(claim_first_wrong(o));
	json_object_object_add(o, "nbf", json_object_new_string("1"));
	CU_ASSERT_STRING_EQUAL(claim_first_wrong(o), "nbf");
	json_object_put(o);
}

UNIT_MAIN("claim", { "every kind with every value", every_kind_meets_every_value },
	{ "values as they are read", values_as_read })
