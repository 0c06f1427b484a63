/* SPDX-License-Identifier: ISC */
/*
 * A model of how nodes elect the holder of one group: docs/protocol.md section 6, R1 to R7, for SPIN.
 * `make model` searches every state that it can reach.
 *
 * What is assumed
 * - Time goes in ticks of one interval; TOLERANCE ticks are one tolerance. Clocks run alike. Within a
 *   tick, everything may happen in any order: sending, arriving, the answers of the keepers. A tick
 *   ends when each running node has sent its heartbeat, all that was sent to it has arrived or is
 *   lost, and the keepers have answered: delays are shorter than an interval.
 * - The margin (1.4) is the order of things when a tick ends: leases pass before anybody judges a
 *   silence. A lease counts from the sending, a silence from the hearing.
 * - The fence works: an address is served only under a lease in force (R7), also on a frozen node.
 * - Node 0 outranks node 1, and that node 2, for good. A node may become ineligible, with or without
 *   being able to serve, which stands for every reason of section 5.
 * - Of two heartbeats on their way from one node to another, only the later one arrives.
 * - Up to FAULTS faults, anywhere: a link cut in one direction (what is sent is lost) until it is
 *   restored; a crash without and with the will (R6); a host that freezes, and perhaps goes on (R10);
 *   a node that becomes ineligible, cannot serve, or is told to stop. Repairs cost nothing.
 * - Three nodes are searched with INSTANT (a heartbeat arrives everywhere before anything else happens)
 *   and STARTED_TOGETHER: how messages cross is searched with two nodes only.
 * - STICKY is the policy of that name, of all nodes. Whether neighbours answer (6.4) is not known in it: the age
 *   of the claims decides. ONLY_CRASHES leaves out all faults but these. YIELD: one holder, once, is asked to hand over to the best of the others (6.12).
 *   IMPAIRED: a node whose checks fail, which costs a fault; it ranks behind one that is sound (1.3, 5.4).
 *   PREPARED: each claim is prepared first (6.14), which takes any time as long as faults last and none later;
 *   that it is refused costs a fault, and makes the node ineligible (5.2) until that is over.
 * - Epochs stay below 16; an assertion shows that so few faults need no more.
 *
 * What is not covered
 * - Authentication and freshness (sections 2 and 3): a restarted node is believed at once.
 * - Settling and hold-down (6.13): they only make a node ask later. Nodes with different policies.
 * - Changes of worth while running; different tolerances; several groups; drift beyond the margin;
 *   a keeper that hangs or fails; unicast to the deaf (R9 beyond «does not hear us»); conflicts with
 *   other hosts (5.3); announcements, thus where the clients' caches point.
 * - Questions by ARP (R11): they take a way of their own, which the loss of heartbeats does not touch. The
 *   simulator does (sim/invariants/suspicion.c).
 * - IMPAIRED, YIELD, STICKY and PREPARED together, but for YIELD with STICKY; a preparation that ends by its timeout.
 * - More than three nodes, and more faults than FAULTS before all is well again.
 */
#ifndef NODES
#define NODES 2
#endif
#ifndef TOLERANCE
#define TOLERANCE 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#define GRANT_PAUSE (4 * TOLERANCE)           /* R3 */
#define HEALED (GRANT_PAUSE + 3 * TOLERANCE)  /* after so many ticks without faults all must be well */
#define NOBODY NODES

/* Mistakes, by which the model shows that it can fail. */
#ifdef MISTAKE_LEASE_OUTLASTS_PATIENCE
#define LEASE (TOLERANCE + 1)
#else
#define LEASE TOLERANCE
#endif
#ifdef MISTAKE_NO_LISTENING
#define LISTENING_TICKS 0
#else
#define LISTENING_TICKS TOLERANCE
#endif

mtype = { DOWN, LISTENING, STANDBY, TAKING, ACTIVE, RELEASING };
mtype = { FIT, INELIGIBLE, CANNOT_SERVE, STOPPING };
mtype = { COLLISION, HANDED_OVER, LEASE_PASSED, OTHER }; /* why a group is released */

/* What one node says to another, and what the other keeps of it. */
typedef Heartbeat {
	bit present; /* on its way; or, of what is kept, its sender is live (4.1) */
	bit leaving;
	bit holds;
	bit eligible;
	bit wants;
	bit listens;
	bit hears_you;
	bit claimed; /* its epoch is that of its own last claim */
	bit granted_to_you;
	bit answers; /* knows that you grant it the group */
#ifdef YIELD
	bit yielded;
#endif
#ifdef IMPAIRED
	bit impaired;
#endif
	unsigned age : 3; /* of what is kept, in ticks */
	unsigned epoch : 4;
#ifdef STICKY
	unsigned claim : 4; /* its age: the epoch that it was made with */
#endif
}

