/* SPDX-License-Identifier: ISC */
#include "conf/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "base/word.h"

/* So that fraction * unit stays far below 2^63, and finer than any timer. */
#define DECIMALS_MAX 6

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* Reads the digits at *@at and moves it behind them. Saturates. */
static uint64_t take_digits(const char **at)
{
	uint64_t number = 0;

	for (; is_digit(**at); (*at)++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, (uint64_t)(**at - '0'), &number))
			number = UINT64_MAX;
	}
	return number;
}

bool value_number(const char *text, uint64_t *ret_number)
{
	const char *at = text;
	uint64_t number = take_digits(&at);

	if (at == text || *at != '\0')
		return false;
	*ret_number = number;
	return true;
}

/* The length of a unit of time in nanoseconds; 0 if there is no such unit. */
static int64_t unit_length(const char *unit)
{
	static const struct {
		char name[4];
		int64_t ns;
	} units[] = {{"us", NS_PER_US}, {"ms", NS_PER_MS}, {"s", NS_PER_S}, {"min", 60 * NS_PER_S}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].name) == 0)
			return units[i].ns;
	}
	return 0;
}

enum duration_flaw value_duration(const char *text, int64_t *ret_ns)
{
	const char *at = text, *decimals = "";
	uint64_t whole, fraction = 0;
	int64_t unit, scale = 1, ns;
	size_t decimal_count = 0;

	whole = take_digits(&at);
	if (at == text)
		return DURATION_NO_NUMBER;
	if (*at == '.') {
		decimals = ++at;
		fraction = take_digits(&at);
		decimal_count = (size_t)(at - decimals);
		if (decimal_count == 0)
			return DURATION_NO_NUMBER;
	}
	while (*at == ' ' || *at == '\t')
		at++;
	unit = unit_length(at);
	if (unit == 0)
		return *at ? DURATION_UNKNOWN_UNIT : DURATION_NO_UNIT;
	if (decimal_count > DECIMALS_MAX)
		return DURATION_TOO_FINE;
	for (size_t i = 0; i < decimal_count; i++)
		scale *= 10;
	if (__builtin_mul_overflow(whole, unit, &ns) ||
		__builtin_add_overflow(ns, (int64_t)fraction * unit / scale, &ns))
		ns = INT64_MAX;
	*ret_ns = ns;
	return DURATION_GOOD;
}

struct duration_text duration_format(int64_t ns)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", NS_PER_US}};
	struct duration_text t;

	assert(ns >= 0);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns % units[i].ns == 0) {
			(void)snprintf(t.text, sizeof(t.text), "%" PRId64 "%s", ns / units[i].ns,
				units[i].name);
			return t;
		}
	}
	(void)snprintf(t.text, sizeof(t.text), "%" PRId64 ".%03" PRId64 "us", ns / NS_PER_US,
		ns % NS_PER_US);
	return t;
}

bool value_is_name(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= NAME_SIZE)
		return false;
	for (size_t i = 0; i < length; i++) {
		char byte = lower(text[i]);

		if (!is_digit(byte) && !(byte >= 'a' && byte <= 'z') && byte != '.' &&
			byte != '_' && byte != '-')
			return false;
	}
	return true;
}

bool value_is_device(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length >= DEVICE_SIZE)
		return false;
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	/* Behind a blank it would be a comment, or be taken for one. */
	if (text[0] == '#' || text[0] == ';')
		return false;
	return strpbrk(text, "/: \t") == NULL;
}

char *value_word(char **cursor)
{
	char *word = *cursor + strspn(*cursor, " \t");
	size_t length = strcspn(word, " \t");

	if (length == 0)
		return NULL;
	*cursor = word + length;
	if (**cursor)
		*(*cursor)++ = '\0';
	return word;
}

bool value_is_mapped(const struct ip *ip)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return ip->family == IP_V6 && memcmp(ip->bytes, prefix, sizeof(prefix)) == 0;
}

bool value_host_bits_are(const struct ip *ip, unsigned prefix_length, bool bit)
{
	for (unsigned i = prefix_length; i < ip_bits(ip); i++) {
		bool is_set = ip->bytes[i / 8] >> (7 - i % 8) & 1;

		if (is_set != bit)
			return false;
	}
	return true;
}

struct ip_text value_ip_text(const struct ip *ip)
{
	struct ip_text t;

	(void)ip_format(ip, t.text);
	return t;
}

bool value_is_near(const char *word, const char *known)
{
	return word_distance(word, known) <= 1 + strlen(known) / 5;
}
