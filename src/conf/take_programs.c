/* SPDX-License-Identifier: ISC */
/* The keys that name what is run: checks and hooks. */
#include <string.h>

#include "base/text.h"
#include "conf/checks.h"
#include "conf/diagnostics.h"
#include "conf/room.h"
#include "conf/take.h"
#include "conf/values.h"

void take_check(struct draft *d, const struct key *key, char *value)
{
	struct conf_group *group = key_group(d);
	struct conf_check *check;

	if (key_has_no_room(d, key, d->conf.check_count, CHECKS_MAX))
		return;
	if (group->check_count++ == 0)
		group->check_first = d->conf.check_count;
	d->check_line[d->conf.check_count] = d->line;
	check = &d->conf.checks[d->conf.check_count++];
	check->group = (uint16_t)(d->conf.group_count - 1);
	conf_check_take(d, check, value);
}

/* False, with a complaint, if it is no command line. */
static bool check_command(struct draft *d, const struct key *key, const char *value)
{
	if (value[0] != '/')
		draft_complain(d, "%s = \"%s\" is not an absolute path, write a program like %s",
			key->name, quote(value).text, key->example);
	else if (strpbrk(value, "\"'"))
		draft_complain(d,
			"%s: quotation marks mean nothing here, words are split at blanks; write a"
			" script and name it",
			key->name);
	else
		return true;
	return false;
}

void take_stream(struct draft *d, const struct key *key, char *value)
{
	if (check_command(d, key, value))
		(void)text_copy(d->conf.node.on_change_stream, COMMAND_SIZE, value);
}

static void take_hook(
	struct draft *d, const struct key *key, const char *value, enum conf_hook kind)
{
	struct conf_group *group = key_group(d);

	if (check_command(d, key, value) &&
		!key_has_no_room(d, key, group->hook_count[kind], HOOKS_MAX))
		group->hook[kind][group->hook_count[kind]++] = room_keep(d, value);
}

void take_on_change(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_CHANGE);
}

void take_on_active(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_ACTIVE);
}

void take_on_standby(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_STANDBY);
}

void take_before_active(struct draft *d, const struct key *key, char *value)
{
	take_hook(d, key, value, CONF_HOOK_BEFORE);
}
