/* SPDX-License-Identifier: ISC */
#include "sys/netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#define MONITOR_BUFFER_SIZE (4 * 1024 * 1024)
#define REQUEST_BUFFER_SIZE (1024 * 1024) /* room for the answers to a whole batch */
#define RECEIVE_SIZE        32768         /* no message of the kernel is longer */
#define RECEIVE_TURNS_MAX   8192 /* datagrams in one go, so that a storm cannot keep us for ever */
#define DUMP_ATTEMPTS       3

static int open_socket(struct netlink *ret_netlink, int buffer_size)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	struct netlink n = {.descriptor = -1};
	int one = 1;

	n.descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (n.descriptor < 0)
		return -errno;
	if (setsockopt(n.descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_size,
		    sizeof(buffer_size)) < 0)
		(void)setsockopt(
			n.descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size));
	/* Both are refinements that old kernels lack: filtered dumps, answers without the request.
	 */
	(void)setsockopt(n.descriptor, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	(void)setsockopt(n.descriptor, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (bind(n.descriptor, (struct sockaddr *)&self, sizeof(self)) < 0) {
		int error = errno;

		netlink_close(&n);
		return -error;
	}
	*ret_netlink = n;
	return 0;
}

int netlink_open(struct netlink *ret_netlink)
{
	return open_socket(ret_netlink, REQUEST_BUFFER_SIZE);
}

int netlink_open_monitor(struct netlink *ret_netlink, const unsigned *groups, size_t count)
{
	struct netlink n;
	int r = open_socket(&n, MONITOR_BUFFER_SIZE);

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (setsockopt(n.descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			    sizeof(groups[i])) < 0) {
			r = -errno;
			netlink_close(&n);
		}
	}
	if (r == 0)
		*ret_netlink = n;
	return r;
}

void netlink_close(struct netlink *n)
{
	if (n->descriptor >= 0)
		(void)close(n->descriptor);
	n->descriptor = -1;
}

/* The size of the next datagram of the kernel; 0 for one of somebody else; or -errno, -EAGAIN if
 * none waits. */
static ssize_t receive_datagram(const struct netlink *n, uint8_t *bytes, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	ssize_t received;

	do
		received = recvmsg(n->descriptor, &message, 0);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	if (message.msg_namelen != sizeof(from) || from.nl_pid != 0)
		return 0;
	/* What is cut is lost, as if there had been no room for it. */
	return message.msg_flags & MSG_TRUNC ? -ENOBUFS : received;
}

int netlink_receive(struct netlink *n, netlink_callback callback, void *context)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t bytes[RECEIVE_SIZE];
	bool lost = false;

	for (unsigned turn = 0; turn < RECEIVE_TURNS_MAX; turn++) {
		ssize_t size = receive_datagram(n, bytes, sizeof(bytes));
		int left = (int)size;

		if (size == -EAGAIN)
			break;
		if (size == -ENOBUFS) {
			lost = true;
			continue;
		}
		if (size < 0)
			return (int)size;
		for (const struct nlmsghdr *m = (const void *)bytes; mnl_nlmsg_ok(m, left);
			m = mnl_nlmsg_next(m, &left))
			callback(m, context);
	}
	return lost ? -ENOBUFS : 0;
}

void netlink_batch_clear(struct netlink_batch *b)
{
	b->count = 0;
	b->used = 0;
}

static struct nlmsghdr *message_at(struct netlink_batch *b, size_t offset)
{
	return (struct nlmsghdr *)(void *)(b->bytes + offset);
}

/* The last message has its final length only when the next one begins or the batch leaves. */
static void finish_message(struct netlink_batch *b)
{
	if (b->count > 0) {
		uint32_t length = message_at(b, b->used)->nlmsg_len;

		assert(length <= NETLINK_MESSAGE_SIZE);
		b->used += NLMSG_ALIGN(length);
	}
}

struct nlmsghdr *netlink_batch_next(struct netlink_batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *m;

	assert(b->count < NETLINK_BATCH_MAX);
	finish_message(b);
	m = mnl_nlmsg_put_header(b->bytes + b->used);
	m->nlmsg_type = type;
	m->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	b->count++;
	return m;
}

static void number_messages(struct netlink_batch *b, uint32_t first)
{
	size_t offset = 0;

	for (size_t i = 0; i < b->count; i++) {
		struct nlmsghdr *m = message_at(b, offset);

		m->nlmsg_seq = first + (uint32_t)i;
		if (i == b->count - 1)
			m->nlmsg_flags |= NLM_F_ACK;
		offset += NLMSG_ALIGN(m->nlmsg_len);
	}
}

static int send_to_kernel(const struct netlink *n, const void *bytes, size_t size)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do
		sent = sendto(n->descriptor, bytes, size, 0, (const struct sockaddr *)&kernel,
			sizeof(kernel));
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

