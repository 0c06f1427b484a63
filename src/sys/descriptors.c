/* SPDX-License-Identifier: ISC */
#include "sys/descriptors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

int descriptors_send(int socket, int32_t word, const int *descriptors, size_t count)
{
	union control control = {0};
	struct iovec part = {.iov_base = &word, .iov_len = sizeof(word)};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};

	assert(count <= DESCRIPTORS_MAX);
	if (count > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
	}
	return sendmsg(socket, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int descriptors_receive(int socket, int32_t *ret_word, int ret_descriptors[DESCRIPTORS_MAX])
{
	union control control = {0};
	struct iovec part = {.iov_base = ret_word, .iov_len = sizeof(*ret_word)};
	struct msghdr m = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *header;
	ssize_t size;

	for (size_t i = 0; i < DESCRIPTORS_MAX; i++)
		ret_descriptors[i] = -1;
	do
		size = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&m);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(ret_descriptors, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
	return size == (ssize_t)sizeof(*ret_word) ? 0 : -EPIPE;
}

void descriptors_close(const int *descriptors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (descriptors[i] >= 0)
			(void)close(descriptors[i]);
	}
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void descriptors_keep_only(int *list, size_t count)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(list, count, sizeof(*list), compare);
	for (size_t i = 0; i < count; i++) {
		if (list[i] < (int)from)
			continue;
		if (list[i] > (int)from)
			(void)close_range(from, (unsigned)list[i] - 1, 0);
		from = (unsigned)list[i] + 1;
	}
	(void)close_range(from, ~0u, 0);
}
