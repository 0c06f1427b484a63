# SPDX-License-Identifier: ISC
"""`standby = warm`: every node has the addresses, and the fence in the kernel decides who answers for them."""

import os
import signal
import time

import pytest

from frames import Capture
from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, SHARED, start, wait_holder
from test_fence import Asker, freeze, need_fence
from test_upkeep import EVERY, history, local_routes, lost, notices, reload, restart

OTHER, OTHER6 = "10.88.0.100", "fd88::100"


@pytest.fixture
def warm(cluster, client):
    """alpha holds the addresses, both have them."""
    def begin(*numbers, **keys):
        nodes = cluster.nodes_on(*(numbers or (1, 2)), standby="warm", **keys)
        nodes[0].change(worth=200)
        start(*nodes)
        wait_holder(*nodes)
        need_fence(nodes[0])
        for node in nodes:
            wait_warm(node)
        return nodes
    return begin


def has_all(node, *addresses):
    return set(addresses or (ADDRESS, ADDRESS6)) <= set(node.host.addresses())


def wait_warm(node, *addresses):
    wait_until(lambda: has_all(node, *addresses), lambda: f"{node.name} has the addresses; its log:\n{node.log()}")


def move(holder, other):
    """As soon as the other one can take it."""
    wait_until(lambda: holder.cli("yield", "main").returncode == 0, lambda: f"a yield: {other.describe()}")
    wait_holder(other, holder)


def wait_cold(node):
    wait_until(lambda: not node.host.has(ADDRESS) and not node.host.has(ADDRESS6), f"{node.name} has none")


def test_a_standby_has_the_addresses_and_is_silent(warm, client):
    alpha, beta = warm()
    assert client.ask(ADDRESS) == client.ask(ADDRESS6) == "alpha"
    for address in (ADDRESS, ADDRESS6):
        assert client.who_has(address) == {alpha.host.mac}
    # Nothing that the standby says in their name leaves it, whoever says it.
    with Capture(client, "eth0") as capture:
        for address, to in ((ADDRESS, client.address), (ADDRESS6, client.address6)):
            beta.host.run("ping", "-c1", "-W1", "-I", address, to, check=False)
        beta.host.run("arping", "-c1", "-w1", "-A", "-I", "eth0", ADDRESS, check=False)
        assert not capture.arp(sender=ADDRESS, sender_mac=beta.host.mac)
    assert client.ask(ADDRESS) == client.ask(ADDRESS6) == "alpha"
    # Its own addresses are not concerned, nor are connections that it begins itself.
    for address in (beta.host.address, beta.host.address6):
        assert client.ask(address) == "beta"
    assert beta.host.ask(client.address) == beta.host.ask(client.address6) == "client"
    assert beta.host.addresses()[ADDRESS6].get("deprecated"), "never the source of anything"
    assert beta.group()["standby"] == alpha.group()["standby"] == "warm"


def test_a_move_changes_no_address(warm, client):
    """The kernel is told nothing: that is what it is for. Nothing is lost, as ever."""
    alpha, beta = warm()
    with notices(alpha.host, "address", "route") as of_alpha, notices(beta.host, "address", "route") as of_beta, \
            client.probe(ADDRESS, EVERY) as v4, client.probe(ADDRESS6, EVERY) as v6:
        v4.wait_for("alpha"), v6.wait_for("alpha")
        move(alpha, beta)
        v4.wait_for("beta"), v6.wait_for("beta")
        move(beta, alpha)
        v4.wait_for("alpha"), v6.wait_for("alpha")
        assert (lost(v4), lost(v6)) == (0, 0)
    for lines in (of_alpha, of_beta):
        assert not [line for line in lines if f"inet {ADDRESS}/" in line or f"local {ADDRESS} " in line]
    assert has_all(alpha) and has_all(beta)


