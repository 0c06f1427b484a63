/* SPDX-License-Identifier: ISC */
/*
 * embedded: a node in this process: a driver with its engine, and the keeper as a child.
 */
#ifndef HA_API_EMBEDDED_H
#define HA_API_EMBEDDED_H

#include "api/child.h"
#include "api/node.h"
#include "driver/driver.h"
#include "wire/status.h"

#define EMBEDDED_ASKED_MAX 16

struct embedded {
	struct child child;
	struct conf *conf; /* what the keeper parsed */
	struct heartbeat_key key;
	struct lease_page *lease;
	size_t lease_size;
	bool driver_open;
	struct driver driver;
	struct status status;
	uint32_t token; /* of the last request */
	/* The groups of the last requests, by their tokens. */
	char asked[EMBEDDED_ASKED_MAX][NAME_SIZE];
};

/* embedded_keeper.c: the configuration is checked, the keeper started with it, and what it hands
 * over taken. 0, or -errno with an error set. */
int embedded_start_keeper(
	ha_node *n, const struct ha_options *o, struct child_greeting *ret_greeting);
/* What the keeper says counts: indices mean the same on both sides only if both read the same
 * bytes. */
int embedded_take_greeting(ha_node *n, const struct ha_options *o, const struct child_greeting *g);
void embedded_free_conf(struct conf *conf);
/* What a line of the keeper's log says, without what stands before it. */
const char *embedded_keeper_words(const char *line, int *ret_level);

#endif
