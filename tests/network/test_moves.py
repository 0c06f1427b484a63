# SPDX-License-Identifier: ISC
"""Planned moves lose nothing: a client sends UDP requests and opens new TCP connections, to the IPv4 and to the
IPv6 address, all the time; the group moves; each request is answered. A connection is reset only if its
handshake was under way just when the client's cache changed: then each server has seen a half of it.

`make moves` does HA_MOVES moves of each kind at HA_MOVES_RATE requests a second and prints a table."""

import collections
import os
import pathlib
import signal
import subprocess

import pytest

from lan import wait_until
from node import ADDRESS, ADDRESS6, ROOT, let_pass, start, wait_holder

MOVES = int(os.environ.get("HA_MOVES", "2"))  # of each kind
RATE = int(os.environ.get("HA_MOVES_RATE", "1600"))
PORT = "7001"
AFTER = 0.25  # seconds to see what a move does to those who ask
SHARES = {("ask", ADDRESS): 0.35, ("ask", ADDRESS6): 0.35,
          ("connect", ADDRESS): 0.15, ("connect", ADDRESS6): 0.15}
BATCH = 30  # moves that one load sees: it keeps its records in memory

pytestmark = pytest.mark.alone


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "probe"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-D_GNU_SOURCE", "-o", path,
                    ROOT / "bench/probe.c"], check=True)
    return path


class Load:
    """Whoever asks. Use as a context manager; afterwards `sent`, `lost` and `reset` are counts by kind."""

    def __init__(self, client, probe):
        self.client, self.probe = client, probe
        self.sent, self.lost, self.reset = (collections.Counter() for _ in range(3))

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
                _, answered, name = line.split()
                self.sent[kind] += 1
                self.lost[kind] += answered == "0" and name != "refused"
                self.reset[kind] += name == "refused"


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
            node.change(worth=500 - 100 * index, check=f"file {path} worth damping=0s interval=100ms")
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
    elif kind == "two within a second":
        asked(first, "yield", "main")
        asked(first, "resume")
        wait_holder(first, *others)
    yield first


KINDS = ["yield, resume", "drain, resume", "SIGTERM, join", "worth lowered, raised", "two within a second"]


def cached(lan, client, holder):
    """Whom the client's kernel would send to next."""
    return all(lan.cached(client, address) in (holder.name, None) for address in (ADDRESS, ADDRESS6))


def move_often(kind, nodes, lan, client, probe):
    """HA_MOVES moves; (moves, sent, lost, reset)."""
    moves = 0
    sent, lost, reset = (collections.Counter() for _ in range(3))
    while moves < MOVES:
        with Load(client, probe) as load:
            let_pass(AFTER)
            until = min(MOVES, moves + BATCH)
            while moves < until:
                for holder in go(kind, nodes):
                    moves += 2 if kind.startswith("two") else 1
                    let_pass(AFTER)
                    wait_until(lambda h=holder: cached(lan, client, h), "the client's cache names the holder")
        sent += load.sent
        lost += load.lost
        reset += load.reset
    return moves, sent, lost, reset


@pytest.mark.parametrize("count", [2, 5])
def test_planned_moves_lose_nothing(lan_of, lan, client, probe, count):
    nodes = lan_of(count)
    complaints = []
    for kind in KINDS:
        moves, sent, lost, reset = move_often(kind, nodes, lan, client, probe)
        print(f"\n{count} nodes, {kind}: {moves} moves, {sent['ask']} requests by UDP, {lost['ask']} lost; "
              f"{sent['connect']} connections, {lost['connect']} lost, {reset['connect']} reset", end="")
        if lost.total() or reset.total() > max(1, moves / 10):
            complaints.append(f"{kind}: lost {dict(lost)}, reset {dict(reset)} of {dict(sent)} in {moves} moves")
    assert not complaints, complaints
