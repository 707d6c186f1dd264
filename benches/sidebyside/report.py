"""From samples to medians, ratios, Markdown, CSV and plots.

Pure but for `write_all`. Every figure of the report is the median over rounds; the spread beside it is the
smallest and the largest round.
"""
import csv
import dataclasses
import io
import statistics

from . import svg
from .load import FIELDS

MIB = 1 << 20
COLUMNS = ["endpoint", "requests/s", "spread", "p50 ms", "p99 ms", "p99.9 ms", "proxy CPU µs/req", "spread",
           "redis CPU µs/req", "reads", "writes", "waits", "all calls", "peak RSS MiB"]
CALLS = ["read", "write", "wait", "all"]


@dataclasses.dataclass
class Row:
    """One endpoint in one cell."""
    cell: str
    endpoint: str
    samples: list
    calls: dict

    def median(self, field):
        """The median over rounds, None where there is nothing to measure."""
        values = self._values(field)
        return statistics.median(values) if values else None

    def cost(self):
        """CPU of the proxy, or of the nodes where there is none."""
        cpu = self.median("cpu")
        return self.median("redis_cpu") if cpu is None else cpu

    def spread(self, field):
        """The smallest and the largest round."""
        values = self._values(field)
        return (min(values), max(values)) if values else (None, None)

    def _values(self, field):
        return [getattr(sample, field) for sample in self.samples if getattr(sample, field) is not None]


def number(value, digits=2):
    """A figure as the tables show it."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if digits == 0 or abs(value) >= 1000 else f"{value:.{digits}f}"


def spread(row, field, digits):
    """`smallest–largest`."""
    low, high = row.spread(field)
    return "–" if low is None else f"{number(low, digits)}–{number(high, digits)}"


def table(head, lines):
    """A Markdown table with its figures to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines]) + "\n"


def cell_table(rows):
    """Everything about one cell."""
    lines = []
    for row in rows:
        peak = row.median("peak")
        lines.append([row.endpoint, number(row.median("rps"), 0), spread(row, "rps", 0),
                      *(number(row.median(field), 3) for field in ("p50", "p99", "p999")),
                      number(row.median("cpu")), spread(row, "cpu", 2), number(row.median("redis_cpu")),
                      *(number(row.calls.get(call)) for call in CALLS), number(peak and peak / MIB, 1)])
    return table(COLUMNS, lines)


def ratio_table(rows, field, base):
    """One figure of every cell, each endpoint as a multiple of the base."""
    cells, names = ordered(row.cell for row in rows), ordered(row.endpoint for row in rows)
    by_place = {(row.cell, row.endpoint): row.cost() if field == "cpu" else row.median(field) for row in rows}
    lines = []
    for cell in cells:
        against = by_place.get((cell, base))
        line = [cell]
        for name in names:
            value = by_place.get((cell, name))
            share = f" ({value / against:.2f})" if value and against else ""
            line.append(number(value, 0 if field == "rps" else 2) + share)
        lines.append(line)
    return table(["cell", *names], lines)


def ordered(names):
    """Each once, in the order of appearance."""
    return list(dict.fromkeys(names))