typedef Node {
	mtype phase = DOWN;
	mtype fitness = FIT;
	mtype cause = OTHER;
	bit frozen;
	bit due; /* a heartbeat is to be sent before the tick ends */
	bit wants;
	bit yielded; /* the grantee is ACTIVE, we linger (R3) */
	bit offered; /* R5 */
	bit knows_holder; /* has ever heard one (R2) */
	bit crossing; /* claimed, or took a grant back, in this tick: on its way to the others */
#ifdef IMPAIRED
	bit impaired; /* 1.3 */
#endif
#ifdef PREPARED
	bit prepares, prepared; /* 6.14 */
#endif
	bit unheld; /* what is released was only being taken */
	bit contested; /* another holder was heard while ACTIVE (R4) */
#ifdef YIELD
	bit yielding; /* the present grant is by request (6.12) */
	unsigned yielded_to : 2;
#endif
	unsigned epoch_rival : 4; /* R4: the highest that others have claimed with since our claim */
	unsigned unsent : 3; /* ticks since a heartbeat extended the lease */
	unsigned waited : 3; /* ticks of this phase, of LISTENING and DOWN */
	unsigned grantee : 2;
	unsigned granter : 2;
	unsigned grant_age : 3;
	unsigned epoch : 4;
	unsigned epoch_seen : 4;
#ifdef STICKY
	unsigned claim : 4;
#endif
}

Node node[NODES];
Heartbeat sent[NODES * NODES];  /* on its way */
Heartbeat heard[NODES * NODES]; /* the last one */
byte grant_pause[NODES * NODES]; /* R3: ticks for which the first grants the second nothing for its asking */
bit cut[NODES * NODES];
bit lost[NODES * NODES];   /* something, in this tick */
bit together[NODES * NODES]; /* both served without a grant when the last tick ended */
byte faults = FAULTS;
#ifdef YIELD
byte requests = 1;
#endif
bit disturbed; /* by a fault or a repair in this tick */
bit healing;
byte healed;

hidden byte me, peer, holder, granter, asking, successor, third, best;
hidden byte alone, contested, grantee_serves, ready, wants, lingered;
hidden byte outranked, worthier_holds, worthier_listens, released;

#define FROM_TO(from, to) ((from) * NODES + (to))
#define SENT(from, to) sent[FROM_TO(from, to)]
#define GRANT_PAUSE_OF(of) grant_pause[FROM_TO(me, of)]
#define HEARD(by, of) heard[FROM_TO(by, of)]
/* R4: one that could go on does not yield to one that cannot. */
#ifdef MISTAKE_YIELDS_TO_ONE_THAT_LEAVES
#define YIELDS HE_WINS
#else
#define YIELDS ((ME.fitness == FIT) == HIM.eligible -> HE_WINS : HIM.eligible)
#endif
#ifdef STICKY
#ifdef MISTAKE_EACH_THINKS_ITS_CLAIM_OLDER
#define HE_WINS (HIM.claim != ME.claim -> false : HE_OUTRANKS)
#else
#define HE_WINS (HIM.AGE != ME.AGE -> HIM.AGE < ME.AGE : HE_OUTRANKS)
#ifdef MISTAKE_A_NEW_EPOCH_IS_A_NEW_CLAIM
#define AGE epoch
#else
#define AGE claim
#endif
#endif
#define HE_WOULD_WIN true /* against a new claim */
#define BY_WORTH false
#else
#define HE_WINS HE_OUTRANKS
#define HE_WOULD_WIN HE_OUTRANKS
#define BY_WORTH true
#endif
#define ME node[me]
#define HIM HEARD(me, peer)
/* R3: one that does not know of our grant tells of an earlier claim, which may be over. */
#ifdef MISTAKE_TAKES_AN_OLD_CLAIM_FOR_AN_ANSWER
#define ANSWERS true
#else
#define ANSWERS HIM.answers
#endif
#define OF(who) HEARD(me, who)

/* 1.3: whoever has yielded comes last. */
#ifdef YIELD
#define HAS_YIELDED(n) (node[n].yielded_to != NOBODY)
#else
#define HAS_YIELDED(n) false
#endif
#if defined(YIELD) && !defined(MISTAKE_KEEPS_THE_RANK_IT_YIELDED)
#define HE_OUTCLASSES (HAS_YIELDED(me) && !HIM.yielded)
#define I_OUTCLASS(who) (!HAS_YIELDED(me) && OF(who).yielded)
#define IS_BETTER(a, b) (OF(a).yielded == OF(b).yielded -> (a) < (b) : OF(b).yielded)
#define HE_OUTRANKS (HAS_YIELDED(me) == HIM.yielded -> peer < me : HE_OUTCLASSES)
#define I_OUTRANK(who) (HAS_YIELDED(me) == OF(who).yielded -> me < (who) : I_OUTCLASS(who))
#elif defined(IMPAIRED) && !defined(MISTAKE_KEEPS_THE_RANK_WHILE_IMPAIRED)
#define HE_OUTCLASSES (ME.impaired && !HIM.impaired)
#define I_OUTCLASS(who) (!ME.impaired && OF(who).impaired)
#define IS_BETTER(a, b) (OF(a).impaired == OF(b).impaired -> (a) < (b) : OF(b).impaired)
#define HE_OUTRANKS (ME.impaired == HIM.impaired -> peer < me : HE_OUTCLASSES)
#define I_OUTRANK(who) (ME.impaired == OF(who).impaired -> me < (who) : I_OUTCLASS(who))
#else
#define I_OUTCLASS(who) false
#define IS_BETTER(a, b) ((a) < (b))
#define HE_OUTRANKS (peer < me)
#define I_OUTRANK(who) (me < (who))
#endif
#define ASKS(of) (I_OUTCLASS(of) || (BY_WORTH && I_OUTRANK(of)))
#define DESERVES(who) (BY_WORTH && !I_OUTRANK(who))

