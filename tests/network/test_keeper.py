# SPDX-License-Identifier: ISC
"""What the keeper does to addresses, routes, devices and neighbours, and when."""

import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from keeper_alone import (  # noqa: F401 (the last line: fixtures)
    ANNOUNCE, BOTH, EXPIRED, FRAME, HELD, HOLD, HOLD_FAILED, PROBE, READY, REMOVED, REQUEST,
    LEASE_S, RESTORE, TARGET, V4, V6, configured, own_subnet_routes, wait_until,
    client, folder, host, keeper)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


# --- configuring

def test_hold_configures_and_release_takes_down(keeper, host):
    keeper.start(BOTH)
    keeper.speak(READY)
    assert V4 not in host.addresses("e0")
    keeper.hold(epoch=77)
    assert host.addresses("e0")[V4]["noprefixroute"]
    assert host.addresses("e0")[V6]["nodad"] and host.addresses("e0")[V6]["deprecated"]
    keeper.hold(epoch=78)  # again: answered, nothing changes
    keeper.release_group()
    assert {V4, V6}.isdisjoint(host.addresses("e0"))
    keeper.release_group()
    keeper.hears_nothing()
    keeper.stop()


def test_two_hundred_addresses_are_one_group(keeper, host):
    addresses = [f"10.1.1.{n}" for n in range(1, 151)] + [f"fd01::1:{n}" for n in range(1, 51)]
    keeper.start(configured(*addresses))
    keeper.hold()
    present = set(host.addresses("e0"))
    assert {f"{a}/{128 if ':' in a else 32}" for a in addresses} <= present
    keeper.release_group()
    assert set(host.addresses("e0")) == {a for a in present if a.split("/")[0] not in addresses}
    keeper.hears_nothing()


def test_a_group_that_fails_leaves_nothing(keeper, host):
    keeper.start(configured("10.1.0.100", "10.1.0.101 dev absent0"))
    keeper.speak(HOLD)
    _, _, failed, error, _ = keeper.hear(HOLD_FAILED)
    assert failed == 1 and os.strerror(error) == "No such device"
    assert V4 not in host.addresses("e0")
    host.sysctl("ipv6/conf/e0/disable_ipv6", 1)


def test_an_address_that_the_kernel_refuses(keeper, host):
    keeper.start(BOTH)
    host.sysctl("ipv6/conf/e0/disable_ipv6", 1)
    keeper.speak(HOLD)
    _, _, failed, error, _ = keeper.hear(HOLD_FAILED)
    assert failed == 1 and error != 0
    assert V4 not in host.addresses("e0")


def test_what_exists_already_counts_as_ours(keeper, host):
    keeper.start(BOTH)
    host.ip("addr add 10.1.0.100/32 dev e0", "addr add 10.1.0.100/24 dev e0",
            "addr add fd01::100/64 dev e0 nodad")
    keeper.hold()
    assert [a for a in host.addresses("e0") if "100/" in a] == [V4, V6]
    host.ip("addr add 10.1.0.100/24 dev e0")  # the same once more, in a form that is not ours
    keeper.hears_nothing()
    keeper.release_group()
    assert not [a for a in host.addresses("e0") if "100/" in a]


# --- not disturbing the host

def test_the_source_of_outgoing_connections_stays(keeper, host):
    host.ip("route add default via 10.1.0.2", "route add 10.9.0.0/16 dev e0",
            "route add default via fd01::2")
    destinations = ["10.1.0.2", "10.9.1.1", "192.0.2.1", "fd01::2", "2001:db8::1",
                    "fd01::101"]  # the last one resembles the shared address most
    before = [host.source_for(d) for d in destinations]
    keeper.start(BOTH)
    keeper.hold()
    assert [host.source_for(d) for d in destinations] == before
    assert set(before) == {"10.1.0.1", "fd01::1"}
    keeper.release_group()
    assert [host.source_for(d) for d in destinations] == before


