/* SPDX-License-Identifier: ISC */
#include "keeper/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "wire/channel.h"
#include "wire/nd.h"

/* Offsets from the beginning of the Ethernet header. */
#define ARP_TYPES        16 /* protocol type, both lengths: one word */
#define ARP_OPERATION    20
#define ARP_SENDER       28
#define ARP_TARGET       38
#define IPV6_NEXT        20 /* next header, hop limit: one half word */
#define IPV6_SOURCE      22
#define IPV6_DESTINATION 38
#define ICMPV6_TYPE      54
#define ND_TARGET        62

#define ARP_IPV4_ETHERNET   0x08000604
#define ARP_OPERATION_REPLY 2
#define LEAF_MAX            8 /* addresses that are compared one by one at the end of a search */

#define ICMPV6_HOP_LIMIT_255 0x3aff /* next header 58, hop limit 255: not forwarded by anybody */

static void emit(struct capture_program *p, uint16_t code, uint8_t when_true, uint8_t when_false,
	uint32_t value)
{
	assert(p->length < BPF_MAXINSNS);
	p->code[p->length++] = (struct sock_filter){code, when_true, when_false, value};
}

static void emit_load_word(struct capture_program *p, uint32_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, offset);
}

/* Skips @skipped instructions if the accumulator is not @value. */
static void emit_unless(struct capture_program *p, uint32_t value, uint8_t skipped)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, value);
}

static void emit_pass(struct capture_program *p)
{
	emit(p, BPF_RET | BPF_K, 0, 0, CHANNEL_FRAME_MAX);
}

static void emit_drop(struct capture_program *p)
{
	emit(p, BPF_RET | BPF_K, 0, 0, 0);
}

static uint32_t word_of(const struct ip *ip, size_t word)
{
	const uint8_t *b = ip->bytes + 4 * word;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The indices of some shared addresses of one family. */
struct chunk {
	const struct conf *conf;
	size_t count;
	size_t list[CAPTURE_V4_MAX];
};

static_assert(CAPTURE_V4_MAX >= CAPTURE_V6_MAX, "a chunk is large enough for both");

/* The word by which a chunk is searched: the last one, in which addresses of one network differ. */
static uint32_t key_of(const struct conf *conf, size_t index)
{
	const struct ip *ip = &conf->addresses[index].ip;

	return word_of(ip, ip->family == IP_V4 ? 0 : 3);
}

static int compare_keys(const void *a, const void *b, void *conf)
{
	uint32_t left = key_of(conf, *(const size_t *)a), right = key_of(conf, *(const size_t *)b);

	return left < right ? -1 : left > right;
}

/* Up to @max from *@from on, which is moved behind them; in the order of their keys. */
static void next_chunk(
	struct chunk *c, const struct conf *conf, enum ip_family family, size_t max, size_t *from)
{
	c->conf = conf;
	c->count = 0;
	for (; *from < conf->address_count && c->count < max; (*from)++) {
		if (conf->addresses[*from].ip.family == family)
			c->list[c->count++] = *from;
	}
	qsort_r(c->list, c->count, sizeof(c->list[0]), compare_keys, (void *)(uintptr_t)conf);
}

/* A search by halves over a chunk, with the key in the accumulator. */
struct search {
	struct capture_program *program;
	const struct chunk *chunk;
	void (*emit_one)(struct capture_program *p, const struct ip *ip);
	size_t leaf_count;
	size_t leaf_end[CAPTURE_V4_MAX]; /* jumps to behind the search */
};

/* Where to divide the part from @first on, so that equal keys stay together: its second half begins
 * there. 0: nowhere. */
static size_t divide(const struct chunk *c, size_t first, size_t count)
{
	size_t middle = first + count / 2;
	uint32_t key = key_of(c->conf, c->list[middle]);

	while (middle > first && key_of(c->conf, c->list[middle - 1]) == key)
		middle--;
	return middle > first ? middle : 0;
}

static void emit_search_part(struct search *s, size_t first, size_t count)
{
	struct capture_program *p = s->program;
	size_t middle = count > LEAF_MAX ? divide(s->chunk, first, count) : 0;
	size_t jump;

	if (middle == 0) {
		for (size_t i = first; i < first + count; i++)
			s->emit_one(p, &s->chunk->conf->addresses[s->chunk->list[i]].ip);
		s->leaf_end[s->leaf_count++] = p->length;
		emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
		return;
	}
	emit(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, key_of(s->chunk->conf, s->chunk->list[middle]));
	jump = p->length;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_search_part(s, first, middle - first);
	p->code[jump].k = (uint32_t)(p->length - jump - 1);
	emit_search_part(s, middle, first + count - middle);
}

/* Passes if it is one of the chunk, else goes on behind it. */
static void emit_search(struct capture_program *p, const struct chunk *c,
	void (*emit_one)(struct capture_program *p, const struct ip *ip))
{
	struct search s = {.program = p, .chunk = c, .emit_one = emit_one};

	if (c->count == 0)
		return;
	emit_search_part(&s, 0, c->count);
	for (size_t i = 0; i < s.leaf_count; i++)
		p->code[s.leaf_end[i]].k = (uint32_t)(p->length - s.leaf_end[i] - 1);
}

static void emit_v4(struct capture_program *p, const struct ip *ip)
{
	emit_unless(p, word_of(ip, 0), 1);
	emit_pass(p);
}

/* Passes if the word at @offset is one of the chunk. */
static void emit_v4_list(struct capture_program *p, const struct chunk *c, uint32_t offset)
{
	emit_load_word(p, offset);
	emit_search(p, c, emit_v4);
}

void capture_arp_program(const struct conf *conf, size_t *from, struct capture_program *ret_program)
{
	struct capture_program *p = ret_program;
	struct chunk chunk;

	next_chunk(&chunk, conf, IP_V4, CAPTURE_V4_MAX, from);

	p->length = 0;
	emit_load_word(p, ARP_TYPES);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARP_IPV4_ETHERNET);
	emit_drop(p);
	emit_v4_list(p, &chunk, ARP_SENDER);
	emit(p, BPF_LD | BPF_H | BPF_ABS, 0, 0, ARP_OPERATION);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARP_OPERATION_REPLY);
	emit_drop(p);
	emit_v4_list(p, &chunk, ARP_TARGET);
	emit_drop(p);
}

