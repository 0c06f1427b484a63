/* SPDX-License-Identifier: ISC */
/*
 * lease: the memory that engine and keeper share. The engine stores the boottime instant
 * [ns] until which this node may serve, once per heartbeat; the keeper's watchdog and the fence
 * in the kernel read it. One word, written by the engine while there is one; between two engines
 * the keeper empties it. Which groups were given up early stands behind it. docs/protocol.md, Lease
 * (rule R7).
 */
#ifndef HA_WIRE_LEASE_H
#define HA_WIRE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/time.h"

/* As the fence in the kernel reads it, too (src/keeper/fence.bpf.c): as words one behind the other.
 */
struct lease_page {
	int64_t until_ns;
	/* For each group. Not 0: given up before the lease ends. The fence closes at once, also
	 * when the keeper, which is told as well, is slow to take the addresses down. */
	uint64_t released[];
};

static_assert(sizeof(struct lease_page) == sizeof(uint64_t), "the groups' words follow at once");

/* In bytes. */
static inline size_t lease_size(size_t group_count)
{
	return sizeof(struct lease_page) + group_count * sizeof(uint64_t);
}

static inline void lease_store(struct lease_page *page, ha_time until)
{
	__atomic_store_n(&page->until_ns, until.ns, __ATOMIC_RELEASE);
}

static inline ha_time lease_load(const struct lease_page *page)
{
	return (ha_time){__atomic_load_n(&page->until_ns, __ATOMIC_ACQUIRE)};
}

/* As who has not stored it should take it: one that is further ahead than any engine could earn is
 * none. */
static inline ha_time lease_bounded(ha_time until, ha_time now, int64_t most_ns)
{
	return until.ns > 0 && until.ns <= time_add(now, most_ns).ns ? until : TIME_ORIGIN;
}

static inline ha_time lease_believed(const struct lease_page *page, ha_time now, int64_t most_ns)
{
	return lease_bounded(lease_load(page), now, most_ns);
}

static inline void lease_release(struct lease_page *page, size_t group, bool released)
{
	__atomic_store_n(&page->released[group], released, __ATOMIC_RELEASE);
}

#endif
