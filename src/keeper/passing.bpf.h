/* SPDX-License-Identifier: ISC */
/*
 * passing: what of a shared address belongs to the other host of a handover, and goes there as the
 * frame that it is (docs/protocol.md 7.5). Each of the two hosts has a part of the connections
 * then, and a client's neighbour cache changes at any moment.
 */
#ifndef HA_KEEPER_PASSING_BPF_H
#define HA_KEEPER_PASSING_BPF_H

#include "keeper/duty.bpf.h"

#define PACKET_TO_US 0 /* PACKET_HOST of linux/if_packet.h */

/* A TCP connection to a shared address. */
struct connection {
	struct address shared, client;
	__be16 shared_port, client_port;
};

/* Those in which this host has spoken while something was passed on, by the time until when it was:
 * so a connection is known that has no socket here, because it is translated to another address
 * behind it; and one of an earlier handover is not taken for it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct connection);
	__type(value, __u64);
} fence_spoken SEC(".maps");

struct tcp_start {
	__be16 source, destination;
	__be32 sequence, acknowledged;
	__u8 length, flags;
};

#define TCP_SYN_FLAG 0x02
#define TCP_RST_FLAG 0x04
#define TCP_ACK_FLAG 0x10

/* Where the TCP header of @frame begins, behind the network header; 0: it has none that can be
 * found. */
static __always_inline __u32 find_tcp(struct __sk_buff *frame, int v6)
{
	__u8 first, protocol = 0;
	__be16 fragment;

	if (v6) {
		if (load(frame, IP6_NEXT_HEADER, &protocol, sizeof(protocol)) != 0)
			return 0;
		return protocol == IPPROTO_TCP ? IP6_SIZE : 0;
	}
	if (load(frame, 0, &first, sizeof(first)) != 0 ||
		load(frame, IP4_FRAGMENT, &fragment, sizeof(fragment)) != 0 ||
		load(frame, IP4_PROTOCOL, &protocol, sizeof(protocol)) != 0)
		return 0;
	if (protocol != IPPROTO_TCP || (fragment & bpf_htons(IP4_FRAGMENT_OFFSET)))
		return 0;
	return (first & 0x0f) * 4;
}

/* @leaves: the shared address is the source. */
static __always_inline int load_connection(struct __sk_buff *frame, int v6, int leaves,
	struct connection *ret, struct tcp_start *ret_tcp)
{
	const __u32 source = v6 ? IP6_SOURCE : IP4_SOURCE;
	const __u32 destination = v6 ? IP6_DESTINATION : IP4_DESTINATION;
	__u32 at = find_tcp(frame, v6);

	if (at == 0 || load(frame, at, ret_tcp, sizeof(*ret_tcp)) != 0)
		return 0;
	ret->shared_port = leaves ? ret_tcp->source : ret_tcp->destination;
	ret->client_port = leaves ? ret_tcp->destination : ret_tcp->source;
	return load_address(frame, v6, leaves ? source : destination, &ret->shared) == 0 &&
	       load_address(frame, v6, leaves ? destination : source, &ret->client) == 0;
}

static __always_inline void remember_spoken(struct __sk_buff *frame, int v6, const struct duty *d)
{
	struct connection c;
	struct tcp_start tcp;

	if (load_connection(frame, v6, 1, &c, &tcp) && !(tcp.flags & TCP_RST_FLAG))
		(void)bpf_map_update_elem(&fence_spoken, &c, &d->passes_ns, BPF_ANY);
}

static __always_inline int has_spoken(const struct connection *c, const struct duty *d)
{
	const __u64 *until_ns = bpf_map_lookup_elem(&fence_spoken, c);

	return until_ns && *until_ns == d->passes_ns;
}

/* The state of the socket that a segment of it is for; 0: there is none. */
static __always_inline __u32 socket_state(
	struct __sk_buff *frame, int v6, const struct connection *c)
{
	struct bpf_sock_tuple tuple = {0};
	struct bpf_sock *socket;
	__u32 state;

	if (v6) {
		__builtin_memcpy(tuple.ipv6.saddr, &c->client, sizeof(tuple.ipv6.saddr));
		__builtin_memcpy(tuple.ipv6.daddr, &c->shared, sizeof(tuple.ipv6.daddr));
		tuple.ipv6.sport = c->client_port;
		tuple.ipv6.dport = c->shared_port;
	} else {
		tuple.ipv4.saddr = c->client.words[3];
		tuple.ipv4.daddr = c->shared.words[3];
		tuple.ipv4.sport = c->client_port;
		tuple.ipv4.dport = c->shared_port;
	}
	socket = bpf_skc_lookup_tcp(frame, &tuple, v6 ? sizeof(tuple.ipv6) : sizeof(tuple.ipv4),
		BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return 0;
	state = socket->state;
	bpf_sk_release(socket);
	return state;
}

/* Of a connection that this host has not: one is listened for here, but not this one; or one is
 * over here, whose numbers may be those of a new one there. */
static __always_inline int is_foreign(struct __sk_buff *frame, int v6, const struct duty *d)
{
	struct connection c;
	struct tcp_start tcp;
	__u32 state;

	if (!load_connection(frame, v6, 0, &c, &tcp))
		return 0;
	if ((tcp.flags & TCP_SYN_FLAG) && !(tcp.flags & TCP_ACK_FLAG))
		return d->service == FENCE_HANDED_ON;
	if (has_spoken(&c, d))
		return 0;
	state = socket_state(frame, v6, &c);
	return state == BPF_TCP_LISTEN || state == BPF_TCP_TIME_WAIT;
}

static __always_inline int belongs_to_other(struct __sk_buff *frame, int v6, const struct duty *d)
{
	return d->fenced || !d->held || is_foreign(frame, v6, d);
}

struct ends {
	__u8 to[FENCE_MAC_SIZE], from[FENCE_MAC_SIZE];
};

static __always_inline int is_same(const __u8 a[FENCE_MAC_SIZE], const __u8 b[FENCE_MAC_SIZE])
{
	__u8 differs = 0;

	for (int i = 0; i < FENCE_MAC_SIZE; i++)
		differs |= a[i] ^ b[i];
	return !differs;
}

/* Under our own hardware address, or the switch would take us for the client. What the other one
 * has passed on to us does not go back. */
static __always_inline int pass_on(struct __sk_buff *frame, const struct other *other)
{
	struct ends was, ends;

	if (frame->pkt_type != PACKET_TO_US || (__u16)frame->ifindex != other->device ||
		bpf_skb_load_bytes(frame, 0, &was, sizeof(was)) != 0)
		return 0;
	__builtin_memcpy(ends.to, other->mac, sizeof(ends.to));
	__builtin_memcpy(ends.from, was.to, sizeof(ends.from));
	if (is_same(was.from, ends.to))
		return 0;
	return bpf_skb_store_bytes(frame, 0, &ends, sizeof(ends), 0) == 0;
}

#endif
