/* SPDX-License-Identifier: ISC */
#include "custody/custody.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/handoff.h"

#define GROUPS    3 /* web with addresses 0 and 1, db with 2, mail with 3 */
#define ADDRESSES 4

static struct conf conf;
static struct conf_diagnostics wrong;
static struct custody custody;
static struct custody_group groups[GROUPS];
static bool told_removed[ADDRESSES];
static struct custody_effect list[GROUPS + 8];
static struct custody_effects effects = {.list = list};
static ha_time now, lease;

static const char TEXT[] = "[node]\ninterface = eth0\ntolerance = 3s\n"
			   "[group web]\naddress = 192.0.2.1/24\naddress = 192.0.2.2/24\n"
			   "[group db]\naddress = 192.0.2.3/24\n"
			   "[group mail]\naddress = 192.0.2.4/24\n";

static void step(struct custody_event event)
{
	custody_step(&custody, now, lease, &event, &effects);
}

static void about(enum custody_event_kind kind, size_t group)
{
	step((struct custody_event){.kind = kind, .group = group});
}

static void says(enum channel_verb verb, size_t index, uint64_t number)
{
	step((struct custody_event){
		.kind = CUSTODY_MESSAGE, .verb = verb, .index = index, .number = number});
}

static int set_up(void **state)
{
	(void)state;
	assert_true(conf_parse(TEXT, strlen(TEXT), "alpha", &conf, &wrong));
	assert_int_equal(conf.group_count, GROUPS);
	assert_int_equal(custody_effects_max(&conf), sizeof(list) / sizeof(list[0]));
	custody_init(&custody, &conf, groups, told_removed);
	now = (ha_time){3600 * NS_PER_S};
	lease = time_add(now, 2 * NS_PER_S);
	step((struct custody_event){.kind = CUSTODY_BEGIN});
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	conf_free(&conf);
	return 0;
}

/* The effect at @index is a message to the engine. */
static void assert_told(size_t index, enum channel_verb verb, size_t about_what, uint64_t number)
{
	assert_true(index < effects.count);
	assert_int_equal(list[index].kind, CUSTODY_TELL);
	assert_int_equal(list[index].verb, verb);
	assert_int_equal(list[index].index, about_what);
	assert_int_equal(list[index].number, number);
}

static void assert_kinds(size_t count, const enum custody_effect_kind *kinds)
{
	assert_int_equal(effects.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].kind, kinds[i]);
}

#define ASSERT_KINDS(...)                                                                          \
	assert_kinds(sizeof((enum custody_effect_kind[]){__VA_ARGS__}) /                           \
			     sizeof(enum custody_effect_kind),                                     \
		(const enum custody_effect_kind[]){__VA_ARGS__})

static void assert_refused(const char *reason)
{
	ASSERT_KINDS(CUSTODY_REFUSE);
	assert_string_equal(list[0].reason, reason);
}

static void bring_up(size_t group, uint64_t epoch)
{
	says(CHANNEL_HOLD, group, epoch);
	about(CUSTODY_BEGAN, group);
	about(CUSTODY_UP, group);
}

static void test_a_group_comes_and_goes(void **state)
{
	(void)state;
	says(CHANNEL_HOLD, 0, 7);
	ASSERT_KINDS(CUSTODY_BRING_UP);
	assert_int_equal(custody_work(&custody), CUSTODY_BRING_UP_NEXT);
	assert_int_equal(custody_first(&custody, CUSTODY_BRING_UP_NEXT), 0);
	assert_false(custody_is_held(&custody, 0));
	about(CUSTODY_BEGAN, 0);
	ASSERT_KINDS(CUSTODY_WATCH);
	assert_int_equal(list[0].until.ns, lease.ns);
	assert_true(custody_is_held(&custody, 0));
	about(CUSTODY_PLACED, 0);
	ASSERT_KINDS();
	assert_int_equal(custody_work(&custody), CUSTODY_REST);
	step((struct custody_event){.kind = CUSTODY_UP, .group = 0, .second = 12});
	assert_told(0, CHANNEL_HELD, 0, 7);
	assert_int_equal(list[0].second, 12);
	says(CHANNEL_RELEASE, 0, 0);
	ASSERT_KINDS(CUSTODY_LET_GO);
	assert_false(custody_is_held(&custody, 0));
	assert_int_equal(custody_work(&custody), CUSTODY_TAKE_DOWN_NEXT);
	about(CUSTODY_DOWN, 0);
	assert_told(0, CHANNEL_RELEASED, 0, 7);
	assert_int_equal(custody_work(&custody), CUSTODY_REST);
}

