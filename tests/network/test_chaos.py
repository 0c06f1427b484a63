# SPDX-License-Identifier: ISC
"""Everything at once: faults in random order on five nodes, then peace. Whatever happened, the worthiest
holds the addresses in the end, alone, and the client reaches it."""

import os
import random
import time

import pytest

from lan import wait_until
from node import ADDRESS, ADDRESS6, start, wait_holder

pytestmark = pytest.mark.alone

SEED = int(os.environ.get("HA_CHAOS_SEED", "0")) or random.randrange(1, 1 << 31)
SECONDS = float(os.environ.get("HA_CHAOS_SECONDS", "10"))


class Chaos:
    def __init__(self, lan, nodes):
        self.lan, self.nodes = lan, nodes
        self.random = random.Random(SEED)
        self.story = []
        self.unplugged = set()

    def step(self):
        node = self.random.choice(self.nodes)
        other = self.random.choice([n for n in self.nodes if n is not node])
        fault = self.random.choice([self.kill, self.stop, self.again, self.again, self.plug, self.cut,
                                    self.cut_multicast, self.part, self.heal, self.remove])
        self.story.append(f"{fault.__name__} {node.name} {other.name}")
        fault(node, other)

    def kill(self, node, _):
        if node.is_running():
            node.kill_engine()
            node.wait_exit()

    def stop(self, node, _):
        if node.is_running():
            node.stop()

    def again(self, node, _):
        if not node.is_running():
            node.start(wait=False)

    def plug(self, node, _):
        if node in self.unplugged:
            self.lan.cable_in(node.host)
            self.unplugged.discard(node)
        else:
            self.lan.cable_out(node.host)
            self.unplugged.add(node)

    def cut(self, node, other):
        self.lan.cut(node.host, other.host)

    def cut_multicast(self, node, other):
        self.lan.cut_multicast(node.host, other.host)

    def part(self, node, other):
        self.lan.part([node.host, other.host], [n.host for n in self.nodes if n not in (node, other)])

    def heal(self, *_):
        self.lan.heal()

    def remove(self, node, _):
        if node.host.has(ADDRESS):
            node.host.run("ip", "address", "delete", f"{ADDRESS}/32", "dev", "eth0", check=False)

    def peace(self):
        self.lan.heal()
        for node in list(self.unplugged):
            self.plug(node, None)
        for node in self.nodes:
            self.again(node, None)


def test_peace_after_chaos(cluster, lan, client):
    nodes = cluster.nodes_on(1, 2, 3, 4, 5, interval="50ms", **{"removed-limit": 30})
    for rank, node in enumerate(nodes):
        node.change(worth=200 - rank)
    start(*nodes)
    wait_holder(*nodes)
    chaos = Chaos(lan, nodes)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        chaos.step()
        time.sleep(chaos.random.choice([0.01, 0.05, 0.1, 0.3, 0.5]))
    chaos.peace()
    print(f"HA_CHAOS_SEED={SEED}:", ", ".join(chaos.story))
    wait_holder(*nodes, timeout=30)
    for address in (ADDRESS, ADDRESS6):
        wait_until(lambda a=address: client.ask(a) == "alpha", lambda: "alpha answers")
        assert lan.cached(client, address) == "alpha"
        assert lan.answering(client, address) == {"alpha"}
    moved = [node.group()["transitions"] for node in nodes]
    time.sleep(1)
    assert [node.group()["transitions"] for node in nodes] == moved
