# SPDX-License-Identifier: ISC
"""ha-keeper with long lists of addresses: all come, all answer, all go, whatever happens on the way."""

import ipaddress
import os
import pathlib
import re
import select
import signal
import socket
import time

import pytest

from keeper_alone import (  # noqa: F401 (fixtures)
    EXPIRED, FRAME, HELD, HOLD, LEASE_S, READY, RELEASE, RELEASED, REMOVED, RESTORE, ROOT, TARGET, client, folder, host, keeper,
    WILL, wait_until,
)

pytestmark = pytest.mark.alone

LIMITS = (pathlib.Path(ROOT) / "src/base/limits.h").read_text()


def limit(name):
    return int(re.search(rf"#define {name}\s+(\d+)", LIMITS)[1])


ADDRESSES, GROUPS = min(limit("ADDRESSES_MAX"), 10000), min(limit("GROUPS_MAX"), 10000)


def v4(count):
    return [str(ipaddress.IPv4Address("10.1.64.0") + i) for i in range(count)]


def v6(count):
    return [str(ipaddress.IPv6Address("fd01::1:0") + i) for i in range(count)]


def configured(*groups, node=""):
    text = [f"[node]\nname = a\ninterface = e0\n{node}"]
    for number, addresses in enumerate(groups):
        text.append(f"[group g{number}]")
        text += [f"address = {address}" for address in addresses]
    return "\n".join(text) + "\n"


def local_routes(host):
    return host.show("route", "show", "table", "local", "proto", "143")


def there(host):
    """Every shared address that the kernel has, in whatever form."""
    listed = {a["local"] for link in host.show("address") for a in link["addr_info"]}
    routes = {route["dst"] for route in local_routes(host)}
    own = {a for a in listed if a.startswith(("127.", "::1", "fe80:")) or a in ("10.1.0.1", "fd01::1")}
    return (listed - own) | routes


def hear_until(keeper, verb, index=0):
    """Every message up to and with that one, but for frames and targets."""
    heard = []
    while not heard or heard[-1][:2] != (verb, index):
        message = keeper.hear_any(20)
        assert message, f"no message {verb} {index} after {heard}"
        if message[0] not in (FRAME, TARGET):
            heard.append(message)
    return heard


def hold(keeper, group=0):
    keeper.speak(HOLD, group, number=1)
    return hear_until(keeper, HELD, group)


class Announced:
    """The addresses whose ARP announcements arrive at the client."""

    def __init__(self, client):
        self.socket = client.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.socket.bind(("e0", 0x0806))

    def read(self):
        order = {}
        while select.select([self.socket], [], [], 0)[0]:
            frame = self.socket.recv(128)
            if frame[28:32] == frame[38:42]:
                order.setdefault(str(ipaddress.IPv4Address(frame[28:32])))
        return list(order)

    def close(self):
        self.socket.close()


@pytest.fixture
def announced(client):  # noqa: F811
    announced = Announced(client)
    yield announced
    announced.close()


def answers(client, address):  # noqa: F811
    family = "-6" if ":" in address else "-4"
    return client.run("ping", family, "-c1", "-W1", address).returncode == 0


@pytest.fixture
def reaching(client):  # noqa: F811
    """The client takes all of them for neighbours."""
    client.ip("route add 10.1.0.0/16 dev e0")
    return client


def test_a_long_list_is_there_announced_in_order_and_gone_again(keeper, host, reaching, announced):  # noqa: F811
    addresses = v4(ADDRESSES)
    keeper.start(configured(addresses))
    for _ in range(2):
        hold(keeper)
        assert there(host) == set(addresses)
        assert announced.read() == addresses, "each once at least, in their order"
        assert all(answers(reaching, address) for address in (addresses[0], addresses[-1]))
        keeper.speak(RELEASE, 0)
        hear_until(keeper, RELEASED)
        assert there(host) == set()
    keeper.stop()


