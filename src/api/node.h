/* SPDX-License-Identifier: ISC */
/*
 * node: what is behind an ha_node, private to this folder.
 *
 *   node.c      life: open, dispatch, stop, free; the descriptor
 *   groups.c    what is known of each group; worth, health and policy of the application
 *   events.c    events wait here until no step of the engine is under way
 *   requests.c  planned moves
 *   options.c   options to the text of a configuration
 *   embedded*.c in process: a driver with its engine, and the keeper
 *   child.c     ha-keeper as a child process
 *   attached*.c a connection to the daemon
 *   tell.c      what an engine reports, as events
 *
 * A node runs in one of two modes, embedded or attached, behind one table of functions.
 */
#ifndef HA_API_NODE_H
#define HA_API_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/time.h"
#include "wire/candidates.h"
#include "wire/control.h"
#include <ha/ha.h>

#define NODE_ERROR_SIZE  4096
#define NODE_TEXT_SIZE   256
#define NODE_EVENTS_MAX  1024 /* that wait; beyond, those that change no state are dropped */
#define NODE_REASON_SIZE 128

enum phase {
	PHASE_CLOSED,
	PHASE_OPEN,
	PHASE_ENDED, /* STOPPED waits or was told */
};

struct node_group {
	char name[NAME_SIZE];
	/* as told by events */
	enum ha_state state;
	uint64_t epoch;
	/* as the application wants it */
	int worth;
	bool unhealthy;
	char reason[NODE_REASON_SIZE];
	/* as the policy said last */
	int policy_worth;
	bool vetoed;
	/* as the engine or the daemon was told last */
	bool told;
	int told_worth;
	bool told_unhealthy, told_vetoed;
	char told_reason[NODE_REASON_SIZE];
};

struct queued_event {
	int kind, level, state, previous, error;
	uint64_t epoch;
	int64_t time_ms;
	size_t group; /* SIZE_MAX: none */
	char peer[NAME_SIZE], holder[NAME_SIZE], text[NODE_TEXT_SIZE];
};

/* What a group is worth on this node, for whoever decides. */
struct node_fitness {
	size_t group;
	uint16_t worth;
	bool impaired;
	bool ineligible;
	const char *reason; /* borrowed */
};

struct mode {
	/* Sets node_groups up and everything going. 0, or -errno with an error set. */
	int (*open)(ha_node *n, const struct ha_options *o);
	/* Does what is due in its descriptors. */
	void (*dispatch)(ha_node *n);
	void (*stop)(ha_node *n);
	void (*close)(ha_node *n);
	void (*tell)(ha_node *n, const struct node_fitness *fitness);
	int (*snapshot)(ha_node *n, char **ret_json);
	/* node_answered() follows. 0, or -errno with an error set. */
	int (*request)(ha_node *n, const struct control_request *r);
	/* The same for a group that goes to whom node_choose() says among those who could take it.
	 */
	int (*yield)(ha_node *n, const struct control_request *r);
	/* How often the policy is asked. */
	int64_t (*interval_ns)(const ha_node *n);
};

extern const struct mode EMBEDDED;
extern const struct mode ATTACHED;

struct ha_node {
	enum phase phase;
	int end_error;
	bool stopping, dispatching, free_wanted, end_told;
	const struct mode *mode;
	void *mode_state; /* owned by the mode */
	int poll_fd;      /* for the caller to wait for; -1 */
	int wake_fd;      /* readable while events wait */
	int policy_fd;    /* a timer: the policy is to be asked */
	bool policy_due_soon;
	ha_event_function event;
	ha_worth_function worth_of;
	ha_veto_function veto;
	ha_choose_function choose;
	void *context;
	char name[NAME_SIZE]; /* its own */
	size_t group_count;
	struct node_group *groups; /* owned */
	size_t event_first, event_count;
	struct queued_event *events; /* owned ring of NODE_EVENTS_MAX */
	char error[NODE_ERROR_SIZE];
};

/* Sets what ha_error() tells and returns @error. */
__attribute__((format(printf, 3, 4))) int node_fail(ha_node *n, int error, const char *format, ...);
/* Has the node's descriptor be readable when @fd is. 0 or -errno, with an error set. */
int node_watch(ha_node *n, int fd);
void node_unwatch(ha_node *n, int fd);
/* It is over: @error 0 after ha_stop(). STOPPED is told next. */
void node_end(ha_node *n, int error, const char *text);

/* groups.c */
int node_groups_set(ha_node *n, size_t count);
/* SIZE_MAX: there is none such. @name NULL: the first. */
size_t node_groups_find(const ha_node *n, const char *name);
/* The same for what the program asks of an open node: 0, or -errno with an error set. @n may be
 * NULL. */
int node_group_of(ha_node *n, const char *name, size_t *ret_group);
/* Asks the policy, and tells the mode what changed. */
void node_groups_review(ha_node *n);
/* The mode forgot what it was told. */
void node_groups_tell_again(ha_node *n);
/* The node is open: has the policy asked, or tells the mode what options and file say. */
void node_groups_start(ha_node *n);
void node_groups_policy_due(ha_node *n);

/* events.c */
struct queued_event *node_events_add(
	ha_node *n, int kind, int level, size_t group, const char *text);
/* Tells all that wait. False if the node was freed meanwhile, or shall be. */
void node_events_deliver(ha_node *n);

/* requests.c: to whom the program's own function gives @group; "" if it leaves that to the rules.
 */
void node_choose(ha_node *n, const char *group, const struct candidates *candidates,
	char ret_name[NAME_SIZE]);
/* What became of a request. @group: "" if it was not about one. */
void node_answered(ha_node *n, const char *group, enum control_outcome outcome, const char *text);

/* options.c: the text of a configuration, from whatever the options give, owned by the caller.
 * NULL with an error set; then *ret_r is -errno. */
char *node_options_text(ha_node *n, const struct ha_options *o, int *ret_r);

#endif
