/* SPDX-License-Identifier: ISC */
/* options: the command line of ha-keeper, as `ha run` and `ha release` write it. */
#ifndef HA_KEEPER_OPTIONS_H
#define HA_KEEPER_OPTIONS_H

#include <stdbool.h>

struct options {
	int configuration;       /* descriptor of the configuration text */
	const char *runtime_dir; /* static: of the argument vector */
	const char *state_dir;   /* likewise; NULL: none */
	bool release;            /* take leftovers down and exit */
	bool unless_restarting;  /* but not what another daemon may still take over */
	bool successor;          /* follows another one, at a reload */
	const char *file; /* static: the configuration's, read again for a reload; NULL: none */
	int engine;       /* -1, or the channel to the program that started us and has the
			     engine in it */
};

/* Reads the arguments. False, after one line on standard error, if they are wrong. */
bool options_parse(int count, char **arguments, struct options *ret_options);

#endif
