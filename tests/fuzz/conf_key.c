/* SPDX-License-Identifier: ISC */
/* fuzz_conf_key: key files. What is accepted, written as `ha keygen` does, is the same key. */
#include "base/text.h"
#include "conf/conf.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t key[CONF_KEY_SIZE], again[CONF_KEY_SIZE];
	char hexadecimal[2 * CONF_KEY_SIZE + 2];
	struct text text = text_init(hexadecimal, sizeof(hexadecimal));

	if (!conf_key_decode((const char *)bytes, size, key))
		return 0;
	assert(size >= 2 * CONF_KEY_SIZE);
	for (size_t i = 0; i < sizeof(key); i++)
		text_add(&text, "%02x", key[i]);
	text_add(&text, "\n");
	assert(conf_key_decode(hexadecimal, text.length, again));
	assert(memcmp(key, again, sizeof(key)) == 0);
	return 0;
}
