/* SPDX-License-Identifier: ISC */
/* fence_load: puts the kernel's half of the fence (fence.bpf.c) into the kernel. The only part that
 * takes CAP_BPF. Built in two variants: fence_load.c with libbpf, fence_load_none.c without. */
#ifndef HA_KEEPER_FENCE_LOAD_H
#define HA_KEEPER_FENCE_LOAD_H

#include <stdbool.h>

#include "conf/conf.h"

/* Descriptors, owned by the caller. */
struct fence_object {
	int ingress, egress; /* programs */
	int lease;           /* a map that is a struct lease_page, to be mapped into memory */
	int held;            /* a map of a word for each group, likewise */
};

/* With the addresses of @conf, for good. False with the reason in *@reterr (static): then nothing
 * is left open. */
bool fence_load(const struct conf *conf, struct fence_object *ret_object, const char **reterr);

#endif