def test_an_address_of_the_host_that_comes_later_is_the_source(keeper, host):
    host.ip("route add 10.9.0.0/16 dev e0", "route add 239.0.0.0/8 dev e0")
    keeper.start(BOTH)
    keeper.hold()
    host.ip("addr add 10.1.0.5/25 dev e0", "addr del 10.1.0.1/24 dev e0",
            "route replace 10.9.0.0/16 dev e0")
    wait_until(lambda: host.source_for("10.9.1.1") == "10.1.0.5", "its source is the host's", 1)
    assert host.source_for("239.1.1.1") == "10.1.0.5"
    assert host.source_for("10.1.0.2") == "10.1.0.5"
    assert [a for a in host.addresses("e0") if a.startswith("10.")] == ["10.1.0.5/25", V4]
    keeper.hears_nothing()
    keeper.release_group()
    assert V4 not in host.addresses("e0")


def test_an_ipv6_address_is_deprecated_while_the_host_has_one(keeper, host):
    host.ip("addr del fd01::1/64 dev e0")
    keeper.start(BOTH)
    keeper.hold()
    assert "deprecated" not in host.addresses("e0")[V6]
    host.ip("addr add fd01::1/64 dev e0 nodad")
    wait_until(lambda: host.addresses("e0")[V6].get("deprecated"), "it is deprecated", 1)
    host.ip("addr del fd01::1/64 dev e0")
    wait_until(lambda: "deprecated" not in host.addresses("e0")[V6], "it is preferred again", 1)
    keeper.hears_nothing()


@pytest.mark.parametrize("promote", [0, 1])
def test_other_addresses_and_routes_survive(keeper, host, promote):
    host.sysctl("ipv4/conf/all/promote_secondaries", promote)
    host.sysctl("ipv4/conf/e0/promote_secondaries", promote)
    host.ip("addr add 10.1.0.7/24 dev e0", "route add default via 10.1.0.2")
    host.await_link_local()
    addresses, routes = host.addresses("e0"), host.routes()
    keeper.start(BOTH)
    keeper.hold()
    assert [r for r in host.routes() if "100" not in r] == routes
    keeper.release_group()
    assert host.addresses("e0") == addresses
    assert host.routes() == routes


def test_a_subnet_of_its_own_has_a_route_as_long_as_it_is_used(keeper, host, client):
    client.ip("addr add 10.5.0.2/24 dev e1", "addr add fd05::2/64 dev e1 nodad")
    keeper.start("""[node]
        interface = e0
        [group one]
        address = 10.5.0.100/24 dev e1
        address = fd05::100/64 dev e1
        [group two]
        address = 10.5.0.101/24 dev e1
        """)
    both = [("10.5.0.0/24", "e1", 4096), ("fd05::/64", "e1", 4096)]
    keeper.hold(0)
    assert own_subnet_routes(host) == both
    assert host.run("ping", "-c1", "-W5", "10.5.0.2").returncode == 0
    assert host.run("ping", "-c1", "-W5", "fd05::2").returncode == 0
    keeper.hold(1)
    keeper.release_group(0)
    assert own_subnet_routes(host) == both[:1]
    host.ip("addr add 10.5.0.9/24 dev e1")  # the host comes into the subnet by itself ...
    wait_until(lambda: own_subnet_routes(host) == [], "our route goes")
    host.ip("addr del 10.5.0.9/24 dev e1")  # ... and leaves
    wait_until(lambda: own_subnet_routes(host) == both[:1], "our route returns")
    keeper.release_group(1)
    assert own_subnet_routes(host) == []


def test_the_route_returns_with_the_device(keeper, host):
    keeper.start(configured("10.5.0.100/24 dev e1"))
    keeper.hold()
    host.ip("link set e1 down")
    wait_until(lambda: own_subnet_routes(host) == [], "the kernel drops it")
    host.ip("link set e1 up")
    wait_until(lambda: own_subnet_routes(host), "our route returns")


def test_a_device_is_brought_up_and_down_with_its_addresses(keeper, host):
    host.ip("link set e1 down")
    keeper.start("""[node]
        interface = e0
        [group one]
        address = 10.5.0.100/24 dev e1
        address = fd05::100/64 dev e1
        [group two]
        address = 10.5.0.101/24 dev e1
        """)
    keeper.hold(0)
    assert len(own_subnet_routes(host)) == 2
    keeper.hold(1)
    assert host.is_up("e1") and (keeper.runtime / "raised-e1").exists()
    keeper.release_group(0)
    assert host.is_up("e1")
    keeper.release_group(1)
    assert not host.is_up("e1") and not (keeper.runtime / "raised-e1").exists()


