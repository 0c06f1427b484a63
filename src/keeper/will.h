/* SPDX-License-Identifier: ISC */
/*
 * will: the datagram that the keeper sends when the engine has died (rule R6). The engine wrote it
 * beforehand; the keeper knows only to whom it goes: where heartbeats go, too.
 */
#ifndef HA_KEEPER_WILL_H
#define HA_KEEPER_WILL_H

#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "keeper/interfaces.h"
#include "wire/channel.h"

struct will {
	const struct conf *conf;             /* borrowed */
	const struct interfaces *interfaces; /* borrowed */
	int v4, v6;                          /* sockets; -1: not needed */
	size_t size;                         /* 0: there is none */
	uint8_t bytes[CHANNEL_PAYLOAD_MAX];
};

/* Opens the sockets. 0 or -errno. */
int will_open(struct will *w, const struct conf *conf, const struct interfaces *interfaces);

/* Remembers @bytes of @size in place of the will before. */
void will_set(struct will *w, const uint8_t *bytes, size_t size);

/* There is none any more. */
void will_forget(struct will *w);

/* Sends it to the multicast group by each path and to each peer. What cannot be sent is lost: the
 * others then wait for the tolerance. */
void will_send(const struct will *w);

#endif
