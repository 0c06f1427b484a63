/* SPDX-License-Identifier: ISC */
#include "keeper/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/log.h"

/* Readable for its group as well: whoever may ask for the status may read the history. */
#define FOLDER_MODE 0750

/* 0 or -errno. Somebody else's folder is left alone: what stands there is not ours. */
static int give(int folder, const struct account *account)
{
	struct stat status;

	if (fstat(folder, &status) < 0)
		return -errno;
	if (!account->change || status.st_uid == account->user)
		return 0;
	if (status.st_uid != geteuid())
		return -EPERM;
	if (fchmod(folder, FOLDER_MODE) < 0 || fchown(folder, account->user, account->group) < 0)
		return -errno;
	return 0;
}

static int open_folder(const char *path, const struct account *account)
{
	int folder, r;

	if (mkdir(path, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	r = give(folder, account);
	if (r == 0)
		return folder;
	(void)close(folder);
	return r;
}

int state_dir_open(const char *path, const struct account *account)
{
	int folder = path ? open_folder(path, account) : -ENOENT;

	if (folder >= 0)
		return folder;
	if (path)
		log_warning("there is no history: the state folder %s cannot be used: %s", path,
			strerror(-folder));
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}
