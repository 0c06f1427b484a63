/* SPDX-License-Identifier: ISC */
/* fuzz_canary: a decoder with a planted error, which tools/fuzz wants to be found. A fuzzer that is
 * silent proves nothing unless this one is not: behind a magic word that chance would not guess, a
 * length is believed. */
#include <stdlib.h>

#include "fuzz/fuzz.h"

static volatile uint8_t sum;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *copy;

	if (size < 5 || memcmp(bytes, "CAGE", 4) != 0)
		return 0;
	copy = malloc(size);
	assert(copy);
	memcpy(copy, bytes, size);
	for (size_t i = 0; i < copy[4]; i++)
		sum = (uint8_t)(sum + copy[5 + i]); /* the planted error: it may pass the end */
	free(copy);
	return 0;
}
