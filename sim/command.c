/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "sim/commands/commands.h"

bool words_duration(const char *text, int64_t *ret_ns)
{
	char *unit;
	long long number = strtoll(text, &unit, 10);

	if (unit == text || number < 0)
		return false;
	if (is(unit, "us"))
		*ret_ns = number * NS_PER_US;
	else if (is(unit, "ms"))
		*ret_ns = number * NS_PER_MS;
	else if (is(unit, "s"))
		*ret_ns = number * NS_PER_S;
	else
		return false;
	return true;
}

bool words_switch(const char *text, bool *ret_on)
{
	*ret_on = is(text, "on");
	return *ret_on || is(text, "off");
}

static bool run_run(struct world *w, struct words words)
{
	int64_t duration_ns;

	if (words.count != 1 || !words_duration(words.list[0], &duration_ns))
		return false;
	schedule_run(w, duration_ns);
	return true;
}

/* seed NUMBER: what loss, jitter and lateness are drawn from. */
static bool run_seed(struct world *w, struct words words)
{
	if (words.count != 1)
		return false;
	w->random = random_init(strtoull(words.list[0], NULL, 10));
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct world *w, struct words words);
} COMMANDS[] = {
	{"announcements", command_announcements},
	{"client", command_client},
	{"configuration", command_configuration},
	{"crash", command_crash},
	{"cut", command_cut},
	{"delay", command_delay},
	{"device", command_device},
	{"drain", command_drain},
	{"drift", command_drift},
	{"drops", command_drops},
	{"duplicates", command_duplicates},
	{"fence", command_fence},
	{"forge", command_forge},
	{"freeze", command_freeze},
	{"heal", command_heal},
	{"health", command_health},
	{"jitter", command_jitter},
	{"kill", command_kill},
	{"late", command_late},
	{"lifetimes", command_lifetimes},
	{"loss", command_loss},
	{"mute", command_mute},
	{"node", command_node},
	{"orphan", command_orphan},
	{"prepare", command_prepare},
	{"refuse", command_refuse},
	{"reload", command_reload},
	{"remember", command_remember},
	{"remove", command_remove},
	{"replay", command_replay},
	{"replace", command_replace},
	{"restarts", command_restarts},
	{"restore", command_restore},
	{"resume", command_resume},
	{"router", command_router},
	{"run", run_run},
	{"seed", run_seed},
	{"settled", command_settled},
	{"stall", command_stall},
	{"start", command_start},
	{"steps", command_steps},
	{"stop", command_stop},
	{"changes", command_changes},
	{"stranger", command_stranger},
	{"who", command_who},
	{"yield", command_yield},
};

static bool dispatch(struct world *w, char **words, size_t count)
{
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
		if (is(COMMANDS[i].name, words[0])) {
			bool done = COMMANDS[i].run(w, (struct words){words + 1, count - 1});

			if (w->tell)
				world_tell_serving(w);
			return done;
		}
	return false;
}

/* Leaves out everything but broken promises. */
static void tell_violations(void *context, const char *line)
{
	const struct world *w = context;

	if (strstr(line, "] VIOLATION: "))
		w->quiet_tell(w->quiet_context, line);
}

static bool run_quietly(struct world *w, char **words, size_t count)
{
	bool done;

	w->quiet_tell = w->tell;
	w->quiet_context = w->tell_context;
	w->tell = tell_violations;
	w->tell_context = w;
	done = dispatch(w, words, count);
	w->tell = w->quiet_tell;
	w->tell_context = w->quiet_context;
	return done;
}

bool command_run(struct world *w, char **words, size_t count)
{
	if (count == 0)
		return false;
	if (is(words[0], "quietly"))
		return count > 1 && run_quietly(w, words + 1, count - 1);
	return dispatch(w, words, count);
}

bool command_run_text(struct world *w, const char *text)
{
	char copy[COMMAND_TEXT_SIZE], *words[COMMAND_WORDS_MAX], *rest = copy, *word;
	size_t count = 0;

	if (!text_copy(copy, sizeof(copy), text))
		return false;
	while ((word = strsep(&rest, " \t")) != NULL && count < COMMAND_WORDS_MAX)
		if (word[0] != '\0')
			words[count++] = word;
	return command_run(w, words, count);
}
