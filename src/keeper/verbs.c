/* SPDX-License-Identifier: ISC */
#include "keeper/verbs.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "keeper/notify.h"
#include "keeper/session.h"
#include "keeper/settle.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "wire/handoff.h"

enum subject { SUBJECT_NONE, SUBJECT_GROUP, SUBJECT_ADDRESS };
enum condition { CONDITION_ANY, CONDITION_HELD, CONDITION_NOT_HELD };

struct verb {
	enum channel_verb verb;
	enum subject subject;
	enum condition condition;
	void (*act)(struct session *s, const struct channel_message *m);
};

static void refuse(struct session *s, const char *verb, const char *reason)
{
	ha_time now = clock_now();

	s->refused++;
	if (time_between(s->refused_at, now) < VERBS_REFUSED_LOG_NS)
		return;
	log_warning("refused %llu messages of the engine, the last one %s: %s",
		(unsigned long long)(s->refused - s->refused_logged), verb, reason);
	s->refused_logged = s->refused;
	s->refused_at = now;
}

static void act_hold(struct session *s, const struct channel_message *m)
{
	s->unsure[m->index] = false;
	work_hold(s, m->index, m->number);
}

static void act_release(struct session *s, const struct channel_message *m)
{
	work_release(s, m->index);
}

/* One that cannot be put back is told as removed again. */
static void act_restore(struct session *s, const struct channel_message *m)
{
	if (addresses_restore(s->addresses, m->index) == 0)
		announce_addresses(s->announcer, m->index, 1);
	s->told_removed[m->index] = false;
	s->interfaces->gone = true; /* look again */
}

static void act_announce(struct session *s, const struct channel_message *m)
{
	const struct conf_group *g = &s->conf->groups[s->conf->addresses[m->index].group];
	size_t behind = (size_t)g->address_first + g->address_count - m->index - 1;

	if (m->second > behind || m->second > CHANNEL_RUN_MAX)
		refuse(s, channel_verb_name(m->verb), "there are not so many behind it");
	else
		announce_addresses(s->announcer, m->index, m->second + 1U);
}

static void act_request(struct session *s, const struct channel_message *m)
{
	const struct ip *target = targets_get(s->targets, m->index, m->second);

	if (target)
		announce_request(s->announcer, m->index, target);
	else
		refuse(s, channel_verb_name(m->verb), "there is no such target");
}

static void act_probe(struct session *s, const struct channel_message *m)
{
	announce_probe(s->announcer, m->index);
}

/* By its first heartbeat an engine has said what it goes on with. */
static void drop_unsure(struct session *s)
{
	for (size_t g = 0; g < s->conf->group_count; g++) {
		if (s->unsure[g])
			work_release(s, g);
		s->unsure[g] = false;
	}
}

static void act_will(struct session *s, const struct channel_message *m)
{
	will_set(s->will, m->payload, m->payload_size);
	drop_unsure(s);
}

/* It knows nothing of what it was to go on with. */
static void act_afresh(struct session *s, const struct channel_message *m)
{
	(void)m;
	session_take_down(s);
	settle(s->addresses);
}

/* The engine ends next. What it has left is its own word, and the next one's to judge. */
static void act_paused(struct session *s, const struct channel_message *m)
{
	s->paused = m->number > 0 && m->number <= HANDOFF_RECORD_SIZE;
	s->record_size = m->number;
}

static void act_ask(struct session *s, const struct channel_message *m)
{
	if (m->index >= s->conf->check_count || !ask_send(s->ask, m->index, clock_now()))
		refuse(s, channel_verb_name(m->verb), "there is no such check");
}

static void act_ready(struct session *s, const struct channel_message *m)
{
	(void)m;
	s->ready = true;
	notify_send("READY=1");
}

static const struct verb VERBS[] = {
	{CHANNEL_READY, SUBJECT_NONE, CONDITION_ANY, act_ready},
	{CHANNEL_HOLD, SUBJECT_GROUP, CONDITION_ANY, act_hold},
	{CHANNEL_RELEASE, SUBJECT_GROUP, CONDITION_ANY, act_release},
	{CHANNEL_RESTORE, SUBJECT_ADDRESS, CONDITION_HELD, act_restore},
	{CHANNEL_ANNOUNCE, SUBJECT_ADDRESS, CONDITION_HELD, act_announce},
	{CHANNEL_REQUEST, SUBJECT_ADDRESS, CONDITION_HELD, act_request},
	{CHANNEL_PROBE, SUBJECT_ADDRESS, CONDITION_NOT_HELD, act_probe},
	{CHANNEL_WILL, SUBJECT_NONE, CONDITION_ANY, act_will},
	{CHANNEL_ASK, SUBJECT_NONE, CONDITION_ANY, act_ask},
	{CHANNEL_AFRESH, SUBJECT_NONE, CONDITION_ANY, act_afresh},
	{CHANNEL_PAUSED, SUBJECT_NONE, CONDITION_ANY, act_paused},
};

static const struct verb *find_verb(enum channel_verb verb)
{
	for (size_t i = 0; i < sizeof(VERBS) / sizeof(VERBS[0]); i++) {
		if (VERBS[i].verb == verb)
			return &VERBS[i];
	}
	return NULL;
}

/* NULL, or why the message is not to be carried out. */
static const char *objection(
	const struct session *s, const struct verb *v, const struct channel_message *m)
{
	size_t limit = v->subject == SUBJECT_GROUP ? s->conf->group_count : s->conf->address_count;

	if (v->subject == SUBJECT_NONE)
		return NULL;
	if (m->index >= limit)
		return "its index is out of range";
	if (v->condition == CONDITION_ANY)
		return NULL;
	assert(v->subject == SUBJECT_ADDRESS);
	if (!work_is_idle(&s->work, s->conf->addresses[m->index].group))
		return "the group is on its way";
	if (addresses_is_held(s->addresses, m->index) == (v->condition == CONDITION_HELD))
		return NULL;
	return v->condition == CONDITION_HELD ? "the group is not held" : "the group is held";
}

void verbs_carry_out(struct session *s, const uint8_t *bytes, size_t size)
{
	struct channel_message m;
	const struct verb *v;
	const char *reason;

	if (!channel_decode(bytes, size, &m)) {
		refuse(s, "of unknown kind", "it is malformed");
		return;
	}
	v = find_verb(m.verb);
	reason = v ? objection(s, v, &m) : "it is not for the keeper";
	if (reason)
		refuse(s, channel_verb_name(m.verb), reason);
	else
		v->act(s, &m);
}
