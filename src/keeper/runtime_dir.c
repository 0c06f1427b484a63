/* SPDX-License-Identifier: ISC */
#include "keeper/runtime_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/log.h"
#include "wire/control.h"
#include "wire/runtime.h"

#define NOTE_NAME        "restart"
#define NEXT_NAME        "next.conf"
#define TEMPORARY_NAME   "new"
#define RAISED_PREFIX    "raised-"
#define RAISED_NAME_SIZE (sizeof(RAISED_PREFIX) + DEVICE_SIZE)
#define CONTROL_BACKLOG  16
#define PID_TEXT_SIZE    16
#define LOCK_TRIES       50
#define LOCK_PAUSE_NS    (10 * NS_PER_MS)

static int open_folder(const char *path)
{
	struct stat status;
	int folder;

	if (mkdir(path, 0755) < 0 && errno != EEXIST) {
		log_error("cannot create the runtime folder %s: %s", path, strerror(errno));
		return -1;
	}
	folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || fstat(folder, &status) < 0) {
		log_error("cannot use the runtime folder %s: %s", path,
			errno == ENOTDIR || errno == ELOOP ? "it is a link or no folder"
							   : strerror(errno));
	} else if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH))) {
		log_error("the runtime folder %s belongs to or can be written by others: choose "
			  "another with --runtime-dir, or remove it",
			path);
	} else {
		return folder;
	}
	if (folder >= 0)
		(void)close(folder);
	return -1;
}

static void complain_of_lock(const char *path, int lock, bool releasing)
{
	char pid[PID_TEXT_SIZE] = "";
	ssize_t size = pread(lock, pid, sizeof(pid) - 1, 0);

	pid[size > 0 ? (size_t)size : 0] = '\0';
	pid[strcspn(pid, "\n")] = '\0';
	if (releasing)
		log_error("ha is running with %s (pid %s); stop it first", path, pid);
	else
		log_error("another ha runs with %s (pid %s): stop it, or choose another folder "
			  "with --runtime-dir",
			path, pid);
}

/* Those whom the last one had started may need a moment to notice its end. */
static bool lock_patiently(int lock)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

