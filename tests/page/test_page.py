# SPDX-License-Identifier: ISC
"""The status page in a real browser: `make test-page`. Pictures of it stay in $HA_PICTURES, to be looked at."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "network"))

from browser import Browser  # noqa: E402
from conftest import client, cluster, folder, lan, second_lan  # noqa: E402, F401: fixtures
from exporter import Exporter  # noqa: E402
from lan import wait_until  # noqa: E402
from node import let_pass, start, wait_holder  # noqa: E402

PICTURES = pathlib.Path(os.environ.get("HA_PICTURES", "/dev/shm/ha-reports"))
URL = "http://127.0.0.1:9955/"
LOOKS = {"light": (1100, 1500, "light"), "dark": (1100, 1500, "dark"), "phone": (390, 844, "light")}


@pytest.fixture
def page(cluster, lan, client):  # noqa: F811
    """A cluster of three with two groups in which something has happened; its node with the exporter."""
    groups = {"web": {"address": ["10.77.0.100/24", "fd77::100/64"], "worth": 100},
              "mail": {"address": "10.77.0.101/24", "worth": 100}}
    nodes = alpha, beta, gamma = [
        cluster.node(lan.host(name, number), groups={name: dict(group) for name, group in groups.items()})
        for name, number in [("alpha", 1), ("beta", 2), ("gamma", 3)]]
    beta.groups["mail"].update(worth=200, check="tcp 127.0.0.1:9955 name=page lower=10 interval=50ms")
    start(*nodes)
    wait_holder(beta, alpha, gamma, group="mail")
    for node in nodes:
        assert client.ask(node.host.address) == node.name
    exporter = Exporter(beta)
    alpha.kill9()
    wait_holder(beta, gamma, group="web")
    lan.cut(beta.host, gamma.host)
    wait_until(lambda: beta.peer("gamma").get("hears_me") is False, "a one-way link")
    yield beta
    assert exporter.stop() == 0
    alpha.start()  # takes down what its last life left behind


def wait_text(browser, part):
    wait_until(lambda: part in browser.text(), lambda: f"{part!r} is on the page:\n{browser.text()}")


def test_the_page(page, lan, tmp_path):  # noqa: F811
    with Browser(page.host, tmp_path / "profile") as browser:
        browser.open(URL)
        for part in ["beta", "web", "mail", "held by beta", "Next:", "Views differ", "alpha was silent for",
                     "neighbours acknowledged", "10.77.0.100/24", "median", "gone"]:
            wait_text(browser, part)
        assert browser.evaluate("document.getElementById('link').textContent") == "live"
        assert browser.evaluate("document.querySelectorAll('svg rect').length") > 4
        # what happens shows by itself
        lan.heal()
        wait_text(browser, "gamma (10.77.0.3) hears this node again")
        wait_until(lambda: "Views differ" not in browser.text(), browser.text)
        assert page.stop() == 0
        wait_text(browser, "the daemon does not answer")
        assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        complaints = [c for c in browser.complaints if "status of 503" not in str(c)]
        assert not complaints, complaints
        page.start()


def test_heartbeat_interfaces(cluster, lan, second_lan, tmp_path):  # noqa: F811
    """Of several, the page tells each of this node's, and by which a peer was heard when."""
    nodes = alpha, beta = cluster.nodes_on(1, 2, interface=["eth0", "eth1"])
    for number, node in enumerate(nodes, 1):
        second_lan.attach(node.host, "eth1", number)
    start(*nodes)
    wait_holder(alpha, beta)
    exporter = Exporter(beta)
    with Browser(beta.host, tmp_path / "profile") as browser:
        browser.open(URL)
        wait_text(browser, "eth0 is up · eth1 is up")
        wait_text(browser, "ago (eth0 ")
        lan.part([alpha.host], [beta.host])
        wait_text(browser, "alpha is not heard by eth0")
    assert exporter.stop() == 0


def test_pictures(page, tmp_path):
    """To be looked at. On a phone nothing is wider than the screen."""
    with Browser(page.host, tmp_path / "profile") as browser:
        for look, (width, height, scheme) in LOOKS.items():
            browser.look(width, height, scheme, phone=look == "phone")
            browser.open(URL)
            wait_text(browser, "alpha was silent for")
            wait_text(browser, "median")
            assert browser.evaluate("document.documentElement.scrollWidth") <= width
            let_pass(2.2)  # the highlighting of what is new fades
            browser.picture(PICTURES / f"page-{look}.png")
