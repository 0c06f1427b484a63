/* SPDX-License-Identifier: ISC */
#include "keeper/fence.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "keeper/fence_shape.h"
#include "sys/clock.h"
#include "sys/log.h"

/*
 * Lifetimes are whole seconds, and the kernel looks at them about once a second: one of N ends N to
 * N + 1 s later. All are renewed together, which costs the kernel 3 us for an IPv4 address and
 * 300 us for an IPv6 one (docs/operations.md).
 */
#define LIFETIME_LATE_NS   NS_PER_S
#define LIFETIME_PERIOD_NS (250 * NS_PER_MS)
#define LIFETIME_V4_MAX    256 /* with more they may become routes, which have none */
#define LIFETIME_V6_MAX    100

/* Several instances of one host do not take each other's fence away. */
static uint32_t handle_of(const char *runtime_dir)
{
	char *whole = realpath(runtime_dir, NULL);
	const char *path = whole ? whole : runtime_dir;
	uint32_t handle = (uint32_t)id_hash(ID_SEED, path, strlen(path));

	free(whole);
	return handle != 0 ? handle : 1;
}

void fence_clean(const char *runtime_dir)
{
	fence_tc_clean(handle_of(runtime_dir));
	fence_nft_clean(handle_of(runtime_dir));
}

/* What is left of a lease when it is renewed, at worst. */
static int64_t least_left_ns(const struct conf_node *node)
{
	return node->tolerance_ns - node->margin_ns - node->interval_ns - LIFETIME_PERIOD_NS;
}

static bool open_lifetimes(struct fence *f, const char **reterr)
{
	size_t v6 = 0;

	for (size_t i = 0; i < f->conf->address_count; i++)
		v6 += f->conf->addresses[i].ip.family == IP_V6;
	if (f->conf->node.ipv4_as == CONF_IPV4_AS_ROUTE) {
		*reterr = "local routes have no lifetimes";
		return false;
	}
	if (f->conf->address_count - v6 > LIFETIME_V4_MAX || v6 > LIFETIME_V6_MAX) {
		*reterr = "too many addresses to renew their lifetimes";
		return false;
	}
	f->in_time = least_left_ns(&f->conf->node) >= NS_PER_S + LIFETIME_LATE_NS;
	return true;
}

static bool try(struct fence *f, enum conf_fence kind, uint32_t handle,
	const struct fence_prior *prior, const char **reterr)
{
	f->in_time = true;
	switch (kind) {
	case CONF_FENCE_BPF:
		f->kind = CHANNEL_FENCE_BPF;
		return fence_tc_open(&f->tc, f->conf, handle, prior, reterr);
	case CONF_FENCE_NFTABLES:
		f->kind = CHANNEL_FENCE_NFTABLES;
		return fence_nft_open(&f->nft, f->conf, handle, reterr) == 0;
	case CONF_FENCE_LIFETIME:
		f->kind = CHANNEL_FENCE_LIFETIME;
		return open_lifetimes(f, reterr);
	case CONF_FENCE_AUTO:
	case CONF_FENCE_WATCHDOG: break;
	}
	f->kind = CHANNEL_FENCE_WATCHDOG;
	f->in_time = false;
	return true;
}

static bool choose(struct fence *f, uint32_t handle, const struct fence_prior *prior)
{
	enum conf_fence wanted = f->conf->node.fence;
	const char *reason = NULL;

	if (wanted != CONF_FENCE_AUTO) {
		if (try(f, wanted, handle, prior, &reason))
			return true;
		log_error("fence = %s is not possible here: %s; write fence = auto",
			conf_fence_name(wanted), reason);
		f->kind = CHANNEL_FENCE_WATCHDOG;
		return false;
	}
	for (enum conf_fence kind = CONF_FENCE_BPF; kind <= CONF_FENCE_WATCHDOG; kind++) {
		if (try(f, kind, handle, prior, &reason))
			break;
		log_notice("no fence by %s: %s", conf_fence_name(kind), reason);
	}
	if (f->kind == CHANNEL_FENCE_WATCHDOG)
		log_notice("no fence in the kernel: the keeper's watchdog alone takes the "
			   "addresses down when the lease has passed");
	return true;
}

