/* SPDX-License-Identifier: ISC */
/*
 * report: one thing that happened, as the engine tells it: a line of the log, and a line of `ha
 * watch`. The text is a whole sentence for a person; the fields are for machines.
 */
#ifndef HA_WIRE_REPORT_H
#define HA_WIRE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/limits.h"
#include "base/time.h"

enum report_kind {
	REPORT_STATE,        /* a group changed its state on this node */
	REPORT_HOLDER,       /* another node holds a group from now on */
	REPORT_PEER,         /* a peer came, went, restarted, or hears us no more */
	REPORT_DEVICE,       /* a network device changed */
	REPORT_CONFLICT,     /* somebody else uses a shared address */
	REPORT_ADDRESS,      /* a shared address was taken away, put back, or failed */
	REPORT_STEP,         /* of a move: asked, granted, configured, released */
	REPORT_ACKNOWLEDGED, /* a neighbour answered an announcement */
	REPORT_DROP,         /* datagrams are refused (rate-limited) */
	REPORT_NODE,         /* the node itself: start, stop, stalls, sending fails */
	REPORT_HOOK,         /* a hook failed or was killed */
	REPORT_HEALTH,       /* checks changed what this node is worth to a group */
};

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_NOTICE, REPORT_INFO };

#define REPORT_TEXT_SIZE  256
#define REPORT_CAUSE_SIZE 24

struct report {
	enum report_kind kind;
	enum report_level level;
	ha_time at;
	char group[NAME_SIZE];         /* "" if it is not about one */
	char peer[NAME_SIZE];          /* "" if it is not about one */
	uint8_t from, to;              /* enum node_state; 0 if it is not a change of state */
	uint64_t epoch;                /* 0 if it is not about a claim */
	char cause[REPORT_CAUSE_SIZE]; /* of a change of state: election_cause_name(); else "" */
	/* Of a change of state, 0 where there is none: how long the state before lasted, how long
	 * the holder before had been silent, how long from the decision until it was done. */
	int64_t lasted_us, silence_us, took_us;
	char text[REPORT_TEXT_SIZE];
};

/* "state", "peer", ... */
const char *report_kind_name(enum report_kind kind);
/* "error", "warning", "notice", "info". */
const char *report_level_name(enum report_level level);

/* "event=state group=web epoch=3 from=STANDBY to=ACTIVE cause=granted", as the log writes it: what
 * has no value is left out. Names have neither blanks nor quotes. */
void report_fields(const struct report *r, char *buffer, size_t size);

/**
 * report_to_json - {"event", "level", "time", "boottime_us", "group", "peer", "from", "to",
 * "epoch", "cause", "lasted_us", "silence_us", "took_us", "text"}; keys without a value are left
 * out
 * @wall_ms: the wall-clock time of @r->at, milliseconds since 1970
 *
 * Return: a new object, owned by the caller; NULL if memory ran out.
 */
json_t *report_to_json(const struct report *r, int64_t wall_ms);

/* The reverse, for the command line: the instant @at is exact to the microsecond. False, with a
 * reason in *@reterr (static), if it is not a report. */
bool report_from_json(
	const json_t *json, struct report *ret_report, int64_t *ret_wall_ms, const char **reterr);

/* RFC 3339 in UTC with milliseconds: 2026-11-23T05:09:21.123Z. Computed, not looked up. */
#define WALL_TEXT_SIZE 32
const char *wall_format(int64_t wall_ms, char buffer[WALL_TEXT_SIZE]);
/* The reverse of wall_format(), for its own output only. False, *@ret_wall_ms untouched, otherwise.
 */
bool wall_parse(const char *text, int64_t *ret_wall_ms);

#endif
