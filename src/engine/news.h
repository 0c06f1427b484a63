/* SPDX-License-Identifier: ISC */
/* news: what people and hooks are told when a group changes. */
#ifndef HA_ENGINE_NEWS_H
#define HA_ENGINE_NEWS_H

#include <stddef.h>

struct effects;
struct engine;

void news_tell(struct engine *e, size_t group, struct effects *out);

#endif
