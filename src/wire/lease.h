/* SPDX-License-Identifier: ISC */
/*
 * lease: the page of memory that engine and keeper share. The engine stores the boottime instant
 * [ns] until which this node may serve, once per heartbeat; the keeper's watchdog reads it. One
 * word, written by one side only. docs/protocol.md, Lease (rule R7).
 */
#ifndef HA_WIRE_LEASE_H
#define HA_WIRE_LEASE_H

#include <stdint.h>

#include "base/time.h"

#define LEASE_PAGE_SIZE 4096

struct lease_page {
	int64_t until_ns;
};

static inline void lease_store(struct lease_page *page, ha_time until)
{
	__atomic_store_n(&page->until_ns, until.ns, __ATOMIC_RELEASE);
}

static inline ha_time lease_load(const struct lease_page *page)
{
	return (ha_time){__atomic_load_n(&page->until_ns, __ATOMIC_ACQUIRE)};
}

#endif
