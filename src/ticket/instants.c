/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket/instants.h"

#define DAY (86400 * US_PER_S)
#define WINDOW_MAX (30 * DAY)
#define AHEAD_MAX (731 * DAY)

static bool fault(struct instant_fault *out, const char *field, const char *en, const char *zh)
{
	*out = (struct instant_fault){ field, en, zh };
	return false;
}

/* Users see milliseconds: the opening instant as displayed must be accepted. */
static bool is_before(int64_t at, int64_t opened)
{
	return at < opened && at / 1000 != opened / 1000;
}

bool instant_in_life(int64_t *at, int64_t opened, int64_t now)
{
	if (is_before(*at, opened) || *at > now + INSTANT_SKEW_US)
		return false;
	*at = *at > now ? now : *at;
	*at = *at < opened ? opened : *at;
	return true;
}

static bool contact_allowed(int64_t opened, int64_t now, int64_t *at, struct instant_fault *out)
{
	if (is_before(*at, opened))
		return fault(out, "at", "not before the ticket was opened", "不能早于工单创建时间");
	if (!instant_in_life(at, opened, now))
		return fault(out, "at", "not in the future", "不能晚于当前时间");
	return true;
}

static bool wake_allowed(int64_t now, int64_t at, struct instant_fault *out)
{
	if (at <= now)
		return fault(out, "until", "in the future", "应晚于当前时间");
	if (at > now + AHEAD_MAX)
		return fault(out, "until", "at most two years ahead", "最多提前两年");
	return true;
}

static bool window_allowed(
	int64_t opened, int64_t now, struct asked_instants *a, struct instant_fault *out)
{
	if (is_before(a->from, opened))
		return fault(
			out, "from", "not before the ticket was opened", "不能早于工单创建时间");
	a->from = a->from < opened ? opened : a->from;
	if (a->from > now + AHEAD_MAX)
		return fault(out, "from", "at most two years ahead", "最多提前两年");
	if (a->to <= a->from)
		return fault(out, "to", "after from", "应晚于 from");
	if (a->to - a->from > WINDOW_MAX)
		return fault(out, "to", "at most 30 days after from", "最多 30 天");
	return true;
}

bool instants_allowed(enum ticket_command cmd, int64_t opened, int64_t now,
	struct asked_instants *asked, struct instant_fault *out)
{
	switch (cmd) {
	case CMD_CONTACT:
		return contact_allowed(opened, now, &asked->contact_at, out);
	case CMD_SCHEDULE:
		return wake_allowed(now, asked->wake_at, out);
	case CMD_EXCLUDE_WINDOW:
		return window_allowed(opened, now, asked, out);
	default:
		return true;
	}
}
