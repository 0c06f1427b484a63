/* SPDX-License-Identifier: ISC */
#include "keeper/loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/assert.h"
#include "keeper/notify.h"
#include "keeper/restarts.h"
#include "keeper/settle.h"
#include "keeper/stub.h"
#include "sys/clock.h"
#include "sys/descriptors.h"
#include "sys/log.h"

#define FRAMES_PER_TURN 64
#define END_PATIENCE_MS 1000 /* between the end of the channel and of the process */
#define ENDS_WITHIN_MS  2    /* as a rule */
#define AWAITED_MANY    16
#define LONG_LIST       64 /* so many addresses go in less than a millisecond */
#define STOP_EXTRA_MS   1000
/* R8: what the others are asked for when the whole daemon is replaced: a slow host starts it within
 * that. And for how long the engine may finish what is under way before it is stopped instead. */
#define RESTART_PATIENCE_NS (5 * NS_PER_S)
#define PAUSE_EXTRA_MS      10000
#define NS_IN_MS            1000000

struct loop {
	uv_loop_t uv;
	uv_poll_t channel, process, monitor, watchdog, fence, *frames, *answers;
	uv_signal_t terminate, interrupt, hang_up, restart;
	uv_timer_t patience, pause, alive, renewal, later;
	uv_idle_t more;
	struct session *session;
	struct engine_process *engine;
	const struct starter *starter;
	struct restarts restarts;
	uint64_t pause_ms; /* before the next engine starts */
	int closing;       /* handles of an engine that is gone */
	bool running;      /* there is an engine */
	bool stopping;     /* it was told to stop */
	bool leaving;      /* another keeper will take over (R8) ... */
	bool reloading;    /* ... with the configuration that was read again */
	bool checking;     /* which somebody reads now */
	int checker_process;
	uv_poll_t checker;
	struct reload *reload;
	bool over; /* uv_stop() lets the other events of the same turn come through */
	int exit_status;
};

static void log_end(const struct loop *l, struct engine_end end, bool killed)
{
	if (killed && end.known)
		return; /* by us: why, was said */
	if (!end.known)
		log_error("the engine closed its channel but still runs");
	else if (!end.exited)
		log_error("the engine was killed by signal %d", end.number);
	else if (end.number == ENGINE_CANNOT_EXECUTE)
		log_error("the engine could not be started");
	else if (end.number != 0 || !l->stopping)
		log_error("the engine ended by itself with status %d", end.number);
}

/* A long list takes a while to take down. Where there is a fence in the kernel, and nobody any more
 * who could renew the lease, ending it closes them all with one store. */
static bool close_fence(const struct loop *l)
{
	const struct session *s = l->session;

	if (s->fence->kind != CHANNEL_FENCE_BPF || s->addresses->placed_count < LONG_LIST ||
		!engine_has_ended(l->engine, ENDS_WITHIN_MS))
		return false;
	engine_end_lease(l->engine);
	return true;
}

/* First the addresses, for every one that answers a dead node's clients is an outage; then the word
 * to the others; then the rest. An engine that stopped as told has said its goodbyes itself. */
static void take_everything_down(const struct loop *l)
{
	bool speaks = addresses_any_held(l->session->addresses) || !l->stopping;
	bool closed = close_fence(l);

	if (speaks && closed)
		will_send(l->session->will);
	session_take_down(l->session);
	if (speaks && !closed)
		will_send(l->session->will);
	settle(l->session->addresses);
}

static void finish(struct loop *l, int exit_status)
{
	l->exit_status = exit_status;
	l->over = true;
	uv_stop(&l->uv);
}

static void on_pause_over(uv_timer_t *handle);

/* Its descriptors may be closed only when nothing waits for them any more. */
static void on_handle_closed(uv_handle_t *handle)
{
	struct loop *l = handle->data;

	if (--l->closing > 0)
		return;
	engine_close(l->engine);
	(void)uv_timer_start(&l->pause, on_pause_over, l->pause_ms, 0);
}

static void start_another_in(struct loop *l, int64_t delay_ns)
{
	if (delay_ns > 0)
		log_notice("a fresh engine starts in %lld s", (long long)(delay_ns / NS_PER_S));
	l->pause_ms = (uint64_t)(delay_ns / NS_IN_MS);
	l->closing = 2;
	uv_close((uv_handle_t *)&l->channel, on_handle_closed);
	uv_close((uv_handle_t *)&l->process, on_handle_closed);
}

/* A crash of one that never ran is a mistake of the installation, which its service manager or its
 * user should see at once. */
