/* SPDX-License-Identifier: ISC */
/*
 * request: what yield, drain and resume share: they ask the daemon for something, wait until it is
 * decided and print one line.
 */
#ifndef HA_CLI_REQUEST_H
#define HA_CLI_REQUEST_H

#include "cli/command.h"
#include "wire/control.h"

struct request {
	struct control_request asked;
	const char *runtime_dir;
	int patience_s;
};

/* What takes a group's or a node's name. False, after a complaint, if it is none. */
bool request_take_name(const struct command *command, const char *what, const char *value,
	char ret_name[NAME_SIZE]);
/**
 * request_options - reads the options of the command line into @r, and what is not given as it is
 * by default
 * @options: those that this command has, of --runtime-dir 'r', --timeout 'w', --to 't', --force 'f'
 *
 * Return: false if the command ends here, with *@ret_status.
 */
bool request_options(const struct command *command, int argc, char **argv,
	const struct option *options, struct request *r, int *ret_status);
/* Asks, waits, prints. Returns what to exit with. */
int request_carry_out(const struct command *command, const struct request *request);

#endif
