/* SPDX-License-Identifier: ISC */
#include "wire/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "wire/json.h"
#include "wire/report.h"

bool status_init(struct status *s, size_t groups, size_t addresses)
{
	/* At least one of each, so that NULL means that memory ran out. */
	*s = (struct status){.groups = calloc(groups + 1, sizeof(*s->groups)),
		.addresses = calloc(addresses + 1, sizeof(*s->addresses))};
	if (s->groups && s->addresses)
		return true;
	status_done(s);
	return false;
}

bool status_init_checks(struct status *s, size_t checks)
{
	s->checks = calloc(checks, sizeof(*s->checks));
	return s->checks != NULL;
}

void status_done(struct status *s)
{
	free(s->groups);
	free(s->addresses);
	free(s->checks);
	*s = (struct status){0};
}

static json_t *wall_to_json(int64_t wall_ms)
{
	char buffer[WALL_TEXT_SIZE];

	return json_string(wall_format(wall_ms, buffer));
}

static json_t *address_to_json(const struct status_address *a)
{
	return json_pack("{s:o, s:i, s:o, s:i, s:i}", "address", json_from_ip(&a->ip),
		"prefix_length", a->prefix_length, "device", json_from_text(a->device), "targets",
		a->targets, "acknowledged", a->acknowledged);
}

/* Appends @item, which it owns; NULL (memory ran out) ends the whole: then @array is gone, NULL. */
static json_t *append(json_t *array, json_t *item)
{
	if (json_array_append_new(array, item) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *addresses_to_json(const struct status *s, const struct status_group *g)
{
	json_t *array = json_array();

	assert(g->address_first + g->address_count <= ADDRESSES_MAX);
	for (size_t i = 0; array && i < g->address_count; i++)
		array = append(array, address_to_json(&s->addresses[g->address_first + i]));
	return array;
}

static json_t *check_to_json(const struct status_check *c)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:I}", "name", json_from_text(c->name),
		"kind", json_from_text(c->kind), "state", json_from_text(c->state), "reason",
		json_from_optional_text(c->reason), "lowers", c->lowers, "last_answer_ms",
		c->answered_ms < 0 ? json_null() : json_integer(c->answered_ms), "hold_ms",
		(json_int_t)c->hold_ms);
}

static json_t *checks_to_json(const struct status *s, const struct status_group *g)
{
	json_t *array = json_array();

	assert(g->check_first + g->check_count <= CHECKS_MAX);
	for (size_t i = 0; array && i < g->check_count; i++)
		array = append(array, check_to_json(&s->checks[g->check_first + i]));
	return array;
}

static json_t *group_to_json(const struct status *s, const struct status_group *g)
{
	return json_pack(
		"{s:o, s:s, s:o, s:o, s:i, s:i, s:b, s:b, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"name", json_from_text(g->name), "state", node_state_name(g->state), "reason",
		json_from_text(g->reason), "next", json_from_text(g->next), "worth", g->worth,
		"configured_worth", g->configured_worth, "impaired", g->impaired, "eligible",
		g->eligible, "policy", json_from_text(g->policy), "standby",
		g->warm ? "warm" : "cold", "epoch", json_from_count(g->epoch), "holder",
		json_from_optional_text(g->holder), "since", wall_to_json(g->since_ms),
		"transitions", json_from_count(g->transitions), "addresses",
		addresses_to_json(s, g), "checks", checks_to_json(s, g));
}

static json_t *groups_to_json(const struct status *s)
{
	json_t *array = json_array();

	assert(s->group_count <= GROUPS_MAX);
	for (size_t i = 0; array && i < s->group_count; i++)
		array = append(array, group_to_json(s, &s->groups[i]));
	return array;
}

static json_t *path_to_json(const struct status_path *p)
{
	return json_pack("{s:o, s:o, s:b, s:o}", "interface", json_from_text(p->interface),
		"address", json_from_ip(&p->address), "up", p->up, "state",
		json_from_text(p->state));
}

