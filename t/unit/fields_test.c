/* SPDX-License-Identifier: Apache-2.0
 * Encrypted fields, circuit breakers, and the commands for a synchronised ticket. */
#include "base/clock.h"
#include "crypto/field.h"
#include "feature/integration/sync.h"
#include "fetch/breaker.h"
#include "ticket/ticket.h"
#include "unit.h"

static const unsigned char master[FIELD_KEY_BYTES] = { 1, 2, 3 }, other[FIELD_KEY_BYTES] = { 9 };

static void test_fields(void)
{
	unsigned char wrapped[3][FIELD_WRAPPED_BYTES], again[FIELD_WRAPPED_BYTES];
	struct buf a = { 0 }, b = { 0 }, text = { 0 };
	char one[65], two[65];

	for (int i = 0; i < 3; i++) {
		field_key_make(master, i, wrapped[i]);
		CU_ASSERT_FALSE(field_key_add(other, i, wrapped[i], sizeof(wrapped[i]), 0));
		CU_ASSERT_FALSE(field_key_add(master, i + 1, wrapped[i], sizeof(wrapped[i]),
			0)); /* another key with the same id */
		CU_ASSERT_TRUE(field_key_add(
			master, i, wrapped[i], sizeof(wrapped[i]), i == 2 ? 1000 : 0));
	}
	CU_ASSERT_EQUAL(
		field_key_current(-1), 1); /* a clock that was set back before all of them */
	CU_ASSERT_EQUAL(field_key_current(999), 1);
	CU_ASSERT_EQUAL(field_key_current(1000), 2);
	field_seal(&a, "email", STR("ada@example.com"), 999);
	field_seal(&b, "email", STR("ada@example.com"), 1000);
	CU_ASSERT_EQUAL(field_key_of((struct str){ a.p, a.n }), 1);
	CU_ASSERT_EQUAL(field_key_of((struct str){ b.p, b.n }), 2);
	CU_ASSERT_TRUE(field_open(&text, "email", (struct str){ a.p, a.n }) && text.n == 15 &&
		       memcmp(text.p, "ada@example.com", 15) == 0);
	text.n = 0;
	CU_ASSERT_FALSE(
		field_open(&text, "phone", (struct str){ a.p, a.n })); /* not in another column */
	for (size_t i = 5; i < a.n; i += 7) {                          /* nor changed anywhere */
		a.p[i] ^= 1;
		CU_ASSERT_FALSE(field_open(&text, "email", (struct str){ a.p, a.n }) && text.n);
		a.p[i] ^= 1;
		text.n = 0;
	}
	CU_ASSERT_TRUE(field_open(&text, "email", STR("plain@example.com")) && text.n == 17);
	field_index("email", 7, STR("Ada@Example.com"), one);
	field_index("email", 7, STR("ada@example.com"), two);
	CU_ASSERT_STRING_EQUAL(one, two);
	field_index("email", 8, STR("ada@example.com"), two);
	CU_ASSERT_STRING_NOT_EQUAL(one, two); /* cannot be compared between customers */
	CU_ASSERT_TRUE(field_key_rewrap(master, other, 1, wrapped[1], sizeof(wrapped[1]), again));
	CU_ASSERT_FALSE(field_key_rewrap(master, other, 1, again, sizeof(again), wrapped[1]));
	field_keys_free();
	CU_ASSERT_TRUE(field_key_add(other, 1, again, sizeof(again), 0));
	text.n = 0;
	CU_ASSERT_TRUE(field_open(&text, "email", (struct str){ a.p, a.n }) && text.n == 15);
	CU_ASSERT_FALSE(
		field_open(&text, "email", (struct str){ b.p, b.n })); /* its key is not loaded */
	field_keys_free();
	buf_free(&a);
	buf_free(&b);
	buf_free(&text);
}

#define MAIL FIELD_CLIENT_USERS_EMAIL

static bool opens(const char *place, struct buf *v, const char *text)
{
	struct buf out = { 0 };
	bool ok = field_open_place(&out, str_of(place), (struct str){ v->p, v->n });

	CU_ASSERT_TRUE(ok || out.n == 0);
	ok = ok && strcmp(buf_cstr(&out), text) == 0;
	buf_free(&out);
	return ok;
}

static void add_key(int64_t id, int64_t from_s, unsigned char wrapped[FIELD_WRAPPED_BYTES])
{
	field_key_make(master, id, wrapped);
	CU_ASSERT_TRUE_FATAL(field_key_add(master, id, wrapped, FIELD_WRAPPED_BYTES, from_s));
}

