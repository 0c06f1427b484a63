/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <string.h>

#include <ini.h>

#include "base/assert.h"
#include "base/id.h"
#include "base/text.h"
#include "conf/check.h"
#include "conf/diagnostics.h"
#include "conf/draft.h"
#include "conf/keys.h"
#include "conf/room.h"
#include "conf/values.h"

static char *read_statement(char *buffer, int size, void *stream);
static int take_statement(void *user, const char *section, const char *name, const char *value);

bool conf_parse(const char *text, size_t size, const char *hostname, struct conf *ret_conf,
	struct conf_diagnostics *reterr)
{
	struct draft d = {.diagnostics = reterr, .lines = lines_init(text, size)};

	diagnostics_init(reterr);
	check_init(&d);
	if (!room_take(&d, text, size)) {
		draft_complain_at(&d, 0, "it does not fit into memory");
		goto fail;
	}
	/* Its result says no more than the diagnostics do: reader and handler never fail. */
	(void)ini_parse_stream(read_statement, &d, take_statement, &d);
	check_group(&d);
	check_all(&d, hostname);
	if (reterr->count > 0)
		goto fail;
	room_free_draft(&d);
	*ret_conf = d.conf;
	return true;
fail:
	room_free_draft(&d);
	conf_free(&d.conf);
	return false;
}

int conf_group_by_name(const struct conf *c, const char *name)
{
	int group = conf_group_by_id(c, id_from_name(name));

	return group >= 0 && strcmp(c->groups[group].name, name) == 0 ? group : -1;
}

int conf_group_by_id(const struct conf *c, uint32_t id)
{
	size_t group;

	for (struct lookup_search s = lookup_begin(&c->groups_by_id, id); lookup_next(&s, &group);)
		if (c->groups[group].id == id)
			return (int)group;
	return -1;
}

int conf_address_by_ip(const struct conf *c, const struct ip *ip)
{
	struct lookup_search s = lookup_begin(&c->addresses_by_ip, ip_hash(ip));
	size_t address;

	while (lookup_next(&s, &address))
		if (ip_equal(&c->addresses[address].ip, ip))
			return (int)address;
	return -1;
}

/* Complains about a group that cannot be told from an earlier one. */
static void check_group_name(struct draft *d, const char *name, uint32_t id)
{
	int other = conf_group_by_id(&d->conf, id);

	if (other < 0)
		return;
	if (strcmp(d->conf.groups[other].name, name) == 0)
		draft_complain(d,
			"group \"%s\" stands here and in line %u, put its keys into one of them",
			quote(name).text, d->group_line[other]);
	else
		draft_complain(d,
			"group \"%s\" has the same number on the wire as \"%s\" in line %u, rename"
			" one of them",
			quote(name).text, quote(d->conf.groups[other].name).text,
			d->group_line[other]);
}

static void begin_group(struct draft *d, const char *name)
{
	struct conf_group *group;

	if (d->conf.group_count == GROUPS_MAX) {
		if (!d->groups_full)
			draft_complain(d, "too many groups, at most %d are possible", GROUPS_MAX);
		d->groups_full = true;
		d->section = SECTION_IGNORED;
		return;
	}
	if (value_is_name(name))
		check_group_name(d, name, id_from_name(name));
	else if (name[0])
		draft_complain(d,
			"\"%s\" cannot name a group, use 1 to %d letters, digits, \".\", \"_\""
			" and \"-\"",
			quote(name).text, NAME_SIZE - 1);
	else
		draft_complain(d, "a group needs a name, write [group %s]", CONF_GROUP);
	/* A group with a wrong name is read all the same, to know all mistakes at once. */
	d->section = SECTION_GROUP;
	d->group_line[d->conf.group_count] = d->line;
	group = &d->conf.groups[d->conf.group_count++];
	(void)text_copy(group->name, sizeof(group->name), name);
	group->id = id_from_name(group->name);
	lookup_add(&d->conf.groups_by_id, group->id, d->conf.group_count - 1u);
	group->worth = CONF_WORTH;
	group->before_active_timeout_ns = CONF_BEFORE_TIMEOUT_NS;
	group->hold_down_ns = CONF_HOLD_DOWN_NS;
	keys_begin_group(d);
}

static void begin_node(struct draft *d, const char *name)
{
	if (name[0])
		draft_complain(d, "[node] takes no name here, write \"name = %s\" under it",
			quote(name).text);
	if (d->node_line)
		draft_complain(d, "[node] stands here and in line %u, join them", d->node_line);
	else
		d->node_line = d->line;
	d->section = SECTION_NODE;
}

