# SPDX-License-Identifier: ISC
"""A holder that hangs, however: stopped, under a debugger, in a frozen control group. `make hang` hangs for a
minute instead of two seconds."""

import contextlib
import ctypes
import os
import pathlib
import signal

import pytest

from lan import stays, wait_until
from node import start, wait_holder
from test_fence import Asker, need_fence

SECONDS = float(os.environ.get("HA_HANG_SECONDS", "2"))
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000  # waitpid(2): any child, and whoever is traced


def processes(node):
    return [node.process.pid, node.engine_pid(), node.child("ha-starter")]


@contextlib.contextmanager
def stopped(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def trace(request, pid):
    if LIBC.ptrace(request, pid, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


@contextlib.contextmanager
def under_a_debugger(*pids):
    for pid in pids:
        trace(PTRACE_SEIZE, pid)
        trace(PTRACE_INTERRUPT, pid)
        os.waitpid(pid, WALL)
    yield
    for pid in pids:
        trace(PTRACE_DETACH, pid)


def control_group():
    """A new one, and the file and the words that freeze and thaw it; the first that is possible here."""
    for root, file, words in (("/sys/fs/cgroup", "cgroup.freeze", ("1", "0")),
                              ("/sys/fs/cgroup/unified", "cgroup.freeze", ("1", "0")),
                              ("/sys/fs/cgroup/freezer", "freezer.state", ("FROZEN", "THAWED"))):
        group = pathlib.Path(root) / f"ha-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / file).exists():
            return group, group / file, words
        group.rmdir()
    return None


@contextlib.contextmanager
def frozen(*pids):
    found = control_group()
    if not found:
        pytest.skip("no control group can be made here")
    group, file, (freeze, thaw) = found
    try:
        for pid in pids:
            (group / "cgroup.procs").write_text(str(pid))
        file.write_text(freeze)
        yield
    finally:
        file.write_text(thaw)
        for pid in pids:
            (group.parent / "cgroup.procs").write_text(str(pid))
        group.rmdir()


HOW = {
    "stopped-engine": lambda node: stopped(node.engine_pid()),
    "stopped": lambda node: stopped(node.engine_pid(), node.process.pid),
    "debugged-engine": lambda node: under_a_debugger(node.engine_pid()),
    "debugged": lambda node: under_a_debugger(node.engine_pid(), node.process.pid),
    "frozen": lambda node: frozen(*processes(node)),
}
ALWAYS = ["debugged", "frozen"]  # the others are in test_fence.py


@pytest.mark.parametrize("how", HOW if SECONDS > 2 else ALWAYS)
def test_a_hanging_holder_never_answers_under_its_old_claim(cluster, lan, client, how):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    need_fence(alpha)
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        with HOW[how](alpha):
            beta.wait_state("ACTIVE")
            stays(lambda: asker.owners() in (["alpha"], ["alpha", "beta"]), "each in its turn", SECONDS)
            assert asker.count("beta") > 50
        taken = beta.group()["epoch"]
        wait_holder(alpha, beta)
        wait_until(lambda: asker.answers[-1][1] == "alpha", "alpha answers again")
    assert alpha.group()["epoch"] > taken, "by a claim of its own"
    assert asker.owners()[:3] == ["alpha", "beta", "alpha"]
    assert beta.group()["transitions"] == 2


@pytest.mark.skipif(SECONDS <= 2, reason="two seconds are in test_fence.py")
def test_a_hanging_keeper_does_not_end_the_service(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    need_fence(alpha)
    with Asker(lan, client) as asker, stopped(alpha.process.pid):
        stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", SECONDS)
    assert asker.owners() == ["alpha"]
