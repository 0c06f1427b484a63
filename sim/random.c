/* SPDX-License-Identifier: ISC */
#include "sim/random.h"

#include <math.h>

#include "base/assert.h"

static uint64_t rotate(uint64_t x, unsigned by)
{
	return (x << by) | (x >> (64 - by));
}

/* SplitMix64 turns any seed, 0 too, into a good state. */
static uint64_t split_mix(uint64_t *x)
{
	uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct random random_init(uint64_t seed)
{
	struct random r;

	for (size_t i = 0; i < 4; i++)
		r.state[i] = split_mix(&seed);
	return r;
}

uint64_t random_next(struct random *r)
{
	uint64_t *s = r->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

uint64_t random_below(struct random *r, uint64_t limit)
{
	assert(limit > 0);
	return random_next(r) % limit;
}

int64_t random_between(struct random *r, int64_t low, int64_t high)
{
	assert(low <= high);
	return low + (int64_t)random_below(r, (uint64_t)(high - low) + 1);
}

int64_t random_magnitude(struct random *r, int64_t low, int64_t high)
{
	double part = (double)random_below(r, 1u << 20) / (1u << 20);

	assert(low > 0 && low <= high);
	return (int64_t)((double)low * pow((double)high / (double)low, part));
}

bool random_chance(struct random *r, unsigned permille)
{
	return permille > 0 && random_below(r, 1000) < permille;
}
