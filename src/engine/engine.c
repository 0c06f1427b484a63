/* SPDX-License-Identifier: ISC */
#include "engine/engine.h"
