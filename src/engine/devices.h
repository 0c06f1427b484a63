/* SPDX-License-Identifier: ISC */
/* devices: the devices of the configuration, as the caller tells them. */
#ifndef HA_ENGINE_DEVICES_H
#define HA_ENGINE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/time.h"
#include "engine/inputs.h"

struct device {
	struct engine_device state;
	bool known;   /* was reported at all */
	bool adopted; /* R8: another engine has seen whether it was down at first */
	bool managed; /* was down at first and carries no heartbeats: up only while we hold */
	ha_time raised_at;
};

void devices_changed(struct engine *e, const struct engine_device *state, struct effects *out);
/* Whether the group's addresses could be served on their devices: INELIGIBLE_... or ELIGIBLE;
 * *@ret_device is the one that is the matter. */
enum ineligible devices_serve(const struct engine *e, size_t group, size_t *ret_device);
enum ineligible devices_speak(const struct engine *e, size_t *ret_device);
/* The state of all devices, as far as it matters to groups, as one number. */
uint64_t devices_digest(const struct engine *e);
/* Whether the caller has told the state of each: at start it tells them one by one. */
bool devices_are_known(const struct engine *e);
/* Whether nothing is wrong with the heartbeat interface @path. */
bool devices_path_speaks(const struct engine *e, size_t path);
void devices_describe_path(const struct engine *e, size_t path, char *buffer, size_t size);
/* A device's own address, of the family of the heartbeats. */
struct ip devices_address(const struct engine *e, size_t device);
/* Whether a heartbeat could leave by any path, also one without an address of its own. */
bool devices_can_send(const struct engine *e);
struct ip devices_real_address(const struct engine *e);
/* Whether it is there and the configuration has shared addresses on it. */
bool devices_carry_shared(const struct engine *e, size_t device);
bool devices_own_mac(const struct engine *e, const uint8_t mac[MAC_SIZE]);

#endif
