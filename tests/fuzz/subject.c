/* SPDX-License-Identifier: ISC */
#include "fuzz/subject.h"

#include <stdlib.h>

#include "engine/views.h"
#include "fuzz/fuzz.h"

/* So many steps may be due at one instant: the announcements of a full node are spread over
 * several. */
#define DUE_STEPS_MAX 64
/* So many timers within WINDOW_NS are a busy loop: each of a full node's addresses may have its own
 * schedule, of up to six announcements and five requests in a second. */
#define WINDOW_NS         NS_PER_S
#define TIMERS_PER_WINDOW 4096
/* A stop may take a handover that is not taken up, and the heartbeats meanwhile. */
#define STOP_TIMERS_MAX 512

static struct subject_group *group_of(struct subject *s, uint16_t address)
{
	assert(address < s->conf->address_count);
	return &s->groups[s->conf->addresses[address].group];
}

static void check_active(struct subject_group *g, uint64_t epoch)
{
	assert(g->holding == HOLDING_UP || g->holding == HOLDING_RELEASING);
	assert(epoch >= g->epoch);
	assert(epoch >= g->epoch_told); /* R4: tokens never go back */
	g->epoch_told = epoch;
}

/* 2.9: whoever misses nothing knows the table, as its digest says. */
static void check_table(struct subject *s, const struct table *t)
{
	uint64_t digest = 0;

	assert(t->last <= t->version && t->base <= s->have);
	for (size_t i = 0; i < t->change_count; i++) {
		int group = conf_group_by_id(s->conf, t->changes[i].id);

		assert(group >= 0);
		s->known[group] = t->changes[i];
		if (t->changes[i].state == STATE_ACTIVE && t->last > s->have)
			check_active(&s->groups[group], t->changes[i].epoch);
	}
	s->have = t->last > s->have ? t->last : s->have;
	for (size_t g = 0; g < s->conf->group_count; g++)
		digest += s->known[g].id != 0 ? table_digest(&s->known[g]) : 0;
	assert(s->have != t->version || digest == t->digest);
}

static void check_sent(struct subject *s, const struct effect *effect, bool will)
{
	const uint8_t *bytes = will ? effect->keeper.payload : effect->send.bytes;
	size_t size = will ? effect->keeper.payload_size : effect->send.size;
	static struct heartbeat h;

	assert(size <= HEARTBEAT_SIZE_MAX && size <= CHANNEL_PAYLOAD_MAX);
	assert(heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, s->conf->node.cluster_tag,
		       &s->key, &h) == HEARTBEAT_ACCEPTED);
	assert(h.id == s->identity.id && h.nonce == s->identity.nonce);
	assert(h.no_groups ? s->tells_changes : h.group_count == s->conf->group_count);
	assert(h.leaving || !will);
	if (effect->kind == EFFECT_SEND) {
		assert(h.sequence > s->sequence);
		s->sequence = h.sequence;
		s->announced_ns = h.tolerance_us * NS_PER_US;
		s->sent_at = s->now;
	}
	for (size_t g = 0; g < h.group_count; g++)
		if (h.groups[g].state == STATE_ACTIVE)
			check_active(&s->groups[g], h.groups[g].epoch);
	if (effect->kind == EFFECT_SEND && h.table.present)
		check_table(s, &h.table);
}

static void check_request(struct subject *s, const struct effect *effect)
{
	uint16_t index = effect->keeper.index;

	switch (effect->keeper.verb) {
	case CHANNEL_READY: break;
	case CHANNEL_HOLD:
		assert(index < s->conf->group_count);
		if (s->takes_up) {
			assert(s->groups[index].holding == HOLDING_UP);
			assert(effect->keeper.number >= s->groups[index].epoch);
			s->groups[index].asked_again = true;
			break;
		}
		assert(s->groups[index].holding == HOLDING_DOWN);
		assert(effect->keeper.number > s->groups[index].epoch); /* R2 */
		assert(effect->keeper.number > s->groups[index].epoch_told);
		s->groups[index].epoch = effect->keeper.number;
		s->groups[index].holding = HOLDING_ASKED;
		break;
	case CHANNEL_RELEASE:
		assert(index < s->conf->group_count);
		assert(s->groups[index].holding == HOLDING_ASKED ||
			s->groups[index].holding == HOLDING_UP);
		s->groups[index].holding = HOLDING_RELEASING;
		break;
	case CHANNEL_RESTORE:
	case CHANNEL_ANNOUNCE: assert(group_of(s, index)->holding == HOLDING_UP); break;
	case CHANNEL_REQUEST:
		assert(group_of(s, index)->holding == HOLDING_UP);
		assert(effect->keeper.second < TARGETS_MAX);
		break;
	case CHANNEL_PROBE: assert(group_of(s, index)->holding == HOLDING_DOWN); break;
	case CHANNEL_WILL: check_sent(s, effect, true); break;
	default: abort(); /* not ours to say */
	}
}

