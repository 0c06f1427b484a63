/* SPDX-License-Identifier: ISC */
#include "conf/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

/* Large, and so not on the stack. */
struct conf parsed;
struct conf_diagnostics found;
static struct conf again;
static char printed[CONF_TEXT_MAX];
static char rendered[CONF_DIAGNOSTICS_MAX * (CONF_MESSAGE_SIZE + 16)];

bool parse(const char *text)
{
	conf_free(&parsed);
	return conf_parse(text, strlen(text), "alpha", &parsed, &found);
}

const char *render(void)
{
	struct text t = text_init(rendered, sizeof(rendered));

	for (size_t i = 0; i < found.count; i++)
		text_add(&t, "%u: %s\n", found.list[i].line, found.list[i].message);
	if (found.omitted > 0)
		text_add(&t, "and %zu more\n", found.omitted);
	return rendered;
}

void parse_good(const char *text)
{
	if (!parse(text))
		fail_msg("refused: %s", render());
	assert_int_equal(found.count, 0);
	assert_int_equal(found.omitted, 0);
}

void parse_bad(const char *text, const char *expected)
{
	static struct conf untouched;

	memset(&untouched, 0x5a, sizeof(untouched));
	if (conf_parse(text, strlen(text), "alpha", &untouched, &found))
		fail_msg("accepted: %s", text);
	assert_string_equal(render(), expected);
	for (size_t i = 0; i < sizeof(untouched); i++)
		assert_int_equal(((const unsigned char *)&untouched)[i], 0x5a);
}

const char *with(const char *node_line, const char *group_line)
{
	static char text[16384];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "[node]\ninterface = eth0\n%s\n[group web]\naddress = 192.168.1.100/24\n%s\n",
		node_line, group_line);
	return text;
}

static void assert_same_node(const struct conf_node *a, const struct conf_node *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->cluster, b->cluster);
	assert_int_equal(a->cluster_tag, b->cluster_tag);
	assert_int_equal(a->path_count, b->path_count);
	assert_memory_equal(a->path, b->path, a->path_count);
	assert_int_equal(a->interval_ns, b->interval_ns);
	assert_int_equal(a->tolerance_ns, b->tolerance_ns);
	assert_int_equal(a->max_tolerance_ns, b->max_tolerance_ns);
	assert_int_equal(a->margin_ns, b->margin_ns);
	assert_true(ip_equal(&a->multicast, &b->multicast));
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->peer_count, b->peer_count);
	for (unsigned i = 0; i < a->peer_count; i++)
		assert_true(ip_equal(&a->peer[i], &b->peer[i]));
	assert_string_equal(a->key_file, b->key_file);
	assert_string_equal(a->user, b->user);
	assert_int_equal(a->hook_timeout_ns, b->hook_timeout_ns);
	assert_int_equal(a->ipv4_as, b->ipv4_as);
	assert_int_equal(a->fence, b->fence);
	assert_int_equal(a->realtime, b->realtime);
	assert_int_equal(a->removals_limit, b->removals_limit);
	assert_int_equal(a->removals_window_ns, b->removals_window_ns);
}

static void assert_same_group(const struct conf_group *a, const struct conf_group *b)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->worth, b->worth);
	assert_int_equal(a->policy, b->policy);
	assert_int_equal(a->warm, b->warm);
	assert_int_equal(a->settle_ns, b->settle_ns);
	assert_int_equal(a->hold_down_ns, b->hold_down_ns);
	assert_int_equal(a->address_first, b->address_first);
	assert_int_equal(a->address_count, b->address_count);
	for (unsigned kind = 0; kind < CONF_HOOK_KINDS; kind++) {
		assert_int_equal(a->hook_count[kind], b->hook_count[kind]);
		for (unsigned i = 0; i < a->hook_count[kind]; i++)
			assert_string_equal(a->hook[kind][i], b->hook[kind][i]);
	}
}

static void assert_same(const struct conf *a, const struct conf *b)
{
	assert_same_node(&a->node, &b->node);
	assert_int_equal(a->device_count, b->device_count);
	for (unsigned i = 0; i < a->device_count; i++) {
		assert_string_equal(a->devices[i].name, b->devices[i].name);
		assert_int_equal(a->devices[i].path, b->devices[i].path);
	}
	assert_int_equal(a->group_count, b->group_count);
	for (unsigned i = 0; i < a->group_count; i++)
		assert_same_group(&a->groups[i], &b->groups[i]);
	assert_int_equal(a->address_count, b->address_count);
	for (unsigned i = 0; i < a->address_count; i++) {
		assert_true(ip_equal(&a->addresses[i].ip, &b->addresses[i].ip));
		assert_int_equal(a->addresses[i].prefix_length, b->addresses[i].prefix_length);
		assert_int_equal(a->addresses[i].device, b->addresses[i].device);
		assert_int_equal(a->addresses[i].group, b->addresses[i].group);
	}
}

void round_trip(void)
{
	size_t size = conf_print(&parsed, printed, sizeof(printed));

	assert_int_equal(strlen(printed), size);
	conf_free(&again);
	if (!conf_parse(printed, size, "other", &again, &found))
		fail_msg("printed, but refused: %s\n%s", render(), printed);
	assert_same(&parsed, &again);
}
