# SPDX-License-Identifier: ISC
"""The original program, played from its description: each 100 ms a packet to 239.2.3.4 port 5555; whoever
hears nobody with a lower source address, compared as text, for 350 ms holds the shared address, and gives it
up when it hears one. Nothing here is shared with the code that is tested."""

import select
import socket
import struct
import subprocess
import time

import frames
from background import Background

GROUP, PORT = "239.2.3.4", 5555
INTERVAL, TOLERANCE = 0.1, 0.35


class Original(Background):
    def __init__(self, host, shared):
        self.host, self.name, self.shared = host, host.name, shared
        self.active = False
        self.heard = set()  # all that ever spoke
        self.socket = host.call(self._open)
        self.begin(self._run)

    def _open(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((GROUP, PORT))
        own = socket.inet_aton(self.host.address)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", socket.inet_aton(GROUP), own))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 64)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        return s

    def _run(self):
        silence_ends = time.monotonic() + TOLERANCE
        speak = time.monotonic()
        while self.running:
            now = time.monotonic()
            if now >= speak:
                self.socket.sendto(b"anything", (GROUP, PORT))
                speak = now + INTERVAL
            if now >= silence_ends and not self.active:
                self._change(True)
            if select.select([self.socket], [], [], max(0, speak - time.monotonic()))[0]:
                source = self.socket.recvfrom(2000)[1][0]
                self.heard.add(source)
                if source < self.host.address:  # as text
                    silence_ends = time.monotonic() + TOLERANCE
                    if self.active:
                        self._change(False)
        if self.active:
            self._change(False)

    def _change(self, active):
        self.active = active
        subprocess.run(["ip", "-n", self.host.namespace, "address", "add" if active else "delete",
                        f"{self.shared}/24", "dev", "eth0"], check=True)
        if active:
            self.host.transmit(frames.Arp(frames.REQUEST, self.host.mac, self.shared, frames.NO_MAC,
                                          self.shared).encode())
