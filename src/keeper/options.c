/* SPDX-License-Identifier: ISC */
#include "keeper/options.h"

#include <getopt.h>
#include <stdlib.h>

#include "sys/log.h"

static bool parse_descriptor(const char *text, int *ret_descriptor)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < 0 || number > 65535)
		return false;
	*ret_descriptor = (int)number;
	return true;
}

bool options_parse(int count, char **arguments, struct options *ret_options)
{
	static const struct option known[] = {
		{"configuration", required_argument, NULL, 'c'},
		{"runtime-dir", required_argument, NULL, 'd'},
		{"state-dir", required_argument, NULL, 's'},
		{"release", no_argument, NULL, 'r'},
		{"unless-restarting", no_argument, NULL, 'u'},
		{"file", required_argument, NULL, 'f'},
		{"successor", no_argument, NULL, 'n'},
		{"engine-fd", required_argument, NULL, 'e'},
		{0},
	};
	struct options o = {.configuration = -1, .engine = -1};
	bool right = true;
	int option;

	opterr = 0;
	while (right && (option = getopt_long(count, arguments, "", known, NULL)) != -1) {
		switch (option) {
		case 'c': right = parse_descriptor(optarg, &o.configuration); break;
		case 'd': o.runtime_dir = optarg; break;
		case 's': o.state_dir = optarg; break;
		case 'r': o.release = true; break;
		case 'u': o.release = o.unless_restarting = true; break;
		case 'f': o.file = optarg; break;
		case 'n': o.successor = true; break;
		case 'e': right = parse_descriptor(optarg, &o.engine); break;
		default: right = false; break;
		}
	}
	if (!right || optind != count || o.configuration < 0 || !o.runtime_dir ||
		(o.release && o.engine >= 0)) {
		log_error("usage: ha-keeper --configuration DESCRIPTOR --runtime-dir DIR "
			  "[--state-dir DIR] [--file FILE] [--release | --unless-restarting | "
			  "--engine-fd DESCRIPTOR]; it is started "
			  "by `ha run`, `ha release` and programs that use libha");
		return false;
	}
	*ret_options = o;
	return true;
}
