/* SPDX-License-Identifier: ISC */
/* Feeds a fuzzer the inputs named on the command line, without libFuzzer: for tools/coverage. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)

int main(int argc, char **argv)
{
	static uint8_t buffer[INPUT_MAX];

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		uint8_t *input;
		size_t size;

		if (!file) {
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		size = fread(buffer, 1, sizeof(buffer), file);
		(void)fclose(file);
		input = malloc(size + 1); /* each in memory of its own, as libFuzzer has it */
		if (!input)
			return EXIT_FAILURE;
		for (size_t byte = 0; byte < size; byte++)
			input[byte] = buffer[byte];
		(void)LLVMFuzzerTestOneInput(input, size);
		free(input);
	}
	return EXIT_SUCCESS;
}
