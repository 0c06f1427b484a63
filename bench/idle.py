# SPDX-License-Identifier: ISC
"""What a cluster costs while nothing happens: processor, memory, packets. And whether load alone moves it."""

import os
import pathlib
import re
import subprocess
import time

import rows
from contestants import ROOT, Cluster

GROUPS = min(100, int(re.search(r"#define GROUPS_MAX\s+(\d+)",
                                (pathlib.Path(ROOT) / "src/base/limits.h").read_text())[1]))
HOGS_PER_CORE = 8


def processor_ns(pids):
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_kb(pids):
    """Proportional: what several processes share counts once."""
    text = "".join(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return sum(map(int, re.findall(r"^Pss:\s+(\d+)", text, re.M)))


def sent(host):
    statistics = host.ip_json("-s", "link", "show", "dev", "eth0")[0]["stats64"]["tx"]
    return statistics["packets"], statistics["bytes"]


def watch(cluster, seconds):
    """Of the active server, in a second."""
    server = cluster.alpha
    pids, host = server.pids(), server.host
    before, begin = (processor_ns(pids), *sent(host)), time.monotonic()
    time.sleep(seconds)
    after, passed = (processor_ns(pids), *sent(host)), time.monotonic() - begin
    cpu_ns, packets, size = ((b - a) / passed for a, b in zip(before, after))
    return {"cpu_us": cpu_ns / 1000, "packets": packets, "bytes": size, "resident_kb": resident_kb(pids)}


def cases(quick):
    intervals = [0.1] if quick else [1.0, 0.1, 0.02]
    for interval in intervals:
        for groups in (1, GROUPS):
            for name in ("ha", "keepalived", "ucarp"):
                if name != "ucarp" or (interval >= 1 and groups == 1):
                    yield interval, groups, name


def idle(bench):
    figures = {}
    for interval, groups, name in cases(bench.quick):
        bench.progress(f"idle: {groups} groups, interval {interval:g} s, {name}")
        cluster = Cluster(name, interval, bench.folder / f"idle-{name}-{groups}-{interval:g}", bench.probe,
                          groups=groups)
        try:
            cluster.start()
            cluster.settle()
            time.sleep(6)  # announcements come to an end
            figures.setdefault((interval, groups), {})[name] = [
                watch(cluster, 1 if bench.quick else 2) for _ in range(2 if bench.quick or bench.is_late(0.7) else 3)]
        finally:
            cluster.close()
    return figures


def idle_rows(figures):
    for (interval, groups), by_name in figures.items():
        condition = f"interval {interval:g} s, {groups} group{'s' * (groups > 1)}"
        for what, unit, key in [("idle: processor time in a second", "µs", "cpu_us"),
                                ("idle: resident memory of all processes", "kB", "resident_kb"),
                                ("idle: packets sent in a second", "", "packets"),
                                ("idle: bytes sent in a second", "", "bytes")]:
            yield rows.row("idle", what, condition, unit,
                           {name: [f[key] for f in list_] for name, list_ in by_name.items()},
                           figure=key, interval=interval, groups=groups)


def loaded(bench, interval, seconds):
    """How often each cluster moves although nothing has failed, with every core eightfold oversubscribed."""
    clusters = {name: Cluster(name, interval, bench.folder / f"load-{name}-{interval:g}", bench.probe)
                for name in ("ha", "keepalived")}
    hogs = []
    try:
        for cluster in clusters.values():
            cluster.start()
        for cluster in clusters.values():
            cluster.settle()
        time.sleep(1)
        before = {name: moves(cluster) for name, cluster in clusters.items()}
        hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(HOGS_PER_CORE * os.cpu_count())]
        time.sleep(seconds)
        return {name: [moves(cluster) - before[name]] for name, cluster in clusters.items()}
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
        for cluster in clusters.values():
            cluster.close()


def moves(cluster):
    """How often a server said that it became active."""
    word = {"ha": r"to=ACTIVE|STANDBY: ACTIVE", "keepalived": "Entering MASTER STATE"}[cluster.name]
    return sum(len(re.findall(word, server.log())) for server in cluster.servers)


def run(bench):
    result = list(idle_rows(idle(bench)))
    seconds = 5 if bench.quick else 20
    for interval in (0.1, 0.02):
        bench.progress(f"load without a fault, interval {interval:g} s")
        result.append(rows.row("load", f"moves in {seconds} s of {HOGS_PER_CORE} busy processes for each core, "
                               "without a fault", f"interval {interval:g} s", "",
                               loaded(bench, interval, seconds), interval=interval))
    return result


def promises(all_rows):
    for r in all_rows:
        if r["section"] == "load":
            moved = sum(r["values"]["ha"])
            yield f"{r['condition']}: load alone moves nothing", moved == 0, f"{moved} moves"
        elif r["figure"] == "resident_kb" and r["groups"] == 1:
            most = max(r["values"]["ha"])
            yield f"{r['condition']}: resident memory below 8 MB", most < 8192, f"{most:.0f} kB"
