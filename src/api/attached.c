/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "api/node.h"

static int attached_open(ha_node *n, const struct ha_options *o)
{
	(void)o;
	return node_fail(n, -ENOSYS, "attaching is not available yet");
}
static void attached_nothing(ha_node *n)
{
	(void)n;
}
static void attached_tell(ha_node *n, const struct node_fitness *f)
{
	(void)n;
	(void)f;
}
static int attached_snapshot(ha_node *n, char **ret_json)
{
	(void)ret_json;
	return node_fail(n, -ENOSYS, "attaching is not available yet");
}
static int64_t attached_interval_ns(const ha_node *n)
{
	(void)n;
	return NS_PER_S;
}
const struct mode ATTACHED = {attached_open, attached_nothing, attached_nothing, attached_nothing,
	attached_tell, attached_snapshot, attached_interval_ns};
