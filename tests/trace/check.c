/* SPDX-License-Identifier: ISC */
/*
 * check: what must be true after every step of every story, whatever the story is about.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "world.h"

/* How long two nodes that hear each other may both serve: the new holder's word travels, the old
 * holder's keeper works, and a heartbeat waits for the spacing of 1 ms. After a handover the old
 * holder goes on answering for a moment on purpose (R3). */
#define OVERLAP_NS (KEEPER_TAKES_NS + NS_PER_MS)
#define LINGER_NS  (20 * NS_PER_MS)

void check_violated(struct world *w, const char *format, ...)
{
	char what[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	w->violations++;
	world_tell(w, "VIOLATION: %s", what);
}

/* R7: nobody serves past its lease. */
static void check_lease_in_force(struct world *w, const struct node *n)
{
	const struct conf_node *conf = &n->conf.node;
	ha_time patience = time_add(n->last_sent, conf->tolerance_ns - conf->margin_ns);

	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].up && w->now.ns > patience.ns)
			check_violated(w, "%s serves %s longer than its last heartbeat allows",
				n->name, n->conf.groups[g].name);
}

/* Two that hear each other: both awake and joined for so long that each knows the other. */
static bool hear_each_other(const struct world *w, const struct node *a, const struct node *b)
{
	int64_t to_meet_ns = a->conf.node.interval_ns + b->conf.node.interval_ns + 4 * w->delay_ns +
			     4 * NS_PER_MS;
	ha_time since = time_max(w->joined[node_index(w, a)][node_index(w, b)],
		time_max(a->awake_since, b->awake_since));

	if (!node_is_awake(w, a) || !node_is_awake(w, b) || a->cannot_send || b->cannot_send)
		return false;
	for (enum cut kind = CUT_MULTICAST; kind <= CUT_UNICAST; kind++)
		if (!lan_connects(w, a, b, kind) || !lan_connects(w, b, a, kind))
			return false;
	return time_between(since, w->now) > to_meet_ns;
}

/* Whether @n has granted a group to somebody, by its own last word. */
static bool is_granting(struct world *w, const struct node *n)
{
	struct heartbeat *h = &w->heartbeat;

	if (heartbeat_decode(n->last.bytes, n->last.size, HEARTBEAT_HOP_LIMIT,
		    n->conf.node.cluster_tag, &n->key, h) != HEARTBEAT_ACCEPTED)
		return false;
	for (size_t g = 0; g < h->group_count; g++)
		if (h->groups[g].grantee != HEARTBEAT_GRANTEE_NONE)
			return true;
	return false;
}

static int64_t allowed_overlap(struct world *w, const struct node *a, const struct node *b)
{
	bool handover = is_granting(w, a) || is_granting(w, b);

	return OVERLAP_NS + 2 * w->delay_ns + (handover ? LINGER_NS : 0);
}

/* R3, R4: two nodes that hear each other do not both serve for longer than a handover takes. */
static void check_overlap(struct world *w, size_t i, size_t j, size_t group)
{
	const struct node *a = &w->nodes[i], *b = &w->nodes[j];
	ha_time *since = &w->check.both_since[i][j][group];

	if (!hear_each_other(w, a, b) || !node_serves(a, group) || !node_serves(b, group)) {
		*since = TIME_NEVER;
		return;
	}
	if (time_is_never(*since))
		*since = w->now;
	if (time_between(*since, w->now) > allowed_overlap(w, a, b))
		check_violated(w, "%s and %s hear each other and both serve %s", a->name, b->name,
			a->conf.groups[group].name);
}

void check_step(struct world *w, const struct node *n)
{
	check_lease_in_force(w, n);
	for (size_t i = 0; i < w->node_count; i++)
		for (size_t j = i + 1; j < w->node_count; j++)
			for (size_t g = 0; g < w->nodes[0].conf.group_count; g++)
				check_overlap(w, i, j, g);
}

