/* SPDX-License-Identifier: ISC */
#include "keeper/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "keeper/lifetimes.h"
#include "keeper/settle.h"
#include "keeper/verbs.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/timer.h"

/* So that a flood cannot keep the watchdog waiting. */
#define MESSAGES_PER_TURN 64
#define TURN_NS           (2 * NS_PER_MS)

void session_answer(
	struct session *s, enum channel_verb verb, size_t index, size_t second, uint64_t number)
{
	const struct channel_message m = {
		.verb = verb,
		.index = (uint16_t)index,
		.second = (uint16_t)second,
		.number = number,
	};

	answers_add(&s->answers, &m);
}

int session_open(struct session *s)
{
	int r = work_open(&s->work, s->conf);
	struct custody_group *groups = calloc(s->conf->group_count, sizeof(*groups));
	bool *told = calloc(s->conf->address_count, sizeof(*told));

	s->effects.list = calloc(custody_effects_max(s->conf), sizeof(*s->effects.list));
	s->watchdog = timer_open();
	if (r < 0 || answers_open(&s->answers, s->conf) < 0 || !groups || !told || !s->effects.list)
		return -ENOMEM;
	ahead_open(&s->ahead, s->addresses);
	custody_init(&s->custody, s->conf, groups, told);
	for (size_t g = 0; g < s->conf->group_count; g++) {
		if (s->addresses->held[g])
			session_step(s, &(struct custody_event){.kind = CUSTODY_TAKEN_OVER,
						.group = g,
						.whole = addresses_are_settled(s->addresses, g)});
	}
	return s->watchdog < 0 ? s->watchdog : 0;
}

/* Each group that comes says it again. */
static void watch_until(struct session *s, ha_time until)
{
	if (s->watched.ns == until.ns && !time_reached(s->now, until))
		return;
	s->watched = until;
	timer_set(s->watchdog, until);
}

static void perform_effect(struct session *s, const struct custody_effect *e)
{
	switch (e->kind) {
	case CUSTODY_TELL: session_answer(s, e->verb, e->index, e->second, e->number); break;
	case CUSTODY_REFUSE: verbs_refuse(s, channel_verb_name(e->verb), e->reason); break;
	case CUSTODY_PERFORM: verbs_perform(s, e); break;
	case CUSTODY_KEEP_WILL:
		will_set(s->will, s->message->payload, s->message->payload_size);
		break;
	case CUSTODY_BRING_UP: work_bring_up(s, e->index); break;
	case CUSTODY_LET_GO: work_let_go(s, e->index); break;
	case CUSTODY_WATCH: watch_until(s, e->until); break;
	case CUSTODY_TAKE_DOWN:
		addresses_remove_all(s->addresses);
		work_drop(s);
		break;
	case CUSTODY_EXPIRED:
		log_warning("the lease has passed: this node does not serve any more");
		break;
	case CUSTODY_SETTLE: settle(s->addresses); break;
	case CUSTODY_SEND_WILL: will_send(s->will); break;
	case CUSTODY_LEAVE: s->left = true; break;
	}
}

void session_step(struct session *s, const struct custody_event *event)
{
	ha_time lease = s->lease ? lease_load(s->lease) : TIME_ORIGIN;

	s->now = clock_now();
	custody_step(&s->custody, s->now, lease, event, &s->effects);
	for (size_t i = 0; i < s->effects.count; i++)
		perform_effect(s, &s->effects.list[i]);
}

void session_start(
	struct session *s, int channel, const struct lease_page *lease, uint64_t record_size)
{
	s->channel = channel;
	s->lease = lease;
	s->ready = false;
	s->interfaces->gone = true; /* what has gone meanwhile this engine does not know */
	will_forget(s->will);
	answers_begin(&s->answers, channel);
	s->refused_at = (ha_time){-VERBS_REFUSED_LOG_NS};
	session_step(s, &(struct custody_event){.kind = CUSTODY_BEGIN, .number = record_size});
	fence_obey(s->fence, lease);
	session_answer(s, CHANNEL_FENCE, 0, s->fence->in_time, s->fence->kind);
}

void session_end(struct session *s)
{
	watch_until(s, TIME_NEVER);
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

	answers_offer(&s->answers, &m);
}

void session_frame(struct session *s, uint32_t interface_index, const uint8_t *frame, size_t size)
{
	struct channel_message m = {
		.verb = CHANNEL_FRAME,
		.number = interface_index,
		.payload_size = (uint16_t)size,
	};

	assert(size <= CHANNEL_FRAME_MAX);
	if (size == 0)
		return;
	memcpy(m.payload, frame, size);
	answers_offer(&s->answers, &m);
}

bool session_has_room(const struct session *s)
{
	return answers_have_room(&s->answers);
}

void session_ask(struct session *s, size_t index)
{
	size_t count = targets_find(s->targets, index, s->now);

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
		answers_add(&s->answers, &m);
	}
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
	s->addresses->ahead_due = true;
	for (size_t i = 0; i < s->conf->address_count; i++) {
		bool missing = addresses_is_missing(s->addresses, i);

		if (missing == s->custody.told_removed[i])
			continue;
		if (missing && !session_has_room(s)) {
			s->interfaces->gone = true; /* the others when it has read */
			return;
		}
		session_step(s, &(struct custody_event){
					.kind = CUSTODY_SEEN, .index = i, .missing = missing});
	}
}

void session_watch(struct session *s)
{
	addresses_see_own_work(s->addresses);
	if (s->interfaces->changed)
		settle(s->addresses);
	tell_removed(s);
}

bool session_receive(struct session *s)
{
	uint8_t bytes[CHANNEL_MESSAGE_MAX + 1]; /* one more: what is too long is not cut to fit */
	ha_time end = time_add(clock_now(), TURN_NS);
	bool open = true;

	(void)answers_flush(&s->answers);
	for (int n = 0; open && n < MESSAGES_PER_TURN && s->answers.count == 0 &&
			!time_reached(clock_now(), end);
		n++) {
		ssize_t size = recv(s->channel, bytes, sizeof(bytes), 0);

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (size < 0 || (size == 0 && is_closed(s)))
			open = false;
		else
			verbs_hear(s, bytes, (size_t)size);
		if (work_is_urgent(s))
			break;
	}
	tell_removed(s);
	return open;
}

void session_take_down(struct session *s)
{
	session_step(s, &(struct custody_event){.kind = CUSTODY_GIVE_UP});
}

void session_engine_gone(struct session *s, const struct session_end *end)
{
	session_step(s, &(struct custody_event){.kind = CUSTODY_ENGINE_GONE,
				.stopping = end->stopping,
				.leaving = end->leaving,
				.silenced = end->silenced});
}

void session_check_lease(struct session *s)
{
	session_step(s, &(struct custody_event){.kind = CUSTODY_LEASE});
}

void session_renew(struct session *s)
{
	if (!custody_may_renew(&s->custody, clock_now(), lease_load(s->lease)))
		return; /* the watchdog ends it */
	fence_renew(s->fence);
	if (fence_lifetime(s->fence) != REQUEST_FOREVER)
		lifetimes_renew(s->addresses);
	if (session_has_room(s))
		session_answer(s, CHANNEL_RENEWED, 0, 0, (uint64_t)fence_closes(s->fence).ns);
}
