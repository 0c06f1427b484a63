/* SPDX-License-Identifier: ISC */
#include "base/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"

static const uint8_t V4_MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool ip_parse(const char *text, struct ip *ret_ip)
{
	struct ip ip = {0};

	if (inet_pton(AF_INET, text, ip.bytes) == 1)
		ip.family = IP_V4;
	else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
		ip.family = IP_V6;
	else
		return false;
	*ret_ip = ip;
	return true;
}

const char *ip_format(const struct ip *ip, char *buffer)
{
	int family = ip->family == IP_V4 ? AF_INET : AF_INET6;

	if (ip->family == IP_NONE)
		return memcpy(buffer, "-", 2);
	(void)inet_ntop(
		family, ip->bytes, buffer, IP_TEXT_SIZE); /* there is room for the longest */
	return buffer;
}

int ip_compare(const struct ip *a, const struct ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

uint64_t ip_hash(const struct ip *ip)
{
	return id_hash(ID_SEED + ip->family, ip->bytes, sizeof(ip->bytes));
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return ip_compare(a, b) == 0;
}

unsigned ip_bits(const struct ip *ip)
{
	return ip->family == IP_V4 ? 32 : 128;
}

bool ip_same_prefix(const struct ip *a, const struct ip *b, unsigned length)
{
	unsigned whole = length / 8, rest = length % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (a->family != b->family)
		return false;
	assert(length <= ip_bits(a));
	if (memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 || ((a->bytes[whole] ^ b->bytes[whole]) & mask) == 0;
}

bool ip_is_multicast(const struct ip *ip)
{
	if (ip->family == IP_V4)
		return (ip->bytes[0] & 0xf0) == 0xe0;
	return ip->family == IP_V6 && ip->bytes[0] == 0xff;
}

bool ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	if (ip->family == IP_V4)
		return ip->bytes[0] == 127;
	return ip->family == IP_V6 && memcmp(ip->bytes, one, sizeof(one)) == 0;
}

bool ip_is_link_local(const struct ip *ip)
{
	if (ip->family == IP_V4)
		return ip->bytes[0] == 169 && ip->bytes[1] == 254;
	return ip->family == IP_V6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool ip_is_unspecified(const struct ip *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

void ip_to_wire(const struct ip *ip, uint8_t bytes[IP_WIRE_SIZE])
{
	memset(bytes, 0, IP_WIRE_SIZE);
	if (ip->family == IP_V4) {
		memcpy(bytes, V4_MAPPED, sizeof(V4_MAPPED));
		memcpy(bytes + 12, ip->bytes, 4);
	} else if (ip->family == IP_V6) {
		memcpy(bytes, ip->bytes, 16);
	}
}

struct ip ip_from_wire(const uint8_t bytes[IP_WIRE_SIZE])
{
	static const uint8_t zero[IP_WIRE_SIZE];

	if (memcmp(bytes, zero, sizeof(zero)) == 0)
		return (struct ip){0};
	if (memcmp(bytes, V4_MAPPED, sizeof(V4_MAPPED)) == 0)
		return ip_from_v4(bytes + 12);
	return ip_from_v6(bytes);
}

struct ip ip_from_v4(const uint8_t bytes[4])
{
	struct ip ip = {.family = IP_V4};

	memcpy(ip.bytes, bytes, 4);
	return ip;
}

struct ip ip_from_v6(const uint8_t bytes[16])
{
	struct ip ip = {.family = IP_V6};

	memcpy(ip.bytes, bytes, 16);
	return ip;
}
