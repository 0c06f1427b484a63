/* SPDX-License-Identifier: ISC */
#include "keeper/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "keeper/configuration.h"
#include "keeper/interfaces.h"
#include "keeper/local.h"
#include "keeper/requests.h"

#define FOUND_MAX 512 /* in one round */
#define WHAT_SIZE 128

struct found {
	const struct conf *conf;
	size_t count;
	struct netlink_address list[FOUND_MAX];
	bool local;
	const struct leftovers_choice *choice;
};

static bool take_shared(const struct netlink_address *address, void *context)
{
	struct found *f = context;
	const struct leftovers_choice *c = f->choice;

	if (conf_address_by_ip(f->conf, &address->ip) < 0)
		return true;
	if (!c->stays || !c->stays(address, f->local, c->context))
		f->list[f->count++] = *address;
	return f->count < FOUND_MAX;
}

/* Sets the device's promote_secondaries to @value ('0' or '1') and returns what it was; @value
 * itself if it cannot be changed, so that there is nothing to set back. */
static char set_promotion(uint32_t index, char value)
{
	char device[IF_NAMESIZE], path[128], before = '0';
	struct text name = text_init(path, sizeof(path));
	int file;

	if (!if_indextoname(index, device))
		return value;
	text_add(&name, "/proc/sys/net/ipv4/conf/%s/promote_secondaries", device);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		return value;
	if (pread(file, &before, 1, 0) != 1 || pwrite(file, &value, 1, 0) != 1)
		before = value;
	(void)close(file);
	return before;
}

int leftovers_delete_foreign(struct netlink *request, const struct netlink_address *address)
{
	bool primary = address->ip.family == IP_V4 && !interfaces_is_our_form(address) &&
		       !(address->flags & IFA_F_SECONDARY);
	char before = primary ? set_promotion(address->index, '1') : '1';
	struct netlink_batch b;
	int r;

	netlink_batch_clear(&b);
	request_no_address(&b, address->index, &address->ip, address->prefix_length);
	r = netlink_request(request, &b);
	if (before != '1')
		(void)set_promotion(address->index, before);
	return request_is_gone(r) ? 0 : r;
}

int leftovers_delete_local(struct netlink *request, const struct netlink_address *local)
{
	struct netlink_batch b;
	int r;

	netlink_batch_clear(&b);
	request_no_local(&b, local->index, &local->ip);
	r = netlink_request(request, &b);
	return request_is_gone(r) ? 0 : r;
}

static void tell(leftovers_told told, void *context, const struct netlink_address *address)
{
	char ip[IP_TEXT_SIZE], device[IF_NAMESIZE] = "?", what[WHAT_SIZE];
	struct text t = text_init(what, sizeof(what));

	(void)if_indextoname(address->index, device);
	text_add(&t, "%s from %s", ip_format(&address->ip, ip), device);
	told(what, context);
}

/* What is in our form, many at a time. */
static int remove_ours(
	struct netlink *request, const struct netlink_address *list, size_t count, bool local)
{
	int errors[NETLINK_BATCH_MAX];
	struct netlink_batch b;
	int r;

	netlink_batch_clear(&b);
	for (size_t i = 0; i < count; i++) {
		if (local)
			request_no_local(&b, list[i].index, &list[i].ip);
		else
			request_no_address(&b, list[i].index, &list[i].ip, list[i].prefix_length);
	}
	r = netlink_batch_send(request, &b, errors);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (!request_is_gone(errors[i]))
			r = errors[i];
	}
	return r;
}

static int remove_found(struct netlink *request, const struct found *found, bool local)
{
	struct netlink_address ours[NETLINK_BATCH_MAX];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < found->count; i++) {
		if (interfaces_is_our_form(&found->list[i]))
			ours[count++] = found->list[i];
		else
			r = leftovers_delete_foreign(request, &found->list[i]);
		if (r == 0 && (count == NETLINK_BATCH_MAX || i + 1 == found->count)) {
			r = remove_ours(request, ours, count, local);
			count = 0;
		}
	}
	return r;
}

/* Only ours can match, by protocol and metric, so it does not matter whether there is one. */
static void remove_routes(
	struct netlink *request, const struct conf *conf, const struct leftovers_choice *choice)
{
	for (size_t i = 0; i < conf->address_count; i++) {
		const struct conf_address *a = &conf->addresses[i];
		uint32_t index = if_nametoindex(conf->devices[a->device].name);
		struct ip prefix = request_prefix(&a->ip, a->prefix_length);
		struct netlink_batch b;

		if (index == 0 || a->prefix_length == ip_bits(&a->ip) ||
			(choice->stays_routed && choice->stays_routed(index, &prefix,
							 a->prefix_length, choice->context)))
			continue;
		netlink_batch_clear(&b);
		request_no_route(&b, index, &prefix, a->prefix_length);
		(void)netlink_request(request, &b);
	}
}

/* All addresses, or all local routes. Returns how many there were, or -errno. */
static int remove_kind(struct netlink *request, const struct conf *conf, bool local,
	const struct leftovers_choice *choice)
{
	struct found found = {.conf = conf, .local = local, .choice = choice};
	int removed = 0;

	/* Each may be there in more than one form, but not without end. */
	for (int round = 0; round < 8 + conf->address_count / FOUND_MAX; round++) {
		int r;

		found.count = 0;
		r = local ? local_dump(take_shared, &found)
			  : netlink_dump_addresses(0, take_shared, &found);
		if (r == 0)
			r = remove_found(request, &found, local);
		if (r < 0)
			return r;
		for (size_t i = 0; i < found.count; i++)
			tell(choice->told, choice->context, &found.list[i]);
		removed += (int)found.count;
		if (found.count == 0)
			break;
	}
	return removed;
}

int leftovers_remove(
	struct netlink *request, const struct conf *conf, const struct leftovers_choice *choice)
{
	int addresses = remove_kind(request, conf, false, choice);
	int locals = addresses < 0 ? 0 : remove_kind(request, conf, true, choice);

	remove_routes(request, conf, choice);
	if (addresses < 0 || locals < 0)
		return addresses < 0 ? addresses : locals;
	return addresses + locals;
}

int leftovers_remove_previous(struct netlink *request, const struct runtime_dir *dir,
	const struct leftovers_choice *choice)
{
	int saved = runtime_dir_saved_configuration(dir);
	struct configuration previous;
	int removed = 0;

	if (saved < 0)
		return 0;
	if (configuration_read(saved, true, &previous) == CONFIGURATION_GOOD) {
		removed = leftovers_remove(request, previous.conf, choice);
		configuration_free(&previous);
	}
	(void)close(saved);
	return removed;
}

struct lowering {
	struct netlink *request;
	const struct runtime_dir *dir;
	leftovers_told told;
	void *context;
	int result;
};

static void lower_one(const char *device, void *context)
{
	struct lowering *l = context;
	uint32_t index = if_nametoindex(device);
	char what[WHAT_SIZE];
	struct text t = text_init(what, sizeof(what));
	int r = index != 0 ? request_link(l->request, index, false) : 0;

	if (r < 0) {
		l->result = r;
		return;
	}
	runtime_dir_forget_raised(l->dir, device);
	if (index == 0 || l->result < 0)
		return;
	text_add(&t, "%s, which is down again", device);
	l->told(what, l->context);
	l->result++;
}

int leftovers_lower(
	struct netlink *request, const struct runtime_dir *dir, leftovers_told told, void *context)
{
	struct lowering l = {.request = request, .dir = dir, .told = told, .context = context};

	runtime_dir_raised(dir, lower_one, &l);
	return l.result;
}
