# SPDX-License-Identifier: ISC
"""More groups than fit one heartbeat: what nodes say of them travels as changes (docs/protocol.md 2.9)."""

import pathlib
import re

import pytest

from lan import wait_until

pytestmark = pytest.mark.alone

GROUPS = 150
HEADERS = 14 + 20 + 8


def groups(worth, count=GROUPS):
    return {f"g{i}": {"address": f"10.99.{i // 250}.{i % 250 + 1}", "worth": worth}
            for i in range(count)}


def held(node):
    status = node.status()
    return sum(g["state"] == "ACTIVE" for g in status["groups"]) if status else 0


def knows(node, holder):
    status = node.status()
    return status and all(g["holder"] == holder for g in status["groups"])


def test_many_groups_move_together(lan, cluster):
    alpha = cluster.node(lan.host("alpha", 1), groups=groups(200)).start()
    beta = cluster.node(lan.host("beta", 2), groups=groups(100)).start()
    wait_until(lambda: held(alpha) == GROUPS, alpha.describe)
    wait_until(lambda: knows(beta, "alpha"), "beta knows the holder of each group")
    lan.isolate(alpha.host)
    wait_until(lambda: held(beta) == GROUPS, beta.describe)
    lan.reconnect(alpha.host)
    wait_until(lambda: held(alpha) == GROUPS and held(beta) == 0, alpha.describe)
    wait_until(lambda: knows(beta, "alpha"), "beta knows the holder of each group")


def transitions(node):
    return {g["name"]: g["transitions"] for g in node.status()["groups"]}


def test_thousands_move_in_one_pass(lan, cluster):
    """None is taken twice, no lease is lost on the way, and no engine is given up."""
    count = 2000
    settings = {"interval": "100ms", "tolerance": "1s"}  # the machine may be busy
    alpha = cluster.node(lan.host("alpha", 1), groups=groups(200, count), **settings).start()
    beta = cluster.node(lan.host("beta", 2), groups=groups(100, count), **settings).start()
    wait_until(lambda: held(alpha) == count and knows(beta, "alpha"), "alpha holds all", 60)
    engines = alpha.engine_pid(), beta.engine_pid()

    def pass_over(command, taker, giver):
        before = transitions(taker), transitions(giver)
        assert alpha.cli(command).returncode == 0
        wait_until(lambda: held(taker) == count and held(giver) == 0, f"{taker.name} holds all", 60)
        for node, earlier in zip((taker, giver), before):
            moved = {name: n - earlier[name] for name, n in transitions(node).items()}
            assert set(moved.values()) == {1}, f"{node.name}: {moved}"

    pass_over("drain", beta, alpha)
    pass_over("resume", alpha, beta)
    assert engines == (alpha.engine_pid(), beta.engine_pid())
    for node in (alpha, beta):
        assert "the lease has passed" not in node.log()
    alpha.crash_engine()
    wait_until(lambda: held(beta) == count, "beta holds all", 60)
    wait_until(lambda: held(alpha) == count and held(beta) == 0, "alpha holds all again", 60)


def test_a_restarted_node_is_told_the_whole_table(lan, cluster):
    alpha = cluster.node(lan.host("alpha", 1), groups=groups(200)).start()
    beta = cluster.node(lan.host("beta", 2), groups=groups(100)).start()
    wait_until(lambda: held(alpha) == GROUPS, alpha.describe)
    beta.kill9()
    beta.start()
    wait_until(lambda: knows(beta, "alpha"), "beta knows the holder of each group")
    assert held(beta) == 0 and held(alpha) == GROUPS


def test_heartbeats_stay_small(lan, cluster):
    alpha = cluster.node(lan.host("alpha", 1), groups=groups(200)).start()
    beta = cluster.node(lan.host("beta", 2), groups=groups(100)).start()
    wait_until(lambda: held(alpha) == GROUPS, alpha.describe)
    wait_until(lambda: knows(beta, "alpha"), "beta knows the holder of each group")

    def sent():
        tx = beta.host.ip_json("-statistics", "link", "show", "dev", "eth0")[0]["stats64"]["tx"]
        return tx["bytes"], tx["packets"]

    def average():
        octets, packets = sent()
        wait_until(lambda: sent()[1] >= packets + 20, "twenty packets")
        octets_after, packets_after = sent()
        return (octets_after - octets) / (packets_after - packets) - HEADERS

    wait_until(lambda: average() < 200, "below 200 bytes each, when all is told")


def wakings(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1])


def test_an_engine_sleeps_while_its_addresses_come(lan, cluster):
    """The kernel tells of each by itself. Whoever wakes up for it takes time from the thread that brings them up."""
    count = 600
    alpha = cluster.node(lan.host("alpha", 1), address=[f"fd77::2:{n:x}/128" for n in range(count)]).start()
    wait_until(alpha.is_active, alpha.describe, 30)
    woken = wakings(alpha.engine_pid())
    assert woken < count / 2
