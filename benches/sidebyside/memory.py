"""Memory of a proxy: what an idle client costs, and whether it grows under millions of requests."""
from . import load, wire
from .cells import Cell

IDLE_CLIENTS = 5000
# Come and ask first, and stay: what the first clients make a proxy touch for all of them is no client's.
FIRST_CLIENTS = 100
# Points of the curve; the pieces between them alternate GET and SET.
SOAK_POINTS = 25
SOAK_CELLS = [Cell(command, 3, 50, 16) for command in ("get", "set")]


def idle(endpoint):
    """Bytes of resident memory per client that is connected, and per client that has asked once: a dict."""
    clients = []

    def come(count):
        clients.extend(wire.connect(endpoint.where) for _ in range(count))
        wire.ask(endpoint.where, "PING")  # Accepted in order, so all before this one are in.

    def ask(new):
        for client in new:
            client.sendall(wire.request("GET", "k3:%012d" % 7))
        for client in new:
            client.recv(4096)

    try:
        come(FIRST_CLIENTS)
        ask(clients)
        before = endpoint.proxy.memory("VmRSS")
        come(IDLE_CLIENTS)
        connected = endpoint.proxy.memory("VmRSS")
        ask(clients[FIRST_CLIENTS:])
        asked = endpoint.proxy.memory("VmRSS")
    finally:
        for client in clients:
            client.close()
    return {"rss_before": before, "per_client_connected": (connected - before) / IDLE_CLIENTS,
            "per_client_after_a_request": (asked - before) / IDLE_CLIENTS}


def soak(endpoint, requests):
    """[(requests so far, bytes of resident memory)] while that many go through."""
    piece, done = max(requests // SOAK_POINTS, 1), 0
    curve = [(0, endpoint.proxy.memory("VmRSS"))]
    while done < requests:
        load.benchmark(endpoint, SOAK_CELLS[len(curve) % 2], piece)
        done += piece
        curve.append((done, endpoint.proxy.memory("VmRSS")))
    return curve
