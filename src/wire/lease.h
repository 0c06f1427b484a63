/* SPDX-License-Identifier: ISC */
/*
 * lease: the memory that engine and keeper share. The engine stores the boottime instant
 * [ns] until which this node may serve, once per heartbeat; the keeper's watchdog and the fence
 * in the kernel read it. One word, written by the engine while there is one; between two engines
 * the keeper empties it. Behind it stands, for each group, whether it was given up or handed on
 * early, and whom the kernel passes on to what this node has no part in. docs/protocol.md, Lease
 * (rule R7) and 7.5.
 */
#ifndef HA_WIRE_LEASE_H
#define HA_WIRE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/limits.h"
#include "base/time.h"

/* As the fence in the kernel reads it, too (src/keeper/fence.bpf.c): as words one behind the other.
 */
struct lease_group {
	uint64_t service;  /* enum lease_service */
	uint64_t other;    /* where to: lease_other(); 0: nowhere */
	int64_t passes_ns; /* until when; 0: not at all */
};

enum lease_service {
	LEASE_IN_SERVICE = 0,
	/* Before the lease ends. The fence closes at once, also when the keeper, which is told as
	 * well, is slow to take the addresses down. */
	LEASE_GIVEN_UP = 1,
	LEASE_HANDED_ON = 2, /* takes part only in what had begun */
};

struct lease_page {
	int64_t until_ns;
	struct lease_group groups[];
};

static_assert(sizeof(struct lease_page) == sizeof(uint64_t) &&
		      sizeof(struct lease_group) == 3 * sizeof(uint64_t),
	"the groups' words follow at once");

/* In bytes. */
static inline size_t lease_size(size_t group_count)
{
	return sizeof(struct lease_page) + group_count * sizeof(struct lease_group);
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

static inline void lease_serve(struct lease_page *page, size_t group, enum lease_service service)
{
	__atomic_store_n(&page->groups[group].service, service, __ATOMIC_RELEASE);
}

/* A hardware address, and the last bits of the index of the only device where it counts. */
static inline uint64_t lease_other(const uint8_t mac[MAC_SIZE], uint32_t interface_index)
{
	const uint16_t device = (uint16_t)interface_index;
	uint64_t word = 0;

	memcpy(&word, mac, MAC_SIZE);
	memcpy((uint8_t *)&word + MAC_SIZE, &device, sizeof(device));
	return word;
}

/* @until is TIME_ORIGIN, or nobody reads @other before it is stored. */
static inline void lease_pass(struct lease_page *page, size_t group, uint64_t other, ha_time until)
{
	struct lease_group *g = &page->groups[group];

	__atomic_store_n(&g->passes_ns, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&g->other, other, __ATOMIC_RELEASE);
	__atomic_store_n(&g->passes_ns, until.ns, __ATOMIC_RELEASE);
}

static inline ha_time lease_passes_until(const struct lease_page *page, size_t group)
{
	return (ha_time){__atomic_load_n(&page->groups[group].passes_ns, __ATOMIC_ACQUIRE)};
}

#endif