def test_the_next_one_serves_when_the_holder_dies(warm, client, lan):
    alpha, beta = warm()
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 20, "alpha answers")
        alpha.kill9()
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        assert has_all(alpha) and client.ask(ADDRESS6) == "beta"
        alpha.start()
        wait_holder(alpha, beta)
        wait_until(lambda: asker.answers[-1][1] == "alpha", "alpha answers")
        since = time.monotonic()
        stays(lambda: has_all(beta) and asker.count("beta", since) == 0, "beta has them and is silent", 0.5)


@pytest.mark.parametrize("which", ["engine", "both"])
def test_a_frozen_holder_wakes_up_silent(warm, client, lan, which):
    alpha, beta = warm()
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        frozen = freeze(alpha, which)
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        beta.change(worth=300)
        reload(beta)  # so that alpha does not take it back
        awake = time.monotonic()
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        wait_holder(beta, alpha)
        stays(lambda: has_all(alpha) and asker.count("alpha", awake) == 0, "alpha has them and is silent", 1)
    assert asker.owners() == ["alpha", "beta"]
    assert client.ask(ADDRESS6) == "beta"


def test_a_dead_standby_stays_silent(warm, client, lan):
    """Nobody renews anything any more, and nothing that the fence keeps back comes through."""
    alpha, beta = warm()
    beta.kill9()
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        stays(lambda: has_all(beta) and asker.owners() == ["alpha"], "beta is silent", 1)
        assert client.who_has(ADDRESS6) == {alpha.host.mac}
        released = beta.cli("release").stdout
        assert f"released {ADDRESS} from eth0" in released and ADDRESS6 in released
        wait_cold(beta)
    assert asker.owners() == ["alpha"]
    assert "qdisc clsact" not in beta.host.run("tc", "qdisc", "show").stdout


def test_a_polite_stop_leaves_nothing(warm, client, lan):
    alpha, beta = warm()
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 20, "alpha answers")
        assert beta.stop() == 0
        assert not beta.host.has(ADDRESS) and not beta.host.has(ADDRESS6)
        beta.start()
        wait_warm(beta)
    assert asker.owners() == ["alpha"], "not for a moment does the other one answer"


def test_upkeep(warm, client, lan):
    """Restarts and reloads of holder and standby; then one node wants it no more."""
    alpha, beta = warm()
    with client.probe(ADDRESS, EVERY) as probe, Asker(lan, client) as asker:
        probe.wait_for("alpha")
        before = history(alpha, beta)
        for node in (alpha, beta):
            restart(node)
            wait_warm(node)
            reload(node)
            wait_warm(node)
        wait_until(lambda: history(alpha, beta) == before, lambda: (before, history(alpha, beta), alpha.log()), 2)
        beta.change(standby="cold")
        reload(beta)
        wait_cold(beta)
        beta.change(standby="warm", address=[*SHARED, "10.77.0.101/24"])
        reload(beta)
        wait_warm(beta, ADDRESS, ADDRESS6, "10.77.0.101")
        assert lost(probe) == 0 and probe.hosts() == ["alpha"]
    assert asker.owners() == ["alpha"]


def test_what_somebody_takes_away_comes_again(warm, client, lan):
    """The addresses of a standby, and the fence that silences it."""
    alpha, beta = warm()
    with Asker(lan, client) as asker:
        beta.host.ip(f"address del {ADDRESS}/32 dev eth0", f"address del {ADDRESS6}/128 dev eth0")
        wait_warm(beta)
        lan.cable_out(beta.host), lan.cable_in(beta.host)
        beta.host.ip("link set eth0 down", "link set eth0 up")  # which takes the IPv6 address along
        wait_warm(beta)
        beta.wait_peer("alpha")
        wait_until(lambda: asker.count("alpha") > 20, "alpha answers")
        assert set(asker.owners()) == {"alpha"}
    assert client.who_has(ADDRESS6) == {alpha.host.mac}
    beta.host.run("tc", "qdisc", "del", "dev", "eth0", "clsact")
    wait_until(lambda: "ha" in beta.host.run("tc", "filter", "show", "dev", "eth0", "ingress").stdout, "the fence is back")
    wait_until(lambda: client.who_has(ADDRESS) == client.who_has(ADDRESS6) == {alpha.host.mac}, "beta is silent")


