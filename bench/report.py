# SPDX-License-Identifier: ISC
"""The results of bench/run as a table."""

import plot
import rows

COLUMNS = ["ha", "keepalived", "ucarp", "floor"]
TITLES = {"ha": "ha", "keepalived": "keepalived", "ucarp": "ucarp", "floor": "bare calls"}


def shown_columns(whole):
    return [name for name in COLUMNS if any(r["values"].get(name) for r in whole["rows"])]


def lines(whole):
    """The heading, then a line for each figure: median (minimum–maximum)."""
    columns = shown_columns(whole)
    yield ["figure", "condition", *(TITLES[c] for c in columns), "ratio"]
    for r in whole["rows"]:
        yield [r["what"] + (f", {r['unit']}" if r["unit"] else ""), r["condition"],
               *(rows.spread(r["values"].get(c, [])) for c in columns), rows.ratio(r)]


def verdicts(whole):
    return [f"{'kept' if kept else 'BROKEN'}: {words} ({measured})" for words, kept, measured in whole["promises"]]


def remarks(whole):
    return [f"{r['what']}, {r['condition']}: {r['note']}" for r in whole["rows"] if r.get("note")]


def about(whole):
    m = whole["machine"]
    return (f"{m['date']}, Linux {m['kernel']}, {m['cores']} cores ({m['processor']}), {', '.join(m['others'])}; "
            f"load average {m['load'][0]:.1f} at the beginning and {m['load'][1]:.1f} at the end; {m['seconds']} s"
            + ("; a quick run" if whole["quick"] else "")
            + ("; fewer repetitions, for lack of time." if whole.get("cut_short") else "."))


def text(whole):
    """For a terminal."""
    table = list(lines(whole))
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
    return "\n".join([*shown, "", *remarks(whole), "", *verdicts(whole), "", about(whole)])


def markdown(whole):
    heading, *others = lines(whole)
    table = [heading, ["---"] * len(heading), *others]
    parts = ["", *("| " + " | ".join(line) + " |" for line in table), "", about(whole), ""]
    if remarks(whole):
        parts += ["Besides:", "", *(f"- {remark}" for remark in remarks(whole)), ""]
    return "\n".join([*parts, "What `ha` promises, in the same run:", "",
                      *(f"- {verdict}" for verdict in verdicts(whole)), ""]) + "\n"


def plots(name, whole):
    """{file name: SVG}"""
    if name == "moves":
        return {"performance-moves.svg": plot.timelines(whole["rows"])}
    files = {"faults": "performance.svg", "detection": "performance-detection.svg", "many": "performance-many.svg", "idle": "performance-idle.svg"}
    return {file: plot.dots([r for r in whole["rows"] if r["section"] == section])
            for section, file in files.items() if any(r["section"] == section for r in whole["rows"])}


def update_docs(folder, name, whole):
    page = folder / "performance.md"
    begin, end = f"<!-- table of {name} -->\n", f"<!-- end of {name} -->\n"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    page.write_text(before + begin + markdown(whole) + end + after, encoding="utf-8")
    for file, svg in plots(name, whole).items():
        (folder / file).write_text(svg, encoding="utf-8")
