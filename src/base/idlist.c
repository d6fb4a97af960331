/* SPDX-License-Identifier: Apache-2.0
 * Lists of ids are sorted when they are read; a look-up is a binary search. */
#include "base/idlist.h"

#include <stdlib.h>

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sort, and drop duplicates. The database usually writes ids in order; then there is nothing to
 * do. */
static void sort_once(struct id_list *list)
{
	size_t kept = 1, at = 1;

	while (at < list->n && list->ids[at - 1] < list->ids[at])
		at++;
	if (at >= list->n)
		return;
	qsort(list->ids, list->n, sizeof(*list->ids), by_id);
	for (size_t i = 1; i < list->n; i++)
		if (list->ids[i] != list->ids[kept - 1])
			list->ids[kept++] = list->ids[i];
	list->n = kept;
}

bool id_list_read(struct str text, struct id_list *out)
{
	const char *p, *end;
	size_t room = 1;

	*out = (struct id_list){ 0 };
	if (text.n < 2 || text.p[0] != '{' || text.p[text.n - 1] != '}')
		return false;
	p = text.p + 1;
	end = text.p + text.n - 1;
	for (const char *c = p; c < end; c++)
		room += *c == ',';
	out->ids = xmalloc(room * sizeof(*out->ids));
	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;

		if (!str_to_int((struct str){ p, (size_t)(stop - p) }, INT64_MIN, INT64_MAX,
			    &out->ids[out->n++]) ||
			stop + 1 == end) {
			id_list_free(out);
			return false;
		}
		p = stop + 1;
	}
	sort_once(out);
	return true;
}

bool id_list_has(const struct id_list *list, int64_t id)
{
	size_t lo = 0, hi = list->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (list->ids[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < list->n && list->ids[lo] == id;
}

void id_list_free(struct id_list *list)
{
	free(list->ids);
	*list = (struct id_list){ 0 };
}
