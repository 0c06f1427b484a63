/* SPDX-License-Identifier: ISC */
/*
 * ha-keeper: the small privileged parent of the engine. It holds the addresses, and takes them down
 * when the engine dies or stalls.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/keeper.h"
#include "sys/descriptors.h"
#include "sys/log.h"
#include "sys/scheduling.h"

/* Descriptors 0 to 2 must be taken, or a socket of ours would become somebody's standard error. */
static void fill_standard_descriptors(void)
{
	int descriptor;

	do
		descriptor = open("/dev/null", O_RDWR);
	while (descriptor >= 0 && descriptor <= STDERR_FILENO);
	if (descriptor >= 0)
		(void)close(descriptor);
}

/* What a program that embeds us had open besides is none of our business, and must not outlive it
 * here. */
static void forget_foreign_descriptors(const struct options *o)
{
	int ours[] = {o->configuration, o->engine};

	if (o->engine >= 0)
		descriptors_keep_only(ours, sizeof(ours) / sizeof(ours[0]));
}

static int work(struct keeper *k)
{
	int status;

	forget_foreign_descriptors(&k->options);
	status = keeper_prepare(k);
	if (status != EXIT_SUCCESS)
		return status;
	status = keeper_clean(k);
	if (status == EXIT_SUCCESS && !k->options.release) {
		status = keeper_start(k);
		if (status == EXIT_SUCCESS)
			status = keeper_run(k);
	}
	keeper_finish(k, status);
	return keeper_wait(k, status);
}

int main(int count, char **arguments)
{
	/* One for the process's life, with all the memory that its parts took for theirs. */
	static struct keeper keeper;
	struct keeper *k = &keeper;
	int status;

	fill_standard_descriptors();
	log_open("ha-keeper");
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!options_parse(count, arguments, &k->options))
		status = 2;
	else
		status = work(k);
	scheduling_make_ordinary();
	return status;
}
