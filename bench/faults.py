# SPDX-License-Identifier: ISC
"""What each fault costs a client."""

import os
import signal
import time

import rows
from contestants import CONTESTANTS, Cluster
from measure import Instruments

SLOW_REPETITIONS = 3  # at most, of what lasts for seconds
STALL_MS = 20  # a client that could not send for so long has measured the machine, not the fault
ATTEMPTS = 3
WARM_UP = 0.3  # of the instruments

FAULTS = {  # in this order; "return" is what follows "stop"
    "vanish": "host vanishes",
    "all": "kill -9 of all processes",
    "freeze": "SIGSTOP of all processes",
    "stop": "polite stop (SIGTERM)",
    "return": "the worthier one returns",
}


def plan(quick):
    """(interval, contestants, faults)"""
    both, all_three, everything = ["ha", "keepalived"], list(CONTESTANTS), list(FAULTS)
    if quick:
        return [(1.0, all_three, ["vanish"]), (0.1, both, everything), (0.02, both, ["vanish"])]
    return [(1.0, all_three, everything), (0.1, both, everything), (0.02, both, ["vanish"])]


def window(fault, interval):
    """For how long a fault is watched at least [s]."""
    return {"vanish": 4 * interval + 0.5, "all": 4 * interval + 0.5,
            # Not longer: what comes then is the move back, which "return" measures.
            "freeze": min(2.5 * interval, 1),
            "stop": interval + 0.7, "return": 4.5 * interval + 1}[fault]


def inflict(cluster, fault, frozen):
    alpha = cluster.alpha
    if fault == "vanish":
        cluster.lan.isolate(alpha.host)
    elif fault == "all":
        alpha.kill9()
    elif fault == "freeze":
        pids = alpha.pids()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(frozen)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    elif fault == "stop":
        alpha.stop()
    elif fault == "return":
        alpha.start(wait=False)


def repair(cluster, fault):
    """Begins it; that alpha holds the address again is awaited before the next fault."""
    if fault == "vanish":
        cluster.lan.reconnect(cluster.alpha.host)
    elif fault == "all":
        cluster.alpha.start(wait=False)


def measure(cluster, fault, frozen):
    """Again if the client itself did not run; the last attempt counts in any case."""
    for attempt in range(ATTEMPTS):
        result = {**measure_once(cluster, fault, frozen), "attempts": attempt + 1}
        # A return cannot be repeated by itself: alpha would have to stop first.
        if result["stall_ms"] < STALL_MS or fault in ("stop", "return"):
            break
    return result


def measure_once(cluster, fault, frozen):
    if fault == "return":
        cluster.serves()
    else:
        cluster.settle()
        time.sleep(2 * cluster.interval)  # each knows of the other
    with Instruments(cluster) as instruments:
        time.sleep(WARM_UP)
        inflict(cluster, fault, frozen)
        time.sleep(window(fault, cluster.interval))
        cluster.serves()
        time.sleep(cluster.interval / 4)
        result = instruments.result()
    repair(cluster, fault)
    return result


def steps(planned, repetitions):
    """By turns, since the machine is not the same all the time."""
    for repetition in range(repetitions):
        for interval, names, faults in planned:
            for fault in faults:
                if repetition < SLOW_REPETITIONS or (interval < 1 and fault != "freeze"):
                    yield from ((interval, name, fault) for name in names)


def run(bench):
    planned, frozen = plan(bench.quick), 2.0 if bench.quick else 5.0
    results, clusters = {}, {}
    for interval, names, _ in planned:
        for name in names:
            cluster = Cluster(name, interval, bench.folder / f"{name}-{interval:g}", bench.probe)
            bench.stack.callback(cluster.close)
            clusters[interval, name] = cluster
            cluster.start()
    all_steps = list(steps(planned, bench.repetitions))
    once = len(set(all_steps))
    for number, (interval, name, fault) in enumerate(all_steps, 1):
        # Not between a stop and a return: they belong together.
        if number > once and fault != "return" and bench.is_late():
            break
        bench.progress(f"faults {number}/{len(all_steps)}: {FAULTS[fault]}, interval {interval:g} s, {name}")
        results.setdefault((fault, interval), {}).setdefault(name, []).append(
            measure(clusters[interval, name], fault, frozen))
    bench.configurations |= {f"{name}, interval {interval:g} s": cluster.configurations()
                             for (interval, name), cluster in clusters.items()}
    for cluster in clusters.values():
        cluster.stop()
    return [row(fault, interval, results[fault, interval], frozen)
            for fault in FAULTS for interval, _, faults in planned if fault in faults]


def row(fault, interval, results, frozen):
    what = FAULTS[fault] + (f" for {frozen:g} s" if fault == "freeze" else "")
    return rows.row("faults", what, f"interval {interval:g} s", "ms",
                    {name: [r["outage_ms"] for r in list_] for name, list_ in results.items()},
                    fault=fault, interval=interval, results=results,
                    note="; ".join(notes(name, list_) for name, list_ in results.items() if notes(name, list_)))


def notes(name, results):
    """What is not in the figure: for how long two hosts answered for the address, at most."""
    worst = max(results, key=lambda result: result["two_owners_ms"])
    if worst["two_owners_ms"] < 0.5:
        return ""
    more = "≥ " if worst["two_owners_at_end"] else ""
    return f"{name}: two hosts answer for {more}{worst['two_owners_ms']:.0f} ms"


def promises(all_rows):
    """(what ha promises, whether this run kept it, what was measured): design figures, not ratios."""
    for r in all_rows:
        ha, interval = r["results"]["ha"], r["interval"]
        at = f"interval {interval:g} s"
        if r["fault"] == "vanish":
            most, limit = max(r["values"]["ha"]), 3500 * interval + 5
            yield (f"{at}: a host that vanishes costs at most the tolerance and 5 ms", most <= limit,
                   f"at most {most:.1f} of {limit:.0f} ms")
        if r["fault"] in ("stop", "return"):
            lost, requests = (sum(result[key] for result in ha) for key in ("lost", "requests"))
            yield f"{at}: {FAULTS[r['fault']]} loses nothing", lost == 0, f"{lost} of {requests} requests lost"
        else:
            double = max(result["two_owners_ms"] for result in ha)
            yield (f"{at}: two hosts never answer after «{FAULTS[r['fault']]}»", double == 0,
                   f"at most {double:.1f} ms")
