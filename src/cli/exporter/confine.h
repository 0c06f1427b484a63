/* SPDX-License-Identifier: ISC */
/* confine: the exporter gives up all that it does not need: it answers whoever can reach its port.
 */
#ifndef HA_CLI_EXPORTER_CONFINE_H
#define HA_CLI_EXPORTER_CONFINE_H

#include <stdbool.h>

/* If this is root, becomes nobody, in the group that may use the socket at @socket_path. False,
 * after one line, if that fails. */
bool confine_identity(const char *socket_path);

/* Gives up the system calls that are not needed any more. */
void confine_exporter(void);

#endif
