/* SPDX-License-Identifier: ISC */
/* runtime: the files of the runtime folder that the keeper writes and `ha` reads. */
#ifndef HA_WIRE_RUNTIME_H
#define HA_WIRE_RUNTIME_H

/* Locked as long as a daemon runs with the folder. Its process id in a line, and in a second one
 * the configuration file that it would read again, if it has one. */
#define RUNTIME_LOCK_NAME "ha.lock"
/* The text of the configuration that it runs with, or last ran with. */
#define RUNTIME_CONFIGURATION_NAME "running.conf"
/* Why the last reload changed nothing, as a sentence; not there unless it did not. */
#define RUNTIME_REFUSED_NAME "refused"

#endif
