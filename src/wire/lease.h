/* SPDX-License-Identifier: ISC */
/*
 * lease: the page of memory that engine and keeper share. The engine stores the boottime instant
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
#include "base/limits.h"
#include "base/time.h"

#define LEASE_PAGE_SIZE 4096
#define LEASE_GROUPS    64

/* As the fence in the kernel reads it, too (src/keeper/fence.bpf.c). */
struct lease_page {
	int64_t until_ns;
	/* Not 0: given up before the lease ends. The fence closes at once, also when the keeper,
	 * which is told as well, is slow to take the addresses down. */
	uint64_t released[LEASE_GROUPS];
};

static_assert(sizeof(struct lease_page) <= LEASE_PAGE_SIZE && LEASE_GROUPS >= GROUPS_MAX,
	"every group has its word in the page");

static inline void lease_store(struct lease_page *page, ha_time until)
{
	__atomic_store_n(&page->until_ns, until.ns, __ATOMIC_RELEASE);
}

static inline ha_time lease_load(const struct lease_page *page)
{
	return (ha_time){__atomic_load_n(&page->until_ns, __ATOMIC_ACQUIRE)};
}

static inline void lease_release(struct lease_page *page, size_t group, bool released)
{
	assert(group < LEASE_GROUPS);
	__atomic_store_n(&page->released[group], released, __ATOMIC_RELEASE);
}

#endif
