/* SPDX-License-Identifier: ISC */
/*
 * handoff: the descriptors with which the keeper starts the engine, by fixed number. Nothing else
 * is inherited; the engine takes no argument but --runtime-dir for its messages.
 */
#ifndef HA_WIRE_HANDOFF_H
#define HA_WIRE_HANDOFF_H

enum handoff {
	HANDOFF_CHANNEL = 3,       /* SOCK_SEQPACKET, wire/channel.h */
	HANDOFF_CONFIGURATION = 4, /* sealed memfd: the bytes that the keeper parsed */
	HANDOFF_KEY = 5,     /* sealed memfd: CONF_KEY_SIZE bytes of key, and as many again of one
				that is accepted as well; empty: no key */
	HANDOFF_LEASE = 6,   /* struct lease_page, lease_size() bytes of it, to be mapped
				shared: a map of the kernel's fence, or a memfd */
	HANDOFF_CONTROL = 7, /* listening Unix stream socket, wire/control.h */
	HANDOFF_STATE = 8,   /* the state folder, which the engine's user may write to; a
				descriptor of /dev/null: there is none */
	HANDOFF_CHECKER = 9, /* SOCK_SEQPACKET, wire/verdict.h; /dev/null if the
				configuration has no checks for ha-checker */
	HANDOFF_RECORD = 10, /* memfd of HANDOFF_RECORD_SIZE, to be mapped shared: what the
				engine before has left, and what this one leaves (R8) */
};
#define HANDOFF_RECORD_SIZE ((size_t)8 << 20) /* as good as nothing until it is written */

/* ha-checker gets two: its end of that socket, and the configuration. */
enum handoff_checker { HANDOFF_CHECKER_SOCKET = 3, HANDOFF_CHECKER_CONFIGURATION = 4 };

/*
 * A program that embeds the engine (libha) is the keeper's parent instead, and gave it one end of
 * the channel. The keeper's first two messages there are these words with descriptors, the same as
 * above: the lease and the key; then the configuration. What follows is wire/channel.h.
 */
enum greeting { GREETING_LEASE_AND_KEY = 0x48410001, GREETING_CONFIGURATION = 0x48410002 };

#endif
