/* SPDX-License-Identifier: ISC */
/*
 * What one engine answers to events. How engines get on with each other is told in tests/trace.
 */
#include "engine/engine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/views.h"
#include "wire/arp.h"
#include "wire/record.h"

#define START_NS          (3600 * NS_PER_S)
#define OWN_ID            UINT64_C(0xa1)
#define OWN_NONCE         UINT64_C(0xb2)
#define MESSAGES_MAX      4096
#define LARGEST_ADDRESSES 256
#define ONE_GROUP                                                                                  \
	"[node]\nname = alpha\ninterface = eth0\n"                                                 \
	"[group web]\naddress = 192.168.1.100/24\n"

static const uint8_t OWN_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 1};
static const uint8_t OTHER_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 2};

static struct conf conf;
static struct heartbeat_key no_key;
static struct engine *engine;
static struct effects effects;
static int64_t now_ns;
static struct status status;

/* What came out since the last forget(), and how the model of the keeper behaves. */
static struct effect log_list[MESSAGES_MAX];
static size_t log_count;
static size_t most_effects;
static struct heartbeat last_sent, last_will;
static bool keeper_answers, sending_works, sending_is_answered;

static void forget(void)
{
	log_count = 0;
}

static void step(const struct engine_event *event);

static void decode_sent(const uint8_t *bytes, size_t size, struct heartbeat *ret_heartbeat)
{
	assert_int_equal(heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, conf.node.cluster_tag,
				 &no_key, ret_heartbeat),
		HEARTBEAT_ACCEPTED);
}

static void keeper_says(enum channel_verb verb, size_t index, size_t second, uint64_t number)
{
	struct channel_message m = {.verb = verb,
		.index = (uint16_t)index,
		.second = (uint16_t)second,
		.number = number};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};

	step(&event);
}

/* The keeper and the network answer after the whole list was carried out. */
static void answer(const struct effect *effect)
{
	struct engine_event event = {
		.kind = sending_works ? ENGINE_SENT : ENGINE_SEND_FAILED, .error = EPERM};

	if (effect->kind == EFFECT_SEND && sending_is_answered)
		step(&event);
	if (effect->kind != EFFECT_KEEPER || !keeper_answers)
		return;
	if (effect->keeper.verb == CHANNEL_HOLD)
		keeper_says(CHANNEL_HELD, effect->keeper.index, 0, effect->keeper.number);
	if (effect->keeper.verb == CHANNEL_RELEASE)
		keeper_says(CHANNEL_RELEASED, effect->keeper.index, 0, 0);
}

static void step(const struct engine_event *event)
{
	size_t first = log_count;

	engine_step(engine, (ha_time){now_ns}, event, &effects);
	most_effects = effects.count > most_effects ? effects.count : most_effects;
	for (size_t i = 0; i < effects.count; i++) {
		const struct effect *effect = &effects.list[i];

		assert_true(log_count < MESSAGES_MAX);
		log_list[log_count++] = *effect;
		if (effect->kind == EFFECT_SEND)
			decode_sent(effect->send.bytes, effect->send.size, &last_sent);
		if (effect->kind == EFFECT_KEEPER && effect->keeper.verb == CHANNEL_WILL)
			decode_sent(
				effect->keeper.payload, effect->keeper.payload_size, &last_will);
	}
	for (size_t i = first, end = log_count; i < end; i++) {
		struct effect copy = log_list[i]; /* the log grows meanwhile */

		answer(&copy);
	}
}

/* Lets time pass. Each timer must lead on: an engine that asks for the same instant again is busy.
 */
static void run_ms(int64_t duration_ms)
{
	struct engine_event timer = {.kind = ENGINE_TIMER};
	int64_t end_ns = now_ns + duration_ms * NS_PER_MS;
	unsigned at_once = 0;

	while (engine_deadline(engine).ns <= end_ns) {
		int64_t deadline_ns = engine_deadline(engine).ns;

		at_once = deadline_ns <= now_ns ? at_once + 1 : 0;
		assert_true(at_once < 100);
		now_ns = deadline_ns > now_ns ? deadline_ns : now_ns;
		step(&timer);
	}
	now_ns = end_ns;
}

static void tell_device(size_t index, bool up, bool carrier, const char *address)
{
	struct engine_event event = {.kind = ENGINE_DEVICE,
		.device = {.index = (uint8_t)index,
			.present = true,
			.up = up,
			.carrier = carrier,
			.interface_index = (uint32_t)(2 + index)}};
	struct ip ip;

	memcpy(event.device.mac, OWN_MAC, MAC_SIZE);
	if (address && ip_parse(address, &ip)) {
		event.device.v4 = ip.family == IP_V4 ? ip : (struct ip){0};
		event.device.v6 = ip.family == IP_V6 ? ip : (struct ip){0};
	}
	step(&event);
}

static void begin(const char *text)
{
	static struct conf_diagnostics wrong;
	struct engine_identity identity = {.id = OWN_ID, .nonce = OWN_NONCE};
	struct engine_event event = {.kind = ENGINE_START};

	conf_free(&conf);
	if (!conf_parse(text, strlen(text), "alpha", &conf, &wrong))
		fail_msg("%u: %s", wrong.list[0].line, wrong.list[0].message);
	status_done(&status);
	assert_true(status_init(&status, conf.group_count, conf.address_count));
	now_ns = START_NS;
	keeper_answers = sending_works = sending_is_answered = true;
	forget();
	free(engine);
	engine = malloc(engine_size(&conf));
	assert_non_null(engine);
	memset(engine, 0x5a, engine_size(&conf));
	engine_init(engine, &conf, identity, &no_key);
	step(&event);
}

static int tear_down(void **state)
{
	(void)state;
	free(engine);
	engine = NULL;
	conf_free(&conf);
	status_done(&status);
	return 0;
}

/* The engine holds `web`, alone. */
static void become_active(void)
{
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.groups[0].state, STATE_ACTIVE);
	forget();
}

static size_t count_keeper(enum channel_verb verb)
{
	size_t count = 0;

	for (size_t i = 0; i < log_count; i++)
		count += log_list[i].kind == EFFECT_KEEPER && log_list[i].keeper.verb == verb;
	return count;
}

static const struct report *find_report(enum report_kind kind)
{
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_REPORT && log_list[i].report.kind == kind)
			return &log_list[i].report;
	return NULL;
}

/* A heartbeat of another node, which names our present boot and our last datagram. */
static struct heartbeat peer_heartbeat(uint64_t id, uint64_t sequence)
{
	struct heartbeat h = {.id = id,
		.nonce = id + 1000,
		.sequence = sequence,
		.interval_us = 100000,
		.tolerance_us = 350000,
		.heard_count = 1};

	h.heard[0] = (struct heartbeat_heard){
		.id = OWN_ID, .nonce = OWN_NONCE, .sequence = (uint32_t)last_sent.sequence};
	assert_true(ip_parse("10.0.0.2", &h.address));
	text_copy(h.name, sizeof(h.name), "beta");
	return h;
}

static void hear_by(uint32_t interface_index, const struct heartbeat *h)
{
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = bytes,
			.hop_limit = HEARTBEAT_HOP_LIMIT,
			.interface_index = interface_index}};

	event.datagram.size = heartbeat_encode(h, conf.node.cluster_tag, &no_key, bytes);
	event.datagram.source = h->address;
	step(&event);
}

static void hear(const struct heartbeat *h)
{
	hear_by(0, h);
}

static void hear_arp(
	const uint8_t mac[MAC_SIZE], const char *sender, const char *target, size_t cut)
{
	struct channel_message m = {.verb = CHANNEL_FRAME, .payload_size = ARP_FRAME_SIZE};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};
	struct ip ip;

	assert_true(ip_parse(sender, &ip));
	arp_encode_announcement_reply(m.payload, mac, &ip);
	assert_true(ip_parse(target, &ip));
	memcpy(m.payload + 38, ip.bytes, 4);
	m.payload_size = (uint16_t)(m.payload_size - cut);
	step(&event);
}

static void test_claims_alone(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	assert_int_equal(log_list[0].keeper.verb, CHANNEL_READY);
	tell_device(0, true, true, "10.0.0.1");
	assert_int_equal(last_sent.id, OWN_ID); /* at once, not after an interval */
	assert_int_equal(last_sent.groups[0].flags, HEARTBEAT_GROUP_LISTENING);
	run_ms(349);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
	assert_int_equal(count_keeper(CHANNEL_PROBE), 4); /* RFC 5227 while it listens */
	run_ms(2);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[0].epoch, 1);
}

/* R7: from before the sending, less the margin of 350 ms / 32; only if it was sent. */
static void test_lease(void **state)
{
	int64_t until_ns = 0;

	(void)state;
	become_active();
	run_ms(100);
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_LEASE)
			until_ns = log_list[i].lease.ns;
	assert_true(until_ns > now_ns + 200 * NS_PER_MS);
	assert_int_equal(
		(until_ns - (350 * NS_PER_MS - 350 * NS_PER_MS / 32) - START_NS) % NS_PER_MS, 0);
	sending_works = false;
	forget();
	run_ms(320);
	for (size_t i = 0; i < log_count; i++)
		assert_int_not_equal(log_list[i].kind, EFFECT_LEASE);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 0);
	run_ms(100);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
}

