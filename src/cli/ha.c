/* SPDX-License-Identifier: ISC */
/* ha: the command line. A table of subcommands; each is a file of its own. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/nearest.h"

static const struct command COMMANDS[] = {
	{"run", run_command,
		"Share addresses with the other servers of the LAN, in the foreground.",
		" [-c FILE | --interface DEVICE --address ADDRESS/LENGTH ...]",
		"Without a file and without options the configuration is /etc/ha/ha.conf.\n"
		"  -c, --configuration FILE    read FILE (see ha.conf(5))\n"
		"  --runtime-dir DIR           where ha.sock and the like stand; default /run/ha\n"
		"  --state-dir DIR             for what outlives it, the history; default "
		"/var/lib/ha,\n"
		"                              with --runtime-dir DIR/state\n"
		"One group called main, without a file; each option is the key of ha.conf(5):\n"
		"  --interface DEVICE          where heartbeats go; may repeat\n"
		"  --address ADDRESS/LENGTH    shared address, IPv4 or IPv6; may repeat\n"
		"  --worth NUMBER              how worthy this server is, 0 to 65535; default 100\n"
		"  --interval TIME             between heartbeats; default 100ms\n"
		"  --tolerance TIME            silence that means gone; default 3.5 intervals\n"
		"  --name NAME                 of this server; default the host's name\n"
		"  --key-file FILE             from `ha keygen`, the same on all servers\n"
		"  --peer ADDRESS              unicast heartbeats to it as well; may repeat\n"
		"  --multicast ADDRESS|none    default 239.2.3.4\n"
		"  --port NUMBER               default 5555\n"
		"  --on-change COMMAND         run on each change; also --on-active, --on-standby\n"
		"  and --cluster --max-tolerance --margin --user --policy --hook-timeout\n"
		"      --fence --ipv4-as --realtime --removed-limit --removed-window --settle\n"
		"      --hold-down --standby\n"
		"SIGTERM stops it politely: the addresses go to the next server first.\n\n"
		"Examples:\n"
		"  ha run --interface eth0 --address 192.168.1.100/24\n"
		"  ha run -c /etc/ha/ha.conf\n"},
	{"status", status_command, "Show every group, why it is as it is, and every peer.",
		" [GROUP] [-a] [-v] [--json] [--runtime-dir DIR]",
		"  -a, --all          the whole cluster: what each server says of each group, who\n"
		"                     hears whom, and where views differ\n"
		"  -v, --verbose      also what was counted and timed since the start\n"
		"  --json             everything, as one line of JSON\n"
		"  --runtime-dir DIR  of the daemon to ask; default /run/ha\n\n"
		"Examples:\n"
		"  ha status web\n"
		"  ha status --all\n"
		"  ha status --json | jq -r '.groups[] | \"\\(.name) \\(.state)\"'\n"},
	{"watch", watch_command, "Show what happens, as it happens, until Ctrl-C.",
		" [--json] [--runtime-dir DIR]",
		"  --json             each event as a line of JSON\n"
		"  --runtime-dir DIR  of the daemon to watch; default /run/ha\n\n"
		"Example:\n"
		"  ha watch --json | jq -r 'select(.event == \"state\") | .text'\n"},
	{"history", history_command, "Show the last changes of state of this server.",
		" [GROUP] [-n NUMBER] [--json] [--state-dir DIR] [--runtime-dir DIR]",
		"Up to 1,000, with cause, epoch and durations, also of daemons before this one "
		"and\n"
		"when none runs.\n"
		"  -n, --lines NUMBER  the last NUMBER of them\n"
		"  --json              each as a line of JSON\n"
		"  --state-dir DIR     of the daemon; default /var/lib/ha, with --runtime-dir "
		"DIR/state\n"
		"  --runtime-dir DIR   of the daemon; default /run/ha\n\n"
		"Examples:\n"
		"  ha history web -n 20\n"
		"  ha history --json | jq -r 'select(.cause == \"holder-silent\") | .time'\n"},
	{"exporter", exporter_command, "Serve metrics for Prometheus and a status page.",
		" [--listen ADDRESS:PORT] [--runtime-dir DIR]",
		"A web server of its own, without privileges, that asks the daemon: / is a page "
		"for\n"
		"people, /metrics for Prometheus, /status.json, /events, and /healthz.\n"
		"  --listen ADDRESS:PORT  default 127.0.0.1:9955; :9955 is every address\n"
		"  --runtime-dir DIR      of the daemon to ask; default /run/ha\n\n"
		"Example:\n"
		"  ha exporter --listen 192.168.1.21:9955\n"},
	{"yield", yield_command, "Hand a group that this server holds over to another one.",
		" GROUP [--to NODE] [--timeout SECONDS] [--runtime-dir DIR]",
		"Waits until the other one has it. This server does not take it back before that\n"
		"one has failed or left, or `ha resume`.\n"
		"  --to NODE          not to the worthiest, but to this one\n"
		"  --timeout SECONDS  wait so long at most; default 30\n"
		"  --runtime-dir DIR  of the daemon to ask; default /run/ha\n\n"
		"Examples:\n"
		"  ha yield web\n"
		"  ha yield web --to beta\n"},
	{"drain", drain_command, "For maintenance: hand everything over, and hold nothing.",
		" [--force] [--timeout SECONDS] [--runtime-dir DIR]",
		"Lasts until `ha resume`, over restarts and reboots too. What no other server can\n"
		"take goes on being served, and is handed over as soon as one can.\n"
		"  --force            let go also of what no other server can take\n"
		"  --timeout SECONDS  wait so long at most; default 30\n"
		"  --runtime-dir DIR  of the daemon to ask; default /run/ha\n\n"
		"Example:\n"
		"  ha drain && apt full-upgrade && reboot    # then: ha resume\n"},
	{"resume", resume_command, "End what drain or yield began.", " [GROUP] [--runtime-dir DIR]",
		"With GROUP only that one, which was yielded, may be taken again.\n"
		"  --runtime-dir DIR  of the daemon to ask; default /run/ha\n\n"
		"Example:\n"
		"  ha resume\n"},
	{"check-config", check_config_command, "Name every mistake of a configuration file.",
		" [FILE]",
		"Without a file, of /etc/ha/ha.conf; - is standard input. Status 2 if wrong.\n\n"
		"Example:\n"
		"  ha check-config /etc/ha/ha.conf && systemctl restart ha\n"},
	{"keygen", keygen_command,
		"Make a key with which the servers of a cluster know each other.", " [FILE]",
		"Writes 64 hexadecimal digits into FILE, which must not exist yet and becomes\n"
		"readable by its owner only, or without FILE on standard output.\n\n"
		"Example:\n"
		"  ha keygen /etc/ha/key && scp -p /etc/ha/key root@beta:/etc/ha/key\n"},
	{"reload", reload_command, "Apply the configuration as it is now; nothing else moves.",
		" [--runtime-dir DIR]",
		"A wrong configuration changes nothing, and all its mistakes are said. Groups that "
		"did\n"
		"not change are served all the time. Also starts a newly installed version.\n"
		"  --runtime-dir DIR  default /run/ha\n\n"
		"Example:\n"
		"  ha reload\n"},
	{"release", release_command, "Take down shared addresses that a daemon left behind.",
		" [-c FILE] [--runtime-dir DIR] [--unless-restarting]",
		"Those that the last daemon ran with (DIR/running.conf), else those of FILE.\n"
		"  -c, --configuration FILE  default /etc/ha/ha.conf\n"
		"  --runtime-dir DIR         default /run/ha\n"
		"  --unless-restarting       nothing while another daemon may still take over\n\n"
		"Example:\n"
		"  ha release    # a service manager does this after each stop\n"},
	{"demo", demo_command, "Three servers and a client on this machine: watch an address move.",
		" [--interval TIME] [--plain]",
		"Builds a LAN in network namespaces, fails one thing after the other and measures\n"
		"what a client sees. Needs root. The kernel takes it all away in the end.\n"
		"  --interval TIME  between heartbeats; default 100ms\n"
		"  --plain          lines without colours, as where the output is no terminal\n\n"
		"Example:\n"
		"  sudo ha demo --interval 20ms\n"},
	{"version", version_command, "Print the version.", "", "Example:\n  ha version\n"},
};

#define COMMAND_COUNT (sizeof(COMMANDS) / sizeof(COMMANDS[0]))

static void print_help(FILE *stream)
{
	fprintf(stream, "usage: ha COMMAND [OPTION]...\n\n"
			"Several servers share an address: one holds it, another takes over when "
			"it fails.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-14s%s\n", COMMANDS[i].name, COMMANDS[i].summary);
	fprintf(stream,
		"\n`ha COMMAND --help` shows the options and an example. Manual: ha(8), "
		"ha.conf(5)\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 no daemon\n");
}

static const struct command *command_by_name(const char *name)
{
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(COMMANDS[i].name, name) == 0)
			return &COMMANDS[i];
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[COMMAND_COUNT], *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = COMMANDS[i].name;
	nearest = nearest_name(name, names, COMMAND_COUNT);
	if (nearest)
		fprintf(stderr, "ha: unknown command %s; did you mean %s?\n", name, nearest);
	else
		fprintf(stderr, "ha: unknown command %s; `ha --help` lists the commands\n", name);
	return EXIT_USAGE;
}

static int help(const char *name)
{
	const struct command *command = name ? command_by_name(name) : NULL;

	if (name && !command)
		return unknown_command(name);
	if (command)
		command_print_help(command);
	else
		print_help(stdout);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	command = command_by_name(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return command->run(command, argc - 1, argv + 1);
}
