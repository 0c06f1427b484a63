/* SPDX-License-Identifier: ISC */
#include "core/peer.h"

#include <stddef.h>

#include "base/assert.h"

struct peer peer_init(uint64_t id)
{
	return (struct peer){.id = id};
}

static bool is_retired(const struct peer *p, uint64_t nonce)
{
	for (size_t i = 0; i < PEER_RETIRED_MAX; i++)
		if (p->retired[i] == nonce)
			return true;
	return false;
}

/* The echo names a sequence number that we sent within about a tolerance: 32-bit serial arithmetic.
 */
static bool echo_is_recent(uint32_t echo, const struct peer_challenge *challenge)
{
	uint32_t behind = (uint32_t)challenge->latest - echo;

	return behind <= (uint32_t)(challenge->latest - challenge->recent);
}

/* The last sequence number accepted of the boot @nonce; 0: none. */
static uint64_t last_sequence(const struct peer *p, uint64_t nonce)
{
	if (nonce == p->nonce)
		return p->sequence;
	return nonce == p->earlier_nonce ? p->earlier_sequence : 0;
}

static void begin_boot(struct peer *p, uint64_t nonce)
{
	if (p->proven) {
		p->earlier_nonce = p->nonce;
		p->earlier_sequence = p->sequence;
	}
	p->nonce = nonce;
	p->sequence = 0;
	p->proven = false;
}

/* Now it is certain that the boot before this one is over. */
static void prove(struct peer *p)
{
	if (p->earlier_nonce != 0 && p->earlier_nonce != p->nonce) {
		p->retired[p->retired_next] = p->earlier_nonce;
		p->retired_next = (uint8_t)((p->retired_next + 1) % PEER_RETIRED_MAX);
	}
	p->earlier_nonce = 0;
	p->proven = true;
}

static void take_in(struct peer *p, ha_time now, const struct peer_packet *packet, bool proves,
	int64_t max_tolerance_ns)
{
	p->sequence = packet->sequence;
	p->heard = now;
	p->leaving = packet->leaving;
	p->interval_ns = packet->interval_ns;
	p->tolerance_ns =
		packet->tolerance_ns < max_tolerance_ns ? packet->tolerance_ns : max_tolerance_ns;
	p->names_us = proves;
	p->echo_age_ns = packet->echo_age_ns;
	if (proves && !p->proven)
		prove(p);
}

enum peer_verdict peer_hear(struct peer *p, ha_time now, const struct peer_packet *packet,
	const struct peer_challenge *challenge, int64_t max_tolerance_ns)
{
	bool proves = packet->names_us && echo_is_recent(packet->echo, challenge);
	bool new_boot = packet->nonce != p->nonce;
	uint64_t last = last_sequence(p, packet->nonce);

	assert(packet->nonce != 0 && packet->sequence != 0);
	if (new_boot && is_retired(p, packet->nonce))
		return PEER_OLD_BOOT;
	if (new_boot && peer_is_live(p, now) && !proves)
		return PEER_UNPROVEN;
	if (!new_boot && packet->sequence == last)
		return PEER_DUPLICATE;
	if (packet->sequence <= last)
		return PEER_REPLAYED;
	if (new_boot)
		begin_boot(p, packet->nonce);
	take_in(p, now, packet, proves, max_tolerance_ns);
	return new_boot ? PEER_NEW_BOOT : PEER_ACCEPTED;
}

ha_time peer_silence_deadline(const struct peer *p)
{
	return time_add(p->heard, p->tolerance_ns);
}

bool peer_is_live(const struct peer *p, ha_time now)
{
	return p->proven && !p->leaving && !time_reached(now, peer_silence_deadline(p));
}

bool peer_hears_us(const struct peer *p, int64_t tolerance_ns)
{
	return p->names_us && p->echo_age_ns < tolerance_ns;
}

void peer_credit_stall(struct peer *p, ha_time now, int64_t stall_ns)
{
	assert(stall_ns >= 0);
	p->heard = time_min(now, time_add(p->heard, stall_ns));
}
