/* SPDX-License-Identifier: ISC */
/* A status from JSON, for the command line: nothing of it is taken on trust. */
#include "wire/status.h"

#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "wire/json.h"
#include "wire/report.h"

static bool state_from_json(const json_t *object, enum node_state *ret_state)
{
	char name[NAME_SIZE];

	if (!json_member_text(object, "state", name, sizeof(name)))
		return false;
	for (int state = STATE_STANDBY; state <= STATE_SHUTDOWN; state++) {
		if (strcmp(name, node_state_name(state)) == 0) {
			*ret_state = state;
			return true;
		}
	}
	return false;
}

/* Far above what a configuration can say, and within what is counted in integers. */
#define MILLISECONDS_MAX 86400000.0

static bool milliseconds_from_json(const json_t *object, const char *key, double *ret_ms)
{
	return json_member_real(object, key, ret_ms) && *ret_ms >= 0 && *ret_ms <= MILLISECONDS_MAX;
}

static bool path_from_json(const json_t *json, struct status_path *p)
{
	return json_member_text(json, "interface", p->interface, sizeof(p->interface)) &&
	       json_member_ip(json, "address", &p->address) &&
	       json_member_flag(json, "up", &p->up) &&
	       json_member_text(json, "state", p->state, sizeof(p->state));
}

/* A daemon of an earlier version does not tell of them. */
static bool paths_from_json(const json_t *array, struct status *s)
{
	if (json_array_size(array) > PATHS_MAX)
		return false;
	s->path_count = (uint8_t)json_array_size(array);
	for (size_t i = 0; i < s->path_count; i++) {
		if (!path_from_json(json_array_get(array, i), &s->paths[i]))
			return false;
	}
	return true;
}

static bool node_from_json(const json_t *node, struct status *s)
{
	if (!paths_from_json(json_object_get(node, "paths"), s))
		return false;
	/* A daemon of an earlier version does not say it. */
	(void)json_member_text(node, "scheduling", s->scheduling, sizeof(s->scheduling));
	return json_member_text(node, "name", s->name, sizeof(s->name)) &&
	       json_member_id(node, "id", &s->id) && json_member_ip(node, "address", &s->address) &&
	       milliseconds_from_json(node, "interval_ms", &s->interval_ms) &&
	       milliseconds_from_json(node, "tolerance_ms", &s->tolerance_ms) &&
	       json_member_flag(node, "authenticated", &s->authenticated) &&
	       json_member_text(node, "fence", s->fence, sizeof(s->fence)) &&
	       json_member_text(node, "version", s->version, sizeof(s->version));
}

static bool address_from_json(const json_t *json, struct status_address *a)
{
	int64_t length, targets, acknowledged;

	if (!json_member_ip(json, "address", &a->ip) ||
		!json_member_text(json, "device", a->device, sizeof(a->device)) ||
		!json_member_integer(json, "prefix_length", 0, 128, &length) ||
		!json_member_integer(json, "targets", 0, UINT8_MAX, &targets) ||
		!json_member_integer(json, "acknowledged", 0, UINT8_MAX, &acknowledged))
		return false;
	a->prefix_length = (uint8_t)length;
	a->targets = (uint8_t)targets;
	a->acknowledged = (uint8_t)acknowledged;
	return true;
}

static bool addresses_from_json(const json_t *array, struct status *s, struct status_group *g)
{
	g->address_first = s->address_count;
	g->address_count = (uint16_t)json_array_size(array);
	for (size_t i = 0; i < g->address_count; i++) {
		if (!address_from_json(json_array_get(array, i), &s->addresses[s->address_count++]))
			return false;
	}
	return true;
}

static bool check_from_json(const json_t *json, struct status_check *c)
{
	int64_t lowers;

	c->answered_ms = -1;
	if (!json_is_null(json_object_get(json, "last_answer_ms")) &&
		!json_member_integer(json, "last_answer_ms", 0, INT64_MAX, &c->answered_ms))
		return false;
	if (!json_member_text(json, "name", c->name, sizeof(c->name)) ||
		!json_member_text(json, "kind", c->kind, sizeof(c->kind)) ||
		!json_member_text(json, "state", c->state, sizeof(c->state)) ||
		!json_member_text(json, "reason", c->reason, sizeof(c->reason)) ||
		!json_member_integer(json, "lowers", 0, UINT16_MAX, &lowers) ||
		!json_member_integer(json, "hold_ms", 0, INT64_MAX, &c->hold_ms))
		return false;
	c->lowers = (uint16_t)lowers;
	return true;
}

