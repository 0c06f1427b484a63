/* SPDX-License-Identifier: ISC */
#include "sys/rest.h"

#include <poll.h>

#include "sys/clock.h"

#define WORK_NS   (4 * NS_PER_MS)
#define PAUSE_NS  (500 * NS_PER_US)
#define WAITED_NS (200 * NS_PER_US) /* polling alone takes some µs */

static void on_prepare(uv_prepare_t *handle)
{
	struct rest *r = handle->data;

	r->before = clock_now();
	if (time_between(r->since, r->before) < WORK_NS)
		return;
	(void)ppoll(NULL, 0, &(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	r->since = r->before = clock_now();
}

static void on_check(uv_check_t *handle)
{
	struct rest *r = handle->data;
	ha_time now = clock_now();

	if (time_between(r->before, now) > WAITED_NS)
		r->since = now;
}

void rest_begin(struct rest *r, uv_loop_t *loop)
{
	r->since = r->before = clock_now();
	(void)uv_prepare_init(loop, &r->prepare);
	(void)uv_check_init(loop, &r->check);
	r->prepare.data = r->check.data = r;
	(void)uv_prepare_start(&r->prepare, on_prepare);
	(void)uv_check_start(&r->check, on_check);
	uv_unref((uv_handle_t *)&r->prepare);
	uv_unref((uv_handle_t *)&r->check);
}
