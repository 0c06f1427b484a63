/* SPDX-License-Identifier: ISC */
/*
 * fuzz: what the fuzzers share. Each is one file with one function, which libFuzzer calls with
 * input after input; it feeds them to one decoder and asserts what must be true whatever they are.
 * The sanitizers find the rest. docs/testing.md, Fuzzers.
 */
#ifndef HA_FUZZ_FUZZ_H
#define HA_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"

/* libFuzzer's name and signature; always returns 0. @bytes of exactly @size: one byte more is
 * found. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Asserts that a string ends within its array. */
#define assert_terminated(array) assert(memchr((array), '\0', sizeof(array)))

#endif
