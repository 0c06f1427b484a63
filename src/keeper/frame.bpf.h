/* SPDX-License-Identifier: ISC */
/* frame: what the programs in the kernel (fence.bpf.c) read of a frame. */
#ifndef HA_KEEPER_FRAME_BPF_H
#define HA_KEEPER_FRAME_BPF_H

#include "keeper/fence_shape.h"
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Offsets behind the beginning of the network header. */
#define IP4_FRAGMENT    6 /* RFC 791 */
#define IP4_PROTOCOL    9
#define IP4_SOURCE      12
#define IP4_DESTINATION 16
#define IP6_NEXT_HEADER 6 /* RFC 8200 */
#define IP6_SIZE        40
#define IP6_SOURCE      8
#define IP6_DESTINATION 24

#define IP4_FRAGMENT_OFFSET 0x1fff

struct address {
	__u32 words[FENCE_KEY_WORDS];
};

static __always_inline int load(struct __sk_buff *frame, __u32 offset, void *to, __u32 size)
{
	return bpf_skb_load_bytes_relative(frame, offset, to, size, BPF_HDR_START_NET);
}

static __always_inline int load_v4(struct __sk_buff *frame, __u32 offset, struct address *ret)
{
	*ret = (struct address){{0, 0, bpf_htonl(0xffff), 0}};
	return load(frame, offset, &ret->words[3], sizeof(ret->words[3]));
}

static __always_inline int load_v6(struct __sk_buff *frame, __u32 offset, struct address *ret)
{
	return load(frame, offset, ret, sizeof(*ret));
}

static __always_inline int load_address(
	struct __sk_buff *frame, int v6, __u32 offset, struct address *ret)
{
	return v6 ? load_v6(frame, offset, ret) : load_v4(frame, offset, ret);
}

#endif
