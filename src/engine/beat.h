/* SPDX-License-Identifier: ISC */
/* beat: our heartbeats: when they are sent, what is in them, and the lease that each earns. */
#ifndef HA_ENGINE_BEAT_H
#define HA_ENGINE_BEAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "engine/engine.h"
#include "wire/heartbeat.h"

#define SENDS_MAX 4 /* datagrams of one step, if changes travel */

/* A heartbeat, and the copy of it for the deaf. */
struct datagram_pair {
	uint8_t to_all[HEARTBEAT_SIZE_MAX];
	uint8_t to_deaf[HEARTBEAT_SIZE_MAX];
};

void beat_due(struct engine *e, struct effects *out);
void beat_now(struct engine *e, struct effects *out);
void beat_last(struct engine *e, struct effects *out);
void beat_sent(struct engine *e, struct effects *out);
/* Puts the lease that was earned in force. */
void beat_lease(struct engine *e, struct effects *out);
void beat_failed(struct engine *e, int error, struct effects *out);
ha_time beat_deadline(const struct engine *e);
/* What we say of a group, but for its grantee. */
struct heartbeat_group beat_group(const struct engine *e, size_t group);

#endif
