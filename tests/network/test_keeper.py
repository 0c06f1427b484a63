# SPDX-License-Identifier: ISC
"""ha-keeper alone, in network namespaces, with a test in the place of the engine.

The keeper executes a program called `had` that lies beside it. Here that is a script which hands its
descriptors over to the test and waits for the exit status it shall have. So the test speaks the
channel (src/wire/channel.h), stores leases, and can do what a hostile engine would do.
"""

import array
import ctypes
import fcntl
import itertools
import json
import mmap
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HA_BUILD", ROOT / "build"))

READY, HOLD, RELEASE, RESTORE, ANNOUNCE, REQUEST, PROBE, WILL = range(1, 9)
HELD, HOLD_FAILED, RELEASED, EXPIRED, REMOVED, TARGET, FRAME, STOP, RELOAD = range(64, 73)
HEADER = struct.Struct("!BBHHHQ")

CHANNEL, CONFIGURATION, KEY, LEASE, CONTROL = range(5)  # the descriptors, as handed over

IP_RECVTTL = 12  # ip(7); Python names it from 3.12 on
SERIAL = itertools.count(1)
LIBC = ctypes.CDLL(None, use_errno=True)

FAKE_ENGINE = """#!/usr/bin/python3
import os, socket, sys
test = socket.socket(socket.AF_UNIX)
test.connect(os.path.join(os.path.dirname(os.path.realpath(__file__)), "test.sock"))
about = repr({"uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups(),
              "status": open("/proc/self/status").read(), "environment": dict(os.environ),
              "arguments": sys.argv[1:],
              "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd"))})
socket.send_fds(test, [about.encode()], [3, 4, 5, 6, 7])
for descriptor in range(3, 8):
    os.close(descriptor)
status = test.recv(1)
os._exit(status[0] if status else 99)
"""


def wait_until(condition, what, timeout=5.0):
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s: {what}"
        time.sleep(0.005)
    return value


class Namespace:
    """A host: a network namespace with one end of a cable for each of its devices."""

    def __init__(self, name):
        self.name = f"hk-{os.getpid()}-{next(SERIAL)}-{name}"
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.ip("link set lo up")

    def ip(self, *commands):
        subprocess.run(["ip", "-n", self.name, "-batch", "-"], check=True, text=True,
                       input="\n".join(commands) + "\n")

    def show(self, *words):
        out = subprocess.run(["ip", "-n", self.name, "-json", *words], check=True, text=True,
                             capture_output=True).stdout
        return json.loads(out or "[]")

    def run(self, *words, **options):
        return subprocess.run(["ip", "netns", "exec", self.name, *words], text=True,
                              capture_output=True, **options)

    def sysctl(self, key, value):
        self.run("sh", "-c", f"echo {value} > /proc/sys/net/{key}", check=True)

    def addresses(self, device):
        """{"10.1.0.1/24": the kernel's description}"""
        (link,) = self.show("address", "show", "dev", device)
        return {f"{a['local']}/{a['prefixlen']}": a for a in link["addr_info"]}

    def await_link_local(self):
        """Until every device that is up has a link-local address that is not tentative."""
        def done():
            settled = [link["ifname"] for link in self.show("address", "show")
                       for a in link["addr_info"]
                       if a["local"].startswith("fe80:") and not a.get("tentative")]
            return sorted(settled) == ["e0", "e1"]
        wait_until(done, "duplicate address detection ends")

    def mac(self, device="e0"):
        return self.show("link", "show", "dev", device)[0]["address"]

    def is_up(self, device):
        return "UP" in self.show("link", "show", "dev", device)[0]["flags"]

    def neighbour(self, address):
        for entry in self.show("neighbour", "show", "to", address):
            return entry.get("lladdr")
        return None

    def routes(self):
        return sorted(json.dumps(r, sort_keys=True)
                      for r in self.show("route") + self.show("-6", "route"))

    def source_for(self, destination):
        version = "-6" if ":" in destination else "-4"
        return self.show(version, "route", "get", destination)[0]["prefsrc"]

    def socket(self, *arguments):
        """A socket that stands in this namespace."""
        made = []

        def body():
            with open(f"/run/netns/{self.name}", "rb") as namespace:
                assert LIBC.setns(namespace.fileno(), 0x40000000) == 0
            made.append(socket.socket(*arguments))

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return made[0]

    def close(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=True)


