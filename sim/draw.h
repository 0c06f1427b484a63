/* SPDX-License-Identifier: ISC */
/*
 * draw: a plan while it is being drawn from its seed: first a cluster (draw_cluster.c), then what
 * happens to it (draw_faults.c), then what is asked of it (draw_requests.c). Whoever draws
 * something new gives it a stream of its own, so that the seeds mean what they meant.
 */
#ifndef HA_SIM_DRAW_H
#define HA_SIM_DRAW_H

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sim/plan.h"
#include "sim/random.h"

#define GROUPS_DRAWN_MAX 8
#define US_PER_MS        1000
/* The packet filter's ticks are too long for tolerances below. */
#define DRAW_FILTERED_MIN_US (40 * US_PER_MS)
#define DRAW_SHORTEST_US     (12 * US_PER_MS) /* tolerance */
#define US_PER_S             1000000
#define LONG_INTERVAL_US     (200 * US_PER_MS)

struct drawn_node {
	int64_t interval_us, tolerance_us;
	unsigned address; /* the last byte: ties are broken by it */
	unsigned worths[GROUPS_DRAWN_MAX];
	bool sticky[GROUPS_DRAWN_MAX];
	size_t groups;      /* it has the first ones */
	const char *family; /* of its shared addresses: "v4", "v6" or "both" */
	bool lined, prepares, filters, gives_up_when_all_fail;
	bool links; /* its IPv6 address is that of a link */
};

struct drawn_group {
	unsigned policy; /* of all nodes, unless mixed */
	bool mixed;
	int64_t settle_us, hold_down_us;
};

/* A plan that is being drawn. */
struct draw {
	struct plan *plan;
	struct random random;
	/* Their own, so that they leave all other faults as they are. */
	struct random checks, lines, tables, hostile, preparing, keepers, families, fences, reloads,
		speech, crashes;
	const char *multicast; /* of IPv6 heartbeats; NULL: they go over IPv4 */
	bool unicast;          /* each node names all others */
	bool lined;            /* the nodes have a second path for heartbeats */
	bool filters;          /* some kernels have the packet filter as their fence */
	bool restarts;         /* keepers start a fresh engine when one has crashed */
	bool prepares;         /* some nodes have a before-active */
	const char *family;    /* of the shared addresses: "v4", "v6" or "both" */
	int64_t prepare_us;    /* the longest */
	size_t nodes, groups, clients;
	struct drawn_node node[NODES_MAX];
	struct drawn_group group[GROUPS_DRAWN_MAX];
	struct random policies; /* a stream of its own, so that they change nothing else */
	int64_t wait_us;        /* the longest that a node waits before it takes over */
	int64_t interval_us;    /* what most nodes have */
	int64_t tolerance_us;   /* the longest */
	int64_t shortest_us;    /* the shortest interval */
	int64_t delay_us, jitter_us;
	bool boasts; /* the last node announces a tolerance beyond what the others believe */
	size_t removals;
	int64_t hold_off_us; /* the longest that the faults can lead to */
	int64_t patience_us; /* the most that was asked for (6.10) */
};

static inline bool chance(struct draw *d, unsigned percent)
{
	return random_below(&d->random, 100) < percent;
}

static inline size_t pick(struct draw *d, size_t count)
{
	return (size_t)random_below(&d->random, count);
}

/* draw_cluster.c */
void draw_cluster(struct draw *d);
/* The address of its own of node @i, or another one, @more higher. */
#define DRAWN_ADDRESS_SIZE 32
const char *draw_address(
	const struct draw *d, size_t i, unsigned more, char buffer[DRAWN_ADDRESS_SIZE]);
/* How node @i is configured, behind its address, if it is like @n. */
void draw_words(const struct draw *d, size_t i, const struct drawn_node *n, struct text *t);
/* docs/protocol.md 4.1: no announced tolerance counts for more. */
int64_t draw_most_believed(const struct draw *d);
/* Whether all shared addresses are of one kind. */
bool draw_only(const struct draw *d, const char *family);
/* How long a before-active takes: from next to nothing to several tolerances, but in time. */
int64_t draw_preparation(struct draw *d);

/* draw_faults.c: one fault more, at an instant or for a span; then what is to be done as it begins
 * and ends. */
void draw_faults(struct draw *d);
int64_t draw_instant(struct draw *d);
struct plan_fault *fault_add(struct draw *d, const char *kind, int64_t at_us);
struct plan_fault *fault_add_span(struct draw *d, const char *kind);
__attribute__((format(printf, 2, 3))) void fault_begins(
	struct plan_fault *f, const char *format, ...);
__attribute__((format(printf, 2, 3))) void fault_ends(
	struct plan_fault *f, const char *format, ...);
/* The number of a node; some of all names, with at least one node. */
size_t pick_node(struct draw *d);
void pick_part(struct draw *d, char *names, size_t size);
/* A node may keep off a group for so long after it. */
void draw_holds_off(struct draw *d, int64_t seconds);

/* draw_requests.c */
void draw_checks(struct draw *d);
void draw_requests(struct draw *d);
void draw_programs(struct draw *d);
void draw_vetoes(struct draw *d);
void draw_orphans(struct draw *d);
void draw_hangs(struct draw *d);
void draw_reloads(struct draw *d);
void draw_lines(struct draw *d);
void draw_starts(struct draw *d);

#endif
