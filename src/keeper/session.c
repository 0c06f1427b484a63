/* SPDX-License-Identifier: ISC */
#include "keeper/session.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "keeper/notify.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/timer.h"

#define MESSAGES_PER_TURN 64 /* so that a flood cannot keep the watchdog waiting */
#define REFUSED_LOG_NS    NS_PER_S
#define ANSWERS_WITHIN_MS 10 /* as a rule 0.2 ms */

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

static void answer(
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

void session_start(struct session *s, int channel, const struct lease_page *lease)
{
	int size = 0;
	socklen_t length = sizeof(size);

	assert(!addresses_any_held(s->addresses));
	s->channel = channel;
	s->lease = lease;
	s->ready = s->overrun = false;
	memset(s->told_removed, 0, sizeof(s->told_removed));
	will_forget(s->will);

	/* The other half is for answers, which must not get lost. */
	(void)getsockopt(s->channel, SOL_SOCKET, SO_SNDBUF, &size, &length);
	s->room = (unsigned)size / 2;
	s->refused_at = (ha_time){-REFUSED_LOG_NS};
	answer(s, CHANNEL_FENCE, 0, 0,
		s->fence->in_force ? CHANNEL_FENCE_KERNEL : CHANNEL_FENCE_WATCHDOG);
}

void session_end(struct session *s)
{
	timer_set(s->watchdog, TIME_NEVER);
	s->channel = -1;
	s->lease = NULL;
}

void session_tell(struct session *s, enum channel_verb verb)
{
	answer(s, verb, 0, 0, 0);
}

void session_frame(struct session *s, uint32_t interface_index, const uint8_t *frame, size_t size)
{
	struct channel_message m = {
		.verb = CHANNEL_FRAME,
		.number = interface_index,
		.payload_size = (uint16_t)size,
	};
	int waiting = 0;

	assert(size <= CHANNEL_FRAME_MAX);
	if (size == 0 || ioctl(s->channel, SIOCOUTQ, &waiting) < 0 || (unsigned)waiting > s->room)
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

static bool lease_passed(const struct session *s)
{
	return time_reached(clock_now(), lease_load(s->lease));
}

/* IPv4 addresses answer at once; the IPv6 ones are waited for, so that nobody is called to an
 * address that does not answer yet. */
static void announce_batch(struct session *s, size_t first, size_t count)
{
	for (enum ip_family family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
		if (family == IP_V6)
			interfaces_await(s->interfaces, first, count, ANSWERS_WITHIN_MS);
		for (size_t i = first; i < first + count; i++) {
			if (s->conf->addresses[i].ip.family == family)
				announce_addresses(s->announcer, i, 1);
		}
	}
}

/* Each address of a batch is announced as soon as the batch is in the kernel. Sets *@ret_failed to
 * an address; -ETIME if the lease passes under way. */
static int configure_group(struct session *s, size_t group, size_t *ret_failed)
{
	const struct conf_group *g = &s->conf->groups[group];
	size_t end = (size_t)g->address_first + g->address_count;
	int r = addresses_hold(s->addresses, group, ret_failed);

	for (size_t first = g->address_first; r == 0 && first < end; first += NETLINK_BATCH_MAX) {
		size_t count = end - first < NETLINK_BATCH_MAX ? end - first : NETLINK_BATCH_MAX;

		if (lease_passed(s))
			return -ETIME;
		r = addresses_add(s->addresses, first, count, ret_failed);
		if (r == 0)
			announce_batch(s, first, count);
	}
	return r;
}

static void tell_targets(struct session *s, size_t index, ha_time now)
{
	const struct target_list *list = targets_find(s->targets, index, now);

	for (size_t t = 0; t < list->count; t++) {
		struct channel_message m = {
			.verb = CHANNEL_TARGET,
			.index = (uint16_t)index,
			.second = (uint16_t)t,
			.payload_size = IP_WIRE_SIZE,
		};

		announce_request(s->announcer, index, &list->ip[t]);
		ip_to_wire(&list->ip[t], m.payload);
		send_message(s, &m);
	}
}

static void tell_all_targets(struct session *s, size_t group)
{
	const struct conf_group *g = &s->conf->groups[group];
	ha_time now = clock_now();

	for (size_t i = 0; i < g->address_count; i++) {
		s->told_removed[g->address_first + i] = false;
		tell_targets(s, (size_t)g->address_first + i, now);
	}
}

static void act_hold(struct session *s, const struct channel_message *m)
{
	size_t group = m->index, failed = s->conf->groups[group].address_first;
	bool again = s->addresses->held[group];
	int r = 0;

	if (!again)
		r = lease_passed(s) ? -ETIME : configure_group(s, group, &failed);
	if (r < 0) {
		addresses_release(s->addresses, group);
		if (r == -ETIME)
			answer(s, CHANNEL_EXPIRED, group, 0, 0);
		else
			answer(s, CHANNEL_HOLD_FAILED, group, failed, (uint64_t)-r);
		return;
	}
	timer_set(s->watchdog, lease_load(s->lease));
	if (!again)
		tell_all_targets(s, group);
	s->epoch[group] = m->number;
	answer(s, CHANNEL_HELD, group, 0, m->number);
}

static void act_release(struct session *s, const struct channel_message *m)
{
	addresses_release(s->addresses, m->index);
	answer(s, CHANNEL_RELEASED, m->index, 0, s->epoch[m->index]);
}

/* One that cannot be put back is told as removed again. */
static void act_restore(struct session *s, const struct channel_message *m)
{
	if (addresses_restore(s->addresses, m->index) == 0)
		announce_addresses(s->announcer, m->index, 1);
	s->told_removed[m->index] = false;
}

static void act_announce(struct session *s, const struct channel_message *m)
{
	announce_addresses(s->announcer, m->index, 1);
}

static void act_request(struct session *s, const struct channel_message *m)
{
	const struct target_list *list = &s->targets->lists[m->index];

	if (m->second >= list->count)
		refuse(s, channel_verb_name(m->verb), "there is no such target");
	else
		announce_request(s->announcer, m->index, &list->ip[m->second]);
}

static void act_probe(struct session *s, const struct channel_message *m)
{
	announce_probe(s->announcer, m->index);
}

static void act_will(struct session *s, const struct channel_message *m)
{
	will_set(s->will, m->payload, m->payload_size);
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

/* Addresses that are held and not there were taken away by somebody else: what we did ourselves is
 * in the tables already. */
static void tell_removed(struct session *s)
{
	for (size_t i = 0; i < s->conf->address_count; i++) {
		bool missing = addresses_is_held(s->addresses, i) && !s->interfaces->present[i];

		if (missing && !s->told_removed[i])
			answer(s, CHANNEL_REMOVED, i, 0, 0);
		s->told_removed[i] = missing;
	}
}

void session_watch(struct session *s)
{
	int r = interfaces_update(s->interfaces);

	if (r < 0)
		log_error("the kernel's notices cannot be read: %s", strerror(-r));
	if (s->interfaces->changed)
		addresses_settle(s->addresses);
	tell_removed(s);
}

bool session_receive(struct session *s)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX + 1]; /* one more: what is too long is not cut to fit */
	bool open = true;

	for (int n = 0; open && n < MESSAGES_PER_TURN && !s->overrun; n++) {
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
}

void session_check_lease(struct session *s)
{
	ha_time lease = lease_load(s->lease);
	bool held[GROUPS_MAX];

	if (!addresses_any_held(s->addresses)) {
		timer_set(s->watchdog, TIME_NEVER);
		return;
	}
	if (!time_reached(clock_now(), lease)) {
		timer_set(s->watchdog, lease);
		return;
	}
	memcpy(held, s->addresses->held, sizeof(held));
	session_take_down(s);
	timer_set(s->watchdog, TIME_NEVER);
	log_warning("the lease has passed: this node does not serve any more");
	for (size_t g = 0; g < s->conf->group_count; g++) {
		if (held[g])
			answer(s, CHANNEL_EXPIRED, g, 0, s->epoch[g]);
	}
	addresses_settle(s->addresses);
}
