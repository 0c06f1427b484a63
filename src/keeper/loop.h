/* SPDX-License-Identifier: ISC */
/*
 * loop: everything that can happen to a keeper with a living engine, and the end: the engine died,
 * or the service manager wants us to stop.
 */
#ifndef HA_KEEPER_LOOP_H
#define HA_KEEPER_LOOP_H

#include "keeper/capture.h"
#include "keeper/engine_process.h"
#include "keeper/session.h"

/* Runs until the engine has ended and nothing is held any more. Return: the exit status: 0 if the
 * engine stopped because it was told to. */
int loop_run(struct session *session, const struct engine_process *engine,
	const struct capture *capture);

#endif
