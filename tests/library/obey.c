/* SPDX-License-Identifier: ISC */
/*
 * obey: a program with a node that does what it is told, a command a line:
 *   worth N, healthy, unhealthy REASON, stop, free, spin SECONDS (without any rest), snapshot,
 *   yield [NODE], drain 0|1, resume [GROUP],
 *   block SECONDS (in the next callback), policy N (the worth that its own policy answers), veto
 * 0|1 obey INTERFACE ADDRESS [policy] | obey --attached GROUP [policy]
 */
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ha/ha.h>

struct state {
	ha_node *node;
	int block_seconds, policy_worth, veto;
};

static void on_event(ha_node *node, const struct ha_event *event, void *context)
{
	static const char *const KINDS[] = {
		"state", "holder", "peer", "fault", "notice", "stopped", "answer"};
	static const char *const STATES[] = {"STANDBY", "ACTIVE", "SHUTDOWN"};
	struct state *s = context;

	(void)node;
	printf("%s %s %s %llu: %s\n", KINDS[event->kind], event->group,
		event->kind == HA_EVENT_STATE ? STATES[event->state] : event->peer,
		(unsigned long long)event->epoch, event->text);
	fflush(stdout);
	if (s->block_seconds > 0) {
		sleep((unsigned)s->block_seconds);
		s->block_seconds = 0;
	}
}

static int policy(ha_node *node, const char *group, int configured, void *context)
{
	const struct state *s = context;

	(void)node;
	(void)group;
	return s->policy_worth < 0 ? configured : s->policy_worth;
}

static int veto(ha_node *node, const char *group, void *context)
{
	(void)node;
	(void)group;
	return ((const struct state *)context)->veto;
}

/* The last of them by name, whatever its worth. */
static int choose(ha_node *node, const char *group, const struct ha_candidate *candidates,
	size_t count, void *context)
{
	size_t last = 0;

	(void)node;
	(void)context;
	for (size_t i = 0; i < count; i++) {
		printf("candidate %s %s %s %d\n", group, candidates[i].name, candidates[i].address,
			candidates[i].worth);
		if (strcmp(candidates[i].name, candidates[last].name) > 0)
			last = i;
	}
	return (int)last;
}

static void spin(int seconds)
{
	time_t end = time(NULL) + seconds;

	while (time(NULL) < end)
		;
}

static void print_snapshot(ha_node *node)
{
	char *json;

	if (ha_snapshot(node, &json) < 0) {
		printf("error %s\n", ha_error(node));
		return;
	}
	printf("snapshot %s\n", json);
	free(json);
}

static void answer(const struct state *s, int r)
{
	if (r < 0)
		printf("error %d %s\n", r, ha_error(s->node));
	fflush(stdout);
}

static void obey(struct state *s, const char *word, const char *rest)
{
	int number = atoi(rest);

	if (strcmp(word, "worth") == 0)
		answer(s, ha_set_worth(s->node, NULL, number));
	else if (strcmp(word, "healthy") == 0)
		answer(s, ha_set_health(s->node, NULL, 1, NULL));
	else if (strcmp(word, "unhealthy") == 0)
		answer(s, ha_set_health(s->node, NULL, 0, rest));
	else if (strcmp(word, "stop") == 0)
		answer(s, ha_stop(s->node));
	else if (strcmp(word, "snapshot") == 0)
		print_snapshot(s->node);
	else if (strcmp(word, "spin") == 0)
		spin(number);
	else if (strcmp(word, "block") == 0)
		s->block_seconds = number;
	else if (strcmp(word, "yield") == 0)
		answer(s, ha_yield(s->node, NULL, rest[0] ? rest : NULL));
	else if (strcmp(word, "drain") == 0)
		answer(s, ha_drain(s->node, number));
	else if (strcmp(word, "resume") == 0)
		answer(s, ha_resume(s->node, rest[0] ? rest : NULL));
	else if (strcmp(word, "policy") == 0)
		s->policy_worth = number;
	else if (strcmp(word, "veto") == 0)
		s->veto = number;
	else
		printf("error what is %s?\n", word);
	fflush(stdout);
}

/* One line of standard input; 0 at its end. */
static int read_command(struct state *s)
{
	char line[256];
	size_t length;
	char *rest;

	for (length = 0; length < sizeof(line) - 1; length++) {
		if (read(STDIN_FILENO, &line[length], 1) != 1)
			return 0;
		if (line[length] == '\n')
			break;
	}
	line[length] = '\0';
	rest = strchr(line, ' ');
	if (rest)
		*rest++ = '\0';
	obey(s, line, rest ? rest : "");
	return 1;
}

static void read_options(int count, char **words, struct state *s, struct ha_options *o)
{
	if (strcmp(words[1], "--attached") == 0) {
		o->attached = 1;
		o->group = words[2];
	} else if (strcmp(words[1], "--file") == 0) {
		o->file = words[2];
	} else {
		o->interface = words[1];
		o->address = words[2];
		o->name = getenv("HA_NAME");
	}
	o->runtime_dir = getenv("HA_RUNTIME_DIR");
	o->keeper = getenv("HA_KEEPER");
	o->event = on_event;
	o->context = s;
	if (count > 3) {
		o->worth_of = policy;
		o->veto = veto;
		o->choose = choose;
	}
}

int main(int count, char **words)
{
	struct state s = {.node = ha_new(), .policy_worth = -1};
	struct ha_options o = HA_OPTIONS_INIT;
	int r = 0, listening = 1;

	if (count < 3 || !s.node)
		return 2;
	read_options(count, words, &s, &o);
	if (ha_open(s.node, &o) < 0) {
		fprintf(stderr, "%s\n", ha_error(s.node));
		ha_free(s.node);
		return 1;
	}
	if (getenv("HA_USER") &&
		(setgroups(0, NULL) < 0 || setgid((gid_t)atoi(getenv("HA_USER"))) < 0 ||
			setuid((uid_t)atoi(getenv("HA_USER"))) < 0))
		return 3;
	while (r == 0) {
		struct pollfd ready[] = {
			{ha_fd(s.node), POLLIN, 0}, {listening ? STDIN_FILENO : -1, POLLIN, 0}};

		(void)poll(ready, 2, -1);
		if (ready[1].revents)
			listening = read_command(&s);
		r = ha_dispatch(s.node);
	}
	ha_free(s.node);
	return r < 0 ? 1 : 0;
}
