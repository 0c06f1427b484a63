# SPDX-License-Identifier: ISC
"""Devices that lose their carrier, go, come, and change: a reason in status, and never a restart."""

from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, let_pass, start, wait_holder


def check_back(lan, client, pair, pids):
    """The same processes as before, and the client with alpha."""
    alpha, beta = pair
    wait_holder(alpha, beta)
    for address in (ADDRESS, ADDRESS6):
        wait_until(lambda a=address: client.ask(a) == "alpha", "alpha answers")
        assert lan.cached(client, address) == "alpha"
    assert [(n.process.pid, n.engine_pid()) for n in pair] == pids


def pids_of(pair):
    return [(n.process.pid, n.engine_pid()) for n in pair]


def test_carrier_loss(pair, lan, client):
    alpha, beta = pair
    pids = pids_of(pair)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("alpha")
        lan.cable_out(alpha.host)
        probe.wait_for("beta")
        alpha.wait_state("STANDBY")
        alpha.wait_reason("eth0 has no carrier")
        assert not alpha.group()["eligible"]
        assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
        lan.cable_in(alpha.host)
        probe.wait_for("alpha")
    assert probe.hosts() == ["alpha", "beta", "alpha"]
    check_back(lan, client, pair, pids)


def test_device_set_down_by_an_administrator(pair, lan, client):
    alpha, beta = pair
    pids = pids_of(pair)
    alpha.host.ip("link set eth0 down")
    wait_until(beta.is_active, "beta takes it")
    alpha.wait_reason("eth0 is down")
    assert client.ask(ADDRESS) == "beta"
    # The kernel takes IPv6 addresses away with it; whoever manages the device puts them back.
    alpha.host.ip("link set eth0 up", "address add fd77::1/64 dev eth0 nodad")
    check_back(lan, client, pair, pids)


def test_device_is_deleted_and_made_again(pair, lan, client):
    alpha, beta = pair
    pids = pids_of(pair)
    lan.detach(alpha.host)
    wait_until(beta.is_active, "beta takes it")
    alpha.wait_reason("eth0 does not exist")
    assert client.ask(ADDRESS) == "beta"
    let_pass(0.2)
    lan.attach(alpha.host, "eth0", 1, mac="02:77:00:00:01:01")  # another card
    check_back(lan, client, pair, pids)
    assert client.neighbour(ADDRESS) == "02:77:00:00:01:01"


def test_no_device_at_the_start(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    lan.detach(alpha.host)
    start(alpha, beta)
    alpha.wait_reason("eth0 does not exist")
    wait_until(beta.is_active, "beta takes it")
    let_pass(0.5)
    assert alpha.state() == "STANDBY" and alpha.status()["node"]["address"] is None
    pids = pids_of((alpha, beta))
    lan.attach(alpha.host, "eth0", 1)
    check_back(lan, client, (alpha, beta), pids)
    assert alpha.status()["node"]["address"] == "10.77.0.1"


def test_device_that_is_down_at_the_start(cluster, lan, client):
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.host.ip("link set eth0 down")
    start(alpha, beta)
    alpha.wait_reason("eth0 is down")
    wait_until(beta.is_active, "beta takes it")
    pids = pids_of((alpha, beta))
    alpha.host.ip("link set eth0 up", "address add fd77::1/64 dev eth0 nodad")
    check_back(lan, client, (alpha, beta), pids)


def test_no_address_of_its_own(pair, lan, client):
    alpha, beta = pair
    pids = pids_of(pair)
    alpha.host.ip("address delete 10.77.0.1/24 dev eth0")
    alpha.wait_reason("no address of its own")
    wait_holder(beta, alpha)
    assert client.ask(ADDRESS) == "beta"
    alpha.host.ip("address add 10.77.0.1/24 dev eth0")
    check_back(lan, client, pair, pids)


def test_address_of_the_node_changes(cluster, lan, client):
    """It decides between equals, so a change of it can move a group."""
    alpha, beta = cluster.nodes_on(10, 20)
    start(alpha, beta)
    wait_holder(alpha, beta)
    alpha.host.ip("address delete 10.77.0.10/24 dev eth0", "address add 10.77.0.30/24 dev eth0")
    wait_holder(beta, alpha)
    assert alpha.status()["node"]["address"] == "10.77.0.30"
    beta.wait_peer("alpha", address="10.77.0.30")
    assert client.ask(ADDRESS) == "beta"
    stays(lambda: beta.is_active() and alpha.state() == "STANDBY", "it comes to rest", 1)


def test_flapping_carrier_ends_well(pair, lan, client):
    alpha, beta = pair
    pids = pids_of(pair)
    for _ in range(8):
        lan.cable_out(alpha.host)
        let_pass(0.05)
        lan.cable_in(alpha.host)
        let_pass(0.05)
    check_back(lan, client, pair, pids)
    assert lan.answering(client, ADDRESS) == {"alpha"}


def test_carrier_of_the_address_device(cluster, lan, second_lan):
    """The heartbeats are well, the device with the address is not."""
    nodes = cluster.nodes_on(1, 2, address="10.78.0.100/24 dev eth1")
    for number, node in enumerate(nodes, 1):
        second_lan.attach(node.host, "eth1", number)
    client = second_lan.host("client", 250)
    start(*nodes)
    wait_holder(*nodes)
    alpha, beta = nodes
    assert client.ask("10.78.0.100") == "alpha"
    second_lan.cable_out(alpha.host)
    wait_holder(beta, alpha)
    assert "eth1 has no carrier" in alpha.group()["reason"]
    assert client.ask("10.78.0.100") == "beta"
    assert beta.peer("alpha")["live"], "its heartbeats still come"
    second_lan.cable_in(alpha.host)
    wait_holder(alpha, beta)
    wait_until(lambda: client.ask("10.78.0.100") == "alpha", "alpha answers")


def test_device_is_renamed(pair, lan, client):
    """Under another name it is not ours: nothing may stay on it."""
    alpha, beta = pair
    pids = pids_of(pair)
    alpha.host.ip("link set eth0 name lan0")
    wait_until(beta.is_active, "beta takes it")
    alpha.wait_reason("eth0 does not exist")
    wait_until(lambda: not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6), "nothing stays")
    assert lan.answering(client, ADDRESS) == lan.answering(client, ADDRESS6) == {"beta"}
    alpha.host.ip("link set lan0 name eth0")
    check_back(lan, client, pair, pids)
