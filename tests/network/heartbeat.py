# SPDX-License-Identifier: ISC
"""The heartbeat's codec once more, written from its layout and not from the program's code, to forge,
replay and malform; and an ear that hears the heartbeats of a LAN."""

import dataclasses
import hashlib
import hmac
import ipaddress
import socket
import struct

from background import Background

GROUP, PORT = "239.2.3.4", 5555
STANDBY, ACTIVE, SHUTDOWN = 1, 2, 3
ELIGIBLE, WANT = 1, 2
NOBODY = 0xFF
NAME, HEARD, GROUPS = 1, 2, 3
TAG_SIZE = 16
HEADER = "!HBBHBBIIQQQII16s"


def name_hash(name):
    """FNV-1a folded to 32 bits: ids of clusters and groups."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return (value ^ value >> 32) & 0xFFFFFFFF or 1


@dataclasses.dataclass
class Entry:
    group: str = "main"
    worth: int = 100
    state: int = STANDBY
    flags: int = ELIGIBLE
    grantee: int = NOBODY
    epoch: int = 1
    id: int = 0  # 0: of the name

    def encode(self):
        return struct.pack("!IHBBBBQ", self.id or name_hash(self.group), self.worth, self.state,
                           self.flags, self.grantee, 0, self.epoch)


@dataclasses.dataclass
class Heard:
    id: int
    nonce: int
    sequence: int
    age_ms: int = 0

    def encode(self):
        return struct.pack("!QQII", self.id, self.nonce, self.sequence & 0xFFFFFFFF, self.age_ms)


@dataclasses.dataclass
class Heartbeat:
    name: str = "mallory"
    id: int = 0x6D616C6C6F7279
    nonce: int = 0x1122334455667788
    sequence: int = 1
    interval_us: int = 100_000
    tolerance_us: int = 350_000
    address: str = "10.77.0.66"
    leaving: bool = False
    cluster: str = "ha"
    major: int = 1
    minor: int = 0
    heard: list = dataclasses.field(default_factory=list)
    groups: list = dataclasses.field(default_factory=list)
    extensions: list = dataclasses.field(default_factory=list)  # (type, bytes), besides the known

    def encode(self, key=None, tag=None):
        """The datagram; with a key it is signed, with a tag the given one takes the right one's place."""
        content = b"".join(struct.pack("!HH", kind, len(body)) + body for kind, body in [
            (NAME, self.name.encode()),
            (HEARD, b"".join(h.encode() for h in self.heard)),
            (GROUPS, b"".join(g.encode() for g in self.groups)), *self.extensions])
        size = struct.calcsize(HEADER) + len(content) + (TAG_SIZE if key else 0)
        data = struct.pack(HEADER, 0x4841, self.major, self.minor, size, int(self.leaving),
                           1 if key else 0, name_hash(self.cluster), key_id(key) if key else 0,
                           self.id, self.nonce, self.sequence, self.interval_us, self.tolerance_us,
                           address_to_bytes(self.address)) + content
        return data + (tag or sign(data, key)) if key else data


def key_id(key):
    return int.from_bytes(hashlib.sha256(key).digest()[:4], "big")


def sign(data, key):
    return hmac.new(key, data, hashlib.sha256).digest()[:TAG_SIZE]


def address_to_bytes(address):
    ip = ipaddress.ip_address(address)
    return ip.packed if ip.version == 6 else b"\0" * 10 + b"\xff\xff" + ip.packed


def address_from_bytes(data):
    ip = ipaddress.IPv6Address(data)
    return str(ip.ipv4_mapped or ip)


def decode(data):
    """A datagram of the right size to a Heartbeat; the tag is not looked at."""
    (magic, major, minor, size, flags, authentication, _, _, node, nonce, sequence, interval,
     tolerance, address) = struct.unpack(HEADER, data[:64])
    assert magic == 0x4841 and size == len(data), "not a heartbeat"
    h = Heartbeat(id=node, nonce=nonce, sequence=sequence, interval_us=interval,
                  tolerance_us=tolerance, address=address_from_bytes(address),
                  leaving=bool(flags & 1), major=major, minor=minor)
    rest = data[64:len(data) - TAG_SIZE if authentication else len(data)]
    while rest:
        kind, length = struct.unpack("!HH", rest[:4])
        body, rest = rest[4:4 + length], rest[4 + length:]
        if kind == NAME:
            h.name = body.decode()
        elif kind == HEARD:
            h.heard = [Heard(*fields) for fields in struct.iter_unpack("!QQII", body)]
        elif kind == GROUPS:
            h.groups = [Entry(id=fields[0], worth=fields[1], state=fields[2], flags=fields[3],
                              grantee=fields[4], epoch=fields[6])
                        for fields in struct.iter_unpack("!IHBBBBQ", body)]
        else:
            h.extensions.append((kind, body))
    return h


class Ear(Background):
    """Hears every heartbeat that is multicast (or sent to this host), and can speak itself."""

    def __init__(self, host, port=PORT, device="eth0"):
        self.port = port
        self.heard = []  # (bytes, address of the sender)
        self.socket = host.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        interface = struct.pack("4s4si", socket.inet_aton(GROUP), b"\0" * 4,
                                host.call(socket.if_nametoindex, device))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, interface)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        self.socket.bind(("", port))
        self.socket.settimeout(0.1)
        self.begin(self._listen)

    def _listen(self):
        while self.running:
            try:
                data, source = self.socket.recvfrom(65536)
            except (TimeoutError, OSError):
                continue
            self.heard.append((data, source[0]))

    def say(self, data, ttl=255, to=GROUP):
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        self.socket.sendto(data, (to, self.port))

    def recordings(self, name):
        """The datagrams of one node, oldest first."""
        return [data for data, _ in list(self.heard) if decode(data).name == name]

    def latest(self, name):
        """What a node said last, or None."""
        recordings = self.recordings(name)
        return decode(recordings[-1]) if recordings else None
