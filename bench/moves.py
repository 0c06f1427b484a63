# SPDX-License-Identifier: ISC
"""Planned moves: what a client loses that sends 5,000 requests a second, by UDP and by new TCP connections, and
for how long it gets no answer."""

import time

import rows
from contestants import Cluster
from measure import Instruments
from plot import SPAN_MS

INTERVAL = 0.1
RATE, CONNECTIONS = 3500, 1500  # requests a second by UDP, and by TCP
WARM_UP, AFTER = 0.3, 0.9
MOVES = {"stop": "polite stop", "return": "the worthier one returns"}


def move(cluster, kind):
    if kind == "stop":
        cluster.settle()
        time.sleep(2 * INTERVAL)
    else:
        cluster.serves()
    with Instruments(cluster, RATE, CONNECTIONS) as instruments:
        time.sleep(WARM_UP)
        begin = time.monotonic_ns()
        if kind == "stop":
            cluster.alpha.stop()
        else:
            cluster.alpha.start(wait=False)
        time.sleep(AFTER)
        return {"begin": begin, **instruments.result()}


def timeline(result):
    """[(ms, who answered or "")] around the change of server."""
    first = result["answered_by"][0] if result["answered_by"] else ""
    own = [at for at, answered, name in result["each"] if answered and name == first]
    zero = max(own) if own else result["begin"]
    shown = [((at - zero) / 1e6, name if answered else "") for at, answered, name in result["each"]]
    return [(round(ms, 2), name) for ms, name in shown if SPAN_MS[0] <= ms <= SPAN_MS[1]]


def run(bench):
    clusters, results = {}, {kind: {} for kind in MOVES}
    for name in ("ha", "keepalived"):
        clusters[name] = Cluster(name, INTERVAL, bench.folder / f"moves-{name}", bench.probe)
        bench.stack.callback(clusters[name].close)
        clusters[name].start()
    for number in range(bench.moves):
        for kind in MOVES:
            for name, cluster in clusters.items():
                bench.progress(f"moves {number + 1}/{bench.moves}: {MOVES[kind]}, {name}")
                results[kind].setdefault(name, []).append(move(cluster, kind))
    bench.configurations |= {name: cluster.configurations() for name, cluster in clusters.items()}
    return [row for kind in MOVES for row in kind_rows(kind, results[kind])]


FIGURES = {  # of each kind: what, unit, key
    "gap": ("longest time without an answer", "ms", "outage_ms"),
    "lost": ("requests by UDP lost", "", "lost"),
    "broken": ("TCP connections lost or reset", "", "broken"),
    "slowest": ("slowest answer by TCP", "ms", "slowest_ms")}


def kind_rows(kind, by_name):
    """Of the move whose timeline is drawn all requests are kept."""
    condition = f"interval {INTERVAL:g} s, {RATE + CONNECTIONS:,} requests a second"
    lines = {name: timeline(list_[0]) for name, list_ in by_name.items()}
    for list_ in by_name.values():
        for result in list_:
            del result["each"]
    for figure, (what, unit, key) in FIGURES.items():
        yield rows.row("moves", f"{MOVES[kind]}: {what}", condition, unit,
                       {name: [r[key] for r in list_] for name, list_ in by_name.items()}, kind=kind, figure=figure, lane=MOVES[kind],
                       results=by_name if figure == "gap" else {}, timeline=lines if figure == "lost" else {})


def promises(all_rows):
    for r in all_rows:
        lost, moves = sum(r["values"]["ha"]), len(r["values"]["ha"])
        if r["figure"] == "lost":
            yield f"{MOVES[r['kind']]} loses no request by UDP", lost == 0, f"{lost} lost in {moves} moves"
        if r["figure"] == "broken":
            yield f"{MOVES[r['kind']]} breaks no TCP connection", lost == 0, f"{lost} broken in {moves} moves"
