/* SPDX-License-Identifier: ISC */
/* Tests of what people read: whole texts, letter by letter. */
#include "cli/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795410561123)

static char buffer[RENDER_STATUS_MAX];

static struct status_group groups[60];
static struct status_address addresses[240];

static void sample(struct status *s)
{
	*s = (struct status){.interval_ms = 100,
		.groups = groups,
		.addresses = addresses,
		.tolerance_ms = 350,
		.group_count = 2,
		.address_count = 3,
		.peer_count = 2,
		.warning_count = 1};
	assert_true(ip_parse("10.0.0.2", &s->address));
	(void)text_copy(s->name, sizeof(s->name), "alpha");
	(void)text_copy(s->scheduling, sizeof(s->scheduling), "real-time");
	(void)text_copy(s->fence, sizeof(s->fence), "watchdog");
	(void)text_copy(s->warnings[0], sizeof(s->warnings[0]), "there is no key-file");
	s->groups[0] = (struct status_group){.name = "web",
		.state = STATE_ACTIVE,
		.reason = "no other node is worthier",
		.worth = 150,
		.configured_worth = 200,
		.impaired = true,
		.eligible = true,
		.policy = "worthiest",
		.epoch = 7,
		.holder = "alpha",
		.since_ms = NOW_MS - 192000,
		.address_count = 2};
	s->groups[1] = (struct status_group){.name = "mail",
		.state = STATE_STANDBY,
		.reason = "eth1 has no carrier",
		.worth = 100,
		.configured_worth = 100,
		.policy = "worthiest",
		.warm = true,
		.since_ms = NOW_MS - 500,
		.address_first = 2,
		.address_count = 1};
	for (int i = 0; i < 3; i++) {
		struct status_address *a = &s->addresses[i];
		const char *const ips[] = {"10.0.0.100", "fd00::100", "10.0.0.101"};

		*a = (struct status_address){.prefix_length = i == 1 ? 64 : 24,
			.device = "eth0",
			.targets = 3,
			.acknowledged = 2};
		assert_true(ip_parse(ips[i], &a->ip));
	}
	s->peers[0] = (struct status_peer){.name = "beta",
		.live = true,
		.hears_me = true,
		.proven = true,
		.last_heard_ms = 12};
	s->peers[1] = (struct status_peer){.name = "gamma", .last_heard_ms = 65000};
	assert_true(ip_parse("10.0.0.3", &s->peers[0].address));
	assert_true(ip_parse("10.0.0.4", &s->peers[1].address));
}

static const char *rendered(const struct status *s, bool colour, const char *group)
{
	const struct render how = {.colour = colour, .wall_ms = NOW_MS, .group = group};
	struct text text = text_init(buffer, sizeof(buffer));

	render_status(&text, s, &how);
	return buffer;
}

static void status_reads_at_a_glance(void **state)
{
	static struct status s;

	(void)state;
	sample(&s);
	assert_string_equal(rendered(&s, false, NULL),
		"alpha  10.0.0.2  heartbeat every 100 ms, gone after 350 ms, no key, fence "
		"watchdog, scheduling real-time\n"
		"\n"
		"web   ACTIVE    no other node is worthier\n"
		"  held by alpha, epoch 7, for 3m12s, worth 150 of 200 (impaired), policy "
		"worthiest\n"
		"  10.0.0.100/24      dev eth0, 2 of 3 neighbours acknowledged\n"
		"  fd00::100/64       dev eth0, 2 of 3 neighbours acknowledged\n"
		"\n"
		"mail  STANDBY   eth1 has no carrier\n"
		"  held by nobody, epoch 0, for 500ms, worth 100 (not eligible), policy worthiest, "
		"standby warm\n"
		"  10.0.0.101/24      dev eth0\n"
		"\n"
		"peers\n"
		"  beta   10.0.0.3         live, hears me, last heard 12ms ago\n"
		"  gamma  10.0.0.4         gone, last heard 1m05s ago\n"
		"\n"
		"WARNING: there is no key-file\n");
}

static void one_group_alone_keeps_the_warnings(void **state)
{
	static struct status s;

	(void)state;
	sample(&s);
	assert_string_equal(rendered(&s, false, "mail"),
		"alpha  10.0.0.2  heartbeat every 100 ms, gone after 350 ms, no key, fence "
		"watchdog, scheduling real-time\n"
		"\n"
		"mail  STANDBY   eth1 has no carrier\n"
		"  held by nobody, epoch 0, for 500ms, worth 100 (not eligible), policy worthiest, "
		"standby warm\n"
		"  10.0.0.101/24      dev eth0\n"
		"\n"
		"WARNING: there is no key-file\n");
}

static void a_peer_that_does_not_hear_is_said_so(void **state)
{
	static struct status s;

	(void)state;
	sample(&s);
	s.peers[0].hears_me = false;
	assert_non_null(strstr(rendered(&s, false, NULL), "live, does not hear me"));
	s.peer_count = 0;
	assert_non_null(strstr(rendered(&s, false, NULL), "\nno peers heard yet\n"));
}