#define IS_UP(n) (node[n].phase != DOWN)
#define RUNS(n) (IS_UP(n) && !node[n].frozen)
#define HOLDS(n) (node[n].phase == ACTIVE || (node[n].phase == RELEASING && !node[n].unheld))
#ifdef MISTAKE_NO_LEASE
#define LEASE_PASSED_ON(n) false
#else
#define LEASE_PASSED_ON(n) (node[n].unsent >= LEASE)
#endif
#define SERVES(n) (HOLDS(n) && !LEASE_PASSED_ON(n))
#define GRANT_BETWEEN(a, b) (node[a].grantee == b || node[b].grantee == a)
#define IS_SOUND(n) (RUNS(n) && node[n].phase != LISTENING && node[n].fitness == FIT)

#ifdef MISTAKE_A_REFUSAL_IS_NOT_TOLD
#define SAYS_FIT (ME.fitness == FIT || ME.fitness == INELIGIBLE)
#else
#define SAYS_FIT (ME.fitness == FIT)
#endif

inline forget(message)
{
	message.present = 0; message.leaving = 0; message.holds = 0; message.eligible = 0;
	message.wants = 0; message.listens = 0; message.claimed = 0; message.answers = 0; message.hears_you = 0; message.granted_to_you = 0;
	message.age = 0; message.epoch = 0
#ifdef YIELD
	; message.yielded = 0
#endif
#ifdef IMPAIRED
	; message.impaired = 0
#endif
#ifdef STICKY
	; message.claim = 0
#endif
}

/* --- saying and hearing */

inline say(leaving_now)
{
	for (peer : 0 .. NODES - 1) {
		if
		:: peer == me || !IS_UP(peer) -> skip
		:: peer != me && IS_UP(peer) && cut[FROM_TO(me, peer)] -> lost[FROM_TO(me, peer)] = 1
		:: else ->
			forget(SENT(me, peer));
			SENT(me, peer).present = 1;
			SENT(me, peer).leaving = leaving_now;
			if
			:: leaving_now -> skip
			:: else ->
				/* Of a passed lease nobody says ACTIVE (R7). */
				SENT(me, peer).holds = HOLDS(me) &&
					!(ME.phase == RELEASING && ME.cause == LEASE_PASSED);
#ifdef MISTAKE_STANDBY_BEFORE_RELEASED
				SENT(me, peer).holds = ME.phase == ACTIVE;
#endif
				SENT(me, peer).eligible = SAYS_FIT && ME.phase != LISTENING &&
					ME.phase != RELEASING &&
					!LEASE_PASSED_ON(me);
				SENT(me, peer).wants = ME.wants;
				SENT(me, peer).listens = ME.fitness == FIT && ME.phase == LISTENING;
				SENT(me, peer).hears_you = HIM.present;
				SENT(me, peer).answers = HIM.granted_to_you && ME.phase != RELEASING;
				SENT(me, peer).granted_to_you = SENT(me, peer).holds && HIM.present &&
					ME.grantee == peer;
				SENT(me, peer).epoch = (SENT(me, peer).holds -> ME.epoch : ME.epoch_seen);
				SENT(me, peer).claimed = !SENT(me, peer).holds && ME.epoch != 0 &&
					ME.epoch == ME.epoch_seen
#ifdef YIELD
				; SENT(me, peer).yielded = HAS_YIELDED(me)
#endif
#ifdef IMPAIRED
				; SENT(me, peer).impaired = ME.impaired
#endif
#ifdef STICKY
				; SENT(me, peer).claim = (SENT(me, peer).holds -> ME.claim : 0)
#endif
			fi
		fi
	}
}

inline send_heartbeat()
{
	say(0);
	ME.due = 0;
	if
#ifndef MISTAKE_LEASE_WHILE_RELEASING
	:: ME.phase == RELEASING -> skip /* R7: it extends nothing */
#endif
	:: else -> ME.unsent = 0
	fi
}

/* @peer's heartbeat arrives at @me. */
inline hear()
{
	forget(HIM);
	if
	:: SENT(peer, me).leaving -> skip /* 4.1: not live */
	:: else ->
		HIM.present = 1;
		HIM.holds = SENT(peer, me).holds;
		HIM.eligible = SENT(peer, me).eligible;
		HIM.wants = SENT(peer, me).wants;
		HIM.listens = SENT(peer, me).listens;
		HIM.hears_you = SENT(peer, me).hears_you;
		HIM.granted_to_you = SENT(peer, me).granted_to_you;
		HIM.answers = SENT(peer, me).answers;
		/* What it has claimed with, by its own word. */
#ifdef MISTAKE_NOBODY_TELLS_OF_ITS_CLAIM
		HIM.epoch = (HIM.holds -> SENT(peer, me).epoch : 0);
#else
		HIM.epoch = (HIM.holds || SENT(peer, me).claimed -> SENT(peer, me).epoch : 0);
#endif
#ifdef YIELD
		HIM.yielded = SENT(peer, me).yielded;
#endif
#ifdef IMPAIRED
		HIM.impaired = SENT(peer, me).impaired;
#endif
#ifdef STICKY
		HIM.claim = SENT(peer, me).claim;
#endif
		if
		:: SENT(peer, me).epoch > ME.epoch_seen -> ME.epoch_seen = SENT(peer, me).epoch
		:: else -> skip
		fi
	fi;
	forget(SENT(peer, me))
}

