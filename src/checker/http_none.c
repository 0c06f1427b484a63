/* SPDX-License-Identifier: ISC */
/* Built without libcurl. */
#include "checker/checker.h"

static void begin(struct probe *p)
{
	probe_answer(p, "this ha was built without libcurl", true);
}

const struct probe_kind PROBE_HTTP = {.begin = begin};
