# SPDX-License-Identifier: ISC
"""Several heartbeat interfaces, on three nodes: a peer lives while any of them brings its heartbeats; losing
one moves only the groups whose addresses are on it, and is said."""

import pytest

from lan import stays, wait_until
from node import start, wait_holder

FRONT, BACK = "10.77.0.100", "10.78.0.100"


@pytest.fixture
def trio(cluster, lan, second_lan):
    """Three nodes on two LANs, with a group on each; alpha holds both. Not started yet."""
    nodes = cluster.nodes_on(1, 2, 3, interface=["eth0", "eth1"])
    for number, node in enumerate(nodes, 1):
        node.groups = {"front": {"address": f"{FRONT}/24 dev eth0", "worth": 200 - number},
                       "back": {"address": f"{BACK}/24 dev eth1", "worth": 200 - number}}
        second_lan.attach(node.host, "eth1", number)
    return nodes


def begin(nodes):
    start(*nodes)
    for group in nodes[0].groups:
        wait_holder(*nodes, group=group)
    wait_until(lambda: all(heard(node, peer.name, path) for node in nodes for peer in nodes if peer is not node
                           for path in ("eth0", "eth1")), "each hears each by both")


def heard(node, peer, path):
    """Whether a peer's heartbeats come by an interface, as status tells."""
    ages = {p["interface"]: p["last_heard_ms"] for p in node.peer(peer).get("paths", [])}
    return ages.get(path) is not None and ages[path] < 350


def transitions(nodes):
    return [group["transitions"] for node in nodes for group in node.status()["groups"]]


def warnings(node):
    return " ".join(node.status()["warnings"])


def test_one_path_fails_for_all(trio, lan):
    """Nothing moves, everybody says so, and again when it works."""
    alpha, beta, gamma = trio
    begin(trio)
    paths = [{"interface": f"eth{i}", "address": f"10.7{7 + i}.0.1", "up": True, "state": "is up"} for i in range(2)]
    assert alpha.status()["node"]["paths"] == paths
    shown = alpha.cli("status").stdout
    assert "\nheartbeats\n" in shown and "10.78.0.1" in shown and "(eth0 " in shown
    before = transitions(trio)
    lan.part(*([node.host] for node in trio))
    for node in trio:
        for peer in trio:
            if peer is not node:
                wait_until(lambda n=node, p=peer: f"{p.name} is not heard by eth0" in warnings(n),
                           lambda n=node: f"a warning: {warnings(n)}")
                node.wait_log(f"{peer.name} is no longer heard by eth0")
    stays(lambda: all(node.peer(peer.name)["live"] for node in trio for peer in trio if peer is not node),
          "they live by the other path", 1)
    assert transitions(trio) == before
    lan.heal()
    wait_until(lambda: not warnings(gamma).count("eth0"), "the warnings go")
    beta.wait_log("alpha is heard again by eth0")
    assert transitions(trio) == before
    assert [node.dropped("replayed") for node in trio] == [0, 0, 0]


def test_the_path_of_a_group_is_lost(trio, second_lan):
    """That group moves, since nobody could reach it; the other one stays."""
    alpha, beta, gamma = trio
    begin(trio)
    second_lan.cable_out(alpha.host)
    wait_holder(beta, alpha, gamma, group="back")
    assert not alpha.group("back")["eligible"] and alpha.group("front")["eligible"]
    assert "eth1 has no carrier" in alpha.group("back")["reason"]
    assert "heartbeat interface eth1 has no carrier" in warnings(alpha)
    wait_holder(alpha, beta, gamma, group="front")
    assert [node.group("front")["transitions"] for node in trio] == [1, 0, 0]
    second_lan.cable_in(alpha.host)
    wait_holder(alpha, beta, gamma, group="back")


def test_a_path_without_a_group_is_lost(trio, lan, second_lan, client):
    """That only warns; and a dead host is noticed as before."""
    alpha, beta, gamma = trio
    for node in trio:
        del node.groups["back"]
    begin(trio)
    before = transitions(trio)
    second_lan.cable_out(alpha.host)
    wait_until(lambda: "eth1 has no carrier" in warnings(alpha), "it is said")
    beta.wait_log("alpha is no longer heard by eth1")
    stays(lambda: alpha.is_active("front") and alpha.group("front")["eligible"], "nothing moves", 1)
    assert transitions(trio) == before
    lan.isolate(alpha.host)
    wait_holder(beta, gamma, group="front")
    wait_until(lambda: client.ask(FRONT) == "beta", "beta serves")


def test_unicast_on_two_paths(trio, lan):
    """Each copy leaves from the address of its own LAN, else the others' kernels would drop it."""
    begin_with = [f"10.7{lan_number}.0.{number}" for lan_number in (7, 8) for number in (1, 2, 3)]
    for number, node in enumerate(trio, 1):
        node.change(multicast="none", peer=[peer for peer in begin_with if not peer.endswith(f".{number}")])
        for device in ("all", "eth0", "eth1"):
            node.host.sysctl(f"ipv4/conf/{device}/rp_filter", 1)
    begin(trio)
    before = transitions(trio)
    lan.part(*([node.host] for node in trio))
    trio[1].wait_log("alpha is no longer heard by eth0")
    stays(lambda: all(node.peer("alpha")["live"] for node in trio[1:]), "it lives by the other path", 1)
    assert transitions(trio) == before
