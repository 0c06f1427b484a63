/* SPDX-License-Identifier: ISC */
/* fuzz_channel: messages on the keeper's channel. What is accepted has one encoding only: itself.
 */
#include "fuzz/fuzz.h"
#include "wire/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct channel_message message;
	uint8_t again[CHANNEL_MESSAGE_MAX];

	if (!channel_decode(bytes, size, &message))
		return 0;
	assert(size <= CHANNEL_MESSAGE_MAX);
	assert(strcmp(channel_verb_name(message.verb), "unknown") != 0);
	assert(channel_encode(&message, again) == size);
	assert(memcmp(again, bytes, size) == 0);
	return 0;
}
