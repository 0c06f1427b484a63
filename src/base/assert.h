/* SPDX-License-Identifier: ISC */
/*
 * assert: assertions that are always on. For an HA program a crash *is* a failover: the keeper
 * takes the addresses down and another node serves. So a broken invariant ends the process, in
 * production too. Never assert on anything that came from outside.
 */
#ifndef HA_BASE_ASSERT_H
#define HA_BASE_ASSERT_H

#ifdef NDEBUG
#error "ha keeps its assertions in production; do not define NDEBUG"
#endif
#include <assert.h>

/* tools/coverage asks which branches the tests take. That of a failed assertion must never be
 * taken. */
#ifdef HA_COVERAGE
#undef assert
#define assert(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

#endif