static size_t count_kind(enum effect_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < log_count; i++)
		count += log_list[i].kind == kind;
	return count;
}

/* R7: a node that wakes up must not serve on a fresh lease what its keeper has still to take down.
 */
static void test_no_lease_while_the_keeper_releases(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	keeper_says(CHANNEL_EXPIRED, 0, 0, 1);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	forget();
	run_ms(300);
	assert_true(count_kind(EFFECT_SEND) >= 2);
	assert_int_equal(count_kind(EFFECT_LEASE), 0);
	keeper_answers = true;
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_int_equal(count_kind(EFFECT_LEASE), 1);
	run_ms(100);
	assert_true(count_kind(EFFECT_LEASE) > 1);
}

static int64_t last_lease(void)
{
	int64_t until_ns = 0;

	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_LEASE)
			until_ns = log_list[i].lease.ns;
	return until_ns;
}

/* Two groups are given up, one 100 ms after the other, and the keeper is slow. */
static void give_two_up(enum channel_fence fence)
{
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group one]\naddress = 192.168.1.100/24\n"
	      "[group two]\naddress = 192.168.1.101/24\n"
	      "[group three]\naddress = 192.168.1.102/24\n");
	keeper_says(CHANNEL_FENCE, 0, fence == CHANNEL_FENCE_BPF, fence);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	keeper_answers = false;
	for (uint16_t g = 0; g < 2; g++) {
		struct engine_health health = {.group = g, .ineligible = true, .reason = "ill"};
		struct engine_event event = {.kind = ENGINE_HEALTH, .health = &health};

		step(&event);
		run_ms(100);
	}
	assert_true(
		engine_holds(engine, 2) && !engine_holds(engine, 0) && !engine_holds(engine, 1));
}

static void test_the_lease_follows_the_oldest_release(void **state)
{
	int64_t first, second;

	(void)state;
	give_two_up(CHANNEL_FENCE_WATCHDOG);
	first = last_lease();
	forget();
	run_ms(100);
	assert_int_equal(count_kind(EFFECT_LEASE), 0); /* however many heartbeats are sent */
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	second = last_lease();
	assert_in_range(second - first, 90 * NS_PER_MS, 110 * NS_PER_MS);
	forget();
	run_ms(50);
	assert_int_equal(count_kind(EFFECT_LEASE), 0);
	keeper_says(CHANNEL_RELEASED, 1, 0, 0);
	assert_true(last_lease() > second + 90 * NS_PER_MS);
	assert_true(engine_holds(engine, 2));
}

static void test_a_fence_for_each_group_needs_no_such_limit(void **state)
{
	(void)state;
	give_two_up(CHANNEL_FENCE_BPF);
	forget();
	run_ms(1000);
	assert_true(last_lease() > now_ns + 200 * NS_PER_MS);
	assert_true(engine_holds(engine, 2));
}

static void test_fence_in_force(void **state)
{
	(void)state;
	become_active();
	assert_string_equal(status.fence, "watchdog");
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_BPF);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.fence, "bpf");
}

/* R8: what the engine leaves is taken up by a fresh one, after @gap_ms. */
static bool succeed(const char *text, int64_t gap_ms)
{
	static uint8_t record[65536];
	static struct conf_diagnostics wrong;
	struct engine_identity identity = {.id = OWN_ID, .nonce = OWN_NONCE + 1};
	struct engine_event event = {.kind = ENGINE_START};
	size_t size;
	bool adopted;

	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
	size = engine_save(engine, record, engine_record_size(engine));
	assert_true(size > 0);
	conf_free(&conf);
	assert_true(conf_parse(text, strlen(text), "alpha", &conf, &wrong));
	free(engine);
	engine = malloc(engine_size(&conf));
	assert_non_null(engine);
	now_ns += gap_ms * NS_PER_MS;
	engine_init(engine, &conf, identity, &no_key);
	adopted = engine_adopt(engine, (ha_time){now_ns}, record, size);
	forget();
	step(&event);
	return adopted;
}

static void become_active_beside_beta(struct heartbeat *beta)
{
	become_active();
	*beta = peer_heartbeat(0xbe, 1);
	hear(beta);
	run_ms(10);
	beta->sequence++;
	hear(beta);
	forget();
}

/* Patience counts only when every live peer was heard to know of it. */
static void test_pause_waits_to_be_heard(void **state)
{
	struct heartbeat beta;

	(void)state;
	become_active_beside_beta(&beta);
	beta.heard[0].sequence = (uint32_t)last_sent.sequence;
	keeper_says(CHANNEL_PAUSE, 0, 0, 5 * NS_PER_S);
	run_ms(5);
	assert_int_equal(last_sent.tolerance_us, 5000000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	beta.sequence++;
	hear(&beta); /* what it has heard is older */
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	assert_true(last_lease() < now_ns + 350 * NS_PER_MS);
	beta.sequence++;
	beta.heard[0].sequence = (uint32_t)last_sent.sequence;
	hear(&beta);
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
	assert_int_equal(last_lease(), now_ns + 5 * NS_PER_S - 350 * NS_PER_MS / 32);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 0);
	forget();
	run_ms(1000);
	assert_int_equal(log_count, 0); /* not another word */
}

static void test_pause_does_not_wait_for_ever(void **state)
{
	struct heartbeat beta;

	(void)state;
	become_active_beside_beta(&beta);
	keeper_says(CHANNEL_PAUSE, 0, 0, 5 * NS_PER_S);
	for (int n = 0; n < 5; n++) {
		assert_int_equal(count_kind(EFFECT_PAUSED), n == 4); /* after 350 ms */
		run_ms(100);
		beta.sequence++;
		hear(&beta); /* it lives, and does not say that it knows */
	}
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
	assert_true(last_lease() < now_ns + 350 * NS_PER_MS);
}

static void test_adoption_moves_nothing(void **state)
{
	struct heartbeat before, beta;
	struct metrics metrics;

	(void)state;
	become_active_beside_beta(&beta);
	keeper_says(CHANNEL_PAUSE, 0, 0, 5 * NS_PER_S);
	run_ms(5);
	beta.sequence++;
	beta.heard[0].sequence = (uint32_t)last_sent.sequence;
	hear(&beta);
	before = last_sent;
	metrics = *engine_metrics(engine);
	assert_true(succeed(ONE_GROUP, 4000));
	assert_memory_equal(engine_metrics(engine), &metrics, sizeof(metrics));
	assert_true(metrics.counters[METRIC_HEARTBEATS_SENT] > 0);
	assert_int_equal(count_keeper(CHANNEL_READY), 1);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	tell_device(0, true, true, "10.0.0.1");
	/* Not before it knows its devices, and its fence. */
	assert_int_equal(count_kind(EFFECT_SEND), 0);
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_BPF);
	assert_true(last_sent.fence_margin_us > 0);
	assert_int_equal(last_sent.nonce, before.nonce);
	assert_true(last_sent.sequence > before.sequence);
	assert_int_equal(last_sent.tolerance_us, 350000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[0].epoch, before.groups[0].epoch);
	assert_int_equal(last_sent.heard_count, 1);
	run_ms(100);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
	assert_int_equal(count_keeper(CHANNEL_PROBE), 0);
	assert_int_equal(count_kind(EFFECT_HOOK), 0);
	assert_null(find_report(REPORT_STATE));
	assert_null(find_report(REPORT_PEER)); /* beta was not silent: nobody listened */
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.groups[0].transitions, 1);
	assert_true(status.peers[0].live && status.peers[0].hears_me);
}

static void test_adoption_comes_too_late(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	assert_false(succeed(ONE_GROUP, 2000));
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
	tell_device(0, true, true, "10.0.0.1");
	assert_int_equal(last_sent.nonce, OWN_NONCE + 1);
	assert_int_equal(last_sent.groups[0].flags, HEARTBEAT_GROUP_LISTENING);
}

/* Groups are known by their name, wherever they stand; a new one listens. */
static void test_adoption_by_other_configuration(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	assert_true(succeed("[node]\nname = alpha\ninterface = eth0\n"
			    "[group mail]\naddress = 192.168.1.101/24\n"
			    "[group web]\naddress = 192.168.1.100/24\nworth = 0\n",
		10));
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	assert_int_equal(log_list[2].keeper.index, 1);
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	assert_int_equal(last_sent.groups[0].flags, HEARTBEAT_GROUP_LISTENING);
	/* Nobody else could take it: a worth of 0 is obeyed. */
	run_ms(1000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[1].state, STATE_STANDBY);
}

