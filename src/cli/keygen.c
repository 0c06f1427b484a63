/* SPDX-License-Identifier: ISC */
/* keygen: a new random key, for every node of a cluster. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "conf/conf.h"

#define KEY_TEXT_SIZE (2 * CONF_KEY_SIZE + 2) /* two digits a byte, a newline, the terminator */

static int make_key(const struct command *command, char text[KEY_TEXT_SIZE])
{
	uint8_t key[CONF_KEY_SIZE];
	struct text written = text_init(text, KEY_TEXT_SIZE);

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return command_failed(
			command, "the kernel gives no random bytes: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(key); i++)
		text_add(&written, "%02x", key[i]);
	text_add(&written, "\n");
	explicit_bzero(key, sizeof(key));
	return EXIT_DONE;
}

static int write_file(const struct command *command, const char *path, const char *text)
{
	const size_t size = strlen(text);
	int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t written;

	if (descriptor < 0 && errno == EEXIST)
		return command_failed(command,
			"%s exists and is left as it is; a new key goes to all nodes at once",
			path);
	if (descriptor < 0)
		return command_failed(command, "cannot make %s: %s", path, strerror(errno));
	written = write(descriptor, text, size);
	if (written == (ssize_t)size && fsync(descriptor) == 0) {
		(void)close(descriptor);
		return EXIT_DONE;
	}
	(void)command_failed(command, "cannot write %s: %s", path, strerror(errno));
	(void)close(descriptor);
	(void)unlink(path);
	return EXIT_FAILED;
}

int keygen_command(const struct command *command, int argc, char **argv)
{
	const char *path = NULL;
	char text[KEY_TEXT_SIZE];
	int status;

	if (!command_one_file(command, argc, argv, &path, &status))
		return status;
	status = make_key(command, text);
	if (status != EXIT_DONE)
		return status;
	if (path) {
		status = write_file(command, path, text);
	} else {
		fputs(text, stdout);
		status = command_finish_output(command);
	}
	explicit_bzero(text, sizeof(text));
	return status;
}
