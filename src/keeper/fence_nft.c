/* SPDX-License-Identifier: ISC */
#include "keeper/fence_nft.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's own */

#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "sys/log.h"
#include "wire/nd.h"

/* The sets: addresses of held groups, and while the lease lasts the protocols that may pass, which
 * are all of the table's. */
#define HELD4 "held4"
#define HELD6 "held6"
#define LEASE "lease"

#define PRIORITY_FIRST (-450) /* before anything is rewritten or tracked */
#define PRIORITY_LAST  300

/* What nft(8) calls the types; the kernel does not look at them. */
#define TYPE_PROTOCOL 2
#define TYPE_IP4      7
#define TYPE_IP6      8

#define TICKS_EARLY   2
#define PERIOD_MIN_NS (2 * NS_PER_MS)
#define ELEMENTS_MAX  100 /* of one message */

/* A header's field that holds an address, and what must be true besides. */
struct match {
	uint8_t family; /* of the packet; NFPROTO_ARP: there is nothing to ask */
	uint32_t base, offset;
	uint8_t nd_type; /* 0: any packet */
	const char *set;
};

struct chain {
	const char *name;
	uint8_t family;
	uint32_t hook;
	int32_t priority;
	enum nft_meta_keys device; /* whose type is asked for; 0: none */
	size_t match_count;
	struct match matches[3];
};

#define NETWORK   NFT_PAYLOAD_NETWORK_HEADER
#define TRANSPORT NFT_PAYLOAD_TRANSPORT_HEADER

static const struct chain CHAINS[] = {
	{"ingress", NFPROTO_INET, NF_INET_PRE_ROUTING, PRIORITY_FIRST, NFT_META_IIFTYPE, 3,
		{{NFPROTO_IPV4, NETWORK, 16, 0, HELD4}, {NFPROTO_IPV6, NETWORK, 24, 0, HELD6},
			{NFPROTO_IPV6, TRANSPORT, 8, ND_SOLICITATION, HELD6}}},
	{"egress", NFPROTO_INET, NF_INET_POST_ROUTING, PRIORITY_LAST, NFT_META_OIFTYPE, 3,
		{{NFPROTO_IPV4, NETWORK, 12, 0, HELD4}, {NFPROTO_IPV6, NETWORK, 8, 0, HELD6},
			{NFPROTO_IPV6, TRANSPORT, 8, ND_ADVERTISEMENT, HELD6}}},
	{"ingress", NFPROTO_ARP, NF_ARP_IN, PRIORITY_FIRST, 0, 1,
		{{NFPROTO_ARP, NETWORK, 24, 0, HELD4}}},
	{"egress", NFPROTO_ARP, NF_ARP_OUT, PRIORITY_LAST, 0, 1,
		{{NFPROTO_ARP, NETWORK, 14, 0, HELD4}}},
};
#define CHAIN_COUNT (sizeof(CHAINS) / sizeof(CHAINS[0]))

/* The tables, and the protocols of each. */
static const struct table {
	uint8_t family;
	uint8_t protocols[2];
	size_t protocol_count;
} TABLES[] = {
	{NFPROTO_INET, {NFPROTO_IPV4, NFPROTO_IPV6}, 2},
	{NFPROTO_ARP, {NFPROTO_ARP}, 1},
};
#define TABLE_COUNT (sizeof(TABLES) / sizeof(TABLES[0]))

/* --- expressions of a rule, which are evaluated one after the other until one is not true */

struct expression {
	struct nlmsghdr *message;
	struct nlattr *element, *data;
};

static struct expression begin_expression(struct nlmsghdr *m, const char *name)
{
	struct expression e = {.message = m, .element = mnl_attr_nest_start(m, NFTA_LIST_ELEM)};

	mnl_attr_put_strz(m, NFTA_EXPR_NAME, name);
	e.data = mnl_attr_nest_start(m, NFTA_EXPR_DATA);
	return e;
}

static void end_expression(struct expression e)
{
	mnl_attr_nest_end(e.message, e.data);
	mnl_attr_nest_end(e.message, e.element);
}

static void compare(struct nlmsghdr *m, enum nft_cmp_ops how, const void *value, size_t size)
{
	struct expression e = begin_expression(m, "cmp");

	nftables_put_u32(m, NFTA_CMP_SREG, NFT_REG_1);
	nftables_put_u32(m, NFTA_CMP_OP, how);
	nftables_put_data(m, NFTA_CMP_DATA, value, size);
	end_expression(e);
}