/* The process id in the lock file is for people; the lock itself is flock(2)'s and ends with us. */
static int take_lock(const char *path, int folder, bool releasing)
{
	int lock =
		openat(folder, RUNTIME_LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (lock < 0) {
		log_error("cannot open %s/%s: %s", path, RUNTIME_LOCK_NAME, strerror(errno));
		return -1;
	}
	if (!lock_patiently(lock)) {
		complain_of_lock(path, lock, releasing);
		(void)close(lock);
		return -1;
	}
	if (ftruncate(lock, 0) < 0 || dprintf(lock, "%d\n", (int)getpid()) < 0)
		log_warning("cannot write the process id to %s/%s: %s", path, RUNTIME_LOCK_NAME,
			strerror(errno));
	return lock;
}

bool runtime_dir_open(const char *path, bool releasing, struct runtime_dir *ret_dir)
{
	struct runtime_dir dir = {.path = path, .descriptor = open_folder(path), .lock = -1};

	if (dir.descriptor < 0)
		return false;
	dir.lock = take_lock(path, dir.descriptor, releasing);
	if (dir.lock < 0) {
		(void)close(dir.descriptor);
		return false;
	}
	*ret_dir = dir;
	return true;
}

void runtime_dir_name_file(const struct runtime_dir *dir, const char *file)
{
	if (file && (lseek(dir->lock, 0, SEEK_END) < 0 || dprintf(dir->lock, "%s\n", file) < 0))
		log_warning("cannot write the name of the configuration to %s/%s: %s", dir->path,
			RUNTIME_LOCK_NAME, strerror(errno));
}

void runtime_dir_close(struct runtime_dir *dir)
{
	(void)ftruncate(dir->lock, 0);
	(void)close(dir->lock);
	(void)close(dir->descriptor);
	dir->lock = -1;
	dir->descriptor = -1;
}

static bool write_all(int file, const void *bytes, size_t size)
{
	const char *text = bytes;

	for (size_t done = 0; done < size;) {
		ssize_t written = write(file, text + done, size - done);

		if (written < 0 && errno != EINTR)
			return false;
		done += written > 0 ? (size_t)written : 0;
	}
	return true;
}

/* Under another name first: it is there whole or not at all. */
static bool put_file(
	const struct runtime_dir *dir, const char *name, const void *bytes, size_t size)
{
	int file;
	bool written;

	(void)unlinkat(dir->descriptor, TEMPORARY_NAME, 0);
	file = openat(dir->descriptor, TEMPORARY_NAME,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	written = file >= 0 && write_all(file, bytes, size);
	if (file >= 0 && close(file) < 0)
		written = false;
	if (written && renameat(dir->descriptor, TEMPORARY_NAME, dir->descriptor, name) == 0)
		return true;
	log_error("cannot write %s/%s: %s", dir->path, name, strerror(errno));
	(void)unlinkat(dir->descriptor, TEMPORARY_NAME, 0);
	return false;
}

bool runtime_dir_save_configuration(const struct runtime_dir *dir, const char *text, size_t size)
{
	return put_file(dir, RUNTIME_CONFIGURATION_NAME, text, size);
}

bool runtime_dir_put_next(const struct runtime_dir *dir, const char *text, size_t size)
{
	return put_file(dir, NEXT_NAME, text, size);
}

int runtime_dir_open_next(const struct runtime_dir *dir)
{
	return openat(dir->descriptor, NEXT_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

void runtime_dir_refuse(const struct runtime_dir *dir, const char *why)
{
	(void)unlinkat(dir->descriptor, NEXT_NAME, 0);
	(void)put_file(dir, RUNTIME_REFUSED_NAME, why, strlen(why));
}

void runtime_dir_accept(const struct runtime_dir *dir)
{
	(void)unlinkat(dir->descriptor, NEXT_NAME, 0);
	(void)unlinkat(dir->descriptor, RUNTIME_REFUSED_NAME, 0);
}

bool runtime_dir_leave_note(const struct runtime_dir *dir, const void *bytes, size_t size)
{
	return put_file(dir, NOTE_NAME, bytes, size);
}

static void *read_file(int file, size_t max, size_t *ret_size)
{
	struct stat status;
	uint8_t *bytes;

	if (fstat(file, &status) < 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
		(size_t)status.st_size > max)
		return NULL;
	bytes = malloc((size_t)status.st_size + 1);
	if (bytes && pread(file, bytes, (size_t)status.st_size, 0) != status.st_size) {
		free(bytes);
		bytes = NULL;
	}
	*ret_size = (size_t)status.st_size;
	return bytes;
}

void *runtime_dir_read_note(const struct runtime_dir *dir, size_t max, size_t *ret_size)
{
	int file =
		openat(dir->descriptor, NOTE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	void *bytes = file >= 0 ? read_file(file, max, ret_size) : NULL;

	if (file >= 0)
		(void)close(file);
	return bytes;
}

void runtime_dir_forget_note(const struct runtime_dir *dir)
{
	(void)unlinkat(dir->descriptor, NOTE_NAME, 0);
}

void runtime_dir_forget_configuration(const struct runtime_dir *dir)
{
	(void)unlinkat(dir->descriptor, RUNTIME_CONFIGURATION_NAME, 0);
}

int runtime_dir_saved_configuration(const struct runtime_dir *dir)
{
	return openat(
		dir->descriptor, RUNTIME_CONFIGURATION_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static const char *raised_name(const char *device, char buffer[RAISED_NAME_SIZE])
{
	struct text name = text_init(buffer, RAISED_NAME_SIZE);

	text_add(&name, RAISED_PREFIX "%s", device);
	return buffer;
}

int runtime_dir_note_raised(const struct runtime_dir *dir, const char *device)
{
	char name[RAISED_NAME_SIZE];
	int file = openat(dir->descriptor, raised_name(device, name),
		O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (file < 0)
		return -errno;
	(void)close(file);
	return 0;
}

void runtime_dir_forget_raised(const struct runtime_dir *dir, const char *device)
{
	char name[RAISED_NAME_SIZE];

	(void)unlinkat(dir->descriptor, raised_name(device, name), 0);
}

void runtime_dir_raised(const struct runtime_dir *dir,
	void (*each)(const char *device, void *context), void *context)
{
	int folder = openat(dir->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = folder >= 0 ? fdopendir(folder) : NULL;
	const struct dirent *entry;

	if (!list && folder >= 0)
		(void)close(folder);
	if (!list)
		return;
	while ((entry = readdir(list))) {
		size_t prefix = sizeof(RAISED_PREFIX) - 1;

		if (strncmp(entry->d_name, RAISED_PREFIX, prefix) == 0 &&
			strlen(entry->d_name + prefix) < DEVICE_SIZE)
			each(entry->d_name + prefix, context);
	}
	(void)closedir(list);
}

/* Who may connect: root and the group ha, if there is one. */
static bool share_socket(const struct runtime_dir *dir, const gid_t *group)
{
	if (group &&
		fchownat(dir->descriptor, CONTROL_SOCKET_NAME, (uid_t)-1, *group,
			AT_SYMLINK_NOFOLLOW) < 0 &&
		geteuid() == 0)
		return false;
	return fchmodat(dir->descriptor, CONTROL_SOCKET_NAME, 0660, 0) == 0;
}

int runtime_dir_listen(const struct runtime_dir *dir, const gid_t *group)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct text path = text_init(address.sun_path, sizeof(address.sun_path));
	int listener;

	if (strlen(dir->path) + sizeof("/" CONTROL_SOCKET_NAME) > sizeof(address.sun_path)) {
		log_error("the path of the runtime folder is too long for a socket: at most %zu "
			  "characters",
			sizeof(address.sun_path) - sizeof("/" CONTROL_SOCKET_NAME));
		return -1;
	}
	text_add(&path, "%s/%s", dir->path, CONTROL_SOCKET_NAME);
	(void)unlinkat(dir->descriptor, CONTROL_SOCKET_NAME, 0);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		share_socket(dir, group) && listen(listener, CONTROL_BACKLOG) == 0)
		return listener;
	log_error("cannot open the control socket %s: %s", address.sun_path, strerror(errno));
	if (listener >= 0)
		(void)close(listener);
	return -1;
}

void runtime_dir_unlink_socket(const struct runtime_dir *dir)
{
	(void)unlinkat(dir->descriptor, CONTROL_SOCKET_NAME, 0);
}
