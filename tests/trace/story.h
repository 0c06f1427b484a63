/* SPDX-License-Identifier: ISC */
/* story: a story file, its commands and what is expected of each. README.md beside this. */
#ifndef HA_TESTS_TRACE_STORY_H
#define HA_TESTS_TRACE_STORY_H

#include <stdbool.h>

/**
 * story_run - run a story and compare it line by line
 * @file:  its name, for messages
 * @text:  its text; taken apart
 * @write: print the story as it really goes instead of comparing
 *
 * Return: whether every line was as expected and no promise was broken.
 */
bool story_run(const char *file, char *text, bool write);

#endif
