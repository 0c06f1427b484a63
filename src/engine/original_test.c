/* SPDX-License-Identifier: ISC */
/* One engine among nodes of the original program: when it speaks, when it holds. */
#include "engine/original.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

#define TEXT                                                                                       \
	"[node]\nname = nine\ninterface = eth0\nport = 5556\nprotocol = original\n"                \
	"[group main]\naddress = 10.0.0.100/24\n"

struct stage {
	struct conf conf;
	struct engine *engine;
	int64_t now_ns;
	bool holds;
	unsigned spoken;
};

static void step(struct stage *s, const struct engine_event *event);

static void keeper_says(struct stage *s, enum channel_verb verb, const struct effect *to)
{
	const struct channel_message m = {
		.verb = verb, .index = to->keeper.index, .number = to->keeper.number};

	s->holds = verb == CHANNEL_HELD;
	step(s, &(struct engine_event){.kind = ENGINE_KEEPER, .keeper = &m});
}

static void perform(struct stage *s, const struct effect *effect)
{
	if (effect->kind == EFFECT_SEND)
		step(s, &(struct engine_event){.kind = ENGINE_SENT});
	else if (effect->kind == EFFECT_SEND_ORIGINAL)
		s->spoken++;
	else if (effect->kind == EFFECT_KEEPER && effect->keeper.verb == CHANNEL_HOLD)
		keeper_says(s, CHANNEL_HELD, effect);
	else if (effect->kind == EFFECT_KEEPER && effect->keeper.verb == CHANNEL_RELEASE)
		keeper_says(s, CHANNEL_RELEASED, effect);
}

static void step(struct stage *s, const struct engine_event *event)
{
	struct effects *effects = calloc(1, sizeof(*effects));

	assert_non_null(effects);
	engine_step(s->engine, (ha_time){s->now_ns}, event, effects);
	for (size_t i = 0; i < effects->count; i++)
		perform(s, &effects->list[i]);
	free(effects);
}

static void pass(struct stage *s, int64_t duration_ms)
{
	int64_t end_ns = s->now_ns + duration_ms * NS_PER_MS;

	while (engine_deadline(s->engine).ns <= end_ns) {
		if (engine_deadline(s->engine).ns > s->now_ns)
			s->now_ns = engine_deadline(s->engine).ns;
		step(s, &(struct engine_event){.kind = ENGINE_TIMER});
	}
	s->now_ns = end_ns;
}

static void hear(struct stage *s, uint8_t last_byte)
{
	struct engine_event event = {.kind = ENGINE_ORIGINAL};

	event.datagram.source = ip_from_v4((const uint8_t[]){10, 0, 0, last_byte});
	step(s, &event);
}

/* One that speaks each 100 ms, for a while. */
static void hear_for(struct stage *s, uint8_t last_byte, int64_t duration_ms)
{
	for (int64_t ms = 0; ms < duration_ms; ms += 100) {
		hear(s, last_byte);
		pass(s, 100);
	}
}

static int set_up(void **state)
{
	static const struct heartbeat_key no_key;
	struct stage *s = calloc(1, sizeof(*s));
	struct conf_diagnostics *mistakes = calloc(1, sizeof(*mistakes));
	struct engine_event device = {.kind = ENGINE_DEVICE,
		.device = {.present = true,
			.up = true,
			.carrier = true,
			.interface_index = 2,
			.v4 = ip_from_v4((const uint8_t[]){10, 0, 0, 9})}};

	assert_true(s && mistakes);
	assert_true(conf_parse(TEXT, strlen(TEXT), "host", &s->conf, mistakes));
	free(mistakes);
	s->now_ns = NS_PER_S;
	s->engine = engine_init(calloc(1, engine_size(&s->conf)), &s->conf,
		(struct engine_identity){.id = 1, .nonce = 2}, &no_key);
	step(s, &(struct engine_event){.kind = ENGINE_START});
	step(s, &device);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	free(s->engine);
	conf_free(&s->conf);
	free(s);
	return 0;
}

static void alone_it_holds_and_speaks(void **state)
{
	struct stage *s = *state;

	pass(s, 150);
	assert_int_equal(s->spoken, 0);
	pass(s, 250);
	assert_true(s->holds);
	s->spoken = 0;
	pass(s, 1000);
	assert_in_range(s->spoken, 10, 11);
}

static void a_lower_one_goes_first(void **state)
{
	struct stage *s = *state;

	hear_for(s, 8, 1000);
	assert_false(s->holds);
	assert_int_equal(s->spoken, 0);
	pass(s, 1000);
	assert_true(s->holds && s->spoken > 0);
	hear(s, 8);
	assert_false(s->holds);
	s->spoken = 0;
	hear_for(s, 8, 1000);
	assert_int_equal(s->spoken, 0);
}

static void a_higher_one_gives_way(void **state)
{
	struct stage *s = *state;

	hear_for(s, 95, 1000);
	assert_true(s->holds && s->spoken > 0);
}

/* "10.0.0.10" < "10.0.0.9" */
static void addresses_compare_as_text(void **state)
{
	struct stage *s = *state;

	hear_for(s, 10, 1000);
	assert_false(s->holds);
}

static void its_own_packets_are_none_of_anybodys(void **state)
{
	struct stage *s = *state;

	hear_for(s, 9, 1000);
	assert_true(s->holds);
}

/* A flood of forged sources must not hide one that is really there. */
static void more_than_there_is_room_for(void **state)
{
	struct stage *s = *state;

	for (int round = 0; round < 20; round++) {
		for (int i = 100; i < 200; i++)
			hear(s, (uint8_t)i);
		hear(s, 8);
		pass(s, 50);
	}
	assert_false(s->holds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alone_it_holds_and_speaks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lower_one_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_higher_one_gives_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(addresses_compare_as_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			its_own_packets_are_none_of_anybodys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_there_is_room_for, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
