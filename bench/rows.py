# SPDX-License-Identifier: ISC
"""One figure of the benchmarks: what each contestant needs of something, several times."""

import statistics


def row(section, what, condition, unit, values, **more):
    """`values`: {"ha": [1.2, ...], "keepalived": [...], ...}; less is better."""
    return {"section": section, "what": what, "condition": condition, "unit": unit, "values": values, **more}


def median(values):
    return statistics.median(values)


def number(value):
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def spread(values):
    """Median, minimum and maximum."""
    if not values:
        return "–"
    shown = [number(v) for v in (median(values), min(values), max(values))]
    return shown[0] if len(set(shown)) == 1 else f"{shown[0]} ({shown[1]}–{shown[2]})"


def ratio(r):
    """How many times what ha needs the best of the others needs; against the floor it is ha's part that is
    told."""
    ha = median(r["values"].get("ha") or [0])
    if r["values"].get("floor"):
        return f"{ha / median(r['values']['floor']):.2f} × floor"
    others = [median(v) for name, v in r["values"].items() if name != "ha" and v]
    if not others or not ha:
        return ""
    return f"{min(others) / ha:.2g}" if min(others) / ha < 10 else f"{min(others) / ha:.0f}"
