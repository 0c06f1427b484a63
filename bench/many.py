# SPDX-License-Identifier: ISC
"""Many addresses: how long a takeover goes on, from the first announced address to the last, and how soon the first
one is announced, beside the bare calls to the kernel in the same run."""

import subprocess
import time

import rows
from contestants import FIRST, Cluster, numbered
from lan import wait_until
from node import ADDRESS6

BASE = {4: "10.77.64.0", 6: "fd77::1:0"}
LEAD = {4: FIRST, 6: f"{ADDRESS6}/64"}  # the first one, by which the cluster is watched
PROMISE = 1.5
INTERVAL = 0.1
TOLERANCE = 3.5 * INTERVAL
KEEPALIVED_MOST = 1000  # with more it needs minutes to start
AS_ROUTES = 256  # more IPv4 addresses go in as local routes
SETTLED = 0.4  # s; what a takeover of so many takes at most, before anybody looks


def sizes(quick):
    """(how many, IP version, each in a group of its own)"""
    counts = [(1, 4, False), (1000, 4, False), (1000, 6, False), (1000, 4, True)]
    more = [(1, 6, False), (100, 4, False), (10000, 4, False), (1000, 6, True), (9000, 4, True)]
    return counts if quick else [*counts, *more]


def listing(count, version):
    return [LEAD[version], *numbered(BASE[version], count - 1)]