/* A group that the next engine will not have is handed over first; nobody is here, so given up. */
static void test_retired_group_is_left(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	run_ms(5);
	assert_int_equal(last_sent.groups[0].state, STATE_SHUTDOWN);
	keeper_says(CHANNEL_RESUME, 0, 0, 0);
	run_ms(1000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
	assert_int_equal(last_sent.groups[0].epoch, 2);
}

/* A changed list of addresses that cannot be configured: nothing of the group is up any more. */
static void test_adopted_group_cannot_be_held(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	keeper_answers = false;
	assert_true(succeed(ONE_GROUP, 10));
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	keeper_says(CHANNEL_HOLD_FAILED, 0, 0, EPERM);
	run_ms(5);
	assert_int_equal(last_sent.groups[0].state, STATE_STANDBY);
	assert_int_equal(last_sent.groups[0].flags & HEARTBEAT_GROUP_ELIGIBLE, 0);
}

static void test_will(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	assert_int_equal(last_will.id, OWN_ID);
	assert_int_equal(last_will.nonce, OWN_NONCE);
	assert_true(last_will.sequence == UINT64_MAX); /* above all that it will ever send itself */
	assert_true(last_will.leaving);
	assert_int_equal(last_will.groups[0].state, STATE_SHUTDOWN);
	assert_int_equal(last_will.groups[0].flags, 0);
	run_ms(5000);
	assert_int_equal(count_keeper(CHANNEL_WILL), 0); /* not anew for each heartbeat */
	h = peer_heartbeat(7, 1);
	hear(&h);
	run_ms(100);
	assert_int_equal(count_keeper(CHANNEL_WILL), 1); /* the newcomer must find itself in it */
	assert_int_equal(last_will.heard[0].nonce, h.nonce);
}

static void test_stops_in_order(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};
	size_t sends = 0;

	(void)state;
	become_active();
	keeper_answers = false;
	step(&stop);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	for (size_t i = 0; i < log_count; i++)
		assert_int_not_equal(log_list[i].kind, EFFECT_STOPPED);
	forget();
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_true(last_sent.leaving);
	assert_int_equal(last_sent.groups[0].state, STATE_SHUTDOWN);
	for (size_t i = 0; i < log_count; i++) {
		sends += log_list[i].kind == EFFECT_SEND;
		if (log_list[i].kind == EFFECT_STOPPED)
			assert_int_equal(sends, 1); /* everybody was told before */
	}
	assert_int_equal(log_list[log_count - 1].kind, EFFECT_STOPPED);
	forget();
	run_ms(0);
	step(&stop);
	assert_int_equal(log_count, 0); /* the end is the end */
	assert_true(time_is_never(engine_deadline(engine)));
}

/* Three of its intervals, each heartbeat by eth0, and its copy by eth1. */
static void hear_thrice(struct heartbeat *beta, bool both)
{
	for (int i = 0; i < 3; i++) {
		run_ms(100);
		beta->sequence++;
		beta->heard[0].sequence = (uint32_t)last_sent.sequence;
		hear_by(2, beta);
		if (both)
			hear_by(3, beta);
	}
}

static void begin_on_two_paths(struct heartbeat *beta)
{
	begin("[node]\ninterface = eth0\ninterface = eth1\n"
	      "[group web]\naddress = 10.0.0.100/24 dev eth0\n");
	tell_device(0, true, true, "10.0.0.1");
	tell_device(1, true, true, "10.1.0.1");
	run_ms(1000);
	*beta = peer_heartbeat(7, 1);
	hear_thrice(beta, true);
	forget();
}

static void test_a_path_is_lost(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.paths[1].interface, "eth1");
	assert_string_equal(status.paths[1].state, "is up");
	assert_int_equal(status.peers[0].path_heard_ms[1], 0);
	hear_thrice(&beta, false);
	assert_null(find_report(REPORT_PEER)); /* that may be a delay */
	hear_thrice(&beta, false);
	assert_string_equal(find_report(REPORT_PEER)->text, "beta is no longer heard by eth1");
	assert_null(find_report(REPORT_STATE));
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_true(status.peers[0].live);
	assert_int_equal(status.peers[0].path_heard_ms[0], 0);
	assert_int_equal(status.peers[0].path_heard_ms[1], 600);
	assert_non_null(strstr(status.warnings[1], "beta is not heard by eth1"));
	forget();
	hear_thrice(&beta, true);
	assert_string_equal(find_report(REPORT_PEER)->text, "beta is heard again by eth1");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.warning_count, 1); /* there is no key */
}

/* R10: whoever did not run has not heard by any of them. */
static void test_no_path_is_lost_by_a_stall(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	now_ns += 300 * NS_PER_MS;
	hear_thrice(&beta, true);
	assert_null(find_report(REPORT_PEER));
}

/* Its device tells enough, once. */
static void test_a_path_without_carrier(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	tell_device(1, true, false, "10.1.0.1");
	hear_thrice(&beta, false);
	hear_thrice(&beta, false);
	assert_null(find_report(REPORT_PEER));
	assert_string_equal(find_report(REPORT_DEVICE)->text, "eth1 has no carrier");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.paths[1].state, "has no carrier");
	assert_string_equal(status.warnings[1], "heartbeat interface eth1 has no carrier");
	assert_true(status.groups[0].eligible);
	assert_int_equal(status.groups[0].state, STATE_ACTIVE);
}

static void test_hooks(void **state)
{
	const struct engine_hook *hook = NULL;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n[group mail]\naddress = 192.168.1.99\n"
	      "[group web]\naddress = 192.168.1.100/24\non-change = /etc/ha/changed\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_HOOK) {
			assert_null(
				hook); /* one change, one run; none for the group without hooks */
			hook = &log_list[i].hook;
		}
	assert_non_null(hook);
	assert_int_equal(hook->group, 1);
	assert_int_equal(hook->state, STATE_ACTIVE);
	assert_int_equal(hook->previous, STATE_STANDBY);
	assert_int_equal(hook->epoch, 1);
	assert_string_equal(hook->holder, "alpha");
	assert_string_equal(hook->reason, "nobody held it");
}

static void tell_target(size_t second, const char *address)
{
	struct channel_message m = {
		.verb = CHANNEL_TARGET, .second = (uint16_t)second, .payload_size = IP_WIRE_SIZE};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};
	struct ip ip;

	assert_true(ip_parse(address, &ip));
	ip_to_wire(&ip, m.payload);
	step(&event);
}

static void test_acknowledgements(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	keeper_answers = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	tell_target(0, "10.0.0.254");
	tell_target(1, "10.0.0.77");
	tell_target(TARGETS_MAX, "10.0.0.78"); /* more than there is room for */
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	forget();
	run_ms(6);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 2);
	hear_arp(OTHER_MAC, "10.0.0.254", "192.168.1.100", 0);
	assert_non_null(find_report(REPORT_ACKNOWLEDGED));
	forget();
	hear_arp(OTHER_MAC, "10.0.0.254", "192.168.1.100", 0);
	assert_null(find_report(REPORT_ACKNOWLEDGED)); /* once */
	run_ms(20);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 1);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.addresses[0].targets, 2);
	assert_int_equal(status.addresses[0].acknowledged, 1);
	hear_arp(OTHER_MAC, "10.0.0.77", "192.168.1.100", 0);
	forget();
	run_ms(10000);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 0);
	assert_true(count_keeper(CHANNEL_ANNOUNCE) > 0);
}

/* RFC 5227 section 2.4: a claim is answered, but not more than once a second. */
static void test_defends_what_it_holds(void **state)
{
	(void)state;
	become_active();
	for (int i = 0; i < 10; i++) { /* far from the schedule's own announcements */
		run_ms(9000);
		forget();
	}
	hear_arp(OWN_MAC, "192.168.1.100", "192.168.1.100", 0);
	hear_arp(OTHER_MAC, "192.168.1.101", "192.168.1.101", 0);
	for (size_t cut = 1; cut <= ARP_FRAME_SIZE; cut++)
		hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", cut);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 0);
	hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
	assert_non_null(strstr(find_report(REPORT_CONFLICT)->text, "02:00:00:00:00:02"));
	hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
	run_ms(1000);
	forget();
	hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 1);
}

static void test_another_node_with_its_id(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	h = peer_heartbeat(OWN_ID, 5);
	for (int i = 0; i < 3; i++)
		hear(&h);
	assert_non_null(find_report(REPORT_DROP));
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_DUPLICATE_ID], 3);
	assert_int_equal(status.peer_count, 0);
	forget();
	run_ms(59000);
	hear(&h);
	assert_null(find_report(REPORT_DROP)); /* told at most once a minute */
	run_ms(2000);
	hear(&h);
	assert_non_null(find_report(REPORT_DROP));
	h.nonce = OWN_NONCE; /* its own datagram, come back */
	hear(&h);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_OWN], 1);
}

static void test_as_many_peers_as_there_is_room(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	for (uint64_t id = 1; id <= PEERS_MAX + 1; id++) {
		h = peer_heartbeat(id, 1);
		hear(&h);
	}
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.peer_count, PEERS_MAX);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_TABLE_FULL], 1);
	run_ms(100);
	assert_int_equal(last_sent.heard_count, PEERS_MAX);
	run_ms(61000); /* they are silent, and one makes room */
	hear(&h);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_TABLE_FULL], 1);
	assert_int_equal(status.peer_count, PEERS_MAX);
}