static void put_meta(struct nlmsghdr *m, enum nft_meta_keys key)
{
	struct expression e = begin_expression(m, "meta");

	nftables_put_u32(m, NFTA_META_KEY, key);
	nftables_put_u32(m, NFTA_META_DREG, NFT_REG_1);
	end_expression(e);
}

static void put_payload(struct nlmsghdr *m, uint32_t base, uint32_t offset, uint32_t size)
{
	struct expression e = begin_expression(m, "payload");

	nftables_put_u32(m, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nftables_put_u32(m, NFTA_PAYLOAD_BASE, base);
	nftables_put_u32(m, NFTA_PAYLOAD_OFFSET, offset);
	nftables_put_u32(m, NFTA_PAYLOAD_LEN, size);
	end_expression(e);
}

static void look_up(struct nlmsghdr *m, const char *set, uint32_t flags)
{
	struct expression e = begin_expression(m, "lookup");

	mnl_attr_put_strz(m, NFTA_LOOKUP_SET, set);
	nftables_put_u32(m, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (flags != 0)
		nftables_put_u32(m, NFTA_LOOKUP_FLAGS, flags);
	end_expression(e);
}

static void drop(struct nlmsghdr *m)
{
	struct expression e = begin_expression(m, "immediate");
	struct nlattr *data, *verdict;

	nftables_put_u32(m, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = mnl_attr_nest_start(m, NFTA_IMMEDIATE_DATA);
	verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);
	nftables_put_u32(m, NFTA_VERDICT_CODE, NF_DROP);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, data);
	end_expression(e);
}

static void put_conditions(struct nlmsghdr *m, const struct chain *c, const struct match *match)
{
	const uint16_t loopback = ARPHRD_LOOPBACK;
	const uint8_t icmpv6 = IPPROTO_ICMPV6;

	if (c->device != 0) {
		put_meta(m, c->device);
		compare(m, NFT_CMP_NEQ, &loopback, sizeof(loopback));
	}
	if (match->family != NFPROTO_ARP) {
		put_meta(m, NFT_META_NFPROTO);
		compare(m, NFT_CMP_EQ, &match->family, sizeof(match->family));
	}
	if (match->nd_type != 0) {
		put_meta(m, NFT_META_L4PROTO);
		compare(m, NFT_CMP_EQ, &icmpv6, sizeof(icmpv6));
		put_payload(m, TRANSPORT, 0, sizeof(match->nd_type));
		compare(m, NFT_CMP_EQ, &match->nd_type, sizeof(match->nd_type));
	}
}

/* --- the tables */

static struct nlmsghdr *add(
	struct fence_nft *f, uint16_t type, uint8_t family, uint16_t table_attribute)
{
	uint16_t flags = NLM_F_CREATE | (type == NFT_MSG_NEWRULE ? NLM_F_APPEND : 0);
	struct nlmsghdr *m = nftables_add(&f->nftables, type, flags, family);

	mnl_attr_put_strz(m, table_attribute, f->name);
	return m;
}

static void add_rule(struct fence_nft *f, const struct chain *c, const struct match *match)
{
	struct nlmsghdr *m = add(f, NFT_MSG_NEWRULE, c->family, NFTA_RULE_TABLE);
	struct nlattr *expressions;
	bool v6 = strcmp(match->set, HELD6) == 0;

	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, c->name);
	expressions = mnl_attr_nest_start(m, NFTA_RULE_EXPRESSIONS);
	put_conditions(m, c, match);
	put_payload(m, match->base, match->offset, v6 ? 16 : 4);
	look_up(m, match->set, 0);
	put_meta(m, NFT_META_NFPROTO);
	look_up(m, LEASE, NFT_LOOKUP_F_INV);
	drop(m);
	mnl_attr_nest_end(m, expressions);
}

static void add_chain(struct fence_nft *f, const struct chain *c)
{
	struct nlmsghdr *m = add(f, NFT_MSG_NEWCHAIN, c->family, NFTA_CHAIN_TABLE);
	struct nlattr *hook;

	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, c->name);
	hook = mnl_attr_nest_start(m, NFTA_CHAIN_HOOK);
	nftables_put_u32(m, NFTA_HOOK_HOOKNUM, c->hook);
	nftables_put_u32(m, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
	mnl_attr_nest_end(m, hook);
	mnl_attr_put_strz(m, NFTA_CHAIN_TYPE, "filter");
	for (size_t i = 0; i < c->match_count; i++)
		add_rule(f, c, &c->matches[i]);
}

