# SPDX-License-Identifier: ISC
"""What could let a standby answer, with a test in the place of the engine: the order in which fence and addresses come
and go, whatever happens to devices, and what somebody else puts there."""

import os
import select
import signal
import socket
import struct
import subprocess

import pytest

from keeper_alone import (  # noqa: F401 (the last line: fixtures)
    BOTH, PAUSE, READY, RELEASE, V4, V6, configured, wait_until,
    client, folder, host, keeper)
from test_keeper_fence import OURS, OURS6, filters, freeze, thaw

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

PAUSED = 9
RTM_NEWADDR, RTM_NEWTFILTER = 20, 44
RTMGRP = 1 << (4 - 1) | 1 << (5 - 1)  # RTNLGRP_TC, RTNLGRP_IPV4_IFADDR
WARM = BOTH + "standby = warm\n"


def have(host, *addresses, device="e0"):
    return set(addresses) <= set(host.addresses(device))


def begin(keeper, configuration):
    keeper.start(configuration)
    if not keeper.fenced:
        assert "no fence by bpf" in keeper.log.read_text()
        pytest.skip(keeper.log.read_text())
    keeper.speak(READY)


def local_routes(host):
    return [r["dst"] for r in host.show("route", "show", "table", "local", "proto", "143")]


def left(host):
    """Of the shared addresses, in any form."""
    found = [f"{device} {address}" for device in ("e0", "e1") for address in host.addresses(device)
             if address.startswith((f"{OURS}/", f"{OURS6}/"))]
    return found + local_routes(host)


def answers(client):
    client.ip("neigh flush all")
    return client.run("ping", "-c1", "-W0.3", OURS).returncode == 0 or client.neighbour(OURS) is not None


def leave(keeper):
    """R8: the engine makes room."""
    keeper.process.send_signal(signal.SIGUSR2)
    keeper.hear(PAUSE)


def test_the_last_word_of_an_engine_that_makes_room(keeper, host, client):
    """What it gives up in the end does not stay behind without a fence."""
    begin(keeper, f"{WARM}[group other]\naddress = 10.1.0.101/24\n")
    keeper.hold(0), keeper.hold(1)
    leave(keeper)
    freeze(keeper)  # it hears all of it at once
    keeper.release_in_page(0)
    keeper.speak(RELEASE, 0)
    keeper.speak(PAUSED, number=4)
    keeper.engine_exits(0)
    thaw(keeper)
    assert keeper.process.wait(5) == 0
    assert not left(host) and have(host, "10.1.0.101/32")


@pytest.mark.parametrize("standby", ["cold", "warm"])
def test_a_successor_that_cannot_begin(keeper, host, client, standby):
    """Nobody holds what was left to it."""
    key = keeper.folder / "key"
    key.write_text("aa" * 32)
    key.chmod(0o600)
    configuration = configured("10.1.0.100/24", "fd01::100/64", node=f"key-file = {key}", group=f"standby = {standby}")
    begin(keeper, configuration)
    keeper.hold()
    leave(keeper)
    keeper.speak(PAUSED, number=4)
    keeper.engine_exits(0)
    assert keeper.process.wait(5) == 0
    assert have(host, V4, V6)
    key.write_text("no key")
    assert keeper.refused(configuration)[0] != 0
    assert not left(host) and filters(host) == [0, 0]


def test_many_groups_on_a_device_with_another_name(keeper, host, client):
    groups = "".join(f"[group g{n}]\naddress = 10.9.0.{n}/32 dev e1\nstandby = warm\n" for n in range(1, 151))
    begin(keeper, f"[node]\nname = a\ninterface = e0\n{groups}")

    def count(device):
        return sum(address.startswith("10.9.0.") for address in host.addresses(device))
    wait_until(lambda: count("e1") == 150, "all of them are there")
    host.ip("link set e1 down", "link set e1 name lan1", "link set lan1 up")
    wait_until(lambda: count("lan1") == 0, lambda: f"{count('lan1')} of them went along")


def order(monitor, device):
    """Whether the kernel told of the fence (F) and of an address (A) of a device, one after the other."""
    told = ""
    while select.select([monitor], [], [], 0)[0]:
        data = monitor.recv(65536)
        while len(data) >= 16:
            size, kind = struct.unpack("=IH", data[:6])
            index = struct.unpack("=i", data[20:24])[0]  # so in both kinds of messages
            if index == device and kind in (RTM_NEWADDR, RTM_NEWTFILTER):
                told += "A" if kind == RTM_NEWADDR else "F"
            data = data[(size + 3) & ~3:]
    return told


def test_a_device_that_comes_anew_has_the_fence_first(keeper, host, client):
    begin(keeper, configured("10.1.0.100/24 dev e1", "10.1.0.101/24", group="standby = warm"))
    wait_until(lambda: have(host, V4, device="e1"), "it is there")
    for _ in range(3):
        freeze(keeper)  # it hears of both at once
        host.ip("link delete e1")
        subprocess.run(["ip", "link", "add", "e1", "netns", host.name, "type", "veth",
                        "peer", "name", "e1", "netns", client.name], check=True)
        with host.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as monitor:
            monitor.bind((0, RTMGRP))
            host.ip("link set e1 up")
            thaw(keeper)
            wait_until(lambda: have(host, V4, device="e1") and filters(host, "e1") == [1, 1], "both are there")
            told = order(monitor, host.show("link", "show", "dev", "e1")[0]["ifindex"])
            assert told.startswith("FF") and told.strip("F") == "A", told


@pytest.mark.parametrize("node, form", [("ipv4-as = route", 32), ("", 24)], ids=["route", "address"])
def test_what_somebody_else_puts_there_goes_as_well(keeper, host, client, node, form):
    """The same address once more: behind the fence, and gone with ours."""
    begin(keeper, configured("10.1.0.100/24", node=node, group="standby = warm"))
    wait_until(lambda: local_routes(host) == [OURS] if node else have(host, V4), "it is there")
    host.ip(f"address add {OURS}/{form} dev e0")
    assert not answers(client)
    keeper.hold()
    wait_until(lambda: answers(client), "it answers")
    host.ip(f"address replace {OURS}/{form} dev e0")
    keeper.release_group()
    assert not answers(client)
    host.ip(f"address replace {OURS}/{form} dev e0")
    keeper.stop()
    assert not left(host)


def test_what_somebody_else_puts_beside_a_local_route_of_a_cold_one(keeper, host, client):
    begin(keeper, configured("10.1.0.100/24", node="ipv4-as = route"))
    keeper.hold()
    host.ip(f"address add {V4} dev e0")
    keeper.release_group()
    assert not left(host) and not answers(client)
