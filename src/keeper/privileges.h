/* SPDX-License-Identifier: ISC */
/*
 * privileges: what the keeper needs (CAP_NET_ADMIN for addresses and routes, CAP_NET_RAW for
 * frames) and how it and its engine get rid of everything else.
 */
#ifndef HA_KEEPER_PRIVILEGES_H
#define HA_KEEPER_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* Whom the engine runs as, and with which precedence. */
struct account {
	bool realtime;
	bool change; /* false: the keeper is not root and cannot become anybody else */
	uid_t user;
	gid_t group;
	bool shares_control; /* there is a group that may use the control socket */
	gid_t control_group;
};

/* True if both capabilities are in force; else says on one line which is missing and how to give
 * it. */
bool privileges_check(void);

/* Finds @user (""): the packaged default, else nobody. False, after one line, if a user that the
 * configuration names does not exist. */
bool privileges_account(const char *user, struct account *ret_account);

/* Has this process run before ordinary ones, and the engine as well, if the configuration wants
 * that. One line if it is not permitted; then all goes on without. */
void privileges_realtime(bool wanted, struct account *account);

/* Gives up everything but the two capabilities, for good; the user id stays. 0 or -errno. */
int privileges_keep_two(void);

/* Gives up everything but what starting engines takes (another user and group, no capabilities,
 * real-time priority, SIGKILL), as far as it was there. 0 or -errno. */
int privileges_keep_starting(void);

/* Becomes @account without any capability, for good. For the child that will be the engine. 0 or
 * -errno. */
int privileges_drop_all(const struct account *account);

#endif