static void add_set(struct fence_nft *f, uint8_t family, const char *name, uint32_t flags,
	uint32_t key_type, uint32_t key_size)
{
	struct nlmsghdr *m = add(f, NFT_MSG_NEWSET, family, NFTA_SET_TABLE);

	mnl_attr_put_strz(m, NFTA_SET_NAME, name);
	nftables_put_u32(m, NFTA_SET_FLAGS, flags);
	nftables_put_u32(m, NFTA_SET_KEY_TYPE, key_type);
	nftables_put_u32(m, NFTA_SET_KEY_LEN, key_size);
	nftables_put_u32(m, NFTA_SET_ID, f->nftables.sequence);
}

static void add_table(struct fence_nft *f, uint8_t family)
{
	(void)add(f, NFT_MSG_NEWTABLE, family, NFTA_TABLE_NAME);
	add_set(f, family, HELD4, 0, TYPE_IP4, 4);
	if (family == NFPROTO_INET)
		add_set(f, family, HELD6, 0, TYPE_IP6, 16);
	add_set(f, family, LEASE, NFT_SET_TIMEOUT, TYPE_PROTOCOL, sizeof(uint8_t));
	for (size_t i = 0; i < CHAIN_COUNT; i++)
		if (CHAINS[i].family == family)
			add_chain(f, &CHAINS[i]);
}

/* --- what is in the sets */

static struct nlattr *begin_elements(
	struct fence_nft *f, uint16_t type, uint8_t family, const char *set, struct nlmsghdr **ret)
{
	*ret = add(f, type, family, NFTA_SET_ELEM_LIST_TABLE);
	mnl_attr_put_strz(*ret, NFTA_SET_ELEM_LIST_SET, set);
	return mnl_attr_nest_start(*ret, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void change_addresses(struct fence_nft *f, uint16_t type, uint8_t family,
	enum ip_family which, size_t first, size_t count)
{
	struct nlmsghdr *m;
	struct nlattr *elements =
		begin_elements(f, type, family, which == IP_V4 ? HELD4 : HELD6, &m);

	for (size_t i = first; i < first + count; i++) {
		const struct ip *ip = &f->conf->addresses[i].ip;
		struct nlattr *element;

		if (ip->family != which)
			continue;
		element = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
		nftables_put_data(m, NFTA_SET_ELEM_KEY, ip->bytes, ip_bits(ip) / 8);
		mnl_attr_nest_end(m, element);
	}
	mnl_attr_nest_end(m, elements);
}

/* In parts: a transaction has a size. */
static int change_held(struct fence_nft *f, uint16_t type, size_t group)
{
	const struct conf_group *g = &f->conf->groups[group];
	size_t end = (size_t)g->address_first + g->address_count;
	int r = 0;

	for (size_t first = g->address_first; r == 0 && first < end; first += ELEMENTS_MAX) {
		size_t count = end - first < ELEMENTS_MAX ? end - first : ELEMENTS_MAX;

		nftables_begin(&f->nftables);
		change_addresses(f, type, NFPROTO_INET, IP_V4, first, count);
		change_addresses(f, type, NFPROTO_INET, IP_V6, first, count);
		change_addresses(f, type, NFPROTO_ARP, IP_V4, first, count);
		r = nftables_commit(&f->nftables);
	}
	return r;
}

/* Emptied first: an element that is there keeps its timeout when it is added again. */
static void set_lease(struct fence_nft *f, const struct table *table, uint64_t timeout_ms)
{
	struct nlmsghdr *m = add(f, NFT_MSG_DELSETELEM, table->family, NFTA_SET_ELEM_LIST_TABLE);
	struct nlattr *elements, *element;

	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, LEASE);
	if (timeout_ms == 0)
		return;
	elements = begin_elements(f, NFT_MSG_NEWSETELEM, table->family, LEASE, &m);
	for (size_t i = 0; i < table->protocol_count; i++) {
		element = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
		nftables_put_data(m, NFTA_SET_ELEM_KEY, &table->protocols[i], sizeof(uint8_t));
		nftables_put_u64(m, NFTA_SET_ELEM_TIMEOUT, timeout_ms);
		mnl_attr_nest_end(m, element);
	}
	mnl_attr_nest_end(m, elements);
}

/* --- its life */

static int build(struct fence_nft *f)
{
	int r;

	nftables_begin(&f->nftables);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		add_table(f, TABLES[i].family);
	r = nftables_commit(&f->nftables);
	for (size_t g = 0; r == 0 && g < f->conf->group_count; g++)
		if (f->held[g])
			r = change_held(f, NFT_MSG_NEWSETELEM, g);
	return r;
}

static void remove_tables(struct fence_nft *f)
{
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		nftables_begin(&f->nftables);
		(void)add(f, NFT_MSG_DELTABLE, TABLES[i].family, NFTA_TABLE_NAME);
		(void)nftables_commit(&f->nftables);
	}
}

