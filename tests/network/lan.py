# SPDX-License-Identifier: ISC
"""A LAN on this machine: a switch, and hosts on it, each a network namespace.

    with Lan() as lan:
        alpha, client = lan.host("alpha", 1), lan.host("client", 250)

A host has the addresses 10.77.0.NUMBER/24 and fd77::NUMBER/64 on its device eth0; a second LAN of the
same hosts, on other devices, is a `Lan(second=True)`. Every host answers UDP echo requests to any of its
addresses with its own name, so a client sees who serves a shared address.
"""

import collections
import ctypes
import ipaddress
import itertools
import json
import os
import select
import selectors
import socket
import struct
import subprocess
import threading
import time

import frames
from background import Background

CLONE_NEWNET = 0x40000000
ECHO_PORT = 7
IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
LIBC = ctypes.CDLL(None, use_errno=True)
SERIAL = itertools.count(1)


def wait_until(condition, what, timeout=10.0):
    """Polls until the condition holds and returns its value; `what` may be a function."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what() if callable(what) else what}")
        time.sleep(0.02)


def stays(condition, what, seconds):
    """The condition holds now and all the time for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"ended: {what}"
        time.sleep(0.02)


class Namespace:
    def __init__(self, name):
        self.name = name
        self.namespace = f"ha-{os.getpid()}-{next(SERIAL)}-{name}"
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self.path = f"/run/netns/{self.namespace}"
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        self.sysctl("ipv6/conf/all/forwarding", 0)
        self.ip("link set lo up")

    def command(self, *argv):
        """A command line that runs in this namespace."""
        return ["nsenter", f"--net={self.path}", *map(str, argv)]

    def run(self, *argv, **options):
        options = {"check": True, "capture_output": True, "text": True, **options}
        done = subprocess.run(self.command(*argv), **{**options, "check": False})
        if options["check"] and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, argv))}: {done.stderr}")
        return done

    def ip(self, *commands):
        """Commands of ip(8), all in one go."""
        self.run("ip", "-batch", "-", input="\n".join(commands) + "\n")

    def ip_json(self, *argv):
        return json.loads(self.run("ip", "-json", *argv).stdout or "[]")

    def call(self, function, *arguments):
        """Calls a function in a thread that stands in this namespace. What it opens stays there."""
        result = []

        def body():
            if LIBC.setns(self.descriptor, CLONE_NEWNET) != 0:
                result.append(OSError(ctypes.get_errno(), "setns"))
                return
            try:
                result.append(function(*arguments))
            except Exception as error:
                result.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if isinstance(result[0], Exception):
            raise result[0]
        return result[0]

    def socket(self, *arguments):
        return self.call(socket.socket, *arguments)

    def sysctl(self, key, value):
        def write():
            with open(f"/proc/sys/net/{key}", "w", encoding="ascii") as file:
                file.write(str(value))
        self.call(write)

    def close(self):
        os.close(self.descriptor)
        subprocess.run(["ip", "netns", "delete", self.namespace], check=False)


class Host(Namespace):
    """Made by Lan.host()."""

    def __init__(self, name):
        super().__init__(name)
        self.macs = {}  # by device
        self.address = self.address6 = None  # on its first device

    @property
    def mac(self):
        return self.macs["eth0"]

    def addresses(self, device=None):
        """{"10.77.0.1": the kernel's description of it, ...}"""
        links = self.ip_json("address", "show", *(["dev", device] if device else []))
        return {a["local"]: {**a, "device": link["ifname"]}
                for link in links for a in link.get("addr_info", [])}

    def has(self, address):
        return address in self.addresses()

    def link(self, device="eth0"):
        return self.ip_json("link", "show", "dev", device)[0]

    def is_up(self, device):
        return "UP" in self.link(device)["flags"]

    def neighbour(self, address):
        """The hardware address that this host's kernel has for another address, or None."""
        for entry in self.ip_json("neighbour", "show", "to", address):
            if "lladdr" in entry:
                return entry["lladdr"]
        return None

    # --- as a client

    def ask(self, address, timeout=0.5):
        """The name of the host that answers a request to this address, or None."""
        ip = ipaddress.ip_address(address)
        family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
        with self.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(timeout)
            try:
                s.connect((address, ECHO_PORT))  # answers from another address do not count
                s.send(b"")
                return s.recv(100).decode().strip()
            except OSError:
                return None

    def who_has(self, address, wait=0.3, device="eth0"):
        """All hardware addresses that answer for an address now, asked past the neighbour cache."""
        version = ipaddress.ip_address(address).version
        with frames.Capture(self, device) as capture:
            self.transmit((self._arp_request if version == 4 else self._solicitation)(address, device),
                          device)
            time.sleep(wait)
            if version == 4:
                return {a.sender_mac for a in capture.arp(operation=frames.REPLY, sender=address,
                                                          target=self.address)}
            return {n.link_address for n in capture.nd(kind=frames.ADVERTISEMENT, target=address,
                                                       solicited=True)}

    def _arp_request(self, address, device):
        return frames.Arp(frames.REQUEST, self.macs[device], self.address, frames.NO_MAC,
                          address).encode()

    def _solicitation(self, address, device):
        group = frames.solicited_node(address)
        return frames.Nd(frames.SOLICITATION, address, self.address6, group,
                         link_address=self.macs[device], option=1, source=self.macs[device],
                         destination=frames.multicast_mac(group)).encode()

    def transmit(self, frame, device="eth0"):
        with self.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
            s.bind((device, 0))
            s.send(frame)

    def probe(self, address, every=0.01):
        return Probe(self, address, every)


