# SPDX-License-Identifier: ISC
"""Nobody serves who should not: two nodes with the fence in the kernel, frozen and killed in every way, and a
client that asks for the shared address by ARP every millisecond."""

import collections
import os
import signal
import socket
import threading
import time

import pytest

from frames import ETHERTYPE_ARP, NO_MAC, REPLY, REQUEST, Arp, decode_arp
from lan import stays, wait_until
from node import ADDRESS, ADDRESS6, start, wait_holder


class Asker:
    """Asks every millisecond, and keeps whose hardware address answered, in order."""

    def __init__(self, lan, client):
        self.lan, self.answers = lan, []
        self.socket = client.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP))
        self.socket.bind(("eth0", ETHERTYPE_ARP))
        mac = client.macs["eth0"]
        self.frame = Arp(REQUEST, mac, client.address, NO_MAC, ADDRESS).encode()
        self.client = client.address
        self.running = True
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._ask, self._hear)]

    def _ask(self):
        while self.running:
            self.socket.send(self.frame)
            time.sleep(0.001)

    def _hear(self):
        self.socket.settimeout(0.1)
        while self.running:
            try:
                frame = decode_arp(self.socket.recv(200))
            except TimeoutError:
                continue
            if frame and (frame.operation, frame.sender, frame.target) == (REPLY, ADDRESS, self.client):
                self.answers.append((time.monotonic(), self.lan.name_of(frame.sender_mac)))

    def owners(self):
        """Who answered, one after the other."""
        names = [name for _, name in self.answers]
        return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]

    def count(self, name, since=0.0):
        return sum(1 for at, who in self.answers if who == name and at >= since)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        for thread in self.threads:
            thread.join()
        self.socket.close()


def need_fence(node):
    if node.status()["node"]["fence"] != "bpf":
        pytest.skip("no fence in the kernel")


@pytest.fixture
def pair(pair):
    need_fence(pair[0])
    return pair


def freeze(node, which):
    pids = {"engine": [node.engine_pid()], "keeper": [node.process.pid]}
    pids["both"] = pids["engine"] + pids["keeper"]
    for pid in pids[which]:
        os.kill(pid, signal.SIGSTOP)
    return pids[which]


def test_status_names_it(pair):
    alpha, beta = pair
    assert beta.status()["node"]["fence"] == "bpf"
    assert "fence bpf" in alpha.cli("status").stdout


@pytest.mark.parametrize("which", ["engine", "both"])
def test_a_frozen_holder_is_silent_before_another_claims(pair, lan, client, which):
    alpha, beta = pair
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        frozen = freeze(alpha, which)
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        if which == "both":
            assert alpha.host.has(ADDRESS), "nobody could take it down, and yet"
        stays(lambda: asker.owners() == ["alpha", "beta"], "each in its turn", 2)
        # its own address is not concerned
        assert client.run("ping", "-c1", "-W1", alpha.host.address).returncode == 0
        assert client.ask(ADDRESS6) == "beta"
        awake = time.monotonic()
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not alpha.host.has(ADDRESS), "it is taken down")
        assert asker.owners() == ["alpha", "beta"], "not a single answer under the old claim"
        wait_holder(alpha, beta)  # by a claim of its own
        wait_until(lambda: asker.count("alpha", awake) > 50, "alpha answers again")
        # While it is handed over both may answer, but alpha did not before it asked for it.
    assert asker.owners()[:3] == ["alpha", "beta", "alpha"]
    assert beta.group()["transitions"] == 2


def test_a_frozen_keeper_does_not_end_the_service(pair, lan, client):
    alpha, beta = pair
    with Asker(lan, client) as asker:
        (keeper,) = freeze(alpha, "keeper")
        stays(lambda: alpha.is_active() and beta.state() == "STANDBY", "nothing moves", 2)
        assert asker.owners() == ["alpha"] and client.ask(ADDRESS6) == "alpha"
        os.kill(keeper, signal.SIGCONT)


def test_a_frozen_keeper_cannot_keep_what_is_handed_over(pair, lan, client, cluster):
    """The engine closes the fence for what it gives up, since the addresses stay where they are."""
    alpha, beta = pair
    gamma = cluster.node(lan.host("gamma", 3), worth=300)
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        (keeper,) = freeze(alpha, "keeper")
        gamma.start()
        gamma.wait_state("ACTIVE")
        # the handover itself has a moment in which both serve
        wait_until(lambda: asker.answers[-1][1] == "gamma" and asker.count("gamma") > 50, "gamma answers")
        since = time.monotonic()
        assert alpha.host.has(ADDRESS)
        stays(lambda: asker.count("alpha", since) == 0, "alpha is silent", 1)
        os.kill(keeper, signal.SIGCONT)
        wait_until(lambda: not alpha.host.has(ADDRESS), "it is taken down")
    assert asker.count("alpha", since) == 0


@pytest.mark.parametrize("killed", ["both", "keeper"])
def test_the_addresses_of_a_killed_keeper_are_silent(pair, lan, client, killed):
    alpha, beta = pair
    with Asker(lan, client) as asker:
        wait_until(lambda: asker.count("alpha") > 50, "alpha answers")
        if killed == "both":
            alpha.kill9()
        else:
            alpha.process.kill()
            alpha.process.wait()
        beta.wait_state("ACTIVE")
        wait_until(lambda: asker.count("beta") > 50, "beta answers")
        stays(lambda: asker.owners() == ["alpha", "beta"], "each in its turn", 1)
        # An engine that is left tells the others; nobody is left to tell them of both.
        assert ("gave it up" if killed == "keeper" else "silent") in beta.group()["reason"]
        assert alpha.host.has(ADDRESS) and alpha.host.has(ADDRESS6)
        assert client.ask(ADDRESS6) == "beta"
        assert client.run("ping", "-c1", "-W1", alpha.host.address).returncode == 0
    assert "released" in alpha.cli("release").stdout
    assert not alpha.host.has(ADDRESS)
    assert collections.Counter(asker.owners()) == {"alpha": 1, "beta": 1}


def test_a_cluster_at_short_intervals(cluster, lan, client):
    """20 ms of margin at most: what is fenced is fenced in time."""
    alpha, beta = cluster.nodes_on(1, 2, interval="20ms", tolerance="100ms")
    alpha.change(worth=200)
    alpha.groups["main"]["hold_down"] = "0ms"  # it loses the group again and again
    start(alpha, beta)
    wait_holder(alpha, beta)
    need_fence(alpha)
    for _ in range(5):
        with Asker(lan, client) as asker:
            wait_until(lambda a=asker: a.count("alpha") > 20, "alpha answers")
            frozen = freeze(alpha, "both")
            wait_until(lambda a=asker: a.count("beta") > 20, "beta answers")
            assert asker.owners() == ["alpha", "beta"]
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        wait_holder(alpha, beta)
