/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/breaker.h"

#include <stdlib.h>

#define FAILURES_MAX 5
#define WAIT_MIN_US 2000000
#define WAIT_MAX_US 60000000
#define TRIAL_MAX_US 30000000 /* a trial without a result has ended after this time */
#define CIRCUITS_MAX 2000

struct circuit_of {
	struct circuit_of *next;
	const char *kind;
	char *host;
	int failures;
	int64_t until_us, wait_us,
		trial_us; /* until: 0 while closed; trial: when one began, 0: none */
};

static struct circuit_of *circuits;
static size_t circuit_n;

const char *circuit_name(enum circuit c)
{
	static const char *const names[] = { "closed", "half_open", "open" };

	return names[c];
}

static struct circuit_of *find_circuit(const char *kind, const char *host)
{
	for (struct circuit_of *c = circuits; c; c = c->next)
		if (strcmp(c->kind, kind) == 0 && strcmp(c->host, host) == 0)
			return c;
	return NULL;
}

static enum circuit state_of(const struct circuit_of *c, int64_t now)
{
	return !c->until_us ? CIRCUIT_CLOSED : now < c->until_us ? CIRCUIT_OPEN : CIRCUIT_HALF_OPEN;
}

int64_t breaker_allow(const char *kind, const char *host, int64_t now)
{
	struct circuit_of *c = find_circuit(kind, host);

	if (!c || state_of(c, now) == CIRCUIT_CLOSED)
		return 0;
	if (state_of(c, now) == CIRCUIT_OPEN)
		return c->until_us;
	if (c->trial_us && now - c->trial_us < TRIAL_MAX_US)
		return now + WAIT_MIN_US;
	c->trial_us = now;
	return 0;
}

/* Circuits without failures need not be kept. */
static void forget(struct circuit_of *gone)
{
	for (struct circuit_of **at = &circuits; *at; at = &(*at)->next)
		if (*at == gone) {
			*at = gone->next;
			free(gone->host);
			free(gone);
			circuit_n--;
			return;
		}
}

void breaker_report(const char *kind, const char *host, bool ok, int64_t now)
{
	struct circuit_of *c = find_circuit(kind, host);

	if (ok) {
		if (c)
			forget(c);
		return;
	}
	if (!c) {
		if (circuit_n == CIRCUITS_MAX)
			forget(circuits);
		c = xcalloc(1, sizeof(*c));
		c->kind = kind;
		c->host = xstrdup(host);
		c->wait_us = WAIT_MIN_US;
		c->next = circuits;
		circuits = c;
		circuit_n++;
	}
	c->trial_us = 0;
	if (++c->failures < FAILURES_MAX)
		return;
	if (c->until_us && c->wait_us < WAIT_MAX_US && now >= c->until_us)
		c->wait_us *= 2;
	if (c->wait_us > WAIT_MAX_US)
		c->wait_us = WAIT_MAX_US;
	if (now >= c->until_us)
		c->until_us = now + c->wait_us;
}

void breaker_count(const char *kind, int64_t now, size_t out[CIRCUIT_STATES])
{
	memset(out, 0, CIRCUIT_STATES * sizeof(*out));
	for (struct circuit_of *c = circuits; c; c = c->next)
		if (strcmp(c->kind, kind) == 0)
			out[state_of(c, now)]++;
}

void breaker_free(void)
{
	while (circuits)
		forget(circuits);
}
