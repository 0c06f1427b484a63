/* SPDX-License-Identifier: ISC */
/*
 * signals: what the service manager wants: that the keeper stops (SIGTERM, SIGINT), reads its
 * configuration again (SIGHUP), or makes room for another keeper (SIGUSR2).
 */
#ifndef HA_KEEPER_SIGNALS_H
#define HA_KEEPER_SIGNALS_H

#include "keeper/loop.h"

/* From now on; @l lasts as long as its loop runs. */
void signals_catch(struct loop *l);

/* The engine is gone, and a reload for which it should have made room ends. */
void signals_engine_gone(struct loop *l);

#endif
