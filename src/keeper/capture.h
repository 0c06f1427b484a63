/* SPDX-License-Identifier: ISC */
/*
 * capture: the ARP and neighbour discovery frames that concern a shared address, picked out by the
 * kernel with classic BPF programs made from the configuration. The keeper passes them on without
 * looking at them. The programs are locked: the sockets can never be made to see anything else.
 */
#ifndef HA_KEEPER_CAPTURE_H
#define HA_KEEPER_CAPTURE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

/* A program is limited to BPF_MAXINSNS instructions, which is room for this many IPv6 addresses. */
#define CAPTURE_V6_MAX 200
/* Or so many IPv4 addresses. */
#define CAPTURE_V4_MAX 750

struct capture {
	size_t count;
	int *descriptors; /* owned */
};

struct capture_program {
	uint16_t length;
	struct sock_filter code[BPF_MAXINSNS];
};

/* Opens the sockets. 0 or -errno. */
int capture_open(struct capture *c, const struct conf *conf);

/**
 * capture_receive - the next frame that waits on one of the sockets
 * @frame: CHANNEL_FRAME_MAX bytes; what does not fit is cut
 *
 * Return: its size, or -errno; -EAGAIN if none waits.
 */
int capture_receive(int descriptor, uint8_t *frame, size_t size, uint32_t *ret_interface_index);

/* Passes the answers of those of @count addresses that are of @family: ARP replies of such a
 * sender, advertisements of such a target. */
void capture_answers_program(const struct ip *list, size_t count, enum ip_family family,
	struct capture_program *ret_program);

/* Passes ARP frames whose sender is one of the shared addresses from *@from on, and replies to one.
 * Takes CAPTURE_V4_MAX addresses and moves *@from behind them. */
void capture_arp_program(
	const struct conf *conf, size_t *from, struct capture_program *ret_program);

/* Passes advertisements whose target or destination is one of the shared addresses from *@from on,
 * and solicitations whose source, or for source :: whose target, is one. Takes CAPTURE_V6_MAX
 * addresses and moves *@from behind them. */
void capture_nd_program(const struct conf *conf, size_t *from, struct capture_program *ret_program);

#endif
