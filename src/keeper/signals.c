/* SPDX-License-Identifier: ISC */
#include "keeper/signals.h"

#include <signal.h>
#include <stdlib.h>

#include "base/assert.h"
#include "keeper/loss.h"
#include "keeper/notify.h"
#include "keeper/stub.h"
#include "sys/descriptors.h"
#include "sys/log.h"

#define STOP_EXTRA_MS 1000
/* R8: what the others are asked for when the whole daemon is replaced: a slow host starts it within
 * that. And for how long the engine may finish what is under way before it is stopped instead. */
#define RESTART_PATIENCE_NS (5 * NS_PER_S)
#define PAUSE_EXTRA_MS      10000

#define NO_ENGINE "the engine has just died; try again"

static void on_patience(uv_timer_t *handle)
{
	loss_give_up(handle->data, "the engine did not stop in time");
}

static void on_stop(uv_signal_t *handle, int number)
{
	struct loop *l = handle->data;
	int64_t tolerances_ms = 2 * l->session->conf->node.tolerance_ns / NS_PER_MS;

	(void)number;
	if (l->over) /* too late for this keeper */
		l->reload->then_stop = true;
	if (l->over || l->stopping)
		return;
	l->stopping = true;
	notify_send("STOPPING=1");
	if (!l->running) {
		loop_finish(l, 0); /* it holds nothing and everybody was told */
		return;
	}
	session_tell(l->session, CHANNEL_STOP);
	(void)uv_timer_start(&l->patience, on_patience, (uint64_t)tolerances_ms + STOP_EXTRA_MS, 0);
}

static void end_reload(struct loop *l, const char *why)
{
	l->leaving = l->reloading = false;
	(void)uv_timer_stop(&l->patience);
	reload_refuse(l->reload, why);
}

void signals_engine_gone(struct loop *l)
{
	if (l->reloading)
		end_reload(l, NO_ENGINE);
}

/* R8: it has not come to rest in time. */
static void on_no_pause(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (l->reloading) {
		session_tell(l->session, CHANNEL_RESUME);
		end_reload(l, "the engine did not come to rest in time");
		return;
	}
	log_warning("the engine could not make room for another daemon; it is stopped instead");
	on_stop(&l->terminate, SIGTERM);
}

static void leave(struct loop *l)
{
	int64_t tolerance_ms = l->session->conf->node.tolerance_ns / NS_PER_MS;

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
	if (l->over || l->stopping || l->leaving || l->adopted)
		return;
	notify_send("STOPPING=1");
	if (l->running)
		leave(l);
	else
		loop_finish(l, 0);
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
		reload_refuse(l->reload, NO_ENGINE);
	} else if (reload_prepare(l->reload)) {
		l->reloading = true;
		reload_retire(l->reload, l->session);
		leave(l);
	}
}

static void on_reload(uv_signal_t *handle, int number)
{
	struct loop *l = handle->data;

	(void)number;
	if (l->over || l->stopping || l->leaving || l->checking || l->adopted)
		return;
	log_notice("reload");
	l->checker_process = reload_begin(l->reload);
	l->checking = l->checker_process >= 0;
	if (l->checking)
		loop_watch(l, &l->checker, l->checker_process, on_checked);
}

static void catch_signal(struct loop *l, uv_signal_t *handle, int number, uv_signal_cb callback)
{
	int r = uv_signal_init(&l->uv, handle);

	assert(r == 0);
	handle->data = l;
	r = uv_signal_start(handle, callback, number);
	assert(r == 0);
}

void signals_catch(struct loop *l)
{
	catch_signal(l, &l->terminate, SIGTERM, on_stop);
	catch_signal(l, &l->interrupt, SIGINT, on_stop);
	catch_signal(l, &l->hang_up, SIGHUP, on_reload);
	catch_signal(l, &l->restart, SIGUSR2, on_restart);
	stub_unblock_signals();
	(void)uv_timer_init(&l->uv, &l->patience);
	l->patience.data = l;
}
