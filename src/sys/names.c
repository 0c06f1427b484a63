/* SPDX-License-Identifier: ISC */
#include "sys/names.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct found {
	bool exists;
	uid_t user;
	gid_t group;
};

typedef struct found (*lookup)(const char *name);

static struct found find_user(const char *name)
{
	const struct passwd *user = getpwnam(name);

	return user ? (struct found){true, user->pw_uid, user->pw_gid} : (struct found){0};
}

static struct found find_group(const char *name)
{
	const struct group *group = getgrnam(name);

	return group ? (struct found){true, 0, group->gr_gid} : (struct found){0};
}

static ssize_t read_found(int from, struct found *found)
{
	ssize_t size;

	do
		size = read(from, found, sizeof(*found));
	while (size < 0 && errno == EINTR);
	return size;
}

/* False if there is no process to be had for it. */
static bool find_elsewhere(lookup find, const char *name, struct found *found)
{
	int ends[2];
	ssize_t size;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	child = fork();
	if (child == 0) {
		*found = find(name);
		_exit(write(ends[1], found, sizeof(*found)) == sizeof(*found) ? EXIT_SUCCESS
									      : EXIT_FAILURE);
	}
	(void)close(ends[1]);
	size = child > 0 ? read_found(ends[0], found) : -1;
	(void)close(ends[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return size == sizeof(*found);
}

static struct found find_somewhere(lookup find, const char *name)
{
	struct found found;

	return find_elsewhere(find, name, &found) ? found : find(name);
}

bool names_user(const char *name, uid_t *ret_user, gid_t *ret_group)
{
	struct found found = find_somewhere(find_user, name);

	if (!found.exists)
		return false;
	*ret_user = found.user;
	*ret_group = found.group;
	return true;
}

bool names_group(const char *name, gid_t *ret_group)
{
	struct found found = find_somewhere(find_group, name);

	if (!found.exists)
		return false;
	*ret_group = found.group;
	return true;
}
