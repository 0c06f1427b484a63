/* SPDX-License-Identifier: ISC */
#include "keeper/fence_load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/assert.h"
#include "keeper/fence_bpf.h"
#include "keeper/fence_shape.h"
#include "sys/descriptors.h"
#include "wire/lease.h"

static_assert(
	FENCE_LEASE_UNTIL * sizeof(uint64_t) == offsetof(struct lease_page, until_ns) &&
		FENCE_LEASE_GROUPS * sizeof(uint64_t) == offsetof(struct lease_page, groups) &&
		FENCE_GROUP_WORDS * sizeof(uint64_t) == sizeof(struct lease_group) &&
		FENCE_SERVICE * sizeof(uint64_t) == offsetof(struct lease_group, service) &&
		FENCE_OTHER * sizeof(uint64_t) == offsetof(struct lease_group, other) &&
		FENCE_PASSES * sizeof(uint64_t) == offsetof(struct lease_group, passes_ns) &&
		FENCE_GIVEN_UP == LEASE_GIVEN_UP && FENCE_HANDED_ON == LEASE_HANDED_ON &&
		FENCE_MAC_SIZE == MAC_SIZE,
	"the kernel's table is the lease that is mapped into memory");

/* What goes wrong comes back as an error, which is told in our words. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static void make_key(const struct ip *ip, uint32_t key[FENCE_KEY_WORDS])
{
	memset(key, 0, FENCE_KEY_WORDS * sizeof(*key));
	if (ip->family == IP_V6) {
		memcpy(key, ip->bytes, 16);
		return;
	}
	key[2] = htobe32(0xffff);
	memcpy(&key[3], ip->bytes, 4);
}

/* Frozen behind them: nobody can add an address that the configuration does not name. */
static int fill_shared(int map, const struct conf *conf)
{
	for (size_t i = 0; i < conf->address_count; i++) {
		uint32_t key[FENCE_KEY_WORDS], group = conf->addresses[i].group;

		make_key(&conf->addresses[i].ip, key);
		if (bpf_map_update_elem(map, key, &group, BPF_ANY) < 0)
			return -errno;
	}
	return bpf_map_freeze(map) < 0 ? -errno : 0;
}

static int size_map(const struct bpf_object *object, const char *name, size_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	return map ? bpf_map__set_max_entries(map, (uint32_t)entries) : -ENOENT;
}

/* The program's constants have a map of their own, named after them. */
static int set_most(const struct bpf_object *object, int64_t most_ns)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		if (strstr(bpf_map__name(map), ".rodata"))
			return bpf_map__set_initial_value(map, &most_ns, sizeof(most_ns));
	}
	return -ENOENT;
}

static int size_maps(const struct bpf_object *object, const struct conf *conf)
{
	int r = size_map(object, "fence_shared", conf->address_count);

	if (r == 0)
		r = size_map(object, "fence_held", conf->group_count);
	if (r == 0)
		r = size_map(
			object, "fence_lease", lease_size(conf->group_count) / sizeof(uint64_t));
	return r;
}

/* A descriptor that outlives the object, or -errno. */
static int keep(int descriptor)
{
	int kept = descriptor < 0 ? descriptor : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);

	return kept < 0 && descriptor >= 0 ? -errno : kept;
}

static int keep_program(const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);

	return keep(program ? bpf_program__fd(program) : -ENOENT);
}

static int keep_all(const struct bpf_object *object, struct fence_object *ret_object)
{
	const struct fence_object kept = {
		.ingress = keep_program(object, "fence_ingress"),
		.egress = keep_program(object, "fence_egress"),
		.lease = keep(bpf_object__find_map_fd_by_name(object, "fence_lease")),
		.held = keep(bpf_object__find_map_fd_by_name(object, "fence_held")),
	};
	const int all[] = {kept.ingress, kept.egress, kept.lease, kept.held};

	for (size_t i = 0; i < 4; i++) {
		if (all[i] < 0) {
			descriptors_close(all, 4);
			return all[i];
		}
	}
	*ret_object = kept;
	return 0;
}

bool fence_load(const struct conf *conf, struct fence_object *ret_object, const char **reterr)
{
	struct bpf_object *object;
	int r;

	(void)libbpf_set_print(say_nothing);
	object = bpf_object__open_mem(FENCE_BPF, sizeof(FENCE_BPF), NULL);
	r = object ? size_maps(object, conf) : -errno;
	if (r == 0)
		r = set_most(object, conf->node.max_tolerance_ns);
	if (r == 0)
		r = bpf_object__load(object);
	if (r == 0)
		r = fill_shared(bpf_object__find_map_fd_by_name(object, "fence_shared"), conf);
	if (r == 0)
		r = keep_all(object, ret_object);
	bpf_object__close(object);
	if (r < 0)
		*reterr = r == -EPERM ? "it takes CAP_BPF, or the kernel forbids it" : strerror(-r);
	return r == 0;
}