inline hear_all()
{
	for (peer : 0 .. NODES - 1) {
		if
		:: SENT(peer, me).present -> hear()
		:: else -> skip
		fi
	}
}

/* Without loss nobody claims without a grant what another one serves, unless both claim at once (R2). */
inline check_claim(from)
{
#ifdef PERFECT
	for (third : 0 .. NODES - 1) {
		assert(from != NOBODY || third == me || !SERVES(third) || node[third].crossing)
	}
#endif
	skip
}

/* --- the rules, as node @me follows them (src/core/election.c, holder.c) */

inline claim_epoch() /* R2 */
{
	assert(ME.epoch_seen < 15);
	ME.epoch_seen++;
	ME.epoch = ME.epoch_seen;
	ME.epoch_rival = 0
}

inline enter(next)
{
	ME.phase = next;
	ME.waited = 0;
	ME.due = 1
}

inline begin_taking(from)
{
	claim_epoch();
	ME.wants = 0;
#ifdef STICKY
	ME.claim = ME.epoch;
#endif
#ifdef YIELD
	/* 6.12: not without a fault. */
	assert(!HAS_YIELDED(me) || faults < FAULTS);
	ME.yielded_to = NOBODY;
	ME.yielding = 0;
#endif
	ME.granter = from;
	/* 1.5: of two claims that know of each other, the later one has the higher epoch. */
	assert(from == NOBODY || ME.epoch > HEARD(me, from).epoch);
	check_claim(from);
	ME.phase = TAKING
}

inline begin_releasing(why)
{
#ifdef YIELD
	ME.yielded_to = (why == HANDED_OVER && ME.yielding -> ME.grantee : NOBODY);
	ME.yielding = 0;
#endif
	ME.grantee = (why == HANDED_OVER -> ME.grantee : NOBODY);
	ME.offered = 0;
	ME.yielded = 0;
	ME.contested = 0;
	ME.cause = why;
	ME.unheld = (ME.phase == TAKING);
	ME.phase = RELEASING
}

inline shut_down()
{
	ME.phase = DOWN; ME.fitness = FIT; ME.cause = OTHER; ME.frozen = 0; ME.due = 0; ME.wants = 0;
	ME.yielded = 0; ME.offered = 0; ME.knows_holder = 0; ME.unheld = 0; ME.epoch_rival = 0;
	ME.contested = 0; ME.crossing = 0;
	ME.unsent = 0; ME.waited = 0; ME.grantee = NOBODY; ME.granter = NOBODY; ME.grant_age = 0;
	ME.epoch = 0; ME.epoch_seen = 0;
#ifdef STICKY
	ME.claim = 0;
#endif
#ifdef YIELD
	ME.yielding = 0; ME.yielded_to = NOBODY;
#endif
#ifdef IMPAIRED
	ME.impaired = 0;
#endif
#ifdef PREPARED
	ME.prepares = 0; ME.prepared = 0;
#endif
	for (peer : 0 .. NODES - 1) {
		forget(HIM);
		forget(SENT(peer, me));
		GRANT_PAUSE_OF(peer) = 0
	}
}

inline stop()
{
	say(1);
	shut_down()
}

/* What @me makes of the live peers. */
inline survey()
{
	holder = NOBODY; granter = NOBODY; asking = NOBODY; successor = NOBODY;
	outranked = 0; worthier_listens = 0; worthier_holds = 0; released = 1;
	for (peer : 0 .. NODES - 1) {
		if
		:: HIM.holds && (holder == NOBODY || IS_BETTER(peer, holder)) -> holder = peer
		:: else -> skip
		fi;
		if :: HIM.holds && HIM.granted_to_you && granter == NOBODY -> granter = peer :: else -> skip fi;
		if
		:: !HIM.holds && HIM.eligible && HIM.hears_you ->
			if
			:: successor == NOBODY || IS_BETTER(peer, successor) -> successor = peer
			:: else -> skip
			fi;
			if
			:: HIM.wants && GRANT_PAUSE_OF(peer) == 0 && (asking == NOBODY || IS_BETTER(peer, asking)) ->
				asking = peer
			:: else -> skip
			fi
		:: else -> skip
		fi;
		if :: HIM.eligible && HE_OUTRANKS -> outranked = 1 :: else -> skip fi;
		if :: HIM.listens && HE_OUTRANKS -> worthier_listens = 1 :: else -> skip fi;
		if
		:: HIM.holds && HIM.hears_you && !HIM.granted_to_you && HIM.eligible && HE_WOULD_WIN ->
			worthier_holds = 1
		:: else -> skip
		fi;
		if :: ME.granter == peer && HIM.holds && HIM.hears_you -> released = 0 :: else -> skip fi
	}
	if :: holder != NOBODY -> ME.knows_holder = 1 :: else -> skip fi
}

