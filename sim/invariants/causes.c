/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6: every change of state follows from a rule, and names its cause.
 *
 * Nothing moves without a cause: what a node gives as its reason must be true of what it has really
 * heard and of what was really done to it. A holder that is said to be silent was not heard for its
 * tolerance; one that is said to have given the group up has said so; a lease that is said to have
 * passed has passed.
 */
#include <stdio.h>
#include <string.h>

#include "sim/invariants.h"
#include "sim/tally.h"

struct claim {
	struct world *w;
	const struct node *n;
	size_t group;
	const char *other; /* the name in the cause; "" */
};

/* A cause as it is told: `%` stands for a node's name, what follows it must be there. */
struct cause {
	const char *before, *after;
	const char *name;
	bool (*is_true)(const struct claim *c);
};

static const struct node *find(const struct claim *c)
{
	return node_find(c->w, c->other);
}

static const struct word *word_of(const struct claim *c, const struct node *other)
{
	return &c->w->checks->decided[node_index(c->w, c->n)][c->group][node_index(c->w, other)];
}

static ha_time decided_at(const struct claim *c)
{
	return c->w->checks->decided_at[node_index(c->w, c->n)][c->group];
}

static const struct hearing *hearing_of(const struct claim *c, const struct node *other)
{
	return &c->w->checks->hearing[node_index(c->w, c->n)][node_index(c->w, other)];
}

/* As it was last heard to ask for, or is configured meanwhile. */
static int64_t patience_ns(const struct claim *c, const struct node *other)
{
	int64_t heard_ns = word_of(c, other)->tolerance_ns;
	int64_t announced_ns = other->conf.node.tolerance_ns;

	if (heard_ns != 0 && heard_ns < announced_ns)
		announced_ns = heard_ns;
	return announced_ns < c->n->conf.node.max_tolerance_ns ? announced_ns
							       : c->n->conf.node.max_tolerance_ns;
}

/* Not heard to be ACTIVE for as long as it is given, or since then heard not to be. */
static bool is_no_holder(const struct claim *c, const struct node *other)
{
	const struct word *word = word_of(c, other);

	return !word->last || time_between(word->active, decided_at(c)) >= patience_ns(c, other) ||
	       c->w->nodes[node_index(c->w, other)].boot != hearing_of(c, other)->boot;
}

static bool nobody_holds(const struct claim *c)
{
	for (size_t i = 0; i < c->w->node_count; i++)
		if (&c->w->nodes[i] != c->n && !is_no_holder(c, &c->w->nodes[i]))
			return false;
	return true;
}

static bool was_silent(const struct claim *c)
{
	const struct node *other = find(c);

	if (!other)
		return nobody_holds(c);
	return nobody_holds(c) &&
	       (time_between(word_of(c, other)->active, decided_at(c)) >= patience_ns(c, other) ||
		       hearing_of(c, other)->boot != other->boot ||
		       word_of(c, other)->active.ns == 0);
}

static bool has_granted(const struct claim *c)
{
	const struct node *other = find(c);

	return !other || word_of(c, other)->granted || other->boot != hearing_of(c, other)->boot;
}

static bool is_held_by_worthier(const struct claim *c)
{
	const struct node *other = find(c);

	return !other ||
	       (word_of(c, other)->told && (c->n->disturbed || other->disturbed ||
						   convergence_outranks(other, c->n, c->group)));
}

static bool is_held(const struct claim *c)
{
	const struct node *other = find(c);

	return !other || word_of(c, other)->told;
}

static bool is_passed(const struct claim *c)
{
	return c->n->held[c->group].expired;
}

static bool was_told_to_stop(const struct claim *c)
{
	return c->n->told_to_stop;
}

static bool was_disturbed(const struct claim *c)
{
	return c->n->disturbed;
}

/* With the policy sticky only a fault or a request moves a group. */
static bool was_to_move(const struct claim *c)
{
	return c->n->conf.groups[c->group].policy != CONF_POLICY_STICKY || c->n->told_to_stop ||
	       c->n->disturbed;
}