class Watch:
    """What a watcher hears of a takeover: all times in ms."""

    def __init__(self, bench, lan_host, host, dead, listed):
        lead, first = listed[0], listed[1] if listed[1:] else listed[0]
        self.count = len(listed)
        self.process = subprocess.Popen(
            lan_host.command(bench.many_watch, "eth0", host.mac, dead.mac, lead.split("/")[0], first.split("/")[0],
                             self.count), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def read(self):
        self.process.terminate()
        lines = [line.split() for line in self.process.stdout.read().splitlines()]
        self.process.wait()
        (_, self.heard), *times = [(word, int(time) / 1e6) for word, time in lines]
        assert len(times) == self.count, f"{len(times)} of {self.count} addresses were announced"
        self.first, self.last = min(time for _, time in times), max(time for _, time in times)

    def span(self):
        return self.last - self.first


def die(cluster, seconds):
    """Nobody asks anything of the machine meanwhile."""
    time.sleep(2 * INTERVAL)  # for at least one heartbeat to be seen
    cluster.alpha.kill9()
    time.sleep(TOLERANCE + seconds)


def route_by(host, gateway):
    """A host has a default gateway, and asks it to acknowledge."""
    host.ip(f"route add default via {gateway.address}", f"route add default via {gateway.address6} dev eth0")


def floor(bench, number, count, version, spread):
    """alpha, of `ha`, dies as a whole; instead of beta the bare calls follow, when its tolerance is over."""
    listed = listing(count, version)
    cluster = Cluster("ha", INTERVAL, bench.folder / f"many-floor-{number}", bench.probe, listed,
                      count if spread else 1, nodes=1)
    try:
        host = cluster.lan.host("floor", 2)
        route_by(host, cluster.client)
        cluster.start()
        cluster.settle()
        time.sleep(0.5)
        watch = Watch(bench, cluster.watcher, host, cluster.alpha.host, listed)
        die(cluster, 0)
        gateway = cluster.client.address if version == 4 else cluster.client.address6
        done = host.run(bench.many_floor, "eth0", listed[0].split("/")[0], numbered(BASE[version], 1)[0], count,
                        "route" if version == 4 and count > AS_ROUTES else "address", "each" if spread else "one",
                        gateway)
        watch.read()
        return {"first": int(done.stdout) / 1e6, "span": watch.span()}
    finally:
        cluster.close()


def takeover(bench, name, number, count, version, spread):
    """alpha dies as a whole; beta announces."""
    listed = listing(count, version)
    if name == "keepalived" and version == 6:  # it wants no other family in its advertisements
        listed = [FIRST, *numbered(BASE[version], count)]
    cluster = Cluster(name, INTERVAL, bench.folder / f"many-{name}-{number}", bench.probe, listed,
                      len(listed) if spread else 1)
    try:
        beta = cluster.servers[1].host
        route_by(beta, cluster.client)
        cluster.start()
        cluster.settle()
        time.sleep(0.5)
        watch = Watch(bench, cluster.watcher, beta, cluster.alpha.host, listed[-count:])
        die(cluster, SETTLED)
        wait_until(lambda: cluster.servers[1].is_active(), "beta is done", 20)
        time.sleep(0.3 if name == "ha" else 2)
        watch.read()
        if name != "ha":
            return {"span": watch.span()}
        first = cluster.servers[1].status()["metrics"]["timings"]["takeover_announced"]
        return {"first": first["max_us"] / 1e3, "after": watch.first - watch.heard - 1e3 * TOLERANCE,
                "span": watch.span()}
    finally:
        cluster.close()


def title(count, version):
    return f"{count:,} IPv{version} address{'es' if count > 1 else ''}"


def rows_of(found, count, version, spread):
    """found: {figure: {name: [ms]}}"""
    def one(what, figure, *names):
        return rows.row("many", what, f"interval 0.1 s, {'a group for each' if spread else 'one group'}", "ms",
                        {name: found[figure][name] for name in names if name in found[figure]},
                        count=count, version=version, spread=spread, figure=figure)
    if not spread:
        which = "of one alone" if count == 1 else f"of {count:,}"
        yield one(f"the first IPv{version} address {which}, from being asked to its announcement", "first", "ha", "floor")
        yield one(f"the first IPv{version} address {which}, announced after the tolerance", "after", "ha")
    if count > 1:
        yield one(f"{title(count, version)}, from the first announced to the last", "span", "ha", "keepalived", "floor")


def measure(bench, name, number, count, version, spread):
    """{figure: ms}"""
    if name == "floor":
        return floor(bench, number, count, version, spread)
    return takeover(bench, name, number, count, version, spread)


def may_run(bench, name, repetition, count, spread):
    """keepalived takes minutes to start with more, and is not asked for one alone."""
    return name != "keepalived" or (1 < count <= KEEPALIVED_MOST and not spread
                                    and repetition < (1 if bench.quick else 3))


def run(bench):
    result, number = [], 0
    all_sizes = sizes(bench.quick)
    for done, (count, version, spread) in enumerate(all_sizes, 1):
        found = {}
        for repetition in range(2 if bench.quick else 5):
            if repetition > 0 and bench.is_late(done / len(all_sizes)):
                break
            bench.progress(f"many addresses: {title(count, version)}, {repetition + 1}")
            for name in ("floor", "ha", "keepalived"):
                if not may_run(bench, name, repetition, count, spread):
                    continue
                number += 1
                for figure, value in measure(bench, name, number, count, version, spread).items():
                    found.setdefault(figure, {}).setdefault(name, []).append(value)
        result += rows_of(found, count, version, spread)
    return result


def promises(all_rows):
    """The first one of many is compared with one alone, all else with the bare calls."""
    alone = {r["version"]: rows.median(r["values"]["ha"]) for r in all_rows if r["figure"] == "after" and r["count"] == 1}
    for r in all_rows:
        ha = rows.median(r["values"]["ha"])
        name = f"{title(r['count'], r['version'])} ({r['condition']})"
        if r["figure"] == "span" or (r["figure"] == "first" and r["count"] == 1):
            part = ha / rows.median(r["values"]["floor"])
            yield f"{name} take at most {PROMISE} times what the bare calls take", part <= PROMISE, f"{part:.2f}"
        elif r["figure"] == "after" and r["count"] > 1 and r["version"] in alone:
            part = ha / alone[r["version"]]
            yield (f"{name}: the first one is announced at most {PROMISE} times as late as one alone", part <= PROMISE,
                   f"{part:.2f}")
