/* SPDX-License-Identifier: ISC */
/*
 * The kernel's half of the fence: a tc program at each device, in both directions. While the lease
 * lasts it does nothing. Once it has passed, whatever is to or from a shared address that is
 * configured here is dropped: packets, ARP and neighbour discovery. It needs no living process for
 * that. Everything else passes on to the next filter.
 */
#include "keeper/fence_shape.h"
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Offsets behind the beginning of the network header. */
#define ARP_SENDER       14 /* RFC 826, over Ethernet for IPv4 */
#define ARP_TARGET       24
#define IP4_SOURCE       12 /* RFC 791 */
#define IP4_DESTINATION  16
#define IP6_NEXT_HEADER  6 /* RFC 8200 */
#define IP6_SOURCE       8
#define IP6_DESTINATION  24
#define ND_TYPE          40 /* RFC 4861: behind the plain header, as it must be for ND to be accepted */
#define ND_TARGET        48
#define ND_SOLICITATION  135
#define ND_ADVERTISEMENT 136

struct address {
	__u32 words[FENCE_KEY_WORDS];
};

/* How many entries each has, the keeper sets by its configuration (fence_load.c).
 *
 * struct lease_page of wire/lease.h, written by the engine alone: boottime [ns] until which this
 * node may serve, then a word for each group: not 0 if it was given up before. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} fence_lease SEC(".maps");

/* Not 0: the group's addresses are configured here. Written by the keeper alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} fence_held SEC(".maps");

/* The shared addresses and their groups. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, struct address);
	__type(value, __u32);
} fence_shared SEC(".maps");

/* No engine earns a longer lease: one that is further ahead is none. Set when this is loaded. */
const volatile __s64 fence_most_ns = 0;

static __always_inline int is_fenced(const struct address *address)
{
	const __u32 *group = bpf_map_lookup_elem(&fence_shared, address);
	const __u32 first = FENCE_LEASE_UNTIL;
	const volatile __u64 *held, *until_ns, *released;
	__s64 left_ns;
	__u32 own;

	if (!group)
		return 0;
	own = FENCE_LEASE_RELEASED + *group;
	held = bpf_map_lookup_elem(&fence_held, group);
	until_ns = bpf_map_lookup_elem(&fence_lease, &first);
	released = bpf_map_lookup_elem(&fence_lease, &own);
	if (!held || !until_ns || !released || !*held)
		return 0;
	left_ns = (__s64)(*until_ns - bpf_ktime_get_boot_ns());
	return *released || left_ns <= 0 || left_ns > fence_most_ns;
}

static __always_inline int load(struct __sk_buff *frame, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes_relative(frame, offset, to, size, BPF_HDR_START_NET);
}

static __always_inline int is_fenced_v4(struct __sk_buff *frame, __u32 offset)
{
	struct address a = {{0, 0, bpf_htonl(0xffff), 0}};

	return load(frame, offset, &a.words[3], sizeof(a.words[3])) == 0 && is_fenced(&a);
}

static __always_inline int is_fenced_v6(struct __sk_buff *frame, __u32 offset)
{
	struct address a;

	return load(frame, offset, &a, sizeof(a)) == 0 && is_fenced(&a);
}

/* A solicitation asks for an address by a group of hosts, not by the address itself. */
static __always_inline int is_fenced_nd(struct __sk_buff *frame, __u8 wanted)
{
	__u8 next, type;

	if (load(frame, IP6_NEXT_HEADER, &next, sizeof(next)) != 0 || next != IPPROTO_ICMPV6)
		return 0;
	if (load(frame, ND_TYPE, &type, sizeof(type)) != 0 || type != wanted)
		return 0;
	return is_fenced_v6(frame, ND_TARGET);
}

static __always_inline int verdict(int fenced)
{
	return fenced ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int fence_ingress(struct __sk_buff *frame)
{
	if (frame->protocol == bpf_htons(ETH_P_ARP))
		return verdict(is_fenced_v4(frame, ARP_TARGET));
	if (frame->protocol == bpf_htons(ETH_P_IP))
		return verdict(is_fenced_v4(frame, IP4_DESTINATION));
	if (frame->protocol == bpf_htons(ETH_P_IPV6))
		return verdict(is_fenced_v6(frame, IP6_DESTINATION) ||
			       is_fenced_nd(frame, ND_SOLICITATION));
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
		return verdict(is_fenced_v4(frame, IP4_SOURCE));
	if (frame->protocol == bpf_htons(ETH_P_IPV6))
		return verdict(
			is_fenced_v6(frame, IP6_SOURCE) || is_fenced_nd(frame, ND_ADVERTISEMENT));
	return TC_ACT_UNSPEC;
}

char fence_license[] SEC("license") = "ISC";
