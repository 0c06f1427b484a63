/* SPDX-License-Identifier: ISC */
/* The public header alone, as C99 and as C++ (header.cc includes this). */
#include <ha/ha.h>

int header_is_usable(void);

int header_is_usable(void)
{
	struct ha_options options = HA_OPTIONS_INIT;
	ha_node *node = ha_new();
	int r = ha_open(node, &options);

	ha_free(node);
	return r < 0 && ha_version()[0] != '\0';
}
