# SPDX-License-Identifier: ISC
"""Upkeep under load: the daemon is restarted, upgraded and reloaded while a client sends UDP requests and opens new
TCP connections, to the IPv4 and to the IPv6 address, all the time. Not one is lost or reset, and nothing moves.

`make upkeep` does HA_UPKEEP rounds of each kind at HA_MOVES_RATE requests a second and prints a table."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from lan import wait_until
from node import BUILD, let_pass, start, wait_holder
from test_moves import AFTER, PORT, Load, Result, probe  # noqa: F401 (probe: a fixture)
from test_upkeep import NORMAL, history, reload, restart

ROUNDS = int(os.environ.get("HA_UPKEEP", "1"))  # of each kind
FAST = {"interval": "10ms", "tolerance": "60ms"}
TIMES = {"100ms": NORMAL, "10ms": FAST} if ROUNDS > 1 else {"100ms": NORMAL}  # at 10 ms: test_upkeep.py, without load
PROGRAMS = ["ha", "ha-keeper", "had", "ha-checker", "ha-runner"]

pytestmark = pytest.mark.alone


def install(folder):
    """As a package does: each program is a new file, renamed to the place of the old one."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for name in PROGRAMS:
        shutil.copy(BUILD / name, folder / f"{name}.new")
        (folder / f"{name}.new").rename(folder / name)


@pytest.fixture
def serving(cluster, client, probe, folder):  # noqa: F811
    services = []

    def begin(times):
        nodes = cluster.nodes_on(1, 2, **times)
        for node, worth in zip(nodes, (200, 100)):
            node.change(worth=worth)
            node.programs = folder / f"{node.name}.programs"
            install(node.programs)
            node.ha = node.programs / "ha"
            services.append(subprocess.Popen(node.host.command(probe, "serve", PORT, node.name)))
        start(*nodes)
        wait_holder(*nodes)
        nodes[1].wait_peer("alpha", hears_me=True)
        return nodes

    yield begin
    for service in services:
        service.kill()
        service.wait()


def engine_program(node):
    """The file that the engine runs; "... (deleted)" of one from before."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[0] == b"had" and str(node.runtime_dir).encode() in words:
                return os.readlink(process / "exe")
    return None


def upgrade(node):
    """The files go from under a running daemon; it can be reloaded then, and is restarted."""
    install(node.programs)
    reload(node)
    assert engine_program(node) == str(node.programs / "had")
    install(node.programs)
    restart(node)
    assert engine_program(node) == str(node.programs / "had")


def other_list(node):
    """One address more or less."""
    addresses = node.groups["main"]["address"]
    more = "10.77.0.103"
    node.change(address=[a for a in addresses if a != more] if more in addresses else [*addresses, more])
    reload(node)


def signalled(node):
    """By SIGHUP, without any change."""
    lock = node.runtime_dir / "ha.lock"
    before = lock.read_text()
    node.signal(signal.SIGHUP)
    wait_until(lambda: lock.read_text().strip() and lock.read_text() != before and node.status(), "reloaded")


KINDS = {"restart": restart, "upgrade": upgrade, "reload": signalled, "reload of another list": other_list}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_upkeep_loses_nothing(serving, client, probe, times):  # noqa: F811
    alpha, beta = serving(times)
    before = history(alpha, beta)
    complaints = []
    for kind, do in KINDS.items():
        result = Result()
        for _ in range(ROUNDS):
            with Load(client, probe) as load:
                let_pass(AFTER)
                for node in (alpha, beta):
                    do(node)
                    result.moves += 1
                    let_pass(AFTER)
            result.add(load.requests)
        print(f"\n{times['interval']}, {kind}: {result}".replace(" moves,", " times,"), end="")
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        if result.lost.total() or result.reset.total():
            complaints.append(f"{kind}: {result}")
    assert not complaints, complaints
