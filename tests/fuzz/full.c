/* SPDX-License-Identifier: ISC */
/* A full configuration: as many groups as there can be, each with hooks and four addresses. */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "fuzz/subject.h"

void subject_conf_text(char text[SUBJECT_TEXT_SIZE])
{
	struct text t = text_init(text, SUBJECT_TEXT_SIZE);

	text_add(&t, "[node]\ninterface = eth0\n");
	for (int g = 0; g < SUBJECT_GROUPS_MAX; g++) {
		text_add(&t, "[group g%d]\non-change = /bin/true\n", g);
		for (int a = 0; a < 4; a++)
			text_add(&t, "address = 10.0.%d.%d/16 dev eth%d\n", g + 1, a + 1, g % 2);
	}
	assert(t.length < SUBJECT_TEXT_SIZE - 1);
}
