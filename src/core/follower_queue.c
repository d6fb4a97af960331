/* SPDX-License-Identifier: Apache-2.0 */
#include "follower_queue.h"
#include "base/clock.h"

#include <stdlib.h>

#define AWAY_FIRST_US 200000
#define AWAY_MAX_US (5 * US_PER_S)
#define LOCKED_FIRST_US 50000
#define LOCKED_MAX_US (10 * US_PER_S)
#define LOCKED_TRIES 10                  /* without groups: then it counts as rejected */
#define LOCKED_LONG_US (3600 * US_PER_S) /* a group: then its items are set aside */

static struct piece *piece_new(size_t room, size_t size)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	list_init(&p->node);
	p->room = room;
	p->item = xcalloc(room ? room : 1, size);
	return p;
}

static void piece_free(struct piece *p)
{
	free(p->item);
	free(p);
}

static void piece_add(struct piece *p, const void *item, size_t size)
{
	if (p->n == p->room) {
		p->room = p->room ? 2 * p->room : 4;
		p->item = xrealloc(p->item, p->room * size);
	}
	memcpy(p->item + p->n++ * size, item, size);
}

static void *item_at(const struct follower_queue *q, const struct piece *p, size_t i)
{
	return p->item + i * q->kind->item_size;
}

static void free_item(const struct follower_queue *q, void *item)
{
	if (q->kind->item_free)
		q->kind->item_free(item);
}

/* Release the items of P. */
static void piece_end(struct follower_queue *q, struct piece *p)
{
	for (size_t i = 0; i < p->n; i++)
		free_item(q, item_at(q, p, i));
	q->in_pieces -= p->n;
	piece_free(p);
}

static int64_t backoff_us(unsigned tries, int64_t first, int64_t most)
{
	int64_t wait = first;

	for (unsigned i = 1; i < tries && wait < most; i++)
		wait *= 2;
	return wait < most ? wait : most;
}

static void list_add_head(struct list *head, struct list *n)
{
	list_add_tail(head->next, n); /* before the first */
}

void follower_queue_init(struct follower_queue *q, const struct follower_kind *kind)
{
	*q = (struct follower_queue){ .kind = kind };
	list_init(&q->again);
	list_init(&q->held);
}

static void clear_list(struct follower_queue *q, struct list *l)
{
	while (!list_is_empty(l)) {
		struct piece *p = list_entry(l->next, struct piece, node);

		list_remove(&p->node);
		piece_end(q, p);
	}
}

void follower_queue_clear(struct follower_queue *q)
{
	clear_list(q, &q->again);
	clear_list(q, &q->held);
	for (; q->n; q->n--)
		free_item(q, q->item + q->head++ * q->kind->item_size);
	q->head = 0;
}

static void set_aside_list(struct follower_queue *q, const struct list *l, enum db_error error)
{
	for (const struct list *n = l->next; n != l; n = n->next) {
		const struct piece *p = list_entry(n, struct piece, node);

		for (size_t i = 0; i < p->n; i++)
			q->kind->set_aside(item_at(q, p, i), error);
	}
}

void follower_queue_set_aside(struct follower_queue *q, enum db_error error)
{
	set_aside_list(q, &q->held, error);
	set_aside_list(q, &q->again, error);
	for (size_t i = 0; i < q->n; i++)
		q->kind->set_aside(q->item + (q->head + i) * q->kind->item_size, error);
	follower_queue_clear(q);
}

void follower_queue_free(struct follower_queue *q)
{
	follower_queue_clear(q);
	free(q->item);
	q->item = NULL;
	q->room = 0;
}

size_t follower_queue_count(const struct follower_queue *q)
{
	return q->n + q->in_pieces;
}

bool follower_queue_add(struct follower_queue *q, const void *item)
{
	size_t size = q->kind->item_size;

	if (follower_queue_count(q) >= q->kind->max)
		return false;
	if (q->head && q->head + q->n == q->room) {
		memmove(q->item, q->item + q->head * size, q->n * size);
		q->head = 0;
	}
	if (q->n == q->room) {
		q->room = q->room ? 2 * q->room : 64;
		q->item = xrealloc(q->item, q->room * size);
	}
	memcpy(q->item + (q->head + q->n++) * size, item, size);
	return true;
}

/* --- groups --- */

static struct piece *held_of(const struct follower_queue *q, const void *item)
{
	if (!q->kind->group)
		return NULL;
	for (struct list *n = q->held.next; n != &q->held; n = n->next) {
		struct piece *p = list_entry(n, struct piece, node);

		if (q->kind->group(p->item) == q->kind->group(item))
			return p;
	}
	return NULL;
}

/* Move the items of P whose group is held to the end of that group's queue. Returns false if no
 * item is left in P. */
static bool divert(struct follower_queue *q, struct piece *p)
{
	size_t kept = 0, size = q->kind->item_size;

	if (list_is_empty(&q->held))
		return p->n > 0;
	for (size_t i = 0; i < p->n; i++) {
		struct piece *held = held_of(q, item_at(q, p, i));

		if (held)
			piece_add(held, item_at(q, p, i), size);
		else if (kept++ != i)
			memmove(item_at(q, p, kept - 1), item_at(q, p, i), size);
	}
	p->n = kept;
	return kept > 0;
}

static bool is_one_group(const struct follower_queue *q, const struct piece *p)
{
	for (size_t i = 1; i < p->n; i++)
		if (q->kind->group(item_at(q, p, i)) != q->kind->group(p->item))
			return false;
	return true;
}

/* --- taking --- */

