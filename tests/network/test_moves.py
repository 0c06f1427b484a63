# SPDX-License-Identifier: ISC
"""Planned moves lose nothing: a client sends UDP requests, and requests by TCP connections that it opens and
closes for each, to the IPv4 and to the IPv6 address, all the time; the group moves; each request is answered.
Meanwhile another client asks, by ARP and neighbour discovery, who has the addresses: in the middle of moves, too.

`make moves` does HA_MOVES moves of each kind at HA_MOVES_RATE requests a second and prints a table."""

import collections
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading

import pytest

from lan import wait_until
from node import ADDRESS, ADDRESS6, ROOT, let_pass, start, wait_holder

MOVES = int(os.environ.get("HA_MOVES", "2"))  # of each kind
RATE = int(os.environ.get("HA_MOVES_RATE", "1600"))
PORT = "7001"
AFTER = 0.25  # seconds to see what a move does to those who ask
SHARES = {("ask", ADDRESS): 0.35, ("ask", ADDRESS6): 0.35,
          ("connect", ADDRESS): 0.15, ("connect", ADDRESS6): 0.15}  # of the requests
BATCH = 30  # moves that one load sees: it keeps its records in memory

pytestmark = pytest.mark.alone


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-D_GNU_SOURCE", "-o", path,
                    ROOT / "bench/probe.c"], check=True)
    return path


class Load:
    """Whoever asks. Use as a context manager; afterwards `requests` is [(kind, sent, answered, name)], in ns."""

    def __init__(self, client, probe):
        self.client, self.probe = client, probe
        self.requests = []

    def __enter__(self):
        self.processes = {
            (kind, address): subprocess.Popen(
                self.client.command(self.probe, kind, address, PORT, max(1, round(RATE * share))),
                stdout=subprocess.PIPE, text=True)
            for (kind, address), share in SHARES.items()}
        for process in self.processes.values():
            assert process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for (kind, _), process in self.processes.items():
            output, _ = process.communicate(timeout=30)
            for line in output.splitlines():
                sent, answered, name = line.split()
                self.requests.append((kind, int(sent), int(answered), name))


class Result:
    """What one kind of move did to those who ask."""

    def __init__(self):
        self.moves = 0
        self.sent, self.lost, self.reset = (collections.Counter() for _ in range(3))
        self.gap_ms = self.slowest_ms = 0.0

    def add(self, requests):
        answers = sorted(answered for kind, _, answered, _ in requests if answered and kind == "ask")
        self.gap_ms = max(self.gap_ms, *((b - a) / 1e6 for a, b in zip(answers, answers[1:])))
        for kind, sent, answered, name in requests:
            self.sent[kind] += 1
            self.reset[kind] += name == "refused"
            self.lost[kind] += answered == 0 and name != "refused"
            if answered:
                self.slowest_ms = max(self.slowest_ms, (answered - sent) / 1e6)

    def __str__(self):
        return (f"{self.moves} moves, {self.sent['ask']} requests by UDP, {self.lost['ask']} lost; "
                f"{self.sent['connect']} connections, {self.lost['connect']} lost, {self.reset['connect']} reset; "
                f"longest gap {self.gap_ms:.1f} ms, slowest answer {self.slowest_ms:.1f} ms")


class Forgetful:
    """A host that forgets who has the addresses, and asks again, every few milliseconds."""

    def __init__(self, host):
        self.host, self.asked, self.over = host, 0, threading.Event()

    def __enter__(self):
        self.ip = subprocess.Popen(self.host.command("ip", "-force", "-batch", "-"), stdin=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        self.sockets = [(self.host.socket(family, socket.SOCK_DGRAM), address)
                        for family, address in ((socket.AF_INET, ADDRESS), (socket.AF_INET6, ADDRESS6))]
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self):
        while not self.over.wait(0.007):
            for _, address in self.sockets:
                self.ip.stdin.write(f"neigh replace {address} dev eth0 nud failed\n")
            self.ip.stdin.flush()
            for asking, address in self.sockets:
                with contextlib.suppress(OSError):
                    asking.sendto(b"?", (address, 9))
            self.asked += 1

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.ip.stdin.close()
        self.ip.wait()
        for asking, _ in self.sockets:
            asking.close()


