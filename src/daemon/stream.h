/* SPDX-License-Identifier: ISC */
/* stream: the one hook that stays, and reads each change as a line of JSON. */
#ifndef HA_DAEMON_STREAM_H
#define HA_DAEMON_STREAM_H

#include <uv.h>

#include "driver/driver.h"

struct stream;

/* NULL if there is none in the configuration, which the others take. Owned by the process. */
struct stream *stream_open(struct driver *driver, uv_loop_t *loop);
/* When the engine has started. */
void stream_start(struct stream *s);
void stream_change(struct stream *s, const struct engine_hook *hook);

#endif
