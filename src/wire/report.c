/* SPDX-License-Identifier: ISC */
#include "wire/report.h"
