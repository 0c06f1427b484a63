# SPDX-License-Identifier: ISC
"""Who is compared: ha, keepalived and ucarp, each two servers on a LAN of their own with the same interval,
alpha the worthier one, and the faults that can befall alpha."""

import ipaddress
import itertools
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/network"))

import lan as lan_module  # noqa: E402
import node as node_module  # noqa: E402
from lan import wait_until  # noqa: E402
from node import ADDRESS  # noqa: E402

PORT = 7007  # of the measured service
FIRST = f"{ADDRESS}/24"
WORTHS = {"alpha": 200, "beta": 100, "gamma": 80, "delta": 60, "epsilon": 40}


def descendants(pid):
    found = [pid]
    for parent in found:
        found += children(parent)
    return found


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def numbered(first, count):
    """So many addresses from that one on."""
    begin = ipaddress.ip_address(first)
    return [str(begin + i) for i in range(count)]


class Ha(node_module.Node):
    """`ha run` with its defaults."""

    program = node_module.HA

    def __init__(self, folder, host, interval, addresses=(FIRST,), groups=1, **keys):
        worth = WORTHS[host.name]
        lists = {"main": {"address": list(addresses), "worth": worth}}
        if groups == len(addresses) > 1:  # one group for each
            lists = {f"g{n}": {"address": [a], "worth": worth} for n, a in enumerate(addresses)}
        else:
            lists |= {f"g{n}": {"address": [f"10.77.1.{n}"], "worth": worth} for n in range(1, groups)}
        super().__init__(folder, host, groups=lists, interval=f"{round(interval * 1000)}ms",
                         **{"tolerance": None, **keys})

    def arguments(self):
        words = super().arguments()
        return [self.program if word is node_module.HA else word for word in words]

    def configuration(self):
        return node_module.configuration(self.node_keys, self.groups)

    def kill_half(self):
        self.crash_engine()

    def pids(self):
        return descendants(self.process.pid)


class Keepalived:
    """keepalived of Debian, VRRPv3, with its defaults."""

    def __init__(self, folder, host, interval, addresses=(FIRST,), groups=1):
        self.host, self.interval, self.addresses, self.groups = host, interval, addresses, groups
        self.folder = pathlib.Path(folder) / host.name
        self.folder.mkdir()
        self.process = None

    def instance(self, name, number, addresses):
        """One of its groups. Its advertisements carry the first addresses; the others are «excluded»."""
        lines = [f"vrrp_instance {name} {{", "    interface eth0", f"    virtual_router_id {number}",
                 f"    priority {WORTHS[self.host.name]}", f"    advert_int {self.interval:g}",
                 "    virtual_ipaddress {", f"        {addresses[0]}", "    }"]
        if addresses[1:]:
            lines += ["    virtual_ipaddress_excluded {", *(f"        {a}" for a in addresses[1:]), "    }"]
        return "\n".join([*lines, "}\n"])

    def configuration(self):
        return (f"global_defs {{\n    router_id {self.host.name}\n    vrrp_version 3\n}}\n"
                + self.instance("main", 51, self.addresses)
                + "".join(self.instance(f"g{n}", 51 + n, [f"10.77.1.{n}/32"]) for n in range(1, self.groups)))

    def start(self, wait=False):
        assert not wait
        path = self.folder / "keepalived.conf"
        path.write_text(self.configuration(), encoding="ascii")
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.host.command("keepalived", "--dont-fork", "--log-console", "--vrrp", "-f", path,
                                  "-p", self.folder / "pid", "-r", self.folder / "vrrp.pid"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def is_active(self):
        return self.host.has(ADDRESS)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def kill_half(self):
        """The child that speaks VRRP; its parent starts it again."""
        for pid in children(self.process.pid):
            os.kill(pid, signal.SIGKILL)

    def pids(self):
        return descendants(self.process.pid)

    def kill9(self):
        pids = self.pids()
        os.kill(pids[0], signal.SIGSTOP)  # it must not notice
        for pid in reversed(pids):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, timeout=10):
        self.ask_to_stop()
        return self.process.wait(timeout)


