/* SPDX-License-Identifier: ISC */
#include "cli/demo/story.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "sys/clock.h"
#include "wire/heartbeat.h"

/* Long enough to see, short enough to watch six of them. */
#define CALM_NS             (400 * NS_PER_MS)  /* before something is done */
#define SHOWN_NS            (2000 * NS_PER_MS) /* after it, at least */
#define STEADY_NS           (800 * NS_PER_MS)  /* of undisturbed answers, before a step is over */
#define PATIENCE_NS         (5 * NS_PER_S)     /* and several tolerances: then a step has failed */
#define PATIENCE_TOLERANCES 5
#define ANSWER_NS           (100 * NS_PER_MS) /* younger requests may still be answered */
#define INSTANT_NS          (5 * NS_PER_MS)   /* what the takeover itself may cost */
#define TOLD_NS             (100 * NS_PER_MS) /* older events have all been told */
#define BEFORE_NS           (50 * NS_PER_MS) /* who answered in this time is the holder of before */

const struct step STORY[STEPS] = {
	{"all three servers start", ACTION_START_ALL, NOBODY, ALPHA, EXPECT_ANYTHING},
	{"alpha's cable is cut", ACTION_CUT, ALPHA, BETA, EXPECT_TOLERANCE},
	{"kill -9 of beta's engine", ACTION_KILL, BETA, BETA, EXPECT_INSTANT},
	{"alpha's cable is back", ACTION_PLUG, ALPHA, ALPHA, EXPECT_NOTHING},
	{"alpha is told to stop", ACTION_STOP, ALPHA, BETA, EXPECT_NOTHING},
	{"alpha starts again", ACTION_START, ALPHA, ALPHA, EXPECT_NOTHING},
};

void story_init(struct story *s, const struct command *command, const struct lan *lan,
	const struct probe_log *log)
{
	*s = (struct story){.command = command, .lan = lan, .log = log};
}

void story_begin(struct story *s)
{
	s->begin_ns = s->step_ns = clock_now().ns;
	for (int i = 0; i < SERVERS; i++) {
		s->servers[i].told = story_told;
		s->servers[i].context = s;
	}
}

const struct event *story_event(const struct story *s, size_t index)
{
	assert(index < s->event_count && index + EVENTS_MAX >= s->event_count);
	return &s->events[index % EVENTS_MAX];
}

__attribute__((format(printf, 5, 6))) static void tell(
	struct story *s, int64_t at_ns, int server, bool alarming, const char *format, ...)
{
	struct event e = {.at_ns = at_ns, .server = server, .alarming = alarming};
	va_list arguments;
	size_t place;

	va_start(arguments, format);
	(void)vsnprintf(e.text, sizeof(e.text), format, arguments);
	va_end(arguments);
	for (place = s->event_count++; place > s->event_settled; place--) {
		const struct event *before = &s->events[(place - 1) % EVENTS_MAX];

		if (before->at_ns <= at_ns)
			break;
		s->events[place % EVENTS_MAX] = *before;
	}
	s->events[place % EVENTS_MAX] = e;
}

/* Servers tell what they do a little later than they do it. */
static void settle_events(struct story *s, int64_t now_ns)
{
	while (s->event_settled < s->event_count &&
		s->events[s->event_settled % EVENTS_MAX].at_ns < now_ns - TOLD_NS)
		s->event_settled++;
}

static void state_changed(struct story *s, int server, const struct report *r)
{
	lane_set_state(
		&s->lanes[server], r->at.ns, r->to == STATE_ACTIVE ? LANE_ACTIVE : LANE_STANDBY);
}

/* What a person wants to follow: who takes the address and why, and what is wrong with it. That
 * peers come and go is what the steps do. */
static bool is_interesting(const struct report *r)
{
	switch (r->kind) {
	case REPORT_STATE:
	case REPORT_CONFLICT:
	case REPORT_HEALTH:
	case REPORT_HOOK: return true;
	case REPORT_ADDRESS: return r->level <= REPORT_WARNING;
	case REPORT_HOLDER:
	case REPORT_PEER:
	case REPORT_DEVICE:
	case REPORT_STEP:
	case REPORT_ACKNOWLEDGED:
	case REPORT_DROP:
	case REPORT_NODE: break;
	}
	return false;
}

void story_told(void *story, int server, const struct report *report)
{
	struct story *s = story;

	if (!report) {
		lane_set_state(&s->lanes[server], clock_now().ns, LANE_DOWN);
		tell(s, clock_now().ns, server, false, "the daemon has ended");
		return;
	}
	if (report->kind == REPORT_STATE && report->to)
		state_changed(s, server, report);
	if (is_interesting(report))
		tell(s, report->at.ns, server, report->level <= REPORT_WARNING, "%s", report->text);
}

