/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/checker.h"
#include "sys/fatal.h"
#include "sys/log.h"
#include "sys/syscalls.h"

#define CONFIGURATION_SIZE_MAX (1 << 24)

static void take_configuration(struct conf *ret_conf)
{
	static struct conf_diagnostics diagnostics;
	char hostname[HOST_NAME_MAX + 1] = "";
	struct stat st;
	char *text;

	if (fstat(HANDOFF_CHECKER_CONFIGURATION, &st) != 0 || st.st_size < 0 ||
		st.st_size > CONFIGURATION_SIZE_MAX)
		fatal("ha-checker is started by `ha run`, not by hand");
	text = malloc((size_t)st.st_size + 1);
	if (!text ||
		pread(HANDOFF_CHECKER_CONFIGURATION, text, (size_t)st.st_size, 0) != st.st_size)
		fatal("the configuration cannot be read");
	(void)gethostname(hostname, sizeof(hostname) - 1);
	if (!conf_parse(text, (size_t)st.st_size, hostname, ret_conf, &diagnostics))
		fatal("configuration, line %u: %s", diagnostics.list[0].line,
			diagnostics.list[0].message);
	free(text);
	(void)close(HANDOFF_CHECKER_CONFIGURATION);
}

/* It says nothing, so what comes is its end. */
static void on_engine(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
	exit(EXIT_SUCCESS);
}

int main(void)
{
	static struct checker c; /* for the process's life */
	int r;

	log_open("ha-checker");
	(void)signal(SIGPIPE, SIG_IGN);
	c.loop = uv_default_loop();
	take_configuration(&c.conf);
	r = syscalls_forbid_harmful();
	if (r < 0 && r != -ENOSYS)
		log_notice("the system calls of checks are not restricted: %s", strerror(-r));
	if (uv_poll_init(c.loop, &c.engine, HANDOFF_CHECKER_SOCKET) != 0 ||
		uv_poll_start(&c.engine, UV_READABLE | UV_DISCONNECT, on_engine) != 0)
		fatal("there is no engine");
	probes_open(&c);
	uv_run(c.loop, UV_RUN_DEFAULT);
	return EXIT_SUCCESS;
}
