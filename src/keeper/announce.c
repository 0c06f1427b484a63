/* SPDX-License-Identifier: ISC */
#include "keeper/announce.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "wire/arp.h"
#include "wire/nd.h"

int announce_open(
	struct announcer *an, const struct conf *conf, const struct interfaces *interfaces)
{
	*an = (struct announcer){.conf = conf, .interfaces = interfaces};
	/* Protocol 0: it only sends. */
	an->descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return an->descriptor < 0 ? -errno : 0;
}

/* The device if frames can leave by it now, else NULL. */
static const struct interface *usable_device(const struct announcer *an, size_t device)
{
	const struct interface *i = &an->interfaces->list[device];

	return i->index != 0 && i->up && i->ethernet ? i : NULL;
}

/* That of the address. */
static const struct interface *usable_interface(const struct announcer *an, size_t index)
{
	return usable_device(an, an->conf->addresses[index].device);
}

/* @frame begins with the destination's hardware address, as every frame does. */
static void send_frame(const struct announcer *an, const struct interface *interface,
	const struct ip *ip, const uint8_t *frame, size_t size)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ip->family == IP_V4 ? ETH_P_ARP : ETH_P_IPV6),
		.sll_ifindex = (int)interface->index,
		.sll_halen = MAC_SIZE,
	};

	memcpy(to.sll_addr, frame, MAC_SIZE);
	(void)sendto(an->descriptor, frame, size, 0, (const struct sockaddr *)&to, sizeof(to));
}

/* What is asked once for neighbours in a list. */
struct routing {
	int device; /* that it is about; -1: none yet */
	bool router;
};

#define ROUTING_UNKNOWN ((struct routing){.device = -1})

/* RFC 4861 section 7.2.6: the flag must be right also in an unsolicited advertisement, or hosts
 * drop this router from their list. */
static bool is_router(const struct announcer *an, struct routing *r, uint8_t device)
{
	if (r->device != device)
		r->router = interfaces_sysctl("ipv6", an->conf->devices[device].name, "forwarding");
	r->device = device;
	return r->router;
}

static void announce_v4(
	const struct announcer *an, const struct interface *interface, const struct ip *ip)
{
	uint8_t frame[ARP_FRAME_SIZE];

	arp_encode_announcement_request(frame, interface->mac, ip);
	send_frame(an, interface, ip, frame, sizeof(frame));
	arp_encode_announcement_reply(frame, interface->mac, ip);
	send_frame(an, interface, ip, frame, sizeof(frame));
}

static void announce_v6(const struct announcer *an, const struct interface *interface,
	const struct ip *ip, bool router)
{
	uint8_t frame[ND_FRAME_SIZE];

	nd_encode_announcement(frame, interface->mac, ip, router);
	send_frame(an, interface, ip, frame, sizeof(frame));
}

static void announce_one(const struct announcer *an, size_t index, struct routing *routing)
{
	const struct conf_address *address = &an->conf->addresses[index];
	const struct interface *interface = usable_interface(an, index);

	if (!interface)
		return;
	if (address->ip.family == IP_V4)
		announce_v4(an, interface, &address->ip);
	else
		announce_v6(an, interface, &address->ip, is_router(an, routing, address->device));
}

void announce_addresses(const struct announcer *an, size_t first, size_t count)
{
	struct routing routing = ROUTING_UNKNOWN;

	for (size_t i = first; i < first + count; i++)
		announce_one(an, i, &routing);
}

void announce_list(const struct announcer *an, const uint16_t *list, size_t count)
{
	struct routing routing = ROUTING_UNKNOWN;

	for (size_t i = 0; i < count; i++)
		announce_one(an, list[i], &routing);
}

static void ask(const struct announcer *an, const struct interface *interface, const struct ip *ip,
	const struct ip *target)
{
	uint8_t arp[ARP_FRAME_SIZE], nd[ND_FRAME_SIZE];

	if (!interface)
		return;
	if (ip->family == IP_V4) {
		arp_encode_request(arp, interface->mac, ip, target);
		send_frame(an, interface, ip, arp, sizeof(arp));
	} else {
		nd_encode_request(nd, interface->mac, ip, target);
		send_frame(an, interface, ip, nd, sizeof(nd));
	}
}

void announce_request(const struct announcer *an, size_t index, const struct ip *target)
{
	ask(an, usable_interface(an, index), &an->conf->addresses[index].ip, target);
}

void announce_question(
	const struct announcer *an, size_t device, const struct ip *own, const struct ip *target)
{
	ask(an, usable_device(an, device), own, target);
}

void announce_probe(const struct announcer *an, size_t index)
{
	const struct interface *interface = usable_interface(an, index);
	const struct ip *ip = &an->conf->addresses[index].ip;
	uint8_t arp[ARP_FRAME_SIZE], nd[ND_PROBE_FRAME_SIZE];

	if (!interface)
		return;
	if (ip->family == IP_V4) {
		arp_encode_probe(arp, interface->mac, ip);
		send_frame(an, interface, ip, arp, sizeof(arp));
	} else {
		nd_encode_probe(nd, interface->mac, ip);
		send_frame(an, interface, ip, nd, sizeof(nd));
	}
}