# --- announcing

def test_clients_follow_at_once(keeper, host, client):
    stale = "02:00:00:00:00:99"
    client.ip(f"neigh add 10.1.0.100 lladdr {stale} nud reachable dev e0",
              f"neigh add fd01::100 lladdr {stale} nud reachable dev e0")
    keeper.start(BOTH)
    keeper.hold()
    for address in ("10.1.0.100", "fd01::100"):
        wait_until(lambda a=address: client.neighbour(a) == host.mac(), "the client follows", 0.5)
    client.ip(f"neigh replace 10.1.0.100 lladdr {stale} nud reachable dev e0",
              f"neigh replace fd01::100 lladdr {stale} nud reachable dev e0")
    keeper.speak(ANNOUNCE, 0)
    keeper.speak(ANNOUNCE, 1)
    for address in ("10.1.0.100", "fd01::100"):
        wait_until(lambda a=address: client.neighbour(a) == host.mac(), "the client follows", 0.5)


def listen_to_frames(namespace, protocol, device="e0"):
    capture = namespace.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    capture.bind((device, protocol))
    capture.settimeout(0.3)
    return capture


def all_frames(capture):
    frames = []
    try:
        while True:
            frames.append(capture.recv(2048))
    except TimeoutError:
        return frames


@pytest.mark.parametrize("forwarding", [0, 1])
def test_the_router_flag_follows_the_forwarding_state(keeper, host, client, forwarding):
    keeper.start(BOTH)
    host.sysctl("ipv6/conf/e0/forwarding", forwarding)
    with listen_to_frames(client, 0x86dd) as capture:
        keeper.hold()
        flags = {f[58] for f in all_frames(capture) if f[54] == 136 and f[77] == 0
                 and f[62:78] == socket.inet_pton(socket.AF_INET6, "fd01::100")
                 and f[38] == 0xff}
    assert flags == {0xa0 if forwarding else 0x20}


def test_a_probe_asks_without_claiming(keeper, host, client):
    keeper.start(BOTH)
    with listen_to_frames(client, 0x0806) as capture:
        keeper.speak(PROBE, 0)
        (frame,) = [f for f in all_frames(capture) if f[38:42] == socket.inet_aton("10.1.0.100")]
    assert frame[20:22] == b"\0\1" and frame[28:32] == bytes(4)
    client.ip("addr add fd01::100/64 dev e0 nodad", "addr add 10.1.0.100/24 dev e0")
    for address in (0, 1):
        keeper.speak(PROBE, address)
        verb, _, _, interface, frame = keeper.hear_any()
        assert verb == FRAME
        assert interface == host.show("link", "show", "dev", "e0")[0]["ifindex"]
        assert frame[6:12] == bytes.fromhex(client.mac().replace(":", ""))


# --- targets and captured frames

def test_targets_are_gateway_peers_and_neighbours(keeper, host, client):
    host.ip("route add default via 10.1.0.254", "route add default via fd01::fe",
            "neigh add 10.1.0.9 lladdr 02:00:00:00:00:09 nud stale dev e0",
            "neigh add 10.1.0.8 lladdr 02:00:00:00:00:08 nud failed dev e0",
            "neigh add 10.1.0.101 lladdr 02:00:00:00:00:08 nud stale dev e0",
            "neigh add fd01::9 lladdr 02:00:00:00:00:09 nud reachable dev e0")
    keeper.start(configured("10.1.0.100/24", "10.1.0.101/24", "fd01::100/64",
                            node="peer = 10.1.0.2\npeer = 10.1.0.1\npeer = 192.0.2.9\n"
                                 "peer = fd01::2"))
    keeper.speak(HOLD)
    told = {}
    while (message := keeper.hear_any())[0] != HELD:
        if message[0] == TARGET:
            assert message[2] == len(told.setdefault(message[1], []))
            told[message[1]].append(message[4])
    v4 = [bytes(10) + b"\xff\xff" + socket.inet_aton(a)
          for a in ("10.1.0.254", "10.1.0.2", "10.1.0.9")]
    v6 = [socket.inet_pton(socket.AF_INET6, a) for a in ("fd01::fe", "fd01::2", "fd01::9")]
    assert told == {0: v4, 1: v4, 2: v6}
    with listen_to_frames(client, 0x0806) as capture:
        keeper.speak(REQUEST, 1, 1)
        (frame,) = [f for f in all_frames(capture) if f[28:32] == socket.inet_aton("10.1.0.101")]
    assert frame[38:42] == socket.inet_aton("10.1.0.2")
    message = keeper.hear_any()
    while message and message[4][28:42:10] != frame[28:42:10] and message[4][38:42] != frame[28:32]:
        message = keeper.hear_any()
    assert message[0] == FRAME and message[4][20:22] == b"\0\2"  # the acknowledgement
    keeper.speak(REQUEST, 2, 1)
    while (message := keeper.hear_any()):
        if message[4][12:14] == b"\x86\xdd" and message[4][62:78] == v6[1]:
            break
    assert message and message[4][54] == 136


