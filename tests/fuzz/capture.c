/* SPDX-License-Identifier: ISC */
/* fuzz_capture: the keeper's filters for any list of shared addresses (each input byte 4 or 6
 * begins one). The kernel would take every program: all jumps stay inside, all ends return; and the
 * programs together are about every address. */
#include "fuzz/fuzz.h"
#include "keeper/capture.h"

static struct conf_address addresses[ADDRESSES_MAX];
static struct conf conf = {.addresses = addresses};
static struct capture_program program;

static void read_addresses(const uint8_t *bytes, size_t size)
{
	size_t at = 0;

	memset(addresses, 0, sizeof(addresses));
	conf.address_count = 0;
	while (at < size && conf.address_count < ADDRESSES_MAX) {
		struct ip *ip = &conf.addresses[conf.address_count++].ip;
		size_t length = bytes[at] == 6 ? 16 : 4;

		ip->family = bytes[at++] == 6 ? IP_V6 : IP_V4;
		if (length > size - at)
			length = size - at;
		memcpy(ip->bytes, bytes + at, length);
		at += length;
	}
}

/* What the kernel checks, net/core/filter.c, bpf_check_classic(). */
static void check_program(void)
{
	assert(program.length >= 1 && program.length <= BPF_MAXINSNS);
	assert(BPF_CLASS(program.code[program.length - 1].code) == BPF_RET);
	for (size_t i = 0; i < program.length; i++) {
		const struct sock_filter *f = &program.code[i];
		size_t left = program.length - i - 1;

		if (BPF_CLASS(f->code) == BPF_ST || f->code == (BPF_LD | BPF_MEM))
			assert(f->k < BPF_MEMWORDS);
		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		if (BPF_OP(f->code) == BPF_JA)
			assert(f->k < left);
		else
			assert(f->jt < left && f->jf < left);
	}
}

/* Together they are about every address. */
static void check_all(void (*make)(const struct conf *, size_t *, struct capture_program *))
{
	for (size_t from = 0; from < conf.address_count;) {
		size_t before = from;

		make(&conf, &from, &program);
		check_program();
		assert(from > before && from <= conf.address_count);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	read_addresses(bytes, size);
	check_all(capture_arp_program);
	check_all(capture_nd_program);
	return 0;
}
