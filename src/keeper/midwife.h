/* SPDX-License-Identifier: ISC */
/*
 * midwife: a process that does one thing: start a fresh keeper, for a reload. A keeper gives up,
 * before it serves, what only the start of one takes (the privilege to load programs into the
 * kernel, above all); the midwife was forked before that and keeps it. Nothing reaches it but one
 * word. What the fresh keeper begins with is DIR/next.conf, which only root can write.
 *
 * The keepers that it starts are children of the process that opened it, which waits for them
 * (stub.h). It ends when that one does.
 */
#ifndef HA_KEEPER_MIDWIFE_H
#define HA_KEEPER_MIDWIFE_H

#include <stdbool.h>

#include "keeper/options.h"

struct midwife {
	int socket; /* -1: there is none */
};

/* Forks it, while all privileges are there. False after one line. @options: static. */
bool midwife_open(const struct options *options, struct midwife *ret_midwife);

/* A pidfd of a fresh keeper, a child of the caller; or -errno. */
int midwife_bear(const struct midwife *m);

#endif
