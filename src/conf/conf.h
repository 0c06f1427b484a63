/* SPDX-License-Identifier: ISC */
/*
 * conf: text in, a checked configuration value and all diagnostics out. Opens no file, looks
 * nothing up, changes nothing: whoever has the bytes (the keeper, the engine, `ha check-config`, a
 * test) gets the same value from the same bytes, so that an index into it means the same on both
 * sides of the privilege border.
 *
 * The syntax is INI (libinih): sections `[node]` once and `[group NAME]` for each group; `key =
 * value`; comments begin with # or ;. ha.conf(5) is the manual of every key.
 */
#ifndef HA_CONF_CONF_H
#define HA_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/limits.h"
#include "base/lookup.h"

#define CONF_PORT      5555
#define CONF_MULTICAST "239.2.3.4"
/* Where the original program speaks; nothing of it can be configured. */
#define CONF_ORIGINAL_PORT      5555
#define CONF_ORIGINAL_MULTICAST "239.2.3.4"
#define CONF_CLUSTER            "ha"
#define CONF_GROUP              "main"
#define CONF_WORTH              100
#define CONF_INTERVAL_NS        INT64_C(100000000)   /* 100 ms */
#define CONF_INTERVAL_MIN_NS    INT64_C(5000000)     /* 5 ms */
#define CONF_INTERVAL_MAX_NS    INT64_C(60000000000) /* 60 s */
#define CONF_TOLERANCE_MAX_NS   INT64_C(10000000000) /* 10 s: the bound of rule R2 */
#define CONF_MARGIN_MIN_NS      INT64_C(3000000)     /* 3 ms */
#define CONF_BEFORE_TIMEOUT_NS  INT64_C(10000000000) /* 10 s */
#define CONF_HOOK_TIMEOUT_NS    INT64_C(30000000000) /* 30 s */
#define CONF_CHECK_INTERVAL_NS  INT64_C(1000000000)  /* 1 s */
#define CONF_CHECK_TIMEOUT_NS   INT64_C(1000000000)  /* 1 s */
#define CONF_CHECK_DAMPING_NS   INT64_C(30000000000) /* 30 s */
#define CONF_CHECK_RISE         2
#define CONF_CHECK_FALL         3
#define CONF_HOLD_DOWN_NS       INT64_C(30000000000) /* 30 s */
#define CONF_REMOVALS_LIMIT     5
#define CONF_REMOVALS_LIMIT_MAX 32                   /* so many are remembered for each address */
#define CONF_REMOVALS_WINDOW_NS INT64_C(10000000000) /* 10 s */

enum conf_policy { CONF_POLICY_WORTHIEST, CONF_POLICY_STICKY, CONF_POLICIES };

/* How shared IPv4 addresses go into the kernel. */
enum conf_ipv4_as {
	CONF_IPV4_AS_AUTO, /* as local routes if a device has more than CONF_IPV4_AS_ADDRESSES */
	CONF_IPV4_AS_ADDRESS,
	CONF_IPV4_AS_ROUTE,
};
#define CONF_IPV4_AS_ADDRESSES 256
/* "auto", "address", "route". */
extern const char *const CONF_IPV4_AS_NAMES[CONF_IPV4_AS_ROUTE + 1];

enum conf_hook {
	CONF_HOOK_CHANGE,
	CONF_HOOK_ACTIVE,
	CONF_HOOK_STANDBY,
	CONF_HOOK_BEFORE,
	CONF_HOOK_KINDS
};

enum conf_check_kind {
	CONF_CHECK_TCP,       /* target: host, port */
	CONF_CHECK_HTTP,      /* target: URL, status, text */
	CONF_CHECK_EXEC,      /* target: program and arguments, one blank between them */
	CONF_CHECK_PROCESS,   /* target: its name, or the path of its pidfile */
	CONF_CHECK_FILE,      /* target: path, is_worth */
	CONF_CHECK_INTERFACE, /* target: device */
	CONF_CHECK_GATEWAY,
	CONF_CHECK_ARP,   /* ip */
	CONF_CHECK_ROUTE, /* ip, IP_NONE: the default route of either family; prefix_length */
	CONF_CHECK_GROUP, /* target: its name; follows */
	CONF_CHECK_KINDS
};