static void test_drops_are_counted(void **state)
{
	static const uint8_t noise[2] = {'n', 'o'};
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {
			.bytes = noise, .size = sizeof(noise), .hop_limit = HEARTBEAT_HOP_LIMIT}};

	(void)state;
	become_active();
	step(&event);
	event.datagram.hop_limit = 64;
	step(&event);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_NOT_OURS], 1);
	assert_int_equal(status.dropped[HEARTBEAT_DROP_HOP_LIMIT], 1);
	assert_int_equal(status.received, 0);
}

static void test_a_keeper_that_errs(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_HELD, 1, 0, 1);
	keeper_says(CHANNEL_RELEASED, 60000, 0, 0);
	keeper_says(CHANNEL_REMOVED, 256, 0, 0);
	keeper_says(CHANNEL_HOLD_FAILED, 0, 60000, EPERM); /* nothing was asked */
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	keeper_says(CHANNEL_WILL, 0, 0, 0);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.groups[0].state, STATE_ACTIVE);
}

static void test_held_of_an_earlier_claim(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	keeper_answers = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	keeper_says(CHANNEL_HELD, 0, 0, 7);
	assert_int_equal(last_sent.groups[0].state, STATE_STANDBY);
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	run_ms(1);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
}

static void tell_health(uint16_t worth, bool impaired, bool ineligible)
{
	struct engine_health health = {.worth = worth,
		.impaired = impaired,
		.ineligible = ineligible,
		.reason = "check nginx fails: connection refused"};
	struct engine_event event = {.kind = ENGINE_HEALTH, .health = &health};

	step(&event);
	run_ms(2); /* two heartbeats are never closer than a millisecond */
	engine_status(engine, (ha_time){now_ns}, 0, &status);
}

static void test_health(void **state)
{
	const struct heartbeat_group *said = &last_sent.groups[0];

	(void)state;
	become_active();
	tell_health(50, false, false);
	assert_int_equal(said->worth, 50);
	assert_int_equal(said->flags & HEARTBEAT_GROUP_IMPAIRED, 0);
	assert_int_equal(status.groups[0].worth, 50);
	assert_int_equal(status.groups[0].configured_worth, 100);
	assert_non_null(strstr(status.groups[0].reason,
		"worth 100, lowered by 50: check nginx fails: connection refused"));
	tell_health(100, true, false);
	assert_int_equal(said->worth, 100);
	assert_int_equal(said->flags, HEARTBEAT_GROUP_ELIGIBLE | HEARTBEAT_GROUP_IMPAIRED);
	assert_true(status.groups[0].impaired && status.groups[0].eligible);
	assert_int_equal(said->state, STATE_ACTIVE); /* nobody else could hold it */
	tell_health(100, false, true);
	assert_int_equal(said->flags & HEARTBEAT_GROUP_ELIGIBLE, 0);
	assert_int_equal(said->state, STATE_STANDBY);
	tell_health(100, false, false);
	run_ms(1000);
	assert_int_equal(said->state, STATE_ACTIVE);
	tell_health(0, false, false);
	assert_int_equal(said->state, STATE_STANDBY);
	assert_false(status.groups[0].eligible);
}

/* A device that was down at first is down because nobody holds its group; the keeper brings it up.
 */
static void test_managed_device(void **state)
{
	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24 dev eth1\n");
	tell_device(0, true, true, "10.0.0.1");
	tell_device(1, false, false, NULL);
	run_ms(1000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	forget();
	tell_device(1, true, false, NULL); /* up, and its carrier is not known yet */
	run_ms(1500);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 0);
	tell_device(1, true, true, NULL);
	run_ms(60000);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 0);
	tell_device(1, true, false, NULL); /* the cable is pulled */
	run_ms(10);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	tell_device(1, false, false, NULL); /* the keeper takes it down again */
	forget();
	run_ms(29000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0); /* not tossed up and down */
	run_ms(2000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
}

static void test_real_address_is_of_the_heartbeats_family(void **state)
{
	struct ip v6;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\nmulticast = ff02::4841\n"
	      "[group web]\naddress = 192.168.1.100/24\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
	tell_device(0, true, true, "2001:db8::1");
	run_ms(1000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
	assert_true(ip_parse("2001:db8::1", &v6));
	assert_true(ip_equal(&last_sent.address, &v6));
}

/* The largest configuration: all groups, all addresses, a command for each change. */
static const char *largest(void)
{
	static char text[64 * 1024];
	struct text t = text_init(text, sizeof(text));
	unsigned address = 0;

	text_add(&t, "[node]\nname = alpha\ninterface = eth0\n");
	for (unsigned g = 0; g < HEARTBEAT_GROUPS_MAX; g++) {
		text_add(&t, "[group g%u]\non-change = /bin/true\n", g);
		for (unsigned i = 0;
			i < (g == 0 ? LARGEST_ADDRESSES - HEARTBEAT_GROUPS_MAX + 1 : 1);
			i++, address++)
			text_add(&t, "address = 10.1.%u.%u/16\n", address / 200, 1 + address % 200);
	}
	assert_int_equal(address, LARGEST_ADDRESSES);
	return text;
}

/* Effects that must not be lost always fit: whatever happens to all groups at once. */
static void test_effects_fit(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};
	struct heartbeat h;

	(void)state;
	most_effects = 0;
	begin(largest());
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	assert_int_equal(count_keeper(CHANNEL_HOLD), HEARTBEAT_GROUPS_MAX);
	forget();
	h = peer_heartbeat(7, 1);
	h.group_count = HEARTBEAT_GROUPS_MAX;
	for (size_t g = 0; g < HEARTBEAT_GROUPS_MAX; g++)
		h.groups[g] = (struct heartbeat_group){.id = conf.groups[g].id,
			.worth = (uint16_t)(g == 0 ? 1 : 60000),
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = HEARTBEAT_GRANTEE_NONE,
			.epoch = 1};
	hear(&h); /* wins the first group's addresses back to us, and takes all others */
	assert_int_equal(count_keeper(CHANNEL_RELEASE), HEARTBEAT_GROUPS_MAX - 1);
	forget();
	tell_device(0, true, false, "10.0.0.1");
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	forget();
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(count_keeper(CHANNEL_HOLD), HEARTBEAT_GROUPS_MAX);
	forget();
	step(&stop);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), HEARTBEAT_GROUPS_MAX);
	assert_int_equal(log_list[log_count - 1].kind, EFFECT_STOPPED);
	assert_true(most_effects > EFFECTS_MAX / 2); /* the test does reach for the bound */
	assert_true(most_effects <= EFFECTS_MAX);
}

/* Memory is for what is configured, not for what could be. */
static void test_memory_follows_the_configuration(void **state)
{
	size_t one;

	(void)state;
	begin(ONE_GROUP);
	one = engine_size(&conf);
	assert_true(one < 64 * 1024);
	begin(largest());
	assert_true(engine_size(&conf) > 2 * one);
}

static void test_announcements_left_out_come_later(void **state)
{
	bool announced[LARGEST_ADDRESSES] = {false};

	(void)state;
	begin(largest());
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	forget();
	run_ms(30); /* the step of 20 ms */
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_KEEPER &&
			log_list[i].keeper.verb == CHANNEL_ANNOUNCE)
			announced[log_list[i].keeper.index] = true;
	for (size_t a = 0; a < LARGEST_ADDRESSES; a++)
		assert_true(announced[a]);
}

static const struct histogram *timing(enum metric_timing which)
{
	return &engine_metrics(engine)->timings[which];
}

static void test_a_takeover_is_counted_and_timed(void **state)
{
	const struct metrics *m;
	const struct report *r;

	(void)state;
	begin(ONE_GROUP);
	m = engine_metrics(engine);
	keeper_answers = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(400);
	assert_int_equal(m->counters[METRIC_CLAIMS], 1);
	assert_int_equal(timing(METRIC_TAKEOVER_UP)->count, 0);
	forget();
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	run_ms(10);
	assert_int_equal(timing(METRIC_TAKEOVER_UP)->count, 1);
	assert_in_range(timing(METRIC_TAKEOVER_UP)->max_ns, 1, 400 * NS_PER_MS);
	assert_int_equal(timing(METRIC_TAKEOVER_TOLD)->count, 1);
	assert_int_equal(m->transitions[ELECTION_VACANT], 1);
	r = find_report(REPORT_STATE);
	assert_non_null(r);
	assert_string_equal(r->cause, "vacant");
	assert_int_equal(r->took_us, timing(METRIC_TAKEOVER_UP)->max_ns / NS_PER_US);
	assert_true(r->lasted_us >= 350000 && r->silence_us == 0);
}

static void test_late_heartbeats_are_seen(void **state)
{
	struct engine_event timer = {.kind = ENGINE_TIMER};

	(void)state;
	become_active();
	assert_true(timing(METRIC_BEAT_LATENESS)->count > 5);
	assert_true(timing(METRIC_BEAT_LATENESS)->max_ns == 0);
	now_ns = engine_deadline(engine).ns + 30 * NS_PER_MS;
	step(&timer);
	assert_true(timing(METRIC_BEAT_LATENESS)->max_ns == 30 * NS_PER_MS);
	assert_int_equal(engine_metrics(engine)->counters[METRIC_STALLS], 1);
}

