/* SPDX-License-Identifier: ISC */
/*
 * draft: a configuration while it is being read: the value as far as it has come, and which line
 * said what, for messages. Used inside this room only: conf.c reads sections, keys.c fills in
 * values, check.c completes the whole and judges what needs more than one line to judge.
 */
#ifndef HA_CONF_DRAFT_H
#define HA_CONF_DRAFT_H

#include "conf/conf.h"
#include "conf/lines.h"

/* Longest "[section]" or "key=value", blanks around the = not counted. libinih, built for lines of
 * 200 bytes with CR, LF and zero, cuts longer ones in two without a word, and section names at 50
 * bytes. So longer lines never reach it, nor do sections. ha.conf(5) states this limit. */
#define STATEMENT_MAX  197
#define STATEMENT_SIZE (STATEMENT_MAX + 1)

enum section { SECTION_NONE, SECTION_NODE, SECTION_GROUP, SECTION_IGNORED };

/* In the order of the table in keys.c. */
enum key_index {
	KEY_NAME,
	KEY_CLUSTER,
	KEY_INTERFACE,
	KEY_INTERVAL,
	KEY_TOLERANCE,
	KEY_MAX_TOLERANCE,
	KEY_MARGIN,
	KEY_KEY_FILE,
	KEY_ACCEPT_KEY_FILE,
	KEY_PEER,
	KEY_MULTICAST,
	KEY_PORT,
	KEY_PROTOCOL,
	KEY_USER,
	KEY_HOOK_TIMEOUT,
	KEY_ON_CHANGE_STREAM,
	KEY_IPV4_AS,
	KEY_FENCE,
	KEY_REALTIME,
	KEY_REMOVED_LIMIT,
	KEY_REMOVED_WINDOW,
	KEY_ADDRESS,
	KEY_WORTH,
	KEY_POLICY,
	KEY_STANDBY,
	KEY_WHEN_ALL_FAIL,
	KEY_APPLICATION,
	KEY_CHECK,
	KEY_BEFORE_ACTIVE,
	KEY_BEFORE_ACTIVE_TIMEOUT,
	KEY_SETTLE,
	KEY_HOLD_DOWN,
	KEY_ON_CHANGE,
	KEY_ON_ACTIVE,
	KEY_ON_STANDBY,
	KEY_COUNT,
};

struct draft {
	struct conf conf;
	struct conf_diagnostics *diagnostics;
	struct lines lines;
	enum section section;
	unsigned line; /* what complaints are about unless they say otherwise */

	unsigned node_line; /* 0: no [node] yet */
	unsigned *group_line;
	/* Where each key of the current section stands (its first line); 0: nowhere. Those of
	 * [node] are kept to the end. */
	unsigned key_line[KEY_COUNT];
	bool key_full[KEY_COUNT]; /* more of them than possible: said once */
	bool groups_full;

	/* Devices are numbered at the end, when all of [node] is known, wherever it stands. */
	unsigned path_count;
	unsigned path_line[PATHS_MAX];
	char path_device[PATHS_MAX][DEVICE_SIZE];
	unsigned *address_line;
	unsigned *check_line;
	char (*address_device)[DEVICE_SIZE]; /* "": the default */
	unsigned peer_line[UNICAST_MAX];

	char *texts, *texts_end; /* room for texts that are kept, room.h */
};

/* Adds a diagnostic "what, what would be right" about the line that is being read. */
__attribute__((format(printf, 2, 3))) void draft_complain(struct draft *d, const char *format, ...);
/* The same about another line; 0: the file as a whole. */
__attribute__((format(printf, 3, 4))) void draft_complain_at(
	struct draft *d, unsigned line, const char *format, ...);

#endif
