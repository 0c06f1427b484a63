/* SPDX-License-Identifier: ISC */
#include "daemon/attach.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "base/time.h"
#include "daemon/health.h"
#include "sys/clock.h"
#include "sys/fatal.h"
#include "sys/log.h"

#define PEER_GROUPS_MAX 64

enum care {
	CARE_UNNEEDED, /* the group has no `application` */
	CARE_NONE,     /* nobody has come yet */
	CARE_GOOD,
	CARE_SILENT,
	CARE_GONE,
};

struct care_of_group {
	enum care care;
	bool changed; /* the engine is to be told */
	bool has_user, has_group;
	uid_t user;
	gid_t group;
	const void *client;
	ha_time heard;
	struct attach_line line;
};

struct attach {
	struct health *health;
	const struct conf *conf;
	uv_timer_t timer;
	uv_prepare_t prepare;
	size_t changed; /* groups */
	struct care_of_group groups[];
};

static const char *describe(const struct care_of_group *g)
{
	switch (g->care) {
	case CARE_UNNEEDED: break;
	case CARE_NONE: return "no program looks after it";
	case CARE_SILENT: return "the program that looks after it does not answer";
	case CARE_GONE: return "the program that looked after it has gone";
	case CARE_GOOD: return g->line.reason;
	}
	return "";
}

static void tell_engine(struct attach *a, size_t group)
{
	const struct care_of_group *g = &a->groups[group];
	bool good = g->care == CARE_GOOD;
	struct engine_health health = {.group = (uint16_t)group,
		.worth = good ? g->line.worth : a->conf->groups[group].worth,
		.impaired = good && g->line.impaired,
		.ineligible = !good || g->line.ineligible};

	text_copy(health.reason, sizeof(health.reason), describe(g));
	health_judged(a->health, HEALTH_OF_APPLICATION, &health);
}

/* Not at once: a connection may be given up while the engine's effects are being carried out. */
static void change(struct attach *a, struct care_of_group *g)
{
	if (!g->changed)
		a->changed++;
	g->changed = true;
}

static void tell_changes(struct attach *a)
{
	for (size_t g = 0; g < a->conf->group_count && a->changed > 0; g++) {
		if (!a->groups[g].changed)
			continue;
		a->groups[g].changed = false;
		a->changed--;
		tell_engine(a, g);
	}
}

static void on_prepare(uv_prepare_t *prepare)
{
	tell_changes(prepare->data);
}

static void on_timer(uv_timer_t *timer)
{
	struct attach *a = timer->data;
	ha_time now = clock_now();

	for (size_t i = 0; i < a->conf->group_count; i++) {
		struct care_of_group *g = &a->groups[i];

		if (g->care != CARE_GOOD ||
			time_between(g->heard, now) < a->conf->node.tolerance_ns)
			continue;
		g->care = CARE_SILENT;
		change(a, g);
	}
	tell_changes(a);
}

static void look_up(struct care_of_group *g, const struct conf_group *conf)
{
	const struct passwd *user = getpwnam(conf->application);
	const struct group *group = getgrnam(conf->application);

	g->has_user = user != NULL;
	g->user = user ? user->pw_uid : 0;
	g->has_group = group != NULL;
	g->group = group ? group->gr_gid : 0;
	if (!user && !group)
		log_warning("group %s: there is no user and no group %s, whose program could look "
			    "after it; create one, or change `application`",
			conf->name, conf->application);
}

struct attach *attach_open(struct health *health, const struct conf *conf, uv_loop_t *loop)
{
	struct attach *a = calloc(1, sizeof(*a) + conf->group_count * sizeof(a->groups[0]));
	uint64_t interval_ms = (uint64_t)(conf->node.interval_ns / NS_PER_MS);
	bool any = false;

	if (!a)
		fatal("out of memory");
	a->health = health;
	a->conf = conf;
	for (size_t g = 0; g < conf->group_count; g++) {
		if (!conf->groups[g].application)
			continue;
		any = true;
		a->groups[g].care = CARE_NONE;
		look_up(&a->groups[g], &conf->groups[g]);
		change(a, &a->groups[g]);
	}
	(void)uv_timer_init(loop, &a->timer);
	(void)uv_prepare_init(loop, &a->prepare);
	a->timer.data = a->prepare.data = a;
	if (any) {
		(void)uv_timer_start(&a->timer, on_timer, interval_ms, interval_ms);
		(void)uv_prepare_start(&a->prepare, on_prepare);
	}
	return a;
}

void attach_start(struct attach *a)
{
	tell_changes(a);
}

static bool is_member(int socket, gid_t own, gid_t wanted)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (own == wanted)
		return true;
	if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
		if (groups[i] == wanted)
			return true;
	}
	return false;
}

static bool may_care(const struct care_of_group *g, int socket)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	return peer.uid == 0 || (g->has_user && peer.uid == g->user) ||
	       (g->has_group && is_member(socket, peer.gid, g->group));
}

const char *attach_begin(struct attach *a, const char *group, int socket, const void *client)
{
	int index = conf_group_by_name(a->conf, group);
	struct care_of_group *g = index >= 0 ? &a->groups[index] : NULL;

	if (!g)
		return "there is no such group";
	if (g->care == CARE_UNNEEDED)
		return "the configuration names no `application` for this group";
	if (!may_care(g, socket))
		return "this user is not the `application` of this group";
	if (g->client)
		return "another program looks after this group";
	g->client = client;
	return NULL;
}

static struct care_of_group *find(struct attach *a, const void *client)
{
	for (size_t g = 0; g < a->conf->group_count; g++) {
		if (a->groups[g].client == client)
			return &a->groups[g];
	}
	return NULL;
}

static bool is_same(const struct attach_line *a, const struct attach_line *b)
{
	return a->worth == b->worth && a->impaired == b->impaired &&
	       a->ineligible == b->ineligible && strcmp(a->reason, b->reason) == 0;
}

void attach_heard(struct attach *a, const void *client, const struct attach_line *line)
{
	struct care_of_group *g = find(a, client);

	if (!g)
		return;
	g->heard = clock_now();
	if (g->care == CARE_GOOD && is_same(&g->line, line))
		return;
	g->care = CARE_GOOD;
	g->line = *line;
	change(a, g);
}

void attach_end(struct attach *a, const void *client)
{
	struct care_of_group *g = find(a, client);

	if (!g)
		return;
	g->client = NULL;
	g->care = CARE_GONE;
	change(a, g);
}