inline listen() /* R1 */
{
	if
	:: ME.fitness == STOPPING -> stop()
	:: ME.fitness != STOPPING && ME.waited >= LISTENING_TICKS -> enter(STANDBY)
	:: else -> skip
	fi
}

/* 6.14: with nothing to do before a claim it is made at once. */
#ifdef PREPARED
inline claim_if_prepared(from)
{
	if
	:: ME.prepared -> ME.prepared = 0; begin_taking(from)
	:: else -> ME.prepares = 1
	fi
}
#else
#define claim_if_prepared(from) begin_taking(from)
#endif

/* R2 and the asking half of R3. At most one listening time for worthier ones that listen. */
inline stand_by()
{
	ready = ME.fitness == FIT && !LEASE_PASSED_ON(me);
	if
	:: ME.fitness == STOPPING -> stop()
	:: ME.fitness != STOPPING && ready && granter != NOBODY && !worthier_holds -> claim_if_prepared(granter)
	:: ME.fitness != STOPPING && ready && holder == NOBODY && !outranked &&
		(ME.knows_holder || !worthier_listens || ME.waited >= TOLERANCE) -> claim_if_prepared(NOBODY)
	:: else ->
		wants = ready && holder != NOBODY && ASKS(holder) && !outranked;
		if
		:: wants != ME.wants -> ME.wants = wants; ME.due = 1
		:: else -> skip
		fi;
#ifdef PREPARED
		ME.prepared = ME.prepared && wants /* what was done counts while it is wanted */
#else
		skip
#endif
	fi
}

/* R3, R4: what another holder means to us. */
inline meet_holders()
{
	contested = 0; grantee_serves = 0;
	for (peer : 0 .. NODES - 1) {
		if
		:: ME.phase != ACTIVE || !HIM.holds -> skip
		:: ME.phase == ACTIVE && HIM.holds && ME.grantee == peer && HIM.hears_you && ANSWERS ->
			grantee_serves = 1;
			ME.yielded = 1;
			if
			:: lingered -> begin_releasing(HANDED_OVER)
			:: else -> skip
			fi
#ifdef MISTAKE_BOTH_RELEASE
		:: ME.phase == ACTIVE && HIM.holds && ME.grantee != peer && !HIM.granted_to_you &&
			HIM.hears_you -> begin_releasing(COLLISION)
#elif !defined(MISTAKE_NOBODY_RELEASES)
		:: ME.phase == ACTIVE && HIM.holds && !(ME.grantee == peer && HIM.hears_you && ANSWERS) &&
			!HIM.granted_to_you && HIM.hears_you && YIELDS ->
			begin_releasing(COLLISION)
#endif
		:: else ->
			contested = 1;
		fi;
		if
		:: ME.phase == ACTIVE && HIM.epoch > ME.epoch_rival -> ME.epoch_rival = HIM.epoch
		:: else -> skip
		fi
	};
	alone = ME.grantee == NOBODY;
	if
	:: ME.phase == ACTIVE && ME.yielded && !grantee_serves -> alone = 1; ME.yielded = 0; ME.due = 1
	:: else -> skip
	fi;
	if
	:: ME.phase == ACTIVE && contested != ME.contested -> ME.contested = contested; ME.due = 1
	:: else -> skip
	fi;
	if
#ifndef MISTAKE_NO_NEW_EPOCH
	:: ME.phase == ACTIVE && !contested && !grantee_serves && alone &&
		ME.epoch_rival >= ME.epoch -> claim_epoch(); ME.due = 1
#endif
	:: else -> skip
	fi
}

inline grant(to)
{
	ME.grantee = to;
	ME.grant_age = 0;
	ME.due = 1
#ifdef MISTAKE_RELEASE_BEFORE_ACTIVE
	; begin_releasing(HANDED_OVER)
#endif
}

#define GRANTEE_CANNOT (OF(ME.grantee).present && !OF(ME.grantee).holds && !OF(ME.grantee).eligible)
inline lapse_grant()
{
	if
#ifndef MISTAKE_GRANT_NEVER_LAPSES
	:: ME.grantee != NOBODY && !ME.yielded && (ME.grant_age >= TOLERANCE || GRANTEE_CANNOT) ->
		GRANT_PAUSE_OF(ME.grantee) = GRANT_PAUSE;
		ME.grantee = NOBODY;
		ME.grant_age = 0;
#ifdef YIELD
		ME.yielding = 0;
#endif
		ME.crossing = 1;
		ME.due = 1
#endif
	:: else -> skip
	fi
}

inline leave() /* R5 */
{
	if
	:: ME.grantee != NOBODY || !released -> skip
	:: ME.grantee == NOBODY && released && (ME.offered || successor == NOBODY) ->
		begin_releasing(OTHER)
	:: else ->
		ME.offered = 1;
		grant(successor)
	fi
}

inline answer_asking() /* R3 */
{
	ME.offered = 0;
	if
	:: ME.grantee == NOBODY && released && asking != NOBODY && DESERVES(asking) ->
		grant(asking)
	:: else -> skip
	fi
}

