/* SPDX-License-Identifier: ISC */
#include "keeper/loss.h"

#include "keeper/signals.h"
#include "keeper/stub.h"
#include "sys/clock.h"
#include "sys/log.h"

#define END_PATIENCE_MS 1000 /* between the end of the channel and of the process */
#define ENDS_WITHIN_MS  2    /* as a rule */
#define LONG_LIST       64   /* so many addresses go in less than a millisecond */

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

static void take_everything_down(const struct loop *l)
{
	session_engine_gone(l->session,
		&(struct session_end){.stopping = l->stopping, .silenced = close_fence(l)});
}

static void on_pause_over(uv_timer_t *handle)
{
	struct loop *l = handle->data;

	if (l->over)
		return;
	if (!engine_start(l->starter, fence_memory(l->session->fence),
		    l->session->conf->group_count, TIME_ORIGIN, l->engine)) {
		loop_finish(l, 1);
		return;
	}
	session_start(l->session, l->engine->channel, l->engine->lease, 0);
	loop_watch_engine(l);
	log_notice("a fresh engine has started");
}

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
	l->pause_ms = (uint64_t)(delay_ns / NS_PER_MS);
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
		loop_finish(l, 1);
	} else if (delay_ns == RESTARTS_NEVER) {
		log_error("the engine crashed %d times within %d s: giving up; the lines above say "
			  "why",
			RESTARTS_CRASHES_MAX, (int)(RESTARTS_WINDOW_NS / NS_PER_S));
		loop_finish(l, 1);
	} else {
		start_another_in(l, delay_ns);
	}
}

/* Nothing is held any more; it may still run. */
static void bury_engine(struct loop *l, bool kill_it)
{
	struct engine_end end;

	l->running = false;
	if (l->adopted) { /* the end of a program is not ours to judge */
		session_end(l->session);
		loop_finish(l, 0);
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
	signals_engine_gone(l);
	if (l->stopping)
		loop_finish(l, end.known && end.exited && end.number == 0 ? 0 : 1);
	else if (l->leaving)
		loop_finish(l, 0); /* R8: the next one begins with nothing */
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
	l->reload->then_stop = l->stopping; /* this one heard it too late */
	loop_finish(l, l->reloading ? STUB_REPLACE : 0);
}

void loss_of_engine(struct loop *l)
{
	if (l->over || !l->running)
		return;
	(void)session_receive(l->session); /* its last word */
	if (custody_is_left(&l->session->custody, l->leaving)) {
		session_engine_gone(l->session, &(struct session_end){.leaving = true});
		bury_paused(l);
		return;
	}
	take_everything_down(l);
	bury_engine(l, false);
}

void loss_give_up(struct loop *l, const char *reason)
{
	if (l->over || !l->running)
		return;
	log_error("%s; everything is taken down", reason);
	take_everything_down(l);
	bury_engine(l, true);
}
