/* SPDX-License-Identifier: ISC */
/*
 * tally: what a simulation has exercised: how often each fault, each transition by its cause; the
 * worst that was seen of each bound.
 */
#ifndef HA_SIM_TALLY_H
#define HA_SIM_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALLY_NAMES_MAX 64
#define TALLY_NAME_SIZE 64

struct tally_count {
	char name[TALLY_NAME_SIZE];
	uint64_t count;
};

struct tally_list {
	size_t count;
	struct tally_count list[TALLY_NAMES_MAX];
};

/* What the protocol bounds in time. */
enum bound {
	BOUND_LEASE,   /* how long after its last heartbeat a node served, of tolerance - margin */
	BOUND_OVERLAP, /* two serve on a network without faults */
	BOUND_MET,     /* two serve that know of each other */
	BOUND_CONVERGENCE, /* after the last fault, until nothing moves any more */
	BOUND_CLIENT,      /* after that, until a client reaches the holder */
	BOUNDS,
};

struct tally_bound {
	uint64_t count;
	int64_t worst_ns, its_bound_ns; /* of the case that came nearest to its bound */
	int64_t longest_ns;
	uint64_t seed; /* of that case */
};

struct tally {
	uint64_t seed; /* now */
	uint64_t seeds, steps;
	int64_t simulated_ns;
	uint64_t uses, uses_failed;
	uint64_t with_v6;  /* seeds with shared addresses of IPv6 */
	uint64_t unfenced; /* steps in which no keeper ended what was served past its lease */
	uint64_t refused;  /* messages that came too late for their keeper */
	struct tally_list faults, transitions;
	struct tally_bound bounds[BOUNDS];
};

/* A NULL tally counts nothing. */
void tally_fault(struct tally *t, const char *name);
void tally_transition(struct tally *t, const char *name);
void tally_refused(struct tally *t);
void tally_use(struct tally *t, bool reached);
void tally_seen(struct tally *t, enum bound bound, int64_t seen_ns, int64_t bound_ns);
void tally_print(const struct tally *t);

#endif
