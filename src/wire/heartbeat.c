/* SPDX-License-Identifier: ISC */
#include "wire/heartbeat.h"
