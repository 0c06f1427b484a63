/* SPDX-License-Identifier: ISC */
/* trace: runs stories of the protocol and compares them with what they say. docs: README.md beside
 * this. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

#define STORY_SIZE_MAX (256 * 1024)

static int usage(void)
{
	fputs("usage: trace [--write] STORY...\n"
	      "  --write   print each story as it really goes, for review\n",
		stderr);
	return 2;
}

static bool run_file(const char *file, bool write)
{
	static char text[STORY_SIZE_MAX];
	FILE *f = fopen(file, "r");
	size_t size;

	if (!f) {
		fprintf(stderr, "%s cannot be read: %s\n", file, strerror(errno));
		return false;
	}
	size = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[size] = '\0';
	return story_run(file, text, write);
}

int main(int argc, char **argv)
{
	bool write = argc > 1 && strcmp(argv[1], "--write") == 0;
	int first = write ? 2 : 1;
	bool good = true;

	if (first >= argc)
		return usage();
	for (int i = first; i < argc; i++)
		good = run_file(argv[i], write) && good;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
