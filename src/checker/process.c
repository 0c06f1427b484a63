/* SPDX-License-Identifier: ISC */
/*
 * process NAME or process PIDFILE: such a process lives. Its end is told by the kernel (a pidfd),
 * so it costs nothing while it lives; a new one is looked for at that instant, and then each
 * interval.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/fatal.h"

#define COMM_LENGTH 15 /* the kernel keeps no more of a process's name */
#define READ_SIZE   256

struct process {
	uv_poll_t poll;
	int pidfd; /* -1: none is known */
	pid_t pid;
};

static ssize_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, buffer, size - 1);

	if (fd >= 0)
		(void)close(fd);
	buffer[length > 0 ? length : 0] = '\0';
	return length;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* By the name that the kernel keeps, which is cut, or by that of the program as it was called. */
static bool is_called(const char *pid, const char *name)
{
	char path[64], text[READ_SIZE];
	struct text t = text_init(path, sizeof(path));

	text_add(&t, "/proc/%s/comm", pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, name) == 0)
		return true;
	if (strlen(name) <= COMM_LENGTH || strncmp(text, name, COMM_LENGTH) != 0)
		return false;
	t = text_init(path, sizeof(path));
	text_add(&t, "/proc/%s/cmdline", pid);
	return read_file(path, text, sizeof(text)) > 0 && strcmp(last_part(text), name) == 0;
}

static pid_t find_by_name(const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	while (proc && found == 0 && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) && is_called(entry->d_name, name))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	if (proc)
		(void)closedir(proc);
	return found;
}

static pid_t read_pidfile(const char *path)
{
	char text[READ_SIZE];
	long pid;

	if (read_file(path, text, sizeof(text)) <= 0)
		return 0;
	pid = strtol(text, NULL, 10);
	return pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static void forget(struct process *own)
{
	if (own->pidfd < 0)
		return;
	uv_poll_stop(&own->poll);
	(void)close(own->pidfd);
	own->pidfd = -1;
}

/* A zombie has ended, though somebody has not noticed. */
static bool is_zombie(pid_t pid)
{
	char path[64], text[READ_SIZE];
	struct text t = text_init(path, sizeof(path));
	const char *behind;

	text_add(&t, "/proc/%d/stat", (int)pid);
	if (read_file(path, text, sizeof(text)) <= 0)
		return true;
	behind = strrchr(text, ')');
	return behind && behind[1] == ' ' && behind[2] == 'Z';
}

static void look(struct probe *p);

static void on_closed(uv_handle_t *handle)
{
	struct probe *p = handle->data;

	look(p);
}

static void on_end(uv_poll_t *poll, int status, int events)
{
	struct probe *p = poll->data;

	(void)status;
	(void)events;
	forget(p->own);
	uv_close((uv_handle_t *)poll, on_closed);
}

static bool watch(struct probe *p, pid_t pid)
{
	struct process *own = p->own;

	own->pid = pid;
	own->pidfd = pid > 0 && !is_zombie(pid) ? pidfd_open(pid, 0) : -1;
	if (own->pidfd < 0)
		return false;
	own->poll.data = p;
	if (uv_poll_init(p->checker->loop, &own->poll, own->pidfd) == 0 &&
		uv_poll_start(&own->poll, UV_READABLE, on_end) == 0)
		return true;
	fatal("the end of a process cannot be waited for");
}

/* Whether it lives, whose end is not known of. */
static void look(struct probe *p)
{
	const char *target = p->conf->target;
	char why[VERDICT_TEXT_SIZE];
	struct text t = text_init(why, sizeof(why));
	bool by_file = target[0] == '/';
	pid_t pid = by_file ? read_pidfile(target) : find_by_name(target);

	if (watch(p, pid)) {
		probe_answer(p, NULL, true);
		return;
	}
	if (by_file && pid > 0)
		text_add(&t, "process %d of %s is gone", (int)pid, target);
	else if (by_file)
		text_add(&t, "%s names no process", target);
	else
		text_add(&t, "no process is called %s", target);
	probe_answer(p, why, true);
}

static bool open_process(struct probe *p)
{
	struct process *own = p->own = calloc(1, sizeof(*own));

	if (!own)
		fatal("out of memory");
	own->pidfd = -1;
	return true;
}

static void begin(struct probe *p)
{
	struct process *own = p->own;

	if (own->pidfd >= 0)
		probe_answer(p, NULL, true);
	else if (!uv_is_closing((uv_handle_t *)&own->poll))
		look(p);
	else
		p->under_way = true; /* on_closed() looks */
}

const struct probe_kind PROBE_PROCESS = {.open = open_process, .begin = begin};
