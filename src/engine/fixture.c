/* SPDX-License-Identifier: ISC */
#include "engine/fixture.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "wire/arp.h"

#define MESSAGES_MAX 4096 /* steps of a test without a forget() */

const uint8_t OWN_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 1};
const uint8_t OTHER_MAC[MAC_SIZE] = {2, 0, 0, 0, 0, 2};

struct conf conf;
struct heartbeat_key no_key;
struct engine *engine;
int64_t now_ns;
struct status status;
struct effect log_list[MESSAGES_MAX];
size_t log_count;
size_t most_effects;
struct heartbeat last_sent, last_will;
bool keeper_answers, sending_works, sending_is_answered;

static struct effects effects;

void forget(void)
{
	log_count = 0;
}

static void decode_sent(const uint8_t *bytes, size_t size, struct heartbeat *ret_heartbeat)
{
	assert_int_equal(heartbeat_decode(bytes, size, HEARTBEAT_HOP_LIMIT, conf.node.cluster_tag,
				 &no_key, ret_heartbeat),
		HEARTBEAT_ACCEPTED);
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

void step(const struct engine_event *event)
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

void keeper_says(enum channel_verb verb, size_t index, size_t second, uint64_t number)
{
	struct channel_message m = {.verb = verb,
		.index = (uint16_t)index,
		.second = (uint16_t)second,
		.number = number};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};

	step(&event);
}

/* Lets time pass. Each timer must lead on: an engine that asks for the same instant again is busy.
 */
void run_ms(int64_t duration_ms)
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

void tell_device(size_t index, bool up, bool carrier, const char *address)
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

void begin(const char *text)
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

int tear_down(void **state)
{
	(void)state;
	free(engine);
	engine = NULL;
	conf_free(&conf);
	status_done(&status);
	return 0;
}

void become_active(void)
{
	begin(ONE_GROUP);
	tell_device(0, true, true, "10.0.0.1");
	run_ms(1000);
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	assert_int_equal(status.groups[0].state, STATE_ACTIVE);
	forget();
}

size_t count_keeper(enum channel_verb verb)
{
	size_t count = 0;

	for (size_t i = 0; i < log_count; i++)
		count += log_list[i].kind == EFFECT_KEEPER && log_list[i].keeper.verb == verb;
	return count;
}

const struct report *find_report(enum report_kind kind)
{
	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_REPORT && log_list[i].report.kind == kind)
			return &log_list[i].report;
	return NULL;
}

struct heartbeat peer_heartbeat(uint64_t id, uint64_t sequence)
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

void hear_by(uint32_t interface_index, const struct heartbeat *h)
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

void hear(const struct heartbeat *h)
{
	hear_by(0, h);
}

void hear_arp(const uint8_t mac[MAC_SIZE], const char *sender, const char *target, size_t cut)
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

size_t count_kind(enum effect_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < log_count; i++)
		count += log_list[i].kind == kind;
	return count;
}

int64_t last_lease(void)
{
	int64_t until_ns = 0;

	for (size_t i = 0; i < log_count; i++)
		if (log_list[i].kind == EFFECT_LEASE)
			until_ns = log_list[i].lease.ns;
	return until_ns;
}

void tell_target(size_t second, const char *address)
{
	struct channel_message m = {
		.verb = CHANNEL_TARGET, .second = (uint16_t)second, .payload_size = IP_WIRE_SIZE};
	struct engine_event event = {.kind = ENGINE_KEEPER, .keeper = &m};
	struct ip ip;

	assert_true(ip_parse(address, &ip));
	ip_to_wire(&ip, m.payload);
	step(&event);
}

void tell_health(uint16_t worth, bool impaired, bool ineligible)
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

const char *next_of(size_t group)
{
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	return status.groups[group].next;
}

void hear_beta(uint64_t sequence, enum node_state beta, uint64_t other)
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

const char *reason_of(size_t group)
{
	engine_status(engine, (ha_time){now_ns}, 0, &status);
	return status.groups[group].reason;
}

void hear_eligible_beta(uint64_t sequence, uint16_t worth)
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

const char *groups_and_addresses(unsigned groups, unsigned addresses)
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

void run_beside_beta(uint64_t *sequence, int64_t duration_ms)
{
	for (int64_t ms = 0; ms < duration_ms; ms += 100) {
		hear_eligible_beta(++*sequence, 50);
		run_ms(100);
	}
}
