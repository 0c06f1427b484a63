# SPDX-License-Identifier: ISC
"""kill -9 at any moment, in a cluster. What the keeper makes of it is in test_keeper_engine.py."""

import os
import random
import time

from node import ADDRESS, ADDRESS6, start, wait_holder

def test_a_node_that_is_killed_on_its_way_to_a_group_leaves_it_to_the_other(cluster, client):
    """alpha is worthier: from each start on it listens, asks, takes over."""
    chance = random.Random(os.getpid())
    alpha, beta = cluster.nodes_on(1, 2, interval="20ms", tolerance="100ms")
    alpha.change(worth=200)
    start(alpha, beta)
    wait_holder(alpha, beta)
    for _ in range(8):
        alpha.kill_engine()
        assert not alpha.host.has(ADDRESS) and not alpha.host.has(ADDRESS6)
        beta.wait_state("ACTIVE")
        alpha.start()
        time.sleep(chance.uniform(0, 0.3))
    wait_holder(alpha, beta)
    assert client.ask(ADDRESS) == "alpha" and not beta.host.has(ADDRESS)