static void test_jitter_of_a_peer(void **state)
{
	struct engine_peer p;

	(void)state;
	become_active();
	assert_false(engine_peer(engine, 0, &p));
	for (uint64_t i = 1; i <= 4; i++) {
		struct heartbeat h = peer_heartbeat(0xc3, i);

		hear_by(2, &h);
		run_ms(i == 3 ? 10 : 130); /* the fourth comes early: it says nothing */
	}
	assert_true(engine_peer(engine, 0, &p));
	assert_string_equal(p.name, "beta");
	assert_int_equal(p.jitter->count, 2);
	assert_true(p.jitter->max_ns == 30 * NS_PER_MS);
	assert_false(engine_peer(engine, 1, &p));
}

static const char *next_of(size_t group)
{
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	return status.groups[group].next;
}

static void test_what_comes_next(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	assert_string_equal(next_of(0), "listens as soon as the device is there");
	tell_device(0, false, false, "10.0.0.1");
	assert_string_equal(next_of(0), "listens as soon as the device is up");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(110);
	assert_string_equal(
		next_of(0), "listens for 250 ms more, then takes it unless another should");
	run_ms(500);
	assert_string_equal(next_of(0), "nobody would take over if this node fails");
	h = peer_heartbeat(0xc3, 1);
	h.group_count = 1;
	h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
		.worth = 50,
		.state = STATE_STANDBY,
		.flags = HEARTBEAT_GROUP_ELIGIBLE,
		.grantee = HEARTBEAT_GRANTEE_NONE};
	hear(&h);
	assert_string_equal(next_of(0), "beta would take over if this node fails");
}

static char told[1024];

static void add_told(void *context, const char *text)
{
	(void)context;
	assert_true(strlen(told) + strlen(text) + 2 < sizeof(told));
	strcat(strcat(told, text), ";");
}

static const char *differences(void)
{
	told[0] = '\0';
	for (size_t g = 0; g < conf.group_count; g++)
		views_differences_of_group(engine, g, add_told, NULL);
	views_differences_of_links(engine, add_told, NULL);
	return told;
}

/* beta hears us (and @other, if not 0), and says that it is in @state. */
static void hear_beta(uint64_t sequence, enum node_state beta, uint64_t other)
{
	struct heartbeat h = peer_heartbeat(0xc3, sequence);

	if (other != 0)
		h.heard[h.heard_count++] =
			(struct heartbeat_heard){.id = other, .nonce = 7, .age_ms = 20};
	h.group_count = 1;
	h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
		.worth = 50,
		.state = (uint8_t)beta,
		.grantee = HEARTBEAT_GRANTEE_NONE,
		.epoch = 1};
	hear(&h);
}

static void test_views(void **state)
{
	struct view_heard heard;
	struct view_group group;
	struct view_node node;
	uint64_t sequence = 0;

	(void)state;
	become_active();
	assert_string_equal(differences(), "");
	for (; sequence < 8; run_ms(100))
		hear_beta(++sequence, STATE_STANDBY, 0);
	assert_string_equal(differences(), "");
	assert_true(views_node(engine, (ha_time){now_ns}, 1, &node) && node.live);
	assert_string_equal(node.name, "beta");
	assert_false(views_node(engine, (ha_time){now_ns}, 2, &node));
	assert_true(views_group(engine, 0, 0, &group) && group.state == STATE_ACTIVE);
	assert_true(views_group(engine, 1, 0, &group) && group.state == STATE_STANDBY);
	assert_int_equal(group.worth, 50);
	assert_true(views_heard(engine, 0, 0, &heard) && heard.id == 0xc3);
	assert_true(views_heard(engine, 1, 0, &heard) && heard.id == OWN_ID);
	assert_string_equal(heard.name, "alpha");
	hear_beta(++sequence, STATE_ACTIVE, 0xd4);
	assert_string_equal(differences(), "group web is held by alpha and beta at once;"
					   "beta hears a node that this one has never heard;");
	run_ms(100);
	for (int i = 0; i < 6; i++, run_ms(100)) { /* it stops hearing us */
		struct heartbeat h = peer_heartbeat(0xc3, ++sequence);

		h.heard_count = 0;
		hear(&h);
	}
	assert_string_equal(differences(), "beta does not hear alpha, which hears it;");
}

/* --- what is said of rare moments */

static const char *reason_of(size_t group)
{
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	return status.groups[group].reason;
}

/* beta is heard once; it has the group, and is eligible. */
static void hear_eligible_beta(uint64_t sequence, uint16_t worth)
{
	struct heartbeat h = peer_heartbeat(0xc3, sequence);

	h.group_count = 1;
	h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
		.worth = worth,
		.state = STATE_STANDBY,
		.flags = HEARTBEAT_GROUP_ELIGIBLE,
		.grantee = HEARTBEAT_GRANTEE_NONE};
	hear(&h);
}

static void test_a_better_one_takes_what_nobody_holds(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	h = peer_heartbeat(0xd4, 1); /* it has no groups */
	hear(&h);
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		hear_eligible_beta(i, 60000);
		h.sequence++;
		hear(&h);
	}
	assert_non_null(strstr(reason_of(0), "beta is worthier"));
	assert_string_equal(next_of(0), "beta takes it; if that one fails, the next");
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
}

static void test_nobody_takes_what_it_cannot_tell(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	sending_works = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_string_equal(reason_of(0), "heartbeats cannot be sent: Operation not permitted");
	assert_string_equal(next_of(0), "takes it as soon as a heartbeat can be sent");
}

/* Its cause is over before the keeper has taken down what the group had. */
static void test_a_cause_that_is_over_is_explained(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	tell_health(100, false, true);
	tell_health(100, false, false);
	forget();
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_non_null(strstr(find_report(REPORT_STATE)->text, "a check had failed"));
}

static void test_a_device_that_was_raised_in_vain(void **state)
{
	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24 dev eth1\n");
	tell_device(0, true, true, "10.0.0.1");
	tell_device(1, false, false, NULL);
	run_ms(1000);
	tell_device(1, true, true, NULL);
	run_ms(1000);
	keeper_answers = false;
	tell_device(1, true, false, NULL);
	run_ms(40000);
	forget();
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_non_null(strstr(
		find_report(REPORT_STATE)->text, "eth1 has no carrier when it is brought up"));
}

static void test_a_worth_that_is_raised(void **state)
{
	(void)state;
	become_active();
	tell_health(150, false, false);
	assert_non_null(strstr(reason_of(0), "worth 100, raised to 150"));
}

/* --- what is told amiss, or in an unusual order */

static void test_frames_that_are_none(void **state)
{
	struct channel_message m = {.verb = CHANNEL_FRAME, .payload_size = 60};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};

	(void)state;
	become_active();
	m.payload[12] = 0x86;
	m.payload[13] = 0xdd;
	step(&event);
	assert_int_equal(count_keeper(CHANNEL_ANNOUNCE), 0);
	assert_null(find_report(REPORT_CONFLICT));
}

static void test_the_service_manager_stops_it(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_STOP, 0, 0, 0);
	assert_int_equal(count_kind(EFFECT_STOPPED), 1);
	assert_false(engine_holds(engine, 0));
	assert_false(engine_holds(engine, 1));
}

static void test_what_stops_makes_no_room(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};

	(void)state;
	become_active();
	keeper_answers = false;
	step(&stop);
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(3000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	assert_int_equal(count_kind(EFFECT_STOPPED), 1);
}

static void test_a_preparation_of_nothing(void **state)
{
	struct engine_event event = {.kind = ENGINE_PREPARED, .preparation = {.group = 7}};

	(void)state;
	become_active();
	step(&event);
	event.preparation.group = 0;
	step(&event);
	assert_int_equal(log_count, 0);
}

/* The fence that comes in force limits the lease more: it is not extended, and never made shorter.
 */
static void test_a_lease_is_not_taken_back(void **state)
{
	(void)state;
	give_two_up(CHANNEL_FENCE_BPF);
	run_ms(1000);
	forget();
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	run_ms(100);
	assert_int_equal(count_kind(EFFECT_LEASE), 0);
}

/* No device is told before what the last engine left has passed. */
static void test_adoption_without_devices_ends_with_the_lease(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	assert_true(succeed(ONE_GROUP, 10));
	run_ms(3000);
	assert_true(time_is_never(engine_deadline(engine)));
	assert_int_equal(count_kind(EFFECT_SEND), 0);
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
}

static void test_adoption_of_a_conflict(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (int i = 0; i < 10; i++, run_ms(50))
		hear_arp(OTHER_MAC, "192.168.1.100", "192.168.1.100", 0);
	assert_non_null(strstr(reason_of(0), "02:00:00:00:00:02"));
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(50);
	assert_true(succeed(ONE_GROUP, 10));
	tell_device(0, true, true, "10.0.0.1");
	/* Who it was is found out anew. */
	assert_string_equal(reason_of(0), "another host uses the address");
}

