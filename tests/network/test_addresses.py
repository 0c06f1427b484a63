# SPDX-License-Identifier: ISC
"""Shared addresses on the host: what `ha` leaves alone, puts back, gives up, and does not claim."""

import ipaddress
import socket

import pytest

from frames import NO_MAC, REQUEST, Arp
from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, SHARED, active, let_pass, start, wait_holder

PLAIN = [ADDRESS, ADDRESS6]


def routes(host):
    """All routes outside the kernel's local table, as a comparable text."""
    return sorted(line.strip() for family in ("-4", "-6")
                  for line in host.run("ip", family, "route", "show").stdout.splitlines())


def source_of(host, destination):
    """The address from which a new connection to this destination would come."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with host.socket(family, socket.SOCK_DGRAM) as s:
        s.connect((destination, 9))
        return s.getsockname()[0]


# --- at the start

@pytest.mark.parametrize("left", [[f"{ADDRESS}/24", f"{ADDRESS6}/64"], [f"{ADDRESS}/32"],
                                  [f"{ADDRESS}/16", f"{ADDRESS6}/128"]])
def test_leftovers_are_removed_at_start(alpha, lan, left):
    beta = lan.host("beta", 2)
    for address in left:
        alpha.host.ip(f"address add {address} dev eth0 {'nodad' if ':' in address else ''}")
    alpha.change(worth=0).start()
    for address in PLAIN:
        assert not alpha.host.has(address)
    assert alpha.host.has(alpha.host.address), "its own address stays"
    assert beta.ask(alpha.host.address) == "alpha"
    assert ADDRESS in alpha.log()


def test_leftover_on_another_device(alpha):
    alpha.host.ip("link add other type bridge", "link set other up",
                  f"address add {ADDRESS}/24 dev other")
    alpha.change(worth=0).start()
    assert not alpha.host.has(ADDRESS)


def test_release_command(alpha):
    active(alpha).kill9()
    assert alpha.host.has(ADDRESS)
    done = alpha.cli("release")
    assert done.returncode == 0 and ADDRESS in done.stdout
    assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
    assert "nothing" in alpha.cli("release", "-c", alpha.arguments()[3]).stdout


def test_host_outside_the_cluster_has_the_address(alpha, lan, client):
    """RFC 5227: loud, and not claimed; claimed when that host is gone."""
    stranger = lan.host("stranger", 99)
    stranger.ip(f"address add {ADDRESS}/24 dev eth0")
    alpha.start()
    alpha.wait_reason("outside the cluster")
    assert stranger.mac in alpha.group()["reason"] and not alpha.group()["eligible"]
    assert any("outside the cluster" in w for w in alpha.status()["warnings"])
    stays(lambda: alpha.state() == "STANDBY" and not alpha.host.has(ADDRESS), "not claimed", 1)
    assert client.ask(ADDRESS) == "stranger"
    assert stranger.mac in alpha.log()
    stranger.ip(f"address delete {ADDRESS}/24 dev eth0")
    alpha.wait_state("ACTIVE")
    assert lan.answering(client, ADDRESS) == {"alpha"}


def test_host_outside_the_cluster_has_the_ipv6_address(alpha, lan, client):
    stranger = lan.host("stranger", 99)
    stranger.ip(f"address add {ADDRESS6}/64 dev eth0 nodad")
    alpha.start()
    alpha.wait_reason("outside the cluster")
    assert ADDRESS6 in alpha.group()["reason"]
    stays(lambda: alpha.state() == "STANDBY" and not alpha.host.has(ADDRESS6), "not claimed", 1)
    stranger.ip(f"address delete {ADDRESS6}/64 dev eth0")
    alpha.wait_state("ACTIVE")
    assert lan.answering(client, ADDRESS6) == {"alpha"}


def test_conflict_while_held_is_reported_and_defended(alpha, lan, client):
    active(alpha)
    assert client.ask(ADDRESS) == "alpha"
    stranger = lan.host("stranger", 99)
    stranger.ip(f"address add {ADDRESS}/24 dev eth0")
    lan.wait_plugged(stranger)
    stranger.transmit(Arp(REQUEST, stranger.mac, ADDRESS, NO_MAC, ADDRESS).encode())
    alpha.wait_log(f"{stranger.mac} claims {ADDRESS}")
    wait_until(lambda: lan.cached(client, ADDRESS) == "alpha", "alpha has the client again")
    assert alpha.is_active()


# --- while it is held

def test_no_delay_by_duplicate_address_detection(alpha, client):
    """The kernel's own detection would make an IPv6 address wait for a second."""
    for key in ("accept_dad", "dad_transmits"):
        alpha.host.sysctl(f"ipv6/conf/eth0/{key}", 1)
    active(alpha)
    assert "tentative" not in alpha.host.addresses()[ADDRESS6]
    assert client.ask(ADDRESS6) == "alpha"


