# SPDX-License-Identifier: ISC
"""The command line as scripts see it: exit statuses, messages, and what it makes of a daemon's answers.

No network namespaces here: where a daemon is needed a few lines of Python play it.
"""

import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import stat
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HA_BUILD", ROOT / "build"))
HA = BUILD / "ha"

DONE, FAILED, USAGE, NO_DAEMON = 0, 1, 2, 3

COMMANDS = ["run", "status", "watch", "yield", "drain", "resume", "check-config", "keygen", "release", "demo", "version"]

GOOD = """\
[node]
interface = eth0
interval = 100ms
[group web]
address = 192.168.1.100/24
address = fd00::100/64
[group mail]
address = 192.168.1.101/24
"""

STATUS = {
    "node": {"name": "alpha", "id": "00000000000000aa", "address": "10.0.0.2", "interval_ms": 100,
             "tolerance_ms": 350, "authenticated": False, "fence": "watchdog",
             "scheduling": "real-time", "version": "0.1.0"},
    "groups": [{"name": "web", "state": "ACTIVE", "reason": "no other node is worthier", "worth": 200,
                "eligible": True, "policy": "worthiest", "epoch": 3, "holder": "alpha",
                "since": "2026-11-23T05:09:21.123Z", "transitions": 1,
                "addresses": [{"address": "10.0.0.100", "prefix_length": 24, "device": "eth0",
                               "targets": 2, "acknowledged": 1}]}],
    "peers": [{"name": "beta", "id": "00000000000000bb", "address": "10.0.0.3", "live": True,
               "hears_me": True, "proven": True, "last_heard_ms": 12, "interval_ms": 100,
               "tolerance_ms": 350, "received": 9}],
    "warnings": ["there is no key-file"],
    "counters": {"sent": 1, "received": 2, "dropped": {}},
}

EVENT = {"event": "state", "level": "notice", "time": "2026-11-23T05:09:21.123Z", "boottime_us": 5,
         "group": "web", "from": "STANDBY", "to": "ACTIVE", "epoch": 4, "text": "ACTIVE: beta is gone"}


def ha(*arguments, **options):
    return subprocess.run([HA, *map(str, arguments)], text=True, capture_output=True, timeout=30,
                          stdin=subprocess.DEVNULL, **options)


def one_line(text):
    assert text.endswith("\n") and text.count("\n") == 1, text
    return text


class Daemon:
    """Answers each request on DIR/ha.sock with the given lines; then closes, unless it is held open."""

    def __init__(self, directory):
        self.directory = directory
        self.lines, self.requests, self.hold = [], [], False
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(directory / "ha.sock"))
        self.socket.listen()
        self.clients = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
                request = client.makefile().readline()
            except OSError:
                return
            self.requests.append(json.loads(request))
            client.sendall("".join(line + "\n" for line in self.lines).encode())
            if self.hold:
                self.clients.append(client)
            else:
                client.close()

    def go(self):
        for client in self.clients:
            client.close()
        self.socket.close()


@pytest.fixture
def daemon(tmp_path):
    made = Daemon(tmp_path)
    yield made
    made.go()


@pytest.fixture
def configuration(tmp_path):
    def write(text):
        path = tmp_path / "ha.conf"
        path.write_text(text)
        return path
    return write


@pytest.fixture
def installed(tmp_path):
    """`ha` with a keeper beside it that writes down how it was started."""
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(HA, place / "ha")
    keeper = place / "ha-keeper"
    keeper.write_text("#!/bin/sh\necho \"$$ $*\"\ncat <&\"$2\"\n")
    keeper.chmod(0o755)
    return place / "ha"


# Usage

def test_help_names_every_command():
    done = ha("--help")
    assert done.returncode == DONE and done.stderr == ""
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    assert ha("help").stdout == done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command):
    done = ha(command, "--help")
    assert done.returncode == DONE and done.stderr == ""
    assert done.stdout.startswith(f"usage: ha {command}")
    assert "Example" in done.stdout and f"ha {command}" in done.stdout.split("Example")[1]
    assert ha("help", command).stdout == done.stdout


