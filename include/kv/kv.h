/* SPDX-License-Identifier: Apache-2.0
 * Redis, asynchronously: publish, streams, subscribe, commands. Redis is optional: every failure
 * comes through the same callback or is dropped, and what was dropped is repaired from PostgreSQL.
 */
#ifndef SLADESK_KV_KV_H
#define SLADESK_KV_KV_H

#include "base/base.h"

struct redisReply;
/* The reply to a command, valid until this returns. NULL: Redis is down or did not reply in
 * time. */
typedef void kv_done(void *arg, const struct redisReply *reply);

struct kv_settings {
	/* unix:///path, redis://[user@]address:port (loopback only), rediss://[user@]host:port
	 * (TLS, the certificate is checked against host), NULL or "": no Redis. */
	const char *url;
	const char *password; /* or NULL */
	const char *ca_file;  /* PEM; NULL or "": the system's */
};
/* Can kv_init use these settings? If not, set *OUT_ERROR. Nothing is connected. Not after
 * kv_init, which checks by itself. */
bool kv_check(const struct kv_settings *set, const char **out_error);
/* Connect, and reconnect whenever the connection is lost. Returns false and sets *OUT_ERROR if the
 * settings are invalid. */
bool kv_init(const struct kv_settings *set, const char **out_error);
/* Close both connections; waiting commands end with NULL. */
void kv_free(void);
/* Is Redis connected and authenticated? */
bool kv_is_up(void);
/* The monotonic instant of the last change of kv_is_up. */
int64_t kv_since_us(void);
/* The number of messages dropped since the start. */
uint64_t kv_dropped(void);

/* Send any command. FN runs exactly once, on a later turn; with NULL if Redis is down, too slow, or
 * the queue is full. */
void kv_command(kv_done *fn, void *arg, int argc, const struct str *argv);
/* Call FN for every message on channels that match PATTERN, on a connection of its own that
 * reconnects. */
void kv_psubscribe(const char *pattern,
	void (*fn)(void *arg, const char *channel, const char *p, size_t n), void *arg);

#endif