def test_source_addresses_and_routes_stay(alpha, lan, client):
    alpha.host.ip("route add default via 10.77.0.250", "route add default via fd77::250")
    destinations = ["10.77.0.250", "192.0.2.1", "fd77::250", "2001:db8::1"]
    sources = [source_of(alpha.host, d) for d in destinations]
    before = routes(alpha.host)
    active(alpha)
    assert [source_of(alpha.host, d) for d in destinations] == sources
    assert routes(alpha.host) == before, "no second connected route"
    assert alpha.stop() == 0
    assert [source_of(alpha.host, d) for d in destinations] == sources
    assert routes(alpha.host) == before


def test_source_does_not_depend_on_the_order_of_addresses(cluster, lan, client):
    """The shared address is numerically below the host's own, and older than it in the end."""
    alpha = cluster.node(lan.host("alpha", 50), address=["10.77.0.3/24", "fd77::3/64"])
    active(alpha)
    assert source_of(alpha.host, "10.77.0.250") == "10.77.0.50"
    assert source_of(alpha.host, "fd77::250") == "fd77::50"
    alpha.host.ip("address delete 10.77.0.50/24 dev eth0", "address add 10.77.0.50/24 dev eth0")
    wait_until(lambda: alpha.is_active() and client.ask("10.77.0.3") == "alpha", "it serves")
    wait_until(lambda: source_of(alpha.host, "10.77.0.250") == "10.77.0.50", "its own source again")


def test_other_secondary_addresses_survive(alpha, lan):
    beta = lan.host("beta", 2)
    alpha.host.sysctl("ipv4/conf/all/promote_secondaries", 0)
    alpha.host.sysctl("ipv4/conf/eth0/promote_secondaries", 0)
    others = ["10.77.0.51", "10.77.0.151", "fd77::51"]
    alpha.host.ip("address add 10.77.0.51/24 dev eth0")
    active(alpha)
    alpha.host.ip("address add 10.77.0.151/24 dev eth0", "address add fd77::51/64 dev eth0 nodad")
    assert alpha.stop() == 0
    assert set(others) <= set(alpha.host.addresses())
    for address in others:
        assert beta.ask(address) == "alpha"
    assert not alpha.host.has(ADDRESS)


def test_removed_address_is_put_back(alpha, lan, client):
    active(alpha)
    with client.probe(ADDRESS) as v4, client.probe(ADDRESS6) as v6:
        v4.wait_for("alpha")
        v6.wait_for("alpha")
        for address in SHARED:
            form = next(f"{a['local']}/{a['prefixlen']}" for a in alpha.host.addresses().values()
                        if a["local"] == address.split("/")[0])
            alpha.host.ip(f"address delete {form} dev eth0")
            wait_until(lambda a=address: alpha.host.has(a.split("/")[0]), "it is back", 1)
        v4.wait_for("alpha")
        v6.wait_for("alpha")
    alpha.wait_log(f"{ADDRESS} was removed by somebody else; put back")
    alpha.wait_log(f"{ADDRESS6} was removed by somebody else; put back")
    assert alpha.is_active() and alpha.group()["transitions"] == 1
    assert v4.longest_outage() < 1 and v6.longest_outage() < 1


def test_flushed_device_is_put_back(alpha, client):
    """What network managers do: all addresses at once. The node's own comes back by their hand."""
    active(alpha)
    alpha.host.ip("address flush dev eth0", "address add 10.77.0.1/24 dev eth0",
                  "address add fd77::1/64 dev eth0 nodad")
    wait_until(lambda: set(PLAIN) <= set(alpha.host.addresses()), alpha.describe)
    alpha.wait_state("ACTIVE")
    assert client.ask(ADDRESS) == "alpha" and client.ask(ADDRESS6) == "alpha"