def test_no_command_is_wrong_usage():
    done = ha()
    assert done.returncode == USAGE and done.stdout == ""
    assert "usage: ha COMMAND" in done.stderr


@pytest.mark.parametrize("word, meant", [("statsu", "status"), ("check", "check-config"), ("wach", "watch")])
def test_a_mistyped_command_names_the_nearest(word, meant):
    done = ha(word)
    assert done.returncode == USAGE
    assert f"did you mean {meant}?" in one_line(done.stderr)


def test_an_unknown_command_is_not_guessed_at():
    done = ha("frobnicate")
    assert done.returncode == USAGE
    assert "unknown command frobnicate" in one_line(done.stderr)
    assert "did you mean" not in done.stderr


@pytest.mark.parametrize("arguments", [
    ["status", "--nonsense"], ["status", "--runtime-dir"], ["status", "a", "b"], ["status", "a", "--json"],
    ["watch", "web"], ["check-config", "a", "b"], ["keygen", "a", "b"], ["version", "x"], ["release", "x"],
    ["run", "eth0"], ["run", "-c", "x", "--worth", "1"], ["run", "--address", "10.0.0.100/24"],
    ["run", "--interface", "eth0"], ["demo", "x"], ["demo", "--interval", "soon"],
    ["demo", "--interval", "5s"]])
def test_wrong_usage_says_what_and_where_to_read_more(arguments):
    done = ha(*arguments)
    assert done.returncode == USAGE and done.stdout == ""
    assert done.stderr.startswith(f"ha {arguments[0]}: ")
    assert f"`ha {arguments[0]} --help`" in done.stderr


def test_a_mistyped_option_names_the_nearest():
    assert "did you mean --json?" in ha("status", "--jsn").stderr


def test_version():
    assert ha("version").stdout == ha("--version").stdout
    assert one_line(ha("version").stdout).startswith("ha ")


def test_output_that_cannot_be_written_is_a_failure():
    with open("/dev/full", "w") as full:
        done = subprocess.run([HA, "version"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == FAILED
    assert "cannot write the output" in one_line(done.stderr)


# check-config

def test_a_good_configuration_is_summed_up_in_a_line(configuration):
    path = configuration(GOOD)
    done = ha("check-config", path)
    assert done.returncode == DONE and done.stderr == ""
    assert one_line(done.stdout).startswith(
        f"{path}: good: 2 groups, 3 addresses, heartbeat every 100 ms, gone after 350 ms")


def test_every_mistake_is_named_with_its_line(configuration):
    path = configuration("[node]\ninterface = eth0\nintervall = 5ms\n[group web]\naddress = 10.0.0.300\nworth = x\n")
    done = ha("check-config", path)
    assert done.returncode == USAGE and done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.split(":")[:2] for line in lines] == [[str(path), n] for n in ("3", "5", "6")]
    assert '"interval"' in lines[0]


def test_a_configuration_from_standard_input():
    done = subprocess.run([HA, "check-config", "-"], input=GOOD, text=True, capture_output=True, timeout=30)
    assert done.returncode == DONE
    assert done.stdout.startswith("-: good")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[" * 5000, b"x" * (1 << 20)],
                         ids=["empty", "binary", "brackets", "large"])
def test_what_is_no_configuration_is_refused(tmp_path, content):
    path = tmp_path / "ha.conf"
    path.write_bytes(content)
    done = subprocess.run([HA, "check-config", path], capture_output=True, timeout=30)
    assert done.returncode == USAGE
    assert done.stderr and b"\x1b" not in done.stderr and b"\xff" not in done.stderr


def test_a_missing_configuration_is_named(tmp_path):
    done = ha("check-config", tmp_path / "none")
    assert done.returncode == USAGE
    assert str(tmp_path / "none") in one_line(done.stderr) and "No such file" in done.stderr


# keygen

def test_keys_are_random_and_of_the_right_form():
    first, second = one_line(ha("keygen").stdout), one_line(ha("keygen").stdout)
    assert first != second
    assert len(first) == 65 and set(first.strip()) <= set("0123456789abcdef")


def test_a_key_file_is_for_its_owner_only(tmp_path):
    path = tmp_path / "key"
    done = subprocess.run([HA, "keygen", path], capture_output=True, timeout=30, umask=0)
    assert done.returncode == DONE and done.stdout == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text()) == 65