/* A health check of one group. Index 0..check_count-1 names it to the process that carries it out
 * and to the keeper. */
struct conf_check {
	uint16_t group;
	enum conf_check_kind kind;
	const char *name;   /* for people; NULL: what conf_check_describe() says */
	const char *target; /* texts stand in conf.texts */
	const char *text;   /* that an answer must contain; NULL: any */
	uint16_t port;
	uint16_t status_low, status_high;
	struct ip ip;
	uint8_t prefix_length;
	bool is_worth;    /* what it reads is the worth */
	uint16_t follows; /* index of a group */
	uint16_t lower;   /* lowers the worth by so much when it fails; 0: the node is impaired */
	uint16_t rise, fall;
	int64_t interval_ns, timeout_ns, damping_ns;
};

/* A network device that the configuration names, for heartbeats, for addresses or for both. */
struct conf_device {
	char name[DEVICE_SIZE];
	bool path; /* carries heartbeats */
};

/* One shared address. Index 0..address_count-1 names it across the keeper's channel. */
struct conf_address {
	struct ip ip;
	uint8_t prefix_length; /* as written; 32 or 128 if none was */
	uint8_t device;        /* index into devices */
	uint16_t group;        /* index into groups */
};

struct conf_group {
	char name[NAME_SIZE];
	uint32_t id; /* id_from_name(name); unique in one configuration, never 0 */
	uint16_t worth;
	enum conf_policy policy;
	bool warm; /* not held, its addresses stay configured behind the fence of the kernel */
	const char *application;    /* user or group whose program looks after the group, in
				       conf.texts; NULL: none does */
	bool release_when_all_fail; /* else the least bad node keeps it */
	uint16_t address_first;     /* the group's addresses are contiguous */
	uint16_t address_count;     /* at least 1 */
	uint16_t check_first;       /* likewise */
	uint16_t check_count;
	int64_t settle_ns;    /* well for so long before it takes over by its rank; 0: at once */
	int64_t hold_down_ns; /* at least so long when it has lost the group again and again */
	int64_t before_active_timeout_ns;
	uint8_t hook_count[CONF_HOOK_KINDS];
	/* Program and arguments, split at blanks; below COMMAND_SIZE, in conf.texts. */
	const char *hook[CONF_HOOK_KINDS][HOOKS_MAX];
};

/* What keeps this host from answering when its lease has passed; in this order, by default the
 * first that is possible. */
enum conf_fence {
	CONF_FENCE_AUTO,
	CONF_FENCE_BPF,
	CONF_FENCE_NFTABLES,
	CONF_FENCE_LIFETIME,
	CONF_FENCE_WATCHDOG,
};

struct conf_node {
	char name[NAME_SIZE];
	char cluster[NAME_SIZE];
	uint32_t cluster_tag;    /* id_from_name(cluster) */
	uint8_t path_count;      /* at least 1 */
	uint8_t path[PATHS_MAX]; /* indices into devices, in the order written; the first address of
				    the first one is the node's real address */
	int64_t interval_ns;
	int64_t tolerance_ns;     /* at least 2 intervals; default 3.5 */
	int64_t max_tolerance_ns; /* no peer's announced tolerance counts for more (R2); at least
				     ours */
	int64_t margin_ns;   /* default max(3 ms, tolerance / 32); below tolerance - interval */
	bool original;       /* nodes of the original program share the group: engine/original.h */
	struct ip multicast; /* IP_NONE: none */
	uint16_t port;
	uint8_t peer_count;
	struct ip peer[UNICAST_MAX];
	char key_file[PATH_SIZE];        /* "": none */
	char accept_key_file[PATH_SIZE]; /* accepted as well, never signed with; "": none */
	char user[NAME_SIZE];            /* whom the engine runs as; "": the packaged default */
	int64_t hook_timeout_ns;
	char on_change_stream[COMMAND_SIZE]; /* program and arguments; "": none */
	enum conf_ipv4_as ipv4_as;
	enum conf_fence fence;
	bool realtime;              /* run with real-time priority where that is permitted */
	uint16_t removals_limit;    /* an address taken away this often ... */
	int64_t removals_window_ns; /* ... in this time makes the node step down */
};

