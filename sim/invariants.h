/* SPDX-License-Identifier: ISC */
/*
 * invariants: what must be true in every world after every step, whatever is done to it; one file
 * each in invariants/, under the paragraph of docs/protocol.md that it checks. What the world tells
 * them here is what happened; they know the truth of all nodes at once, which no node knows.
 */
#ifndef HA_SIM_INVARIANTS_H
#define HA_SIM_INVARIANTS_H

#include "sim/world.h"

/* What one node has processed of what another one said. */
struct hearing {
	uint64_t boot;        /* of the other one */
	uint64_t sequence;    /* the highest */
	uint64_t next;        /* a boot that was heard and does not count yet */
	bool proven;          /* it has named this boot of the listener, lately or not */
	int64_t tolerance_ns; /* by what it said last */
	ha_time heard;        /* when, by the listener's own clock */
	ha_time heard_world;
	ha_time named; /* when what named this boot of the listener was sent, in the world's time */
};

/* What it said of one group. */
struct word {
	ha_time active;       /* when it was last heard to be ACTIVE, by the listener's own clock */
	bool last;            /* its last word was ACTIVE, from a boot that was proven */
	int64_t tolerance_ns; /* when something was decided: what it had announced last */
	bool told;            /* the same, if the proof may have been old */
	bool granted;         /* and granted it to the listener */
	bool says_active, says_granted; /* as it last told of this group */
	/* The same of a boot that does not count yet. */
	bool next_active, next_granted;
	ha_time met; /* since when the listener, serving too, knows that; in the world's time */
};

/* How often a node has taken a group, or a new epoch, of late. */
struct takings {
	ha_time since;
	unsigned count;
};

#define ASKED_MAX 256

/* A request that was not answered yet. */
struct asked {
	uint32_t token; /* 0: none */
	size_t node;
	uint64_t boot;
	struct control_request what;
	ha_time at;
};

struct checks {
	struct takings takings[WORLD_NODES_MAX][WORLD_GROUPS_MAX];
	struct takings renewals[WORLD_NODES_MAX]
			       [WORLD_GROUPS_MAX]; /* of the epoch, while it holds it */
	struct hearing hearing[WORLD_NODES_MAX][WORLD_NODES_MAX]; /* listener, speaker */
	struct word words[WORLD_NODES_MAX][WORLD_NODES_MAX][WORLD_GROUPS_MAX];
	/* What a node knew when it last asked its keeper to hold or to release a group, and when.
	 */
	struct word decided[WORLD_NODES_MAX][WORLD_GROUPS_MAX][WORLD_NODES_MAX];
	ha_time decided_at[WORLD_NODES_MAX][WORLD_GROUPS_MAX]; /* by its own clock */
	uint64_t known_epoch[WORLD_NODES_MAX][WORLD_GROUPS_MAX];
	/* Of two nodes that serve one group; TIME_ORIGIN: they do not. */
	ha_time both_since[WORLD_NODES_MAX][WORLD_NODES_MAX][WORLD_GROUPS_MAX];
	bool granting[WORLD_NODES_MAX][WORLD_GROUPS_MAX]; /* by its own last word */
	bool served[WORLD_NODES_MAX];                     /* had something up at the last step */
	uint64_t transitions;                             /* in all */
	ha_time changed_at[WORLD_GROUPS_MAX]; /* when a group was last brought up or taken down
					       * anywhere
					       */
	/* R1: since when a node has to listen, by its own clock. */
	ha_time listens_since[WORLD_NODES_MAX][WORLD_GROUPS_MAX];
	ha_time last_transition; /* in the world's time */
	uint32_t tokens;         /* of requests */
	struct asked asked[ASKED_MAX];
};

struct checks *checks_new(void);
void checks_free(struct checks *c);

/* The promise is broken: the story tells it, and the first one is kept in w->violation. */
__attribute__((format(printf, 2, 3))) void violated(struct world *w, const char *format, ...);