class Keeper:
    """ha-keeper in a namespace; speak() and hear() are the engine's."""

    def __init__(self, host, folder):
        self.host = host
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir()
        self.programs.chmod(0o755)
        shutil.copy(BUILD / "ha-keeper", self.programs / "ha-keeper")
        (self.programs / "had").write_text(FAKE_ENGINE)
        (self.programs / "had").chmod(0o755)
        self.runtime = folder / "run"
        self.configuration = folder / "ha.conf"
        self.log = folder / "log"
        self.process = self.engine = self.channel = None

    def launch(self, configuration, *more, stdout=None):
        self.configuration.write_text(configuration)
        with open(self.configuration, "rb") as file, open(self.log, "ab") as log:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.host.name, self.programs / "ha-keeper",
                 "--configuration", str(file.fileno()), "--runtime-dir", self.runtime, *more],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=log, text=True,
                pass_fds=[file.fileno()])

    def refused(self, configuration):
        """Starts what must not start. (exit status, what it said)"""
        process = self.launch(configuration)
        return process.wait(5), self.log.read_text()

    def release(self, configuration):
        """(exit status, standard output)"""
        process = self.launch(configuration, "--release", stdout=subprocess.PIPE)
        out, _ = process.communicate(timeout=5)
        return process.returncode, out

    def start(self, configuration, lease=60.0):
        path = self.programs / "test.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            path.chmod(0o777)
            listener.listen(1)
            listener.settimeout(5)
            self.process = self.launch(configuration)
            try:
                self.engine, _ = listener.accept()
            except TimeoutError:
                pytest.fail("the engine did not start: " + self.log.read_text())
        about, descriptors, _, _ = socket.recv_fds(self.engine, 65536, 5)
        self.about = eval(about)  # of our own script
        self.descriptors = descriptors
        self.channel = socket.socket(fileno=os.dup(descriptors[CHANNEL]))
        self.page = mmap.mmap(descriptors[LEASE], 4096)
        self.store_lease(lease)
        return self

    def store_lease(self, seconds):
        """The lease ends so many seconds from now."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.page[:8] = struct.pack("=q", now + int(seconds * 1e9))

    def speak(self, verb, index=0, second=0, number=0, payload=b""):
        self.channel.setblocking(True)
        self.channel.send(HEADER.pack(verb, 0, index, second, len(payload), number) + payload)

    def hear_any(self, timeout=3.0):
        """(verb, index, second, number, payload), or None if nothing comes."""
        if not select.select([self.channel], [], [], timeout)[0]:
            return None
        message = self.channel.recv(4096)
        verb, _, index, second, _, number = HEADER.unpack(message[:16])
        return verb, index, second, number, message[16:]

    def hear(self, verb, index=0, timeout=3.0):
        """Waits for a message about index and passes over frames and targets."""
        while (message := self.hear_any(timeout)):
            if message[:2] == (verb, index):
                return message
            assert message[0] in (FRAME, TARGET), f"{message} instead of {verb} {index}"
        pytest.fail(f"no message {verb} {index}")

    def hears_nothing(self, timeout=0.2):
        while (message := self.hear_any(timeout)):
            assert message[0] == FRAME, message

    def hold(self, group=0, epoch=1):
        self.speak(HOLD, group, number=epoch)
        assert self.hear(HELD, group)[3] == epoch

    def release_group(self, group=0):
        self.speak(RELEASE, group)
        self.hear(RELEASED, group)

    def engine_exits(self, status):
        self.engine.send(bytes([status]))
        self.drop_engine()

    def drop_engine(self):
        self.channel.close()
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = []

    def stop(self):
        self.process.terminate()
        self.hear(STOP)
        self.engine_exits(0)
        assert self.process.wait(5) == 0

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.engine:
            self.engine.close()
        if self.channel and self.descriptors:
            self.drop_engine()


@pytest.fixture
def folder():
    # not pytest's own: the engine's user must be able to walk in
    path = pathlib.Path(tempfile.mkdtemp(prefix="ha-keeper-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def client():
    namespace = Namespace("client")
    yield namespace
    namespace.close()


@pytest.fixture
def host(client):
    """A server, by e0 and e1 on two cables to the client's e0 and e1."""
    namespace = Namespace("host")
    for device in ("e0", "e1"):
        subprocess.run(["ip", "link", "add", device, "netns", namespace.name, "type", "veth",
                        "peer", "name", device, "netns", client.name], check=True)
    namespace.ip("link set e0 up", "link set e1 up", "addr add 10.1.0.1/24 dev e0",
                 "addr add fd01::1/64 dev e0 nodad")
    client.ip("link set e0 up", "link set e1 up", "addr add 10.1.0.2/24 dev e0",
              "addr add fd01::2/64 dev e0 nodad")
    yield namespace
    namespace.close()


