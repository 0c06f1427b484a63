/* SPDX-License-Identifier: ISC */
/*
 * configuration: the text of a configuration on its way from a file (or from `ha run`'s options) to
 * the keeper: read once, checked here with every mistake printed, and handed over as the same bytes
 * in a sealed memory file, so that nobody can change it in between.
 */
#ifndef HA_CLI_CONFIGURATION_H
#define HA_CLI_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "conf/conf.h"

struct configuration {
	char *bytes; /* owned; configuration_done() */
	size_t size;
};

/**
 * configuration_read - the bytes of a file
 * @path: "-" is standard input
 *
 * Return: EXIT_DONE, or another exit status after a message.
 */
int configuration_read(
	const struct command *command, const char *path, struct configuration *ret_configuration);
void configuration_done(struct configuration *c);

/* Parses with this machine's name as the default of `name`. The results as conf_parse() sets them,
 * in memory of their own (free()), because they are large. False: there are mistakes; or memory ran
 * out, then *@reterr is NULL. */
bool configuration_parse(
	const struct configuration *c, struct conf **ret_conf, struct conf_diagnostics **reterr);

/* Reads and parses @path; prints every mistake as "PATH:LINE: message" on standard error. EXIT_DONE
 * and both results (owned), or another exit status. */
int configuration_load(const struct command *command, const char *path,
	struct configuration *ret_configuration, struct conf **ret_conf);

/* What the keeper shall do. */
enum keeper_task {
	KEEPER_SERVE,
	KEEPER_RELEASE, /* takes leftover addresses down */
	KEEPER_RELEASE_UNLESS_RESTARTING,
};

struct keeper_call {
	enum keeper_task task;
	const char *runtime_dir;
	const char *state_dir; /* to serve */
	const char *file;      /* likewise: read again for a reload; NULL: there is none */
};

/* Becomes ha-keeper, with the configuration in a sealed memory file. Returns, with an exit status
 * and after a message, only if that failed. */
int configuration_hand_to_keeper(const struct command *command, const struct configuration *c,
	const struct keeper_call *call);

#endif
