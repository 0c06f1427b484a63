# SPDX-License-Identifier: ISC
"""The fixtures of the network tests, and the promise that is checked after each of them: every node
that still runs stops politely, with exit status 0, and leaves no shared address on its host.

A machine that stands still for longer than a tolerance makes nodes take each other for dead, rightly. So
a test that fails while the machine stood still is repeated, and says so."""

import os
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import time

import pytest
from _pytest.runner import runtestprotocol

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import lan as lan_module  # noqa: E402
import node as node_module  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: loads the machine, or asks for all of it: not beside other tests")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="network namespaces need root"))


class Cluster:
    """The nodes of a test on its LAN."""

    def __init__(self, lan, folder):
        self.lan, self.folder = lan, folder
        self.nodes = []
        self.kept_logs = None

    def node(self, host, **keys):
        """A node that is not started yet; see node.Node for the keys."""
        node = node_module.Node(self.folder, host, **keys)
        self.nodes.append(node)
        return node

    def nodes_on(self, *numbers, **keys):
        """Hosts alpha, beta, gamma ... with these numbers, a node on each."""
        names = ["alpha", "beta", "gamma", "delta", "epsilon"]
        return [self.node(self.lan.host(name, number), **keys)
                for name, number in zip(names, numbers)]

    def logs(self):
        """Of all nodes; kept when the fixture ends, as their folder goes before the report is made."""
        return self.kept_logs or [(node.name, node.log()) for node in self.nodes]

    def stop(self):
        """Stops all that still run; what they did wrong in that. Those that hold nothing go first: a
        holder would offer its groups to somebody who leaves too, and wait for an answer."""
        running = [node for node in self.nodes if node.is_running()]
        holders = [node for node in running if node.holds_any()]
        complaints = []
        for wave in ([node for node in running if node not in holders], holders):
            for node in wave:
                node.ask_to_stop()
            complaints += [complaint for node in wave for complaint in self._await_end(node)]
        return complaints

    def _await_end(self, node):
        try:
            status = node.wait_exit(15)
        except Exception:
            node.kill9()
            return [f"{node.name} does not stop"]
        if status != 0:
            return [f"{node.name} stopped with exit status {status}"]
        if not os.path.exists(node.host.path):
            return []
        shared = {word.split("/")[0] for group in node.groups.values()
                  for word in as_list(group["address"])}
        left = shared & set(node.host.addresses())
        return [f"{node.name} left {' and '.join(left)} behind"] if left else []


def as_list(value):
    return value if isinstance(value, list) else [value]


@pytest.fixture
def lan():
    with lan_module.Lan() as lan:
        yield lan


@pytest.fixture
def second_lan():
    with lan_module.Lan(second=True) as lan:
        yield lan


@pytest.fixture
def client(lan):
    return lan.host("client", 250)


@pytest.fixture
def folder():
    """A folder that the engine's user can enter: hooks run as that user."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="ha-network-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def cluster(lan, folder, request):
    cluster = request.node.cluster = Cluster(lan, folder)
    yield cluster
    complaints = cluster.stop()
    cluster.kept_logs = cluster.logs()
    assert not complaints, complaints


@pytest.fixture
def alpha(cluster):
    """One node, which is not started yet."""
    (alpha,) = cluster.nodes_on(1)
    return alpha


@pytest.fixture
def pair(cluster, client):
    """Two nodes; alpha is the worthier and holds the addresses."""
    alpha, beta = cluster.nodes_on(1, 2)
    alpha.change(worth=200)
    node_module.start(alpha, beta)
    node_module.wait_holder(alpha, beta)
    return alpha, beta


STILL_SECONDS = 0.15  # a stall that can matter where the tolerance is 350 ms
ATTEMPTS = 3


class StallWatch:
    """Notices when this process does not run in time. The longest delay, in seconds."""

    def __init__(self):
        self.longest = 0.0
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while self.running:
            before = time.monotonic()
            time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - before - 0.01)

    def stop(self):
        self.running = False
        self.thread.join()
        return self.longest


def stood_still(item, watched):
    """For how long the machine did, as this process or one of the nodes noticed."""
    cluster = getattr(item, "cluster", None)
    logs = "".join(log for _, log in cluster.logs()) if cluster else ""
    told = [int(ms) / 1000 for ms in re.findall(r"this node did not run for (\d+) ms", logs)]
    return max([watched, *told])


def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in range(1, ATTEMPTS + 1):
        watch = StallWatch()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        watched = watch.stop()
        if not any(report.failed for report in reports) or attempt == ATTEMPTS:
            break
        still = stood_still(item, watched)
        if still < STILL_SECONDS:
            break
        item.warn(pytest.PytestWarning(
            f"{item.nodeid}: once more, because the machine stood still for {still * 1000:.0f} ms"))
        item._initrequest()
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    cluster = getattr(item, "cluster", None)
    if cluster and outcome.get_result().failed:
        for name, log in cluster.logs():
            outcome.get_result().sections.append((f"log of {name}", log))
