/* SPDX-License-Identifier: ISC */
/*
 * node: the engine's own state and the pieces it is made of, private to this folder. engine.c
 * dispatches events; peers.c hears datagrams; groups.c runs the elections, which inputs.c tells
 * what they need; addresses.c announces, probes and watches over the shared addresses; suspicion.c
 * asks those who fell silent; paths.c tells the heartbeat interfaces apart; beat.c speaks; news.c,
 * steps.c, explain.c, next.c, snapshot.c and views.c tell people; measure.c counts and times.
 */
#ifndef HA_ENGINE_NODE_H
#define HA_ENGINE_NODE_H

#include "base/text.h"
#include "base/deadlines.h"
#include "core/announce.h"
#include "core/election.h"
#include "core/peer.h"
#include "core/rivals.h"
#include "engine/engine.h"
#include "engine/original.h"

#define REMOVALS_MAX CONF_REMOVALS_LIMIT_MAX /* remembered removals of one address */
#define SENDS_MAX    4                       /* datagrams of one step, if changes travel */

/* A heartbeat, and the copy of it for the deaf. */
struct datagram_pair {
	uint8_t to_all[HEARTBEAT_SIZE_MAX];
	uint8_t to_deaf[HEARTBEAT_SIZE_MAX];
};

/* What a peer says of one of our groups. */
struct peer_entry {
	uint64_t epoch;
	uint32_t grantee; /* table_mark() of it; 0: nobody */
	uint16_t worth;
	uint8_t state;
	uint8_t renewed;
	uint16_t flags;
	bool present;
	bool fresh;      /* told since its table was last begun anew */
	bool superseded; /* it fell silent as the holder, and somebody has taken it since */
};

/* How far we know a peer's table that travels as changes: docs/protocol.md 2.9. */
struct peer_table {
	bool in_use;
	bool complete;
	bool foreign;    /* has groups that we do not: its digest says nothing to us */
	bool asking;     /* until it is complete */
	uint32_t have;   /* all up to this version */
	uint64_t digest; /* of the fresh entries */
	ha_time lacking; /* since when it is not complete */
	size_t active;   /* groups that it holds */
	bool superseded; /* in some of them */
	ha_time asked;
};

/* What we say of one of our groups, when it travels as changes. */
struct own_entry {
	struct table_change said;
	uint32_t version;      /* of the table, when that changed; 0: not said yet */
	uint16_t older, newer; /* the groups that changed before and after it */
};

struct own_table {
	bool in_use;
	uint32_t version;
	uint32_t told; /* the others were told all up to this version */
	uint64_t digest;
	uint16_t oldest, newest;
	uint32_t owed;   /* somebody lacks what came after this; UINT32_MAX: nobody */
	ha_time lowered; /* when `told` was last set back for that */
	struct own_entry *entries;
};

/* Which groups a step has to look at: attention.c. */
struct attention {
	bool lazy;        /* else all of them, each time */
	uint64_t common;  /* hash of what concerns all of them, as last evaluated */
	uint64_t *marked; /* a bit for each group that must be evaluated */
	uint64_t *again;  /* a bit for each that the next step must evaluate, at once */
	uint64_t *seen;   /* a bit for each that this step has evaluated */
	size_t sweep;     /* the next one that is evaluated without a reason */
	struct deadlines due;
};

struct peer_heard {
	uint64_t id;
	uint32_t age_ms;
};

