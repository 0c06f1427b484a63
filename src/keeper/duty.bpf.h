/* SPDX-License-Identifier: ISC */
/* duty: the tables that the programs in the kernel (fence.bpf.c) read, and what follows from them
 * for one shared address. */
#ifndef HA_KEEPER_DUTY_BPF_H
#define HA_KEEPER_DUTY_BPF_H

#include "keeper/frame.bpf.h"

/* How many entries each has, the keeper sets by its configuration (fence_load.c).
 *
 * struct lease_page of wire/lease.h, written by the engine alone: boottime [ns] until which this
 * node may serve, then three words for each group. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} fence_lease SEC(".maps");

/* For each group FENCE_AWAY, FENCE_HELD or FENCE_AHEAD. Written by the keeper alone. */
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

/* The other host of a handover, as FENCE_OTHER has it. */
struct other {
	__u8 mac[FENCE_MAC_SIZE];
	__u16 device; /* the last bits of its index */
};

/* What this host has to do with a shared address; nothing at all if it is none. */
struct duty {
	int held;   /* it is held here */
	int fenced; /* it is configured here and must not be served */
	__u64 service;
	__u64 passes_ns; /* until when what belongs to the other host is passed on; 0: it is not */
	struct other other;
};

static __always_inline __u64 word_of(__u32 group, __u32 which)
{
	__u32 index = FENCE_LEASE_GROUPS + FENCE_GROUP_WORDS * group + which;
	const volatile __u64 *word = bpf_map_lookup_elem(&fence_lease, &index);

	return word ? *word : 0;
}

static __always_inline int is_ahead(__u64 until_ns)
{
	__s64 left_ns = (__s64)(until_ns - bpf_ktime_get_boot_ns());

	return left_ns > 0 && left_ns <= fence_most_ns;
}

static __always_inline int serves(__u64 service)
{
	return service == FENCE_IN_SERVICE || service == FENCE_HANDED_ON;
}

static __always_inline struct duty duty_for(const struct address *address)
{
	const __u32 *group = bpf_map_lookup_elem(&fence_shared, address);
	const __u32 first = FENCE_LEASE_UNTIL;
	const volatile __u64 *held, *until_ns;
	struct duty d = {0};
	__u64 passes_ns, other;

	if (!group)
		return d;
	held = bpf_map_lookup_elem(&fence_held, group);
	until_ns = bpf_map_lookup_elem(&fence_lease, &first);
	if (!held || !until_ns)
		return d;
	d.held = *held == FENCE_HELD;
	d.service = word_of(*group, FENCE_SERVICE);
	d.fenced = *held == FENCE_AHEAD || (d.held && (!serves(d.service) || !is_ahead(*until_ns)));
	passes_ns = word_of(*group, FENCE_PASSES);
	if (passes_ns == 0 || !is_ahead(passes_ns))
		return d;
	other = word_of(*group, FENCE_OTHER);
	__builtin_memcpy(&d.other, &other, sizeof(d.other));
	d.passes_ns = passes_ns;
	return d;
}

#endif
