/* SPDX-License-Identifier: ISC */
#include "sim/invariants.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct checks *checks_new(void)
{
	return calloc(1, sizeof(struct checks));
}

void checks_free(struct checks *c)
{
	free(c);
}

void violated(struct world *w, const char *format, ...)
{
	char what[WORLD_VIOLATION_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (w->violations++ == 0)
		text_copy(w->violation, sizeof(w->violation), what);
	world_tell(w, "VIOLATION: %s", what);
}

void invariants_check(struct world *w)
{
	lease_check(w);
	overlap_check(w);
}

void invariant_started(struct world *w, const struct node *n)
{
	struct checks *c = w->checks;
	size_t i = node_index(w, n);

	memset(c->hearing[i], 0, sizeof(c->hearing[i]));
	memset(c->words[i], 0, sizeof(c->words[i]));
	memset(c->known_epoch[i], 0, sizeof(c->known_epoch[i]));
	memset(c->granting[i], 0, sizeof(c->granting[i]));
	for (size_t g = 0; g < n->conf.group_count; g++)
		listening_begins(w, n, g);
}

void invariant_group_begins(struct world *w, const struct node *n, size_t group)
{
	struct checks *c = w->checks;
	size_t i = node_index(w, n);

	for (size_t other = 0; other < w->node_count; other++)
		c->words[i][other][group] = (struct word){0};
	c->known_epoch[i][group] = 0;
	c->granting[i][group] = false;
	listening_begins(w, n, group);
}

/* docs/protocol.md 6.10, "finishes what is under way", and 6.5: it is handed over, or given up,
 * before the engine makes room. */
void invariant_group_ends(struct world *w, const struct node *n, size_t group)
{
	if (n->held[group].up)
		violated(w, "%s leaves %s, which the next engine will not have", n->name,
			n->conf.groups[group].name);
}

void invariant_sent(struct world *w, struct node *n, struct packet *p)
{
	words_check(w, n, p);
}

/* The entry of this boot of @n in what @p says that its sender has heard, or NULL. */
static const struct heartbeat_heard *find_named(const struct node *n, const struct packet *p)
{
	const struct heartbeat *h = &p->says;

	for (size_t i = 0; i < h->heard_count; i++)
		if (h->heard[i].id == n->identity.id && h->heard[i].nonce == n->identity.nonce)
			return &h->heard[i];
	return NULL;
}

bool hearing_names(const struct node *n, const struct packet *p)
{
	const struct heartbeat_heard *heard = find_named(n, p);

	return heard && heard->age_ms * NS_PER_MS < n->conf.node.tolerance_ns &&
	       (int32_t)(heard->sequence - (uint32_t)n->sequence_recent) >= 0;
}

static bool take_hearing(struct world *w, const struct node *n, const struct packet *p)
{
	struct hearing *hearing = &w->checks->hearing[node_index(w, n)][p->from];

	if (p->boot < hearing->boot ||
		(p->boot == hearing->boot && p->says.sequence <= hearing->sequence))
		return false;
	/* Not counted as long as the one before it may live (docs/protocol.md 3.3). */
	if (p->boot != hearing->boot && hearing->boot != 0 && !find_named(n, p))
		return false;
	if (p->boot != hearing->boot) {
		overlap_begins_boot(w, n, p);
		*hearing = (struct hearing){.boot = p->boot};
	}
	hearing->sequence = p->says.sequence;
	hearing->tolerance_ns = p->says.tolerance_us * NS_PER_US;
	hearing->heard = node_clock(n, w->now);
	hearing->heard_world = w->now;
	hearing->proven = hearing->proven || find_named(n, p);
	if (hearing_names(n, p))
		hearing->named = p->sent;
	return true;
}

void invariant_hears(struct world *w, const struct node *n, const struct packet *p)
{
	bool news;

	if (!p->readable)
		return;
	news = take_hearing(w, n, p);
	if (!news && p->boot > w->checks->hearing[node_index(w, n)][p->from].boot)
		overlap_hears_of_next(w, n, p);
	overlap_hears(w, n, p, news);
	epochs_hears(w, n, p, news);
}

bool hearing_is_mutual(const struct world *w, size_t a, size_t b, ha_time since)
{
	const struct hearing *ab = &w->checks->hearing[a][b], *ba = &w->checks->hearing[b][a];

	return ab->boot == w->nodes[b].boot && ba->boot == w->nodes[a].boot &&
	       ab->named.ns > since.ns && ba->named.ns > since.ns;
}

void invariant_lease_given(struct world *w, const struct node *n, ha_time lease)
{
	lease_given(w, n, lease);
}

void invariant_reported(struct world *w, const struct node *n, const struct report *r)
{
	causes_check(w, n, r);
	suspicion_reported(w, r);
}

void invariant_changed(struct world *w, const struct node *n, size_t group)
{
	w->checks->changed_at[group] = w->now;
	if (!n->held[group].up && n->held[group].expired)
		listening_begins(w, n, group);
}

void invariant_ended(struct world *w, const struct node *n)
{
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->held[g].up || n->held[g].asked)
			violated(w, "%s ends and still holds %s", n->name, n->conf.groups[g].name);
}

void invariant_announced(struct world *w, const struct node *n, size_t address)
{
	announcements_check(w, n, address);
}

void invariant_asked(struct world *w, const struct node *n, enum channel_verb verb, size_t index,
	uint64_t number)
{
	requests_check(w, n, verb, index);
	if (verb == CHANNEL_HOLD || verb == CHANNEL_RELEASE)
		causes_decided(w, n, index);
	if (verb == CHANNEL_HOLD) {
		listening_check(w, n, index);
		calm_check(w, n, index);
		suspicion_check(w, n, index);
		epochs_claimed(w, n, index, number);
	}
}
