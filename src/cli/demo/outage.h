/* SPDX-License-Identifier: ISC */
/*
 * outage: what the client saw: every request with the time it was sent and who answered, and what
 * follows from them. An outage is measured between requests: from the last one answered before a
 * run of lost ones to the first one answered after it, by the times of sending, so that neither a
 * busy client nor a slow answer counts as one. Pure.
 */
#ifndef HA_CLI_DEMO_OUTAGE_H
#define HA_CLI_DEMO_OUTAGE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/demo/cast.h"

/* One request, in memory that the client's process writes while others read. */
struct request {
	int64_t sent_ns; /* boottime */
	int8_t server;   /* who answered, or NOBODY so far */
};

/* A range of requests; borrowed. */
struct requests {
	const struct request *first;
	size_t count;
};

struct outage {
	size_t lost;
	int64_t longest_ns; /* 0 if nothing was lost */
};

/* How many were lost, and for how long nobody answered. */
struct outage outage_measure(struct requests range);

/* The server that answered all of them; NOBODY if one was lost, two servers answered, or there are
 * none. */
int outage_only_answerer(struct requests range);

/* Index of the first request that was sent at @time_ns or later; the count if there is none. */
size_t outage_index_at(struct requests all, int64_t time_ns);

/* Those sent from @begin_ns on and before @end_ns. */
struct requests outage_between(struct requests all, int64_t begin_ns, int64_t end_ns);

#endif
