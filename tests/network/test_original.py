# SPDX-License-Identifier: ISC
"""A roll-over from the original program (protocol = original): its nodes and ours share an address, and
never two hold it."""

import threading
import time

import pytest

from lan import stays, wait_until
from node import ADDRESS, start
from original import Original

KEYS = {"protocol": "original", "port": 5556, "address": [f"{ADDRESS}/24"]}


class HolderWatch:
    """Looks all the time who has the address."""

    def __init__(self, *hosts):
        self.hosts, self.both, self.seen = hosts, [], []
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            holders = [host.name for host in self.hosts if host.has(ADDRESS)]
            # Looked at one after the other: only one who has it still counts.
            holders = [host.name for host in self.hosts if host.name in holders and host.has(ADDRESS)]
            if len(holders) > 1:
                self.both.append(holders)
            time.sleep(0.005)

    def close(self):
        self.running = False
        self.thread.join()
        assert not self.both, f"two held the address: {self.both}"


@pytest.fixture
def originals():
    """A function that starts the original on a host."""
    made = []

    def start_on(host):
        made.append(Original(host, ADDRESS))
        return made[-1]

    yield start_on
    for original in made:
        if original.running:
            original.close()


@pytest.fixture
def watch():
    made = []

    def begin(*hosts):
        made.append(HolderWatch(*hosts))

    yield begin
    for watched in made:
        watched.close()


def test_lower_new_node_takes_over_from_an_original(cluster, lan, client, originals, watch):
    alpha, host = cluster.node(lan.host("alpha", 1), **KEYS), lan.host("beta", 2)
    beta = originals(host)
    wait_until(lambda: client.ask(ADDRESS) == "beta", "the original serves")
    watch(alpha.host, host)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("beta")
        start(alpha)
        probe.wait_for("alpha")
        stays(lambda: not beta.active, "the original hears a worthier one", 1)
        alpha.crash_engine()
        alpha.wait_state("ACTIVE")
        alpha.stop()
        probe.wait_for("beta")
    assert probe.hosts()[:2] == ["beta", "alpha"] and probe.hosts()[-1] == "beta"


def test_lower_original_goes_first(cluster, lan, client, originals, watch):
    host, beta = lan.host("alpha", 1), cluster.node(lan.host("beta", 2), **KEYS)
    start(beta)
    beta.wait_state("ACTIVE")
    watch(host, beta.host)
    with client.probe(ADDRESS) as probe:
        probe.wait_for("beta")
        alpha = originals(host)
        probe.wait_for("alpha")
        beta.wait_reason("10.77.0.1, which runs the original program")
        stays(lambda: alpha.active, "nobody takes it from the original", 1)
        alpha.close()
        probe.wait_for("beta")
    assert probe.hosts() == ["beta", "alpha", "beta"]


def test_addresses_compare_as_text(cluster, lan, client, originals, watch):
    """10.77.0.10 comes before 10.77.0.9 for the original, so it must for us."""
    ten, nine = cluster.node(lan.host("ten", 10), **KEYS), lan.host("nine", 9)
    start(ten)
    ten.wait_state("ACTIVE")
    watch(ten.host, nine)
    original = originals(nine)
    wait_until(lambda: ten.host.address in original.heard, "the original hears us")
    stays(lambda: ten.is_active() and not original.active, "the original gives way", 1)
    assert lan.answering(client, ADDRESS) == {"ten"}


def test_roll_over_of_three(cluster, lan, client, originals, watch):
    """Originals on three hosts, replaced one by one; the address is always somebody's, and only one's."""
    hosts = [lan.host(name, number) for name, number in [("alpha", 1), ("beta", 2), ("gamma", 3)]]
    old = [originals(host) for host in hosts]
    wait_until(lambda: client.ask(ADDRESS) == "alpha", "the lowest original serves")
    watch(*hosts)
    new = []
    for original, host in reversed(list(zip(old, hosts))):
        original.close()
        new.append(cluster.node(host, **KEYS).start())
    new[-1].wait_state("ACTIVE")
    wait_until(lambda: lan.answering(client, ADDRESS) == {"alpha"}, "alpha alone answers")
    for node in new[:-1]:
        node.wait_state("STANDBY")


def test_impossible_configurations_are_refused(cluster, lan):
    node = cluster.node(lan.host("alpha", 1), protocol="original")
    node.start(wait=False)
    assert node.wait_exit() == 2
    assert "port = 5556" in node.log()
