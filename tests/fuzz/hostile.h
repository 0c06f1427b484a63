/* SPDX-License-Identifier: ISC */
/*
 * hostile: bytes become events that a correct peer, keeper or kernel would never send, but that the
 * engine must stand. Every byte string means something; at its end all that is read is 0.
 */
#ifndef HA_FUZZ_HOSTILE_H
#define HA_FUZZ_HOSTILE_H

#include "fuzz/subject.h"
#include "wire/bytes.h"

/* A heartbeat with any fields, with a right tag: one of forty nodes, fresh or not, leaving or not,
 * with any claim in any group. */
void hostile_heartbeat(struct subject *s, struct reader *r);

/* Bytes as they are, from a datagram socket. */
void hostile_datagram(struct subject *s, struct reader *r);

/* Any verb with any index; and with the number that would make it an answer to the last request. */
void hostile_message(struct subject *s, struct reader *r);

/* An ARP or neighbour discovery frame about a shared address, or any bytes. */
void hostile_frame(struct subject *s, struct reader *r);

/* Any state of any device. */
/* Somebody asks it to yield, drain or resume. */
void hostile_request(struct subject *s, struct reader *r);
void hostile_device(struct subject *s, struct reader *r);
void hostile_health(struct subject *s, struct reader *r);

#endif
