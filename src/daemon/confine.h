/* SPDX-License-Identifier: ISC */
/* confine: the system calls that are left to the engine. */
#ifndef HA_DAEMON_CONFINE_H
#define HA_DAEMON_CONFINE_H

#include "conf/conf.h"

/* Gives up those that are not needed any more. */
void confine_engine(const struct conf *conf);

#endif