@pytest.fixture
def keeper(host, folder, request):
    keeper = Keeper(host, folder)
    yield keeper
    keeper.close()
    if keeper.log.exists():
        text = keeper.log.read_text()
        print(text)
        assert "Sanitizer" not in text and "Assertion" not in text


def configured(*addresses, node="", group=""):
    lines = "\n".join(f"address = {a}" for a in addresses)
    return f"[node]\nname = a\ninterface = e0\n{node}\n[group main]\n{lines}\n{group}\n"


BOTH = configured("10.1.0.100/24", "fd01::100/64")
V4, V6 = "10.1.0.100/32", "fd01::100/128"


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


def own_subnet_routes(host):
    return [(r["dst"], r["dev"], r["metric"]) for r in
            host.show("route") + host.show("-6", "route") if r.get("protocol") == "143"]


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
    assert host.run("ping", "-c1", "-W1", "10.5.0.2").returncode == 0
    assert host.run("ping", "-c1", "-W1", "fd05::2").returncode == 0
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
    keeper.store_lease(60)
    keeper.hold(0)


def test_a_stopped_engine_does_not_serve(keeper, host):
    keeper.start(BOTH, lease=0.3)
    keeper.hold()
    engine = int(subprocess.run(["pgrep", "-P", str(keeper.process.pid)], text=True,
                                capture_output=True, check=True).stdout)
    os.kill(engine, signal.SIGSTOP)
    wait_until(lambda: V4 not in host.addresses("e0"), "the address goes", 1)
    os.kill(engine, signal.SIGCONT)
    keeper.hear(EXPIRED)


# --- the ends

def multicast_listener(client, group="239.2.3.4", port=5555):
    receiver = client.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind((group, port))
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(group) + socket.inet_aton("10.1.0.2"))
    receiver.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    receiver.settimeout(2)
    return receiver


@pytest.mark.parametrize("way", ["signal", "channel"])
def test_an_engine_that_dies_leaves_nothing_but_its_will(keeper, host, client, way):
    keeper.start(configured("10.1.0.100/24", "fd01::100/64", "10.5.0.100/24 dev e1",
                            node="peer = 10.1.0.2\npeer = fd01::2"))
    keeper.speak(WILL, payload=b"an older will")
    keeper.speak(WILL, payload=b"the last will")
    keeper.hold()
    with multicast_listener(client) as group, \
            client.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, \
            client.socket(socket.AF_INET6, socket.SOCK_DGRAM) as peer6:
        peer.bind(("10.1.0.2", 5555))
        peer6.bind(("fd01::2", 5555))
        if way == "signal":
            subprocess.run(["pkill", "-KILL", "-P", str(keeper.process.pid)], check=True)
        else:
            keeper.drop_engine()
        data, ancillary, _, _ = group.recvmsg(2048, 100)
        assert data == b"the last will"
        assert [struct.unpack("i", value)[0] for _, _, value in ancillary] == [255]
        for receiver in (peer, peer6):
            receiver.settimeout(2)
            assert receiver.recv(2048) == b"the last will"
    assert keeper.process.wait(3) == 1
    assert {V4, V6}.isdisjoint(host.addresses("e0"))
    assert "10.5.0.100/32" not in host.addresses("e1") and own_subnet_routes(host) == []
    assert not (keeper.runtime / "ha.sock").exists()
    assert (keeper.runtime / "running.conf").exists()
    expected = "killed by signal 9" if way == "signal" else "closed its channel"
    assert expected in keeper.log.read_text()


def test_an_engine_that_ends_by_itself_is_a_failure(keeper, host):
    keeper.start(BOTH)
    keeper.hold()
    keeper.engine_exits(0)
    assert keeper.process.wait(3) == 1
    assert V4 not in host.addresses("e0")