def as_csv(rows):
    """One line per cell and endpoint: median, smallest and largest of every figure."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    figures = [f"{field}_{kind}" for field in FIELDS for kind in ("median", "min", "max")]
    lines.writerow(["cell", "endpoint", "rounds", *figures, *(f"syscalls_{call}" for call in CALLS)])
    for row in rows:
        values = [value for field in FIELDS for value in (row.median(field), *row.spread(field))]
        calls = [row.calls.get(call) for call in CALLS]
        shown = ["" if value is None else f"{value:.6g}" for value in values + calls]
        lines.writerow([row.cell, row.endpoint, len(row.samples), *shown])
    return out.getvalue()


def plot(rows, title, note, bar):
    """A plot of one bar per row, where `bar(row)` gives (inner, outer, text) or None."""
    cells = []
    for cell in ordered(row.cell for row in rows):
        bars = [(row.endpoint, *shape) for row in rows if row.cell == cell and (shape := bar(row))]
        if bars:
            cells.append((cell, bars))
    return svg.panels(title, note, cells)


def cpu_bar(row):
    """CPU per request of the proxy."""
    cpu = row.median("cpu")
    return cpu and (cpu, None, f"{cpu:.2f}")


def rate_bar(row):
    """Requests per second."""
    rate = row.median("rps")
    return rate and (rate, None, f"{rate:,.0f}")


def latency_bar(row):
    """p50 solid, p99 pale."""
    p50, p99 = row.median("p50"), row.median("p99")
    return p50 and (p50, p99, f"{p50:.2f} / {p99:.2f}")


def plots(rows, note):
    """{file name: SVG} of everything that is drawn from cells."""
    return {"cpu.svg": plot(rows, "Proxy CPU, µs per request", f"less is better; {note}", cpu_bar),
            "throughput.svg": plot(rows, "Requests per second", f"more is better; {note}", rate_bar),
            "latency.svg": plot(rows, "Latency p50 (solid) and p99 (pale), ms", f"less is better; {note}",
                                latency_bar)}


METHOD = """\
The nodes are three primaries on loopback without replicas and without persistence. One load generator, the
proxies and the nodes share this machine, so requests per second are bounded by its cores; CPU per request is
the steadier figure. Every round runs each endpoint once, in an order that rotates from round to round;
figures are medians over rounds, spreads the smallest and the largest round. CPU is the process's own CPU
clock over the run (all its threads, ended ones included) divided by the requests; for `direct` it is that of
the nodes. Latencies are redis-benchmark's; p99.9 is the step at 99.902 % of its distribution. The cells `lone_get` and
`lone_set` are one client's that reads the clock itself for each request, and asks every endpoint for the same keys, of one node. System calls
are per request of the proxy, counted by `strace -c -f` in a pass of its own whose slowness makes batches
larger than they are at full speed. Peak RSS is VmHWM over the run. `floor` reads requests and writes a fixed
answer; `direct` is `redis-benchmark --cluster` on the nodes themselves (one generator thread per node, which
looks only every 250 ms whether it is done, so its requests per second come in steps and are too low), for a lone client
on one node, without `--cluster` and with as many keys as a node has;
`nutcracker` stands before three single servers, since it knows no cluster. With `--pin N` the load and N nodes of the cluster
have the first core (none where no number is given), proxies and all other nodes the last; else the kernel places them, and
that weighs more than most changes to a proxy: at P=1 a request costs most of them a third more CPU where one node shares
the load's core.
"""


def markdown(rows, facts, base):
    """The whole report. `facts`: command, machine, rounds, endpoints, left_out, extra sections."""
    parts = ["# Side by side\n", f"Made by `{facts['command']}` on {facts['date']}.\n",
             f"Machine: {facts['machine']}. Rounds: {facts['rounds']}. Workers per proxy: {facts['workers']}. "
             f"{facts['generator']}.\n", "## How to read it\n", METHOD,
             table(["endpoint", "version", "started as"], facts["endpoints"])]
    if facts["left_out"]:
        parts += ["Left out:\n", "".join(f"- {line}\n" for line in facts["left_out"])]
    if rows:
        parts += ["## Proxy CPU, µs per request\n", f"In brackets the multiple of {base}.\n",
                  ratio_table(rows, "cpu", base), "![CPU per request](cpu.svg)\n",
                  "## Requests per second\n", ratio_table(rows, "rps", base), "![Throughput](throughput.svg)\n",
                  "## Latency\n", "p50, ms:\n", ratio_table(rows, "p50", base),
                  "p99, ms:\n", ratio_table(rows, "p99", base), "![Latency](latency.svg)\n", "## Every cell\n"]
    for cell in ordered(row.cell for row in rows):
        parts += [f"### {cell}\n", cell_table([row for row in rows if row.cell == cell])]
    return "\n".join(parts + facts["sections"])


def write_all(folder, rows, facts, base, pictures):
    """Writes results.md, results.csv and the plots into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    note = f"medians of {facts['rounds']} rounds, {facts['workers']} worker(s) per proxy"
    files = {"results.md": markdown(rows, facts, base), **pictures}
    if rows:
        files |= {"results.csv": as_csv(rows), **plots(rows, note)}
    for name, text in files.items():
        (folder / name).write_text(text)
