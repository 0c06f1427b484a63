/* SPDX-License-Identifier: ISC */
/*
 * take: what becomes of the value of a key: it is put where it belongs, or complained about. The
 * table of keys says which function is for which key.
 */
#ifndef HA_CONF_TAKE_H
#define HA_CONF_TAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/draft.h"

struct key {
	const char *name;
	enum section section;
	bool repeats;
	void (*take)(struct draft *d, const struct key *key, char *value);
	const char *example; /* of a value, for messages */
	/* Where numbers, durations and names go, in struct conf_node or struct conf_group. */
	size_t offset;
	int64_t minimum;
	int64_t maximum;
};

/* Where the value of @key goes. */
void *key_field(struct draft *d, const struct key *key);

/* The one that the lines are about now. */
struct conf_group *key_group(struct draft *d);

/* True, with a complaint at the first time, if there is no room for one more value of @key. */
bool key_has_no_room(struct draft *d, const struct key *key, unsigned count, unsigned maximum);

/* What any key may have. */
void take_name(struct draft *d, const struct key *key, char *value);
void take_number(struct draft *d, const struct key *key, char *value);
void take_duration(struct draft *d, const struct key *key, char *value);
void take_flag(struct draft *d, const struct key *key, char *value);
void take_key_file(struct draft *d, const struct key *key, char *value);

/* One of some words. */
void take_fence(struct draft *d, const struct key *key, char *value);
void take_protocol(struct draft *d, const struct key *key, char *value);
void take_ipv4_as(struct draft *d, const struct key *key, char *value);
void take_policy(struct draft *d, const struct key *key, char *value);
void take_standby(struct draft *d, const struct key *key, char *value);
void take_when_all_fail(struct draft *d, const struct key *key, char *value);
void take_application(struct draft *d, const struct key *key, char *value);

/* take_addresses.c */
void take_interface(struct draft *d, const struct key *key, char *value);
void take_peer(struct draft *d, const struct key *key, char *value);
void take_multicast(struct draft *d, const struct key *key, char *value);
void take_address(struct draft *d, const struct key *key, char *value);

/* take_programs.c */
void take_check(struct draft *d, const struct key *key, char *value);
void take_stream(struct draft *d, const struct key *key, char *value);
void take_before_active(struct draft *d, const struct key *key, char *value);
void take_on_change(struct draft *d, const struct key *key, char *value);
void take_on_active(struct draft *d, const struct key *key, char *value);
void take_on_standby(struct draft *d, const struct key *key, char *value);

#endif