def test_an_engine_that_cannot_be_executed(keeper):
    (keeper.programs / "had").write_text("#!/nonexistent\n")
    status, said = keeper.refused(BOTH)
    assert status == 1 and "cannot execute the engine" in said and "could not be started" in said
    assert sorted(os.listdir(keeper.runtime)) == ["ha.lock", "running.conf"]


def test_a_polite_stop_leaves_no_trace_and_no_will(keeper, host, client):
    keeper.start(BOTH)
    keeper.speak(WILL, payload=b"will")
    keeper.hold()
    with multicast_listener(client) as group:
        keeper.process.send_signal(signal.SIGINT)
        keeper.hear(STOP)
        keeper.release_group()
        keeper.engine_exits(0)
        assert keeper.process.wait(3) == 0
        group.settimeout(0.2)
        with pytest.raises(TimeoutError):
            group.recv(2048)
    assert os.listdir(keeper.runtime) == ["ha.lock"]


def test_an_engine_that_does_not_stop_is_not_waited_for(keeper, host):
    keeper.start(configured("10.1.0.100", node="interval = 10ms\ntolerance = 50ms"))
    keeper.hold()
    keeper.process.terminate()
    keeper.hear(STOP)
    assert keeper.process.wait(4) == 1
    assert V4 not in host.addresses("e0")


def test_sighup_is_passed_on(keeper):
    keeper.start(BOTH)
    keeper.process.send_signal(signal.SIGHUP)
    keeper.hear(RELOAD)