/* Room for them was made before. A daemon of an earlier version does not tell of any. */
static bool checks_from_json(const json_t *array, struct status *s, struct status_group *g)
{
	g->check_first = s->check_count;
	g->check_count = (uint16_t)json_array_size(array);
	for (size_t i = 0; i < g->check_count; i++) {
		if (!check_from_json(json_array_get(array, i), &s->checks[s->check_count++]))
			return false;
	}
	return true;
}

static bool group_from_json(const json_t *json, struct status *s, struct status_group *g)
{
	int64_t worth, epoch, transitions;
	char since[WALL_TEXT_SIZE], standby[NAME_SIZE];

	/* A daemon of an earlier version does not say it. */
	(void)json_member_text(json, "next", g->next, sizeof(g->next));
	if (!json_member_text(json, "name", g->name, sizeof(g->name)) ||
		!state_from_json(json, &g->state) ||
		!json_member_text(json, "reason", g->reason, sizeof(g->reason)) ||
		!json_member_integer(json, "worth", 0, UINT16_MAX, &worth) ||
		!json_member_flag(json, "eligible", &g->eligible) ||
		!json_member_text(json, "policy", g->policy, sizeof(g->policy)) ||
		!json_member_integer(json, "epoch", 0, INT64_MAX, &epoch) ||
		!json_member_text(json, "holder", g->holder, sizeof(g->holder)) ||
		!json_member_text(json, "since", since, sizeof(since)) ||
		!wall_parse(since, &g->since_ms) ||
		!json_member_integer(json, "transitions", 0, INT64_MAX, &transitions))
		return false;
	g->worth = g->configured_worth = (uint16_t)worth;
	/* A daemon of an earlier version does not say these. */
	if (json_member_integer(json, "configured_worth", 0, UINT16_MAX, &worth))
		g->configured_worth = (uint16_t)worth;
	(void)json_member_flag(json, "impaired", &g->impaired);
	if (json_member_text(json, "standby", standby, sizeof(standby)))
		g->warm = strcmp(standby, "warm") == 0;
	g->epoch = (uint64_t)epoch;
	g->transitions = (uint64_t)transitions;
	return addresses_from_json(json_object_get(json, "addresses"), s, g) &&
	       checks_from_json(json_object_get(json, "checks"), s, g);
}

static bool groups_from_json(const json_t *array, struct status *s)
{
	assert(json_array_size(array) == s->group_count); /* take_room() has counted it */
	for (size_t i = 0; i < s->group_count; i++) {
		if (!group_from_json(json_array_get(array, i), s, &s->groups[i]))
			return false;
	}
	return true;
}

static bool heard_from_json(const json_t *json, int64_t *ret_ms)
{
	*ret_ms = -1;
	return json_is_null(json_object_get(json, "last_heard_ms")) ||
	       json_member_integer(json, "last_heard_ms", 0, INT64_MAX, ret_ms);
}

static bool peer_paths_from_json(const json_t *array, struct status_peer *p)
{
	for (size_t i = 0; i < PATHS_MAX; i++) {
		p->path_heard_ms[i] = -1;
		if (i < json_array_size(array) &&
			!heard_from_json(json_array_get(array, i), &p->path_heard_ms[i]))
			return false;
	}
	return true;
}

