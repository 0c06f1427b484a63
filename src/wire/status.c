/* SPDX-License-Identifier: ISC */
#include "wire/status.h"
