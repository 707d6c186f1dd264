"""Compares slotway with every other proxy that is found, on one machine, in one run.

Starts a cluster of three primaries, the null server, slotway and the proxies, each with one worker, and
writes results.md, results.csv and plots. Proxies are looked for on PATH and in SLOTWAY_BENCH_PREDIXY,
SLOTWAY_BENCH_ENVOY, SLOTWAY_BENCH_RCP and SLOTWAY_BENCH_NUTCRACKER.
"""
import argparse
import os
import pathlib
import shlex
import sys
import tempfile
import time

from . import cells, endpoints, load, memory, process, report, wire

PEERS = [name for name in endpoints.NAMES if name not in endpoints.ON_REQUEST]


def options():
    """The command line."""
    parser = argparse.ArgumentParser(prog="benches/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="runs of each cell on each endpoint (default 5)")
    parser.add_argument("--cells", default="default", metavar="A,B",
                        help=f"cells or sets of them ({', '.join(cells.SETS)}), or none")
    parser.add_argument("--only", metavar="A,B", help=f"endpoints among {', '.join(endpoints.NAMES)}")
    parser.add_argument("--base", help="what ratios are against (default predixy, else the first)")
    parser.add_argument("--workers", type=int, default=1, help="worker threads of each proxy (default 1)")
    parser.add_argument("--quick", action="store_true", help="one round, a tenth of the requests")
    parser.add_argument("--no-syscalls", action="store_true", help="leave out the pass under strace")
    parser.add_argument("--idle", action="store_true", help=f"memory of {memory.IDLE_CLIENTS} idle clients")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="memory over N requests")
    parser.add_argument("--pin", type=int, nargs="?", const=0, metavar="NODES",
                        help="the load and so many nodes (0) on one core, proxies and the other nodes on another "
                             "(else the kernel decides)")
    parser.add_argument("--fresh", action="store_true",
                        help="each proxy started anew for each round: where the kernel places it may last")
    parser.add_argument("--budget", type=float, default=60, metavar="MINUTES",
                        help="start no further cell after this long (default 60)")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/bench"), metavar="DIR")
    parser.add_argument("--built", type=pathlib.Path, metavar="DIR", help="where slotway's binaries are",
                        default=pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release"))
    chosen = parser.parse_args()
    try:
        chosen.cells = [] if chosen.cells == "none" else cells.chosen(chosen.cells)
        chosen.only = names(chosen.only)
    except ValueError as error:
        parser.error(str(error))
    if chosen.fresh and chosen.pin is not None:
        parser.error("--fresh is for proxies that the kernel places, --pin places them")
    if chosen.pin is not None and chosen.pin not in range(endpoints.PRIMARIES + 1):
        parser.error(f"--pin: there are {endpoints.PRIMARIES} nodes")
    chosen.rounds = 1 if chosen.quick else chosen.rounds
    return chosen


def names(text):
    """The endpoints that are asked for."""
    found = text.split(",") if text else PEERS
    if strangers := [name for name in found if name not in endpoints.NAMES]:
        raise ValueError(f"no endpoint {', '.join(strangers)}; there are {', '.join(endpoints.NAMES)}")
    return found


def fill(found, cluster, chosen):
    """Stores the keys of the cells behind every endpoint, straight at the nodes where they are a cluster."""
    owner = wire.owners(cluster.ports[0])
    for size in sorted({cell.size for cell in chosen} | {3}):
        has_lone = any(cell.size == size and cell.clients == 1 for cell in chosen)
        first = wire.keys(cells.first_prefix(size), cells.first_keys(size)) if has_lone else []
        keys = wire.keys(cells.prefix(size), cells.KEYS[size])
        wire.fill(lambda key: cluster.ports[0], first, size)
        wire.fill(lambda key: owner[wire.slot(key)], keys, size)
        for endpoint in found:
            if endpoint.name == "nutcracker":
                wire.fill(lambda key: endpoint.port, keys + first, size)
            elif endpoint.clustered:
                # At random, so that one in fifty stays unset.
                load.benchmark(endpoint, cells.Cell("set", size, 50, 16), 4 * cells.tagged_keys(size))


def measure(cell, found, chosen, yard, left_out):
    """The rows of one cell."""
    samples = {endpoint.name: [] for endpoint in found}
    requests = cell.requests(chosen.quick)
    found = [endpoint for endpoint in found if serves(endpoint, cell, left_out)]
    for turn in range(chosen.rounds):
        for endpoint in rotated(found, turn):
            if endpoint.proxy and not endpoint.proxy.alive():
                continue  # Noted when it ended.
            try:
                if chosen.fresh and endpoint.proxy:
                    endpoint.begin_anew(yard)
                samples[endpoint.name].append(load.run(endpoint, cell, requests))
            except (load.LoadError, process.StartError) as error:
                left_out.append(f"{endpoint.name}, a round of {cell.name}: {error}")
    return [report.Row(cell.name, endpoint.name, samples[endpoint.name],
                       {} if chosen.no_syscalls else traced(endpoint, cell, requests, yard.folder, left_out))
            for endpoint in found if samples[endpoint.name]]


def serves(endpoint, cell, left_out):
    """Whether the cell can be run on the endpoint; if not, why is noted."""
    if endpoint.clustered:
        return cell.runs_direct()
    if endpoint.fixed and cell.is_checked():
        return False
    try:
        load.check(endpoint, cell)
    except load.LoadError as error:
        left_out.append(f"{endpoint.name} in {cell.name}: {error}")
        return False
    return True


def rotated(items, by):
    """The same items from another start, so that none always runs after the same neighbour."""
    by %= len(items) or 1
    return items[by:] + items[:by]


def traced(endpoint, cell, requests, folder, left_out):
    """System calls per request."""
    try:
        return load.syscalls(endpoint, cell, requests, folder)
    except load.LoadError as error:
        left_out.append(f"{endpoint.name}, system calls of {cell.name}: {error}")
        return {}


def compare(found, chosen, yard, left_out):
    """All cells, until the budget is spent; rows are printed as they come."""
    rows, deadline = [], time.monotonic() + chosen.budget * 60
    for cell in chosen.cells:
        if time.monotonic() > deadline:
            left_out.append(f"{cell.name}: the budget of {chosen.budget:g} minutes was spent")
            continue
        try:
            new = measure(cell, found, chosen, yard, left_out)
        except KeyboardInterrupt:
            left_out.append(f"{cell.name} and what follows: interrupted")
            break
        print(f"\n## {cell.name}\n{report.cell_table(new)}", flush=True)
        rows += new
    return rows


def proxies(found):
    """The endpoints whose memory is of interest."""
    return [endpoint for endpoint in found if endpoint.proxy and not endpoint.fixed]


def idle_sections(found):
    """The part of the report about idle clients."""
    head = ["endpoint", "RSS before, MiB", "bytes per client, connected", "bytes per client, one GET later"]
    text = report.table(head, [idle_line(endpoint) for endpoint in proxies(found)])
    print(text, flush=True)
    what = f"Resident memory, before any load, beside {memory.FIRST_CLIENTS} clients that came and asked first.\n"
    return [f"## {memory.IDLE_CLIENTS} idle clients\n", what, text]


def soak_sections(found, requests):
    """The part of the report about memory over many requests, and its plot."""
    curves = {endpoint.name: memory.soak(endpoint, requests) for endpoint in proxies(found)}
    text = soak_table(curves)
    print(text, flush=True)
    scaled = {name: [(x, y / report.MIB) for x, y in curve] for name, curve in curves.items()}
    plot = report.svg.lines("Resident memory over requests", "GET and SET, c=50 P=16", scaled, "MiB")
    return ["## Memory under load\n", text, "![Memory](memory.svg)\n"], {"memory.svg": plot}


def idle_line(endpoint):
    """One proxy's cost of an idle client."""
    seen = memory.idle(endpoint)
    return [endpoint.name, report.number(seen["rss_before"] / report.MIB, 1),
            report.number(seen["per_client_connected"], 0), report.number(seen["per_client_after_a_request"], 0)]


def soak_table(curves):
    """Resident memory at the start, a fifth, the middle and the end."""
    lines = []
    for name, curve in curves.items():
        points = [curve[int(share * (len(curve) - 1))] for share in (0, 0.2, 0.5, 1)]
        lines.append([name, f"{curve[-1][0]:,}", *(f"{rss / report.MIB:.1f}" for _, rss in points)])
    return report.table(["endpoint", "requests", "start, MiB", "a fifth", "half", "end"], lines)


def command(arguments):
    """The command line to repeat it with: without the options that only name folders."""
    words = iter(arguments)
    kept = []
    for word in words:
        if word in ("--built", "--out"):
            next(words, None)
        elif not word.startswith(("--built=", "--out=")):
            kept.append(word)
    return shlex.join(["benches/run", *kept])


def facts(found, chosen, left_out, sections):
    """What the report says of how it was made."""
    return {"command": command(sys.argv[1:]), "date": time.strftime("%Y-%m-%d"), "machine": process.machine(),
            "rounds": chosen.rounds, "workers": chosen.workers, "left_out": left_out, "sections": sections,
            "generator": endpoints.first_line("redis-benchmark", "--version"),
            "endpoints": [[each.name, each.version, f"`{each.flags}`"] for each in found]}


def main():
    """Starts everything, measures, writes, ends everything."""
    chosen = options()
    process.raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="slotway-bench-") as folder, process.Yard(folder) as yard:
        cores = process.cores()
        if chosen.pin is not None:
            process.stay_on(cores[-1])
        found, missing, cluster = endpoints.start_all(yard, chosen.only, chosen.workers, chosen.built)
        if chosen.pin is not None:
            process.stay_on(cores[0])
            for node in cluster.processes[:chosen.pin]:
                node.move_to(cores[0])
        left_out = [f"{name}: {reason}" for name, reason in missing.items()]
        print("\n".join(["measured: " + ", ".join(each.name for each in found),
                         *(f"left out: {line}" for line in left_out)]), flush=True)
        fill(found, cluster, chosen.cells)
        sections = idle_sections(found) if chosen.idle else []  # First: no load has grown anything yet.
        rows = compare(found, chosen, yard, left_out)
        grown, pictures = soak_sections(found, chosen.soak) if chosen.soak else ([], {})
        present = [each.name for each in found]
        base = chosen.base or ("predixy" if "predixy" in present else present[0])
        report.write_all(chosen.out, rows, facts(found, chosen, left_out, sections + grown), base, pictures)
        print(report.ratio_table(rows, "cpu", base) if rows else "")
        print("\n".join(f"left out: {line}" for line in left_out))
        print(f"written to {chosen.out}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was started has been ended")
