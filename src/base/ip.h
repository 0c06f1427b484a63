/* SPDX-License-Identifier: ISC */
/*
 * ip: an IPv4 or IPv6 address as a value. Bytes are in network order; an IPv4 address uses the
 * first four and keeps the rest zero, so that two equal addresses are equal byte for byte.
 */
#ifndef HA_BASE_IP_H
#define HA_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */
#define IP_WIRE_SIZE 16 /* IPv4 as ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2 */

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
	uint8_t family; /* enum ip_family */
	uint8_t bytes[16];
};

/* Parses dotted or colon notation without prefix length or zone. False and *@ret_ip untouched if it
 * is neither. */
bool ip_parse(const char *text, struct ip *ret_ip);

/* Writes @ip as text into @buffer of IP_TEXT_SIZE and returns it; "-" for IP_NONE. */
const char *ip_format(const struct ip *ip, char *buffer);

/* Numerical order: IPv4 before IPv6, then byte by byte. Negative, 0 or positive. */
int ip_compare(const struct ip *a, const struct ip *b);
bool ip_equal(const struct ip *a, const struct ip *b);

/* For tables: equal addresses have the same one. */
uint64_t ip_hash(const struct ip *ip);

/* 32 or 128. */
unsigned ip_bits(const struct ip *ip);
/* True if the first @length bits of both are the same and they are of one family. */
bool ip_same_prefix(const struct ip *a, const struct ip *b, unsigned length);
bool ip_is_multicast(const struct ip *ip);
bool ip_is_loopback(const struct ip *ip);
bool ip_is_link_local(const struct ip *ip);
/* 0.0.0.0 or ::, also for IP_NONE. */
bool ip_is_unspecified(const struct ip *ip);

/* To and from IP_WIRE_SIZE bytes; all zero is IP_NONE. */
void ip_to_wire(const struct ip *ip, uint8_t bytes[IP_WIRE_SIZE]);
struct ip ip_from_wire(const uint8_t bytes[IP_WIRE_SIZE]);

struct ip ip_from_v4(const uint8_t bytes[4]);
struct ip ip_from_v6(const uint8_t bytes[16]);

#endif
