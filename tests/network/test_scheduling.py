# SPDX-License-Identifier: ISC
"""Real-time priority: both processes have it where it is permitted, hooks never, and status tells."""

import importlib.machinery
import importlib.util
import os
import subprocess

import pytest

from lan import wait_until
from node import ROOT, let_pass, start, wait_holder

HOOK = """#!/usr/bin/python3
import os, sys
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write(f"{os.sched_getscheduler(0)} {os.getpriority(os.PRIO_PROCESS, 0)}\\n")
os.rename(sys.argv[1], sys.argv[1] + ".done")
"""
REALTIME = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK


def may_be_realtime():
    return subprocess.run(["chrt", "--fifo", "10", "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def hook(folder):
    """A command line that notes its own scheduling, and the place where it does."""
    script, note = folder / "hook", folder / "notes"
    script.write_text(HOOK)
    script.chmod(0o755)
    note.mkdir()
    note.chmod(0o777)
    return f"{script} {note}/it", note / "it.done"


@pytest.mark.skipif(not may_be_realtime(), reason="real-time priority is not permitted here")
def test_both_processes_are_realtime_and_hooks_are_not(cluster, hook):
    command, note = hook
    (alpha,) = cluster.nodes_on(1, on_active=command)
    alpha.start()
    for pid in (alpha.process.pid, alpha.engine_pid()):
        assert os.sched_getscheduler(pid) == REALTIME
        assert os.sched_getparam(pid).sched_priority == 10
    wait_until(note.exists, "the hook has run")
    assert note.read_text() == f"{os.SCHED_OTHER} 0\n"
    assert alpha.status()["node"]["scheduling"] == "real-time"
    assert "scheduling real-time" in alpha.cli("status").stdout
    assert "real-time priority" not in alpha.log()


def test_it_can_be_refused(cluster):
    (alpha,) = cluster.nodes_on(1, realtime="no")
    alpha.start()
    for pid in (alpha.process.pid, alpha.engine_pid()):
        assert os.sched_getscheduler(pid) == os.SCHED_OTHER
    assert alpha.status()["node"]["scheduling"] == "ordinary"
    assert "scheduling ordinary" in alpha.cli("status").stdout
    assert "real-time priority" not in alpha.log()


def test_without_the_privilege_it_goes_on_and_says_so_once(cluster):
    (alpha,) = cluster.nodes_on(1)
    alpha.prefix = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"]
    alpha.start()
    for pid in (alpha.process.pid, alpha.engine_pid()):
        assert os.sched_getscheduler(pid) == os.SCHED_OTHER
    assert alpha.log().count("no real-time priority") == 1 and "CAP_SYS_NICE" in alpha.log()
    assert alpha.status()["node"]["scheduling"] == "ordinary"
    alpha.wait_state("ACTIVE")


def test_what_make_calm_takes_out_is_there():
    """It builds an engine without rule R10, by changes to the sources that must fit them."""
    loader = importlib.machinery.SourceFileLoader("calm", str(ROOT / "bench/calm"))
    calm = importlib.util.module_from_spec(importlib.util.spec_from_loader("calm", loader))
    loader.exec_module(calm)
    for name, old, _ in calm.R10:
        assert (ROOT / name).read_text().count(old) == 1, f"bench/calm, R10: {name} does not have {old!r} once"


@pytest.mark.alone
@pytest.mark.skipif(not may_be_realtime(), reason="real-time priority is not permitted here")
def test_busy_processes_move_nothing(cluster):
    """`make calm` in short: every core oversubscribed eight times."""
    nodes = cluster.nodes_on(1, 2, interval="20ms", tolerance="150ms")
    nodes[0].change(worth=200)
    start(*nodes)
    wait_holder(*nodes)
    hogs = [subprocess.Popen(["timeout", "10", "sh", "-c", "while :; do :; done"]) for _ in range(8 * os.cpu_count())]
    try:
        let_pass(3)
    finally:
        for hog in hogs:
            hog.terminate()
            hog.wait()
    assert [node.group()["transitions"] for node in nodes] == [1, 0]
    assert nodes[0].is_active()