static void check_lease(struct subject *s, ha_time lease)
{
	const struct conf_node *node = &s->conf->node;

	/* R7: no longer than the peers' patience since the last sending, and never taken back, but
	 * when they need less of it again (R8). */
	assert(lease.ns <= time_add(s->sent_at, s->announced_ns - node->margin_ns).ns);
	assert(lease.ns >= s->lease.ns || s->announced_ns > node->tolerance_ns);
	s->lease = lease;
}

static void check_texts(const struct subject *s, const struct effect *effect)
{
	if (effect->kind == EFFECT_REPORT) {
		assert_terminated(effect->report.group);
		assert_terminated(effect->report.peer);
		assert_terminated(effect->report.text);
		assert(effect->report.text[0] != '\0');
		assert(effect->report.from <= STATE_SHUTDOWN &&
			effect->report.to <= STATE_SHUTDOWN);
	} else {
		assert(effect->hook.group < s->conf->group_count);
		assert_terminated(effect->hook.holder);
		assert_terminated(effect->hook.reason);
		/* Only the epoch of a holder changes without its state. */
		assert(effect->hook.state != effect->hook.previous ||
			effect->hook.state == STATE_ACTIVE);
	}
}

static void check_stopped(struct subject *s)
{
	for (size_t g = 0; g < s->conf->group_count; g++)
		assert(s->groups[g].holding == HOLDING_DOWN);
	s->stopped = true;
}

static void check_effect(struct subject *s, const struct effect *effect)
{
	assert(!s->stopped);
	switch (effect->kind) {
	case EFFECT_SEND_TO:
		assert(effect->send.to.family != IP_NONE);
		check_sent(s, effect, false);
		break;
	case EFFECT_SEND: check_sent(s, effect, false); break;
	case EFFECT_SEND_ORIGINAL: break;
	case EFFECT_LEASE: check_lease(s, effect->lease); break;
	case EFFECT_PASS:
		assert(effect->pass.group < s->conf->group_count);
		assert(effect->pass.service <= LEASE_HANDED_ON);
		break;
	case EFFECT_KEEPER: check_request(s, effect); break;
	case EFFECT_REPORT:
	case EFFECT_HOOK: check_texts(s, effect); break;
	case EFFECT_ANSWER:
		assert(effect->answer.token != 0 && effect->answer.token <= s->asked);
		assert(effect->answer.outcome < CONTROL_OUTCOMES && effect->answer.text[0] != '\0');
		break;
	case EFFECT_REMEMBER: break;
	case EFFECT_STOPPED: check_stopped(s); break;
	case EFFECT_PAUSED: s->paused = true; break;
	}
}

/* R7: nothing is held past the lease, and the engine wants to wake when it ends. */
static void check_holding(const struct subject *s)
{
	if (time_reached(s->now, engine_deadline(s->engine)))
		return; /* R10: it came late, and reads everything before it judges */
	for (size_t g = 0; g < s->conf->group_count; g++) {
		if (s->groups[g].holding != HOLDING_ASKED && s->groups[g].holding != HOLDING_UP)
			continue;
		assert(!time_reached(s->now, s->lease));
		assert(engine_deadline(s->engine).ns <= s->lease.ns);
	}
}

/* What the keeper's message says has happened before the engine hears of it. */
static void take_message(struct subject *s, const struct channel_message *m)
{
	struct subject_group *g;

	if (s->stopped || m->index >= s->conf->group_count)
		return;
	g = &s->groups[m->index];
	if (m->verb == CHANNEL_HELD && g->holding == HOLDING_ASKED && m->number == g->epoch)
		g->holding = HOLDING_UP;
	else if (m->verb == CHANNEL_HOLD_FAILED && (g->holding == HOLDING_ASKED || g->asked_again))
		g->holding = HOLDING_DOWN;
	else if (m->verb == CHANNEL_RELEASED && g->holding == HOLDING_RELEASING)
		g->holding = HOLDING_DOWN;
	else if (m->verb == CHANNEL_RETIRE)
		g->retired = true;
	if (m->verb == CHANNEL_HELD || m->verb == CHANNEL_HOLD_FAILED)
		g->asked_again = false;
	for (size_t i = 0; m->verb == CHANNEL_RESUME && i < s->conf->group_count; i++)
		s->groups[i].retired = false;
}

void subject_step(struct subject *s, const struct engine_event *event)
{
	if (event->kind == ENGINE_KEEPER)
		take_message(s, event->keeper);
	if (event->kind == ENGINE_DEVICE) {
		s->devices[event->device.index] = event->device;
		s->device_told[event->device.index] = true;
	}
	engine_step(s->engine, s->now, event, &s->effects);
	assert(s->effects.count <= EFFECTS_MAX);
	for (size_t i = 0; i < s->effects.count; i++)
		check_effect(s, &s->effects.list[i]);
	if (s->paused)
		subject_succeed(s);
	else
		check_holding(s);
}

