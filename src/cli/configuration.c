/* SPDX-License-Identifier: ISC */
#include "cli/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/text.h"
#include "sys/program.h"

#define KEEPER_NAME  "ha-keeper"
#define KEEPER_WORDS 12

/* All of @descriptor up to CONF_TEXT_MAX bytes. Returns 0, -errno, or -EFBIG. */
static int read_all(int descriptor, struct configuration *c)
{
	c->size = 0;
	while (c->size < CONF_TEXT_MAX) {
		ssize_t got = read(descriptor, c->bytes + c->size, CONF_TEXT_MAX - c->size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : 0;
		c->size += (size_t)got;
	}
	return -EFBIG;
}

static int read_path(const char *path, struct configuration *c)
{
	int descriptor, r;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, c);
	descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return -errno;
	r = read_all(descriptor, c);
	(void)close(descriptor);
	return r;
}

int configuration_read(
	const struct command *command, const char *path, struct configuration *ret_configuration)
{
	struct configuration c = {.bytes = malloc(CONF_TEXT_MAX)};
	int r = c.bytes ? read_path(path, &c) : -ENOMEM;

	if (r == 0) {
		*ret_configuration = c;
		return EXIT_DONE;
	}
	configuration_done(&c);
	(void)command_failed(command, "cannot read the configuration %s: %s", path,
		r == -EFBIG ? "it is larger than 4 MiB" : strerror(-r));
	return EXIT_USAGE;
}

void configuration_done(struct configuration *c)
{
	free(c->bytes);
	c->bytes = NULL;
}

bool configuration_parse(
	const struct configuration *c, struct conf **ret_conf, struct conf_diagnostics **reterr)
{
	char hostname[NAME_SIZE] = "";
	struct conf *conf = calloc(1, sizeof(*conf));
	struct conf_diagnostics *diagnostics = calloc(1, sizeof(*diagnostics));

	*reterr = NULL;
	if (!conf || !diagnostics)
		goto fail;
	(void)gethostname(hostname, sizeof(hostname) - 1);
	*reterr = diagnostics;
	if (!conf_parse(c->bytes, c->size, hostname, conf, diagnostics)) {
		free(conf);
		return false;
	}
	*ret_conf = conf;
	return true;
fail:
	free(conf);
	free(diagnostics);
	return false;
}

static void print_mistakes(const char *path, const struct conf_diagnostics *d)
{
	(void)fflush(stdout);
	for (size_t i = 0; i < d->count; i++) {
		if (d->list[i].line > 0)
			fprintf(stderr, "%s:%u: %s\n", path, d->list[i].line, d->list[i].message);
		else
			fprintf(stderr, "%s: %s\n", path, d->list[i].message);
	}
	if (d->omitted > 0)
		fprintf(stderr, "%s: and %zu more mistakes\n", path, d->omitted);
}

int configuration_load(const struct command *command, const char *path,
	struct configuration *ret_configuration, struct conf **ret_conf)
{
	struct conf_diagnostics *diagnostics;
	struct configuration c;
	int status = configuration_read(command, path, &c);

	if (status != EXIT_DONE)
		return status;
	if (configuration_parse(&c, ret_conf, &diagnostics)) {
		free(diagnostics);
		*ret_configuration = c;
		return EXIT_DONE;
	}
	configuration_done(&c);
	if (!diagnostics)
		return command_failed(command, "out of memory");
	print_mistakes(path, diagnostics);
	free(diagnostics);
	return EXIT_USAGE;
}

/* A memory file of the configuration that cannot be changed any more and survives exec(). Returns
 * its descriptor or -errno. */
static int seal(const struct configuration *c)
{
	int descriptor = memfd_create("ha.conf", MFD_ALLOW_SEALING), error;
	size_t written = 0;

	if (descriptor < 0)
		return -errno;
	while (written < c->size) {
		ssize_t r = write(descriptor, c->bytes + written, c->size - written);

		if (r < 0 && errno != EINTR)
			goto fail;
		written += r > 0 ? (size_t)r : 0;
	}
	if (lseek(descriptor, 0, SEEK_SET) == 0 &&
		fcntl(descriptor, F_ADD_SEALS,
			F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
		return descriptor;
fail:
	error = errno;
	(void)close(descriptor);
	return -error;
}

static void fill_arguments(
	const struct keeper_call *call, const char *descriptor, const char *arguments[KEEPER_WORDS])
{
	size_t count = 0;

	arguments[count++] = KEEPER_NAME;
	arguments[count++] = "--configuration";
	arguments[count++] = descriptor;
	arguments[count++] = "--runtime-dir";
	arguments[count++] = call->runtime_dir;
	switch (call->task) {
	case KEEPER_SERVE:
		arguments[count++] = "--state-dir";
		arguments[count++] = call->state_dir;
		break;
	case KEEPER_RELEASE_UNLESS_RESTARTING: arguments[count++] = "--unless-restarting"; break;
	case KEEPER_RELEASE: arguments[count++] = "--release"; break;
	}
	if (call->file) {
		arguments[count++] = "--file";
		arguments[count++] = call->file;
	}
	assert(count < KEEPER_WORDS);
	arguments[count] = NULL;
}

int configuration_hand_to_keeper(const struct command *command, const struct configuration *c,
	const struct keeper_call *call)
{
	int descriptor = seal(c);
	char path[PATH_SIZE], number[16];
	const char *arguments[KEEPER_WORDS];
	struct text text = text_init(number, sizeof(number));

	if (descriptor < 0)
		return command_failed(
			command, "cannot pass the configuration on: %s", strerror(-descriptor));
	text_add(&text, "%d", descriptor);
	program_find(KEEPER_NAME, path);
	fill_arguments(call, number, arguments);
	(void)execv(path, (char *const *)arguments);
	return command_failed(
		command, "cannot start %s: %s; is ha installed completely?", path, strerror(errno));
}
