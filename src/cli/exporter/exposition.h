/* SPDX-License-Identifier: ISC */
/*
 * exposition: Prometheus's text format, version 0.0.4: a head for each metric, then its samples.
 */
#ifndef HA_CLI_EXPORTER_EXPOSITION_H
#define HA_CLI_EXPORTER_EXPOSITION_H

#include <stdio.h>

#include <jansson.h>

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* What is written, growing as it must. */
struct exposition {
	FILE *file; /* borrowed */
};

__attribute__((format(printf, 2, 3))) void exposition_add(
	struct exposition *o, const char *format, ...);

/* @type: "gauge", "counter" or "histogram"; @help: a sentence. */
void exposition_head(struct exposition *o, const char *name, const char *type, const char *help);

/* One label; @before: "{" or ",". What would end @value is escaped. */
void exposition_label(
	struct exposition *o, const char *before, const char *label, const char *value);

/* name{label="value"} number */
void exposition_sample(struct exposition *o, const char *name, const char *label, const char *value,
	double number);

/* A metric of one sample without a label. */
void exposition_single(
	struct exposition *o, const char *name, const char *type, const char *help, double number);

/* A metric with a sample for each item of @array, labelled by its name. */
void exposition_each(struct exposition *o, const json_t *array, const char *name, const char *type,
	const char *help, const char *label, double (*value)(const json_t *item));

#endif
