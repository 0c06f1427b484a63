/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/embedded.h"
#include "base/text.h"
#include "sys/descriptors.h"

#define OPEN_PATIENCE_MS 10000 /* loading the fence on a busy machine */
#define HOST_NAME_SIZE   256
/* The keeper's lines are as sys/log writes them: "ha-keeper: error: text". */
#define KEEPER_PREFIX "ha-keeper: "

static int seal(ha_node *n, const char *text, int *ret_fd)
{
	size_t size = strlen(text);
	int fd = memfd_create("ha.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && write(fd, text, size) == (ssize_t)size &&
		fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) ==
			0) {
		*ret_fd = fd;
		return 0;
	}
	(void)node_fail(n, -ENOMEM, "cannot pass the configuration on: %s", strerror(errno));
	descriptors_close(&fd, 1);
	return -ENOMEM;
}

static void describe_mistakes(
	ha_node *n, const struct ha_options *o, const struct conf_diagnostics *d)
{
	struct text t = text_init(n->error, sizeof(n->error));

	for (size_t i = 0; i < d->count; i++) {
		if (i > 0)
			text_add(&t, "\n");
		if (o->file)
			text_add(&t, "%s:%u: ", o->file, d->list[i].line);
		else if (o->text)
			text_add(&t, "line %u: ", d->list[i].line);
		text_add(&t, "%s", d->list[i].message);
	}
}

void embedded_free_conf(struct conf *conf)
{
	conf_free(conf);
	free(conf);
}

static struct conf *parse(ha_node *n, const struct ha_options *o, const char *text, size_t size)
{
	struct conf_diagnostics *diagnostics = calloc(1, sizeof(*diagnostics));
	struct conf *conf = calloc(1, sizeof(*conf));
	char hostname[HOST_NAME_SIZE] = "";
	bool good = false;

	(void)gethostname(hostname, sizeof(hostname) - 1);
	if (diagnostics && conf)
		good = conf_parse(text, size, hostname, conf, diagnostics);
	else
		(void)node_fail(n, -ENOMEM, "out of memory");
	if (!good && diagnostics && diagnostics->count > 0)
		describe_mistakes(n, o, diagnostics);
	free(diagnostics);
	if (good)
		return conf;
	free(conf);
	return NULL;
}

/* A descriptor of the configuration for the keeper: of the file itself, whose owner it checks, or
 * of a sealed copy of the text. */
static int configuration_descriptor(
	ha_node *n, const struct ha_options *o, const char *text, int *ret_fd)
{
	if (!o->file || geteuid() == 0)
		return seal(n, text, ret_fd);
	*ret_fd = open(o->file, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? node_fail(n, -errno, "%s: %s", o->file, strerror(errno)) : 0;
}

static int check_text(ha_node *n, const struct ha_options *o, const char *text)
{
	struct conf *conf = parse(n, o, text, strlen(text));

	bool good = conf != NULL;

	embedded_free_conf(conf);
	return good ? 0 : -EINVAL;
}

const char *embedded_keeper_words(const char *line, int *ret_level)
{
	const char *text = strstr(line, KEEPER_PREFIX);
	const char *colon;

	text = text ? text + strlen(KEEPER_PREFIX) : line;
	*ret_level = strncmp(text, "error", 5) == 0     ? HA_ERROR
		     : strncmp(text, "warning", 7) == 0 ? HA_WARNING
							: HA_NOTICE;
	colon = strstr(text, ": ");
	return colon ? colon + 2 : text;
}

static int greet(ha_node *n, struct embedded *m, struct child_greeting *ret_greeting)
{
	int r = child_await(&m->child, OPEN_PATIENCE_MS, ret_greeting);
	const char *words;
	int level;

	if (r == 0)
		return 0;
	words = embedded_keeper_words(m->child.talk_bytes, &level);
	if (r == -ETIMEDOUT)
		return node_fail(n, r, "the keeper does not answer");
	r = strstr(words, "another ha runs") ? -EBUSY : strstr(words, "privilege") ? -EPERM : -EIO;
	return node_fail(n, r, "the keeper cannot start: %s", *words ? words : "it gave no reason");
}

int embedded_start_keeper(
	ha_node *n, const struct ha_options *o, struct child_greeting *ret_greeting)
{
	struct embedded *m = n->mode_state;
	struct child_start start = {
		.program = o->keeper, .runtime_dir = o->runtime_dir, .configuration = -1};
	int r, text_r;
	char *text = node_options_text(n, o, &text_r);

	if (!text)
		return text_r;
	r = check_text(n, o, text);
	if (r == 0)
		r = configuration_descriptor(n, o, text, &start.configuration);
	free(text);
	if (r < 0)
		return r;
	r = child_start(&start, &m->child);
	descriptors_close(&start.configuration, 1);
	if (r < 0)
		return node_fail(n, r, "cannot start %s: %s; is ha installed completely?",
			o->keeper ? o->keeper : "ha-keeper", strerror(-r));
	return greet(n, m, ret_greeting);
}

/* The whole of a descriptor, owned by the caller; NULL if it cannot be read. */
static char *read_whole(int fd, size_t *ret_size)
{
	struct stat st;
	char *bytes = NULL;

	if (fstat(fd, &st) == 0 && st.st_size >= 0 && st.st_size <= CONF_TEXT_MAX * 2)
		bytes = malloc((size_t)st.st_size + 1);
	if (bytes && pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size) {
		free(bytes);
		bytes = NULL;
	}
	*ret_size = bytes ? (size_t)st.st_size : 0;
	return bytes;
}

static int take_key(ha_node *n, struct embedded *m, int fd)
{
	size_t size;
	char *secret = read_whole(fd, &size);

	if (!secret || (size != 0 && size != CONF_KEY_SIZE)) {
		free(secret);
		return node_fail(n, -EPROTO, "the keeper handed over no usable key");
	}
	if (size != 0)
		heartbeat_key_init(&m->key, (const uint8_t *)secret, size);
	explicit_bzero(secret, size);
	free(secret);
	return 0;
}

int embedded_take_greeting(ha_node *n, const struct ha_options *o, const struct child_greeting *g)
{
	struct embedded *m = n->mode_state;
	size_t size;
	char *text = read_whole(g->configuration, &size);

	m->conf = text ? parse(n, o, text, size) : NULL;
	free(text);
	if (!m->conf)
		return -EINVAL;
	m->lease_size = lease_size(m->conf->group_count);
	m->lease = mmap(NULL, m->lease_size, PROT_READ | PROT_WRITE, MAP_SHARED, g->lease, 0);
	if (m->lease == MAP_FAILED) {
		m->lease = NULL;
		return node_fail(n, -ENOMEM, "the lease cannot be mapped: %s", strerror(errno));
	}
	return take_key(n, m, g->key);
}