struct peer_record {
	/* What each step looks at of every peer, together. */
	struct peer peer;
	struct peer_entry *entries; /* of each of our groups */
	struct ip address;          /* its real one: rank */
	bool was_live;              /* as last reported */
	bool was_hearing;           /* as last reported */
	bool deaf;           /* R9: does not hear what we send to all, and gets it by unicast */
	bool holds;          /* R11: some group, by its last word */
	bool called;         /* R11: by unicast, since it was last heard */
	bool answers;        /* R11: for an address, although it is not heard */
	ha_time heard_since; /* when its boot, or we, came back from a silence */
	ha_time deaf_since;
	struct peer_table table;
	int64_t fence_margin_ns; /* R11: its fence closes so long before its tolerance ends; 0: none
				  */
	/* The rest. */
	uint32_t deaf_sequence;        /* our sequence number when it became deaf */
	uint32_t echo;                 /* the last sequence number of ours that it named */
	ha_time path_heard[PATHS_MAX]; /* by each heartbeat interface; TIME_ORIGIN: never */
	bool path_lost[PATHS_MAX];     /* as last reported */
	char name[NAME_SIZE];
	struct ip source; /* where its packets come from: unicast answers (R9) */
	uint64_t received;
	ha_time answered_at; /* R11: when it last did */
	uint8_t mac_count;
	uint8_t macs[HEARTBEAT_MACS_MAX][MAC_SIZE];
	struct histogram jitter; /* how far from its interval its heartbeats come */
	uint8_t hears_count;     /* whom it hears, as it last said */
	struct peer_heard hears[PEERS_MAX];
};

/* R11: what is known of the holders of a group that are not heard. */
struct suspicion {
	ha_time asked;  /* when the last round of questions began; TIME_ORIGIN: none did */
	bool open;      /* it lasts */
	bool put;       /* its questions were: there was room for them */
	bool repeated;  /* its questions were put a second time */
	bool answered;  /* in it */
	bool concluded; /* some round is over */
	bool withheld;  /* one that has a fence has answered in this round or the last */
	bool told;
	int64_t credited_ns; /* of engine.stalled_ns, in `asked` */
};

/* Why a group is not eligible on this node. The first that applies is told. */
enum ineligible {
	ELIGIBLE = 0,
	INELIGIBLE_STOPPING,
	INELIGIBLE_WORTH,
	INELIGIBLE_HEALTH, /* told by ENGINE_HEALTH */
	INELIGIBLE_NO_DEVICE,
	INELIGIBLE_DEVICE_DOWN,
	INELIGIBLE_NO_CARRIER,
	INELIGIBLE_NO_ADDRESS,  /* the heartbeat interface has no address of its own */
	INELIGIBLE_HOLD_FAILED, /* held off after the keeper could not configure it */
	INELIGIBLE_REMOVED,     /* held off after somebody took an address away too often */
	INELIGIBLE_NO_CARRIER_WHEN_RAISED, /* held off: a device that we bring up has no carrier */
	INELIGIBLE_ORIGINAL,               /* a node that runs the original program is worthier */
	INELIGIBLE_VETOED,                 /* held off: before-active said no */
	INELIGIBLE_CONFLICT,               /* a host outside the cluster answers for an address */
	INELIGIBLE_RETIRED,                /* R8: the next engine will not have it */
	INELIGIBLE_DRAINED,                /* by request, until another one */
#define INELIGIBLE_LAST INELIGIBLE_DRAINED
};

/* See releases.c. */
struct release {
	uint16_t before, after; /* in the list of those that are under way */
	ha_time earned;         /* the lease that the node had earned when it began */
};

#define LOSSES_MAX 8

/* How steadily this node could hold a group of late. */
struct steadiness {
	ha_time well_since; /* and no change of its health; TIME_NEVER: it may not hold it */
	bool impaired;
	ha_time losses[LOSSES_MAX]; /* when it could hold the group no longer; TIME_ORIGIN: never */
	uint8_t loss_next;
};

/* What has to be done before a claim; see prepare.c. */
enum preparation_state { PREPARATION_IDLE, PREPARATION_RUNNING, PREPARATION_DONE };

struct preparation {
	enum preparation_state state;
	uint32_t run;  /* tells a late answer from the right one */
	ha_time until; /* then it is taken for a no */
};

