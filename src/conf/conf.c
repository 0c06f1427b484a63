/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"