static void test_a_group_that_goes_is_not_left(void **state)
{
	static uint8_t record[65536];
	struct record_node left;
	struct reader r;
	size_t size;

	(void)state;
	become_active();
	hear_eligible_beta(1, 0);
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	run_ms(1000);
	hear_eligible_beta(2, 0);
	size = engine_save(engine, record, sizeof(record));
	assert_true(record_open(record, size, &r, &left));
	assert_int_equal(left.group_count, 0);
	assert_int_equal(left.peer_count, 1);
}

/* --- many */

static const char *groups_and_addresses(unsigned groups, unsigned addresses)
{
	static char text[256 * 1024];
	struct text t = text_init(text, sizeof(text));

	text_add(&t, "[node]\nname = alpha\ninterface = eth0\n");
	for (unsigned g = 0; g < groups; g++) {
		text_add(&t, "[group g%u]\n", g);
		if (g >= 250)
			text_add(&t, "address = 10.250.%u.1/8\n", g - 250);
		for (unsigned a = 0; a < addresses && g < 250; a++)
			text_add(&t, "address = 10.%u.%u.%u/8\n", 1 + a / 200, g, 1 + a % 200);
	}
	return text;
}

/* A table that no heartbeat holds as a whole. */
static void test_many_groups(void **state)
{
	(void)state;
	begin(groups_and_addresses(128, 1));
	keeper_says(CHANNEL_HELD, 60000, 0, 1);
	keeper_says(CHANNEL_REMOVED, 60000, 0, 0);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	for (size_t g = 0; g < 128; g++)
		assert_true(engine_holds(engine, g));
}

/* Their probes take longer than listening: each group waits for its turn. */
static void test_many_addresses(void **state)
{
	(void)state;
	begin(groups_and_addresses(2, 1000));
	tell_device(0, true, true, "10.0.0.1");
	for (int i = 0; i < 100; i++, forget())
		run_ms(10);
	assert_true(engine_holds(engine, 0) && engine_holds(engine, 1));
}

static void test_many_devices(void **state)
{
	static char text[2048];
	struct text t = text_init(text, sizeof(text));

	(void)state;
	text_add(&t, "[node]\nname = alpha\ninterface = eth0\n[group web]\n");
	for (unsigned i = 0; i < HEARTBEAT_MACS_MAX + 2; i++)
		text_add(&t, "address = 10.1.%u.1/24 dev a%u\n", i, i);
	begin(text);
	for (unsigned i = 0; i < HEARTBEAT_MACS_MAX + 3; i++)
		tell_device(i, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(last_sent.mac_count, HEARTBEAT_MACS_MAX);
	assert_int_equal(last_sent.groups[0].state, STATE_ACTIVE);
}

static void test_heartbeats_without_multicast(void **state)
{
	struct ip v6;

	(void)state;
	assert_true(ip_parse("fd00::1", &v6));
	begin("[node]\nname = alpha\ninterface = eth0\nmulticast = none\npeer = fd00::2\n"
	      "[group web]\naddress = 192.168.1.100/24\n");
	tell_device(0, true, true, "fd00::1");
	run_ms(1000);
	assert_true(ip_equal(&last_sent.address, &v6));
	begin("[node]\nname = alpha\ninterface = eth0\nmulticast = none\npeer = 10.0.0.2\n"
	      "[group web]\naddress = 192.168.1.100/24\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	assert_int_equal(last_sent.address.family, IP_V4);
}

/* --- paths */

static void test_a_path_that_nobody_is_heard_by(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	tell_device(1, false, false, NULL);
	beta.sequence++;
	hear_by(3, &beta); /* it was on its way */
	hear_by(77, &beta);
	beta.sequence++;
	hear_by(77, &beta); /* by none of ours */
	hear_thrice(&beta, false);
	assert_null(find_report(REPORT_PEER));
}

/* All paths are silent at once: then the peer is, which is told. */
static void test_a_peer_that_is_silent_on_all_paths(void **state)
{
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	hear_thrice(&beta, false);
	hear_thrice(&beta, false);
	forget();
	run_ms(2000);
	assert_non_null(strstr(find_report(REPORT_PEER)->text, "is gone"));
}

/* --- views */

static void test_views_of_a_third_node(void **state)
{
	struct view_heard heard;
	struct heartbeat gamma;

	(void)state;
	become_active();
	gamma = peer_heartbeat(0xd4, 1);
	assert_true(ip_parse("10.0.0.3", &gamma.address));
	text_copy(gamma.name, sizeof(gamma.name), "gamma");
	hear(&gamma);
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) /* gamma falls silent; beta hears it still */
		hear_beta(i, STATE_STANDBY, 0xd4);
	assert_non_null(strstr(differences(), "beta hears gamma, which this node does not;"));
	hear_beta(9, STATE_STANDBY, 0xee);
	assert_true(views_heard(engine, 2, 1, &heard) && heard.id == 0xee);
	assert_null(heard.name);
	hear_beta(10, STATE_STANDBY, 0xd4);
	assert_true(views_heard(engine, 2, 1, &heard) && heard.id == 0xd4);
	assert_string_equal(heard.name, "gamma");
	for (uint64_t i = 2; i < 8; i++, run_ms(100)) { /* gamma is back, and hears nobody */
		hear_beta(9 + i, STATE_STANDBY, 0xd4);
		gamma.sequence = i;
		gamma.heard_count = 0;
		hear(&gamma);
	}
	assert_non_null(strstr(differences(), "gamma does not hear beta, which hears it;"));
	gamma.sequence++;
	gamma.leaving = true;
	hear(&gamma);
	assert_null(strstr(differences(), "beta hears gamma"));
}

/* --- requests */

static const struct engine_answer *ask(
	enum control_command command, const char *group, const char *to)
{
	struct engine_request request = {.asked.command = command};
	struct engine_event event = {.kind = ENGINE_REQUEST, .request = &request};

	text_copy(request.asked.group, sizeof(request.asked.group), group);
	text_copy(request.asked.to, sizeof(request.asked.to), to);
	forget();
	step(&event);
	for (size_t i = log_count; i-- > 0;)
		if (log_list[i].kind == EFFECT_ANSWER)
			return &log_list[i].answer;
	return NULL;
}

static const struct engine_answer *last_answer(void)
{
	for (size_t i = log_count; i-- > 0;)
		if (log_list[i].kind == EFFECT_ANSWER)
			return &log_list[i].answer;
	return NULL;
}

/* beta goes on, and hears all that is sent, until @duration_ms have passed. */
static void run_beside_beta(uint64_t *sequence, int64_t duration_ms)
{
	for (int64_t ms = 0; ms < duration_ms; ms += 100) {
		hear_eligible_beta(++*sequence, 50);
		run_ms(100);
	}
}

static void test_a_yield_that_beta_does_not_take(void **state)
{
	const struct engine_answer *a;
	uint64_t sequence = 0;

	(void)state;
	become_active();
	run_beside_beta(&sequence, 500);
	assert_null(ask(CONTROL_YIELD, "web", "beta"));
	run_beside_beta(&sequence, 500);
	a = last_answer();
	assert_non_null(strstr(a->text, "nobody has taken web within"));
	assert_null(ask(CONTROL_YIELD, "web", "beta")); /* which is not granted it again so soon */
	run_beside_beta(&sequence, 4000);
	a = last_answer();
	assert_non_null(a);
	assert_int_equal(a->outcome, CONTROL_FAILED);
	assert_null(ask(CONTROL_DRAIN, "", ""));
	run_beside_beta(&sequence, 5000);
	a = last_answer();
	assert_non_null(a);
	assert_int_equal(a->outcome, CONTROL_FAILED);
}

static void test_a_yield_to_one_without_the_group(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	h = peer_heartbeat(0xc3, 1);
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_string_equal(ask(CONTROL_YIELD, "web", "beta")->text, "beta has no group web");
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_string_equal(status.groups[0].next, "nobody would take over if this node fails");
}

static void test_a_yield_of_what_is_being_released(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	tell_health(100, false, true);
	assert_non_null(strstr(ask(CONTROL_YIELD, "web", "")->text, "is being moved"));
	assert_string_equal(next_of(0), "STANDBY when the addresses are down");
}

static void test_drained_and_stopped(void **state)
{
	struct engine_event stop = {.kind = ENGINE_STOP};
	uint64_t sequence = 0;

	(void)state;
	become_active();
	keeper_answers = false;
	run_beside_beta(&sequence, 500);
	assert_null(ask(CONTROL_DRAIN, "", ""));
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	step(&stop);
	run_beside_beta(&sequence, 2000);
	assert_int_equal(count_keeper(CHANNEL_RELEASE), 1);
	assert_string_equal(next_of(0), "SHUTDOWN when the addresses are down");
}

/* --- what makes room */

static void test_it_goes_on_after_all(void **state)
{
	uint64_t sequence = 0;

	(void)state;
	become_active();
	run_beside_beta(&sequence, 500);
	keeper_answers = false;
	keeper_says(CHANNEL_RETIRE, 0, 0, 0);
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(50);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0); /* it is being handed over */
	keeper_says(CHANNEL_RESUME, 0, 0, 0);
	run_beside_beta(&sequence, 1000);
	assert_true(engine_holds(engine, 0));
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
}

