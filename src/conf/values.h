/* SPDX-License-Identifier: ISC */
/*
 * values: the text of single values (numbers, times, names, addresses) to their meaning and back.
 * What a value may be in its place is for the table of keys to say.
 */
#ifndef HA_CONF_VALUES_H
#define HA_CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"

/* A decimal number without sign. Saturates at UINT64_MAX. False if it is anything else. */
bool value_number(const char *text, uint64_t *ret_number);

enum duration_flaw {
	DURATION_GOOD,
	DURATION_NO_NUMBER,    /* it does not begin with a number */
	DURATION_NO_UNIT,      /* a number alone */
	DURATION_UNKNOWN_UNIT, /* something else follows the number */
	DURATION_TOO_FINE,     /* more than 6 decimals */
};

/* "100ms", "1.5 s": a number and its unit, us, ms, s or min. Saturates at INT64_MAX. *@ret_ns is
 * set if it is good. */
enum duration_flaw value_duration(const char *text, int64_t *ret_ns);

/* A duration as value_duration() reads it, exact to the nanosecond, in the largest unit of us, ms
 * and s that needs no decimals. */
struct duration_text {
	char text[32];
};
struct duration_text duration_format(int64_t ns);

/* 1 to 63 letters, digits, dots, underscores and hyphens: what names nodes, groups and users. */
bool value_is_name(const char *text);

/* A name that the kernel gives to a network device (dev_valid_name() in net/core/dev.c). */
bool value_is_device(const char *text);

/* Takes the next word off *@cursor (which is cut up), or returns NULL at the end. */
char *value_word(char **cursor);

/* True if @ip is an IPv6 address that stands for an IPv4 one, ::ffff:0:0/96 (RFC 4291 section
 * 2.5.5.2). On the wire it would be taken for that. */
bool value_is_mapped(const struct ip *ip);

/* True if all bits of @ip behind the first @prefix_length are @bit. */
bool value_host_bits_are(const struct ip *ip, unsigned prefix_length, bool bit);

struct ip_text {
	char text[IP_TEXT_SIZE];
};
struct ip_text value_ip_text(const struct ip *ip);

/* True if somebody who wrote @word may have meant @known. */
bool value_is_near(const char *word, const char *known);

#endif
