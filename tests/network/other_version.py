# SPDX-License-Identifier: ISC
"""A node of another version: it shares nothing with the program, but is written from docs/protocol.md, for one
group with one IPv4 address, and speaks the minor version that it is told to, with extensions that nobody knows. It
holds, hands over and claims; sections 3, 4 and 6.1 to 6.7 are all there is."""

import dataclasses
import random
import threading
import time

import frames
from heartbeat import ACTIVE, ELIGIBLE, NOBODY, SHUTDOWN, STANDBY, WANT, Ear, Entry, Heard, Heartbeat, decode, name_hash

LISTENING = 0x04
GRANTED = 0x10  # in the octet of the state
LINGER = 0.02
POLL = 0.002


@dataclasses.dataclass
class Peer:
    said: Heartbeat
    at: float
    proven: bool


class OtherVersion:
    """Use as a context manager. `worth` may be set at any time."""

    def __init__(self, host, minor, extensions, address, group="main", worth=100, interval=0.05, tolerance=0.4):
        self.host, self.minor, self.extensions = host, minor, extensions
        self.address, self.group, self.worth = address, name_hash(group), worth
        self.interval, self.tolerance = interval, tolerance
        self.id, self.nonce = name_hash(host.name) << 8, random.getrandbits(63) | 1
        self.state, self.epoch, self.highest, self.sequence = STANDBY, 0, 0, 0
        self.peers, self.grantee, self.granter = {}, None, None
        self.leaving = self.gone = self.news = False
        self.release_at = self.spoke = None
        self.ear, self.read = Ear(host), 0
        self.began = self.beat = time.monotonic()
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    # --- what a test asks for

    def leave(self):
        """Politely: what it holds is handed over first."""
        self.leaving = True
        self.thread.join(10)
        self.close()

    def die(self):
        """Without a word. What stands for its keeper takes the address down."""
        self.close()

    def close(self):
        self.running = False
        self.thread.join()
        self._unconfigure()
        self.ear.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.running:
            self.close()

    # --- its life

    def _run(self):
        while self.running and not self.gone:
            now = time.monotonic()
            heard = self.ear.heard
            while self.read < len(heard):
                self._take(heard[self.read][0], now)
                self.read += 1
            self._decide(now)
            if self.news or now >= self.beat:
                self._speak(time.monotonic())
            time.sleep(POLL)

    def _take(self, data, now):
        try:
            h = decode(data)
        except AssertionError:
            return
        before = self.peers.get(h.id)
        same = before and before.said.nonce == h.nonce
        if h.major != 1 or h.id == self.id or same and h.sequence <= before.said.sequence:
            return
        proven = any(mine.id == self.id and mine.nonce == self.nonce for mine in h.heard)  # 3.1
        if not same:
            self.news = True  # 3.5
            if before and before.proven and not proven:
                return  # 3.3
        self.peers[h.id] = Peer(h, now, proven or bool(same and before.proven))
        for entry in h.groups:
            if entry.id == self.group:
                self.highest = max(self.highest, entry.epoch)

    def _live(self, now):
        """Peers that count, with what they say of the group: 3.4, 4.1."""
        for peer in self.peers.values():
            if peer.proven and not peer.said.leaving and now - peer.at < peer.said.tolerance_us / 1e6:
                for entry in peer.said.groups:
                    if entry.id == self.group:
                        yield peer.said, entry

    def _rank(self, said, entry):
        return entry.worth, [-octet for octet in map(int, said.address.split("."))]

    def _own_rank(self):
        return self.worth, [-octet for octet in map(int, self.host.address.split("."))]

    def listens(self, now):
        longest = max([self.tolerance, *(p.said.tolerance_us / 1e6 for p in self.peers.values())])
        return now - self.began < longest  # 6.1

    def _decide(self, now):
        live = list(self._live(now))
        holders = [(h, e) for h, e in live if e.state & 0x0f == ACTIVE]
        if self.state == STANDBY:
            self._as_standby(now, live, holders)
        elif self.release_at:
            if now >= self.release_at:
                self._release()
        else:
            self._as_holder(now, live, holders)

    def _grants_us(self, said, entry):
        return entry.grantee < len(said.heard) and said.heard[entry.grantee].id == self.id and \
            said.heard[entry.grantee].nonce == self.nonce

    def _as_standby(self, now, live, holders):
        outranked = any(e.flags & ELIGIBLE and self._rank(h, e) > self._own_rank() for h, e in live)
        granted = any(self._grants_us(h, e) for h, e in holders)
        if self.leaving:
            self.state, self.gone = SHUTDOWN, True
            self._speak(now)
        elif not self.listens(now) and (granted or not holders and not outranked):  # 6.3, 6.2
            self._claim()

    def _as_holder(self, now, live, holders):
        if self.spoke and now - self.spoke > self.tolerance * 31 / 32:  # 6.7
            self.began = now
            self._release()
        elif self.granter and not any(h.id == self.granter for h, _ in holders):
            self.granter = None
            self._announce()  # 6.3, in the end
        elif any(h.id == self.grantee and e.state & GRANTED for h, e in holders):
            self.release_at = now + LINGER
        elif any(h.id not in (self.grantee, self.granter) and self._rank(h, e) > self._own_rank()
                 for h, e in holders):
            self._release()  # 6.4
        elif self.leaving and not live:
            self._release()
        else:
            self._grant(live)

    def _grant(self, live):
        """To the worthiest that asks; of one that leaves, to the worthiest: 6.3, 6.5."""
        askers = [(self._rank(h, e), h.id) for h, e in live
                  if e.flags & (ELIGIBLE if self.leaving else WANT) and
                  (self.leaving or self._rank(h, e) > self._own_rank())]
        grantee = max(askers)[1] if askers else None
        if grantee != self.grantee and not any(e.state & GRANTED for h, e in live if h.id == self.grantee):
            self.grantee, self.news = grantee, True

    # --- what it does

    def _claim(self):
        now = time.monotonic()
        self.granter = next((h.id for h, e in self._live(now) if self._grants_us(h, e)), None)
        self.highest += 1
        self.epoch, self.grantee = self.highest, None
        self.host.ip(f"address add {self.address}/32 dev eth0 noprefixroute")
        self._announce()
        self.state, self.news, self.spoke = ACTIVE, True, None

    def _announce(self):
        """8.1."""
        mac = self.host.mac
        for operation, target in ((frames.REQUEST, frames.NO_MAC), (frames.REPLY, mac)):
            self.host.transmit(frames.Arp(operation, mac, self.address, target, self.address).encode())

    def _unconfigure(self):
        self.host.run("ip", "address", "del", f"{self.address}/32", "dev", "eth0", check=False)

    def _release(self):
        self._unconfigure()
        self.state, self.release_at, self.grantee, self.news = STANDBY, None, None, True

    def _wants(self, now):
        live = list(self._live(now))
        return any(e.state & 0x0f == ACTIVE for _, e in live) and all(
            self._own_rank() > self._rank(h, e) for h, e in live if e.flags & ELIGIBLE or e.state & 0x0f == ACTIVE)

    def _entry(self, now, heard):
        listens = self.listens(now)
        flags = 0 if self.leaving else LISTENING if listens else ELIGIBLE
        if self.state == STANDBY and flags == ELIGIBLE and self._wants(now):
            flags |= WANT
        granted = self.state == ACTIVE and not self.release_at and \
            any(self._grants_us(h, e) for h, e in self._live(now) if e.state & 0x0f == ACTIVE)
        grantee = next((n for n, h in enumerate(heard) if h.id == self.grantee), NOBODY)
        return Entry(id=self.group, worth=self.worth, state=self.state | (GRANTED if granted else 0), flags=flags,
                     grantee=grantee, epoch=self.epoch if self.state == ACTIVE else self.highest)

    def _speak(self, now):
        heard = [Heard(p.said.id, p.said.nonce, p.said.sequence, int((now - p.at) * 1000))
                 for p in self.peers.values() if now - p.at < 10]
        self.sequence += 1
        self.ear.say(Heartbeat(
            name=self.host.name, id=self.id, nonce=self.nonce, sequence=self.sequence, minor=self.minor,
            interval_us=int(self.interval * 1e6), tolerance_us=int(self.tolerance * 1e6),
            address=self.host.address, leaving=self.gone, heard=heard, groups=[self._entry(now, heard)],
            extensions=self.extensions).encode())
        self.spoke, self.beat, self.news = now, now + self.interval, False
