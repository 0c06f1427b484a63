/* SPDX-License-Identifier: ISC */
/*
 * history: the changes of state of a node as lines of JSON in a file of the state folder. A line is
 * an event as `ha watch --json` shows it, with the node's name; or {"lost": N}, where N of them are
 * missing. The daemon writes it (daemon/history.c), `ha history` and the exporter read it.
 */
#ifndef HA_WIRE_HISTORY_H
#define HA_WIRE_HISTORY_H

#include <stdint.h>

#include <jansson.h>

#include "wire/report.h"

#define HISTORY_FILE        "history.jsonl"
#define HISTORY_FILE_BEFORE "history.1.jsonl" /* the one before, when the present one was full */
#define HISTORY_LINES_MAX   1000              /* of each */
#define HISTORY_LINE_MAX    2048              /* bytes; what a pipe takes at once is more */

/* As report_to_json(), with "node". */
json_t *history_to_json(const struct report *r, int64_t wall_ms, const char *node);

#endif
