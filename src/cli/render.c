/* SPDX-License-Identifier: ISC */
#include "cli/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cli/style.h"

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE (60 * MS_PER_SECOND)
#define MS_PER_HOUR   (60 * MS_PER_MINUTE)
#define MS_PER_DAY    (24 * MS_PER_HOUR)

#define STATE_WIDTH 8 /* of "SHUTDOWN" */

void render_duration(struct text *t, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms < MS_PER_SECOND)
		text_add(t, "%dms", (int)ms);
	else if (ms < MS_PER_MINUTE)
		text_add(t, "%ds", (int)(ms / MS_PER_SECOND));
	else if (ms < MS_PER_HOUR)
		text_add(t, "%dm%02ds", (int)(ms / MS_PER_MINUTE), (int)(ms / MS_PER_SECOND % 60));
	else if (ms < MS_PER_DAY)
		text_add(t, "%dh%02dm", (int)(ms / MS_PER_HOUR), (int)(ms / MS_PER_MINUTE % 60));
	else
		text_add(t, "%" PRId64 "d%02dh", ms / MS_PER_DAY, (int)(ms / MS_PER_HOUR % 24));
}

static void add_coloured(struct text *t, bool wanted, enum colour colour, const char *string)
{
	text_add(t, "%s", colour_on(wanted, colour));
	text_add_foreign(t, string);
	text_add(t, "%s", colour_off(wanted));
}

/* @string and as many blanks as @width needs. Bytes that continue a UTF-8 sequence take no column.
 */
static void add_padded(struct text *t, const char *string, size_t width)
{
	size_t columns = 0;

	text_add_foreign(t, string);
	for (; *string; string++)
		columns += ((unsigned char)*string & 0xc0) != 0x80;
	text_add(t, "%*s", columns < width ? (int)(width - columns) : 0, "");
}

static enum colour state_colour(enum node_state state)
{
	switch (state) {
	case STATE_ACTIVE: return COLOUR_GREEN;
	case STATE_STANDBY: return COLOUR_YELLOW;
	case STATE_SHUTDOWN: return COLOUR_DIM;
	}
	return COLOUR_NONE;
}

static void add_state(struct text *t, bool colour, enum node_state state, int width)
{
	text_add(t, "%s%-*s%s", colour_on(colour, state_colour(state)), width,
		node_state_name(state), colour_off(colour));
}

static void render_node(struct text *t, const struct status *s, bool colour)
{
	char address[IP_TEXT_SIZE];

	add_coloured(t, colour, COLOUR_BOLD, s->name);
	text_add(t, "  %s  heartbeat every %g ms, gone after %g ms, %s%s%s",
		ip_format(&s->address, address), s->interval_ms, s->tolerance_ms,
		colour_on(colour && !s->authenticated, COLOUR_YELLOW),
		s->authenticated ? "authenticated" : "no key",
		colour_off(colour && !s->authenticated));
	if (*s->fence) {
		text_add(t, ", fence ");
		text_add_foreign(t, s->fence);
	}
	if (*s->scheduling) {
		text_add(t, ", scheduling ");
		text_add_foreign(t, s->scheduling);
	}
	text_add(t, "\n");
}

static void render_address(struct text *t, const struct status_address *a, enum node_state state)
{
	char ip[IP_TEXT_SIZE], whole[IP_TEXT_SIZE + 4];
	struct text written = text_init(whole, sizeof(whole));

	text_add(&written, "%s/%u", ip_format(&a->ip, ip), a->prefix_length);
	text_add(t, "  %-18s dev ", whole);
	text_add_foreign(t, a->device);
	if (state == STATE_ACTIVE && a->targets > 0)
		text_add(t, ", %u of %u neighbours acknowledged", a->acknowledged, a->targets);
	text_add(t, "\n");
}

