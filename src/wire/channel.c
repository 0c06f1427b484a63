/* SPDX-License-Identifier: ISC */
#include "wire/channel.h"
