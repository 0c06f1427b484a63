/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "conf/conf.h"

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The value of a hexadecimal digit, or -1. */
static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool conf_key_decode(const char *text, size_t size, uint8_t ret_key[CONF_KEY_SIZE])
{
	uint8_t key[CONF_KEY_SIZE];

	while (size > 0 && is_space(text[size - 1]))
		size--;
	while (size > 0 && is_space(text[0])) {
		text++;
		size--;
	}
	if (size != 2 * sizeof(key))
		return false;
	for (size_t i = 0; i < sizeof(key); i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(ret_key, key, sizeof(key));
	return true;
}