static void render_check(struct text *t, const struct status_check *c, bool colour)
{
	bool passes = strcmp(c->state, "passing") == 0;

	text_add(t, "  check ");
	text_add_foreign(t, c->name);
	text_add(t, " ");
	add_coloured(t, colour, passes ? COLOUR_GREEN : COLOUR_RED,
		strcmp(c->state, "unknown") == 0 ? "has no answer yet" : c->state);
	if (!passes && c->lowers > 0)
		text_add(t, " (lowers the worth by %u)", c->lowers);
	if (c->answered_ms >= 0) {
		text_add(t, ", answered ");
		render_duration(t, c->answered_ms);
		text_add(t, " ago");
	}
	if (*c->reason && c->answered_ms >= 0) {
		text_add(t, ": ");
		text_add_foreign(t, c->reason);
	}
	if (c->hold_ms > 0) {
		text_add(t, "; good again, passes if it stays so for ");
		render_duration(t, c->hold_ms);
	}
	text_add(t, "\n");
}

static void render_group_facts(
	struct text *t, const struct status_group *g, const struct render *how)
{
	text_add(t, "  held by ");
	if (*g->holder)
		text_add_foreign(t, g->holder);
	else
		text_add(t, "nobody");
	text_add(t, ", epoch %" PRIu64 ", for ", g->epoch);
	render_duration(t, how->wall_ms - g->since_ms);
	text_add(t, ", worth %u", g->worth);
	if (g->worth != g->configured_worth)
		text_add(t, " of %u", g->configured_worth);
	text_add(t, "%s%s, policy ", g->impaired ? " (impaired)" : "",
		g->eligible ? "" : " (not eligible)");
	text_add_foreign(t, g->policy);
	text_add(t, "%s\n", g->warm ? ", standby warm" : "");
}

static void render_group(struct text *t, const struct status *s, const struct status_group *g,
	size_t name_width, const struct render *how)
{
	text_add(t, "\n%s", colour_on(how->colour, COLOUR_BOLD));
	add_padded(t, g->name, name_width);
	text_add(t, "%s  ", colour_off(how->colour));
	add_state(t, how->colour, g->state, STATE_WIDTH);
	text_add(t, "  ");
	text_add_foreign(t, g->reason);
	text_add(t, "\n");
	render_group_facts(t, g, how);
	if (*g->next) {
		text_add(t, "  next: ");
		text_add_foreign(t, g->next);
		text_add(t, "\n");
	}
	for (size_t i = 0; i < g->address_count; i++)
		render_address(t, &s->addresses[g->address_first + i], g->state);
	for (size_t i = 0; i < g->check_count; i++)
		render_check(t, &s->checks[g->check_first + i], how->colour);
}

static void render_groups(struct text *t, const struct status *s, const struct render *how)
{
	size_t width = 0;

	for (size_t i = 0; i < s->group_count; i++) {
		size_t length = strlen(s->groups[i].name);

		if (length > width)
			width = length;
	}
	for (size_t i = 0; i < s->group_count; i++) {
		if (!how->group || strcmp(how->group, s->groups[i].name) == 0)
			render_group(t, s, &s->groups[i], how->group ? 0 : width, how);
	}
}

/* What a peer's two flags mean together. */
static void render_hearing(struct text *t, const struct status_peer *p, bool colour)
{
	if (!p->live)
		text_add(t, "%sgone%s", colour_on(colour, COLOUR_DIM), colour_off(colour));
	else if (p->hears_me)
		text_add(t, "%slive%s, hears me", colour_on(colour, COLOUR_GREEN),
			colour_off(colour));
	else
		text_add(t, "%slive, does not hear me%s", colour_on(colour, COLOUR_RED),
			colour_off(colour));
	if (p->live && !p->proven)
		text_add(t, ", not proven fresh");
}

/* When it was last heard by each of several interfaces. */
static void render_peer_paths(struct text *t, const struct status *s, const struct status_peer *p)
{
	for (size_t i = 0; s->path_count > 1 && i < s->path_count; i++) {
		text_add(t, "%s", i == 0 ? " (" : ", ");
		text_add_foreign(t, s->paths[i].interface);
		text_add(t, " ");
		if (p->path_heard_ms[i] >= 0)
			render_duration(t, p->path_heard_ms[i]);
		else
			text_add(t, "never");
	}
	text_add(t, "%s", s->path_count > 1 ? ")" : "");
}

