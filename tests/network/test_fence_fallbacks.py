# SPDX-License-Identifier: ISC
"""The fences for hosts without BPF: the packet filter, and lifetimes of the addresses."""

import os
import signal

import pytest

from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, start, wait_holder
from test_fence import Asker, freeze


def pair(cluster, fence, **keys):
    """alpha holds the addresses, and would take them back if it could."""
    alpha, beta = cluster.nodes_on(1, 2, fence=fence, **keys)
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    assert alpha.status()["node"]["fence"] == beta.status()["node"]["fence"] == fence
    return alpha, beta


def tables(host):
    return host.run("nft", "list", "tables").stdout.count("ha-fence")


def test_nftables_silences_a_frozen_holder_before_another_claims(cluster, lan, client):
    alpha, beta = pair(cluster, "nftables")
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        frozen = freeze(alpha, "both")
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        assert alpha.host.has(ADDRESS) and alpha.host.has(ADDRESS6)
        stays(lambda: asker.owners() == ["alpha", "beta"], "each in its turn", 1)
        assert client.run("ping", "-c1", "-W1", alpha.host.address).returncode == 0
        assert client.ask(ADDRESS6) == "beta"
        assert client.who_has(ADDRESS6) == {beta.host.mac}
        # What it sends itself from the address does not leave it either.
        alpha.host.run("ping", "-c1", "-W1", "-I", ADDRESS, client.address, check=False)
        assert asker.owners() == ["alpha", "beta"] and client.neighbour(ADDRESS) != alpha.host.mac
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        wait_holder(alpha, beta)
        wait_until(lambda: asker.answers[-1][1] == "alpha", "alpha answers again")
    assert asker.owners()[:3] == ["alpha", "beta", "alpha"]
    assert alpha.stop() == 0 and tables(alpha.host) == 0


@pytest.mark.parametrize("fence", ["nftables", "lifetime"])
def test_a_keeper_that_hangs_alone_costs_its_node_the_group(cluster, lan, client, fence):
    """It renews the fence no more. When that has closed the engine says so and ends, so that another node serves;
    the keeper takes everything down as soon as it goes on, and begins anew."""
    alpha, beta = pair(cluster, fence)
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        os.kill(alpha.process.pid, signal.SIGSTOP)
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        assert "alpha gave it up" in beta.group()["reason"] or "has left" in beta.log()
        stays(lambda: asker.owners() == ["alpha", "beta"], "each in its turn", 1)
        os.kill(alpha.process.pid, signal.SIGCONT)
        wait_holder(alpha, beta)
        wait_until(lambda: asker.answers[-1][1] == "alpha", "alpha answers again")
    assert "the keeper hangs" in alpha.log() and "a fresh engine has started" in alpha.log()
    assert asker.owners()[:3] == ["alpha", "beta", "alpha"]


def test_nftables_outlives_a_killed_keeper_until_it_is_released(cluster, lan, client):
    alpha, beta = pair(cluster, "nftables")
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        alpha.kill9()
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        assert alpha.host.has(ADDRESS) and tables(alpha.host) == 2
    assert asker.owners() == ["alpha", "beta"]
    assert "released" in alpha.cli("release").stdout
    assert tables(alpha.host) == 0 and not alpha.host.has(ADDRESS)


def test_nftables_comes_back_when_somebody_flushes_the_rules(cluster, client):
    alpha, _ = pair(cluster, "nftables")
    alpha.host.run("nft", "flush", "ruleset")
    wait_until(lambda: tables(alpha.host) == 2, "it is put up again")
    assert "somebody took the fence away" in alpha.log()
    elements = alpha.host.run("nft", "list", "ruleset").stdout
    assert ADDRESS in elements and ADDRESS6 in elements and client.ask(ADDRESS) == "alpha"


def test_nftables_takes_the_place_of_bpf(cluster):
    alpha, = cluster.nodes_on(1)
    alpha.prefix = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"]
    alpha.start()
    alpha.wait_state("ACTIVE")
    assert alpha.status()["node"]["fence"] == "nftables"
    assert "no fence by bpf: it takes CAP_BPF" in alpha.log()


def test_nftables_needs_time(cluster):
    alpha, = cluster.nodes_on(1, fence="nftables", interval="5ms", tolerance="12ms")
    alpha.start(wait=False)
    assert alpha.wait_exit() == 1
    assert "fence = nftables is not possible here" in alpha.log()


def test_lifetimes_end_before_another_claims(cluster, lan, client):
    alpha, beta = pair(cluster, "lifetime", interval="1s", tolerance="3500ms")
    assert not any("lifetimes" in warning for warning in alpha.status()["warnings"])
    with Asker(lan, client) as asker:
        stays(lambda: alpha.host.has(ADDRESS) and alpha.host.has(ADDRESS6), "it is renewed", 2)
        alpha.kill9()
        beta.wait_state("ACTIVE")
        assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
    assert asker.owners() == ["alpha", "beta"]


def test_short_lifetimes_are_late_and_say_so(cluster):
    alpha, beta = pair(cluster, "lifetime")
    assert any("lifetimes" in warning for warning in alpha.status()["warnings"])
    alpha.kill9()
    beta.wait_state("ACTIVE")
    wait_until(lambda: not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6), "they go by themselves", 4)


def test_a_watchdog_alone_is_no_fence(cluster):
    alpha, _ = pair(cluster, "watchdog")
    assert alpha.host.run("tc", "filter", "show", "dev", "eth0", "ingress").stdout == ""
    assert tables(alpha.host) == 0
