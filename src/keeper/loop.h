/* SPDX-License-Identifier: ISC */
/*
 * loop: everything that can happen to a keeper: what its engine asks for, what the kernel tells,
 * the end of the engine, after which a fresh one starts (loss.h), and what the service manager
 * wants (signals.h).
 */
#ifndef HA_KEEPER_LOOP_H
#define HA_KEEPER_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "custody/restarts.h"
#include "keeper/capture.h"
#include "keeper/engine_process.h"
#include "keeper/reload.h"
#include "keeper/session.h"
#include "sys/rest.h"

struct loop {
	uv_loop_t uv;
	uv_poll_t channel, process, monitor, watchdog, fence, *frames, *answers;
	uv_signal_t terminate, interrupt, hang_up, restart;
	uv_timer_t patience, pause, alive, renewal, later, unread;
	uv_idle_t more;
	uv_prepare_t prepare;
	struct rest rest;
	struct session *session;
	struct engine_process *engine;
	const struct starter *starter;
	struct restarts restarts;
	uint64_t pause_ms; /* before the next engine starts */
	int closing;       /* handles of an engine that is gone */
	bool running;      /* there is an engine */
	bool adopted;      /* ... and it is the program that started us */
	size_t owed;       /* answers that wait to leave */
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

/* Runs until the service manager wants the end, or until engines make no sense any more; then
 * nothing is held. @engine is running. Return: the exit status: 0 if the engine stopped because it
 * was told to. */
int loop_run(struct session *session, const struct starter *starter, struct engine_process *engine,
	const struct capture *capture, struct reload *reload);

/* For loss.c and signals.c: it ends with @exit_status after this turn. */
void loop_finish(struct loop *l, int exit_status);

/* @callback is called whenever @descriptor can be read. */
void loop_watch(struct loop *l, uv_poll_t *handle, int descriptor, uv_poll_cb callback);

/* An engine has started. */
void loop_watch_engine(struct loop *l);

#endif
