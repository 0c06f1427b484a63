# SPDX-License-Identifier: ISC
"""The results of bench/faults as a table and as a plot."""

import html
import math
import statistics

NAMES = ["ha", "keepalived"]
COLOURS = {"ha": "#1f6feb", "keepalived": "#d1661f"}
BEGIN, END = "<!-- table of bench/faults -->\n", "<!-- end of the table -->\n"
HEADINGS = ["fault", "interval", "ha: outage, ms", "keepalived: outage, ms", "ratio", "ha: lost",
            "keepalived: lost", "two hosts answer, ms"]


def spread(values, form="{:.1f}"):
    """Median, minimum and maximum."""
    shown = [form.format(v) for v in (statistics.median(values), min(values), max(values))]
    return shown[0] if len(values) == 1 else f"{shown[0]} ({shown[1]}–{shown[2]})"


def of(results, key):
    return [result[key] for result in results]


def owners(results):
    """How long two hosts answered at most; with ≥ if they still did when the watching ended."""
    worst = max(results, key=lambda result: result["two_owners_ms"])
    return f"{'≥ ' if worst['two_owners_at_end'] else ''}{worst['two_owners_ms']:.0f}"


def rows(whole):
    for fault, words in whole["faults"].items():
        for interval, faults in whole["results"].items():
            ha, other = (faults[fault][name] for name in NAMES)
            ratio = statistics.median(of(other, "outage_ms")) / statistics.median(of(ha, "outage_ms"))
            lost = [spread(of(results, "lost"), "{:.0f}") for results in (ha, other)]
            yield [words, f"{interval} s", spread(of(ha, "outage_ms")), spread(of(other, "outage_ms")),
                   f"{ratio:.2g}" if ratio < 10 else f"{ratio:.0f}", *lost,
                   f"{owners(ha)} : {owners(other)}"]


def promises(whole):
    """(what ha promises, whether this run kept it, what was measured): design figures, not ratios."""
    for interval, faults in whole["results"].items():
        ha = {fault: results["ha"] for fault, results in faults.items()}
        most = max(of(ha["vanish"], "outage_ms"))
        limit = 3500 * float(interval) + 5
        yield (f"interval {interval} s: a host that vanishes costs at most the tolerance and 5 ms",
               most <= limit, f"at most {most:.1f} of {limit:.0f} ms")
        middle = statistics.median(of(ha["half"], "outage_ms"))
        yield (f"interval {interval} s: a killed engine costs at most 5 ms in the median",
               middle <= 5, f"{middle:.1f} ms")
        lost = sum(of(ha["stop"] + ha["return"], "lost"))
        requests = sum(of(ha["stop"] + ha["return"], "requests"))
        yield (f"interval {interval} s: planned moves lose nothing", lost == 0,
               f"{lost} of {requests} requests lost")
        double = max(of(ha["vanish"] + ha["half"] + ha["all"] + ha["freeze"], "two_owners_ms"))
        yield (f"interval {interval} s: two hosts never answer for the address after a fault",
               double == 0, f"at most {double:.1f} ms")


def verdicts(whole):
    return [f"{'kept' if kept else 'BROKEN'}: {words} ({measured})"
            for words, kept, measured in promises(whole)]


def text(whole):
    """For a terminal."""
    table = [HEADINGS, *rows(whole)]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
    return "\n".join([*lines, "", *verdicts(whole), "", about(whole)])


def about(whole):
    m = whole["machine"]
    all_results = [result for faults in whole["results"].values() for both in faults.values()
                   for results in both.values() for result in results]
    again = sum(result["attempts"] > 1 for result in all_results)
    return (f"{m['date']}, Linux {m['kernel']}, {m['cores']} cores ({m['processor']}), "
            f"{m['keepalived']}; load average {m['load'][0]:.1f} at the beginning and "
            f"{m['load'][1]:.1f} at the end; {m['seconds']} s; "
            f"{again} of {len(all_results)} measurements repeated because the client did not run.")


def markdown(whole):
    lines = ["| " + " | ".join(row) + " |" for row in [HEADINGS, ["---"] * len(HEADINGS), *rows(whole)]]
    promised = [f"- {line}" for line in verdicts(whole)]
    return "\n".join(["", *lines, "", about(whole), "", "What `ha` promises, in the same run:", "",
                      *promised, ""]) + "\n"


# --- the plot

WIDTH, LEFT, RIGHT, TOP, ROW = 860, 300, 20, 44, 34
LOWEST, HIGHEST = 1, 10000  # ms


def x_of(ms):
    part = math.log10(max(ms, LOWEST) / LOWEST) / math.log10(HIGHEST / LOWEST)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def svg(whole):
    lines = [(f"{words}, {interval} s", faults[fault]) for fault, words in whole["faults"].items()
             for interval, faults in whole["results"].items()]
    height = TOP + ROW * len(lines) + 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', *axis(height), *legend()]
    for number, (words, results) in enumerate(lines):
        y = TOP + ROW * number + ROW / 2
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{html.escape(words)}</text>')
        for name, offset in zip(NAMES, (-5, 5)):
            parts += bar(of(results[name], "outage_ms"), y + offset, COLOURS[name])
    return "\n".join([*parts, "</svg>"]) + "\n"


def axis(height):
    for power in range(int(math.log10(HIGHEST)) + 1):
        x = x_of(10 ** power)
        label = f"{10 ** power} ms" if power < 3 else f"{10 ** (power - 3)} s"
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 12}" stroke="#d0d7de"/>'
        anchor = "end" if 10 ** power == HIGHEST else "middle"
        yield f'<text x="{x:.1f}" y="{TOP - 6}" text-anchor="{anchor}" fill="#57606a">{label}</text>'


def legend():
    for number, name in enumerate(NAMES):
        x = 16 + 60 * number
        yield f'<circle cx="{x}" cy="18" r="5" fill="{COLOURS[name]}"/>'
        yield f'<text x="{x + 10}" y="22">{name}</text>'
    yield '<text x="180" y="22" fill="#57606a">longest time without an answer; dot: median</text>'


def bar(values, y, colour):
    low, middle, high = (x_of(v) for v in (min(values), statistics.median(values), max(values)))
    yield (f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}" '
           'stroke-width="3" stroke-linecap="round"/>')
    yield f'<circle cx="{middle:.1f}" cy="{y}" r="4" fill="{colour}"/>'


def update_docs(folder, whole):
    page = folder / "performance.md"
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    page.write_text(before + BEGIN + markdown(whole) + END + after, encoding="utf-8")
    (folder / "performance.svg").write_text(svg(whole), encoding="utf-8")
