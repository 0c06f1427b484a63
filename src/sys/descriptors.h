/* SPDX-License-Identifier: ISC */
/* descriptors: passing them between two processes of ours, unix(7). */
#ifndef HA_SYS_DESCRIPTORS_H
#define HA_SYS_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>

#define DESCRIPTORS_MAX 2

/* Sends @word with @count descriptors, at most DESCRIPTORS_MAX, which stay open here. 0 or -errno.
 */
int descriptors_send(int socket, int32_t word, const int *descriptors, size_t count);

/* Waits for a word with at most DESCRIPTORS_MAX descriptors, which close when a program is
 * executed. What is missing of them is -1. 0; -EPIPE if the other end is closed; or -errno. */
int descriptors_receive(int socket, int32_t *ret_word, int ret_descriptors[DESCRIPTORS_MAX]);

/* Closes those of @count that are not negative. */
void descriptors_close(const int *descriptors, size_t count);

/* Closes all from 3 on but those of @list, which it sorts. */
void descriptors_keep_only(int *list, size_t count);

#endif