/* The lease passes while the last word is on its way. */
static void test_the_last_word_is_said_again(void **state)
{
	struct engine_event sent = {.kind = ENGINE_SENT};

	(void)state;
	become_active();
	keeper_answers = sending_is_answered = false;
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(2);
	keeper_says(CHANNEL_EXPIRED, 0, 0, 1);
	step(&sent);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	sending_is_answered = true;
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	run_ms(2000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
}

static void test_a_sending_that_nobody_confirms(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	sending_is_answered = false;
	tell_device(0, true, true, "10.0.0.1");
	run_ms(2000);
	assert_string_equal(reason_of(0), "heartbeats cannot be sent");
	hear_eligible_beta(1, 50);
	hear_eligible_beta(2, 50);
	assert_string_equal(next_of(0), "takes it as soon as a heartbeat can be sent");
}

/* Who is to acknowledge comes before the devices: the address is announced anew, not where the last
 * engine left off. */
static void test_adoption_with_new_targets(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(5);
	keeper_answers = false;
	assert_true(succeed(ONE_GROUP, 10));
	tell_target(0, "10.0.0.254");
	keeper_says(CHANNEL_HELD, 0, 0, 1);
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_WATCHDOG);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(10);
	assert_int_equal(count_keeper(CHANNEL_REQUEST), 1);
}

/* --- what others say */

static void test_a_grant_to_somebody_else(void **state)
{
	static uint8_t record[65536];
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 5; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		h.heard[h.heard_count++] =
			(struct heartbeat_heard){.id = 0xd4, .nonce = 7, .age_ms = 20};
		h.group_count = 2;
		h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = 1,
			.epoch = 9};
		h.groups[1] = h.groups[0];
		h.groups[1].id++; /* which is not configured here */
		if (i == 3) {
			h.groups[0].grantee = 0; /* that was another boot of this node */
			h.heard[0].nonce++;
		}
		hear(&h);
	}
	assert_true(engine_save(engine, record, sizeof(record)) > 0);
	assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
}

static void test_a_holder_that_does_not_hear_us(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		if (i > 2)
			h.heard_count = 0;
		h.group_count = 1;
		h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = HEARTBEAT_GRANTEE_NONE,
			.epoch = 9};
		hear(&h);
	}
	assert_string_equal(next_of(0), "takes it over as soon as beta hands it over");
	assert_non_null(strstr(reason_of(0), "it does not hear this node"));
}

static void test_what_is_dropped_with_advice(void **state)
{
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = bytes, .hop_limit = HEARTBEAT_HOP_LIMIT}};
	struct heartbeat h;

	(void)state;
	become_active();
	h = peer_heartbeat(0xc3, 1);
	event.datagram.source = h.address;
	event.datagram.size = heartbeat_encode(&h, conf.node.cluster_tag + 1, &no_key, bytes);
	step(&event);
	assert_non_null(strstr(find_report(REPORT_DROP)->text, "another cluster"));
	forget();
	run_ms(61000);
	event.datagram.size = heartbeat_encode(&h, conf.node.cluster_tag, &no_key, bytes);
	bytes[2]++;
	step(&event);
	assert_non_null(strstr(find_report(REPORT_DROP)->text, "another major version"));
}

/* A neighbour that answers is no node of the cluster, unless a heartbeat has come from it. */
static void test_nodes_acknowledge_nothing(void **state)
{
	uint8_t bytes[HEARTBEAT_SIZE_MAX];
	struct engine_event event = {.kind = ENGINE_DATAGRAM,
		.datagram = {.bytes = bytes, .hop_limit = HEARTBEAT_HOP_LIMIT}};
	struct heartbeat h;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\npolicy = sticky\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(360);
	h = peer_heartbeat(0xc3, 1);
	assert_true(ip_parse("10.0.0.3", &event.datagram.source));
	event.datagram.size = heartbeat_encode(&h, conf.node.cluster_tag, &no_key, bytes);
	step(&event);
	run_ms(2);
	for (unsigned i = 0; i < 3; i++)
		tell_target(i, (const char *[]){"10.0.0.2", "10.0.0.3", "10.0.0.4"}[i]);
	forget();
	hear_arp(OTHER_MAC, "10.0.0.2", "192.168.1.100", 0);
	hear_arp(OTHER_MAC, "10.0.0.3", "192.168.1.100", 0);
	run_ms(5);
	assert_int_equal(count_kind(EFFECT_SEND), 0);
	hear_arp(OTHER_MAC, "10.0.0.4", "192.168.1.100", 0);
	run_ms(5);
	assert_int_equal(count_kind(EFFECT_SEND), 1); /* that is worth telling the others */
}

static void test_two_that_hold_it(void **state)
{
	(void)state;
	become_active();
	hear_beta(1, STATE_STANDBY, 0);
	hear_beta(2, STATE_ACTIVE, 0);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_non_null(
		strstr(status.warnings[status.warning_count - 1], "another node holds it too"));
	tell_target(0, "10.0.0.4");
	hear_arp(OTHER_MAC, "10.0.0.4", "192.168.1.100", 0); /* it may mean the other one */
	run_ms(50);
	assert_true(engine_holds(engine, 0));
}

/* Whoever has met another holder judges by what it knew then, also when it loses sight of a third
 * node. */
static void test_a_collision_out_of_sight(void **state)
{
	struct heartbeat gamma;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\npolicy = sticky\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	gamma = peer_heartbeat(0xd4, 1);
	hear(&gamma);
	gamma.sequence++;
	hear(&gamma);
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) /* gamma is silent meanwhile */
		hear_beta(i, i == 1 ? STATE_STANDBY : STATE_ACTIVE, 0);
	assert_true(engine_holds(engine, 0));
}

static bool is_warned_of_lifetimes(void)
{
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	for (size_t i = 0; i < status.warning_count; i++)
		if (strstr(status.warnings[i], "address lifetimes"))
			return true;
	return false;
}

static void test_a_fence_that_closes_late(void **state)
{
	(void)state;
	become_active();
	keeper_says(CHANNEL_FENCE, 0, 0, CHANNEL_FENCE_LIFETIME);
	assert_true(is_warned_of_lifetimes());
	keeper_says(CHANNEL_FENCE, 0, 1, CHANNEL_FENCE_LIFETIME);
	assert_false(is_warned_of_lifetimes());
	keeper_says(CHANNEL_RENEWED, 0, 0, 1); /* the driver's */
}

static void test_a_preparation_is_told_of(void **state)
{
	struct engine_event event = {.kind = ENGINE_PREPARED, .preparation = {.error = -ENOENT}};

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\nbefore-active = /bin/true\n");
	tell_device(0, true, true, "10.0.0.1");
	run_ms(400);
	assert_non_null(strstr(reason_of(0), "before-active runs"));
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_HOOK)
			event.preparation.run = log_list[i].hook.preparation;
	event.preparation.run++; /* that is none that was asked for */
	step(&event);
	assert_non_null(strstr(reason_of(0), "before-active runs"));
	event.preparation.run--;
	step(&event);
	assert_non_null(strstr(reason_of(0), "could not be run, or was killed"));
}

static void test_a_path_that_does_not_exist(void **state)
{
	struct engine_event gone = {.kind = ENGINE_DEVICE, .device = {.index = 0}};
	struct heartbeat beta;

	(void)state;
	begin_on_two_paths(&beta);
	step(&gone);
	beta.sequence++;
	hear_by(3, &beta);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_true(status.peers[0].live);
	assert_string_equal(status.paths[0].state, "does not exist");
}

/* Somebody asks an earlier boot of this node for the rest of its table. */
static void test_a_request_to_an_earlier_boot(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(groups_and_addresses(128, 1));
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1050);
	h = peer_heartbeat(0xc3, 1);
	h.table.request_count = 1;
	h.table.requests[0] = (struct table_request){.id = OWN_ID, .nonce = OWN_NONCE + 1};
	hear(&h);
	forget();
	run_ms(5);
	assert_int_equal(count_kind(EFFECT_SEND), 0);
}

/* --- tables of others */

/* beta, which has a table: this many versions, of which the heartbeat tells those after @base. */
static struct heartbeat table_heartbeat(
	uint64_t id, uint64_t sequence, uint32_t version, uint32_t base, bool tells)
{
	struct heartbeat h = peer_heartbeat(id, sequence);

	h.no_groups = true;
	h.table =
		(struct table){.present = true, .version = version, .base = base, .last = version};
	if (tells) {
		h.table.change_count = 1;
		h.table.changes[0] = (struct table_change){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE,
			.grantee = 0x1234, /* somebody else */
			.epoch = 9};
		h.table.digest = table_digest(&h.table.changes[0]);
	}
	return h;
}

static enum node_state state_at_beta(void)
{
	struct view_group group;

