/* SPDX-License-Identifier: ISC */
/* sim: runs whole clusters through random faults on a virtual clock. docs/testing.md. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim/run.h"
#include "sim/shrink.h"

#define PROGRESS_WIDTH 40
#define PROGRESS_NS    (NS_PER_S / 5)

struct options {
	uint64_t first, last;
	int64_t seconds; /* 0: until the last seed */
	bool replay, shrink, quiet, until_failure;
};

static int usage(void)
{
	fputs("usage: sim [--seeds FROM..TO | --count N] [--seconds N] [--quiet]\n"
	      "       sim --replay SEED    tell one seed as a story\n"
	      "       sim --shrink SEED    make a failing seed smaller, print it as a story\n"
	      "  --seeds FROM..TO  these seeds; 1..1000 if nothing is said\n"
	      "  --count N         so many fresh ones\n"
	      "  --seconds N       stop after so long\n"
	      "  --until-failure   stop at the first seed that fails\n"
	      "  --quiet           no summary\n",
		stderr);
	return 2;
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool parse_number(const char *text, const char **ret_end, uint64_t *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	*ret_end = end;
	return errno == 0 && end != text && text[0] >= '0' && text[0] <= '9';
}

static bool parse_whole(const char *text, uint64_t *ret_number)
{
	const char *end;

	return parse_number(text, &end, ret_number) && *end == '\0';
}

static bool parse_seeds(const char *text, struct options *o)
{
	const char *end;

	return parse_number(text, &end, &o->first) && strncmp(end, "..", 2) == 0 &&
	       parse_whole(end + 2, &o->last) && o->first <= o->last;
}

/* Seeds that nobody has run before, far from the fixed ones. */
static void choose_fresh(struct options *o, uint64_t count)
{
	o->first = (uint64_t)now_ns(CLOCK_REALTIME) / 1000;
	o->last = o->first + count - 1;
}

static bool take_option(struct options *o, int option, const char *value)
{
	uint64_t number = 0;

	switch (option) {
	case 's': return parse_seeds(value, o);
	case 'q': o->quiet = true; return true;
	case 'u': o->until_failure = true; return true;
	default: break;
	}
	if (!parse_whole(value, &number))
		return false;
	switch (option) {
	case 'c': choose_fresh(o, number); return number > 0;
	case 't': o->seconds = (int64_t)number; return number > 0 && number <= INT32_MAX;
	case 'r':
	case 'k':
		o->first = o->last = number;
		o->replay = option == 'r';
		o->shrink = option == 'k';
		return true;
	default: return false;
	}
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option names[] = {
		{"seeds", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"seconds", required_argument, NULL, 't'},
		{"replay", required_argument, NULL, 'r'},
		{"shrink", required_argument, NULL, 'k'},
		{"quiet", no_argument, NULL, 'q'},
		{"until-failure", no_argument, NULL, 'u'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*o = (struct options){.first = 1, .last = 1000};
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (option == '?' || !take_option(o, option, optarg))
			return false;
	return optind == argc;
}

static void print_line(void *context, const char *line)
{
	(void)context;
	puts(line);
}

static int replay(uint64_t seed)
{
	static struct plan plan;
	struct run_result result;

	plan_draw(&plan, seed);
	result = run_plan(&plan, NULL, print_line, NULL);
	printf("seed %llu: %s\n", (unsigned long long)seed,
		result.failed ? result.what : "every promise was kept");
	return result.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int shrink_seed(uint64_t seed)
{
	static struct plan plan;

	plan_draw(&plan, seed);
	if (!shrink(&plan)) {
		printf("seed %llu does not fail\n", (unsigned long long)seed);
		return EXIT_SUCCESS;
	}
	plan_print_story(&plan);
	printf("# %s\n", run_plan(&plan, NULL, NULL, NULL).what);
	return EXIT_FAILURE;
}

/* --- many seeds */

struct campaign {
	const struct options *options;
	int64_t begun_ns, begun_cpu_ns, progress_ns;
	uint64_t failures;
	struct tally tally;
};

static double elapsed_s(const struct campaign *c)
{
	return (double)(now_ns(CLOCK_MONOTONIC) - c->begun_ns) / (double)NS_PER_S;
}

static double done_part(const struct campaign *c)
{
	const struct options *o = c->options;
	double seeds = (double)c->tally.seeds / (double)(o->last - o->first + 1);
	double time = o->seconds > 0 ? elapsed_s(c) / (double)o->seconds : 0;

	return seeds > time ? seeds : time;
}

static void show_progress(struct campaign *c)
{
	int64_t now = now_ns(CLOCK_MONOTONIC);
	double part = done_part(c);
	int filled = (int)((part < 1 ? part : 1) * PROGRESS_WIDTH);

	if (!isatty(STDERR_FILENO) || now - c->progress_ns < PROGRESS_NS)
		return;
	c->progress_ns = now;
	fprintf(stderr, "\r[%.*s%*s] %llu seeds, %.0f/s, %llu failed ", filled,
		"########################################", PROGRESS_WIDTH - filled, "",
		(unsigned long long)c->tally.seeds, (double)c->tally.seeds / elapsed_s(c),
		(unsigned long long)c->failures);
}

static void report_failure(struct campaign *c, uint64_t seed, const struct run_result *result)
{
	c->failures++;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	printf("seed %llu fails after %.3f s: %s; replay: sim --replay %llu\n",
		(unsigned long long)seed, (double)result->at_ns / (double)NS_PER_S, result->what,
		(unsigned long long)seed);
	fflush(stdout);
}

static void print_summary(const struct campaign *c)
{
	double cpu_s =
		(double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - c->begun_cpu_ns) / (double)NS_PER_S;
	double hours = (double)c->tally.simulated_ns / (double)(3600 * NS_PER_S);

	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (!c->options->quiet)
		tally_print(&c->tally);
	printf("%llu seeds from %llu, %llu failed; %.1f simulated hours, %llu steps in %.1f s of "
	       "one core: %.0f seeds/s, %.0f hours a minute\n",
		(unsigned long long)c->tally.seeds, (unsigned long long)c->options->first,
		(unsigned long long)c->failures, hours, (unsigned long long)c->tally.steps, cpu_s,
		(double)c->tally.seeds / cpu_s, hours / cpu_s * 60);
}

static int run_seeds(const struct options *o)
{
	static struct campaign c;
	static struct plan plan;

	c.options = o;
	c.begun_ns = now_ns(CLOCK_MONOTONIC);
	c.begun_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t seed = o->first; seed <= o->last; seed++) {
		struct run_result result;

		plan_draw(&plan, seed);
		result = run_plan(&plan, &c.tally, NULL, NULL);
		if (result.failed)
			report_failure(&c, seed, &result);
		show_progress(&c);
		if ((o->seconds > 0 && elapsed_s(&c) >= (double)o->seconds) ||
			(o->until_failure && c.failures > 0))
			break;
	}
	print_summary(&c);
	return c.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;

	if (!parse_options(argc, argv, &options))
		return usage();
	if (options.replay)
		return replay(options.first);
	return options.shrink ? shrink_seed(options.first) : run_seeds(&options);
}
