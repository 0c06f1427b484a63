/* SPDX-License-Identifier: ISC */
/*
 * The kernel's half of the fence: a tc program at each device, in both directions. While the lease
 * lasts it does nothing, but in a handover. Once it has passed, whatever is to or from a shared
 * address that is configured here is dropped: packets, ARP and neighbour discovery. It needs no
 * living process for that. The same befalls, whatever the lease, what is configured ahead for the
 * day when it is held. Everything else goes to the next filter.
 */
#include "keeper/passing.bpf.h"
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

/* Offsets behind the beginning of the network header. */
#define ARP_SENDER       14 /* RFC 826, over Ethernet for IPv4 */
#define ARP_TARGET       24
#define ND_TYPE          40 /* RFC 4861: behind the plain header, as it must be for ND to be accepted */
#define ND_TARGET        48
#define ND_SOLICITATION  135
#define ND_ADVERTISEMENT 136

static __always_inline int is_fenced(const struct address *address)
{
	return duty_for(address).fenced;
}

static __always_inline int is_fenced_v4(struct __sk_buff *frame, __u32 offset)
{
	struct address a;

	return load_v4(frame, offset, &a) == 0 && is_fenced(&a);
}

static __always_inline int is_fenced_v6(struct __sk_buff *frame, __u32 offset)
{
	struct address a;

	return load_v6(frame, offset, &a) == 0 && is_fenced(&a);
}

/* The type of a message about an address; 0: it is none. */
static __always_inline __u8 nd_type(struct __sk_buff *frame)
{
	__u8 next, type;

	if (load(frame, IP6_NEXT_HEADER, &next, sizeof(next)) != 0 || next != IPPROTO_ICMPV6)
		return 0;
	if (load(frame, ND_TYPE, &type, sizeof(type)) != 0)
		return 0;
	return type == ND_SOLICITATION || type == ND_ADVERTISEMENT ? type : 0;
}

/* A solicitation asks for an address by a group of hosts, not by the address itself. And the kernel
 * would complain of an advertisement by which the holder tells of an address that is here, too. */
static __always_inline int hears_fenced_nd(struct __sk_buff *frame)
{
	return nd_type(frame) != 0 && is_fenced_v6(frame, ND_TARGET);
}

static __always_inline int says_fenced_nd(struct __sk_buff *frame)
{
	return nd_type(frame) == ND_ADVERTISEMENT && is_fenced_v6(frame, ND_TARGET);
}

static __always_inline int verdict(int fenced)
{
	return fenced ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline int receive(struct __sk_buff *frame, int v6)
{
	struct address to;
	struct duty d;

	if (load_address(frame, v6, v6 ? IP6_DESTINATION : IP4_DESTINATION, &to) != 0)
		return TC_ACT_UNSPEC;
	d = duty_for(&to);
	if (d.passes_ns != 0 && belongs_to_other(frame, v6, &d) && pass_on(frame, &d.other))
		return bpf_redirect(frame->ifindex, 0);
	return verdict(d.fenced);
}

static __always_inline int transmit(struct __sk_buff *frame, int v6)
{
	struct address from;
	struct duty d;

	if (load_address(frame, v6, v6 ? IP6_SOURCE : IP4_SOURCE, &from) != 0)
		return TC_ACT_UNSPEC;
	d = duty_for(&from);
	if (d.passes_ns != 0 && !d.fenced)
		remember_spoken(frame, v6, &d);
	return verdict(d.fenced);
}

SEC("tc")
int fence_ingress(struct __sk_buff *frame)
{
	if (frame->protocol == bpf_htons(ETH_P_ARP))
		return verdict(is_fenced_v4(frame, ARP_TARGET));
	if (frame->protocol == bpf_htons(ETH_P_IP))
		return receive(frame, 0);
	if (frame->protocol == bpf_htons(ETH_P_IPV6))
		return hears_fenced_nd(frame) ? TC_ACT_SHOT : receive(frame, 1);
	return TC_ACT_UNSPEC;
}

/* What leaves must be kept back as well: one ARP request from a shared address, sent by any program
 * of this host, re-points a client to it. */
SEC("tc")
int fence_egress(struct __sk_buff *frame)
{
	if (frame->protocol == bpf_htons(ETH_P_ARP))
		return verdict(is_fenced_v4(frame, ARP_SENDER));
	if (frame->protocol == bpf_htons(ETH_P_IP))
		return transmit(frame, 0);
	if (frame->protocol == bpf_htons(ETH_P_IPV6))
		return says_fenced_nd(frame) ? TC_ACT_SHOT : transmit(frame, 1);
	return TC_ACT_UNSPEC;
}

char fence_license[] SEC("license") = "ISC";
