/* SPDX-License-Identifier: ISC */
/* fuzz_conf: configuration files. A good one, printed, parses to an equal value; a bad one has
 * diagnostics that are fit for a terminal. */
#include "conf/conf.h"
#include "fuzz/fuzz.h"

static struct conf first, second;
static char once[CONF_TEXT_MAX], twice[CONF_TEXT_MAX];

static void check_diagnostics(const struct conf_diagnostics *d)
{
	assert(d->count >= 1 && d->count <= CONF_DIAGNOSTICS_MAX);
	assert(d->omitted == 0 || d->count == CONF_DIAGNOSTICS_MAX);
	for (size_t i = 0; i < d->count; i++) {
		const char *message = d->list[i].message;

		assert_terminated(d->list[i].message);
		assert(*message != '\0');
		for (; *message != '\0'; message++)
			assert((unsigned char)*message >= ' ' && *message != 0x7f);
		assert(i == 0 || d->list[i - 1].line <= d->list[i].line);
	}
}

static void check_limits(const struct conf *c)
{
	assert(c->group_count >= 1 && c->group_count <= GROUPS_MAX);
	assert(c->device_count >= 1 && c->device_count <= DEVICES_MAX);
	assert(c->node.path_count >= 1 && c->node.path_count <= PATHS_MAX);
	assert(c->address_count <= ADDRESSES_MAX && c->node.peer_count <= UNICAST_MAX);
	assert(c->node.margin_ns > 0 && c->node.margin_ns < c->node.tolerance_ns);
	for (size_t g = 0; g < c->group_count; g++) {
		const struct conf_group *group = &c->groups[g];

		assert(group->id != 0 && group->address_count >= 1);
		assert(group->address_first + group->address_count <= c->address_count);
	}
}

/* What printing shows is compared as text. */
static void check_same(void)
{
	assert(memcmp(&first.node, &second.node, sizeof(first.node)) == 0);
	assert(memcmp(first.devices, second.devices, sizeof(first.devices)) == 0);
	assert(first.group_count == second.group_count);
	assert(first.address_count == second.address_count);
	assert(memcmp(first.addresses, second.addresses,
		       first.address_count * sizeof(*first.addresses)) == 0);
	for (size_t g = 0; g < first.group_count; g++) {
		assert(first.groups[g].id == second.groups[g].id);
		assert(first.groups[g].address_first == second.groups[g].address_first);
		assert(first.groups[g].address_count == second.groups[g].address_count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct conf_diagnostics diagnostics;
	size_t length;

	if (!conf_parse((const char *)bytes, size, "host", &first, &diagnostics)) {
		check_diagnostics(&diagnostics);
		return 0;
	}
	assert(diagnostics.count == 0);
	check_limits(&first);
	length = conf_print(&first, once, sizeof(once));
	assert(length < sizeof(once) - 1); /* else it was cut */
	assert(conf_parse(once, length, "another", &second, &diagnostics));
	check_same();
	assert(conf_print(&second, twice, sizeof(twice)) == length);
	assert(memcmp(once, twice, length) == 0);
	conf_free(&first);
	conf_free(&second);
	return 0;
}