struct group {
	struct election election;
	enum election_phase counted; /* in engine.phases */
	int64_t credited_ns;         /* of engine.stalled_ns, in what its election counts from */
	struct release release;      /* while it is being released */
	uint16_t devices;            /* a bit for each that has an address of it */
	bool was_held;               /* by anybody, when last looked at */
	struct engine_health health;
	struct steadiness steadiness;
	bool acknowledged;          /* R4: see sticky.c */
	enum node_state told_state; /* as last reported */
	uint64_t told_holder;       /* as last reported */
	ha_time held_last;          /* when somebody last held it */
	uint64_t told_epoch;
	enum ineligible told_ineligible;
	bool adopted;            /* R8: goes on where another engine has left it */
	bool unsure;             /* R8: and its keeper has not confirmed yet that it holds it */
	bool retired;            /* R8: the next engine will not have it */
	bool passes_back;        /* see passing.c */
	ha_time passes_on_until; /* likewise, after the release */
	bool in_touch; /* its devices and a heartbeat interface worked when last looked at */
	uint64_t transitions;
	ha_time state_since;
	/* The cause of the last change in the peer's terms, kept for the explanation. */
	char cause_peer[NAME_SIZE];
	int64_t cause_silence_ns;
	enum ineligible cause_ineligible;
	/* Held off. */
	enum ineligible hold_off;
	ha_time hold_off_until;
	uint16_t hold_off_address;
	int hold_off_error;
	/* RFC 5227: somebody else answers for an address of ours while we listen. */
	bool probing;
	bool conflict;
	ha_time probe_at;
	int64_t probe_every_ns;
	/* Timed, see measure.c. */
	ha_time decided_at, release_at;
	bool decision_told, decision_acknowledged;
	struct suspicion suspicion;
	struct preparation preparation;
};

struct address {
	struct announce announce;
	uint8_t target_count;
	struct ip targets[TARGETS_MAX];
	bool answered[TARGETS_MAX];
	ha_time removals[REMOVALS_MAX];
	uint8_t removal_next;
	ha_time conflict_at;    /* last answer of a stranger; TIME_ORIGIN: none */
	ha_time conflict_since; /* the first of an unbroken series of such answers */
	uint8_t conflict_mac[MAC_SIZE];
	ha_time defended_at; /* last time that we announced against a stranger's claim */
};

struct device {
	struct engine_device state;
	bool known;   /* was reported at all */
	bool adopted; /* R8: another engine has seen whether it was down at first */
	bool managed; /* was down at first and carries no heartbeats: up only while we hold */
	ha_time raised_at;
};

/* R8: on the way to being replaced. */
struct pause {
	bool wanted;
	bool last_word; /* the heartbeat after which the engine ends is on its way */
	bool patient;   /* all who must were heard to know of the longer tolerance */
	int64_t patience_ns;
	uint32_t sequence;   /* of the first heartbeat that announced it */
	ha_time waits_until; /* for the others to have heard it */
};

#define REQUESTS_MAX 16

/* A request that is not decided yet. */
struct pending {
	bool used;
	uint32_t token;
	enum control_command what;
	uint16_t group; /* of yield */
	ha_time since, until;
};

struct engine {
	const struct conf *conf;
	struct engine_identity identity;
	struct heartbeat_key key;
	ha_time now;    /* of the current step */
	ha_time before; /* of the one before it */
	ha_time deadline;
	int64_t stalled_ns; /* R10: how long this node did not run, all in all */
	bool started, stopping, stopped;
	bool drained;      /* by request: holds nothing */
	bool drain_forced; /* also what nobody takes */
	struct pending pending[REQUESTS_MAX];
	bool adopted; /* R8: began with a record, and has not spoken yet */
	struct pause pause;
	bool fenced;     /* the kernel keeps us from serving after the lease */
	bool fence_told; /* by this engine's keeper */
	uint64_t fence;  /* enum channel_fence */
	/* speaking */
	uint64_t sequence;
	uint64_t sequence_recent, sequence_newer; /* a tolerance ago, and since */
	ha_time sequence_rotated;
	ha_time beat_at; /* the next regular one */
	ha_time beat_last;
	bool beat_soon;       /* one more, at once */
	ha_time answer_at;    /* the one that answers a newcomer; TIME_NEVER: none */
	ha_time answered;     /* when one last did */
	ha_time lease;        /* until when we may serve */
	ha_time lease_earned; /* by the last heartbeat; waits while the keeper releases */
	bool send_failing;
	int send_error;
	uint64_t standing_told; /* hash of what heartbeats without news leave out */
	unsigned briefs;        /* so many have left it out */
	bool untold;            /* something was decided that no heartbeat has told yet */
	uint64_t will_of;       /* hash of what the keeper's will was made from; 0: none */
	uint64_t sent, received;
	struct metrics metrics;
	bool suspects;        /* R11: some holder is not heard as it should be */
	ha_time suspicion_at; /* with many groups: when a review of all is due */
	/* hearing */
	size_t peer_count; /* of those in use; none is given back but to another peer */
	struct peer_record peers[PEERS_MAX];
	struct originals originals;
	uint64_t dropped[HEARTBEAT_DROP_REASONS];
	ha_time drop_told[HEARTBEAT_DROP_REASONS];
	/* holding */
	struct device devices[DEVICES_MAX];
	struct group *groups;
	size_t phases[ELECTION_SHUTDOWN + 1]; /* how many groups are in each */
	uint16_t release_first, release_last; /* of those under way, in the order of their begin */
	struct address *addresses;
	struct deadlines announcing; /* of addresses */
	struct attention attention;
	struct own_table own;
	uint32_t mark; /* table_mark() of this node */
	/* scratch, so that nothing large stands on the stack */
	struct heartbeat heartbeat;
	struct datagram_pair *datagrams; /* of this step; SENDS_MAX if changes travel, else one */
	uint8_t will[HEARTBEAT_SIZE_MAX];
};

