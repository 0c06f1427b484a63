/* SPDX-License-Identifier: ISC */
/*
 * uv: a node on the caller's own libuv loop. Inline, so that libha does not bring a libuv of its
 *own into a program that has another one.
 *
 *	struct ha_uv watch;
 *	ha_uv_start(&watch, loop, node);   // after ha_open(); 0 or a negative libuv error
 *	...
 *	ha_uv_stop(&watch, on_closed);     // before ha_free(node); watch must live until on_closed
 */
#ifndef HA_UV_H
#define HA_UV_H

#include <uv.h>

#include <ha/ha.h>

struct ha_uv {
	uv_poll_t poll;
	ha_node *node;
	void *data; /* the caller's */
};

static inline void ha_uv_ready(uv_poll_t *poll, int status, int events)
{
	struct ha_uv *watch = (struct ha_uv *)poll->data;

	(void)status;
	(void)events;
	/* A node that has stopped told so by HA_EVENT_STOPPED; its callback may have freed us. */
	(void)ha_dispatch(watch->node);
}

static inline int ha_uv_start(struct ha_uv *watch, uv_loop_t *loop, ha_node *node)
{
	int r = uv_poll_init(loop, &watch->poll, ha_fd(node));

	if (r != 0)
		return r;
	watch->poll.data = watch;
	watch->node = node;
	return uv_poll_start(&watch->poll, UV_READABLE, ha_uv_ready);
}

static inline void ha_uv_stop(struct ha_uv *watch, uv_close_cb closed)
{
	(void)uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, closed);
}

#endif
