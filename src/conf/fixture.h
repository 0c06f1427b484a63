/* SPDX-License-Identifier: ISC */
/*
 * fixture: one configuration that is parsed again and again, on the host «alpha», and what was
 * found wrong with the last text. Shared by the *_test.c of this folder, each a program of its own.
 */
#ifndef HA_CONF_FIXTURE_H
#define HA_CONF_FIXTURE_H

#include "conf/conf.h"

extern struct conf parsed; /* what was good last */
extern struct conf_diagnostics found;

/* Whether @text is good. */
bool parse(const char *text);
/* The test fails unless @text is good. */
void parse_good(const char *text);
/* The test fails unless exactly @expected is found wrong, and nothing else happens. */
void parse_bad(const char *text, const char *expected);
/* All that was found, as lines "line: message"; until the next call. */
const char *render(void);

/*
 * The smallest configuration, with room for a line in each section: lines 3 and 6, or "". Until the
 * next call.
 */
const char *with(const char *node_line, const char *group_line);

/* Prints what was parsed last and parses that, on a host of another name: it must be the same. */
void round_trip(void);

#endif