inline hold()
{
	if
	:: LEASE_PASSED_ON(me) -> begin_releasing(LEASE_PASSED)
	:: else ->
		meet_holders();
		if
		:: ME.phase != ACTIVE -> skip
		:: else ->
			lapse_grant();
			if
			:: ME.fitness == CANNOT_SERVE -> begin_releasing(OTHER)
			:: ME.fitness == STOPPING || ME.fitness == INELIGIBLE -> leave()
			:: ME.fitness == FIT -> answer_asking()
			fi
		fi
	fi
}

inline take()
{
	if
	:: LEASE_PASSED_ON(me) -> begin_releasing(LEASE_PASSED)
	:: !LEASE_PASSED_ON(me) && (ME.fitness == STOPPING || ME.fitness == CANNOT_SERVE) ->
		begin_releasing(OTHER)
	:: else -> skip
	fi
}

#ifdef YIELD
/* 6.12: until the one that we yielded to has failed or left, and another one holds it. */
inline review_yielded()
{
	peer = ME.yielded_to;
	if
	:: (ME.phase == LISTENING || ME.phase == STANDBY) && peer != NOBODY && holder != NOBODY &&
		holder != peer ->
		if
		:: HIM.holds -> skip
		:: !HIM.holds && HIM.eligible -> ME.yielded_to = holder; ME.due = 1
		:: else -> ME.yielded_to = NOBODY; ME.due = 1
		fi
	:: else -> skip
	fi
}
#endif

inline evaluate()
{
	survey();
#ifdef YIELD
	review_yielded();
#endif
	if
	:: ME.phase == LISTENING -> listen()
	:: ME.phase == STANDBY -> stand_by()
	:: ME.phase == TAKING -> take()
	:: ME.phase == ACTIVE -> hold()
	:: ME.phase == RELEASING && LEASE_PASSED_ON(me) -> ME.cause = LEASE_PASSED
	:: else -> skip
	fi;
	lingered = 0
}

/* --- what must hold */

/* It will be released before the tick ends. */
#define IS_ON_ITS_WAY_OUT(n) (node[n].phase == RELEASING && node[n].cause != LEASE_PASSED)

/* Without loss there is never a second one that serves, but inside a granted handover, or where two
 * claims crossed on their way (R4 then settles it before the tick ends). */
inline check_serving()
{
#ifdef PERFECT
	for (best : 0 .. NODES - 2) {
		for (third : best + 1 .. NODES - 1) {
			assert(!SERVES(best) || !SERVES(third) || GRANT_BETWEEN(best, third) ||
				IS_ON_ITS_WAY_OUT(best) || IS_ON_ITS_WAY_OUT(third) ||
				(node[best].crossing && node[third].crossing))
		}
	}
#endif
	skip
}

/* R4: of two that hear each other, with no grant between them, one releases at once. */
inline check_together()
{
	for (best : 0 .. NODES - 2) {
		for (third : best + 1 .. NODES - 1) {
			contested = SERVES(best) && SERVES(third) && !GRANT_BETWEEN(best, third) &&
				RUNS(best) && RUNS(third) &&
				!lost[FROM_TO(best, third)] && !lost[FROM_TO(third, best)];
			assert(!contested || !together[FROM_TO(best, third)]);
			together[FROM_TO(best, third)] = contested
		}
	};
	for (best : 0 .. NODES * NODES - 1) {
		lost[best] = 0
	}
}

/* R3, R4: who releases because another one holds leaves the clients to one that serves, unless a
 * fault came between. */
inline check_release()
{
	if
	:: ME.cause == HANDED_OVER || ME.cause == COLLISION ->
		contested = disturbed;
		for (best : 0 .. NODES - 1) {
			if
			:: best != me && SERVES(best) -> contested = 1
			:: else -> skip
			fi
		};
		assert(contested)
	:: else -> skip
	fi
}


/* After the faults have stopped the worthiest eligible node holds the group (with STICKY any eligible
 * one), nobody else does, and its epoch is above all that others have claimed. */
#ifdef STICKY
#define IS_RIGHTER(a, b) (SERVES(a) && !SERVES(b))
#else
#ifdef IMPAIRED
#define IS_RIGHTER(a, b) (node[b].impaired && !node[a].impaired)
#else
#define IS_RIGHTER(a, b) (HAS_YIELDED(b) && !HAS_YIELDED(a))
#endif
#endif
inline check_healed()
{
	if
	:: healed < HEALED -> skip
	:: else ->
		best = NOBODY;
		for (peer : 0 .. NODES - 1) {
			if
			:: IS_SOUND(peer) && (best == NOBODY || IS_RIGHTER(peer, best)) -> best = peer
			:: else -> skip
			fi
		}
		for (peer : 0 .. NODES - 1) {
			assert(SERVES(peer) == (peer == best));
			assert(best == NOBODY || peer == best || node[best].epoch > node[peer].epoch)
		}
	fi
}

/* --- the keeper, and time */

