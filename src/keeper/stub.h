/* SPDX-License-Identifier: ISC */
/*
 * stub: what is left of the first keeper after a reload. The service manager, or a shell, waits for
 * this process: it passes its signals on to the keeper that serves now, starts the next one when
 * that one asks for it, and ends as it ends.
 */
#ifndef HA_KEEPER_STUB_H
#define HA_KEEPER_STUB_H

#include <stdbool.h>

#include "keeper/midwife.h"

#define STUB_REPLACE 75 /* exit status of a keeper that another one is to follow */

/* The signals that are meant for the keeper wait from now on. */
void stub_block_signals(void);
/* Those that were held back come now. */
void stub_unblock_signals(void);

/* Until the end; the exit status. The next keeper is to @stop at once: the one before was told so
 * when it had made room already. */
int stub_run(const struct midwife *m, bool stop);

#endif
