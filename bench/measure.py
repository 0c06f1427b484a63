# SPDX-License-Identifier: ISC
"""What a client sees of a fault: the outage, the lost requests, and for how long two hosts answered."""

import contextlib
import subprocess

from contestants import PORT
from node import ADDRESS

RATE = 1000  # requests a second
NS_PER_MS = 1e6
SILENT_NS = 50e6  # a host that does not answer ARP for so long has stopped
END_NS = 100e6  # what lasts until so shortly before the end had not ended


class Instruments:
    """A client that asks for service, so many times a second by UDP and so many by a new TCP connection, and
    a watcher that asks for the address by ARP."""

    def __init__(self, cluster, rate=RATE, connections=0):
        self.cluster, self.rate, self.connections = cluster, rate, connections

    def __enter__(self):
        probe, client, watcher = self.cluster.probe, self.cluster.client, self.cluster.watcher
        commands = [watcher.command(probe, "arp", "eth0", ADDRESS),
                    client.command(probe, "ask", ADDRESS, PORT, self.rate)]
        if self.connections:
            commands.append(client.command(probe, "connect", ADDRESS, PORT, self.connections))
        self.processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
        for process in self.processes:
            assert process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
            process.stdout.close()

    def result(self):
        for process in self.processes:
            process.terminate()
        heard, *asked = (process.stdout.read().splitlines() for process in self.processes)
        by_udp, by_tcp = (sorted((int(sent), int(answered), name) for sent, answered, name in map(str.split, one))
                          for one in (asked + [[]])[:2])
        requests = sorted(by_udp + by_tcp)
        answers = [(int(at), mac) for at, mac in map(str.split, heard)]
        overlap, unfinished = two_owners(answers)
        return {"outage_ms": longest_gap([answered for _, answered, _ in by_udp if answered]),
                "stall_ms": longest_gap([sent for sent, _, _ in requests]), "lost": sum(not r[1] for r in by_udp),
                "requests": len(by_udp), "broken": sum(not r[1] for r in by_tcp), "connections": len(by_tcp),
                "slowest_ms": max(((r[1] - r[0]) / NS_PER_MS for r in by_tcp if r[1]), default=0.0), "answered_by": in_order(requests),
                "two_owners_ms": overlap, "two_owners_at_end": unfinished,
                **({"each": requests} if self.connections else {})}


def longest_gap(times):
    """Between one and the next [ms]."""
    assert len(times) > 1, "the client got no answers at all"
    times = sorted(times)
    return max(b - a for a, b in zip(times, times[1:])) / NS_PER_MS


def in_order(requests):
    """Who answered, each run of the same one once."""
    names = [name for _, answered, name in requests if answered]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def two_owners(answers):
    """For how long two hardware addresses answered by turns [ms], and whether they still did at the
    end. A time in which a host answers begins and ends with an answer; two of them overlap or do not."""
    runs = []
    for mac in {mac for _, mac in answers}:
        times = [at for at, who in answers if who == mac]
        runs.append(split(times))
    if len(runs) < 2:
        return 0.0, False
    assert len(runs) == 2, "more hosts answer than there are servers"
    both = [(max(a[0], b[0]), min(a[1], b[1])) for a in runs[0] for b in runs[1]]
    both = [(begin, end) for begin, end in both if end > begin]
    at_end = any(end > answers[-1][0] - END_NS for _, end in both)
    return sum(end - begin for begin, end in both) / NS_PER_MS, at_end


def split(times):
    runs = []
    for at in times:
        if runs and at - runs[-1][1] < SILENT_NS:
            runs[-1][1] = at
        else:
            runs.append([at, at])
    return runs