def test_a_key_file_is_never_overwritten(tmp_path):
    path = tmp_path / "key"
    path.write_text("mine")
    done = ha("keygen", path)
    assert done.returncode == FAILED
    assert str(path) in one_line(done.stderr)
    assert path.read_text() == "mine"


def test_a_key_that_cannot_be_written_leaves_no_file(tmp_path):
    done = ha("keygen", tmp_path / "none" / "key")
    assert done.returncode == FAILED
    assert "No such file" in one_line(done.stderr)


# run and release

def test_options_become_a_configuration_for_the_keeper(installed, tmp_path):
    command = [installed, "run", "--interface", "eth0", "--address", "10.0.0.100/24", "--address",
               "fd00::100/64", "--worth", "200", "--runtime-dir", tmp_path]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output, _ = started.communicate(timeout=30)
    first, _, text = output.partition("\n")
    pid, option, descriptor, *rest = first.split()
    assert int(pid) == started.pid, "the keeper must be the process that a service manager started"
    assert [option, *rest] == ["--configuration", "--runtime-dir", str(tmp_path), "--state-dir",
                               f"{tmp_path}/state"] and int(descriptor) > 2
    assert text == ("[node]\ninterface = eth0\n[group main]\naddress = 10.0.0.100/24\n"
                    "address = fd00::100/64\nworth = 200\n")


def test_a_file_goes_to_the_keeper_as_it_is(installed, configuration):
    path = configuration(GOOD)
    done = subprocess.run([installed, "run", "-c", path], text=True, capture_output=True, timeout=30)
    assert done.returncode == 0
    assert done.stdout.split("\n", 1)[1] == GOOD
    assert done.stdout.split("\n", 1)[0].endswith(
        f"--runtime-dir /run/ha --state-dir /var/lib/ha --file {path}")


def test_a_bad_file_never_reaches_the_keeper(installed, configuration):
    path = configuration("[node]\n")
    done = subprocess.run([installed, "run", "-c", path], text=True, capture_output=True, timeout=30)
    assert done.returncode == USAGE and done.stdout == ""
    assert str(path) in done.stderr


def test_mistakes_in_options_are_led_back_to_the_option(installed):
    done = subprocess.run([installed, "run", "--interface", "eth0", "--address", "10.0.0.300", "--interval", "5",
                           "--worth", "1", "--worth", "2"], text=True, capture_output=True, timeout=30)
    assert done.returncode == USAGE and done.stdout == ""
    lines = done.stderr.splitlines()
    assert sorted(line.split(":")[1].strip() for line in lines) == ["--address", "--interval", "--worth"]
    assert "line" not in done.stderr


@pytest.mark.parametrize("value", ["a\nkey-file = /tmp/k", "a\rb", "a\x1b[2Jb", "a ; b", "x" * 300, ""],
                         ids=["newline", "return", "escape", "comment", "long", "empty"])
def test_a_value_cannot_smuggle_in_a_key(installed, value):
    done = subprocess.run([installed, "run", "--interface", "eth0", "--address", "10.0.0.100/24", "--name", value],
                          text=True, capture_output=True, timeout=30)
    assert done.returncode == USAGE and done.stdout == ""
    assert "--name: " in done.stderr and "\x1b" not in done.stderr


