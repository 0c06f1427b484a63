/* SPDX-License-Identifier: ISC */
#include "keeper/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/application.h"
#include "sys/log.h"

#define HOST_NAME_SIZE 256
#define KEY_TEXT_MAX   1024

/* NULL, or why the content cannot be trusted. */
static const char *distrust(int descriptor)
{
	struct stat status;
	int seals = fcntl(descriptor, F_GET_SEALS);

	if (fstat(descriptor, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "it is not a regular file";
	if (application_is_unprivileged() && status.st_uid != 0)
		return "it does not belong to root, and ha-keeper has privileges that whoever "
		       "starts it does not have";
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return "it belongs to another user; run `chown root` on it";
	/* A memory file of `ha run` has no name by which anybody could open it to write. */
	if (seals >= 0 && (seals & F_SEAL_WRITE))
		return NULL;
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return "others may write it; run `chmod go-w` on it";
	return NULL;
}

/* Up to @max bytes from the beginning of @descriptor. The size, or -errno; -EFBIG if there are
 * more. */
static ssize_t read_whole(int descriptor, char *bytes, size_t max)
{
	size_t size = 0;

	for (;;) {
		char beyond;
		bool full = size == max;
		ssize_t got = pread(descriptor, full ? &beyond : bytes + size,
			full ? 1 : max - size, (off_t)size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return (ssize_t)size;
		if (full)
			return -EFBIG;
		size += (size_t)got;
	}
}

/* What is not needed would be locked into memory with the rest. */
static char *shrink(char *text, size_t size)
{
	char *smaller = realloc(text, size > 0 ? size : 1);

	return smaller ? smaller : text;
}

static void print_diagnostics(const struct conf_diagnostics *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->list[i].line > 0)
			log_error("line %u: %s", d->list[i].line, d->list[i].message);
		else
			log_error("%s", d->list[i].message);
	}
	if (d->omitted > 0)
		log_error("and %zu more mistakes", d->omitted);
}

static bool parse(struct configuration *c, bool quiet)
{
	struct conf_diagnostics *diagnostics = calloc(1, sizeof(*diagnostics));
	char hostname[HOST_NAME_SIZE] = "";
	bool good = false;

	c->conf = calloc(1, sizeof(*c->conf));
	(void)gethostname(hostname, sizeof(hostname) - 1);
	if (c->conf && diagnostics)
		good = conf_parse(c->text, c->size, hostname, c->conf, diagnostics);
	if (!good && diagnostics && !quiet)
		print_diagnostics(diagnostics);
	free(diagnostics);
	return good;
}

/* NULL, or why there is none. */
static const char *take_text(int descriptor, struct configuration *c)
{
	const char *reason = distrust(descriptor);
	ssize_t size = -ENOMEM;

	*c = (struct configuration){.text = reason ? NULL : malloc(CONFIGURATION_SIZE_MAX)};
	if (c->text)
		size = read_whole(descriptor, c->text, CONFIGURATION_SIZE_MAX);
	if (!reason && size < 0)
		reason = strerror((int)-size);
	if (reason) {
		configuration_free(c);
		return reason;
	}
	c->size = (size_t)size;
	c->text = shrink(c->text, c->size);
	return NULL;
}

bool configuration_read_text(int descriptor, struct configuration *ret_configuration)
{
	const char *reason = take_text(descriptor, ret_configuration);

	if (reason)
		log_error("the configuration cannot be used: %s", reason);
	return !reason;
}

enum configuration_result configuration_read(
	int descriptor, bool quiet, struct configuration *ret_configuration)
{
	struct configuration c;
	const char *reason = take_text(descriptor, &c);

	if (reason) {
		if (!quiet)
			log_error("the configuration cannot be used: %s", reason);
		return CONFIGURATION_REFUSED;
	}
	if (!parse(&c, quiet)) {
		configuration_free(&c);
		return CONFIGURATION_WRONG;
	}
	*ret_configuration = c;
	return CONFIGURATION_GOOD;
}

void configuration_free(struct configuration *c)
{
	free(c->text);
	conf_free(c->conf);
	free(c->conf);
	*c = (struct configuration){0};
}

/* NULL, or what is wrong with the key file and what to do. */
static const char *distrust_key(int file)
{
	struct stat status;

	if (fstat(file, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode))
		return "it is not a regular file";
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return "it belongs to another user; run `chown root` on it";
	if (status.st_mode & (S_IRWXG | S_IRWXO))
		return "others may read it; run `chmod 600` on it";
	return NULL;
}

bool configuration_read_key(const char *path, uint8_t ret_key[CONF_KEY_SIZE])
{
	/* O_NONBLOCK: opening a named pipe must not wait for its other end. */
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *reason = file < 0 ? strerror(errno) : distrust_key(file);
	char text[KEY_TEXT_MAX];
	ssize_t size = 0;

	if (!reason)
		size = read_whole(file, text, sizeof(text));
	if (!reason && (size < 0 || !conf_key_decode(text, (size_t)size, ret_key)))
		reason = "it must hold 64 hexadecimal digits, as `ha keygen` writes them";
	explicit_bzero(text, sizeof(text));
	if (file >= 0)
		(void)close(file);
	if (reason)
		log_error("key file %s: %s", path, reason);
	return !reason;
}

bool configuration_read_keys(const struct conf_node *node, struct key_bytes *keys)
{
	const char *const files[] = {node->key_file, node->accept_key_file};

	keys->size = 0;
	for (size_t i = 0; i < 2 && files[i][0] != '\0'; i++) {
		if (!configuration_read_key(files[i], keys->bytes + keys->size))
			return false;
		keys->size += CONF_KEY_SIZE;
	}
	return true;
}
