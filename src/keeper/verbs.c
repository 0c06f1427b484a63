/* SPDX-License-Identifier: ISC */
#include "keeper/verbs.h"

#include <errno.h>
#include <string.h>

#include "keeper/notify.h"
#include "keeper/session.h"
#include "sys/clock.h"
#include "sys/log.h"

void verbs_refuse(struct session *s, const char *verb, const char *reason)
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

static void restore(struct session *s, size_t index)
{
	if (addresses_restore(s->addresses, index) == 0)
		announce_addresses(s->announcer, index, 1);
	s->interfaces->gone = true; /* look again */
}

static void request(struct session *s, const struct custody_effect *e)
{
	const struct ip *target = targets_get(s->targets, e->index, e->second);

	if (target)
		announce_request(s->announcer, e->index, target);
	else
		verbs_refuse(s, channel_verb_name(e->verb), "there is no such target");
}

static void ask(struct session *s, const struct custody_effect *e)
{
	if (e->index >= s->conf->check_count || !ask_send(s->ask, e->index, clock_now()))
		verbs_refuse(s, channel_verb_name(e->verb), "there is no such check");
}

void verbs_perform(struct session *s, const struct custody_effect *e)
{
	switch (e->verb) {
	case CHANNEL_RESTORE: restore(s, e->index); break;
	case CHANNEL_ANNOUNCE: announce_addresses(s->announcer, e->index, e->second + 1U); break;
	case CHANNEL_REQUEST: request(s, e); break;
	case CHANNEL_PROBE: announce_probe(s->announcer, e->index); break;
	case CHANNEL_ASK: ask(s, e); break;
	case CHANNEL_READY:
		s->ready = true;
		notify_send("READY=1");
		break;
	default: break; /* custody does all others itself */
	}
}

void verbs_hear(struct session *s, const uint8_t *bytes, size_t size)
{
	struct channel_message m;

	if (!channel_decode(bytes, size, &m)) {
		verbs_refuse(s, "of unknown kind", "it is malformed");
		return;
	}
	s->message = &m;
	session_step(s, &(struct custody_event){.kind = CUSTODY_MESSAGE,
				.verb = m.verb,
				.index = m.index,
				.second = m.second,
				.number = m.number});
	s->message = NULL;
}