static bool peer_from_json(const json_t *json, struct status_peer *p)
{
	int64_t received;

	if (!heard_from_json(json, &p->last_heard_ms) ||
		!peer_paths_from_json(json_object_get(json, "paths"), p))
		return false;
	if (!json_member_text(json, "name", p->name, sizeof(p->name)) ||
		!json_member_id(json, "id", &p->id) ||
		!json_member_ip(json, "address", &p->address) ||
		!json_member_flag(json, "live", &p->live) ||
		!json_member_flag(json, "hears_me", &p->hears_me) ||
		!json_member_flag(json, "proven", &p->proven) ||
		!json_member_integer(json, "interval_ms", 0, INT64_MAX, &p->interval_ms) ||
		!json_member_integer(json, "tolerance_ms", 0, INT64_MAX, &p->tolerance_ms) ||
		!json_member_integer(json, "received", 0, INT64_MAX, &received))
		return false;
	p->received = (uint64_t)received;
	return true;
}

static bool peers_from_json(const json_t *array, struct status *s)
{
	if (!json_is_array(array) || json_array_size(array) > PEERS_MAX)
		return false;
	s->peer_count = (uint8_t)json_array_size(array);
	for (size_t i = 0; i < s->peer_count; i++) {
		if (!peer_from_json(json_array_get(array, i), &s->peers[i]))
			return false;
	}
	return true;
}

static bool warnings_from_json(const json_t *array, struct status *s)
{
	if (!json_is_array(array) || json_array_size(array) > STATUS_WARNINGS_MAX)
		return false;
	s->warning_count = (uint8_t)json_array_size(array);
	for (size_t i = 0; i < s->warning_count; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (!text)
			return false;
		(void)text_copy(s->warnings[i], sizeof(s->warnings[i]), text);
	}
	return true;
}

static bool counters_from_json(const json_t *counters, struct status *s)
{
	const json_t *dropped = json_object_get(counters, "dropped");
	int64_t count;

	if (!json_member_integer(counters, "sent", 0, INT64_MAX, &count))
		return false;
	s->sent = (uint64_t)count;
	if (!json_member_integer(counters, "received", 0, INT64_MAX, &count))
		return false;
	s->received = (uint64_t)count;
	for (int i = HEARTBEAT_ACCEPTED + 1; i < HEARTBEAT_DROP_REASONS; i++) {
		if (json_member_integer(dropped, heartbeat_drop_name(i), 0, INT64_MAX, &count))
			s->dropped[i] = (uint64_t)count;
	}
	return true;
}

/* Room for what the list of groups holds. */
static bool take_room(const json_t *groups, struct status *s, const char **reterr)
{
	size_t count = json_array_size(groups), addresses = 0, checks = 0;

	if (!json_is_array(groups) || count > GROUPS_MAX) {
		*reterr = "its \"groups\" are not a list of groups";
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *list = json_object_get(json_array_get(groups, i), "addresses");

		if (!json_is_array(list) || json_array_size(list) > ADDRESSES_MAX - addresses) {
			*reterr = "its \"groups\" have no lists of addresses, or too long ones";
			return false;
		}
		addresses += json_array_size(list);
		list = json_object_get(json_array_get(groups, i), "checks");
		if (json_array_size(list) > CHECKS_MAX - checks) {
			*reterr = "its \"groups\" have too long lists of checks";
			return false;
		}
		checks += json_array_size(list);
	}
	if (!status_init(s, count, addresses) || (checks > 0 && !status_init_checks(s, checks))) {
		*reterr = "memory ran out";
		return false;
	}
	s->group_count = (uint16_t)count;
	return true;
}

bool status_from_json(const json_t *json, struct status *ret_status, const char **reterr)
{
	static const struct {
		const char *key;
		bool (*read)(const json_t *part, struct status *s);
		const char *reason;
	} PARTS[] = {
		{"node", node_from_json, "its \"node\" is not one"},
		{"groups", groups_from_json, "its \"groups\" are not a list of groups"},
		{"peers", peers_from_json, "its \"peers\" are not a list of peers"},
		{"warnings", warnings_from_json, "its \"warnings\" are not a list of texts"},
		{"counters", counters_from_json, "its \"counters\" are not counters"},
	};

	*ret_status = (struct status){0};
	if (!take_room(json_object_get(json, "groups"), ret_status, reterr))
		return false;
	for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
		if (!PARTS[i].read(json_object_get(json, PARTS[i].key), ret_status)) {
			*reterr = PARTS[i].reason;
			status_done(ret_status);
			return false;
		}
	}
	return true;
}