def test_the_own_address_stays_in_front(warm, client):
    """As when a lease of DHCP ends and comes again: the kernel speaks from the first one, which must not be silent."""
    _, beta = warm()
    own = beta.host.address
    beta.host.ip(f"address del {own}/24 dev eth0", f"address add {own}/24 dev eth0")

    def order():
        return [a["local"] for a in beta.host.ip_json("-4", "address", "show", "dev", "eth0")[0]["addr_info"]]
    wait_until(lambda: order() == [own, ADDRESS], lambda: f"{own} comes first: {order()}")
    beta.wait_peer("alpha", hears_me=True)
    assert client.ask(ADDRESS) == "alpha" and beta.host.ask(client.address) == "client"


def test_a_subnet_of_its_own(warm, client):
    """The route to it is the holder's alone: a standby could not use it."""
    alpha, beta = warm(address=[*SHARED, f"{OTHER}/24", f"{OTHER6}/64"])
    wait_warm(beta, OTHER, OTHER6)

    def routes(node):
        return {r["dst"] for family in ("-4", "-6") for r in node.host.ip_json(family, "route")}
    ours = {"10.88.0.0/24", "fd88::/64"}
    assert ours <= routes(alpha) and not ours & routes(beta)
    move(alpha, beta)
    wait_until(lambda: ours <= routes(beta) and not ours & routes(alpha), "the routes have moved")
    assert not beta.host.addresses()[OTHER6].get("deprecated")
    wait_until(lambda: alpha.host.addresses()[OTHER6].get("deprecated"), "alpha uses it no more")


def test_devices_that_are_brought_up_for_it(warm, cluster, lan, client):
    """They are up for the holder only, so the standby's addresses are not there yet."""
    alpha, beta = cluster.nodes_on(1, 2, address=f"{ADDRESS}/24 dev own0", standby="warm")
    for node in (alpha, beta):
        node.host.ip("link add own0 link eth0 type macvlan mode bridge")
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert client.who_has(ADDRESS) and not beta.host.has(ADDRESS) and not beta.host.is_up("own0")
    move(alpha, beta)
    wait_until(lambda: not alpha.host.has(ADDRESS) and not alpha.host.is_up("own0"), "own0 is down on alpha")


def test_a_long_list(cluster, client):
    """As local routes; and a takeover adds not one of them."""
    many = [f"10.77.{100 + i // 200}.{i % 200 + 20}" for i in range(600)]
    alpha, beta = cluster.nodes_on(1, 2, address=[*(f"{ip}/16" for ip in many), f"{ADDRESS6}/64"], standby="warm")
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    need_fence(alpha)
    wait_until(lambda: local_routes(beta) == set(many), "beta has them")
    with notices(beta.host, "route") as lines:
        move(alpha, beta)
    assert not [line for line in lines if "proto 143" in line and "local" in line]
    assert local_routes(alpha) == local_routes(beta) == set(many)
    assert client.who_has(many[0]) == client.who_has(many[-1]) == {beta.host.mac}


def test_other_fences_cannot(cluster):
    """They end with a lease, which a standby does not have. To ask for both is a mistake; where the host has no other
    one, the log and the status say so, and the addresses come with their group."""
    alpha, beta = cluster.nodes_on(1, 2, standby="warm")
    alpha.change(fence="nftables").start(wait=False)
    assert alpha.wait_exit() == 2
    assert 'as "standby = warm" of group "main" needs' in alpha.log()
    alpha.change(fence="auto", worth=200)
    for node in (alpha, beta):
        node.prefix = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"]
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert beta.group()["standby"] == "cold" and "standby = warm needs" in beta.log()
    assert "standby = warm needs" in "".join(beta.status()["warnings"])
    move(alpha, beta)
    assert not alpha.host.has(ADDRESS) and beta.host.has(ADDRESS)
