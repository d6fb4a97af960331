/* SPDX-License-Identifier: Apache-2.0
 * What happens to a demo ticket, and when. Pure: the plan follows from the ticket's title, opening
 * and priority alone, so that past and present, and a run after another, agree on it. */
#include "demo.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MINUTE 60LL
#define HOUR (60 * MINUTE)
#define DAY_S (24 * HOUR)
#define OFFICE_OFFSET_S (8 * HOUR) /* where the engineers are: UTC+8, all year */
#define OFFICE_OPENS (8 * HOUR)
#define OFFICE_CLOSES (22 * HOUR)

const struct demo_story demo_stories[] = {
#include "stories.def"
};
const size_t demo_story_count = ARRAY_LEN(demo_stories);

/* What an engineer reports if the story says nothing of it. */
static const char *const reports[2] = {
	"We have narrowed it down and test the change on the staging account first.|The test went "
	"well; we carry it out in production now.|The change is in place. We watch the metrics for "
	"a while.|Still watching: no new errors so far.",
	"已缩小范围，正在测试账号上验证修改。|验证通过，正在生产环境执行。|"
	"修改已生效，继续观察指标。|"
	"观察中，目前没有新的错误。",
};
static const char *const words[2][8] = {
	{ "the customer has answered", "waiting for the planned time", "AWS Support has answered",
		"It happens again since this morning.", "We look at it again at once.",
		"It was the second instance; it is corrected now.", "no longer needed",
		"fixed by itself" },
	{ "客户已答复", "等待计划的时间", "AWS Support 已答复", "今天上午又出现了同样的现象。",
		"您好，我们马上重新检查。", "是第二个实例的配置没有同步，现已修正。",
		"已经不需要了", "自己恢复了，先撤回" },
};
enum word { W_ANSWERED, W_PLANNED, W_AWS, W_AGAIN, W_LOOK, W_SECOND, W_CANCEL };
static const char *const praise[2][5] = {
	{ "This took far too long.", "We had to ask twice.", "Solved, but slowly.", "Good work.",
		"Quick and clear, thank you." },
	{ "处理得太慢了。", "催了两次才有进展。", "解决了，但是有点慢。", "处理得不错。",
		"响应很快，说明清楚，谢谢。" },
};

/* --- dice --- */

uint64_t demo_seed(const char *text)
{
	uint64_t h = 14695981039346656037ULL; /* FNV-1a */

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211ULL;
	return h;
}

static uint64_t next(struct demo_dice *d) /* splitmix64 */
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

int64_t demo_roll(struct demo_dice *d, int64_t low, int64_t high)
{
	return low + (int64_t)(next(d) % (uint64_t)(high - low + 1));
}

bool demo_chance(struct demo_dice *d, int percent)
{
	return demo_roll(d, 1, 100) <= percent;
}

/* --- texts --- */

/* Does a blank belong between a character whose first byte is LEAD and OTHER? Between a Chinese one
 * (U+4000 to U+9FFF) and a Latin letter or a digit. */
static bool wants_blank(unsigned char lead, unsigned char other)
{
	return lead >= 0xe4 && lead <= 0xe9 && isalnum(other);
}

static void add_subject(struct buf *b, const char *subject, const char *next, const char *end)
{
	size_t n = strlen(subject);

	if (b->n >= 3 && wants_blank((unsigned char)b->p[b->n - 3], (unsigned char)*subject))
		buf_addc(b, ' ');
	buf_adds(b, subject);
	if (n && next < end && wants_blank((unsigned char)*next, (unsigned char)subject[n - 1]))
		buf_addc(b, ' ');
}

char *demo_text(const char *text, size_t n, const char *subject)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		if (text[i] == '{' && i + 1 < n && text[i + 1] == '}') {
			add_subject(&b, subject, text + i + 2, text + n);
			i++;
		} else {
			buf_addc(&b, text[i]);
		}
	return buf_take(&b);
}

/* Part I of "a|b|c"; past the last one, its length is 0. */
static struct str part(const char *list, int64_t i)
{
	while (i-- > 0) {
		list += strcspn(list, "|");
		list += *list == '|';
	}
	return (struct str){ list, strcspn(list, "|") };
}

char *demo_subject(const struct demo_story *s, int64_t i)
{
	int64_t n = 1;
	struct str one;

	for (const char *p = s->of; *p; p++)
		n += *p == '|';
	one = part(s->of, i % n);
	return xstrndup(one.p, one.n);
}

