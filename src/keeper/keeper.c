/* SPDX-License-Identifier: ISC */
#include "keeper/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keeper/application.h"
#include "keeper/confine.h"
#include "keeper/leftovers.h"
#include "keeper/loop.h"
#include "keeper/state_dir.h"
#include "sys/log.h"

#define EXIT_CONFIGURATION 2

int keeper_prepare(struct keeper *k)
{
	enum configuration_result result;

	if (!privileges_check())
		return EXIT_FAILURE;
	result = configuration_read(k->options.configuration, false, &k->configuration);
	(void)close(k->options.configuration);
	if (result != CONFIGURATION_GOOD)
		return result == CONFIGURATION_WRONG ? EXIT_CONFIGURATION : EXIT_FAILURE;
	if (!application_may(k->configuration.conf))
		return EXIT_FAILURE;
	if (!k->options.release && k->options.engine < 0 &&
		!privileges_account(k->configuration.conf->node.user, &k->account))
		return EXIT_CONFIGURATION;
	if (!runtime_dir_open(k->options.runtime_dir, k->options.release, &k->dir))
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

static void log_leftover(const char *what, void *context)
{
	(void)context;
	log_notice("took down what an earlier run left behind: %s", what);
}

static void print_released(const char *what, void *context)
{
	(void)context;
	(void)printf("released %s\n", what);
}

/* The addresses of the configuration that ran before: it may have had other ones. */
static int clean_previous(struct keeper *k, struct netlink *request, leftovers_told told)
{
	int saved = runtime_dir_saved_configuration(&k->dir);
	struct configuration previous;
	int removed;

	if (saved < 0)
		return 0;
	if (configuration_read(saved, true, &previous) != CONFIGURATION_GOOD) {
		(void)close(saved);
		return 0;
	}
	removed = leftovers_remove(request, previous.conf, told, NULL);
	configuration_free(&previous);
	(void)close(saved);
	return removed;
}

int keeper_clean(struct keeper *k)
{
	leftovers_told told = k->options.release ? print_released : log_leftover;
	int previous = 0, current = 0, lowered = 0;
	struct netlink request;
	int r = netlink_open(&request);

	if (r == 0)
		r = previous = clean_previous(k, &request, told);
	if (r >= 0)
		r = current = leftovers_remove(&request, k->configuration.conf, told, NULL);
	if (r >= 0)
		r = lowered = leftovers_lower(&request, &k->dir, told, NULL);
	/* Only now: until here it kept them from answering. */
	fence_clean(k->dir.path);
	if (r < 0) {
		log_error("cannot take down what an earlier run left behind: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	netlink_close(&request);
	if (k->options.release && previous + current + lowered == 0)
		(void)puts("nothing to release");
	return EXIT_SUCCESS;
}

static bool good(int result, const char *what)
{
	if (result < 0)
		log_error("cannot open %s: %s", what, strerror(-result));
	return result >= 0;
}

static bool open_parts(struct keeper *k)
{
	const struct conf *conf = k->configuration.conf;

	k->ask = (struct ask){.conf = conf,
		.interfaces = &k->interfaces,
		.announcer = &k->announcer,
		.targets = &k->targets};
	return fence_open(&k->fence, conf, k->dir.path) &&
	       good(interfaces_open(&k->interfaces, conf), "the kernel's tables of devices") &&
	       good(addresses_open(&k->addresses, conf, &k->dir, &k->interfaces, &k->fence),
		       "the kernel's table of addresses") &&
	       good(announce_open(&k->announcer, conf, &k->interfaces),
		       "a socket for announcements") &&
	       good(capture_open(&k->capture, conf), "a socket for answers to announcements") &&
	       good(targets_open(&k->targets, conf, &k->interfaces), "a list of neighbours") &&
	       good(will_open(&k->will, conf, &k->interfaces), "a socket for the will") &&
	       good(ask_open(&k->ask), "a socket for the answers to checks");
}

static bool open_starter(struct keeper *k, const uint8_t *key)
{
	int control = runtime_dir_listen(&k->dir);

	return control >= 0 &&
	       starter_open(&k->configuration, key, &k->dir, &k->account, control,
		       state_dir_open(k->options.state_dir, &k->account), &k->starter);
}

/* An engine of our own, or the program that started us. */
static bool open_engine(struct keeper *k)
{
	const char *key_file = k->configuration.conf->node.key_file;
	uint8_t key_bytes[CONF_KEY_SIZE];
	const uint8_t *key = key_file[0] != '\0' ? key_bytes : NULL;
	bool opened;

	if (key && !configuration_read_key(key_file, key_bytes))
		return false;
	if (k->options.engine >= 0)
		opened = engine_adopt(k->options.engine, fence_memory(&k->fence), &k->configuration,
			key, &k->engine);
	else
		opened = open_starter(k, key) &&
			 engine_start(&k->starter, fence_memory(&k->fence),
				 k->configuration.conf->group_count, &k->engine);
	explicit_bzero(key_bytes, sizeof(key_bytes));
	return opened;
}

static bool start_session(struct keeper *k)
{
	k->session = (struct session){
		.conf = k->configuration.conf,
		.interfaces = &k->interfaces,
		.fence = &k->fence,
		.addresses = &k->addresses,
		.announcer = &k->announcer,
		.targets = &k->targets,
		.will = &k->will,
		.ask = &k->ask,
	};
	if (!good(session_open(&k->session), "a timer"))
		return false;
	session_start(&k->session, k->engine.channel, k->engine.lease);
	return true;
}

int keeper_start(struct keeper *k)
{
	int r;

	privileges_realtime(k->configuration.conf->node.realtime, &k->account);
	if (!runtime_dir_save_configuration(&k->dir, k->configuration.text, k->configuration.size))
		return EXIT_FAILURE;
	if (!open_parts(k) || !open_engine(k) || !start_session(k))
		return EXIT_FAILURE;
	/* A keeper that is swapped out cannot take anything down. Only what is there now: later
	 * allocations shall not fail because of a limit. */
	(void)mlockall(MCL_CURRENT);
	r = privileges_keep_two();
	if (r < 0) {
		log_error("cannot give up privileges: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	confine_keeper();
	return EXIT_SUCCESS;
}

int keeper_run(struct keeper *k)
{
	return loop_run(&k->session, &k->starter, &k->engine, &k->capture);
}

void keeper_finish(struct keeper *k, int status)
{
	fence_close(&k->fence);
	ask_close(&k->ask);
	if (!k->options.release)
		runtime_dir_unlink_socket(&k->dir);
	/* After a failure it tells `ha release` what to look for. */
	if (status == EXIT_SUCCESS)
		runtime_dir_forget_configuration(&k->dir);
	runtime_dir_close(&k->dir);
}
