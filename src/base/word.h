/* SPDX-License-Identifier: ISC */
/* word: how alike two words are, for «did you mean». */
#ifndef HA_BASE_WORD_H
#define HA_BASE_WORD_H

/* How many insertions, deletions, replacements and swaps of neighbours turn @a into @b, upper and
 * lower case being the same (optimal string alignment distance). Words longer than WORD_SIZE - 1
 * are unlike anything. */
#define WORD_SIZE 32
unsigned word_distance(const char *a, const char *b);

#endif