static struct piece *take_from(struct follower_queue *q, struct list *l, int64_t now)
{
	for (struct list *n = l->next; n != l; n = n->next) {
		struct piece *p = list_entry(n, struct piece, node);

		if (p->due_us > now) {
			if (l == &q->again)
				return NULL; /* the pieces behind it must not overtake it */
			continue;
		}
		list_remove(&p->node);
		return p;
	}
	return NULL;
}

static struct piece *take_waiting(struct follower_queue *q)
{
	size_t n = q->n < q->kind->batch ? q->n : q->kind->batch, size = q->kind->item_size;
	struct piece *p;

	/* While a piece is under way, start another only if it is full: more items may arrive. */
	if (!n || !list_is_empty(&q->again) || (q->under_way && n < q->kind->batch))
		return NULL;
	p = piece_new(n, size);
	memcpy(p->item, q->item + q->head * size, n * size);
	p->n = n;
	q->head += n;
	q->n -= n;
	q->in_pieces += n;
	return p;
}

struct piece *follower_queue_take(struct follower_queue *q, int64_t now_us)
{
	struct piece *p = take_from(q, &q->held, now_us);

	while (!p) {
		p = take_from(q, &q->again, now_us);
		if (!p)
			p = take_waiting(q);
		if (!p)
			return NULL;
		if (!divert(q, p)) {
			piece_free(p);
			p = NULL;
		}
	}
	q->under_way++;
	return p;
}

int64_t follower_queue_wait_us(const struct follower_queue *q, int64_t now_us)
{
	int64_t first = INT64_MAX;

	if (q->n && list_is_empty(&q->again) && (!q->under_way || q->n >= q->kind->batch))
		return 0;
	for (struct list *n = q->held.next; n != &q->held; n = n->next)
		if (list_entry(n, struct piece, node)->due_us < first)
			first = list_entry(n, struct piece, node)->due_us;
	if (!list_is_empty(&q->again) &&
		list_entry(q->again.next, struct piece, node)->due_us < first)
		first = list_entry(q->again.next, struct piece, node)->due_us;
	if (first == INT64_MAX)
		return -1;
	return first > now_us ? first - now_us : 0;
}

/* --- ending --- */

/* Put N items of P, from FROM on, at the front as a piece of their own. */
static void put_first(struct follower_queue *q, const struct piece *p, size_t from, size_t n)
{
	struct piece *part = piece_new(n, q->kind->item_size);

	memcpy(part->item, item_at(q, p, from), n * q->kind->item_size);
	part->n = n;
	list_add_head(&q->again, &part->node);
}

static void set_aside_all(struct follower_queue *q, struct piece *p, enum db_error error)
{
	for (size_t i = 0; i < p->n; i++)
		q->kind->set_aside(item_at(q, p, i), error);
	q->set_aside += p->n;
	piece_end(q, p);
}

static void halve(struct follower_queue *q, struct piece *p, enum db_error error)
{
	if (p->n == 1) {
		set_aside_all(q, p, error);
		return;
	}
	put_first(q, p, p->n / 2, p->n - p->n / 2);
	put_first(q, p, 0, p->n / 2);
	piece_free(p);
}

static void run_again(struct follower_queue *q, struct piece *p, int64_t due_us)
{
	p->due_us = due_us;
	list_add_head(&q->again, &p->node);
}

/* Split P into one piece per group, in the order of arrival. */
static void part(struct follower_queue *q, struct piece *p)
{
	struct list parts;

	list_init(&parts);
	for (size_t i = 0; i < p->n; i++) {
		void *item = item_at(q, p, i);
		struct piece *to = NULL;

		for (struct list *n = parts.next; n != &parts && !to; n = n->next) {
			to = list_entry(n, struct piece, node);
			if (q->kind->group(to->item) != q->kind->group(item))
				to = NULL;
		}
		if (!to) {
			to = piece_new(4, q->kind->item_size);
			list_add_tail(&parts, &to->node);
		}
		piece_add(to, item, q->kind->item_size);
	}
	while (!list_is_empty(&parts)) {
		struct list *last = parts.prev;

		list_remove(last);
		list_add_head(&q->again, last);
	}
	piece_free(p);
}

static void end_locked(struct follower_queue *q, struct piece *p, int64_t now)
{
	p->tries++;
	if (!q->kind->group) {
		if (p->tries < LOCKED_TRIES)
			run_again(q, p, now + backoff_us(p->tries, LOCKED_FIRST_US, LOCKED_MAX_US));
		else
			halve(q, p, DB_RETRY);
	} else if (!is_one_group(q, p)) {
		part(q, p);
	} else if (q->kind->locked) {
		q->kind->locked(p->item, p->n);
		piece_end(q, p);
	} else if (p->since_us && now - p->since_us > LOCKED_LONG_US) {
		set_aside_all(q, p, DB_RETRY);
	} else {
		p->since_us = p->since_us ? p->since_us : now;
		p->due_us = now + backoff_us(p->tries, LOCKED_FIRST_US, LOCKED_MAX_US);
		list_add_tail(&q->held, &p->node);
	}
}

void follower_queue_end(
	struct follower_queue *q, struct piece *p, enum db_error error, int64_t now_us)
{
	q->under_way--;
	if (error == DB_OK) {
		piece_end(q, p);
	} else if (db_is_away(error) && q->kind->away) {
		q->kind->away(p->item, p->n, error);
		piece_end(q, p);
	} else if (db_is_away(error)) {
		p->tries++;
		run_again(q, p, now_us + backoff_us(p->tries, AWAY_FIRST_US, AWAY_MAX_US));
	} else if (error == DB_RETRY) {
		end_locked(q, p, now_us);
	} else {
		halve(q, p, error);
	}
}
