/* SPDX-License-Identifier: ISC */
/* fuzz_attach: lines of an attached program. Each is understood and survives the wire, or is
 * refused with a reason. */
#include "fuzz/fuzz.h"
#include "wire/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct attach_line first, second;
	const char *error = NULL;
	char line[ATTACH_LINE_MAX];

	if (!attach_decode((const char *)bytes, size, &first, &error)) {
		assert(error && *error != '\0');
		return 0;
	}
	size = attach_encode(&first, line);
	assert(size > 0 && line[size - 1] == '\n' && !memchr(line, '\n', size - 1));
	assert(attach_decode(line, size - 1, &second, &error));
	assert(second.worth == first.worth && second.impaired == first.impaired);
	assert(second.ineligible == first.ineligible && second.status == first.status);
	return 0;
}
