/* SPDX-License-Identifier: ISC */
/*
 * attach: what a program and the daemon say to each other after {"command": "attach", "group":
 * "web"} on the control socket. The program then looks after that group: it sends a line each
 * interval, whether anything has changed or not, because a program that is silent for the tolerance
 * counts as hung. The daemon sends the status at once and whenever a line asks for it, and in
 * between each event as for `watch`.
 *
 * {"worth": 100, "impaired": false, "ineligible": false, "reason": "", "status": true}
 */
#ifndef HA_WIRE_ATTACH_H
#define HA_WIRE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATTACH_REASON_SIZE 128
#define ATTACH_LINE_MAX    1024

struct attach_line {
	uint16_t worth;
	bool impaired, ineligible;
	bool status; /* asks for it */
	char reason[ATTACH_REASON_SIZE];
};

/* Decodes one line (without its newline). False with a sentence in *@reterr (static) if it is none.
 */
bool attach_decode(
	const char *line, size_t size, struct attach_line *ret_line, const char **reterr);

/* Encodes it with its newline, terminated, into @line of ATTACH_LINE_MAX; returns its length, 0 if
 * memory ran out. */
size_t attach_encode(const struct attach_line *a, char *line);

#endif