/* Copies the address at @offset into the four words of scratch memory. */
#define COPY_SIZE 8
static void emit_copy(struct capture_program *p, uint32_t offset)
{
	for (uint32_t word = 0; word < 4; word++) {
		emit_load_word(p, offset + 4 * word);
		emit(p, BPF_ST, 0, 0, word);
	}
}

static void emit_recall(struct capture_program *p, uint32_t word)
{
	emit(p, BPF_LD | BPF_MEM, 0, 0, word);
}

#define V6_COMPARISON_SIZE 9
static void emit_v6(struct capture_program *p, const struct ip *ip)
{
	emit_unless(p, word_of(ip, 3), V6_COMPARISON_SIZE - 1);
	emit_recall(p, 0);
	emit_unless(p, word_of(ip, 0), 5);
	emit_recall(p, 1);
	emit_unless(p, word_of(ip, 1), 3);
	emit_recall(p, 2);
	emit_unless(p, word_of(ip, 2), 1);
	emit_pass(p);
	emit_recall(p, 3);
}

/* Passes if the address in scratch memory is one of the chunk. */
static void emit_v6_list(struct capture_program *p, const struct chunk *c)
{
	emit_recall(p, 3);
	emit_search(p, c, emit_v6);
}

/* With the type in the accumulator, puts the address that the message is about into scratch memory:
 * the target of an advertisement; the source of a solicitation, or its target if the source is ::
 * (somebody wants to have it). Drops other types. */
static void emit_choice(struct capture_program *p)
{
	emit_unless(p, ND_SOLICITATION, 8 + COPY_SIZE + 1); /* to the advertisement */
	for (uint32_t word = 0; word < 4; word++) {
		uint8_t left = (uint8_t)(2 * (3 - word)); /* of this test, then copies the source */
		bool last = word == 3;

		emit_load_word(p, IPV6_SOURCE + 4 * word);
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, last ? COPY_SIZE + 3 : 0, left, 0);
	}
	emit_copy(p, IPV6_SOURCE);
	emit(p, BPF_JMP | BPF_JA, 0, 0, 2 + COPY_SIZE); /* to the end */
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ND_ADVERTISEMENT);
	emit_drop(p);
	emit_copy(p, ND_TARGET);
}