@pytest.fixture
def lan_of(cluster, client, probe, folder):
    """Nodes with falling worth, and a service on each host."""
    services = []

    def make(count):
        nodes = cluster.nodes_on(*range(1, count + 1))
        for index, node in enumerate(nodes):
            path = pathlib.Path(folder) / f"{node.name}.worth"
            path.write_text(f"{500 - 100 * index}\n")
            path.chmod(0o644)
            node.worth = path
            node.healthy = pathlib.Path(folder) / f"{node.name}.healthy"
            node.healthy.touch()
            node.change(worth=500 - 100 * index, hold_down="0s", check=[
                f"file {path} worth damping=0s interval=100ms", f"file {node.healthy} damping=0s interval=100ms"])
            services.append(subprocess.Popen(node.host.command(probe, "serve", PORT, node.name)))
        start(*nodes)
        wait_holder(nodes[0], *nodes[1:])
        for node in nodes[1:]:
            wait_until(lambda n=node: "listens" not in n.group()["reason"], "it has listened")
        return nodes

    yield make
    for service in services:
        service.kill()
        service.wait()


def asked(node, *arguments):
    result = node.cli(*arguments)
    assert result.returncode == 0, result


def lower(node, nodes):
    node.worth.write_text("1\n")
    wait_holder(nodes[1], *(n for n in nodes if n is not nodes[1]))


def go(kind, nodes):
    """Away from the worthiest one, and back."""
    first, second = nodes[0], nodes[1]
    others = nodes[1:]
    if kind == "yield, resume":
        asked(first, "yield", "main")
        yield second
        asked(first, "resume")
        wait_holder(first, *others)
    elif kind == "yield --to, resume":
        asked(first, "yield", "main", "--to", second.name)
        yield second
        asked(first, "resume")
        wait_holder(first, *others)
    elif kind == "drain, resume":
        asked(first, "drain")
        yield second
        asked(first, "resume")
        wait_holder(first, *others)
    elif kind == "SIGTERM, join":
        assert first.stop() == 0
        yield second
        first.start()
        wait_holder(first, *others)
    elif kind == "worth lowered, raised":
        lower(first, nodes)
        yield second
        first.worth.write_text("500\n")
        wait_holder(first, *others)
    elif kind == "check fails, passes":
        first.healthy.unlink()
        wait_holder(second, *(n for n in nodes if n is not second))
        yield second
        first.healthy.touch()
        wait_holder(first, *others)
    elif kind == "two within a second":
        asked(first, "yield", "main")
        asked(first, "resume")
        wait_holder(first, *others)
    yield first


KINDS = ["yield, resume", "yield --to, resume", "drain, resume", "SIGTERM, join", "worth lowered, raised",
         "check fails, passes", "two within a second"]


def await_caches(lan, clients, holder):
    """Until the kernels of the clients would send to the holder next, if they know anybody."""
    def are_right():
        return all(lan.cached(client, address) in (holder.name, None)
                   for client in clients for address in (ADDRESS, ADDRESS6))
    wait_until(are_right, f"the clients' caches name {holder.name}")


def move_often(kind, nodes, lan, clients, probe):
    """HA_MOVES moves."""
    client, forgetful = clients
    result = Result()
    while result.moves < MOVES:
        with Load(client, probe) as load:
            let_pass(AFTER)
            until = min(MOVES, result.moves + BATCH)
            while result.moves < until:
                with Forgetful(forgetful) as asking:
                    for holder in go(kind, nodes):
                        result.moves += 2 if kind.startswith("two") else 1
                        let_pass(AFTER)
                        await_caches(lan, [client], holder)
                assert asking.asked > 0
                await_caches(lan, clients, nodes[0])
        result.add(load.requests)
    return result


@pytest.mark.parametrize("count", [2, 5])
def test_planned_moves_lose_nothing(lan_of, lan, client, probe, count):
    nodes = lan_of(count)
    clients = [client, lan.host("forgetful", 251)]
    complaints = []
    for kind in KINDS:
        result = move_often(kind, nodes, lan, clients, probe)
        print(f"\n{count} nodes, {kind}: {result}", end="", flush=True)
        if result.lost.total() + result.reset.total():
            complaints.append(f"{kind}: {result}")
    assert not complaints, complaints