static const struct cause CAUSES[] = {
	{"nobody held it", "", "nobody held it", nobody_holds},
	{"%", " was silent for ", "the holder was silent", was_silent},
	{"%", " gave it up", "the holder gave it up", nobody_holds},
	{"%", " handed it over", "handed over to us", has_granted},
	{"handed over to %", "", "handed over", was_to_move},
	{"%", " holds it too and is worthier", "collision", is_held_by_worthier},
	{"%", " holds it too and its policy is sticky", "collision, sticky", is_held},
	{"%", " holds it too and has reached the neighbours", "collision, acknowledged", is_held},
	{"%", " holds it too and has held it for longer", "collision, older", is_held},
	{"%", " holds it too and this node is not eligible", "collision, not eligible", is_held},
	{"this node stops", "", "told to stop", was_told_to_stop},
	{"no heartbeat was sent in time", "", "the lease passed", is_passed},
	{"the address could not be configured", "", "could not be configured", was_disturbed},
	{"started", "", "started", NULL},
};

/* Splits what a cause says into its name, if it has one. */
static bool matches(const struct cause *cause, const char *text, char *ret_name)
{
	const char *hole = strchr(cause->before, '%');
	size_t fixed = hole ? (size_t)(hole - cause->before) : strlen(cause->before);
	const char *end;

	ret_name[0] = '\0';
	if (strncmp(text, cause->before, fixed) != 0)
		return false;
	if (!hole)
		return true;
	end = cause->after[0] ? strstr(text + fixed, cause->after) : text + strlen(text);
	if (!end)
		return false;
	snprintf(ret_name, NAME_SIZE, "%.*s", (int)(end - (text + fixed)), text + fixed);
	return true;
}

static void count(struct world *w, const struct report *r, const char *cause)
{
	char name[TALLY_NAME_SIZE];

	w->checks->transitions++;
	w->checks->last_transition = w->now;
	snprintf(name, sizeof(name), "%s to %s: %s", node_state_name(r->from),
		node_state_name(r->to), cause);
	tally_transition(w->tally, name);
}

static void check_cause(
	struct world *w, const struct node *n, const struct report *r, const char *text)
{
	char other[NAME_SIZE];
	int group = conf_group_by_name(&n->conf, r->group);
	struct claim claim = {.w = w, .n = n, .group = (size_t)group, .other = other};

	for (size_t i = 0; i < sizeof(CAUSES) / sizeof(CAUSES[0]); i++) {
		if (!matches(&CAUSES[i], text, other))
			continue;
		count(w, r, CAUSES[i].name);
		if (CAUSES[i].is_true && !CAUSES[i].is_true(&claim))
			violated(w, "%s gives a cause that is not true: %s %s", n->name, r->group,
				r->text);
		return;
	}
	/* All others are why it may not hold it. */
	count(w, r, "not eligible");
	if (!n->disturbed)
		violated(w, "%s gives a cause although nothing was done to it: %s %s", n->name,
			r->group, r->text);
}

void causes_decided(struct world *w, const struct node *n, size_t group)
{
	struct checks *c = w->checks;
	size_t i = node_index(w, n);

	c->decided_at[i][group] = node_clock(n, w->now);
	for (size_t other = 0; other < w->node_count; other++) {
		c->decided[i][group][other] = c->words[i][other][group];
		c->decided[i][group][other].tolerance_ns = c->hearing[i][other].tolerance_ns;
	}
}

void causes_check(struct world *w, const struct node *n, const struct report *r)
{
	const char *cause = strstr(r->text, ": ");

	if (r->text[0] == '\0')
		violated(w, "%s reports nothing", n->name);
	if (strlen(r->text) == REPORT_TEXT_SIZE - 1)
		violated(w, "%s reports more than fits: %s", n->name, r->text);
	if (r->kind != REPORT_STATE)
		return;
	if (r->from == 0 && r->to == 0) {
		epochs_renewed(w, n, (size_t)conf_group_by_name(&n->conf, r->group));
		tally_transition(w->tally, "ACTIVE with a new epoch");
		return;
	}
	if (r->from == r->to)
		violated(w, "%s reports a change to what it was", n->name);
	if (!cause || cause[2] == '\0')
		violated(w, "%s changes its state without a cause: %s", n->name, r->text);
	else
		check_cause(w, n, r, cause + 2);
}
