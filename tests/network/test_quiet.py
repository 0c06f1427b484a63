# SPDX-License-Identifier: ISC
"""What the way from heartbeat to lease does not do: allocate memory, look at the wall clock."""

import pathlib
import shutil
import struct
import time

import pytest

import node as node_module
from lan import stays, wait_until
from node import start, wait_holder

INTERPOSE = node_module.BUILD / "tests/libinterpose.so"
CLOCK_BOOTTIME = 7

WRAPPER = """#!/bin/sh
export LD_PRELOAD={library} INTERPOSE_COUNTS={counts} INTERPOSE_CLOCK={clock:d}
exec {program} "$@"
"""


def interposed(folder, clock, monkeypatch):
    """The programs, with a script in the place of the engine that has the library loaded. Where it counts."""
    if not INTERPOSE.exists():
        pytest.skip("sanitizers have an allocator of their own")
    programs, counts = folder / "programs", folder / "counts"
    programs.mkdir()
    counts.write_bytes(bytes(8))
    counts.chmod(0o666)
    for program in ("ha", "ha-keeper", "ha-checker", "ha-runner"):
        shutil.copy(node_module.BUILD / program, programs)
    (programs / "had").write_text(WRAPPER.format(
        library=INTERPOSE, counts=counts, clock=clock, program=node_module.BUILD / "had"))
    for path in (folder, programs, programs / "had"):
        path.chmod(0o755)
    monkeypatch.setattr(node_module, "HA", programs / "ha")
    return counts


def test_nothing_is_allocated_between_heartbeats(cluster, folder, monkeypatch):
    counts = interposed(folder, False, monkeypatch)

    def allocations():
        return struct.unpack("=Q", counts.read_bytes())[0]

    alpha, beta = cluster.nodes_on(1, 2, interval="10ms", tolerance="100ms")
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert allocations() > 100, "it does count"
    time.sleep(0.5)  # what follows from the last question for the status
    before = allocations()
    time.sleep(3)  # 300 heartbeats of each, and announcements
    assert allocations() == before
    assert alpha.is_active() and alpha.group()["transitions"] == 1
    assert allocations() > before, "an answer to a client does allocate"


def test_a_wall_clock_that_jumps_changes_nothing(cluster, folder, monkeypatch, client):
    counts = interposed(folder, True, monkeypatch)
    monkeypatch.setenv("LD_PRELOAD", str(INTERPOSE))  # for the keeper, too
    monkeypatch.setenv("INTERPOSE_COUNTS", str(counts))
    monkeypatch.setenv("INTERPOSE_CLOCK", "1")
    alpha, beta = cluster.nodes_on(1, 2, interval="10ms", tolerance="100ms")
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert alpha.group()["since"] != alpha.group()["since"], "it does jump"
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", 2)
    assert alpha.group()["transitions"] == 1 and "did not run" not in alpha.log()
    alpha.crash_engine()
    beta.wait_state("ACTIVE")
    wait_holder(alpha, beta)


def test_what_wakes_the_processes_counts_the_time_of_a_suspended_machine(cluster):
    """Their timers, that is. Leases count the same clock (src/sys/clock.c)."""
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    alpha.wait_state("ACTIVE")
    for pid in (alpha.process.pid, alpha.engine_pid()):
        clocks = [line.split()[1] for path in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir()
                  for line in path.read_text().splitlines() if line.startswith("clockid:")]
        assert clocks and set(clocks) == {str(CLOCK_BOOTTIME)}


def resident_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def test_both_processes_together_take_less_than_eight_megabytes(lan, cluster):
    """The plain sum, in which libraries count twice."""
    if not INTERPOSE.exists():
        pytest.skip("a sanitizer needs more")
    alpha, beta = cluster.node(lan.host("alpha", 1), worth=200), cluster.node(lan.host("beta", 2))
    start(alpha, beta)
    wait_holder(alpha, beta)
    for node in (alpha, beta):
        kilobytes = [resident_kb(pid) for pid in (node.process.pid, node.engine_pid())]
        assert sum(kilobytes) < 8000, kilobytes
