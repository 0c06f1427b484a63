/* SPDX-License-Identifier: ISC */
#include "wire/nd.h"