struct conf {
	struct conf_node node;
	uint8_t device_count;
	struct conf_device devices[DEVICES_MAX];
	uint16_t group_count;
	struct conf_group *groups;
	uint16_t address_count;
	struct conf_address *addresses;
	uint16_t check_count;
	struct conf_check *checks;
	/* What these stand in, with the texts they point to. */
	void *memory;
	struct lookup groups_by_id, addresses_by_ip;
};

/* What a diagnostic is about. Line 0: the file as a whole. */
#define CONF_DIAGNOSTICS_MAX 64
#define CONF_MESSAGE_SIZE    256
struct conf_diagnostic {
	unsigned line;
	char message[CONF_MESSAGE_SIZE]; /* "what, what would be right", no final newline */
};

struct conf_diagnostics {
	size_t count;                                      /* of those kept in list */
	size_t omitted;                                    /* further ones */
	struct conf_diagnostic list[CONF_DIAGNOSTICS_MAX]; /* in the order of the lines */
};

/**
 * conf_parse - text to a checked configuration
 * @text:      @size bytes, need not be terminated; borrowed
 * @hostname:  default of `name` in [node]; borrowed
 * @ret_conf:  set on success only; conf_free() gives its memory back
 * @reterr:    every mistake of the text, not just the first; empty on success
 *
 * Return: true if there was no mistake.
 */
bool conf_parse(const char *text, size_t size, const char *hostname, struct conf *ret_conf,
	struct conf_diagnostics *reterr);

/* Gives the memory of what conf_parse() has set back; fine for NULL, and for one that is all zero.
 */
void conf_free(struct conf *c);

/* "worthiest", "sticky". */
const char *conf_policy_name(enum conf_policy policy);

/* The index of the group called @name, of that with the id @id, of the address @ip; or -1. They
 * take the same time however many there are. */
/* "auto", "bpf", ...: as in ha.conf(5). */
const char *conf_fence_name(enum conf_fence fence);
int conf_group_by_name(const struct conf *c, const char *name);
int conf_group_by_id(const struct conf *c, uint32_t id);
int conf_address_by_ip(const struct conf *c, const struct ip *ip);

/* What a check is called: its name, or its kind and target. */
void conf_check_describe(const struct conf_check *c, char *buffer, size_t size);
/* By ha-checker; else by the engine and the keeper. */
bool conf_check_is_carried_out_apart(enum conf_check_kind kind);
/* "tcp", ... */
const char *conf_check_kind_name(enum conf_check_kind kind);

/**
 * conf_print - a configuration as text that conf_parse() turns into an equal value
 * @buffer: at least CONF_TEXT_MAX bytes, which is also the longest text that anybody reads
 *
 * Return: the length of the text.
 */
#define CONF_TEXT_MAX (4 * 1024 * 1024)
size_t conf_print(const struct conf *c, char *buffer, size_t size);

/**
 * conf_key_decode - the text of a key file (64 hexadecimal digits, as `ha keygen` writes; white
 * space around them is skipped) to the 32 bytes of the key
 *
 * Return: false, with *@ret_key untouched, if it is anything else.
 */
#define CONF_KEY_SIZE 32
bool conf_key_decode(const char *text, size_t size, uint8_t ret_key[CONF_KEY_SIZE]);

#endif
