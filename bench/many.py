# SPDX-License-Identifier: ISC
"""Many addresses: how long a takeover goes on, from the first announced address to the last, beside the bare
calls to the kernel in the same run."""

import subprocess
import time

import rows
from contestants import FIRST, Cluster, numbered
from lan import Lan, wait_until

BASE = {4: "10.77.64.0", 6: "fd77::1:0"}
PROMISE = 1.5
INTERVAL = 0.1
KEEPALIVED_MOST = 1000  # with more it needs minutes to start


def sizes(quick):
    """(how many, IP version, as local routes, each in a group of its own)"""
    counts = [(1000, 4, True, False), (10000, 4, True, False), (1000, 6, False, False), (1000, 4, True, True)]
    return counts if quick else [(100, 4, False, False), *counts, (9000, 4, True, True)]


class Watch:
    """Notes when each address is first announced by a host."""

    def __init__(self, tool, lan_host, host, version, count):
        self.process = subprocess.Popen(
            lan_host.command(tool, "watch", "eth0", host.mac, BASE[version], count), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def times(self):
        self.process.terminate()
        out = self.process.stdout.read()
        self.process.wait()
        return [int(line.split()[1]) for line in out.splitlines()]


def span(times, count):
    assert len(times) == count, f"{len(times)} of {count} addresses were announced"
    return (max(times) - min(times)) / 1e6


def floor(bench, count, version, route):
    """[ms]"""
    with Lan() as lan:  # of as many hosts as a cluster's: each hears every announcement
        host, watcher = lan.host("floor", 2), lan.host("watcher", 251)
        lan.host("alpha", 1), lan.host("client", 250)
        watch = Watch(bench.many, watcher, host, version, count)
        host.run(bench.many, "floor", "eth0", BASE[version], count, "route" if route else "address")
        time.sleep(0.2)
        return span(watch.times(), count)


def takeover(bench, name, number, count, version, spread):
    """alpha dies as a whole; beta announces."""
    listed = [FIRST, *numbered(BASE[version], count)]
    cluster = Cluster(name, INTERVAL, bench.folder / f"many-{name}-{number}", bench.probe, listed,
                      len(listed) if spread else 1)
    try:
        cluster.start()
        cluster.settle()
        beta = cluster.servers[1].host
        time.sleep(0.5)
        watch = Watch(bench.many, cluster.watcher, beta, version, count)
        cluster.alpha.kill9()
        cluster.client.run("ip", "neigh", "flush", "dev", "eth0")
        wait_until(lambda: cluster.client.ask(cluster.address, 0.2) == "beta",
                   lambda: f"{name}: beta has taken over;\n{cluster.logs()}", 20)
        wait_until(lambda: cluster.servers[1].is_active(), "beta is done", 20)
        time.sleep(0.3 if name == "ha" else 2)
        return span(watch.times(), count)
    finally:
        cluster.close()


def run(bench):
    result, number = [], 0
    all_sizes = sizes(bench.quick)
    for done, (count, version, route, spread) in enumerate(all_sizes, 1):
        values = {}
        for repetition in range(3 if bench.quick else 5):
            if repetition > 0 and bench.is_late(done / len(all_sizes)):
                break
            bench.progress(f"many addresses: {count} IPv{version}, {repetition + 1}")
            values.setdefault("floor", []).append(floor(bench, count, version, route))
            for name in ("ha", "keepalived"):
                number += 1
                if name == "ha" or (count <= KEEPALIVED_MOST and not spread
                                    and (repetition == 0 or not bench.quick)):
                    values.setdefault(name, []).append(takeover(bench, name, number, count, version, spread))
        result.append(rows.row("many", f"{count:,} IPv{version} addresses, from the first announced to the last",
                               f"interval 0.1 s, {'a group for each' if spread else 'one group'}", "ms", values,
                               count=count, version=version))
    return result


def promises(all_rows):
    for r in all_rows:
        part = rows.median(r["values"]["ha"]) / rows.median(r["values"]["floor"])
        yield (f"{r['count']:,} IPv{r['version']} addresses ({r['condition']}) take at most {PROMISE} times what the "
               "bare calls take", part <= PROMISE, f"{part:.2f}")
