/* SPDX-License-Identifier: ISC */
/*
 * request: what yield, drain and resume share: they ask the daemon for something, wait until it is
 * decided and print one line.
 */
#ifndef HA_CLI_REQUEST_H
#define HA_CLI_REQUEST_H

#include "cli/command.h"
#include "wire/control.h"

#define REQUEST_PATIENCE_S 30

struct request {
	struct control_request asked;
	const char *runtime_dir;
	int patience_s;
};

/* What takes a group's or a node's name. False, after a complaint, if it is none. */
bool request_take_name(const struct command *command, const char *what, const char *value,
	char ret_name[NAME_SIZE]);
/* The seconds of --timeout. False after a complaint. */
bool request_take_timeout(const struct command *command, const char *value, int *ret_seconds);
/* Asks, waits, prints. Returns what to exit with. */
int request_carry_out(const struct command *command, const struct request *request);

#endif
