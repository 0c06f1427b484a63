/* SPDX-License-Identifier: ISC */
/* drained: whether this node is drained, kept in the state folder. */
#ifndef HA_DAEMON_DRAINED_H
#define HA_DAEMON_DRAINED_H

#include <stdbool.h>

/* A descriptor of what is kept in the folder @folder (borrowed); -1 if that cannot be kept, which
 * the others take. */
int drained_open(int folder);
bool drained_read(int fd);
/* False if it could not be written; that has been logged then. */
bool drained_write(int fd, bool drained);

#endif
