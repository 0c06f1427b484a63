# SPDX-License-Identifier: ISC
"""A node: `ha run` on a host of the LAN."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from lan import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HA_BUILD", ROOT / "build")).resolve()
HA = BUILD / "ha"
ADDRESS, ADDRESS6 = "10.77.0.100", "fd77::100"
SHARED = [f"{ADDRESS}/24", f"{ADDRESS6}/64"]


def configuration(node, groups):
    """The text of a configuration file. A list of values is that many lines; None leaves a key out."""
    lines = []
    for heading, keys in [("node", node), *((f"group {name}", keys) for name, keys in groups.items())]:
        lines.append(f"[{heading}]")
        for key, values in keys.items():
            for value in values if isinstance(values, list) else [values]:
                if value is not None:
                    lines.append(f"{key.replace('_', '-')} = {value}")
    return "\n".join(lines) + "\n"


class Node:
    """Not started yet. Keys of [node] and, if there is no `groups`, of the only group [group main]:

        Node(folder, host, worth=200, interval="50ms", on_change="/some/hook")
        Node(folder, host, groups={"web": {"address": SHARED, "worth": 200}, "mail": {...}})
    """

    GROUP_KEYS = {"address", "worth", "policy", "on_change", "on_active", "on_standby", "application",
                  "check", "when_all_fail", "settle", "hold_down", "before_active",
                  "before_active_timeout", "standby"}

    def __init__(self, folder, host, groups=None, name=None, options=None, **keys):
        self.host, self.name = host, name or host.name
        self.runtime_dir = pathlib.Path(folder) / self.name
        self.log_path = pathlib.Path(folder) / f"{self.name}.log"
        self.process = None
        self.prefix = []  # words before the command line, such as setpriv(1)
        self.ha = HA  # the program; the others are beside it
        self.options = options  # of the command line, instead of a file
        self.node_keys = {"name": self.name, "interface": "eth0", "interval": "100ms",
                          "tolerance": "350ms"}
        self.groups = groups or {"main": {"address": SHARED}}
        self.change(**keys)

    def change(self, **keys):
        """Other settings, from the next start."""
        for key, value in keys.items():
            if key in self.GROUP_KEYS:
                self.groups["main"][key] = value
            else:
                self.node_keys[key] = value
        return self

    # --- its life

    def arguments(self):
        if self.options is None:
            path = self.runtime_dir.parent / f"{self.name}.conf"
            path.write_text(configuration(self.node_keys, self.groups))
            given = ["-c", str(path)]
        else:
            given = self.options
        return [*self.prefix, self.ha, "run", *given, "--runtime-dir", self.runtime_dir]

    def start(self, wait=True):
        assert not self.is_running()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.host.command(*self.arguments()), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        if wait:
            wait_until(lambda: self.status() or not self.is_running(),
                       lambda: f"{self.name} answers; its log:\n{self.log()}")
            assert self.is_running(), self.log()
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def child(self, name):
        """The process id of the keeper's only child of that name; None if there is none."""
        keeper = self.process.pid
        with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as file:
            for pid in map(int, file.read().split()):
                if pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == name:
                    return pid
        return None

    def engine_pid(self):
        return self.child("had")

    def signal(self, number):
        self.process.send_signal(number)

    def ask_to_stop(self):
        self.signal(signal.SIGTERM)

    def stop(self, timeout=10):
        """Politely; its exit status."""
        self.ask_to_stop()
        return self.process.wait(timeout)

    def crash_engine(self):
        """The keeper survives it and starts another one."""
        os.kill(self.engine_pid(), signal.SIGKILL)

    def kill_engine(self):
        """For good: nobody is left to start another one. The keeper lives for as long as it takes to
        clean up."""
        os.kill(self.child("ha-starter"), signal.SIGKILL)
        self.crash_engine()
        assert self.process.wait(10) == 1, "a dead engine is a failure for the service manager"

    def kill9(self):
        """Both processes at once, as if the kernel had died: nobody cleans up."""
        engine = self.engine_pid()
        os.kill(self.process.pid, signal.SIGSTOP)  # it must not notice
        if engine:
            os.kill(engine, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def wait_usage(self):
        """Waits for its end: the exit status, and the processor time of all its processes [s]."""
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode, usage.ru_utime + usage.ru_stime

    # --- what it says

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def wait_log(self, text, timeout=10):
        wait_until(lambda: text in self.log(), lambda: f"{text!r} in the log:\n{self.log()}", timeout)

    def status(self):
        """As `ha status --json` shows it, or None if nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                s.settimeout(2)
                s.connect(str(self.runtime_dir / "ha.sock"))
                s.sendall(b'{"command": "status"}\n')
                with s.makefile() as answer:
                    return json.loads(answer.readline() or "null")
        except (OSError, json.JSONDecodeError):
            return None

    def cli(self, *arguments):
        return subprocess.run(self.host.command(HA, *arguments, "--runtime-dir", self.runtime_dir),
                              capture_output=True, text=True, check=False)

    def group(self, name=None):
        """The status of a group, of the first one by default; {} if the node does not answer."""
        status = self.status()
        groups = status["groups"] if status else []
        return next((g for g in groups if name in (None, g["name"])), {})

    def state(self, group=None):
        return self.group(group).get("state")

    def is_active(self, group=None):
        return self.state(group) == "ACTIVE"

    def holds_any(self):
        status = self.status()
        return bool(status) and any(g["state"] == "ACTIVE" for g in status["groups"])

    def dropped(self, reason):
        return self.status()["counters"]["dropped"][reason]

    def peer(self, name):
        """The status of a peer, or {}."""
        status = self.status()
        return next((p for p in status["peers"] if p["name"] == name), {}) if status else {}

    def describe(self):
        status = self.status()
        if not status:
            return f"{self.name}: no answer"
        groups = ", ".join(f"{g['name']} {g['state']} ({g['reason']})" for g in status["groups"])
        peers = ", ".join(f"{p['name']}{'' if p['live'] else ' dead'}" for p in status["peers"])
        return f"{self.name}: {groups}; hears {peers or 'nobody'}"

    # --- waiting

    def wait_state(self, state, group=None, timeout=10):
        wait_until(lambda: self.state(group) == state,
                   lambda: f"{self.name} is {state} in {group or 'its group'}; {self.describe()}",
                   timeout)

    def wait_reason(self, text, group=None, timeout=10):
        wait_until(lambda: text in self.group(group).get("reason", ""),
                   lambda: f"reason {text!r}; {self.describe()}", timeout)

    def wait_peer(self, name, timeout=10, **fields):
        """Until a peer is live (or has other values in its status)."""
        fields = fields or {"live": True}
        wait_until(lambda: fields.items() <= self.peer(name).items(),
                   lambda: f"{self.name} has peer {name} with {fields}: {self.peer(name)}", timeout)

    def wait_exit(self, timeout=10):
        return self.process.wait(timeout)


def start(*nodes):
    """All at the same time."""
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        wait_until(node.status, lambda n=node: f"{n.name} answers; its log:\n{n.log()}")


def wait_holder(holder, *others, group=None, timeout=10):
    """Until one node is ACTIVE and all others are STANDBY and know it."""
    def settled():
        return (holder.is_active(group)
                and all(other.state(group) == "STANDBY" and
                        other.group(group)["holder"] == holder.name for other in others))
    wait_until(settled, lambda: f"{holder.name} holds {group or 'the group'}, alone:\n"
               + "\n".join(node.describe() for node in (holder, *others)), timeout)


def let_pass(seconds):
    """Time that must pass because nothing is to happen in it."""
    time.sleep(seconds)


def active(node):
    """Starts it, where nobody else is."""
    node.start()
    node.wait_state("ACTIVE")
    return node


def is_alive(pid):
    """Whether a process is there, and not only its exit status."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
