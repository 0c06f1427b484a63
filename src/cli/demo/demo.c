/* SPDX-License-Identifier: ISC */
/* demo: three servers and a client on this machine; fails things and shows what the client sees. */
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "base/time.h"
#include "cli/command.h"
#include "cli/configuration.h"
#include "cli/demo/isolate.h"
#include "cli/demo/lan.h"
#include "cli/demo/probe.h"
#include "cli/demo/screen.h"
#include "cli/demo/story.h"
#include "cli/options.h"

#define TICK_MS         20
#define FRAME_TICKS     3
#define INTERVAL_MAX_NS NS_PER_S /* nobody wants to watch longer ones */

struct demo {
	const struct command *command;
	const char *interval;
	bool plain;
	int64_t interval_ns, tolerance_ns;
};

/* What runs on the loop. */
struct performance {
	uv_loop_t loop;
	uv_timer_t tick;
	uv_signal_t interrupt, terminate;
	unsigned ticks;
	bool interrupted;
	struct story story;
	struct screen screen;
};

/* The configuration's own parser judges the interval and tells the tolerance that follows from it.
 */
static int check_interval(struct demo *d)
{
	const char *lines[OPTIONS_LINES_MAX];
	struct conf_diagnostics *mistakes = NULL;
	struct options *options = calloc(1, sizeof(*options));
	struct configuration c = {.bytes = malloc(CONF_TEXT_MAX)};
	struct conf *conf = NULL;
	struct text text;
	const char *reason = NULL;
	int status = EXIT_USAGE;

	if (!options || !c.bytes) {
		status = command_failed(d->command, "out of memory");
		goto out;
	}
	(void)(options_add(options, options_key("interface"), "eth0", &reason) &&
		options_add(options, options_key("address"), CAST_SHARED_V4, &reason) &&
		options_add(options, options_key("interval"), d->interval, &reason));
	text = text_init(c.bytes, CONF_TEXT_MAX);
	options_compose(options, &text, lines);
	c.size = text.length;
	if (!reason && !configuration_parse(&c, &conf, &mistakes))
		reason = mistakes ? mistakes->list[0].message : "out of memory";
	else if (!reason && conf->node.interval_ns > INTERVAL_MAX_NS)
		reason = "the demo takes at most 1s";
	if (reason) {
		(void)command_misused(d->command, "--interval: %s", reason);
		goto out;
	}
	d->interval_ns = conf->node.interval_ns;
	d->tolerance_ns = conf->node.tolerance_ns;
	status = EXIT_DONE;
out:
	conf_free(conf);
	free(conf);
	free(mistakes);
	configuration_done(&c);
	free(options);
	return status;
}

static void on_tick(uv_timer_t *timer)
{
	struct performance *p = timer->data;
	const bool goes_on = story_advance(&p->story);

	if (!goes_on || p->ticks++ % FRAME_TICKS == 0)
		screen_show(&p->screen, &p->story, !goes_on);
	if (!goes_on)
		uv_stop(&p->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct performance *p = handle->data;

	(void)number;
	p->interrupted = true;
	uv_stop(&p->loop);
}

static void start_handles(struct performance *p)
{
	(void)uv_timer_init(&p->loop, &p->tick);
	(void)uv_signal_init(&p->loop, &p->interrupt);
	(void)uv_signal_init(&p->loop, &p->terminate);
	p->tick.data = p->interrupt.data = p->terminate.data = p;
	(void)uv_timer_start(&p->tick, on_tick, 0, TICK_MS);
	(void)uv_signal_start(&p->interrupt, on_signal, SIGINT);
	(void)uv_signal_start(&p->terminate, on_signal, SIGTERM);
}

static int judge(const struct performance *p)
{
	if (p->interrupted)
		return command_failed(p->story.command, "interrupted; everything is taken away");
	if (story_is_good(&p->story)) {
		printf("\nAfter each step the right server answered. Nothing is left behind.\n");
		return command_finish_output(p->story.command);
	}
	for (int i = 0; i < SERVERS; i++)
		server_print_log(&p->story.servers[i]);
	return command_failed(p->story.command, "not every step ended with the right server");
}

/* Within the isolation. Takes nothing down: the kernel does, when this process ends. */
static int perform(void *context)
{
	const struct demo *d = context;
	struct performance *p = calloc(1, sizeof(*p));
	struct probe_log *log;
	struct lan lan;
	int status;

	if (!p || uv_loop_init(&p->loop) != 0)
		return command_failed(d->command, "out of memory");
	status = lan_build(d->command, &lan);
	if (status == EXIT_DONE)
		status = probe_start(d->command, &lan, &log);
	if (status == EXIT_DONE)
		status = server_make_key(d->command);
	if (status != EXIT_DONE)
		return status;
	story_init(&p->story, d->command, &lan, log);
	p->story.interval_ms = (double)d->interval_ns / (double)NS_PER_MS;
	p->story.tolerance_ns = d->tolerance_ns;
	for (int i = 0; i < SERVERS; i++)
		server_init(&p->story.servers[i], i, &p->loop, &lan, d->interval);
	story_begin(&p->story);
	p->screen = screen_open(d->plain);
	start_handles(p);
	(void)uv_run(&p->loop, UV_RUN_DEFAULT);
	return judge(p);
}

int demo_command(const struct command *command, int argc, char **argv)
{
	static const struct option OPTIONS[] = {{"interval", required_argument, NULL, 'i'},
		{"plain", no_argument, NULL, 'p'}, OPTIONS_END};
	struct demo demo = {.command = command, .interval = "100ms"};
	int option, status;

	while ((option = command_option(command, argc, argv, SHORT_OPTIONS, OPTIONS, &status)) !=
		-1) {
		if (option == OPTION_STOP)
			return status;
		if (option == 'i')
			demo.interval = optarg;
		else
			demo.plain = true;
	}
	status = command_options_only(command, argc, argv);
	if (status != EXIT_DONE)
		return status;
	status = check_interval(&demo);
	return status == EXIT_DONE ? isolate_run(command, perform, &demo) : status;
}
