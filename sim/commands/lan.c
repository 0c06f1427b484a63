/* SPDX-License-Identifier: ISC */
/* What happens on the LAN: cuts, loss and delay, strangers, clients, and what somebody sends in the
 * name of a node. */
#include <stdlib.h>
#include <string.h>

#include "sim/commands/commands.h"

/* The ports in @words: names, separated by commas, or "all". */
static bool parse_ports(const struct world *w, const char *text, bool *ret_ports)
{
	char copy[512], *rest = copy, *name;
	size_t port;

	memset(ret_ports, is(text, "all"), WORLD_PORTS_MAX * sizeof(*ret_ports));
	if (is(text, "all"))
		return true;
	if (!text_copy(copy, sizeof(copy), text))
		return false;
	while ((name = strsep(&rest, ",")) != NULL) {
		port = lan_find_port(w, name);
		if (port == WORLD_PORTS_MAX)
			return false;
		ret_ports[port] = true;
	}
	return true;
}

static void cut_all(struct world *w, const bool *from, const bool *to, bool one_way, enum cut what)
{
	for (size_t i = 0; i < lan_port_count(w); i++)
		for (size_t j = 0; j < lan_port_count(w); j++) {
			if (!from[i] || !to[j] || i == j)
				continue;
			lan_cut(w, i, j, what);
			if (!one_way)
				lan_cut(w, j, i, what);
		}
}

/* cut [multicast|unicast|heartbeats|nothing] NAME[,NAME]... [[->] NAME[,NAME]...]: without an arrow
 * in both directions, without a second list from all others. */
bool command_cut(struct world *w, struct words words)
{
	bool from[WORLD_PORTS_MAX], to[WORLD_PORTS_MAX], one_way;
	enum cut what = CUT_ALL;

	if (words.count > 0 && is(words.list[0], "multicast"))
		what = CUT_MULTICAST;
	else if (words.count > 0 && is(words.list[0], "unicast"))
		what = CUT_UNICAST;
	else if (words.count > 0 && is(words.list[0], "heartbeats"))
		what = CUT_HEARTBEATS;
	else if (words.count > 0 && is(words.list[0], "nothing"))
		what = CUT_NOTHING;
	if (what != CUT_ALL) {
		words.list++;
		words.count--;
	}
	one_way = words.count == 3 && is(words.list[1], "->");
	if (words.count < 1 || words.count > 3 || (words.count == 3 && !one_way) ||
		!parse_ports(w, words.list[0], from) ||
		!parse_ports(w, words.count > 1 ? words.list[words.count - 1] : "all", to))
		return false;
	for (size_t i = 0; words.count == 1 && i < WORLD_PORTS_MAX; i++)
		to[i] = !from[i];
	cut_all(w, from, to, one_way, what);
	return true;
}

bool command_heal(struct world *w, struct words words)
{
	for (size_t i = 0; i < WORLD_PORTS_MAX; i++)
		for (size_t j = 0; j < WORLD_PORTS_MAX; j++)
			if (w->cuts[i][j] != CUT_NOTHING)
				lan_cut(w, i, j, CUT_NOTHING);
	return words.count == 0;
}

/* stranger ADDRESS|none: a host outside the cluster uses it. */
bool command_stranger(struct world *w, struct words words)
{
	w->stranger = (struct ip){0};
	for (size_t i = 0; i < w->node_count; i++)
		disturb(&w->nodes[i]);
	return words.count == 1 &&
	       (is(words.list[0], "none") || ip_parse(words.list[0], &w->stranger));
}

/* remember NAME as WORD: the last datagram that it sent. */
bool command_remember(struct world *w, struct words words)
{
	struct node *n =
		words.count == 3 && is(words.list[1], "as") ? node_find(w, words.list[0]) : NULL;

	if (!n || !n->last || w->memory_count == WORLD_MEMORIES_MAX)
		return false;
	w->memories[w->memory_count] = (struct memory){.from = n->last->from,
		.boot = n->last->boot,
		.sent = n->last->sent,
		.datagram = n->last->datagram};
	text_copy(w->memories[w->memory_count++].name, NAME_SIZE, words.list[2]);
	return true;
}

/* What somebody sends in the name of a node. */
static struct packet *packet_in_the_name_of(
	struct world *w, const struct node *n, const struct datagram *d)
{
	struct packet *p = lan_packet(w, n, d);

