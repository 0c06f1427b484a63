/* SPDX-License-Identifier: ISC */
/* fuzz_candidates: what a daemon lists. Each list is understood and survives the wire, or is
 * refused. */
#include "fuzz/fuzz.h"
#include "wire/candidates.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *json = json_loadb((const char *)bytes, size, 0, NULL);
	struct candidates first, second;
	bool good = candidates_from_json(json, &first);

	json_decref(json);
	if (!good)
		return 0;
	assert(first.count <= PEERS_MAX);
	json = candidates_to_json(&first);
	assert(json && candidates_from_json(json, &second) && second.count == first.count);
	for (size_t i = 0; i < first.count; i++)
		assert(second.list[i].id == first.list[i].id &&
			second.list[i].worth == first.list[i].worth);
	json_decref(json);
	return 0;
}