def test_gateways_of_a_route_by_several_ways(keeper, host):
    host.ip("addr add 10.5.0.1/24 dev e1", "addr add fd05::1/64 dev e1 nodad",
            "route add default nexthop via 10.5.0.254 dev e1 nexthop via 10.1.0.254 dev e0 "
            "nexthop via 10.1.0.253 dev e0",
            "route add default nexthop via fd01::fe dev e0 nexthop via fd05::fe dev e1")
    keeper.start(BOTH)
    keeper.speak(HOLD)
    told = []
    while (message := keeper.hear_any())[0] != HELD:
        if message[0] == TARGET:
            told.append((message[1], message[4]))
    v4 = [(0, bytes(10) + b"\xff\xff" + socket.inet_aton(a)) for a in ("10.1.0.254", "10.1.0.253")]
    assert told == v4 + [(1, socket.inet_pton(socket.AF_INET6, "fd01::fe"))]


def test_frames_about_others_are_not_passed_on(keeper, host, client):
    keeper.start(BOTH)
    host.run("ping", "-c1", "-W1", "10.1.0.2")
    client.run("ping", "-c1", "-W1", "fd01::1")
    client.run("ping", "-c1", "-W1", "10.1.0.55")
    assert keeper.hear_any(0.3) is None
    client.ip("addr add 10.1.0.100/24 dev e0")
    client.run("ping", "-c1", "-W1", "-I", "10.1.0.100", "10.1.0.77")
    assert keeper.hear_any()[0] == FRAME


# --- somebody else takes an address away

@pytest.mark.parametrize("index, address", [(0, V4), (1, V6)])
def test_a_removed_address_is_told_and_restored(keeper, host, client, index, address):
    keeper.start(BOTH)
    keeper.hold()
    for _ in range(3):
        host.ip(f"addr del {address} dev e0")
        keeper.hear(REMOVED, index)
        assert address not in host.addresses("e0")
        client.ip("neigh flush all")
        keeper.speak(RESTORE, index)
        wait_until(lambda: address in host.addresses("e0"), "it is put back", 0.5)
        assert client.run("ping", "-c1", "-W1", address.split("/")[0]).returncode == 0
    keeper.hears_nothing()


def test_own_changes_are_not_somebody_elses(keeper, host):
    keeper.start(BOTH)
    for epoch in range(50):
        keeper.hold(epoch=epoch)
        keeper.release_group()
    keeper.hears_nothing()


def test_notices_that_got_lost_are_made_up_for(keeper, host):
    keeper.start(BOTH)
    keeper.hold()
    keeper.process.send_signal(signal.SIGSTOP)
    # more than the socket's buffer takes
    host.ip(f"addr del {V6} dev e0",
            *(f"addr {verb} 10.7.{n // 200}.{n % 200 + 1}/32 dev e1"
              for n in range(100) for verb in ["add", "del"] * 80),
            f"addr del {V4} dev e0", "addr add 10.1.0.9/24 dev e0")
    sockets = host.run("cat", "/proc/net/netlink", check=True).stdout.splitlines()
    assert any(int(line.split()[8]) > 0 for line in sockets[1:]), "nothing was lost"
    keeper.store_lease(LEASE_S)  # on a busy machine all that takes as long as a lease
    keeper.process.send_signal(signal.SIGCONT)
    keeper.hear(REMOVED, 0)
    keeper.hear(REMOVED, 1)
    keeper.speak(RESTORE, 0)
    keeper.speak(RESTORE, 1)
    wait_until(lambda: {V4, V6} <= set(host.addresses("e0")), "they are put back", 1)
    keeper.hears_nothing()


