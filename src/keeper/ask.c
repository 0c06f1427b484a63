/* SPDX-License-Identifier: ISC */
#include "keeper/ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper/capture.h"

/* Nothing passes yet. */
static const struct sock_filter NOTHING[] = {{BPF_RET | BPF_K, 0, 0, 0}};

static int attach(int descriptor, const struct sock_filter *code, size_t length)
{
	const struct sock_fprog program = {
		.len = (unsigned short)length, .filter = (struct sock_filter *)code};

	return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* A packet socket of protocol 0 receives nothing; it gets its protocol behind its program. */
static int open_socket(uint16_t protocol, int *ret_descriptor)
{
	const struct sockaddr_ll any = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0)
		return -errno;
	if (attach(s, NOTHING, 1) < 0 || bind(s, (const struct sockaddr *)&any, sizeof(any)) < 0) {
		int error = errno;

		(void)close(s);
		return -error;
	}
	*ret_descriptor = s;
	return 0;
}

static int open_one(struct ask_one *one, const struct conf_check *check, uint16_t index)
{
	bool any = check->kind == CONF_CHECK_GATEWAY;
	int r = 0;

	*one = (struct ask_one){.check = index, .descriptors = {-1, -1}};
	if (any || check->ip.family == IP_V4)
		r = open_socket(ETH_P_ARP, &one->descriptors[0]);
	if (r == 0 && (any || check->ip.family == IP_V6))
		r = open_socket(ETH_P_IPV6, &one->descriptors[1]);
	return r;
}

static bool is_ours(const struct conf_check *check)
{
	return check->kind == CONF_CHECK_ARP || check->kind == CONF_CHECK_GATEWAY;
}

int ask_open(struct ask *a)
{
	int r = 0;

	a->count = 0;
	a->list = calloc(a->conf->check_count + 1u, sizeof(*a->list));
	if (!a->list)
		return -ENOMEM;
	for (uint16_t i = 0; r == 0 && i < a->conf->check_count; i++)
		if (is_ours(&a->conf->checks[i]))
			r = open_one(&a->list[a->count++], &a->conf->checks[i], i);
	return r;
}

void ask_close(struct ask *a)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t d = 0; d < 2; d++)
			if (a->list[i].descriptors[d] >= 0)
				(void)close(a->list[i].descriptors[d]);
	free(a->list);
	a->list = NULL;
	a->count = 0;
}

/* The device on whose link @ip is: the first one with an address of the same network. */
static size_t device_of(const struct ask *a, const struct ip *ip)
{
	for (size_t d = 0; d < a->conf->device_count; d++)
		if (interfaces_covers(a->interfaces, d, ip, ip_bits(ip)))
			return d;
	return a->conf->node.path[0];
}

static const struct ip *own_address(const struct ask *a, size_t device, enum ip_family family)
{
	for (size_t i = 0; i < a->interfaces->host_count; i++) {
		const struct host_address *h = &a->interfaces->host[i];

		if (h->device == device && h->address.ip.family == family)
			return &h->address.ip;
	}
	return NULL;
}

static bool is_awaited(const struct ask_one *one, const struct target_list *list)
{
	return one->awaited.count == list->count &&
	       memcmp(one->awaited.ip, list->ip, list->count * sizeof(list->ip[0])) == 0;
}

/* What they answer with is all that the kernel lets pass from now on. */
static void await_answers(struct ask_one *one, const struct target_list *list)
{
	static struct capture_program program; /* large */

	if (is_awaited(one, list))
		return;
	one->awaited = *list;
	for (size_t d = 0; d < 2; d++) {
		if (one->descriptors[d] < 0)
			continue;
		capture_answers_program(list->ip, list->count, d == 0 ? IP_V4 : IP_V6, &program);
		(void)attach(one->descriptors[d], program.code, program.length);
	}
}

bool ask_send(struct ask *a, size_t check, ha_time now)
{
	const struct conf_check *conf = &a->conf->checks[check];
	struct ask_one *one = NULL;
	struct target_list list = {.count = 1, .ip = {conf->ip}};

	for (size_t i = 0; i < a->count; i++)
		if (a->list[i].check == check)
			one = &a->list[i];
	if (!one)
		return false;
	if (conf->kind == CONF_CHECK_GATEWAY)
		targets_gateways(a->targets, a->conf->node.path[0], now, &list);
	await_answers(one, &list);
	for (size_t i = 0; i < list.count; i++) {
		size_t device = conf->kind == CONF_CHECK_GATEWAY ? a->conf->node.path[0]
								 : device_of(a, &list.ip[i]);
		const struct ip *own = own_address(a, device, list.ip[i].family);

		if (own)
			announce_question(a->announcer, device, own, &list.ip[i]);
	}
	return true;
}

bool ask_receive(int descriptor)
{
	uint8_t nothing;
	bool any = false;

	while (recv(descriptor, &nothing, sizeof(nothing), MSG_DONTWAIT | MSG_TRUNC) >= 0)
		any = true;
	return any;
}
