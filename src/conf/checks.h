/* SPDX-License-Identifier: ISC */
/*
 * checks: the value of a line "check = KIND ARGUMENTS [key=value ...]", to its meaning and back.
 */
#ifndef HA_CONF_CHECKS_H
#define HA_CONF_CHECKS_H

#include "base/text.h"
#include "conf/draft.h"

/* Takes one line, @value is cut up; the caller has seen to it that there is room. */
void conf_check_take(struct draft *d, struct conf_check *check, char *value);

/* What can be judged only when all groups are known. */
void conf_checks_finish(struct draft *d);

void conf_check_print(struct text *t, const struct conf *c, const struct conf_check *check);

#endif
