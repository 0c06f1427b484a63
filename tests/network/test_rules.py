# SPDX-License-Identifier: ISC
"""The rules of election, R1 to R10, between real daemons on a LAN with faults."""

import dataclasses
import itertools
import os
import signal
import time

import pytest

from frames import ADVERTISEMENT, REPLY, Capture
from heartbeat import ACTIVE, Ear, Entry, Heard, Heartbeat
from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, let_pass, start, wait_holder


def check_client(lan, client, node, address=ADDRESS):
    wait_until(lambda: client.ask(address) == node.name, f"{node.name} answers the client")
    assert lan.cached(client, address) == node.name


def transitions(*nodes):
    """Changes of state so far: nodes that start together may have to settle first."""
    return [node.group()["transitions"] for node in nodes]


# --- who is the worthiest

def test_ties_go_to_the_numerically_lowest_address(cluster, lan, client):
    ten, nine = cluster.nodes_on(10, 9)  # as text, 10.77.0.10 is before 10.77.0.9
    start(ten, nine)
    wait_holder(nine, ten)
    check_client(lan, client, nine)
    assert "lower address" in ten.group()["reason"]


def test_groups_spread_over_nodes(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, 3)
    names = ["one", "two", "three"]
    for i, node in enumerate(nodes):
        node.groups = {name: {"address": [f"10.77.0.{101 + g}/24", f"fd77::{101 + g}/64"],
                              "worth": [300, 200, 100][(i - g) % 3]}
                       for g, name in enumerate(names)}
    start(*nodes)
    for g, (holder, name) in enumerate(zip(nodes, names)):
        wait_holder(holder, *(n for n in nodes if n is not holder), group=name)
        check_client(lan, client, holder, f"10.77.0.{101 + g}")
        check_client(lan, client, holder, f"fd77::{101 + g}")
    moves = nodes[1].group("two")["transitions"], nodes[2].group("three")["transitions"]
    nodes[0].kill_engine()  # its group goes to the next; the others stay where they are
    wait_holder(nodes[1], nodes[2], group="one")
    check_client(lan, client, nodes[1], "10.77.0.101")
    check_client(lan, client, nodes[2], "10.77.0.103")
    assert moves == (nodes[1].group("two")["transitions"], nodes[2].group("three")["transitions"])


def test_worth_zero_never_holds(cluster):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=0)
    start(alpha, beta)
    wait_holder(beta, alpha)
    assert beta.stop() == 0
    wait_until(lambda: not alpha.peer("beta")["live"], "alpha notices")
    stays(lambda: alpha.state() == "STANDBY" and not alpha.host.has(ADDRESS), "alpha stands by", 1)
    assert not alpha.group()["eligible"] and "worth" in alpha.group()["reason"]


