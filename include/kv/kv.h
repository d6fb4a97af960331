/* SPDX-License-Identifier: Apache-2.0
 * Redis, asynchronously: publish, streams, subscribe. Optional by design: every failure comes
 * through the same callback or is dropped, and what was dropped is repaired from PostgreSQL. */
#ifndef SLADESK_KV_KV_H
#define SLADESK_KV_KV_H

#include "base/base.h"

/* URL: unix:///path or redis://[user:password@]address:port; NULL or "" = no Redis. */
bool kv_init(const char *url, const char *password, const char **out_error);
void kv_free(void);
bool kv_is_up(void);
int64_t kv_since_us(void);
uint64_t kv_dropped(void);

/* PUBLISH; fire and forget. */
void kv_publish(const char *channel, const char *p, size_t n);
/* XADD key MAXLEN ~ max * event p; fire and forget. */
void kv_stream_add(const char *key, int64_t max, const char *p, size_t n);
/* Call FN for messages on channels that match PATTERN, for ever (a connection of its own,
 * reconnecting). */
void kv_psubscribe(const char *pattern,
	void (*fn)(void *arg, const char *channel, const char *p, size_t n), void *arg);

#endif