def test_only_the_kernels_notices_count(keeper, host):
    keeper.start(configured("10.1.0.100"))
    keeper.hold()
    index = host.show("link", "show", "dev", "e0")[0]["ifindex"]
    ip = socket.inet_aton("10.1.0.100")
    forged = struct.pack("=IHHII", 40, 21, 0, 0, 0) + struct.pack("=BBBBI", 2, 32, 0, 0, index) + \
        struct.pack("=HH4s", 8, 1, ip) + struct.pack("=HH4s", 8, 2, ip)  # RTM_DELADDR
    ports = [int(line.split()[2]) for line in
             host.run("cat", "/proc/net/netlink", check=True).stdout.splitlines()[1:]
             if line.split()[1] == "0"]
    with host.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as forger:
        for port in filter(None, ports):
            forger.sendto(forged, (port, 0))
    keeper.hears_nothing()
    host.ip(f"addr del {V4} dev e0")
    keeper.hear(REMOVED, 0)


def test_a_device_without_neighbours_holds_silently(keeper, host):
    keeper.start(configured("10.5.0.100 dev lo", "fd05::100 dev lo"))
    keeper.hold()
    assert {"10.5.0.100/32", "fd05::100/128"} <= set(host.addresses("lo"))
    for verb in (ANNOUNCE, RESTORE):
        keeper.speak(verb, 0)
    keeper.release_group()
    assert "10.5.0.100/32" not in host.addresses("lo")


def test_a_device_that_vanishes_takes_its_addresses_along(keeper, host):
    keeper.start(configured("10.1.0.100", "10.5.0.100/24 dev e1", "fd05::100/64 dev e1"))
    keeper.hold()
    host.ip("link set e1 down")
    keeper.hear(REMOVED, 2)  # the kernel keeps IPv4 addresses of a device that is down
    host.ip("link delete e1")
    keeper.hear(REMOVED, 1)
    keeper.speak(RESTORE, 1)  # impossible: told again
    keeper.hear(REMOVED, 1)
    keeper.release_group()
    keeper.hears_nothing()
    assert V4 not in host.addresses("e0")


def test_a_device_that_returns_can_be_used(keeper, host, client):
    host.ip("link delete e1")
    keeper.start(configured("10.5.0.100/24 dev e1"))
    keeper.speak(HOLD)
    keeper.hear(HOLD_FAILED)
    subprocess.run(["ip", "link", "add", "e1", "netns", host.name, "type", "veth", "peer", "name",
                    "e1", "netns", client.name], check=True)
    host.ip("link set e1 up")
    keeper.hold()
    assert "10.5.0.100/32" in host.addresses("e1")


# --- the lease

def test_a_lease_that_passes_takes_everything_down(keeper, host):
    keeper.start("""[node]
        interface = e0
        [group one]
        address = 10.1.0.100/24
        [group two]
        address = fd01::100/64
        """, lease=0.5)
    begin = time.monotonic()
    keeper.hold(0, epoch=5)
    keeper.hold(1, epoch=6)
    keeper.store_lease(0.8)  # a renewal is one store, which the keeper does not notice
    assert keeper.hear(EXPIRED, 0)[3] == 5
    assert keeper.hear(EXPIRED, 1)[3] == 6
    assert 0.75 < time.monotonic() - begin < 1.5
    assert {V4, V6}.isdisjoint(host.addresses("e0"))
    keeper.speak(HOLD)  # not without a lease
    keeper.hear(EXPIRED, 0)
    assert V4 not in host.addresses("e0")
    keeper.store_lease(LEASE_S)
    keeper.hold(0)


def test_a_stopped_engine_does_not_serve(keeper, host):
    keeper.start(BOTH, lease=0.3)
    keeper.hold()
    engine = keeper.about["pid"]
    os.kill(engine, signal.SIGSTOP)
    wait_until(lambda: V4 not in host.addresses("e0"), "the address goes", 1)
    os.kill(engine, signal.SIGCONT)
    keeper.hear(EXPIRED)
