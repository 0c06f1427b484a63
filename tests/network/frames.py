# SPDX-License-Identifier: ISC
"""ARP and neighbour discovery frames: to bytes, from bytes, and a recorder of those that pass."""

import dataclasses
import ipaddress
import select
import socket
import struct
import time

from background import Background

ETHERTYPE_IPV4, ETHERTYPE_ARP, ETHERTYPE_IPV6 = 0x0800, 0x0806, 0x86DD
ETHERTYPE_ALL = 3
REQUEST, REPLY = 1, 2
SOLICITATION, ADVERTISEMENT = 135, 136
BROADCAST = "ff:ff:ff:ff:ff:ff"
NO_MAC = "00:00:00:00:00:00"
PACKET_OUTGOING = 4
ALL_NODES = "ff02::1"


def mac_to_bytes(mac):
    return bytes.fromhex(mac.replace(":", ""))


def mac_from_bytes(data):
    return data.hex(":")


@dataclasses.dataclass
class Arp:
    operation: int
    sender_mac: str
    sender: str
    target_mac: str
    target: str
    source: str = ""  # of the Ethernet frame
    destination: str = BROADCAST
    time: float = 0.0

    def encode(self):
        return (mac_to_bytes(self.destination) + mac_to_bytes(self.source or self.sender_mac)
                + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, ETHERTYPE_IPV4, 6, 4, self.operation)
                + mac_to_bytes(self.sender_mac) + socket.inet_aton(self.sender)
                + mac_to_bytes(self.target_mac) + socket.inet_aton(self.target))


@dataclasses.dataclass
class Nd:
    kind: int  # SOLICITATION or ADVERTISEMENT
    target: str
    source_ip: str
    destination_ip: str
    link_address: str = ""  # of the option; "" if there is none
    option: int = 0  # 1: source link-layer address, 2: target link-layer address
    router: bool = False
    solicited: bool = False
    override: bool = False
    hop_limit: int = 255
    source: str = ""
    destination: str = ""
    time: float = 0.0

    def encode(self):
        flags = self.router << 31 | self.solicited << 30 | self.override << 29
        message = struct.pack("!BBHI", self.kind, 0, 0, flags)
        message += ipaddress.IPv6Address(self.target).packed
        if self.link_address:
            message += bytes([self.option, 1]) + mac_to_bytes(self.link_address)
        source = ipaddress.IPv6Address(self.source_ip).packed
        destination = ipaddress.IPv6Address(self.destination_ip).packed
        pseudo = source + destination + struct.pack("!II", len(message), 58)
        check = checksum(pseudo + message)
        message = message[:2] + struct.pack("!H", check) + message[4:]
        header = struct.pack("!IHBB", 0x60000000, len(message), 58, self.hop_limit)
        return (mac_to_bytes(self.destination) + mac_to_bytes(self.source)
                + struct.pack("!H", ETHERTYPE_IPV6) + header + source + destination + message)


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def solicited_node(address):
    """The multicast address that a host of this address listens to: RFC 4291 section 2.7.1."""
    low = ipaddress.IPv6Address(address).packed[-3:]
    return str(ipaddress.IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + low))


def multicast_mac(address):
    return mac_from_bytes(b"\x33\x33" + ipaddress.IPv6Address(address).packed[-4:])


def decode_arp(frame):
    if len(frame) < 42 or frame[12:20] != struct.pack("!HHHBB", ETHERTYPE_ARP, 1, ETHERTYPE_IPV4, 6, 4):
        return None
    return Arp(operation=struct.unpack("!H", frame[20:22])[0],
               sender_mac=mac_from_bytes(frame[22:28]), sender=socket.inet_ntoa(frame[28:32]),
               target_mac=mac_from_bytes(frame[32:38]), target=socket.inet_ntoa(frame[38:42]),
               source=mac_from_bytes(frame[6:12]), destination=mac_from_bytes(frame[0:6]))


def decode_nd(frame):
    if len(frame) < 78 or frame[12:14] != b"\x86\xdd" or frame[20] != 58:
        return None
    kind = frame[54]
    if kind not in (SOLICITATION, ADVERTISEMENT):
        return None
    flags = frame[58]
    nd = Nd(kind=kind, target=str(ipaddress.IPv6Address(frame[62:78])),
            source_ip=str(ipaddress.IPv6Address(frame[22:38])),
            destination_ip=str(ipaddress.IPv6Address(frame[38:54])),
            router=bool(flags & 0x80), solicited=bool(flags & 0x40), override=bool(flags & 0x20),
            hop_limit=frame[21], source=mac_from_bytes(frame[6:12]),
            destination=mac_from_bytes(frame[0:6]))
    if len(frame) >= 86 and frame[78] in (1, 2) and frame[79] == 1:
        nd.option = frame[78]
        nd.link_address = mac_from_bytes(frame[80:86])
    return nd


class Capture(Background):
    """Records the ARP and ND frames that a host receives on a device, from now on."""

    def __init__(self, host, device="eth0", outgoing=False):
        self.frames = []
        self.outgoing = outgoing
        self.socket = host.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ALL))
        self.socket.bind((device, ETHERTYPE_ALL))
        self.begin(self._record)

    def _record(self):
        while self.running:
            if not select.select([self.socket], [], [], 0.1)[0]:
                continue
            try:
                data, source = self.socket.recvfrom(2048)
            except OSError:
                return  # the device went away
            frame = decode_arp(data) or decode_nd(data)
            if frame and (self.outgoing or source[2] != PACKET_OUTGOING):
                frame.time = time.monotonic()
                self.frames.append(frame)

    def arp(self, **fields):
        return self._select(Arp, fields)

    def nd(self, **fields):
        return self._select(Nd, fields)

    def _select(self, kind, fields):
        return [frame for frame in list(self.frames) if isinstance(frame, kind)
                and all(getattr(frame, name) == value for name, value in fields.items())]
