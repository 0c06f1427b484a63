# SPDX-License-Identifier: ISC
"""A process that is killed: what it costs a client, and when the next one is there by the kernel's time stamps.
Many times at each interval, because both processors stand in for a whole LAN; and «nothing», as the control: what
the client sees with the same instruments when nobody is killed."""

import os
import signal
import subprocess
import time

import detection
import rows
from contestants import CONTESTANTS, ROOT, Cluster, Ha
from measure import Instruments
from node import ADDRESS, BUILD

LIMIT_MS = 5  # promised, whatever the interval
STALL_MS = 5  # a bare real-time timer, or the client, that was so late has met the machine, not the fault
WARM_UP, AFTER = 0.2, 0.15  # seconds; or three intervals: what comes then is the move back

VICTIMS = {
    "engine": "kill -9 of the deciding process",
    "keeper": "kill -9 of the keeper",
    "program": "kill -9 of a program with a node in it",
    "nothing": "nothing",
}


class Embedding(Ha):
    """A program with a node in it (bench/embedding.c), configured as `ha run` is."""

    def arguments(self):
        path = self.runtime_dir.parent / f"{self.name}.conf"
        path.write_text(self.configuration(), encoding="ascii")
        return ["/dev/shm/ha-reports/embedding", path, self.runtime_dir, BUILD / "ha-keeper"]

    def is_active(self):
        return self.host.has(ADDRESS)


CONTESTANTS_HERE = {**CONTESTANTS, "embedding": Embedding}


def plan(quick):
    """(interval, repetitions, victims); keepalived has no program of its own, and no 5 ms."""
    if quick:
        return [(0.1, 5, ["engine", "program"])]
    two, all_ = ["engine", "program"], list(VICTIMS)
    return [(1.0, 3, two), (0.1, 8, all_), (0.02, 8, two), (0.01, 8, all_), (0.005, 8, two)]


def cases(interval, number, victims):
    """(contestant, victim) of a repetition."""
    for victim in victims:
        yield "embedding" if victim == "program" else "ha", victim
    if number < 2 and interval >= 0.01:
        yield "keepalived", "engine"


# --- one of them


def kill(server, victim):
    """The time of it [ns]."""
    at = time.clock_gettime_ns(time.CLOCK_REALTIME)
    if victim == "engine":
        server.kill_half()
    elif victim != "nothing":
        os.kill(server.process.pid, signal.SIGKILL)
    return at


class Wire:
    """What a watcher hears, by the kernel's time stamps."""

    def __init__(self, cluster):
        self.cluster, self.ear = cluster, detection.Ear(cluster.watcher)

    def after(self, killed):
        """How long after it came the last word of the dead, and the first one of the heir about the address [ms]."""
        names = {server.host.mac: server.host.name for server in self.cluster.servers}
        found = {}
        for at, frame in self.ear.frames():
            speaker = names.get(detection.mac(frame[6:12]))
            if at >= killed and speaker == "alpha" and detection.is_heartbeat(frame):
                found.setdefault("will_ms", (at - killed) / 1e6)
            elif at >= killed and speaker == "beta" and detection.is_claim(frame):
                found.setdefault("announced_ms", (at - killed) / 1e6)
        self.ear.close()
        return found


def measure_once(cluster, victim, load):
    after = 2.5 * cluster.interval if cluster.name == "keepalived" else min(AFTER, 3 * cluster.interval)
    timers = [subprocess.Popen([load, "timer", str(WARM_UP + after), "10", str(core)], stdout=subprocess.PIPE, text=True)
              for core in range(os.cpu_count())]
    wire = Wire(cluster)
    with Instruments(cluster) as instruments:
        time.sleep(WARM_UP)
        killed = kill(cluster.alpha, victim)
        time.sleep(after)
        cluster.serves()
        result = instruments.result()
    late_ms = max(int(timer.communicate()[0]) / 1000 for timer in timers)
    return {**result, **wire.after(killed), "late_ms": late_ms}


def restart(cluster):
    """As a whole, so that no crash counts for the next one."""
    alpha = cluster.alpha
    if cluster.name == "keepalived":
        return  # its parent does it, each time later
    if alpha.is_running():
        alpha.kill9()
    alpha.process.wait()
    alpha.start(wait=False)


def measure(cluster, victim, bench):
    """Again if the machine stood still, at most so often in all."""
    while True:
        cluster.settle()
        time.sleep(2 * cluster.interval)  # each knows of the other
        result = measure_once(cluster, victim, bench.load)
        if victim != "nothing":
            restart(cluster)
        undisturbed = max(result["late_ms"], result["stall_ms"]) < STALL_MS
        if undisturbed or cluster.name == "keepalived" or bench.spare_attempts == 0:
            return result
        bench.spare_attempts -= 1


# --- all of them


def at_interval(bench, interval, repetitions, victims):
    """{victim: {contestant: [result]}}"""
    found, clusters = {}, {}
    try:
        for name in {name for name, _ in cases(interval, 0, victims)}:
            clusters[name] = Cluster(name, interval, bench.folder / f"killed-{name}-{interval:g}", bench.probe,
                                     contestants=CONTESTANTS_HERE)
            clusters[name].start()
        for number in range(repetitions):
            if number > 1 and bench.is_late():
                break
            for name, victim in cases(interval, number, victims):
                bench.progress(f"killed: interval {interval:g} s, {VICTIMS[victim]}, {name}, {number + 1}/{repetitions}")
                found.setdefault(victim, {}).setdefault("ha" if name == "embedding" else name, []).append(
                    measure(clusters[name], victim, bench))
    finally:
        for cluster in clusters.values():
            cluster.close()
    return found


def run(bench):
    compile_embedding()
    found = {interval: at_interval(bench, interval, repetitions, victims)
             for interval, repetitions, victims in plan(bench.quick)}
    return [row for victim in VICTIMS for interval, by_victim in found.items() if victim in by_victim
            for row in victim_rows(victim, interval, by_victim[victim])]


def compile_embedding():
    library = BUILD / "src/api"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-Wall", "-D_GNU_SOURCE", f"-I{ROOT}/include",
                    "-o", "/dev/shm/ha-reports/embedding", ROOT / "bench/embedding.c", f"-L{library}", "-lha",
                    f"-Wl,-rpath,{library}"], check=True)


def victim_rows(victim, interval, results):
    """What the client saw; and when the next one announced the address, by ha alone."""
    times = len(results["ha"])
    condition, more = f"interval {interval:g} s, {times} times", {"victim": victim, "interval": interval}
    yield rows.row("faults", VICTIMS[victim], condition, "ms",
                   {name: [r["outage_ms"] for r in list_] for name, list_ in results.items()},
                   results=results, figure="outage", **more)
    if victim != "nothing":
        yield rows.row("killed", f"{VICTIMS[victim]}: the next one announces", condition, "ms",
                       {"ha": [r["announced_ms"] for r in results["ha"]]},
                       figure="announced", **more)


def promises(all_rows):
    for r in all_rows:
        at, middle = f"interval {r['interval']:g} s, {VICTIMS[r['victim']]}", rows.median(r["values"]["ha"])
        if r["figure"] == "announced":
            yield f"{at}: the next one announces within {LIMIT_MS} ms (median)", middle <= LIMIT_MS, f"{middle:.1f} ms"
        elif r["victim"] != "nothing":
            double = max(result["two_owners_ms"] for result in r["results"]["ha"])
            yield f"{at}: costs at most {LIMIT_MS} ms (median)", middle <= LIMIT_MS, f"{middle:.1f} ms"
            yield f"{at}: two hosts never answer", double == 0, f"at most {double:.1f} ms"
