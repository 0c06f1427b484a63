/* SPDX-License-Identifier: ISC */
/* program: where this project's other programs are. */
#ifndef HA_SYS_PROGRAM_H
#define HA_SYS_PROGRAM_H

#include "base/limits.h"

/* The program called @name: the one beside our own executable (a build folder), else the installed
 * one, whether it is there or not. */
void program_find(const char *name, char ret_path[PATH_SIZE]);

#endif
