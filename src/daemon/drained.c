/* SPDX-License-Identifier: ISC */
/*
 * Whether this node is drained, in the state folder, so that a restart and a reboot leave it so.
 * The file is opened before the engine's process gives up the system calls that open files; one
 * short write into it is atomic enough for a word.
 */
#include "daemon/drained.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "sys/log.h"

#define FILE_NAME "drained"
#define FILE_MODE 0640
/* Of one length, so that one replaces the other as a whole. */
#define WORD_DRAINED "drained\n"
#define WORD_SERVING "serving\n"
#define WORD_SIZE    (sizeof(WORD_DRAINED) - 1)

int drained_open(int folder)
{
	int fd = openat(folder, FILE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	static_assert(sizeof(WORD_DRAINED) == sizeof(WORD_SERVING), "one replaces the other");
	return fd;
}

bool drained_read(int fd)
{
	char word[WORD_SIZE];

	return fd >= 0 && read(fd, word, sizeof(word)) == (ssize_t)sizeof(word) &&
	       memcmp(word, WORD_DRAINED, sizeof(word)) == 0;
}

bool drained_write(int fd, bool drained)
{
	const char *word = drained ? WORD_DRAINED : WORD_SERVING;

	if (fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 &&
		write(fd, word, WORD_SIZE) == (ssize_t)WORD_SIZE)
		return true;
	log_warning("the state folder cannot be written: %s; a restart will not know whether this "
		    "node is drained",
		strerror(fd < 0 ? ENOENT : errno));
	return false;
}