static json_t *paths_to_json(const struct status *s)
{
	json_t *array = json_array();

	assert(s->path_count <= PATHS_MAX);
	for (size_t i = 0; array && i < s->path_count; i++)
		array = append(array, path_to_json(&s->paths[i]));
	return array;
}

static json_t *heard_to_json(int64_t ms)
{
	return ms < 0 ? json_null() : json_integer(ms);
}

/* By which of the node's heartbeat interfaces it is heard. */
static json_t *peer_paths_to_json(const struct status *s, const struct status_peer *p)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < s->path_count; i++)
		array = append(array,
			json_pack("{s:o, s:o}", "interface", json_from_text(s->paths[i].interface),
				"last_heard_ms", heard_to_json(p->path_heard_ms[i])));
	return array;
}

static json_t *peer_to_json(const struct status *s, const struct status_peer *p)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:I, s:I, s:o, s:o}", "name",
		json_from_text(p->name), "id", json_from_id(p->id), "address",
		json_from_ip(&p->address), "live", p->live, "hears_me", p->hears_me, "proven",
		p->proven, "last_heard_ms", heard_to_json(p->last_heard_ms), "interval_ms",
		(json_int_t)p->interval_ms, "tolerance_ms", (json_int_t)p->tolerance_ms, "received",
		json_from_count(p->received), "paths", peer_paths_to_json(s, p));
}

static json_t *peers_to_json(const struct status *s)
{
	json_t *array = json_array();

	assert(s->peer_count <= PEERS_MAX);
	for (size_t i = 0; array && i < s->peer_count; i++)
		array = append(array, peer_to_json(s, &s->peers[i]));
	return array;
}

json_t *status_warnings_to_json(const struct status *s)
{
	json_t *array = json_array();

	assert(s->warning_count <= STATUS_WARNINGS_MAX);
	for (size_t i = 0; array && i < s->warning_count; i++)
		array = append(array, json_from_text(s->warnings[i]));
	return array;
}

static json_t *dropped_to_json(const struct status *s)
{
	json_t *object = json_object();

	for (int i = HEARTBEAT_ACCEPTED + 1; object && i < HEARTBEAT_DROP_REASONS; i++) {
		if (json_object_set_new(
			    object, heartbeat_drop_name(i), json_from_count(s->dropped[i])) == 0)
			continue;
		json_decref(object);
		return NULL;
	}
	return object;
}

/* A number of milliseconds without a fraction is written as an integer, as people write it. */
static json_t *milliseconds_to_json(double ms)
{
	json_int_t whole = (json_int_t)ms;

	return (double)whole == ms ? json_integer(whole) : json_real(ms);
}

static json_t *node_to_json(const struct status *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "name",
		json_from_text(s->name), "id", json_from_id(s->id), "address",
		json_from_ip(&s->address), "interval_ms", milliseconds_to_json(s->interval_ms),
		"tolerance_ms", milliseconds_to_json(s->tolerance_ms), "authenticated",
		s->authenticated, "fence", json_from_text(s->fence), "scheduling",
		json_from_text(s->scheduling), "version", json_from_text(s->version), "paths",
		paths_to_json(s));
}

json_t *status_to_json(const struct status *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}}", "node", node_to_json(s),
		"groups", groups_to_json(s), "peers", peers_to_json(s), "warnings",
		status_warnings_to_json(s), "counters", "sent", json_from_count(s->sent),
		"received", json_from_count(s->received), "dropped", dropped_to_json(s));
}

json_t *status_head_to_json(const struct status *s)
{
	return json_pack("{s:o, s:o, s:{s:o, s:o, s:o}}", "node", node_to_json(s), "peers",
		peers_to_json(s), "counters", "sent", json_from_count(s->sent), "received",
		json_from_count(s->received), "dropped", dropped_to_json(s));
}

json_t *status_group_to_json(const struct status *s, size_t group)
{
	assert(group < s->group_count);
	return group_to_json(s, &s->groups[group]);
}
