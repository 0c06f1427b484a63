/* SPDX-License-Identifier: ISC */
#include "wire/arp.h"
