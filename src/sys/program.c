/* SPDX-License-Identifier: ISC */
#include "sys/program.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"

void program_find(const char *name, char ret_path[PATH_SIZE])
{
	char self[PATH_SIZE];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct text t = text_init(ret_path, PATH_SIZE);

	if (length > 0) {
		self[length] = '\0';
		*(strrchr(self, '/') + 1) = '\0';
		text_add(&t, "%s%s", self, name);
		if (access(ret_path, X_OK) == 0)
			return;
		t = text_init(ret_path, PATH_SIZE);
	}
	text_add(&t, "%s/%s", HA_LIBEXEC_DIR, name);
}
