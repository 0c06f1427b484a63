/* SPDX-License-Identifier: ISC */
/*
 * check: the defaults, and what needs more than one line to judge.
 */
#ifndef HA_CONF_CHECK_H
#define HA_CONF_CHECK_H

#include "conf/draft.h"

/* Begins with the defaults of everything that depends on nothing else. */
void check_init(struct draft *d);

/* The group that was being read is complete. */
void check_group(struct draft *d);

/* The text is read to its end: fills in the other defaults and numbers the devices. Complains about
 * what is missing and what does not fit together. @hostname (borrowed) may be NULL. */
void check_all(struct draft *d, const char *hostname);

#endif