def test_group_that_only_one_node_has(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    both, own = {"address": "10.77.0.101/24"}, {"address": "10.77.0.102/24"}
    alpha.groups, beta.groups = {"both": both}, {"own": own, "both": both}
    start(alpha, beta)
    wait_holder(alpha, beta, group="both")
    beta.wait_state("ACTIVE", "own")
    check_client(lan, client, alpha, "10.77.0.101")
    check_client(lan, client, beta, "10.77.0.102")


def test_as_many_groups_as_fit(cluster, lan, client):
    """60 groups make heartbeats that need more than one Ethernet frame."""
    alpha, beta = cluster.nodes_on(1, 2)
    names = [f"group-with-a-long-name-{n}" for n in range(60)]
    for node, parity in [(alpha, 0), (beta, 1)]:
        node.groups = {name: {"address": f"10.77.0.{101 + n}/24",
                              "worth": 200 if n % 2 == parity else 100}
                       for n, name in enumerate(names)}
    start(alpha, beta)

    def spread():
        return all(node.status() and
                   [g["state"] for g in node.status()["groups"]] == expected * 30
                   for node, expected in [(alpha, ["ACTIVE", "STANDBY"]),
                                          (beta, ["STANDBY", "ACTIVE"])])

    wait_until(spread, lambda: alpha.describe() + beta.describe())
    alpha.kill_engine()
    wait_until(lambda: all(g["state"] == "ACTIVE" for g in beta.status()["groups"]), beta.describe)
    check_client(lan, client, beta, "10.77.0.101")
    check_client(lan, client, beta, "10.77.0.159")


# --- intervals and tolerances

def test_every_peer_counts_with_its_own_tolerance(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(interval="50ms", tolerance="175ms")
    beta.change(interval="400ms", tolerance="1400ms", worth=200)
    start(alpha, beta)
    wait_holder(beta, alpha)
    moves = transitions(alpha, beta)
    stays(beta.is_active, "beta holds it", 2.5)
    assert transitions(alpha, beta) == moves, "400 ms between heartbeats are no failure"
    assert alpha.peer("beta")["interval_ms"] == 400 and alpha.peer("beta")["tolerance_ms"] == 1400
    assert beta.peer("alpha")["interval_ms"] == 50
    with client.probe(ADDRESS) as probe:
        probe.wait_for("beta")
        lan.isolate(beta.host)
        beta.kill9()
        probe.wait_for("alpha")
    # The last heartbeat was at most 400 ms old: alpha must have waited at least a second.
    assert probe.longest_outage() > 0.9


@pytest.mark.parametrize("interval, tolerance", [("5ms", "200ms"), ("1s", "3s")])
def test_fast_and_slow_clusters(cluster, lan, client, interval, tolerance):
    alpha, beta = cluster.nodes_on(1, 2, interval=interval, tolerance=tolerance)
    start(alpha, beta)
    wait_holder(alpha, beta)
    alpha.kill_engine()
    wait_until(beta.is_active, "beta takes it")
    check_client(lan, client, beta)


def test_slowest_interval(cluster):
    (alpha,) = cluster.nodes_on(1, interval="60s", tolerance=None, max_tolerance="210s")
    alpha.start()
    assert alpha.status()["node"]["interval_ms"] == 60000
    assert alpha.status()["node"]["tolerance_ms"] == 210000
    assert alpha.state() == "STANDBY" and "listens" in alpha.group()["reason"]


def test_listens_for_one_tolerance_before_it_claims(cluster, client):
    (alpha,) = cluster.nodes_on(1, interval="500ms", tolerance="1500ms")
    with client.probe(ADDRESS) as probe:
        begin = time.monotonic()
        alpha.start()
        probe.wait_for("alpha")
    assert min(a.answered for a in probe.answers) - begin >= 1.5


def test_configured_huge_tolerance_is_bounded(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2, max_tolerance="2s")
    beta.change(worth=200, interval="100ms", tolerance="60s", max_tolerance="60s")
    start(alpha)
    alpha.wait_state("ACTIVE")
    beta.start()  # as alpha is live, its own 60 s are what beta listens: it must stand by that long
    alpha.wait_peer("beta")
    assert alpha.peer("beta")["tolerance_ms"] == 2000
    stays(alpha.is_active, "alpha holds it", 1)
    lan.isolate(beta.host)
    beta.kill9()
    wait_until(lambda: not alpha.peer("beta")["live"], "alpha gives beta up", timeout=6)
    check_client(lan, client, alpha)


def test_forged_huge_tolerance_does_not_silence_the_cluster(cluster, lan, client):
    """Without a key: mallory hears the nonces, so it can even prove itself fresh."""
    nodes = cluster.nodes_on(1, 2, max_tolerance="1s")
    mallory = lan.host("mallory", 66)
    start(*nodes)
    wait_holder(*nodes)
    with Ear(mallory) as ear:
        wait_until(lambda: ear.latest("alpha") and ear.latest("beta"), "mallory hears both")
        claim = Heartbeat(tolerance_us=3_600_000_000, sequence=1,
                          groups=[Entry(worth=65535, state=ACTIVE, epoch=1 << 40)],
                          heard=[Heard(h.id, h.nonce, h.sequence)
                                 for h in (ear.latest("alpha"), ear.latest("beta"))])
        ear.say(claim.encode())
    wait_until(lambda: nodes[0].peer("mallory").get("live"), "it is believed, as nothing forbids it")
    assert nodes[0].peer("mallory")["tolerance_ms"] == 1000
    wait_holder(*nodes, timeout=8)
    check_client(lan, client, nodes[0])


def test_unproven_claim_changes_nothing(cluster, lan):
    """Without a key, but without having heard anybody's nonce: a recording."""
    nodes = cluster.nodes_on(1, 2)
    mallory = lan.host("mallory", 66)
    start(*nodes)
    wait_holder(*nodes)
    moves = transitions(*nodes)
    with Ear(mallory) as ear:
        for sequence in range(1, 30):
            ear.say(Heartbeat(sequence=sequence, tolerance_us=3_600_000_000,
                              groups=[Entry(worth=65535, state=ACTIVE)]).encode())
            let_pass(0.03)
            assert nodes[0].is_active()
    assert nodes[0].peer("mallory")["proven"] is False
    assert nodes[0].peer("mallory")["live"] is False
    assert transitions(*nodes) == moves


# --- collisions

@pytest.mark.parametrize("client_side", ["winner", "loser"])
def test_partition_heals_with_one_holder(cluster, lan, client, client_side):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    moves = transitions(alpha)
    side = {"winner": [[alpha.host, client], [beta.host]],
            "loser": [[alpha.host], [beta.host, client]]}[client_side]
    lan.part(*side)
    wait_until(lambda: alpha.is_active() and beta.is_active(), "one holder on each side")
    check_client(lan, client, alpha if client_side == "winner" else beta)
    lan.heal()
    wait_holder(alpha, beta)
    check_client(lan, client, alpha)
    check_client(lan, client, alpha, ADDRESS6)
    assert lan.answering(client, ADDRESS) == {"alpha"}
    assert not beta.host.has(ADDRESS)
    assert "worthier" in beta.log()
    assert transitions(alpha) == moves, "the winner never let go"


def test_winner_announces_again(cluster, lan, client):
    """A client that was re-pointed to the loser by its last announcements comes back."""
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    lan.part([alpha.host], [beta.host])  # the client hears both
    wait_until(lambda: alpha.is_active() and beta.is_active(), "both hold it")
    for address in (ADDRESS, ADDRESS6):  # whoever announced last has the client
        wait_until(lambda a=address: client.ask(a), "somebody answers the client")
    with Capture(client) as capture:
        lan.heal()
        wait_holder(alpha, beta)
        wait_until(lambda: capture.arp(operation=REPLY, sender=ADDRESS, target=ADDRESS)
                   and capture.nd(kind=ADVERTISEMENT, target=ADDRESS6, solicited=False),
                   "announcements after the collision")
        wait_until(lambda: lan.cached(client, ADDRESS) == lan.cached(client, ADDRESS6) == "alpha",
                   "the client's caches end on the winner")
        assert {f.sender_mac for f in capture.arp(sender=ADDRESS)[-2:]} == {alpha.host.mac}
        advertised = capture.nd(kind=ADVERTISEMENT, target=ADDRESS6, solicited=False)
        assert advertised[-1].link_address == alpha.host.mac
    check_client(lan, client, alpha)


def test_partition_of_five(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, 3, 4, 5)
    for node, worth in zip(nodes, [50, 40, 30, 20, 10]):
        node.change(worth=worth)
    start(*nodes)
    wait_holder(*nodes)
    moves = transitions(*nodes)
    lan.part([n.host for n in nodes[:2]], [*[n.host for n in nodes[2:]], client])
    wait_holder(nodes[2], *nodes[3:])
    wait_holder(nodes[0], nodes[1])
    check_client(lan, client, nodes[2])
    lan.heal()
    wait_holder(*nodes)
    check_client(lan, client, nodes[0])
    assert lan.answering(client, ADDRESS6) == {"alpha"}
    moves[2] += 2
    assert transitions(*nodes) == moves


# --- unicast and one-way links

def test_unicast_peers_without_multicast(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, 3, multicast="none")
    for node, others in zip(nodes, itertools.cycle([(2, 3), (1, 3), (1, 2)])):
        node.change(peer=[lan.address(n) for n in others])
    with Ear(client) as ear:
        start(*nodes)
        wait_holder(*nodes)
        assert nodes[0].stop() == 0
        wait_holder(*nodes[1:])
        check_client(lan, client, nodes[1])
        nodes[1].kill_engine()
        nodes[2].wait_state("ACTIVE")
        assert "gave it up" in nodes[2].group()["reason"], "the will goes by unicast too"
        check_client(lan, client, nodes[2])
        assert not ear.heard, "nothing is multicast"


def test_unicast_peers_over_ipv6(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, multicast="none")
    nodes[0].change(peer=[lan.address6(2)])
    nodes[1].change(peer=[lan.address6(1)])
    start(*nodes)
    wait_holder(*nodes)
    assert nodes[0].status()["node"]["address"] == lan.address6(1)
    nodes[0].kill_engine()
    wait_until(nodes[1].is_active, "beta takes it")
    check_client(lan, client, nodes[1], ADDRESS6)


def test_ipv6_multicast(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, multicast="ff02::4841")
    start(*nodes)
    wait_holder(*nodes)
    nodes[0].kill_engine()
    wait_until(nodes[1].is_active, "beta takes it")
    check_client(lan, client, nodes[1])


@pytest.mark.parametrize("own", [["fd77::1", "fd77::2"], []])
def test_ipv6_only(cluster, lan, client, own):
    """Hosts without IPv4, and without any global address at all: link-local ones do for heartbeats."""
    nodes = cluster.nodes_on(1, 2, multicast="ff02::4841", address=[f"{ADDRESS6}/64"])
    for number, node in enumerate(nodes):
        node.host.ip("address flush dev eth0 scope global",
                     *[f"address add {a}/64 dev eth0 nodad" for a in own[number:number + 1]])
    start(*nodes)
    wait_until(lambda: sorted(n.state() for n in nodes) == ["ACTIVE", "STANDBY"]
               and all(p["hears_me"] for n in nodes for p in n.status()["peers"]), nodes[0].describe)
    holder, other = sorted(nodes, key=lambda n: n.state())
    addresses = [n.status()["node"]["address"] for n in nodes]
    assert addresses == own if own else all(a.startswith("fe80::") for a in addresses)
    check_client(lan, client, holder, ADDRESS6)
    holder.kill_engine()
    other.wait_state("ACTIVE")
    check_client(lan, client, other, ADDRESS6)


def test_one_way_multicast_is_replaced_by_unicast(cluster, lan, client):
    """R9: beta does not get alpha's multicast, and hears alpha by unicast all the same, all the time."""
    alpha, beta = cluster.nodes_on(1, 2)
    lan.cut_multicast(alpha.host, beta.host)
    start(alpha, beta)
    wait_holder(alpha, beta)
    check_client(lan, client, alpha)
    alpha.wait_peer("beta", hears_me=False, live=True)
    assert any("by unicast only" in w for w in alpha.status()["warnings"])
    before, moves = beta.peer("alpha")["received"], transitions(alpha, beta)
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing flaps", 3)
    assert beta.peer("alpha")["received"] > before + 15, "heartbeats come steadily"
    assert transitions(alpha, beta) == moves
    assert "is gone" not in beta.log()
    lan.heal()
    alpha.wait_peer("beta", hears_me=True, live=True)
    assert not any("unicast" in w for w in alpha.status()["warnings"])


def test_one_way_multicast_that_begins_later(cluster, lan):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    lan.cut_multicast(alpha.host, beta.host)
    alpha.wait_peer("beta", hears_me=False)
    wait_holder(alpha, beta)
    moves = transitions(alpha, beta)
    stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing flaps", 3)
    assert transitions(alpha, beta) == moves
    lan.heal()
    alpha.wait_peer("beta", hears_me=True, live=True)
    wait_holder(alpha, beta)


def test_one_way_link_is_shown(cluster, lan, client):
    """R9: beta hears nobody, claims, and ranks higher; alpha, whom everybody hears, stays."""
    alpha, beta = cluster.nodes_on(1, 2)
    beta.change(worth=200)
    alpha.start()
    alpha.wait_state("ACTIVE")
    lan.cut(alpha.host, beta.host)
    beta.start()
    beta.wait_state("ACTIVE")
    alpha.wait_peer("beta", hears_me=False)
    wait_until(lambda: any("does not hear this node" in w for w in alpha.status()["warnings"]),
               "a warning")
    stays(alpha.is_active, "alpha stays", 1)
    lan.heal()
    wait_holder(beta, alpha)
    alpha.wait_peer("beta", hears_me=True, live=True)
    check_client(lan, client, beta)


# --- other daemons

def test_stalled_engine_stops_serving_and_comes_back(cluster, lan, client):
    """R7, R10: a stopped engine loses the group; when it wakes up it does not fight for the past."""
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    engine = alpha.engine_pid()
    os.kill(engine, signal.SIGSTOP)
    try:
        beta.wait_state("ACTIVE")
        wait_until(lambda: not alpha.host.has(ADDRESS), "the watchdog has taken it down")
        check_client(lan, client, beta)
    finally:
        os.kill(engine, signal.SIGCONT)
    wait_holder(alpha, beta)
    check_client(lan, client, alpha)


def test_observer_that_stalls_claims_nothing(cluster, lan):
    """R10: its own absence is not the peers' silence."""
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    moves = transitions(alpha, beta)
    for _ in range(3):
        os.kill(beta.engine_pid(), signal.SIGSTOP)
        let_pass(0.8)
        os.kill(beta.engine_pid(), signal.SIGCONT)
        let_pass(0.4)
    wait_holder(alpha, beta)
    assert transitions(alpha, beta) == moves
    assert "did not run" in beta.log()


def test_unknown_extensions_are_skipped(cluster, lan):
    """A newer minor version only adds extensions."""
    (alpha,) = cluster.nodes_on(1)
    alpha.start()
    with Ear(lan.host("newer", 77)) as ear:
        wait_until(lambda: ear.latest("alpha"), "alpha speaks")
        heard = ear.latest("alpha")
        newer = Heartbeat(name="newer", minor=9, heard=[Heard(heard.id, heard.nonce, heard.sequence)],
                          extensions=[(900, b"from the future")])
        ear.say(newer.encode())
        alpha.wait_peer("newer", live=True)
        ear.say(dataclasses.replace(newer, sequence=2, leaving=True).encode())
        alpha.wait_peer("newer", live=False)
