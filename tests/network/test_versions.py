# SPDX-License-Identifier: ISC
"""Mixed versions work together: ours and a node of an older and of a newer minor version (other_version.py) hold,
hand over and claim in turn, and a client waits for a tolerance only where one of them dies."""

import pytest

from lan import wait_until
from node import ADDRESS
from other_version import OtherVersion
from test_upkeep import lost

EVERY = 0.005
TOLERANCE = 0.4
# So few are lost that nobody has waited for a tolerance. None at all is more than a responder and a node in Python can
# promise on a busy machine: what test_moves.py shows of ours.
SILENCE = TOLERANCE / EVERY / 2
# 1.0 knew none of section 2.9; a newer one adds extensions, which may be long or empty.
VERSIONS = {"older": (0, []), "newer": (2, [(19, b"from the future" * 40), (0x7fff, b"")])}


def takes(node, *others):
    """It holds the group, and all others know it."""
    def settled():
        return node.is_active() and all(other.state != 2 for other in others)
    wait_until(settled, lambda: f"{node.describe()}; {node.log()}")


def given(node, to):
    wait_until(lambda: node.state() == "STANDBY" and node.group()["holder"] == to.host.name,
               lambda: f"{node.describe()}; {node.log()}")


@pytest.fixture(params=VERSIONS)
def pair(request, cluster, lan):
    """Ours, which holds the group, and how to start the other one."""
    (alpha,) = cluster.nodes_on(1, address=f"{ADDRESS}/24", worth=100, interval="50ms", tolerance=f"{TOLERANCE}s")
    alpha.start()
    alpha.wait_state("ACTIVE")
    host = lan.host("other", 2)
    minor, extensions = VERSIONS[request.param]

    def other(worth):
        return OtherVersion(host, minor, extensions, ADDRESS, worth=worth, tolerance=TOLERANCE)
    return alpha, other


def test_planned_moves_between_versions(pair, client):
    """It joins as the worthier one, loses worth, gains it, leaves; ours stops."""
    alpha, other = pair
    with client.probe(ADDRESS, EVERY) as probe:
        probe.wait_for("alpha")
        with other(200) as beta:
            given(alpha, beta)
            probe.wait_for("other")
            assert alpha.group()["epoch"] == beta.epoch == 2
            beta.worth = 50
            takes(alpha, beta)
            probe.wait_for("alpha")
            assert alpha.group()["epoch"] == 3
            beta.worth = 200
            given(alpha, beta)
            beta.leave()
        takes(alpha)
        probe.wait_for("alpha")
        with other(50) as beta:
            wait_until(lambda: "other would take over" in alpha.group()["next"], "it has listened")
            assert alpha.stop() == 0
            wait_until(lambda: beta.state == 2, "it takes over from ours")
            probe.wait_for("other")
            assert beta.epoch == 6
            assert lost(probe) < SILENCE, "no move waits for a silence"


def test_deaths_between_versions(pair, client):
    """Ours claims when the other one has fallen silent, the other one when ours says its last word, and gives the
    group back to the engine that follows."""
    alpha, other = pair
    with client.probe(ADDRESS, EVERY) as probe:
        with other(200) as beta:
            given(alpha, beta)
            probe.wait_for("other")
        takes(alpha)
        assert alpha.group()["epoch"] == 3 and "was silent" in alpha.group()["reason"]
        with other(50) as beta:
            wait_until(lambda: "other would take over" in alpha.group()["next"], "it has listened")
            alpha.crash_engine()
            probe.wait_for("other")
            takes(alpha, beta)
            probe.wait_for("alpha")
            assert alpha.group()["epoch"] == 5
            assert alpha.dropped("malformed") == alpha.dropped("version") == 0
