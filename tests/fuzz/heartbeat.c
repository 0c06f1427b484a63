/* SPDX-License-Identifier: ISC */
/* fuzz_heartbeat: datagrams to a node without a key. What is accepted survives encoding. */
#include "base/id.h"
#include "fuzz/fuzz.h"
#include "wire/heartbeat.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct heartbeat_key none;
	static struct heartbeat first, second;
	uint8_t once[HEARTBEAT_SIZE_MAX], twice[HEARTBEAT_SIZE_MAX];
	uint32_t cluster = id_from_name("ha");
	enum heartbeat_drop drop;

	memset(&first, 0, sizeof(first)); /* behind the counts of its lists nothing is written */
	memset(&second, 0, sizeof(second));
	drop = heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, cluster, &none, &first);
	assert(drop < HEARTBEAT_DROP_OWN && heartbeat_drop_name(drop));
	if (drop != HEARTBEAT_ACCEPTED)
		return 0;
	assert(heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT - 1, cluster, &none, &second) ==
		HEARTBEAT_DROP_HOP_LIMIT);
	assert_terminated(first.name);
	assert(first.heard_count <= PEERS_MAX && first.group_count <= HEARTBEAT_GROUPS_MAX);
	size = heartbeat_encode(&first, cluster, &none, once);
	drop = heartbeat_decode(once, size, HEARTBEAT_HOP_LIMIT, cluster, &none, &second);
	assert(drop == HEARTBEAT_ACCEPTED);
	assert(memcmp(&first, &second, sizeof(first)) == 0);
	assert(heartbeat_encode(&second, cluster, &none, twice) == size);
	assert(memcmp(once, twice, size) == 0);
	return 0;
}