static void replace_engine(struct loop *l, struct engine_end end)
{
	bool executable = !end.exited || end.number != ENGINE_CANNOT_EXECUTE;
	bool first = l->restarts.count == 0 && !l->session->ready;
	int64_t delay_ns = restarts_crash(&l->restarts, clock_now());

	if (first || !executable) {
		finish(l, 1);
	} else if (delay_ns == RESTARTS_NEVER) {
		log_error("the engine crashed %d times within %d s: giving up; the lines above say "
			  "why",
			RESTARTS_CRASHES_MAX, (int)(RESTARTS_WINDOW_NS / NS_PER_S));
		finish(l, 1);
	} else {
		start_another_in(l, delay_ns);
	}
}

/* Nothing is held any more; it may still run. */
static void bury_engine(struct loop *l, bool kill_it)
{
	struct engine_end end;

	l->running = false;
	if (!l->engine->starter) { /* the end of a program is not ours to judge */
		session_end(l->session);
		finish(l, 0);
		return;
	}
	if (kill_it)
		engine_kill(l->engine);
	end = engine_wait(l->engine, END_PATIENCE_MS);
	log_end(l, end, kill_it);
	if (!end.known) {
		/* Its lease is the next one's, too. */
		engine_kill(l->engine);
		(void)engine_wait(l->engine, END_PATIENCE_MS);
	}
	session_end(l->session);
	if (l->stopping)
		finish(l, end.known && end.exited && end.number == 0 ? 0 : 1);
	else
		replace_engine(l, end);
}

/* R8: it has made room; what is held stays. The lease must be nobody's but the next one's. */
static void bury_paused(struct loop *l)
{
	l->running = false;
	if (!engine_wait(l->engine, END_PATIENCE_MS).known) {
		engine_kill(l->engine);
		(void)engine_wait(l->engine, END_PATIENCE_MS);
	}
	l->session->left = true;
	if (l->reloading)
		stub_block_signals();
	finish(l, l->reloading ? STUB_REPLACE : 0);
}

/* The end of the channel and that of the process may both tell it, in one turn. */
static void engine_gone(struct loop *l)
{
	if (l->over || !l->running)
		return;
	(void)session_receive(l->session); /* its last word */
	if (l->session->paused && l->leaving) {
		bury_paused(l);
		return;
	}
	take_everything_down(l);
	bury_engine(l, false);
}

