/* SPDX-License-Identifier: ISC */
#include "wire/control.h"
