/* SPDX-License-Identifier: ISC */
/*
 * arp: Ethernet frames of ARP (RFC 826) in the forms that move an IPv4 address (RFC 5227 section 3;
 * docs/protocol.md, Announcements).
 */
#ifndef HA_WIRE_ARP_H
#define HA_WIRE_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"

#define ARP_FRAME_SIZE 42

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp {
	uint8_t destination[MAC_SIZE]; /* of the Ethernet header */
	uint8_t source[MAC_SIZE];      /* of the Ethernet header */
	uint16_t operation;
	uint8_t sender_mac[MAC_SIZE];
	struct ip sender;
	uint8_t target_mac[MAC_SIZE];
	struct ip target;
};

/* The unsolicited announcement as a request: sender and target are @address, target MAC zero. */
void arp_encode_announcement_request(
	uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address);
/* The unsolicited announcement as a reply whose target MAC is the sender's own. */
void arp_encode_announcement_reply(
	uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address);
/* "who-has @peer tell @address", broadcast: it overrides any neighbour entry, and its answer is an
 * acknowledgement. */
void arp_encode_request(uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE],
	const struct ip *address, const struct ip *peer);
/* RFC 5227 section 2.1.1 probe: sender address 0. */
void arp_encode_probe(
	uint8_t frame[ARP_FRAME_SIZE], const uint8_t mac[MAC_SIZE], const struct ip *address);

/* False unless it is a whole Ethernet/IPv4 ARP request or reply. Trailing padding is fine. */
bool arp_decode(const uint8_t *frame, size_t size, struct arp *ret_arp);

#endif
