/* SPDX-License-Identifier: ISC */
#include "keeper/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/application.h"
#include "keeper/confine.h"
#include "keeper/leftovers.h"
#include "keeper/loop.h"
#include "keeper/memory.h"
#include "keeper/residence.h"
#include "keeper/settle.h"
#include "keeper/state_dir.h"
#include "keeper/stub.h"
#include "keeper/takeover.h"
#include "sys/log.h"
#include "wire/handoff.h"

#define EXIT_CONFIGURATION 2

/* As early as possible: it has what we have at that moment. */
static bool needs_midwife(const struct options *o)
{
	return o->file && !o->successor && !o->release && o->engine < 0;
}

int keeper_prepare(struct keeper *k)
{
	enum configuration_result result;

	k->midwife.socket = -1;
	if (!privileges_check())
		return EXIT_FAILURE;
	if (needs_midwife(&k->options) && !midwife_open(&k->options, &k->midwife))
		return EXIT_FAILURE;
	result = configuration_read(k->options.configuration, false, &k->configuration);
	(void)close(k->options.configuration);
	if (result != CONFIGURATION_GOOD)
		return result == CONFIGURATION_WRONG ? EXIT_CONFIGURATION : EXIT_FAILURE;
	if (!application_may_start())
		return EXIT_FAILURE;
	if (!k->options.release && k->options.engine < 0 &&
		!privileges_account(k->configuration.conf->node.user, &k->account))
		return EXIT_CONFIGURATION;
	if (!runtime_dir_open(k->options.runtime_dir, k->options.release, &k->dir))
		return EXIT_FAILURE;
	runtime_dir_name_file(&k->dir, k->options.file);
	if (!k->options.release)
		runtime_dir_accept(&k->dir);
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

/* What was left is the next keeper's, or is ours to take over: keeper_start(). */
static bool is_left_alone(struct keeper *k)
{
	if (k->options.unless_restarting && succession_waits(&k->dir)) {
		(void)puts("nothing to release: another daemon may still take over");
		return true;
	}
	/* Also before a release, which then is of what was left. */
	if (succession_load(&k->dir, &k->succession) && k->options.release)
		succession_free(&k->succession);
	return k->succession.bytes != NULL;
}

int keeper_clean(struct keeper *k)
{
	leftovers_told told = k->options.release ? print_released : log_leftover;
	const struct leftovers_choice choice = {.told = told};
	int previous = 0, current = 0, lowered = 0;
	struct netlink request;
	int r;

	k->heir = is_left_alone(k);
	if (k->heir)
		return EXIT_SUCCESS;
	r = netlink_open(&request);
	if (r == 0)
		r = previous = leftovers_remove_previous(&request, &k->dir, &choice);
	if (r >= 0)
		r = current = leftovers_remove(&request, k->configuration.conf, &choice);
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

/* R8: which groups are held from the first moment on. */
static bool open_fence(struct keeper *k)
{
	const struct conf *conf = k->configuration.conf;
	bool *held = k->succession.bytes ? calloc(conf->group_count, sizeof(*held)) : NULL;
	const struct fence_prior prior = {.lease = k->succession.note.lease, .held = held};
	bool open;

	for (size_t g = 0; held && g < conf->group_count; g++)
		held[g] = succession_has(&k->succession, &conf->groups[g]);
	open = fence_open(&k->fence, conf, k->dir.path, held ? &prior : NULL);
	free(held);
	return open;
}

static bool open_parts(struct keeper *k)
{
	const struct conf *conf = k->configuration.conf;

	k->ask = (struct ask){.conf = conf,
		.interfaces = &k->interfaces,
		.announcer = &k->announcer,
		.targets = &k->targets};
	return open_fence(k) &&
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

static bool open_starter(struct keeper *k, const struct key_bytes *keys)
{
	int control = runtime_dir_listen(
		&k->dir, k->account.shares_control ? &k->account.control_group : NULL);
	const struct note *note = &k->succession.note;

	k->record =
		memory_sealed("ha-record", k->succession.bytes ? note->record : (const void *)"",
			k->succession.bytes ? note->record_size : 0, HANDOFF_RECORD_SIZE, true);
	if (control < 0 || !good(k->record, "memory for a record"))
		return false;
	return starter_open(&k->configuration, keys, &k->dir, &k->account, control,
		state_dir_open(k->options.state_dir, &k->account), k->record, &k->starter);
}

/* An engine of our own, or the program that started us. */
static bool open_engine(struct keeper *k)
{
	struct key_bytes keys;
	bool opened;

	if (!configuration_read_keys(&k->configuration.conf->node, &keys))
		return false;
	if (k->options.engine >= 0)
		opened = engine_adopt(k->options.engine, fence_memory(&k->fence), &k->configuration,
			keys.size > 0 ? keys.bytes : NULL, &k->engine);
	else
		opened = open_starter(k, &keys) &&
			 engine_start(&k->starter, fence_memory(&k->fence),
				 k->configuration.conf->group_count,
				 k->succession.bytes ? k->succession.note.lease : TIME_ORIGIN,
				 &k->engine);
	explicit_bzero(&keys, sizeof(keys));
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
	session_start(&k->session, k->engine.channel, k->engine.lease,
		k->succession.bytes ? k->succession.note.record_size : 0);
	succession_free(&k->succession);
	return true;
}

static bool save_configuration(const struct keeper *k)
{
	return runtime_dir_save_configuration(
		&k->dir, k->configuration.text, k->configuration.size);
}

int keeper_start(struct keeper *k)
{
	int r;

	privileges_realtime(k->configuration.conf->node.realtime, &k->account);
	if (!k->succession.bytes && !save_configuration(k))
		return EXIT_FAILURE;
	if (!open_parts(k))
		return EXIT_FAILURE;
	/* The file names what the keeper before has held until that is gone. */
	if (k->succession.bytes &&
		(!good(takeover_begin(k), "what was left") || !save_configuration(k)))
		return EXIT_FAILURE;
	if (!open_engine(k) || !start_session(k))
		return EXIT_FAILURE;
	residence_lock();
	r = privileges_keep_two();
	if (r < 0) {
		log_error("cannot give up privileges: %s", strerror(-r));
		return EXIT_FAILURE;
	}
	confine_keeper();
	k->heir = false;
	return EXIT_SUCCESS;
}

int keeper_run(struct keeper *k)
{
	k->reload = (struct reload){
		.dir = &k->dir, .starter = &k->starter, .file = k->options.file, .text = -1};
	return loop_run(&k->session, &k->starter, &k->engine, &k->capture, &k->reload);
}

/* R8: all of it is the next keeper's. False if that is impossible: then nothing stays. */
static bool leave(struct keeper *k)
{
	const struct session *s = &k->session;

	if (!s->left)
		return false;
	ahead_end(&k->addresses);
	if (succession_leave(
		    &k->addresses, lease_load(s->lease), k->record, s->custody.record_size))
		return true;
	session_take_down(&k->session);
	return false;
}

int keeper_wait(const struct keeper *k, int status)
{
	if (status != STUB_REPLACE || k->options.successor)
		return status;
	return stub_run(&k->midwife, k->reload.then_stop);
}

void keeper_finish(struct keeper *k, int status)
{
	if (k->options.unless_restarting && succession_waits(&k->dir)) {
		runtime_dir_close(&k->dir);
		return;
	}
	if (leave(k)) {
		fence_leave(&k->fence);
		runtime_dir_unlink_socket(&k->dir);
		runtime_dir_close(&k->dir);
		return;
	}
	ahead_end(&k->addresses);
	if (k->heir) {
		/* It could not begin: nobody holds any more what was left to it. */
		succession_free(&k->succession);
		(void)keeper_clean(k);
	}
	fence_close(&k->fence);
	ask_close(&k->ask);
	if (!k->options.release)
		runtime_dir_unlink_socket(&k->dir);
	/* After a failure it tells `ha release` what to look for. */
	if (status == EXIT_SUCCESS)
		runtime_dir_forget_configuration(&k->dir);
	runtime_dir_close(&k->dir);
}
