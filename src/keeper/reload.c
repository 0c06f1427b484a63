/* SPDX-License-Identifier: ISC */
#include "keeper/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "keeper/memory.h"
#include "sys/log.h"

static void forget(struct reload *r)
{
	if (r->text >= 0)
		(void)close(r->text);
	r->text = -1;
	configuration_free(&r->next);
}

void reload_refuse(struct reload *r, const char *why)
{
	log_error("reload: nothing was changed: %s", why);
	runtime_dir_refuse(r->dir, why);
	forget(r);
}

/* What is checked cannot be changed between here and the next keeper. */
static int seal_file(const char *file)
{
	struct configuration c = {0};
	int descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int memory = -EACCES;

	if (descriptor < 0)
		return -errno;
	if (configuration_read_text(descriptor, &c))
		memory = memory_sealed("ha-configuration", c.text, c.size, c.size, false);
	configuration_free(&c);
	(void)close(descriptor);
	return memory;
}

int reload_begin(struct reload *r)
{
	int process;

	runtime_dir_accept(r->dir);
	if (!r->file) {
		reload_refuse(r, "ha was started without a file; restart it with other options");
		return -1;
	}
	r->text = seal_file(r->file);
	if (r->text < 0) {
		reload_refuse(r, strerror(-r->text));
		return -1;
	}
	process = starter_check(r->starter, r->text);
	if (process < 0)
		reload_refuse(r, "nobody could be started to read it; restart ha");
	return process;
}

static bool keys_are_good(const struct conf_node *node)
{
	struct key_bytes keys;
	bool good = configuration_read_keys(node, &keys);

	explicit_bzero(&keys, sizeof(keys));
	return good;
}

bool reload_prepare(struct reload *r)
{
	if (configuration_read(r->text, true, &r->next) != CONFIGURATION_GOOD)
		reload_refuse(r, "there is too little memory to read it");
	else if (!keys_are_good(&r->next.conf->node))
		reload_refuse(r, "a key file cannot be used");
	else if (!runtime_dir_put_next(r->dir, r->next.text, r->next.size))
		reload_refuse(r, "the runtime folder cannot be written to");
	return r->next.conf != NULL;
}

/* Another name or cluster is another node, which begins with nothing. */
static bool is_another_node(const struct conf_node *a, const struct conf_node *b)
{
	return strcmp(a->name, b->name) != 0 || strcmp(a->cluster, b->cluster) != 0;
}

void reload_retire(const struct reload *r, struct session *s)
{
	const struct conf *old = s->conf, *next = r->next.conf;
	bool all = is_another_node(&old->node, &next->node);

	for (size_t g = 0; g < old->group_count; g++)
		if (all || conf_group_by_name(next, old->groups[g].name) < 0)
			session_answer(s, CHANNEL_RETIRE, g, 0, 0);
}
