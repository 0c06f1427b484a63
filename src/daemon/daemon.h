/* SPDX-License-Identifier: ISC */
/*
 * daemon: had, the engine's process. It has no privileges: the keeper started it with everything it
 * needs already open (wire/handoff.h). The engine lives in a driver (src/driver); this folder is
 * what a daemon adds to it. It decides nothing.
 *
 *   main.c       set-up, the loop, what the driver tells
 *   control.*    the control socket: status, watch, requests; with client.c and slices.c
 *   attach.c     programs that look after groups
 *   answer.c     what it answers, as JSON
 *   hooks.c      commands run on changes of state
 *   stream.c     the one that stays and reads them
 *   checks.c     what health checks say
 *   neighbours.c those of them that ask neighbours, by the keeper
 *   history.c    changes of state, kept in the state folder
 *   handoff.c    what the keeper handed over
 *   confine.c    the system calls that are left
 */
#ifndef HA_DAEMON_DAEMON_H
#define HA_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "conf/conf.h"
#include "engine/engine.h"
#include "wire/lease.h"
#include "wire/verdict.h"

struct daemon;

/* Brings one event to the engine and carries out what it answers. */
void daemon_event(struct daemon *d, const struct engine_event *event);
/* The status in parts: all but the groups, with room for those (status_done()), false if memory ran
 * out; then each of @s->group_count. */
bool daemon_status_begin(struct daemon *d, struct status *ret_status);
void daemon_status_group(struct daemon *d, size_t group, struct status *s);
/* Logs why and ends the process; the keeper then takes the addresses down. */
_Noreturn __attribute__((format(printf, 1, 2))) void daemon_fail(const char *format, ...);

/* Gives up the system calls that are not needed any more. */
void confine_engine(const struct conf *conf);

/* Programs that look after groups. */
struct attach *daemon_attach(struct daemon *d);

struct control;

/* Serves the listening socket @fd. Owned by the process. */
struct control *control_open(struct daemon *d, int fd, uv_loop_t *loop);
/* To whoever asked, if he still waits. */
void control_answer(struct control *c, const struct engine_answer *answer);
/* Tells everybody who watches. */
void control_report(struct control *c, const struct report *r, int64_t wall_ms);
/* Tells them at once what they are still to be told: the process ends. */
void control_finish(struct control *c);

struct history;

/* Starts the history's writer with the state folder, which it takes. First of all: the writer has
 * what this process has then. */
struct history *history_open(int folder);
/* Where to count what it could not hold; borrowed. */
void history_count_in(struct history *h, struct metrics *metrics);
/* Keeps @r if it is a change of state; never waits. */
void history_add(struct history *h, const char *node, const struct report *r, int64_t wall_ms);
/* Waits a moment until the writer has written the last of it. */
void history_finish(struct history *h);

enum health_judge { HEALTH_OF_CHECKS, HEALTH_OF_APPLICATION, HEALTH_JUDGES };
/* What one of them makes of a group; the engine is told what all of them make of it. */
void daemon_health(struct daemon *d, enum health_judge judge, const struct engine_health *health);
/* Logs it and tells everybody who watches, as if the engine had said it. */
void daemon_report(struct daemon *d, const struct report *r);
__attribute__((format(printf, 3, 4))) void daemon_told(
	struct daemon *d, enum report_level level, const char *format, ...);
const struct engine *daemon_engine(const struct daemon *d);
/* Where what the daemon does itself is counted. */
struct metrics *daemon_metrics(struct daemon *d);

struct daemon_checks;

struct daemon_checks *checks_open(struct daemon *d, const struct conf *conf, uv_loop_t *loop);
/* When the engine has started. */
void checks_start(struct daemon_checks *c);
/* A word on a check that is not ha-checker's. */
void checks_hear(struct daemon_checks *c, const struct verdict *v);
/* Sees to the checks that follow another group; after whatever may have moved one. */
void checks_follow(struct daemon_checks *c);
/* Adds them to a status. */
bool checks_status(const struct daemon_checks *c, struct status *s);

struct stream;

/* NULL if there is none in the configuration, which the others take. */
struct stream *stream_open(
	struct daemon *d, const struct conf *conf, struct metrics *metrics, uv_loop_t *loop);
/* When the engine has started. */
void stream_start(struct stream *s);
void stream_change(struct stream *s, const struct engine_hook *hook);

struct neighbours;

struct neighbours *neighbours_open(
	struct daemon *d, struct daemon_checks *checks, const struct conf *conf, uv_loop_t *loop);
void neighbours_start(struct neighbours *all);
/* One of the neighbours that a check is about has answered. */
void neighbours_answered(struct neighbours *all, size_t index);
/* Has the keeper ask them. */
void daemon_ask(struct daemon *d, size_t check);

/* Whether this node is drained, in the folder @folder (borrowed). -1 if that cannot be kept. */
int drained_open(int folder);
bool drained_read(int fd);
bool drained_write(int fd, bool drained);

struct hooks;

/* @metrics: where hooks are counted; borrowed for the process's life. */
struct hooks *hooks_open(
	struct daemon *d, const struct conf *conf, struct metrics *metrics, uv_loop_t *loop);
void hooks_run(struct hooks *h, const struct engine_hook *hook);
/* Whether no command runs or waits. */
bool hooks_are_idle(const struct hooks *h);
/* The node stops: commands for its last changes may still run for a moment, and are killed then, so
 * that none stays behind. Calling it again changes nothing. */
void hooks_finish(struct hooks *h);

/* What the keeper handed over: parsed, mapped, checked; ends the process if anything is missing. */
struct handoff_values {
	struct conf *conf; /* owned */
	struct heartbeat_key key;
	struct lease_page *lease;
};
void handoff_take(struct handoff_values *ret_values);
/* Waits until the keeper says that it is time: the engine before may still be at work. The size of
 * the record that it has left; 0: none. */
size_t handoff_wait(void);

#endif
