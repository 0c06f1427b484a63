/* SPDX-License-Identifier: ISC */
/*
 * announce: the frames that tell a LAN where a shared address is now (docs/protocol.md,
 * Announcements). Built from the configuration and the device's present hardware address; a device
 * that is down or speaks no ARP is passed over. A frame that cannot be sent is lost: the engine
 * repeats them.
 */
#ifndef HA_KEEPER_ANNOUNCE_H
#define HA_KEEPER_ANNOUNCE_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "keeper/interfaces.h"

struct announcer {
	const struct conf *conf;             /* borrowed */
	const struct interfaces *interfaces; /* borrowed */
	int descriptor;
};

/* 0 or -errno. */
int announce_open(
	struct announcer *an, const struct conf *conf, const struct interfaces *interfaces);

/* The broadcast set of @count addresses from @first on, or of those in a list. */
void announce_addresses(const struct announcer *an, size_t first, size_t count);
void announce_list(const struct announcer *an, const uint16_t *list, size_t count);
/* The question to @target whose answer is an acknowledgement. */
void announce_request(const struct announcer *an, size_t index, const struct ip *target);
/* The same from an address of the host's own, to see whether @target is there. */
void announce_question(
	const struct announcer *an, size_t device, const struct ip *own, const struct ip *target);
/* Asks who else uses the address, without claiming it: RFC 5227 section 2.1.1, RFC 4862
 * section 5.4.2. */
void announce_probe(const struct announcer *an, size_t index);

#endif
