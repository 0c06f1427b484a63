/* SPDX-License-Identifier: ISC */
/*
 * story: what happens in the demo: steps that fail something or repair it, each with the server
 * that must hold the address afterwards; what the servers told meanwhile; what the client measured.
 * The screen only reads it.
 */
#ifndef HA_CLI_DEMO_STORY_H
#define HA_CLI_DEMO_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/demo/outage.h"
#include "cli/demo/probe.h"
#include "cli/demo/server.h"
#include "cli/demo/timeline.h"

enum action { ACTION_START_ALL, ACTION_CUT, ACTION_PLUG, ACTION_KILL, ACTION_STOP, ACTION_START };

/* How long the address may be away in a step. */
enum expectation {
	EXPECT_ANYTHING,  /* there was no holder before */
	EXPECT_TOLERANCE, /* the silence of a host takes this long to be certain */
	EXPECT_INSTANT,   /* the keeper tells of a dead engine at once */
	EXPECT_NOTHING,   /* a planned move: make before break */
};

struct step {
	const char *title;
	enum action action;
	int server;
	int holder; /* who must answer every request afterwards */
	enum expectation expectation;
};

#define STEPS 6
extern const struct step STORY[STEPS];

struct result {
	bool good; /* the right server answered in the end */
	int before, after;
	struct outage outage[FAMILIES];
};

#define EVENT_TEXT_SIZE 256
#define EVENTS_MAX      512

struct event {
	int64_t at_ns;
	int server; /* who told it; NOBODY: the story itself */
	bool alarming;
	char text[EVENT_TEXT_SIZE];
};

struct story {
	const struct command *command;
	const struct lan *lan;
	const struct probe_log *log;
	double interval_ms;
	int64_t tolerance_ns;
	int64_t begin_ns;
	struct server servers[SERVERS];
	struct lane lanes[SERVERS];
	size_t event_count;   /* of which the last EVENTS_MAX are kept, in the order of time */
	size_t event_settled; /* nothing comes before or between the first of them any more */
	struct event events[EVENTS_MAX];
	int step; /* those below it are finished; STEPS at the end */
	int64_t step_ns;
	int64_t acted_ns; /* 0: not yet */
	struct result results[STEPS];
};

/* Sets up @s; servers must be initialised by server_init() afterwards, then story_begin(). */
void story_init(struct story *s, const struct command *command, const struct lan *lan,
	const struct probe_log *log);
void story_begin(struct story *s);

/* Goes on: listens to the servers, acts when it is time, judges. False when the last step is over.
 */
bool story_advance(struct story *s);

/* How long an outage @expectation allows; what the kernel and the client need is on top. */
int64_t story_allowance_ns(const struct story *s, enum expectation expectation);

/* Every step ended with the right holder. */
bool story_is_good(const struct story *s);

/* The @index-th event; it must be one of the last EVENTS_MAX. */
const struct event *story_event(const struct story *s, size_t index);

/* A server told something (@report NULL: its daemon ended). Given to the servers; public for tests.
 */
void story_told(void *story, int server, const struct report *report);

#endif
