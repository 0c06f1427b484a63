/* SPDX-License-Identifier: ISC */
#include "keeper/succession.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/id.h"
#include "custody/custody.h"
#include "keeper/lifetimes.h"
#include "keeper/requests.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "wire/handoff.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_SIZE 64
#define NOTE_MAX     (HANDOFF_RECORD_SIZE + NOTE_HEADER_SIZE + GROUPS_MAX * NAME_SIZE)

/* All zero where it cannot be read, as good as any other. */
static void read_boot(uint8_t ret_boot[NOTE_BOOT_SIZE])
{
	char text[BOOT_ID_SIZE];
	int file = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t size = file >= 0 ? read(file, text, sizeof(text)) : 0;
	uint64_t halves[2] = {0, 0};

	if (size > 0) {
		halves[0] = id_hash(ID_SEED, text, (size_t)size);
		halves[1] = id_hash(halves[0], text, (size_t)size);
	}
	memcpy(ret_boot, halves, sizeof(halves));
	if (file >= 0)
		(void)close(file);
}

static bool is_of_use(const struct note *n)
{
	uint8_t boot[NOTE_BOOT_SIZE];

	read_boot(boot);
	return memcmp(boot, n->boot, sizeof(boot)) == 0 &&
	       custody_may_take_over(n->saved, n->lease, clock_now());
}

bool succession_waits(const struct runtime_dir *dir)
{
	struct note note;
	size_t size;
	uint8_t *bytes = runtime_dir_read_note(dir, NOTE_MAX, &size);
	bool waits = bytes && note_decode(bytes, size, &note) && is_of_use(&note);

	free(bytes);
	return waits;
}

bool succession_load(const struct runtime_dir *dir, struct succession *s)
{
	size_t size;

	s->bytes = runtime_dir_read_note(dir, NOTE_MAX, &size);
	runtime_dir_forget_note(dir);
	if (!s->bytes)
		return false;
	if (note_decode(s->bytes, size, &s->note) && s->note.record_size <= HANDOFF_RECORD_SIZE &&
		is_of_use(&s->note)) {
		log_notice("takes over from the daemon before, which has left %u group%s",
			s->note.group_count, s->note.group_count == 1 ? "" : "s");
		return true;
	}
	log_warning("the daemon before wanted to be followed by another one, but this comes too "
		    "late");
	succession_free(s);
	return false;
}

void succession_free(struct succession *s)
{
	free(s->bytes);
	*s = (struct succession){0};
}

bool succession_has(const struct succession *s, const struct conf_group *group)
{
	return s->bytes && note_has_group(&s->note, group->name);
}

/* Where nothing else ends them the kernel does, up to a second after their time. */
static void make_mortal(struct addresses *a, ha_time lease)
{
	uint32_t lifetime_s = custody_lifetime_s(clock_now(), lease);

	if (a->fence->kind == CHANNEL_FENCE_LIFETIME) {
		lifetimes_renew(a);
		return;
	}
	lifetimes_renew_for(a, lifetime_s);
	if (!lifetimes_end_routes_after(a, lifetime_s))
		log_warning("nothing but the next daemon, or ha release, ends the addresses that "
			    "are local routes: there are more than %d, and no fence",
			MORTAL_ROUTES_MAX);
}

/* By itself it lasts until the lease ends and no longer. */
static bool is_fenced(const struct fence *f)
{
	return f->kind == CHANNEL_FENCE_BPF || f->kind == CHANNEL_FENCE_NFTABLES;
}

static size_t append_groups(const struct addresses *a, uint8_t *at, uint32_t *ret_count)
{
	size_t size = 0;

	*ret_count = 0;
	for (size_t g = 0; g < a->conf->group_count; g++) {
		if (!a->held[g])
			continue;
		size += note_encode_group(a->conf->groups[g].name, at + size);
		++*ret_count;
	}
	return size;
}

bool succession_leave(struct addresses *a, ha_time lease, int record, size_t record_size)
{
	uint8_t *bytes =
		malloc(NOTE_HEADER_SIZE + a->conf->group_count * (size_t)NAME_SIZE + record_size);
	struct note n = {.saved = clock_now(),
		.lease = lease,
		.mortal = !is_fenced(a->fence),
		.record_size = (uint32_t)record_size};
	size_t size = NOTE_HEADER_SIZE;
	bool left = false;

	if (!bytes)
		return false;
	read_boot(n.boot);
	size += append_groups(a, bytes + size, &n.group_count);
	(void)note_encode(&n, bytes);
	if (pread(record, bytes + size, record_size, 0) == (ssize_t)record_size)
		left = runtime_dir_leave_note(a->dir, bytes, size + record_size);
	if (left && n.mortal)
		make_mortal(a, lease);
	free(bytes);
	return left;
}