class Ucarp:
    """ucarp of Debian: one process, one address, whole seconds; scripts set the address."""

    def __init__(self, folder, host, interval, addresses=(FIRST,), groups=1):
        assert groups == 1 and len(addresses) == 1 and interval == int(interval)
        self.host, self.interval = host, interval
        self.folder = pathlib.Path(folder) / host.name
        self.folder.mkdir()
        self.process = None
        for name, verb in (("up", "add"), ("down", "delete")):
            path = self.folder / name
            path.write_text(f"#!/bin/sh\nexec ip address {verb} {ADDRESS}/24 dev eth0\n", encoding="ascii")
            path.chmod(0o755)

    def command(self):
        return ["ucarp", "--interface=eth0", f"--srcip={self.host.address}", "--vhid=51", "--pass=bench",
                f"--addr={ADDRESS}", f"--upscript={self.folder}/up", f"--downscript={self.folder}/down",
                f"--advbase={int(self.interval)}", f"--advskew={0 if self.host.name == 'alpha' else 1}",
                "--preempt", "--shutdown", "--neutral"]

    def configuration(self):
        return " ".join(self.command()) + "\n"

    def start(self, wait=False):
        assert not wait
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.host.command(*self.command()), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    is_running, is_active, log = Keepalived.is_running, Keepalived.is_active, Keepalived.log
    pids, ask_to_stop, stop = Keepalived.pids, Keepalived.ask_to_stop, Keepalived.stop

    def kill9(self):
        self.process.kill()
        self.process.wait()


CONTESTANTS = {"ha": Ha, "keepalived": Keepalived, "ucarp": Ucarp}


class Cluster:
    """Two servers or more of one contestant, a client and a watcher, on a LAN of their own. More keys
    are ha's, of its configuration."""

    def __init__(self, name, interval, folder, probe, addresses=(FIRST,), groups=1, nodes=2,
                 contestants=CONTESTANTS, **keys):
        self.name, self.interval, self.probe, self.address = name, interval, probe, addresses[0].split("/")[0]
        folder.mkdir()
        folder.chmod(0o755)
        self.lan = lan_module.Lan()
        self.servers, self.echoes = [], []
        for number, host_name in enumerate(itertools.islice(WORTHS, nodes), 1):
            host = self.lan.host(host_name, number)
            self.servers.append(contestants[name](folder, host, interval, addresses, groups, **keys))
            self.echoes.append(subprocess.Popen(host.command(probe, "serve", PORT, host_name)))
        self.client, self.watcher = self.lan.host("client", 250), self.lan.host("watcher", 251)

    @property
    def alpha(self):
        return self.servers[0]

    def configurations(self):
        return {server.host.name: server.configuration() for server in self.servers}

    def start(self):
        for server in self.servers:
            server.start(wait=False)

    def stop(self):
        for server in self.servers:
            if server.is_running():
                server.kill9()

    def settle(self):
        """Until all run, and alpha alone holds the address."""
        alpha, *others = self.servers

        def settled():
            return (alpha.is_active() and not any(other.is_active() for other in others)
                    and self.client.ask(self.address) == "alpha")
        wait_until(settled, lambda: f"{self.name}: alpha holds the address;\n{self.logs()}", 40)

    def serves(self):
        """Until somebody answers the client."""
        wait_until(lambda: self.client.ask(self.address, 0.2),
                   lambda: f"{self.name}: somebody serves;\n{self.logs()}", 40)

    def logs(self):
        return "\n".join(f"--- {s.host.name}\n" + "\n".join(s.log().splitlines()[-15:])
                         for s in self.servers)

    def close(self):
        self.stop()
        for echo in self.echoes:
            echo.kill()
            echo.wait()
        self.lan.close()
