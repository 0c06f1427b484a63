/* SPDX-License-Identifier: ISC */
#include "daemon/health.h"

#include <stdlib.h>

#include "engine/checks.h"
#include "sys/fatal.h"

#define ADOPTION_MS 3000

struct health {
	struct driver *driver;
	struct engine_health *said[HEALTH_JUDGES]; /* of each group */
	bool adopting; /* R8: what speaks for its groups may still have to come */
	uv_timer_t adoption;
};

/* R8: an engine that goes on with what another one has left knows how its groups were. Checks and
 * applications that have not had the time to speak again must not speak against them. */
static bool is_too_early(const struct health *h, const struct engine_health *both)
{
	unsigned configured = h->driver->conf->groups[both->group].worth;

	return h->adopting && (both->impaired || both->ineligible || both->worth < configured);
}

static void tell_engine(struct health *h, uint16_t group)
{
	struct engine_health both = checks_merge(&h->said[HEALTH_OF_CHECKS][group],
		&h->said[HEALTH_OF_APPLICATION][group], h->driver->conf->groups[group].worth);
	struct engine_event event = {.kind = ENGINE_HEALTH, .health = &both};

	both.group = group;
	if (!is_too_early(h, &both))
		driver_event(h->driver, &event);
}

void health_judged(struct health *h, enum health_judge judge, const struct engine_health *said)
{
	h->said[judge][said->group] = *said;
	tell_engine(h, said->group);
}

static void on_adopted(uv_timer_t *timer)
{
	struct health *h = timer->data;

	h->adopting = false;
	for (uint16_t g = 0; g < h->driver->conf->group_count; g++)
		tell_engine(h, g);
}

struct health *health_open(struct driver *driver, uv_loop_t *loop)
{
	const struct conf *conf = driver->conf;
	struct health *h = calloc(1, sizeof(*h));

	if (!h || uv_timer_init(loop, &h->adoption) != 0)
		fatal("out of memory");
	h->driver = driver;
	for (size_t j = 0; j < HEALTH_JUDGES; j++) {
		h->said[j] = calloc(conf->group_count, sizeof(*h->said[j]));
		if (!h->said[j])
			fatal("out of memory");
		for (size_t g = 0; g < conf->group_count; g++)
			h->said[j][g].worth = conf->groups[g].worth;
	}
	h->adoption.data = h;
	h->adopting = driver->adopted;
	if (h->adopting)
		uv_timer_start(&h->adoption, on_adopted, ADOPTION_MS, 0);
	return h;
}
