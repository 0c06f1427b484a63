/* SPDX-License-Identifier: ISC */
#include "engine/devices.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "engine/effects.h"
#include "engine/inputs.h"
#include "engine/node.h"
#include "engine/paths.h"

/* A device that was just brought up needs a moment until its carrier is known. */
#define RAISE_GRACE_NS (2 * NS_PER_S)

static const char *describe(const struct engine_device *state)
{
	if (!state->present)
		return "does not exist";
	if (!state->up)
		return "is down";
	return state->carrier ? "is up" : "has no carrier";
}

static bool same_link(const struct engine_device *a, const struct engine_device *b)
{
	return a->present == b->present && a->up == b->up && a->carrier == b->carrier;
}

void devices_changed(struct engine *e, const struct engine_device *state, struct effects *out)
{
	struct device *d = &e->devices[state->index];
	const struct conf_device *conf = &e->conf->devices[state->index];
	bool first = !d->known || !d->state.present;

	assert(state->index < e->conf->device_count);
	if (state->present && first && !conf->path && !d->adopted)
		d->managed = !state->up;
	if (state->up && !d->state.up)
		d->raised_at = e->now;
	if (d->known ? !same_link(&d->state, state) : !(state->up && state->carrier))
		effect_report(e, out, REPORT_DEVICE,
			state->carrier || d->managed ? REPORT_NOTICE : REPORT_WARNING, "%s %s%s",
			conf->name, describe(state),
			d->managed && !state->up ? ", as it is while not held" : "");
	/* Whoever can speak again does so at once: with long intervals the others would wait. */
	if (!d->known || !same_link(&d->state, state))
		e->beat_soon = true;
	if (d->known && !same_link(&d->state, state))
		paths_forget(e, state->index);
	d->state = *state;
	d->known = true;
	d->adopted = false;
}

static enum ineligible link_serves(const struct engine *e, const struct device *d)
{
	if (!d->state.present)
		return INELIGIBLE_NO_DEVICE;
	if (d->managed && (!d->state.up || e->now.ns < time_add(d->raised_at, RAISE_GRACE_NS).ns))
		return ELIGIBLE;
	if (!d->state.up)
		return INELIGIBLE_DEVICE_DOWN;
	if (!d->state.carrier)
		return d->managed ? INELIGIBLE_NO_CARRIER_WHEN_RAISED : INELIGIBLE_NO_CARRIER;
	return ELIGIBLE;
}

enum ineligible devices_serve(const struct engine *e, size_t group, size_t *ret_device)
{
	for (size_t device = 0; device < e->conf->device_count; device++) {
		enum ineligible why = ELIGIBLE;

		if (e->groups[group].devices & 1u << device)
			why = link_serves(e, &e->devices[device]);
		if (why != ELIGIBLE) {
			*ret_device = device;
			return why;
		}
	}
	return ELIGIBLE;
}

/* The family of the heartbeats decides which address is the real one. */
static const struct ip *address_of(const struct engine *e, const struct device *d)
{
	bool v6 = e->conf->node.multicast.family == IP_V6 ||
		  (e->conf->node.multicast.family == IP_NONE &&
			  e->conf->node.peer[0].family == IP_V6);

	return v6 ? &d->state.v6 : &d->state.v4;
}

struct ip devices_address(const struct engine *e, size_t device)
{
	return *address_of(e, &e->devices[device]);
}

static enum ineligible path_speaks(const struct engine *e, const struct device *d)
{
	enum ineligible why = link_serves(e, d);

	if (why == ELIGIBLE && address_of(e, d)->family == IP_NONE)
		return INELIGIBLE_NO_ADDRESS;
	return why;
}

bool devices_path_speaks(const struct engine *e, size_t path)
{
	return path_speaks(e, &e->devices[e->conf->node.path[path]]) == ELIGIBLE;
}

void devices_describe_path(const struct engine *e, size_t path, char *buffer, size_t size)
{
	const struct device *d = &e->devices[e->conf->node.path[path]];
	struct text t = text_init(buffer, size);

	if (path_speaks(e, d) == INELIGIBLE_NO_ADDRESS)
		text_add(&t, "has no address of its own");
	else
		text_add(&t, "%s", describe(&d->state));
}

enum ineligible devices_speak(const struct engine *e, size_t *ret_device)
{
	const struct conf_node *node = &e->conf->node;
	enum ineligible first = ELIGIBLE;

	for (size_t i = 0; i < node->path_count; i++) {
		enum ineligible why = path_speaks(e, &e->devices[node->path[i]]);

		if (why == ELIGIBLE)
			return ELIGIBLE;
		if (first == ELIGIBLE) {
			first = why;
			*ret_device = node->path[i];
		}
	}
	return first;
}

uint64_t devices_digest(const struct engine *e)
{
	uint64_t digest = devices_are_known(e);

	for (size_t i = 0; i < e->conf->device_count; i++) {
		digest = digest * 31 + link_serves(e, &e->devices[i]);
		digest = digest * 31 + path_speaks(e, &e->devices[i]);
	}
	return digest;
}

bool devices_are_known(const struct engine *e)
{
	for (size_t i = 0; i < e->conf->device_count; i++)
		if (!e->devices[i].known)
			return false;
	return true;
}

bool devices_can_send(const struct engine *e)
{
	for (size_t i = 0; i < e->conf->node.path_count; i++)
		if (link_serves(e, &e->devices[e->conf->node.path[i]]) == ELIGIBLE)
			return true;
	return false;
}

struct ip devices_real_address(const struct engine *e)
{
	const struct conf_node *node = &e->conf->node;

	for (size_t i = 0; i < node->path_count; i++) {
		const struct ip *address = address_of(e, &e->devices[node->path[i]]);

		if (address->family != IP_NONE)
			return *address;
	}
	return (struct ip){0};
}

bool devices_carry_shared(const struct engine *e, size_t device)
{
	for (size_t a = 0; e->devices[device].state.present && a < e->conf->address_count; a++)
		if (e->conf->addresses[a].device == device)
			return true;
	return false;
}

bool devices_own_mac(const struct engine *e, const uint8_t mac[MAC_SIZE])
{
	for (size_t i = 0; i < e->conf->device_count; i++)
		if (e->devices[i].state.present &&
			memcmp(e->devices[i].state.mac, mac, MAC_SIZE) == 0)
			return true;
	return false;
}
