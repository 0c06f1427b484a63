/* SPDX-License-Identifier: ISC */
/* How a node begins, ends and stands still. */
#include <string.h>

#include "base/id.h"
#include "sim/invariants.h"
#include "sim/tally.h"
#include "sim/world.h"

void node_begin(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_START, .drained = n->drained};

	n->running = true;
	answers_forget(w, n);
	n->sent = n->send_failed = n->told_to_stop = false;
	n->stalled_until = time_max(w->now, n->host_stalled_until);
	n->awake_since = n->stalled_until;
	node_step(w, n, &event);
	if (!n->succession.takes_up)
		keeper_tells_fence(w, n);
	for (size_t i = 0; i < n->conf.device_count; i++)
		node_device(w, n, i);
	for (size_t g = 0; g < n->conf.group_count; g++)
		if (n->succession.takes_up || n->health[g].impaired || n->health[g].ineligible ||
			n->health[g].worth != n->conf.groups[g].worth)
			node_health(w, n, g);
}

static void end_engine(struct node *n)
{
	n->running = false;
	n->died = n->boot++;
	n->deadline = TIME_NEVER;
}

static void make_engine(struct node *n)
{
	n->succession.asked = false;
	reload_forget(n);
	n->boot++;
	n->identity = (struct engine_identity){.id = id_hash(ID_SEED, n->name, strlen(n->name))};
	n->identity.nonce = id_hash(n->identity.id, &n->boot, sizeof(n->boot));
	memset(n->memory, 0, engine_size(&n->conf));
	n->engine = engine_init(n->memory, &n->conf, n->identity, &n->key);
	if (n->tells_changes)
		engine_tell_changes(n->engine);
}

void node_start(struct world *w, struct node *n)
{
	n->start_next = n->dying;
	if (n->dying)
		return; /* the service manager waits for the keeper's end */
	if (n->running)
		end_engine(n); /* one that has lost its keeper, and has not seen that yet */
	n->succession.paused = false;
	kernel_take_all_down(w, n); /* leftovers */
	make_engine(n);
	keeper_start(w, n);
	invariant_started(w, n);
	node_begin(w, n);
}

void node_restart(struct world *w, struct node *n)
{
	if (n->running || !n->keeper.runs || !n->keeper.restarting)
		return;
	make_engine(n);
	keeper_begins_again(w, n);
	invariant_started(w, n);
	tally_transition(w->tally, "a fresh engine after a crash");
	node_begin(w, n);
}
void node_stop(struct world *w, struct node *n)
{
	struct engine_event event = {.kind = ENGINE_STOP};

	n->told_to_stop = true;
	if (node_is_awake(w, n))
		node_step(w, n, &event);
	else
		keeper_tells_to_stop(w, n);
}

void node_kill(struct world *w, struct node *n)
{
	end_engine(n);
	keeper_cleans_up(w, n);
}

void node_crash(struct world *w, struct node *n)
{
	end_engine(n);
	keeper_dies(w, n);
	kernel_take_all_down(w, n);
	for (size_t g = 0; g < n->conf.group_count; g++)
		n->held[g].asked = false;
	n->dying = n->start_next = n->succession.paused = false;
	n->stalled_until = n->keeper_stalled_until = n->host_stalled_until = TIME_ORIGIN;
}

static void send_last_word(struct world *w, struct node *n)
{
	struct packet *p;

	invariant_will(w, n);
	if (n->own_will.size == 0 || n->cannot_send)
		return;
	n->own_will.source = node_address(n);
	p = lan_packet(w, n, &n->own_will);
	(void)lan_read_packet(p, n);
	lan_multicast(w, n, p);
	lan_drop_packet(w, p);
}

/* Without a fence that has closed its addresses go on answering, so the others must not think them
 * free before they have missed it (src/driver/keeper.c). */
void node_sees_orphaned(struct world *w, struct node *n)
{
	if (!n->running || n->keeper.runs)
		return;
	n->lease = TIME_ORIGIN;
	if (n->fence == CHANNEL_FENCE_BPF)
		send_last_word(w, n);
	world_tell(w, "%s has lost its keeper, and ends", n->name);
	end_engine(n);
}

/* Likewise: nobody hears it through the fence that has closed. */
void node_sees_unfenced(struct world *w, struct node *n)
{
	if (!n->running || !fence_is_missed(w, n))
		return;
	n->lease = TIME_ORIGIN;
	send_last_word(w, n);
	world_tell(w, "%s ends: its keeper does not renew the fence", n->name);
	tally_transition(w->tally, "an engine ends, because its keeper hangs");
	n->disturbed = true;
	node_kill(w, n);
}

void node_orphan(struct world *w, struct node *n)
{
	struct happening h;

	fence_is_left(w, n);
	keeper_dies(w, n);
	n->dying = false;
	if (node_is_awake(w, n))
		node_sees_orphaned(w, n);
	else if (n->running)
		schedule(w, schedule_prepare(&h, HAPPENS_ORPHANED), node_index(w, n), w->now);
}

void node_stall(struct world *w, struct node *n, int64_t duration_ns)
{
	ha_time until = time_add(w->now, duration_ns);

	if (w->now.ns > n->stalled_until.ns) /* else it goes on: there was no time between */
		n->stalled_since = w->now;
	n->stalled_until = time_max(n->stalled_until, until);
	n->awake_since = time_max(n->awake_since, n->stalled_until);
}

void node_stall_keeper(struct world *w, struct node *n, int64_t duration_ns)
{
	fence_is_left(w, n);
	n->keeper_stalled_until = time_max(n->keeper_stalled_until, time_add(w->now, duration_ns));
}

void node_stall_host(struct world *w, struct node *n, int64_t duration_ns)
{
	node_stall(w, n, duration_ns);
	node_stall_keeper(w, n, duration_ns);
	n->host_stalled_until = time_max(n->host_stalled_until, time_add(w->now, duration_ns));
}

void node_pause(struct world *w, struct node *n, int64_t duration_ns)
{
	node_stall_host(w, n, duration_ns);
	n->clock.own = node_clock(n, w->now);
	n->clock.world = n->host_stalled_until;
	if (n->running)
		node_plan_timer(w, n);
	/* Its lease did not pass with the others' patience. */
	for (size_t i = 0; i < WORLD_PORTS_MAX; i++)
		w->joined[node_index(w, n)][i] = w->joined[i][node_index(w, n)] =
			n->host_stalled_until;
}
