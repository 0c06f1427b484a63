/* SPDX-License-Identifier: ISC */
/* confine: the system calls that are left to a keeper that serves. */
#ifndef HA_KEEPER_CONFINE_H
#define HA_KEEPER_CONFINE_H

/* Gives up all others: it starts no program, opens no socket but to the kernel and to the service
 * manager, and signals nobody. One line if that is impossible; then all goes on without. */
void confine_keeper(void);

#endif
