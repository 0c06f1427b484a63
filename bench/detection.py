# SPDX-License-Identifier: ISC
"""A host that vanishes: how long after the tolerance, counted from its last heartbeat, the next one announces the
address. Clusters of two to five nodes; the holder alone, and the next best with it."""

import math
import os
import socket
import struct
import subprocess
import time

import rows
from contestants import Cluster, wait_until
from node import ADDRESS

SIZES = [2, 3, 4, 5]
MARGIN_MS = 5  # promised, in the median
HEARTBEAT_PORT = 5555
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
BUFFER = 16 << 20
ATTEMPTS = 3
STALL_MS = 2  # a bare real-time timer that woke up so late has met others, not the fault
DEATHS = {1: "the holder vanishes", 2: "the next best vanishes with it"}


def plan(quick):
    """(interval, sizes, repetitions)"""
    if quick:
        return [(0.1, [2], 2), (0.01, [2, 5], 3)]
    return [(1.0, SIZES, 2), (0.1, SIZES, 4), (0.02, SIZES, 5), (0.01, SIZES, 5), (0.005, SIZES, 5)]


class Ear:
    """What a host of the LAN hears, with the kernel's time of each frame."""

    def __init__(self, host):
        self.socket = host.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(("eth0", 3))

    def frames(self):
        """(time [ns], frame)"""
        while True:
            try:
                frame, ancillary, _, _ = self.socket.recvmsg(64, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            seconds, ns = struct.unpack("qq", ancillary[0][2][:16])
            yield seconds * 10**9 + ns, frame

    def close(self):
        self.socket.close()


def mac(frame_part):
    return frame_part.hex(":")


def is_heartbeat(frame):
    return frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[36:38] == struct.pack("!H", HEARTBEAT_PORT)


def is_claim(frame):
    return frame[12:14] == b"\x08\x06" and frame[28:32] == socket.inet_aton(ADDRESS)


class Death:
    """Of the first `count` nodes of a cluster; two or three clusters die at the same time."""

    def __init__(self, cluster, count):
        self.cluster, self.dead, self.heir = cluster, cluster.servers[:count], cluster.servers[count]
        self.ear = Ear(cluster.watcher)

    def inflict(self):
        for server in self.dead:
            self.cluster.lan.isolate(server.host)

    def result(self):
        """{excess [ms], who announced first}; None if nobody did."""
        names = {server.host.mac: server for server in self.cluster.servers}
        last, claims = 0, []
        for at, frame in self.ear.frames():
            speaker = names.get(mac(frame[6:12]))
            if speaker in self.dead and is_heartbeat(frame):
                last = at
            elif speaker and speaker not in self.dead and is_claim(frame):
                claims.append((at, speaker))
        self.ear.close()
        claims = [claim for claim in claims if claim[0] > last]
        if not claims or not last:
            return None
        tolerance_ms = 3500 * self.cluster.interval
        return {"excess_ms": (claims[0][0] - last) / 1e6 - tolerance_ms, "heir": claims[0][1].host.name,
                "expected": self.heir.host.name}

    def repair(self):
        for server in self.dead:
            self.cluster.lan.reconnect(server.host)


def die(clusters, count, interval, load):
    """Each of them once, all at the same time: {number of nodes: result}, and by how much a process of the same
    priority that does nothing else woke up late meanwhile."""
    for cluster in clusters:
        cluster.settle()
        others = [s.name for s in cluster.servers]
        wait_until(lambda c=cluster, n=others: all(s.peer(o).get("live") for s in c.servers for o in n if o != s.name),
                   "all hear all", 40)
    deaths = [Death(cluster, count) for cluster in clusters]
    time.sleep(2 * interval)  # for at least one heartbeat of each
    watched = math.ceil(3.5 * interval + 0.4)
    timers = [subprocess.Popen([load, "timer", str(watched), "10", str(core)], stdout=subprocess.PIPE, text=True)
              for core in range(os.cpu_count())]
    for death in deaths:
        death.inflict()
    late_ms = max(int(timer.communicate()[0]) / 1000 for timer in timers)
    results = {}
    for death in deaths:
        results[len(death.cluster.servers)] = death.result()
        death.repair()
    return results, late_ms


def attempt(clusters, count, interval, bench):
    """Again if the machine stood still, or if there was nothing to be heard; at most so often in all."""
    for number in range(1, ATTEMPTS + 1):
        results, late_ms = die(clusters, count, interval, bench.load)
        last = number == ATTEMPTS or bench.spare_attempts == 0
        if last or (late_ms < STALL_MS and all(results.values())):
            break
        bench.spare_attempts -= 1
    return {size: {**result, "late_ms": late_ms} for size, result in results.items() if result}


def measure(bench, interval, sizes, repetitions):
    """{(deaths, nodes): [result]}"""
    clusters, found = [], {}
    try:
        for size in sizes:
            clusters.append(Cluster("ha", interval, bench.folder / f"detection-{interval:g}-{size}", bench.probe,
                                    nodes=size))
            clusters[-1].start()
        for repetition in range(repetitions):
            if repetition > 0 and bench.is_late():
                break
            for count in DEATHS:
                bench.progress(f"detection: interval {interval:g} s, {DEATHS[count]}, {repetition + 1}/{repetitions}")
                mortal = [cluster for cluster in clusters if len(cluster.servers) > count]
                for size, result in attempt(mortal, count, interval, bench).items() if mortal else ():
                    found.setdefault((count, size), []).append(result)
    finally:
        for cluster in clusters:
            cluster.close()
    return found


def run(bench):
    all_rows = []
    for interval, sizes, repetitions in plan(bench.quick):
        found = measure(bench, interval, sizes, repetitions)
        for count in DEATHS:
            results = {size: list_ for (dead, size), list_ in found.items() if dead == count}
            if results:
                all_rows.append(row(interval, count, results))
    return all_rows


def row(interval, count, results):
    least, most = min(results), max(results)
    nodes = f"{least} to {most} nodes" if least < most else f"{least} nodes"
    return rows.row("detection", f"{DEATHS[count]}: announced after the tolerance", f"interval {interval:g} s, {nodes}",
                    "ms", {"ha": [r["excess_ms"] for list_ in results.values() for r in list_]},
                    interval=interval, deaths=count, results=results)


def promises(all_rows):
    for r in all_rows:
        at = f"interval {r['interval']:g} s, {DEATHS[r['deaths']]}"
        worst = max(rows.median([result["excess_ms"] for result in list_]) for list_ in r["results"].values())
        yield (f"{at}: the tolerance and at most {MARGIN_MS} ms (median, each number of nodes)", worst <= MARGIN_MS,
               f"{worst:.1f} ms")
        wrong = [result for list_ in r["results"].values() for result in list_ if result["heir"] != result["expected"]]
        yield f"{at}: the worthiest standby takes over", not wrong, f"{len(wrong)} times another one"