static void count_timer(struct subject *s)
{
	if (time_between(s->timers_since, s->now) >= WINDOW_NS) {
		s->timers_since = s->now;
		s->timers = 0;
	}
	s->timers++;
	assert(s->timers <= TIMERS_PER_WINDOW);
}

void subject_timer(struct subject *s)
{
	struct engine_event timer = {.kind = ENGINE_TIMER};
	ha_time deadline = engine_deadline(s->engine);

	if (s->stopped || time_is_never(deadline))
		return;
	s->now = time_max(s->now, deadline);
	for (int steps = 0; !s->stopped; steps++) {
		assert(steps < DUE_STEPS_MAX);
		subject_step(s, &timer);
		count_timer(s);
		if (!time_reached(s->now, engine_deadline(s->engine)))
			return;
	}
}

void subject_keeper(struct subject *s, enum channel_verb verb, uint16_t index, uint64_t number)
{
	static struct channel_message message;
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &message};

	message = (struct channel_message){.verb = verb, .index = index, .number = number};
	subject_step(s, &event);
}

void subject_answer(struct subject *s)
{
	struct engine_event sent = {.kind = ENGINE_SENT};

	if (s->stopped)
		return;
	if (time_between(s->sent_at, s->now) == 0)
		subject_step(s, &sent);
	for (uint16_t g = 0; g < s->conf->group_count && !s->stopped; g++) {
		if (s->groups[g].holding == HOLDING_ASKED)
			subject_keeper(s, CHANNEL_HELD, g, s->groups[g].epoch);
		else if (s->groups[g].holding == HOLDING_RELEASING)
			subject_keeper(s, CHANNEL_RELEASED, g, 0);
	}
}

static const struct conf *shared_conf(void)
{
	static struct conf_diagnostics diagnostics;
	static char text[SUBJECT_TEXT_SIZE];
	static struct conf conf;

	if (conf.group_count == 0) {
		subject_conf_text(text);
		assert(conf_parse(text, strlen(text), "subject", &conf, &diagnostics));
	}
	return &conf;
}

void subject_start(struct subject *s, bool tells_changes)
{
	struct engine_event start = {.kind = ENGINE_START};
	void *memory = s->engine ? (void *)s->engine : malloc(engine_size(shared_conf()));

	assert(memory);
	memset(s, 0, offsetof(struct subject, effects));
	memset(&s->stopped, 0, sizeof(*s) - offsetof(struct subject, stopped));
	s->conf = shared_conf();
	assert(s->conf->group_count <= SUBJECT_GROUPS_MAX);
	s->announced_ns = s->conf->node.tolerance_ns;
	s->identity = (struct engine_identity){.id = 0xa1fa, .nonce = 0xb007};
	s->now = s->timers_since = (ha_time){3600 * NS_PER_S};
	s->engine = engine_init(memory, s->conf, s->identity, &s->key);
	s->tells_changes = tells_changes;
	if (tells_changes)
		engine_tell_changes(s->engine);
	subject_step(s, &start);
}

static void meet_difference(void *context, const char *text)
{
	(void)context;
	assert(*text != '\0');
}

static void check_views(const struct subject *s)
{
	struct view_node node;
	struct view_heard heard;
	struct view_group group;

	for (size_t n = 0; views_node(s->engine, s->now, n, &node); n++) {
		assert(node.id != 0 && n <= PEERS_MAX);
		for (size_t i = 0; views_heard(s->engine, n, i, &heard); i++)
			assert(i < PEERS_MAX && heard.age_ms >= 0);
		for (size_t g = 0; g < s->conf->group_count; g++)
			if (views_group(s->engine, n, g, &group))
				assert(*node_state_name(group.state) != '\0');
	}
	for (size_t g = 0; g < s->conf->group_count; g++)
		views_differences_of_group(s->engine, g, meet_difference, NULL);
	views_differences_of_links(s->engine, meet_difference, NULL);
}

void subject_check_status(const struct subject *s)
{
	struct status *status = calloc(1, sizeof(*status)), *read = calloc(1, sizeof(*read));
	const char *error = NULL;
	json_t *json;

	assert(status && read);
	assert(status_init(status, s->conf->group_count, s->conf->address_count));
	engine_status(s->engine, s->now, 0, status);
	check_views(s);
	json = status_to_json(status);
	assert(json && status_from_json(json, read, &error));
	json_decref(json);
	status_done(status);
	status_done(read);
	free(status);
	free(read);
}

void subject_finish(struct subject *s)
{
	struct engine_event stop = {.kind = ENGINE_STOP};

	subject_step(s, &stop);
	subject_answer(s);
	for (int timers = 0; !s->stopped; timers++) {
		assert(timers < STOP_TIMERS_MAX);
		subject_timer(s);
		subject_answer(s);
	}
}
