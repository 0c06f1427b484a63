/* SPDX-License-Identifier: ISC */
/*
 * successor: one engine of a node after the other, as at an upgrade or a reload (R8): the one
 * writes down what it knows and ends, so does its keeper, what was held stays, the next ones read
 * it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/id.h"
#include "sim/world.h"

void node_replace(struct world *w, struct node *n, int64_t gap_ns, int64_t patience_ns)
{
	n->succession.asked = true;
	n->succession.gap_ns = gap_ns;
	keeper_tells_to_pause(w, n, patience_ns);
}

void node_has_paused(struct world *w, struct node *n)
{
	struct succession *s = &n->succession;
	size_t room = engine_record_size(n->engine);

	free(s->record);
	s->record = malloc(room);
	assert(s->record);
	s->size = engine_save(n->engine, s->record, room);
	assert(s->size > 0);
	s->paused = true;
	n->running = false;
	n->stalled_since = w->now;
	keeper_told_paused(w, n);
}

static void node_take_up(struct world *w, struct node *n)
{
	n->succession.takes_up = true;
	node_begin(w, n);
	n->succession.takes_up = n->succession.asked = false;
}

/* Half of the gap passes until the keeper is there, half of it until its engine is. */
void node_succeed(struct world *w, struct node *n)
{
	struct happening h;

	if (!n->succession.paused)
		return;
	memset(n->succession.grows, 0, sizeof(n->succession.grows));
	reload_take(w, n);
	n->succession.engine_at = time_add(w->now, n->succession.gap_ns / 2);
	schedule(
		w, schedule_prepare(&h, HAPPENS_ENGINE), node_index(w, n), n->succession.engine_at);
	n->succession.good = keeper_succeed(w, n);
}

static void change_worth(struct node *n)
{
	const struct succession *s = &n->succession;

	if (s->changes >= WORLD_GROUPS_MAX)
		return;
	n->conf.groups[s->changes].worth = s->worth;
	n->health[s->changes].worth = s->worth;
	n->disturbed = true;
}

void node_engine_succeeds(struct world *w, struct node *n)
{
	const struct succession *s = &n->succession;
	struct engine_identity fresh = {.id = n->identity.id};

	if (!s->paused || !n->keeper.runs)
		return;
	n->succession.paused = false;
	change_worth(n);
	n->boot++;
	fresh.nonce = id_hash(fresh.id, &n->boot, sizeof(n->boot));
	n->boot--;
	memset(n->memory, 0, engine_size(&n->conf));
	n->engine = engine_init(n->memory, &n->conf, fresh, &n->key);
	if (n->tells_changes)
		engine_tell_changes(n->engine);
	if (s->good && engine_adopt(n->engine, node_clock(n, w->now), s->record, s->size)) {
		node_take_up(w, n);
		return;
	}
	if (s->good)
		keeper_begins_afresh(w, n);
	node_start(w, n);
}