/* Bound to table, column, tenant and row. */
static void test_places(void)
{
	unsigned char w[FIELD_WRAPPED_BYTES];
	struct buf v = { 0 }, plain = { 0 }, again = { 0 };
	uint64_t refused;

	add_key(FIELD_INDEX_KEY, 0, w);
	add_key(FIELD_PLACED_KEY, 0, w);
	CU_ASSERT_TRUE(field_placed() && field_keys_ready());
	field_seal_at(&v, MAIL, 7, "12", STR("ada@example.com"), 1);
	CU_ASSERT_TRUE(strncmp(buf_cstr(&v), "e2.1000.", 8) == 0);
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &v, "ada@example.com"));
	refused = field_refused();
	CU_ASSERT_FALSE(opens("client_users.email:7:1", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("client_users.email:7:12:", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("client_users.email:71:2", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("client_users.phone:7:12", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("staff.email:7:12", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("client_users.email", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("", &v, "ada@example.com"));
	buf_adds(&plain, "ada@example.com");
	CU_ASSERT_FALSE(opens("client_users.email:7:12", &plain, "ada@example.com"));
	plain.n = 0;
	field_seal(&plain, "email", STR("ada@example.com"), 1); /* format e1, by the same key */
	CU_ASSERT_FALSE(opens("client_users.email:7:12", &plain, "ada@example.com"));
	CU_ASSERT_EQUAL(field_refused(), refused + 9);
	for (size_t i = 0; i < v.n; i++) { /* nor changed anywhere */
		v.p[i] ^= 1;
		CU_ASSERT_FALSE(opens("client_users.email:7:12", &v, "ada@example.com"));
		v.p[i] ^= 1;
	}
	field_seal_at(&again, MAIL, 7, "12", STR("ada@example.com"), 1);
	CU_ASSERT_FALSE(v.n == again.n && memcmp(v.p, again.p, v.n) == 0); /* a nonce of its own */
	again.n = 0;
	field_seal_at(&again, MAIL, 7, "12", STR(""), 1);
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &again, ""));
	field_keys_free();
	buf_free(&v);
	buf_free(&plain);
	buf_free(&again);
}

/* Values of an earlier version: accepted before the change-over, and in it under a mark that the
 * key has made; then never again. */
static void test_changing_over(void)
{
	const int64_t now_s = clock_now_us() / US_PER_S;
	unsigned char w[FIELD_WRAPPED_BYTES];
	struct buf old = { 0 }, plain = { 0 }, mark = { 0 }, v = { 0 };
	struct str m;

	add_key(FIELD_INDEX_KEY, 0, w);
	add_key(1, 0, w);
	CU_ASSERT_FALSE(field_placed());
	field_seal_at(&old, MAIL, 7, "12", STR("ada@example.com"), now_s);
	CU_ASSERT_TRUE(strncmp(buf_cstr(&old), "e1.1.", 5) == 0);
	buf_adds(&plain, "plain@example.com");
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &old, "ada@example.com"));
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &plain, "plain@example.com"));
	field_key_make(master, FIELD_PLACED_KEY, w);
	field_mark(&mark, MAIL, master, FIELD_PLACED_KEY, w, now_s + 100);
	CU_ASSERT_TRUE(field_key_add(master, FIELD_PLACED_KEY, w, sizeof(w), now_s + 50));
	m = (struct str){ mark.p, mark.n };
	CU_ASSERT_EQUAL(field_mark_read(MAIL, m), now_s + 100);
	CU_ASSERT_EQUAL(field_mark_read(FIELD_STAFF_EMAIL, m), 0);
	CU_ASSERT_EQUAL(field_mark_read(MAIL, STR("9999999999")), 0);
	/* no mark: nothing old, although the key's time has not come */
	CU_ASSERT_FALSE(opens("client_users.email:7:12", &old, "ada@example.com"));
	CU_ASSERT_EQUAL(field_key_current(now_s), FIELD_PLACED_KEY);
	field_old_accept(MAIL, field_mark_read(MAIL, m));
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &old, "ada@example.com"));
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &plain, "plain@example.com"));
	CU_ASSERT_FALSE(opens("staff.email:7:12", &plain, "plain@example.com"));
	CU_ASSERT_EQUAL(field_key_current(now_s), 1); /* others have not read the new key yet */
	CU_ASSERT_EQUAL(field_key_current(now_s + 50), FIELD_PLACED_KEY);
	field_old_accept(MAIL, now_s - 1); /* a mark that has ended */
	CU_ASSERT_FALSE(opens("client_users.email:7:12", &old, "ada@example.com"));
	field_old_accept(MAIL, now_s + 100);
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &old, "ada@example.com"));
	field_old_accept(MAIL, 0);
	CU_ASSERT_FALSE(opens("client_users.email:7:12", &old, "ada@example.com"));
	field_old_accept(MAIL, now_s + 100); /* a copy of the mark */
	CU_ASSERT_FALSE(opens("client_users.email:7:12", &old, "ada@example.com"));
	CU_ASSERT_EQUAL(field_old_until(MAIL), 0);
	field_old_by_hand();
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &plain, "plain@example.com"));
	field_seal_at(&v, MAIL, 7, "12", STR("ada@example.com"), now_s + 60);
	CU_ASSERT_TRUE(opens("client_users.email:7:12", &v, "ada@example.com"));
	CU_ASSERT_FALSE(opens("client_users.email:7:13", &v, "ada@example.com"));
	field_keys_free();
	buf_free(&old);
	buf_free(&plain);
	buf_free(&mark);
	buf_free(&v);
}