def test_ipv6_is_waited_for_and_does_not_hold_up_the_rest(keeper, host, client, announced):  # noqa: F811
    count = min(1000, ADDRESSES // 2)
    keeper.start(configured(v6(count) + v4(count)))
    hold(keeper)
    assert there(host) == set(v6(count) + v4(count))
    tentative = {a["local"] for link in host.show("address") for a in link["addr_info"] if a.get("tentative")}
    assert not tentative & set(v6(count))
    assert answers(client, v6(count)[-1])
    assert len(announced.read()) == count
    keeper.stop()
    assert there(host) == set()


def test_the_first_of_a_long_ipv6_list_is_announced_before_the_others_come(keeper):  # noqa: F811
    keeper.start(configured(v6(min(1000, ADDRESSES))))
    parts = []
    for _ in range(3):  # one of which the kernel's work queue is not kept from running
        begin = time.monotonic()
        _, _, announced_after, *_ = hold(keeper)[-1]
        parts.append(10e-6 * announced_after / (time.monotonic() - begin))  # CHANNEL_HELD_UNIT_NS
        keeper.speak(RELEASE, 0)
        hear_until(keeper, RELEASED)
    assert 0 < min(parts) < 0.5, f"parts of the whole that passed before the first announcement: {parts}"
    keeper.stop()


@pytest.mark.parametrize("form, arp_ignore, as_routes", [
    ("auto", 0, False), ("auto", 1, False), ("route", 0, True), ("address", 0, False)])
def test_the_form_may_be_chosen(keeper, host, client, form, arp_ignore, as_routes):  # noqa: F811
    host.sysctl("ipv4/conf/e0/arp_ignore", arp_ignore)
    keeper.start(configured(["10.1.0.100/24", "10.1.0.101"], node=f"ipv4-as = {form}"))
    hold(keeper)
    assert there(host) == {"10.1.0.100", "10.1.0.101"}
    assert len(local_routes(host)) == (2 if as_routes else 0)
    assert answers(client, "10.1.0.100") and client.neighbour("10.1.0.100") == host.mac()
    assert host.source_for("10.1.0.2") == "10.1.0.1", "the source of outgoing connections stays"
    keeper.stop()
    assert there(host) == set()


@pytest.mark.skipif(ADDRESSES <= 256, reason="no list is long enough")
def test_a_device_that_would_not_answer_for_routes_gets_addresses(keeper, host):  # noqa: F811
    host.sysctl("ipv4/conf/all/arp_ignore", 1)
    keeper.start(configured(v4(300)))
    hold(keeper)
    assert local_routes(host) == [] and there(host) == set(v4(300))
    assert "arp_ignore" in keeper.log.read_text()
    keeper.stop()


def test_a_local_route_that_somebody_removes_is_told_and_put_back(keeper, host, client):  # noqa: F811
    keeper.start(configured(["10.1.0.100", "10.1.0.101"], node="ipv4-as = route"))
    hold(keeper)
    host.ip("route del local 10.1.0.101 table local")
    assert keeper.hear(REMOVED, 1)
    keeper.speak(RESTORE, 1)
    wait_until(lambda: len(local_routes(host)) == 2, "it is put back")
    assert answers(client, "10.1.0.101")
    host.ip("addr flush dev e0 scope global")  # with the last address the kernel drops the routes, silently
    assert sorted(keeper.hear_any()[1] for _ in range(2)) == [0, 1]
    keeper.stop()


def test_somebody_elses_local_routes_stay(keeper, host):  # noqa: F811
    host.ip("route add local 10.1.0.100 dev e0 table local proto static metric 7",
            "route add local 10.9.0.0/24 dev lo table local")
    keeper.start(configured(["10.1.0.100"], node="ipv4-as = route"))
    hold(keeper)
    keeper.stop()
    kept = host.show("route", "show", "table", "local")
    assert {r["dst"] for r in kept} >= {"10.1.0.100", "10.9.0.0/24"} and local_routes(host) == []


def test_a_release_on_the_way_up_leaves_nothing(keeper, host):  # noqa: F811
    keeper.start(configured(v4(ADDRESSES - 1), ["10.1.0.100"]))
    for _ in range(3):
        keeper.speak(HOLD, 0, number=1)
        keeper.speak(RELEASE, 0)
        heard = hear_until(keeper, RELEASED, 0)
        assert there(host) == set()
        assert [m[0] for m in heard] in ([RELEASED], [HELD, RELEASED])
    hold(keeper)
    assert len(there(host)) == ADDRESSES - 1
    keeper.stop()


def test_a_short_group_does_not_wait_for_a_long_one_to_go_up(keeper, host):  # noqa: F811
    keeper.start(configured(v4(ADDRESSES - 2), ["10.1.0.100"], ["10.1.0.101"]))
    hold(keeper, 1)
    keeper.process.send_signal(signal.SIGSTOP)  # so that it finds both
    keeper.speak(HOLD, 0, number=1)
    keeper.speak(RELEASE, 1)
    keeper.process.send_signal(signal.SIGCONT)
    heard = [m[:2] for m in hear_until(keeper, HELD, 0)]
    assert heard == [(RELEASED, 1), (HELD, 0)], "what goes down comes first"
    keeper.stop()


def test_a_lease_that_ends_on_the_way_up_ends_it(keeper, host):  # noqa: F811
    keeper.start(configured(v4(ADDRESSES)), lease=LEASE_S)
    hold(keeper)
    keeper.speak(RELEASE, 0)
    hear_until(keeper, RELEASED)
    keeper.store_lease(0.002)
    keeper.speak(HOLD, 0, number=2)
    hear_until(keeper, EXPIRED)
    assert there(host) == set()
    keeper.store_lease(LEASE_S)
    hold(keeper)
    assert len(there(host)) == ADDRESSES
    keeper.stop()


def test_what_a_killed_keeper_left_in_the_middle_goes(keeper, host):  # noqa: F811
    addresses = v4(ADDRESSES - 100) + v6(100)
    keeper.start(configured(addresses))
    keeper.speak(HOLD, 0, number=1)
    wait_until(lambda: there(host), "the first are there")
    keeper.process.kill()
    keeper.process.wait()
    keeper.engine.close()
    keeper.drop_engine()
    left = there(host)
    status, told = keeper.release(configured(addresses))
    assert status == 0 and there(host) == set()
    assert {line.split()[1] for line in told.splitlines()} == left
    assert local_routes(host) == []


def test_many_groups_are_held_and_released_one_by_one(keeper, host):  # noqa: F811
    addresses = v4(GROUPS)
    keeper.start(configured(*([address] for address in addresses)))
    for group in range(GROUPS):
        keeper.speak(HOLD, group, number=group + 7)
    held = hear_until(keeper, HELD, GROUPS - 1)
    assert [(m[0], m[1], m[3]) for m in held] == [(HELD, g, g + 7) for g in range(GROUPS)]
    assert there(host) == set(addresses)
    for group in range(0, GROUPS, 2):
        keeper.speak(RELEASE, group)
    hear_until(keeper, RELEASED, (GROUPS - 1) // 2 * 2)
    assert there(host) == set(addresses[1::2])
    keeper.stop()
    assert there(host) == set()


def test_the_fence_knows_each_of_many_groups(keeper, host, reaching):  # noqa: F811
    addresses = v4(GROUPS)
    keeper.start(configured(*([address] for address in addresses)))
    if not keeper.fenced:
        pytest.skip("no fence in the kernel here")
    for group in (GROUPS - 2, GROUPS - 1):
        hold(keeper, group)
    keeper.release_in_page(GROUPS - 1)
    assert answers(reaching, addresses[GROUPS - 2]) and not answers(reaching, addresses[GROUPS - 1])
    keeper.stop()


def test_a_dead_engines_will_does_not_wait_for_a_long_list_to_go(keeper, host, reaching):  # noqa: F811
    addresses = v4(ADDRESSES)
    keeper.start(configured(addresses, node="peer = 10.1.0.2"))
    if not keeper.fenced:
        pytest.skip("no fence in the kernel here")
    heir = reaching.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with heir:
        heir.bind(("10.1.0.2", 5555))
        heir.settimeout(5)
        keeper.speak(READY)
        keeper.speak(WILL, payload=b"will")
        hold(keeper)
        os.kill(keeper.about["pid"], signal.SIGKILL)
        assert heir.recv(100) == b"will"
        assert not answers(reaching, addresses[-1]), "the fence is closed before that"
    wait_until(lambda: there(host) == set(), "all of them go")
    keeper.drop_engine()
    keeper.await_engine()
    hold(keeper)
    assert answers(reaching, addresses[-1]), "the next engine has a lease of its own"
    keeper.stop()
