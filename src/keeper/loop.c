/* SPDX-License-Identifier: ISC */
#include "keeper/loop.h"

#include <stdlib.h>

#include "base/assert.h"
#include "keeper/loss.h"
#include "keeper/notify.h"
#include "keeper/signals.h"
#include "keeper/stub.h"
#include "sys/clock.h"
#include "sys/log.h"

#define FRAMES_PER_TURN 64
#define AWAITED_MANY    16
#define UNREAD_EXTRA_MS 1000

void loop_finish(struct loop *l, int exit_status)
{
	stub_block_signals(); /* one more must not kill what cleans up, or is for the next keeper */
	l->exit_status = exit_status;
	l->over = true;
	uv_stop(&l->uv);
}

static void go_on(struct loop *l);

static void on_more(uv_idle_t *handle)
{
	go_on(handle->data);
}

static void on_monitor(uv_poll_t *handle, int status, int events);

static void on_later(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (l->over)
		return;
	(void)uv_poll_start(&l->monitor, UV_READABLE, on_monitor);
	if (l->running)
		session_watch(l->session);
	go_on(l);
}

static void on_channel(uv_poll_t *handle, int status, int events);

static void on_unread(uv_timer_t *handle)
{
	loss_give_up(handle->data, "the engine does not read its messages");
}

/* Answers that wait go before everything else that is the engine's. One that got lost would leave
 * it in error about what is held. */
static void on_prepare(uv_prepare_t *handle)
{
	struct loop *l = handle->data;
	const struct answers *a = &l->session->answers;
	int64_t tolerance_ms = l->session->conf->node.tolerance_ns / NS_PER_MS;

	if (l->over || !l->running || a->count == l->owed)
		return;
	if ((a->count > 0) != (l->owed > 0))
		(void)uv_poll_start(
			&l->channel, a->count > 0 ? UV_WRITABLE : UV_READABLE, on_channel);
	l->owed = a->count;
	if (a->overrun)
		on_unread(&l->unread);
	else if (a->count > 0)
		(void)uv_timer_start(
			&l->unread, on_unread, (uint64_t)tolerance_ms + UNREAD_EXTRA_MS, 0);
	else
		(void)uv_timer_stop(&l->unread);
}

/* A part of what there is to do; the rest when everything else has had its turn. */
static void go_on(struct loop *l)
{
	enum work_next next = WORK_NOTHING;

	if (!l->over && l->running)
		next = work_do(l->session);
	if (next == WORK_MORE)
		(void)uv_idle_start(&l->more, on_more);
	else
		(void)uv_idle_stop(&l->more);
	if (next == WORK_LATER)
		(void)uv_timer_start(&l->later, on_later, WORK_LATER_MS, 0);
	/* The kernel tells of each IPv6 address by itself. To wake up for each would only take time
	 * from its work queue. */
	if (next == WORK_LATER && l->session->work.awaited_count > AWAITED_MANY)
		(void)uv_poll_stop(&l->monitor);
}

static void on_channel(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;

	(void)status;
	(void)events;
	if (l->over || !l->running)
		return;
	if (!session_receive(l->session))
		loss_of_engine(l);
	else
		go_on(l);
}

static void on_process(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	loss_of_engine(handle->data);
}

static void on_monitor(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;

	(void)status;
	(void)events;
	if (l->over)
		return;
	session_watch(l->session);
	go_on(l);
}

static void on_fence(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;

	(void)status;
	(void)events;
	if (l->over)
		return;
	fence_watch(l->session->fence);
	go_on(l);
}

static void on_renewal(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (!l->over && l->running)
		session_renew(l->session);
}

static void renew_fence(struct loop *l)
{
	uint64_t period_ms = (uint64_t)(fence_period_ns(l->session->fence) / NS_PER_MS);

	(void)uv_timer_init(&l->uv, &l->renewal);
	l->renewal.data = l;
	if (period_ms > 0)
		(void)uv_timer_start(&l->renewal, on_renewal, period_ms, period_ms);
}

static void on_watchdog(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;

	(void)status;
	(void)events;
	if (l->over || !l->running)
		return;
	session_check_lease(l->session);
}

static void on_frames(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;
	uv_os_fd_t descriptor;

	(void)status;
	(void)events;
	if (uv_fileno((const uv_handle_t *)handle, &descriptor) != 0)
		return;
	for (int n = 0; n < FRAMES_PER_TURN; n++) {
		uint8_t frame[CHANNEL_FRAME_MAX];
		uint32_t index;
		int size = capture_receive(descriptor, frame, sizeof(frame), &index);

		if (size < 0)
			break;
		session_frame(l->session, index, frame, (size_t)size);
	}
}

