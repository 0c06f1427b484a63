/* SPDX-License-Identifier: ISC */
/*
 * ha: make a program highly available. It becomes a node of a cluster that shares IP addresses with
 * others; of the nodes that are alive, the worthiest one holds the addresses.
 *
 *	ha_node *node = ha_new();
 *	struct ha_options options = HA_OPTIONS_INIT;
 *
 *	options.interface = "eth0";
 *	options.address = "192.168.1.100/24";
 *	if (ha_open(node, &options) < 0)
 *		errx(1, "%s", ha_error(node));
 *	// wait until ha_fd(node) is readable, then ha_dispatch(node); or just:
 *	ha_run(node);
 *	ha_free(node);
 *
 * Two ways to run:
 *
 *  - in process: the node lives in this program. A small child process, ha-keeper, configures the
 *    addresses; it takes them down the moment this program dies, and when it hangs for longer than
 *    the tolerance. The program must be root or have CAP_NET_ADMIN and CAP_NET_RAW (and CAP_BPF and
 *    CAP_PERFMON for the fence in the kernel) during ha_open(); it may give them up then.
 *  - attached: the program joins the daemon of this machine (`ha run`) and needs no privilege. It
 *    looks after groups whose `application` in the daemon's configuration names its user or group:
 *    they are held here only while it lives, answers and is healthy.
 *
 * Rules for all functions. A node belongs to one thread at a time; different nodes are independent.
 * No function but ha_open(), ha_run() and ha_free() waits for anything. Nothing here touches
 * signals, prints, starts a thread or ends the process; ha_open() in process starts one child, for
 * whose end the program may see a SIGCHLD, which it can ignore. After fork() only the parent may
 * use its nodes. What returns `int` returns 0 or a negative errno value; then ha_error() tells
 *more. -EINVAL is misuse. Texts are UTF-8. Strings that are passed in are copied; those that come
 *out are the library's, valid until the next call about the same node unless it says otherwise.
 */
#ifndef HA_HA_H
#define HA_HA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version: 0.1.0 is 100. ha_version() is that of the library in use. */
#define HA_VERSION_NUMBER 100
const char *ha_version(void);

typedef struct ha_node ha_node;

enum ha_state {
	HA_STANDBY = 0,  /* another node holds the group, or nobody can */
	HA_ACTIVE = 1,   /* this node holds the group's addresses */
	HA_SHUTDOWN = 2, /* this node has left for good, or never was there */
};

enum ha_event_kind {
	HA_EVENT_STATE = 0,   /* group, state, previous, epoch, holder, text: why */
	HA_EVENT_HOLDER = 1,  /* another node holds the group now: group, peer, epoch, text */
	HA_EVENT_PEER = 2,    /* a node came, went or hears us no more: peer, text */
	HA_EVENT_FAULT = 3,   /* something is wrong; level and text say what */
	HA_EVENT_NOTICE = 4,  /* anything else worth a line in a log: level, text */
	HA_EVENT_STOPPED = 5, /* the last one: error is 0 after ha_stop(), else negative */
	HA_EVENT_ANSWER = 6, /* what became of ha_yield(), ha_drain() or ha_resume(): error 0: it is
			      * done; -ECANCELED: it was tried; -EBUSY: it is not possible now;
			      * -ENOENT: there is no such node or group. text says more */
};

/* As those of syslog(3). */
enum ha_level { HA_ERROR = 3, HA_WARNING = 4, HA_NOTICE = 5, HA_INFO = 6 };

struct ha_event {
	size_t size; /* of this structure, as the library knows it; later versions may append */
	int kind;    /* enum ha_event_kind */
	int level;   /* enum ha_level */
	int state;   /* enum ha_state */
	int previous;
	int error;
	const char *group;  /* "" if it is not about one */
	const char *peer;   /* "" if it is not about one */
	const char *holder; /* "" if nobody is known to hold it */
	const char *text;   /* a sentence for a person */
	/* Grows with every claim of the group by any node: give it to what you write to (a
	 * database, a disk), which refuses lower ones, and a former holder can do no harm. 0: none.
	 */
	uint64_t epoch;
	int64_t time_ms; /* wall clock, milliseconds since 1970 */
};

/* Told about everything that happens, in order, from within ha_dispatch() (or ha_run()). It may
 * call any function on @node, ha_free() included. @event and its strings last until it returns. */
typedef void (*ha_event_function)(ha_node *node, const struct ha_event *event, void *context);

/*
 * Policy of one's own. All are called from within ha_dispatch(), once an interval at most for each
 * group, and must answer from memory: while one thinks, no heartbeat is sent, and a node that is
 * late by its tolerance has lost its groups. Whatever they answer, never two nodes that hear each
 * other hold a group for that: they move it, they cannot split it.
 */

/* How worthy this node is to hold @group, 0 (not at all) to 65535; what is beyond is cut.
 * @configured is what options, file or ha_set_worth() say. */
typedef int (*ha_worth_function)(ha_node *node, const char *group, int configured, void *context);

/* Not 0: this node must not claim @group now, if it does not hold it already. */
typedef int (*ha_veto_function)(ha_node *node, const char *group, void *context);

struct ha_candidate {
	size_t size;
	const char *name;
	const char *address;
	uint64_t id;
	int worth;
};

/* To whom ha_yield() gives @group when its caller does not say: an index into @candidates, which
 * are the @count nodes that could take it; a negative number: to the worthiest. Attached, it is
 * asked when the daemon has told them, from ha_dispatch(). @size of each element is the distance to
 * the next one. */
