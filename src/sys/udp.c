/* SPDX-License-Identifier: ISC */
#include "sys/udp.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

#define HOP_LIMIT        255
#define CLASS_CS6        0xc0 /* network control: RFC 4594 section 3.1 */
#define PRIORITY_CONTROL 6    /* TC_PRIO_INTERACTIVE; what CAP_NET_ADMIN is not needed for */

struct option {
	int level, name, value;
};

static const struct option V4_OPTIONS[] = {
	{SOL_SOCKET, SO_REUSEADDR, 1},
	{SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL},
	{IPPROTO_IP, IP_TTL, HOP_LIMIT},
	{IPPROTO_IP, IP_MULTICAST_TTL, HOP_LIMIT},
	{IPPROTO_IP, IP_MULTICAST_LOOP, 0},
	{IPPROTO_IP, IP_MULTICAST_ALL, 0}, /* only groups that this socket joined */
	{IPPROTO_IP, IP_TOS, CLASS_CS6},
	{IPPROTO_IP, IP_RECVTTL, 1},
	{IPPROTO_IP, IP_PKTINFO, 1},
};

static const struct option V6_OPTIONS[] = {
	{SOL_SOCKET, SO_REUSEADDR, 1},
	{SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL},
	{IPPROTO_IPV6, IPV6_V6ONLY, 1},
	{IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOP_LIMIT},
	{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOP_LIMIT},
	{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0},
	{IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0},
	{IPPROTO_IPV6, IPV6_TCLASS, CLASS_CS6},
	{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1},
	{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
};

static int set_options(int fd, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			    sizeof(options[i].value)) != 0)
			return -errno;
	return 0;
}

/* @ip as a socket address; a link-local one needs the device. */
static socklen_t to_sockaddr(
	const struct ip *ip, uint16_t port, uint32_t interface_index, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (ip->family == IP_V4) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, ip->bytes, 4);
		return sizeof(*v4);
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, ip->bytes, 16);
	if (ip_is_link_local(ip) || ip_is_multicast(ip))
		v6->sin6_scope_id = interface_index;
	return sizeof(*v6);
}

static struct ip from_sockaddr(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return ip_from_v4(
			(const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
	if (address->ss_family == AF_INET6)
		return ip_from_v6(
			(const uint8_t *)&((const struct sockaddr_in6 *)address)->sin6_addr);
	return (struct ip){0};
}

/* A socket with all options, not bound. Its descriptor or -errno. */
static int open_socket(enum ip_family family)
{
	int fd, r;

	assert(family != IP_NONE);
	fd = socket(
		family == IP_V4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (family == IP_V4)
		r = set_options(fd, V4_OPTIONS, sizeof(V4_OPTIONS) / sizeof(V4_OPTIONS[0]));
	else
		r = set_options(fd, V6_OPTIONS, sizeof(V6_OPTIONS) / sizeof(V6_OPTIONS[0]));
	if (r != 0) {
		close(fd);
		return r;
	}
	return fd;
}

int udp_open(enum ip_family family, uint16_t port)
{
	struct ip any = {.family = (uint8_t)family};
	struct sockaddr_storage address;
	socklen_t size = to_sockaddr(&any, port, 0, &address);
	int fd = open_socket(family);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, size) != 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int udp_open_sender(enum ip_family family)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = {.len = 1, .filter = &drop};
	int fd = open_socket(family), one = 1;

	if (fd >= 0 &&
		(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
			setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) != 0)) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static int change_membership(
	int fd, const struct ip *group, uint32_t interface_index, int v4_option, int v6_option)
{
	struct ip_mreqn v4 = {.imr_ifindex = (int)interface_index};
	struct ipv6_mreq v6 = {.ipv6mr_interface = interface_index};
	int r;

	if (group->family == IP_V4) {
		memcpy(&v4.imr_multiaddr, group->bytes, 4);
		r = setsockopt(fd, IPPROTO_IP, v4_option, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipv6mr_multiaddr, group->bytes, 16);
		r = setsockopt(fd, IPPROTO_IPV6, v6_option, &v6, sizeof(v6));
	}
	return r == 0 ? 0 : -errno;
}

int udp_join(int fd, const struct ip *group, uint32_t interface_index)
{
	return change_membership(fd, group, interface_index, IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP);
}

int udp_leave(int fd, const struct ip *group, uint32_t interface_index)
{
	return change_membership(fd, group, interface_index, IP_DROP_MEMBERSHIP, IPV6_LEAVE_GROUP);
}

/* Room for the one control message that says by which device and from which address to send. */
union control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct cmsghdr align;
};

static void add_packet_info(struct msghdr *m, const struct udp_destination *d)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (d->to.family == IP_V4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)d->interface_index};

		memcpy(&info.ipi_spec_dst, d->source.bytes, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = d->interface_index};

		memcpy(&info.ipi6_addr, d->source.bytes, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
	m->msg_controllen = CMSG_SPACE(c->cmsg_len - CMSG_LEN(0));
}

int udp_send(int fd, const struct udp_destination *destination, const uint8_t *bytes, size_t size)
{
	struct sockaddr_storage address;
	union control control = {0};
	struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
	struct msghdr m = {.msg_name = &address, .msg_iov = &part, .msg_iovlen = 1};

	m.msg_namelen = to_sockaddr(
		&destination->to, destination->port, destination->interface_index, &address);
	if (destination->interface_index != 0 || destination->source.family != IP_NONE) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		add_packet_info(&m, destination);
	}
	return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool is_about(const struct cmsghdr *c, int v4_type, int v6_type)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == v4_type) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == v6_type);
}

static uint32_t read_interface(const struct cmsghdr *c)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;

	if (c->cmsg_level == IPPROTO_IP) {
		memcpy(&v4, CMSG_DATA(c), sizeof(v4));
		return (uint32_t)v4.ipi_ifindex;
	}
	memcpy(&v6, CMSG_DATA(c), sizeof(v6));
	return v6.ipi6_ifindex;
}

static void read_control(struct msghdr *m, struct udp_datagram *ret_datagram)
{
	ret_datagram->hop_limit = -1;
	ret_datagram->interface_index = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (is_about(c, IP_TTL, IPV6_HOPLIMIT))
			memcpy(&ret_datagram->hop_limit, CMSG_DATA(c), sizeof(int));
		else if (is_about(c, IP_PKTINFO, IPV6_PKTINFO))
			ret_datagram->interface_index = read_interface(c);
	}
}

int udp_receive(int fd, uint8_t *buffer, size_t size, struct udp_datagram *ret_datagram)
{
	struct sockaddr_storage address = {0};
	union {
		char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	struct iovec part = {.iov_base = buffer, .iov_len = size};
	struct msghdr m = {.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t received = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);

	if (received < 0)
		return -errno;
	ret_datagram->size = (size_t)received;
	read_control(&m, ret_datagram);
	ret_datagram->source = from_sockaddr(&address);
	return 0;
}
