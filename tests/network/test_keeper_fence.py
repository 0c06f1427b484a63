# SPDX-License-Identifier: ISC
"""The fence in the kernel, with a test in the place of the engine: what it drops, what it lets pass, that it
outlives the keeper, and that it goes when it should."""

import ctypes
import os
import random
import signal
import socket

import pytest

from keeper_alone import (  # noqa: F401 (the last line: fixtures)
    BOTH, EXPIRED, HOLD, LEASE, LEASE_S, LIBC, READY, V4, V6, wait_until,
    client, folder, host, keeper)

OURS, OURS6 = "10.1.0.100", "fd01::100"
OWN, OWN6 = "10.1.0.1", "fd01::1"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def fenced(keeper):
    """A keeper that holds both addresses, with the fence in force."""
    keeper.start(BOTH)
    if not keeper.fenced:
        assert "no fence by bpf" in keeper.log.read_text()
        pytest.skip(keeper.log.read_text())
    keeper.speak(READY)
    keeper.hold()
    return keeper


def answers(client, address):
    """Whether anybody answers for the address, whatever the client remembers: ARP or ND, and echo."""
    client.ip("neigh flush all")
    answered = client.run("ping", "-c1", "-W1", address).returncode == 0
    assert answered == (client.neighbour(address) is not None)
    return answered


def filters(host, device="e0"):
    return [host.run("tc", "filter", "show", "dev", device, way).stdout.count("ha-fence")
            for way in ("ingress", "egress")]


def freeze(keeper):
    """The watchdog must not do the fence's work."""
    keeper.process.send_signal(signal.SIGSTOP)


def thaw(keeper):
    keeper.process.send_signal(signal.SIGCONT)


def test_it_drops_what_is_for_or_from_the_addresses_and_nothing_else(fenced, host, client):
    assert answers(client, OURS) and answers(client, OURS6)
    freeze(fenced)
    fenced.store_lease(-1)
    assert V4 in host.addresses("e0") and V6 in host.addresses("e0")
    assert not answers(client, OURS) and not answers(client, OURS6)
    assert answers(client, OWN) and answers(client, OWN6)
    # a client that remembers gets no answer either, nor does a connection pass in any direction
    client.ip(f"neigh replace {OURS} lladdr {host.mac()} dev e0",
              f"neigh replace {OURS6} lladdr {host.mac()} dev e0")
    for family, address in ((socket.AF_INET, OURS), (socket.AF_INET6, OURS6)):
        with host.socket(family, socket.SOCK_DGRAM) as server, \
                client.socket(family, socket.SOCK_DGRAM) as asker:
            server.bind((address, 4000))
            server.settimeout(0.2)
            asker.settimeout(0.2)
            asker.bind(("", 4001))
            asker.sendto(b"in", (address, 4000))
            with pytest.raises(TimeoutError):
                server.recv(10)
            server.sendto(b"out", ("10.1.0.2" if family == socket.AF_INET else "fd01::2", 4001))
            with pytest.raises(TimeoutError):
                asker.recv(10)
    fenced.store_lease(LEASE_S)
    assert answers(client, OURS) and answers(client, OURS6), "it opens with the lease"
    thaw(fenced)


def test_its_own_arp_does_not_repoint_a_client(fenced, host, client):
    freeze(fenced)
    fenced.store_lease(-1)
    client.ip(f"neigh replace {OURS} lladdr 02:00:00:00:00:09 dev e0 nud reachable")
    host.ip("neigh flush all")
    host.run("ping", "-c1", "-W1", "-I", OURS, "10.1.0.2")
    assert client.neighbour(OURS) == "02:00:00:00:00:09"
    thaw(fenced)


def test_a_second_device_does_not_answer_for_it(fenced, host, client):
    """The kernel answers ARP on any device for the addresses of all others."""
    assert filters(host, "e0") == filters(host, "e1") == [1, 1] and filters(host, "lo") == [0, 0]
    client.ip("addr add 10.1.0.3/24 dev e1")
    assert client.run("arping", "-c1", "-w1", "-I", "e1", OURS).returncode == 0
    freeze(fenced)
    fenced.store_lease(-1)
    assert client.run("arping", "-c1", "-w1", "-I", "e1", OURS).returncode != 0
    assert client.run("arping", "-c1", "-w1", "-I", "e1", OWN).returncode == 0
    thaw(fenced)


def test_what_the_engine_gave_up_is_fenced_before_the_keeper_acts(fenced, host, client):
    freeze(fenced)
    fenced.release_in_page(0)
    assert not answers(client, OURS) and not answers(client, OURS6)
    assert V4 in host.addresses("e0")
    fenced.release_in_page(0, False)
    assert answers(client, OURS)
    thaw(fenced)


def test_what_is_not_held_here_is_not_touched(fenced, host, client):
    """A standby that happens to be a router or a switch lets its clients through to the holder."""
    fenced.release_group()
    fenced.store_lease(-1)
    host.ip(f"addr add {OURS}/32 dev e1")  # the holder, as good as
    assert answers(client, OURS)
    host.ip(f"addr del {OURS}/32 dev e1")


def test_it_outlives_a_killed_keeper_until_it_is_released(fenced, host, client):
    fenced.store_lease(0.5)
    fenced.process.kill()
    fenced.process.wait()
    fenced.engine_exits(1)
    wait_until(lambda: not answers(client, OURS), "it closes")
    assert not answers(client, OURS6) and answers(client, OWN) and V4 in host.addresses("e0")
    status, out = fenced.release(BOTH)
    assert status == 0 and OURS in out
    assert filters(host, "e0") == filters(host, "e1") == [0, 0]
    assert "clsact" not in host.run("tc", "qdisc").stdout
    host.ip(f"addr add {OURS}/32 dev e0")
    assert answers(client, OURS), "nothing is left of it"


