/* SPDX-License-Identifier: ISC */
#include "core/cause.h"

#include <stddef.h>

const char *election_cause_name(enum election_cause cause)
{
	switch (cause) {
	case ELECTION_STARTED: return "started";
	case ELECTION_VACANT: return "vacant";
	case ELECTION_HOLDER_SILENT: return "holder-silent";
	case ELECTION_HOLDER_RESIGNED: return "holder-resigned";
	case ELECTION_GRANTED: return "granted";
	case ELECTION_HANDED_OVER: return "handed-over";
	case ELECTION_COLLISION: return "collision";
	case ELECTION_INELIGIBLE: return "ineligible";
	case ELECTION_CANNOT_SERVE: return "cannot-serve";
	case ELECTION_STOPPING: return "stopping";
	case ELECTION_LEASE_PASSED: return "lease-passed";
	case ELECTION_HOLD_FAILED: return "hold-failed";
	}
	return NULL;
}