static void on_answer(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;
	struct ask *ask = l->session->ask;
	size_t n = (size_t)(handle - l->answers);

	(void)status;
	(void)events;
	if (ask_receive(ask->list[n / 2].descriptors[n % 2]) && l->running)
		session_answered(l->session, ask->list[n / 2].check);
}

void loop_watch(struct loop *l, uv_poll_t *handle, int descriptor, uv_poll_cb callback)
{
	int r = uv_poll_init(&l->uv, handle, descriptor);

	assert(r == 0);
	handle->data = l;
	r = uv_poll_start(handle, UV_READABLE, callback);
	assert(r == 0);
}

void loop_watch_engine(struct loop *l)
{
	l->running = true;
	l->owed = 0;
	(void)uv_timer_stop(&l->unread);
	restarts_start(&l->restarts, clock_now());
	loop_watch(l, &l->channel, l->engine->channel, on_channel);
	loop_watch(l, &l->process, l->engine->process, on_process);
}

static void on_alive(uv_timer_t *handle)
{
	(void)handle;
	notify_send("WATCHDOG=1");
}

/* At half the time that the service manager gives, as its manual asks for. */
static void show_life(struct loop *l)
{
	uint64_t interval_ms = notify_watchdog_ms() / 2;

	(void)uv_timer_init(&l->uv, &l->alive);
	if (interval_ms > 0)
		(void)uv_timer_start(&l->alive, on_alive, 0, interval_ms);
}

static void watch_everything(struct loop *l, const struct capture *capture)
{
	loop_watch_engine(l);
	loop_watch(l, &l->monitor, l->session->interfaces->monitor.descriptor, on_monitor);
	loop_watch(l, &l->watchdog, l->session->watchdog, on_watchdog);
	if (fence_monitor(l->session->fence) >= 0)
		loop_watch(l, &l->fence, fence_monitor(l->session->fence), on_fence);
	renew_fence(l);
	for (size_t i = 0; i < capture->count; i++)
		loop_watch(l, &l->frames[i], capture->descriptors[i], on_frames);
	for (size_t i = 0; i < 2 * l->session->ask->count; i++)
		if (l->session->ask->list[i / 2].descriptors[i % 2] >= 0)
			loop_watch(l, &l->answers[i],
				l->session->ask->list[i / 2].descriptors[i % 2], on_answer);
	signals_catch(l);
	(void)uv_timer_init(&l->uv, &l->later);
	l->later.data = l;
	(void)uv_idle_init(&l->uv, &l->more);
	l->more.data = l;
	(void)uv_timer_init(&l->uv, &l->pause);
	l->pause.data = l;
	(void)uv_timer_init(&l->uv, &l->unread);
	l->unread.data = l;
	(void)uv_prepare_init(&l->uv, &l->prepare);
	l->prepare.data = l;
	(void)uv_prepare_start(&l->prepare, on_prepare);
	rest_begin(&l->rest, &l->uv);
	show_life(l);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_other_than_signals(uv_handle_t *handle, void *unused)
{
	if (handle->type != UV_SIGNAL)
		close_handle(handle, unused);
}

/* Signals that came just before they were blocked wait in the loop: they are heard, too. */
static void close_everything(uv_loop_t *uv)
{
	uv_walk(uv, close_other_than_signals, NULL);
	(void)uv_run(uv, UV_RUN_NOWAIT);
	uv_walk(uv, close_handle, NULL);
	(void)uv_run(uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(uv);
}

int loop_run(struct session *session, const struct starter *starter, struct engine_process *engine,
	const struct capture *capture, struct reload *reload)
{
	struct loop l = {.session = session,
		.reload = reload,
		.starter = starter,
		.adopted = !engine->starter,
		.engine = engine,
		.exit_status = 1,
		.frames = calloc(capture->count + 1, sizeof(*l.frames)),
		.answers = calloc(2 * session->ask->count + 1, sizeof(*l.answers))};
	int r = l.frames && l.answers ? uv_loop_init(&l.uv) : UV_ENOMEM;

	if (r != 0) {
		log_error("no event loop: %s", uv_strerror(r));
		free(l.frames);
		free(l.answers);
		return 1;
	}
	watch_everything(&l, capture);
	(void)uv_run(&l.uv, UV_RUN_DEFAULT);
	close_everything(&l.uv);
	free(l.frames);
	free(l.answers);
	return l.exit_status;
}
