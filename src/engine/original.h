/* SPDX-License-Identifier: ISC */
/*
 * original: nodes that run the program from which this project descends, while a cluster is rolled
 * over from one to the other (protocol = original). Such a node multicasts a packet each 100 ms
 * whose content means nothing; whose source address is the lowest, compared as text, is the
 * worthiest one, and holds the only address. One that hears nobody worthier for 350 ms takes it,
 * and gives it up when it hears one.
 *
 * So a node of ours holds its group only while no such node with a lower address is heard. Nor does
 * it let those with higher ones believe that they are alone: it speaks like them while it holds the
 * group, and before it does, as soon as nothing but they could be in its way. It is silent as long
 * as it could not take the group anyway: they would give it up for nobody. docs/migrating.md.
 */
#ifndef HA_ENGINE_ORIGINAL_H
#define HA_ENGINE_ORIGINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/time.h"

#define ORIGINAL_INTERVAL_NS  (100 * NS_PER_MS)
#define ORIGINAL_TOLERANCE_NS (350 * NS_PER_MS)

struct original_node {
	struct ip address;
	ha_time heard;
	bool told; /* that it is here */
};

struct originals {
	size_t count;
	struct original_node list[NODES_MAX];
	ha_time speak_at; /* not before */
};

struct engine;
struct effects;
struct text;

/* Somebody at @source sent a packet as the original does. */
void original_heard(struct engine *e, const struct ip *source);
/* Whether one is live that is worthier than this node. */
bool original_outranks(const struct engine *e);
/* Which one. */
void original_explain(const struct engine *e, struct text *text);
/* Reports who came and went, and speaks if it is time to. */
void original_due(struct engine *e, struct effects *out);
ha_time original_deadline(const struct engine *e);

#endif
