/* SPDX-License-Identifier: ISC */
/*
 * id: how names become the fixed-size identifiers that travel. FNV-1a (Fowler, Noll, Vo): a spread,
 * not a secret; names that collide in one configuration are refused by conf.
 */
#ifndef HA_BASE_ID_H
#define HA_BASE_ID_H

#include <stddef.h>
#include <stdint.h>

/* 64-bit FNV-1a of @size bytes, continued from @seed (ID_SEED to begin). */
#define ID_SEED UINT64_C(0xcbf29ce484222325)
uint64_t id_hash(uint64_t seed, const void *bytes, size_t size);

/* The 32-bit identifier of a group or cluster name: both halves of the 64-bit hash, folded. Never
 * 0. */
uint32_t id_from_name(const char *name);

#endif
