/* SPDX-License-Identifier: ISC */
#include "base/word.h"

#include <stddef.h>
#include <string.h>

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}
static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned word_distance(const char *a, const char *b)
{
	unsigned cost[WORD_SIZE][WORD_SIZE];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length >= WORD_SIZE || b_length >= WORD_SIZE)
		return WORD_SIZE;
	for (size_t j = 0; j <= b_length; j++)
		cost[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		cost[i][0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			char x = lower(a[i - 1]), y = lower(b[j - 1]);
			unsigned best = cost[i - 1][j - 1] + (x != y);

			best = smaller(best, smaller(cost[i - 1][j], cost[i][j - 1]) + 1);
			if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]))
				best = smaller(best, cost[i - 2][j - 2] + 1);
			cost[i][j] = best;
		}
	}
	return cost[a_length][b_length];
}
