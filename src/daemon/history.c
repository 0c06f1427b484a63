/* SPDX-License-Identifier: ISC */
/*
 * The history: each change of state as a line of JSON in the state folder, for `ha history`. A disk
 * may be slow or stuck, so a process of its own writes, which may wait for it; the engine's end of
 * the pipe never does. It keeps the present file and the one before, HISTORY_LINES_MAX lines each.
 */
#include "daemon/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/assert.h"
#include "base/text.h"
#include "sys/descriptors.h"
#include "sys/fatal.h"
#include "sys/log.h"
#include "sys/syscalls.h"
#include "wire/handoff.h"
#include "wire/history.h"

#define PROCESS_NAME     "ha-history"
#define PIPE_SIZE        (1024 * 1024) /* some thousand lines */
#define LAST_PATIENCE_MS 300
#define FILE_MODE        0640
#define FULL_PAUSE_NS    (5 * NS_PER_MS)

struct history {
	int pipe;        /* to the writer */
	int alive;       /* its end closes when the writer ends */
	ha_time full_at; /* the pipe was; TIME_ORIGIN: never */
	bool failing;    /* said so */
	uint64_t lost;
	struct metrics *metrics;
};

/* What goes through the pipe. */
struct record {
	int64_t wall_ms;
	uint64_t lost; /* so many are missing before it */
	char node[NAME_SIZE];
	struct report report;
};

static_assert(sizeof(struct record) <= PIPE_BUF, "a pipe takes it all or not");

/* --- the writer's process */

struct writer {
	int folder, pipe, file;
	size_t lines; /* in the file */
	bool told;    /* that it cannot write */
};

/* clang-format off */
static const char *const NEEDED[] = {
	"brk", "clock_gettime", "close", "exit", "exit_group", "fcntl", "fstat", "lseek", "madvise", "mmap", "mremap", "munmap",
	"newfstatat", "openat", "poll", "ppoll", "read", "renameat", "renameat2", "restart_syscall",
	"rt_sigreturn", "write",
};
/* clang-format on */

/* Counts what is there; a line that was torn by a crash is ended, so that the next one is whole. */
static void take_stock(struct writer *w)
{
	char bytes[4096], last = '\n';
	ssize_t size;

	w->lines = 0;
	while ((size = read(w->file, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < size; i++)
			w->lines += bytes[i] == '\n';
		last = bytes[size - 1];
	}
	if (last != '\n' && write(w->file, "\n", 1) == 1)
		w->lines++;
}

static void open_file(struct writer *w)
{
	w->file = openat(w->folder, HISTORY_FILE,
		O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (w->file >= 0)
		take_stock(w);
}

static void begin_another(struct writer *w)
{
	(void)close(w->file);
	(void)renameat(w->folder, HISTORY_FILE, w->folder, HISTORY_FILE_BEFORE);
	open_file(w);
}

static void write_line(struct writer *w, const char *line, size_t size)
{
	if (w->file < 0)
		open_file(w);
	else if (w->lines >= HISTORY_LINES_MAX)
		begin_another(w);
	if (w->file >= 0 && write(w->file, line, size) == (ssize_t)size) {
		w->lines++;
		w->told = false;
		return;
	}
	if (!w->told)
		log_warning("the history cannot be written: %s", strerror(errno));
	w->told = true;
	/* Begun anew, and with it the count, when there is room again. */
	if (w->file >= 0)
		(void)close(w->file);
	w->file = -1;
}

static void write_json(struct writer *w, json_t *json)
{
	char line[HISTORY_LINE_MAX];
	size_t size = 0;

	if (json)
		size = json_dumpb(json, line, sizeof(line) - 1, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(json);
	if (size == 0 || size > sizeof(line) - 1)
		return;
	line[size] = '\n';
	write_line(w, line, size + 1);
}

/* The pipe takes a record all or not, so they come whole. */
static void write_records(struct writer *w)
{
	struct record record;

	while (read(w->pipe, &record, sizeof(record)) == sizeof(record)) {
		if (record.lost > 0)
			write_json(w, json_pack("{s:I}", "lost", (json_int_t)record.lost));
		write_json(w, history_to_json(&record.report, record.wall_ms, record.node));
	}
}

/* It has none of the engine's descriptors: the end of the channel tells the keeper of the engine's
 * end. */
_Noreturn static void be_writer(int folder, int pipe, int alive)
{
	struct writer w = {.folder = 3, .pipe = 4, .file = -1};
	int spare = fcntl(folder, F_DUPFD, 10), input = fcntl(pipe, F_DUPFD, 10);
	int sign = fcntl(alive, F_DUPFD, 10);

	(void)prctl(PR_SET_NAME, PROCESS_NAME);
	if (dup2(spare, w.folder) < 0 || dup2(input, w.pipe) < 0 || dup2(sign, 5) < 0 ||
		close_range(6, ~0u, 0) < 0)
		_exit(EXIT_FAILURE);
	(void)signal(SIGTERM, SIG_IGN); /* until the engine has told its last change */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	json_object_seed(0);
	(void)syscalls_allow_only(
		(struct syscalls){NEEDED, sizeof(NEEDED) / sizeof(NEEDED[0])}, NULL, 0);
	open_file(&w);
	write_records(&w);
	_exit(EXIT_SUCCESS);
}

/* --- the engine's process */

static bool start_writer(struct history *h, int folder)
{
	int ends[2], alive[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	if (pipe2(alive, O_CLOEXEC) < 0) {
		descriptors_close(ends, 2);
		return false;
	}
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
	(void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0) {
		log_rename(PROCESS_NAME);
		be_writer(folder, ends[0], alive[1]);
	}
	(void)close(ends[0]);
	(void)close(alive[1]);
	h->pipe = ends[1];
	h->alive = alive[0];
	return pid > 0;
}

struct history *history_open(int folder)
{
	struct history *h = calloc(1, sizeof(*h));
	struct stat status;

	if (!h)
		fatal("out of memory");
	h->pipe = h->alive = -1;
	if (fstat(folder, &status) == 0 && S_ISDIR(status.st_mode) && !start_writer(h, folder))
		log_warning("there is no history: %s", strerror(errno));
	(void)close(folder);
	return h;
}

void history_count_in(struct history *h, struct metrics *metrics)
{
	h->metrics = metrics;
}

/* Ten thousand groups may change at once: so what is given to the writer costs little, and when the
 * pipe is full it is not tried again for each. */
void history_add(struct history *h, const char *node, const struct report *r, int64_t wall_ms)
{
	struct record record = {.wall_ms = wall_ms, .lost = h->lost, .report = *r};

	if (h->pipe < 0 || r->kind != REPORT_STATE)
		return;
	text_copy(record.node, sizeof(record.node), node);
	if (time_between(h->full_at, r->at) >= FULL_PAUSE_NS &&
		write(h->pipe, &record, sizeof(record)) == sizeof(record)) {
		h->lost = 0;
		return;
	}
	if (h->lost++ == 0 || time_between(h->full_at, r->at) >= FULL_PAUSE_NS)
		h->full_at = r->at;
	metrics_count(h->metrics, METRIC_HISTORY_LOST);
	if (!h->failing)
		log_warning("the history is not written fast enough; some changes will be missing");
	h->failing = true;
}

void history_finish(struct history *h)
{
	struct pollfd alive = {.fd = h->alive, .events = POLLIN};

	if (h->pipe < 0)
		return;
	(void)close(h->pipe);
	h->pipe = -1;
	(void)poll(&alive, 1, LAST_PATIENCE_MS);
}