class Probe(Background):
    """A client that asks all the time. Use as a context manager; `answers` is the whole truth."""

    Answer = collections.namedtuple("Answer", "asked answered host")

    def __init__(self, host, address, every):
        ip = ipaddress.ip_address(address)
        self.socket = host.socket(socket.AF_INET if ip.version == 4 else socket.AF_INET6,
                                  socket.SOCK_DGRAM)
        self.address, self.every = address, every
        self.asked = []  # times
        self.answers = []  # in the order in which they came
        self.begin(self._run)

    def _run(self):
        deadline = time.monotonic()
        while self.running:
            now = time.monotonic()
            if now >= deadline:
                deadline = max(deadline + self.every, now)
                self._ask(now)
            if select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
                self._take()

    def _ask(self, now):
        self.asked.append(now)
        try:
            self.socket.sendto(struct.pack("!I", len(self.asked) - 1), (self.address, ECHO_PORT))
        except OSError:
            pass  # no route for a moment: an answer that does not come

    def _take(self):
        try:
            data, source = self.socket.recvfrom(200)
        except OSError:
            return
        if source[0] != self.address:
            return
        number = struct.unpack("!I", data[:4])[0]
        self.answers.append(self.Answer(self.asked[number], time.monotonic(), data[4:].decode()))

    def hosts(self):
        """Who answered, each run of the same one once: ["alpha", "beta"]."""
        return [name for name, _ in itertools.groupby(a.host for a in list(self.answers))]

    def wait_for(self, host, timeout=10.0):
        """Until an answer of this host comes to a request made from now on."""
        begin = time.monotonic()
        wait_until(lambda: any(a.host == host and a.asked >= begin for a in self.answers[-50:]),
                   lambda: f"an answer of {host}; so far {self.hosts()}", timeout)

    def outages(self, longer_than=0.1):
        """(begin, seconds) of the times without answers."""
        times = sorted(a.asked for a in list(self.answers))
        return [(a, b - a) for a, b in zip(times, times[1:]) if b - a > longer_than]

    def longest_outage(self):
        return max((seconds for _, seconds in self.outages(0)), default=0.0)


