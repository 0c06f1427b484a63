# SPDX-License-Identifier: ISC
"""Who is compared: ha and keepalived, each two servers on a LAN of their own with the same interval, alpha
the worthier one, and the faults that can befall alpha."""

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
WORTHS = {"alpha": 200, "beta": 100}


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


class Ha(node_module.Node):
    """`ha run` with its defaults."""

    def __init__(self, folder, host, interval):
        super().__init__(folder, host, address=f"{ADDRESS}/24", worth=WORTHS[host.name],
                         interval=f"{round(interval * 1000)}ms", tolerance=None)

    def configuration(self):
        return node_module.configuration(self.node_keys, self.groups)

    def kill_half(self):
        self.crash_engine()

    def pids(self):
        return [self.process.pid, *children(self.process.pid)]


class Keepalived:
    """keepalived of Debian, VRRPv3, with its defaults."""

    def __init__(self, folder, host, interval):
        self.host, self.interval = host, interval
        self.folder = pathlib.Path(folder) / host.name
        self.folder.mkdir()
        self.process = None

    def configuration(self):
        return (f"global_defs {{\n    router_id {self.host.name}\n    vrrp_version 3\n}}\n"
                "vrrp_instance main {\n    interface eth0\n    virtual_router_id 51\n"
                f"    priority {WORTHS[self.host.name]}\n    advert_int {self.interval:g}\n"
                f"    virtual_ipaddress {{\n        {ADDRESS}/24\n    }}\n}}\n")

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
        return [self.process.pid, *children(self.process.pid)]

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


CONTESTANTS = {"ha": Ha, "keepalived": Keepalived}


class Cluster:
    """Two servers of one contestant, a client and a watcher, on a LAN of their own."""

    def __init__(self, name, interval, folder, probe):
        self.name, self.interval, self.probe = name, interval, probe
        folder.mkdir()
        folder.chmod(0o755)
        self.lan = lan_module.Lan()
        self.servers, self.echoes = [], []
        for number, host_name in enumerate(WORTHS, 1):
            host = self.lan.host(host_name, number)
            self.servers.append(CONTESTANTS[name](folder, host, interval))
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

    def settle(self):
        """Until both run, and alpha alone holds the address."""
        alpha, beta = self.servers

        def settled():
            return (alpha.is_active() and alpha.host.has(ADDRESS) and not beta.host.has(ADDRESS)
                    and self.client.ask(ADDRESS) == "alpha")
        wait_until(settled, lambda: f"{self.name}: alpha holds the address;\n{self.logs()}", 40)

    def serves(self):
        """Until somebody answers the client."""
        wait_until(lambda: self.client.ask(ADDRESS, 0.2),
                   lambda: f"{self.name}: somebody serves;\n{self.logs()}", 40)

    def logs(self):
        return "\n".join(f"--- {s.host.name}\n" + "\n".join(s.log().splitlines()[-15:])
                         for s in self.servers)

    def close(self):
        for server in self.servers:
            if server.is_running():
                server.kill9()
        for echo in self.echoes:
            echo.kill()
            echo.wait()
        self.lan.close()
