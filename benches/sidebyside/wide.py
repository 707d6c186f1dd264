"""Slotway before many small nodes: connections, CPU and system calls by workers and shared connections.

Starts a cluster of tiny primaries and one slotway for each pair of --workers and --pipes (0: each worker has
its own connection to a node), runs the cells on each in turn, and writes wide.md and wide.csv.
docs/scaling.md has the model that these figures check.
"""
import argparse
import collections
import csv
import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from . import cells, endpoints, load, process, report, wire

# Nodes are started in groups, and given time to come up: two cores start a hundred of them.
GROUP = 20
# Time over which the nodes' own gossip is charged, to take it off.
IDLE_SECONDS = 3
# Time over which refreshes are counted.
SLOTS_SECONDS = 10
CALLS = ("sendto", "writev", "recvfrom", "write", "epoll_wait")
HEAD = ["cell", "workers", "pipes", "connections to a node", "requests/s", "p99 ms", "slotway CPU µs",
        "nodes' CPU µs", *CALLS, "a node's writes", "RSS MiB"]

Setup = collections.namedtuple("Setup", "workers pipes endpoint connections")


def options():
    """The command line."""
    parser = argparse.ArgumentParser(prog="benches/wide", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=100, help="primaries (default 100)")
    parser.add_argument("--workers", default="1,2,4", metavar="A,B", help="workers (default 1,2,4)")
    parser.add_argument("--pipes", default="0,1", metavar="A,B", help="connections per node (default 0,1)")
    parser.add_argument("--cells", default="get_c50_p1,get_c500_p1,get_c50_p16", metavar="A,B")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each cell on each setup (default 3)")
    parser.add_argument("--slots", type=int, metavar="N", help="instead: the cost of CLUSTER SLOTS of N primaries")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/bench"), metavar="DIR")
    parser.add_argument("--built", type=pathlib.Path, metavar="DIR", help="where slotway's binary is",
                        default=pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release"))
    chosen = parser.parse_args()
    chosen.workers = [int(word) for word in chosen.workers.split(",")]
    chosen.pipes = [int(word) for word in chosen.pipes.split(",")]
    try:
        chosen.cells = cells.chosen(chosen.cells)
    except ValueError as error:
        parser.error(str(error))
    return chosen


def start_nodes(yard, count):
    """So many primaries that know each other from the start: their cluster files say so."""
    ports = process.free_ports(count)
    processes = []
    for place, port in enumerate(ports):
        processes.append(start_node(yard, ports, place))
        if place % GROUP == GROUP - 1:
            wait_for(ports[:place + 1], processes, lambda port: endpoints.answers(port), "answering")
    wait_for(ports, processes, lambda port: b"cluster_state:ok" in wire.ask(port, "CLUSTER", "INFO"), "whole")
    return endpoints.Nodes(ports, processes)


def start_node(yard, ports, place):
    """The primary at ports[place], which knows all the others."""
    port, bounds = ports[place], [wire.SLOTS * each // len(ports) for each in range(len(ports) + 1)]
    lines = [f"{other:040x} 127.0.0.1:{other}@{other + 10000} {'myself,' if other == port else ''}master - 0 0 "
             f"{at + 1} connected {bounds[at]}-{bounds[at + 1] - 1}" for at, other in enumerate(ports)]
    yard.write(f"nodes-{port}.conf", "\n".join([*lines, f"vars currentEpoch {len(ports)} lastVoteEpoch 0", ""]))
    return yard.start(f"node-{port}", [
        "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{port}.conf",
        "--cluster-node-timeout", "30000", "--maxmemory", "64mb"])


def wait_for(ports, processes, condition, what):
    """Waits until `condition(port)` holds for all."""
    for port, node in zip(ports, processes):
        node.wait_for(lambda: condition(port), what)


def start_setups(yard, chosen, nodes):
    """One slotway for each pair of workers and pipes that differ, each connected to all nodes."""
    found, few = [], endpoints.Nodes(nodes.ports[:3], nodes.processes[:3])
    binary = endpoints.find("slotway", "SLOTWAY_BENCH_SLOTWAY", "slotway", chosen.built)
    for workers in chosen.workers:
        for pipes in chosen.pipes:
            if pipes >= workers:
                continue  # Means the same as 0.
            port, before = process.free_ports(1)[0], connected(nodes)
            argv = endpoints.slotway(yard, port, few, binary, workers)
            argv += ["--spread-at", 0, "--backend-connections-per-node", pipes]
            child = yard.start(f"slotway-{workers}-{pipes}", argv)
            child.wait_for(lambda: endpoints.answers(port, "GET", "probe"), "answering")
            end = endpoints.Endpoint(f"{workers}/{pipes}", port, child, nodes.processes, "", "")
            load.benchmark(end, chosen.cells[0], chosen.cells[0].requests(False))
            found.append(Setup(workers, pipes, end, connected(nodes) - before))
    return found


def connected(nodes):
    """Clients of a node, on average."""
    found = [re.search(rb"connected_clients:(\d+)", wire.ask(port, "INFO", "clients")) for port in nodes.ports]
    return statistics.mean(int(each[1]) for each in found)


def served(port):
    """Requests that a node, or slotway, has answered."""
    return int(re.search(rb"total_commands_processed:(\d+)", wire.ask(port, "INFO", "stats"))[1])


def counted(target, argv, calls):
    """System calls of a process while `argv` runs: {call: count}, or {} without perf."""
    names = ",".join(f"syscalls:sys_enter_{call}" for call in calls)
    try:
        said = subprocess.run(["perf", "stat", "-x", ",", "-e", names, "-p", str(target.pid), *argv],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=load.RUN_SECONDS)
    except FileNotFoundError:
        return {}
    rows = re.findall(r"^(\d+),,syscalls:sys_enter_(\w+)", said.stderr, re.M)
    return {call: int(count) for count, call in rows}


def traced(setup, cell, nodes):
    """System calls per request: of slotway, and of a node (its gossip included) per request that it gets."""
    requests = cell.requests(False)
    argv = ["redis-benchmark", "-h", "127.0.0.1", "-p", str(setup.endpoint.port), *cell.arguments(False, requests)]
    own = {call: count / requests for call, count in counted(setup.endpoint.proxy, argv, CALLS).items()}
    before = served(nodes.ports[-1])
    calls = counted(nodes.processes[-1], argv, ("sendto", "write", "writev"))
    return own, sum(calls.values()) / max(served(nodes.ports[-1]) - before, 1)


def gossip(nodes):
    """CPU that the nodes take each second without load."""
    before = sum(node.cpu() for node in nodes.processes)
    time.sleep(IDLE_SECONDS)
    return (sum(node.cpu() for node in nodes.processes) - before) / IDLE_SECONDS


def measure(setups, cell, rounds, nodes, idle):
    """The rows of one cell."""
    requests, samples = cell.requests(False), [[] for _ in setups]
    for turn in range(rounds):
        for place in range(turn, turn + len(setups)):  # From another start, so that neighbours change.
            place %= len(setups)
            samples[place].append(load.run(setups[place].endpoint, cell, requests))
    return [row(setup, cell, each, traced(setup, cell, nodes), idle) for setup, each in zip(setups, samples)]


def row(setup, cell, samples, calls, idle):
    """One line of the table."""
    rps, cpu, redis_cpu, p99 = (statistics.median(getattr(sample, field) for sample in samples)
                                for field in ("rps", "cpu", "redis_cpu", "p99"))
    own, node = calls
    return [cell.name, str(setup.workers), str(setup.pipes), f"{setup.connections:.1f}", f"{rps:.0f}", f"{p99:.2f}", f"{cpu:.2f}",
            f"{redis_cpu - idle / rps * 1e6:.2f}", *(f"{own.get(call, 0):.3f}" for call in CALLS), f"{node:.2f}",
            f"{setup.endpoint.proxy.memory('VmRSS') / report.MIB:.1f}"]


def cost_of_slots(yard, chosen):
    """What CLUSTER SLOTS costs one node that believes in so many primaries, and a slotway that asks it."""
    ports = [*process.free_ports(1), *range(40000, 40000 + chosen.slots - 1)]  # Nobody is at the others.
    node = start_node(yard, ports, 0)
    node.wait_for(lambda: endpoints.answers(ports[0]), "answering")
    with wire.connect(ports[0]) as sock:
        sock.sendall(wire.request("CLUSTER", "SLOTS") + wire.request("QUIT"))
        size = len(sock.makefile("rb").read()) - len(b"+OK\r\n")
    wire.ask(ports[0], "CONFIG", "RESETSTAT")
    spent = [cpu_of_slotway(yard, chosen, ports[0], interval) for interval in ("0", "100ms")]
    said = wire.ask(ports[0], "INFO", "commandstats").decode()
    calls, each = re.search(r"cluster\|slots:calls=(\d+),usec=\d+,usec_per_call=([\d.]+)", said).groups()
    print(f"reply {size} bytes, node {each} µs, slotway {(spent[1] - spent[0]) / int(calls) * 1e6:.0f} µs, "
          f"of {calls} refreshes; at rest {spent[0] / SLOTS_SECONDS * 1e6:.0f} µs each second")


def cpu_of_slotway(yard, chosen, port, interval):
    """CPU in seconds of a slotway that refreshes so often."""
    binary, few = endpoints.find("slotway", "SLOTWAY_BENCH_SLOTWAY", "slotway", chosen.built), endpoints.Nodes([port], [])
    own = process.free_ports(1)[0]
    argv = [*endpoints.slotway(yard, own, few, binary, 1), "--topology-refresh", interval]
    child = yard.start(f"slotway-{interval}", argv)
    child.wait_for(lambda: endpoints.answers(own), "answering")
    time.sleep(1)  # The first look at the cluster is not what is measured.
    before = child.cpu()
    time.sleep(SLOTS_SECONDS)
    spent = child.cpu() - before
    yard.end(child)
    return spent


def write(chosen, rows, idle):
    """wide.md and wide.csv."""
    chosen.out.mkdir(parents=True, exist_ok=True)
    with open(chosen.out / "wide.csv", "w", newline="") as out:
        csv.writer(out).writerows([HEAD, *rows])
    text = [f"# Before {chosen.nodes} nodes\n",
            f"`{shlex.join(['benches/wide', *sys.argv[1:]])}` on {process.machine()}, {time.strftime('%Y-%m-%d')}: "
            f"medians of {chosen.rounds} rounds. The nodes' gossip takes {idle * 100:.0f} % of a core and is "
            "taken off their CPU. Calls and CPU are per request.\n", report.table(HEAD, rows)]
    (chosen.out / "wide.md").write_text("\n".join(text))


def main():
    """Starts everything, measures, writes, ends everything."""
    chosen = options()
    process.raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="slotway-wide-") as folder, process.Yard(folder) as yard:
        if chosen.slots:
            return cost_of_slots(yard, chosen)
        nodes = start_nodes(yard, chosen.nodes)
        setups = start_setups(yard, chosen, nodes)
        rows, idle = [], gossip(nodes)
        for cell in chosen.cells:
            rows += measure(setups, cell, chosen.rounds, nodes, idle)
            print(report.table(HEAD, rows[-len(setups):]), flush=True)
        write(chosen, rows, idle)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was started has been ended")