static void give_engine_up(struct loop *l, const char *reason)
{
	if (l->over || !l->running)
		return;
	log_error("%s; everything is taken down", reason);
	take_everything_down(l);
	bury_engine(l, true);
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

/* An answer that could not be sent leaves the engine in error about what is held. */
static void check_overrun(struct loop *l)
{
	if (l->session->overrun)
		give_engine_up(l, "the engine does not read its messages");
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
	if (!l->over && l->running)
		check_overrun(l);
}

static void on_channel(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;

	(void)status;
	(void)events;
	if (l->over || !l->running)
		return;
	if (!session_receive(l->session))
		engine_gone(l);
	else
		go_on(l);
}

static void on_process(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	engine_gone(handle->data);
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
	if (!l->over)
		fence_watch(l->session->fence);
}

static void on_renewal(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (!l->over && l->running)
		session_renew(l->session);
}

static void renew_fence(struct loop *l)
{
	uint64_t period_ms = (uint64_t)(fence_period_ns(l->session->fence) / NS_IN_MS);

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
	check_overrun(l);
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

static void on_patience(uv_timer_t *handle)
{
	give_engine_up(handle->data, "the engine did not stop in time");
}

static void on_stop(uv_signal_t *handle, int number)
{
	struct loop *l = handle->data;
	int64_t tolerances_ms = 2 * l->session->conf->node.tolerance_ns / NS_IN_MS;

	(void)number;
	if (l->stopping)
		return;
	l->stopping = true;
	notify_send("STOPPING=1");
	if (!l->running) {
		finish(l, 0); /* it holds nothing and everybody was told */
		return;
	}
	session_tell(l->session, CHANNEL_STOP);
	(void)uv_timer_start(&l->patience, on_patience, (uint64_t)tolerances_ms + STOP_EXTRA_MS, 0);
}

/* R8: it has not come to rest in time. */
static void on_no_pause(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (l->reloading) {
		session_tell(l->session, CHANNEL_RESUME);
		l->leaving = l->reloading = false;
		reload_refuse(l->reload, "the engine did not come to rest in time");
		return;
	}
	log_warning("the engine could not make room for another daemon; it is stopped instead");
	on_stop(&l->terminate, SIGTERM);
}

static void leave(struct loop *l)
{
	int64_t tolerance_ms = l->session->conf->node.tolerance_ns / NS_IN_MS;

	l->leaving = true;
	session_pause(l->session, RESTART_PATIENCE_NS);
	(void)uv_timer_start(
		&l->patience, on_no_pause, (uint64_t)(2 * tolerance_ms + PAUSE_EXTRA_MS), 0);
}

/* Another keeper will take over: a restart, an upgrade. */
static void on_restart(uv_signal_t *handle, int number)
{
	struct loop *l = handle->data;

	(void)number;
	if (l->stopping || l->leaving || !l->engine->starter)
		return;
	notify_send("STOPPING=1");
	if (l->running)
		leave(l);
	else
		finish(l, 0);
}

static void on_checker_closed(uv_handle_t *handle)
{
	struct loop *l = handle->data;

	l->checking = false;
}

/* The one that reads the new configuration has ended. */
static void on_checked(uv_poll_t *handle, int status, int events)
{
	struct loop *l = handle->data;
	struct engine_end end = engine_end_of(l->checker_process);

	(void)status;
	(void)events;
	if (!end.known)
		return;
	uv_close((uv_handle_t *)handle, on_checker_closed);
	descriptors_close(&l->checker_process, 1);
	if (l->over || l->stopping || l->leaving)
		return;
	if (!end.exited || end.number != EXIT_SUCCESS) {
		reload_refuse(
			l->reload, "the configuration has mistakes; the lines above name them");
	} else if (!l->running) {
		reload_refuse(l->reload, "the engine has just died; try again");
	} else if (reload_prepare(l->reload)) {
		l->reloading = true;
		reload_retire(l->reload, l->session);
		leave(l);
	}
}

static void watch(struct loop *l, uv_poll_t *handle, int descriptor, uv_poll_cb callback);

static void on_reload(uv_signal_t *handle, int number)
{
	struct loop *l = handle->data;

	(void)number;
	if (l->stopping || l->leaving || l->checking || !l->engine->starter)
		return;
	log_notice("reload");
	l->checker_process = reload_begin(l->reload);
	l->checking = l->checker_process >= 0;
	if (l->checking)
		watch(l, &l->checker, l->checker_process, on_checked);
}

static void watch(struct loop *l, uv_poll_t *handle, int descriptor, uv_poll_cb callback)
{
	int r = uv_poll_init(&l->uv, handle, descriptor);

	assert(r == 0);
	handle->data = l;
	r = uv_poll_start(handle, UV_READABLE, callback);
	assert(r == 0);
}

static void catch_signal(struct loop *l, uv_signal_t *handle, int number, uv_signal_cb callback)
{
	int r = uv_signal_init(&l->uv, handle);

	assert(r == 0);
	handle->data = l;
	r = uv_signal_start(handle, callback, number);
	assert(r == 0);
}

static void watch_engine(struct loop *l)
{
	l->running = true;
	restarts_start(&l->restarts, clock_now());
	watch(l, &l->channel, l->engine->channel, on_channel);
	watch(l, &l->process, l->engine->process, on_process);
}

static void on_pause_over(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (l->over)
		return;
	if (!engine_start(l->starter, fence_memory(l->session->fence),
		    l->session->conf->group_count, TIME_ORIGIN, l->engine)) {
		finish(l, 1);
		return;
	}
	session_start(l->session, l->engine->channel, l->engine->lease, 0);
	watch_engine(l);
	log_notice("a fresh engine has started");
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
	watch_engine(l);
	watch(l, &l->monitor, l->session->interfaces->monitor.descriptor, on_monitor);
	watch(l, &l->watchdog, l->session->watchdog, on_watchdog);
	if (fence_monitor(l->session->fence) >= 0)
		watch(l, &l->fence, fence_monitor(l->session->fence), on_fence);
	renew_fence(l);
	for (size_t i = 0; i < capture->count; i++)
		watch(l, &l->frames[i], capture->descriptors[i], on_frames);
	for (size_t i = 0; i < 2 * l->session->ask->count; i++)
		if (l->session->ask->list[i / 2].descriptors[i % 2] >= 0)
			watch(l, &l->answers[i], l->session->ask->list[i / 2].descriptors[i % 2],
				on_answer);
	catch_signal(l, &l->terminate, SIGTERM, on_stop);
	catch_signal(l, &l->interrupt, SIGINT, on_stop);
	catch_signal(l, &l->hang_up, SIGHUP, on_reload);
	catch_signal(l, &l->restart, SIGUSR2, on_restart);
	(void)uv_timer_init(&l->uv, &l->patience);
	l->patience.data = l;
	(void)uv_timer_init(&l->uv, &l->later);
	l->later.data = l;
	(void)uv_idle_init(&l->uv, &l->more);
	l->more.data = l;
	(void)uv_timer_init(&l->uv, &l->pause);
	l->pause.data = l;
	show_life(l);
}

static void close_handle(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

int loop_run(struct session *session, const struct starter *starter, struct engine_process *engine,
	const struct capture *capture, struct reload *reload)
{
	struct loop l = {.session = session,
		.reload = reload,
		.starter = starter,
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
	uv_walk(&l.uv, close_handle, NULL);
	(void)uv_run(&l.uv, UV_RUN_DEFAULT);
	(void)uv_loop_close(&l.uv);
	free(l.frames);
	free(l.answers);
	return l.exit_status;
}
