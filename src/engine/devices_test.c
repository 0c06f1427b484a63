/* SPDX-License-Identifier: ISC */
/* What devices tell: those that the keeper raises, those without an address, as many as there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "engine/fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_managed_device),
		TEST(test_real_address_is_of_the_heartbeats_family),
		TEST(test_many_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
