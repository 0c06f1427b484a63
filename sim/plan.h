/* SPDX-License-Identifier: ISC */
/*
 * plan: what happens in one run of the simulator: a cluster, and a list of faults with their
 * beginnings and ends, all of it as commands of a story (command.c), so that a run can be told as
 * one. A seed draws everything.
 */
#ifndef HA_SIM_PLAN_H
#define HA_SIM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_COMMANDS_MAX 192
#define PLAN_FAULTS_MAX   160
#define PLAN_COMMAND_SIZE 2048
#define PLAN_FAULT_SIZE   256

/* Commands of a story. */
struct plan_commands {
	size_t count;
	char list[PLAN_COMMANDS_MAX][PLAN_COMMAND_SIZE];
};

struct plan_fault {
	char kind[32];  /* for the summary */
	int64_t at_us;  /* since the beginning */
	int64_t for_us; /* until `end` */
	char begin[PLAN_FAULT_SIZE];
	char end[PLAN_FAULT_SIZE]; /* "": nothing is to be done */
};

struct plan {
	uint64_t seed;
	struct plan_commands setup;
	size_t fault_count;
	struct plan_fault faults[PLAN_FAULTS_MAX];
	int64_t faults_us; /* then everything heals */
	struct plan_commands heal;
	int64_t settle_us; /* after so long nothing may move any more */
	int64_t client_us; /* ... and so much later each client has found the holder; 0: not waited
			      for */
	int64_t quiet_us;  /* ... for so long */
};

/* What @seed means. */
void plan_draw(struct plan *p, uint64_t seed);

/* Appends one more; there must be room for it. */
__attribute__((format(printf, 2, 3))) void plan_add(
	struct plan_commands *c, const char *format, ...);

/* Prints @p as a story, without what follows from it. */
void plan_print_story(const struct plan *p);

#endif