/* attention.c: with many groups, a step looks only at those that something has happened to, that
 * are due, or all if what concerns them all has changed. Whoever changes what a group's evaluation
 * depends on marks it; whoever adds a rule that depends on time adds it to group_due() in due.c.
 */
void attention_start(struct engine *e);
void attention_mark(struct engine *e, size_t group);
void attention_mark_all(struct engine *e);
/* Something has changed in its evaluation: what follows from that is for the next step. */
void attention_mark_again(struct engine *e, size_t group);
/* What @event may concern, before anything is done about it. */
void attention_event(struct engine *e, const struct engine_event *event);
/* Begins the review of this step. */
void attention_begin(struct engine *e);
/* For each group that is to be evaluated: starts with *@group = 0. */
bool attention_marked(const struct engine *e, size_t *group);
/* The next group to evaluate; false if there is none. */
bool attention_take(struct engine *e, size_t *ret_group);
/* For each group that this step has evaluated: starts with *@group = 0. */
bool attention_seen(const struct engine *e, size_t *group);
/* Groups are left, for want of room: the next step goes on at once. */
bool attention_is_left(const struct engine *e);

/* own.c: our table, when it travels as changes. */
void own_start(struct engine *e);
/* Takes in what the groups say now that this step has evaluated. */
void own_review(struct engine *e);
void own_fill(struct engine *e, struct heartbeat *h);
/* Something is still to be told, at once. */
bool own_has_more(const struct engine *e);
/* Others ask for what they lack. */
void own_asked(struct engine *e, const struct heartbeat *h);

/* tables.c: the peers' tables. */
void tables_take(struct engine *e, const struct heartbeat *h, struct peer_record *p);
/* Forgets what @p has said. */
void tables_forget(struct engine *e, struct peer_record *p);
/* A heartbeat at once where something of a table is to be asked for, and when that is the next
 * time. */
void tables_due(struct engine *e);
ha_time tables_deadline(const struct engine *e);
/* What we ask our peers for, at most @room of them. */
void tables_fill(struct engine *e, struct table *t, size_t room);
/* It is the holder no more, whatever it said, unless it is heard again. */
void tables_supersede(struct peer_record *p, size_t group);
bool entry_is_active(const struct peer_entry *entry);
/* Some live node has not told yet what it says of the group. */
bool tables_leave_open(const struct engine *e, size_t group);

/* effects.c: appends to @out; reports are left out rather than anything else when it is nearly
 * full. */
struct effect *effect_add(struct effects *out, enum effect_kind kind);
bool effects_have_room(const struct effects *out);
void effect_keeper(struct effects *out, enum channel_verb verb, uint16_t index, uint16_t second,
	uint64_t number);
/* A report of now; the caller fills in what it is about. NULL when there is no room. */
__attribute__((format(printf, 5, 6))) struct report *effect_report(struct engine *e,
	struct effects *out, enum report_kind kind, enum report_level level, const char *format,
	...);
/* The same about a group: name and epoch filled in. */
__attribute__((format(printf, 6, 7))) void effect_group_report(struct engine *e,
	struct effects *out, enum report_kind kind, enum report_level level, size_t group,
	const char *format, ...);