static void start_server(struct story *s, int server)
{
	const int r = server_start(&s->servers[server]);

	if (r)
		tell(s, clock_now().ns, server, true, "cannot start: %s", uv_strerror(r));
	else
		lane_set_state(&s->lanes[server], clock_now().ns, LANE_STANDBY);
}

static void set_cable(struct story *s, int server, bool plugged)
{
	lane_set_cut(&s->lanes[server], clock_now().ns, !plugged);
	lan_set_cable(s->lan, server, plugged);
}

static void kill_engine(struct story *s, int server)
{
	if (server_kill_engine(&s->servers[server]))
		lane_set_state(&s->lanes[server], clock_now().ns, LANE_DOWN);
	else
		tell(s, clock_now().ns, server, true, "there is no engine to kill");
}

static void act(struct story *s, const struct step *step)
{
	s->acted_ns = clock_now().ns;
	tell(s, s->acted_ns, NOBODY, false, "%s", step->title);
	switch (step->action) {
	case ACTION_START_ALL:
		for (int i = 0; i < SERVERS; i++)
			start_server(s, i);
		break;
	case ACTION_CUT: set_cable(s, step->server, false); break;
	case ACTION_PLUG: set_cable(s, step->server, true); break;
	case ACTION_STOP: server_stop(&s->servers[step->server]); break;
	case ACTION_START: start_server(s, step->server); break;
	case ACTION_KILL: kill_engine(s, step->server); break;
	}
}

/* Who answered every request to both addresses from @begin_ns to @end_ns; NOBODY if not one did. */
static int holder_between(const struct story *s, int64_t begin_ns, int64_t end_ns)
{
	int holder[FAMILIES];

	for (int i = 0; i < FAMILIES; i++)
		holder[i] = outage_only_answerer(
			outage_between(probe_requests(s->log, i), begin_ns, end_ns));
	return holder[IPV4] == holder[IPV6] ? holder[IPV4] : NOBODY;
}

static void finish_step(struct story *s, int64_t end_ns, bool good)
{
	struct result *result = &s->results[s->step];

	result->good = good;
	result->before = holder_between(s, s->acted_ns - BEFORE_NS, s->acted_ns);
	result->after = holder_between(s, end_ns - BEFORE_NS, end_ns);
	for (int i = 0; i < FAMILIES; i++)
		result->outage[i] = outage_measure(
			outage_between(probe_requests(s->log, i), s->step_ns, end_ns));
	s->step++;
	s->step_ns = end_ns;
	s->acted_ns = 0;
}

static bool patience_is_over(const struct story *s, int64_t now_ns)
{
	bool somebody_runs = false;

	for (int i = 0; i < SERVERS; i++)
		somebody_runs = somebody_runs || s->servers[i].running;
	return !somebody_runs ||
	       now_ns - s->acted_ns > PATIENCE_NS + PATIENCE_TOLERANCES * s->tolerance_ns;
}

static void judge(struct story *s, int64_t now_ns)
{
	const int64_t end_ns = now_ns - ANSWER_NS;
	const bool shown = now_ns - s->acted_ns >= SHOWN_NS;
	const bool steady = holder_between(s, end_ns - STEADY_NS, end_ns) == STORY[s->step].holder;

	if (shown && steady)
		finish_step(s, end_ns, true);
	else if (patience_is_over(s, now_ns))
		finish_step(s, end_ns, false);
	/* Without a beginning there is nothing to see. */
	if (s->step > 0 && !s->results[0].good)
		s->step = STEPS;
}

bool story_advance(struct story *s)
{
	const int64_t now_ns = clock_now().ns;

	for (int i = 0; i < SERVERS; i++)
		server_listen(&s->servers[i]);
	settle_events(s, now_ns);
	if (s->step == STEPS)
		return false;
	if (s->acted_ns)
		judge(s, now_ns);
	else if (now_ns - s->step_ns >= CALM_NS + ANSWER_NS)
		act(s, &STORY[s->step]);
	return true;
}

int64_t story_allowance_ns(const struct story *s, enum expectation expectation)
{
	switch (expectation) {
	case EXPECT_ANYTHING: return TIME_NEVER.ns;
	case EXPECT_TOLERANCE: return s->tolerance_ns + INSTANT_NS;
	case EXPECT_INSTANT: return INSTANT_NS;
	case EXPECT_NOTHING: break;
	}
	return 0;
}

bool story_is_good(const struct story *s)
{
	for (int i = 0; i < STEPS; i++) {
		if (!s->results[i].good)
			return false;
	}
	return true;
}