char *demo_details(const struct demo_plan *p, enum priority priority)
{
	const struct demo_story *s = p->story;
	const char *const parts[][2] = { { "solution_kind", "permanent" },
		{ "root_cause", s->cause ? s->cause : s->fix },
		{ "solution", s->solution ? s->solution : s->fix },
		{ "prevention", s->prevention ? s->prevention : s->fix },
		{ "configuration", s->category } };
	struct buf b = { 0 };

	if (priority > P2)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *text = demo_text(parts[i][1], strlen(parts[i][1]), p->subject);

		buf_addf(&b, "%s\"%s\":", i ? "," : "{", parts[i][0]);
		buf_add_json(&b, text, strlen(text));
		free(text);
	}
	buf_addc(&b, '}');
	return buf_take(&b);
}

/* --- the plan --- */

/* Of a story's ticket: minutes to the first response, of the work, and between two reports. */
static const struct {
	int64_t response, work_low, work_high, report, budget;
} usual[PRIORITY_COUNT] = { [P0] = { 15, 70, 105, 13, 120 },
	[P1] = { 30, 80, 190, 26, 240 },
	[P2] = { 120, 100, 330, 100, 480 },
	[P3] = { 240, 60, 420, 205, 1440 },
	[P4] = { 480, 120, 900, 1200, 2880 } };

static struct demo_step *add(
	struct demo_plan *p, enum ticket_command cmd, int64_t delay_s, const char *text)
{
	static struct demo_step spare;
	struct demo_step *s = p->n < DEMO_STEPS_MAX ? &p->step[p->n++] : &spare;
	bool customer = cmd == CMD_CUSTOMER_REPLY || cmd == CMD_CONFIRM_RESOLUTION ||
			cmd == CMD_RATE || cmd == CMD_CANCEL || cmd == CMD_REOPEN;

	*s = (struct demo_step){ .cmd = cmd,
		.actor = customer ? ACTOR_CUSTOMER : ACTOR_STAFF,
		.delay_s = delay_s,
		.text = text,
		.text_n = text ? strlen(text) : 0,
		.day = p->story->priority > P2 || (customer && p->story->priority > P1) };
	return s;
}

static int64_t minutes(struct demo_plan *p, int64_t low, int64_t high)
{
	return demo_roll(&p->dice, low * MINUTE, high * MINUTE);
}

static void add_answer(struct demo_plan *p, enum priority priority)
{
	const char *const *w = words[p->story->zh];
	struct demo_dice *d = &p->dice;
	int64_t response = usual[priority].response * MINUTE, first;

	p->late |= demo_chance(d, 6);
	first = p->late ? demo_roll(d, response * 105 / 100, response * 26 / 10)
			: demo_roll(d, response / 10, response * 6 / 10);
	if (demo_chance(d, 85)) {
		add(p, CMD_ACCEPT, first / 2, NULL);
		first -= first / 2;
	}
	add(p, CMD_REPLY, first, p->story->reply);
	if (priority <= P3)
		add(p, CMD_CONFIRM, minutes(p, 1, 5), NULL);
	if (p->story->ask && demo_chance(d, 70)) {
		add(p, CMD_WAIT_CUSTOMER, minutes(p, 3, 10), p->story->ask);
		add(p, CMD_CUSTOMER_REPLY, minutes(p, 8, priority <= P1 ? 25 : 200),
			p->story->answer);
	}
	if (p->story->aws && demo_chance(d, 70)) {
		add(p, CMD_REPLY, minutes(p, 5, 15), p->story->aws);
		add(p, CMD_WAIT_AWS, 1, NULL);
		add(p, CMD_RESUME, minutes(p, 60, 110), w[W_AWS]);
	}
	if (p->story->schedule && demo_chance(d, 75)) {
		add(p, CMD_REPLY, minutes(p, 5, 15), p->story->schedule);
		add(p, CMD_SCHEDULE, 1, w[W_PLANNED])->until_s = demo_roll(d, 14, 19) * HOUR;
		add(p, CMD_NOTE, p->step[p->n - 1].until_s + minutes(p, 10, 40),
			p->story->zh ? "计划的时间已到，开始检查。" : "The planned time has come.");
	}
}

/* The reports until the work is done. */
static void add_work(struct demo_plan *p, enum priority priority)
{
	struct demo_dice *d = &p->dice;
	const char *list = p->story->work ? p->story->work : reports[p->story->zh];
	bool silent = demo_chance(d, 5), overrun = demo_chance(d, 7);
	int64_t report = usual[priority].report * MINUTE,
		left = minutes(p, usual[priority].work_low, usual[priority].work_high);

	if (overrun)
		left = usual[priority].budget * MINUTE * demo_roll(d, 100, 125) / 100;
	p->late |= overrun;
	for (int i = 0; left > report && i < 12; i++) {
		int64_t gap = demo_roll(d, report * 8 / 10, report);
		struct str text = part(list, i);

		left -= gap;
		if (text.n && !silent)
			add(p, CMD_REPLY, gap, text.p)->text_n = text.n;
		else if (!silent)
			add(p, CMD_REPLY, gap, part(list, i % 3).p)->text_n = part(list, i % 3).n;
		if (i == 0 && p->story->note)
			add(p, CMD_NOTE, 2 * MINUTE, p->story->note);
	}
	if (p->story->mitigate) {
		add(p, CMD_MITIGATE, left / 2 + MINUTE, p->story->mitigate);
		if (demo_chance(d, 60))
			add(p, CMD_MONITOR, minutes(p, 2, 4), NULL);
		left = minutes(p, 5, 9);
	}
	add(p, CMD_RESOLVE, left + MINUTE, p->story->fix);
}

