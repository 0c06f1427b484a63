# SPDX-License-Identifier: ISC
"""Announcements as a client sees them on the wire, and their acknowledgement."""

import pytest

from frames import (ADVERTISEMENT, ALL_NODES, BROADCAST, NO_MAC, REPLY, REQUEST, SOLICITATION, Arp,
                    Capture)
from lan import wait_until
from node import ADDRESS, ADDRESS6, active, let_pass, start, wait_holder


def announced(capture, node):
    """All frames that announce one of the addresses from this node."""
    return [*capture.arp(sender=ADDRESS, target=ADDRESS, sender_mac=node.host.mac),
            *capture.nd(kind=ADVERTISEMENT, target=ADDRESS6, link_address=node.host.mac,
                        solicited=False)]


def test_forms_of_arp(alpha, client):
    """A request, and a reply whose target hardware address is the sender's own."""
    with Capture(client) as capture:
        active(alpha)
        wait_until(lambda: capture.arp(operation=REPLY, sender=ADDRESS), "a reply")
        let_pass(0.2)
    mac = alpha.host.mac
    requests = capture.arp(operation=REQUEST, sender=ADDRESS, target=ADDRESS)
    replies = capture.arp(operation=REPLY, sender=ADDRESS)
    assert requests and replies
    for frame in requests + replies:
        assert frame.sender_mac == frame.source == mac and frame.destination == BROADCAST
        assert frame.target == ADDRESS
    assert {frame.target_mac for frame in requests} == {NO_MAC}
    assert {frame.target_mac for frame in replies} == {mac}


@pytest.mark.parametrize("forwarding", [0, 1])
def test_forms_of_neighbour_discovery(alpha, client, forwarding):
    """Override, target link-layer address, not solicited; Router as the device forwards."""
    alpha.host.sysctl("ipv6/conf/eth0/forwarding", forwarding)
    with Capture(client) as capture:
        active(alpha)
        wait_until(lambda: capture.nd(kind=ADVERTISEMENT, target=ADDRESS6), "an advertisement")
        let_pass(0.2)
    for nd in capture.nd(kind=ADVERTISEMENT, target=ADDRESS6):
        assert nd.override and not nd.solicited and nd.router == bool(forwarding)
        assert (nd.option, nd.link_address, nd.source) == (2, alpha.host.mac, alpha.host.mac)
        assert nd.destination_ip == ALL_NODES and nd.hop_limit == 255
        assert nd.destination == "33:33:00:00:00:01"


def test_nothing_claims_the_address_before_it_is_held(alpha, client):
    with Capture(client) as capture:
        alpha.start()
        wait_until(lambda: capture.arp(operation=REQUEST, sender="0.0.0.0", target=ADDRESS)
                   and capture.nd(kind=SOLICITATION, source_ip="::", target=ADDRESS6), "probes")
        first_probe = capture.arp(sender="0.0.0.0", target=ADDRESS)[0]
        alpha.wait_state("ACTIVE")
        wait_until(lambda: announced(capture, alpha), "announcements")
    assert first_probe.time < min(frame.time for frame in announced(capture, alpha))
    probe = capture.nd(kind=SOLICITATION, source_ip="::", target=ADDRESS6)[0]
    assert probe.destination_ip == "ff02::1:ff00:100" and not probe.link_address


def test_repeated_and_then_stopped(alpha, client):
    """At 0, 20, 100, 400 ms, 1.1 s, ...; nothing any more after the release."""
    with Capture(client) as capture:
        active(alpha)
        wait_until(lambda: len(capture.arp(operation=REQUEST, sender=ADDRESS, target=ADDRESS)) >= 4
                   and len(capture.nd(kind=ADVERTISEMENT, target=ADDRESS6)) >= 4, "four of each", 5)
        assert alpha.stop() == 0
        let_pass(0.1)
        count = len(announced(capture, alpha))
        let_pass(3)
        assert len(announced(capture, alpha)) == count
        assert not [f for f in capture.arp(sender=ADDRESS) if f.time > capture.frames[-1].time]
    times = [f.time for f in capture.arp(operation=REQUEST, sender=ADDRESS, target=ADDRESS)]
    assert times[-1] - times[0] > 0.3, "spread over time"


def test_gateway_and_neighbours_are_asked_and_acknowledge(alpha, lan, client):
    """who-has NEIGHBOUR tell ADDRESS: the kernel of each answers, which status counts."""
    gateway = lan.host("gateway", 254)
    alpha.host.ip("route add default via 10.77.0.254", "route add default via fd77::254")
    assert alpha.host.ask(client.address) == alpha.host.ask(client.address6) == "client"
    with Capture(client) as capture:
        active(alpha)

        def acknowledged():
            return [(a["targets"], a["acknowledged"]) for a in alpha.group()["addresses"]]

        wait_until(lambda: all(t >= 2 and t == a for t, a in acknowledged()),
                   lambda: f"targets and acknowledgements: {alpha.group()['addresses']}")
    for neighbour in (client, gateway):
        assert lan.cached(neighbour, ADDRESS) == "alpha"
        asked = capture.arp(operation=REQUEST, sender=ADDRESS, target=neighbour.address)
        assert asked and {f.sender_mac for f in asked} == {alpha.host.mac}
    asked = capture.nd(kind=SOLICITATION, source_ip=ADDRESS6, target=client.address6)
    assert asked and asked[0].option == 1 and asked[0].link_address == alpha.host.mac
    wait_until(lambda: "has acknowledged" in alpha.log(), "told in the log")


def test_unanswered_requests_are_repeated(alpha, lan, client):
    """The gateway is dead: asked a few times, then left in peace; it never counts as acknowledged."""
    alpha.host.ip("route add default via 10.77.0.254")
    with Capture(client) as capture:
        active(alpha)
        wait_until(lambda: len(capture.arp(sender=ADDRESS, target="10.77.0.254")) >= 6, "six requests")
        let_pass(1)
        assert len(capture.arp(sender=ADDRESS, target="10.77.0.254")) == 6
    address = next(a for a in alpha.group()["addresses"] if a["address"] == ADDRESS)
    assert address["targets"] >= 1 and address["acknowledged"] < address["targets"]


def test_takeover_repoints_a_client_at_once(cluster, lan, client):
    """Within the locktime of its entry, which protects against other forms of announcements."""
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    worths = iter(range(99, 0, -1))  # who has left returns as the less worthy
    for _ in range(3):
        for leaver, taker in [(alpha, beta), (beta, alpha)]:
            assert client.ask(ADDRESS) == client.ask(ADDRESS6) == leaver.name
            leaver.stop()
            wait_until(taker.is_active, f"{taker.name} takes it")
            # At once: without waiting for the client's entry to age.
            assert lan.cached(client, ADDRESS) == taker.name
            assert lan.cached(client, ADDRESS6) == taker.name
            leaver.change(worth=next(worths)).start()
            wait_holder(taker, leaver)
            let_pass(0.4)  # until it has listened


def test_status_shows_no_targets_while_not_held(cluster, client):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert alpha.host.ask(client.address) == "client"
    assert [(a["targets"], a["acknowledged"]) for a in beta.group()["addresses"]] == [(0, 0), (0, 0)]


def test_standby_says_nothing_for_the_address(cluster, client):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    with Capture(client) as capture:
        client.transmit(Arp(REQUEST, client.mac, client.address, NO_MAC, ADDRESS).encode())
        wait_until(lambda: capture.arp(operation=REPLY, sender=ADDRESS), "alpha answers")
        let_pass(0.5)
        assert {a.sender_mac for a in capture.arp(sender=ADDRESS)} == {alpha.host.mac}
