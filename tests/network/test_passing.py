# SPDX-License-Identifier: ISC
"""What the kernel passes on to the other host of a handover, frame by frame, with a test in the place of the
engine (docs/protocol.md 7.5). What that is good for, test_moves.py shows."""

import contextlib
import ipaddress
import os
import select
import socket
import struct
import time

import pytest

import frames
from keeper_alone import (  # noqa: F401 (the last line: fixtures)
    BOTH, GIVEN_UP, HANDED_ON, IN_SERVICE, READY, wait_until,
    client, folder, host, keeper)

OURS = {4: "10.1.0.100", 6: "fd01::100"}
CLIENT = {4: "10.1.0.2", 6: "fd01::2"}
OTHER = "02:00:00:00:00:99"  # the other host of the handover
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
PORT = 4711
FIN, SYN, RST, ACK = 1, 2, 4, 16
TCP, UDP = 6, 17

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@pytest.fixture
def holder(keeper):
    keeper.start(BOTH)
    if not keeper.fenced:
        pytest.skip(keeper.log.read_text())
    keeper.speak(READY)
    keeper.hold()
    return keeper


@pytest.fixture(params=[4, 6])
def version(request):
    return request.param


@pytest.fixture
def server(host, version):
    with listening(host, version) as listener:
        yield listener


@contextlib.contextmanager
def listening(host, version):
    with host.socket(FAMILY[version], socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", PORT))
        listener.listen()
        listener.settimeout(3)
        yield listener


def packet(version, source, destination, protocol, payload, at):
    """An IP packet; the checksum of the payload belongs `at` that offset of it."""
    a, b = (ipaddress.ip_address(x).packed for x in (source, destination))
    check = frames.checksum(a + b + struct.pack("!II", len(payload), protocol) + payload)
    payload = payload[:at] + struct.pack("!H", check) + payload[at + 2:]
    if version == 6:
        return struct.pack("!IHBB", 0x60000000, len(payload), protocol, 64) + a + b + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0) + a + b
    return head[:10] + struct.pack("!H", frames.checksum(head)) + head[12:] + payload


def segment(version, source, destination, ports, flags):
    return packet(version, source, destination, TCP,
                  struct.pack("!HHIIBBHHH", *ports, 1000, 2000, 0x50, flags, 1024, 0, 0), 16)


class Wire:
    """The client's end of the cable."""

    def __init__(self, host, client, version):
        self.host, self.client, self.version = host.mac(), client.mac(), version
        self.ethertype = frames.ETHERTYPE_IPV4 if version == 4 else frames.ETHERTYPE_IPV6
        self.socket = client.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(frames.ETHERTYPE_ALL))
        self.socket.bind(("e0", frames.ETHERTYPE_ALL))

    def send(self, what, source=None):
        while select.select([self.socket], [], [], 0)[0]:
            self.socket.recv(2000)
        self.sent = what
        self.socket.send(frames.mac_to_bytes(self.host) + frames.mac_to_bytes(source or self.client)
                         + struct.pack("!H", self.ethertype) + what)

    def send_tcp(self, port, flags, to=PORT, source=None):
        self.send(segment(self.version, CLIENT[self.version], OURS[self.version], (port, to), flags), source)

    def comes(self, is_it, seconds=3.0):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and select.select([self.socket], [], [], left)[0]:
            data, about = self.socket.recvfrom(2000)
            if about[2] != frames.PACKET_OUTGOING and is_it(data):
                return True
        return False

    def is_passed_on(self, data):
        """Unchanged, to the other host, under the hardware address of this one."""
        return (data[:6] == frames.mac_to_bytes(OTHER) and data[6:12] == frames.mac_to_bytes(self.host)
                and data[14:] == self.sent)

    def answers(self, port, flags):
        """... with a segment to that port of the client that has these flags."""
        def is_it(data):
            ip = 20 if self.version == 4 else 40
            tcp = data[14 + ip:]
            return (data[:6] == frames.mac_to_bytes(self.client) and len(tcp) >= 20
                    and struct.unpack("!H", tcp[2:4])[0] == port and tcp[13] & flags)
        return is_it


@pytest.fixture
def wire(host, client, version):
    wire = Wire(host, client, version)
    yield wire
    wire.socket.close()


