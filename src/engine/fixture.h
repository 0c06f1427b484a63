/* SPDX-License-Identifier: ISC */
/*
 * fixture: one engine under test, with models of its keeper and of its network that answer at once,
 * and a clock that moves only in run_ms(). Each *_test.c of this folder that includes it is one
 * program with one engine: tests are wrapped in TEST() and start with begin() or become_active().
 */
#ifndef HA_ENGINE_FIXTURE_H
#define HA_ENGINE_FIXTURE_H

#include "engine/engine.h"

#define START_NS  (3600 * NS_PER_S)
#define OWN_ID    UINT64_C(0xa1)
#define OWN_NONCE UINT64_C(0xb2)
#define ONE_GROUP                                                                                  \
	"[node]\nname = alpha\ninterface = eth0\n"                                                 \
	"[group web]\naddress = 192.168.1.100/24\n"
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

extern const uint8_t OWN_MAC[MAC_SIZE];   /* of each device of this node */
extern const uint8_t OTHER_MAC[MAC_SIZE]; /* of another host */

extern struct conf conf;
extern struct heartbeat_key no_key;
extern struct engine *engine;
extern int64_t now_ns;
extern struct status status; /* of the last engine_status(), with room for what is configured */

/* What came out since the last forget(). */
extern struct effect log_list[];
extern size_t log_count;
extern size_t most_effects; /* of one step; nobody but the test sets it back */
extern struct heartbeat last_sent, last_will;

/* How the models behave; begin() sets all of them. */
extern bool keeper_answers, sending_works, sending_is_answered;

/* --- running it */

/* A fresh engine with the configuration @text, at START_NS, which knows no device yet. */
void begin(const char *text);
/* The engine holds `web` of ONE_GROUP, alone; nothing is in the log. */
void become_active(void);
int tear_down(void **state);
/* One step at now_ns; what follows from its effects happens before this returns. */
void step(const struct engine_event *event);
/* Lets time pass, with a step at each deadline. */
void run_ms(int64_t duration_ms);

/* --- telling it */

/* The device at @index is there; @address, or NULL, is its own. */
void tell_device(size_t index, bool up, bool carrier, const char *address);
void tell_health(uint16_t worth, bool impaired, bool ineligible);
/* The keeper names the neighbour @address, at the place @second, for the first shared address. */
void tell_target(size_t second, const char *address);
void keeper_says(enum channel_verb verb, size_t index, size_t second, uint64_t number);
/* An ARP reply of @mac, which says that it has @sender, to @target; short of @cut octets. */
void hear_arp(const uint8_t mac[MAC_SIZE], const char *sender, const char *target, size_t cut);

/* --- other nodes */

/* A heartbeat of the node @id, beta, which names our present boot and our last datagram. */
struct heartbeat peer_heartbeat(uint64_t id, uint64_t sequence);
void hear(const struct heartbeat *h);
/* @interface_index: of the interface by which it comes; 0 is none that is known. */
void hear_by(uint32_t interface_index, const struct heartbeat *h);
/* beta hears us (and @other, if not 0), and says that it is in @state. */
void hear_beta(uint64_t sequence, enum node_state beta, uint64_t other);
/* beta is heard once; it has the group, and is eligible. */
void hear_eligible_beta(uint64_t sequence, uint16_t worth);
/* beta goes on, and hears all that is sent, until @duration_ms have passed. */
void run_beside_beta(uint64_t *sequence, int64_t duration_ms);

/* --- what came out */

void forget(void);
size_t count_kind(enum effect_kind kind);
size_t count_keeper(enum channel_verb verb);
/* The first one of its kind, or NULL. */
const struct report *find_report(enum report_kind kind);
/* The lease that was last put in force [ns]; 0: none. */
int64_t last_lease(void);
/* What status says of a group; until the next engine_status(). */
const char *next_of(size_t group);
const char *reason_of(size_t group);

/* The text of a configuration with so many groups, each with so many addresses; static. */
const char *groups_and_addresses(unsigned groups, unsigned addresses);

#endif