bool fence_open(struct fence *f, const struct conf *conf, const char *runtime_dir,
	const struct fence_prior *prior)
{
	uint32_t handle = handle_of(runtime_dir);
	bool open;

	*f = (struct fence){.conf = conf};
	if (prior)
		fence_nft_clean(handle);
	open = choose(f, handle, prior);
	/* Nobody would renew the lease of earlier ones. */
	if (prior && f->kind != CHANNEL_FENCE_BPF)
		fence_tc_clean(handle);
	return open;
}

int fence_memory(const struct fence *f)
{
	return f->kind == CHANNEL_FENCE_BPF ? f->tc.object.lease : -1;
}

void fence_obey(struct fence *f, const struct lease_page *lease)
{
	f->lease = lease;
}

static ha_time lease_of(const struct fence *f, ha_time now)
{
	if (!f->lease)
		return TIME_ORIGIN;
	return lease_believed(f->lease, now, f->conf->node.max_tolerance_ns);
}

static void renew_nft(struct fence *f)
{
	ha_time now = clock_now();

	fence_nft_renew(&f->nft, now, lease_of(f, now));
}

void fence_renew(struct fence *f)
{
	if (f->kind == CHANNEL_FENCE_NFTABLES && f->nft.held_count > 0)
		renew_nft(f);
}

void fence_hold(struct fence *f, size_t group)
{
	if (f->kind == CHANNEL_FENCE_BPF) {
		fence_tc_set(&f->tc, group, FENCE_HELD);
	} else if (f->kind == CHANNEL_FENCE_NFTABLES) {
		renew_nft(f);
		fence_nft_hold(&f->nft, group, true);
	}
}

void fence_release(struct fence *f, size_t group)
{
	if (f->kind == CHANNEL_FENCE_BPF)
		fence_tc_set(&f->tc, group, FENCE_AWAY);
	else if (f->kind == CHANNEL_FENCE_NFTABLES)
		fence_nft_hold(&f->nft, group, false);
}

bool fence_can_silence(const struct fence *f)
{
	return f->kind == CHANNEL_FENCE_BPF && !f->tc.broken;
}

void fence_silence(struct fence *f, size_t group)
{
	assert(f->kind == CHANNEL_FENCE_BPF);
	fence_tc_set(&f->tc, group, FENCE_AHEAD);
}

int64_t fence_period_ns(const struct fence *f)
{
	switch (f->kind) {
	case CHANNEL_FENCE_NFTABLES: return f->nft.period_ns;
	case CHANNEL_FENCE_LIFETIME: return LIFETIME_PERIOD_NS;
	case CHANNEL_FENCE_BPF:
	case CHANNEL_FENCE_WATCHDOG: break;
	}
	return 0;
}

uint32_t fence_lifetime(const struct fence *f)
{
	ha_time now = clock_now();
	int64_t left_ns;

	if (f->kind != CHANNEL_FENCE_LIFETIME)
		return REQUEST_FOREVER;
	left_ns = time_between(now, lease_of(f, now)) - LIFETIME_LATE_NS;
	return left_ns < NS_PER_S ? 1 : (uint32_t)(left_ns / NS_PER_S);
}

ha_time fence_closes(const struct fence *f)
{
	ha_time now = clock_now();

	if (f->kind == CHANNEL_FENCE_NFTABLES)
		return lease_of(f, now);
	if (f->kind == CHANNEL_FENCE_LIFETIME)
		return time_add(now, fence_lifetime(f) * NS_PER_S + LIFETIME_LATE_NS);
	return TIME_NEVER;
}

int fence_monitor(const struct fence *f)
{
	return f->kind == CHANNEL_FENCE_BPF ? f->tc.monitor.descriptor : -1;
}

void fence_watch(struct fence *f)
{
	if (f->kind == CHANNEL_FENCE_BPF)
		fence_tc_watch(&f->tc);
}

void fence_leave(struct fence *f)
{
	fence_renew(f);
	if (f->kind == CHANNEL_FENCE_BPF)
		fence_tc_leave(&f->tc);
	else if (f->kind == CHANNEL_FENCE_NFTABLES)
		fence_nft_leave(&f->nft);
	f->kind = CHANNEL_FENCE_WATCHDOG;
}

void fence_close(struct fence *f)
{
	if (f->kind == CHANNEL_FENCE_BPF)
		fence_tc_close(&f->tc);
	else if (f->kind == CHANNEL_FENCE_NFTABLES)
		fence_nft_close(&f->nft);
	f->kind = CHANNEL_FENCE_WATCHDOG;
}