	(void)lan_read_packet(p, n);
	return p;
}

/* replay WORD to NAME [hop-limit N] */
bool command_replay(struct world *w, struct words words)
{
	struct node *to =
		words.count >= 3 && is(words.list[1], "to") ? node_find(w, words.list[2]) : NULL;

	struct packet *p;

	for (size_t i = 0; to && i < w->memory_count; i++) {
		struct datagram d = w->memories[i].datagram;

		if (!is(w->memories[i].name, words.list[0]))
			continue;
		if (words.count == 5 && is(words.list[3], "hop-limit"))
			d.hop_limit = (int)strtol(words.list[4], NULL, 10);
		else if (words.count != 3)
			return false;
		p = packet_in_the_name_of(w, &w->nodes[w->memories[i].from], &d);
		p->boot = w->memories[i].boot;
		p->sent = w->memories[i].sent;
		lan_deliver(w, to, p);
		lan_drop_packet(w, p);
		return true;
	}
	return false;
}

/* forge NAME to NAME key WORD|disguised|none: what the first said last, but with a later sequence
 * number, ACTIVE with the highest worth in every group, and with somebody's own key, disguised by
 * the true key's id. */
bool command_forge(struct world *w, struct words words)
{
	struct node *from = words.count == 5 ? node_find(w, words.list[0]) : NULL;
	struct node *to = from ? node_find(w, words.list[2]) : NULL;
	struct heartbeat_key key = {0};
	struct heartbeat *h = &w->heartbeat;
	struct packet *p;
	struct datagram d;

	if (!to || !from->last ||
		heartbeat_decode(from->last->datagram.bytes, from->last->datagram.size,
			HEARTBEAT_HOP_LIMIT, from->conf.node.cluster_tag, &from->key,
			h) != HEARTBEAT_ACCEPTED)
		return false;
	h->sequence += 1000;
	for (size_t g = 0; g < h->group_count; g++) {
		h->groups[g].state = STATE_ACTIVE;
		h->groups[g].worth = UINT16_MAX;
		h->groups[g].flags = HEARTBEAT_GROUP_ELIGIBLE;
	}
	if (!is(words.list[4], "none"))
		heartbeat_key_init(&key, (const uint8_t *)words.list[4], strlen(words.list[4]));
	if (is(words.list[4], "disguised"))
		key.id = from->key.id;
	d = (struct datagram){
		.hop_limit = HEARTBEAT_HOP_LIMIT, .source = from->last->datagram.source};
	d.size = heartbeat_encode(h, from->conf.node.cluster_tag, &key, d.bytes);
	p = packet_in_the_name_of(w, from, &d);
	lan_deliver(w, to, p);
	lan_drop_packet(w, p);
	return true;
}

static bool parse_permille(struct words words, unsigned *ret_permille)
{
	char *end;

	if (words.count != 1)
		return false;
	*ret_permille = (unsigned)strtoul(words.list[0], &end, 10);
	return end != words.list[0] && *end == '\0' && *ret_permille <= 1000;
}

/* duplicates on|off|PERMILLE */
bool command_duplicates(struct world *w, struct words words)
{
	bool on;

	if (words.count == 1 && words_switch(words.list[0], &on)) {
		w->duplicate_permille = on ? 1000 : 0;
		return true;
	}
	return parse_permille(words, &w->duplicate_permille);
}

/* loss PERMILLE: so many of all datagrams and frames get lost. */
bool command_loss(struct world *w, struct words words)
{
	w->lossless_since = w->now;
	return parse_permille(words, &w->loss_permille);
}

bool command_delay(struct world *w, struct words words)
{
	w->lossless_since = w->now;
	return words.count == 1 && words_duration(words.list[0], &w->delay_ns);
}

/* jitter DURATION: each takes up to so much longer; they may overtake each other. */
bool command_jitter(struct world *w, struct words words)
{
	w->lossless_since = w->now;
	return words.count == 1 && words_duration(words.list[0], &w->jitter_ns);
}

/* client NAME ADDRESS PERIOD: a host that uses every shared address as often as that. */
bool command_client(struct world *w, struct words words)
{
	int64_t period_ns;

	return words.count == 3 && words_duration(words.list[2], &period_ns) &&
	       client_add(w, words.list[0], words.list[1], period_ns);
}
