/* SPDX-License-Identifier: ISC */
/*
 * suspicion: rule R11 (docs/protocol.md 6.9). A holder that is not heard may be alive: its
 * heartbeats may be filtered on the way. It is called by unicast once two of its heartbeats are
 * missing. Within the last margin of its tolerance, when a fence must have silenced it if it is
 * dead or stalled, it is asked for the group's addresses by ARP or neighbour discovery. If its own
 * hardware address answers then, it lives and serves.
 */
#ifndef HA_ENGINE_SUSPICION_H
#define HA_ENGINE_SUSPICION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "wire/arp.h"

struct effects;
struct engine;

/* R11: what is known of the holders of a group that are not heard. */
struct suspicion {
	ha_time asked;  /* when the last round of questions began; TIME_ORIGIN: none did */
	bool open;      /* it lasts */
	bool put;       /* its questions were: there was room for them */
	bool repeated;  /* its questions were put a second time */
	bool answered;  /* in it */
	bool concluded; /* some round is over */
	bool withheld;  /* one that has a fence has answered in this round or the last */
	bool told;
	int64_t credited_ns; /* of engine.stalled_ns, in `asked` */
};

void suspicion_review(struct engine *e, struct effects *out);
/* Before the group is evaluated. */
void suspicion_review_group(struct engine *e, size_t group, struct effects *out);
/* @mac says that it has the address. */
void suspicion_answered(
	struct engine *e, size_t address, const uint8_t mac[MAC_SIZE], struct effects *out);
/* Whether a claim would make a second holder. */
bool suspicion_withholds(const struct engine *e, size_t group);
/* The one that is not heard and holds it; 0: nobody. */
uint64_t suspicion_holder(const struct engine *e, size_t group);
ha_time suspicion_deadline(const struct engine *e);

#endif
