/* SPDX-License-Identifier: ISC */
/*
 * rest: pauses of a real-time process that has much to do. The kernel's own threads, which carry
 * packets in and out when there are many, run only when it waits; and so do other processes of the
 * same priority. Without a pause a long job keeps the very heartbeats from leaving that it is
 * about to send, and is taken for a loop without end (RLIMIT_RTTIME).
 */
#ifndef HA_SYS_REST_H
#define HA_SYS_REST_H

#include <uv.h>

#include "base/time.h"

struct rest {
	uv_prepare_t prepare;
	uv_check_t check;
	ha_time since;  /* when the process last waited for something */
	ha_time before; /* when the loop last began to */
};

/* From now on @loop, whenever it has worked for 4 ms without waiting, waits for half of one. @r
 * lives as long as the loop. */
void rest_begin(struct rest *r, uv_loop_t *loop);

#endif
