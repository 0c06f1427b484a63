/* SPDX-License-Identifier: ISC */
#include "cli/nearest.h"

#include <string.h>

#include "base/word.h"

const char *nearest_name(const char *word, const char *const *names, size_t count)
{
	size_t length = strlen(word);
	unsigned nearest_distance = (unsigned)(length + 2) / 3 + 1;
	const char *nearest = NULL;

	if (length < 2 || length >= WORD_SIZE)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		unsigned d = word_distance(word, names[i]);

		if (d > 1 && strncmp(names[i], word, length) == 0)
			d = 1;
		if (d == nearest_distance)
			nearest = NULL;
		if (d < nearest_distance) {
			nearest_distance = d;
			nearest = names[i];
		}
	}
	return nearest;
}