static void several_paths_are_shown(void **state)
{
	static struct status s;
	const char *text;

	(void)state;
	sample(&s);
	s.path_count = 2;
	s.paths[0] = (struct status_path){.interface = "eth0", .up = true, .state = "is up"};
	s.paths[1] = (struct status_path){.interface = "eth1", .state = "has no carrier"};
	assert_true(ip_parse("10.0.0.2", &s.paths[0].address));
	s.peers[0].path_heard_ms[0] = 12;
	s.peers[0].path_heard_ms[1] = -1;
	text = rendered(&s, false, NULL);
	assert_non_null(strstr(text, "\nheartbeats\n"
				     "  eth0  10.0.0.2         is up\n"
				     "  eth1  -                has no carrier\n"));
	assert_non_null(strstr(text, "last heard 12ms ago (eth0 12ms, eth1 never)\n"));
	assert_null(strstr(rendered(&s, false, "mail"), "\nheartbeats"));
}

static void states_have_their_colours(void **state)
{
	static struct status s;
	const char *text;

	(void)state;
	sample(&s);
	s.groups[1].state = STATE_SHUTDOWN;
	text = rendered(&s, true, NULL);
	assert_non_null(strstr(text, "\033[1;32mACTIVE  \033[0m"));
	assert_non_null(strstr(text, "\033[2mSHUTDOWN\033[0m"));
	assert_non_null(strstr(text, "\033[1;31mWARNING:\033[0m there is no key-file"));
	assert_null(strchr(rendered(&s, false, NULL), '\033'));
}

static void hostile_names_do_not_command_the_terminal(void **state)
{
	static struct status s;
	const char *text;

	(void)state;
	sample(&s);
	(void)text_copy(s.peers[0].name, sizeof(s.peers[0].name), "\033]0;owned\007");
	(void)text_copy(s.groups[0].reason, sizeof(s.groups[0].reason), "\033[2Jgone");
	(void)text_copy(s.addresses[0].device, sizeof(s.addresses[0].device), "e\033c");
	(void)text_copy(s.warnings[0], sizeof(s.warnings[0]), "all\nis well");
	text = rendered(&s, false, NULL);
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\007'));
	assert_non_null(strstr(text, "WARNING: all?is well\n"));
}

static void full_tables_fit(void **state)
{
	static struct status s;

	(void)state;
	sample(&s);
	s.group_count = 60;
	s.address_count = 240;
	s.peer_count = PEERS_MAX;
	for (size_t i = 0; i < 60; i++) {
		s.groups[i] = s.groups[0];
		memset(s.groups[i].reason, 'x', sizeof(s.groups[i].reason) - 1);
		s.groups[i].address_first = (uint16_t)(i * (240 / 60));
		s.groups[i].address_count = 240 / 60;
	}
	for (size_t i = 0; i < 240; i++)
		s.addresses[i] = s.addresses[1];
	for (size_t i = 0; i < PEERS_MAX; i++)
		s.peers[i] = s.peers[1];
	assert_true(strlen(rendered(&s, true, NULL)) < sizeof(buffer) - 1);
	assert_non_null(strstr(buffer, "WARNING"));
}

static const char *duration(int64_t ms)
{
	struct text text = text_init(buffer, sizeof(buffer));

	render_duration(&text, ms);
	return buffer;
}

static void durations_show_their_two_largest_units(void **state)
{
	(void)state;
	assert_string_equal(duration(-5), "0ms");
	assert_string_equal(duration(999), "999ms");
	assert_string_equal(duration(1000), "1s");
	assert_string_equal(duration(192999), "3m12s");
	assert_string_equal(duration(18420000), "5h07m");
	assert_string_equal(duration(INT64_C(273600000)), "3d04h");
}

static void an_event_is_one_line(void **state)
{
	struct report r = {.kind = REPORT_STATE,
		.level = REPORT_NOTICE,
		.group = "web",
		.from = STATE_STANDBY,
		.to = STATE_ACTIVE,
		.epoch = 8,
		.text = "ACTIVE: beta is gone\nthis node is next"};
	struct text text = text_init(buffer, sizeof(buffer));

	(void)state;
	render_report(&text, &r, "05:09:21.123", false);
	assert_string_equal(
		buffer, "05:09:21.123  web  ACTIVE: beta is gone?this node is next, epoch 8\n");
}

static void the_state_of_a_change_has_its_colour(void **state)
{
	struct report r = {.kind = REPORT_STATE,
		.level = REPORT_NOTICE,
		.group = "web",
		.to = STATE_ACTIVE,
		.text = "ACTIVE: nobody held it"};
	struct text text = text_init(buffer, sizeof(buffer));

	(void)state;
	render_report(&text, &r, "05:09:21.123", true);
	assert_non_null(strstr(buffer, "\033[1;32mACTIVE\033[0m: nobody held it"));
}

static void errors_and_warnings_are_coloured(void **state)
{
	struct report r = {.kind = REPORT_CONFLICT, .level = REPORT_ERROR, .text = "conflict"};
	struct text text = text_init(buffer, sizeof(buffer));

	(void)state;
	render_report(&text, &r, "05:09:21.123", true);
	assert_string_equal(buffer, "\033[2m05:09:21.123\033[0m  \033[1;31mconflict\033[0m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_reads_at_a_glance),
		cmocka_unit_test(one_group_alone_keeps_the_warnings),
		cmocka_unit_test(a_peer_that_does_not_hear_is_said_so),
		cmocka_unit_test(several_paths_are_shown),
		cmocka_unit_test(states_have_their_colours),
		cmocka_unit_test(hostile_names_do_not_command_the_terminal),
		cmocka_unit_test(full_tables_fit),
		cmocka_unit_test(durations_show_their_two_largest_units),
		cmocka_unit_test(an_event_is_one_line),
		cmocka_unit_test(the_state_of_a_change_has_its_colour),
		cmocka_unit_test(errors_and_warnings_are_coloured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