/* What the keeper was asked for is done. */
inline keep()
{
	if
	:: ME.phase == TAKING -> ME.contested = (ME.granter != NOBODY); ME.crossing = 1; enter(ACTIVE)
	:: else -> /* RELEASING */
		check_release();
		ME.phase = (ME.cause == LEASE_PASSED || LEASE_PASSED_ON(me) -> LISTENING : STANDBY);
		ME.waited = 0;
		ME.grantee = NOBODY;
		ME.grant_age = 0;
		ME.unheld = 0;
		ME.cause = OTHER;
		ME.due = 1
	fi
}

#define MOVES(n) (node[n].phase == TAKING || node[n].phase == RELEASING)
#if NODES == 2
#define ANY_NODE(is) (is(0) || is(1))
#define EACH_NODE(event) event(0) event(1)
#define ANY_PAIR(is) (is(0, 1) || is(1, 0))
#define EACH_PAIR(event) event(0, 1) event(1, 0)
#else
#define ANY_NODE(is) (is(0) || is(1) || is(2))
#define EACH_NODE(event) event(0) event(1) event(2)
#define ANY_PAIR(is) (is(0, 1) || is(1, 0) || is(0, 2) || is(2, 0) || is(1, 2) || is(2, 1))
#define EACH_PAIR(event) event(0, 1) event(1, 0) event(0, 2) event(2, 0) event(1, 2) event(2, 1)
#endif

#define IS_STUCK(n) (node[n].frozen && node[n].crossing)
#define GROWN(counter, most) (counter < (most) -> counter + 1 : counter)

inline let_time_pass_on_me()
{
	if
	:: MOVES(me) || ME.phase == ACTIVE || (ME.phase == LISTENING && ME.frozen) -> skip
	:: else -> ME.waited = GROWN(ME.waited, TOLERANCE)
	fi;
	ME.due = IS_UP(me);
	ME.unsent = (IS_UP(me) -> GROWN(ME.unsent, LEASE) : 0);
	ME.grant_age = (ME.grantee == NOBODY -> 0 : GROWN(ME.grant_age, TOLERANCE));
	for (peer : 0 .. NODES - 1) {
		GRANT_PAUSE_OF(peer) = (GRANT_PAUSE_OF(peer) > 0 -> GRANT_PAUSE_OF(peer) - 1 : 0);
		if
		:: HIM.present && !ME.frozen -> /* R10: a frozen one judges nobody by its own absence */
			HIM.age++;
			if :: HIM.age >= TOLERANCE -> forget(HIM) :: else -> skip fi
		:: else -> skip
		fi
	}
}

inline let_time_pass()
{
	check_together();
	for (me : 0 .. NODES - 1) {
		/* One that froze just then serves until its lease has passed (R7). */
		node[me].crossing = node[me].crossing && ANY_NODE(IS_STUCK)
	};
	check_serving();
	for (me : 0 .. NODES - 1) {
		let_time_pass_on_me()
	};
	disturbed = 0;
	for (me : 0 .. NODES - 1) {
		if
		:: RUNS(me) -> evaluate()
		:: else -> skip
		fi
	}
	if
	:: healing -> healed++; check_healed()
	:: else -> skip
	fi;
	me = NOBODY /* all have judged */
}

/* --- everything that can happen */

#ifdef PREPARED
#define IS_PREPARING(n) (healing && node[n].prepares) /* before that it may take longer than a tick */
#else
#define IS_PREPARING(n) false
#endif
#define IS_BUSY(n) \
	(MOVES(n) || (RUNS(n) && (node[n].due || node[n].yielded || IS_PREPARING(n))))
#define IS_ARRIVING(from, to) (SENT(from, to).present && RUNS(to))
#define IS_FROZEN(n) node[n].frozen
#define IS_CUT(from, to) cut[FROM_TO(from, to)]
#ifdef INSTANT
#define IS_NOW(what) (!ANY_PAIR(IS_ARRIVING) && (what))
#else
#define IS_NOW(what) (what)
#endif
#define FAULT(what) IS_NOW(faults > 0 && !healing && (what))
#ifdef ONLY_CRASHES
#define OTHER_FAULT(what) IS_NOW(false)
#else
#define OTHER_FAULT(what) FAULT(what)
#endif
#define REPAIR(what) IS_NOW(!healing && (what))

mtype = { sends, hears, has_its_keepers_answer, lingers_no_more, crashes, leaves_its_will, freezes,
	fails, is_cut_off, is_asked_to_yield, is_impaired, has_prepared, refuses, starts, thaws, recovers, is_joined };
#define TELL(what, n) printf("node %d %e\n", n, what); me = n
#define SHOW(n) \
	printf("        %d %e %e epoch %d grantee %d\n", n, node[n].phase, node[n].fitness, node[n].epoch, \
		node[n].grantee);
#define COST disturbed = 1; faults--
#define SEND(n) :: d_step { IS_NOW(RUNS(n) && node[n].due) -> TELL(sends, n); send_heartbeat() }
#define ARRIVE(from, to) :: d_step { IS_ARRIVING(from, to) -> TELL(hears, to); peer = from; hear() }
#define KEEP(n) :: d_step { IS_NOW(MOVES(n)) -> TELL(has_its_keepers_answer, n); keep() }
#define LINGER(n) :: d_step { IS_NOW(RUNS(n) && node[n].yielded) -> TELL(lingers_no_more, n); lingered = 1 }