@pytest.mark.usefixtures("server")
def test_the_new_holder_passes_back_segments_of_connections_that_it_does_not_have(holder, wire):
    wire.send_tcp(30001, ACK)
    assert wire.comes(wire.answers(30001, RST)), "no handover is under way"
    holder.pass_in_page(IN_SERVICE, OTHER)
    for flags in (ACK, ACK | FIN, RST, SYN | ACK):
        wire.send_tcp(30002, flags)
        assert wire.comes(wire.is_passed_on), flags
    wire.send_tcp(30002, ACK, source=OTHER)
    assert wire.comes(wire.answers(30002, RST)), "what was passed on to us does not go back"
    wire.send_tcp(30002, ACK, to=PORT + 1)
    assert wire.comes(wire.answers(30002, RST)), "a service that is none of our sockets is left alone"


def test_the_new_holder_takes_new_connections(holder, wire, server, client, version):
    holder.pass_in_page(IN_SERVICE, OTHER)
    with client.socket(FAMILY[version], socket.SOCK_STREAM) as asking:
        asking.settimeout(3)
        asking.connect((OURS[version], PORT))
        with server.accept()[0] as answering:
            answering.send(b"here")
            assert asking.recv(10) == b"here"


def test_the_old_holder_keeps_its_connections_and_passes_on_new_ones(holder, wire, server, client, version):
    with client.socket(FAMILY[version], socket.SOCK_STREAM) as asking, \
            client.socket(FAMILY[version], socket.SOCK_STREAM) as late:
        asking.settimeout(3)
        asking.connect((OURS[version], PORT))
        with server.accept()[0] as answering:
            holder.pass_in_page(HANDED_ON, OTHER)
            answering.send(b"still")
            assert asking.recv(10) == b"still"
            asking.send(b"here")
            answering.settimeout(3)
            assert answering.recv(10) == b"here"
            wire.send_tcp(30003, SYN)
            assert wire.comes(wire.is_passed_on), "a new one is the other host's"
            wire.send_tcp(30003, ACK)
            assert wire.comes(wire.is_passed_on)
            late.setblocking(False)
            assert late.connect_ex((OURS[version], PORT)) != 0
            assert not select.select([server], [], [], 0.2)[0], "nobody begins a connection here"


def test_the_old_holder_passes_everything_on_after_its_release(holder, host, wire, version):
    question = packet(version, CLIENT[version], OURS[version], UDP, struct.pack("!HHHH", 30004, 7, 12, 0) + b"ha?!", 6)
    holder.pass_in_page(GIVEN_UP, OTHER)
    wire.send(question)
    assert wire.comes(wire.is_passed_on), "it is configured still, but given up"
    holder.release_group()
    wire.send(question)
    assert wire.comes(wire.is_passed_on)
    wire.send(question, source=OTHER)
    assert not wire.comes(wire.is_passed_on, 0.2), "it does not go back and forth"
    holder.pass_in_page(GIVEN_UP, OTHER, device="e1")
    wire.send(question)
    assert not wire.comes(wire.is_passed_on, 0.2), "that hardware address is on another device"
    holder.pass_in_page(GIVEN_UP, OTHER, seconds=-1)
    wire.send(question)
    assert not wire.comes(wire.is_passed_on, 0.2), "the time for it is over"


@pytest.mark.usefixtures("server")
def test_a_connection_in_which_this_host_has_spoken_is_its_own(holder, host, wire, version):
    """As where addresses are translated: the connection has no socket in front of the translation."""
    holder.pass_in_page(IN_SERVICE, OTHER)
    wire.send_tcp(30005, ACK)
    assert wire.comes(wire.is_passed_on)
    family = FAMILY[version]
    with host.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(segment(version, OURS[version], CLIENT[version], (PORT, 30005), SYN | ACK),
                   (CLIENT[version], 0))
    wire.send_tcp(30005, ACK)
    assert wire.comes(wire.answers(30005, RST))


def test_a_keeper_that_ends_passes_on_until_the_time_is_over(holder, host, wire, version):
    holder.release_group()
    holder.pass_in_page(GIVEN_UP, OTHER, seconds=0.4)
    begin = time.monotonic()
    holder.process.terminate()
    question = packet(version, CLIENT[version], OURS[version], UDP, struct.pack("!HHHH", 30006, 7, 12, 0) + b"ha?!", 6)
    holder.engine_exits(0)
    wire.send(question)
    assert wire.comes(wire.is_passed_on) or time.monotonic() - begin > 0.4
    wait_until(lambda: holder.process.poll() is not None, "the keeper ends")
    wire.send(question)
    assert not wire.comes(wire.is_passed_on, 0.1)