typedef int (*ha_choose_function)(ha_node *node, const char *group,
	const struct ha_candidate *candidates, size_t count, void *context);

/* Zero means the default everywhere. Either `file`, or `text`, or the keys of one group. */
struct ha_options {
	size_t size;           /* sizeof(struct ha_options): HA_OPTIONS_INIT sets it */
	const char *file;      /* a configuration file, ha.conf(5) */
	const char *text;      /* the text of one */
	const char *interface; /* device of the heartbeats, "eth0" */
	const char
		*address;  /* shared addresses with prefix length, separated by commas or blanks */
	const char *group; /* its name; default "main" */
	const char *name;  /* this node's; default: the host's */
	const char
		*key_file; /* from `ha keygen`; default: none, heartbeats are not authenticated */
	const char *extra_node;  /* more lines for the section [node], ha.conf(5) */
	const char *extra_group; /* likewise for [group] */
	uint32_t interval_ms;    /* of heartbeats; default 100 */
	uint32_t tolerance_ms;   /* default 3.5 intervals */
	int32_t worth;           /* 1 to 65535, default 100 */
	int32_t attached;        /* 1: join the daemon of this machine; then only `group`,
				  * `runtime_dir` and the functions count */
	const char *runtime_dir; /* one for each keeper of a machine; default "/run/ha" */
	const char *keeper;      /* the program; default: the installed ha-keeper */
	ha_event_function event; /* any of these may be NULL */
	ha_worth_function worth_of;
	ha_veto_function veto;
	ha_choose_function choose;
	void *context; /* for all of them; never touched */
};
#define HA_OPTIONS_INIT                                                                            \
	{                                                                                          \
		sizeof(struct ha_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,   \
			0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL                       \
	}

/* A node that is not open; NULL if memory ran out. Owned by the caller: ha_free(). */
ha_node *ha_new(void);

/* Opens @node: checks the options (ha_error() then tells all mistakes, a line each), starts the
 * keeper or connects to the daemon. Waits for that, as a rule some ten milliseconds, ten seconds at
 * most. A node that failed to open may be opened again. -EINVAL: wrong options. -EPERM, -EACCES:
 * missing privileges. -EBUSY: the runtime folder is in use. -ENOENT: no keeper, no daemon. */
int ha_open(ha_node *node, const struct ha_options *options);

/* Leaves: gives groups that it still holds up at once, without a handover unless ha_stop() came
 * first, ends the keeper and frees everything. NULL is fine. Waits for the keeper's end, as a rule
 * a millisecond, two seconds at most. */
void ha_free(ha_node *node);

/* What went wrong last on @node; "" if nothing did. Never NULL. */
const char *ha_error(const ha_node *node);

/* A descriptor that is readable when ha_dispatch() has something to do; the same for as long as the
 * node is open; -1 if it is not. Only wait for it. */
int ha_fd(const ha_node *node);

/* Does what is due and tells events. Never waits. 0; 1 if the node has stopped; or what ended it.
 */
int ha_dispatch(ha_node *node);

/* ha_dispatch() whenever there is something to do, until the node stops: then 0, or what ended it.
 */
int ha_run(ha_node *node);

/* Leaves politely: groups go to other nodes first. HA_EVENT_STOPPED follows; keep dispatching. */
int ha_stop(ha_node *node);

/* @group: NULL stands for the first, and mostly only, one everywhere. -ENOENT: there is none such.
 */

/* Sets the worth, 0 to 65535, from now on. */
int ha_set_worth(ha_node *node, const char *group, int worth);

/* Whether the service behind the addresses works. One that does not keeps this node from holding
 * the group as long as a healthy one can. @reason: a few words for people, shown by `ha status`, or
 * NULL. */
int ha_set_health(ha_node *node, const char *group, int healthy, const char *reason);

/* HA_STANDBY, HA_ACTIVE or HA_SHUTDOWN as last told by an event; HA_SHUTDOWN before ha_open() and
 * if there is no such group. */
enum ha_state ha_group_state(const ha_node *node, const char *group);
/* The epoch of the last claim of this node that was told; 0: none. */
uint64_t ha_group_epoch(const ha_node *node, const char *group);
/* The name of the @index-th group, NULL if there are not so many; valid until ha_free(). */
const char *ha_group_name(const ha_node *node, size_t index);

/*
 * Planned moves, which lose nothing. Each is begun at once and decided later: HA_EVENT_ANSWER
 * tells.
 *
 * ha_yield() hands @group over to the node called @to; NULL: to whom the program's `choose` says,
 * else to the worthiest. This node then ranks last for the group until ha_resume(). With the policy
 * `worthiest` only the worthiest of the others can be @to. ha_drain() hands all groups over and
 * takes none; @force lets go of what nobody takes, too. ha_resume() ends both; @group: only its
 * yield; NULL: all. Attached, these are requests to the daemon, and one can be under way: -EBUSY.
 */
int ha_yield(ha_node *node, const char *group, const char *to);
int ha_drain(ha_node *node, int force);
int ha_resume(ha_node *node, const char *group);

/* Everything that `ha status --json` shows, as one line of JSON in *@ret_json. Owned by the caller:
 * free(). Attached, it is what the daemon said last. */
int ha_snapshot(ha_node *node, char **ret_json);

#ifdef __cplusplus
}
#endif

#endif
