/* SPDX-License-Identifier: ISC */
/* configuration: the two files that root wrote, read with suspicion: the configuration and the key.
 */
#ifndef HA_KEEPER_CONFIGURATION_H
#define HA_KEEPER_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

#define CONFIGURATION_SIZE_MAX CONF_TEXT_MAX

struct configuration {
	char *text; /* owned; not terminated */
	size_t size;
	struct conf *conf; /* owned */
};

enum configuration_result {
	CONFIGURATION_GOOD,
	CONFIGURATION_WRONG,  /* its text has mistakes */
	CONFIGURATION_REFUSED /* it cannot be read, or somebody else may write it */
};

/**
 * configuration_read - the whole of @descriptor, checked
 * @quiet: say nothing of what is wrong
 *
 * The file must belong to root or to us and must not be writable by others, or be sealed against
 * writing: who can change it chooses what a privileged process does.
 */
enum configuration_result configuration_read(
	int descriptor, bool quiet, struct configuration *ret_configuration);
/* Its text alone, with the same suspicion; false after one line. */
bool configuration_read_text(int descriptor, struct configuration *ret_configuration);
void configuration_free(struct configuration *c);

struct key_bytes {
	size_t size;                      /* 0: no key */
	uint8_t bytes[2 * CONF_KEY_SIZE]; /* the one to sign with, then the one to accept as well */
};

/* Reads the keys that the configuration names. False after one line. */
bool configuration_read_keys(const struct conf_node *node, struct key_bytes *ret_keys);
/* Reads the key of @path, a file that only its owner (root or us) can touch. False after one line.
 */
bool configuration_read_key(const char *path, uint8_t ret_key[CONF_KEY_SIZE]);

#endif
