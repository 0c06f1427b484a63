/* SPDX-License-Identifier: ISC */
/* fuzz_status: what `ha status` makes of an answer on the control socket. What is accepted can be
 * written again, and then stays the same. */
#include "fuzz/fuzz.h"
#include "wire/status.h"

static void check_texts(const struct status *s)
{
	assert_terminated(s->name);
	assert_terminated(s->fence);
	assert_terminated(s->scheduling);
	assert_terminated(s->version);
	for (size_t i = 0; i < s->warning_count; i++)
		assert_terminated(s->warnings[i]);
	for (size_t i = 0; i < s->group_count; i++) {
		assert_terminated(s->groups[i].name);
		assert_terminated(s->groups[i].reason);
		assert_terminated(s->groups[i].holder);
	}
	for (size_t i = 0; i < s->peer_count; i++)
		assert_terminated(s->peers[i].name);
	for (size_t i = 0; i < s->address_count; i++)
		assert_terminated(s->addresses[i].device);
}

static void check(const json_t *json)
{
	static struct status first, second;
	const char *error = NULL;
	json_t *once, *twice;

	if (!status_from_json(json, &first, &error)) {
		assert(error && *error != '\0');
		return;
	}
	check_texts(&first);
	once = status_to_json(&first);
	assert(once && status_from_json(once, &second, &error));
	twice = status_to_json(&second);
	assert(twice && json_equal(once, twice));
	status_done(&first);
	status_done(&second);
	json_decref(once);
	json_decref(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	json_t *json = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);

	if (json)
		check(json);
	json_decref(json);
	return 0;
}
