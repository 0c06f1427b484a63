/* SPDX-License-Identifier: ISC */
/*
 * file PATH: it exists. file PATH worth: it holds a number, the worth. Changes are told by inotify
 * of its folder, which also sees a file that is replaced; and it is looked at each interval, for
 * folders that come later.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "checker/checker.h"
#include "sys/fatal.h"

#define CONTENT_SIZE 32

struct file {
	uv_fs_event_t watch;
	bool watching;
	char folder[PATH_SIZE];
};

/* The number in @text with nothing but white space around it, 0 to 65535. */
static bool parse_worth(const char *text, uint16_t *ret_worth)
{
	char *end;
	unsigned long number;

	text += strspn(text, " \t\r\n");
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || number > UINT16_MAX || end[strspn(end, " \t\r\n")] != '\0')
		return false;
	*ret_worth = (uint16_t)number;
	return true;
}

static const char *read_worth(const char *path, uint16_t *ret_worth)
{
	char content[CONTENT_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = fd < 0 ? -1 : read(fd, content, sizeof(content) - 1);
	int error = errno;

	if (fd >= 0)
		(void)close(fd);
	if (length < 0)
		return strerror(error);
	content[length] = '\0';
	return parse_worth(content, ret_worth) ? NULL : "it holds no number from 0 to 65535";
}

static void look(struct probe *p)
{
	const char *why = NULL;
	struct stat st;

	if (p->conf->is_worth)
		why = read_worth(p->conf->target, &p->word.value);
	else if (stat(p->conf->target, &st) != 0)
		why = strerror(errno);
	probe_answer(p, why, true);
}

static void on_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct probe *p = watch->data;
	const char *own = strrchr(p->conf->target, '/') + 1;

	(void)events;
	if (status == 0 && name && strcmp(name, own) != 0)
		return;
	look(p);
}

static bool open_file(struct probe *p)
{
	struct file *f = p->own = calloc(1, sizeof(*f));
	char *slash;

	if (!f || uv_fs_event_init(p->checker->loop, &f->watch) != 0)
		fatal("out of memory");
	f->watch.data = p;
	text_copy(f->folder, sizeof(f->folder), p->conf->target);
	slash = strrchr(f->folder, '/');
	slash[slash == f->folder] = '\0';
	return true;
}

/* A folder that was removed is watched in vain: it is asked for anew each time. */
static void watch_folder(struct probe *p)
{
	struct file *f = p->own;

	if (f->watching)
		(void)uv_fs_event_stop(&f->watch);
	f->watching = uv_fs_event_start(&f->watch, on_change, f->folder, 0) == 0;
}

static void begin(struct probe *p)
{
	watch_folder(p);
	look(p);
}

const struct probe_kind PROBE_FILE = {.open = open_file, .begin = begin};
