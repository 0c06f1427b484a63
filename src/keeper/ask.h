/* SPDX-License-Identifier: ISC */
/*
 * ask: whether a neighbour answers, for the checks `arp` and `gateway`: it is asked by ARP or
 * neighbour solicitation from an address of the host's own. Whom, stands in the configuration, or
 * in the kernel's routes; the engine only says which check is due. The kernel picks the answers
 * out, with a program for each check: the keeper looks at none.
 */
#ifndef HA_KEEPER_ASK_H
#define HA_KEEPER_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keeper/announce.h"
#include "keeper/targets.h"

struct ask_one {
	uint16_t check;             /* index into conf.checks */
	int descriptors[2];         /* ARP, neighbour discovery; -1: not used */
	struct target_list awaited; /* whose answers the programs let pass now */
};

struct ask {
	const struct conf *conf; /* borrowed, like the others */
	const struct interfaces *interfaces;
	const struct announcer *announcer;
	struct targets *targets;
	size_t count;
	struct ask_one *list; /* owned */
};

/* The four pointers were set by the caller. 0 or -errno. */
int ask_open(struct ask *a);
void ask_close(struct ask *a);

/* Asks on behalf of a check. False if the check is none of ours. */
bool ask_send(struct ask *a, size_t check, ha_time now);

/* Whether an answer waits at one of the descriptors, which are taken away unseen. */
bool ask_receive(int descriptor);

#endif
