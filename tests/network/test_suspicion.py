# SPDX-License-Identifier: ISC
"""Rule R11: a holder whose heartbeats are filtered on the way, while ARP and neighbour discovery pass."""

import os
import signal

import pytest

from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, start, wait_holder
from test_fence import Asker, freeze, need_fence


@pytest.fixture
def pair(pair):
    need_fence(pair[0])
    return pair


def filter_heartbeats(lan, source, destination, one_way=False):
    """By multicast and by unicast."""
    lan.cut(source.host, destination.host, "udp dport 5555")
    if not one_way:
        lan.cut(destination.host, source.host, "udp dport 5555")


def warns_of(node, text):
    return any(text in warning for warning in node.status()["warnings"])


@pytest.mark.parametrize("one_way", [True, False], ids=["one-way", "both-ways"])
def test_a_holder_that_is_not_heard_but_answers_keeps_its_groups(pair, lan, client, one_way):
    alpha, beta = pair
    with Asker(lan, client) as asker:
        filter_heartbeats(lan, alpha, beta, one_way)
        wait_until(lambda: warns_of(beta, "alpha answers for it"), "beta raises the alarm")
        assert "is not heard but answers" in beta.log()
        stays(lambda: beta.state() == "STANDBY" and alpha.is_active(), "nothing moves", 1.5)
        status = beta.status()
        assert status["metrics"]["counters"]["claims_withheld"] == 1
        assert status["groups"][0]["holder"] == "alpha"
        # Now it hangs as well: its fence has closed when beta asks the next time.
        frozen = freeze(alpha, "both")
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        assert asker.owners() == ["alpha", "beta"]
    assert client.ask(ADDRESS6) == "beta"
    lan.heal()
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    wait_holder(alpha, beta)
    assert not warns_of(beta, "alpha answers for it")


def test_a_holder_that_dies_unheard_is_replaced(pair, lan):
    alpha, beta = pair
    filter_heartbeats(lan, alpha, beta)
    wait_until(lambda: warns_of(beta, "alpha answers for it"), "beta raises the alarm")
    alpha.kill9()
    beta.wait_state("ACTIVE")
    assert beta.host.has(ADDRESS)
    assert "silent" in beta.group()["reason"]


def test_filtered_multicast_is_gone_round(pair, lan):
    """Beta calls alpha by unicast before its patience ends, and alpha answers by unicast."""
    alpha, beta = pair
    lan.cut_multicast(alpha.host, beta.host)
    lan.cut_multicast(beta.host, alpha.host)
    wait_until(lambda: warns_of(beta, "by unicast only"), "beta has noticed")
    wait_until(lambda: warns_of(alpha, "by unicast only"), "alpha has noticed")
    stays(lambda: beta.state() == "STANDBY" and alpha.is_active(), "nothing moves", 1)
    assert beta.status()["metrics"]["counters"]["claims_withheld"] == 0
    assert alpha.group()["transitions"] == 1 and beta.group()["transitions"] == 0


def test_the_same_by_neighbour_discovery(cluster, lan):
    alpha, beta = cluster.nodes_on(1, 2, groups={"main": {"address": f"{ADDRESS6}/64"}})
    alpha.groups["main"]["worth"] = 200
    start(alpha, beta)
    wait_holder(alpha, beta)
    need_fence(alpha)
    filter_heartbeats(lan, alpha, beta)
    wait_until(lambda: warns_of(beta, "alpha answers for it"), "beta raises the alarm")
    stays(lambda: beta.state() == "STANDBY" and alpha.is_active(), "nothing moves", 1)
    alpha.kill9()
    beta.wait_state("ACTIVE")


def test_many_groups_keep_their_holder(cluster, lan):
    """Each is asked for; what alpha answers for some counts for those for which there was no room."""
    groups = {f"g{n}": {"address": f"10.77.1.{n}/32 dev eth0", "worth": 100} for n in range(1, 251)}
    alpha, beta = cluster.nodes_on(1, 2, groups=groups)
    alpha.groups = {name: {**keys, "worth": 200} for name, keys in groups.items()}
    start(alpha, beta)
    wait_until(lambda: all(g["state"] == "ACTIVE" for g in alpha.status()["groups"]), "alpha holds all", 20)
    wait_until(lambda: all(g["holder"] == "alpha" for g in beta.status()["groups"]), "beta knows", 20)
    need_fence(alpha)
    filter_heartbeats(lan, alpha, beta, one_way=True)
    wait_until(lambda: warns_of(beta, "alpha answers for it"), "beta raises the alarm")
    stays(lambda: not any(g["state"] == "ACTIVE" for g in beta.status()["groups"]), "nothing moves", 1.5)
    alpha.kill9()
    wait_until(lambda: all(g["state"] == "ACTIVE" for g in beta.status()["groups"]), "beta holds all", 20)
