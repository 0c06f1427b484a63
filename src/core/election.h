/* SPDX-License-Identifier: ISC */
/*
 * election: which node holds one group, as one node decides it. docs/protocol.md section 6, rules
 * R1 to R7. Pure: the caller brings time, what the live peers say, and what this node can do; it
 * gets back what must be done, in a fixed order.
 *
 *   LISTENING --tolerance--> STANDBY --claim, grant--> TAKING --held--> ACTIVE
 *       ^                       ^                        |                |
 *       |                       +-------- RELEASING <----+----------------+
 *       +-- after a lost lease ------------|
 *
 * LISTENING, STANDBY and TAKING are STANDBY to other nodes. RELEASING is ACTIVE to them, because
 * the addresses are still up, unless what is released was only being taken. SHUTDOWN is the end.
 */
#ifndef HA_CORE_ELECTION_H
#define HA_CORE_ELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/time.h"
#include "core/pauses.h"
#include "core/rank.h"

enum election_phase {
	ELECTION_LISTENING,
	ELECTION_STANDBY,
	ELECTION_TAKING, /* the keeper was asked to hold the group */
	ELECTION_ACTIVE,
	ELECTION_RELEASING, /* the keeper was asked to release it */
	ELECTION_SHUTDOWN,
};

/* Why a group changed its state. Every change names one. */
enum election_cause {
	ELECTION_STARTED,         /* R1 */
	ELECTION_VACANT,          /* R2: nobody held it */
	ELECTION_HOLDER_SILENT,   /* R2: its holder was silent for its tolerance */
	ELECTION_HOLDER_RESIGNED, /* R2: its holder gave it up */
	ELECTION_GRANTED,         /* R3: its holder handed it over to us */
	ELECTION_HANDED_OVER,     /* R3: we handed it over */
	ELECTION_COLLISION,       /* R4: a holder of higher rank was heard */
	ELECTION_INELIGIBLE,      /* R5: we may not hold it any more */
	ELECTION_CANNOT_SERVE,    /* R5: we cannot serve it any more */
	ELECTION_STOPPING,        /* R5: we were told to stop */
	ELECTION_LEASE_PASSED,    /* R7: we did not send in time, others may hold it */
	ELECTION_HOLD_FAILED,     /* the keeper could not configure the addresses */
};
#define ELECTION_CAUSES (ELECTION_HOLD_FAILED + 1)

/* What one live peer says of this group. */
struct election_rival {
	struct election_rank rank;
	bool active;
	bool eligible; /* could hold it at once */
	bool wants;    /* asks its holder for it */
	bool listens;  /* will be eligible when it has listened */
	bool hears_us;
	bool granted_us;   /* holds it and offers it to us */
	bool answers;      /* it knows that somebody grants it the group */
	bool claimed;      /* the epoch is that of its own last claim; if ACTIVE it always is */
	bool sticky;       /* by its policy only a fault or a request moves the group */
	bool acknowledged; /* see election_input */
	uint64_t epoch;
	uint8_t renewed; /* see collision_renewed() */
};

/* R4: what decides which of two holders goes on, in this order; collision.h. */
enum collision_ground {
	COLLISION_BY_FITNESS, /* only one of them may go on */
	COLLISION_BY_POLICY,  /* only one of them is sticky */
	COLLISION_BY_ANSWERS, /* only one of them was acknowledged */
	COLLISION_BY_AGE,     /* the older claim */
	COLLISION_BY_RANK,
};

struct election_input {
	struct election_rank own;
	bool eligible;  /* may hold it: worth above 0, devices in order, no conflict */
	bool can_serve; /* could go on serving for now, eligible or not */
	bool answered;  /* R11: a holder that is not heard has answered for it, under a fence */
	bool stopping;  /* shut down as soon as possible */
	bool reluctant; /* not eligible, but gives it up only to another holder (drained) */
	bool settled;   /* has been well for long enough to take over by its rank */
	bool sticky;    /* only a fault or a request moves the group */
	/* While holding it: somebody outside the cluster has answered an announcement since this
	 * node took it or lost sight of another one (R4). */
	bool acknowledged;
	bool prepared;        /* nothing has to be done before a claim, or it is done */
	ha_time lease;        /* until when a holder may serve (R7) */
	int64_t tolerance_ns; /* ours */
	int64_t linger_ns;    /* R3: how long we go on serving after our grantee is ACTIVE */
	int64_t listen_ns;    /* R1: the largest tolerance announced by any peer, at least ours */
	const struct election_rival *rivals; /* live peers only */
	size_t rival_count;
};

