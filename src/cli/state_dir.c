/* SPDX-License-Identifier: ISC */
#include "cli/state_dir.h"

#include <string.h>

#include "base/text.h"
#include "cli/command.h"

const char *state_dir_of(const char *given, const char *runtime_dir, char buffer[PATH_SIZE])
{
	struct text path = text_init(buffer, PATH_SIZE);

	if (given)
		return given;
	if (strcmp(runtime_dir, DEFAULT_RUNTIME_DIR) == 0)
		return DEFAULT_STATE_DIR;
	text_add(&path, "%s/state", runtime_dir);
	return buffer;
}
