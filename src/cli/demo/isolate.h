/* SPDX-License-Identifier: ISC */
/*
 * isolate: a place of its own for the demo: new process, mount, network, host name and IPC
 * namespaces. Whatever ends the demo (its end, Ctrl-C, kill -9, a crash), its process number 1 ends
 * with it, and then the kernel ends every process in there and takes its namespaces away: nothing
 * is left behind.
 */
#ifndef HA_CLI_DEMO_ISOLATE_H
#define HA_CLI_DEMO_ISOLATE_H

#include "cli/command.h"

/* Runs @stage(@context) in there, with a /proc and an empty /run of its own, and returns the exit
 * status that it returned; or EXIT_FAILED after a message. */
int isolate_run(const struct command *command, int (*stage)(void *context), void *context);

#endif
