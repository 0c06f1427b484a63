/* SPDX-License-Identifier: ISC */
/*
 * A heartbeat sent and one heard take no memory, with few groups and with many. The linker leads
 * every call of the allocator here (--wrap), where it is counted.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define HEARTBEATS 1000

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static size_t allocations;

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	allocations++;
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	allocations++;
	return __real_realloc(memory, size);
}

static struct conf conf;
static struct heartbeat_key key;
static struct effects effects;
static size_t sent;

struct node {
	struct engine *engine;
	uint64_t number;
};

static void parse(unsigned groups)
{
	static struct conf_diagnostics wrong;
	static char text[64 * 1024];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "[node]\nname = alpha\ninterface = eth0\n");
	for (unsigned g = 0; g < groups; g++)
		text_add(&t, "[group g%u]\naddress = 10.1.%u.%u\n", g, g / 200, 1 + g % 200);
	assert_true(conf_parse(text, t.length, "alpha", &conf, &wrong));
}

static struct node begin(uint64_t number)
{
	struct node n = {.number = number};
	struct engine_identity identity = {.id = number, .nonce = number};
	void *memory = calloc(1, engine_size(&conf));

	assert_non_null(memory);
	n.engine = engine_init(memory, &conf, identity, &key);
	return n;
}

static void step(struct node *n, ha_time now, const struct engine_event *event, struct node *other);

/* What the kernel, the keeper and the LAN do. */
static void answer(struct node *n, ha_time now, const struct effect *effect, struct node *other)
{
	static struct channel_message m;
	struct engine_event event = {.kind = ENGINE_SENT};

	if (effect->kind == EFFECT_KEEPER && effect->keeper.verb == CHANNEL_HOLD) {
		m = (struct channel_message){.verb = CHANNEL_HELD,
			.index = effect->keeper.index,
			.number = effect->keeper.number};
		event = (struct engine_event){.kind = ENGINE_KEEPER, .keeper = &m};
		step(n, now, &event, other);
	} else if (effect->kind == EFFECT_SEND) {
		static uint8_t bytes[HEARTBEAT_SIZE_MAX];
		struct engine_event heard = {.kind = ENGINE_DATAGRAM,
			.datagram = {.bytes = bytes,
				.size = effect->send.size,
				.hop_limit = HEARTBEAT_HOP_LIMIT}};

		memcpy(bytes, effect->send.bytes, effect->send.size);
		heard.datagram.source = ip_from_v4((uint8_t[]){10, 0, 0, (uint8_t)n->number});
		sent++;
		step(n, now, &event, other);
		if (other)
			step(other, now, &heard, NULL); /* its answer is sent with its timer */
	}
}

static void step(struct node *n, ha_time now, const struct engine_event *event, struct node *other)
{
	static struct effect list[EFFECTS_MAX * 4];
	static size_t used;
	size_t first = used, count;

	engine_step(n->engine, now, event, &effects);
	count = effects.count;
	assert_true(first + count <= sizeof(list) / sizeof(list[0]));
	memcpy(list + first, effects.list, count * sizeof(list[0]));
	used += count;
	for (size_t i = 0; i < count; i++)
		answer(n, now, &list[first + i], other);
	used = first;
}

static void tell_device(struct node *n, ha_time now)
{
	struct engine_event event = {.kind = ENGINE_DEVICE,
		.device = {.present = true, .up = true, .carrier = true, .interface_index = 2}};

	event.device.v4 = ip_from_v4((uint8_t[]){10, 0, 0, (uint8_t)n->number});
	event.device.mac[5] = (uint8_t)n->number;
	step(n, now, &event, NULL);
}

static ha_time run(struct node *a, struct node *b, ha_time now, size_t heartbeats)
{
	const struct engine_event timer = {.kind = ENGINE_TIMER};
	size_t end = sent + heartbeats;

	while (sent < end) {
		struct node *n =
			engine_deadline(a->engine).ns <= engine_deadline(b->engine).ns ? a : b;

		now = time_max(now, engine_deadline(n->engine));
		step(n, now, &timer, n == a ? b : a);
	}
	return now;
}

static void heartbeats_of(unsigned groups)
{
	struct engine_event start = {.kind = ENGINE_START};
	ha_time now = {3600 * NS_PER_S};
	struct node a, b;
	size_t before;

	parse(groups);
	a = begin(1);
	b = begin(2);
	step(&a, now, &start, NULL);
	step(&b, now, &start, NULL);
	tell_device(&a, now);
	tell_device(&b, now);
	now = run(&a, &b, now, 100);
	before = allocations;
	assert_true(before > 0); /* they are counted */
	run(&a, &b, now, HEARTBEATS);
	assert_int_equal(allocations, before);
	free(a.engine);
	free(b.engine);
	conf_free(&conf);
}

static void test_few_groups(void **state)
{
	(void)state;
	heartbeats_of(3);
}

static void test_many_groups(void **state)
{
	(void)state;
	heartbeats_of(500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few_groups),
		cmocka_unit_test(test_many_groups),
	};

	heartbeat_key_init(&key, (const uint8_t *)"secret", 6);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
