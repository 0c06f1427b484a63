/* SPDX-License-Identifier: ISC */
/* keeper: the parts of one keeper, and the order in which they come into being. */
#ifndef HA_KEEPER_KEEPER_H
#define HA_KEEPER_KEEPER_H

#include "keeper/addresses.h"
#include "keeper/announce.h"
#include "keeper/capture.h"
#include "keeper/configuration.h"
#include "keeper/engine_process.h"
#include "keeper/fence.h"
#include "keeper/interfaces.h"
#include "keeper/midwife.h"
#include "keeper/options.h"
#include "keeper/privileges.h"
#include "keeper/reload.h"
#include "keeper/runtime_dir.h"
#include "keeper/session.h"
#include "keeper/starter.h"
#include "keeper/succession.h"
#include "keeper/targets.h"
#include "keeper/will.h"

struct keeper {
	struct options options;
	struct configuration configuration;
	struct account account;
	struct runtime_dir dir;
	struct interfaces interfaces;
	struct fence fence;
	struct addresses addresses;
	struct announcer announcer;
	struct capture capture;
	struct targets targets;
	struct will will;
	struct ask ask;
	struct starter starter;
	struct engine_process engine;
	struct session session;
	struct midwife midwife;
	struct reload reload;
	int record;                   /* what an engine leaves to the next one */
	struct succession succession; /* what the daemon before has left */
	bool heir;                    /* ... which it still has to take up */
};

/* Each of these returns an exit status, EXIT_SUCCESS to go on; others after one line of what is
 * wrong. */

/* Privileges, configuration, runtime folder and its lock. */
int keeper_prepare(struct keeper *k);
/* Takes down what an earlier run left behind; with --release tells it on standard output. */
int keeper_clean(struct keeper *k);
/* Opens every socket, starts the engine and gives up what is not needed any more. */
int keeper_start(struct keeper *k);
/* Until the end. */
int keeper_run(struct keeper *k);
/* R8: the first keeper waits for those that follow it. The exit status of the last one. */
int keeper_wait(const struct keeper *k, int status);
/* Leaves the runtime folder as it should be found, given the exit status. */
void keeper_finish(struct keeper *k, int status);

#endif
