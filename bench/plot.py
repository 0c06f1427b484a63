# SPDX-License-Identifier: ISC
"""The results of bench/run as SVG."""

import html
import math
import statistics

COLOURS = {"ha": "#1f6feb", "keepalived": "#d1661f", "ucarp": "#8250df", "floor": "#6e7781"}
NAMES = {"floor": "bare calls"}
WIDTH, LEFT, RIGHT, TOP, ROW = 900, 360, 24, 44, 36


def page(height, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                      f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
                      f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', *parts, "</svg>"]) + "\n"


def legend(names, words):
    for number, name in enumerate(names):
        x = 16 + 92 * number
        yield f'<circle cx="{x}" cy="18" r="5" fill="{COLOURS[name]}"/>'
        yield f'<text x="{x + 10}" y="22">{NAMES.get(name, name)}</text>'
    yield f'<text x="{16 + 92 * len(names)}" y="22" fill="#57606a">{html.escape(words)}</text>'


# --- minimum, median and maximum of each figure, on a logarithmic scale


class Scale:
    def __init__(self, values):
        positive = [v for v in values if v > 0] or [1]
        self.low = 10 ** math.floor(math.log10(min(positive)))
        self.high = max(10 ** math.ceil(math.log10(max(positive))), self.low * 10)

    def x(self, value):
        part = math.log10(max(value, self.low) / self.low) / math.log10(self.high / self.low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def lines(self, height):
        power = round(math.log10(self.low))
        while 10 ** power <= self.high * 1.001:
            x = self.x(10 ** power)
            anchor = "end" if 10 ** power >= self.high else "middle"
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 12}" stroke="#d0d7de"/>'
            yield f'<text x="{x:.1f}" y="{TOP - 6}" text-anchor="{anchor}" fill="#57606a">{10 ** power:g}</text>'
            power += 1


def dots(rows):
    names = [name for name in COLOURS if any(r["values"].get(name) for r in rows)]
    scale = Scale([v for r in rows for values in r["values"].values() for v in values])
    height = TOP + ROW * len(rows) + 16
    parts = [*scale.lines(height), *legend(names, "dot: median; line: minimum to maximum")]
    for number, r in enumerate(rows):
        y = TOP + ROW * number + ROW / 2
        what = r["what"] + (f", {r['unit']}" if r["unit"] else "")
        parts.append(f'<text x="{LEFT - 12}" y="{y - 2}" text-anchor="end">{html.escape(what)}</text>')
        parts.append(f'<text x="{LEFT - 12}" y="{y + 11}" text-anchor="end" fill="#57606a" font-size="10">'
                     f'{html.escape(r["condition"])}</text>')
        shown = [name for name in names if r["values"].get(name)]
        for place, name in enumerate(shown):
            parts += bar(scale, r["values"][name], y + 9 * (place - (len(shown) - 1) / 2), COLOURS[name])
    return page(height, parts)


def bar(scale, values, y, colour):
    low, middle, high = (scale.x(v) for v in (min(values), statistics.median(values), max(values)))
    yield (f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}" '
           'stroke-width="3" stroke-linecap="round"/>')
    yield f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


# --- one move, request by request

SERVER = {"alpha": "#1f6feb", "beta": "#2da44e"}
LOST = "#cf222e"
SPAN_MS = (-20, 130)  # around the end of service by the first server


def timelines(rows):
    lanes = [(r["lane"], name, r["timeline"][name]) for r in rows for name in r["timeline"]]
    height = TOP + 46 * len(lanes) + 30

    def x_of(ms):
        return 260 + (ms - SPAN_MS[0]) / (SPAN_MS[1] - SPAN_MS[0]) * (WIDTH - 260 - RIGHT)

    parts = []
    for x, (words, colour) in zip((16, 150, 280), (("answered by alpha", SERVER["alpha"]),
                                                   ("answered by beta", SERVER["beta"]), ("lost", LOST))):
        parts += [f'<circle cx="{x}" cy="18" r="5" fill="{colour}"/>', f'<text x="{x + 10}" y="22">{words}</text>']
    for ms in range(0, SPAN_MS[1] + 1, 25):
        parts += [f'<line x1="{x_of(ms):.1f}" x2="{x_of(ms):.1f}" y1="{TOP}" y2="{height - 24}" stroke="#d0d7de"/>',
                  f'<text x="{x_of(ms):.1f}" y="{height - 8}" text-anchor="middle" fill="#57606a">{ms} ms</text>']
    for number, (what, name, requests) in enumerate(lanes):
        y = TOP + 46 * number + 23
        parts += [f'<text x="248" y="{y}" text-anchor="end">{html.escape(what)}</text>',
                  f'<text x="248" y="{y + 14}" text-anchor="end" fill="#57606a">{name}</text>']
        for ms, server in requests:
            # Each kind on a height of its own: what two servers answer by turns is seen.
            offset = {"alpha": -8, "beta": 8}.get(server, 0)
            parts.append(f'<rect x="{x_of(ms):.2f}" y="{y + offset - 4}" width="1" height="8" '
                         f'fill="{SERVER.get(server, LOST)}"/>')
    return page(height, parts)