/* peers.c */
void peers_hear(struct engine *e, const struct engine_event *event, struct effects *out);
void peers_credit_stall(struct engine *e, int64_t stall_ns);
/* Reports who came, went or stopped hearing us since the last call. */
void peers_review(struct engine *e, struct effects *out);
ha_time peers_deadline(const struct engine *e);

/* paths.c: which heartbeat interfaces bring the heartbeats of a peer. */
void paths_heard(struct engine *e, struct peer_record *p, uint32_t interface_index);
/* A device has changed: what came by it before says nothing any more. */
void paths_forget(struct engine *e, size_t device);
void paths_credit_stall(struct engine *e, struct peer_record *p, int64_t stall_ns);
/* The peer lives and this node's interface is well, but nothing of it has come by it for a
 * tolerance. */
bool paths_is_lost(const struct engine *e, const struct peer_record *p, size_t path);
void paths_review(struct engine *e, struct peer_record *p, struct effects *out);
ha_time paths_deadline(const struct engine *e, const struct peer_record *p);
struct peer_record *peers_find(struct engine *e, uint64_t id);
/* The name of a node by id; "another node" if it is not known. */
const char *peers_name(const struct engine *e, uint64_t id);
/* Heard within its tolerance, proven or not. */
/* Silent for so long that its record may go. */
bool peers_is_forgettable(const struct engine *e, const struct peer_record *p);
/* Whether it had not missed two heartbeats of ours when it last spoke. */
bool peers_hears_of_late(const struct engine *e, const struct peer_record *p);
bool peers_is_audible(const struct engine *e, const struct peer_record *p);

/* groups.c */
void groups_start(struct engine *e);
void groups_evaluate(struct engine *e, struct effects *out);
void groups_step(struct engine *e, size_t group, enum election_event event, struct effects *out);
/* R1: what it knew is of no use any more: unless it holds the group, it listens and probes anew. */
void group_listen(struct engine *e, size_t group);
/* R10: groups that listen have not listened while the node did not run. */
void groups_credit_stall(struct engine *e, int64_t stall_ns);
/* Whether the keeper was asked to take a group down and has not said that it did. */
bool groups_are_shut_down(const struct engine *e);

/* due.c */
/* Plans when those that this step has evaluated are due. */
void groups_plan(struct engine *e);
ha_time groups_deadline(const struct engine *e);

/* holders.c */
enum node_state group_state(const struct group *g);
bool group_is_held(const struct group *g);
/* Held, and its lease is in force: what an engine that was stalled may find that it is not. */
bool group_may_serve(const struct engine *e, size_t group);
/* The live peer of highest rank that is ACTIVE in it, or NULL. */
const struct peer_record *group_active_peer(const struct engine *e, size_t group);
/* The live peer of highest rank that could hold it at once, or NULL. */
const struct peer_record *group_eligible_peer(const struct engine *e, size_t group);
/* The id of the node that holds it, this one included; 0: nobody. */
uint64_t group_holder(const struct engine *e, size_t group);

/* inputs.c */
enum ineligible group_ineligible(const struct engine *e, size_t group);
/* The same but for what people want: whether it is well. */
enum ineligible group_unfit(const struct engine *e, size_t group);
void group_hold_off(struct engine *e, size_t group, enum ineligible why, int64_t duration_ns);
/* What @p says of a group as a rival of ours. */
struct election_rival group_rival(
	const struct engine *e, size_t group, const struct peer_record *p);
struct election_rank group_own_rank(const struct engine *e, size_t group);
/* R1: how long a group listens now. */
int64_t groups_listen_ns(const struct engine *e);
/* All of it; @rivals has room for PEERS_MAX. */
struct election_input group_input(
	const struct engine *e, size_t group, struct election_rival *rivals);

/* news.c */
void news_tell(struct engine *e, size_t group, struct effects *out);

