/* SPDX-License-Identifier: ISC */
/* fuzz_record: what an engine left to the next one. The size and the hash in it are set right, so
 * that the input gets past them. What can be read is adopted, or refused whole. */
#include <stdlib.h>

#include "base/id.h"
#include "fuzz/fuzz.h"
#include "fuzz/subject.h"
#include "wire/record.h"

#define HASH_SIZE 8

static void put(uint8_t *at, uint64_t number)
{
	for (size_t i = 0; i < 8; i++)
		at[i] = (uint8_t)(number >> (8 * (7 - i)));
}

static void read_all(const uint8_t *bytes, size_t size)
{
	struct record_node node;
	struct record_device device;
	struct record_group group;
	struct record_peer peer;
	struct record_entry entry;
	struct reader r;

	if (!record_open(bytes, size, &r, &node))
		return;
	assert(node.peer_count <= PEERS_MAX && node.device_count <= DEVICES_MAX);
	for (size_t i = 0; i < node.device_count && record_take_device(&r, &device); i++)
		assert_terminated(device.name);
	for (size_t i = 0; i < node.group_count && record_take_group(&r, &group); i++)
		assert_terminated(group.name);
	for (size_t i = 0; i < node.peer_count && record_take_peer(&r, &peer); i++)
		for (uint32_t n = 0; n < peer.entry_count; n++)
			if (!record_take_entry(&r, &node, &entry))
				return;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct subject s;
	struct engine_event start = {.kind = ENGINE_START};
	uint8_t *copy = malloc(size + HASH_SIZE);
	size_t whole = size + HASH_SIZE;

	assert(copy);
	memcpy(copy, bytes, size);
	if (size >= 16)
		put(copy + 8, whole);
	put(copy + size, id_hash(ID_SEED, copy, size));
	read_all(copy, whole);
	subject_start(&s, false);
	s.engine = engine_init(s.engine, s.conf, s.identity, &s.key);
	(void)engine_adopt(s.engine, s.now, copy, whole);
	engine_step(s.engine, s.now, &start, &s.effects);
	subject_check_status(&s);
	free(copy);
	return 0;
}
