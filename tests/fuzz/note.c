/* SPDX-License-Identifier: ISC */
/* fuzz_note: what one keeper leaves to the next. What is accepted can be walked through. */
#include "fuzz/fuzz.h"
#include "wire/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct note n;

	if (!note_decode(bytes, size, &n))
		return 0;
	assert(n.record + n.record_size == bytes + size);
	(void)note_has_group(&n, "web");
	return 0;
}
