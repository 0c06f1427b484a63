// SPDX-License-Identifier: ISC
#include "header.c"

#include <ha/uv.h>
