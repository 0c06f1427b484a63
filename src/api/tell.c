/* SPDX-License-Identifier: ISC */
#include "api/tell.h"

#include "base/text.h"
#include "wire/heartbeat.h"

int tell_level(enum report_level level)
{
	switch (level) {
	case REPORT_ERROR: return HA_ERROR;
	case REPORT_WARNING: return HA_WARNING;
	case REPORT_NOTICE: return HA_NOTICE;
	case REPORT_INFO: break;
	}
	return HA_INFO;
}

static int kind_of(const struct report *r)
{
	if (r->kind == REPORT_STATE)
		return HA_EVENT_STATE;
	if (r->kind == REPORT_HOLDER)
		return HA_EVENT_HOLDER;
	if (r->kind == REPORT_PEER)
		return HA_EVENT_PEER;
	return r->level <= REPORT_WARNING ? HA_EVENT_FAULT : HA_EVENT_NOTICE;
}

static enum ha_state state_of(uint8_t state)
{
	switch ((enum node_state)state) {
	case STATE_ACTIVE: return HA_ACTIVE;
	case STATE_SHUTDOWN: return HA_SHUTDOWN;
	case STATE_STANDBY: break;
	}
	return HA_STANDBY;
}

void tell_report(ha_node *n, const struct report *r, int64_t wall_ms)
{
	size_t group = r->group[0] ? node_groups_find(n, r->group) : SIZE_MAX;
	struct queued_event *e =
		node_events_add(n, kind_of(r), tell_level(r->level), group, r->text);

	e->time_ms = wall_ms;
	e->epoch = r->epoch;
	text_copy(e->peer, sizeof(e->peer), r->peer);
	if (r->kind != REPORT_STATE)
		return;
	/* Without a change it is a holder's new epoch. */
	e->state = r->from == r->to ? HA_ACTIVE : state_of(r->to);
	e->previous = r->from == r->to ? HA_ACTIVE : state_of(r->from);
	text_copy(e->holder, sizeof(e->holder), e->state == HA_ACTIVE ? n->name : r->peer);
}

enum ha_state tell_last_state(const ha_node *n, size_t group)
{
	for (size_t i = n->event_count; i > 0; i--) {
		const struct queued_event *e =
			&n->events[(n->event_first + i - 1) % NODE_EVENTS_MAX];

		if (e->kind == HA_EVENT_STATE && e->group == group)
			return (enum ha_state)e->state;
	}
	return n->groups[group].state;
}