static void test_what_goes_down_comes_first(void **state)
{
	(void)state;
	bring_up(2, 1);
	says(CHANNEL_HOLD, 1, 2);
	says(CHANNEL_HOLD, 0, 3);
	says(CHANNEL_RELEASE, 2, 0);
	assert_int_equal(custody_work(&custody), CUSTODY_TAKE_DOWN_NEXT);
	assert_int_equal(custody_first(&custody, CUSTODY_TAKE_DOWN_NEXT), 2);
	assert_int_equal(custody_first(&custody, CUSTODY_BRING_UP_NEXT), 1);
	assert_int_equal(custody_next(&custody, 1), 0);
	assert_int_equal(custody_next(&custody, 0), CUSTODY_NOBODY);
	/* One from the middle, which never came up, and is told of all the same. */
	says(CHANNEL_RELEASE, 1, 0);
	assert_int_equal(custody_first(&custody, CUSTODY_BRING_UP_NEXT), 0);
	assert_int_equal(custody_next(&custody, 2), 1);
	about(CUSTODY_DOWN, 2);
	about(CUSTODY_DOWN, 1);
	assert_told(0, CHANNEL_RELEASED, 1, 2);
}

static void test_holding_twice_answers_once(void **state)
{
	(void)state;
	says(CHANNEL_HOLD, 0, 1);
	says(CHANNEL_HOLD, 0, 2);
	ASSERT_KINDS();
	about(CUSTODY_BEGAN, 0);
	about(CUSTODY_UP, 0);
	assert_told(0, CHANNEL_HELD, 0, 2);
	says(CHANNEL_HOLD, 0, 3);
	assert_told(0, CHANNEL_HELD, 0, 3); /* it is there */
	says(CHANNEL_RELEASE, 0, 0);
	says(CHANNEL_RELEASE, 0, 0);
	ASSERT_KINDS();
	says(CHANNEL_HOLD, 0, 4);
	assert_told(0, CHANNEL_EXPIRED, 0, 4);
	assert_int_equal(effects.count, 1);
}

static void test_a_group_that_fails_leaves_nothing(void **state)
{
	(void)state;
	says(CHANNEL_HOLD, 0, 1);
	about(CUSTODY_BEGAN, 0);
	step((struct custody_event){
		.kind = CUSTODY_FAILED, .group = 0, .second = 1, .number = EADDRNOTAVAIL});
	ASSERT_KINDS(CUSTODY_LET_GO);
	assert_false(custody_holds_any(&custody));
	about(CUSTODY_DOWN, 0);
	assert_told(0, CHANNEL_HOLD_FAILED, 0, EADDRNOTAVAIL);
	assert_int_equal(list[0].second, 1);
	bring_up(0, 2);
	assert_told(0, CHANNEL_HELD, 0, 2);
	/* The same, but then the engine wanted it to go. */
	says(CHANNEL_RELEASE, 0, 0);
	about(CUSTODY_DOWN, 0);
	assert_told(0, CHANNEL_RELEASED, 0, 2);
}

static void test_a_lease_that_passes_ends_everything(void **state)
{
	(void)state;
	bring_up(0, 4);
	says(CHANNEL_HOLD, 1, 5);
	bring_up(2, 6);
	says(CHANNEL_RELEASE, 2, 0);
	now = time_add(lease, -1);
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_WATCH);
	assert_int_equal(list[0].until.ns, lease.ns);
	now = lease;
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_TELL, CUSTODY_WATCH, CUSTODY_EXPIRED, CUSTODY_TELL,
		CUSTODY_TELL, CUSTODY_SETTLE);
	assert_told(1, CHANNEL_RELEASED, 2, 6);
	assert_true(time_is_never(list[2].until));
	assert_told(4, CHANNEL_EXPIRED, 0, 4);
	assert_told(5, CHANNEL_EXPIRED, 1, 5);
	assert_false(custody_holds_any(&custody));
	assert_int_equal(custody_work(&custody), CUSTODY_REST);
}

/* It answers until its turn comes. */
static void test_what_is_on_its_way_down_is_watched(void **state)
{
	(void)state;
	bring_up(0, 4);
	bring_up(1, 5);
	says(CHANNEL_RELEASE, 0, 0);
	says(CHANNEL_RELEASE, 1, 0);
	assert_false(custody_holds_any(&custody));
	now = time_add(lease, -1);
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_WATCH);
	assert_int_equal(list[0].until.ns, lease.ns);
	now = lease;
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_TELL, CUSTODY_TELL, CUSTODY_WATCH, CUSTODY_EXPIRED,
		CUSTODY_SETTLE);
	assert_told(1, CHANNEL_RELEASED, 0, 4);
	assert_told(2, CHANNEL_RELEASED, 1, 5);
	assert_int_equal(custody_work(&custody), CUSTODY_REST);
}

