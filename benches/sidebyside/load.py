"""One run of a load against one endpoint, mostly redis-benchmark's, and what it cost everybody.

Invariant: CPU is charged over exactly the run, to all threads of the process, by the process's own clock.
"""
import dataclasses
import pathlib
import re
import subprocess

from . import process, transactions, wire
from .cells import KEYS, prefix

# Longer than any run takes that is worth a place in the report.
RUN_SECONDS = 120
# A traced proxy is slow, and counts need no long run; but one long enough that the calls of connecting do not show.
TRACED_SHARE = 20
TRACED_PER_CLIENT = 20

GROUPS = {"read": ("read", "readv", "recvfrom", "recvmsg", "recvmmsg"),
          "write": ("write", "writev", "sendto", "sendmsg", "sendmmsg"),
          "wait": ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "io_uring_enter")}


@dataclasses.dataclass
class Sample:
    """What one run showed. Latencies in milliseconds, CPU in microseconds per request, peak in bytes."""
    rps: float
    p50: float
    p99: float
    p999: float
    cpu: float | None
    redis_cpu: float | None
    peak: int | None


FIELDS = [field.name for field in dataclasses.fields(Sample)]


class LoadError(Exception):
    """A run that gave no figures."""


def check(endpoint, cell):
    """Raises LoadError unless the endpoint's reply to one request of the cell is the right one."""
    if endpoint.proxy and not endpoint.proxy.alive():
        raise LoadError(f"ended by itself: {endpoint.proxy.last_words()}")
    if endpoint.fixed or endpoint.clustered:
        return
    if cell.is_checked():
        benchmark(endpoint, cell, cell.clients)
        return
    key = wire.keys(prefix(cell.size), 1)[0].decode()
    value = b"x" * cell.size
    right = {"get": value, "set": b"OK", "mget10": [value] * 10}[cell.command]
    try:
        reply = wire.ask(endpoint.where, *cell.words(key))
    except (OSError, wire.Refused) as error:
        raise LoadError(f"refuses the request: {error}") from error
    if reply != right:
        raise LoadError(f"answers {reply!r:.60} where {right!r:.60} is right")


def run(endpoint, cell, requests):
    """Runs the cell once."""
    proxy, nodes = endpoint.proxy, endpoint.nodes
    if proxy:
        proxy.reset_peak()
    before = proxy.cpu() if proxy else 0, sum(node.cpu() for node in nodes)
    measured = benchmark(endpoint, cell, requests)
    after = proxy.cpu() if proxy else 0, sum(node.cpu() for node in nodes)
    cpu, redis_cpu = ((b - a) / requests * 1e6 for a, b in zip(before, after))
    return Sample(*measured, cpu if proxy else None, redis_cpu if nodes else None,
                  proxy.memory("VmHWM") if proxy else None)


def benchmark(endpoint, cell, requests):
    """Runs the load: requests per second, p50, p99 and p99.9."""
    if cell.command == "tx":
        keys = wire.keys(prefix(cell.size), min(KEYS[cell.size], transactions.MADE))
        try:
            return transactions.figures(
                *transactions.run(endpoint.where, cell.clients, requests, keys, RUN_SECONDS))
        except transactions.Wrong as error:
            raise LoadError(str(error)) from error
    if cell.is_lone():
        said = finished(endpoint, [endpoint.lone_client, *cell.lone_arguments(endpoint.where, requests)])
        return tuple(map(float, said.split()))
    where = ["-s", endpoint.socket] if endpoint.socket else ["-h", "127.0.0.1", "-p", str(endpoint.port)]
    return figures(finished(endpoint, ["redis-benchmark", *where, *cell.arguments(endpoint.clustered, requests)]))


def finished(endpoint, argv):
    """What the program of a load prints, once it is done."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"not done after {RUN_SECONDS} s") from error
    if done.returncode or endpoint.proxy and not endpoint.proxy.alive():
        raise LoadError(f"{pathlib.Path(argv[0]).name}: {(done.stderr or done.stdout).strip()[-200:]}")
    return done.stdout


def figures(text):
    """Requests per second, p50, p99 and p99.9 of redis-benchmark's long output.

    p99.9 is the first step of its percentile distribution at or above 99.9 % (its steps halve the rest, so
    that is 99.902 %), or the largest latency where the run was too short to have one.
    """
    rate = re.search(r"throughput summary: ([\d.]+) requests per second", text)
    summary = re.search(r"avg\s+min\s+p50\s+p95\s+p99\s+max\s+([\d. ]+)", text)
    if not rate or not summary:
        raise LoadError(f"redis-benchmark printed no summary: {text.strip()[-200:]}")
    _, _, p50, _, p99, largest = map(float, summary[1].split())
    distribution = text.split("Cumulative distribution")[0]
    steps = [(float(share), float(ms)) for share, ms in
             re.findall(r"([\d.]+)% <= ([\d.]+) milliseconds", distribution)]
    p999 = next((ms for share, ms in steps if share >= 99.9), largest)
    return float(rate[1]), p50, p99, p999


def syscalls(endpoint, cell, requests, folder):
    """System calls of the proxy per request by group, {} where they cannot be counted."""
    if not endpoint.proxy:
        return {}
    count = max(requests // TRACED_SHARE, TRACED_PER_CLIENT * cell.clients * cell.pipeline)
    calls = process.count_syscalls(endpoint.proxy, lambda: benchmark(endpoint, cell, count), folder)
    return grouped(calls, count) if calls else {}


def grouped(calls, requests):
    """Calls per request: reads, writes, waits, all."""
    shares = {group: sum(calls.get(call, 0) for call in members) / requests for group, members in GROUPS.items()}
    return shares | {"all": sum(calls.values()) / requests}
