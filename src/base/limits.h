/* SPDX-License-Identifier: ISC */
/*
 * limits: everything has a maximum, so that memory is taken once at start and no queue can grow.
 */
#ifndef HA_BASE_LIMITS_H
#define HA_BASE_LIMITS_H

#define NODES_MAX     32 /* nodes of one cluster */
#define PEERS_MAX     (NODES_MAX - 1)
#define GROUPS_MAX    10000     /* groups of one node */
#define ADDRESSES_MAX 16384     /* shared addresses of one node, over all groups */
#define DEVICES_MAX   16        /* network devices that one configuration names */
#define PATHS_MAX     4         /* devices that carry heartbeats */
#define UNICAST_MAX   PEERS_MAX /* configured unicast peers */
#define TARGETS_MAX                                                                                \
	16             /* neighbours of one device that are asked to acknowledge an announcement   \
			*/
#define CHECKS_MAX 256 /* health checks of one node, over all groups */
#define HOOKS_MAX  4   /* commands for one occasion of one group */

#define NAME_SIZE    64 /* node and group names, with the terminating zero */
#define DEVICE_SIZE  16 /* IFNAMSIZ */
#define PATH_SIZE    256
#define COMMAND_SIZE 256
#define MAC_SIZE     6

#endif