/* What a node says must be true of its addresses: it is ACTIVE exactly while they are up, but for
 * the moment in which the keeper's word is on its way. */
void check_sent(struct world *w, const struct node *n, const struct datagram *d)
{
	struct heartbeat *h = &w->heartbeat;
	enum heartbeat_drop drop = heartbeat_decode(
		d->bytes, d->size, HEARTBEAT_HOP_LIMIT, n->conf.node.cluster_tag, &n->key, h);

	if (drop != HEARTBEAT_ACCEPTED) {
		check_violated(
			w, "%s sends what others refuse: %s", n->name, heartbeat_drop_name(drop));
		return;
	}
	for (size_t g = 0; g < n->conf.group_count; g++) {
		bool says_active = h->groups[g].state == STATE_ACTIVE;
		bool up = n->held[g].up;

		if (says_active && !up && n->held[g].down_at.ns != w->now.ns)
			check_violated(w, "%s says ACTIVE but does not hold %s", n->name,
				n->conf.groups[g].name);
		if (says_active && h->groups[g].epoch < n->held[g].epoch)
			check_violated(w, "%s says an older epoch than that of its claim", n->name);
		if ((h->groups[g].flags & HEARTBEAT_GROUP_WANT) && says_active)
			check_violated(w, "%s asks for what it holds", n->name);
	}
	if (n->stopped && !h->leaving)
		check_violated(w, "%s stops without saying so", n->name);
}

/* R7: a lease counts from a heartbeat that was sent, and leaves the margin. */
void check_lease(struct world *w, const struct node *n, ha_time lease)
{
	const struct conf_node *conf = &n->conf.node;

	if (time_between(n->last_sent, lease) > conf->tolerance_ns - conf->margin_ns)
		check_violated(w, "%s gives itself a longer lease than its last heartbeat allows",
			n->name);
	if (lease.ns < n->lease.ns)
		check_violated(w, "%s shortens its lease", n->name);
}

void check_report(struct world *w, const struct node *n, const struct report *r)
{
	const char *cause = strstr(r->text, ": ");

	if (r->text[0] == '\0')
		check_violated(w, "%s reports nothing", n->name);
	if (r->kind == REPORT_STATE && (!cause || cause[2] == '\0'))
		check_violated(w, "%s changes its state without a cause: %s", n->name, r->text);
	if (r->kind == REPORT_STATE && r->from == r->to)
		check_violated(w, "%s reports a change to what it was", n->name);
	if (strlen(r->text) == REPORT_TEXT_SIZE - 1)
		check_violated(w, "%s reports more than fits: %s", n->name, r->text);
}

/* The keeper is asked for what makes sense, and each claim of one boot has a higher epoch. */
void check_keeper(struct world *w, const struct node *n, enum channel_verb verb, size_t index,
	uint64_t number)
{
	bool is_address = verb == CHANNEL_RESTORE || verb == CHANNEL_ANNOUNCE ||
			  verb == CHANNEL_REQUEST || verb == CHANNEL_PROBE;
	size_t group = is_address ? n->conf.addresses[index].group : index;
	const struct held *held = &n->held[group];
	const char *verb_name = channel_verb_name(verb);

	if (verb == CHANNEL_READY || verb == CHANNEL_WILL)
		return;
	if (verb == CHANNEL_HOLD && held->asked)
		check_violated(w, "%s asks twice to hold", n->name);
	if (verb == CHANNEL_HOLD && number <= held->last_epoch)
		check_violated(w, "%s claims with an epoch that is not above its last", n->name);
	if (verb == CHANNEL_RELEASE && !held->asked)
		check_violated(w, "%s releases what it does not hold", n->name);
	if (is_address && verb != CHANNEL_PROBE && !held->asked)
		check_violated(w, "%s asks to %s what it does not hold", n->name, verb_name);
	if (verb == CHANNEL_PROBE && held->asked)
		check_violated(w, "%s probes for what it holds", n->name);
}