/* After every step. */
void invariants_check(struct world *w);

/* Each thing that happens is told to those whom it concerns. */
void invariant_started(struct world *w, const struct node *n);
void invariant_sent(struct world *w, struct node *n, struct packet *p);
void invariant_hears(struct world *w, const struct node *n, const struct packet *p);
void invariant_lease_given(struct world *w, const struct node *n, ha_time lease);
void invariant_reported(struct world *w, const struct node *n, const struct report *r);
void invariant_changed(struct world *w, const struct node *n, size_t group);
/* It has a group that it had not before. */
void invariant_group_begins(struct world *w, const struct node *n, size_t group);
/* ... or will not have any more. */
void invariant_group_ends(struct world *w, const struct node *n, size_t group);
void invariant_ended(struct world *w, const struct node *n);
/* Its keeper sends the will of an engine that has died. */
void invariant_will(struct world *w, const struct node *n);
void invariant_announced(struct world *w, const struct node *n, size_t address);
/* Answers the token for it. */
uint32_t invariant_requested(
	struct world *w, const struct node *n, const struct control_request *asked);
void invariant_answered(struct world *w, const struct node *n, const struct engine_answer *answer);
/* Whether each was answered; when nothing moves any more. */
void answers_are_given(struct world *w);
/* Its engine begins: who asked the one before it is told by the end of his connection. */
void answers_forget(struct world *w, const struct node *n);
void invariant_asked(struct world *w, const struct node *n, enum channel_verb verb, size_t index,
	uint64_t number);

/* The files in invariants/. */
void lease_check(struct world *w);
void lease_given(struct world *w, const struct node *n, ha_time lease);
void overlap_check(struct world *w);
/* What a boot says that does not count yet, and that it does from now on. A table that travels as
 * changes is told once. */
void overlap_hears_of_next(struct world *w, const struct node *n, const struct packet *p);
void overlap_begins_boot(struct world *w, const struct node *n, const struct packet *p);
void overlap_hears(struct world *w, const struct node *n, const struct packet *p, bool news);
void epochs_claimed(struct world *w, const struct node *n, size_t group, uint64_t epoch);
void epochs_renewed(struct world *w, const struct node *n, size_t group);
void epochs_hears(struct world *w, const struct node *n, const struct packet *p, bool news);
void announcements_check(struct world *w, const struct node *n, size_t address);
void calm_check(struct world *w, const struct node *n, size_t group);
void listening_begins(struct world *w, const struct node *n, size_t group);
void listening_check(struct world *w, const struct node *n, size_t group);
void causes_decided(struct world *w, const struct node *n, size_t group);
void causes_check(struct world *w, const struct node *n, const struct report *r);
void suspicion_check(struct world *w, const struct node *n, size_t group);
void suspicion_reported(struct world *w, const struct report *r);
void words_check(struct world *w, struct node *n, struct packet *p);
/* @other: whose hardware address it is; NULL: nobody's. */
void passing_check(struct world *w, const struct node *n, const struct engine_pass *pass,
	const struct node *other);
void requests_check(struct world *w, const struct node *n, enum channel_verb verb, size_t index);

/* What both of two nodes that hear each other know: no packet is needed any more to meet. */
bool hearing_is_mutual(const struct world *w, size_t a, size_t b, ha_time since);
/* Whether @p, heard by @n, names this boot of @n, lately heard by its sender. */
bool hearing_names(const struct node *n, const struct packet *p);

/**
 * convergence_failure - what is not as it must be when all faults are over
 * @buffer: says what, for people
 *
 * Return: true if something is not.
 */
bool convergence_failure(struct world *w, char *buffer, size_t size);
/* Whether some client does not reach the holder of a group that has moved at or after @since. */
bool convergence_client_is_lost(struct world *w, ha_time since, char *buffer, size_t size);
/* Whether @a is worthier than @b. */
bool convergence_outranks(const struct node *a, const struct node *b, size_t group);

#endif