struct answers {
	uint32_t first;
	size_t count;
	bool complete;
	int *errors;
};

static void take_answer(const struct nlmsghdr *m, void *context)
{
	struct answers *a = context;
	uint32_t index = m->nlmsg_seq - a->first;

	if (m->nlmsg_type != NLMSG_ERROR || index >= a->count ||
		mnl_nlmsg_get_payload_len(m) < sizeof(struct nlmsgerr))
		return;
	a->errors[index] = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(m))->error;
	a->complete |= index == a->count - 1;
}

int netlink_batch_send(struct netlink *n, struct netlink_batch *b, int *errors)
{
	struct answers answers = {.first = n->sequence + 1, .count = b->count, .errors = errors};
	int r;

	if (b->count == 0)
		return 0;
	memset(errors, 0, b->count * sizeof(*errors));
	finish_message(b);
	number_messages(b, answers.first);
	n->sequence += (uint32_t)b->count;
	r = send_to_kernel(n, b->bytes, b->used);
	if (r == 0)
		r = netlink_receive(n, take_answer, &answers);
	if (r == 0 && !answers.complete)
		r = -EPROTO;
	return r;
}

int netlink_request(struct netlink *n, struct netlink_batch *b)
{
	int error = 0;
	int r;

	assert(b->count == 1);
	r = netlink_batch_send(n, b, &error);
	return r < 0 ? r : error;
}

struct dump {
	uint32_t sequence;
	bool (*callback)(const struct nlmsghdr *message, void *context);
	void *context;
	bool done;
	bool interrupted;
	int error;
};

/* One message of a dump. The error of a dump that failed under way stands in its NLMSG_DONE. */
static void take_dumped(struct dump *d, const struct nlmsghdr *m)
{
	if (m->nlmsg_seq != d->sequence || d->done)
		return;
	d->interrupted |= (m->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (m->nlmsg_type == NLMSG_DONE || m->nlmsg_type == NLMSG_ERROR) {
		d->done = true;
		if (mnl_nlmsg_get_payload_len(m) >= sizeof(int))
			memcpy(&d->error, mnl_nlmsg_get_payload(m), sizeof(int));
	} else if (!d->callback(m, d->context)) {
		d->done = true;
	}
}

static int read_dump(const struct netlink *n, struct dump *d)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t bytes[RECEIVE_SIZE];

	while (!d->done) {
		ssize_t size = receive_datagram(n, bytes, sizeof(bytes));
		int left = (int)size;

		if (size < 0)
			return size == -EAGAIN ? -EPROTO : (int)size;
		for (const struct nlmsghdr *m = (const void *)bytes; mnl_nlmsg_ok(m, left);
			m = mnl_nlmsg_next(m, &left))
			take_dumped(d, m);
	}
	if (d->error != 0)
		return d->error;
	return d->interrupted ? -EINTR : 0;
}

/* A dump has a socket of its own: one that is given up half way would keep the socket busy. */
int netlink_dump(uint16_t type, const void *header, size_t size, uint16_t attribute, uint32_t index,
	bool (*callback)(const struct nlmsghdr *message, void *context), void *context)
{
	struct dump dump = {.sequence = 1, .callback = callback, .context = context};
	struct netlink_batch b;
	struct nlmsghdr *m;
	struct netlink n;
	int r = netlink_open(&n);

	if (r < 0)
		return r;
	netlink_batch_clear(&b);
	m = netlink_batch_next(&b, type, NLM_F_DUMP);
	m->nlmsg_seq = dump.sequence;
	memcpy(mnl_nlmsg_put_extra_header(m, size), header, size);
	if (index != 0)
		mnl_attr_put_u32(m, attribute, index);
	r = send_to_kernel(&n, m, m->nlmsg_len);
	if (r == 0)
		r = read_dump(&n, &dump);
	netlink_close(&n);
	return r;
}

const struct nlattr *netlink_attribute(
	const struct nlmsghdr *message, size_t header_size, const struct nlattr *previous)
{
	const struct nlattr *a = previous ? mnl_attr_next(previous)
					  : mnl_nlmsg_get_payload_offset(message, header_size);
	ptrdiff_t left = (const uint8_t *)mnl_nlmsg_get_payload_tail(message) - (const uint8_t *)a;

	return left > 0 && mnl_attr_ok(a, (int)left) ? a : NULL;
}

