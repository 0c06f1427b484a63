/* SPDX-License-Identifier: ISC */
/* nearest: which of a few known names a mistyped word was probably meant to be. Pure. */
#ifndef HA_CLI_NEAREST_H
#define HA_CLI_NEAREST_H

#include <stddef.h>

/* The one of @count @names (borrowed) that differs least from @word, or NULL if none is near: more
 * than a third of the word would have to change, or two names are equally near. A name that begins
 * with the word is near. */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
