/* SPDX-License-Identifier: ISC */
/*
 * epochs: the tokens of claims, of which each is newer than all that were seen. Private to
 * election.c and what it is made of.
 */
#ifndef HA_CORE_EPOCHS_H
#define HA_CORE_EPOCHS_H

#include "core/election.h"

/* Those that the rivals tell of, whoever has claimed with them. */
void epochs_learn(struct election *e, const struct election_input *in);

/* What others have claimed with, by their own word. */
void epochs_learn_claims(struct election *e, const struct election_input *in);

/* R2: every claim takes an epoch above all that were seen. */
void epochs_claim(struct election *e);

#endif