struct election {
	enum election_phase phase;
	enum election_cause cause; /* of the last change of state */
	uint64_t cause_peer;       /* id of the other node that the cause is about; 0: none */
	ha_time since;             /* of the phase */
	uint64_t epoch;            /* of our last claim, or taken since (R4) */
	uint64_t claim;            /* the one that it was made with: its age */
	uint64_t epoch_seen;       /* the highest one known, ours included */
	uint64_t epoch_rival; /* R4: the highest one that others have claimed with since ours */
	bool wants;           /* R3: we ask its holder for it */
	uint64_t grantee;     /* R3: id of whom we grant it to; 0: nobody */
	ha_time grant_until;
	bool lingering; /* R3: the grantee is ACTIVE, we answer what is on its way */
	ha_time linger_until;
	struct pauses pauses; /* R3: after grants that have lapsed */
	bool offered;         /* R5: we have offered it before leaving */
	bool listen_again;    /* R7: after this release */
	bool unheld;          /* what is released was only being taken */
	uint64_t contenders;  /* other holders heard while ACTIVE: the sum of their ids, and one for
				 each that hears us */
	uint64_t holder;      /* id of the last other holder heard; 0: none */
	uint64_t granter;     /* id of whom we are taking it over from; 0: a claim */
	bool granted;         /* R3: a live holder grants it to us */
	enum collision_ground ground; /* R4: why we released in the last collision */
	bool yield_asked;             /* by a request: hand it over as soon as possible */
	uint64_t yield_to;            /* to whom; 0: to the worthiest */
	bool yielding;                /* the present grant is by request */
	/* R3: id of who holds what we have given up on request. Until that one has failed or left
	 * we rank last. 0: nothing was given up. */
	uint64_t yielded_to;
};

enum election_event {
	ELECTION_EVALUATE, /* time passed or something above changed */
	ELECTION_HELD,     /* the keeper has configured and announced the addresses */
	ELECTION_FAILED,   /* it could not, and nothing of the group is up */
	ELECTION_RELEASED, /* it has taken them down */
	ELECTION_EXPIRED,  /* its watchdog took them down */
};

/* What to do, in this order. */
struct election_output {
	bool release;  /* ask the keeper to take the addresses down */
	bool hold;     /* ask it to bring them up, with the epoch */
	bool announce; /* announce them again */
	bool prepare;  /* a claim waits for in->prepared; said at each evaluation */
	bool tell;     /* send a heartbeat at once */
};

void election_init(struct election *e, ha_time now);

/* R1 again: the node was deaf (no heartbeat interface worked) and must not trust the silence that
 * it heard. Only a group that is not held is affected. */
void election_listen(struct election *e, ha_time now);

/* R2: @epoch was heard, from one that may be gone before the next step. */
void election_learn_epoch(struct election *e, uint64_t epoch);

/* R3: hands the group over to @to, or to the worthiest that could take it (0), as soon as that is
 * possible. Only of a group that is ACTIVE. */
void election_yield(struct election *e, uint64_t to);

/* What was given up on request may be taken again. */
void election_resume(struct election *e);

/* R10: the node did not run for @stall_ns; in that time it has not listened (R1). */
void election_credit_stall(struct election *e, ha_time now, int64_t stall_ns);

/**
 * election_step - advance one group by one event
 *
 * An event of the keeper is only taken in, so that each change of state has the cause that it has;
 * what follows from it is decided by the next ELECTION_EVALUATE, which the caller brings at once.
 *
 * @in:  borrowed for the call
 * @out: what must be done now
 */
void election_step(struct election *e, ha_time now, enum election_event event,
	const struct election_input *in, struct election_output *out);

/* When to evaluate again if nothing happens; the peers' silence is the caller's to add. Of @in only
 * lease and listen_ns are looked at. */
ha_time election_deadline(const struct election *e, const struct election_input *in);

#endif
