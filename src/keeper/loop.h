/* SPDX-License-Identifier: ISC */
/*
 * loop: everything that can happen to a keeper: what its engine asks for, what the kernel tells,
 * the end of the engine, after which a fresh one starts, and the end of the keeper.
 */
#ifndef HA_KEEPER_LOOP_H
#define HA_KEEPER_LOOP_H

#include "keeper/capture.h"
#include "keeper/engine_process.h"
#include "keeper/reload.h"
#include "keeper/session.h"

/* Runs until the service manager wants the end, or until engines make no sense any more; then
 * nothing is held. @engine is running. Return: the exit status: 0 if the engine stopped because it
 * was told to. */
int loop_run(struct session *session, const struct starter *starter, struct engine_process *engine,
	const struct capture *capture, struct reload *reload);

#endif
