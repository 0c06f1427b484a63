/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/node.h"
#include "base/text.h"
#include "conf/conf.h"

#define SEPARATORS ", \t\n"

static bool has_keys(const struct ha_options *o)
{
	return o->interface || o->address || o->group || o->name || o->key_file || o->extra_node ||
	       o->extra_group || o->interval_ms || o->tolerance_ms || o->worth;
}

/* NULL, or what the mixture of options does wrong. */
static const char *objection(const struct ha_options *o)
{
	if (o->file && o->text)
		return "give file or text, not both";
	if ((o->file || o->text) && has_keys(o))
		return "give file, or text, or interface and address with their like; not both";
	if (o->file || o->text)
		return NULL;
	if (!o->interface || !*o->interface)
		return "interface is missing: the device that the heartbeats go through, such as "
		       "eth0";
	if (!o->address || !*o->address)
		return "address is missing: the address to share, such as 192.168.1.100/24";
	if (o->worth < 0 || o->worth > 65535)
		return "worth is not in 1 to 65535";
	return NULL;
}

/* Values stand on a line of their own; more lines would be other keys. */
static bool is_one_line(const char *value)
{
	return !value || !strpbrk(value, "\r\n");
}

static void add(struct text *t, const char *key, const char *value)
{
	if (value)
		text_add(t, "%s = %s\n", key, value);
}

static void add_number(struct text *t, const char *key, uint32_t value, const char *unit)
{
	if (value > 0)
		text_add(t, "%s = %u%s\n", key, value, unit);
}

static void add_addresses(struct text *t, const char *list)
{
	while (*(list += strspn(list, SEPARATORS))) {
		size_t length = strcspn(list, SEPARATORS);

		text_add(t, "address = %.*s\n", (int)length, list);
		list += length;
	}
}

static void compose(struct text *t, const struct ha_options *o)
{
	text_add(t, "[node]\n");
	add(t, "interface", o->interface);
	add(t, "name", o->name);
	add(t, "key-file", o->key_file);
	add_number(t, "interval", o->interval_ms, "ms");
	add_number(t, "tolerance", o->tolerance_ms, "ms");
	if (o->extra_node)
		text_add(t, "%s\n", o->extra_node);
	text_add(t, "[group %s]\n", o->group ? o->group : CONF_GROUP);
	add_addresses(t, o->address);
	add_number(t, "worth", (uint32_t)o->worth, "");
	if (o->extra_group)
		text_add(t, "%s\n", o->extra_group);
}

/* Whole, and terminated. 0 or -errno. */
static int read_file(const char *path, char *buffer)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t size = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buffer + size, CONF_TEXT_MAX - size);
		size += got > 0 ? (size_t)got : 0;
	} while (size < CONF_TEXT_MAX && (got > 0 || (got < 0 && errno == EINTR)));
	got = got < 0 ? -errno : size == CONF_TEXT_MAX ? -EFBIG : 0;
	(void)close(fd);
	buffer[got == 0 ? size : 0] = '\0';
	return (int)got;
}

static int fill(ha_node *n, const struct ha_options *o, char *buffer)
{
	struct text t = text_init(buffer, CONF_TEXT_MAX);
	int r = 0;

	if (o->file) {
		r = read_file(o->file, buffer);
		if (r < 0)
			(void)node_fail(n, r, "%s: %s", o->file, strerror(-r));
	} else if (o->text) {
		if (!text_copy(buffer, CONF_TEXT_MAX, o->text))
			r = node_fail(n, -EINVAL, "the configuration is too long");
	} else {
		compose(&t, o);
	}
	return r;
}

char *node_options_text(ha_node *n, const struct ha_options *o, int *ret_r)
{
	const char *wrong = objection(o);
	char *buffer;

	if (!wrong && !(is_one_line(o->interface) && is_one_line(o->name) &&
			      is_one_line(o->key_file) && is_one_line(o->group)))
		wrong = "interface, name, key_file and group are one line each";
	if (wrong) {
		*ret_r = node_fail(n, -EINVAL, "%s", wrong);
		return NULL;
	}
	buffer = malloc(CONF_TEXT_MAX);
	*ret_r = buffer ? fill(n, o, buffer) : node_fail(n, -ENOMEM, "out of memory");
	if (*ret_r == 0)
		return buffer;
	free(buffer);
	return NULL;
}