def test_a_missing_keeper_is_named(tmp_path):
    shutil.copy(HA, tmp_path / "ha")
    done = subprocess.run([tmp_path / "ha", "run", "--interface", "eth0", "--address", "10.0.0.100/24"],
                          text=True, capture_output=True, timeout=30)
    if done.returncode == FAILED:  # unless one is installed on this machine
        assert "ha-keeper" in one_line(done.stderr)


def test_release_prefers_what_the_last_daemon_ran_with(installed, configuration, tmp_path):
    path = configuration(GOOD)
    command = [installed, "release", "-c", path, "--runtime-dir", tmp_path]
    done = subprocess.run(command, text=True, capture_output=True, timeout=30)
    first, text = done.stdout.split("\n", 1)
    assert first.endswith(f"--runtime-dir {tmp_path} --release") and text == GOOD
    running = GOOD.replace("192.168.1.101", "192.168.1.102")
    (tmp_path / "running.conf").write_text(running)
    done = subprocess.run(command, text=True, capture_output=True, timeout=30)
    assert done.stdout.split("\n", 1)[1] == running


# status

def test_without_a_daemon_status_says_how_to_start_one(tmp_path):
    for command in ("status", "watch"):
        done = ha(command, "--runtime-dir", tmp_path)
        assert done.returncode == NO_DAEMON and done.stdout == ""
        assert str(tmp_path / "ha.sock") in one_line(done.stderr)
        assert "`ha run`" in done.stderr and "systemctl start ha" in done.stderr


def test_a_socket_that_nobody_listens_on_is_no_daemon(tmp_path):
    left_behind = socket.socket(socket.AF_UNIX)
    left_behind.bind(str(tmp_path / "ha.sock"))
    left_behind.close()
    assert ha("status", "--runtime-dir", tmp_path).returncode == NO_DAEMON


def test_a_runtime_directory_too_long_for_a_socket_is_wrong_usage(tmp_path):
    done = ha("status", "--runtime-dir", tmp_path / ("x" * 120))
    assert done.returncode == USAGE and "too long" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_without_permission_status_names_the_group(daemon):
    path = daemon.directory / "ha.sock"
    os.chown(path, 0, 4)
    path.chmod(0o660)
    for directory in [daemon.directory, *daemon.directory.parents]:
        if directory.owner() == "root" and str(directory) != "/":
            directory.chmod(directory.stat().st_mode | 0o011)
    copy = daemon.directory / "ha"
    shutil.copy(HA, copy)
    done = subprocess.run([copy, "status", "--runtime-dir", daemon.directory], text=True, capture_output=True,
                          timeout=30, user=65534, group=65534, extra_groups=[])
    assert done.returncode == FAILED
    assert "group adm" in one_line(done.stderr)


def test_status_reads_at_a_glance(daemon):
    daemon.lines = [json.dumps(STATUS)]
    done = ha("status", "--runtime-dir", daemon.directory)
    assert done.returncode == DONE and done.stderr == ""
    assert daemon.requests == [{"command": "status"}]
    lines = done.stdout.splitlines()
    assert lines[0].startswith("alpha  10.0.0.2")
    assert "web  ACTIVE    no other node is worthier" in lines
    assert "1 of 2 neighbours acknowledged" in done.stdout
    assert any(line.split()[:2] == ["beta", "10.0.0.3"] and "live, hears me" in line for line in lines)
    assert lines[-1] == "WARNING: there is no key-file"


def test_status_of_one_group(daemon):
    daemon.lines = [json.dumps(STATUS)]
    assert "web  ACTIVE" in ha("status", "web", "--runtime-dir", daemon.directory).stdout
    done = ha("status", "wbe", "--runtime-dir", daemon.directory)
    assert done.returncode == USAGE and done.stdout == ""
    assert one_line(done.stderr) == "ha status: there is no group wbe; there is web\n"


def test_json_is_the_daemons_own(daemon):
    line = '{"new key": [1,  2], "node":{}}'
    daemon.lines = [line]
    done = ha("status", "--json", "--runtime-dir", daemon.directory)
    assert done.returncode == DONE and done.stdout == line + "\n"


