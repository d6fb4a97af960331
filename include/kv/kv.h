/* SPDX-License-Identifier: Apache-2.0
 * Redis, asynchronously: publish, streams, subscribe, commands. Optional by design: every failure
 * comes through the same callback or is dropped, and what was dropped is repaired from PostgreSQL.
 */
#ifndef SLADESK_KV_KV_H
#define SLADESK_KV_KV_H

#include "base/base.h"

struct redisReply;
/* A command's answer: it dies when this returns. NULL: Redis is away or did not answer in time. */
typedef void kv_done(void *arg, const struct redisReply *reply);

struct kv_settings {
	/* unix:///path · redis://[user@]address:port, loopback only · rediss://[user@]host:port
	 * over TLS, the certificate checked against host · NULL or "": no Redis. */
	const char *url;
	const char *password; /* or NULL */
	const char *ca_file;  /* PEM; NULL or "": the system's */
};
/* Connect, and reconnect for ever. False with *OUT_ERROR when the settings cannot be right. */
bool kv_init(const struct kv_settings *set, const char **out_error);
/* Close both connections; waiting commands end with NULL. */
void kv_free(void);
/* Is Redis connected and authenticated? */
bool kv_is_up(void);
/* Monotonic instant of the last change of kv_is_up. */
int64_t kv_since_us(void);
/* Messages dropped since the start. */
uint64_t kv_dropped(void);

/* Any command. FN runs exactly once, on a later turn; with NULL when Redis is away, too slow, or
 * its queue full. */
void kv_command(kv_done *fn, void *arg, int argc, const struct str *argv);
/* Call FN for messages on channels that match PATTERN, for ever (a connection of its own,
 * reconnecting). */
void kv_psubscribe(const char *pattern,
	void (*fn)(void *arg, const char *channel, const char *p, size_t n), void *arg);

#endif
