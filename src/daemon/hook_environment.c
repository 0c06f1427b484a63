/* SPDX-License-Identifier: ISC */
#include "daemon/hook_environment.h"

#include "base/assert.h"
#include "base/text.h"

#define ADDRESS_TEXT_MAX (IP_TEXT_SIZE + 5) /* with prefix length and blank */

static void set(struct hook_environment *e, const char *name, const char *value)
{
	struct text t = text_init(e->bytes + e->used, sizeof(e->bytes) - e->used);

	assert(e->count < HOOK_VARIABLES_MAX);
	text_add(&t, "%s=%s", name, value);
	e->list[e->count++] = t.bytes;
	e->used += t.length + 1;
}

static void set_addresses(
	struct hook_environment *e, const struct conf *conf, const struct conf_group *g)
{
	static char value[HOOK_ADDRESSES_SIZE];
	struct text t = text_init(value, sizeof(value));
	char ip[IP_TEXT_SIZE];

	for (size_t i = 0; i < g->address_count; i++) {
		const struct conf_address *a = &conf->addresses[g->address_first + i];

		if (t.length + ADDRESS_TEXT_MAX >= sizeof(value))
			break;
		text_add(&t, "%s%s/%u", i > 0 ? " " : "", ip_format(&a->ip, ip), a->prefix_length);
	}
	set(e, "HA_ADDRESSES", value);
}

void hook_environment_fill(
	struct hook_environment *e, const struct conf *conf, const struct engine_hook *hook)
{
	const struct conf_group *g = &conf->groups[hook->group];
	char epoch[24];
	struct text t = text_init(epoch, sizeof(epoch));

	text_add(&t, "%llu", (unsigned long long)hook->epoch);
	e->used = e->count = 0;
	set(e, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set(e, "HA_GROUP", g->name);
	set(e, "HA_STATE", hook->preparation != 0 ? "TAKING" : node_state_name(hook->state));
	set(e, "HA_PREVIOUS", node_state_name(hook->previous));
	set(e, "HA_EPOCH", epoch);
	set(e, "HA_NODE", conf->node.name);
	set(e, "HA_HOLDER", hook->holder);
	set(e, "HA_REASON", hook->reason);
	set(e, "HA_INTERFACE", conf->devices[conf->addresses[g->address_first].device].name);
	set_addresses(e, conf, g);
	e->list[e->count] = NULL;
}
