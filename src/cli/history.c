/* SPDX-License-Identifier: ISC */
/* history: the last changes of state of this server, from the files that the daemon leaves in its
 * state folder: also when no daemon runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/metrics.h"
#include "cli/render.h"
#include "cli/state_dir.h"
#include "cli/style.h"
#include "wire/heartbeat.h"
#include "wire/history.h"

#define CLOCK_SIZE 40
#define TEXT_SIZE  2048

struct entry {
	char *line;   /* owned, without its newline */
	json_t *json; /* owned */
};

struct history {
	const struct command *command;
	const char *state_dir;
	const char *group; /* NULL: all */
	bool json;
	bool colour;
	size_t wanted;
	/* A ring of the last ones that are wanted. */
	size_t count;
	struct entry entries[HISTORY_LINES_MAX];
};

static void drop(struct entry *e)
{
	json_decref(e->json);
	free(e->line);
}

/* Of the group that was asked for; a note of missing ones is of every group. */
static bool is_wanted(const struct history *h, const json_t *json)
{
	const char *group = json_string_value(json_object_get(json, "group"));

	if (json_is_integer(json_object_get(json, "lost")))
		return true;
	return group && (!h->group || strcmp(group, h->group) == 0);
}

/* What is not JSON was torn by a crash of the machine: passed over. */
static void take_line(struct history *h, const char *line)
{
	json_t *json = json_loads(line, 0, NULL);
	struct entry *e = &h->entries[h->count % HISTORY_LINES_MAX];

	if (!json || !is_wanted(h, json)) {
		json_decref(json);
		return;
	}
	if (h->count >= HISTORY_LINES_MAX)
		drop(e);
	*e = (struct entry){.line = strdup(line), .json = json};
	h->count++;
}

/* 0 or -errno. */
static int read_file(struct history *h, const char *name)
{
	char path[2 * PATH_SIZE], line[2 * HISTORY_LINE_MAX];
	struct text text = text_init(path, sizeof(path));
	FILE *file;

	text_add(&text, "%s/%s", h->state_dir, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		char *end = strchr(line, '\n');

		if (!end)
			continue; /* torn, or overlong */
		*end = '\0';
		take_line(h, line);
	}
	(void)fclose(file);
	return 0;
}

static void format_clock(int64_t wall_ms, char clock[CLOCK_SIZE])
{
	const time_t seconds = (time_t)(wall_ms / 1000);
	struct text text = text_init(clock, CLOCK_SIZE);
	struct tm local;

	if (!localtime_r(&seconds, &local))
		local = (struct tm){0};
	text_add(&text, "%04d-%02d-%02d %02d:%02d:%02d.%03d", local.tm_year + 1900,
		local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
		(int)(wall_ms % 1000));
}

static void add_durations(struct text *t, const struct report *r)
{
	const char *separator = " (";

	if (r->took_us > 0) {
		text_add(t, "%stook ", separator);
		render_microseconds(t, r->took_us);
		separator = ", ";
	}
	if (r->lasted_us > 0 && r->from) {
		text_add(t, "%swas %s for ", separator, node_state_name(r->from));
		render_duration(t, r->lasted_us / 1000);
		separator = ", ";
	}
	if (*separator == ',')
		text_add(t, ")");
}

static void print_entry(const struct history *h, const struct entry *e)
{
	char clock[CLOCK_SIZE], buffer[TEXT_SIZE];
	struct text t = text_init(buffer, sizeof(buffer));
	const char *reason;
	struct report r;
	int64_t wall_ms;

	if (h->json) {
		print_foreign_line(e->line);
	} else if (report_from_json(e->json, &r, &wall_ms, &reason)) {
		format_clock(wall_ms, clock);
		render_report(&t, &r, clock, h->colour);
		if (t.length > 0 && buffer[t.length - 1] == '\n')
			buffer[--t.length] = '\0';
		add_durations(&t, &r);
		puts(buffer);
	} else {
		printf("(%" JSON_INTEGER_FORMAT " changes are missing here)\n",
			json_integer_value(json_object_get(e->json, "lost")));
	}
}

static int print_entries(const struct history *h)
{
	size_t kept = h->count < HISTORY_LINES_MAX ? h->count : HISTORY_LINES_MAX;
	size_t shown = h->wanted < kept ? h->wanted : kept;

	for (size_t i = h->count - shown; i < h->count; i++)
		print_entry(h, &h->entries[i % HISTORY_LINES_MAX]);
	return command_finish_output(h->command);
}

static int show(struct history *h)
{
	int before = read_file(h, HISTORY_FILE_BEFORE), present = read_file(h, HISTORY_FILE);
	int status = EXIT_DONE;

	if (before < 0 && present < 0)
		status = command_failed(h->command, "there is no history in %s: %s", h->state_dir,
			present == -ENOENT ? "nothing has changed yet" : strerror(-present));
	else
		status = print_entries(h);
	for (size_t i = 0; i < h->count && i < HISTORY_LINES_MAX; i++)
		drop(&h->entries[i]);
	return status;
}

static bool parse_count(const char *text, size_t *ret_count)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || count < 1 || count > HISTORY_LINES_MAX)
		return false;
	*ret_count = count;
	return true;
}

static int read_options(struct history *h, int argc, char **argv, char buffer[PATH_SIZE])
{
	static const struct option OPTIONS[] = {{"json", no_argument, NULL, 'j'},
		{"lines", required_argument, NULL, 'n'},
		{"runtime-dir", required_argument, NULL, 'r'},
		{"state-dir", required_argument, NULL, 's'}, OPTIONS_END};
	const char *runtime_dir = DEFAULT_RUNTIME_DIR, *state_dir = NULL;
	int option, status;

	while ((option = command_option(h->command, argc, argv, ":hn:", OPTIONS, &status)) != -1) {
		switch (option) {
		case OPTION_STOP: return status;
		case 'j': h->json = true; break;
		case 'r': runtime_dir = optarg; break;
		case 's': state_dir = optarg; break;
		default:
			if (!parse_count(optarg, &h->wanted))
				return command_misused(h->command,
					"-n takes a number from 1 to %d, not %s", HISTORY_LINES_MAX,
					optarg);
		}
	}
	if (optind + 1 < argc)
		return command_misused(
			h->command, "one GROUP at most, not also %s", argv[optind + 1]);
	h->group = argv[optind];
	h->state_dir = state_dir_of(state_dir, runtime_dir, buffer);
	return -1;
}

int history_command(const struct command *command, int argc, char **argv)
{
	struct history *h = calloc(1, sizeof(*h));
	char buffer[PATH_SIZE];
	int status;

	if (!h)
		return command_failed(command, "out of memory");
	h->command = command;
	h->wanted = HISTORY_LINES_MAX;
	h->colour = colour_wanted(STDOUT_FILENO);
	status = read_options(h, argc, argv, buffer);
	if (status < 0)
		status = show(h);
	free(h);
	return status;
}
