/* SPDX-License-Identifier: ISC */
/*
 * fence_nft: the fence by means of the kernel's packet filter, where it may not load BPF: two
 * tables, for IP and for ARP, which drop what is to or from an address of a held group unless the
 * lease is in force. The lease is a set whose elements have a timeout; the keeper renews them as
 * long as the engine's lease goes on. So it closes also when the keeper alone is frozen.
 *
 * The kernel counts timeouts in ticks: it closes up to two ticks early, never late.
 */
#ifndef HA_KEEPER_FENCE_NFT_H
#define HA_KEEPER_FENCE_NFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "conf/conf.h"
#include "keeper/nftables.h"

#define FENCE_NFT_NAME_SIZE 32

struct fence_nft {
	const struct conf *conf; /* borrowed */
	char name[FENCE_NFT_NAME_SIZE];
	int64_t tick_ns;
	int64_t period_ns; /* between two renewals */
	bool *held;        /* by group */
	size_t held_count;
	bool failed; /* the last renewal did */
	struct nftables nftables;
};

/* Takes away what an earlier keeper left behind. */
void fence_nft_clean(uint32_t handle);

/* 0, or -errno with the reason in *@reterr (static). */
int fence_nft_open(
	struct fence_nft *f, const struct conf *conf, uint32_t handle, const char **reterr);

/* The addresses of @group are dropped from now on unless the lease is in force; or they are not its
 * business any more. What cannot be told to the kernel is logged. */
void fence_nft_hold(struct fence_nft *f, size_t group, bool held);

/* The lease lasts until @until. */
void fence_nft_renew(struct fence_nft *f, ha_time now, ha_time until);

/* Takes it away; fine if it was never put up. */
void fence_nft_close(struct fence_nft *f);
/* Lets go of it: it stays, and closes when the lease ends. */
void fence_nft_leave(struct fence_nft *f);

#endif