/* prepare.c */
bool prepare_is_done(const struct engine *e, size_t group);
bool prepare_is_under_way(const struct engine *e, size_t group);
/* After each evaluation; @asked: a claim waits for it. */
void prepare_follow(struct engine *e, size_t group, bool asked, struct effects *out);
void prepare_answered(struct engine *e, const struct engine_preparation *answer);
void prepare_review(struct engine *e, size_t group);
ha_time prepare_deadline(const struct engine *e, size_t group);
void prepare_explain_veto(const struct engine *e, size_t group, struct text *t);

/* health.c */
void health_start(struct engine *e);
void health_changed(struct engine *e, const struct engine_health *health, struct effects *out);
/* INELIGIBLE_... if worth or health forbid the group, or ELIGIBLE. */
enum ineligible health_ineligible(const struct engine *e, size_t group);
/* Nothing speaks against this node. */
bool health_is_well(const struct engine *e, size_t group);
bool health_is_impaired(const struct engine *e, size_t group);
/* Adds "worth 100, lowered by 50: ...", or nothing if nothing is the matter. */
void health_explain(const struct engine *e, size_t group, struct text *t);

/* requests.c */
void requests_take(struct engine *e, const struct engine_request *request, struct effects *out);
/* Answers those that have been decided. */
void requests_review(struct engine *e, struct effects *out);
ha_time requests_deadline(const struct engine *e);

/* passing.c: has the kernel pass on what belongs to the other one in a handover; after each step of
 * the group's election, with what it @was before. */
void passing_follow(
	struct engine *e, size_t group, const struct election *was, struct effects *out);

/* steps.c: tells watchers what has changed since @was. */
void steps_tell(struct engine *e, size_t group, const struct election *was, struct effects *out);

/* settle.c: how long this node must have been well before it takes a group over by its rank. */
void settle_start(struct engine *e);
/* Looks whether it is well; each time before the elections. */
void settle_review(struct engine *e, size_t group);
/* It could not hold it any longer: often enough, and it waits for longer. */
void settle_lost(struct engine *e, size_t group);
/* How long it must have been well, and until when that is. */
int64_t settle_wait_ns(const struct engine *e, size_t group);
ha_time settle_until(const struct engine *e, size_t group);
bool settle_is_over(const struct engine *e, size_t group);

/* sticky.c: whether clients reach this node, for the case that another one holds the group too. */
void sticky_taken(struct engine *e, size_t group);
void sticky_acknowledged(struct engine *e, size_t group, const struct ip *neighbour);
/* A node has fallen silent: the network may have come apart. */
void sticky_lost_sight(struct engine *e, struct effects *out);
bool group_is_sticky(const struct engine *e, size_t group);

/* addresses.c */
void addresses_taken(struct engine *e, size_t group);
/* R8: goes on announcing what another engine has announced. */
void addresses_resumed(struct engine *e, size_t group);
void addresses_released(struct engine *e, size_t group);
void addresses_announce(struct engine *e, size_t group, struct effects *out);
void addresses_due(struct engine *e, struct effects *out);
void addresses_removed(struct engine *e, size_t address, struct effects *out);
void addresses_target(struct engine *e, const struct channel_message *m);
void addresses_frame(struct engine *e, const struct channel_message *m, struct effects *out);
ha_time addresses_deadline(const struct engine *e);
/* RFC 5227 probing while a group listens. */
void probes_start(struct engine *e, size_t group);
/* R8: somebody was found to answer for an address; asks whether he still does. */
void probes_resume(struct engine *e, size_t group);
void probes_due(struct engine *e, struct effects *out);
/* The first address of the group that a stranger answers for, or -1. */
int probes_conflict(const struct engine *e, size_t group);

/* suspicion.c */
void suspicion_review(struct engine *e, struct effects *out);
/* Before the group is evaluated. */
void suspicion_review_group(struct engine *e, size_t group, struct effects *out);
/* @mac says that it has the address. */
void suspicion_answered(
	struct engine *e, size_t address, const uint8_t mac[MAC_SIZE], struct effects *out);
/* Whether a claim would make a second holder. */
bool suspicion_withholds(const struct engine *e, size_t group);
/* The one that is not heard and holds it; 0: nobody. */
uint64_t suspicion_holder(const struct engine *e, size_t group);
ha_time suspicion_deadline(const struct engine *e);