static void test_breaker(void)
{
	int64_t s = 1000000, now = s, until;
	size_t n[CIRCUIT_STATES];

	for (int i = 0; i < 4; i++)
		breaker_report("mail", "a", false, now);
	CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), 0);
	breaker_report("mail", "a", true, now); /* in a row */
	for (int i = 0; i < 5; i++)
		breaker_report("mail", "a", false, now);
	until = breaker_allow("mail", "a", now);
	CU_ASSERT_EQUAL(until, now + 2 * s);
	CU_ASSERT_EQUAL(breaker_allow("mail", "b", now), 0);
	CU_ASSERT_EQUAL(breaker_allow("webhook", "a", now), 0);
	breaker_count("mail", now, n);
	CU_ASSERT_EQUAL(n[CIRCUIT_OPEN], 1);
	now = until;
	breaker_count("mail", now, n);
	CU_ASSERT_EQUAL(n[CIRCUIT_HALF_OPEN], 1);
	CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), 0);     /* the trial */
	CU_ASSERT_NOT_EQUAL(breaker_allow("mail", "a", now), 0); /* one at a time */
	breaker_report("mail", "a", false, now);
	CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), now + 4 * s);
	for (int i = 0; i < 10; i++) { /* never longer than a minute */
		now = breaker_allow("mail", "a", now);
		CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), 0);
		breaker_report("mail", "a", false, now);
	}
	CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), now + 60 * s);
	now += 60 * s;
	CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), 0);
	breaker_report("mail", "a", true, now);
	CU_ASSERT_EQUAL(breaker_allow("mail", "a", now), 0);
	breaker_count("mail", now, n);
	CU_ASSERT_EQUAL(n[CIRCUIT_OPEN] + n[CIRCUIT_HALF_OPEN], 0);
	breaker_free();
}

/* From every state to every other: each command is allowed in the state where it is used, and the
 * way ends. */
static void test_sync_way(void)
{
	for (int from = 0; from < TICKET_STATE_COUNT; from++)
		for (int to = 0; to < TICKET_STATE_COUNT; to++) {
			enum ticket_state at = (enum ticket_state)from;
			bool stuck = false;
			int steps = 0;

			for (;;) {
				enum ticket_command cmd =
					sync_next_command(at, (enum ticket_state)to, &stuck);

				if (cmd == CMD_COUNT)
					break;
				CU_ASSERT_EQUAL_FATAL(
					ticket_apply(cmd, at, ACTOR_SYSTEM, &at), TICKET_ALLOWED);
				CU_ASSERT_TRUE_FATAL(++steps <= 3);
			}
			if (to == TICKET_IN_PROGRESS || to == TICKET_RESOLVED ||
				to == TICKET_CLOSED || to == TICKET_PENDING_CUSTOMER ||
				to == TICKET_PENDING_AWS)
				CU_ASSERT_TRUE(stuck || at == (enum ticket_state)to ||
					       (to == TICKET_RESOLVED && at == TICKET_CLOSED));
			CU_ASSERT_EQUAL(stuck,
				(from == TICKET_CANCELLED || from == TICKET_MERGED) ? from != to
				: to == TICKET_CANCELLED
					? from == TICKET_RESOLVED || from == TICKET_CLOSED
					: false);
		}
}

UNIT_MAIN("fields", { "sealed fields", test_fields }, { "places", test_places },
	{ "changing over", test_changing_over }, { "circuits", test_breaker },
	{ "the states of a synchronised ticket", test_sync_way })
