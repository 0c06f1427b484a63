/* SPDX-License-Identifier: ISC */
/*
 * fence: what keeps this host from answering for a shared address once the lease has passed,
 * whatever has become of engine and keeper (rule R7). There are several, and the first that this
 * host can have is taken: programs in the kernel (fence_tc.h), the packet filter (fence_nft.h),
 * lifetimes of the addresses. With none of them the keeper's watchdog is all there is.
 *
 * They stay when the keeper is killed: that is what they are for. The next start takes them away,
 * and so does `ha release`. Each runtime folder has its own.
 */
#ifndef HA_KEEPER_FENCE_H
#define HA_KEEPER_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "keeper/fence_nft.h"
#include "keeper/fence_tc.h"
#include "keeper/requests.h"
#include "wire/channel.h"
#include "wire/lease.h"

struct fence {
	const struct conf *conf;        /* borrowed */
	enum channel_fence kind;        /* in force */
	bool in_time;                   /* it closes before others' patience ends */
	const struct lease_page *lease; /* the engine's, borrowed; NULL: there is none */
	union {
		struct fence_tc tc;
		struct fence_nft nft;
	};
};

/* Takes away what an earlier keeper of the same runtime folder left behind. */
void fence_clean(const char *runtime_dir);

/**
 * fence_open - put up what node.fence asks for
 * @prior: NULL, or what it finds configured and in force: programs take the place of earlier ones,
 *         the other kinds begin with fence_hold() after fence_obey()
 *
 * Return: true, after one line if it is not the best one; false, after one line, if the
 * configuration asks for one that is impossible here.
 */
bool fence_open(struct fence *f, const struct conf *conf, const char *runtime_dir,
	const struct fence_prior *prior);

/* The memory of the lease, to be mapped; borrowed. -1: the caller takes other memory. */
int fence_memory(const struct fence *f);
/* There is a fresh engine, or none any more. */
void fence_obey(struct fence *f, const struct lease_page *lease);

/* The addresses of @group will be, or are no more, configured. Before the first, and behind a
 * fence_watch(), which may be for many groups; and after the last one. */
void fence_hold(struct fence *f, size_t group);
void fence_release(struct fence *f, size_t group);

/* Whether it can silence addresses that are configured but not held, for as long as it takes. */
bool fence_can_silence(const struct fence *f);
/* They are so from now on, until fence_hold() or fence_release(). Behind a fence_watch() as well.
 */
void fence_silence(struct fence *f, size_t group);

/* How often the lease must be passed on to the kernel while something is held; 0: not at all. */
int64_t fence_period_ns(const struct fence *f);
void fence_renew(struct fence *f);
/* When it has closed for certain if nothing renews it any more; TIME_NEVER: it needs no renewal. */
ha_time fence_closes(const struct fence *f);
/* For so many seconds addresses are configured, if nothing renews them; REQUEST_FOREVER. */
uint32_t fence_lifetime(const struct fence *f);

/* Becomes readable when something has changed that fence_watch() must look at. -1: never. */
int fence_monitor(const struct fence *f);
void fence_watch(struct fence *f);

/* Takes it away; nothing is held. */
void fence_close(struct fence *f);
/* Lets go of it (R8): it stays in force until the lease ends, or the next one comes. */
void fence_leave(struct fence *f);

#endif
