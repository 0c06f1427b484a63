# SPDX-License-Identifier: ISC
"""More groups than fit one heartbeat: what nodes say of them travels as changes (docs/protocol.md 2.9)."""

import pytest

from lan import wait_until

pytestmark = pytest.mark.alone

GROUPS = 150
HEADERS = 14 + 20 + 8


def groups(worth):
    return {f"g{i}": {"address": f"10.99.0.{i + 1}", "worth": worth} for i in range(GROUPS)}


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
