/* SPDX-License-Identifier: ISC */
#include "keeper/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/names.h"
#include "sys/scheduling.h"
#include "wire/control.h"

#define FALLBACK_USER "nobody"

bool privileges_check(void)
{
	static const struct {
		unsigned capability;
		const char *name, *purpose;
	} needed[] = {
		{CAP_NET_ADMIN, "CAP_NET_ADMIN", "configure addresses"},
		{CAP_NET_RAW, "CAP_NET_RAW", "announce addresses"},
	};

	if (capng_get_caps_process() != 0) {
		log_error("cannot read the own capabilities; is /proc mounted?");
		return false;
	}
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (capng_have_capability(CAPNG_EFFECTIVE, needed[i].capability))
			continue;
		log_error("missing privilege %s (to %s): run as root, or let systemd give "
			  "AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW",
			needed[i].name, needed[i].purpose);
		return false;
	}
	return true;
}

bool privileges_account(const char *user, struct account *ret_account)
{
	bool named = user[0] != '\0', found;

	*ret_account = (struct account){.change = geteuid() == 0};
	ret_account->shares_control = names_group(CONTROL_GROUP_NAME, &ret_account->control_group);
	if (!ret_account->change)
		return true;
	found = names_user(named ? user : HA_DEFAULT_USER, &ret_account->user, &ret_account->group);
	if (!found && named) {
		log_error("user %s of the configuration does not exist: create it with `useradd "
			  "--system %s`, or leave the line out",
			user, user);
		return false;
	}
	if (!found) {
		log_notice("there is no user %s; the engine runs as %s", HA_DEFAULT_USER,
			FALLBACK_USER);
		found = names_user(FALLBACK_USER, &ret_account->user, &ret_account->group);
	}
	if (!found) {
		log_error("there is neither a user %s nor %s: create one with `useradd --system "
			  "%s`",
			HA_DEFAULT_USER, FALLBACK_USER, HA_DEFAULT_USER);
		return false;
	}
	return true;
}

void privileges_realtime(bool wanted, struct account *account)
{
	int r = wanted ? scheduling_make_realtime() : 0;

	account->realtime = wanted && r == 0;
	if (r < 0)
		log_notice("no real-time priority: %s; a busy host may lose its addresses: give "
			   "CAP_SYS_NICE, or write realtime = no",
			strerror(-r));
}

/* What is not in the bounding set cannot come back by executing a file. Only who has CAP_SETPCAP
 * may shrink it; without it, no_new_privs does the same. */
static void shrink_bounding_set(void)
{
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		(void)capng_apply(CAPNG_SELECT_BOUNDS);
}

static int forbid_new_privileges(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* Gives up all but @list of @count, for good. */
static int keep(const unsigned *list, size_t count)
{
	bool had[CAP_LAST_CAP + 1] = {false};

	if (capng_get_caps_process() != 0)
		return -EPERM;
	for (size_t i = 0; i < count; i++)
		had[list[i]] = capng_have_capability(CAPNG_PERMITTED, list[i]);
	capng_clear(CAPNG_SELECT_BOUNDS);
	for (size_t i = 0; i < count; i++)
		(void)capng_update(CAPNG_ADD, CAPNG_BOUNDING_SET, list[i]);
	shrink_bounding_set();
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < count; i++) {
		if (had[list[i]])
			(void)capng_update(CAPNG_ADD,
				CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, list[i]);
	}
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return forbid_new_privileges();
}

int privileges_keep_two(void)
{
	static const unsigned two[] = {CAP_NET_ADMIN, CAP_NET_RAW};

	return keep(two, sizeof(two) / sizeof(two[0]));
}

int privileges_keep_starting(void)
{
	static const unsigned list[] = {
		CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_NICE, CAP_KILL};

	return keep(list, sizeof(list) / sizeof(list[0]));
}

int privileges_drop_all(const struct account *account)
{
	/* The library remembers who it was before the fork. */
	capng_setpid(getpid());
	if (capng_get_caps_process() != 0)
		return -EPERM;
	capng_clear(CAPNG_SELECT_BOUNDS);
	shrink_bounding_set();
	if (account->change) {
		if (setgroups(0, NULL) < 0 ||
			setresgid(account->group, account->group, account->group) < 0 ||
			setresuid(account->user, account->user, account->user) < 0)
			return -errno;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return forbid_new_privileges();
}
