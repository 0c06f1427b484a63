/* SPDX-License-Identifier: ISC */
/*
 * check_kinds: what each kind of check takes behind its name.
 */
#ifndef HA_CONF_CHECK_KINDS_H
#define HA_CONF_CHECK_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/draft.h"

#define CHECK_WORDS_MAX (STATEMENT_SIZE / 2)

/* All but the kind and the options. */
struct check_words {
	char *list[CHECK_WORDS_MAX];
	size_t count;
};

struct check_kind {
	const char *name;
	const char *form; /* how it is written */
	/* False after a complaint. */
	bool (*take)(struct draft *d, struct conf_check *c, struct check_words *w);
};

extern const struct check_kind CHECK_KINDS[CONF_CHECK_KINDS];

#endif
