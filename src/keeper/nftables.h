/* SPDX-License-Identifier: ISC */
/*
 * nftables: transactions with the kernel's packet filter, over libmnl: a list of messages that are
 * carried out together or not at all. Nothing here blocks: the kernel works while it is being sent
 * to, and its answer waits when that returns.
 */
#ifndef HA_KEEPER_NFTABLES_H
#define HA_KEEPER_NFTABLES_H

#include <stddef.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define NFTABLES_SIZE         65536 /* bytes of one transaction */
#define NFTABLES_MESSAGE_SIZE 8192

struct nftables {
	int descriptor; /* -1: closed */
	uint32_t sequence;
	size_t used;           /* by messages that are complete */
	struct nlmsghdr *last; /* the one that attributes are added to; NULL: none */
	_Alignas(NLMSG_ALIGNTO) uint8_t bytes[NFTABLES_SIZE];
};

/* 0 or -errno. */
int nftables_open(struct nftables *n);
void nftables_close(struct nftables *n);

/* A transaction, which ends with nftables_commit(). */
void nftables_begin(struct nftables *n);
/* The next message of a transaction, NFT_MSG_..., about a table of @family. The caller adds its
 * attributes, NFTABLES_MESSAGE_SIZE in all, before the next call. */
struct nlmsghdr *nftables_add(struct nftables *n, uint16_t type, uint16_t flags, uint8_t family);
/* 0, or -errno of the first message that failed; then nothing has changed. */
int nftables_commit(struct nftables *n);

/* Attributes of numbers, which are big-endian there. */
void nftables_put_u32(struct nlmsghdr *m, uint16_t type, uint32_t value);
void nftables_put_u64(struct nlmsghdr *m, uint16_t type, uint64_t value);
/* Bytes that are compared, looked up or stored. */
void nftables_put_data(struct nlmsghdr *m, uint16_t type, const void *data, size_t size);

#endif
