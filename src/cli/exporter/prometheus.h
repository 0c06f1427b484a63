/* SPDX-License-Identifier: ISC */
/*
 * prometheus: the daemon's status as metrics in Prometheus's text format, version 0.0.4: each with
 * HELP and TYPE, in seconds and without prefixes of units, counters ending in _total. Pure.
 */
#ifndef HA_CLI_EXPORTER_PROMETHEUS_H
#define HA_CLI_EXPORTER_PROMETHEUS_H

#include <stddef.h>

#include <jansson.h>

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* @status: the answer to {"command": "cluster"}; NULL: no daemon answers. A new text, owned by the
 * caller; NULL if memory ran out. */
char *prometheus_format(const json_t *status, size_t *ret_size);

#endif
