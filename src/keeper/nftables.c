/* SPDX-License-Identifier: ISC */
#include "keeper/nftables.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#define END_SIZE    64 /* of the message that ends a transaction */
#define ANSWERS_MAX 64 /* datagrams: the kernel tells of each message that failed */

int nftables_open(struct nftables *n)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int one = 1;

	n->sequence = 0;
	n->descriptor =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	if (n->descriptor < 0)
		return -errno;
	(void)setsockopt(n->descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (bind(n->descriptor, (struct sockaddr *)&self, sizeof(self)) < 0) {
		int error = errno;

		nftables_close(n);
		return -error;
	}
	return 0;
}

void nftables_close(struct nftables *n)
{
	if (n->descriptor >= 0)
		(void)close(n->descriptor);
	n->descriptor = -1;
}

static void complete_last(struct nftables *n)
{
	if (n->last)
		n->used += NLMSG_ALIGN(n->last->nlmsg_len);
	n->last = NULL;
}

static struct nlmsghdr *append(
	struct nftables *n, uint16_t type, uint16_t flags, uint8_t family, uint16_t resource)
{
	struct nlmsghdr *m;
	struct nfgenmsg *header;

	complete_last(n);
	m = mnl_nlmsg_put_header(n->bytes + n->used);
	m->nlmsg_type = type;
	m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	m->nlmsg_seq = ++n->sequence;
	header = mnl_nlmsg_put_extra_header(m, sizeof(*header));
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	header->res_id = htons(resource);
	n->last = m;
	return m;
}

void nftables_begin(struct nftables *n)
{
	n->used = 0;
	n->last = NULL;
	(void)append(n, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

struct nlmsghdr *nftables_add(struct nftables *n, uint16_t type, uint16_t flags, uint8_t family)
{
	complete_last(n);
	assert(n->used + NFTABLES_MESSAGE_SIZE + END_SIZE <= NFTABLES_SIZE);
	return append(n, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, family, 0);
}

/* The error in one datagram of answers, or 0. */
static int find_error(const uint8_t *bytes, size_t size)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)bytes;
	int left = (int)size, error = 0;

	for (; error == 0 && mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		const struct nlmsgerr *answer = mnl_nlmsg_get_payload(m);

		if (m->nlmsg_type == NLMSG_ERROR && mnl_nlmsg_get_payload_len(m) >= sizeof(*answer))
			error = answer->error;
	}
	return error;
}

static int read_answers(const struct nftables *n)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t bytes[8192];
	int error = 0;

	for (int i = 0; i < ANSWERS_MAX; i++) {
		struct sockaddr_nl from = {0};
		socklen_t from_size = sizeof(from);
		ssize_t size = recvfrom(n->descriptor, bytes, sizeof(bytes), 0,
			(struct sockaddr *)&from, &from_size);

		if (size < 0)
			break;
		if (from.nl_pid == 0 && error == 0)
			error = find_error(bytes, (size_t)size);
	}
	return error;
}

int nftables_commit(struct nftables *n)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	(void)append(n, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	complete_last(n);
	(void)read_answers(n); /* none waits, unless the last commit gave up reading */
	if (sendto(n->descriptor, n->bytes, n->used, 0, (const struct sockaddr *)&kernel,
		    sizeof(kernel)) < 0)
		return -errno;
	return read_answers(n);
}

void nftables_put_u32(struct nlmsghdr *m, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(m, type, htonl(value));
}

void nftables_put_u64(struct nlmsghdr *m, uint16_t type, uint64_t value)
{
	mnl_attr_put_u64(m, type, htobe64(value));
}

void nftables_put_data(struct nlmsghdr *m, uint16_t type, const void *data, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put(m, NFTA_DATA_VALUE, size, data);
	mnl_attr_nest_end(m, nest);
}