static void render_peer(struct text *t, const struct status *s, const struct status_peer *p,
	size_t name_width, bool colour)
{
	char address[IP_TEXT_SIZE];

	text_add(t, "  ");
	add_padded(t, p->name, name_width);
	text_add(t, "  %-15s  ", ip_format(&p->address, address));
	render_hearing(t, p, colour);
	if (p->last_heard_ms >= 0) {
		text_add(t, ", last heard ");
		render_duration(t, p->last_heard_ms);
		text_add(t, " ago");
		render_peer_paths(t, s, p);
		text_add(t, "\n");
	} else {
		text_add(t, ", never heard\n");
	}
}

static void render_path(struct text *t, const struct status_path *p, size_t name_width, bool colour)
{
	char address[IP_TEXT_SIZE];

	text_add(t, "  ");
	add_padded(t, p->interface, name_width);
	text_add(t, "  %-15s  %s", ip_format(&p->address, address),
		colour_on(colour && !p->up, COLOUR_RED));
	text_add_foreign(t, p->state);
	text_add(t, "%s\n", colour_off(colour && !p->up));
}

/* One alone is told by the groups. */
static void render_paths(struct text *t, const struct status *s, bool colour)
{
	size_t width = 0;

	if (s->path_count < 2)
		return;
	for (size_t i = 0; i < s->path_count; i++) {
		size_t length = strlen(s->paths[i].interface);

		width = length > width ? length : width;
	}
	text_add(t, "\n%sheartbeats%s\n", colour_on(colour, COLOUR_BOLD), colour_off(colour));
	for (size_t i = 0; i < s->path_count; i++)
		render_path(t, &s->paths[i], width, colour);
}

static void render_peers(struct text *t, const struct status *s, bool colour)
{
	size_t width = 0;

	if (s->peer_count == 0) {
		text_add(t, "\nno peers heard yet\n");
		return;
	}
	for (size_t i = 0; i < s->peer_count; i++) {
		size_t length = strlen(s->peers[i].name);

		if (length > width)
			width = length;
	}
	text_add(t, "\n%speers%s\n", colour_on(colour, COLOUR_BOLD), colour_off(colour));
	for (size_t i = 0; i < s->peer_count; i++)
		render_peer(t, s, &s->peers[i], width, colour);
}

static void render_warnings(struct text *t, const struct status *s, bool colour)
{
	for (size_t i = 0; i < s->warning_count; i++) {
		text_add(t, "%s%sWARNING:%s ", i == 0 ? "\n" : "", colour_on(colour, COLOUR_RED),
			colour_off(colour));
		text_add_foreign(t, s->warnings[i]);
		text_add(t, "\n");
	}
}

void render_status(struct text *t, const struct status *s, const struct render *how)
{
	render_node(t, s, how->colour);
	render_groups(t, s, how);
	if (!how->group) {
		render_paths(t, s, how->colour);
		render_peers(t, s, how->colour);
	}
	render_warnings(t, s, how->colour);
}

static enum colour level_colour(enum report_level level)
{
	switch (level) {
	case REPORT_ERROR: return COLOUR_RED;
	case REPORT_WARNING: return COLOUR_YELLOW;
	case REPORT_NOTICE:
	case REPORT_INFO: break;
	}
	return COLOUR_NONE;
}

/* The sentence of a change of state begins with the state, which has its own colour. */
static void add_sentence(struct text *t, const struct report *r, bool colour)
{
	const enum colour level = level_colour(r->level);
	const char *rest = r->text;

	if (r->to && strncmp(rest, node_state_name(r->to), strlen(node_state_name(r->to))) == 0) {
		add_state(t, colour, r->to, 0);
		rest += strlen(node_state_name(r->to));
	}
	add_coloured(t, colour && level != COLOUR_NONE, level, rest);
}

void render_report(struct text *t, const struct report *r, const char *clock, bool colour)
{
	text_add(t, "%s%s%s  ", colour_on(colour, COLOUR_DIM), clock, colour_off(colour));
	if (*r->group) {
		add_coloured(t, colour, COLOUR_BOLD, r->group);
		text_add(t, "  ");
	}
	add_sentence(t, r, colour);
	if (r->epoch)
		text_add(t, "%s, epoch %" PRIu64 "%s", colour_on(colour, COLOUR_DIM), r->epoch,
			colour_off(colour));
	text_add(t, "\n");
}
