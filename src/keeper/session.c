/* SPDX-License-Identifier: ISC */
#include "keeper/session.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "keeper/notify.h"
#include "keeper/settle.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/timer.h"
#include "wire/handoff.h"

/* So that a flood cannot keep the watchdog waiting. */
#define MESSAGES_PER_TURN 64
#define TURN_NS           (2 * NS_PER_MS)
#define REFUSED_LOG_NS    NS_PER_S

enum subject { SUBJECT_NONE, SUBJECT_GROUP, SUBJECT_ADDRESS };
enum condition { CONDITION_ANY, CONDITION_HELD, CONDITION_NOT_HELD };

struct verb {
	enum channel_verb verb;
	enum subject subject;
	enum condition condition;
	void (*act)(struct session *s, const struct channel_message *m);
};

static bool try_send(const struct session *s, const struct channel_message *m)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
	size_t size = channel_encode(m, bytes);

	return send(s->channel, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void send_message(struct session *s, const struct channel_message *m)
{
	if (!try_send(s, m) && errno == EAGAIN)
		s->overrun =
			true; /* any other error means that it is gone, which shows elsewhere */
}

void session_answer(
	struct session *s, enum channel_verb verb, size_t index, size_t second, uint64_t number)
{
	const struct channel_message m = {
		.verb = verb,
		.index = (uint16_t)index,
		.second = (uint16_t)second,
		.number = number,
	};

	send_message(s, &m);
}

int session_open(struct session *s)
{
	int r = work_open(&s->work, s->conf);

	s->told_removed = calloc(s->conf->address_count, sizeof(*s->told_removed));
	s->expired = calloc(s->conf->group_count, sizeof(*s->expired));
	s->unsure = calloc(s->conf->group_count, sizeof(*s->unsure));
	s->watchdog = timer_open();
	if (r < 0 || !s->told_removed || !s->expired || !s->unsure)
		return -ENOMEM;
	return s->watchdog < 0 ? s->watchdog : 0;
}

void session_start(
	struct session *s, int channel, const struct lease_page *lease, uint64_t record_size)
{
	int size = 0;
	socklen_t length = sizeof(size);

	assert(record_size > 0 || !addresses_any_held(s->addresses));
	s->channel = channel;
	s->lease = lease;
	s->ready = s->overrun = s->paused = false;
	memcpy(s->unsure, s->addresses->held, s->conf->group_count * sizeof(*s->unsure));
	memset(s->told_removed, 0, s->conf->address_count * sizeof(*s->told_removed));
	will_forget(s->will);

	/* The other half is for answers, which must not get lost. */
	(void)getsockopt(s->channel, SOL_SOCKET, SO_SNDBUF, &size, &length);
	s->room = (unsigned)size / 2;
	s->refused_at = (ha_time){-REFUSED_LOG_NS};
	session_answer(s, CHANNEL_BEGIN, 0, 0, record_size);
	fence_obey(s->fence, lease);
	if (record_size > 0)
		session_watch_lease(s);
	session_answer(s, CHANNEL_FENCE, 0, s->fence->in_time, s->fence->kind);
}

void session_end(struct session *s)
{
	timer_set(s->watchdog, TIME_NEVER);
	s->channel = -1;
	s->lease = NULL;
	fence_obey(s->fence, NULL);
}

void session_pause(struct session *s, int64_t patience_ns)
{
	session_answer(s, CHANNEL_PAUSE, 0, 0, (uint64_t)patience_ns);
}

void session_tell(struct session *s, enum channel_verb verb)
{
	session_answer(s, verb, 0, 0, 0);
}

void session_answered(struct session *s, uint16_t check)
{
	struct channel_message m = {.verb = CHANNEL_ANSWERED, .index = check};

	if (session_has_room(s))
		(void)try_send(s, &m);
}

void session_frame(struct session *s, uint32_t interface_index, const uint8_t *frame, size_t size)
{
	struct channel_message m = {
		.verb = CHANNEL_FRAME,
		.number = interface_index,
		.payload_size = (uint16_t)size,
	};

	assert(size <= CHANNEL_FRAME_MAX);
	if (size == 0 || !session_has_room(s))
		return;
	memcpy(m.payload, frame, size);
	(void)try_send(s, &m);
}

static void refuse(struct session *s, const char *verb, const char *reason)
{
	ha_time now = clock_now();

	s->refused++;
	if (time_between(s->refused_at, now) < REFUSED_LOG_NS)
		return;
	log_warning("refused %llu messages of the engine, the last one %s: %s",
		(unsigned long long)(s->refused - s->refused_logged), verb, reason);
	s->refused_logged = s->refused;
	s->refused_at = now;
}

bool session_lease_passed(const struct session *s)
{
	ha_time now = clock_now();

	return time_reached(now, lease_believed(s->lease, now, s->conf->node.max_tolerance_ns));
}

void session_watch_lease(struct session *s)
{
	timer_set(
		s->watchdog, lease_believed(s->lease, clock_now(), s->conf->node.max_tolerance_ns));
}

bool session_has_room(const struct session *s)
{
	int waiting = 0;

	return ioctl(s->channel, SIOCOUTQ, &waiting) == 0 && (unsigned)waiting <= s->room;
}

void session_announce(struct session *s, size_t index)
{
	size_t count = targets_find(s->targets, index, clock_now());

	announce_addresses(s->announcer, index, 1);
	s->told_removed[index] = false;
	for (size_t t = 0; t < count; t++) {
		const struct ip *target = targets_get(s->targets, index, t);
		struct channel_message m = {
			.verb = CHANNEL_TARGET,
			.index = (uint16_t)index,
			.second = (uint16_t)t,
			.payload_size = IP_WIRE_SIZE,
		};

		announce_request(s->announcer, index, target);
		ip_to_wire(target, m.payload);
		send_message(s, &m);
	}
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

static void carry_out(struct session *s, const uint8_t *bytes, size_t size)
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

/* Distinguishes an empty message, which looks the same, from the end. */
static bool is_closed(const struct session *s)
{
	struct pollfd end = {.fd = s->channel, .events = POLLRDHUP};

	return poll(&end, 1, 0) == 1 && (end.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* What we put there and is not there was taken away by somebody else: what we did ourselves is in
 * the tables already. */
static void tell_removed(struct session *s)
{
	if (!s->interfaces->gone)
		return;
	s->interfaces->gone = false;
	for (size_t i = 0; i < s->conf->address_count; i++) {
		bool missing = addresses_is_missing(s->addresses, i);

		if (missing && !s->told_removed[i] && !session_has_room(s)) {
			s->interfaces->gone = true; /* the others when it has read */
			return;
		}
		if (missing && !s->told_removed[i])
			session_answer(s, CHANNEL_REMOVED, i, 0, 0);
		s->told_removed[i] = missing;
	}
}

void session_watch(struct session *s)
{
	int r = interfaces_update(s->interfaces);

	if (r < 0)
		log_error("the kernel's notices cannot be read: %s", strerror(-r));
	if (s->interfaces->changed)
		settle(s->addresses);
	tell_removed(s);
}

bool session_receive(struct session *s)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX + 1]; /* one more: what is too long is not cut to fit */
	ha_time end = time_add(clock_now(), TURN_NS);
	bool open = true;

	for (int n = 0;
		open && n < MESSAGES_PER_TURN && !s->overrun && !time_reached(clock_now(), end);
		n++) {
		ssize_t size = recv(s->channel, bytes, sizeof(bytes), 0);

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (size < 0 || (size == 0 && is_closed(s)))
			open = false;
		else
			carry_out(s, bytes, (size_t)size);
	}
	tell_removed(s);
	return open;
}

void session_take_down(struct session *s)
{
	addresses_remove_all(s->addresses);
	work_drop(s);
}

void session_expire(struct session *s)
{
	for (size_t g = 0; g < s->conf->group_count; g++)
		s->expired[g] = s->addresses->held[g] || s->work.groups[g].phase == WORK_HOLDING;
	session_take_down(s);
	timer_set(s->watchdog, TIME_NEVER);
	log_warning("the lease has passed: this node does not serve any more");
	for (size_t g = 0; g < s->conf->group_count; g++) {
		if (s->expired[g])
			session_answer(s, CHANNEL_EXPIRED, g, 0, s->work.groups[g].epoch);
	}
	settle(s->addresses);
}

void session_check_lease(struct session *s)
{
	if (!addresses_any_held(s->addresses))
		timer_set(s->watchdog, TIME_NEVER);
	else if (session_lease_passed(s))
		session_expire(s);
	else
		session_watch_lease(s);
}

void session_renew(struct session *s)
{
	if (!addresses_any_held(s->addresses) || session_lease_passed(s))
		return; /* the watchdog ends it */
	fence_renew(s->fence);
	if (fence_lifetime(s->fence) != REQUEST_FOREVER)
		addresses_renew(s->addresses);
}
