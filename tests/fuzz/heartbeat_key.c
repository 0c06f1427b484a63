/* SPDX-License-Identifier: ISC */
/* fuzz_heartbeat_key: datagrams to a node with a key. As they come, they are refused; with length,
 * key id and tag made right, so that the inside is reached, one changed bit is enough to be
 * refused. The input's first two bytes choose that bit. */
#include "base/id.h"
#include "fuzz/fuzz.h"
#include "wire/heartbeat.h"

#define LENGTH_OFFSET         4
#define AUTHENTICATION_OFFSET 7
#define KEY_ID_OFFSET         12

static void sign(uint8_t *bytes, size_t size, const struct heartbeat_key *key)
{
	struct hmac_sha256_ctx context = key->context;
	size_t signed_size = size - HEARTBEAT_TAG_SIZE;

	bytes[LENGTH_OFFSET] = (uint8_t)(size >> 8);
	bytes[LENGTH_OFFSET + 1] = (uint8_t)size;
	bytes[AUTHENTICATION_OFFSET] = 1;
	for (int i = 0; i < 4; i++)
		bytes[KEY_ID_OFFSET + i] = (uint8_t)(key->id >> (24 - 8 * i));
	hmac_sha256_update(&context, signed_size, bytes);
	hmac_sha256_digest(&context, HEARTBEAT_TAG_SIZE, bytes + signed_size);
}

static enum heartbeat_drop decode(
	const uint8_t *bytes, size_t size, const struct heartbeat_key *key)
{
	static struct heartbeat heartbeat;

	return heartbeat_decode(
		bytes, size, HEARTBEAT_HOP_LIMIT, id_from_name("ha"), key, &heartbeat);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t secret[32] = {1, 2, 3};
	uint8_t copy[HEARTBEAT_SIZE_MAX];
	struct heartbeat_key key;
	size_t bit;

	if (size < 2 + HEARTBEAT_HEADER_SIZE + HEARTBEAT_TAG_SIZE || size > 2 + sizeof(copy))
		return 0;
	bit = (size_t)(bytes[0] << 8 | bytes[1]);
	bytes += 2;
	size -= 2;
	heartbeat_key_init(&key, secret, sizeof(secret));
	assert(decode(bytes, size, &key) != HEARTBEAT_ACCEPTED);
	memcpy(copy, bytes, size);
	sign(copy, size, &key);
	if (decode(copy, size, &key) != HEARTBEAT_ACCEPTED)
		return 0;
	bit %= 8 * size;
	copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	assert(decode(copy, size, &key) != HEARTBEAT_ACCEPTED);
	return 0;
}