def test_steps_down_instead_of_fighting(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    start(alpha, beta)
    wait_holder(alpha, beta)
    removals = 0
    while alpha.is_active() and removals < 20:
        if alpha.host.run("ip", "address", "delete", f"{ADDRESS}/32", "dev", "eth0",
                          check=False).returncode == 0:
            removals += 1
        let_pass(0.05)
    assert removals == 5
    wait_holder(beta, alpha)
    wait_until(lambda: client.ask(ADDRESS) == "beta", "beta answers")
    assert lan.cached(client, ADDRESS) == "beta"
    assert "again and again" in alpha.group()["reason"] and not alpha.group()["eligible"]
    assert "steps down" in alpha.log()
    assert not alpha.host.has(ADDRESS)
    stays(lambda: beta.is_active() and alpha.state() == "STANDBY", "it keeps off", 1)


def test_configured_limit_of_removals(cluster):
    (alpha,) = cluster.nodes_on(1, removed_limit=2, removed_window="1s")
    active(alpha)
    for _ in range(3):  # slower than the window: it is put back each time
        alpha.host.ip(f"address delete {ADDRESS}/32 dev eth0")
        wait_until(lambda: alpha.host.has(ADDRESS), "it is back")
        let_pass(1.1)
    assert alpha.is_active()
    for _ in range(2):
        wait_until(lambda: alpha.host.has(ADDRESS), "it is there")
        alpha.host.ip(f"address delete {ADDRESS}/32 dev eth0")
    alpha.wait_reason("again and again")


# --- other devices

def test_address_on_another_device(cluster, lan, second_lan):
    """Heartbeats on eth0, the address on eth1 in a subnet of its own, and clients behind eth1."""
    nodes = cluster.nodes_on(1, 2, address="10.90.0.1/24 dev eth1")
    for number, node in enumerate(nodes, 1):
        second_lan.attach(node.host, "eth1", number)
    client = second_lan.host("client", 250)
    client.ip("address add 10.90.0.250/24 dev eth0")
    start(*nodes)
    wait_holder(*nodes)
    alpha, beta = nodes
    assert alpha.host.addresses()["10.90.0.1"]["device"] == "eth1"
    assert any(r.startswith("10.90.0.0/24 dev eth1") for r in routes(alpha.host))
    assert client.ask("10.90.0.1") == "alpha"
    assert second_lan.cached(client, "10.90.0.1") == "alpha"
    assert alpha.stop() == 0
    wait_until(lambda: client.ask("10.90.0.1") == "beta", "beta answers")
    assert second_lan.cached(client, "10.90.0.1") == "beta"
    assert not any("10.90.0.0" in r for r in routes(alpha.host)), "its route went with it"
    assert any(r.startswith("10.90.0.0/24 dev eth1") for r in routes(beta.host))


def test_device_is_up_only_while_active(cluster, lan, second_lan):
    nodes = cluster.nodes_on(1, 2, address=["10.90.0.1/24 dev eth1", "fd90::1/64 dev eth1"])
    for node in nodes:
        second_lan.attach(node.host, "eth1", up=False)
    client = second_lan.host("client", 250)
    client.ip("address add 10.90.0.250/24 dev eth0", "address add fd90::250/64 dev eth0 nodad")
    alpha, beta = nodes
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert alpha.host.is_up("eth1") and not beta.host.is_up("eth1")
    wait_until(lambda: client.ask("10.90.0.1") == client.ask("fd90::1") == "alpha", "alpha answers")
    assert alpha.stop() == 0
    wait_until(lambda: beta.host.is_up("eth1") and beta.is_active(), "beta's device comes up")
    assert not alpha.host.is_up("eth1")
    wait_until(lambda: client.ask("10.90.0.1") == client.ask("fd90::1") == "beta", "beta answers")
    beta.kill_engine()
    assert not beta.host.is_up("eth1"), "down also when the engine dies"


def test_raised_device_is_lowered_after_a_crash(cluster, lan, second_lan):
    (alpha,) = cluster.nodes_on(1, address="10.90.0.1/24 dev eth1")
    second_lan.attach(alpha.host, "eth1", up=False)
    active(alpha)
    assert alpha.host.is_up("eth1")
    alpha.kill9()
    assert alpha.host.is_up("eth1")
    alpha.change(worth=0).start()
    assert not alpha.host.is_up("eth1")


def test_many_addresses(cluster, lan, client):
    """100 of each family, more than one batch of netlink messages."""
    addresses = [f"10.77.0.{n}/24" for n in range(100, 200)] + [f"fd77::1:{n}/64" for n in range(100)]
    alpha, beta = cluster.nodes_on(1, 2, address=addresses)
    start(alpha, beta)
    wait_holder(alpha, beta)
    plain = {str(ipaddress.ip_interface(a).ip) for a in addresses}
    assert plain <= set(alpha.host.addresses())
    alpha.kill_engine()
    wait_until(beta.is_active, "beta takes them")
    assert not plain & set(alpha.host.addresses())
    assert client.ask("10.77.0.199") == client.ask("fd77::1:99") == "beta"
