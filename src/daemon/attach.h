/* SPDX-License-Identifier: ISC */
/*
 * attach: programs that look after groups (libha, attached). A group with `application` is eligible
 * on this node only while such a program is connected, sends its lines and calls itself fit. The
 * end of its connection counts at once, its silence after the tolerance.
 */
#ifndef HA_DAEMON_ATTACH_H
#define HA_DAEMON_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "conf/conf.h"
#include "wire/attach.h"

struct attach;
struct health;

/* Looks the users and groups of the configuration up. Owned by the process. */
struct attach *attach_open(struct health *health, const struct conf *conf, uv_loop_t *loop);
/* The engine has started: groups that nobody looks after yet are not eligible. */
void attach_start(struct attach *a);

/**
 * attach_begin - a client wants to look after @group
 * @socket: its connection, whose other end is asked who it is
 * @client: what it is called from now on
 *
 * Return: NULL, or a sentence of why it may not (static).
 */
const char *attach_begin(struct attach *a, const char *group, int socket, const void *client);
/* It said something. */
void attach_heard(struct attach *a, const void *client, const struct attach_line *line);
/* Its connection has ended; fine for one that looked after nothing. */
void attach_end(struct attach *a, const void *client);

#endif
