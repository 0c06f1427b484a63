/* SPDX-License-Identifier: ISC */
/*
 * docs/protocol.md 6.12: "A holder that is asked to yield grants the group to the node that was
 * named, else to the worthiest ELIGIBLE one that hears it."
 *
 * Each request gets one answer, in bounded time unless the node dies or is replaced; and what the
 * answer says is true: who has handed over holds nothing any more.
 */
#include "sim/invariants.h"

/* Longer than the engine's own patience, which counts in tolerances and a second. */
#define PATIENCE_TOLERANCES 4
#define PATIENCE_MORE_NS    (2 * NS_PER_S)

static bool is_over(const struct world *w, const struct asked *a)
{
	return a->token == 0 || w->nodes[a->node].boot != a->boot || !w->nodes[a->node].running;
}

uint32_t invariant_requested(
	struct world *w, const struct node *n, const struct control_request *asked)
{
	struct checks *c = w->checks;

	c->tokens++;
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (!is_over(w, &c->asked[i]))
			continue;
		c->asked[i] = (struct asked){.token = c->tokens,
			.node = node_index(w, n),
			.boot = n->boot,
			.what = *asked,
			.at = w->now};
		break;
	}
	return c->tokens;
}

static void check_done(struct world *w, const struct node *n, const struct asked *a)
{
	int group = conf_group_by_name(&n->conf, a->what.group);

	if (a->what.command == CONTROL_YIELD && group >= 0 && n->held[group].up &&
		a->what.to[0] == '\0')
		violated(w, "%s says that it has yielded %s, which it holds", n->name,
			a->what.group);
	for (size_t g = 0; a->what.command == CONTROL_DRAIN && g < n->conf.group_count; g++)
		if (n->held[g].up || n->held[g].asked)
			violated(w, "%s says that it is drained, but holds %s", n->name,
				n->conf.groups[g].name);
}

void invariant_answered(struct world *w, const struct node *n, const struct engine_answer *answer)
{
	struct checks *c = w->checks;

	if (answer->text[0] == '\0')
		violated(w, "%s gives an empty answer", n->name);
	for (size_t i = 0; i < ASKED_MAX; i++) {
		struct asked *a = &c->asked[i];

		if (a->token != answer->token || is_over(w, a) || a->node != node_index(w, n))
			continue;
		if (answer->outcome == CONTROL_DONE)
			check_done(w, n, a);
		a->token = 0;
		return;
	}
	violated(w, "%s answers what nobody has asked: %s", n->name, answer->text);
}

void answers_forget(struct world *w, const struct node *n)
{
	for (size_t i = 0; i < ASKED_MAX; i++)
		if (w->checks->asked[i].node == node_index(w, n))
			w->checks->asked[i].token = 0;
}

void answers_are_given(struct world *w)
{
	for (size_t i = 0; i < ASKED_MAX; i++) {
		const struct asked *a = &w->checks->asked[i];
		const struct node *n = &w->nodes[a->node];

		if (!is_over(w, a) &&
			time_between(a->at, w->now) >
				PATIENCE_MORE_NS + PATIENCE_TOLERANCES * n->conf.node.tolerance_ns)
			violated(w, "%s has not answered a request for %lld ms", n->name,
				(long long)(time_between(a->at, w->now) / NS_PER_MS));
	}
}
