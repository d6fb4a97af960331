/* SPDX-License-Identifier: Apache-2.0
 * The heap next to libevent's own timers, with 1,000,000 entries: nanoseconds per operation and the
 * ratio. */
#include "base/clock.h"
#include "base/heap.h"
#include "base/heap4.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 1000000
static uint64_t seed = 88172645463325252ULL;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static double since(int64_t at)
{
	return (double)(clock_mono_us() - at) * 1000 / N;
}

static void nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static struct timeval later(void)
{
	return (struct timeval){ 1000 + (long)(rnd() % 100000), (long)(rnd() % 1000000) };
}

static int by_instant(const void *a, const void *b)
{
	const struct heap4_entry *x = a, *y = b;

	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

int main(void)
{
	static struct event *ev[N];
	static struct heap4_entry due[N];
	struct event_base *base = event_base_new();
	struct heap *h = heap_new();
	struct heap_item it;
	struct heap4 q = { 0 };
	double ours[4], theirs[3], array[4];
	int64_t at;

	heap4_reserve(&q, N);
	memset(q.pos, 0,
		N * sizeof(*q.pos)); /* libevent's events are also created before the measurement */
	memset(q.entries, 0, N * sizeof(*q.entries));
	at = clock_mono_us();
	for (uint32_t i = 0; i < N; i++)
		heap4_push(&q, i, (int64_t)(rnd() % 1000000000));
	array[0] = since(at);
	at = clock_mono_us();
	for (uint32_t i = 0; i < N; i++)
		heap4_move(&q, (uint32_t)(rnd() % N), (int64_t)(rnd() % 1000000000));
	array[1] = since(at);
	at = clock_mono_us();
	for (uint32_t i = 0; i < N; i++) {
		uint32_t s = (uint32_t)(rnd() % N);

		heap4_remove(&q, s);
		heap4_push(&q, s, (int64_t)(rnd() % 1000000000));
	}
	array[2] = since(at);
	at = clock_mono_us();
	while (q.count)
		heap4_remove(&q, q.entries[0].slot);
	array[3] = since(at);
	heap4_free(&q);
	at = clock_mono_us();

	for (uint64_t i = 1; i <= N; i++)
		heap_set(h, i << 3, 1, (int64_t)(rnd() % 1000000000));
	ours[0] = since(at);
	at = clock_mono_us();
	for (uint64_t i = 0; i < N; i++)
		heap_set(h, (rnd() % N + 1) << 3, 1, (int64_t)(rnd() % 1000000000));
	ours[1] = since(at);
	at = clock_mono_us();
	for (uint64_t i = 0; i < N; i++) {
		uint64_t k = (rnd() % N + 1) << 3;

		heap_cancel(h, k);
		heap_set(h, k, 1, (int64_t)(rnd() % 1000000000));
	}
	ours[2] = since(at);
	printf("heap_bytes_per_entry %.1f\n", (double)heap_bytes(h) / N);
	at = clock_mono_us();
	while (heap_pop(h, &it))
		;
	ours[3] = since(at);
	heap_free(h);

	for (int i = 0; i < N; i++)
		ev[i] = event_new(base, -1, 0, nothing, NULL);
	at = clock_mono_us();
	for (int i = 0; i < N; i++) {
		struct timeval tv = later();

		event_add(ev[i], &tv);
	}
	theirs[0] = since(at);
	at = clock_mono_us();
	for (int i = 0; i < N; i++) {
		struct timeval tv = later();

		event_add(ev[rnd() % N], &tv);
	}
	theirs[1] = since(at);
	at = clock_mono_us();
	for (int i = 0; i < N; i++) {
		struct timeval tv = later();
		struct event *e = ev[rnd() % N];

		event_del(e);
		event_add(e, &tv);
	}
	theirs[2] = since(at);
	for (uint32_t i = 0; i < N; i++) {
		struct timeval tv = later();

		due[i] = (struct heap4_entry){ tv.tv_sec * 1000000LL + tv.tv_usec, i };
		event_add(ev[i], &tv);
	}
	qsort(due, N, sizeof(*due), by_instant);
	at = clock_mono_us();
	for (int i = 0; i < N; i++)
		event_del(ev[due[i].slot]); /* the earliest each time, as expiry does */
	printf("array_insert_ns %.0f %.0f\narray_reschedule_ns %.0f %.0f\narray_cancel_insert_ns "
	       "%.0f "
	       "%.0f\narray_pop_ns %.0f %.0f\n",
		array[0], theirs[0], array[1], theirs[1], array[2], theirs[2], array[3], since(at));
	printf("keyed_insert_ns %.0f %.0f\nkeyed_reschedule_ns %.0f %.0f\nkeyed_cancel_insert_ns "
	       "%.0f "
	       "%.0f\nkeyed_pop_ns %.0f 0\n",
		ours[0], theirs[0], ours[1], theirs[1], ours[2], theirs[2], ours[3]);
	return 0;
}