def test_the_service_manager_is_told(keeper, folder, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(2)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        keeper.start(BOTH)
        assert "NOTIFY_SOCKET" not in keeper.about["environment"]
        keeper.speak(READY)
        assert manager.recv(100) == b"READY=1"
        keeper.stop()
        assert manager.recv(100) == b"STOPPING=1"


# --- leftovers

def test_leftovers_are_taken_down_at_start(keeper, host):
    # in a form of somebody else's, as the primary address of the subnet: the host's own ones are its
    # secondaries and would go with it
    host.sysctl("ipv4/conf/all/promote_secondaries", 0)
    host.sysctl("ipv4/conf/e0/promote_secondaries", 0)
    host.ip("addr flush dev e0", "addr add 10.1.0.100/24 dev e0", "addr add 10.1.0.1/24 dev e0",
            "addr add 10.1.0.7/24 dev e0", "addr add fd01::100/64 dev e1 nodad")
    keeper.start(BOTH)
    assert set(host.addresses("e0")) >= {"10.1.0.1/24", "10.1.0.7/24"}
    assert "10.1.0.100/24" not in host.addresses("e0")
    assert "fd01::100/64" not in host.addresses("e1")
    assert host.run("cat", "/proc/sys/net/ipv4/conf/e0/promote_secondaries").stdout == "0\n"
    log = keeper.log.read_text()
    assert "10.1.0.100 from e0" in log and "fd01::100 from e1" in log
    keeper.hears_nothing()


def test_a_killed_keepers_leftovers_are_taken_down_later(keeper, host):
    host.ip("link set e1 down")
    keeper.start(configured("10.1.0.100/24", "10.5.0.100/24 dev e1"))
    keeper.hold()
    keeper.process.kill()
    keeper.process.wait()
    keeper.engine_exits(1)
    assert V4 in host.addresses("e0") and host.is_up("e1")
    keeper.start(configured("10.1.0.55/24"))  # another configuration: the old one counts as well
    assert V4 not in host.addresses("e0")
    assert "10.5.0.100/32" not in host.addresses("e1") and own_subnet_routes(host) == []
    assert not host.is_up("e1") and not (keeper.runtime / "raised-e1").exists()


def test_release(keeper, host):
    keeper.start(BOTH)
    keeper.hold()
    status, out = keeper.release(BOTH)
    assert (status, out) == (1, "")
    assert f"ha is running with {keeper.runtime} (pid {keeper.process.pid})" in keeper.log.read_text()
    assert V4 in host.addresses("e0")
    keeper.process.kill()
    keeper.process.wait()
    keeper.engine_exits(1)
    status, out = keeper.release(BOTH)
    assert status == 0
    assert sorted(out.splitlines()) == ["released 10.1.0.100 from e0", "released fd01::100 from e0"]
    assert {V4, V6}.isdisjoint(host.addresses("e0"))
    assert keeper.release(BOTH) == (0, "nothing to release\n")


# --- privileges

def capabilities(status):
    return {line.split()[0]: int(line.split()[1], 16)
            for line in status.splitlines() if line.startswith("Cap")}


def test_privileges(keeper):
    keeper.start(configured("10.1.0.100", node="user = nobody"))
    keeper.speak(PROBE, 0)
    time.sleep(0.1)
    engine, status = keeper.about, pathlib.Path(f"/proc/{keeper.process.pid}/status").read_text()
    assert engine["uid"] == engine["gid"] == (65534,) * 3 and engine["groups"] == []
    assert set(capabilities(engine["status"]).values()) == {0}
    assert "NoNewPrivs:\t1" in engine["status"] and "NoNewPrivs:\t1" in status
    two = 1 << 12 | 1 << 13  # CAP_NET_ADMIN, CAP_NET_RAW
    assert capabilities(status) == {"CapInh:": 0, "CapPrm:": two, "CapEff:": two, "CapBnd:": two,
                                    "CapAmb:": 0}
    # what the script itself opens comes on top: its socket, the list of the descriptors
    assert engine["descriptors"][:8] == list(range(8)) and len(engine["descriptors"]) <= 10
    assert set(engine["environment"]) <= {"PATH", "LANG", "JOURNAL_STREAM"}
    assert engine["arguments"] == ["--runtime-dir", str(keeper.runtime)]


def test_what_the_engine_gets_cannot_be_changed(keeper):
    keeper.start(BOTH)
    sealed = 0x1 | 0x2 | 0x4  # SEAL, SHRINK, GROW
    assert os.pread(keeper.descriptors[CONFIGURATION], 10000, 0).decode() == BOTH
    assert os.fstat(keeper.descriptors[KEY]).st_size == 0
    for which, wanted in ((CONFIGURATION, sealed | 0x8), (KEY, sealed | 0x8), (LEASE, sealed)):
        assert fcntl.fcntl(keeper.descriptors[which], 1034) == wanted  # F_GET_SEALS
    with pytest.raises(PermissionError):
        os.ftruncate(keeper.descriptors[LEASE], 0)


def test_without_privilege_it_says_which(keeper, host, folder):
    keeper.configuration.write_text(BOTH)
    for missing in ("net_admin", "net_raw"):
        done = host.run("sh", "-c", f"exec setpriv --bounding-set=-{missing} --inh-caps=-{missing} "
                        f"{keeper.programs}/ha-keeper --configuration 9 --runtime-dir {folder}/x "
                        f"9<{keeper.configuration}")
        assert done.returncode == 1 and f"CAP_{missing.upper()}" in done.stderr
        assert done.stderr.count("\n") == 1 and not (folder / "x").exists()


def test_only_one_runs_in_a_folder(keeper):
    keeper.start(BOTH)
    status, said = keeper.refused(BOTH)
    assert status == 1
    assert f"another ha runs with {keeper.runtime} (pid {keeper.process.pid})" in said


def test_the_configuration_is_read_with_suspicion(keeper):
    status, said = keeper.refused("[group main]\naddres = 10.1.0.100\n")
    assert status == 2 and "ha-keeper: error: line 2: " in said
    keeper.configuration.touch()
    keeper.configuration.chmod(0o666)
    status, said = keeper.refused(BOTH)
    assert status == 1 and "chmod go-w" in said
    keeper.configuration.chmod(0o644)
    os.chown(keeper.configuration, 65534, -1)
    status, said = keeper.refused(BOTH)
    assert status == 1 and "another user" in said
    assert not keeper.runtime.exists()


def test_the_key(keeper, folder):
    key = folder / "key"
    configuration = configured("10.1.0.100", node=f"key-file = {key}")
    status, said = keeper.refused(configuration)
    assert status == 1 and "No such file" in said
    key.write_text("00ff" * 16 + "\n")
    key.chmod(0o640)
    status, said = keeper.refused(configuration)
    assert status == 1 and "chmod 600" in said
    key.chmod(0o600)
    keeper.start(configuration)
    assert os.pread(keeper.descriptors[KEY], 100, 0) == bytes.fromhex("00ff" * 16)
    keeper.stop()
    key.write_text("no key")
    status, said = keeper.refused(configuration)
    assert status == 1 and "ha keygen" in said


def test_a_runtime_folder_of_others_is_refused(keeper, folder):
    (folder / "elsewhere").mkdir()
    keeper.runtime.symlink_to(folder / "elsewhere")
    status, said = keeper.refused(BOTH)
    assert status == 1 and "link" in said
    keeper.runtime.unlink()
    keeper.runtime.mkdir()
    os.chown(keeper.runtime, 65534, -1)
    status, said = keeper.refused(BOTH)
    assert status == 1 and "belongs to" in said


# --- a hostile engine

def everything(host):
    """All that the keeper could break, without what it may change."""
    shared = ("10.1.0.100", "fd01::100")
    return ({d: [a for a in host.addresses(d) if a.split("/")[0] not in shared]
             for d in ("e0", "e1", "lo")},
            [r for r in host.routes() if not any(a in r for a in shared)],
            [(link["ifname"], sorted(link["flags"])) for link in host.show("link")])


def drain(keeper):
    while select.select([keeper.channel], [], [], 0)[0]:
        keeper.channel.recv(4096)


def test_every_verb_with_every_index(keeper, host):
    host.await_link_local()
    before = everything(host)
    keeper.start(BOTH)
    for verb, index, second in itertools.product(
            range(256), (0, 1, 2, 3, 255, 256, 0x7fff, 0xffff), (0, 1, 0xffff)):
        keeper.speak(verb, index, second, number=2**64 - 1)
        drain(keeper)
    assert keeper.process.poll() is None
    assert everything(host) == before
    keeper.release_group()
    assert everything(host) == before
    log = keeper.log.read_text()
    assert "refused" in log and log.count("refused") < 20


def test_random_messages(keeper, host):
    host.await_link_local()
    before = everything(host)
    chance = random.Random(42)
    keeper.start(BOTH)
    keeper.channel.setblocking(True)
    for _ in range(5000):
        message = bytearray(chance.randbytes(chance.choice((0, 1, 15, 16, 17, 32, 200, 2064, 4000))))
        if len(message) >= 16 and chance.random() < 0.7:
            payload = len(message) - 16 if chance.random() < 0.9 else chance.randrange(65536)
            message[:8] = struct.pack("!BBHHH", chance.randrange(1, 9), 0, chance.randrange(3),
                                      chance.randrange(3), payload)
        keeper.channel.send(message)
        keeper.page[:8] = chance.randbytes(8)
        drain(keeper)
    keeper.store_lease(60)
    assert keeper.process.poll() is None
    time.sleep(0.1)
    drain(keeper)
    keeper.release_group()
    assert everything(host) == before


def test_descriptors_that_are_sent_along_are_not_kept(keeper):
    keeper.start(BOTH)
    before = len(os.listdir(f"/proc/{keeper.process.pid}/fd"))
    message = HEADER.pack(READY, 0, 0, 0, 0, 0)
    for _ in range(100):
        keeper.channel.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                            array.array("i", [0, 1]))])
    keeper.release_group()
    assert len(os.listdir(f"/proc/{keeper.process.pid}/fd")) == before


