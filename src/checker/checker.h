/* SPDX-License-Identifier: ISC */
/*
 * checker: ha-checker, the process that carries out health checks. It has no privileges; the
 * starter starts it with a socket to the engine and the configuration, and starts it again when it
 * dies. What takes long, hangs or breaks here costs no heartbeat.
 *
 *   main.c     set-up, the end
 *   probe.c    when each check is carried out, what its answers make of it, telling the engine
 *   tcp.c http.c exec.c        attempts: one each interval, bounded by its timeout
 *   process.c file.c link.c    what the kernel tells, looked at each interval as well
 *
 * The gateway, ARP and group checks are not carried out here.
 */
#ifndef HA_CHECKER_CHECKER_H
#define HA_CHECKER_CHECKER_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "conf/conf.h"
#include "core/check.h"
#include "wire/handoff.h"
#include "wire/verdict.h"

struct probe;

/* How one kind of check is carried out. Each attempt that was begun ends with one probe_answer(),
 * but for those that are abandoned. */
struct probe_kind {
	bool (*open)(struct probe *p); /* once; NULL: nothing to do. False: it never will work */
	void (*begin)(struct probe *p);
	void (*abandon)(struct probe *p); /* its time is over; NULL: it is always in time */
};

struct probe {
	struct checker *checker;
	const struct conf_check *conf;
	const struct probe_kind *kind;
	void *own; /* of the kind */
	struct check check;
	uv_timer_t timer, review;
	ha_time begun;
	bool under_way;
	bool untold;         /* the engine does not know all of this */
	struct verdict word; /* what it is told */
	uint16_t told_value;
};

struct checker {
	uv_loop_t *loop;
	struct conf conf;
	size_t probe_count;
	struct probe *probes;
	uv_poll_t engine;
	uv_timer_t alive;
	void *http, *links; /* shared by all probes of the kind */
};

/* probe.c */
void probes_open(struct checker *c);
/* An attempt has ended, or the kernel has told something (@definite: it is no sample). @why: a
 * clause for people, borrowed; NULL if it is good. */
void probe_answer(struct probe *p, const char *why, bool definite);
/* The same, from a number of libuv. */
void probe_fail_uv(struct probe *p, int error);
/* The attempt is carried out now, whenever the next one would be due. */
void probe_look_now(struct probe *p);

extern const struct probe_kind PROBE_TCP, PROBE_HTTP, PROBE_EXEC, PROBE_PROCESS, PROBE_FILE,
	PROBE_INTERFACE, PROBE_ROUTE;

#endif