static void add_end(struct demo_plan *p)
{
	const char *const *w = words[p->story->zh];
	struct demo_dice *d = &p->dice;
	bool confirmed = demo_chance(d, 70);
	int score = p->late              ? (int)demo_roll(d, 2, 4)
		    : demo_chance(d, 65) ? 5
		    : demo_chance(d, 75) ? 4
					 : 3;

	if (demo_chance(d, 5)) {
		add(p, CMD_REOPEN, minutes(p, 60, 900), w[W_AGAIN]);
		add(p, CMD_REPLY, minutes(p, 5, 20), w[W_LOOK]);
		add(p, CMD_RESOLVE, minutes(p, 20, 60), w[W_SECOND]);
	}
	if (confirmed)
		add(p, CMD_CONFIRM_RESOLUTION, minutes(p, 10, 500), NULL);
	if (demo_chance(d, confirmed ? 75 : 25))
		add(p, CMD_RATE, minutes(p, 1, 30), praise[p->story->zh][score - 1])->score = score;
}

static const struct demo_story *story_of(const char *title, char *subject, size_t size)
{
	size_t n = strlen(title);

	for (size_t i = 0; i < demo_story_count; i++) {
		const char *t = demo_stories[i].title, *gap = strstr(t, "{}");
		size_t before = (size_t)(gap - t), after = strlen(gap + 2);

		if (n > before + after && n - before - after < size &&
			memcmp(title, t, before) == 0 &&
			memcmp(title + n - after, gap + 2, after) == 0) {
			struct str of = { title + before, n - before - after };

			for (; of.n && *of.p == ' '; of.n--)
				of.p++;
			while (of.n && of.p[of.n - 1] == ' ')
				of.n--;
			snprintf(subject, size, "%.*s", (int)of.n, of.p);
			return &demo_stories[i];
		}
	}
	return NULL;
}

bool demo_plan_make(
	struct demo_plan *p, const char *title, int64_t opened_at, enum priority priority)
{
	*p = (struct demo_plan){ 0 };
	p->story = story_of(title, p->subject, sizeof(p->subject));
	if (!p->story || priority == PRIORITY_NONE)
		return false;
	p->dice.state = demo_seed(title) ^ (uint64_t)(opened_at / 1000);
	p->engineer = (int)(priority == P0 ? demo_roll(&p->dice, 3, 4) : demo_roll(&p->dice, 0, 3));
	if (priority >= P3 && demo_chance(&p->dice, 4)) {
		add(p, CMD_CANCEL, minutes(p, 8, 50), words[p->story->zh][W_CANCEL]);
		return true;
	}
	add_answer(p, priority);
	add_work(p, priority);
	add_end(p);
	return true;
}

int demo_plan_done(const struct demo_plan *p, const char *types)
{
	int n = 0;

	while (*types) {
		size_t length = strcspn(types, ",");
		const char *want = n < p->n ? ticket_rule(p->step[n].cmd)->event : "";

		if (strlen(want) != length || memcmp(want, types, length) != 0)
			return -1;
		n++;
		types += length + (types[length] == ',');
	}
	return n;
}

int64_t demo_step_at(const struct demo_plan *p, int i, int64_t before)
{
	int64_t at = before + p->step[i].delay_s * US_PER_S;
	int64_t local = (at / US_PER_S + OFFICE_OFFSET_S) % DAY_S;

	if (!p->step[i].day || (local >= OFFICE_OPENS && local < OFFICE_CLOSES))
		return at;
	return at + ((local < OFFICE_OPENS ? 0 : DAY_S) + OFFICE_OPENS - local +
			    (local * 7 + i) % (40 * MINUTE)) *
			    US_PER_S;
}

enum ticket_state demo_state_at(const struct demo_plan *p, int64_t opened, int64_t now)
{
	enum ticket_state state = TICKET_NEW;
	int64_t at = opened, wake = INSTANT_NONE;

	for (int i = 0; i < p->n; i++) {
		at = demo_step_at(p, i, at);
		if (at > now)
			break;
		if (state == TICKET_SCHEDULED && wake <= at)
			state = TICKET_IN_PROGRESS;
		ticket_apply(p->step[i].cmd, state, p->step[i].actor, &state);
		wake = at + p->step[i].until_s * US_PER_S;
	}
	return state == TICKET_SCHEDULED && wake <= now ? TICKET_IN_PROGRESS : state;
}
