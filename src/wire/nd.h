/* SPDX-License-Identifier: ISC */
/*
 * nd: Ethernet frames of IPv6 neighbour discovery (RFC 4861) in the forms that move an IPv6
 * address.
 */
#ifndef HA_WIRE_ND_H
#define HA_WIRE_ND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"

#define ND_FRAME_SIZE       86 /* Ethernet 14, IPv6 40, ICMPv6 24, one link-layer address option 8 */
#define ND_PROBE_FRAME_SIZE 78 /* without the option: RFC 4862 section 5.4.2 */

enum nd_type { ND_SOLICITATION = 135, ND_ADVERTISEMENT = 136 };

struct nd {
	uint8_t source_mac[MAC_SIZE]; /* of the Ethernet header */
	uint8_t type;
	struct ip source;
	struct ip destination;
	struct ip target;
	bool router, solicited, override_flag;
	bool has_link_address;
	uint8_t link_address[MAC_SIZE]; /* from the source or target link-layer address option */
};

/* Unsolicited advertisement to ff02::1: override set, solicited clear, @router as told. */
void nd_encode_announcement(uint8_t frame[ND_FRAME_SIZE], const uint8_t mac[MAC_SIZE],
	const struct ip *address, bool router);
/* Solicitation for @peer from @address with its source link-layer address, to @peer's
 * solicited-node group: the answer is an acknowledgement. */
void nd_encode_request(uint8_t frame[ND_FRAME_SIZE], const uint8_t mac[MAC_SIZE],
	const struct ip *address, const struct ip *peer);
/* Duplicate address detection: solicitation for @address from ::. */
void nd_encode_probe(
	uint8_t frame[ND_PROBE_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address);

/* False unless it is a whole solicitation or advertisement with hop limit 255, code 0 and a right
 * checksum (RFC 4861 section 7.1). */
bool nd_decode(const uint8_t *frame, size_t size, struct nd *ret_nd);

#endif
