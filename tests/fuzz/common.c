/* SPDX-License-Identifier: ISC */
/* A configuration as people have them: two heartbeat paths, both families, a hook, a device apart.
 */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "fuzz/subject.h"

void subject_conf_text(char text[SUBJECT_TEXT_SIZE])
{
	assert(text_copy(text, SUBJECT_TEXT_SIZE,
		"[node]\n"
		"interface = eth0\n"
		"interface = eth1\n"
		"[group web]\n"
		"address = 10.0.0.100/24\n"
		"address = fd00::100/64\n"
		"on-change = /bin/true\n"
		"[group mail]\n"
		"address = 10.0.0.101/24\n"
		"worth = 50\n"
		"[group apart]\n"
		"address = 10.9.0.1/24 dev eth2\n"));
}