bool netlink_parse_link(const struct nlmsghdr *message, struct netlink_link *ret_link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct netlink_link link = {.operational_state = IF_OPER_UNKNOWN};
	const struct nlattr *a = NULL;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifi_family != AF_UNSPEC)
		return false;
	link.index = (uint32_t)info->ifi_index;
	link.flags = info->ifi_flags;
	link.type = info->ifi_type;
	while ((a = netlink_attribute(message, sizeof(*info), a))) {
		uint16_t size = mnl_attr_get_payload_len(a);

		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			if (size <= sizeof(link.name))
				memcpy(link.name, mnl_attr_get_payload(a), size);
			link.name[sizeof(link.name) - 1] = '\0';
			break;
		case IFLA_ADDRESS:
			if (size == MAC_SIZE)
				memcpy(link.mac, mnl_attr_get_payload(a), MAC_SIZE);
			break;
		case IFLA_OPERSTATE:
			if (size == 1)
				link.operational_state = mnl_attr_get_u8(a);
			break;
		}
	}
	*ret_link = link;
	return true;
}

bool netlink_attribute_ip(const struct nlattr *a, int family, struct ip *ret_ip)
{
	uint16_t size = mnl_attr_get_payload_len(a);

	if (family == AF_INET && size == 4)
		*ret_ip = ip_from_v4(mnl_attr_get_payload(a));
	else if (family == AF_INET6 && size == 16)
		*ret_ip = ip_from_v6(mnl_attr_get_payload(a));
	else
		return false;
	return true;
}

bool netlink_parse_address(const struct nlmsghdr *message, struct netlink_address *ret_address)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct netlink_address address = {0};
	struct ip local = {0};
	const struct nlattr *a = NULL;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return false;
	address.index = info->ifa_index;
	address.prefix_length = info->ifa_prefixlen;
	address.scope = info->ifa_scope;
	address.flags = info->ifa_flags;
	while ((a = netlink_attribute(message, sizeof(*info), a))) {
		switch (mnl_attr_get_type(a)) {
		case IFA_ADDRESS:
			(void)netlink_attribute_ip(a, info->ifa_family, &address.ip);
			break;
		case IFA_LOCAL: (void)netlink_attribute_ip(a, info->ifa_family, &local); break;
		case IFA_FLAGS:
			if (mnl_attr_get_payload_len(a) == sizeof(uint32_t))
				address.flags = mnl_attr_get_u32(a);
			break;
		}
	}
	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	if (local.family != IP_NONE)
		address.ip = local;
	if (address.ip.family == IP_NONE || address.prefix_length > ip_bits(&address.ip))
		return false;
	*ret_address = address;
	return true;
}

struct found_link {
	bool found;
	struct netlink_link link;
	int error;
};

static void take_link(const struct nlmsghdr *m, void *context)
{
	struct found_link *f = context;

	if (m->nlmsg_type == RTM_NEWLINK)
		f->found = netlink_parse_link(m, &f->link);
	else if (m->nlmsg_type == NLMSG_ERROR &&
		 mnl_nlmsg_get_payload_len(m) >= sizeof(struct nlmsgerr))
		f->error = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(m))->error;
}

int netlink_get_link(struct netlink *n, const char *name, struct netlink_link *ret_link)
{
	const struct ifinfomsg any = {.ifi_family = AF_UNSPEC};
	struct found_link found = {0};
	struct netlink_batch b;
	struct nlmsghdr *m;
	int r;

	netlink_batch_clear(&b);
	m = netlink_batch_next(&b, RTM_GETLINK, 0);
	m->nlmsg_seq = ++n->sequence;
	memcpy(mnl_nlmsg_put_extra_header(m, sizeof(any)), &any, sizeof(any));
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	r = send_to_kernel(n, m, m->nlmsg_len);
	if (r == 0)
		r = netlink_receive(n, take_link, &found);
	if (r == 0)
		r = found.error;
	if (r == 0 && !found.found)
		r = -EPROTO;
	if (r == 0)
		*ret_link = found.link;
	return r;
}

struct address_dump {
	bool (*callback)(const struct netlink_address *address, void *context);
	void *context;
	uint32_t index;
};

static bool take_address(const struct nlmsghdr *m, void *context)
{
	const struct address_dump *d = context;
	struct netlink_address address;

	if (m->nlmsg_type != RTM_NEWADDR || !netlink_parse_address(m, &address))
		return true;
	if (d->index != 0 && address.index != d->index)
		return true;
	return d->callback(&address, d->context);
}

int netlink_dump_addresses(uint32_t index,
	bool (*callback)(const struct netlink_address *address, void *context), void *context)
{
	/* A kernel that filters wants the index in the header, not in an attribute. */
	const struct ifaddrmsg request = {.ifa_family = AF_UNSPEC, .ifa_index = index};
	struct address_dump dump = {.callback = callback, .context = context, .index = index};
	int r = -EINTR;

	for (int attempt = 0; r == -EINTR && attempt < DUMP_ATTEMPTS; attempt++)
		r = netlink_dump(RTM_GETADDR, &request, sizeof(request), 0, 0, take_address, &dump);
	return r;
}