class Responder:
    """Answers every echo request to any address of any host, from that address, with the host's name."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def add(self, host):
        for family, level, option in [(socket.AF_INET, socket.IPPROTO_IP, IP_PKTINFO),
                                      (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO)]:
            s = host.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.setsockopt(level, option, 1)
            s.bind(("", ECHO_PORT))
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ, host.name.encode())

    def _run(self):
        while self.running:
            for key, _ in self.selector.select(0.1):
                try:
                    data, ancillary, _, source = key.fileobj.recvmsg(100, 100)
                    key.fileobj.sendmsg([data + key.data], ancillary, 0, source)
                except OSError:
                    continue  # the address left between question and answer

    def close(self):
        self.running = False
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


class Lan:
    def __init__(self, second=False):
        self.number = 78 if second else 77
        self.switch = Namespace("switch")
        self.hosts = {}
        self.ports = {}  # of the switch, by host name
        self.rules = []
        self.responder = Responder()
        self.switch.ip("link add name br0 type bridge mcast_snooping 0", "link set br0 up")
        for family in ["arp", "ip", "ip6"]:
            try:
                self.switch.sysctl(f"bridge/bridge-nf-call-{family}tables", 0)
            except OSError:
                pass  # the kernel has no bridge netfilter: nothing to switch off

    def address(self, number):
        return f"10.{self.number}.0.{number}"

    def address6(self, number):
        return f"fd{self.number}::{number}"

    def host(self, name, number, mac=None):
        """A new host with one device, eth0, and both addresses."""
        host = Host(name)
        host.address, host.address6 = self.address(number), self.address6(number)
        self.responder.add(host)
        self.attach(host, "eth0", number, mac)
        return host

    def attach(self, host, device, number=None, mac=None, up=True):
        """Plugs a host in with one more device; without a number it gets no address."""
        port = f"p-{host.name}"[:15]
        mac = mac or f"02:{self.number}:00:00:00:{number or len(self.hosts) + 100:02x}"
        self.switch.ip(f"link add {port} type veth peer name {device} address {mac} "
                       f"netns {host.namespace}",
                       f"link set {port} master br0 up")
        host.macs[device] = mac
        self.hosts[host.name], self.ports[host.name] = host, port
        if number:
            host.ip(f"address add {self.address(number)}/24 dev {device}",
                    f"address add {self.address6(number)}/64 dev {device} nodad")
        if up:
            host.ip(f"link set {device} up")

    def wait_plugged(self, host):
        """Until the switch passes on what the host sends: a port starts a moment after its device."""
        port = self.ports[host.name]

        def state():
            link, = self.switch.ip_json("-details", "link", "show", "dev", port)
            return link["linkinfo"]["info_slave_data"]["state"]

        wait_until(lambda: state() == "forwarding", f"port {port} forwards")

    def detach(self, host, device="eth0"):
        """Deletes the host's device, as if the card were pulled."""
        host.ip(f"link delete {device}")

    def name_of(self, mac):
        """The host that has this hardware address on this LAN; the address itself if none has."""
        for host in self.hosts.values():
            if mac in host.macs.values():
                return host.name
        return mac

    def cached(self, client, address):
        """Whom a client's neighbour cache names for an address."""
        return self.name_of(client.neighbour(address))

    def answering(self, client, address):
        """The names of all hosts that answer ARP or ND for an address now."""
        return {self.name_of(mac) for mac in client.who_has(address)}

    # --- faults

    def cable_out(self, host):
        """The host's carrier goes."""
        self.switch.ip(f"link set {self.ports[host.name]} down")

    def cable_in(self, host):
        self.switch.ip(f"link set {self.ports[host.name]} up")

    def isolate(self, host):
        """The switch forwards nothing of or for this host, which sees its carrier all the same."""
        self.switch.run("bridge", "link", "set", "dev", self.ports[host.name], "state", "0")

    def reconnect(self, host):
        self.switch.run("bridge", "link", "set", "dev", self.ports[host.name], "state", "3")

    def cut(self, source, destination, only=""):
        """Nothing passes from one host to another any more; `only`: a match of nft(8)."""
        self.rules.append(f"iifname {self.ports[source.name]} oifname "
                          f"{self.ports[destination.name]} {only} drop")
        self._apply_rules()

    def cut_multicast(self, source, destination):
        """As a snooping switch does that filters on one port: unicast and ARP still pass."""
        self.cut(source, destination, "ip daddr 224.0.0.0/4")

    def part(self, *sides):
        """Several lists of hosts that do not hear each other any more."""
        for side, other in itertools.permutations(sides, 2):
            for source, destination in itertools.product(side, other):
                self.rules.append(f"iifname {self.ports[source.name]} oifname "
                                  f"{self.ports[destination.name]} drop")
        self._apply_rules()

    def heal(self):
        self.rules = []
        self._apply_rules()

    def _apply_rules(self):
        rules = "\n".join(f"add rule bridge faults forward {rule}" for rule in self.rules)
        self.switch.run("nft", "-f", "-", input=f"""
            add table bridge faults
            delete table bridge faults
            add table bridge faults
            add chain bridge faults forward {{ type filter hook forward priority 0; }}
            {rules}
            """)

    def close(self):
        self.responder.close()
        for host in self.hosts.values():
            if host.macs and os.path.exists(host.path):
                host.close()
        self.switch.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