static void test_a_lease_that_was_renewed_is_watched_on(void **state)
{
	(void)state;
	bring_up(0, 1);
	now = lease;
	lease = time_add(lease, NS_PER_S);
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_WATCH);
	assert_int_equal(list[0].until.ns, lease.ns);
}

/* The engine that makes room counts on a longer patience, the next one does not any more. */
static void test_a_long_lease_is_looked_at_before_it_ends(void **state)
{
	(void)state;
	lease = time_add(now, 5 * NS_PER_S);
	bring_up(0, 1);
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_WATCH);
	assert_int_equal(list[0].until.ns, now.ns + conf.node.tolerance_ns - conf.node.margin_ns);
	lease = time_add(now, conf.node.tolerance_ns - conf.node.margin_ns);
	now = list[0].until;
	about(CUSTODY_LEASE, 0);
	assert_int_equal(list[0].kind, CUSTODY_TAKE_DOWN);
}

static void test_what_waits_does_not_come_up_after_the_lease(void **state)
{
	(void)state;
	says(CHANNEL_HOLD, 0, 9);
	now = lease;
	about(CUSTODY_LEASE, 0);
	assert_told(3, CHANNEL_EXPIRED, 0, 9);
	assert_int_equal(custody_work(&custody), CUSTODY_REST);
}

static void test_no_engine_earns_a_lease_without_end(void **state)
{
	(void)state;
	bring_up(0, 1);
	lease = time_add(now, conf.node.max_tolerance_ns + 1);
	assert_false(custody_may_renew(&custody, now, lease));
	about(CUSTODY_LEASE, 0);
	assert_int_equal(list[0].kind, CUSTODY_TAKE_DOWN);
}

static void test_only_what_is_held_and_lasts_is_renewed(void **state)
{
	(void)state;
	assert_false(custody_may_renew(&custody, now, lease));
	bring_up(0, 1);
	assert_true(custody_may_renew(&custody, now, lease));
	assert_false(custody_may_renew(&custody, lease, lease));
	assert_false(custody_may_renew(&custody, now, TIME_ORIGIN));
}

static void test_nothing_held_wakes_nobody(void **state)
{
	(void)state;
	about(CUSTODY_LEASE, 0);
	ASSERT_KINDS(CUSTODY_WATCH);
	assert_true(time_is_never(list[0].until));
}

static void dies(bool stopping, bool silenced)
{
	step((struct custody_event){
		.kind = CUSTODY_ENGINE_GONE, .stopping = stopping, .silenced = silenced});
}

static void test_the_will_follows_the_addresses(void **state)
{
	(void)state;
	bring_up(0, 1);
	dies(false, false);
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_SEND_WILL, CUSTODY_SETTLE);
	assert_false(custody_holds_any(&custody));
	dies(false, false); /* who holds nothing says so, too */
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_SEND_WILL, CUSTODY_SETTLE);
}

static void test_what_a_fence_has_silenced_is_as_good_as_down(void **state)
{
	(void)state;
	bring_up(0, 1);
	dies(false, true);
	ASSERT_KINDS(CUSTODY_SEND_WILL, CUSTODY_TAKE_DOWN, CUSTODY_SETTLE);
}

static void test_an_engine_that_stopped_needs_no_will(void **state)
{
	(void)state;
	dies(true, false);
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_SETTLE);
	bring_up(0, 1);
	dies(true, false); /* not as it was told */
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_SEND_WILL, CUSTODY_SETTLE);
}

static void leaves(bool leaving)
{
	step((struct custody_event){.kind = CUSTODY_ENGINE_GONE, .leaving = leaving});
}

static void test_an_engine_that_made_room_leaves_everything(void **state)
{
	(void)state;
	bring_up(0, 1);
	says(CHANNEL_PAUSED, 0, 1000);
	leaves(true);
	ASSERT_KINDS(CUSTODY_LEAVE);
	assert_true(custody_is_held(&custody, 0));
	assert_int_equal(custody.record_size, 1000);
	leaves(false); /* nobody has asked for it */
	assert_int_equal(list[0].kind, CUSTODY_TAKE_DOWN);
}