static void complain_section(struct draft *d, const char *kind)
{
	if (value_is_near(kind, "node"))
		draft_complain(d, "unknown section [%s], did you mean [node]?", quote(kind).text);
	else if (value_is_near(kind, "group"))
		draft_complain(
			d, "unknown section [%s], did you mean [group NAME]?", quote(kind).text);
	else
		draft_complain(d, "unknown section [%s], there are [node] and [group NAME]",
			quote(kind).text);
	d->section = SECTION_IGNORED;
}

/* Cuts the brackets off @line, "[KIND NAME]", and returns what is between them. */
static char *open_section(struct draft *d, char *line)
{
	char *inside = line + 1;
	char *end = strchr(inside, ']');
	char *behind;

	if (!end) {
		draft_complain(d, "a section ends with \"]\", write %s]", quote(line).text);
		return inside;
	}
	behind = end + 1 + strspn(end + 1, " \t");
	if (*behind && *behind != '#' && *behind != ';')
		draft_complain(d,
			"\"%s\" stands behind the section, write it into a line of its own",
			quote(behind).text);
	while (end > inside && strchr(" \t", end[-1]))
		end--;
	*end = '\0';
	return inside;
}

static void begin_section(struct draft *d, char *line)
{
	char *name = open_section(d, line);
	const char *kind = value_word(&name);

	name += strspn(name, " \t");
	check_group(d);
	if (!kind)
		complain_section(d, "");
	else if (strcmp(kind, "node") == 0)
		begin_node(d, name);
	else if (strcmp(kind, "group") == 0)
		begin_group(d, name);
	else
		complain_section(d, kind);
}

/* The line that is being read is of no use. If it began a section, which one is not known, and so
 * its keys are not judged. */
static void give_up_line(struct draft *d, struct span line)
{
	if (line.size > 0 && line.bytes[0] == '[') {
		check_group(d);
		d->section = SECTION_IGNORED;
	}
}

static void read_section(struct draft *d, struct span line)
{
	char copy[STATEMENT_SIZE];

	if (line.size > STATEMENT_MAX) {
		draft_complain(d, "the line has %zu bytes, at most %d are possible", line.size,
			STATEMENT_MAX);
		give_up_line(d, line);
		return;
	}
	memcpy(copy, line.bytes, line.size);
	copy[line.size] = '\0';
	begin_section(d, copy);
}

/* Adds "key=value" to @statement, or complains that @line is none. */
static void read_assignment(struct draft *d, struct span line, struct text *statement)
{
	size_t equals = span_find(line, '=');
	struct span name = span_trim((struct span){.bytes = line.bytes, .size = equals});
	struct span value;

	if (equals == line.size || name.size == 0 || span_find(name, ':') < name.size) {
		draft_complain(d, "\"%s\" is not \"key = value\", begin comments with #",
			quote_span(line).text);
		return;
	}
	value = span_trim(
		(struct span){.bytes = line.bytes + equals + 1, .size = line.size - equals - 1});
	if (name.size + 1 + value.size > STATEMENT_MAX)
		draft_complain(d, "key and value have %zu bytes, at most %d are possible",
			name.size + value.size, STATEMENT_MAX - 1);
	else
		text_add(statement, "%.*s=%.*s", (int)name.size, name.bytes, (int)value.size,
			value.bytes);
}

static void read_line(struct draft *d, struct span line, struct text *statement)
{
	int control = span_control_character(line);

	line = span_trim(span_without_comment(line));
	if (control >= 0) {
		draft_complain(d, "there is a control character (byte 0x%02x), write plain text",
			(unsigned)control);
		give_up_line(d, line);
	} else if (line.size > 0 && line.bytes[0] == '[') {
		read_section(d, line);
	} else if (line.size > 0) {
		read_assignment(d, line, statement);
	}
}

/* The reader of libinih: the next line, empty if it is no "key=value". */
static char *read_statement(char *buffer, int size, void *stream)
{
	struct draft *d = stream;
	struct text statement = text_init(buffer, (size_t)size);
	struct span line;

	assert(size > STATEMENT_SIZE);
	if (!lines_next(&d->lines, &line))
		return NULL;
	d->line = d->lines.number;
	read_line(d, line, &statement);
	text_add(&statement, "\n");
	return buffer;
}

/* The handler of libinih. */
static int take_statement(void *user, const char *section, const char *name, const char *value)
{
	struct draft *d = user;

	(void)section; /* read_section() knows it */
	switch (d->section) {
	case SECTION_NODE:
	case SECTION_GROUP: keys_take(d, name, value); break;
	case SECTION_NONE:
		draft_complain(d, "\"%s\" stands before any section, write [node] above it",
			quote(name).text);
		d->section = SECTION_IGNORED;
		break;
	case SECTION_IGNORED: break;
	}
	return 1;
}
