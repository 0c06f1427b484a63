# SPDX-License-Identifier: ISC
"""A reload while checks and hooks are at work. An attached program is in test_library.py, all else in
test_upkeep.py."""

import pytest

from lan import wait_until
from node import ADDRESS, start, wait_holder
from test_checks import FAST, wait_check
from test_hooks import hooks  # noqa: F401 (a fixture)
from test_upkeep import EVERY, history, lost, reload

pytestmark = pytest.mark.alone


def worth_file(folder, node, worth):
    path = folder / f"{node.name}.worth"
    path.write_text(f"{worth}\n")
    path.chmod(0o644)
    return path


@pytest.fixture
def pair(cluster, folder, hooks):  # noqa: F811
    """alpha and beta with a worth that is read from a file, and hooks that record their calls; alpha holds."""
    alpha, beta = cluster.nodes_on(1, 2)
    for node, worth in ((alpha, 200), (beta, 100)):
        node.file = worth_file(folder, node, worth)
        node.change(worth=worth, check=f"file {node.file} name=health worth {FAST}", on_change=hooks.recording(node.name))
    start(alpha, beta)
    wait_holder(alpha, beta)
    hooks.wait_calls("alpha", 1)
    return alpha, beta


def same(before, *nodes):
    wait_until(lambda: history(*nodes) == before, lambda: (before, history(*nodes), [n.log() for n in nodes]), 2)


def test_reload_with_checks_and_hooks(pair, hooks, client, folder):  # noqa: F811
    """No hook is told of it, and what a check has found is in force before it has answered again. Then the checks
    and the hooks themselves are others."""
    alpha, beta = pair
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        before = history(alpha, beta)
        told = [len(hooks.calls(name)) for name in ("alpha", "beta")]
        reload(alpha), reload(beta)
        for node in pair:
            wait_check(node, "health", "passing")
        same(before, alpha, beta)
        alpha.file.write_text("10\n")
        wait_holder(beta, alpha)
        before = history(alpha, beta)
        reload(alpha), reload(beta)
        wait_until(lambda: alpha.group()["worth"] == 10, lambda: str(alpha.group()))
        same(before, alpha, beta)
        hooks.wait_calls("alpha", told[0] + 1), hooks.wait_calls("beta", told[1] + 1)
        assert hooks.states("alpha")[told[0]:] == ["STANDBY"] and hooks.states("beta")[told[1]:] == ["ACTIVE"]
        alpha.change(check=None, on_change=[hooks.recording("new"), hooks.recording("newer")])
        reload(alpha)  # without the check it is worth 200
        wait_holder(alpha, beta)
        hooks.wait_calls("new", 1), hooks.wait_calls("newer", 1)
        assert hooks.states("new") == hooks.states("newer") == ["ACTIVE"]
        assert len(hooks.calls("alpha")) == told[0] + 1
        alpha.change(check=f"file {folder}/missing name=other {FAST}")
        reload(alpha)
        wait_holder(beta, alpha)
        assert lost(probe) == 0 and probe.hosts() == ["alpha", "beta", "alpha", "beta"]


def test_reload_while_a_hook_runs(pair, hooks, folder):  # noqa: F811
    """It runs to its end, or is ended; the next change is told by the new daemon all the same."""
    alpha, beta = pair
    slow = hooks.script("slow", f"#!/bin/sh\necho $HA_STATE begins >> {folder}/hooks/slow.log\nsleep 1\n"
                        f"echo $HA_STATE ends >> {folder}/hooks/slow.log\n")
    alpha.change(on_change=slow)
    reload(alpha)
    log = folder / "hooks/slow.log"
    alpha.file.write_text("10\n")
    wait_until(lambda: log.exists() and "STANDBY begins" in log.read_text(), "the hook runs")
    before = history(alpha, beta)
    reload(alpha)
    same(before, alpha, beta)
    alpha.file.write_text("200\n")
    wait_until(lambda: "ACTIVE ends" in log.read_text(), lambda: log.read_text())
    assert log.read_text().split("\n").count("STANDBY begins") == 1