static void test_a_record_of_no_possible_size_is_none(void **state)
{
	(void)state;
	says(CHANNEL_PAUSED, 0, 0);
	assert_false(custody_is_left(&custody, true));
	says(CHANNEL_PAUSED, 0, HANDOFF_RECORD_SIZE + 1);
	assert_false(custody_is_left(&custody, true));
	says(CHANNEL_PAUSED, 0, HANDOFF_RECORD_SIZE);
	assert_true(custody_is_left(&custody, true));
	leaves(true);
	ASSERT_KINDS(CUSTODY_LEAVE);
}

/* Web is whole, db has to be configured once more. */
static void take_over(void)
{
	custody_init(&custody, &conf, groups, told_removed);
	step((struct custody_event){.kind = CUSTODY_TAKEN_OVER, .group = 0, .whole = true});
	step((struct custody_event){.kind = CUSTODY_TAKEN_OVER, .group = 1});
	step((struct custody_event){.kind = CUSTODY_BEGIN, .number = 1000});
}

static void test_the_next_engine_goes_on(void **state)
{
	(void)state;
	take_over();
	ASSERT_KINDS(CUSTODY_TELL, CUSTODY_WATCH);
	assert_told(0, CHANNEL_BEGIN, 0, 1000);
	assert_int_equal(list[1].until.ns, lease.ns);
	says(CHANNEL_HOLD, 0, 3);
	assert_told(0, CHANNEL_HELD, 0, 3);
	says(CHANNEL_HOLD, 1, 4);
	ASSERT_KINDS(CUSTODY_BRING_UP);
	assert_true(custody_is_held(&custody, 1));
	about(CUSTODY_BEGAN, 1);
	about(CUSTODY_UP, 1);
	assert_told(0, CHANNEL_HELD, 1, 4);
	says(CHANNEL_WILL, 0, 0);
	ASSERT_KINDS(CUSTODY_KEEP_WILL);
}

static void test_what_the_next_engine_does_not_know_goes(void **state)
{
	(void)state;
	take_over();
	says(CHANNEL_HOLD, 1, 4);
	says(CHANNEL_WILL, 0, 0);
	ASSERT_KINDS(CUSTODY_KEEP_WILL, CUSTODY_LET_GO);
	assert_int_equal(list[1].index, 0);
	says(CHANNEL_WILL, 0, 0);
	ASSERT_KINDS(CUSTODY_KEEP_WILL); /* once */
}

/* Which of them comes first makes no difference. */
static void test_the_first_one_stays_the_second_goes(void **state)
{
	(void)state;
	take_over();
	says(CHANNEL_HOLD, 0, 3);
	says(CHANNEL_WILL, 0, 0);
	ASSERT_KINDS(CUSTODY_KEEP_WILL, CUSTODY_LET_GO);
	assert_int_equal(list[1].index, 1);
}

static void test_one_that_begins_afresh_holds_nothing(void **state)
{
	(void)state;
	take_over();
	says(CHANNEL_AFRESH, 0, 0);
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_SETTLE);
	says(CHANNEL_WILL, 0, 0);
	ASSERT_KINDS(CUSTODY_KEEP_WILL);
	take_over();
	about(CUSTODY_GIVE_UP, 0);
	ASSERT_KINDS(CUSTODY_TAKE_DOWN, CUSTODY_SETTLE);
}

static void test_what_is_left_is_good_for_a_lease(void **state)
{
	(void)state;
	assert_true(custody_may_take_over(now, lease, now));
	assert_true(custody_may_take_over(now, lease, time_add(lease, -1)));
	assert_false(custody_may_take_over(now, lease, lease));
	assert_false(custody_may_take_over(now, lease, time_add(now, -1)));
	assert_int_equal(custody_lifetime_s(now, time_add(now, 5 * NS_PER_S)), 4);
	assert_int_equal(custody_lifetime_s(now, lease), 1);
	assert_int_equal(custody_lifetime_s(lease, now), 1);
}

static void test_a_removed_address_is_told_once(void **state)
{
	const struct custody_event missing = {.kind = CUSTODY_SEEN, .index = 1, .missing = true};

	(void)state;
	bring_up(0, 1);
	step(missing);
	assert_told(0, CHANNEL_REMOVED, 1, 0);
	step(missing);
	ASSERT_KINDS();
	says(CHANNEL_RESTORE, 1, 0);
	ASSERT_KINDS(CUSTODY_PERFORM);
	step(missing); /* it could not be put back */
	assert_told(0, CHANNEL_REMOVED, 1, 0);
	step((struct custody_event){.kind = CUSTODY_SEEN, .index = 1});
	ASSERT_KINDS();
	step(missing);
	assert_told(0, CHANNEL_REMOVED, 1, 0);
}