void capture_nd_program(const struct conf *conf, size_t *from, struct capture_program *ret_program)
{
	struct capture_program *p = ret_program;
	struct chunk chunk;

	next_chunk(&chunk, conf, IP_V6, CAPTURE_V6_MAX, from);
	p->length = 0;
	emit(p, BPF_LD | BPF_H | BPF_ABS, 0, 0, IPV6_NEXT);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ICMPV6_HOP_LIMIT_255);
	emit_drop(p);
	emit(p, BPF_LD | BPF_B | BPF_ABS, 0, 0, ICMPV6_TYPE);
	emit_choice(p);
	emit_v6_list(p, &chunk);
	emit(p, BPF_LD | BPF_B | BPF_ABS, 0, 0, ICMPV6_TYPE);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ND_ADVERTISEMENT);
	emit_drop(p);
	emit_copy(p, IPV6_DESTINATION);
	emit_v6_list(p, &chunk);
	emit_drop(p);
}

static void emit_arp_answers(struct capture_program *p, const struct ip *list, size_t count)
{
	emit_load_word(p, ARP_TYPES);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARP_IPV4_ETHERNET);
	emit_drop(p);
	emit(p, BPF_LD | BPF_H | BPF_ABS, 0, 0, ARP_OPERATION);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARP_OPERATION_REPLY);
	emit_drop(p);
	emit_load_word(p, ARP_SENDER);
	for (size_t i = 0; i < count; i++) {
		if (list[i].family != IP_V4)
			continue;
		emit_unless(p, word_of(&list[i], 0), 1);
		emit_pass(p);
	}
	emit_drop(p);
}

static void emit_nd_answers(struct capture_program *p, const struct ip *list, size_t count)
{
	emit(p, BPF_LD | BPF_H | BPF_ABS, 0, 0, IPV6_NEXT);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ICMPV6_HOP_LIMIT_255);
	emit_drop(p);
	emit(p, BPF_LD | BPF_B | BPF_ABS, 0, 0, ICMPV6_TYPE);
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ND_ADVERTISEMENT);
	emit_drop(p);
	for (size_t i = 0; i < count; i++) {
		if (list[i].family != IP_V6)
			continue;
		for (uint32_t word = 0; word < 4; word++) {
			emit_load_word(p, ND_TARGET + 4 * word);
			/* The words that follow take two instructions each, the end one. */
			emit_unless(p, word_of(&list[i], word), (uint8_t)(2 * (3 - word) + 1));
		}
		emit_pass(p);
	}
	emit_drop(p);
}

void capture_answers_program(const struct ip *list, size_t count, enum ip_family family,
	struct capture_program *ret_program)
{
	ret_program->length = 0;
	if (family == IP_V4)
		emit_arp_answers(ret_program, list, count);
	else
		emit_nd_answers(ret_program, list, count);
}

/* A packet socket of protocol 0 receives nothing; it gets its protocol when its program is in place
 * and locked. */
static int open_filtered(struct capture *c, uint16_t protocol, const struct capture_program *p)
{
	const struct sock_fprog program = {.len = p->length, .filter = (void *)p->code};
	const struct sockaddr_ll any = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1;

	if (s < 0)
		return -errno;
	if (setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
		setsockopt(s, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) < 0 ||
		bind(s, (const struct sockaddr *)&any, sizeof(any)) < 0) {
		int error = errno;

		(void)close(s);
		return -error;
	}
	c->descriptors[c->count++] = s;
	return 0;
}

typedef void (*make_program)(const struct conf *conf, size_t *from, struct capture_program *p);

static int open_all(struct capture *c, const struct conf *conf, uint16_t protocol,
	make_program make, struct capture_program *p)
{
	int r = 0;

	for (size_t from = 0; r == 0 && from < conf->address_count;) {
		make(conf, &from, p);
		r = open_filtered(c, protocol, p);
	}
	return r;
}

int capture_open(struct capture *c, const struct conf *conf)
{
	/* Each takes its number of addresses but the last one of each family. */
	size_t most = 2 + conf->address_count / CAPTURE_V6_MAX;
	struct capture_program *p = malloc(sizeof(*p));
	int r = -ENOMEM;

	*c = (struct capture){.descriptors = calloc(most, sizeof(*c->descriptors))};
	if (p && c->descriptors)
		r = open_all(c, conf, ETH_P_ARP, capture_arp_program, p);
	if (r == 0)
		r = open_all(c, conf, ETH_P_IPV6, capture_nd_program, p);
	free(p);
	return r;
}

int capture_receive(int descriptor, uint8_t *frame, size_t size, uint32_t *ret_interface_index)
{
	struct sockaddr_ll from = {0};
	socklen_t from_size = sizeof(from);
	ssize_t received =
		recvfrom(descriptor, frame, size, 0, (struct sockaddr *)&from, &from_size);

	if (received < 0)
		return -errno;
	*ret_interface_index = (uint32_t)from.sll_ifindex;
	return (int)received;
}