static void make_name(struct fence_nft *f, uint32_t handle)
{
	(void)snprintf(f->name, sizeof(f->name), "ha-fence-%08x", handle);
}

void fence_nft_clean(uint32_t handle)
{
	struct fence_nft *f = calloc(1, sizeof(*f));

	if (!f)
		return;
	make_name(f, handle);
	if (nftables_open(&f->nftables) == 0) {
		remove_tables(f);
		nftables_close(&f->nftables);
	}
	free(f);
}

/* Between two heartbeats the lease that the kernel knows must not end: two renewals fit into what
 * is left of it then, or one and the ticks by which it ends early. */
static bool set_times(struct fence_nft *f)
{
	const struct conf_node *node = &f->conf->node;
	struct timespec tick;
	int64_t room_ns;

	(void)clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	f->tick_ns = tick.tv_sec * NS_PER_S + tick.tv_nsec;
	room_ns = (node->tolerance_ns - node->margin_ns - node->interval_ns -
			  TICKS_EARLY * f->tick_ns) /
		  2;
	f->period_ns = room_ns < node->interval_ns ? room_ns : node->interval_ns;
	return f->period_ns >= PERIOD_MIN_NS;
}

int fence_nft_open(
	struct fence_nft *f, const struct conf *conf, uint32_t handle, const char **reterr)
{
	int r;

	*f = (struct fence_nft){.conf = conf, .nftables = {.descriptor = -1}};
	make_name(f, handle);
	if (!set_times(f)) {
		*reterr = "the kernel's ticks are too long for such a short tolerance";
		return -ERANGE;
	}
	f->held = calloc(conf->group_count, sizeof(*f->held));
	r = f->held ? nftables_open(&f->nftables) : -ENOMEM;
	if (r == 0)
		r = build(f);
	if (r < 0) {
		*reterr = strerror(-r);
		fence_nft_close(f);
	}
	return r;
}

/* Somebody has flushed the whole rule set: the fence comes back as it was. */
static int rebuild(struct fence_nft *f)
{
	log_warning("somebody took the fence away (nft flush ruleset?); it is put up again");
	remove_tables(f);
	return build(f);
}

static void complain(struct fence_nft *f, int r)
{
	if (r < 0 && !f->failed)
		log_error("the fence cannot be renewed: %s; this node will not be reached",
			strerror(-r));
	f->failed = r < 0;
}

void fence_nft_hold(struct fence_nft *f, size_t group, bool held)
{
	int r;

	if (f->held[group] == held)
		return;
	f->held[group] = held;
	f->held_count += held ? 1 : (size_t)-1;
	r = change_held(f, held ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, group);
	if (r == -ENOENT)
		r = rebuild(f);
	complain(f, r);
}

static int store(struct fence_nft *f, int64_t left_ns)
{
	uint64_t left_ms = left_ns >= f->tick_ns ? (uint64_t)(left_ns / NS_PER_MS) : 0;

	nftables_begin(&f->nftables);
	for (size_t i = 0; i < TABLE_COUNT; i++)
		set_lease(f, &TABLES[i], left_ms);
	return nftables_commit(&f->nftables);
}

void fence_nft_renew(struct fence_nft *f, ha_time now, ha_time until)
{
	int64_t left_ns = time_between(now, until);
	int r = store(f, left_ns);

	if (r == -ENOENT) {
		r = rebuild(f);
		if (r == 0)
			r = store(f, left_ns);
	}
	complain(f, r);
}

void fence_nft_leave(struct fence_nft *f)
{
	nftables_close(&f->nftables);
	free(f->held);
	f->held = NULL;
}

void fence_nft_close(struct fence_nft *f)
{
	if (f->nftables.descriptor >= 0)
		remove_tables(f);
	nftables_close(&f->nftables);
	free(f->held);
	f->held = NULL;
}
