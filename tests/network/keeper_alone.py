# SPDX-License-Identifier: ISC
"""ha-keeper alone, in network namespaces, with a test in the place of the engine: the fixtures of the
test_keeper files.

The keeper executes a program called `had` that lies beside it. Here that is a script which hands its
descriptors over to the test and waits for the exit status it shall have. So the test speaks the
channel (src/wire/channel.h), stores leases, and can do what a hostile engine would do.
"""

import ctypes
import itertools
import json
import mmap
import os
import pathlib
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HA_BUILD", ROOT / "build"))

READY, HOLD, RELEASE, RESTORE, ANNOUNCE, REQUEST, PROBE, WILL = range(1, 9)
HELD, HOLD_FAILED, RELEASED, EXPIRED, REMOVED, TARGET, FRAME, STOP, FENCE, \
    PAUSE, RETIRE, RESUME, ANSWERED, BEGIN, RENEWED = range(64, 79)
HEADER = struct.Struct("!BBHHHQ")
GROUP = struct.Struct("=Q6sHq")  # struct lease_group of src/wire/lease.h
IN_SERVICE, GIVEN_UP, HANDED_ON = range(3)
LEASE_S = 9.9  # longer ones are not believed: max-tolerance

CHANNEL, CONFIGURATION, KEY, LEASE, CONTROL = range(5)  # the descriptors, as handed over

IP_RECVTTL = 12  # ip(7); Python names it from 3.12 on
SERIAL = itertools.count(1)
LIBC = ctypes.CDLL(None, use_errno=True)

FAKE_ENGINE = """#!/usr/bin/python3
import os, socket, sys
test = socket.socket(socket.AF_UNIX)
test.connect(os.path.join(os.path.dirname(os.path.realpath(__file__)), "test.sock"))
about = repr({"pid": os.getpid(), "uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups(),
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
        self.prefix = []
        self.process = self.engine = self.channel = self.listener = None
        self.descriptors = []

    def launch(self, configuration, *more, stdout=None):
        self.configuration.write_text(configuration)
        with open(self.configuration, "rb") as file, open(self.log, "ab") as log:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.host.name, *self.prefix, self.programs / "ha-keeper",
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

    def start(self, configuration, lease=LEASE_S):
        path = self.programs / "test.sock"
        path.unlink(missing_ok=True)
        if self.listener:
            self.listener.close()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o777)
        self.listener.listen(1)
        self.process = self.launch(configuration)
        return self.await_engine(lease)

    def await_engine(self, lease=LEASE_S, timeout=5):
        """Until an engine asks for us; speaks for that one from then on."""
        self.listener.settimeout(timeout)
        try:
            self.engine, _ = self.listener.accept()
        except TimeoutError:
            pytest.fail("the engine did not start: " + self.log.read_text())
        about, descriptors, _, _ = socket.recv_fds(self.engine, 65536, 5)
        self.about = eval(about)  # of our own script
        self.descriptors = descriptors
        self.channel = socket.socket(fileno=os.dup(descriptors[CHANNEL]))
        groups = self.configuration.read_text().count("[group ")
        self.page = mmap.mmap(descriptors[LEASE], 8 + GROUP.size * groups)
        if lease is not None:
            self.store_lease(lease)
        self.begins_with = self.hear(BEGIN)[3]
        self.fenced = self.hear(FENCE)[3] == 1
        return self

    def store_lease(self, seconds):
        """The lease ends so many seconds from now."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        self.page[:8] = struct.pack("=q", now + int(seconds * 1e9))

    def release_in_page(self, group, released=True):
        """As the engine does it before it tells the keeper."""
        at = 8 + GROUP.size * group
        self.page[at:at + 8] = struct.pack("=Q", released)

    def pass_in_page(self, service, mac, device="e0", seconds=LEASE_S, group=0):
        """In a handover with the host at that hardware address."""
        index = self.host.show("link", "show", "dev", device)[0]["ifindex"]
        until = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + int(seconds * 1e9)
        at = 8 + GROUP.size * group
        self.page[at:at + GROUP.size] = GROUP.pack(
            service, bytes.fromhex(mac.replace(":", "")), index & 0xffff, until)

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
        """Waits for a message about index and passes over others that come unasked."""
        while (message := self.hear_any(timeout)):
            if message[:2] == (verb, index):
                return message
            assert message[0] in (FRAME, TARGET, RENEWED), f"{message} instead of {verb} {index}"
        pytest.fail(f"no message {verb} {index}")

    def hears_nothing(self, timeout=0.2):
        while (message := self.hear_any(timeout)):
            assert message[0] in (FRAME, RENEWED), message

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
        if self.listener:
            self.listener.close()


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


def own_subnet_routes(host):
    return [(r["dst"], r["dev"], r["metric"]) for r in
            host.show("route") + host.show("-6", "route") if r.get("protocol") == "143"]
