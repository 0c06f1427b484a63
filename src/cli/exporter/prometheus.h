/* SPDX-License-Identifier: ISC */
/*
 * prometheus: the daemon's status as metrics for Prometheus (exposition.h), in seconds and without
 * prefixes of units, counters ending in _total. Pure.
 */
#ifndef HA_CLI_EXPORTER_PROMETHEUS_H
#define HA_CLI_EXPORTER_PROMETHEUS_H

#include <stddef.h>

#include <jansson.h>

/* @status: the answer to {"command": "cluster"}; NULL: no daemon answers. A new text, owned by the
 * caller; NULL if memory ran out. */
char *prometheus_format(const json_t *status, size_t *ret_size);

#endif
