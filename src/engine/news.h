/* SPDX-License-Identifier: ISC */
/*
 * news: what people and hooks are told when a group changes: its state, its epoch, who holds it,
 * and whether this node may.
 */
#ifndef HA_ENGINE_NEWS_H
#define HA_ENGINE_NEWS_H

#include <stddef.h>

struct effects;
struct engine;

void news_tell(struct engine *e, size_t group, struct effects *out);

#endif