def test_an_engine_that_does_not_read_loses_everything(keeper, host):
    keeper.start(BOTH)
    keeper.hold()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        for _ in range(100000):
            keeper.speak(HOLD)
    assert keeper.process.wait(3) == 1
    assert V4 not in host.addresses("e0")
    assert "does not read" in keeper.log.read_text()


def test_frames_never_crowd_answers_out(keeper, host, client):
    keeper.start(BOTH)
    client.ip("addr add 10.1.0.100/24 dev e0")
    with client.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
        s.bind(("e0", 0))
        frame = (b"\xff" * 6 + bytes.fromhex(client.mac().replace(":", "")) + b"\x08\x06\0\1\x08\0"
                 b"\6\4\0\1" + b"\2" * 6 + socket.inet_aton("10.1.0.100") + bytes(6)
                 + socket.inet_aton("10.1.0.3"))
        for _ in range(10000):
            s.send(frame)
    keeper.speak(HOLD, number=9)
    assert keeper.hear(HELD)[3] == 9
    assert keeper.process.poll() is None


# --- speed

def test_a_hold_takes_less_than_a_millisecond_or_two(keeper, host):
    keeper.start(configured("10.1.0.100/24"))
    times = []
    for epoch in range(50):
        begin = time.perf_counter()
        keeper.hold(epoch=epoch)
        times.append(time.perf_counter() - begin)
        keeper.release_group()
    print(f"median {sorted(times)[25] * 1e6:.0f} us, worst {max(times) * 1e6:.0f} us")
    assert sorted(times)[25] < 0.002