/* devices.c */
void devices_changed(struct engine *e, const struct engine_device *state, struct effects *out);
/* Whether the group's addresses could be served on their devices: INELIGIBLE_... or ELIGIBLE;
 * *@ret_device is the one that is the matter. */
enum ineligible devices_serve(const struct engine *e, size_t group, size_t *ret_device);
enum ineligible devices_speak(const struct engine *e, size_t *ret_device);
/* The state of all devices, as far as it matters to groups, as one number. */
uint64_t devices_digest(const struct engine *e);
/* Whether the caller has told the state of each: at start it tells them one by one. */
bool devices_are_known(const struct engine *e);
/* Whether nothing is wrong with the heartbeat interface @path. */
bool devices_path_speaks(const struct engine *e, size_t path);
void devices_describe_path(const struct engine *e, size_t path, char *buffer, size_t size);
/* A device's own address, of the family of the heartbeats. */
struct ip devices_address(const struct engine *e, size_t device);
/* Whether a heartbeat could leave by any path, also one without an address of its own. */
bool devices_can_send(const struct engine *e);
struct ip devices_real_address(const struct engine *e);
/* Whether it is there and the configuration has shared addresses on it. */
bool devices_carry_shared(const struct engine *e, size_t device);
bool devices_own_mac(const struct engine *e, const uint8_t mac[MAC_SIZE]);

/* beat.c */
void beat_due(struct engine *e, struct effects *out);
void beat_now(struct engine *e, struct effects *out);
void beat_last(struct engine *e, struct effects *out);
void beat_sent(struct engine *e, struct effects *out);
/* Puts the lease that was earned in force. */
void beat_lease(struct engine *e, struct effects *out);

/* releases.c: the groups that the keeper is taking down, in the order in which that began. */
void releases_start(struct engine *e);
void releases_begin(struct engine *e, size_t group);
void releases_end(struct engine *e, size_t group);
/* R7: how far the lease may be extended meanwhile; TIME_NEVER: nothing is being released. */
ha_time releases_limit(const struct engine *e);
void beat_failed(struct engine *e, int error, struct effects *out);
ha_time beat_deadline(const struct engine *e);
/* What we say of a group, but for its grantee. */
struct heartbeat_group beat_group(const struct engine *e, size_t group);

/* measure.c */
void measure_decision(struct engine *e, size_t group);
/* @announced: as the keeper told it, CHANNEL_HELD. */
void measure_held(struct engine *e, size_t group, uint16_t announced);
void measure_told(struct engine *e);
void measure_acknowledged(struct engine *e, size_t group);
void measure_release(struct engine *e, size_t group);
void measure_released(struct engine *e, size_t group);
/* Adds the cause and the durations of a change of state to its report. */
void measure_report(const struct group *g, ha_time now, struct report *r);
void measure_arrival(struct peer_record *p, ha_time heard_before);

/* pause.c */
void pause_begin(struct engine *e, int64_t patience_ns, struct effects *out);
void pause_end(struct engine *e, struct effects *out);
/* After everything else that a step does: whether it is time. */
void pause_review(struct engine *e, struct effects *out);
/* The last word was said, or could not be. */
void pause_spoken(struct engine *e, struct effects *out);
/* What is announced, and what the lease may count on. */
int64_t pause_announced_ns(const struct engine *e);
int64_t pause_granted_ns(const struct engine *e);
ha_time pause_deadline(const struct engine *e);

/* adopt.c */
void adopt_start(struct engine *e, struct effects *out);
/* An adopting engine says and decides nothing before it knows its devices and its fence. */
bool adopt_is_blind(const struct engine *e);
void adopt_begin(struct engine *e, struct effects *out);

/* explain.c */
void explain_group(const struct engine *e, size_t group, char *buffer, size_t size);
/* next.c: what will change its state next. */
void explain_what_next(const struct engine *e, size_t group, char *buffer, size_t size);
void explain_cause(const struct engine *e, size_t group, char *buffer, size_t size);
void explain_ineligible(
	const struct engine *e, size_t group, enum ineligible why, char *buffer, size_t size);
/* Writes a duration as people do: "352 ms", "3.5 s". */
void explain_duration(int64_t duration_ns, char *buffer, size_t size);
#define DURATION_TEXT_SIZE 32

#endif
