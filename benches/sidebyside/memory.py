"""Memory of a proxy: what an idle client costs, and whether it grows under millions of requests."""
from . import load, wire
from .cells import Cell

IDLE_CLIENTS = 5000
# Points of the curve; the pieces between them alternate GET and SET.
SOAK_POINTS = 25
SOAK_CELLS = [Cell(command, 3, 50, 16) for command in ("get", "set")]


def idle(endpoint):
    """Bytes of resident memory per client that is connected, and per client that has asked once: a dict."""
    before = endpoint.proxy.memory("VmRSS")
    clients = []
    try:
        for _ in range(IDLE_CLIENTS):
            clients.append(wire.connect(endpoint.where))
        wire.ask(endpoint.where, "PING")  # Accepted in order, so all before this one are in.
        connected = endpoint.proxy.memory("VmRSS")
        for client in clients:
            client.sendall(wire.request("GET", "k3:%012d" % 7))
        for client in clients:
            client.recv(4096)
        asked = endpoint.proxy.memory("VmRSS")
    finally:
        for client in clients:
            client.close()
    return {"clients": len(clients), "rss_before": before,
            "per_client_connected": (connected - before) / len(clients),
            "per_client_after_a_request": (asked - before) / len(clients)}


def soak(endpoint, requests):
    """[(requests so far, bytes of resident memory)] while that many go through."""
    piece, done = max(requests // SOAK_POINTS, 1), 0
    curve = [(0, endpoint.proxy.memory("VmRSS"))]
    while done < requests:
        load.benchmark(endpoint, SOAK_CELLS[len(curve) % 2], piece)
        done += piece
        curve.append((done, endpoint.proxy.memory("VmRSS")))
    return curve