@pytest.mark.parametrize("lines, message", [
    ([], "without an answer"), (["not json"], "not JSON"), (["{}"], "no status"), (["[" * 5000], "not JSON"),
    (['{"error": "bad \\u001b[2J day"}'], "refuses: bad ?[2J day")],
    ids=["nothing", "text", "another object", "nesting", "an error"])
def test_a_daemon_that_talks_nonsense_is_a_failure(daemon, lines, message):
    daemon.lines = lines
    done = ha("status", "--runtime-dir", daemon.directory)
    assert done.returncode == FAILED and done.stdout == ""
    assert message in one_line(done.stderr)


def on_a_terminal(*arguments, **environment):
    """Everything that the command writes when its output is a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "xterm", **environment})
        os.execv(HA, [str(HA), *map(str, arguments)])
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(terminal)
    os.waitpid(pid, 0)
    return output.decode()


def test_colours_are_for_terminals_that_want_them(daemon):
    daemon.lines = [json.dumps(STATUS)]
    arguments = ["status", "--runtime-dir", daemon.directory]
    assert "\x1b[1;32mACTIVE" in on_a_terminal(*arguments, NO_COLOR="")
    assert "\x1b" not in on_a_terminal(*arguments, NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(*arguments, TERM="dumb")
    assert "\x1b" not in ha(*arguments).stdout


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_hostile_name_does_not_command_the_terminal(daemon, options):
    hostile = json.loads(json.dumps(STATUS))
    hostile["peers"][0]["name"] = "\x1b]0;owned\x07\x9b2J"
    hostile["groups"][0]["reason"] = "\x1b[2J\u202e\n"
    hostile["warnings"] = ["\x1bc"]
    daemon.lines = [json.dumps(hostile, ensure_ascii=False)]
    output = on_a_terminal("status", "--runtime-dir", daemon.directory, *options, NO_COLOR="1")
    assert "owned" in output
    assert not set(output) & set("\x1b\x07\x9b\u202e")


# watch

def test_watch_prints_a_line_for_each_event_until_the_daemon_goes(daemon):
    daemon.lines = [json.dumps(EVENT), json.dumps({**EVENT, "text": "ACTIVE: and\x1b again"})]
    done = ha("watch", "--runtime-dir", daemon.directory, env={**os.environ, "TZ": "UTC"})
    assert done.returncode == NO_DAEMON
    assert done.stdout == ("05:09:21.123005  web  ACTIVE: beta is gone, epoch 4\n"
                           "05:09:21.123005  web  ACTIVE: and? again, epoch 4\n")
    assert "the daemon has gone" in one_line(done.stderr)
    assert daemon.requests == [{"command": "watch"}]


def test_watch_prints_json_unchanged(daemon):
    line = '{"event":  "new"}'
    daemon.lines = [line]
    assert ha("watch", "--json", "--runtime-dir", daemon.directory).stdout == line + "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_ends_cleanly_when_told_to(daemon, number):
    daemon.lines, daemon.hold = [json.dumps(EVENT)], True
    watch = subprocess.Popen([HA, "watch", "--runtime-dir", daemon.directory], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert "beta is gone" in watch.stdout.readline(), "each event must be written at once"
    watch.send_signal(number)
    output, error = watch.communicate(timeout=30)
    assert (watch.returncode, output, error) == (DONE, "", "")


# demo

def test_demo_without_privileges_says_what_it_needs(folder):
    if os.geteuid() != 0:
        done = ha("demo")
    else:
        copy = folder / "ha"
        shutil.copy(HA, copy)
        done = subprocess.run([copy, "demo"], text=True, capture_output=True, timeout=30, user=65534,
                              group=65534, extra_groups=[])
    assert done.returncode == FAILED and done.stdout == ""
    assert "root" in one_line(done.stderr) and "CAP_SYS_ADMIN" in done.stderr