#define CRASH(n) :: d_step { FAULT(IS_UP(n)) -> TELL(crashes, n); COST; shut_down(); skip }
#define DIE(n) :: d_step { FAULT(IS_UP(n)) -> TELL(leaves_its_will, n); COST; say(1); shut_down(); skip }
#define FREEZE(n) :: d_step { OTHER_FAULT(RUNS(n)) -> TELL(freezes, n); COST; node[n].frozen = 1 }
#define FAIL(n, how) \
	:: d_step { OTHER_FAULT(IS_UP(n) && node[n].fitness == FIT) -> TELL(fails, n); COST; node[n].fitness = how }
#define WEAKEN(n) FAIL(n, INELIGIBLE)
#define BREAK(n) FAIL(n, CANNOT_SERVE)
#define STOP(n) FAIL(n, STOPPING)
#define CUT(from, to) :: d_step { OTHER_FAULT(!IS_CUT(from, to)) -> TELL(is_cut_off, from); COST; IS_CUT(from, to) = 1 }

#ifdef IMPAIRED
#define IMPAIR(n) \
	:: d_step { FAULT(IS_UP(n) && !node[n].impaired) -> TELL(is_impaired, n); COST; node[n].impaired = 1; node[n].due = 1 }
#define HEAL(n) \
	:: d_step { REPAIR(node[n].impaired) -> TELL(recovers, n); disturbed = 1; node[n].impaired = 0; node[n].due = 1 }
#else
#define IMPAIR(n)
#define HEAL(n)
#endif
#ifdef PREPARED
#define PREPARE(n) \
	:: d_step { IS_NOW(RUNS(n) && node[n].prepares) -> TELL(has_prepared, n); \
		node[n].prepares = 0; node[n].prepared = 1 }
#define REFUSE(n) \
	:: d_step { FAULT(RUNS(n) && node[n].prepares) -> TELL(refuses, n); COST; \
		node[n].prepares = 0; node[n].fitness = INELIGIBLE; node[n].due = 1 }
#else
#define PREPARE(n)
#define REFUSE(n)
#endif

#ifdef YIELD
#define REQUEST(n) \
	:: d_step { IS_NOW(requests > 0 && RUNS(n) && node[n].phase == ACTIVE && node[n].fitness == FIT && \
		node[n].grantee == NOBODY) -> TELL(is_asked_to_yield, n); requests--; survey(); \
		if :: successor != NOBODY && released -> ME.yielding = 1; grant(successor) :: else -> skip fi }
#else
#define REQUEST(n)
#endif

#define START(n) \
	:: d_step { REPAIR(!IS_UP(n) && node[n].waited > 0) -> TELL(starts, n); disturbed = 1; enter(LISTENING) }
#define THAW(n) :: d_step { IS_NOW(IS_FROZEN(n)) -> TELL(thaws, n); disturbed = 1; node[n].frozen = 0; node[n].due = 1; hear_all(); skip }
#define RECOVER(n) \
	:: d_step { REPAIR(node[n].fitness == INELIGIBLE || node[n].fitness == CANNOT_SERVE) -> \
		TELL(recovers, n); disturbed = 1; node[n].fitness = FIT; node[n].due = 1 }
#define JOIN(from, to) :: d_step { REPAIR(IS_CUT(from, to)) -> TELL(is_joined, from); disturbed = 1; IS_CUT(from, to) = 0 }

init {
	d_step {
		for (me : 0 .. NODES - 1) {
			shut_down();
			ME.waited = 1
#ifdef STARTED_TOGETHER
			; enter(LISTENING)
#endif
		};
		me = NOBODY
	}
	do
	:: healed >= HEALED -> break
	:: else -> atomic {
		if
		EACH_NODE(SEND) EACH_PAIR(ARRIVE) EACH_NODE(KEEP) EACH_NODE(LINGER)
		EACH_NODE(CRASH) EACH_NODE(DIE) EACH_NODE(FREEZE)
		EACH_NODE(WEAKEN) EACH_NODE(BREAK) EACH_NODE(STOP)
#ifndef PERFECT
		EACH_PAIR(CUT) EACH_PAIR(JOIN)
#endif
		EACH_NODE(START) EACH_NODE(THAW) EACH_NODE(RECOVER) EACH_NODE(REQUEST)
		EACH_NODE(IMPAIR) EACH_NODE(HEAL) EACH_NODE(PREPARE) EACH_NODE(REFUSE)
		:: d_step { !ANY_NODE(IS_BUSY) && !ANY_PAIR(IS_ARRIVING) -> printf("tick\n"); let_time_pass() }
#ifndef NO_HEALING
		:: d_step { REPAIR(!ANY_NODE(IS_FROZEN) && !ANY_PAIR(IS_CUT)) ->
			printf("faults stop\n"); me = NOBODY; faults = 0; healing = 1 }
#endif
		fi;
		d_step {
			if
			:: me != NOBODY && RUNS(me) -> evaluate()
			:: else -> skip
			fi;
			me = 0; peer = 0;
			EACH_NODE(SHOW)
			check_serving()
		}
	}
	od
}
