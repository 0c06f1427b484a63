/* SPDX-License-Identifier: ISC */
/*
 * views: the whole cluster as this node knows it from the heartbeats: what each node says of each
 * group, whom each node hears, and where that does not fit together. Pure; for `ha status --all`.
 *
 * Nodes are counted from 0, which is this one; the others follow in no order.
 */
#ifndef HA_ENGINE_VIEWS_H
#define HA_ENGINE_VIEWS_H

#include "engine/engine.h"
#include "wire/candidates.h"

struct view_node {
	uint64_t id;
	const char *name; /* the engine's, until the next step */
	struct ip address;
	bool live;             /* this node itself always is */
	int64_t last_heard_ms; /* ago; 0 for this node */
	int64_t tolerance_ms;  /* its own */
};

/* What a node says of one of our groups. */
struct view_group {
	enum node_state state;
	bool eligible, listens, wants, impaired;
	uint16_t worth;
	uint64_t epoch;
};

struct view_heard {
	uint64_t id;
	const char *name; /* NULL: a node that this one has never heard */
	int64_t age_ms;   /* when it said so */
};

/* Each false if there is none: after the last one, or a node that does not have the group. */
bool views_node(const struct engine *e, ha_time now, size_t node, struct view_node *ret_node);
bool views_group(const struct engine *e, size_t node, size_t group, struct view_group *ret_group);
bool views_heard(const struct engine *e, size_t node, size_t index, struct view_heard *ret_heard);

/* Who could take @group over now: live, eligible, and not this node. False if there is no such
 * group. */
bool views_candidates(
	const struct engine *e, ha_time now, const char *group, struct candidates *ret_candidates);

/* Tells each difference as a sentence: links that work in one direction or not at all, nodes that
 * only others hear; several holders of @group, or none. */
void views_differences_of_links(
	const struct engine *e, void (*told)(void *context, const char *text), void *context);
void views_differences_of_group(const struct engine *e, size_t group,
	void (*told)(void *context, const char *text), void *context);

#endif
