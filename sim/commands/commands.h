/* SPDX-License-Identifier: ISC */
/*
 * commands: what a word of a story does to the world. Each takes the words behind its name, and
 * answers false if they make no sense; command.c has the table.
 */
#ifndef HA_SIM_COMMANDS_H
#define HA_SIM_COMMANDS_H

#include <string.h>

#include "sim/world.h"

/* A command's words behind its name. */
struct words {
	char **list;
	size_t count;
};

static inline bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* "5ms". False if it is no time. */
bool words_duration(const char *text, int64_t *ret_ns);
/* "on" or "off". False if it is neither. */
bool words_switch(const char *text, bool *ret_on);

/* Something happens to @n that may make it give a group up. */
static inline void disturb(struct node *n)
{
	n->disturbed = true;
}

/* configuration.c */
bool command_node(struct world *w, struct words words);

/* nodes.c */
bool command_start(struct world *w, struct words words);
bool command_orphan(struct world *w, struct words words);
bool command_stop(struct world *w, struct words words);
bool command_kill(struct world *w, struct words words);
bool command_crash(struct world *w, struct words words);
bool command_replace(struct world *w, struct words words);
bool command_stall(struct world *w, struct words words);
bool command_freeze(struct world *w, struct words words);
bool command_late(struct world *w, struct words words);
bool command_drift(struct world *w, struct words words);
bool command_fence(struct world *w, struct words words);
bool command_configuration(struct world *w, struct words words);
bool command_reload(struct world *w, struct words words);
bool command_restarts(struct world *w, struct words words);
bool command_lifetimes(struct world *w, struct words words);
bool command_router(struct world *w, struct words words);
bool command_changes(struct world *w, struct words words);
bool command_device(struct world *w, struct words words);
bool command_restore(struct world *w, struct words words);
bool command_remove(struct world *w, struct words words);
bool command_refuse(struct world *w, struct words words);
bool command_mute(struct world *w, struct words words);
bool command_health(struct world *w, struct words words);
bool command_prepare(struct world *w, struct words words);
bool command_yield(struct world *w, struct words words);
bool command_drain(struct world *w, struct words words);
bool command_resume(struct world *w, struct words words);

/* lan.c */
bool command_cut(struct world *w, struct words words);
bool command_heal(struct world *w, struct words words);
bool command_stranger(struct world *w, struct words words);
bool command_remember(struct world *w, struct words words);
bool command_replay(struct world *w, struct words words);
bool command_forge(struct world *w, struct words words);
bool command_duplicates(struct world *w, struct words words);
bool command_loss(struct world *w, struct words words);
bool command_delay(struct world *w, struct words words);
bool command_jitter(struct world *w, struct words words);
bool command_client(struct world *w, struct words words);

/* tell.c */
bool command_steps(struct world *w, struct words words);
bool command_announcements(struct world *w, struct words words);
bool command_settled(struct world *w, struct words words);
bool command_who(struct world *w, struct words words);
bool command_drops(struct world *w, struct words words);

#endif
