/* SPDX-License-Identifier: ISC */
#include "cli/demo/cast.h"

#include <stddef.h>

const struct host CAST[HOSTS] = {
	[ALPHA] = {"alpha", "192.168.1.11", "fd00::11", "200"},
	[BETA] = {"beta", "192.168.1.12", "fd00::12", "150"},
	[GAMMA] = {"gamma", "192.168.1.13", "fd00::13", "100"},
	[CLIENT] = {"client", "192.168.1.50", "fd00::50", NULL},
};
