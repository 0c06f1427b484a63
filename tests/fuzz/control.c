/* SPDX-License-Identifier: ISC */
/* fuzz_control: lines on the control socket. Each is a request, or is refused with a reason. */
#include "fuzz/fuzz.h"
#include "wire/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct control_request first, second;
	const char *error = NULL;
	char line[CONTROL_REQUEST_MAX];

	if (!control_decode((const char *)bytes, size, &first, &error)) {
		assert(error && *error != '\0');
		return 0;
	}
	size = control_encode(&first, line, sizeof(line));
	assert(size > 0 && line[size - 1] == '\n' && !memchr(line, '\n', size - 1));
	assert(control_decode(line, size - 1, &second, &error));
	assert(second.command == first.command);
	return 0;
}