	return views_group(engine, 1, 0, &group) ? group.state : 0;
}

static void test_a_table_is_told_anew(void **state)
{
	static uint8_t record[65536];
	struct heartbeat h;

	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	h = table_heartbeat(0xc3, 1, 2, 0, true);
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_int_equal(state_at_beta(), STATE_ACTIVE);
	assert_true(engine_save(engine, record, sizeof(record)) > 0);
	h.sequence++;
	h.table.digest++; /* something was overlooked */
	hear(&h);
	run_ms(60);
	assert_int_equal(last_sent.table.request_count, 1);
	h = table_heartbeat(0xc3, 9, 1, 0, false); /* a table without the group */
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_int_equal(state_at_beta(), 0);
}

/* One that never tells does not keep a group from being served. */
static void test_a_table_that_is_never_told(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 20; i++, run_ms(100)) {
		struct heartbeat h = table_heartbeat(0xc3, i, 5, 4, false);

		hear(&h);
		if (i == 5) {
			assert_int_equal(count_keeper(CHANNEL_HOLD), 0);
			assert_string_equal(next_of(0), "takes it");
		}
	}
	assert_int_equal(count_keeper(CHANNEL_HOLD), 1);
}

static void test_not_all_are_asked_at_once(void **state)
{
	(void)state;
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t id = 0; id < TABLE_REQUESTS_MAX + 2; id++) {
		struct heartbeat h = table_heartbeat(0xc3 + id, 1, 5, 4, false);

		hear(&h);
	}
	run_ms(20);
	assert_int_equal(last_sent.table.request_count, 2); /* the rest, by the next heartbeat */
}

static void test_only_what_has_room_is_asked_for(void **state)
{
	static char text[16 * 1024];

	(void)state;
	(void)snprintf(text, sizeof(text), "[node]\nname = %063d\ninterface = eth0\n%s", 0,
		strstr(groups_and_addresses(HEARTBEAT_GROUPS_MAX, 1), "[group"));
	begin(text);
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t id = 0; id < PEERS_MAX; id++) {
		struct heartbeat h = table_heartbeat(0xc3 + id, 1, 5, 4, false);

		hear(&h);
	}
	run_ms(20);
	assert_int_equal(last_sent.heard_count, PEERS_MAX);
	assert_true(last_sent.table.request_count < TABLE_REQUESTS_MAX);
}

/* A large table is begun anew only so often, whoever asks. */
static void test_a_large_table_is_not_told_to_each(void **state)
{
	struct heartbeat h;

	(void)state;
	begin(groups_and_addresses(300, 1));
	tell_device(0, true, true, "10.0.0.1");
	for (int i = 0; i < 100; i++, forget())
		run_ms(10);
	h = peer_heartbeat(0xc3, 1);
	h.table.request_count = 1;
	h.table.requests[0] = (struct table_request){.id = OWN_ID, .nonce = OWN_NONCE, .have = 1};
	hear(&h);
	h.sequence++;
	run_ms(2);
	hear(&h);
	h.sequence++;
	hear(&h);
	assert_true(count_kind(EFFECT_SEND) > 0);
	forget();
	run_ms(5);
	assert_true(count_kind(EFFECT_SEND) < 5);
}

/* --- more of what waits */

static void test_a_pause_waits_for_the_keeper(void **state)
{
	(void)state;
	become_active();
	keeper_answers = false;
	tell_health(100, false, true);
	keeper_says(CHANNEL_PAUSE, 0, 0, 2 * NS_PER_S);
	run_ms(60000);
	assert_int_equal(count_kind(EFFECT_PAUSED), 0);
	keeper_says(CHANNEL_RELEASED, 0, 0, 0);
	run_ms(100);
	assert_int_equal(count_kind(EFFECT_PAUSED), 1);
}

static void test_settling_beside_a_sticky_holder(void **state)
{
	struct heartbeat h;

	(void)state;
	begin("[node]\nname = alpha\ninterface = eth0\n"
	      "[group web]\naddress = 192.168.1.100/24\nsettle = 30s\n");
	tell_device(0, true, true, "10.0.0.1");
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		h.group_count = 1;
		h.groups[0] = (struct heartbeat_group){.id = conf.groups[0].id,
			.worth = 50,
			.state = STATE_ACTIVE,
			.flags = HEARTBEAT_GROUP_ELIGIBLE | HEARTBEAT_GROUP_STICKY,
			.grantee = HEARTBEAT_GRANTEE_NONE,
			.epoch = 9};
		hear(&h);
	}
	assert_string_equal(next_of(0), "would take over if beta fails");
}

static void test_old_news_of_a_third_node(void **state)
{
	struct heartbeat h;

	(void)state;
	become_active();
	for (uint64_t i = 1; i < 9; i++, run_ms(100)) {
		h = peer_heartbeat(0xc3, i);
		h.heard[h.heard_count++] =
			(struct heartbeat_heard){.id = 0xd4, .nonce = 7, .age_ms = 60000};
		hear(&h);
	}
	assert_string_equal(differences(), "");
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_claims_alone),
		TEST(test_lease),
		TEST(test_no_lease_while_the_keeper_releases),
		TEST(test_the_lease_follows_the_oldest_release),
		TEST(test_a_fence_for_each_group_needs_no_such_limit),
		TEST(test_fence_in_force),
		TEST(test_pause_waits_to_be_heard),
		TEST(test_pause_does_not_wait_for_ever),
		TEST(test_adoption_moves_nothing),
		TEST(test_adoption_comes_too_late),
		TEST(test_adoption_by_other_configuration),
		TEST(test_retired_group_is_left),
		TEST(test_adopted_group_cannot_be_held),
		TEST(test_will),
		TEST(test_stops_in_order),
		TEST(test_a_path_is_lost),
		TEST(test_no_path_is_lost_by_a_stall),
		TEST(test_a_path_without_carrier),
		TEST(test_hooks),
		TEST(test_acknowledgements),
		TEST(test_defends_what_it_holds),
		TEST(test_another_node_with_its_id),
		TEST(test_as_many_peers_as_there_is_room),
		TEST(test_drops_are_counted),
		TEST(test_a_keeper_that_errs),
		TEST(test_held_of_an_earlier_claim),
		TEST(test_health),
		TEST(test_managed_device),
		TEST(test_real_address_is_of_the_heartbeats_family),
		TEST(test_effects_fit),
		TEST(test_memory_follows_the_configuration),
		TEST(test_announcements_left_out_come_later),
		TEST(test_a_takeover_is_counted_and_timed),
		TEST(test_late_heartbeats_are_seen),
		TEST(test_jitter_of_a_peer),
		TEST(test_what_comes_next),
		TEST(test_views),
		TEST(test_a_better_one_takes_what_nobody_holds),
		TEST(test_nobody_takes_what_it_cannot_tell),
		TEST(test_a_cause_that_is_over_is_explained),
		TEST(test_a_device_that_was_raised_in_vain),
		TEST(test_a_worth_that_is_raised),
		TEST(test_frames_that_are_none),
		TEST(test_the_service_manager_stops_it),
		TEST(test_what_stops_makes_no_room),
		TEST(test_a_preparation_of_nothing),
		TEST(test_a_lease_is_not_taken_back),
		TEST(test_adoption_without_devices_ends_with_the_lease),
		TEST(test_adoption_of_a_conflict),
		TEST(test_a_group_that_goes_is_not_left),
		TEST(test_many_groups),
		TEST(test_many_addresses),
		TEST(test_many_devices),
		TEST(test_heartbeats_without_multicast),
		TEST(test_a_path_that_nobody_is_heard_by),
		TEST(test_a_peer_that_is_silent_on_all_paths),
		TEST(test_views_of_a_third_node),
		TEST(test_a_yield_that_beta_does_not_take),
		TEST(test_a_yield_to_one_without_the_group),
		TEST(test_a_yield_of_what_is_being_released),
		TEST(test_drained_and_stopped),
		TEST(test_it_goes_on_after_all),
		TEST(test_the_last_word_is_said_again),
		TEST(test_a_sending_that_nobody_confirms),
		TEST(test_adoption_with_new_targets),
		TEST(test_a_grant_to_somebody_else),
		TEST(test_a_holder_that_does_not_hear_us),
		TEST(test_what_is_dropped_with_advice),
		TEST(test_nodes_acknowledge_nothing),
		TEST(test_two_that_hold_it),
		TEST(test_a_collision_out_of_sight),
		TEST(test_a_fence_that_closes_late),
		TEST(test_a_preparation_is_told_of),
		TEST(test_a_path_that_does_not_exist),
		TEST(test_a_request_to_an_earlier_boot),
		TEST(test_a_table_is_told_anew),
		TEST(test_a_table_that_is_never_told),
		TEST(test_not_all_are_asked_at_once),
		TEST(test_only_what_has_room_is_asked_for),
		TEST(test_a_large_table_is_not_told_to_each),
		TEST(test_a_pause_waits_for_the_keeper),
		TEST(test_settling_beside_a_sticky_holder),
		TEST(test_old_news_of_a_third_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