static void test_what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	says(CHANNEL_HELD, 0, 0);
	assert_refused("it is not for the keeper");
	says(CHANNEL_HOLD, GROUPS, 0);
	assert_refused("its index is out of range");
	says(CHANNEL_PROBE, ADDRESSES, 0);
	assert_refused("its index is out of range");
	says(CHANNEL_ANNOUNCE, 3, 0);
	assert_refused("the group is not held");
	says(CHANNEL_HOLD, 2, 1);
	says(CHANNEL_ANNOUNCE, 3, 0);
	assert_refused("the group is on its way");
	about(CUSTODY_BEGAN, 2);
	says(CHANNEL_PROBE, 3, 0);
	assert_refused("the group is on its way");
	about(CUSTODY_UP, 2);
	says(CHANNEL_PROBE, 3, 0);
	assert_refused("the group is held");
	says(CHANNEL_PROBE, 2, 0);
	ASSERT_KINDS(CUSTODY_PERFORM);
	assert_int_equal(list[0].verb, CHANNEL_PROBE);
	assert_int_equal(list[0].index, 2);
}

static void announces(size_t index, uint16_t more)
{
	step((struct custody_event){
		.kind = CUSTODY_MESSAGE, .verb = CHANNEL_ANNOUNCE, .index = index, .second = more});
}

static void test_a_run_ends_with_its_group(void **state)
{
	(void)state;
	bring_up(0, 1);
	announces(0, 1);
	ASSERT_KINDS(CUSTODY_PERFORM);
	assert_int_equal(list[0].second, 1);
	announces(1, 1);
	assert_refused("there are not so many behind it");
	announces(0, 2);
	assert_refused("there are not so many behind it");
}

/* However many there are, one message tells of a part of them. */
static void test_a_run_has_a_bound(void **state)
{
	static char text[32768] = "[node]\ninterface = eth0\n[group web]\n";
	static struct custody_group group[1];
	static bool told[CHANNEL_RUN_MAX + 10];
	struct custody_event event = {.kind = CUSTODY_MESSAGE, .verb = CHANNEL_ANNOUNCE};
	struct conf many;
	struct custody c;

	(void)state;
	for (int i = 0; i < CHANNEL_RUN_MAX + 10; i++)
		(void)snprintf(text + strlen(text), 64, "address = fd00::%x/64\n", i + 1);
	assert_true(conf_parse(text, strlen(text), "alpha", &many, &wrong));
	custody_init(&c, &many, group, told);
	group[0].phase = CUSTODY_HELD;
	event.second = CHANNEL_RUN_MAX;
	assert_null(custody_objection(&c, &event));
	event.second = CHANNEL_RUN_MAX + 1;
	assert_string_equal(custody_objection(&c, &event), "there are not so many behind it");
	conf_free(&many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_group_comes_and_goes),
		TEST(test_what_goes_down_comes_first),
		TEST(test_holding_twice_answers_once),
		TEST(test_a_group_that_fails_leaves_nothing),
		TEST(test_a_lease_that_passes_ends_everything),
		TEST(test_what_is_on_its_way_down_is_watched),
		TEST(test_a_lease_that_was_renewed_is_watched_on),
		TEST(test_a_long_lease_is_looked_at_before_it_ends),
		TEST(test_what_waits_does_not_come_up_after_the_lease),
		TEST(test_no_engine_earns_a_lease_without_end),
		TEST(test_only_what_is_held_and_lasts_is_renewed),
		TEST(test_nothing_held_wakes_nobody),
		TEST(test_the_will_follows_the_addresses),
		TEST(test_what_a_fence_has_silenced_is_as_good_as_down),
		TEST(test_an_engine_that_stopped_needs_no_will),
		TEST(test_an_engine_that_made_room_leaves_everything),
		TEST(test_a_record_of_no_possible_size_is_none),
		TEST(test_the_next_engine_goes_on),
		TEST(test_what_the_next_engine_does_not_know_goes),
		TEST(test_the_first_one_stays_the_second_goes),
		TEST(test_one_that_begins_afresh_holds_nothing),
		TEST(test_what_is_left_is_good_for_a_lease),
		TEST(test_a_removed_address_is_told_once),
		TEST(test_what_makes_no_sense_is_refused),
		TEST(test_a_run_ends_with_its_group),
		TEST(test_a_run_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