def test_the_next_start_takes_the_old_one_away(fenced, host, client):
    fenced.process.kill()
    fenced.process.wait()
    fenced.engine_exits(1)
    fenced.start(BOTH)
    assert fenced.fenced and filters(host) == [1, 1]
    fenced.hold()
    assert answers(client, OURS)


def test_a_clean_end_leaves_no_trace(fenced, host):
    fenced.stop()
    assert filters(host, "e0") == filters(host, "e1") == [0, 0]
    assert "clsact" not in host.run("tc", "qdisc").stdout


def test_others_filters_stay(fenced, host):
    host.run("tc", "filter", "add", "dev", "e0", "ingress", "pref", "100", "protocol", "ip",
             "bpf", "bytecode", "1,6 0 0 0,", check=True)
    fenced.stop()
    assert filters(host) == [0, 0]
    assert "pref 100" in host.run("tc", "filter", "show", "dev", "e0", "ingress").stdout


def test_it_is_put_back_when_somebody_takes_it_away(fenced, host, client):
    for _ in range(3):
        host.run("tc", "qdisc", "del", "dev", "e0", "clsact", check=True)
        wait_until(lambda: filters(host) == [1, 1], "it is back")
        host.run("tc", "filter", "del", "dev", "e0", "egress", check=True)
        wait_until(lambda: filters(host) == [1, 1], "it is back")
    freeze(fenced)
    fenced.store_lease(-1)
    assert not answers(client, OURS)
    thaw(fenced)


def test_a_new_device_gets_it(fenced, host):
    host.ip("link add e9 type veth peer name e8")
    wait_until(lambda: filters(host, "e9") == filters(host, "e8") == [1, 1], "the new ones have it")
    host.ip("link del e9")


def test_a_fresh_engine_begins_without_a_lease(fenced, host, client):
    fenced.release_in_page(0)
    os.kill(fenced.about["pid"], signal.SIGKILL)
    fenced.drop_engine()
    fenced.await_engine(lease=None)
    assert fenced.fenced and bytes(fenced.page[:16]) == bytes(16)
    fenced.speak(HOLD)
    fenced.hear(EXPIRED)
    fenced.store_lease(LEASE_S)
    fenced.hold()
    assert answers(client, OURS)


def test_the_engine_gets_the_lease_and_no_more(fenced):
    lease = fenced.descriptors[LEASE]
    info = dict(line.split(":\t") for line in
                open(f"/proc/self/fdinfo/{lease}", encoding="ascii").read().splitlines() if ":\t" in line)
    assert (info["map_type"], info["max_entries"]) == ("2", "4"), "an array: until when, and three words for the group"
    LIBC.mmap.restype = ctypes.c_void_p
    failed = ctypes.c_void_p(-1).value
    def mapped(size, protection):
        return LIBC.mmap(None, ctypes.c_size_t(size), protection, 1, lease, ctypes.c_long(0))
    assert mapped(4096, 3) != failed
    assert mapped(8192, 3) == failed, "one page"
    assert mapped(4096, 4) == failed, "not to be executed"


def test_without_the_privilege_it_is_another_one(keeper, host):
    keeper.prefix = ["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"]
    keeper.start(BOTH, lease=0.4)
    assert not keeper.fenced
    log = keeper.log.read_text()
    assert "no fence by bpf: it takes CAP_BPF" in log or "it was built without" in log
    assert filters(host) == [0, 0]
    keeper.hold()
    keeper.hear(EXPIRED)
    assert V4 not in host.addresses("e0")
    keeper.stop()


# --- a hostile engine


def test_a_lease_that_no_engine_could_earn_is_none(fenced, host, client):
    """A hostile engine that dies or is frozen leaves no lease behind that outlasts max-tolerance (10 s)."""
    freeze(fenced)
    for seconds in (30, 3600, 9e9):
        fenced.store_lease(seconds)
        assert not answers(client, OURS) and answers(client, OWN), f"{seconds} s ahead"
    for bits in (b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x00" * 7 + b"\x80", bytes(8)):
        fenced.page[:8] = bits
        assert not answers(client, OURS) and answers(client, OWN), bits.hex()
    fenced.store_lease(LEASE_S)
    assert answers(client, OURS)
    fenced.store_lease(3600)
    thaw(fenced)
    fenced.hear(EXPIRED)
    assert V4 not in host.addresses("e0"), "the keeper does not believe it either"


def test_garbage_in_the_lease_blocks_nothing_else(fenced, host, client):
    """All that the engine can write to, again and again, while others are asked."""
    chance = random.Random(7)
    with client.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.connect((OWN, 9))
        for _ in range(20):
            for _ in range(50):
                fenced.page[:] = chance.randbytes(len(fenced.page))
            assert client.run("ping", "-c1", "-W1", OWN).returncode == 0
            assert client.run("ping", "-c1", "-W1", OWN6).returncode == 0
    assert fenced.process.poll() is None
    fenced.page[8:] = bytes(len(fenced.page) - 8)
    fenced.store_lease(LEASE_S)
    while fenced.hear_any(0.1):
        pass  # what the watchdog did meanwhile
    fenced.hold(epoch=2)
    assert answers(client, OURS) and answers(client, OWN)
