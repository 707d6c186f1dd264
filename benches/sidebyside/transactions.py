"""The load that redis-benchmark does not know: clients that each send a transaction in one write and await its replies.

Invariant: every reply is looked at; one that is not right ends the run.
"""
import itertools
import random
import selectors
import time

from . import wire

RIGHT = b"+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n"
# Transactions that are made beforehand, so that making them is no part of the run: as many keys.
MADE = 10_000


class Wrong(Exception):
    """Replies that are not right, or none."""


def transaction(key):
    """One transaction: SET of `key`."""
    return wire.request("MULTI") + wire.request("SET", key, "xxx") + wire.request("EXEC")


def run(where, clients, count, keys, seconds):
    """Runs `count` transactions of `clients` on `keys`, at most `MADE`, in random order, for `seconds` at most.

    Returns how many were answered a second, and how long each took in milliseconds, shortest first.
    """
    load = itertools.cycle([transaction(key) for key in random.sample(keys, len(keys))])
    socks = [wire.connect(where) for _ in range(clients)]
    try:
        return drive(socks, load, count, seconds)
    except OSError as error:
        raise Wrong(str(error)) from error
    finally:
        for sock in socks:
            sock.close()


def drive(socks, load, count, seconds):
    """Keeps one transaction of each connection under way, `count` in all, until they are answered."""
    start = time.perf_counter()
    load, begun, got, took = itertools.islice(load, count), {}, {}, []

    def send(sock):
        for one in itertools.islice(load, 1):
            begun[sock], got[sock] = time.perf_counter(), b""
            sock.sendall(one)

    with selectors.DefaultSelector() as selector:
        for sock in socks:
            selector.register(sock, selectors.EVENT_READ)
            send(sock)
        while len(took) < count:
            events = selector.select(max(start + seconds - time.perf_counter(), 0))
            if not events:
                raise Wrong(f"{len(took)} of {count} done after {seconds} s")
            for sock in (key.fileobj for key, _ in events):
                piece = sock.recv(4096)
                got[sock] += piece
                if not piece or not RIGHT.startswith(got[sock]):
                    raise Wrong(f"answers {got[sock]!r:.80}")
                if got[sock] == RIGHT:
                    took.append((time.perf_counter() - begun[sock]) * 1e3)
                    send(sock)
    return count / (time.perf_counter() - start), sorted(took)


def figures(rate, took):
    """Requests per second, p50, p99 and p99.9 of a run."""
    return rate, *(took[min(int(len(took) * share), len(took) - 1)] for share in (0.5, 0.99, 0.999))
